//! Portcullis as RFB server towards a viewer: handshake, message parser, and an encoder of the screen paced by the viewer.
//!
//! A conversation: bytes of the viewer go to [`Connection::receive`], which answers with what they ask for; whenever
//! [`Connection::wants_update`], [`Connection::update`] encodes what this viewer lacks; [`Connection::take_output`] has what to send.

mod acts;
mod connection;
mod cursor;
mod encodings;
mod format;
mod handshake;
mod message;
mod pacing;
mod picture;
mod serve;
mod sizes;
#[cfg(test)]
mod tests;
mod tight;
mod update;

use crate::clipboard;
use crate::geometry::Size;
use crate::input::{Key, Pointer};
use crate::limits::Limits;
pub use connection::Connection;
pub use pacing::{MAX_BYTES_IN_FLIGHT, MAX_UPDATES_IN_FLIGHT};
pub use serve::REFINED_PIXELS;

/// What a viewer is told and what it may do to us.
#[derive(Debug, Clone)]
pub struct Config {
    /// The session's label in ServerInit, cut to 256 bytes of UTF-8.
    pub name: String,
    /// Size of the screen when the viewer connects.
    pub size: Size,
    /// Bounds on what it may ask for.
    pub limits: Limits,
    /// Whether photographs may be sent as JPEG to a viewer that asks for it.
    pub jpeg: bool,
}

/// What a viewer asks for. Policy judges it; nothing of it has been done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The handshake is over; updates may follow.
    Ready {
        /// Whether the viewer would share the desktop with others.
        shared: bool,
    },
    /// A key.
    Key(Key),
    /// The pointer, inside of the screen that the viewer was last told of.
    Pointer(Pointer),
    /// It did something with its clipboard (ClientCutText, classic or extended).
    Clipboard(clipboard::Event),
    /// Another size of the screen, within the limits. Answered by the size changing, or by [`Connection::size_refused`].
    SetSize(Size),
}
