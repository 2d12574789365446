//! What went wrong, as `application/problem+json` (RFC 9457).

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How to sign in, as a 401 must say (RFC 9110 §11.6.1): by the page, so the scheme is our own and no browser asks.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Sign-In realm=\"portcullis\"");

/// An answer that is not what was asked for: status, title and a sentence for a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem; "about:blank" when the status says it all.
    #[schema(example = "about:blank")]
    pub r#type: String,
    /// The status in words.
    #[schema(example = "Not Found")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// What went wrong and what can be done about it.
    pub detail: String,
    /// The policy rule that decided, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Seconds after which it may be tried again (429).
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of this status; `detail` is a sentence for a person.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem {
            r#type: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            rule: None,
            retry_after: None,
        }
    }

    /// 401: nobody is signed in.
    pub(crate) fn signed_out() -> Self {
        Problem::new(StatusCode::UNAUTHORIZED, "Nobody is signed in. Sign in first.")
    }

    /// 401: who is signed in has been turned out meanwhile.
    pub(crate) fn revoked() -> Self {
        Problem::new(StatusCode::UNAUTHORIZED, "This sign-in was revoked. Ask who keeps this gate.")
    }

    /// 403: a sign-in that no page of ours asks for.
    pub(crate) fn foreign_sign_in() -> Self {
        let detail = "Only a page of this gate can sign in: the Origin is not one of its own.";
        Problem::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: nobody can sign in by this provider.
    pub(crate) fn no_provider() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "There is no such provider of sign-ins.")
    }

    /// 404: there is no such recording, or it is not this person's to see; which of the two is not said.
    pub(crate) fn no_recording() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "There is no such recording, or you may not see it.")
    }

    /// 404: there is nothing at this address.
    pub(crate) fn no_page() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "There is nothing at this address.")
    }

    /// 429: too many attempts.
    pub(crate) fn too_often(wait: std::time::Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(1);
        let detail = format!("Too many attempts to sign in. Try again in {seconds} s.");
        Problem { retry_after: Some(seconds), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// 500: `error` is logged with its whole chain, and none of it is told.
    pub(crate) fn internal(what: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(what, error = chain(error), "request failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The gate could not do this. Its log says why.")
    }

    /// 503: it cannot be put on the record, so it is not done.
    pub(crate) fn off_the_record(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "journal refused an entry");
        let detail = "This could not be put on the record, so it was not done. Try again later.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

/// The error and all its sources on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, MEDIA_TYPE);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
