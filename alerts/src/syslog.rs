//! Syslog over TCP (RFC 6587) and TLS (RFC 5425): one connection, one message after the other.
//!
//! Syslog has no acknowledgement: a message counts as delivered when it was written and flushed. Before each one the connection is looked at, so that
//! one that its peer has closed takes none; what was under way when a receiver died is lost to it, and stays on the record.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::destination::Syslog;
use crate::entry::Entry;
use crate::rfc5424;
use crate::sink::{Answer, Sink};
use crate::tls::Wire;
use crate::webhook::in_full;

/// The time for a connection, and for a message to be written.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same in milliseconds, for what the receiver's machine does not acknowledge.
const UNANSWERED_MS: u32 = 10_000;

/// Delivers to one syslog receiver.
pub(crate) struct ToSyslog {
    syslog: Syslog,
    wire: Mutex<Option<Box<dyn Wire>>>,
}

impl ToSyslog {
    pub(crate) fn new(syslog: Syslog) -> Self {
        Self { syslog, wire: Mutex::default() }
    }

    async fn send(&self, frame: &[u8]) -> io::Result<()> {
        let mut held = self.wire.lock().await;
        // Taken out: a connection on which a message was half written, or given up, is never used again.
        let mut kept = held.take();
        if let Some(wire) = kept.as_mut()
            && !is_open(wire).await
        {
            kept = None;
        }
        let mut wire = match kept {
            Some(wire) => wire,
            None => self.syslog.way.connect(UNANSWERED_MS).await?,
        };
        wire.write_all(frame).await?;
        wire.flush().await?;
        *held = Some(wire);
        Ok(())
    }
}

/// Whether the peer has not closed its side, as far as is known here. Whatever it says is read past.
async fn is_open(wire: &mut Box<dyn Wire>) -> bool {
    let mut bytes = [0; 1024];
    poll_fn(|context| {
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(&mut *wire).poll_read(context, &mut buffer) {
            Poll::Pending => Poll::Ready(true),
            Poll::Ready(Ok(())) => Poll::Ready(!buffer.filled().is_empty()),
            Poll::Ready(Err(_)) => Poll::Ready(false),
        }
    })
    .await
}

#[async_trait]
impl Sink for ToSyslog {
    async fn deliver(&self, entry: &Entry) -> Answer {
        let frame = rfc5424::frame(entry, self.syslog.facility, &self.syslog.hostname);
        match timeout(PATIENCE, self.send(&frame)).await {
            Err(_) => Answer::later(format!("not written within {PATIENCE:?}")),
            Ok(Err(error)) => Answer::later(in_full(&error)),
            Ok(Ok(())) => Answer::Taken("written; syslog does not acknowledge".to_owned()),
        }
    }

    async fn knock(&self) -> Result<String, String> {
        match timeout(PATIENCE, self.syslog.way.connect(UNANSWERED_MS)).await {
            Err(_) => Err(format!("no connection within {PATIENCE:?}")),
            Ok(Err(error)) => Err(in_full(&error)),
            Ok(Ok(_)) => Ok("connects".to_owned()),
        }
    }
}
