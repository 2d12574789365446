//! `GET /api/policy`: which policies are in force and where they come from, and to auditors and administrators what went wrong with others.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use portcullis_proxy::api::problem::Problem;
use portcullis_web::{Portal, Role};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::{OpenApi, ToSchema};

use super::follow::{Fault, Following, Known, State as Source};
use super::webhook::{self, Webhook};
use crate::config::Policies;

/// The policies in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyState {
    /// The commit, or the fingerprint of the files where they come from no repository.
    #[schema(example = "1f2e3d4c5b6a79880123456789abcdef01234567")]
    revision: String,
    /// Since when this gate has them in force, RFC 3339, UTC.
    since: String,
    /// Repository, branch and folder; or a folder; or `built in`. Without credentials.
    source: String,
    /// How following it goes; for auditors and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    following: Option<FollowingState>,
}

/// How following the source of policies goes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FollowingState {
    /// Who signed the commit, where only signed commits count.
    #[schema(required)]
    signer: Option<String>,
    /// When the source was last seen as it is, RFC 3339, UTC.
    #[schema(required)]
    looked: Option<String>,
    /// Why it could not be seen since.
    #[schema(required)]
    failure: Option<LookFailure>,
    /// What was last refused, while nothing good has followed it.
    #[schema(required)]
    refused: Option<RefusedRevision>,
}

/// Why the source cannot be seen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookFailure {
    /// Since when, RFC 3339, UTC.
    since: String,
    /// The last reason.
    reason: String,
}

/// A revision that was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedRevision {
    /// The commit; empty for a folder.
    commit: String,
    /// When, RFC 3339, UTC.
    at: String,
    /// Why: at most 50 reasons.
    faults: Vec<PolicyFault>,
}

/// One reason why policies were refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyFault {
    /// The file; empty when it is about the commit as a whole, and then line and column are 0.
    file: String,
    /// The line, from 1.
    line: u32,
    /// The column, from 1; 0 when it is about the line as a whole.
    column: u32,
    /// What is wrong and how to mend it.
    reason: String,
}

impl PolicyState {
    fn of(known: Known, all: bool) -> Self {
        let Known { revision, since, source, signer, looked, failure, refused, .. } = known;
        let following = all.then(|| FollowingState {
            signer,
            looked: looked.map(rfc3339),
            failure: failure.map(|(since, reason)| LookFailure { since: rfc3339(since), reason }),
            refused: refused.map(|refused| RefusedRevision {
                commit: refused.commit,
                at: rfc3339(refused.at),
                faults: refused.faults.into_iter().map(PolicyFault::from).collect(),
            }),
        });
        Self { revision, since: rfc3339(since), source, following }
    }
}

impl From<Fault> for PolicyFault {
    fn from(fault: Fault) -> Self {
        let Fault { file, line, column, reason } = fault;
        Self { file, line, column, reason }
    }
}

/// The routes, for the program to merge with the others.
///
/// # Errors
/// When the webhook's secret cannot be read.
pub(crate) fn router(config: &Policies, following: &Following, portal: Portal) -> anyhow::Result<Router> {
    let secret = config.webhook_secret()?;
    let hook = secret.zip(following.wake.clone()).map(|(secret, wake)| Arc::new(Webhook::new(secret, wake)));
    Ok(Router::new()
        .route("/api/policy", get(read))
        .with_state((following.state.clone(), portal))
        .merge(Router::new().route("/api/policy/webhook", post(webhook::webhook)).with_state(hook)))
}

/// The OpenAPI description of [`router`].
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(read, webhook::webhook), tags((name = "policy", description = "Which policies are in force")))]
struct Description;

/// Says which policies are in force; to auditors and administrators also what was refused and what failed.
#[utoipa::path(get, path = "/api/policy", operation_id = "policy", tag = "policy",
    responses((status = 200, body = PolicyState), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn read(State((source, portal)): State<(Source, Portal)>, headers: HeaderMap) -> Response {
    let Some(me) = portal.me(&headers).await else {
        return Problem::new(StatusCode::UNAUTHORIZED, "sign in first").into_response();
    };
    let all = me.roles.iter().any(|role| matches!(role, Role::Auditor | Role::Administrator));
    Json(PolicyState::of(source.known(), all)).into_response()
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
