//! Portcullis as RFB viewer of the desktop: handshake, message parser and writers, without I/O.
//!
//! Bytes of the desktop go into [`Connection::receive`], values come out; what Portcullis says to the desktop is collected for
//! [`Connection::take_output`]. The desktop is hostile: what was not asked for ends the connection. [`Encodings`] says what is asked
//! for; every one of them is decoded as its bytes come, into no more than the pixels of its rectangle.

mod budget;
mod canvas;
mod encodings;
mod handshake;
mod hextile;
mod inflate;
mod messages;
mod rectangle;
mod rre;
mod security;
#[cfg(test)]
mod tests;
mod tight;
mod update;
mod write;
mod zrle;

use std::fmt;

use crate::clipboard::{self, Delivery, Text};
use crate::error::ProtocolError;
use crate::geometry::Size;
use crate::input::{Key, Pointer};
use crate::intake::Intake;
use crate::limits::Limits;
use crate::screen::Change;
use budget::Budget;
pub use encodings::{Encodings, Jpeg};
use handshake::{Handshake, Milestone};
use messages::Messages;
pub use security::{Login, MAX_PLAIN, MAX_VNC_PASSWORD, SecretError, Security, VncPassword};

/// How the desktop is to be spoken to.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The one way to authenticate; a desktop that does not offer it is refused.
    pub security: Security,
    /// What it is asked to send, and so all that it may send.
    pub encodings: Encodings,
    /// What the desktop may make Portcullis hold.
    pub limits: Limits,
    /// What it hears of a key.
    pub keys: Keys,
}

/// What a desktop hears of a key. A viewer chooses keysym and scan code apart from each other, and only the keysym is judged and recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// The keysym alone; a key without one is not sent.
    #[default]
    Keysyms,
    /// The scan code too, where there is one and the desktop takes it: for desktops that are virtual machines.
    Scancodes,
}

/// What a desktop declines by the protocol's own means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declined {
    /// The connection, before it named any way to authenticate: it is busy, or keeps the gate out for a while.
    Connection,
    /// The gate's credentials.
    Login,
}

/// What the desktop did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// TLS begins with the next byte of either side. The caller writes what [`Connection::take_output`] still has, takes the stream to TLS,
    /// verifies the desktop's certificate and calls [`Connection::secured`]; bytes that come before are an error.
    StartTls,
    /// The desktop declined: nothing more comes of this connection.
    Declined {
        /// What it declined.
        what: Declined,
        /// Its own words, possibly none: hostile, but bounded and printable.
        reason: String,
    },
    /// The handshake is over and the pixel format and encodings are set; nothing has been requested yet.
    Ready {
        /// Size of the framebuffer.
        size: Size,
        /// The desktop's name for itself: at most [`crate::limits::MAX_NAME`] bytes of UTF-8, hostile text.
        name: String,
    },
    /// One whole FramebufferUpdate, which may be empty. Every change fits the screen that the changes before it leave.
    Update(Vec<Change>),
    /// It did something with its clipboard (ServerCutText, classic or extended).
    Clipboard(clipboard::Event),
    /// The bell. Sent at any rate: the session paces it.
    Bell,
    /// A size that [`Connection::set_size`] asked for was refused: the status of ExtendedDesktopSize, 1 prohibited, 2 out of
    /// resources, 3 invalid layout, 4 forwarded to someone who will decide.
    SizeRefused(u16),
}

/// One connection to a desktop.
pub struct Connection {
    limits: Limits,
    encodings: Encodings,
    keys: Keys,
    intake: Intake,
    phase: Phase,
    output: Vec<u8>,
}

enum Phase {
    Handshake(Handshake),
    Messages(Box<Messages>),
    Declined,
    Broken(ProtocolError),
}

/// How far a parser came.
enum Progress<T> {
    /// The input is used up before the value is whole.
    Wait,
    /// A step was done; there may be more in the input.
    Again,
    /// The value is whole.
    Done(T),
}

