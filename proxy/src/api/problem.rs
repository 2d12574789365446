//! Errors as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::PolicyRef;
use crate::files::Stopped;
use crate::refusal::Refusal;
use crate::ticket::TicketError;

/// What went wrong, for a person and for a program.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says the kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong and how to mend it.
    pub detail: String,
    /// The policy rule that decided, where one did: file, line and key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The same with the revision of the policy files, where a file was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Box<PolicyRef>>,
}

impl Problem {
    /// A problem with its detail.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Error").into(),
            status: status.as_u16(),
            detail: detail.into(),
            rule: None,
            policy: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::Denied(_) | Refusal::NotCovered { .. } => StatusCode::FORBIDDEN,
            Refusal::Unknown { .. } => StatusCode::NOT_FOUND,
            Refusal::Taken { .. } => StatusCode::CONFLICT,
            Refusal::Busy { .. } | Refusal::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Failed { .. } => StatusCode::SERVICE_UNAVAILABLE,
        };
        let rule = match &refusal {
            Refusal::Denied(verdict) => Some(verdict.rule.to_string()),
            Refusal::Limited { rule, .. } => Some(rule.to_string()),
            _ => None,
        };
        Self { rule, ..Self::new(status, refusal.to_string()) }
    }
}

impl From<Stopped> for Problem {
    fn from(stopped: Stopped) -> Self {
        let status = match &stopped {
            Stopped::Denied(_) => StatusCode::FORBIDDEN,
            Stopped::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Stopped::TooMany(_) | Stopped::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Stopped::Name(_) | Stopped::Broken(_) => StatusCode::BAD_REQUEST,
            Stopped::NoFolder | Stopped::NotAFile | Stopped::Ended => StatusCode::CONFLICT,
            Stopped::Missing => StatusCode::NOT_FOUND,
            Stopped::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            Stopped::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let policy = stopped.verdict().map(PolicyRef::from).map(Box::new);
        let rule = policy.as_ref().map(|policy| policy.rule.clone());
        Self { rule, policy, ..Self::new(status, stopped.words()) }
    }
}

impl From<TicketError> for Problem {
    fn from(error: TicketError) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string())
    }
}
