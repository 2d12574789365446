//! A viewer's connection: a WebSocket on one side, the session's screen on the other, the RFB server's words between.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use portcullis_rfb::viewer::{Config, Connection, Event};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::crossing::loss;
use crate::link::fault;
use crate::outcome::Outcome;
use crate::seat::Seat;
use crate::session::{Notice, Session};

/// The time a viewer has to take its close frame.
const PARTING: Duration = Duration::from_secs(1);
/// How long the screen rests before lossy areas are refined.
const REST: Duration = Duration::from_millis(300);

/// The largest message that is sent to a viewer, in bytes; one update is one message.
pub(crate) const MESSAGE_BYTES: usize = 48 * 1024 * 1024;

/// Serves one viewer until it or the session ends.
pub(crate) async fn serve(mut socket: WebSocket, session: Arc<Session>, origin: String, from: Option<IpAddr>) {
    let outcome = match Seat::take(&session, &origin, from) {
        Ok(mut seat) => {
            let mut rfb = connection(&session);
            let outcome = converse(&mut socket, &session, &mut seat, &mut rfb).await;
            if let Outcome::Violation { side, reason } = &outcome {
                tracing::warn!(session = %session.id, side, reason, "protocol violation");
            }
            seat.leave(&session, &outcome, rfb.revision()).await;
            outcome
        }
        // One that comes while the session closes is told how that ended, not that its record is closed.
        Err(outcome) => session.known_outcome().unwrap_or(outcome),
    };
    if outcome.ends_session() {
        session.end(outcome.clone());
    }
    let _ = timeout(PARTING, part(&mut socket, &outcome)).await;
}

