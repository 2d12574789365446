//! The clipboard of a peer, the same on both sides: classic cut text and the extended clipboard, text alone.
//!
//! Classic cut text (RFC 6143 §7.5.6, §7.6.4) is Latin-1 and comes unasked. By the extended clipboard (community specification,
//! "Extended Clipboard Pseudo-Encoding") a text is announced, asked for and then provided: whoever is not permitted to have it does
//! not ask. Both give a [`Text`], and a [`Text`] leaves by whichever the peer understands.
//!
//! INVARIANT: nothing is inflated that was not asked for, and nothing of a peer's bytes is written again: a text is parsed, brought to
//! its one form and written anew. Formats other than text are neither asked for nor read.
//!
//! What breaks the frame (lengths, flags) ends the connection. A text that cannot be read does not: its length is known, so the stream
//! stays in step, and otherwise any program that copies broken bytes could end the session of the person who looks on.

mod caps;
mod endpoint;
mod incoming;
mod inflate;
mod message;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

pub(crate) use endpoint::Endpoint;
pub(crate) use incoming::{CutText, Heard, Terms};
pub use text::Text;

/// What a peer did with its clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It has a text and has not sent it; or it sent one that nobody asked for, which was read past. It may be asked for it.
    Offered,
    /// Its text: pushed by the classic message, or provided because it was asked.
    Text(Text),
    /// Its text is over the limit; nothing of it was kept.
    TooLong {
        /// Its length as the peer gives it: Latin-1 bytes, or UTF-8 with CR LF and a NUL.
        bytes: u32,
    },
    /// What it provided is no text; nothing of it was kept.
    Unreadable(Unreadable),
    /// It asks for the text that it was last offered.
    Asked,
}

/// Why what a peer provided is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// The zlib stream (RFC 1950) is broken.
    Zlib,
    /// The zlib stream ends before the text does.
    Truncated,
    /// It is not UTF-8 (RFC 3629): overlong, surrogate, out of range or cut.
    Utf8,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zlib => "its zlib stream is broken",
            Self::Truncated => "its zlib stream ends before the text does",
            Self::Utf8 => "it is not UTF-8",
        })
    }
}

/// What became of a text that a peer was to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Delivery {
    /// It was announced, and is held until the peer asks for it, or another text or a withdrawal takes its place.
    Offered,
    /// It was sent by the classic message.
    Sent {
        /// Characters that Latin-1 lacks and that were sent as `?`; [`crate::latin1::missing`] names them.
        lost: usize,
    },
    /// It is over the limit for this peer: nothing was said.
    TooLong,
    /// The handshake is not over, or the connection is: nothing was said.
    NotReady,
}
