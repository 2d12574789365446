//! Webhooks: one POST for each event, signed; what the answer means; connections that are used again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::timeout;

use crate::destination::Webhook;
use crate::entry::Entry;
use crate::sink::{Answer, Sink};

/// Deliveries under way at once, each of another session.
const AT_ONCE: usize = 4;
/// Bytes and time of an answer's body that are read, so that the connection can be used again; more of it ends the connection.
const MAX_ANSWER: usize = 64 * 1024;
const DRAIN: Duration = Duration::from_secs(1);

const DELIVERY: HeaderName = HeaderName::from_static("portcullis-delivery");
const EVENT: HeaderName = HeaderName::from_static("portcullis-event");
const SIGNATURE: HeaderName = HeaderName::from_static("portcullis-signature");

type Sender = SendRequest<Full<Bytes>>;

/// Delivers to one HTTP receiver.
pub(crate) struct ToWebhook {
    webhook: Webhook,
    idle: Mutex<Vec<Sender>>,
}

impl ToWebhook {
    pub(crate) fn new(webhook: Webhook) -> Self {
        Self { webhook, idle: Mutex::default() }
    }

    /// One try; the answer's head and the connection that it came by.
    async fn attempt(&self, entry: &Entry) -> Result<(Response<Incoming>, Sender), String> {
        let resting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // A connection that rested may have ended unnoticed: that says nothing about the receiver.
        if let Some(sender) = resting
            && let Ok(answered) = self.post(sender, entry).await
        {
            return Ok(answered);
        }
        let sender = self.connect().await?;
        self.post(sender, entry).await.map_err(|error| in_full(&error))
    }

    async fn connect(&self) -> Result<Sender, String> {
        let unanswered_ms = u32::try_from(self.webhook.patience.as_millis()).unwrap_or(u32::MAX);
        let wire = self.webhook.way.connect(unanswered_ms).await.map_err(|error| in_full(&error))?;
        let (sender, connection) = handshake(TokioIo::new(wire)).await.map_err(|error| in_full(&error))?;
        // It ends with its sender, or with what breaks it, which the sender says.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn post(&self, mut sender: Sender, entry: &Entry) -> hyper::Result<(Response<Incoming>, Sender)> {
        sender.ready().await?;
        let response = sender.send_request(self.request(entry)).await?;
        Ok((response, sender))
    }

    fn request(&self, entry: &Entry) -> Request<Full<Bytes>> {
        let Webhook { uri, secret, .. } = &self.webhook;
        let signed = signature(secret, OffsetDateTime::now_utc().unix_timestamp(), &entry.json);
        let mut request = Request::new(Full::new(Bytes::copy_from_slice(&entry.json)));
        *request.method_mut() = http::Method::POST;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        for (name, value) in [
            (HOST, authority),
            (CONTENT_TYPE, "application/json"),
            (USER_AGENT, concat!("portcullis/", env!("CARGO_PKG_VERSION"))),
            (DELIVERY, &entry.id),
            (EVENT, &entry.kind),
            (SIGNATURE, &signed),
        ] {
            // Names of deliveries and kinds are ASCII by what they are made of; a header that could not be is left out.
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().insert(name, value);
            }
        }
        request
    }

    /// Reads the rest of an answer and keeps its connection. The body says nothing that counts and is not logged.
    async fn drain(&self, body: Incoming, sender: Sender) {
        let read = timeout(DRAIN, Limited::new(body, MAX_ANSWER).collect()).await;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(read, Ok(Ok(_))) && !sender.is_closed() && idle.len() < AT_ONCE {
            idle.push(sender);
        }
    }
}

#[async_trait]
impl Sink for ToWebhook {
    async fn deliver(&self, entry: &Entry) -> Answer {
        match timeout(self.webhook.patience, self.attempt(entry)).await {
            Err(_) => Answer::later(format!("no answer within {:?}", self.webhook.patience)),
            Ok(Err(why)) => Answer::later(why),
            Ok(Ok((response, sender))) => {
                let (head, body) = response.into_parts();
                let answer = judge(head.status, head.headers.get(RETRY_AFTER), OffsetDateTime::now_utc());
                self.drain(body, sender).await;
                answer
            }
        }
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    async fn knock(&self) -> Result<String, String> {
        let connected = timeout(self.webhook.patience, self.connect()).await;
        connected
            .map_err(|_| format!("no connection within {:?}", self.webhook.patience))?
            .map(|_| "connects".to_owned())
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 over the seconds in decimal, a full stop, and the body.
fn signature(secret: &hmac::Key, seconds: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(secret);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    let hex: String = context.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// What an answer means for its delivery.
fn judge(status: StatusCode, retry_after: Option<&HeaderValue>, now: OffsetDateTime) -> Answer {
    let said = format!("HTTP {}", status.as_u16());
    match status.as_u16() {
        200..300 => Answer::Taken(said),
        408 | 425 | 429 => Answer::Later { why: said, after: wanted(retry_after, now) },
        400..500 => Answer::Refused(said),
        300..400 => Answer::Later { why: format!("{said}: redirects are not followed"), after: None },
        _ => Answer::Later { why: said, after: wanted(retry_after, now) },
    }
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
fn wanted(header: Option<&HeaderValue>, now: OffsetDateTime) -> Option<Duration> {
    let text = header?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    (at - now).try_into().ok()
}

/// An error and what it came from, in one line.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests;
