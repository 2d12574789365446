//! Rectangles that tell a viewer a size, or what became of the one it asked for.

use super::update::Update;
use crate::geometry::{Rect, Size};
use crate::wire::Encoding;

/// Why an ExtendedDesktopSize rectangle is sent: its x-position (community specification, "ExtendedDesktopSize").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The desktop, or somebody else, changed the size.
    Desktop,
    /// This viewer asked for it.
    Asked,
}

/// Status of a size asked for: done.
pub(super) const STATUS_DONE: u16 = 0;
/// Status of a size asked for: "Invalid screen layout".
pub(super) const STATUS_INVALID: u16 = 3;

/// The one screen that Portcullis ever describes: id 0, at 0,0, flags 0.
pub(super) fn extended(update: &mut Update, reason: Reason, status: u16, size: Size) {
    let reason = match reason {
        Reason::Desktop => 0,
        Reason::Asked => 1,
    };
    let rect = Rect::new(reason, status, size.width, size.height);
    let bytes = update.rect(rect, Encoding::EXTENDED_DESKTOP_SIZE);
    bytes.extend([1, 0, 0, 0]);
    bytes.extend([0; 8]);
    bytes.extend(size.width.to_be_bytes());
    bytes.extend(size.height.to_be_bytes());
    bytes.extend([0; 4]);
}

/// DesktopSize (RFC 6143 §7.8.2).
pub(super) fn plain(update: &mut Update, size: Size) {
    update.rect(size.bounds(), Encoding::DESKTOP_SIZE);
}
