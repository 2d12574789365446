//! The serial form of what is handed over: one record a pointer move, one or more a revision.
//!
//! A record is a header and a payload, both with a CRC-32, all integers little-endian:
//!
//! | bytes | header |
//! |---|---|
//! | 4 | magic `PCHO` |
//! | 1 | kind: 1 part of an update, 2 its last part, 3 pointer |
//! | 3 | zero |
//! | 8 | sequence: 0, 1, 2… through the session |
//! | 8 | revision that the update makes; of the screen at a pointer move |
//! | 8 | media clock, microseconds; strictly rising |
//! | 4 | bytes of the payload |
//! | 4 | CRC-32 of the payload |
//! | 4 | CRC-32 of the 40 bytes before |
use std::io::IoSlice;
use std::sync::Arc;

use portcullis_rfb::{Change, Cursor, Point, Rect, Size};

use crate::number::total;

/// Bytes of a record's header.
pub(crate) const HEADER_BYTES: usize = 44;
/// The longest payload. A longer update is split between rows into several records.
pub(crate) const MAX_PAYLOAD: usize = 8 * 1024 * 1024;
/// Bytes of a change's own header, which no payload splits.
const CHANGE_BYTES: usize = 13;
const MAGIC: &[u8; 4] = b"PCHO";

const PIXELS: u8 = 1;
const COPY: u8 = 2;
const CURSOR: u8 = 3;
const RESIZE: u8 = 4;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Changes of a revision that has more.
    Part,
    /// The last changes of a revision: with this it is handed over.
    Update,
    /// The pointer's place.
    Pointer,
}

/// The header of a record, without its checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) sequence: u64,
    pub(crate) revision: u64,
    pub(crate) at_us: u64,
    pub(crate) length: u32,
    pub(crate) crc: u32,
}

/// A record as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) header: Header,
    pub(crate) body: Body,
}

/// The payload of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Changes(Vec<Change>),
    Pointer(Point),
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[self.kind.code(), 0, 0, 0]);
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.revision.to_le_bytes());
        bytes.extend_from_slice(&self.at_us.to_le_bytes());
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&self.crc.to_le_bytes());
        let own = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&own.to_le_bytes());
        bytes.try_into().unwrap_or([0; HEADER_BYTES])
    }

    /// What a covered payload is bound to: the header without the payload's checksum.
    pub(crate) fn bound(self) -> [u8; HEADER_BYTES] {
        Self { crc: 0, ..self }.to_bytes()
    }

    /// The header of these bytes; `None` when they are not one, as behind the newest record.
    pub(crate) fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let mut rest = Reader(bytes);
        let checked = bytes.get(..HEADER_BYTES - 4)?;
        if rest.array()? != *MAGIC {
            return None;
        }
        let [kind, 0, 0, 0] = rest.array()? else {
            return None;
        };
        let header = Self {
            kind: Kind::of(kind)?,
            sequence: rest.u64()?,
            revision: rest.u64()?,
            at_us: rest.u64()?,
            length: rest.u32()?,
            crc: rest.u32()?,
        };
        let whole = rest.u32()? == crc32fast::hash(checked);
        let bounded = usize::try_from(header.length).is_ok_and(|length| length <= MAX_PAYLOAD);
        (whole && bounded).then_some(header)
    }
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Part => 1,
            Self::Update => 2,
            Self::Pointer => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Part),
            2 => Some(Self::Update),
            3 => Some(Self::Pointer),
            _ => None,
        }
    }
}

/// The payload of one record to be written: pieces in order, pixels borrowed from the changes.
#[derive(Debug, Default)]
pub(crate) struct Payload<'a> {
    pieces: Vec<Piece<'a>>,
    length: usize,
}

#[derive(Debug)]
enum Piece<'a> {
    Own(Vec<u8>),
    Borrowed(&'a [u8]),
}

impl Piece<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Borrowed(bytes) => bytes,
        }
    }
}

impl<'a> Payload<'a> {
    /// The payload of a pointer's place.
    pub(crate) fn pointer(at: Point) -> Self {
        let mut payload = Self::default();
        payload.own(&[&at.x.to_le_bytes(), &at.y.to_le_bytes()]);
        payload
    }

