//! The zlib streams of a desktop's Tight and ZRLE rectangles: who reads says how much comes out, the rectangle how much goes in.

use flate2::{Decompress, FlushDecompress};

use crate::limits::{DEFLATE_SLACK, MAX_COMPRESSED};

/// Bytes that are inflated ahead of who reads them, and the most that can be asked for at once.
pub(super) const ROOM: usize = 64 * 1024;

/// One of the streams, each of which lasts as long as the connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    /// Tight's; the two lowest bits are its number.
    Tight(u8),
    /// ZRLE's.
    Zrle,
}

/// The streams that have begun: at most five, about 50 KiB each, and the room that they share.
#[derive(Debug, Default)]
pub(super) struct Streams {
    tight: [Option<Decompress>; 4],
    zrle: Option<Decompress>,
    room: Vec<u8>,
}

/// The most bytes that `inflated` bytes are deflated to by anyone who means to compress them.
pub(super) fn most_deflated(inflated: u64) -> u64 {
    (inflated + inflated / 8 + DEFLATE_SLACK).min(MAX_COMPRESSED)
}

impl Streams {
    /// Begins Tight's streams anew whose bits are set (community specification, "Tight Encoding").
    pub(super) fn reset(&mut self, bits: u8) {
        for (number, stream) in self.tight.iter_mut().enumerate() {
            if bits >> number & 1 == 1 {
                stream.iter_mut().for_each(|inflate| inflate.reset(true));
            }
        }
    }

    /// What `packed` inflates to as the next piece of `stream`.
    pub(super) fn read<'a>(&'a mut self, stream: Stream, packed: &'a [u8]) -> Inflated<'a> {
        let [zero, one, two, three] = &mut self.tight;
        let stream = match stream {
            Stream::Zrle => &mut self.zrle,
            Stream::Tight(number) => match number & 3 {
                0 => zero,
                1 => one,
                2 => two,
                _ => three,
            },
        };
        self.room.resize(ROOM, 0);
        Inflated {
            inflate: stream.get_or_insert_with(|| Decompress::new(true)),
            packed,
            room: &mut self.room,
            start: 0,
            end: 0,
            dry: false,
        }
    }
}

/// The inflated bytes of one rectangle, read in order. Dropped before [`Inflated::finish`], it leaves its stream of no use.
#[derive(Debug)]
pub(super) struct Inflated<'a> {
    inflate: &'a mut Decompress,
    packed: &'a [u8],
    room: &'a mut [u8],
    start: usize,
    end: usize,
    /// Nothing more comes of what is packed.
    dry: bool,
}

impl Inflated<'_> {
    /// The next `count` bytes, at most [`ROOM`].
    pub(super) fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let there = self.peek(count)?.len();
        if there < count {
            return Err(format!("its zlib data ends {} bytes early", count - there));
        }
        let start = self.start;
        self.start += count;
        Ok(self.room.get(start..self.start).unwrap_or_default())
    }

    /// As many of the next `most` bytes, at most [`ROOM`], as there are; they stay the next ones.
    pub(super) fn peek(&mut self, most: usize) -> Result<&[u8], String> {
        while self.end - self.start < most && self.inflate_more()? {}
        Ok(self.room.get(self.start..self.end.min(self.start + most)).unwrap_or_default())
    }

    /// Leaves out `count` bytes that [`Self::peek`] has shown.
    pub(super) fn skip(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// INVARIANT: a rectangle takes all of its data, and the next one finds its stream at its own beginning.
    pub(super) fn finish(mut self) -> Result<(), String> {
        if self.start < self.end || self.inflate_more()? {
            return Err("its zlib data goes on after its last pixel".to_owned());
        }
        if !self.packed.is_empty() {
            return Err(format!("{} bytes follow the end of its zlib stream", self.packed.len()));
        }
        Ok(())
    }

    /// Inflates into the room, of which some is free; false when nothing more comes of what is packed.
    fn inflate_more(&mut self) -> Result<bool, String> {
        if self.dry {
            return Ok(false);
        }
        self.room.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        loop {
            let free = self.room.get_mut(self.end..).unwrap_or_default();
            let (taken, made) = (self.inflate.total_in(), self.inflate.total_out());
            let inflated = self.inflate.decompress(self.packed, free, FlushDecompress::None);
            inflated
                .map_err(|error| format!("its zlib data is damaged: {}", error.message().unwrap_or("dictionary")))?;
            let taken = length(self.inflate.total_in() - taken);
            let made = length(self.inflate.total_out() - made);
            self.packed = self.packed.get(taken..).unwrap_or_default();
            self.end += made;
            // INVARIANT: each round takes or makes something, or is the last.
            if made > 0 || taken == 0 {
                self.dry = made == 0;
                return Ok(made > 0);
            }
        }
    }
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
