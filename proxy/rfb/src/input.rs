//! What a person does with keyboard and mouse, as values that policy can judge.

use crate::geometry::Point;

/// One key pressed or released (KeyEvent, RFC 6143 §7.5.4, or QEMU's extended form).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Pressed; else released.
    pub down: bool,
    /// X11 keysym.
    pub keysym: u32,
    /// XT scan code, where the viewer sent one.
    pub scancode: Option<u32>,
}

/// The pointer's place and buttons (PointerEvent, RFC 6143 §7.5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// Bit n: button n+1 is down. INVARIANT: bit 7 is clear (it would announce a longer message to some desktops).
    pub buttons: u8,
    /// Where it is.
    pub at: Point,
}

impl Pointer {
    /// A pointer with bit 7 of the buttons cleared.
    pub const fn new(buttons: u8, at: Point) -> Self {
        Self { buttons: buttons & 0x7f, at }
    }
}
