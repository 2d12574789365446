//! The text of a provide message, inflated as it comes and never beyond its limit.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use super::Unreadable;
use super::text::{Form, State, Text};

/// Bytes that are inflated at once.
const CHUNK: usize = 8 * 1024;

/// What a provide message was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provided {
    Text(Text),
    TooLong { bytes: u32 },
    Unreadable(Unreadable),
}

/// The zlib stream of a provide message, of which the first format is text: its size, then so many bytes. What comes after them,
/// other formats or nothing's, is not inflated.
///
/// INVARIANT: it holds at most the limit, [`CHUNK`] and zlib's window, whatever the stream says.
pub(super) struct Inflate {
    zlib: Decompress,
    chunk: Box<[u8; CHUNK]>,
    most: u32,
    stage: Stage,
}

enum Stage {
    /// The size is awaited.
    Size { read: usize, size: u32 },
    /// So many bytes of the text are awaited.
    Text { left: u32, size: u32, form: Form },
    /// Nothing more is looked at.
    Done(Provided),
}

impl Inflate {
    /// For a text of at most `most` bytes in its one form.
    pub(super) fn new(most: u32) -> Self {
        let stage = Stage::Size { read: 0, size: 0 };
        Self { zlib: Decompress::new(true), chunk: Box::new([0; CHUNK]), most, stage }
    }

    /// Takes the next bytes of the stream, all of them.
    pub(super) fn feed(&mut self, mut input: &[u8]) {
        loop {
            let room = match &self.stage {
                Stage::Size { read, .. } => 4_usize.saturating_sub(*read),
                Stage::Text { left, .. } => usize::try_from(*left).unwrap_or(CHUNK).min(CHUNK),
                Stage::Done(_) => return,
            };
            let before = (self.zlib.total_in(), self.zlib.total_out());
            let room = self.chunk.get_mut(..room).unwrap_or_default();
            let status = self.zlib.decompress(input, room, FlushDecompress::None);
            let taken = usize::try_from(self.zlib.total_in() - before.0).unwrap_or(usize::MAX);
            let given = usize::try_from(self.zlib.total_out() - before.1).unwrap_or(usize::MAX);
            input = input.get(taken..).unwrap_or_default();
            self.take(given);
            match status {
                _ if matches!(self.stage, Stage::Done(_)) => return,
                Err(_) => return self.fail(Unreadable::Zlib),
                Ok(Status::StreamEnd) => return self.fail(Unreadable::Truncated),
                Ok(_) if taken > 0 || given > 0 => {}
                // Without input it waits for more; with input it is stuck, and would be for ever.
                Ok(_) if input.is_empty() => return,
                Ok(_) => return self.fail(Unreadable::Zlib),
            }
        }
    }

    /// What it was, the stream being over.
    pub(super) fn finish(self) -> Provided {
        match self.stage {
            Stage::Done(provided) => provided,
            Stage::Size { .. } | Stage::Text { .. } => Provided::Unreadable(Unreadable::Truncated),
        }
    }

    /// Takes the first `given` bytes of the chunk.
    fn take(&mut self, given: usize) {
        let bytes = self.chunk.get(..given).unwrap_or_default();
        match &mut self.stage {
            Stage::Size { read, size } => {
                *size = bytes.iter().fold(*size, |size, byte| size << 8 | u32::from(*byte));
                *read += given;
                if *read == 4 {
                    let size = *size;
                    self.begin(size);
                }
            }
            Stage::Text { left, size, form } => {
                *left = left.saturating_sub(u32::try_from(given).unwrap_or(u32::MAX));
                match form.push(bytes) {
                    State::Over => self.stage = Stage::Done(Provided::TooLong { bytes: *size }),
                    State::Ended => self.end(),
                    State::Open if *left == 0 => self.end(),
                    State::Open => {}
                }
            }
            Stage::Done(_) => {}
        }
    }

    fn begin(&mut self, size: u32) {
        // Every line feed of a text at its limit may be a CR LF on the wire, and a NUL is counted: a larger one is over it for certain.
        if u64::from(size) > u64::from(self.most) * 2 + 1 {
            self.stage = Stage::Done(Provided::TooLong { bytes: size });
            return;
        }
        let form = Form::new(usize::try_from(self.most).unwrap_or(usize::MAX));
        self.stage = Stage::Text { left: size, size, form };
        if size == 0 {
            self.end();
        }
    }

    fn end(&mut self) {
        let failed = Stage::Done(Provided::Unreadable(Unreadable::Utf8));
        if let Stage::Text { form, .. } = std::mem::replace(&mut self.stage, failed)
            && let Some(text) = form.finish()
        {
            self.stage = Stage::Done(Provided::Text(text));
        }
    }

    fn fail(&mut self, why: Unreadable) {
        self.stage = Stage::Done(Provided::Unreadable(why));
    }

    /// Bytes reserved for the text.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        match &self.stage {
            Stage::Text { form, .. } => form.allocated(),
            _ => 0,
        }
    }
}

/// Nothing of the text.
impl fmt::Debug for Inflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflate").finish_non_exhaustive()
    }
}
