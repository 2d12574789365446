//! Where digits of base64 or hexadecimal stand in a row.

use std::ops::Range;

use crate::known::scan::{at, before, is_word, span};

/// Digits of the shortest run.
const SHORTEST: usize = 12;
/// Characters between two hexadecimal digits, such as a comma, a line break and blanks.
const WIDEST_GAP: usize = 8;

/// Hexadecimal digits without a gap behind which it matters what stands there.
const LONGEST_BLOCK: usize = 256;

/// An alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RFC 4648, sections 4 and 5: both alphabets, with or without padding.
    Base64,
    /// Pairs of digits, which may stand apart: `67 68`, `0x67, 0x68`, `\x67\x68`, `%67%68`.
    Hex,
}

/// Digits in a row.
pub(crate) struct Run {
    pub(crate) kind: Kind,
    /// All that the run takes, padding included.
    pub(crate) range: Range<usize>,
    /// The digits' values.
    pub(crate) digits: Vec<u8>,
    /// The digits that stand behind a gap, and the first: which one it is, and where it stands.
    blocks: Vec<(usize, usize)>,
}

impl Run {
    /// Where a digit stands.
    pub(crate) fn place(&self, digit: usize) -> usize {
        let behind = self.blocks.partition_point(|(first, _)| *first <= digit);
        let block = behind.checked_sub(1).and_then(|block| self.blocks.get(block));
        block.map_or(self.range.start, |(first, place)| place.saturating_add(digit.saturating_sub(*first)))
    }

    /// Takes the digits that begin at a place; answers with the place behind them.
    fn take(&mut self, text: &[u8], from: usize) -> usize {
        let rest = text.get(from..).unwrap_or_default();
        let first = self.digits.len();
        match self.kind {
            Kind::Base64 => self.digits.extend(rest.iter().map_while(|byte| sixty_four(*byte))),
            Kind::Hex => {
                // The 0 of 0x is no digit.
                let next = rest.iter().skip(1).chain(&[0]);
                let digits = rest.iter().zip(next).take_while(|(_, next)| !matches!(next, b'x' | b'X'));
                self.digits.extend(digits.map_while(|(byte, _)| sixteen(*byte)));
            }
        }
        self.blocks.push((first, from));
        from.saturating_add(self.digits.len().saturating_sub(first))
    }
}

/// All runs of a text.
pub(crate) fn runs(text: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    collect(text, Kind::Base64, &mut runs);
    collect(text, Kind::Hex, &mut runs);
    runs
}

/// What a text in base64 says; what is no digit is passed over.
pub(crate) fn base64(text: &[u8]) -> Vec<u8> {
    let digits = text.iter().filter_map(|byte| sixty_four(*byte)).collect();
    Run { kind: Kind::Base64, range: 0..text.len(), digits, blocks: Vec::new() }.decode(0)
}

fn collect(text: &[u8], kind: Kind, runs: &mut Vec<Run>) {
    let is_digit = |byte: u8| match kind {
        Kind::Base64 => sixty_four(byte).is_some(),
        Kind::Hex => sixteen(byte).is_some(),
    };
    let mut from = 0_usize;
    while let Some(rest) = text.get(from..) {
        let Some(skipped) = rest.iter().position(|byte| is_digit(*byte)) else { break };
        from = from.saturating_add(skipped);
        let mut run = Run { kind, range: from..from, digits: Vec::new(), blocks: Vec::new() };
        let mut next = from;
        loop {
            next = run.take(text, next);
            run.range.end = next;
            let behind = match kind {
                Kind::Base64 => line_break(text, next),
                Kind::Hex => apart(text, next),
            };
            let more = behind > next && is_digit(at(text, behind));
            // `e 67 68 be`: digits that touch letters are parts of words.
            if !more || kind == Kind::Hex && !(apart_from_words(text, from) && parts(text, behind)) {
                break;
            }
            next = behind;
        }
        if kind == Kind::Base64 {
            run.range.end = span(text, run.range.end, 2, |byte| byte == b'=');
        }
        from = run.range.end.max(from.saturating_add(1));
        if run.digits.len() >= SHORTEST {
            runs.push(run);
        }
    }
}

/// Whether no letter stands before hexadecimal digits, but for the x of their prefix.
fn apart_from_words(text: &[u8], from: usize) -> bool {
    !is_word(before(text, from)) || matches!(before(text, from), b'x' | b'X')
}

/// Whether no letter stands behind the hexadecimal digits that begin here.
fn parts(text: &[u8], from: usize) -> bool {
    !is_word(at(text, span(text, from, LONGEST_BLOCK, |byte| byte.is_ascii_hexdigit())))
}

fn sixty_four(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => byte.checked_sub(b'A'),
        b'a'..=b'z' => byte.checked_sub(b'a' - 26),
        b'0'..=b'9' => byte.checked_add(52 - b'0'),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn sixteen(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a' - 10),
        b'A'..=b'F' => byte.checked_sub(b'A' - 10),
        _ => None,
    }
}

/// Behind the line break that stands here, with blanks and marks of quotation around it.
fn line_break(text: &[u8], from: usize) -> usize {
    let blank = |byte| matches!(byte, b' ' | b'\t' | b'\r');
    let end = span(text, from, WIDEST_GAP, blank);
    if at(text, end) != b'\n' {
        return from;
    }
    span(text, end.saturating_add(1), WIDEST_GAP, |byte| blank(byte) || byte == b'>')
}

/// Behind what stands between two hexadecimal digits.
fn apart(text: &[u8], from: usize) -> usize {
    let mut end = span(text, from, WIDEST_GAP, |byte| {
        matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'-' | b'\\' | b'%')
    });
    if at(text, end) == b'0' && matches!(at(text, end.saturating_add(1)), b'x' | b'X') {
        end = end.saturating_add(2);
    } else if end > from && matches!(at(text, end), b'x' | b'X') {
        end = end.saturating_add(1);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str, kind: Kind) -> Vec<Vec<u8>> {
        runs(text.as_bytes()).into_iter().filter(|run| run.kind == kind).map(|run| run.decode(0)).collect()
    }

    #[test]
    fn base64_in_both_alphabets_wrapped_and_bare() {
        for text in ["fn5+fj8/Pz8+Pj4=", "fn5-fj8_Pz8-Pj4", "fn5+fj8/\r\n  Pz8+Pj4=", "> fn5+fj8/\n> Pz8+Pj4="] {
            assert_eq!(decoded(text, Kind::Base64), [b"~~~~????>>>"[..].to_vec()], "{text}");
        }
        assert!(decoded("c2hvcnQ= c2hvcnQ=", Kind::Base64).is_empty());
    }

    #[test]
    fn hexadecimal_in_its_many_forms() {
        for text in [
            "736563726574",
            "73 65 63 72 65 74",
            "73:65:63:72:65:74",
            "0x73, 0x65,\n0x63, 0x72, 0x65, 0x74",
            "\\x73\\x65\\x63\\x72\\x65\\x74",
            "%73%65%63%72%65%74",
            "736563\n726574",
        ] {
            assert_eq!(decoded(text, Kind::Hex), [b"secret".to_vec()], "{text}");
        }
        assert!(decoded("12345 and 6789", Kind::Hex).is_empty());
        let runs = runs(b"here: 736563726574 be 73 hind");
        let run = runs.iter().find(|run| run.kind == Kind::Hex).unwrap();
        assert_eq!((run.range.start, run.range.end), (6, 24));
    }
}
