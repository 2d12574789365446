//! The pictures of a segment, decoded by FFmpeg in their order.
use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::{self, Id, packet::Packet};
use ffmpeg_next::util::frame::Video as Frame;

use super::CompactError;

/// What stands before each NAL unit in a byte stream (ITU-T H.264 Annex B).
const START: [u8; 4] = [0, 0, 0, 1];

/// A decoder of one segment.
pub(crate) struct Decoder {
    inner: codec::decoder::Video,
    frame: Frame,
}

impl Decoder {
    pub(crate) fn open() -> Result<Self, CompactError> {
        crate::encoder::quiet();
        let codec = codec::decoder::find(Id::H264).ok_or(CompactError::Codec("it has no decoder of H.264", None))?;
        let opened = codec::Context::new_with_codec(codec).decoder().open().and_then(|opened| opened.video());
        let inner = opened.map_err(|error| CompactError::Codec("the decoder cannot be opened", Some(error)))?;
        Ok(Self { inner, frame: Frame::empty() })
    }

    /// Decodes a sample, with parameter sets before it; `each` is given the pictures that come out.
    pub(crate) fn feed(
        &mut self,
        sets: &[u8],
        sample: &[u8],
        order: i64,
        each: &mut dyn FnMut(&mut Frame) -> Result<(), CompactError>,
    ) -> Result<(), CompactError> {
        let stream = [stream(sets), stream(sample)].concat();
        let mut packet = Packet::copy(&stream);
        packet.set_pts(Some(order));
        packet.set_dts(Some(order));
        let sent = self.inner.send_packet(&packet);
        sent.map_err(|error| CompactError::Codec("a picture cannot be decoded", Some(error)))?;
        self.drain(each)
    }

    /// What is left.
    pub(crate) fn finish(
        mut self,
        each: &mut dyn FnMut(&mut Frame) -> Result<(), CompactError>,
    ) -> Result<(), CompactError> {
        let sent = self.inner.send_eof();
        sent.map_err(|error| CompactError::Codec("the last picture cannot be decoded", Some(error)))?;
        self.drain(each)
    }

    fn drain(&mut self, each: &mut dyn FnMut(&mut Frame) -> Result<(), CompactError>) -> Result<(), CompactError> {
        loop {
            match self.inner.receive_frame(&mut self.frame) {
                Ok(()) => each(&mut self.frame)?,
                Err(ffmpeg::Error::Eof) => return Ok(()),
                Err(ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(()),
                Err(error) => return Err(CompactError::Codec("a picture cannot be decoded", Some(error))),
            }
        }
    }
}

/// NAL units behind start codes in place of four bytes of length.
fn stream(mut units: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(units.len());
    while let Some((length, rest)) = units.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX).min(rest.len());
        let (unit, rest) = rest.split_at(length);
        out.extend_from_slice(&START);
        out.extend_from_slice(unit);
        units = rest;
    }
    out
}
