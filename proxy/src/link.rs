//! The link to a desktop: its pixels go into the record and then onto the screen; the session's actions go to it.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use portcullis_rfb::clipboard::Text;
use portcullis_rfb::desktop::{Connection, Event};
use portcullis_rfb::{Change, Key, Pointer, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until, timeout};

use crate::bounds::Bounds;
use crate::held::Held;
use crate::outcome::Outcome;
use crate::pace::{Pace, Rate};
use crate::runtime::Stream;
use crate::session::Session;

/// The longest that a desktop may leave what it is sent unread.
const STALL: Duration = Duration::from_secs(10);
/// What is read from a desktop at once, in bytes.
const READ_BYTES: usize = 256 * 1024;
/// While more than this waits to be written to a desktop, no further action is taken from the queue, in bytes.
const WRITE_BYTES: usize = 512 * 1024;
/// How many updates may follow each other without a pause before the frame rate holds.
const BURST: u32 = 4;

/// The time a desktop has to take the gate's last words.
const PARTING: Duration = Duration::from_millis(500);

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

/// Why a link is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Severed {
    /// The connection broke, or could not be had; the desktop may be back in a moment.
    Lost(String),
    /// What ends the session.
    Over(Outcome),
}

impl From<Outcome> for Severed {
    fn from(outcome: Outcome) -> Self {
        Self::Over(outcome)
    }
}

impl fmt::Display for Severed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(reason) => write!(f, "no connection to the desktop: {reason}"),
            Self::Over(outcome) => outcome.fmt(f),
        }
    }
}

/// An RFB connection to a desktop whose handshake is done.
pub(crate) struct Link {
    reader: ReadHalf<Stream>,
    writer: WriteHalf<Stream>,
    rfb: Connection,
    /// What is still to be written; begins in the middle of a message when some of it is.
    output: Vec<u8>,
    /// The size that the desktop announced.
    pub(crate) size: Size,
}

impl Link {
    /// A link over a stream on which nothing but the handshake was said.
    pub(crate) fn new(stream: Stream, rfb: Connection, size: Size) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader, writer, rfb, output: Vec::new(), size }
    }

    /// Serves the session until the connection, the desktop or the record fails; never returns while all live. What was down on an earlier
    /// link to the same desktop is let go first.
    pub(crate) async fn run(
        &mut self,
        session: &Session,
        acts: &mut mpsc::Receiver<Act>,
        held: &mut Held,
        max_fps: u32,
    ) -> Severed {
        let mut buffer = vec![0; READ_BYTES];
        let configured = Rate::new(max_fps, BURST);
        let mut rate = session.frame_rate(configured);
        let mut pace = rate.pace();
        let mut intake = Intake::new(&session.bounds);
        // INVARIANT: an update request is outstanding whether or not anybody watches, but for the pause that the frame rate asks for.
        let mut asked = true;
        let mut unasked = false;
        let mut took = tokio::time::Instant::now();
        // TLS may hold back what it has taken until it is flushed.
        let mut unsent = false;
        self.rfb.limit_text(session.bounds.rfb.clipboard_text);
        self.rfb.request_update(false);
        // Xvnc paints its cursor into the framebuffer until a viewer has said where the pointer is; from then on it sends the shape.
        session.point(held.resting().at);
        self.rfb.pointer(held.resting());
        loop {
            if self.output.is_empty() && !unsent {
                took = tokio::time::Instant::now();
            }
            self.output.append(&mut self.rfb.take_output());
            let permitted = session.frame_rate(configured);
            if rate != permitted {
                rate = permitted;
                pace = rate.pace();
            }
            let due = pace.wait(Instant::now());
            // Where policy bounds pictures, one that comes unasked for is waited for as one that is asked for.
            let rest = intake.wait(Instant::now()).max(if unasked { due } else { Duration::ZERO });
            tokio::select! {
                () = sleep(rest), if !rest.is_zero() => {}
                read = self.reader.read(&mut buffer), if rest.is_zero() => {
                    let count = match read {
                        Ok(0) => return Severed::Lost("it closed its connection".to_owned()),
                        Ok(count) => count,
                        Err(error) => return lost(error),
                    };
                    match take(session, &mut self.rfb, buffer.get(..count).unwrap_or_default()).await {
                        Ok(heard) => {
                            let more = heard.updates.saturating_sub(u32::from(asked));
                            unasked = more > 0 && rate.per_second < max_fps;
                            if unasked {
                                pace.take_many(more, Instant::now());
                            }
                            asked &= heard.updates == 0;
                            intake.take(&heard, Instant::now());
                        }
                        Err(severed) => return severed,
                    }
                }
                pushed = push(&mut self.writer, &self.output), if !self.output.is_empty() || unsent => match pushed {
                    Ok(count) => {
                        took = tokio::time::Instant::now();
                        unsent = !self.output.is_empty();
                        drop(self.output.drain(..count));
                    }
                    Err(error) => return lost(error),
                },
                Some(act) = acts.recv(), if self.output.len() < WRITE_BYTES => self.perform(session, held, act),
                () = sleep_until(took + STALL), if !self.output.is_empty() || unsent => {
                    return Severed::Lost("it takes no input".to_owned());
                }
                () = sleep(due), if !asked => {
                    pace.take(Instant::now());
                    self.rfb.request_update(true);
                    asked = true;
                }
            }
        }
    }

    /// Lets go of keys that were down on a link before this one; they are said once it runs.
    pub(crate) fn let_go(&mut self, keys: Vec<Key>) {
        keys.into_iter().for_each(|key| self.rfb.key(key));
    }

    /// Leaves the desktop with nothing pressed, for it may live on, and closes the connection in good order.
    pub(crate) async fn part(&mut self, held: &mut Held) {
        self.let_go(held.let_go());
        self.rfb.pointer(held.resting());
        self.output.append(&mut self.rfb.take_output());
        let Self { writer, output, .. } = self;
        let said = async {
            writer.write_all(output).await?;
            writer.shutdown().await
        };
        // A desktop that does not take it is gone, or no loss.
        let _ = timeout(PARTING, said).await;
    }

    fn perform(&mut self, session: &Session, held: &mut Held, act: Act) {
        match act {
            Act::Key(key) => {
                held.key(key).into_iter().chain([key]).for_each(|key| self.rfb.key(key));
            }
            Act::Pointer(pointer) => self.rfb.pointer(held.pointer(pointer)),
            Act::Paste(text) => session.paste(&mut self.rfb, &text),
            Act::SetSize(size) => {
                if !self.rfb.set_size(size) {
                    session.size_refused(PROHIBITED);
                }
            }
        }
    }
}

