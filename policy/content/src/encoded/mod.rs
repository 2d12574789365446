//! Runs of base64 and hexadecimal digits in a text, and what they decode to.

mod runs;
mod wide;

pub(crate) use runs::{Kind, Run, base64, runs};
pub(crate) use wide::wide;

use std::ops::Range;

/// Characters of the shortest decoded text that is searched.
const SHORTEST_TEXT: usize = 6;
/// NULs in a row within a text: UTF-32 has three.
const MOST_NULS: usize = 3;

impl Run {
    /// In how many ways the run can be read: what stands before its true beginning need not be a whole group.
    pub(crate) fn phases(&self) -> usize {
        match self.kind {
            Kind::Base64 => 4,
            Kind::Hex => 2,
        }
    }

    /// What the run's digits decode to, those before `phase` left out, in place of what `bytes` held.
    pub(crate) fn decode(&self, phase: usize, bytes: &mut Vec<u8>) {
        bytes.clear();
        let digits = self.digits.get(phase..).unwrap_or_default();
        match self.kind {
            Kind::Base64 => {
                let (groups, rest) = digits.as_chunks();
                bytes.extend(groups.iter().flat_map(|[a, b, c, d]| [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]));
                if let [a, b, ..] = rest {
                    bytes.push(a << 2 | b >> 4);
                }
                if let [_, b, c] = rest {
                    bytes.push(b << 4 | c >> 2);
                }
            }
            Kind::Hex => bytes.extend(digits.as_chunks().0.iter().map(|[high, low]| high << 4 | low)),
        }
    }

    /// Where the digit stands with which a decoded byte begins.
    pub(crate) fn origin(&self, phase: usize, byte: usize) -> usize {
        let digit = match self.kind {
            Kind::Base64 => byte.saturating_mul(4) / 3,
            Kind::Hex => byte.saturating_mul(2),
        };
        self.place(phase.saturating_add(digit))
    }
}

/// The parts of decoded bytes that may be text: of what is no encoding, nearly nothing is left.
pub(crate) fn texts(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut texts = Texts::default();
    let mut at = 0_usize;
    while let Some(byte) = bytes.get(at) {
        let length = match byte {
            ..0x80 => 1,
            0xc2..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0..0xf5 => 4,
            _ => 0,
        };
        let end = at.saturating_add(length);
        let character = match length {
            0 => None,
            1 => Some(char::from(*byte)),
            _ => bytes.get(at..end).and_then(|bytes| str::from_utf8(bytes).ok()).and_then(|text| text.chars().next()),
        };
        match character {
            Some(character) => {
                texts.take(character, at, end);
                at = end;
            }
            None => {
                texts.end();
                at = at.saturating_add(1);
            }
        }
    }
    texts.end();
    texts.found
}

#[derive(Default)]
struct Texts {
    found: Vec<Range<usize>>,
    /// The part that may become one, its characters, and the NULs at its end.
    part: Range<usize>,
    characters: usize,
    nuls: usize,
}

impl Texts {
    fn take(&mut self, character: char, at: usize, end: usize) {
        self.nuls = if character == '\0' { self.nuls.saturating_add(1) } else { 0 };
        if self.nuls > MOST_NULS || (character.is_control() && !matches!(character, '\0' | '\t' | '\n' | '\r')) {
            return self.end();
        }
        if character == '\0' && self.characters == 0 {
            return;
        }
        if self.characters == 0 {
            self.part.start = at;
        }
        if character != '\0' {
            self.characters = self.characters.saturating_add(1);
        }
        self.part.end = end;
    }

    fn end(&mut self) {
        if self.characters >= SHORTEST_TEXT {
            self.found.push(self.part.clone());
        }
        self.characters = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_can_be_read() {
        let bytes = b"\x01\0secret\xff123456789\x07short\x02g\0h\0p\0_\0a\0b\0\0\0\0\0\0";
        let found: Vec<&[u8]> = texts(bytes).into_iter().map(|range| &bytes[range]).collect();
        assert_eq!(found, [&b"secret"[..], b"123456789", b"g\0h\0p\0_\0a\0b\0\0\0"]);
    }

    #[test]
    fn runs_decode_in_each_phase() {
        let decoded = |run: &Run, phase| {
            let mut bytes = b"what was there".to_vec();
            run.decode(phase, &mut bytes);
            bytes
        };
        let run = &runs(b"see xc2VjcmV0IHNlY3JldA==", 0..usize::MAX)[0];
        assert_eq!(run.phases(), 4);
        assert_eq!(decoded(run, 1), b"secret secret");
        assert_eq!((run.origin(1, 0), run.origin(1, 3), run.range.clone()), (5, 9, 4..25));
        let runs = runs(b"a736563726574207365", 0..usize::MAX);
        let run = runs.iter().find(|run| run.kind == Kind::Hex).unwrap();
        assert_eq!((run.phases(), decoded(run, 1)), (2, b"secret se".to_vec()));
        assert_eq!(run.origin(1, 2), 5);
    }
}
