//! Clipboard messages as values, and how they are written: whole, exact lengths, padding 0.

use flate2::{Compress, Compression};

use super::caps::{Caps, NOTIFY, PEEK, PROVIDE, REQUEST, TEXT};
use super::text::Text;
use crate::deflate::deflate;
use crate::error::Side;
use crate::latin1;
use crate::wire::{DesktopMessage, ViewerMessage};

/// A message of either direction. Of formats nothing is kept but whether text is among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// The classic message.
    Text(Text),
    Caps(Caps),
    Request {
        text: bool,
    },
    Peek,
    Notify {
        text: bool,
    },
    Provide(Text),
}

impl Message {
    /// Appends the message as the peer `to` gets it. Text of the classic message is cut down to Latin-1.
    pub(super) fn write(&self, to: Side, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => classic(to, &latin1::encode(text.as_str()), out),
            Self::Caps(caps) => {
                let size = caps.text.map(u32::to_be_bytes);
                extended(to, caps.flags(), size.as_ref().map_or(&[], |size| size), out);
            }
            Self::Request { text } => extended(to, REQUEST | formats(*text), &[], out),
            Self::Peek => extended(to, PEEK, &[], out),
            Self::Notify { text } => extended(to, NOTIFY | formats(*text), &[], out),
            Self::Provide(text) => {
                if let Some(body) = provided(text) {
                    extended(to, PROVIDE | TEXT, &body, out);
                }
            }
        }
    }
}

fn formats(text: bool) -> u32 {
    if text { TEXT } else { 0 }
}

/// The classic message (RFC 6143 §7.5.6, §7.6.4) of these Latin-1 bytes.
pub(super) fn classic(to: Side, bytes: &[u8], out: &mut Vec<u8>) {
    // INVARIANT: no text is over the limits, which are far below 2^31.
    let Ok(length) = i32::try_from(bytes.len()) else { return };
    header(to, length, out);
    out.extend_from_slice(bytes);
}

fn extended(to: Side, flags: u32, body: &[u8], out: &mut Vec<u8>) {
    let Some(length) = i32::try_from(body.len()).ok().and_then(|length| length.checked_add(4)) else { return };
    header(to, -length, out);
    out.extend_from_slice(&flags.to_be_bytes());
    out.extend_from_slice(body);
}

fn header(to: Side, length: i32, out: &mut Vec<u8>) {
    let code = match to {
        Side::Desktop => ViewerMessage::CUT_TEXT.0,
        Side::Viewer => DesktopMessage::CUT_TEXT.0,
    };
    out.extend_from_slice(&[code, 0, 0, 0]);
    out.extend_from_slice(&length.to_be_bytes());
}

/// Size and text in a zlib stream of their own, with a sync flush behind them as TigerVNC and noVNC have it: libvncserver takes no
/// stream that is ended. None if zlib fails, which it has no reason to.
fn provided(text: &Text) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    deflate(&mut Compress::new(Compression::fast(), true), &text.to_wire()?, &mut body).then_some(body)
}
