//! The search API: moments of recordings, by what their events say.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;

use crate::audit::Act;
use crate::index::HitCursor;
use crate::portal::Portal;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::types::{Hit, Hits, Wanted};
use crate::viewings::{At, Viewing};
use crate::wire::{Json, Query};

/// Events that say what is sought, of recordings that the signed-in person may see. The search is put on the record.
#[utoipa::path(get, path = "/api/search", operation_id = "search", tag = "recordings", params(Wanted), responses(
    (status = 200, description = "A part of what was found", body = Hits),
    (status = 400, description = "The query is none, or names neither words nor a kind nor a verdict", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The search could not be put on the record", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn search(
    State(portal): State<Portal>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Hits>, Problem> {
    let (sought, limit) = (wanted.sought()?, wanted.limit()?);
    let before = wanted.before(HitCursor::from_text)?;
    if sought.question.is_none() && sought.kind.is_none() && sought.denied.is_none() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Search for words (q), a kind or a verdict."));
    }
    portal.searched(&principal, &wanted).await?;
    let rows = portal.index().hits(&principal.scope(), &sought, before, limit.saturating_add(1)).await;
    let mut rows = rows.map_err(|error| Problem::internal("search recordings", &error))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| HitCursor::after(row).to_text());
    let hits = rows.into_iter().map(|row| Hit::of(row, sought.question.as_ref())).collect();
    Ok(Json(Hits { hits, next }))
}

impl Portal {
    /// Puts on the record what is sought, unless the search goes on: a page that looks again searches once.
    ///
    /// INVARIANT: nothing that was sought is answered before this has returned.
    pub(crate) async fn searched(&self, principal: &Principal, wanted: &Wanted) -> Result<(), Problem> {
        let query = wanted.told();
        if query.is_empty() {
            return Ok(());
        }
        let viewing = Viewing { sign_in: principal.sign_in, at: At::Search { query: query.clone() } };
        if self.viewings().goes_on(&viewing, Instant::now()) {
            return Ok(());
        }
        self.on_record(Some(&principal.subject), Act::Searched { query }).await?;
        self.viewings().begin(viewing, Instant::now());
        Ok(())
    }
}
