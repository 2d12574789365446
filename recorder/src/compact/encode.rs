//! AV1 by SVT-AV1, VP9 by libvpx, both by way of FFmpeg: one encoder a segment, so that each begins with a key picture.
use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec;
use ffmpeg_next::util::color;
use ffmpeg_next::util::frame::Video as Frame;
use ffmpeg_next::util::picture::Type;
use portcullis_rfb::Size;

use super::CompactError;
use crate::number::short;

/// Pictures a second that the encoders are told of; a picture's order stands for its time, which it keeps.
const NOMINAL_RATE: i32 = 30;
/// No key picture but the first.
const NEVER: u32 = 1_000_000;

/// What a recording is encoded with anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// AV1: smallest, slowest.
    Av1,
    /// VP9.
    Vp9,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactSettings {
    /// The codec.
    pub codec: Codec,
    /// Constant rate factor, 0 to 63.
    pub crf: u8,
    /// The encoder's own number for how quick it is rather than small: `preset` of SVT-AV1, `cpu-used` of libvpx.
    pub speed: u8,
    /// Threads.
    pub threads: u32,
}

impl Codec {
    /// Its name: `av1`, `vp9`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Av1 => "av1",
            Self::Vp9 => "vp9",
        }
    }

    fn encoder(self) -> &'static str {
        match self {
            Self::Av1 => "libsvtav1",
            Self::Vp9 => "libvpx-vp9",
        }
    }

    /// What encodes, with the version of FFmpeg's library.
    pub(super) fn tool(self) -> String {
        let version = codec::version();
        let (major, minor, micro) = (version >> 16, version >> 8 & 0xff, version & 0xff);
        format!("{} by libavcodec {major}.{minor}.{micro}, portcullis {}", self.encoder(), env!("CARGO_PKG_VERSION"))
    }
}

impl CompactSettings {
    /// What text of 13 pixels stays readable with.
    #[must_use]
    pub fn of(codec: Codec, threads: u32) -> Self {
        match codec {
            Codec::Av1 => Self { codec, crf: 35, speed: 8, threads },
            Codec::Vp9 => Self { codec, crf: 32, speed: 4, threads },
        }
    }

    pub(super) fn words(&self) -> String {
        format!("crf={} speed={}", self.crf.min(63), self.speed)
    }

    fn options(&self) -> ffmpeg::Dictionary<'static> {
        let mut options = ffmpeg::Dictionary::new();
        options.set("crf", &self.crf.min(63).to_string());
        match self.codec {
            Codec::Av1 => options.set("preset", &self.speed.min(13).to_string()),
            Codec::Vp9 => {
                options.set("b", "0");
                options.set("deadline", "good");
                options.set("cpu-used", &self.speed.min(8).to_string());
                options.set("row-mt", "1");
            }
        }
        options
    }
}

/// A picture as it was encoded.
pub(super) struct Packet {
    /// Its place in the segment, from 0.
    pub(super) order: i64,
    pub(super) key: bool,
    pub(super) bytes: Vec<u8>,
}

/// The encoder of one segment.
pub(super) struct Encoder {
    inner: codec::encoder::Video,
    packet: codec::packet::Packet,
    out: Vec<Packet>,
    codec: Codec,
}

impl Encoder {
    pub(super) fn open(size: Size, settings: &CompactSettings) -> Result<Self, CompactError> {
        crate::encoder::quiet();
        let codec = ffmpeg::encoder::find_by_name(settings.codec.encoder())
            .ok_or(CompactError::Codec("it has no encoder of this codec", None))?;
        let failed = |error| CompactError::Codec("the encoder cannot be opened", Some(error));
        let mut video = codec::Context::new_with_codec(codec).encoder().video().map_err(failed)?;
        video.set_width(u32::from(size.width));
        video.set_height(u32::from(size.height));
        video.set_format(ffmpeg::format::Pixel::YUV420P);
        video.set_time_base((1, NOMINAL_RATE));
        video.set_frame_rate(Some((NOMINAL_RATE, 1)));
        video.set_gop(NEVER);
        video.set_colorspace(color::Space::BT709);
        video.set_color_range(color::Range::MPEG);
        video.set_color_primaries(color::Primaries::BT709);
        video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        video.set_threading(codec::threading::Config {
            count: short(u64::from(settings.threads.max(1))),
            ..Default::default()
        });
        let inner = video.open_with(settings.options()).map_err(failed)?;
        Ok(Self { inner, packet: codec::packet::Packet::empty(), out: Vec::new(), codec: settings.codec })
    }

    /// Encodes a picture, whose time is its order.
    pub(super) fn send(&mut self, frame: &mut Frame) -> Result<(), CompactError> {
        if frame.format() != ffmpeg::format::Pixel::YUV420P {
            return Err(CompactError::Codec("a picture of another kind than is recorded", None));
        }
        frame.set_kind(Type::None);
        let sent = self.inner.send_frame(frame);
        sent.map_err(|error| CompactError::Codec("a picture cannot be encoded", Some(error)))?;
        self.drain()
    }

    /// All pictures of the segment.
    pub(super) fn finish(mut self) -> Result<Vec<Packet>, CompactError> {
        let sent = self.inner.send_eof();
        sent.map_err(|error| CompactError::Codec("the last picture cannot be encoded", Some(error)))?;
        self.drain()?;
        Ok(std::mem::take(&mut self.out))
    }

    fn drain(&mut self) -> Result<(), CompactError> {
        loop {
            match self.inner.receive_packet(&mut self.packet) {
                Ok(()) => {
                    let data = self.packet.data().unwrap_or_default();
                    // Temporal delimiters do not belong in a file of samples (AV1 in ISOBMFF §2.4).
                    let delimited = data.strip_prefix(&[0x12, 0]).filter(|_| self.codec == Codec::Av1);
                    self.out.push(Packet {
                        order: self.packet.pts().unwrap_or(-1),
                        key: self.packet.is_key(),
                        bytes: delimited.unwrap_or(data).to_vec(),
                    });
                }
                Err(ffmpeg::Error::Eof) => return Ok(()),
                Err(ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(()),
                Err(error) => return Err(CompactError::Codec("a picture cannot be encoded", Some(error))),
            }
        }
    }
}
