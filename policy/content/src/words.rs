//! Lists of words, found whole, in any case and spelling.

use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::Refused;
use crate::normal::{self, Reading};

/// Bytes of one word.
pub const MAX_WORD: usize = 256;
/// Bytes of all words of a list, in the two forms in which they are searched for.
pub const MAX_WORDS_BYTES: usize = 1 << 20;

/// Bytes of words that are compiled for speed; it takes some hundred times as much memory.
const MAX_FAST: usize = 1 << 16;

/// Words or phrases, in both forms in which texts are read for them.
#[derive(Clone)]
pub struct Words(Vec<String>);

impl Words {
    /// Reads a list of words or phrases; empty ones are left out. Errors name the place of a word in the list, from 0.
    pub fn read<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, Refused> {
        let (mut kept, mut bytes) = (Vec::new(), 0_usize);
        for (place, word) in words.into_iter().enumerate() {
            if word.len() > MAX_WORD {
                return Err(Refused::WordLength(place));
            }
            if word.trim().is_empty() {
                continue;
            }
            for reading in [Reading::Words, Reading::Capitals] {
                let normal = normal::read(word.as_bytes(), reading);
                let normal = normal.text().trim();
                if !normal.contains(char::is_alphanumeric) {
                    return Err(Refused::WordOfNothing(place));
                }
                bytes = bytes.saturating_add(normal.len());
                if bytes > MAX_WORDS_BYTES {
                    return Err(Refused::Words);
                }
                kept.push(normal.to_owned());
            }
        }
        kept.sort_unstable();
        kept.dedup();
        Ok(Self(kept))
    }
}

// Which words are searched for is not for those whose texts are searched.
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words in {} forms", self.0.len())
    }
}

/// All lists of a searcher, searched for in one pass.
pub(crate) struct Index {
    automaton: AhoCorasick,
    /// The list's place among the detectors, by the automaton's pattern.
    lists: Vec<usize>,
}

impl Index {
    /// Compiles lists, each with its place among the detectors.
    pub(crate) fn new<'a>(lists: impl Iterator<Item = (usize, &'a Words)>) -> Result<Option<Self>, Refused> {
        let (mut places, mut all) = (Vec::new(), Vec::new());
        for (place, words) in lists {
            places.extend(words.0.iter().map(|_| place));
            all.extend(&words.0);
        }
        if all.is_empty() {
            return Ok(None);
        }
        let bytes: usize = all.iter().map(|word| word.len()).sum();
        let kind = (bytes <= MAX_FAST).then_some(AhoCorasickKind::DFA);
        let automaton = AhoCorasick::builder().kind(kind).build(all).map_err(Refused::TooLarge)?;
        Ok(Some(Self { automaton, lists: places }))
    }

    /// Where words stand whole in a text in normal form.
    pub(crate) fn find(&self, text: &str, mut push: impl FnMut(usize, Range<usize>)) {
        let mut last = (usize::MAX, 0..0);
        for found in self.automaton.find_overlapping_iter(text) {
            let (start, end) = (found.start(), found.end());
            let whole = parts(text.get(..start), text.get(start..)) && parts(text.get(..end), text.get(end..));
            let Some(list) = self.lists.get(found.pattern().as_usize()).filter(|_| whole) else { continue };
            // Of two that end together the longer comes first.
            if last.0 != *list || start < last.1.start || end > last.1.end {
                last = (*list, start..end);
                push(*list, start..end);
            }
        }
    }
}

/// Whether a word can end, or begin, between two texts.
fn parts(before: Option<&str>, behind: Option<&str>) -> bool {
    let last = before.and_then(|text| text.chars().next_back());
    let first = behind.and_then(|text| text.chars().next());
    !(last.is_some_and(spaced) && first.is_some_and(spaced))
}

/// Whether a character belongs to a word of a script that puts spaces between words.
fn spaced(character: char) -> bool {
    let unspaced = matches!(u32::from(character),
        // Thai and Lao, Myanmar, Khmer, Kana, Han.
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff);
    (character.is_alphanumeric() || character == '_') && !unspaced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], text: &str) -> Vec<String> {
        let words = Words::read(words.iter().copied()).unwrap();
        let index = Index::new([(0, &words)].into_iter()).unwrap().unwrap();
        let view = normal::read(text.as_bytes(), Reading::Words);
        let mut found = Vec::new();
        index.find(view.text(), |_, range| found.push(text[view.origin(range)].to_owned()));
        found
    }

    #[test]
    fn words_are_found_whole_in_any_case() {
        assert_eq!(found(&["Aurora"], "aurora, AURORA; auroras xaurora aurora_x"), ["aurora", "AURORA"]);
        assert_eq!(found(&["project  aurora"], "Project\n\tAurora"), ["Project\n\tAurora"]);
        assert_eq!(found(&["stra\u{df}e"], "STRASSE Stra\u{df}e"), ["STRASSE", "Stra\u{df}e"]);
        assert_eq!(found(&["caf\u{e9}"], "cafe\u{301} CAF\u{c9} cafe"), ["cafe\u{301}", "CAF\u{c9}"]);
        assert_eq!(found(&["c++"], "c++ and c++11"), ["c++", "c++"]);
        assert_eq!(found(&["a", "a b"], "a b"), ["a", "a b"]);
    }

    #[test]
    fn look_alikes_and_other_scripts_are_words_too() {
        assert_eq!(found(&["aurora"], "\u{430}ur\u{43e}ra"), ["\u{430}ur\u{43e}ra"]);
        assert_eq!(
            found(&["\u{43f}\u{440}\u{43e}\u{435}\u{43a}\u{442}"], "\u{41f}\u{440}\u{43e}\u{435}\u{43a}\u{442}").len(),
            1
        );
        assert_eq!(
            found(&["\u{673a}\u{5bc6}"], "\u{8fd9}\u{662f}\u{673a}\u{5bc6}\u{6587}\u{4ef6}"),
            ["\u{673a}\u{5bc6}"]
        );
    }

    #[test]
    fn lists_are_bounded_and_do_not_show_themselves() {
        assert!(matches!(Words::read(["a", "..."]), Err(Refused::WordOfNothing(1))));
        assert!(matches!(Words::read([&*"a".repeat(257)]), Err(Refused::WordLength(0))));
        let many: Vec<String> = (0..5000).map(|n| format!("{n:0250}")).collect();
        assert!(matches!(Words::read(many.iter().map(String::as_str)), Err(Refused::Words)));
        assert_eq!(format!("{:?}", Words::read(["secret", "", " "]).unwrap()), "Words in 1 forms");
    }
}
