//! Texts in the forms in which they are searched: what is seen and not how it is spelt.
//!
//! UTF-8 (a byte that is none is read as Latin-1), without what cannot be seen, in NFKC. Where detectors look for ASCII, characters that look like ASCII ones
//! become those; as some look like a letter and a digit, or are a digit that looks like another one, there are two such readings.

mod joined;
mod lookalikes;
mod traits;

pub(crate) use joined::joined;
pub(crate) use traits::prepare;

use std::ops::Range;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::view::View;
use traits::Traits;

/// Bytes of characters that are composed together; marks beyond are composed with each other. Unicode's stream-safe format has 31 characters.
const LONGEST_CLUSTER: usize = 128;

/// Bytes that are looked at together.
const TOGETHER: usize = 64;

/// How characters are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As they are, in NFKC.
    Plain,
    /// As ASCII characters that they look like; without marks on ASCII.
    Looks,
    /// The same, but digits by their value, and what may be 0 or 1 as that.
    Numbers,
    /// As `Looks`, cases folded before, each white space a single space.
    Words,
    /// The same, but cases folded behind: some letters look like ASCII only as capitals.
    Capitals,
}

/// Reads a text.
pub(crate) fn read(bytes: &[u8], reading: Reading) -> View<'_> {
    if !matches!(reading, Reading::Words | Reading::Capitals) && is_plain(bytes) {
        return View::of(str::from_utf8(bytes).unwrap_or_default());
    }
    let mut writer = Writer {
        reading,
        view: View::default(),
        cluster: String::new(),
        of: 0..0,
        alone: None,
        text: String::new(),
        last: '\0',
    };
    let mut at = 0_usize;
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        loop {
            // What follows the last one may yet be composed with it.
            let stretch = plain_length(rest.as_bytes()).saturating_sub(1);
            let (plain, behind) = rest.split_at_checked(stretch).unwrap_or_default();
            writer.plain(plain, at);
            at = at.saturating_add(stretch);
            let mut characters = behind.chars();
            let Some(character) = characters.next() else { break };
            rest = characters.as_str();
            let end = at.saturating_add(character.len_utf8());
            writer.take(character, at..end);
            at = end;
        }
        for byte in chunk.invalid() {
            writer.take(char::from(*byte), at..at.saturating_add(1));
            at = at.saturating_add(1);
        }
    }
    writer.flush();
    writer.view
}

/// Whether all readings but that of words leave the text as it is.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    bytes.chunks(TOGETHER).all(all_plain)
}

/// How many bytes are plain before the first that is not.
fn plain_length(bytes: &[u8]) -> usize {
    if !bytes.first().is_some_and(|byte| plain(*byte)) {
        return 0;
    }
    let whole: usize = bytes.chunks(TOGETHER).take_while(|chunk| all_plain(chunk)).map(<[u8]>::len).sum();
    let rest = bytes.get(whole..).unwrap_or_default();
    whole.saturating_add(rest.iter().take_while(|byte| plain(**byte)).count())
}

fn all_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| all & plain(*byte))
}

fn plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct Writer<'a> {
    reading: Reading,
    view: View<'a>,
    /// Characters that may yet be composed, and where they stand.
    cluster: String,
    of: Range<usize>,
    /// The last character of the cluster, if it is its only one and stays as it is.
    alone: Option<char>,
    /// Room for what a character becomes.
    text: String,
    /// The last character that was written.
    last: char,
}

