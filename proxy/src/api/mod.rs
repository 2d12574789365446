//! The session plane's HTTP API: desktops, sessions, tickets and the viewer's WebSocket.

mod caller;
mod desktops;
mod files;
mod health;
pub mod model;
mod notices;
pub mod problem;
mod sessions;
mod socket;
mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, head, post};
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
        .route("/api/sessions/{id}/files", get(files::list).post(files::upload))
        .route("/api/sessions/{id}/files/{name}", get(files::download))
        .route("/api/sessions/{id}/uploads", post(uploads::create).options(uploads::options))
        .route(
            "/api/sessions/{id}/uploads/{upload}",
            head(uploads::read).patch(uploads::append).delete(uploads::end).options(uploads::options),
        )
        .route("/sessions/{id}/rfb", any(socket::upgrade))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(plane)
}

/// Whether requests to this path carry files: they take their time, and have deadlines of their own.
#[must_use]
pub fn carries_files(path: &str) -> bool {
    let mut parts = path.strip_prefix("/api/sessions/").unwrap_or_default().split('/').skip(1);
    matches!(parts.next(), Some("files" | "uploads"))
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
    files::list,
    files::upload,
    files::download,
    uploads::create,
    uploads::read,
    uploads::append,
    uploads::end,
    socket::upgrade,
    health::alive,
    health::ready
))]
struct Description;
