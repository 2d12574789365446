//! Tokens of Slack (`xoxb-`, `xoxp-`, `xapp-` and their like) and its webhooks.

use std::ops::Range;

use super::Text;
use super::scan::{at as byte_at, distinct, is_word, literal, span};

/// Different characters of what is no placeholder.
const LEAST_DISTINCT: usize = 6;

/// The token or webhook that begins at a place.
pub(super) fn at(text: Text<'_>, place: usize) -> Option<Range<usize>> {
    if literal(text.bytes, place, "hooks.").is_some() {
        return webhook(text.bytes, place);
    }
    // Their lengths differ, so where lines were joined nobody knows where one ends.
    if !text.joints.is_empty() || !text.begins(place, |byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let end = app(text.bytes, place).or_else(|| token(text.bytes, place))?;
    (distinct(text.bytes.get(place.saturating_add(5)..end)?) >= LEAST_DISTINCT).then_some(place..end)
}

/// `xapp-1-A…-…-…`, of an app.
fn app(bytes: &[u8], place: usize) -> Option<usize> {
    let from = literal(bytes, place, "xapp-")?;
    let version = span(bytes, from, 2, |byte| byte.is_ascii_digit());
    let from = literal(bytes, version, "-A").filter(|_| version > from)?;
    let id = span(bytes, from, 16, |byte| byte.is_ascii_alphanumeric());
    let from = literal(bytes, id, "-")?;
    let number = span(bytes, from, 16, |byte| byte.is_ascii_digit());
    let from = literal(bytes, number, "-").filter(|_| number > from)?;
    let end = span(bytes, from, 128, |byte| byte.is_ascii_alphanumeric());
    (end.saturating_sub(from) >= 32).then_some(end)
}

fn token(bytes: &[u8], place: usize) -> Option<usize> {
    let from = literal(bytes, place, "xox")?;
    let kind = byte_at(bytes, from);
    let mut from = from.saturating_add(1);
    // Tokens that expire have another prefix before their own: xoxe.xoxb-1-…
    if kind == b'e' {
        from = literal(bytes, from, ".xoxb").or_else(|| literal(bytes, from, ".xoxp")).unwrap_or(from);
    }
    let from = literal(bytes, from, "-")?;
    match kind {
        // The cookie beside a browser's token, often as in a URL.
        b'd' => {
            let end = span(bytes, from, 1024, |byte| is_word(byte) || matches!(byte, b'%' | b'/' | b'+' | b'-' | b'='));
            (end.saturating_sub(from) >= 60).then_some(end)
        }
        b'a' | b'b' | b'c' | b'e' | b'o' | b'p' | b'r' | b's' => {
            let end = span(bytes, from, 512, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let mut parts = bytes.get(from..end)?.split(|byte| *byte == b'-');
            let numbers =
                parts.clone().take_while(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit)).count();
            let last = parts.next_back()?.len();
            (numbers > 0 && last >= 10 && end.saturating_sub(from) >= 20).then_some(end)
        }
        _ => None,
    }
}

/// From the host on: the path of a webhook is its secret.
fn webhook(bytes: &[u8], place: usize) -> Option<Range<usize>> {
    let from = literal(bytes, place, "hooks.slack.com/").or_else(|| literal(bytes, place, "hooks.slack-gov.com/"))?;
    let kinds = ["services/", "workflows/", "triggers/"];
    let from = kinds.iter().find_map(|kind| literal(bytes, from, kind))?;
    let end = span(bytes, from, 256, |byte| is_word(byte) || matches!(byte, b'/' | b'-'));
    let parts: Vec<&[u8]> = bytes.get(from..end)?.split(|byte| *byte == b'/').collect();
    let [team, .., secret] = parts[..] else { return None };
    let known = matches!(team, [b'T' | b'E', rest @ ..] if rest.len() >= 6) && parts.len() >= 3;
    (known && secret.len() >= 16 && distinct(secret) >= LEAST_DISTINCT).then_some(place..end)
}
