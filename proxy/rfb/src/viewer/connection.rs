//! One viewer's connection: its state and what its owner calls.

use std::fmt;
use std::sync::Arc;

use super::encodings::Encodings;
use super::format::Order;
use super::handshake::Handshake;
use super::message::Parser;
use super::pacing::Pacing;
use super::tight::Tight;
use super::{Config, Event};
use crate::clipboard::{Delivery, Endpoint, Text};
use crate::error::ProtocolError;
use crate::geometry::Size;
use crate::limits::MAX_NAME;
use crate::pixel::BGR0;
use crate::region::Region;
use crate::screen::Cursor;
use crate::wire::DesktopMessage;

/// A viewer's connection, without I/O: bytes in, events and bytes out.
pub struct Connection {
    pub(super) config: Config,
    phase: Phase,
    parser: Parser,
    pub(super) clipboard: Endpoint,
    pub(super) out: Outbox,
    pub(super) order: Order,
    pub(super) known: Encodings,
    pub(super) told: Told,
    pub(super) held: Held,
    pub(super) asked: Asked,
    pub(super) pacing: Pacing,
    pub(super) tight: Tight,
}

/// Neither texts nor pixels: it may end up in a log.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("viewer::Connection")
            .field("ready", &self.is_ready())
            .field("known", &self.known)
            .field("size", &self.told.size)
            .field("revision", &self.held.newest)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

enum Phase {
    Handshake(Handshake),
    Open,
    /// Over: the error is repeated for ever.
    Broken(ProtocolError),
}

/// Bytes to send, and what is sent with them at the latest moment so that there is never more than one of each.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) bytes: Vec<u8>,
    /// `bytes` has an update in it. INVARIANT: never two.
    pub(super) update: bool,
    /// Fences of the viewer answered in `bytes`.
    pub(super) replies: usize,
    bell: bool,
}

/// What the viewer has been told, so that it may rely on it.
#[derive(Default)]
pub(super) struct Told {
    /// The framebuffer's size.
    pub(super) size: Size,
    pub(super) fence: bool,
    pub(super) continuous_updates: bool,
    pub(super) extended_desktop_size: bool,
    pub(super) extended_keys: bool,
    pub(super) cursor: Option<Arc<Cursor>>,
}

/// What the viewer's framebuffer holds.
#[derive(Default)]
pub(super) struct Held {
    /// The revision it was brought to; none before the first update and after a change of size.
    pub(super) revision: Option<u64>,
    /// The newest revision that it was ever sent a pixel of.
    pub(super) newest: u64,
    /// Where it is older than that revision.
    pub(super) owed: Region,
    /// Where it is an approximation.
    pub(super) lossy: Region,
}

/// What the viewer asked for and has not got.
#[derive(Default)]
pub(super) struct Asked {
    /// A request is outstanding.
    pub(super) update: bool,
    /// One of them was not incremental.
    pub(super) refresh: bool,
    /// The caller permits one whole screen more than the viewer lacks.
    pub(super) refresh_granted: bool,
    /// Updates without requests.
    pub(super) continuous: bool,
    /// It has asked for a size and got no answer.
    pub(super) size: bool,
    /// The answer to the size it asked for, if that is not a new size.
    pub(super) size_status: Option<u16>,
}

impl Connection {
    /// A connection that begins with the offer of version 3.8 in its output.
    pub fn new(config: Config) -> Self {
        let mut out = Outbox::default();
        let phase = Phase::Handshake(Handshake::begin(&mut out.bytes));
        Self {
            phase,
            parser: Parser::new(),
            clipboard: Endpoint::of_viewer(config.limits),
            out,
            order: Order::Bgr,
            known: Encodings::default(),
            told: Told { size: config.size, ..Told::default() },
            held: Held::default(),
            asked: Asked::default(),
            pacing: Pacing::default(),
            tight: Tight::new(),
            config,
        }
    }

