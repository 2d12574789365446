//! The parser of one cut text message, classic or extended, in chunks of any length; it keeps no more than the limits say.

use std::fmt;

use super::Unreadable;
use super::caps::{ACTIONS, CAPS, Caps, FORMATS, NOTIFY, PEEK, PROVIDE, REQUEST, RESERVED, TEXT};
use super::inflate::{Inflate, Provided};
use super::message::Message;
use super::text::Text;
use crate::error::{ProtocolError, Side};
use crate::intake::{Intake, fill, length};
use crate::latin1;
use crate::limits::{Limits, MAX_CUT_TEXT_SKIPPED};

/// What a peer may send at this moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// The peer.
    pub(super) from: Side,
    pub(super) limits: Limits,
    pub(super) agreed: Agreed,
    /// It was asked for its text and has not answered.
    pub(super) asked: bool,
}

/// How much of the extended clipboard has been agreed with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreed {
    Nothing,
    /// It may say what it can do; until then it says nothing else.
    Caps,
    All,
}

/// What has been heard, once a message is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Message(Message),
    /// Over the limit and read past.
    TooLong {
        bytes: u32,
        /// It answered a request.
        provided: bool,
    },
    /// What answered a request is no text.
    Unreadable(Unreadable),
    /// A text that nobody asked for, read past as it came.
    Unasked,
    /// Formats without text, read past.
    NoText,
}

/// One message, from behind its length field.
pub(crate) struct CutText(State);

enum State {
    Classic { length: usize, bytes: Vec<u8>, most: u32 },
    Flags { left: u32 },
    Caps { flags: u32, length: usize, sizes: Vec<u8> },
    Provide { left: u32, inflate: Box<Inflate> },
    Skip { left: u32, then: Heard },
}

impl CutText {
    /// The message whose length field is `length`: negative for the extended clipboard.
    pub(crate) fn new(length: i32, terms: &Terms) -> Result<Self, ProtocolError> {
        let size = length.unsigned_abs();
        if size > MAX_CUT_TEXT_SKIPPED {
            return Err(terms.refused("length", format!("{length} is over {MAX_CUT_TEXT_SKIPPED}")));
        }
        if length >= 0 {
            return Ok(Self::classic(size, terms));
        }
        if terms.agreed == Agreed::Nothing {
            let reason = format!("{length} is an extended clipboard message, which was not offered");
            return Err(terms.refused("length", reason));
        }
        match size.checked_sub(4) {
            Some(left) => Ok(Self(State::Flags { left })),
            None => Err(terms.refused("length", format!("{length} has no room for the flags"))),
        }
    }

    fn classic(size: u32, terms: &Terms) -> Self {
        if size > terms.limits.cut_text {
            return Self(State::Skip { left: size, then: Heard::TooLong { bytes: size, provided: false } });
        }
        let most = terms.limits.clipboard_text;
        Self(State::Classic { length: length(size), bytes: Vec::new(), most })
    }

    /// Takes what is there of the message and no more; none while its rest is awaited, and then `input` is empty.
    pub(crate) fn advance(
        &mut self,
        intake: &mut Intake,
        input: &mut &[u8],
        terms: &Terms,
    ) -> Result<Option<Heard>, ProtocolError> {
        loop {
            let heard = match &mut self.0 {
                State::Classic { length, bytes, most } => {
                    fill(bytes, *length, input).then(|| Heard::of_classic(bytes, *most))
                }
                State::Flags { left } => {
                    let left = *left;
                    let Some(flags) = intake.take::<4>(input) else { return Ok(None) };
                    self.0 = begin(u32::from_be_bytes(flags), left, terms)?;
                    continue;
                }
                State::Caps { flags, length, sizes } => {
                    fill(sizes, *length, input).then(|| Heard::Message(Message::Caps(Caps::of(*flags, sizes))))
                }
                State::Provide { left, inflate } => {
                    inflate.feed(take(left, input));
                    if *left > 0 {
                        return Ok(None);
                    }
                    let State::Provide { inflate, .. } = std::mem::replace(&mut self.0, State::over()) else {
                        return Ok(None);
                    };
                    Some(inflate.finish().into())
                }
                State::Skip { left, then } => {
                    take(left, input);
                    (*left == 0).then(|| then.clone())
                }
            };
            return Ok(heard);
        }
    }

