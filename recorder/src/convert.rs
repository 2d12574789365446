//! B, G, R, 0 pixels to BT.709 limited-range NV12, one rectangle at a time.
use portcullis_rfb::Rect;
use yuv::{BufferStoreMut, YuvBiPlanarImageMut, YuvConversionMode, YuvRange, YuvStandardMatrix};

use crate::encoder::{Canvas, EncoderError};

/// Converts rectangles, with room for a pair of rows that it keeps from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Converter {
    pixels: Vec<u8>,
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

impl Converter {
    /// Converts `pixels`, whose rows are `stride` bytes apart, onto `rect` of the canvas. `rect` has even edges and lies on it.
    ///
    /// The conversion below takes buffers of whole strides and fills all of them. So what is lent to it ends a pair of rows early,
    /// and the last pair, which may end where the buffers do, goes by way of a copy.
    pub(crate) fn convert(
        &mut self,
        canvas: &mut Canvas<'_>,
        pixels: &[u8],
        stride: usize,
        rect: Rect,
    ) -> Result<(), EncoderError> {
        let (width, above) = (usize::from(rect.width), usize::from(rect.height.max(2) - 2));
        let luma = usize::from(rect.y) * canvas.luma_stride + usize::from(rect.x);
        let chroma = usize::from(rect.y / 2) * canvas.chroma_stride + usize::from(rect.x);
        let upper = Rows {
            luma: part(canvas.luma, luma, canvas.luma_stride * above),
            luma_stride: canvas.luma_stride,
            chroma: part(canvas.chroma, chroma, canvas.chroma_stride * above / 2),
            chroma_stride: canvas.chroma_stride,
        };
        let lent = pixels.get(..stride * above).unwrap_or_default();
        upper.fill(lent, stride, width, above)?;

        self.pixels.clear();
        for row in [above, above + 1] {
            let row = pixels.get(row * stride..).and_then(|rest| rest.get(..width * 4));
            self.pixels.extend_from_slice(row.unwrap_or_default());
        }
        self.luma.resize(width * 2, 0);
        self.chroma.resize(width, 0);
        let pair = Rows { luma: &mut self.luma, luma_stride: width, chroma: &mut self.chroma, chroma_stride: width };
        pair.fill(&self.pixels, width * 4, width, 2)?;
        let (first, second) = self.luma.split_at(width);
        let below = luma + above * canvas.luma_stride;
        part(canvas.luma, below, width).copy_from_slice(first);
        part(canvas.luma, below + canvas.luma_stride, width).copy_from_slice(second);
        let below = chroma + above / 2 * canvas.chroma_stride;
        part(canvas.chroma, below, width).copy_from_slice(&self.chroma);
        Ok(())
    }
}

/// Rows of a canvas, whole strides of them.
struct Rows<'a> {
    luma: &'a mut [u8],
    luma_stride: usize,
    chroma: &'a mut [u8],
    chroma_stride: usize,
}

impl Rows<'_> {
    fn fill(self, pixels: &[u8], stride: usize, width: usize, height: usize) -> Result<(), EncoderError> {
        if height == 0 {
            return Ok(());
        }
        let narrow = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let mut image = YuvBiPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(self.luma),
            y_stride: narrow(self.luma_stride),
            uv_plane: BufferStoreMut::Borrowed(self.chroma),
            uv_stride: narrow(self.chroma_stride),
            width: narrow(width),
            height: narrow(height),
        };
        yuv::bgra_to_yuv_nv12(
            &mut image,
            pixels,
            narrow(stride),
            YuvRange::Limited,
            YuvStandardMatrix::Bt709,
            YuvConversionMode::Balanced,
        )
        .map_err(EncoderError::Convert)
    }
}

fn part(plane: &mut [u8], start: usize, length: usize) -> &mut [u8] {
    plane.get_mut(start..).and_then(|rest| rest.get_mut(..length)).unwrap_or_default()
}
