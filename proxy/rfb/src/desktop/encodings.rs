//! Which encodings a desktop is asked for: the only ones that it may use.

use crate::wire::Encoding;

/// What decodes, in the order of preference over a network.
const DECODED: &[Encoding] =
    &[Encoding::COPY_RECT, Encoding::TIGHT, Encoding::ZRLE, Encoding::HEXTILE, Encoding::RRE, Encoding::RAW];

/// What every desktop is asked for beside pixels.
const PSEUDO: [Encoding; 5] = [
    Encoding::CURSOR,
    Encoding::EXTENDED_DESKTOP_SIZE,
    Encoding::DESKTOP_SIZE,
    Encoding::LAST_RECT,
    Encoding::QEMU_EXTENDED_KEY_EVENT,
];

/// The highest level of [`Jpeg::Quality`].
const BEST: u8 = 9;

/// The encodings of pixels that a desktop is asked for, most wanted first; the pseudo-encodings are the same for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encodings {
    pixels: &'static [Encoding],
    jpeg: Jpeg,
}

/// Whether a desktop may send photographs as JPEG, within Tight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Jpeg {
    /// It may not: every pixel is as the desktop has it.
    #[default]
    Refused,
    /// It may, at this quality level of 0 to 9 (community specification, "JPEG Quality Level Pseudo-encoding"); higher is 9.
    Quality(u8),
}

impl Encodings {
    /// For a desktop on a local socket: CopyRect and Raw, where compression would cost more than it saves.
    pub const fn local() -> Self {
        Self { pixels: &[Encoding::COPY_RECT, Encoding::RAW], jpeg: Jpeg::Refused }
    }

    /// For a desktop over a network: everything that is decoded, Tight before ZRLE, Hextile and RRE.
    pub const fn remote(jpeg: Jpeg) -> Self {
        Self { pixels: DECODED, jpeg }
    }

    /// For a desktop that does better with some than with others: these, most wanted first, of CopyRect, Tight, ZRLE, Hextile,
    /// RRE and Raw. Any other is left out; Raw is always legal (RFC 6143 §7.5.2).
    pub const fn of(pixels: &'static [Encoding], jpeg: Jpeg) -> Self {
        Self { pixels, jpeg }
    }

    /// Whether the desktop may send JPEG images.
    pub const fn allow_jpeg(self) -> bool {
        matches!(self.jpeg, Jpeg::Quality(_))
    }

    /// Whether the desktop may send rectangles in this one.
    pub fn allow(self, encoding: Encoding) -> bool {
        encoding == Encoding::RAW || PSEUDO.contains(&encoding) || self.pixels().any(|asked| asked == encoding)
    }

    /// The list of SetEncodings.
    pub fn asked(self) -> impl Iterator<Item = Encoding> {
        let quality = match self.jpeg {
            Jpeg::Refused => None,
            Jpeg::Quality(level) => Some(Encoding(Encoding::JPEG_QUALITY_0.0 + i32::from(level.min(BEST)))),
        };
        // A wish that is answered by messages, and never by a rectangle.
        self.pixels().chain(quality).chain(PSEUDO).chain([Encoding::EXTENDED_CLIPBOARD])
    }

    fn pixels(self) -> impl Iterator<Item = Encoding> {
        self.pixels.iter().copied().filter(|encoding| DECODED.contains(encoding))
    }
}

/// [`Encodings::local`].
impl Default for Encodings {
    fn default() -> Self {
        Self::local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIPBOARD: i32 = Encoding::EXTENDED_CLIPBOARD.0;

    fn asked(encodings: Encodings) -> Vec<i32> {
        encodings.asked().map(|encoding| encoding.0).collect()
    }

    #[test]
    fn what_is_asked_for() {
        assert_eq!(asked(Encodings::local()), [1, 0, -239, -308, -223, -224, -258, CLIPBOARD]);
        assert_eq!(
            asked(Encodings::remote(Jpeg::Refused)),
            [1, 7, 16, 5, 2, 0, -239, -308, -223, -224, -258, CLIPBOARD]
        );
        assert_eq!(asked(Encodings::remote(Jpeg::Quality(0)))[5..8], [0, -32, -239]);
        assert_eq!(asked(Encodings::remote(Jpeg::Quality(9)))[6], -23);
        assert_eq!(asked(Encodings::remote(Jpeg::Quality(200)))[6], -23);
        assert_eq!(Encodings::default(), Encodings::local());
    }

    #[test]
    fn what_is_not_decoded_is_never_asked_for() {
        static ALL: [Encoding; 5] =
            [Encoding::OPEN_H264, Encoding::ZRLE, Encoding::TRLE, Encoding::FENCE, Encoding::JPEG_QUALITY_9];
        let some = Encodings::of(&ALL, Jpeg::Refused);
        assert_eq!(asked(some), [16, -239, -308, -223, -224, -258, CLIPBOARD]);
        assert!(some.allow(Encoding::ZRLE) && some.allow(Encoding::RAW) && some.allow(Encoding::CURSOR));
        for other in [Encoding::OPEN_H264, Encoding::TRLE, Encoding::FENCE, Encoding::TIGHT, Encoding::COPY_RECT] {
            assert!(!some.allow(other), "{other}");
        }
    }
}
