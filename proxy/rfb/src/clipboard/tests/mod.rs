//! The clipboard's messages alone: what each form becomes, what is refused, and what it may cost.

mod conversation;
mod hostile;
mod properties;

use super::Unreadable;
use super::caps::{CAPS, Caps, NOTIFY, PROVIDE, REQUEST, TEXT};
use super::incoming::{Agreed, CutText, Heard, Terms};
use super::message::Message;
use super::text::Text;
use crate::error::{ProtocolError, Side};
use crate::intake::Intake;
use crate::limits::Limits;
use flate2::{Compress, Compression, FlushCompress};

/// What a desktop may send once everything is agreed and it was asked.
fn terms() -> Terms {
    Terms { from: Side::Desktop, limits: Limits::default(), agreed: Agreed::All, asked: true }
}

/// A message from behind its type byte: padding, length, body.
fn message(length: i32, body: &[u8]) -> Vec<u8> {
    [&[0xaa, 0xaa, 0xaa][..], &length.to_be_bytes(), body].concat()
}

/// An extended message of these flags.
fn extended(flags: u32, body: &[u8]) -> Vec<u8> {
    message(-(body.len() as i32 + 4), &[&flags.to_be_bytes()[..], body].concat())
}

/// Bytes in a zlib stream of their own, ended by a flush of this kind.
fn zlib(plain: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut stream = Compress::new(Compression::best(), true);
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 100 + 256);
    stream.compress_vec(plain, &mut packed, flush).unwrap();
    assert_eq!(stream.total_in(), plain.len() as u64);
    packed
}

/// Size and data of one format, before they are deflated.
fn format(data: &[u8]) -> Vec<u8> {
    [&(data.len() as u32).to_be_bytes()[..], data].concat()
}

/// A provide message of text alone, from what its zlib stream holds.
fn provide(plain: &[u8]) -> Vec<u8> {
    extended(PROVIDE | TEXT, &zlib(plain, FlushCompress::Sync))
}

/// Parses whole messages, in chunks of these lengths over and over; all that was heard, and the most that was held meanwhile.
fn parse(bytes: &[u8], chunk: usize, terms: &Terms) -> Result<(Vec<Heard>, usize), ProtocolError> {
    let (mut intake, mut open, mut heard, mut held) = (Intake::default(), None::<CutText>, Vec::new(), 0);
    for mut input in bytes.chunks(chunk) {
        loop {
            let Some(text) = &mut open else {
                let Some([_, _, _, length @ ..]) = intake.take::<7>(&mut input) else { break };
                open = Some(CutText::new(i32::from_be_bytes(length), terms)?);
                continue;
            };
            let one = text.advance(&mut intake, &mut input, terms)?;
            held = held.max(text.allocated());
            match one {
                Some(one) => heard.push(one),
                None => break,
            }
            open = None;
        }
    }
    assert!(open.is_none(), "a message is not whole");
    Ok((heard, held))
}

/// The one message of these bytes, the same at once and byte by byte.
fn hear(bytes: &[u8], terms: &Terms) -> Heard {
    let whole = parse(bytes, bytes.len(), terms).unwrap().0;
    assert_eq!(parse(bytes, 1, terms).unwrap().0, whole);
    let [one] = <[Heard; 1]>::try_from(whole).unwrap();
    one
}

/// The field and reason by which these bytes are refused.
fn refused(bytes: &[u8], terms: &Terms) -> (String, String) {
    let error = parse(bytes, 1, terms).unwrap_err();
    assert_eq!((error.side, error.message), (Side::Desktop, "ServerCutText"));
    (error.field, error.reason)
}

fn provided(text: &str) -> Heard {
    Heard::Message(Message::Provide(text.into()))
}
