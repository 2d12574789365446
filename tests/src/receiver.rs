//! A receiver of webhooks that checks each signature, answers as it is told, goes away and comes back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::standing::Place;

/// The secret that the receiver shares with the gate.
pub const SECRET: &str = "a secret of webhooks";
/// Seconds that a signature may be off.
const FRESH: i64 = 120;

/// How one delivery is answered; what is not said is taken.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    /// With this status, and `Retry-After` in seconds if there are some.
    Status(u16, Option<u64>),
    /// Not at all: the connection is held.
    Hang,
    /// Not at all: the connection is closed.
    Close,
    /// With 200 after this time.
    Slow(Duration),
}

/// One delivery that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `Portcullis-Delivery`.
    pub id: String,
    /// The body.
    pub body: String,
}

#[derive(Debug, Default)]
struct Heard {
    moods: Mutex<VecDeque<Mood>>,
    /// Each delivery takes at least so long.
    pace: Mutex<Duration>,
    taken: Mutex<Vec<Taken>>,
    tried: Mutex<Vec<String>>,
    faults: Mutex<Vec<String>>,
    away: AtomicBool,
}

/// A receiver at one address.
#[derive(Debug)]
pub struct Receiver {
    place: Place,
    heard: Arc<Heard>,
    serving: Option<JoinHandle<()>>,
}

impl Receiver {
    /// One that takes everything.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start() -> anyhow::Result<Self> {
        let mut receiver = Self { place: Place::free()?, heard: Arc::default(), serving: None };
        receiver.come_back().await?;
        Ok(receiver)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook?from=gate", self.place)
    }

    /// Answers the next deliveries so.
    pub fn tell(&self, moods: &[Mood]) {
        locked(&self.heard.moods).extend(moods);
    }

    /// Takes at least so long for each delivery from now on.
    pub fn pace(&self, pace: Duration) {
        *locked(&self.heard.pace) = pace;
    }

    /// Is not there any more: what connects is refused, what is connected is cut off.
    pub fn go_away(&mut self) {
        self.heard.away.store(true, Ordering::SeqCst);
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }

    /// Is there again, at the same address.
    ///
    /// # Errors
    /// When somebody else is there.
    pub async fn come_back(&mut self) -> anyhow::Result<()> {
        let listener = crate::until("the receiver's port is free", async || {
            Ok(TcpListener::bind((self.place.ip, self.place.port)).await.ok())
        })
        .await?;
        self.heard.away.store(false, Ordering::SeqCst);
        let app = Router::new().fallback(receive).with_state(Arc::clone(&self.heard));
        self.serving = Some(tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        }));
        Ok(())
    }

    /// What was taken, in its order.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        locked(&self.heard.taken).clone()
    }

    /// What was tried, in its order, whatever the answer.
    #[must_use]
    pub fn tried(&self) -> Vec<String> {
        locked(&self.heard.tried).clone()
    }

    /// What was taken, by its name.
    ///
    /// # Errors
    /// When one name had two bodies, or a request was not as it should be.
    pub fn by_id(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let faults = locked(&self.heard.faults).clone();
        ensure!(faults.is_empty(), "{faults:?}");
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for Taken { id, body } in self.taken() {
            if let Some(before) = known.insert(id.clone(), body.clone()) {
                ensure!(before == body, "{id} had two bodies");
            }
        }
        Ok(known)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.go_away();
    }
}

async fn receive(State(heard): State<Arc<Heard>>, headers: HeaderMap, body: Bytes) -> Response {
    if heard.away.load(Ordering::SeqCst) {
        return close();
    }
    let id = header(&headers, "portcullis-delivery").unwrap_or_default().to_owned();
    if let Err(fault) = check(&headers, &body) {
        locked(&heard.faults).push(format!("{id}: {fault:#}"));
        return StatusCode::BAD_REQUEST.into_response();
    }
    locked(&heard.tried).push(id.clone());
    let mood = locked(&heard.moods).pop_front();
    let pace = *locked(&heard.pace);
    tokio::time::sleep(pace).await;
    match mood {
        Some(Mood::Status(status, after)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return match after {
                Some(seconds) => (status, [("retry-after", seconds.to_string())]).into_response(),
                None => (status, "not now").into_response(),
            };
        }
        Some(Mood::Hang) => std::future::pending().await,
        Some(Mood::Close) => return close(),
        Some(Mood::Slow(time)) => tokio::time::sleep(time).await,
        None => {}
    }
    if heard.away.load(Ordering::SeqCst) {
        return close();
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    locked(&heard.taken).push(Taken { id, body });
    (StatusCode::OK, "thanks").into_response()
}

/// Ends the connection without an answer: the task that serves it ends, without the words of a panic.
fn close() -> Response {
    std::panic::resume_unwind(Box::new("closed"))
}

/// What docs/alerts.md asks of receivers.
fn check(headers: &HeaderMap, body: &[u8]) -> anyhow::Result<()> {
    let signature = header(headers, "portcullis-signature")?;
    let (seconds, hex) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).context("its form")?;
    let off = OffsetDateTime::now_utc().unix_timestamp() - seconds.parse::<i64>()?;
    ensure!(off.abs() < FRESH, "{off} s old");
    let mac: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2).unwrap_or_default(), 16))
        .collect::<Result<_, _>>()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = [seconds.as_bytes(), b".", body].concat();
    ensure!(hmac::verify(&key, &signed, &mac).is_ok(), "its signature is wrong");
    let event: serde_json::Value = serde_json::from_slice(body)?;
    ensure!(event["type"] == header(headers, "portcullis-event")?, "another type");
    ensure!(header(headers, "content-type")? == "application/json", "another content type");
    Ok(())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> anyhow::Result<&'a str> {
    Ok(headers.get(name).with_context(|| format!("no {name}"))?.to_str()?)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
