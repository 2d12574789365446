//! The two pixel formats that viewers may choose, and Raw rectangles in them.

use super::picture::{Picture, Pixel};
use super::update::Update;
use crate::geometry::Rect;
use crate::pixel::{BGR0, PixelFormat, RGB0};
use crate::wire::Encoding;

/// Rows of a Raw rectangle are cut so that it has at most this many pixels.
const MAX_RAW_AREA: u32 = 128 * 1024;

/// Which colour is the first byte of a pixel on this viewer's wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// B, G, R, 0: as the screen keeps it; TigerVNC, vnc-rs.
    Bgr,
    /// R, G, B, 0: noVNC.
    Rgb,
}

impl Order {
    /// The order of a format, or the field of PIXEL_FORMAT that Portcullis does not speak and why.
    pub(super) fn of(format: PixelFormat) -> Result<Self, (&'static str, String)> {
        let only = |field, found: u8, wanted: u8| {
            if found == wanted { Ok(()) } else { Err((field, format!("{found}, only {wanted} is served"))) }
        };
        only("bits-per-pixel", format.bits_per_pixel, BGR0.bits_per_pixel)?;
        only("depth", format.depth, BGR0.depth)?;
        only("big-endian-flag", u8::from(format.big_endian), 0)?;
        only("true-colour-flag", u8::from(format.true_colour), 1)?;
        if format.max != BGR0.max {
            return Err(("red-max, green-max, blue-max", format!("{:?}, only 255 is served", format.max)));
        }
        match format.shift {
            shift if shift == BGR0.shift => Ok(Self::Bgr),
            shift if shift == RGB0.shift => Ok(Self::Rgb),
            shift => Err((
                "red-shift, green-shift, blue-shift",
                format!("{shift:?}, only {:?} and {:?} are served", BGR0.shift, RGB0.shift),
            )),
        }
    }

    /// A pixel of the screen as this viewer wants it, the fourth byte 0.
    pub(super) fn wire(self, [blue, green, red, _]: Pixel) -> [u8; 4] {
        match self {
            Self::Bgr => [blue, green, red, 0],
            Self::Rgb => [red, green, blue, 0],
        }
    }
}

/// Writes `rect` as Raw rectangles (RFC 6143 §7.7.1); what no longer fits in the update is noted as owed.
pub(super) fn raw(update: &mut Update, picture: Picture<'_>, rect: Rect, order: Order) {
    let rows = (MAX_RAW_AREA / u32::from(rect.width.max(1))).clamp(1, u32::from(u16::MAX));
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    let mut rest = rect;
    while !rest.is_empty() {
        let band = Rect { height: rest.height.min(rows), ..rest };
        rest = Rect { y: rest.y + band.height, height: rest.height - band.height, ..rest };
        if update.is_full() {
            update.owe(band);
            continue;
        }
        let bytes = update.rect(band, Encoding::RAW);
        let start = bytes.len();
        bytes.resize(start + usize::from(band.width) * usize::from(band.height) * 4, 0);
        let pixels = picture.rows(band).flatten();
        let places = bytes.get_mut(start..).map(|body| body.as_chunks_mut::<4>().0).unwrap_or_default();
        for (place, &pixel) in places.iter_mut().zip(pixels) {
            *place = order.wire(pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_served_and_everything_else_names_its_field() {
        assert_eq!(Order::of(BGR0), Ok(Order::Bgr));
        assert_eq!(Order::of(RGB0), Ok(Order::Rgb));
        let refused = [
            (PixelFormat { bits_per_pixel: 16, ..BGR0 }, "bits-per-pixel"),
            (PixelFormat { depth: 32, ..BGR0 }, "depth"),
            (PixelFormat { big_endian: true, ..BGR0 }, "big-endian-flag"),
            (PixelFormat { true_colour: false, ..BGR0 }, "true-colour-flag"),
            (PixelFormat { max: [255, 127, 255], ..BGR0 }, "red-max, green-max, blue-max"),
            (PixelFormat { shift: [16, 8, 24], ..BGR0 }, "red-shift, green-shift, blue-shift"),
        ];
        for (format, field) in refused {
            assert_eq!(Order::of(format).unwrap_err().0, field);
        }
    }
}
