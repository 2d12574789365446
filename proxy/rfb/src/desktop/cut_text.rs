//! ServerCutText (RFC 6143 §7.6.4): Latin-1 text within the limit, or the bare length of one that is over it.

use super::Event;
use crate::error::{ProtocolError, Side};
use crate::intake::{fill, length};
use crate::latin1;
use crate::limits::MAX_CUT_TEXT_SKIPPED;

/// The body of a ServerCutText.
#[derive(Debug)]
pub(super) enum CutText {
    /// Within the limit.
    Kept { length: usize, text: Vec<u8> },
    /// Over it: read past, so that a person who copies too much does not lose the session.
    Skipped { bytes: u32, left: usize },
}

impl CutText {
    /// The body of `bytes` bytes that follows, of which at most `limit` are kept.
    pub(super) fn new(bytes: u32, limit: u32) -> Result<Self, ProtocolError> {
        let refused = |reason| Err(ProtocolError::new(Side::Desktop, "ServerCutText", "length", reason));
        match bytes {
            _ if bytes <= limit => Ok(Self::Kept { length: length(bytes), text: Vec::new() }),
            _ if bytes <= MAX_CUT_TEXT_SKIPPED => Ok(Self::Skipped { bytes, left: length(bytes) }),
            _ if bytes.cast_signed() < 0 => {
                refused(format!("{} is the extended clipboard, which was not asked for", bytes.cast_signed()))
            }
            _ => refused(format!("{bytes} is over {MAX_CUT_TEXT_SKIPPED}")),
        }
    }

    /// Takes what is there of the body; the event when it is whole.
    pub(super) fn advance(&mut self, input: &mut &[u8]) -> Option<Event> {
        match self {
            Self::Kept { length, text } => fill(text, *length, input).then(|| Event::CutText(latin1::decode(text))),
            Self::Skipped { bytes, left } => {
                let (now, rest) = input.split_at((*left).min(input.len()));
                *left -= now.len();
                *input = rest;
                (*left == 0).then_some(Event::CutTextTooLong { bytes: *bytes })
            }
        }
    }
}
