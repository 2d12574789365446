//! RFB (RFC 6143 and the community specification) as typed values: two parsers, two writers and the screen between them.
//!
//! Portcullis ends the protocol on both sides. [`desktop::Connection`] speaks to the VNC server (RFC 6143's "server"),
//! [`viewer::Connection`] to the browser (its "client"), and between the two there are only the values of this crate:
//! [`screen::Change`], [`input::Key`], [`input::Pointer`], [`clipboard::Text`]. No byte crosses.
//!
//! INVARIANT: nothing here does I/O, reads a clock or spawns; bytes come in as slices of any length and leave as vectors.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

pub mod catalogue;
pub mod clipboard;
mod deflate;
pub mod desktop;
pub mod error;
pub mod geometry;
pub mod input;
pub mod intake;
pub mod latin1;
pub mod limits;
pub mod pixel;
pub mod region;
pub mod screen;
pub mod viewer;
pub mod wire;

pub use error::{ProtocolError, Side};
pub use geometry::{Point, Rect, Size};
pub use input::{Key, Pointer};
pub use limits::Limits;
pub use region::Region;
pub use screen::{Change, Cursor, Damage, Screen, ScreenError};
