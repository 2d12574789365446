//! Entity tags (RFC 9110 §8.8.3): made of a hash, compared with what a browser has.

use axum::http::HeaderMap;
use axum::http::header::IF_NONE_MATCH;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The strong tag of what has this hash.
pub(crate) fn tag(hash: &[u8]) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash))
}

/// Whether `If-None-Match` names this tag (RFC 9110 §13.1.2), so that the browser need not be sent it again.
pub(crate) fn is_held(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}
