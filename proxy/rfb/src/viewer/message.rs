//! Messages of a viewer (RFC 6143 §7.5 and the community specification), parsed from chunks of any length.

use crate::catalogue::{VIEWER_MESSAGES, outcome, why};
use crate::clipboard::{CutText, Heard, Terms};
use crate::error::{ProtocolError, Side};
use crate::geometry::{Point, Rect, Size};
use crate::input::{Key, Pointer};
use crate::intake::{Intake, fill};
use crate::limits::{MAX_ENCODINGS, MAX_FENCE_PAYLOAD};
use crate::pixel::PixelFormat;
use crate::wire::{Encoding, QEMU_EXTENDED_KEY, ViewerMessage};

/// Largest scan code of a key: one byte, the prefix 0xE0 being its highest bit (QEMU's convention).
const MAX_SCANCODE: u32 = 0xFF;

/// Bytes of one screen in SetDesktopSize.
const SCREEN: usize = 16;

/// A whole message. Nothing of it has been compared with what was agreed with the viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    SetPixelFormat(PixelFormat),
    SetEncodings(Vec<Encoding>),
    UpdateRequest {
        incremental: bool,
        area: Rect,
    },
    Key(Key),
    Pointer(Pointer),
    CutText(Heard),
    EnableContinuousUpdates {
        enable: bool,
        area: Rect,
    },
    Fence {
        flags: u32,
        payload: Vec<u8>,
    },
    /// `plain`: one screen, at 0,0, as large as the whole.
    SetDesktopSize {
        size: Size,
        plain: bool,
    },
    ExtendedKey(Key),
}

/// A message whose length is known and whose rest is awaited.
#[derive(Debug)]
enum Body {
    Encodings,
    Fence { flags: u32 },
    DesktopSize { size: Size },
}

#[derive(Debug)]
enum State {
    Type,
    Head(ViewerMessage),
    QemuHead,
    Body(Body, usize),
    CutText(CutText),
}

/// The parser: holds at most one message, the longest being a text within its limits.
#[derive(Debug)]
pub(super) struct Parser {
    state: State,
    intake: Intake,
    body: Vec<u8>,
    /// Messages that were whole.
    whole: u64,
}

impl Parser {
    pub(super) fn new() -> Self {
        Self { state: State::Type, intake: Intake::default(), body: Vec::new(), whole: 0 }
    }

    /// The next whole message of `input`, which is advanced past it; none if its rest has not come yet, and then `input` is empty.
    /// `terms` are for cut text.
    pub(super) fn next(&mut self, input: &mut &[u8], terms: &Terms) -> Result<Option<Message>, ProtocolError> {
        let message = self.advance(input, terms)?;
        self.whole = self.whole.wrapping_add(u64::from(message.is_some()));
        Ok(message)
    }

    /// How many whole messages came before the one that has begun, if one has.
    pub(super) fn half(&self) -> Option<u64> {
        (!matches!(self.state, State::Type)).then_some(self.whole)
    }

    fn advance(&mut self, input: &mut &[u8], terms: &Terms) -> Result<Option<Message>, ProtocolError> {
        loop {
            match &mut self.state {
                State::Type => {
                    let Some([kind]) = self.intake.take::<1>(input) else {
                        return Ok(None);
                    };
                    self.state = State::Head(served(kind)?);
                }
                State::Head(kind) => {
                    let kind = *kind;
                    let Some(message) = self.head(kind, input, terms)? else {
                        return Ok(None);
                    };
                    if let Some(message) = message {
                        return Ok(Some(message));
                    }
                }
                State::QemuHead => {
                    let Some(head) = self.intake.take::<10>(input) else {
                        return Ok(None);
                    };
                    self.state = State::Type;
                    return extended_key(head).map(Some);
                }
                State::Body(_, total) => {
                    if !fill(&mut self.body, *total, input) {
                        return Ok(None);
                    }
                    let State::Body(kind, _) = std::mem::replace(&mut self.state, State::Type) else {
                        return Ok(None);
                    };
                    return Ok(Some(message_of(kind, &std::mem::take(&mut self.body))));
                }
                State::CutText(text) => {
                    let Some(heard) = text.advance(&mut self.intake, input, terms)? else {
                        return Ok(None);
                    };
                    self.state = State::Type;
                    return Ok(Some(Message::CutText(heard)));
                }
            }
        }
    }

