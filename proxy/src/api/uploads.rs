//! Files into a desktop in pieces: tus 1.0.0 with creation, expiration and termination (<https://tus.io/protocols/resumable-upload>).

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_files::{FileName, MAX_NAME};
use portcullis_policy::ActionKind;
use time::OffsetDateTime;
use time::macros::format_description;

use super::caller::{Peer, authenticate};
use super::files::{own, typed};
use super::problem::Problem;
use crate::files::tus::{Piece, Taken, Upload};
use crate::files::unnamed;
use crate::plane::Plane;
use crate::session::Session;

/// The one version that is spoken.
const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,expiration,termination";
/// What a piece's body is called.
const PIECE: &str = "application/offset+octet-stream";
/// The longest header of metadata that is read, in bytes: a name of [`MAX_NAME`] bytes, and as much again of what is passed over.
const MAX_METADATA: usize = 16 * MAX_NAME;

/// An answer in tus, or a problem with the headers that every answer has.
type Answer = Response;

/// Begins an upload.
#[utoipa::path(post, path = "/api/sessions/{id}/uploads", operation_id = "create_upload", tag = "files",
    params(("id" = String, Path, description = "the session"), ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
        ("Upload-Length" = u64, Header, description = "the file's length in bytes"),
        ("Upload-Metadata" = String, Header, description = "`filename`, a space and the name in base64")),
    responses((status = 201, description = "begun; `Location` is where pieces go, until `Upload-Expires`"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem, description = "a verdict against it"), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 429, body = Problem),
        (status = 507, body = Problem)))]
pub(super) async fn create(
    State(plane): State<Arc<Plane>>,
    Path(id): Path<String>,
    Peer(from): Peer,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let begin = async {
        let session = spoken(&plane, (&id, from), &method, &headers).await?;
        let length = number(&headers, "upload-length")
            .ok_or_else(|| bad("Upload-Length is missing: say how many bytes the file has"))?;
        let name = name(&headers).ok_or_else(|| bad("Upload-Metadata has no `filename` in base64"))?;
        let name = FileName::parse(&name).map_err(|refused| unnamed(&session, ActionKind::Upload, &name, refused))?;
        let upload = session.files.uploads.begin(&session, name, length)?;
        let place = format!("/api/sessions/{}/uploads/{}", session.id, upload.id);
        let mut response = (StatusCode::CREATED, [(header::LOCATION, place)]).into_response();
        expires(&mut response, &upload);
        Ok(response)
    };
    answered(begin.await)
}

/// Says how many bytes of an upload are there.
#[utoipa::path(head, path = "/api/sessions/{id}/uploads/{upload}", operation_id = "read_upload", tag = "files",
    params(("id" = String, Path, description = "the session"), ("upload" = String, Path, description = "the upload"),
        ("Tus-Resumable" = String, Header, description = "`1.0.0`")),
    responses((status = 200, description = "`Upload-Offset` of `Upload-Length` bytes are there"), (status = 401, description = "not signed in"),
        (status = 404, description = "no such upload"), (status = 423, description = "a piece is coming")))]
pub(super) async fn read(
    State(plane): State<Arc<Plane>>,
    Path((id, upload)): Path<(String, String)>,
    Peer(from): Peer,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let read = async {
        let session = spoken(&plane, (&id, from), &method, &headers).await?;
        let upload = found(&session, &upload)?;
        let offset = upload.offset().await.ok_or_else(busy)?;
        let mut response = StatusCode::OK.into_response();
        response.headers_mut().insert("upload-offset", HeaderValue::from(offset));
        response.headers_mut().insert("upload-length", HeaderValue::from(upload.length));
        expires(&mut response, &upload);
        Ok(response)
    };
    answered(read.await)
}

/// Takes a piece; the last one brings the file into the desktop, if policy permits it.
#[utoipa::path(patch, path = "/api/sessions/{id}/uploads/{upload}", operation_id = "append_upload", tag = "files",
    params(("id" = String, Path, description = "the session"), ("upload" = String, Path, description = "the upload"),
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"), ("Upload-Offset" = u64, Header, description = "where the piece begins")),
    request_body(content = String, content_type = "application/offset+octet-stream", description = "the piece"),
    responses((status = 204, description = "it is there, up to `Upload-Offset`; with the last one, the file is in the desktop's folder"),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem, description = "a verdict against it"),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "pieces do not begin there"), (status = 412, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 423, body = Problem, description = "another piece is coming"),
        (status = 429, body = Problem), (status = 507, body = Problem)))]