impl Writer<'_> {
    fn take(&mut self, character: char, from: Range<usize>) {
        if is_unseen(character) {
            return;
        }
        let stays = character.is_ascii() || Traits::of(character).stays;
        if !self.cluster.is_empty() && (self.cluster.len() >= LONGEST_CLUSTER || stays || !continues(character)) {
            self.flush();
        }
        if self.cluster.is_empty() {
            self.of.start = from.start;
        }
        self.alone = stays.then_some(character);
        self.cluster.push(character);
        self.of.end = from.end;
    }

    /// Writes what was composed.
    fn flush(&mut self) {
        if let Some(character) = self.alone.take() {
            self.cluster.clear();
            return self.one(character, self.of.clone());
        }
        let cluster = std::mem::take(&mut self.cluster);
        let mut text = String::new();
        for character in cluster.nfkc() {
            self.write(character, &mut text);
        }
        // The same bytes, unless unseen characters or bytes of Latin-1 stood between.
        if text == cluster && self.of.len() == cluster.len() {
            self.view.push_verbatim(&text, self.of.start);
        } else {
            self.view.push(&text, self.of.clone());
        }
        self.cluster = cluster;
        self.cluster.clear();
    }

    /// Writes a character that nothing was composed with.
    fn one(&mut self, character: char, from: Range<usize>) {
        if let Ok(byte) = u8::try_from(character)
            && byte.is_ascii()
        {
            return self.ascii(byte, from.start);
        }
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        self.write(character, &mut text);
        let same = text.len() == from.len() && text.starts_with(character);
        if same {
            self.view.push_verbatim(&text, from.start)
        } else {
            self.view.push(&text, from)
        }
        self.text = text;
    }

    /// Writes plain ASCII that nothing was composed with.
    fn plain(&mut self, text: &str, from: usize) {
        let Some(last) = text.bytes().next_back() else { return };
        if !self.cluster.is_empty() {
            self.flush();
        }
        if !matches!(self.reading, Reading::Words | Reading::Capitals) {
            self.view.push_verbatim(text, from);
            self.last = char::from(last);
            return;
        }
        let mut rest = text.as_bytes();
        let mut at = from;
        while !rest.is_empty() {
            // Up to where a blank is left out.
            let mut before = self.last == ' ';
            let kept =
                rest.iter().take_while(|byte| !(std::mem::replace(&mut before, blank(**byte)) && before)).count();
            let (piece, behind) = rest.split_at_checked(kept).unwrap_or((rest, &[]));
            let folded = piece.iter().map(|byte| if blank(*byte) { b' ' } else { byte.to_ascii_lowercase() }).collect();
            let folded = String::from_utf8(folded).unwrap_or_default();
            self.view.push_verbatim(&folded, at);
            self.last = folded.chars().next_back().unwrap_or(self.last);
            let left_out = behind.iter().take_while(|byte| blank(**byte)).count();
            at = at.saturating_add(kept).saturating_add(left_out);
            rest = behind.get(left_out..).unwrap_or_default();
        }
    }

    /// Writes an ASCII character that nothing was composed with: in all readings it is one, or none.
    fn ascii(&mut self, byte: u8, from: usize) {
        let character = char::from(byte);
        let words = matches!(self.reading, Reading::Words | Reading::Capitals);
        let like = match words {
            true if blank(byte) && self.last == ' ' => return,
            true if blank(byte) => ' ',
            true => character.to_ascii_lowercase(),
            false => character,
        };
        self.view.push_verbatim(like.encode_utf8(&mut [0; 4]), from);
        self.last = like;
    }

    fn write(&mut self, character: char, text: &mut String) {
        if self.reading == Reading::Plain {
            return text.push(character);
        }
        if is_combining_mark(character) && self.last.is_ascii() {
            return;
        }
        match self.reading {
            Reading::Words => fold(character).for_each(|folded| self.word(folded, text)),
            Reading::Capitals => fold(self.like(character)).for_each(|folded| self.word(folded, text)),
            _ => {
                let like = self.like(character);
                self.last = like;
                text.push(like);
            }
        }
    }

    fn word(&mut self, folded: char, text: &mut String) {
        let like = self.like(folded);
        let like = if like.is_whitespace() { ' ' } else { like.to_ascii_lowercase() };
        if (like, self.last) != (' ', ' ') {
            text.push(like);
        }
        self.last = like;
    }

    fn like(&self, character: char) -> char {
        if character.is_ascii() {
            return character;
        }
        let Traits { looks, digit, .. } = Traits::of(character);
        let like = match (self.reading, looks, digit) {
            (Reading::Numbers, _, Some(digit)) => Some(digit),
            (Reading::Numbers, Some(b'O' | b'o'), _) => Some(b'0'),
            (Reading::Numbers, Some(b'I' | b'l'), _) => Some(b'1'),
            (_, looks, digit) => looks.or(digit),
        };
        like.map_or(character, char::from)
    }
}

/// All forms of a letter as one: the small ones of its capitals.
fn fold(character: char) -> impl Iterator<Item = char> {
    character.to_uppercase().flat_map(char::to_lowercase)
}

/// Whether a character may be composed with the one before it.
fn continues(character: char) -> bool {
    let mut first = None;
    decompose_compatible(character, |part| {
        first.get_or_insert(part);
    });
    let first = first.unwrap_or(character);
    canonical_combining_class(first) != 0 || is_nfc_quick(std::iter::once(first)) == IsNormalized::Maybe
}

