//! What a viewer's messages do: to its connection, or as an event for the caller to judge.

use super::Event;
use super::connection::Connection;
use super::encodings::Encodings;
use super::format::Order;
use super::message::Message;
use super::pacing::{FENCE_FLAGS, FENCE_REQUEST, fence};
use super::sizes::{STATUS_DONE, STATUS_INVALID};
use crate::error::{ProtocolError, Side};
use crate::geometry::{Rect, Size};
use crate::input::Pointer;
use crate::limits::MAX_FRAMEBUFFER;
use crate::wire::DesktopMessage;

/// Fences of the viewer that are answered before it takes our output; one that sends more does not read.
const MAX_FENCE_REPLIES: usize = 16;

/// Compression level for a viewer that names none.
const DEFAULT_LEVEL: u8 = 2;

impl Connection {
    /// Acts on one message; what was not agreed with this viewer is refused.
    pub(super) fn act(&mut self, message: Message) -> Result<Option<Event>, ProtocolError> {
        Ok(match message {
            Message::SetPixelFormat(format) => {
                self.order = Order::of(format).map_err(|(field, reason)| error("SetPixelFormat", field, reason))?;
                None
            }
            Message::SetEncodings(listed) => {
                self.set_encodings(Encodings::of(listed));
                None
            }
            Message::UpdateRequest { incremental, area } => {
                on_largest_screen("FramebufferUpdateRequest", area)?;
                self.asked.refresh |= !incremental;
                self.asked.update |= !self.asked.continuous;
                None
            }
            Message::EnableContinuousUpdates { enable, area } => {
                on_largest_screen("EnableContinuousUpdates", area)?;
                self.enable_continuous_updates(enable)?;
                None
            }
            Message::Fence { flags, payload } => {
                self.fence(flags, &payload)?;
                None
            }
            Message::Key(key) => Some(Event::Key(key)),
            Message::ExtendedKey(key) if self.told.extended_keys => Some(Event::Key(key)),
            Message::ExtendedKey(_) => {
                return Err(error("QEMU Extended Key Event", "message-type", "was not agreed"));
            }
            Message::Pointer(Pointer { buttons, at }) => {
                Some(Event::Pointer(Pointer::new(buttons, at.clamped_to(self.told.size))))
            }
            Message::CutText(heard) => self.clipboard.hear(heard).map(Event::Clipboard),
            Message::SetDesktopSize { size, plain } => self.set_desktop_size(size, plain)?,
        })
    }

    fn set_encodings(&mut self, known: Encodings) {
        self.known = known;
        self.clipboard.listed(known.extended_clipboard);
        self.tight.set_level(known.level.unwrap_or(DEFAULT_LEVEL));
        if known.fence && !self.told.fence {
            self.told.fence = true;
            self.pacing.announce(&mut self.out.bytes);
        }
        if known.paced() && !self.told.continuous_updates {
            self.told.continuous_updates = true;
            self.end_of_continuous_updates();
        }
        if !known.paced() && self.asked.continuous {
            self.end_of_continuous_updates();
        }
    }

    fn enable_continuous_updates(&mut self, enable: bool) -> Result<(), ProtocolError> {
        if !(self.told.continuous_updates && self.known.paced()) {
            return Err(error("EnableContinuousUpdates", "message-type", "was not agreed"));
        }
        if enable {
            self.asked.continuous = true;
            self.asked.update = false;
        } else if self.asked.continuous {
            self.end_of_continuous_updates();
        }
        Ok(())
    }

    /// Says that they are possible, the first time, and afterwards that no more will come.
    fn end_of_continuous_updates(&mut self) {
        self.asked.continuous = false;
        self.out.bytes.push(DesktopMessage::END_OF_CONTINUOUS_UPDATES.0);
    }

    /// A reply to one of ours, or a request of the viewer's own (TigerVNC's), which goes back to it and nowhere else.
    fn fence(&mut self, flags: u32, payload: &[u8]) -> Result<(), ProtocolError> {
        if !self.told.fence {
            return Err(error("ClientFence", "message-type", "was not agreed"));
        }
        if flags & !FENCE_FLAGS != 0 {
            return Err(error("ClientFence", "flags", format!("{flags:#x} has bits without a meaning")));
        }
        if flags & FENCE_REQUEST == 0 {
            return self.pacing.reply(flags, payload).map_err(|reason| error("ClientFence", "payload", reason));
        }
        self.out.replies += 1;
        if self.out.replies > MAX_FENCE_REPLIES {
            return Err(error("ClientFence", "flags", format!("over {MAX_FENCE_REPLIES} requests without reading")));
        }
        // All before it has been acted on, and nothing after it has: every flag is kept by that.
        fence(flags & !FENCE_REQUEST, payload, &mut self.out.bytes);
        Ok(())
    }

    fn set_desktop_size(&mut self, size: Size, plain: bool) -> Result<Option<Event>, ProtocolError> {
        if !self.told.extended_desktop_size {
            return Err(error("SetDesktopSize", "message-type", "was not agreed"));
        }
        if !plain || !self.config.limits.allows_framebuffer(size) {
            self.asked.size_status = Some(STATUS_INVALID);
            return Ok(None);
        }
        if size == self.told.size {
            self.asked.size_status = Some(STATUS_DONE);
            return Ok(None);
        }
        self.asked.size = true;
        Ok(Some(Event::SetSize(size)))
    }
}

fn error(message: &'static str, field: &'static str, reason: impl Into<String>) -> ProtocolError {
    ProtocolError::new(Side::Viewer, message, field, reason)
}

/// The whole screen is served whatever area is asked for; it need not lie on the screen of today, which may just have shrunk.
fn on_largest_screen(message: &'static str, area: Rect) -> Result<(), ProtocolError> {
    if area.is_within(MAX_FRAMEBUFFER) {
        return Ok(());
    }
    Err(error(message, "x-position, y-position, width, height", format!("{area} is not within {MAX_FRAMEBUFFER}")))
}