impl Connection {
    /// A connection that awaits the desktop's ProtocolVersion.
    pub fn new(config: Config) -> Self {
        let config = Config { limits: config.limits.bounded(), ..config };
        Self {
            limits: config.limits,
            encodings: config.encodings,
            keys: config.keys,
            intake: Intake::default(),
            phase: Phase::Handshake(Handshake::new(config)),
            output: Vec::new(),
        }
    }

    /// Takes bytes of the desktop, in chunks of any length: the events do not depend on the chunking.
    ///
    /// # Errors
    /// The desktop broke the protocol. Events before it in `bytes` and output that was not taken are lost, and every further
    /// call gives the same error: the caller closes the connection.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Event>, ProtocolError> {
        let mut events = Vec::new();
        let parsed = self.parse(bytes, &mut events);
        if let Err(error) = parsed {
            self.output.clear();
            self.phase = Phase::Broken(error.clone());
            return Err(error);
        }
        Ok(events)
    }

    /// What is to be written to the desktop: whole messages. Every other method adds at most one short message or one text,
    /// so a caller that takes the output after each call holds no queue here.
    pub fn take_output(&mut self) -> Vec<u8> {
        if let Phase::Messages(messages) = &mut self.phase {
            messages.clipboard.flush(&mut self.output);
        }
        std::mem::take(&mut self.output)
    }

    /// TLS is up and the desktop's certificate verified: what is received from here on came through it, and what is said goes through it.
    /// Does nothing where [`Event::StartTls`] has not come.
    pub fn secured(&mut self) {
        if let Phase::Handshake(handshake) = &mut self.phase {
            handshake.secured(&mut self.output);
        }
    }

    /// Whether [`Event::Ready`] has come and the protocol has not been broken since. Before and after it nothing is sent.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Messages(_))
    }

    /// Asks for the next update of the whole screen: of what has changed since the last one, or of everything.
    ///
    /// It also renews what the desktop may cost: pixels beyond [`crate::limits::MAX_UPDATE_AREAS`] screens, rectangles beyond
    /// [`crate::limits::MAX_UPDATE_RECTANGLES`], or sizes beyond [`crate::limits::MAX_UPDATE_RESIZES`], that come without another
    /// request end the connection.
    pub fn request_update(&mut self, incremental: bool) {
        if let Phase::Messages(messages) = &mut self.phase {
            messages.desktop.budget = Budget::new(messages.desktop.size);
            write::update_request(&mut self.output, incremental, messages.desktop.size);
        }
    }

    /// Sends a key as [`Config::keys`] says.
    pub fn key(&mut self, key: Key) {
        if let Phase::Messages(messages) = &self.phase {
            let scancodes = self.keys == Keys::Scancodes && messages.desktop.takes_scancodes;
            write::key(&mut self.output, key, scancodes);
        }
    }

    /// Sends the pointer; a place outside of the screen becomes the nearest one on it.
    pub fn pointer(&mut self, pointer: Pointer) {
        if let Phase::Messages(messages) = &self.phase {
            write::pointer(&mut self.output, pointer, messages.desktop.size);
        }
    }

    /// Tells the desktop a text: by the extended clipboard, by which it asks for it ([`clipboard::Event::Asked`]) when a program there
    /// pastes, or whole and in Latin-1 where it knows no more.
    pub fn cut_text(&mut self, text: &Text) -> Delivery {
        let Phase::Messages(messages) = &mut self.phase else {
            return Delivery::NotReady;
        };
        let told = messages.clipboard.offer(text);
        // Now, not with the next output: keys that follow are pressed after it.
        messages.clipboard.flush(&mut self.output);
        told
    }

    /// Lowers the limit of one text, in bytes of UTF-8, for all that comes after.
    pub fn limit_text(&mut self, bytes: u32) {
        if let Some(clipboard) = self.clipboard() {
            clipboard.limit(bytes);
        }
    }

    /// Asks for the text that [`clipboard::Event::Offered`] told of. False if the desktop cannot be asked, or leaves too much unanswered.
    pub fn request_cut_text(&mut self) -> bool {
        self.clipboard().is_some_and(clipboard::Endpoint::ask)
    }

    /// The text that the desktop may ask for.
    pub fn offered_cut_text(&self) -> Option<&Text> {
        match &self.phase {
            Phase::Messages(messages) => messages.clipboard.held(),
            _ => None,
        }
    }

    /// Answers [`clipboard::Event::Asked`] with the text that was last told, once however often it is called before the output is
    /// taken. False if there is none.
    pub fn provide_cut_text(&mut self) -> bool {
        self.clipboard().is_some_and(clipboard::Endpoint::provide)
    }

    /// Takes back the text that was last told: it is no longer to be had. The other answer to [`clipboard::Event::Asked`].
    pub fn withdraw_cut_text(&mut self) {
        if let Some(clipboard) = self.clipboard() {
            clipboard.withdraw();
        }
    }

    /// Whether texts reach the desktop with every character, not only those of Latin-1. Known once it has said what it can do.
    pub fn takes_unicode(&self) -> bool {
        matches!(&self.phase, Phase::Messages(messages) if messages.clipboard.takes_unicode())
    }

    /// Whether the desktop hears scan codes, which then say what a key is. Known once it has said what it can do.
    pub fn takes_scancodes(&self) -> bool {
        let told = matches!(&self.phase, Phase::Messages(messages) if messages.desktop.takes_scancodes);
        told && self.keys == Keys::Scancodes
    }

    /// Asks for another size. False, and nothing is sent, when the limits forbid it or the desktop has not said that it can.
    /// The answer is a [`Change::Resize`] or [`Event::SizeRefused`].
    pub fn set_size(&mut self, size: Size) -> bool {
        match &self.phase {
            Phase::Messages(messages) if self.limits.allows_framebuffer(size) => match messages.desktop.screen_id {
                Some(id) => write::set_desktop_size(&mut self.output, size, id),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    fn clipboard(&mut self) -> Option<&mut clipboard::Endpoint> {
        match &mut self.phase {
            Phase::Messages(messages) => Some(&mut messages.clipboard),
            _ => None,
        }
    }

    fn parse(&mut self, mut input: &[u8], events: &mut Vec<Event>) -> Result<(), ProtocolError> {
        loop {
            match &mut self.phase {
                Phase::Broken(error) => return Err(error.clone()),
                Phase::Declined => return Ok(()),
                Phase::Handshake(handshake) => {
                    match handshake.advance(&mut self.intake, &mut input, &mut self.output)? {
                        Progress::Wait => return Ok(()),
                        Progress::Again => {}
                        Progress::Done(Milestone::StartTls) => events.push(Event::StartTls),
                        Progress::Done(Milestone::Declined(what, reason)) => {
                            self.phase = Phase::Declined;
                            events.push(Event::Declined { what, reason });
                        }
                        Progress::Done(Milestone::Ready(size, name)) => {
                            write::set_pixel_format(&mut self.output);
                            write::set_encodings(&mut self.output, self.encodings);
                            self.phase = Phase::Messages(Box::new(Messages::new(size, self.limits, self.encodings)));
                            events.push(Event::Ready { size, name });
                        }
                    }
                }
                Phase::Messages(messages) => match messages.advance(&mut self.intake, &mut input, events)? {
                    Progress::Wait => return Ok(()),
                    Progress::Again | Progress::Done(()) => {}
                },
            }
        }
    }
}

/// Says nothing of the bytes that it holds: passwords and clipboard texts pass through them.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Handshake(_) => "handshake",
            Phase::Messages(_) => "messages",
            Phase::Declined => "declined",
            Phase::Broken(_) => "broken",
        };
        f.debug_struct("Connection").field("phase", &phase).field("output", &self.output.len()).finish_non_exhaustive()
    }
}
