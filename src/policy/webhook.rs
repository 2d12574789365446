//! The webhook: a signed request that asks for a look at the repository at once. Nothing of its content is believed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_proxy::api::problem::Problem;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

/// Bytes of a request's body: what a push tells is a fraction of it.
const MOST_BYTES: usize = 1024 * 1024;
/// Requests whose bodies are read at a time; further ones are turned away.
const MOST_READ: usize = 4;
/// How long a body may take to come.
const READING: Duration = Duration::from_secs(5);
/// Requests that are taken at once, and the time until one more is. Whoever floods it delays nothing but webhooks: the gate looks anyway.
const BURST: u32 = 20;
const REFILL: Duration = Duration::from_millis(500);
/// Where GitHub and Gitea (Forgejo, Gogs) put the HMAC-SHA256 of the body in hexadecimal, and GitLab the secret itself.
const GITHUB: &str = "x-hub-signature-256";
const GITEA: &str = "x-gitea-signature";
const GITLAB: &str = "x-gitlab-token";

/// Takes webhooks, where they are configured.
pub(super) struct Webhook {
    key: hmac::Key,
    secret: String,
    wake: Arc<Notify>,
    reading: Semaphore,
    /// Requests that may be taken, and since when.
    bucket: Mutex<(u32, Instant)>,
}

impl Webhook {
    pub(super) fn new(secret: String, wake: Arc<Notify>) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            secret,
            wake,
            reading: Semaphore::new(MOST_READ),
            bucket: Mutex::new((BURST, Instant::now())),
        }
    }

    fn takes_one_more(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *bucket;
        let gained =
            u32::try_from(now.saturating_duration_since(since).as_millis() / REFILL.as_millis()).unwrap_or(BURST);
        let full = left.saturating_add(gained).min(BURST);
        let since = if gained == 0 { since } else { now };
        *bucket = (full.saturating_sub(1), since);
        full > 0
    }

    /// Whether the secret's holder sent this.
    fn is_good(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let header = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let value = values.next().map(|value| value.as_bytes());
            value.filter(|_| values.next().is_none())
        };
        let signature = match (header(GITHUB), header(GITEA), header(GITLAB)) {
            (Some(signature), None, _) => signature.strip_prefix(b"sha256="),
            (None, Some(signature), _) | (Some(_), Some(signature), _) => Some(signature),
            (None, None, Some(token)) => {
                // Compared by their codes, which takes as long wherever they differ.
                let code = hmac::sign(&self.key, self.secret.as_bytes());
                return hmac::verify(&self.key, token, code.as_ref()).is_ok();
            }
            (None, None, None) => None,
        };
        let code = signature.and_then(hex);
        code.is_some_and(|code| hmac::verify(&self.key, body, &code).is_ok())
    }
}

/// Asks for a look at the repository of policies at once. The request is signed as GitHub (`X-Hub-Signature-256`) and Gitea (`X-Gitea-Signature`)
/// sign theirs, or has GitLab's `X-Gitlab-Token`; what is in it beyond that does not matter.
#[utoipa::path(post, path = "/api/policy/webhook", operation_id = "policy_webhook", tag = "policy",
    request_body(content = String, content_type = "application/json", description = "anything, 1 MiB at most"),
    responses(
        (status = 202, description = "there will be a look"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "not accepted, for whatever reason"),
        (status = 429, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn webhook(State(hook): State<Option<Arc<Webhook>>>, headers: HeaderMap, body: Body) -> Response {
    // One answer to all that is wrong: who has no secret learns nothing.
    let refused = || Problem::new(StatusCode::FORBIDDEN, "this webhook is not accepted").into_response();
    let busy = || Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many webhooks").into_response();
    let Some(hook) = hook else { return refused() };
    if !hook.takes_one_more(Instant::now()) {
        return busy();
    }
    let Ok(_reading) = hook.reading.try_acquire() else { return busy() };
    let Ok(Ok(body)) = timeout(READING, axum::body::to_bytes(body, MOST_BYTES)).await else { return refused() };
    if !hook.is_good(&headers, &body) {
        tracing::warn!("a webhook was refused");
        return refused();
    }
    hook.wake.notify_one();
    StatusCode::ACCEPTED.into_response()
}

/// The 32 bytes of an HMAC-SHA256 in hexadecimal.
fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    if text.len() == 64 { pairs.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "It's a Secret to Everybody";
    /// GitHub's own example of a body and its signature.
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn good(headers: &[(&'static str, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Webhook::new(SECRET.to_owned(), Arc::default()).is_good(&headers, BODY)
    }

    #[test]
    fn the_secret_s_holder_is_believed_and_nobody_else() {
        let github = format!("sha256={SIGNATURE}");
        let other = SIGNATURE.replacen('7', "8", 1);
        assert!(good(&[(GITHUB, &github)]));
        assert!(good(&[(GITEA, SIGNATURE)]));
        assert!(good(&[(GITHUB, &github), (GITEA, SIGNATURE)]), "Gitea sends both");
        assert!(good(&[(GITLAB, SECRET)]));
        for headers in [
            &[][..],
            &[(GITHUB, SIGNATURE)],
            &[(GITHUB, "sha256=")],
            &[(GITHUB, &format!("sha256={other}"))],
            &[(GITHUB, &format!("sha256={}", &SIGNATURE[2..]))],
            &[(GITHUB, &format!("{github}00"))],
            &[(GITHUB, &github), (GITHUB, &github)],
            &[(GITEA, &other)],
            &[(GITEA, "")],
            &[(GITEA, &SIGNATURE.replacen('7', "g", 1))],
            &[(GITLAB, "")],
            &[(GITLAB, &SECRET[1..])],
            &[(GITHUB, "sha256=00"), (GITLAB, SECRET)],
            &[("x-hub-signature", &github)],
        ] {
            assert!(!good(headers), "{headers:?}");
        }
    }

    #[test]
    fn a_flood_is_held_to_a_rate() {
        let hook = Webhook::new(SECRET.to_owned(), Arc::default());
        let start = Instant::now();
        let taken = |at: Instant| (0..100).filter(|_| hook.takes_one_more(at)).count();
        assert_eq!((taken(start), taken(start + REFILL), taken(start + REFILL * 3)), (20, 1, 2));
    }
}
