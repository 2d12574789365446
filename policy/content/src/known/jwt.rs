//! JSON web tokens in compact form: signed (RFC 7515, three parts) and encrypted (RFC 7516, five).

use std::ops::Range;

use serde_json::Value;

use super::scan::{at as byte_at, before, is_base64url, span};
use crate::encoded::base64;

/// Characters of a header.
const LONGEST_HEADER: usize = 8 << 10;

/// The token that begins at a place.
pub(super) fn at(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    if is_base64url(before(bytes, place)) {
        return None;
    }
    let header_end = span(bytes, place, LONGEST_HEADER, is_base64url);
    if byte_at(bytes, header_end) != b'.' {
        return None;
    }
    let header: Value = serde_json::from_slice(&base64(bytes.get(place..header_end)?)).ok()?;
    header.get("alg").and_then(Value::as_str).filter(|alg| !alg.is_empty())?;
    let parts = if header.get("enc").is_some() { 5 } else { 3 };
    let mut end = header_end;
    for part in 1..parts {
        if byte_at(bytes, end) != b'.' {
            return None;
        }
        let from = end.saturating_add(1);
        end = span(bytes, from, usize::MAX, is_base64url);
        // Claims are an object.
        if parts == 3 && part == 1 {
            let claims = base64(bytes.get(from..end.min(from.saturating_add(24)))?);
            claims.trim_ascii_start().starts_with(b"{").then_some(())?;
        }
    }
    Some(place..end)
}
