//! Private keys: PEM (RFC 7468) of all kinds, OpenSSH's, PGP's armour (RFC 9580), `PuTTY`'s files, age's.

use std::ops::Range;

use super::scan::{at as byte_at, before, is_word, literal, span, span_back};

/// Bytes of a key, and of what stands between BEGIN and the dashes.
const LONGEST: usize = 32 << 10;
const LONGEST_LABEL: usize = 64;
/// Characters of the shortest body: a text that only speaks of keys has none.
const SHORTEST: usize = 40;
/// Characters of the shortest word in a body.
const SHORTEST_WORD: usize = 16;
/// Letters of an age key behind its prefix (Bech32).
const AGE: usize = 58;

/// The key whose anchor stands at a place.
pub(super) fn at(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    armoured(bytes, place)
        .or_else(|| putty(bytes, place))
        .or_else(|| openssh(bytes, place))
        .or_else(|| age(bytes, place))
}

/// From the dashes before `BEGIN` to those behind `END`, or, where that is missing, to the end of the body.
pub(super) fn armoured(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    let label = literal(bytes, place, "BEGIN ")?;
    let end =
        span(bytes, label, LONGEST_LABEL, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    let name = bytes.get(label..end)?.trim_ascii_end();
    let dash = |byte| byte == b'-';
    // RFC 4716 has a space between.
    let dashes = span_back(bytes, place, 1, |byte| byte == b' ');
    let start = span_back(bytes, dashes, 5, dash);
    let body = span(bytes, end, 5, dash);
    let dashed = bytes.get(start..place)?.starts_with(b"---") && body.saturating_sub(end) >= 3;
    if !dashed || !(name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK")) {
        return None;
    }
    let rest = bytes.get(body..)?;
    let rest = rest.get(..LONGEST).unwrap_or(rest);
    // The next dashes are those of `END`, or of another key.
    let dashes = rest.windows(3).position(|three| three == b"---").unwrap_or(rest.len());
    let inside = rest.get(..dashes)?;
    if !has_body(inside, SHORTEST) {
        return None;
    }
    let behind = body.saturating_add(dashes);
    let dashes = span(bytes, behind, 6, |byte| byte == b'-' || byte == b' ');
    let Some(label) = literal(bytes, dashes, "END ") else { return Some(start..body.saturating_add(tail(inside))) };
    let end =
        span(bytes, label, LONGEST_LABEL, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    Some(start..span(bytes, end, 5, dash))
}

fn of_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Whether there is a body: words of base64 that are as long as nobody writes any, with capitals and digits in them, and little else up to the last of them.
fn has_body(inside: &[u8], shortest: usize) -> bool {
    let body = inside.get(..tail(inside)).unwrap_or_default();
    let words = body.split(|byte| !of_base64(*byte)).filter(|word| is_coded(word));
    let coded = words.map(<[u8]>::len).sum::<usize>();
    coded >= shortest && coded.saturating_mul(2) >= body.iter().filter(|byte| of_base64(**byte)).count()
}

fn is_coded(word: &[u8]) -> bool {
    word.len() >= SHORTEST_WORD && word.iter().any(u8::is_ascii_uppercase) && word.iter().any(u8::is_ascii_digit)
}

/// Where the last line ends that has long runs of base64, in a body whose end is missing.
fn tail(inside: &[u8]) -> usize {
    let mut end = 0;
    let mut place = 0_usize;
    for line in inside.split_inclusive(|byte| *byte == b'\n') {
        place = place.saturating_add(line.len());
        if line.split(|byte| !of_base64(*byte)).any(is_coded) {
            end = place;
        }
    }
    end
}

/// From the first line to the last one, which authenticates the key.
fn putty(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    literal(bytes, place, "PuTTY-User-Key-File-")?;
    let rest = bytes.get(place..)?;
    let rest = rest.get(..LONGEST).unwrap_or(rest);
    // No further than to the next file.
    let next =
        rest.windows(6).skip(1).position(|part| part == b"PuTTY-").map_or(rest.len(), |next| next.saturating_add(1));
    let file = rest.get(..next)?;
    let find = |text: &[u8]| file.windows(text.len()).position(|part| part == text);
    let private = find(b"Private-Lines:")?;
    let end = match find(b"Private-MAC:") {
        Some(mac) => span(file, mac.saturating_add(12), 80, |byte| byte.is_ascii_hexdigit() || byte == b' '),
        None => private.saturating_add(tail(file.get(private..)?)),
    };
    has_body(file.get(private..)?, SHORTEST).then(|| place..place.saturating_add(end))
}

/// An OpenSSH key without its first line: base64 over as many lines as there are.
fn openssh(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    const MAGIC: &str = "b3BlbnNzaC1rZXktdjEA";
    let from = literal(bytes, place, MAGIC)?;
    let more = bytes.get(from..)?;
    let more = more.get(..LONGEST).unwrap_or(more);
    // No further than to the next key.
    let next = more.windows(MAGIC.len()).position(|part| part == MAGIC.as_bytes()).unwrap_or(more.len());
    let end = span(bytes, from, next, |byte| of_base64(byte) || matches!(byte, b'\n' | b'\r' | b' ' | b'\t'));
    let inside = bytes.get(place..end)?;
    has_body(inside, 200).then(|| place..place.saturating_add(tail(inside)))
}

/// The secret key of an age recipient.
fn age(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    let from = literal(bytes, place, "AGE-SECRET-KEY-1")?;
    let end = span(bytes, from, AGE, |byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let whole = end.saturating_sub(from) == AGE && !is_word(byte_at(bytes, end)) && !is_word(before(bytes, place));
    whole.then_some(place..end)
}
