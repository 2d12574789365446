//! Files into and out of a session's desktop, each in one request.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portcullis_files::FileName;
use portcullis_policy::ActionKind;
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;

use super::caller::{Asked, Peer, authenticate};
use super::model::{Delivered, FileEntry, FileList, PolicyRef};
use super::problem::Problem;
use super::sessions::known;
use crate::files::passage::Facts;
use crate::files::{Stopped, download, upload};
use crate::identity::same;
use crate::plane::Plane;
use crate::runtime::FOLDER;
use crate::session::Session;

/// The only type that a body of a file has: no form of another site can send it.
pub(super) const BYTES: &str = "application/octet-stream";

/// What a file is to be called.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    name: String,
}

/// A live session of the caller's own, under the same rules as the caller.
pub(super) fn own(
    plane: &Plane,
    asked: &Asked,
    id: &str,
    from: Option<std::net::IpAddr>,
) -> Result<Arc<Session>, Problem> {
    let session = known(plane, asked, id)?;
    if !same(&session.permit.subject, asked.caller.subject()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "files are for the session's own subject"));
    }
    if !session.holds_for(from) {
        let detail = "other rules hold where you come from than where the session was opened from";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    if session.is_ending() {
        return Err(Stopped::Ended.into());
    }
    if let Err(busy) = session.files.attempt() {
        // A record that fails here ends the session by its own watch.
        let _ = session.hurried(ActionKind::Upload);
        return Err(busy.into());
    }
    Ok(session)
}

/// Lists what lies in the desktop's folder for files: names alone, nothing is judged.
#[utoipa::path(get, path = "/api/sessions/{id}/files", operation_id = "list_files", tag = "files",
    params(("id" = String, Path, description = "the session")),
    responses((status = 200, body = FileList), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "the desktop has no such folder, or the session has ended"), (status = 429, body = Problem)))]
pub(super) async fn list(
    State(plane): State<Arc<Plane>>,
    Path(id): Path<String>,
    Peer(from): Peer,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<FileList>, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let session = own(&plane, &asked, &id, from)?;
    let listed = session.files.folder()?.list().await;
    let listed = listed.map_err(|error| Stopped::transfer(&error, &session.permit.verdict))?;
    let files = listed.into_iter().map(|file| FileEntry {
        name: file.name.as_str().to_owned(),
        bytes: file.bytes,
        modified: file.modified.format(&Rfc3339).unwrap_or_default(),
    });
    Ok(Json(FileList { folder: FOLDER.to_owned(), files: files.collect() }))
}

/// Brings a file into the desktop, if policy permits it.
#[utoipa::path(post, path = "/api/sessions/{id}/files", operation_id = "upload_file", tag = "files",
    params(("id" = String, Path, description = "the session"), ("name" = String, Query, description = "what the file is called")),
    request_body(content = String, content_type = "application/octet-stream", description = "the file"),
    responses((status = 201, body = Delivered, description = "it is in the desktop's folder"), (status = 400, body = Problem, description = "not a name that can cross, or the file broke off"),
        (status = 401, body = Problem), (status = 403, body = Problem, description = "a verdict against it"), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 429, body = Problem),
        (status = 507, body = Problem)))]
pub(super) async fn upload(
    State(plane): State<Arc<Plane>>,
    Path(id): Path<String>,
    Query(named): Query<Named>,
    Peer(from): Peer,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let asked = authenticate(&plane, &parts.method, &parts.headers).await?;
    let session = own(&plane, &asked, &id, from)?;
    typed(&parts.headers, BYTES)?;
    let told = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let body = body.into_data_stream();
    let facts = match FileName::parse(&named.name) {
        Ok(name) => upload::receive(session, name, told, body).await?,
        Err(refused) => return Err(upload::unnamed(&session, &named.name, refused, body).await.into()),
    };
    Ok(created(&facts))
}

/// Hands a file of the desktop over, if policy permits it.
#[utoipa::path(get, path = "/api/sessions/{id}/files/{name}", operation_id = "download_file", tag = "files",
    params(("id" = String, Path, description = "the session"), ("name" = String, Path, description = "the file's name")),
    responses((status = 200, body = String, content_type = "application/octet-stream", description = "the file"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem, description = "a verdict against it"), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 429, body = Problem), (status = 507, body = Problem)))]
pub(super) async fn download(
    State(plane): State<Arc<Plane>>,
    Path((id, name)): Path<(String, String)>,
    Peer(from): Peer,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let session = own(&plane, &asked, &id, from)?;
    let name = FileName::parse(&name)
        .map_err(|refused| crate::files::unnamed(&session, ActionKind::Download, &name, refused))?;
    let found = download::fetch(Arc::clone(&session), name).await?;
    let (length, disposition) = (found.file.bytes, attachment(&found.facts.name));
    let idle = session.files.depot.config.idle;
    let mut response = Body::from_stream(found.stream(idle)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(BYTES));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The answer to a file that was delivered.
pub(super) fn created(facts: &Facts) -> Response {
    (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(delivered(facts))).into_response()
}

fn delivered(facts: &Facts) -> Delivered {
    Delivered {
        name: facts.name.clone(),
        bytes: facts.bytes,
        sha256: facts.sha256.clone(),
        media_type: facts.media_type.clone(),
        found: facts.found.clone(),
        policy: PolicyRef::from(&facts.verdict),
        metadata_stripped: facts.metadata_stripped,
    }
}

/// Refuses a body that does not call itself what it must: what another site's form can send is none of these.
pub(super) fn typed(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.trim() == wanted {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send the file's bytes, with Content-Type: {wanted}")))
}

/// Attachment, with the name as RFC 6266 and RFC 8187 write it: ASCII for all, UTF-8 for those who know it.
fn attachment(name: &str) -> HeaderValue {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " ._-()".contains(c) { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    let value = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}