    /// Takes bytes of the viewer, in chunks of any length, and answers with what they ask for.
    ///
    /// # Errors
    /// The viewer broke the protocol, or asked for what was not offered. The connection is over: close it. What the same chunk
    /// asked for before that is dropped.
    pub fn receive(&mut self, mut input: &[u8]) -> Result<Vec<Event>, ProtocolError> {
        let mut events = Vec::new();
        match self.take(&mut input, &mut events) {
            Ok(()) => Ok(events),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Whether the handshake is over and the protocol unbroken.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether a message has begun and its rest is awaited; then how many whole ones came before it. Without a clock here, the caller
    /// bounds how long that may take.
    pub fn half_message(&self) -> Option<u64> {
        self.parser.half()
    }

    /// The bytes to send since the last call: whole messages, at most one update and one text among them.
    pub fn take_output(&mut self) -> Vec<u8> {
        let Outbox { mut bytes, bell, .. } = std::mem::take(&mut self.out);
        if bell {
            bytes.push(DesktopMessage::BELL.0);
        }
        if self.is_ready() {
            self.clipboard.flush(&mut bytes);
        }
        bytes
    }

    /// Tells the viewer a text of the desktop's clipboard, in the place of one that it was told before: by the extended clipboard, by
    /// which it asks for it ([`crate::clipboard::Event::Asked`]), or whole and in Latin-1 where it knows no more.
    pub fn cut_text(&mut self, text: &Text) -> Delivery {
        if self.is_ready() { self.clipboard.offer(text) } else { Delivery::NotReady }
    }

    /// Asks for the text that [`crate::clipboard::Event::Offered`] told of. False if the viewer cannot be asked, or leaves too much
    /// unanswered.
    pub fn request_cut_text(&mut self) -> bool {
        self.is_ready() && self.clipboard.ask()
    }

    /// The text that the viewer may ask for.
    pub fn offered_cut_text(&self) -> Option<&Text> {
        self.clipboard.held()
    }

    /// Answers [`crate::clipboard::Event::Asked`] with the text that was last told, once however often it is called before the output
    /// is taken. False if there is none.
    pub fn provide_cut_text(&mut self) -> bool {
        self.is_ready() && self.clipboard.provide()
    }

    /// Takes back the text that was last told: it is no longer to be had. The other answer to [`crate::clipboard::Event::Asked`].
    pub fn withdraw_cut_text(&mut self) {
        self.clipboard.withdraw();
    }

    /// Rings the viewer's bell, once however often it is called before the output is taken.
    pub fn bell(&mut self) {
        self.out.bell = self.is_ready();
    }

    /// Answers [`Event::SetSize`] with a status of ExtendedDesktopSize: 1 prohibited, 2 out of resources, 3 invalid layout.
    /// It goes with the next update.
    pub fn size_refused(&mut self, status: u16) {
        if std::mem::take(&mut self.asked.size) {
            self.asked.size_status = Some(status);
        }
    }

    /// Permits one answer to a request that is not incremental with the whole screen, though the viewer lacks less.
    /// Without a clock here, the caller sets the pace: one permit a second. Permits do not add up.
    pub fn grant_refresh(&mut self) {
        self.asked.refresh_granted = true;
    }

    /// The newest revision of the screen that this viewer was sent a pixel of.
    pub fn revision(&self) -> u64 {
        self.held.newest
    }

    /// Updates sent by continuous updates that the viewer has not yet dealt with. One that stays at it does not read.
    pub fn in_flight(&self) -> usize {
        self.pacing.in_flight()
    }

    /// Ends the connection by an error.
    pub(super) fn broken(&mut self, error: ProtocolError) -> ProtocolError {
        self.phase = Phase::Broken(error.clone());
        error
    }

    fn take(&mut self, input: &mut &[u8], events: &mut Vec<Event>) -> Result<(), ProtocolError> {
        match &mut self.phase {
            Phase::Broken(error) => return Err(error.clone()),
            Phase::Open => {}
            Phase::Handshake(handshake) => match handshake.advance(input, &mut self.out.bytes)? {
                None => return Ok(()),
                Some(shared) => {
                    self.phase = Phase::Open;
                    self.server_init();
                    events.push(Event::Ready { shared });
                }
            },
        }
        while let Some(message) = self.parser.next(input, &self.clipboard.terms())? {
            events.extend(self.act(message)?);
        }
        Ok(())
    }

    /// ServerInit (RFC 6143 §7.3.2): size, pixel format, label.
    fn server_init(&mut self) {
        let most = usize::try_from(MAX_NAME).unwrap_or(0).min(self.config.name.len());
        let end = self.config.name.floor_char_boundary(most);
        let name = self.config.name.get(..end).unwrap_or_default();
        let out = &mut self.out.bytes;
        out.extend(self.told.size.width.to_be_bytes());
        out.extend(self.told.size.height.to_be_bytes());
        out.extend(BGR0.to_wire());
        out.extend(u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(name.as_bytes());
    }
}