pub(super) async fn append(
    State(plane): State<Arc<Plane>>,
    Path((id, upload)): Path<(String, String)>,
    Peer(from): Peer,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let appended = async {
        let session = spoken(&plane, (&id, from), &parts.method, &parts.headers).await?;
        typed(&parts.headers, PIECE)?;
        let offset = number(&parts.headers, "upload-offset")
            .ok_or_else(|| bad("Upload-Offset is missing: say where the piece begins"))?;
        let upload = found(&session, &upload)?;
        let taken = upload.take(offset, body.into_data_stream()).await.map_err(|piece| match piece {
            Piece::Elsewhere(at) => Problem::new(StatusCode::CONFLICT, format!("the next piece begins at byte {at}")),
            Piece::Busy => busy(),
            Piece::Over => gone(),
            Piece::Stopped(stopped) => stopped.into(),
        })?;
        let offset = match taken {
            Taken::More(offset) => offset,
            Taken::Delivered(_) => upload.length,
        };
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.headers_mut().insert("upload-offset", HeaderValue::from(offset));
        if let Taken::Delivered(facts) = taken {
            // What it is called there, in the form that names have in `Upload-Metadata`.
            let name = HeaderValue::from_str(&format!("filename {}", STANDARD.encode(facts.name)));
            name.into_iter().for_each(|name| drop(response.headers_mut().insert("upload-metadata", name)));
        } else {
            expires(&mut response, &upload);
        }
        Ok(response)
    };
    answered(appended.await)
}

/// Gives an upload up; what came of it is gone.
#[utoipa::path(delete, path = "/api/sessions/{id}/uploads/{upload}", operation_id = "end_upload", tag = "files",
    params(("id" = String, Path, description = "the session"), ("upload" = String, Path, description = "the upload"),
        ("Tus-Resumable" = String, Header, description = "`1.0.0`")),
    responses((status = 204, description = "it is gone"), (status = 401, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem)))]
pub(super) async fn end(
    State(plane): State<Arc<Plane>>,
    Path((id, upload)): Path<(String, String)>,
    Peer(from): Peer,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let ended = async {
        let session = spoken(&plane, (&id, from), &method, &headers).await?;
        let upload = found(&session, &upload)?;
        session.files.uploads.give_up(&upload, "its sender gave the upload up").await;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    answered(ended.await)
}

/// What of tus is spoken here.
pub(super) async fn options(State(plane): State<Arc<Plane>>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert("tus-version", HeaderValue::from_static(VERSION));
    headers.insert("tus-extension", HeaderValue::from_static(EXTENSIONS));
    headers.insert("tus-max-size", HeaderValue::from(plane.config.files.config.largest));
    headers.insert("tus-resumable", HeaderValue::from_static(VERSION));
    response
}

/// The session, of a caller who speaks this version.
async fn spoken(
    plane: &Plane,
    (id, from): (&str, Option<std::net::IpAddr>),
    method: &Method,
    headers: &HeaderMap,
) -> Result<Arc<Session>, Problem> {
    let asked = authenticate(plane, method, headers).await?;
    if headers.get("tus-resumable").is_none_or(|version| version != VERSION) {
        return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "send Tus-Resumable: 1.0.0"));
    }
    own(plane, &asked, id, from)
}

fn found(session: &Session, id: &str) -> Result<Arc<Upload>, Problem> {
    session.files.uploads.find(id).ok_or_else(gone)
}

fn gone() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such upload, or it is over")
}

fn busy() -> Problem {
    Problem::new(StatusCode::LOCKED, "another piece of it is coming; wait for it")
}

fn bad(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// The `filename` of `Upload-Metadata`: pairs of a key and a base64 value, between commas.
fn name(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get("upload-metadata")?.to_str().ok().filter(|text| text.len() <= MAX_METADATA)?;
    let encoded = pairs.split(',').find_map(|pair| pair.trim().strip_prefix("filename "))?;
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

fn expires(response: &mut Response, upload: &Upload) {
    // RFC 9110's form of dates.
    let form =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    let at: OffsetDateTime = upload.expires();
    if let Some(value) = at.format(form).ok().and_then(|at| HeaderValue::from_str(&at).ok()) {
        response.headers_mut().insert("upload-expires", value);
    }
}

fn answered(answer: Result<Response, Problem>) -> Answer {
    let finish = |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert("tus-resumable", HeaderValue::from_static(VERSION));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if response.status() == StatusCode::PRECONDITION_FAILED {
            response.headers_mut().insert("tus-version", HeaderValue::from_static(VERSION));
        }
        response
    };
    finish(answer.unwrap_or_else(IntoResponse::into_response))
}
