//! The recordings API: list, one, its playlist and video, its events.

use std::time::Instant;

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_evidence::PathInBundle;
use portcullis_vault::{Key, Place, Vault, VaultError};

use crate::audit::{Act, Part};
use crate::events::events_json;
use crate::files::{BYTES, Served};
use crate::index::Cursor;
use crate::portal::Portal;
use crate::principal::{Permitted, Principal};
use crate::problem::Problem;
use crate::types::{Events, Recording, Recordings, VideoFile, Wanted};
use crate::viewings::{At, Viewing};
use crate::wire::{Json, Query};
use crate::{files, playlists};

/// Recordings that the signed-in person may see, newest first. What is sought is put on the record.
#[utoipa::path(get, path = "/api/recordings", operation_id = "list_recordings", tag = "recordings", params(Wanted), responses(
    (status = 200, description = "A part of the list", body = Recordings),
    (status = 400, description = "The query is none", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The search could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(portal): State<Portal>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Recordings>, Problem> {
    let (sought, limit) = (wanted.sought()?, wanted.limit()?);
    let before = wanted.before(Cursor::from_text)?;
    portal.searched(&principal, &wanted).await?;
    let rows = portal.index().page(&principal.scope(), &sought, before, limit.saturating_add(1)).await;
    let mut rows = rows.map_err(|error| Problem::internal("list recordings", &error))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| Cursor::after(row).to_text());
    let rows = portal.all_refreshed(rows).await;
    let readings = portal.index().readings(&rows.iter().map(|row| row.key).collect::<Vec<_>>()).await;
    let readings = readings.map_err(|error| Problem::internal("list recordings", &error))?;
    let recordings = rows.into_iter().map(|row| Recording::of(row, &readings)).collect();
    Ok(Json(Recordings { recordings, next }))
}

/// One recording.
#[utoipa::path(get, path = "/api/recordings/{id}", operation_id = "recording", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
), responses(
    (status = 200, description = "The recording", body = Recording),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn one(State(portal): State<Portal>, permitted: Permitted) -> Json<Recording> {
    Json(portal.described(permitted).await)
}

/// The HLS playlist (RFC 8216). While the session runs it grows.
#[utoipa::path(get, path = "/api/recordings/{id}/index.m3u8", operation_id = "recording_playlist", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
), responses(
    (status = 200, description = "The playlist", body = String, content_type = "application/vnd.apple.mpegurl"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The viewing could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn playlist(State(portal): State<Portal>, permitted: Permitted) -> Result<Response, Problem> {
    let found = playlists::read(portal.vault().as_ref(), &permitted.row().prefix).await.map_err(|e| unread(&e))?;
    let bytes = found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "Nothing of this session is on video yet."))?;
    portal.viewed(&permitted, Part::Video).await?;
    Ok(([(CONTENT_TYPE, "application/vnd.apple.mpegurl")], bytes).into_response())
}

