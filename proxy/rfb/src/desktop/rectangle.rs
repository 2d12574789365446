//! The bodies of rectangles that the desktop was asked for (RFC 6143 §7.7, §7.8), each read as its encoding says.

use std::sync::Arc;

use super::canvas::pixels_in;
use super::hextile::Hextile;
use super::messages::Desktop;
use super::rre::Rre;
use super::tight::Tight;
use super::update::Header;
use super::zrle::Zrle;
use crate::error::ProtocolError;
use crate::geometry::{Point, Rect, Size};
use crate::intake::{Intake, fill};
use crate::limits::Limits;
use crate::pixel::{BYTES, clear_fourth_bytes};
use crate::screen::{Change, Cursor};
use crate::wire::Encoding;

/// A body that is being read. Bounds have been checked when there is one.
#[derive(Debug)]
pub(super) enum Body {
    /// `rect.area() * 4` bytes.
    Raw {
        rect: Rect,
        pixels: Vec<u8>,
    },
    /// 4 bytes: where from.
    CopyRect {
        to: Rect,
        size: Size,
    },
    /// As each of these says.
    Tight(Tight),
    Zrle(Zrle),
    Hextile(Hextile),
    Rre(Rre),
    /// Pixels and then a mask of one bit each, rows padded to bytes.
    Cursor {
        hotspot: Point,
        size: Size,
        bytes: Vec<u8>,
    },
    /// 4 bytes: how many screens.
    Layout,
    /// 16 bytes each.
    Screens {
        left: u8,
        first: Option<u32>,
    },
}

/// What a body, or a pseudo-encoding without one, came to.
#[derive(Debug)]
pub(super) enum Parsed {
    /// A change of the screen.
    Change(Change),
    /// A new size, in the header.
    Size,
    /// The same, with the id of the first screen.
    Layout { screen_id: Option<u32> },
}

impl Body {
    /// The body that follows `header`; nothing is allocated yet but a Hextile's pixels, which are no more than the screen's.
    pub(super) fn new(header: &Header, desktop: &Desktop, limits: &Limits) -> Result<Self, ProtocolError> {
        if !desktop.encodings.allow(header.encoding) {
            return Err(header.refused("was not asked for"));
        }
        match header.encoding {
            Encoding::CURSOR => {
                let size = cursor_size(header, limits)?;
                Ok(Self::Cursor { hotspot: header.rect.origin().clamped_to(size), size, bytes: Vec::new() })
            }
            Encoding::EXTENDED_DESKTOP_SIZE => Ok(Self::Layout),
            _ => Self::pixels(header, desktop),
        }
    }

    fn pixels(header: &Header, desktop: &Desktop) -> Result<Self, ProtocolError> {
        let (rect, size) = (header.rect, header.rect.size());
        on_screen(header, rect, desktop.size)?;
        match header.encoding {
            Encoding::RAW => Ok(Self::Raw { rect, pixels: Vec::new() }),
            Encoding::COPY_RECT => Ok(Self::CopyRect { to: rect, size: desktop.size }),
            Encoding::TIGHT => Ok(Self::Tight(Tight::new(size, desktop.encodings.allow_jpeg()))),
            Encoding::ZRLE => Ok(Self::Zrle(Zrle::new(size))),
            Encoding::HEXTILE => Ok(Self::Hextile(Hextile::new(size))),
            Encoding::RRE => Ok(Self::Rre(Rre::default())),
            _ => Err(header.refused("was not asked for")),
        }
    }

    /// Pixels that it writes or moves, which its header tells.
    pub(super) fn area(&self, header: &Header) -> u64 {
        match self {
            Self::Layout | Self::Screens { .. } => 0,
            _ => header.rect.area(),
        }
    }

    /// The same with the room that its bytes need.
    pub(super) fn allocated(mut self) -> Self {
        let total = self.length();
        if let Self::Raw { pixels: bytes, .. } | Self::Cursor { bytes, .. } = &mut self {
            bytes.reserve_exact(total);
        }
        self
    }

