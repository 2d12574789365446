//! The two cookies: who is signed in, and which browser began a sign-in that is at a provider.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::secret::{self, Hash};

/// Who is signed in.
const SIGN_IN: &str = "portcullis";

/// Which browser it is that comes back from a provider. It has to come along from another site, so it is not strict; with the
/// prefix no other host and no page without TLS can set it.
const BROWSER: &str = "portcullis-way";
const BROWSER_SECURE: &str = "__Host-portcullis-way";

/// Whether the request has a cookie of a sign-in, good or not.
pub(crate) fn has_cookie(headers: &HeaderMap) -> bool {
    named(headers, SIGN_IN).next().is_some()
}

/// The hash of the sign-in's cookie.
pub(crate) fn cookie_hash(headers: &HeaderMap) -> Option<Hash> {
    only(headers, SIGN_IN).and_then(secret::hash_of)
}

/// The value of the cookie that a browser began with.
pub(crate) fn browser(headers: &HeaderMap, secure: bool) -> Option<&str> {
    only(headers, if secure { BROWSER_SECURE } else { BROWSER }).filter(|value| secret::hash_of(value).is_some())
}

/// The Set-Cookie header of a sign-in; a value and a life of nothing take the cookie away.
pub(crate) fn set(value: &str, lasts: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    header(format!("{SIGN_IN}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}{secure}"))
}

/// The same of the browser's cookie.
pub(crate) fn set_browser(value: &str, lasts: u64, secure: bool) -> HeaderValue {
    let (name, secure) = if secure { (BROWSER_SECURE, "; Secure") } else { (BROWSER, "") };
    header(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lasts}{secure}"))
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// Two cookies of one name are none: whoever can add one (another port of the same host can) must not choose whom the
/// request is for.
fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    let mut all = named(headers, name);
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

fn named<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(known, _)| *known == name).map(|(_, value)| value)
}