    /// The part of fixed length after the type: none if not all there, else the message if that was all of it.
    fn head(
        &mut self,
        kind: ViewerMessage,
        input: &mut &[u8],
        terms: &Terms,
    ) -> Result<Option<Option<Message>>, ProtocolError> {
        let intake = &mut self.intake;
        let (state, message) = match kind {
            ViewerMessage::SET_PIXEL_FORMAT => {
                let Some([_, _, _, format @ ..]) = intake.take::<19>(input) else { return Ok(None) };
                (State::Type, Some(Message::SetPixelFormat(PixelFormat::from_wire(format))))
            }
            ViewerMessage::SET_ENCODINGS => {
                let Some([_, high, low]) = intake.take::<3>(input) else { return Ok(None) };
                (State::Body(Body::Encodings, encodings_length(u16::from_be_bytes([high, low]))?), None)
            }
            ViewerMessage::FRAMEBUFFER_UPDATE_REQUEST => {
                let Some([incremental, area @ ..]) = intake.take::<9>(input) else { return Ok(None) };
                (State::Type, Some(Message::UpdateRequest { incremental: incremental != 0, area: rect(area) }))
            }
            ViewerMessage::KEY_EVENT => {
                let Some([down, _, _, keysym @ ..]) = intake.take::<7>(input) else { return Ok(None) };
                let key = Key { down: down != 0, keysym: u32::from_be_bytes(keysym), scancode: None };
                (State::Type, Some(Message::Key(key)))
            }
            ViewerMessage::POINTER_EVENT => {
                let Some([buttons, x0, x1, y0, y1]) = intake.take::<5>(input) else { return Ok(None) };
                let at = Point::new(u16::from_be_bytes([x0, x1]), u16::from_be_bytes([y0, y1]));
                (State::Type, Some(Message::Pointer(Pointer::new(buttons, at))))
            }
            ViewerMessage::CUT_TEXT => {
                let Some([_, _, _, length @ ..]) = intake.take::<7>(input) else { return Ok(None) };
                (State::CutText(CutText::new(i32::from_be_bytes(length), terms)?), None)
            }
            ViewerMessage::ENABLE_CONTINUOUS_UPDATES => {
                let Some([enable, area @ ..]) = intake.take::<9>(input) else { return Ok(None) };
                (State::Type, Some(Message::EnableContinuousUpdates { enable: enable != 0, area: rect(area) }))
            }
            ViewerMessage::FENCE => {
                let Some([_, _, _, f0, f1, f2, f3, length]) = intake.take::<8>(input) else { return Ok(None) };
                (fence(u32::from_be_bytes([f0, f1, f2, f3]), length)?, None)
            }
            ViewerMessage::SET_DESKTOP_SIZE => {
                let Some([_, w0, w1, h0, h1, screens, _]) = intake.take::<7>(input) else { return Ok(None) };
                let size = Size::new(u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
                (State::Body(Body::DesktopSize { size }, usize::from(screens) * SCREEN), None)
            }
            ViewerMessage::QEMU => {
                let Some([kind]) = intake.take::<1>(input) else { return Ok(None) };
                (qemu(kind)?, None)
            }
            other => return Err(refused(other)),
        };
        self.state = state;
        Ok(Some(message))
    }
}

/// The types that are served at all; whether they were agreed is judged when the message is whole.
fn served(kind: u8) -> Result<ViewerMessage, ProtocolError> {
    let kind = ViewerMessage(kind);
    if outcome(VIEWER_MESSAGES, kind).survives() { Ok(kind) } else { Err(refused(kind)) }
}

fn refused(kind: ViewerMessage) -> ProtocolError {
    let reason = format!("{} is not served{}", kind.0, why(VIEWER_MESSAGES, kind));
    error(kind.name().unwrap_or("unknown message"), "message-type", reason)
}

fn error(message: &'static str, field: &'static str, reason: impl Into<String>) -> ProtocolError {
    ProtocolError::new(Side::Viewer, message, field, reason)
}

fn rect([x0, x1, y0, y1, w0, w1, h0, h1]: [u8; 8]) -> Rect {
    let [x, y, width, height] = [[x0, x1], [y0, y1], [w0, w1], [h0, h1]].map(u16::from_be_bytes);
    Rect::new(x, y, width, height)
}

fn encodings_length(number: u16) -> Result<usize, ProtocolError> {
    if number > MAX_ENCODINGS {
        return Err(error("SetEncodings", "number-of-encodings", format!("{number} is over {MAX_ENCODINGS}")));
    }
    Ok(usize::from(number) * 4)
}

fn fence(flags: u32, length: u8) -> Result<State, ProtocolError> {
    if length > MAX_FENCE_PAYLOAD {
        return Err(error("ClientFence", "length", format!("{length} is over {MAX_FENCE_PAYLOAD}")));
    }
    Ok(State::Body(Body::Fence { flags }, usize::from(length)))
}

fn qemu(kind: u8) -> Result<State, ProtocolError> {
    if kind != QEMU_EXTENDED_KEY {
        return Err(error("QEMU message", "submessage-type", format!("{kind} is not served")));
    }
    Ok(State::QemuHead)
}

fn extended_key([d0, d1, k0, k1, k2, k3, s0, s1, s2, s3]: [u8; 10]) -> Result<Message, ProtocolError> {
    let scancode = u32::from_be_bytes([s0, s1, s2, s3]);
    if scancode > MAX_SCANCODE {
        let reason = format!("{scancode:#x} is over {MAX_SCANCODE:#x}");
        return Err(error("QEMU Extended Key Event", "keycode", reason));
    }
    Ok(Message::ExtendedKey(Key {
        down: [d0, d1] != [0, 0],
        keysym: u32::from_be_bytes([k0, k1, k2, k3]),
        scancode: (scancode != 0).then_some(scancode),
    }))
}

fn message_of(kind: Body, body: &[u8]) -> Message {
    match kind {
        Body::Encodings => {
            let (numbers, _) = body.as_chunks::<4>();
            Message::SetEncodings(numbers.iter().map(|&number| Encoding(i32::from_be_bytes(number))).collect())
        }
        Body::Fence { flags } => Message::Fence { flags, payload: body.to_vec() },
        Body::DesktopSize { size } => {
            let plain = match body.as_chunks::<SCREEN>() {
                ([[_, _, _, _, area @ .., _, _, _, _]], _) => rect(*area) == size.bounds(),
                _ => false,
            };
            Message::SetDesktopSize { size, plain }
        }
    }
}
