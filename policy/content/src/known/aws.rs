//! Access keys of Amazon Web Services: the id by the account that is encoded in it, and secrets beside an id or their own name.

use std::ops::Range;

use super::Text;
use super::scan::{distinct, span};

/// Letters of an id behind its prefix, and characters of a secret.
const ID: usize = 16;
const SECRET: usize = 40;
/// Bytes before and behind an id in which its secret is looked for, and bytes between a name and its value.
const NEAR: usize = 256;
const BETWEEN: usize = 16;
/// Account numbers have twelve digits.
const MOST_ACCOUNT: u64 = 999_999_999_999;

/// What is found where an id's prefix, or the name of a secret, stands.
pub(super) fn at(text: Text<'_>, place: usize, push: &mut dyn FnMut(Range<usize>)) {
    let rest = text.bytes.get(place..).unwrap_or_default();
    if !rest.starts_with(b"A") {
        // Where lines were joined, it is not known where a secret ends.
        if text.joints.is_empty() {
            named(text.bytes, place).into_iter().for_each(push);
        }
        return;
    }
    let from = place.saturating_add(4);
    let Some(end) = text.exactly(from, ID, |byte| byte.is_ascii_alphanumeric()) else { return };
    let id = text.bytes.get(from..end).unwrap_or_default();
    if !text.begins(place, |byte| byte.is_ascii_alphanumeric()) || !has_account(id) {
        return;
    }
    push(place..end);
    if text.joints.is_empty() {
        let (start, stop) = (place.saturating_sub(NEAR), end.saturating_add(NEAR).min(text.bytes.len()));
        secrets(text.bytes, start..stop, push);
    }
}

/// Whether an id is base32, and the account in it, where there is one (ids since 2018: the first bit is set), has at most twelve digits.
fn has_account(id: &[u8]) -> bool {
    let value = |byte: &u8| match byte {
        b'A'..=b'Z' => byte.checked_sub(b'A'),
        b'2'..=b'7' => byte.checked_sub(b'2' - 26),
        _ => None,
    };
    let Some(values) = id.iter().map(value).collect::<Option<Vec<u8>>>() else { return false };
    // The first 48 of 80 bits; the account is 40 of them, behind the first.
    let bits = values.iter().take(10).fold(0_u64, |bits, value| bits << 5 | u64::from(*value)) >> 2;
    let account = bits >> 7 & 0xff_ffff_ffff;
    bits >> 47 == 0 || account <= MOST_ACCOUNT
}

/// The value of what is called `…secret_access_key`.
fn named(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    let name = span(bytes, place, 16, |byte| byte.is_ascii_alphabetic() || byte == b'_');
    let from = span(bytes, name, BETWEEN, |byte| {
        byte.is_ascii_punctuation() && byte != b'/' && byte != b'+' || byte.is_ascii_whitespace()
    });
    let end = span(bytes, from, SECRET.saturating_add(1), of_secret);
    bytes.get(from..end).filter(|_| from > name).filter(|secret| is_secret(secret)).map(|_| from..end)
}

/// All secrets that stand alone within a part of a text.
fn secrets(bytes: &[u8], part: Range<usize>, push: &mut dyn FnMut(Range<usize>)) {
    let mut place = part.start;
    while place < part.end {
        // One that goes on behind the part is looked at no further than it takes to know that it is too long.
        let most = part.end.saturating_sub(place).saturating_add(SECRET);
        let end = span(bytes, place, most, of_secret).max(place.saturating_add(1));
        let whole = place > part.start || place == 0;
        if whole && bytes.get(place..end).is_some_and(is_secret) {
            push(place..end);
        }
        place = end;
    }
}

fn of_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+')
}

/// Forty characters as if drawn at random: no SHA-1, no path.
fn is_secret(text: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| text.iter().any(class);
    let slashes = text.iter().filter(|byte| **byte == b'/').count();
    text.len() == SECRET
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && slashes <= 5
        && distinct(text) >= 16
}