    /// Bytes reserved for the text.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        match &self.0 {
            State::Classic { bytes, .. } | State::Caps { sizes: bytes, .. } => bytes.capacity(),
            State::Provide { inflate, .. } => inflate.allocated(),
            State::Flags { .. } | State::Skip { .. } => 0,
        }
    }
}

/// Nothing of the text.
impl fmt::Debug for CutText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Classic { .. } => "CutText(classic)",
            State::Flags { .. } | State::Caps { .. } => "CutText(extended)",
            State::Provide { .. } => "CutText(provide)",
            State::Skip { .. } => "CutText(skipped)",
        })
    }
}

impl State {
    fn over() -> Self {
        Self::Skip { left: 0, then: Heard::NoText }
    }
}

impl Heard {
    fn of_classic(latin1: &[u8], most: u32) -> Self {
        let text = Text::new(&latin1::decode(latin1));
        if text.bytes() <= u64::from(most) {
            return Self::Message(Message::Text(text));
        }
        Self::TooLong { bytes: u32::try_from(latin1.len()).unwrap_or(u32::MAX), provided: false }
    }
}

impl From<Provided> for Heard {
    fn from(provided: Provided) -> Self {
        match provided {
            Provided::Text(text) => Self::Message(Message::Provide(text)),
            Provided::TooLong { bytes } => Self::TooLong { bytes, provided: true },
            Provided::Unreadable(why) => Self::Unreadable(why),
        }
    }
}

/// What follows the flags of an extended message, of which `left` bytes are to come.
fn begin(flags: u32, left: u32, terms: &Terms) -> Result<State, ProtocolError> {
    let refused = |reason: String| Err(terms.refused("flags", reason));
    if flags & RESERVED != 0 {
        return refused(format!("{flags:#010x} has bits without a meaning"));
    }
    let action = flags & ACTIONS;
    if action & CAPS != 0 {
        let wanted = (flags & FORMATS).count_ones() * 4;
        return exact("caps", left, wanted, terms).map(|()| State::Caps {
            flags,
            length: length(wanted),
            sizes: Vec::new(),
        });
    }
    if terms.agreed != Agreed::All {
        return refused(format!("{flags:#010x} comes before its sender has said what it can do"));
    }
    let text = flags & TEXT != 0;
    let bare = |name: &str, message| {
        let heard = State::Skip { left: 0, then: Heard::Message(message) };
        exact(name, left, 0, terms).map(|()| heard)
    };
    match action {
        REQUEST => bare("request", Message::Request { text }),
        PEEK => bare("peek", Message::Peek),
        NOTIFY => bare("notify", Message::Notify { text }),
        PROVIDE if !text => Ok(State::Skip { left, then: Heard::NoText }),
        // INVARIANT: what was not asked for is not inflated.
        PROVIDE if !terms.asked => Ok(State::Skip { left, then: Heard::Unasked }),
        PROVIDE => Ok(State::Provide { left, inflate: Box::new(Inflate::new(terms.limits.clipboard_text)) }),
        _ => refused(format!("{flags:#010x} is not exactly one action that there is")),
    }
}

fn exact(name: &str, left: u32, wanted: u32, terms: &Terms) -> Result<(), ProtocolError> {
    if left == wanted {
        return Ok(());
    }
    Err(terms.refused("length", format!("a {name} message has {} bytes and is {} long", left + 4, wanted + 4)))
}

/// The next of `left` bytes, as far as they are there.
fn take<'a>(left: &mut u32, input: &mut &'a [u8]) -> &'a [u8] {
    let (now, rest) = input.split_at(length(*left).min(input.len()));
    *left = left.saturating_sub(u32::try_from(now.len()).unwrap_or(u32::MAX));
    *input = rest;
    now
}

impl Terms {
    fn refused(&self, field: &'static str, reason: String) -> ProtocolError {
        let message = match self.from {
            Side::Desktop => "ServerCutText",
            Side::Viewer => "ClientCutText",
        };
        ProtocolError::new(self.from, message, field, reason)
    }
}
