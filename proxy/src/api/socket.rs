//! The viewer's WebSocket: a one-time ticket as subprotocol, then RFB in binary frames.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::caller::{Peer, note, origin};
use super::problem::Problem;
use crate::plane::Plane;
use crate::viewer;

/// The WebSocket's own read buffer, in bytes; a viewer's messages are small.
const READ_BYTES: usize = 16 * 1024;
/// What may wait unsent before a write to the viewer waits, in bytes.
const WRITE_BYTES: usize = 64 * 1024;

/// Upgrades to a WebSocket that speaks RFB 3.8, against a one-time ticket.
#[utoipa::path(get, path = "/sessions/{id}/rfb", operation_id = "view_session", tag = "sessions",
    params(("id" = String, Path, description = "the session"),
        ("Sec-WebSocket-Protocol" = String, Header, description = "`binary, ticket.<TICKET>`; answered with `binary`")),
    responses((status = 101, description = "RFB in binary frames"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn upgrade(
    State(plane): State<Arc<Plane>>,
    Path(id): Path<String>,
    Peer(from): Peer,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let origin = origin(&plane, &headers).inspect_err(|problem| note(&plane, "origin", &problem.detail))?;
    let socket = socket.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    let ticket = offered(&headers).map_err(|detail| refuse(&plane, StatusCode::BAD_REQUEST, detail))?;
    // The ticket is gone from here on, whatever the answer: one that was offered wrongly is burnt.
    let grant = plane
        .tickets
        .redeem(&ticket, &id, &origin, Instant::now())
        .map_err(|error| refuse(&plane, StatusCode::UNAUTHORIZED, &error.to_string()))?;
    let session = plane
        .live(&id)
        .filter(|session| !session.is_ending() && session.permit.subject.name == grant.subject)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "the session has ended"))?;
    Ok(socket
        .protocols(["binary"])
        .max_message_size(session.bounds.message_bytes)
        .max_frame_size(session.bounds.message_bytes)
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BYTES.max(viewer::MESSAGE_BYTES))
        .on_upgrade(move |socket| viewer::serve(socket, session, origin, from)))
}

/// The ticket among the offered subprotocols, which must be exactly `binary` and one `ticket.…` (THREATS D8, W2).
fn offered(headers: &HeaderMap) -> Result<String, &'static str> {
    let mut binary = false;
    let mut ticket = None;
    let lists = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    for value in lists.iter().filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(',')).map(str::trim) {
        match (value, value.strip_prefix("ticket.")) {
            ("binary", _) if !binary => binary = true,
            (_, Some(text)) if ticket.is_none() => ticket = Some(text.to_owned()),
            _ => return Err("offer the subprotocols `binary, ticket.<TICKET>` and no others"),
        }
    }
    ticket
        .filter(|_| binary)
        .ok_or("offer the subprotocols `binary, ticket.<TICKET>`: get a ticket from POST /api/sessions")
}

fn refuse(plane: &Plane, status: StatusCode, detail: &str) -> Problem {
    note(plane, "ticket", detail);
    Problem::new(status, detail)
}
