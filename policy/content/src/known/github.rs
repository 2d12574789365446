//! Tokens of GitHub: those with a checksum (CRC-32 in base 62 behind the random part), and fine-grained ones.

use std::ops::Range;

use super::Text;
use super::scan::{is_word, literal, span};

const PREFIXES: [&str; 5] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"];
/// Characters behind the prefix, checksum included: of tokens, and of refresh tokens.
const LENGTHS: [usize; 2] = [36, 76];
const CHECKSUM: usize = 6;
const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The token that begins at a place. As a checksum is right by chance once in four thousand million times, it does not matter what stands around it.
pub(super) fn at(text: Text<'_>, place: usize) -> Option<Range<usize>> {
    let alphanumeric = |byte: u8| byte.is_ascii_alphanumeric();
    if let Some(from) = literal(text.bytes, place, "github_pat_") {
        let id = span(text.bytes, from, 22, alphanumeric);
        let from = literal(text.bytes, id, "_").filter(|_| id.saturating_sub(from) == 22)?;
        return text.exactly(from, 59, is_word).map(|end| place..end);
    }
    let from = PREFIXES.iter().find_map(|prefix| literal(text.bytes, place, prefix))?;
    LENGTHS.into_iter().find_map(|length| {
        let end = span(text.bytes, from, length, alphanumeric);
        let random = from.saturating_add(length.saturating_sub(CHECKSUM));
        let sum = checksum(text.bytes.get(from..random)?);
        (end.saturating_sub(from) == length && text.bytes.get(random..end) == Some(&sum)).then_some(place..end)
    })
}

fn checksum(random: &[u8]) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(random);
    let mut text = [b'0'; CHECKSUM];
    for digit in text.iter_mut().rev() {
        let value = usize::try_from(rest % 62).unwrap_or_default();
        *digit = BASE_62.get(value).copied().unwrap_or_default();
        rest /= 62;
    }
    text
}