    /// The payloads of a revision, at least one, none longer than `limit` but where a single row or cursor is.
    pub(crate) fn split(changes: &'a [Change], limit: usize) -> Vec<Self> {
        let limit = limit.min(MAX_PAYLOAD);
        let mut done = Vec::new();
        let mut open = Self::default();
        for change in changes {
            match change {
                Change::Pixels { rect, pixels } => {
                    pixels_split(&mut done, &mut open, *rect, pixels, limit);
                }
                Change::Copy { to, from } => {
                    room(&mut done, &mut open, CHANGE_BYTES, limit);
                    let [x, y, width, height] = edges(*to);
                    let (from_x, from_y) = (from.x.to_le_bytes(), from.y.to_le_bytes());
                    open.own(&[&[COPY], &x, &y, &width, &height, &from_x, &from_y]);
                }
                Change::Cursor(cursor) => {
                    room(&mut done, &mut open, CHANGE_BYTES + cursor.pixels.len(), limit);
                    let Cursor { hotspot, size, .. } = **cursor;
                    let [x, y, width, height] = edges(Rect::new(hotspot.x, hotspot.y, size.width, size.height));
                    open.own(&[&[CURSOR], &x, &y, &width, &height]);
                    open.borrow(&cursor.pixels);
                }
                Change::Resize(size) => {
                    room(&mut done, &mut open, CHANGE_BYTES, limit);
                    let (width, height) = (size.width.to_le_bytes(), size.height.to_le_bytes());
                    open.own(&[&[RESIZE], &width, &height]);
                }
            }
        }
        done.push(open);
        done
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn crc(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        self.pieces.iter().for_each(|piece| crc.update(piece.bytes()));
        crc.finalize()
    }

    /// The bytes, piece by piece.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.pieces.iter().map(Piece::bytes)
    }

    /// The bytes, ready for a vectored write.
    pub(crate) fn slices(&self) -> impl Iterator<Item = IoSlice<'_>> {
        self.pieces.iter().map(|piece| IoSlice::new(piece.bytes()))
    }

    fn own(&mut self, fields: &[&[u8]]) {
        self.length += total(fields.iter().copied());
        self.pieces.push(Piece::Own(fields.concat()));
    }

    fn borrow(&mut self, bytes: &'a [u8]) {
        self.length += bytes.len();
        self.pieces.push(Piece::Borrowed(bytes));
    }
}

/// Begins another payload when `bytes` more would not fit into the open one.
fn room<'a>(done: &mut Vec<Payload<'a>>, open: &mut Payload<'a>, bytes: usize, limit: usize) {
    if open.length > 0 && open.length + bytes > limit {
        done.push(std::mem::take(open));
    }
}

/// Adds pixels in bands of whole rows, as many as fit each payload.
fn pixels_split<'a>(done: &mut Vec<Payload<'a>>, open: &mut Payload<'a>, rect: Rect, pixels: &'a [u8], limit: usize) {
    let stride = usize::from(rect.width) * 4;
    let mut rows = pixels;
    let mut y = rect.y;
    let mut left = rect.height;
    while left > 0 && stride > 0 {
        room(done, open, CHANGE_BYTES + stride, limit);
        let fit = limit.saturating_sub(open.length + CHANGE_BYTES) / stride;
        let height = u16::try_from(fit).unwrap_or(u16::MAX).clamp(1, left);
        let (band, rest) = rows.split_at_checked(usize::from(height) * stride).unwrap_or((rows, &[]));
        let [x, top, width, height_bytes] = edges(Rect::new(rect.x, y, rect.width, height));
        open.own(&[&[PIXELS], &x, &top, &width, &height_bytes]);
        open.borrow(band);
        rows = rest;
        y = y.saturating_add(height);
        left -= height;
    }
}

fn edges(rect: Rect) -> [[u8; 2]; 4] {
    [rect.x, rect.y, rect.width, rect.height].map(u16::to_le_bytes)
}

impl Body {
    /// The body of a payload whose checksum was right; `None` when it is not what this version writes.
    pub(crate) fn from_bytes(kind: Kind, bytes: &[u8]) -> Option<Self> {
        let mut rest = Reader(bytes);
        match kind {
            Kind::Pointer => {
                let at = Point::new(rest.u16()?, rest.u16()?);
                rest.0.is_empty().then_some(Self::Pointer(at))
            }
            Kind::Part | Kind::Update => {
                let mut changes = Vec::new();
                while !rest.0.is_empty() {
                    changes.push(change(&mut rest)?);
                }
                Some(Self::Changes(changes))
            }
        }
    }
}

fn change(rest: &mut Reader<'_>) -> Option<Change> {
    let [tag] = rest.array()?;
    match tag {
        PIXELS => {
            let rect = rest.rect()?;
            let pixels = rest.take(area_bytes(rect.size())?)?.to_vec();
            Some(Change::Pixels { rect, pixels })
        }
        COPY => {
            let to = rest.rect()?;
            let from = Point::new(rest.u16()?, rest.u16()?);
            Some(Change::Copy { to, from })
        }
        CURSOR => {
            let place = rest.rect()?;
            let pixels = rest.take(area_bytes(place.size())?)?.to_vec();
            Some(Change::Cursor(Arc::new(Cursor { hotspot: place.origin(), size: place.size(), pixels })))
        }
        RESIZE => Some(Change::Resize(Size::new(rest.u16()?, rest.u16()?))),
        _ => None,
    }
}

fn area_bytes(size: Size) -> Option<usize> {
    usize::try_from(size.area()).ok()?.checked_mul(4)
}

/// Reads fields off the front of a slice.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn rect(&mut self) -> Option<Rect> {
        Some(Rect::new(self.u16()?, self.u16()?, self.u16()?, self.u16()?))
    }
}

#[cfg(test)]
mod tests;
