//! The session plane's HTTP API: desktops, sessions, tickets and the viewer's WebSocket.

mod caller;
mod desktops;
mod health;
pub mod model;
mod notices;
pub mod problem;
mod sessions;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use utoipa::OpenApi;

use crate::plane::Plane;

/// The most that a request's body may hold, in bytes.
const BODY_BYTES: usize = 16 * 1024;

/// The routes of the session plane.
pub fn router(plane: Arc<Plane>) -> Router {
    Router::new()
        .route("/api/desktops", get(desktops::list))
        .route("/api/sessions", get(sessions::list).post(sessions::open))
        .route("/api/sessions/{id}", get(sessions::read).delete(sessions::end))
        .route("/api/sessions/{id}/tickets", post(sessions::ticket))
        .route("/api/sessions/{id}/notices", get(notices::listen))
        .route("/sessions/{id}/rfb", any(socket::upgrade))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(plane)
}

/// The OpenAPI description of [`router`].
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(
    desktops::list,
    sessions::list,
    sessions::open,
    sessions::read,
    sessions::end,
    sessions::ticket,
    notices::listen,
    socket::upgrade,
    health::alive,
    health::ready
))]
struct Description;
