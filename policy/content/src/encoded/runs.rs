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

/// What a byte may be to a run: a digit of base64, of hexadecimal, the x of `0x`, what stands between hexadecimal digits, a digit of base64 that is of no word.
const CODED: u8 = 1;
const HEX: u8 = 2;
const PREFIX: u8 = 4;
const APART: u8 = 8;
const MARK: u8 = 16;
/// Any of these, and what else may stand within a run.
const WITHIN: u8 = 32;

#[allow(clippy::indexing_slicing, clippy::as_conversions, reason = "a table of all bytes, made by the compiler")]
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => CODED | HEX | WITHIN,
            b'x' | b'X' => CODED | PREFIX | WITHIN,
            b'g'..=b'z' | b'G'..=b'Z' | b'_' => CODED | WITHIN,
            b'-' => CODED | MARK | APART | WITHIN,
            b'+' | b'/' => CODED | MARK | WITHIN,
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'\\' | b'%' => APART | WITHIN,
            b'>' | b'=' => WITHIN,
            _ => 0,
        };
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

fn is(byte: u8, classes: u8) -> bool {
    class(byte) & classes != 0
}

impl Run {
    /// Where a digit stands.
    pub(crate) fn place(&self, digit: usize) -> usize {
        let behind = self.blocks.partition_point(|(first, _)| *first <= digit);
        let block = behind.checked_sub(1).and_then(|block| self.blocks.get(block));
        block.map_or(self.range.start, |(first, place)| place.saturating_add(digit.saturating_sub(*first)))
    }
}

/// All runs of a text that take any of this part of it.
pub(crate) fn runs(text: &[u8], part: Range<usize>) -> Vec<Run> {
    let mut runs = Runs { text, blocks: Vec::new(), found: Vec::new() };
    // Up to where runs of each kind are known.
    let (mut coded, mut hex) = (0, 0);
    let before = text.get(..part.start).unwrap_or_default();
    // No run goes on over a byte that can stand in none.
    let mut place = before.iter().rposition(|byte| !is(*byte, WITHIN)).unwrap_or_default();
    while let Some(skipped) = text.get(place..).and_then(|rest| rest.iter().position(|byte| is(*byte, CODED))) {
        let start = place.saturating_add(skipped);
        if start >= part.end {
            break;
        }
        let (mut all, mut any) = (u8::MAX, 0);
        let digits = text.get(start..).unwrap_or_default().iter().map(|byte| class(*byte));
        let length = digits
            .take_while(|class| class & CODED != 0)
            .inspect(|class| (all, any) = (all & class, any | class))
            .count();
        place = start.saturating_add(length);
        let long = length >= SHORTEST;
        if start >= coded && (long || line_break(text, place) > place) {
            coded = runs.follow(Kind::Base64, start);
        }
        // Of a shorter word only all of it, or what stands behind an x, can go on elsewhere.
        let goes_on = all & HEX != 0 && is(at(text, place), APART);
        if place > hex && (long || goes_on || any & (PREFIX | MARK) != 0) {
            hex = runs.hexadecimal(start.max(hex)..place);
        }
    }
    runs.found
}

/// What a text in base64 says; what is no digit is passed over.
pub(crate) fn base64(text: &[u8]) -> Vec<u8> {
    let digits = text.iter().filter_map(|byte| sixty_four(*byte)).collect();
    let mut bytes = Vec::new();
    Run { kind: Kind::Base64, range: 0..text.len(), digits, blocks: Vec::new() }.decode(0, &mut bytes);
    bytes
}

struct Runs<'a> {
    text: &'a [u8],
    /// As in [`Run`], of the run that is followed.
    blocks: Vec<(usize, usize)>,
    found: Vec<Run>,
}

impl Runs<'_> {
    /// Follows all hexadecimal runs that begin in a part; answers with where the last one ends.
    fn hexadecimal(&mut self, part: Range<usize>) -> usize {
        let mut from = part.start;
        while let Some(rest) = self.text.get(from..part.end) {
            let Some(skipped) = rest.iter().position(|byte| is(*byte, HEX)) else { break };
            from = self.follow(Kind::Hex, from.saturating_add(skipped));
        }
        from.max(part.end)
    }

    /// Follows the run that begins here, and keeps it if it is long enough; answers with where the next one may begin.
    fn follow(&mut self, kind: Kind, from: usize) -> usize {
        let text = self.text;
        self.blocks.clear();
        let (mut count, mut next) = (0_usize, from);
        loop {
            let end = block(text, kind, next);
            self.blocks.push((count, next));
            count = count.saturating_add(end.saturating_sub(next));
            next = end;
            let behind = match kind {
                Kind::Base64 => line_break(text, next),
                Kind::Hex => apart(text, next),
            };
            let more = behind > next && is(at(text, behind), if kind == Kind::Base64 { CODED } else { HEX });
            // `e 67 68 be`: digits that touch letters are parts of words.
            if !more || kind == Kind::Hex && !(apart_from_words(text, from) && parts(text, behind)) {
                break;
            }
            next = behind;
        }
        if kind == Kind::Base64 {
            next = span(text, next, 2, |byte| byte == b'=');
        }
        if count >= SHORTEST {
            let mut digits = Vec::with_capacity(count);
            let value = if kind == Kind::Base64 { sixty_four } else { sixteen };
            for (place, (first, from)) in self.blocks.iter().enumerate() {
                let behind = self.blocks.get(place.saturating_add(1)).map_or(count, |(first, _)| *first);
                let end = from.saturating_add(behind.saturating_sub(*first));
                digits.extend(text.get(*from..end).unwrap_or_default().iter().filter_map(|byte| value(*byte)));
            }
            self.found.push(Run { kind, range: from..next, digits, blocks: self.blocks.clone() });
        }
        next.max(from.saturating_add(1))
    }
}

/// Where the digits end that begin here.
fn block(text: &[u8], kind: Kind, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let length = match kind {
        Kind::Base64 => rest.iter().take_while(|byte| is(**byte, CODED)).count(),
        Kind::Hex => {
            // The 0 of 0x is no digit.
            let next = rest.iter().skip(1).chain(&[0]);
            rest.iter().zip(next).take_while(|(byte, next)| is(**byte, HEX) && !is(**next, PREFIX)).count()
        }
    };
    from.saturating_add(length)
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
        runs(text.as_bytes(), 0..usize::MAX)
            .into_iter()
            .filter(|run| run.kind == kind)
            .map(|run| {
                let mut bytes = Vec::new();
                run.decode(0, &mut bytes);
                bytes
            })
            .collect()
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
        let runs = runs(b"here: 736563726574 be 73 hind", 0..usize::MAX);
        let run = runs.iter().find(|run| run.kind == Kind::Hex).unwrap();
        assert_eq!((run.range.start, run.range.end), (6, 24));
    }
}
