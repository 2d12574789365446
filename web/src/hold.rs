//! Legal holds: administrators hold a recording or release it, by the same keeper and with the same words as `portcullis recordings hold`.

use axum::extract::State;
use axum::http::StatusCode;
use portcullis_vault::keeping::{KeepError, last_hold};
use portcullis_vault::{Key, Place};
use time::OffsetDateTime;

use crate::audit::Act;
use crate::portal::Portal;
use crate::principal::{Administering, Permitted};
use crate::problem::{Problem, chain};
use crate::types::{Hold, HoldReason, Recording};
use crate::wire::Json;

/// The longest reason, in bytes.
const MOST_REASON: usize = 1024;

/// Holds the recording: it does not expire until it is released.
#[utoipa::path(post, path = "/api/recordings/{id}/hold", operation_id = "hold_recording", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
), request_body = HoldReason, responses(
    (status = 200, description = "It is held", body = Recording),
    (status = 400, description = "The reason is empty or too long", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Only administrators hold recordings", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It is held already, or it expired", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "It could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn hold(
    State(portal): State<Portal>,
    Administering(permitted): Administering,
    Json(said): Json<HoldReason>,
) -> Result<Json<Recording>, Problem> {
    portal.set_hold(permitted, said, true).await
}

/// Releases the recording: it expires as if it had not been held.
#[utoipa::path(delete, path = "/api/recordings/{id}/hold", operation_id = "release_recording", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
), request_body = HoldReason, responses(
    (status = 200, description = "It is released", body = Recording),
    (status = 400, description = "The reason is empty or too long", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Only administrators release recordings", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It is not held", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "It could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn release(
    State(portal): State<Portal>,
    Administering(permitted): Administering,
    Json(said): Json<HoldReason>,
) -> Result<Json<Recording>, Problem> {
    portal.set_hold(permitted, said, false).await
}

impl Portal {
    async fn set_hold(&self, permitted: Permitted, said: HoldReason, held: bool) -> Result<Json<Recording>, Problem> {
        if said.reason.trim().is_empty() || said.reason.len() > MOST_REASON {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "The reason must say why, in 1 to 1024 bytes."));
        }
        let off = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "This portal holds no recordings.");
        let keeper = self.keeper().ok_or_else(off)?;
        let (subject, recording) = (&permitted.principal().subject, permitted.row().id.clone());
        let place = Key::new(permitted.row().prefix.as_str()).ok().and_then(|key| Place::of(&key));
        let place = place.ok_or_else(Problem::no_recording)?;
        let now = keeper.record(&place).await.map_err(|error| refused(&error))?;
        match &now.tombstone {
            Some(tombstone) if held => return Err(refused(&KeepError::Expired(tombstone.at.clone()))),
            _ => {}
        }
        let by = format!("{} ({})", subject.name, subject.issuer);
        if now.is_held() == held {
            // It is on the record; what stores the objects may not have heard of all of them yet.
            let done = keeper.set_hold(&place, held, &said.reason, &by, OffsetDateTime::now_utc()).await;
            return match done {
                Ok(_) => Ok(Json(self.described(permitted).await)),
                Err(error) => Err(refused(&error)),
            };
        }
        self.on_record(Some(subject), Act::Held { recording, held, reason: said.reason.clone() }).await?;
        let done = keeper.set_hold(&place, held, &said.reason, &by, OffsetDateTime::now_utc()).await;
        done.map_err(|error| refused(&error))?;
        Ok(Json(self.described(permitted).await))
    }

    /// The recording with what holds it.
    pub(crate) async fn described(&self, permitted: Permitted) -> Recording {
        let hold = self.held(&permitted.row().id).await;
        let readings = self.index().readings(&[permitted.row().key]).await.unwrap_or_default();
        Recording { hold, ..Recording::of(permitted.into_row(), &readings) }
    }

    /// What holds a recording. INVARIANT: what cannot be proved to be released counts as held.
    async fn held(&self, id: &str) -> Option<Hold> {
        match last_hold(self.vault().as_ref(), &self.keeper()?.trust, id).await {
            Ok(last) => last.filter(|(hold, _)| hold.held).map(|(hold, _)| Hold {
                reason: hold.reason,
                by: hold.by,
                at: hold.at,
            }),
            Err(error) => {
                tracing::error!(recording = id, error = chain(&error), "a hold cannot be read, and counts");
                let reason = "What holds it cannot be read: it counts as held.".to_owned();
                Some(Hold { reason, by: String::new(), at: String::new() })
            }
        }
    }
}

fn refused(error: &KeepError) -> Problem {
    match error {
        KeepError::Already(_) | KeepError::Expired(_) => {
            Problem::new(StatusCode::CONFLICT, format!("It cannot be done: {error}."))
        }
        error => Problem::internal("hold or release a recording", error),
    }
}
