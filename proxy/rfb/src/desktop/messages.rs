//! The desktop's messages after the handshake (RFC 6143 §7.6): three are spoken, every other is refused by name.

use super::budget::Budget;
use super::encodings::Encodings;
use super::inflate::Streams;
use super::update::Update;
use super::{Event, Progress};
use crate::catalogue::{DESKTOP_MESSAGES, why};
use crate::clipboard::{CutText, Endpoint};
use crate::error::{ProtocolError, Side};
use crate::geometry::Size;
use crate::intake::Intake;
use crate::limits::Limits;
use crate::wire::DesktopMessage;

/// What the desktop has said about itself, and what lasts from one of its rectangles to the next.
#[derive(Debug)]
pub(super) struct Desktop {
    /// Size of its framebuffer after the last rectangle parsed.
    pub(super) size: Size,
    /// It has acknowledged QEMU's extended keys.
    pub(super) takes_scancodes: bool,
    /// Id of its first screen, where it can be resized.
    pub(super) screen_id: Option<u32>,
    /// What it may still cost until the next request.
    pub(super) budget: Budget,
    /// What it was asked for.
    pub(super) encodings: Encodings,
    /// How far its zlib streams have come.
    pub(super) streams: Streams,
}

/// The parser of one message after the other.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) desktop: Desktop,
    pub(super) clipboard: Endpoint,
    limits: Limits,
    state: State,
}

#[derive(Debug)]
enum State {
    Type,
    UpdateHeader,
    Update(Update),
    CutTextHeader,
    CutText(CutText),
}

impl Messages {
    pub(super) fn new(size: Size, limits: Limits, encodings: Encodings) -> Self {
        let desktop = Desktop {
            size,
            takes_scancodes: false,
            screen_id: None,
            budget: Budget::new(size),
            encodings,
            streams: Streams::default(),
        };
        Self { desktop, clipboard: Endpoint::of_desktop(limits), limits, state: State::Type }
    }

    /// Takes the next field of `input`; a message that it ends becomes events.
    pub(super) fn advance(
        &mut self,
        intake: &mut Intake,
        input: &mut &[u8],
        events: &mut Vec<Event>,
    ) -> Result<Progress<()>, ProtocolError> {
        let next = match &mut self.state {
            State::Type => intake.take(input).map(|[code]| begin(DesktopMessage(code), events)).transpose()?,
            State::UpdateHeader => intake
                .take(input)
                .map(|[_padding, n0, n1]| State::Update(Update::new(u16::from_be_bytes([n0, n1]), self.limits))),
            State::Update(update) => match update.advance(&mut self.desktop, intake, input)? {
                Progress::Wait => None,
                Progress::Again => return Ok(Progress::Again),
                Progress::Done(done) => {
                    events.push(Event::Update(done.changes));
                    events.extend(done.refusals.into_iter().map(Event::SizeRefused));
                    Some(State::Type)
                }
            },
            State::CutTextHeader => {
                let header = intake.take(input).map(|[_, _, _, l0, l1, l2, l3]| i32::from_be_bytes([l0, l1, l2, l3]));
                let begin = |length| CutText::new(length, &self.clipboard.terms()).map(State::CutText);
                header.map(begin).transpose()?
            }
            State::CutText(text) => text.advance(intake, input, &self.clipboard.terms())?.map(|heard| {
                events.extend(self.clipboard.hear(heard).map(Event::Clipboard));
                State::Type
            }),
        };
        Ok(match next {
            None => Progress::Wait,
            Some(state) => {
                self.state = state;
                Progress::Again
            }
        })
    }
}

/// What follows a message's first byte.
fn begin(code: DesktopMessage, events: &mut Vec<Event>) -> Result<State, ProtocolError> {
    match code {
        DesktopMessage::FRAMEBUFFER_UPDATE => Ok(State::UpdateHeader),
        DesktopMessage::CUT_TEXT => Ok(State::CutTextHeader),
        DesktopMessage::BELL => {
            events.push(Event::Bell);
            Ok(State::Type)
        }
        other => {
            let name = other.name().unwrap_or("unknown message");
            let reason = format!("{} was not asked for{}", other.0, why(DESKTOP_MESSAGES, other));
            Err(ProtocolError::new(Side::Desktop, name, "message-type", reason))
        }
    }
}

#[cfg(test)]
impl Messages {
    /// Bytes reserved for the body that is being read.
    pub(super) fn allocated(&self) -> usize {
        match &self.state {
            State::Update(update) => update.allocated(),
            _ => 0,
        }
    }
}
