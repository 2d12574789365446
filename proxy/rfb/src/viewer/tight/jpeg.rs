//! JPEG for photographs, at the quality that the viewer asked for.

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::geometry::Rect;
use crate::viewer::picture::Picture;

/// JPEG quality and chroma subsampling for the quality levels 0–9 of the pseudo-encodings -32…-23.
const LEVELS: [(i32, Subsamp); 10] = [
    (15, Subsamp::Sub2x2),
    (25, Subsamp::Sub2x2),
    (35, Subsamp::Sub2x2),
    (45, Subsamp::Sub2x2),
    (55, Subsamp::Sub2x2),
    (65, Subsamp::Sub2x2),
    (75, Subsamp::Sub2x1),
    (84, Subsamp::Sub2x1),
    (92, Subsamp::None),
    (97, Subsamp::None),
];

/// A compressor made on first use, and room for its result.
#[derive(Default)]
pub(super) struct Jpeg {
    compressor: Option<Compressor>,
    room: Vec<u8>,
}

impl Jpeg {
    /// `rect` as one JPEG image; none if that would be no smaller than its lossless TPIXELs, or fails.
    pub(super) fn compress(&mut self, picture: Picture<'_>, rect: Rect, level: u8) -> Option<&[u8]> {
        let &(quality, subsampling) = LEVELS.get(usize::from(level)).or(LEVELS.last())?;
        if self.compressor.is_none() {
            self.compressor = Compressor::new().ok();
        }
        let compressor = self.compressor.as_mut()?;
        compressor.set_quality(quality).ok()?;
        compressor.set_subsamp(subsampling).ok()?;
        let (width, height) = (usize::from(rect.width), usize::from(rect.height));
        let most = width * height * 3;
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        let image =
            Image { pixels: picture.block(rect)?, width, pitch: picture.stride(), height, format: PixelFormat::BGRX };
        let length = compressor.compress_to_slice(image, self.room.get_mut(..most)?).ok()?;
        self.room.get(..length)
    }
}
