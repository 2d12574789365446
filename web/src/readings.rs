//! What was read off the pictures of recordings: taken into the index, given to who may see it, and what is still to be read.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_evidence::{
    Digest, MAX_READING_BYTES, PathInBundle, Reading, ReadingError, ReadingKind, ScreenLine, Trust,
};
use portcullis_vault::{Key, KeyError, Place, VaultError};

use crate::audit::Part;
use crate::bundle::Head;
use crate::files::CACHING;
use crate::index::{Entry, IndexError, LINES, OnScreen, Row};
use crate::portal::{Portal, now};
use crate::principal::Permitted;
use crate::problem::{Problem, chain};
use crate::tags::{self, is_held};
use crate::types::VideoFile;

/// The longest seal.
const MAX_SEAL_BYTES: u64 = 1024 * 1024;
/// How often a reading is tried, and the seconds after the first failure; after each further one ten times as many.
const ATTEMPTS: i64 = 3;
const AGAIN: i64 = 60;
/// Characters of a failure that are kept.
const MAX_REASON: usize = 256;

/// Something that is to be read.
#[derive(Clone, Debug)]
pub struct Unread {
    /// Where the recording lies.
    pub place: Place,
    /// What of it.
    pub kind: ReadingKind,
    row: Row,
}

/// Why a reading that lies in the vault is not in the index.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It is forged, of another recording, or not what was signed.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// Its file is not there, or another one.
    #[error("the file that the statement names is not there, or is another")]
    File,
    /// The recording has no seal.
    #[error("the recording has no seal")]
    Unsealed,
    /// The keys that count cannot be read.
    #[error("the list of evidence keys cannot be read: {0}")]
    Keys(String),
    /// Its place is none.
    #[error("the recording has no place in a vault")]
    Place(#[from] KeyError),
    /// The vault failed.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
    /// The index failed.
    #[error("the index failed")]
    Index(#[from] IndexError),
}

/// The small picture of a recording, a JPEG of at most 320 by 240 pixels: where there is most to see.
#[utoipa::path(get, path = "/api/recordings/{id}/thumbnail", operation_id = "recording_thumbnail", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
), responses(
    (status = 200, description = "The picture; it never changes", body = VideoFile, content_type = "image/jpeg"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none yet, or no such recording, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The viewing could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn thumbnail(
    State(portal): State<Portal>,
    permitted: Permitted,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let none = || Problem::new(StatusCode::NOT_FOUND, "There is no small picture of this recording.");
    let readings = portal.index().readings(&[permitted.row().key]).await;
    let readings = readings.map_err(|error| Problem::internal("find a small picture", &error))?;
    let made = |one: &&crate::index::ReadingRow| one.kind == ReadingKind::Thumbnail.name() && one.state == "made";
    let sha256: Digest = readings.iter().find(made).and_then(|one| one.sha256.parse().ok()).ok_or_else(none)?;
    portal.viewed(&permitted, Part::Thumbnail).await?;
    let tag = tags::tag(&sha256.0);
    let mut response = if is_held(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let place = place_of(permitted.row()).map_err(|_| none())?;
        let read = portal.reading_file(&place, ReadingKind::Thumbnail, sha256).await;
        let bytes = read.map_err(|error| match error {
            // It went meanwhile, as its recording did.
            TakeError::File => none(),
            error => Problem::internal("read a small picture", &error),
        })?;
        ([(CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))], bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, CACHING);
    headers.insert(VARY, HeaderValue::from_static("Cookie"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    Ok(response)
}

impl Portal {
    /// What is to be read next, if anything is: small pictures before texts, the newest recording first.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn next_unread(&self) -> Result<Option<Unread>, TakeError> {
        let Some((row, kind)) = self.index().next_unread(now(), ATTEMPTS).await? else { return Ok(None) };
        Ok(Some(Unread { place: place_of(&row)?, kind, row }))
    }

    /// It could not be read: it is tried again later, and not for ever. Whether it will be.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn reading_failed(&self, unread: &Unread, reason: &str) -> Result<bool, TakeError> {
        let tried = self.index().attempts(&unread.row, unread.kind).await?;
        let wait = AGAIN.saturating_mul(10_i64.saturating_pow(u32::try_from(tried).unwrap_or(u32::MAX)));
        let reason: String = reason.chars().filter(|letter| !letter.is_control()).take(MAX_REASON).collect();
        self.index().reading_failed(&unread.row, unread.kind, &reason, now().saturating_add(wait)).await?;
        Ok(tried.saturating_add(1) < ATTEMPTS)
    }

    /// What failed before is tried again from the beginning: for every start of the gate.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn try_readings_again(&self) -> Result<(), TakeError> {
        Ok(self.index().try_readings_again().await?)
    }

    /// Takes a reading into the index, if it lies in the vault; whether it does.
    ///
    /// # Errors
    /// What is wrong with it; nothing of it is in the index then.
    pub async fn take_reading(&self, unread: &Unread) -> Result<bool, TakeError> {
        self.take_in_reading(&unread.row, unread.kind).await
    }

    /// Says of a sealed recording what is to be read of it, and takes in what has been.
    pub(crate) async fn expect_readings(&self, head: &Head, row: &Row) -> Result<(), IndexError> {
        for (kind, state, reason) in head.readings().into_iter().flatten() {
            self.index().expect_reading(row, kind, state, reason).await?;
            if state != "wanted" {
                continue;
            }
            match self.take_in_reading(row, kind).await {
                Ok(_) => {}
                Err(TakeError::Index(error)) => return Err(error),
                Err(error) => tracing::warn!(
                    recording = row.id,
                    kind = kind.name(),
                    error = chain(&error),
                    "what was read off a recording's pictures cannot be taken in"
                ),
            }
        }
        Ok(())
    }

    /// INVARIANT: what is in the index of a screen was signed by a key of this gate, of the recording as it is sealed.
    async fn take_in_reading(&self, row: &Row, kind: ReadingKind) -> Result<bool, TakeError> {
        let place = place_of(row)?;
        let statement = key_of(&place, &kind.statement())?;
        let Some(statement) = self.small(&statement, MAX_READING_BYTES).await? else { return Ok(false) };
        let seal = Key::of(place.key().as_str(), PathInBundle::Seal)?;
        let seal = self.small(&seal, MAX_SEAL_BYTES).await?.ok_or(TakeError::Unsealed)?;
        let trust = self.trust()?;
        let reading = Reading::proved(&statement, &trust, kind, Digest::of(&seal))?;
        let mut entries = Vec::new();
        if kind == ReadingKind::Text {
            let bytes = self.reading_file(&place, kind, reading.sha256).await?;
            for (n, line) in (LINES..).zip(bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())) {
                entries.push(entry(n, ScreenLine::from_line(line)?));
            }
        }
        self.index().put_reading(row, &reading, entries).await?;
        Ok(true)
    }

    /// The file with this hash, which is what it says.
    async fn reading_file(&self, place: &Place, kind: ReadingKind, sha256: Digest) -> Result<bytes::Bytes, TakeError> {
        let file = key_of(place, &kind.file(&sha256))?;
        let bytes = self.small(&file, kind.max_bytes()).await?;
        bytes.filter(|bytes| Digest::of(bytes) == sha256).ok_or(TakeError::File)
    }

    /// An object whole; `None` where it is not there or longer than it can be.
    async fn small(&self, key: &Key, most: u64) -> Result<Option<bytes::Bytes>, VaultError> {
        match self.vault().len(key).await? {
            Some(0) => Ok(Some(bytes::Bytes::new())),
            Some(length) if length <= most => Ok(Some(self.vault().read(key, None).await?)),
            _ => Ok(None),
        }
    }

    fn trust(&self) -> Result<Trust, TakeError> {
        let (_, trust, _) = crate::export::trusted(self.keys()).map_err(|error| TakeError::Keys(error.to_string()))?;
        Ok(trust)
    }
}

fn place_of(row: &Row) -> Result<Place, KeyError> {
    Place::of(&Key::new(row.prefix.as_str())?).ok_or(KeyError::Empty)
}

fn key_of(place: &Place, name: &str) -> Result<Key, KeyError> {
    Key::new(format!("{}/{name}", place.readings()?))
}

fn entry(n: i64, line: ScreenLine) -> Entry {
    let int = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Entry {
        n,
        at_ms: int(line.from_ms),
        kind: Entry::SCREEN.to_owned(),
        text: line.text,
        place: Some(OnScreen {
            until_ms: int(line.until_ms),
            confidence: line.confidence.into(),
            x: line.x.into(),
            y: line.y.into(),
            width: line.w.into(),
            height: line.h.into(),
        }),
        ..Entry::default()
    }
}
