//! What the person at a session's page is told beside pixels: an end that is near, and what was refused, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::caller::authenticate;
use super::model::SessionNotice;
use super::problem::Problem;
use super::sessions::known;
use crate::identity::same;
use crate::plane::Plane;
use crate::session::{Coming, Refused, Session};

/// Seconds of silence after which a comment is sent, so that whoever is between knows that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Tells the owner of a session of its end before it comes, and of what was refused, until it has ended.
#[utoipa::path(get, path = "/api/sessions/{id}/notices", operation_id = "session_notices", tag = "sessions",
    params(("id" = String, Path, description = "the session")),
    responses((status = 200, body = SessionNotice, content_type = "text/event-stream", description = "one event for each notice, named by its `type`"),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn listen(
    State(plane): State<Arc<Plane>>,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let asked = authenticate(&plane, &method, &headers).await?;
    let session = known(&plane, &asked, &id)?;
    if !same(&session.permit.subject, asked.caller.subject()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "notices are for the session's own subject"));
    }
    let listening = Listening::to(session)
        .ok_or_else(|| Problem::new(StatusCode::TOO_MANY_REQUESTS, "as many pages as may listen to this session do"))?;
    let notices = futures_util::stream::unfold(listening, async |mut listening| {
        let notice = listening.next().await?;
        let event = Event::default().event(notice.kind());
        Some((Ok(event.json_data(&notice).unwrap_or_default()), listening))
    });
    Ok(Sse::new(notices).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// One page that listens; the session counts it while it lives.
struct Listening {
    session: Arc<Session>,
    coming: watch::Receiver<Option<Coming>>,
    refusals: broadcast::Receiver<Refused>,
    ended: bool,
}

impl Listening {
    /// None when as many listen as may.
    fn to(session: Arc<Session>) -> Option<Self> {
        if !session.life.listen() {
            return None;
        }
        let (mut coming, refusals) = (session.life.coming(), session.life.refusals());
        // An end that is near already is told at once.
        if coming.borrow().is_some() {
            coming.mark_changed();
        }
        Some(Self { session, coming, refusals, ended: false })
    }

    /// The next notice; none once the session has ended.
    async fn next(&mut self) -> Option<SessionNotice> {
        if self.ended {
            return None;
        }
        loop {
            tokio::select! {
                biased;
                outcome = self.session.wait_outcome() => {
                    self.ended = true;
                    let rule = outcome.rule().unwrap_or_default().to_owned();
                    return Some(SessionNotice::Ended { why: outcome.close_reason(), rule });
                }
                Ok(()) = self.coming.changed() => return Some(told(self.coming.borrow_and_update().as_ref())),
                refused = self.refusals.recv() => match refused {
                    Ok(Refused { what, why, rule }) => return Some(SessionNotice::Refused { what: what.to_owned(), why, rule }),
                    // A page that lags misses the oldest.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.session.life.deafen();
    }
}

fn told(coming: Option<&Coming>) -> SessionNotice {
    let Some(Coming { at, why, rule }) = coming else { return SessionNotice::Staying {} };
    let left = (*at - OffsetDateTime::now_utc()).whole_milliseconds();
    SessionNotice::Ending {
        at: at.format(&Rfc3339).unwrap_or_default(),
        left_ms: u64::try_from(left).unwrap_or(0),
        why: (*why).to_owned(),
        rule: rule.clone(),
    }
}
