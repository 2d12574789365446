//! The pictures of a sealed recording, one after the other, of the files that its chain lists and as they were signed.
use std::io::{self, Read as _};
use std::ops::ControlFlow;

use ffmpeg_next::util::frame::Video as Frame;
use portcullis_evidence::{Digest, FileHash, Listing, PathInBundle, Source};
use portcullis_export::{Init, MAX_INIT_BYTES};
use portcullis_rfb::Size;

use super::ReadError;
use crate::compact::decode::Decoder;
use crate::compact::{CompactError, MAX_SEGMENT_BYTES, split};

/// A picture and its place.
pub(super) struct Shown<'a> {
    pub(super) at_us: u64,
    /// Until when it was shown, at least.
    pub(super) until_us: u64,
    pub(super) size: Size,
    /// It is the first, or the last, of its segment.
    pub(super) is_edge: bool,
    pub(super) frame: &'a Frame,
}

impl Shown<'_> {
    /// Its brightness, line after line.
    pub(super) fn luma(&self) -> Vec<u8> {
        plane(self.frame, 0, usize::from(self.size.width), usize::from(self.size.height))
    }
}

/// One plane of a frame without what fills its lines up.
pub(super) fn plane(frame: &Frame, index: usize, width: usize, height: usize) -> Vec<u8> {
    let lines = frame.data(index).chunks(frame.stride(index).max(1)).take(height);
    lines.flat_map(|line| line.get(..width).unwrap_or(line)).copied().collect()
}

/// Decodes the segments that are `wanted`, by their place among all, and hands over their pictures until `each` breaks off.
pub(super) fn walk(
    source: &dyn Source,
    listing: &Listing,
    wanted: &dyn Fn(usize) -> bool,
    each: &mut dyn FnMut(Shown<'_>) -> Result<ControlFlow<()>, ReadError>,
) -> Result<(), ReadError> {
    let mut header: Option<(FileHash, Option<Init>)> = None;
    let mut number = 0_usize;
    for listed in listing.links.iter().flat_map(|link| &link.files) {
        match listed.path {
            PathInBundle::Init(_) => header = Some((*listed, None)),
            PathInBundle::Video(_) => {
                number = number.saturating_add(1);
                if !wanted(number.saturating_sub(1)) {
                    continue;
                }
                let wrong = |reason| ReadError::Video(CompactError::Video(listed.path, reason));
                let (of, init) = header.as_mut().ok_or(wrong("no header came before"))?;
                let init = match init {
                    Some(init) => init,
                    None => init.insert(read_init(source, of)?),
                };
                if segment(source, listed, init, each)?.is_break() {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many segments there are.
pub(super) fn segments(listing: &Listing) -> usize {
    let files = listing.links.iter().flat_map(|link| &link.files);
    files.filter(|file| matches!(file.path, PathInBundle::Video(_))).count()
}

fn segment(
    source: &dyn Source,
    listed: &FileHash,
    init: &Init,
    each: &mut dyn FnMut(Shown<'_>) -> Result<ControlFlow<()>, ReadError>,
) -> Result<ControlFlow<()>, ReadError> {
    let bytes = read(source, listed, MAX_SEGMENT_BYTES)?;
    let wrong = |reason| ReadError::Video(CompactError::Video(listed.path, reason));
    let (samples, data) = split(&bytes).ok_or(wrong("it has another form"))?;
    let size = Size::new(init.width, init.height);
    let last = samples.len().saturating_sub(1);
    let (mut order, mut flow, mut fault) = (0_usize, ControlFlow::Continue(()), None);
    let mut take = |frame: &mut Frame| -> Result<(), CompactError> {
        let (here, sample) = (order, samples.get(order));
        order = order.saturating_add(1);
        let fits = frame.width() == u32::from(size.width) && frame.height() == u32::from(size.height);
        let Some(sample) = sample.filter(|_| fits) else {
            return Err(CompactError::Video(listed.path, "its pictures are not those of its header"));
        };
        if flow.is_break() || fault.is_some() {
            return Ok(());
        }
        let until_us = sample.at_us.saturating_add(u64::from(sample.duration_us));
        let is_edge = here == 0 || here == last;
        match each(Shown { at_us: sample.at_us, until_us, size, is_edge, frame }) {
            Ok(next) => flow = next,
            Err(error) => fault = Some(error),
        }
        Ok(())
    };
    let mut decoder = Decoder::open().map_err(ReadError::Video)?;
    for (order, sample) in (0_i64..).zip(&data) {
        let sets = if order == 0 { init.sets.as_slice() } else { &[] };
        decoder.feed(sets, sample, order, &mut take).map_err(ReadError::Video)?;
    }
    decoder.finish(&mut take).map_err(ReadError::Video)?;
    fault.map_or(Ok(flow), Err)
}

fn read_init(source: &dyn Source, listed: &FileHash) -> Result<Init, ReadError> {
    let init = Init::from_bytes(&read(source, listed, MAX_INIT_BYTES)?).filter(|init| !init.sets.is_empty());
    init.ok_or(ReadError::Video(CompactError::Video(listed.path, "it is no header of H.264")))
}

/// The file, if it is what was signed.
fn read(source: &dyn Source, listed: &FileHash, most: u64) -> Result<Vec<u8>, ReadError> {
    let failed = |error: io::Error| ReadError::Video(CompactError::Read(listed.path, error));
    let opened = source.open(listed.path).map_err(failed)?;
    let mut bytes = Vec::new();
    opened.reader.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    match Digest::of(&bytes) == listed.sha256 {
        true => Ok(bytes),
        false => Err(ReadError::Video(CompactError::Video(listed.path, "it is not the file that was signed"))),
    }
}