/// A video file that the playlist names.
#[utoipa::path(get, path = "/api/recordings/{id}/video/{file}", operation_id = "recording_video", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
    ("file" = String, Path, description = "A name in the playlist, behind its `video/`"),
    ("Range" = Option<String>, Header, description = "One range of bytes (RFC 9110 §14.2)"),
), responses(
    (status = 200, description = "The file", body = VideoFile, content_type = "video/mp4"),
    (status = 206, description = "The part that was asked for", body = VideoFile, content_type = "video/mp4"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 416, description = "The file has no such bytes", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The viewing could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn video(
    State(portal): State<Portal>,
    permitted: Permitted,
    named: Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let prefix = &permitted.row().prefix;
    let path = playlists::video(&format!("video/{}", named.1)).ok_or_else(Problem::no_page)?;
    let vault = portal.vault();
    if !portal.playlists().names(vault.as_ref(), prefix, path).await.map_err(|e| unread(&e))? {
        return Err(Problem::no_page());
    }
    let media_type = if path.is_encrypted() { BYTES } else { "video/mp4" };
    portal.file(&permitted, Served { path, part: Part::Video, media_type, fixed: true }, &method, &headers).await
}

/// All events, each as the bundle has it; none where they are encrypted, since the gate cannot read them.
#[utoipa::path(get, path = "/api/recordings/{id}/events", operation_id = "recording_events", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
), responses(
    (status = 200, description = "The events", body = Events),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The viewing could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn events(State(portal): State<Portal>, permitted: Permitted) -> Result<Response, Problem> {
    let body = events_json(portal.vault(), &permitted.row().prefix).await.map_err(|e| unread(&e))?;
    portal.viewed(&permitted, Part::Events).await?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

/// The events of a segment, as they lie: lines of JSON, or an age file.
#[utoipa::path(get, path = "/api/recordings/{id}/events/{file}", operation_id = "recording_events_file", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
    ("file" = String, Path, description = "`NNNNN.jsonl`, by the number of the segment; `NNNNN.jsonl.age` of an encrypted recording"),
), responses(
    (status = 200, description = "The file", body = VideoFile, content_type = "application/octet-stream"),
    (status = 206, description = "The part that was asked for", body = VideoFile, content_type = "application/octet-stream"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 416, description = "The file has no such bytes", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The viewing could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn events_file(
    State(portal): State<Portal>,
    permitted: Permitted,
    named: Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = format!("events/{}", named.1).parse().ok();
    let path = path
        .filter(|path| matches!(path, PathInBundle::AgeEvents(_) | PathInBundle::Events(_)))
        .ok_or_else(Problem::no_page)?;
    let served = Served { path, part: Part::Events, media_type: BYTES, fixed: true };
    portal.file(&permitted, served, &method, &headers).await
}

fn unread(error: &VaultError) -> Problem {
    Problem::internal("read a recording", error)
}

/// Where the video lies that was made of a recording's own, if that went.
pub(crate) async fn derived(vault: &dyn Vault, prefix: &str) -> Result<Option<String>, VaultError> {
    let Ok(replaced) = Key::of(prefix, PathInBundle::Replaced) else { return Ok(None) };
    let place = Place::of(&replaced).and_then(|place| place.derived().ok());
    Ok(vault.len(&replaced).await?.and(place).map(|place| place.to_string()))
}

impl Portal {
    /// A file of a recording as it lies in the vault, once the viewing is on the record.
    pub(crate) async fn file(
        &self,
        permitted: &Permitted,
        served: Served,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let found = match self.lies(&permitted.row().prefix, served).await {
            // A link, or a special file: nothing that a vault has.
            Err(error) if is_no_object(&error) => None,
            found => found.map_err(|error| unread(&error))?,
        };
        let found = found.ok_or_else(Problem::no_page)?;
        self.viewed(permitted, served.part).await?;
        Ok(files::serve(self.vault().clone(), found, served, method, headers))
    }

    /// Where a file lies, and how long it is: in the recording's bundle, or, of video that was replaced, in the one that was made of it.
    async fn lies(&self, prefix: &str, served: Served) -> Result<Option<(Key, u64)>, VaultError> {
        let at = |prefix: &str, path| Key::of(prefix, path).ok();
        let Some(key) = at(prefix, served.path) else { return Ok(None) };
        if let Some(len) = self.vault().len(&key).await? {
            return Ok(Some((key, len)));
        }
        let derived = derived(self.vault().as_ref(), prefix).await?.filter(|_| served.part == Part::Video);
        let Some(key) = derived.and_then(|derived| at(&derived, served.path)) else { return Ok(None) };
        Ok(self.vault().len(&key).await?.map(|len| (key, len)))
    }

    /// Puts the viewing on the record, unless it goes on.
    ///
    /// INVARIANT: nothing of a recording is answered before this has returned.
    pub(crate) async fn viewed(&self, permitted: &Permitted, part: Part) -> Result<(), Problem> {
        let (principal, row) = (permitted.principal(), permitted.row());
        let viewing = Viewing { sign_in: principal.sign_in, at: At::Recording { id: row.id.clone(), part } };
        if self.viewings().goes_on(&viewing, Instant::now()) {
            return Ok(());
        }
        let act = Act::Viewed { recording: row.id.clone(), subject: row.subject.clone(), part };
        self.on_record(Some(&principal.subject), act).await?;
        self.viewings().begin(viewing, Instant::now());
        Ok(())
    }
}

fn is_no_object(error: &VaultError) -> bool {
    matches!(error, VaultError::Storage { source, .. } if source.kind() == std::io::ErrorKind::InvalidData)
}