/// Sends the close frame and waits for the viewer's own: a socket that is dropped with input unread is reset, and the code with it.
async fn part(socket: &mut WebSocket, outcome: &Outcome) {
    let frame = CloseFrame { code: outcome.close_code(), reason: outcome.close_reason().into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

fn connection(session: &Session) -> Connection {
    let size = session.screen().size();
    Connection::new(Config { name: session.permit.title.clone(), size, limits: session.bounds.rfb, jpeg: true })
}

async fn converse(socket: &mut WebSocket, session: &Arc<Session>, seat: &mut Seat, rfb: &mut Connection) -> Outcome {
    let mut revisions = session.revisions();
    let mut notices = session.notices();
    let mut policies = session.policy_changes();
    let mut rules = session.life.rules();
    let bounds = session.bounds;
    let mut ping = interval(bounds.ping);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let handshake = tokio::time::Instant::now() + bounds.handshake;
    let mut heard = Instant::now();
    let mut half = Half::default();
    let mut refreshes = bounds.refreshes.pace();
    let ended = session.wait_outcome();
    tokio::pin!(ended);
    loop {
        if refreshes.try_take(Instant::now()) {
            rfb.grant_refresh();
        }
        let refining = match paint(session, rfb) {
            Ok(refining) => refining,
            Err(outcome) => return outcome,
        };
        if let Err(outcome) = flush(socket, rfb, bounds.send).await {
            return outcome;
        }
        let whole = half.due(rfb.half_message(), bounds.message);
        let settle = seat.due(session, Instant::now());
        tokio::select! {
            biased;
            outcome = &mut ended => return outcome,
            Ok(()) = policies.changed() => if let Err(outcome) = seat.keep_judged(session) { return outcome },
            Ok(()) = rules.changed() => if let Err(outcome) = seat.keep_judged(session) { return outcome },
            message = socket.recv() => {
                heard = Instant::now();
                if let Err(outcome) = hear(session, seat, rfb, message).await {
                    return outcome;
                }
            }
            _ = revisions.changed() => {}
            notice = notices.recv() => if let Err(outcome) = tell(session, rfb, notice) { return outcome },
            () = sleep(settle.unwrap_or_default()), if settle.is_some() => {
                if let Err(outcome) = seat.settle(session).await { return outcome }
            }
            () = sleep(REST), if refining => {
                rfb.refine(&session.screen());
            }
            () = sleep_until(handshake), if !rfb.is_ready() => return Outcome::TooSlow,
            () = sleep_until(whole.unwrap_or(handshake)), if whole.is_some() => return Outcome::TooSlow,
            _ = ping.tick() => {
                if heard.elapsed() > bounds.silence { return Outcome::TooSlow }
                let ping = Message::Ping(Default::default());
                if let Err(outcome) = send(socket, ping, bounds.send).await { return outcome }
            }
        }
    }
}

/// Since when a viewer has left a message half said.
#[derive(Default)]
struct Half {
    /// How many whole messages came before it, and when its first byte did.
    since: Option<(u64, tokio::time::Instant)>,
}

impl Half {
    /// When a message of which a part is there must be whole.
    fn due(&mut self, half: Option<u64>, within: Duration) -> Option<tokio::time::Instant> {
        let known = |before| self.since.filter(|(messages, _)| *messages == before);
        self.since = half.map(|before| known(before).unwrap_or_else(|| (before, tokio::time::Instant::now())));
        self.since.map(|(_, since)| since + within)
    }
}

/// Encodes what this viewer lacks, if it asked; true when nothing is due but lossy areas wait for rest.
fn paint(session: &Session, rfb: &mut Connection) -> Result<bool, Outcome> {
    if !rfb.wants_update() {
        return Ok(false);
    }
    // Encoding a whole screen takes milliseconds: other tasks of this thread may move elsewhere meanwhile.
    let sent = tokio::task::block_in_place(|| rfb.update(&session.screen()));
    let sent = sent.map_err(|error| violation(fault(&error)))?;
    Ok(!sent && rfb.is_lossy())
}

async fn flush(socket: &mut WebSocket, rfb: &mut Connection, within: Duration) -> Result<(), Outcome> {
    let output = rfb.take_output();
    if output.is_empty() { Ok(()) } else { send(socket, Message::Binary(output.into()), within).await }
}

async fn send(socket: &mut WebSocket, message: Message, within: Duration) -> Result<(), Outcome> {
    match timeout(within, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Outcome::ViewerLeft),
        Err(_) => Err(Outcome::TooSlow),
    }
}

async fn hear(
    session: &Session,
    seat: &mut Seat,
    rfb: &mut Connection,
    message: Option<Result<Message, axum::Error>>,
) -> Result<(), Outcome> {
    let bytes = match message {
        Some(Ok(Message::Binary(bytes))) => bytes,
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
        Some(Ok(Message::Close(_))) | None => return Err(Outcome::ViewerLeft),
        Some(Ok(Message::Text(_))) => return Err(violation("a text frame where RFB is binary")),
        Some(Err(error)) => return Err(broken(&error)),
    };
    for event in rfb.receive(&bytes).map_err(|error| violation(fault(&error)))? {
        if !matches!(event, Event::Ready { .. }) {
            seat.act(session, rfb, event).await?;
        }
    }
    Ok(())
}

fn tell(session: &Session, rfb: &mut Connection, notice: Result<Notice, RecvError>) -> Result<(), Outcome> {
    match notice {
        Ok(Notice::Copied(text)) => {
            return loss(rfb.cut_text(&text), "copy", "the viewer").map_or(Ok(()), |loss| session.note(loss));
        }
        Ok(Notice::Bell) => rfb.bell(),
        Ok(Notice::SizeRefused(status)) => rfb.size_refused(status),
        // A viewer that lags misses the oldest notices; the session's end is told by its outcome.
        Err(RecvError::Lagged(_) | RecvError::Closed) => {}
    }
    Ok(())
}

/// A frame that breaks RFC 6455 or its size cap is a violation; a connection that broke is a viewer that left. What it was comes as words.
fn broken(error: &axum::Error) -> Outcome {
    let words = error.to_string();
    match words.split_once(": ") {
        Some(("Space limit exceeded", _)) => violation("a WebSocket message over the size limit"),
        Some(("WebSocket protocol error", fault)) if fault != RESET => violation(format!("a WebSocket frame: {fault}")),
        Some(("UTF-8 encoding error", _)) => violation("a text frame where RFB is binary"),
        _ => Outcome::ViewerLeft,
    }
}

/// What a connection that ended without a close frame is called.
const RESET: &str = "Connection reset without closing handshake";

fn violation(reason: impl Into<String>) -> Outcome {
    Outcome::Violation { side: "viewer", reason: reason.into() }
}
