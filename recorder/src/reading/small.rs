//! A picture made small, as a JPEG: averaged, and its colours turned from those of video (BT.709) into those of JFIF.
use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::{self, Id, packet::Packet};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::util::color;
use ffmpeg_next::util::frame::Video as Frame;
use portcullis_rfb::Size;

use super::frames::plane;

/// The widest and the highest that one is, in pixels.
const MAX_WIDTH: usize = 320;
const MAX_HEIGHT: usize = 240;
/// How coarse its JPEG is, 2 to 31: some 6 kB of a desktop.
const COARSE: &str = "6";

/// A picture with red, green and blue for each pixel.
pub(super) struct Small {
    width: usize,
    height: usize,
    pixels: Vec<[i32; 3]>,
}

impl Small {
    /// Of a frame in 4:2:0; `None` of any other.
    pub(super) fn of(frame: &Frame, size: Size) -> Option<Self> {
        if frame.format() != Pixel::YUV420P {
            return None;
        }
        let (wide, high) = (usize::from(size.width), usize::from(size.height));
        let (half_wide, half_high) = (wide.div_ceil(2), high.div_ceil(2));
        let by_height = MAX_HEIGHT.saturating_mul(wide).checked_div(high)?;
        let width = (wide.min(MAX_WIDTH).min(by_height) / 2 * 2).max(2);
        let height = (width.saturating_mul(high).checked_div(wide)? / 2 * 2).max(2);
        let luma = averaged(&plane(frame, 0, wide, high), (wide, high), (width, height));
        let blue = averaged(&plane(frame, 1, half_wide, half_high), (half_wide, half_high), (width, height));
        let red = averaged(&plane(frame, 2, half_wide, half_high), (half_wide, half_high), (width, height));
        let pixels = luma.into_iter().zip(blue.into_iter().zip(red)).map(|(y, (cb, cr))| colours(y, cb, cr)).collect();
        Some(Self { width, height, pixels })
    }

    /// As a JPEG.
    pub(super) fn jpeg(&self) -> Result<Vec<u8>, ffmpeg::Error> {
        crate::encoder::quiet();
        let long = |pixels: usize| u32::try_from(pixels).unwrap_or(2);
        let (width, height) = (long(self.width), long(self.height));
        let codec = ffmpeg::encoder::find(Id::MJPEG).ok_or(ffmpeg::Error::EncoderNotFound)?;
        let mut video = codec::Context::new_with_codec(codec).encoder().video()?;
        video.set_width(width);
        video.set_height(height);
        video.set_format(Pixel::YUVJ420P);
        video.set_color_range(color::Range::JPEG);
        video.set_time_base((1, 25));
        let mut options = ffmpeg::Dictionary::new();
        options.set("qmin", COARSE);
        options.set("qmax", COARSE);
        let mut encoder = video.open_with(options)?;
        let mut frame = Frame::new(Pixel::YUVJ420P, width, height);
        frame.set_color_range(color::Range::JPEG);
        let luma = self.pixels.iter().map(|[r, g, b]| byte((77 * r + 150 * g + 29 * b + 128) >> 8)).collect::<Vec<_>>();
        fill(&mut frame, 0, self.width, &luma);
        let blue = self.halved().map(|[r, g, b]| byte(((-43 * r - 85 * g + 128 * b + 128) >> 8) + 128));
        fill(&mut frame, 1, self.width / 2, &blue.collect::<Vec<_>>());
        let red = self.halved().map(|[r, g, b]| byte(((128 * r - 107 * g - 21 * b + 128) >> 8) + 128));
        fill(&mut frame, 2, self.width / 2, &red.collect::<Vec<_>>());
        frame.set_pts(Some(0));
        encoder.send_frame(&frame)?;
        encoder.send_eof()?;
        let mut packet = Packet::empty();
        encoder.receive_packet(&mut packet)?;
        Ok(packet.data().unwrap_or_default().to_vec())
    }

    /// Half as wide and as high.
    fn halved(&self) -> impl Iterator<Item = [i32; 3]> {
        let at = |x: usize, y: usize| {
            self.pixels.get(y.saturating_mul(self.width).saturating_add(x)).copied().unwrap_or_default()
        };
        (0..self.height).step_by(2).flat_map(move |y| (0..self.width).step_by(2).map(move |x| (x, y))).map(
            move |(x, y)| {
                let four = [
                    at(x, y),
                    at(x.saturating_add(1), y),
                    at(x, y.saturating_add(1)),
                    at(x.saturating_add(1), y.saturating_add(1)),
                ];
                let sum = |colour: fn(&[i32; 3]) -> i32| (four.iter().map(colour).sum::<i32>() + 2) / 4;
                [sum(|[r, ..]| *r), sum(|[_, g, _]| *g), sum(|[.., b]| *b)]
            },
        )
    }
}

/// A plane in another size: each pixel the mean of those that it stands for, or the nearest.
fn averaged(plane: &[u8], (wide, high): (usize, usize), (width, height): (usize, usize)) -> Vec<i32> {
    let span = |at: usize, of: usize, all: usize| {
        let first = at.saturating_mul(all).checked_div(of).unwrap_or(0);
        let end = at.saturating_add(1).saturating_mul(all).checked_div(of).unwrap_or(0);
        first..end.max(first.saturating_add(1)).min(all)
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    places
        .map(|(x, y)| {
            let (mut sum, mut count) = (0_i32, 0_i32);
            for line in span(y, height, high) {
                let columns = span(x, width, wide);
                let start = line.saturating_mul(wide);
                let pixels = plane.get(start.saturating_add(columns.start)..start.saturating_add(columns.end));
                for pixel in pixels.unwrap_or_default() {
                    sum = sum.saturating_add(i32::from(*pixel));
                    count = count.saturating_add(1);
                }
            }
            sum.checked_div(count).unwrap_or(128)
        })
        .collect()
}

/// Red, green and blue of BT.709 in the range of video.
fn colours(y: i32, cb: i32, cr: i32) -> [i32; 3] {
    let (y, cb, cr) = (298 * (y - 16), cb - 128, cr - 128);
    [y + 459 * cr, y - 55 * cb - 136 * cr, y + 541 * cb].map(|colour| ((colour + 128) >> 8).clamp(0, 255))
}

fn byte(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).unwrap_or(u8::MAX)
}

fn fill(frame: &mut Frame, index: usize, width: usize, pixels: &[u8]) {
    let stride = frame.stride(index).max(1);
    for (to, from) in frame.data_mut(index).chunks_mut(stride).zip(pixels.chunks(width.max(1))) {
        if let Some(to) = to.get_mut(..from.len()) {
            to.copy_from_slice(from);
        }
    }
}
