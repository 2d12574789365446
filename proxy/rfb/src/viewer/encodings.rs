//! What of ours a viewer can take, from its SetEncodings (RFC 6143 §7.5.2).

use crate::wire::Encoding;

/// The encodings that Portcullis knows and the viewer listed; all others are forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Encodings {
    /// Tight, unless Raw was preferred to it.
    pub(super) tight: bool,
    pub(super) copy_rect: bool,
    pub(super) cursor: bool,
    pub(super) vmware_cursor: bool,
    pub(super) desktop_size: bool,
    pub(super) extended_desktop_size: bool,
    pub(super) extended_keys: bool,
    pub(super) extended_clipboard: bool,
    pub(super) fence: bool,
    pub(super) continuous_updates: bool,
    /// JPEG quality 0–9; none forbids JPEG.
    pub(super) quality: Option<u8>,
    /// Compression level 0–9.
    pub(super) level: Option<u8>,
}

impl Encodings {
    /// From the list, most preferred first; of two levels of a kind the first counts.
    pub(super) fn of(listed: impl IntoIterator<Item = Encoding>) -> Self {
        let mut known = Self::default();
        let mut raw = false;
        for encoding in listed {
            match encoding {
                Encoding::RAW => raw = true,
                Encoding::TIGHT => known.tight = !raw,
                Encoding::COPY_RECT => known.copy_rect = true,
                Encoding::CURSOR => known.cursor = true,
                Encoding::VMWARE_CURSOR => known.vmware_cursor = true,
                Encoding::DESKTOP_SIZE => known.desktop_size = true,
                Encoding::EXTENDED_DESKTOP_SIZE => known.extended_desktop_size = true,
                Encoding::QEMU_EXTENDED_KEY_EVENT => known.extended_keys = true,
                Encoding::EXTENDED_CLIPBOARD => known.extended_clipboard = true,
                Encoding::FENCE => known.fence = true,
                Encoding::CONTINUOUS_UPDATES => known.continuous_updates = true,
                other => {
                    known.quality = known.quality.or(level(other, Encoding::JPEG_QUALITY_0));
                    known.level = known.level.or(level(other, Encoding::COMPRESS_LEVEL_0));
                }
            }
        }
        known
    }

    /// Continuous updates are only served where fences tell how far the viewer is.
    pub(super) fn paced(&self) -> bool {
        self.fence && self.continuous_updates
    }
}

/// The level 0–9 that `encoding` stands for, counted from the pseudo-encoding of level 0.
fn level(encoding: Encoding, zero: Encoding) -> Option<u8> {
    let level = encoding.0.checked_sub(zero.0)?;
    u8::try_from(level).ok().filter(|level| *level <= 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What noVNC 1.7 sends with its defaults: quality 6, compression 2.
    pub(in crate::viewer) const NOVNC: [i32; 24] = [
        1,
        50,
        7,
        -260,
        16,
        21,
        5,
        2,
        6,
        0,
        -26,
        -254,
        -223,
        -224,
        -258,
        -261,
        -308,
        -309,
        -312,
        -313,
        -307,
        0xC0A1_E5CE_u32.cast_signed(),
        -316,
        0x574d_5664,
    ];

    #[test]
    fn novnc() {
        let listed = NOVNC.into_iter().chain([-239]).map(Encoding);
        let known = Encodings {
            tight: true,
            copy_rect: true,
            cursor: true,
            vmware_cursor: true,
            desktop_size: true,
            extended_desktop_size: true,
            extended_keys: true,
            extended_clipboard: true,
            fence: true,
            continuous_updates: true,
            quality: Some(6),
            level: Some(2),
        };
        assert_eq!(Encodings::of(listed), known);
    }

    #[test]
    fn raw_before_tight_is_a_wish_for_raw() {
        assert!(!Encodings::of([Encoding::RAW, Encoding::TIGHT]).tight);
        assert!(Encodings::of([Encoding::TIGHT, Encoding::RAW]).tight);
    }

    #[test]
    fn levels_end_where_others_begin() {
        for (number, quality, level) in [
            (-33, None, None),
            (-32, Some(0), None),
            (-23, Some(9), None),
            (-22, None, None),
            (-257, None, None),
            (-256, None, Some(0)),
            (-247, None, Some(9)),
            (-246, None, None),
            (i32::MAX, None, None),
            (i32::MIN, None, None),
        ] {
            let known = Encodings::of([Encoding(number)]);
            assert_eq!((known.quality, known.level), (quality, level), "{number}");
        }
    }
}
