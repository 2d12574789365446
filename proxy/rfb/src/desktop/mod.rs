//! Portcullis as RFB viewer of the desktop: handshake, message parser and writers, without I/O.
//!
//! Bytes of the desktop go into [`Connection::receive`], values come out; what Portcullis says to the desktop is collected for
//! [`Connection::take_output`]. The desktop is hostile: what was not asked for ends the connection.

mod budget;
mod handshake;
mod messages;
mod rectangle;
#[cfg(test)]
mod tests;
mod update;
mod write;

use std::fmt;

use crate::clipboard::{self, Delivery, Text};
use crate::error::ProtocolError;
use crate::geometry::Size;
use crate::input::{Key, Pointer};
use crate::intake::Intake;
use crate::limits::Limits;
use crate::screen::Change;
use crate::wire::SecurityType;
use budget::Budget;
use handshake::Handshake;
use messages::Messages;

/// How the desktop is to be spoken to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Config {
    /// The one way to authenticate; a desktop that does not offer it is refused.
    pub security: Security,
    /// What the desktop may make Portcullis hold.
    pub limits: Limits,
}

/// How Portcullis authenticates to the desktop. Configuration chooses, never the desktop: there is no falling back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Security {
    /// Not at all: for a unix socket that only the gate can open.
    #[default]
    None,
}

impl Security {
    /// Its code on the wire.
    pub fn security_type(self) -> SecurityType {
        match self {
            Security::None => SecurityType::NONE,
        }
    }
}

/// What the desktop did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
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
    intake: Intake,
    phase: Phase,
    output: Vec<u8>,
}

/// Neither texts nor pixels: it may end up in a log.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("desktop::Connection").field("ready", &self.is_ready()).finish_non_exhaustive()
    }
}

enum Phase {
    Handshake(Handshake),
    Messages(Messages),
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

    /// Whether [`Event::Ready`] has come and the protocol has not been broken since. Before and after it nothing is sent.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Messages(_))
    }

    /// Asks for the next update of the whole screen: of what has changed since the last one, or of everything.
    ///
    /// It also renews what the desktop may cost: pixels beyond [`crate::limits::MAX_UPDATE_AREAS`] screens, or sizes beyond
    /// [`crate::limits::MAX_UPDATE_RESIZES`], that come without another request end the connection.
    pub fn request_update(&mut self, incremental: bool) {
        if let Phase::Messages(messages) = &mut self.phase {
            messages.desktop.budget = Budget::new(messages.desktop.size);
            write::update_request(&mut self.output, incremental, messages.desktop.size);
        }
    }

    /// Sends a key, with its scan code where there is one and the desktop has said that it understands them.
    pub fn key(&mut self, key: Key) {
        if let Phase::Messages(messages) = &self.phase {
            write::key(&mut self.output, key, messages.desktop.takes_scancodes);
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
                Phase::Handshake(handshake) => {
                    match handshake.advance(&mut self.intake, &mut input, &mut self.output)? {
                        Progress::Wait => return Ok(()),
                        Progress::Again => {}
                        Progress::Done((size, name)) => {
                            write::set_pixel_format(&mut self.output);
                            write::set_encodings(&mut self.output);
                            self.phase = Phase::Messages(Messages::new(size, self.limits));
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
