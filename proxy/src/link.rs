//! The link to a desktop: its pixels go into the record and then onto the screen; the session's actions go to it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use portcullis_rfb::clipboard::Text;
use portcullis_rfb::desktop::{Config, Connection, Event};
use portcullis_rfb::{Change, Key, Point, Pointer, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until, timeout};

use crate::outcome::{Outcome, chain};
use crate::pace::Pace;
use crate::runtime::Desktop;
use crate::session::Session;

/// The time a desktop has to answer the RFB handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The longest that a desktop may leave what it is sent unread.
const STALL: Duration = Duration::from_secs(10);
/// What is read from a desktop at once, in bytes.
const READ_BYTES: usize = 256 * 1024;
/// While more than this waits to be written to a desktop, no further action is taken from the queue, in bytes.
const WRITE_BYTES: usize = 512 * 1024;
/// How many updates may follow each other without a pause before the frame rate holds.
const BURST: u32 = 4;

/// ExtendedDesktopSize's status for a size that is refused by policy or not possible at all.
pub(crate) const PROHIBITED: u16 = 1;

/// What a session asks of its desktop; policy has permitted each one and the record names it.
#[derive(Debug)]
pub(crate) enum Act {
    /// A key.
    Key(Key),
    /// The pointer.
    Pointer(Pointer),
    /// The clipboard's text.
    Paste(Text),
    /// A new size of the screen.
    SetSize(Size),
}

/// An RFB connection to a desktop whose handshake is done.
pub(crate) struct Link {
    stream: UnixStream,
    rfb: Connection,
    /// The size that the desktop announced.
    pub(crate) size: Size,
}

impl Link {
    /// Connects and shakes hands.
    ///
    /// # Errors
    /// The outcome that ends the session: the desktop is gone, silent or not speaking RFB.
    pub(crate) async fn establish(desktop: &dyn Desktop) -> Result<Self, Outcome> {
        let stream = desktop.connect().await.map_err(|error| gone(chain(&error)))?;
        timeout(HANDSHAKE, shake_hands(stream))
            .await
            .map_err(|_| gone("it did not answer the RFB handshake in time"))?
    }

    /// Serves the session until the desktop or the record fails; never returns while both live.
    pub(crate) async fn run(self, session: &Session, acts: &mut mpsc::Receiver<Act>, max_fps: u32) -> Outcome {
        let Self { mut stream, mut rfb, size } = self;
        let (mut reader, mut writer) = stream.split();
        let mut buffer = vec![0; READ_BYTES];
        let mut output = Vec::new();
        let mut pace = Pace::new(max_fps, BURST);
        // INVARIANT: an update request is outstanding whether or not anybody watches, but for the pause that the frame rate asks for.
        let mut asked = true;
        let mut took = tokio::time::Instant::now();
        rfb.limit_text(session.limits.clipboard_text);
        rfb.request_update(false);
        // Xvnc paints its cursor into the framebuffer until a viewer has said where the pointer is; from then on it sends the shape.
        let middle = Point { x: size.width / 2, y: size.height / 2 };
        session.point(middle);
        rfb.pointer(Pointer::new(0, middle));
        loop {
            if output.is_empty() {
                took = tokio::time::Instant::now();
            }
            output.append(&mut rfb.take_output());
            let due = pace.wait(Instant::now());
            tokio::select! {
                read = reader.read(&mut buffer) => {
                    let count = match read {
                        Ok(0) => return gone("it closed its connection"),
                        Ok(count) => count,
                        Err(error) => return gone(error.to_string()),
                    };
                    match take(session, &mut rfb, buffer.get(..count).unwrap_or_default()).await {
                        Ok(updated) => asked &= !updated,
                        Err(outcome) => return outcome,
                    }
                }
                written = writer.write(&output), if !output.is_empty() => match written {
                    Ok(count) => {
                        took = tokio::time::Instant::now();
                        drop(output.drain(..count));
                    }
                    Err(error) => return gone(error.to_string()),
                },
                Some(act) = acts.recv(), if output.len() < WRITE_BYTES => perform(session, &mut rfb, act),
                () = sleep_until(took + STALL), if !output.is_empty() => return gone("it takes no input"),
                () = sleep(due), if !asked => {
                    pace.take(Instant::now());
                    rfb.request_update(true);
                    asked = true;
                }
            }
        }
    }
}

async fn shake_hands(mut stream: UnixStream) -> Result<Link, Outcome> {
    let mut rfb = Connection::new(Config::default());
    let mut buffer = [0; 4096];
    loop {
        let output = rfb.take_output();
        stream.write_all(&output).await.map_err(|error| gone(error.to_string()))?;
        let count = stream.read(&mut buffer).await.map_err(|error| gone(error.to_string()))?;
        if count == 0 {
            return Err(gone("it closed its connection during the handshake"));
        }
        let events = rfb.receive(buffer.get(..count).unwrap_or_default()).map_err(|error| violation(&error))?;
        match events.as_slice() {
            [] => {}
            [Event::Ready { size, .. }] => return Ok(Link { stream, size: *size, rfb }),
            _ => return Err(Outcome::Violation { side: "desktop", reason: "it speaks before it is asked".into() }),
        }
    }
}

/// Takes bytes of the desktop; true when an update was complete, so that the next one is to be asked for.
async fn take(session: &Session, rfb: &mut Connection, bytes: &[u8]) -> Result<bool, Outcome> {
    let mut updated = false;
    for event in rfb.receive(bytes).map_err(|error| violation(&error))? {
        match event {
            Event::Update(changes) => {
                updated = true;
                show(session, changes).await?;
            }
            Event::Clipboard(event) => session.hear_clipboard(rfb, event)?,
            Event::Bell => session.rang(),
            Event::SizeRefused(status) => session.size_refused(status),
            Event::Ready { .. } => {}
        }
    }
    session.unicode.store(rfb.takes_unicode(), Ordering::Relaxed);
    Ok(updated)
}

async fn show(session: &Session, changes: Vec<Change>) -> Result<(), Outcome> {
    if changes.is_empty() { Ok(()) } else { session.show(&changes).await }
}

fn perform(session: &Session, rfb: &mut Connection, act: Act) {
    match act {
        Act::Key(key) => rfb.key(key),
        Act::Pointer(pointer) => rfb.pointer(pointer),
        Act::Paste(text) => session.paste(rfb, &text),
        Act::SetSize(size) => {
            if !rfb.set_size(size) {
                session.size_refused(PROHIBITED);
            }
        }
    }
}

fn gone(reason: impl Into<String>) -> Outcome {
    Outcome::DesktopEnded { reason: reason.into() }
}

fn violation(error: &portcullis_rfb::ProtocolError) -> Outcome {
    Outcome::Violation { side: "desktop", reason: fault(error) }
}

/// A protocol error without the side, which the outcome names: message, field, reason.
pub(crate) fn fault(error: &portcullis_rfb::ProtocolError) -> String {
    format!("{}, {}: {}", error.message, error.field, error.reason)
}
