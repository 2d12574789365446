//! libx264 by way of FFmpeg: pictures in, H.264 access units out. The one place of this package that meets FFmpeg.
//!
//! An access unit is the MP4 sample of a picture (ISO/IEC 14496-15): NAL units behind four bytes of length each.
//! No picture is held back or reordered, and a key picture (IDR) is where it was asked for and nowhere else.
mod bits;
mod cavlc;
mod h264;
mod macroblock;
mod patch;

use std::sync::Once;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec;
use ffmpeg_next::util::color;
use ffmpeg_next::util::frame::Video as Frame;
use ffmpeg_next::util::picture::Type;

pub(crate) use h264::ParameterSets;
use macroblock::Quantiser;
use patch::Patcher;
use portcullis_rfb::{Region, Size};

use crate::number::short;

/// Microseconds: one tick of the encoder's and the video's clock.
pub(crate) const TICKS_PER_SECOND: u32 = 1_000_000;
/// What libx264 takes as the rate of pictures when it chooses a level. Their true times are their own.
const NOMINAL_RATE: i32 = 60;
/// By how much the quantiser of patches is below that of libx264's pictures: they add to its error.
const SHARPER: u8 = 3;

/// Why a picture was not encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// This FFmpeg was built without libx264.
    #[error("FFmpeg has no libx264")]
    Missing,
    /// libx264 refuses the settings, or has no memory.
    #[error("the encoder for {0} could not be opened")]
    Open(Size, #[source] ffmpeg::Error),
    /// It failed on a picture.
    #[error("a picture could not be encoded")]
    Encode(#[source] ffmpeg::Error),
    /// It gave something else than one access unit for one picture.
    #[error("the encoder broke its promise: {0}")]
    Unexpected(&'static str),
    /// The pixels could not be converted.
    #[error("pixels could not be converted to YUV")]
    Convert(#[source] yuv::YuvError),
}

/// The picture that is encoded next, NV12 (4:2:0): rows of luma, and half as many rows of interleaved Cb and Cr.
pub(crate) struct Canvas<'a> {
    pub(crate) luma: &'a mut [u8],
    pub(crate) luma_stride: usize,
    pub(crate) chroma: &'a mut [u8],
    pub(crate) chroma_stride: usize,
}

/// An encoder of pictures of one size.
pub(crate) struct Encoder {
    encoder: codec::encoder::Video,
    frame: Frame,
    packet: codec::packet::Packet,
    sets: ParameterSets,
    patcher: Patcher,
}

impl Encoder {
    /// An encoder for a screen of `size`. 4:2:0 has even sides only: an odd one gets a black column or row.
    pub(crate) fn open(size: Size, crf: u8, threads: u32) -> Result<Self, EncoderError> {
        quiet();
        let coded = coded(size);
        let (width, height) = (u32::from(coded.width), u32::from(coded.height));
        let codec = ffmpeg::encoder::find_by_name("libx264").ok_or(EncoderError::Missing)?;
        let failed = |error| EncoderError::Open(size, error);
        let mut video = codec::Context::new_with_codec(codec).encoder().video().map_err(failed)?;
        video.set_width(width);
        video.set_height(height);
        video.set_format(ffmpeg::format::Pixel::NV12);
        video.set_time_base((1, i32::try_from(TICKS_PER_SECOND).unwrap_or(1)));
        video.set_frame_rate(Some((NOMINAL_RATE, 1)));
        video.set_max_b_frames(0);
        video.set_colorspace(color::Space::BT709);
        video.set_color_range(color::Range::MPEG);
        video.set_color_primaries(color::Primaries::BT709);
        video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        video.set_flags(codec::Flags::GLOBAL_HEADER);
        video.set_threading(codec::threading::Config { count: short(u64::from(threads.max(1))), ..Default::default() });
        let encoder = video.open_with(options(crf)).map_err(failed)?;
        let quantiser = Quantiser::new(crf.saturating_sub(SHARPER));
        let sets = ParameterSets::from_extradata(&extradata(&encoder), quantiser)
            .ok_or(EncoderError::Unexpected("parameter sets"))?;
        let mut frame = Frame::new(ffmpeg::format::Pixel::NV12, width, height);
        if frame.planes() != 2 {
            return Err(failed(ffmpeg::Error::Other { errno: ffmpeg::error::ENOMEM }));
        }
        frame.data_mut(0).fill(16);
        frame.data_mut(1).fill(128);
        let patcher = Patcher::new(coded, quantiser, &sets, &canvas(&mut frame));
        Ok(Self { encoder, frame, packet: codec::packet::Packet::empty(), sets, patcher })
    }

    /// The picture to draw on. It stays as it was drawn from one encoding to the next.
    pub(crate) fn canvas(&mut self) -> Canvas<'_> {
        canvas(&mut self.frame)
    }

    /// SPS and PPS of everything that this encoder gives.
    pub(crate) fn parameter_sets(&self) -> &ParameterSets {
        &self.sets
    }

    /// Encodes the canvas, of which `drawn` was drawn on since the last time, as the picture of `at_us`, which is later than the one
    /// before. `key`: as an IDR picture. Where little differs it costs little: see [`patch`].
    pub(crate) fn encode(&mut self, at_us: u64, key: bool, drawn: &Region) -> Result<Vec<u8>, EncoderError> {
        self.patcher.touch(drawn);
        if !key && let Some(sample) = self.patcher.write(&canvas(&mut self.frame)) {
            return Ok(sample);
        }
        let pts = i64::try_from(at_us).map_err(|_| EncoderError::Unexpected("a time"))?;
        self.frame.set_pts(Some(pts));
        self.frame.set_kind(if key { Type::I } else { Type::None });
        self.encoder
            .send_frame(&self.frame)
            .and_then(|()| self.encoder.receive_packet(&mut self.packet))
            .map_err(EncoderError::Encode)?;
        if self.packet.pts() != Some(pts) || self.packet.is_key() != key {
            return Err(EncoderError::Unexpected("another picture than was sent"));
        }
        let sample = self.packet.data().unwrap_or_default();
        let admitted = self.patcher.admit(sample, &canvas(&mut self.frame));
        admitted.ok_or(EncoderError::Unexpected("a picture that is not as libx264 makes them"))
    }
}

/// The size of the video of a screen: with even sides.
pub(crate) fn coded(size: Size) -> Size {
    let even = |side: u16| side.max(1).checked_next_multiple_of(2).unwrap_or(u16::MAX - 1);
    Size::new(even(size.width), even(size.height))
}

fn options(crf: u8) -> ffmpeg::Dictionary<'static> {
    let mut options = ffmpeg::Dictionary::new();
    options.set("preset", "veryfast");
    options.set("tune", "stillimage,zerolatency");
    options.set("crf", &crf.min(51).to_string());
    options.set("forced-idr", "1");
    // Key pictures only where a segment begins; hence no search for changes of scene, which costs and looks ahead.
    // NAL units behind their length, as MP4 has them, instead of start codes.
    // As sharp when much changes as when little does (qcomp=1): what was shown for a moment only can be read in the record too.
    options.set("x264-params", "annexb=0:keyint=infinite:scenecut=0:qcomp=1");
    options
}

