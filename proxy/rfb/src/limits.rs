//! Every bound on what a peer may make us hold, named once; [`Limits`] carries those that a deployment may lower.

use crate::geometry::Size;

/// Largest framebuffer: 3840x2160, 8,294,400 pixels, 33 MB.
pub const MAX_FRAMEBUFFER: Size = Size::new(3840, 2160);
/// Largest cursor; TigerVNC's own limit.
pub const MAX_CURSOR: Size = Size::new(256, 256);
/// Bytes of a desktop's name in ServerInit.
pub const MAX_NAME: u32 = 256;
/// Bytes of a peer's reason for a refusal in the handshake.
pub const MAX_REASON: u32 = 4096;
/// Latin-1 bytes of one classic cut text that are kept; TigerVNC's MaxCutText.
pub const MAX_CUT_TEXT: u32 = 256 * 1024;
/// UTF-8 bytes of one clipboard text, line ends as LF, however it came.
pub const MAX_CLIPBOARD_TEXT: u32 = 1024 * 1024;
/// Bytes of a cut text message, classic or extended, that are read past without being kept; a longer one ends the connection.
pub const MAX_CUT_TEXT_SKIPPED: u32 = 16 * 1024 * 1024;
/// Requests for a peer's text that it may leave unanswered; no more are made.
pub const MAX_CLIPBOARD_REQUESTS: u8 = 16;
/// Entries of a viewer's SetEncodings.
pub const MAX_ENCODINGS: u16 = 128;
/// Bytes of a fence's payload (community specification, "Fence").
pub const MAX_FENCE_PAYLOAD: u8 = 64;
/// Pixels that a desktop may write, move or paint over between two update requests, in areas of the largest framebuffer meanwhile.
pub const MAX_UPDATE_AREAS: u64 = 4;
/// Compressed bytes of one rectangle; one with fewer pixels has a lower limit of its own.
pub const MAX_COMPRESSED: u64 = 32 * 1024 * 1024;
/// What zlib may need beyond nine eighths of its input, in bytes: header, flush marker, the codes of small blocks.
pub const DEFLATE_SLACK: u64 = 1024;
/// Widest Tight rectangle that is not a fill, in pixels (community specification, "Tight Encoding").
pub const MAX_TIGHT_WIDTH: u16 = 2048;
/// Bytes of one JPEG image beyond four a pixel: tables, comments, profiles.
pub const JPEG_SLACK: u64 = 64 * 1024;
/// Bytes of a JPEG image's quantisation and Huffman tables; the usual ones are 550.
pub const MAX_JPEG_TABLES: usize = 4096;
/// Rectangles that a desktop may send between two update requests: twice as many as one update can count.
pub const MAX_UPDATE_RECTANGLES: u32 = 2 * 65_535;
/// Sizes that a desktop may announce between two update requests.
pub const MAX_UPDATE_RESIZES: u8 = 8;

/// Bytes after which an update to a viewer takes no further rectangle; with the last one it is at most 1 MiB longer. A whole screen of
/// 1920x1080 fits in any encoding, and noVNC's receive queue of 40 MiB is far away.
pub const MAX_UPDATE_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that a connection may take beside pixels: Zlib's windows, the rectangles of an update (65,535 of 64 bytes), clipboard texts, parts of
/// messages that are still to be completed.
pub const OVERHEAD: u64 = 24 * 1024 * 1024;

/// The bounds of one connection. The default is the named constants of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest width and height of the framebuffer.
    pub framebuffer: Size,
    /// Largest width and height of a cursor.
    pub cursor: Size,
    /// Latin-1 bytes of one classic cut text.
    pub cut_text: u32,
    /// UTF-8 bytes of one clipboard text, line ends as LF.
    pub clipboard_text: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            framebuffer: MAX_FRAMEBUFFER,
            cursor: MAX_CURSOR,
            cut_text: MAX_CUT_TEXT,
            clipboard_text: MAX_CLIPBOARD_TEXT,
        }
    }
}

impl Limits {
    /// The same limits, none of them above the named constants: what may be lowered is not raised.
    pub fn bounded(self) -> Self {
        let least = |a: Size, b: Size| Size::new(a.width.min(b.width), a.height.min(b.height));
        Self {
            framebuffer: least(self.framebuffer, MAX_FRAMEBUFFER),
            cursor: least(self.cursor, MAX_CURSOR),
            cut_text: self.cut_text.min(MAX_CUT_TEXT),
            clipboard_text: self.clipboard_text.min(MAX_CLIPBOARD_TEXT),
        }
    }

    /// Bytes of memory that texts may take on a connection, a part of [`OVERHEAD`]: one that comes in, grows and is brought to its form, one that was offered, and
    /// that one as it is written, which may be twice as long.
    pub fn clipboard_bytes(&self) -> u64 {
        8 * u64::from(self.bounded().clipboard_text)
    }

    /// Bytes of memory that a connection to a desktop and its screen may take, whatever the desktop sends: the screen, the changes of one
    /// update that has not ended, one compressed rectangle, and [`OVERHEAD`].
    pub fn desktop_bytes(&self) -> u64 {
        let screen = self.bounded().framebuffer.area() * 4;
        screen + screen * MAX_UPDATE_AREAS + MAX_COMPRESSED + OVERHEAD
    }

    /// Bytes of memory that a connection to a viewer may take beside its session's screen, whatever the viewer sends: one update and
    /// the room in which it grew, and [`OVERHEAD`].
    pub fn viewer_bytes(&self) -> u64 {
        // A vector that grows has up to twice the room of what is in it.
        2 * u64::try_from(MAX_UPDATE_BYTES).unwrap_or(u64::MAX) + OVERHEAD
    }

    /// Whether a framebuffer may have this size: neither side is 0, neither is over its limit.
    pub fn allows_framebuffer(&self, size: Size) -> bool {
        !size.is_empty() && size.bounds().is_within(self.bounded().framebuffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framebuffer_has_pixels_and_a_largest_size() {
        let limits = Limits::default();
        assert!(limits.allows_framebuffer(Size::new(1, 1)));
        assert!(limits.allows_framebuffer(MAX_FRAMEBUFFER));
        for refused in
            [Size::new(0, 1), Size::new(1, 0), Size::new(3841, 1), Size::new(1, 2161), Size::new(65535, 65535)]
        {
            assert!(!limits.allows_framebuffer(refused), "{refused}");
        }
        let raised = Limits { framebuffer: Size::new(65535, 65535), ..limits };
        assert!(!raised.allows_framebuffer(Size::new(3841, 2160)));
        assert_eq!(raised.bounded(), limits);
    }
}