/// Whether a character takes no room: controls but line breaks and tabs, and what Unicode calls `Default_Ignorable_Code_Point`: zero-width and bidirectional
/// controls, joiners, variation selectors, fillers, tags.
pub(crate) fn is_unseen(character: char) -> bool {
    match u32::from(character) {
        0x09 | 0x0a | 0x0d => false,
        code => matches!(code,
            0x00..=0x1f | 0x7f..=0x9f | 0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfff8 | 0x1_bca0..=0x1_bca3
            | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reads(text: &str, reading: Reading) -> String {
        read(text.as_bytes(), reading).text().to_owned()
    }

    #[test]
    fn what_is_seen_is_read() {
        assert_eq!(reads("\u{ff14}\u{ff11}\u{200b}1\u{2060}\u{202e}1", Reading::Plain), "4111");
        assert_eq!(reads("4\u{336}1\u{20dd}1\u{301}1", Reading::Looks), "4111");
        assert_eq!(reads("\u{420}\u{430}\u{443}\u{420}\u{430}l", Reading::Looks), "PayPal");
        assert_eq!(reads("\u{41e}\u{406}\u{9ea}\u{661}", Reading::Looks), "OI8l");
        assert_eq!(reads("\u{41e}\u{406}\u{9ea}\u{661}", Reading::Numbers), "0141");
        assert_eq!(reads("4111\u{a0}1111\u{2011}1111\u{2014}1", Reading::Looks), "4111 1111-1111-1");
        assert_eq!(reads("\u{d7}\u{1d7d9}\u{2460}", Reading::Looks), "x11");
        assert_eq!(reads("g\0h\0p\0_\0", Reading::Looks), "ghp_");
        assert_eq!(reads("A\t\n B\u{3000}\u{df}", Reading::Words), "a b ss");
        assert_eq!(reads("\u{41a}\u{43a}\u{41e}", Reading::Words), "\u{43a}\u{43a}o");
        assert_eq!(reads("\u{41a}\u{43a}\u{41e}", Reading::Capitals), "k\u{43a}o");
        assert_eq!(read(b"41\xa041", Reading::Plain).text(), "41 41");
    }

    #[test]
    fn unseen_is_what_unicode_ignores() {
        for character in '\u{a0}'..=char::MAX {
            // The skeleton leaves out what is ignorable by default.
            let ignored = unicode_security::skeleton(&character.to_string()).next().is_none();
            assert_eq!(is_unseen(character), ignored, "U+{:04X}", u32::from(character));
        }
    }

    #[test]
    fn places_lead_back_through_what_was_left_out() {
        let text = "x\u{200b}4\u{200b}1\u{200b}1y";
        let view = read(text.as_bytes(), Reading::Plain);
        assert_eq!(view.text(), "x411y");
        assert_eq!(&text[view.origin(1..4)], "4\u{200b}1\u{200b}1");
        let text = "e\u{301}\u{fb03}\u{ff21}";
        let view = read(text.as_bytes(), Reading::Plain);
        assert_eq!(view.text(), "\u{e9}ffiA");
        assert_eq!(view.origin(0..2), 0..3);
        assert_eq!(view.origin(3..4), 3..6);
        assert_eq!(view.origin(5..6), 6..9);
    }

    proptest! {
        #[test]
        fn in_clusters_it_is_nfkc(text in "([a-e]|\\PC|[\u{300}-\u{310}]|[\u{1100}-\u{1180}]|[\u{3131}-\u{3160}]|\u{9be}|\u{f73}|\u{ff9e}|\u{344}){0,24}") {
            let seen: String = text.chars().filter(|character| !is_unseen(*character)).collect();
            prop_assert_eq!(reads(&text, Reading::Plain), seen.nfkc().collect::<String>());
        }

        #[test]
        fn every_range_leads_back_to_characters(text in "(\\PC|[\u{300}-\u{302}]|\u{200b}|[0-9a-z ]){0,16}") {
            for reading in [Reading::Plain, Reading::Looks, Reading::Numbers, Reading::Words, Reading::Capitals] {
                let view = read(text.as_bytes(), reading);
                for (at, character) in view.text().char_indices() {
                    let origin = view.origin(at..at + character.len_utf8());
                    prop_assert!(text.get(origin.clone()).is_some_and(|part| !part.is_empty()), "{:?}", origin);
                }
            }
        }
    }
}
