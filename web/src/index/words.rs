//! Words: how texts are taken apart before either database sees them, what a question is, and where a text answers it.
//!
//! A word is a run of letters and digits, in lower case. Both databases are given words alone and take none apart
//! themselves, so that they find the same.

/// Characters of a word; of a longer run only these count.
const MAX_WORD: usize = 64;
/// Words of a text that can be found.
const MAX_WORDS: usize = 128;
/// Words, or words in quotes, that a question may have; further ones are not asked for.
const MAX_PARTS: usize = 16;
/// Characters that a beginning must have; a shorter one is a whole word, for it would begin half of all words.
const MIN_PREFIX: usize = 3;
/// Characters of a question.
pub(crate) const MAX_QUESTION: usize = 256;

/// A word, and the place of its first character and of the one behind its last, in characters.
#[derive(Debug, PartialEq, Eq)]
struct Placed {
    word: String,
    from: usize,
    to: usize,
}

fn placed(text: &str) -> Vec<Placed> {
    let mut all: Vec<Placed> = Vec::new();
    let mut open = false;
    for (at, letter) in text.chars().enumerate() {
        if !letter.is_alphanumeric() {
            open = false;
            continue;
        }
        if !open {
            if all.len() == MAX_WORDS {
                break;
            }
            all.push(Placed { word: String::new(), from: at, to: at });
            open = true;
        }
        if let Some(last) = all.last_mut() {
            if at.saturating_sub(last.from) < MAX_WORD {
                last.word.extend(letter.to_lowercase().filter(|letter| letter.is_alphanumeric()));
            }
            last.to = at.saturating_add(1);
        }
    }
    all.retain(|placed| !placed.word.is_empty());
    all
}

/// The words of a text, in their order.
pub(crate) fn words(text: &str) -> Vec<String> {
    placed(text).into_iter().map(|placed| placed.word).collect()
}

/// Words that stand next to each other in this order; of the last only the beginning where `prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Never empty.
    pub(crate) words: Vec<String>,
    pub(crate) prefix: bool,
}

/// What is sought: all of its parts, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Never empty.
    pub(crate) parts: Vec<Part>,
}

impl Question {
    /// Reads `words`, `"words in a row"` and `begin*`, the last of a row too. What is neither is read as plain words: a quote without its
    /// other, a star alone. `None` where there is no word at all.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let quoted = text.matches('"').count().is_multiple_of(2);
        let mut parts = Vec::new();
        for (n, piece) in text.split('"').enumerate() {
            if quoted && !n.is_multiple_of(2) {
                parts.extend(part(piece, piece.trim_end().ends_with('*')));
            } else {
                parts.extend(piece.split_whitespace().filter_map(|word| part(word, word.ends_with('*'))));
            }
        }
        parts.truncate(MAX_PARTS);
        (!parts.is_empty()).then_some(Question { parts })
    }

    /// Where the text has what is sought: from and to in characters, rising, apart from each other.
    pub(crate) fn marks(&self, text: &str) -> Vec<(usize, usize)> {
        let placed = placed(text);
        let mut marks: Vec<(usize, usize)> = Vec::new();
        for part in &self.parts {
            for window in placed.windows(part.words.len()).filter(|window| part.is(window)) {
                marks.extend(window.iter().map(|placed| (placed.from, placed.to)));
            }
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }
}

impl Part {
    fn is(&self, window: &[Placed]) -> bool {
        let last = self.words.len().saturating_sub(1);
        let alike = |(n, (wanted, found)): (usize, (&String, &Placed))| {
            found.word == *wanted || (self.prefix && n == last && found.word.starts_with(wanted.as_str()))
        };
        self.words.iter().zip(window).enumerate().all(alike)
    }
}

/// One piece of a question; `contractors.yaml` is two words in a row.
fn part(piece: &str, prefix: bool) -> Option<Part> {
    let words = words(piece);
    let prefix = prefix && words.last().is_some_and(|word| word.chars().count() >= MIN_PREFIX);
    (!words.is_empty()).then_some(Part { words, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        let parts = Question::parse(text).map(|question| question.parts).unwrap_or_default();
        parts.iter().map(|part| format!("{}{}", part.words.join("+"), if part.prefix { "*" } else { "" })).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_in_lower_case() {
        assert_eq!(
            words("Upload: Q3-Report (final).PDF, 4 KiB"),
            ["upload", "q3", "report", "final", "pdf", "4", "kib"]
        );
        assert_eq!(words("Straße ÜBER İstanbul 東京"), ["straße", "über", "istanbul", "東京"]);
        assert_eq!(words(" \0\u{1}'\"*:&|!() "), Vec::<String>::new());
        assert_eq!(words(&"x".repeat(500)), ["x".repeat(MAX_WORD)]);
        assert_eq!(words(&"a ".repeat(500)).len(), MAX_WORDS);
    }

    #[test]
    fn a_question_is_words_phrases_and_beginnings() {
        assert_eq!(parts("payment card"), ["payment", "card"]);
        assert_eq!(parts("\"payment card\" deny \"a tes*\""), ["payment+card", "deny", "a+tes*"]);
        assert_eq!(parts("uplo* contractors.yaml paste.tex* t*"), ["uplo*", "contractors+yaml", "paste+tex*", "t"]);
    }

    #[test]
    fn what_is_malformed_is_plain_words() {
        assert_eq!(parts("\"payment card"), ["payment", "card"]);
        assert_eq!(parts("a\"b\"\"c"), ["a", "b", "c"]);
        assert_eq!(parts("* NEAR(a b) {x}: -y ^z \"\""), ["near+a", "b", "x", "y", "z"]);
        assert_eq!(Question::parse("  \" * \" "), None);
        assert_eq!(Question::parse(""), None);
        assert_eq!(parts(&"w ".repeat(100)).len(), MAX_PARTS);
    }

    #[test]
    fn marks_say_where_a_text_answers() {
        let marks = |question: &str, text: &str| Question::parse(question).unwrap().marks(text);
        let of = |text: &str, (from, to): (usize, usize)| text.chars().skip(from).take(to - from).collect::<String>();
        let text = "Größe: payment-card, Card payment";
        let found: Vec<_> = marks("\"payment card\"", text).into_iter().map(|mark| of(text, mark)).collect();
        assert_eq!(found, ["payment", "card"]);
        let found: Vec<_> = marks("pay* grö*", text).into_iter().map(|mark| of(text, mark)).collect();
        assert_eq!(found, ["Größe", "payment", "payment"]);
        assert_eq!(marks("none", text), []);
    }
}