/// Writes some of `output` and says how much, or flushes when there is none. Nothing is lost when it is dropped half-way.
async fn push(writer: &mut WriteHalf<Stream>, output: &[u8]) -> io::Result<usize> {
    if output.is_empty() { writer.flush().await.map(|()| 0) } else { writer.write(output).await }
}

/// What was in a read from the desktop.
#[derive(Default)]
struct Heard {
    messages: u32,
    sizes: u32,
    /// Updates that were complete, so that the next one is to be asked for.
    updates: u32,
}

/// How fast a desktop is read: one that sends without being asked keeps itself waiting, and nobody else busy.
struct Intake {
    messages: Pace,
    sizes: Pace,
}

impl Intake {
    fn new(bounds: &Bounds) -> Self {
        Self { messages: bounds.desktop_messages.pace(), sizes: bounds.desktop_sizes.pace() }
    }

    fn take(&mut self, heard: &Heard, now: Instant) {
        self.messages.take_many(heard.messages, now);
        self.sizes.take_many(heard.sizes, now);
    }

    fn wait(&self, now: Instant) -> Duration {
        self.messages.wait(now).max(self.sizes.wait(now))
    }
}

/// Takes bytes of the desktop.
async fn take(session: &Session, rfb: &mut Connection, bytes: &[u8]) -> Result<Heard, Severed> {
    let mut heard = Heard::default();
    for event in rfb.receive(bytes).map_err(|error| violation(&error))? {
        heard.messages = heard.messages.saturating_add(1);
        match event {
            Event::Update(changes) => {
                heard.updates = heard.updates.saturating_add(1);
                let sizes = changes.iter().filter(|change| matches!(change, Change::Resize(_))).count();
                heard.sizes = heard.sizes.saturating_add(u32::try_from(sizes).unwrap_or(u32::MAX));
                show(session, changes).await?;
            }
            Event::Clipboard(event) => session.hear_clipboard(rfb, event).await?,
            Event::Bell => session.rang(),
            Event::SizeRefused(status) => session.size_refused(status),
            // The handshake is over.
            Event::StartTls | Event::Declined { .. } | Event::Ready { .. } => {}
        }
    }
    session.unicode.store(rfb.takes_unicode(), Ordering::Relaxed);
    session.scancodes.store(rfb.takes_scancodes(), Ordering::Relaxed);
    Ok(heard)
}

async fn show(session: &Session, changes: Vec<Change>) -> Result<(), Outcome> {
    if changes.is_empty() { Ok(()) } else { session.show(changes).await }
}

/// A connection that broke.
pub(crate) fn lost(error: impl fmt::Display) -> Severed {
    Severed::Lost(error.to_string())
}

/// A desktop that broke the protocol: it attacks, or is another product than it seemed.
pub(crate) fn violation(error: &portcullis_rfb::ProtocolError) -> Severed {
    Outcome::Violation { side: "desktop", reason: fault(error) }.into()
}

/// A protocol error without the side, which the outcome names: message, field, reason.
pub(crate) fn fault(error: &portcullis_rfb::ProtocolError) -> String {
    format!("{}, {}: {}", error.message, error.field, error.reason)
}
