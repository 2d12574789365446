//! Regions of the screen, in pixels or in percent of it.

use std::fmt;

use super::{Clicks, MaskedRecord};
use crate::shown::Shown;

/// A distance on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Pixels.
    Pixels(u16),
    /// Percent of the screen's width or height, at most 100.
    Percent(u8),
}

/// A region of the screen; what lies beyond the screen's edge is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region {
    /// From the left edge.
    pub x: Extent,
    /// From the top edge.
    pub y: Extent,
    /// To the right of `x`.
    pub width: Extent,
    /// Below `y`.
    pub height: Extent,
}

/// A region that is blacked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mask {
    /// Where.
    pub region: Region,
    /// What becomes of clicks into it.
    pub clicks: Clicks,
    /// Whether the recording shows it.
    pub recorded: MaskedRecord,
}

impl Extent {
    /// Pixels on a screen that is so many pixels wide or high, at most all of them; part of a pixel counts as one.
    pub fn of(self, whole: u16) -> u16 {
        match self {
            Self::Pixels(pixels) => pixels.min(whole),
            Self::Percent(percent) => {
                let pixels = (u32::from(whole) * u32::from(percent)).div_ceil(100);
                u16::try_from(pixels).unwrap_or(whole).min(whole)
            }
        }
    }

    /// Reads a percentage, such as `25%`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        percent(text).map(Self::Percent)
    }
}

/// Reads `0%` to `100%`.
pub(super) fn percent(text: &str) -> Result<u8, String> {
    let digits =
        text.strip_suffix('%').filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let percent = digits.and_then(|digits| digits.parse().ok()).filter(|percent| *percent <= 100);
    percent.ok_or_else(|| format!("`{}` is not a percentage; write a whole number up to 100, such as 25%", Shown(text)))
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixels(pixels) => write!(f, "{pixels}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} at {},{}", self.width, self.height, self.x, self.y)
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, clicks {}, recorded {}", self.region, self.clicks, self.recorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_stay_on_the_screen() {
        for (extent, whole, pixels) in [
            (Extent::Pixels(400), 1920, 400),
            (Extent::Pixels(4000), 1920, 1920),
            (Extent::Percent(25), 1920, 480),
            (Extent::Percent(100), 1920, 1920),
            (Extent::Percent(0), 1920, 0),
            (Extent::Percent(1), 10, 1),
            (Extent::Percent(100), u16::MAX, u16::MAX),
        ] {
            assert_eq!(extent.of(whole), pixels, "{extent} of {whole}");
        }
    }

    #[test]
    fn percentages_go_to_a_hundred() {
        assert_eq!(Extent::read("25%"), Ok(Extent::Percent(25)));
        for text in ["", "%", "25", "101%", "-1%", "2.5%", "25 %", "999%"] {
            assert!(Extent::read(text).unwrap_err().contains("such as 25%"), "{text}");
        }
    }
}
