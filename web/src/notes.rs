//! The API of notes and bookmarks on recordings. The text is kept in the database; the record has its size and hash.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::audit::Act;
use crate::bundle::{clean, cut};
use crate::index::{MAX_NOTES, NoteRow};
use crate::portal::Portal;
use crate::principal::Permitted;
use crate::problem::Problem;
use crate::secret;
use crate::types::{NewNote, Note, Notes};
use crate::wire::Json;

/// Characters of a note.
const MAX_TEXT: usize = 2000;
/// The latest moment, milliseconds: what JavaScript can count.
const MAX_AT: u64 = (1 << 53) - 1;
/// Characters of an id.
const ID: usize = 22;

/// The notes and bookmarks on a recording.
#[utoipa::path(get, path = "/api/recordings/{id}/notes", operation_id = "list_notes", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
), responses(
    (status = 200, description = "The notes", body = Notes),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such recording, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(State(portal): State<Portal>, permitted: Permitted) -> Result<Json<Notes>, Problem> {
    let notes =
        portal.index().notes(&permitted.row().id).await.map_err(|error| Problem::internal("list notes", &error))?;
    Ok(Json(Notes { notes: notes.into_iter().map(Note::from).collect() }))
}

/// Writes a note, or sets a bookmark where its text is empty.
#[utoipa::path(post, path = "/api/recordings/{id}/notes", operation_id = "add_note", tag = "recordings", request_body = NewNote, params(
    ("id" = String, Path, description = "The session's id"),
), responses(
    (status = 201, description = "The note", body = Note),
    (status = 400, description = "It is too long", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such recording, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The recording has 200", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "It could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn add(
    State(portal): State<Portal>,
    permitted: Permitted,
    Json(NewNote { at, text }): Json<NewNote>,
) -> Result<Response, Problem> {
    let text = clean(text.trim());
    if text.chars().nth(MAX_TEXT).is_some() || at > MAX_AT {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "A note has at most 2000 characters, on a moment of the recording.",
        ));
    }
    let full =
        || Problem::new(StatusCode::CONFLICT, format!("This recording has {MAX_NOTES} notes. Remove one first."));
    let failed = |error| Problem::internal("keep a note", &error);
    let (recording, subject) = (permitted.row().id.clone(), &permitted.principal().subject);
    let there = portal.index().notes(&recording).await.map_err(failed)?.len();
    if i64::try_from(there).unwrap_or(i64::MAX) >= MAX_NOTES {
        return Err(full());
    }
    let random = secret::fresh().map_err(|error| Problem::internal("name a note", &error))?;
    let note = NoteRow {
        id: cut(&random, ID).to_owned(),
        recording: recording.clone(),
        at_ms: i64::try_from(at).unwrap_or(i64::MAX),
        text,
        issuer: subject.issuer.clone(),
        subject: subject.name.clone(),
        made: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
    };
    let (bytes, sha256) = hashed(&note.text);
    portal.on_record(Some(subject), Act::NoteAdded { recording, bytes, sha256 }).await?;
    if !portal.index().add_note(&note).await.map_err(failed)? {
        return Err(full());
    }
    Ok((StatusCode::CREATED, Json(Note::from(note))).into_response())
}

/// Takes a note or a bookmark away: one's own, or as an administrator anybody's.
#[utoipa::path(delete, path = "/api/recordings/{id}/notes/{note}", operation_id = "remove_note", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
    ("note" = String, Path, description = "The note's id"),
), responses(
    (status = 204, description = "It is gone"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "It is somebody else's", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or the recording is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "It could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn remove(
    State(portal): State<Portal>,
    permitted: Permitted,
    named: Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (row, principal) = (permitted.row(), permitted.principal());
    let failed = |error| Problem::internal("remove a note", &error);
    let found = portal.index().note(&row.id, &named.1).await.map_err(failed)?;
    let found = found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "There is no such note."))?;
    let own = found.subject == principal.subject.name && found.issuer == principal.subject.issuer;
    if !own && !principal.is_administrator() {
        return Err(Problem::new(StatusCode::FORBIDDEN, "A note is removed by who wrote it, or by an administrator."));
    }
    let (bytes, sha256) = hashed(&found.text);
    let act = Act::NoteRemoved { recording: row.id.clone(), bytes, sha256 };
    portal.on_record(Some(&principal.subject), act).await?;
    portal.index().remove_note(&found.id).await.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the record says of a text.
fn hashed(text: &str) -> (u64, String) {
    let hash = Sha256::digest(text.as_bytes());
    let digits = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    (u64::try_from(text.len()).unwrap_or(u64::MAX), digits)
}
