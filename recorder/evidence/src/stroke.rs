//! One key that went down or up, for records whose policy asks which keys were pressed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A key pressed or let go. What it was is not shown by `Debug`: it may be of a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stroke {
    /// Pressed; else let go.
    pub down: bool,
    /// X11 keysym, as the viewer sent it.
    pub keysym: u32,
    /// What keysymdef.h calls it, or the character that it types; `0x…` where it has neither.
    pub name: String,
}

impl fmt::Debug for Stroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stroke")
    }
}
