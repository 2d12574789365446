//! Sessions: open, list, read, end, and a ticket to reconnect.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portcullis_policy::ScreenRules;
use time::format_description::well_known::Rfc3339;

use super::caller::{Asked, Peer, authenticate};
use super::desktops::{Most, allows};
use super::model::{self, LiveRecording, OpenSession, Opened, PolicyRef, Sessions};
use super::problem::Problem;
use crate::identity::same;
use crate::outcome::Outcome;
use crate::plane::Plane;
use crate::session::Session;

/// Opens a session on a desktop and issues its first ticket.
#[utoipa::path(post, path = "/api/sessions", operation_id = "open_session", tag = "sessions", request_body = OpenSession,
    responses((status = 201, body = Opened), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem),
        (status = 503, body = Problem)))]
pub(super) async fn open(
    State(plane): State<Arc<Plane>>,
    Peer(from): Peer,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let wanted = parse(&headers, &body)?;
    let session = plane.open_from(&asked.caller, &wanted.desktop, from).await?;
    admit(&plane, &session, &asked)
}

/// Issues a ticket for a live session of one's own.
#[utoipa::path(post, path = "/api/sessions/{id}/tickets", operation_id = "reconnect_session", tag = "sessions", params(("id" = String, Path, description = "the session")),
    responses((status = 201, body = Opened), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn ticket(
    State(plane): State<Arc<Plane>>,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let session = known(&plane, &asked, &id)?;
    // An administrator may see and end a session of somebody else's; taking a seat at it is another right.
    if !same(&session.permit.subject, asked.caller.subject()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "tickets are for the session's own subject"));
    }
    admit(&plane, &session, &asked)
}

/// Lists the live sessions that the caller may know of.
#[utoipa::path(get, path = "/api/sessions", operation_id = "list_sessions", tag = "sessions",
    responses((status = 200, body = Sessions), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(plane): State<Arc<Plane>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Sessions>, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let sessions = plane.sessions(&asked.caller).iter().map(|session| describe(&plane, session)).collect();
    Ok(Json(Sessions { sessions }))
}

/// Reads one live session.
#[utoipa::path(get, path = "/api/sessions/{id}", operation_id = "read_session", tag = "sessions", params(("id" = String, Path, description = "the session")),
    responses((status = 200, body = model::Session), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn read(
    State(plane): State<Arc<Plane>>,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<model::Session>, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let session = known(&plane, &asked, &id)?;
    Ok(Json(describe(&plane, &session)))
}

/// Ends a session: its viewers are told, its evidence is sealed, its desktop destroyed.
#[utoipa::path(delete, path = "/api/sessions/{id}", operation_id = "end_session", tag = "sessions", params(("id" = String, Path, description = "the session")),
    responses((status = 204, description = "it is ending"), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn end(
    State(plane): State<Arc<Plane>>,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let session = known(&plane, &asked, &id)?;
    session.end(Outcome::Ended { by: asked.caller.subject().name.clone() });
    Ok(StatusCode::NO_CONTENT)
}

/// A session that the caller may know of; asking for another one is an event.
pub(super) fn known(plane: &Plane, asked: &Asked, id: &str) -> Result<Arc<Session>, Problem> {
    let found = plane.session(&asked.caller, id);
    let shown: String = id.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
    found.map_err(|refusal| {
        plane.refused(asked.caller.subject(), &format!("session {shown}"), &refusal);
        refusal.into()
    })
}

fn parse(headers: &HeaderMap, body: &[u8]) -> Result<OpenSession, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Only a JSON body: a form of another site cannot send one without asking first (CSRF).
    if kind.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON, with Content-Type: application/json"));
    }
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is not {{\"desktop\": NAME}}: {error}"))
    })
}

fn admit(plane: &Plane, session: &Session, asked: &Asked) -> Result<Response, Problem> {
    let ticket = plane.ticket(session, &asked.origin)?;
    let expires = time::OffsetDateTime::now_utc() + crate::ticket::LIFETIME;
    let opened = Opened {
        id: session.id.to_string(),
        ticket: ticket.as_str().to_owned(),
        rfb: format!("/sessions/{}/rfb", session.id),
        expires: expires.format(&Rfc3339).unwrap_or_default(),
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(opened)).into_response())
}

fn hides(rules: &ScreenRules) -> bool {
    !(rules.masks.is_empty() && rules.visible.is_empty())
}

fn most(plane: &Plane, session: &Session) -> Most {
    let most = Most::of(plane);
    if session.files.folder().is_ok() { most } else { Most { file: 0, ..most } }
}

fn describe(plane: &Plane, session: &Session) -> model::Session {
    let permit = &session.permit;
    model::Session {
        id: session.id.to_string(),
        subject: permit.subject.name.clone(),
        desktop: permit.desktop.clone(),
        title: permit.title.clone(),
        state: if session.is_ending() { "ending" } else { "live" }.to_owned(),
        started: permit.started.format(&Rfc3339).unwrap_or_default(),
        viewers: session.viewers(),
        policy: PolicyRef { revision: permit.verdict.revision.to_string(), rule: permit.verdict.rule.to_string() },
        allows: allows(&plane.policies(), &session.situation(), most(plane, session)),
        clipboard: if session.unicode.load(Ordering::Relaxed) { "unicode" } else { "latin1" }.to_owned(),
        hidden: hides(&session.screen_rules()),
        recording: LiveRecording {
            mode: if permit.strict { "strict" } else { "best_effort" }.to_owned(),
            state: if session.is_recording() { "recording" } else { "failed" }.to_owned(),
            keys: session.obligations().key_log().name().to_owned(),
        },
    }
}
