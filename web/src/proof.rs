//! A bundle's files as they lie, and the gate's keys: for who proves a recording on a machine of their own.

use std::io::{self, Read};
use std::path::Path;

use axum::extract::{Path as Named, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use portcullis_evidence::{KeyList, KeyListError, MAX_KEY_LIST_BYTES, PathInBundle};
use portcullis_vault::{Key, MAX_LIST, Vault, VaultError};

use crate::audit::Part;
use crate::files::{BYTES, Served};
use crate::portal::Portal;
use crate::principal::{Permitted, Principal};
use crate::problem::Problem;
use crate::types::{BundleFile, BundleFiles, Keys, VideoFile};
use crate::wire::Json;

/// Where the list lies that a root has signed, beside the gate's own.
const SIGNED: &str = "evidence.keys.signed.json";
/// Names that no bundle has which an answer lists: one is enough for a verdict.
const MAX_EXTRA: usize = 1_000;

/// What lies in a bundle, for who verifies it. What the index says of the recording is not part of it.
#[utoipa::path(get, path = "/api/recordings/{id}/bundle", operation_id = "recording_bundle", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
), responses(
    (status = 200, description = "The names", body = BundleFiles),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The viewing could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn files(State(portal): State<Portal>, permitted: Permitted) -> Result<Json<BundleFiles>, Problem> {
    let found = listed(portal.vault().as_ref(), &permitted.row().prefix).await;
    let found = found.map_err(|error| Problem::internal("list a bundle", &error))?;
    portal.viewed(&permitted, Part::Bundle).await?;
    Ok(Json(found))
}

/// A file of a bundle, byte for byte as it lies.
#[utoipa::path(get, path = "/api/recordings/{id}/bundle/{path}", operation_id = "recording_bundle_file", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
    ("path" = String, Path, description = "A `path` of the list, `chain/00001.jws`; its slash may be as it is or as `%2F`"),
    ("Range" = Option<String>, Header, description = "One range of bytes (RFC 9110 §14.2)"),
), responses(
    (status = 200, description = "The file", body = VideoFile, content_type = "application/octet-stream"),
    (status = 206, description = "The part that was asked for", body = VideoFile, content_type = "application/octet-stream"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 416, description = "The file has no such bytes", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The viewing could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn file(
    State(portal): State<Portal>,
    permitted: Permitted,
    named: Named<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // INVARIANT: what is no name of a bundle's file is not looked for.
    let path: PathInBundle = named.1.parse().map_err(|_| Problem::no_page())?;
    // The playlist is the one file that is written over, while the session runs.
    let fixed = path != PathInBundle::Index || !permitted.row().is_live();
    portal.file(&permitted, Served { path, part: Part::Bundle, media_type: BYTES, fixed }, &method, &headers).await
}

/// The public keys that this gate's recordings are signed with. Whoever has them from the gate learns that a recording is
/// whole and of this gate, not that the gate is the one it says it is: compare their names by another way.
#[utoipa::path(get, path = "/api/trust", operation_id = "trust", tag = "recordings", responses(
    (status = 200, description = "The keys", body = Keys),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn trust(State(portal): State<Portal>, _: Principal) -> Result<Response, Problem> {
    let path = portal.keys().ok_or_else(Problem::no_page)?.to_owned();
    let read = tokio::task::spawn_blocking(move || keys_json(&path)).await;
    let read = read.map_err(|error| Problem::internal("read the evidence keys", &error))?;
    let body = read.map_err(|error| Problem::internal("read the evidence keys", &error))?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

async fn listed(vault: &dyn Vault, prefix: &str) -> Result<BundleFiles, VaultError> {
    let folder = format!("{prefix}/");
    let (mut files, mut extra, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = vault.list(&folder, after.as_ref(), MAX_LIST).await?;
        for entry in &page {
            let path = entry.key.as_str().strip_prefix(&folder).unwrap_or_default().to_owned();
            match path.parse::<PathInBundle>() {
                Ok(_) => files.push(BundleFile { path, bytes: entry.bytes }),
                Err(_) if extra.len() < MAX_EXTRA => extra.push(path),
                Err(_) => {}
            }
        }
        after = page.last().filter(|_| page.len() >= MAX_LIST).map(|entry| entry.key.clone());
        if after.is_none() {
            break;
        }
    }
    if let Ok(place) = Key::new(prefix) {
        extra.extend(vault.strange(&place).await?);
        extra.truncate(MAX_EXTRA);
    }
    Ok(BundleFiles { files, extra })
}

/// Why there are no keys to show.
#[derive(Debug, thiserror::Error)]
enum KeysError {
    #[error("the list of keys cannot be read")]
    Read(#[from] io::Error),
    #[error("the list of keys is none")]
    List(#[from] KeyListError),
    #[error("the list of keys is no text, or too long for one")]
    Text,
}

/// `{"key_list":…,"keys":…}`: the list as a root signed it, or null, and the gate's own, both as they lie.
fn keys_json(path: &Path) -> Result<String, KeysError> {
    let own = text(path)?.ok_or(KeysError::Text)?;
    KeyList::from_bytes(own.as_bytes(), &[])?;
    // Signed by somebody whose key only the verifier has: nothing can be said of it here but that it is JSON.
    let signed = text(&path.with_file_name(SIGNED))?;
    let signed = signed.filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    Ok(format!("{{\"key_list\":{},\"keys\":{}}}", signed.as_deref().unwrap_or("null").trim_end(), own.trim_end()))
}

/// A list of keys as text; `None` when there is none.
fn text(path: &Path) -> Result<Option<String>, KeysError> {
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_KEY_LIST_BYTES).map_err(|_| KeysError::Text)?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_KEY_LIST_BYTES {
        return Err(KeysError::Text);
    }
    String::from_utf8(bytes).map(Some).map_err(|_| KeysError::Text)
}