/// Keeps FFmpeg's own chatter off the gate's log. What fails comes back as an error.
pub(crate) fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| ffmpeg::util::log::set_level(ffmpeg::util::log::Level::Fatal));
}

/// Both planes of an NV12 frame at once.
#[allow(unsafe_code, reason = "FFmpeg's edge: one plane at a time is all that the binding lends")]
fn canvas(frame: &mut Frame) -> Canvas<'_> {
    let (luma_stride, chroma_stride) = (frame.stride(0), frame.stride(1));
    let (luma, chroma): (*mut [u8], *mut [u8]) = (frame.data_mut(0), frame.data_mut(1));
    // SAFETY: the planes of a frame are distinct buffers or distinct parts of one, and both borrows end with that of `frame`.
    let (luma, chroma) = unsafe { (&mut *luma, &mut *chroma) };
    Canvas { luma, luma_stride, chroma, chroma_stride }
}

/// The parameter sets as libx264 gave them.
#[allow(unsafe_code, reason = "FFmpeg's edge: the binding has no accessor for extradata")]
fn extradata(encoder: &codec::encoder::Video) -> Vec<u8> {
    // SAFETY: an opened context owns `extradata_size` bytes at `extradata`, or has none of it.
    unsafe {
        let context = encoder.as_ptr();
        let (data, length) = ((*context).extradata, (*context).extradata_size);
        match usize::try_from(length) {
            Ok(length) if !data.is_null() => std::slice::from_raw_parts(data, length).to_vec(),
            _ => Vec::new(),
        }
    }
}
