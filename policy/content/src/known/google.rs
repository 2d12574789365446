//! Keys of Google: of its APIs (`AIza…`), secrets of OAuth clients (`GOCSPX-…`), and the keys of service accounts in their JSON files.

use std::ops::Range;

use super::Text;
use super::private_key::armoured;
use super::scan::{distinct, is_base64url, literal, span};

/// Different characters of what is no placeholder.
const LEAST_DISTINCT: usize = 10;
/// Hexadecimal digits by which a service account's key is named.
const KEY_ID: usize = 40;

/// The key that begins at a place, or whose name stands there.
pub(super) fn at(text: Text<'_>, place: usize) -> Option<Range<usize>> {
    if literal(text.bytes, place, "private_key").is_some() {
        return if text.joints.is_empty() { of_account(text.bytes, place) } else { None };
    }
    let (prefix, length) = if literal(text.bytes, place, "AIza").is_some() { (4, 35) } else { (7, 28) };
    let from = place.saturating_add(prefix);
    let end = text.exactly(from, length, is_base64url)?;
    let varied = distinct(text.bytes.get(from..end)?) >= LEAST_DISTINCT;
    (varied && text.begins(place, is_base64url)).then_some(place..end)
}

/// The value of `private_key_id` or `private_key`, in quotation marks of any kind.
fn of_account(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    let between = |byte| matches!(byte, b'"' | b'\'' | b'\\' | b':' | b'=' | b'>' | b' ' | b'\t' | b'\n' | b'\r');
    if let Some(from) = literal(bytes, place, "private_key_id") {
        let from = span(bytes, from, 16, between);
        let end = span(bytes, from, KEY_ID.saturating_add(1), |byte| byte.is_ascii_hexdigit());
        let id = bytes.get(from..end)?;
        return (id.len() == KEY_ID && distinct(id) >= LEAST_DISTINCT).then_some(from..end);
    }
    let from = span(bytes, literal(bytes, place, "private_key")?, 16, between);
    let begin = span(bytes, from, 6, |byte| byte == b'-' || byte == b' ');
    armoured(bytes, begin)
}
