//! Whether the process runs, and whether it can open sessions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::model::Readiness;
use crate::plane::Plane;

/// Answers while the process runs.
#[utoipa::path(get, path = "/healthz", operation_id = "alive", tag = "health", responses((status = 200, description = "the process runs")))]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Says whether sessions can be opened, and what stands in the way.
#[utoipa::path(get, path = "/readyz", operation_id = "ready", tag = "health",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(super) async fn ready(State(plane): State<Arc<Plane>>) -> (StatusCode, Json<Readiness>) {
    let reasons = plane.obstacles();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: reasons.is_empty(), reasons }))
}