    /// Takes what is there of it; what it came to when it is whole.
    pub(super) fn advance(
        &mut self,
        header: &Header,
        desktop: &mut Desktop,
        intake: &mut Intake,
        input: &mut &[u8],
    ) -> Result<Option<Parsed>, ProtocolError> {
        let total = self.length();
        let (streams, budget) = (&mut desktop.streams, &mut desktop.budget);
        let painted = |pixels| Parsed::Change(Change::Pixels { rect: header.rect, pixels });
        let refused = |reason: String| header.refused(reason);
        match self {
            Self::Tight(body) => Ok(body.advance(streams, intake, input).map_err(refused)?.map(painted)),
            Self::Zrle(body) => Ok(body.advance(streams, intake, input).map_err(refused)?.map(painted)),
            Self::Hextile(body) => Ok(body.advance(header, budget, intake, input)?.map(painted)),
            Self::Rre(body) => Ok(body.advance(header, budget, intake, input)?.map(painted)),
            Self::Raw { rect, pixels } => {
                let done = fill_pixels(pixels, total, input);
                Ok(done.then(|| Parsed::Change(Change::Pixels { rect: *rect, pixels: std::mem::take(pixels) })))
            }
            Self::CopyRect { to, size } => match intake.take(input) {
                None => Ok(None),
                Some([x0, x1, y0, y1]) => {
                    let from = Point::new(u16::from_be_bytes([x0, x1]), u16::from_be_bytes([y0, y1]));
                    on_screen(header, to.at(from), *size)?;
                    Ok(Some(Parsed::Change(Change::Copy { to: *to, from })))
                }
            },
            Self::Cursor { hotspot, size, bytes } => Ok(fill(bytes, total, input)
                .then(|| Parsed::Change(Change::Cursor(Arc::new(cursor(*hotspot, *size, bytes)))))),
            Self::Layout => {
                let Some([left, _, _, _]) = intake.take(input) else {
                    return Ok(None);
                };
                *self = Self::Screens { left, first: None };
                self.advance(header, desktop, intake, input)
            }
            Self::Screens { left, first } => {
                while *left > 0 {
                    let Some(screen) = intake.take::<16>(input) else {
                        return Ok(None);
                    };
                    let [i0, i1, i2, i3, ..] = screen;
                    first.get_or_insert(u32::from_be_bytes([i0, i1, i2, i3]));
                    *left -= 1;
                }
                Ok(Some(Parsed::Layout { screen_id: *first }))
            }
        }
    }

    /// Bytes that go into its vector.
    fn length(&self) -> usize {
        match self {
            Self::Raw { rect, .. } => pixels_in(rect.size()) * BYTES,
            Self::Cursor { size, .. } => pixels_in(*size) * BYTES + mask_stride(*size) * usize::from(size.height),
            _ => 0,
        }
    }
}

fn on_screen(header: &Header, rect: Rect, size: Size) -> Result<(), ProtocolError> {
    if rect.is_empty() || !rect.is_within(size) {
        return Err(header.refused(format!("{rect} is empty or not within the framebuffer of {size}")));
    }
    Ok(())
}

fn cursor_size(header: &Header, limits: &Limits) -> Result<Size, ProtocolError> {
    let size = header.rect.size();
    let hidden = size == Size::default();
    if (size.is_empty() && !hidden) || !size.bounds().is_within(limits.cursor) {
        return Err(header.refused(format!("a cursor of {size} is lopsided or larger than {}", limits.cursor)));
    }
    Ok(size)
}

/// [`fill`] for pixels: the fourth byte of each is 0 when it is whole, cleared while the copy is still in the cache.
fn fill_pixels(pixels: &mut Vec<u8>, total: usize, input: &mut &[u8]) -> bool {
    let whole = pixels.len() - pixels.len() % BYTES;
    let done = fill(pixels, total, input);
    clear_fourth_bytes(pixels.get_mut(whole..).unwrap_or_default());
    done
}

/// The picture of a Cursor rectangle (community specification, "Cursor Pseudo-encoding"). Where the mask is 0 the colour goes too.
fn cursor(hotspot: Point, size: Size, bytes: &[u8]) -> Cursor {
    let (colours, mask) = bytes.split_at_checked(pixels_in(size) * BYTES).unwrap_or_default();
    let rows = colours.chunks_exact((usize::from(size.width) * BYTES).max(1));
    let mut pixels = Vec::with_capacity(colours.len());
    for (row, bits) in rows.zip(mask.chunks_exact(mask_stride(size).max(1))) {
        let (row, _) = row.as_chunks::<BYTES>();
        let bits = bits.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
        for ([blue, green, red, _], opaque) in row.iter().zip(bits) {
            pixels.extend_from_slice(&if opaque { [*blue, *green, *red, u8::MAX] } else { [0; BYTES] });
        }
    }
    Cursor { hotspot, size, pixels }
}

/// Bytes of a mask's row.
fn mask_stride(size: Size) -> usize {
    usize::from(size.width).div_ceil(8)
}
