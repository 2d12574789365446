//! A file of the vault as an answer: whole or in part, read piece by piece as the person takes it.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use portcullis_evidence::PathInBundle;
use portcullis_vault::{Key, Vault};
use sha2::{Digest, Sha256};

use crate::audit::Part;
use crate::problem::Problem;
use crate::range::{Asked, asked};
use crate::tags::{self, is_held};

/// Bytes that are read at once, and so held for one answer.
const CHUNK: u64 = 256 * 1024;

/// Segments never change, and are for this person's browser alone: not for another who signs in there later.
pub(crate) const CACHING: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// The media type of what is bytes to whoever takes it.
pub(crate) const BYTES: &str = "application/octet-stream";

/// How a file of a bundle is served.
#[derive(Clone, Copy)]
pub(crate) struct Served {
    pub(crate) path: PathInBundle,
    /// What looking at it is on the record as.
    pub(crate) part: Part,
    pub(crate) media_type: &'static str,
    /// Whether it never changes.
    pub(crate) fixed: bool,
}

/// Answers a request for the file `key` of `len` bytes.
pub(crate) fn serve(
    vault: Arc<dyn Vault>,
    (key, len): (Key, u64),
    as_what: Served,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    let tag = tag_of(&key, len);
    let body = |range| body(vault, key, range, as_what.media_type);
    let mut response = match part(method, headers, len, Some(&tag).filter(|_| as_what.fixed)) {
        _ if as_what.fixed && is_held(headers, &tag) => StatusCode::NOT_MODIFIED.into_response(),
        Asked::Beyond => {
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "The file has no such bytes.");
            return ([(CONTENT_RANGE, format!("bytes */{len}"))], problem).into_response();
        }
        Asked::Whole => body(0..len),
        Asked::Part(range) => {
            let contents = format!("bytes {}-{}/{len}", range.start, range.end.saturating_sub(1));
            (StatusCode::PARTIAL_CONTENT, [(CONTENT_RANGE, contents)], body(range)).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if !as_what.fixed {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    }
    headers.insert(CACHE_CONTROL, CACHING);
    headers.insert(VARY, HeaderValue::from_static("Cookie"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// What is asked for. Ranges are for GET alone (RFC 9110 §14.2), and hold only while `If-Range` does (§13.1.5), which what
/// has no tag never does.
fn part(method: &Method, headers: &HeaderMap, len: u64, tag: Option<&String>) -> Asked {
    let same = headers.get(IF_RANGE).is_none_or(|value| tag.is_some_and(|tag| value.as_bytes() == tag.as_bytes()));
    match headers.get(RANGE).and_then(|value| value.to_str().ok()) {
        Some(range) if method == Method::GET && same => asked(range, len),
        _ => Asked::Whole,
    }
}

/// The vault never gives a key other bytes, so the key names them.
fn tag_of(key: &Key, len: u64) -> String {
    tags::tag(&Sha256::digest(format!("{key} {len}")))
}

fn body(vault: Arc<dyn Vault>, key: Key, range: Range<u64>, media_type: &'static str) -> Response {
    let len = range.end.saturating_sub(range.start);
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(media_type)), (CONTENT_LENGTH, HeaderValue::from(len))];
    (headers, Body::from_stream(pieces(vault, key, range))).into_response()
}

/// The bytes of the range, a chunk at a time. A vault that fails in the midst ends the connection, so that a part is
/// never taken for the whole.
fn pieces(vault: Arc<dyn Vault>, key: Key, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    try_unfold(range.start, move |at| {
        let (vault, key, end) = (vault.clone(), key.clone(), range.end);
        async move {
            if at >= end {
                return Ok(None);
            }
            let until = at.saturating_add(CHUNK).min(end);
            match vault.read(&key, Some(at..until)).await {
                Ok(bytes) => Ok(Some((bytes, until))),
                Err(error) => {
                    tracing::error!(%key, error = crate::problem::chain(&error), "the vault failed in the midst of a file");
                    Err(io::Error::other(error))
                }
            }
        }
    })
}
