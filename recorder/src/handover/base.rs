//! Base snapshots: the whole screen now and then, so that the hand-over log before it may be overwritten.
//!
//! Of an encrypted recording they are covered. One of a screen that shows nothing yet says so in place of its pixels. Two files take turns. While one is written the other is whole, and the ring holds everything since the other.
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_evidence::{CoverKey, SALT_BYTES};
use portcullis_rfb::{Change, Cursor, Point, Rect, Screen, ScreenError, Size};

use super::record::Reader;
use super::ring::allocate;
use crate::number::long;

const MAGIC: &[u8; 4] = b"PCHB";
/// Of a covered one: then come its salt, the length of its frame, and the frame.
const COVERED: &[u8; 4] = b"PCHC";
/// What the cover of a base is for.
const PURPOSE: &str = "base";
const VERSION: u32 = 1;
/// Bytes of the fields before cursor and pixels, without the checksum that precedes them.
const FIELDS_BYTES: usize = 60;
/// The longest base: the largest screen and cursor.
const MAX_BASE_BYTES: u64 = 64 * 1024 * 1024;

/// Where the log stands and what the screen shows there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The position of the next record.
    pub(crate) position: u64,
    /// Its sequence number.
    pub(crate) sequence: u64,
    /// The revision of the screen; the last whole one, if parts of the next have been applied.
    pub(crate) revision: u64,
    /// When the newest picture was taken, on the media clock.
    pub(crate) at_us: u64,
}

impl Mark {
    /// Where a log begins.
    pub(crate) const START: Self = Self { position: 0, sequence: 0, revision: 0, at_us: 0 };
}

/// A base read back.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) mark: Mark,
    pub(crate) pointer: Option<Point>,
    pub(crate) screen: Screen,
}

/// The two files.
#[derive(Debug)]
pub(crate) struct Bases {
    paths: [PathBuf; 2],
    newer: usize,
    key: Option<CoverKey>,
}

impl Bases {
    /// The bases in the folder of a session; the first one written replaces the older.
    pub(crate) fn new(folder: &Path, key: Option<CoverKey>) -> Self {
        Self { paths: [folder.join("base-a"), folder.join("base-b")], newer: 1, key }
    }

    /// The file that is written next.
    pub(crate) fn older(&self) -> &Path {
        let [first, second] = &self.paths;
        if self.newer == 0 { second } else { first }
    }

    /// Writes both of a session that begins: a black screen. The room that later ones take is allocated: a full disk shows here.
    pub(crate) fn begin(&mut self, size: Size) -> io::Result<()> {
        let fields = fields(Mark::START, None, size, None, true);
        let room = size.area().saturating_mul(4);
        for _ in 0..2 {
            allocate(&self.replace([&fields, &[], &[]])?, room)?;
        }
        Ok(())
    }

    /// Writes a snapshot over the older of the two.
    pub(crate) fn write(&mut self, mark: Mark, pointer: Option<Point>, screen: &Screen) -> io::Result<()> {
        let cursor = screen.cursor();
        let fields = fields(mark, pointer, screen.size(), cursor, false);
        let cursor = cursor.map_or(&[][..], |cursor| &cursor.pixels);
        self.replace([&fields, cursor, screen.pixels()]).map(drop)
    }

    /// Writes fields, cursor and pixels over the older of the two.
    fn replace(&mut self, [fields, cursor, pixels]: [&[u8]; 3]) -> io::Result<File> {
        let mut crc = crc32fast::Hasher::new();
        [fields, cursor, pixels].into_iter().for_each(|part| crc.update(part));
        let crc = crc.finalize().to_le_bytes();
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.older())?;
        let parts = [MAGIC.as_slice(), &crc, fields, cursor, pixels];
        match &self.key {
            None => write_all(&file, parts)?,
            Some(key) => {
                let cover = key.cover(PURPOSE)?;
                let frame = cover.cover(&[], parts.into_iter())?;
                write_all(&file, [COVERED.as_slice(), cover.salt(), &long(frame.len()).to_le_bytes(), &frame])?;
            }
        }
        self.newer = 1 - self.newer;
        Ok(file)
    }

    /// The newest whole snapshot; the next one written replaces the other.
    pub(crate) fn newest(&mut self) -> Option<Base> {
        let found = self.paths.each_ref().map(|path| read(path, self.key.as_ref()).ok().flatten());
        let position = |base: &Option<Base>| base.as_ref().map(|base| base.mark.position);
        let [first, second] = found;
        if position(&first) > position(&second) {
            self.newer = 0;
            first
        } else {
            self.newer = 1;
            second
        }
    }
}

fn fields(mark: Mark, pointer: Option<Point>, size: Size, cursor: Option<&Arc<Cursor>>, black: bool) -> Vec<u8> {
    let mut fields = Vec::with_capacity(FIELDS_BYTES);
    let mut put = |bytes: &[u8]| fields.extend_from_slice(bytes);
    put(&VERSION.to_le_bytes());
    for field in [mark.position, mark.sequence, mark.revision, mark.at_us] {
        put(&field.to_le_bytes());
    }
    put(&[u8::from(pointer.is_some()), u8::from(cursor.is_some()), u8::from(black), 0]);
    let pointer = pointer.unwrap_or_default();
    let (hotspot, shape) = cursor.map_or_else(Default::default, |held| (held.hotspot, held.size));
    let numbers =
        [pointer.x, pointer.y, size.width, size.height, hotspot.x, hotspot.y, shape.width, shape.height, 0, 0];
    numbers.into_iter().for_each(|number| put(&number.to_le_bytes()));
    fields
}

fn write_all<const N: usize>(mut file: &File, parts: [&[u8]; N]) -> io::Result<()> {
    let mut slices = parts.map(IoSlice::new);
    let mut slices = &mut slices[..];
    while slices.iter().any(|slice| !slice.is_empty()) {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The base in a file; `None` when it is torn.
fn read(path: &Path, key: Option<&CoverKey>) -> io::Result<Option<Base>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_BASE_BYTES).read_to_end(&mut bytes)?;
    Ok(match key {
        Some(key) => uncover(&bytes, key).and_then(|bytes| parse(&bytes)),
        None => parse(&bytes),
    })
}

/// What a covered base holds; `None` when it is torn, or not covered by this key.
fn uncover(bytes: &[u8], key: &CoverKey) -> Option<Vec<u8>> {
    let mut rest = Reader(bytes.strip_prefix(COVERED)?);
    let salt: [u8; SALT_BYTES] = rest.array()?;
    let length = usize::try_from(rest.u64()?).ok()?;
    let frame = rest.take(length)?.to_vec();
    key.uncover(PURPOSE, salt).ok()?.open(&[], frame).map(|(_, base)| base)
}

fn parse(bytes: &[u8]) -> Option<Base> {
    let mut rest = Reader(bytes);
    if rest.array()? != *MAGIC {
        return None;
    }
    let crc = rest.u32()?;
    let covered = rest.0;
    if rest.u32()? != VERSION {
        return None;
    }
    let mark = Mark { position: rest.u64()?, sequence: rest.u64()?, revision: rest.u64()?, at_us: rest.u64()? };
    let [has_pointer, has_cursor, black, 0] = rest.array()? else {
        return None;
    };
    let pointer = Point::new(rest.u16()?, rest.u16()?);
    let size = Size::new(rest.u16()?, rest.u16()?);
    let hotspot = Point::new(rest.u16()?, rest.u16()?);
    let shape = Size::new(rest.u16()?, rest.u16()?);
    rest.u32()?;
    let cursor = rest.take(usize::try_from(shape.area()).ok()?.checked_mul(4)?)?;
    let bytes = usize::try_from(size.area()).ok()?.checked_mul(4)?;
    let pixels = rest.take(if black == 1 { 0 } else { bytes })?;
    // A base before it may have been longer: what lies behind is a remainder of that one.
    let length = covered.len() - rest.0.len();
    if crc32fast::hash(covered.get(..length)?) != crc {
        return None;
    }
    let cursor = (has_cursor == 1).then(|| Cursor { hotspot, size: shape, pixels: cursor.to_vec() });
    let screen = if black == 1 { Screen::new(size) } else { screen(size, pixels, cursor).ok()? };
    Some(Base { mark, pointer: (has_pointer == 1).then_some(pointer), screen })
}

fn screen(size: Size, pixels: &[u8], cursor: Option<Cursor>) -> Result<Screen, ScreenError> {
    let mut screen = Screen::new(size);
    let rect = Rect::new(0, 0, size.width, size.height);
    let mut changes = vec![Change::Pixels { rect, pixels: pixels.to_vec() }];
    changes.extend(cursor.map(|cursor| Change::Cursor(Arc::new(cursor))));
    screen.apply(&changes)?;
    Ok(screen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(shade: u8) -> Screen {
        let cursor =
            Cursor { hotspot: Point::new(1, 0), size: Size::new(2, 1), pixels: vec![shade, 2, 3, 255, 0, 0, 0, 0] };
        screen(Size::new(6, 4), &[shade; 6 * 4 * 4], Some(cursor)).unwrap()
    }

    fn mark(position: u64) -> Mark {
        Mark { position, sequence: position + 1, revision: 5, at_us: 99 }
    }

    #[test]
    fn the_newest_whole_one_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut bases = Bases::new(folder.path(), None);
        assert!(bases.newest().is_none());
        for position in 1..=5u8 {
            bases.write(mark(u64::from(position)), Some(Point::new(3, 2)), &drawn(position)).unwrap();
            let base = Bases::new(folder.path(), None).newest().unwrap();
            assert_eq!(base.mark, mark(u64::from(position)));
            assert_eq!(base.pointer, Some(Point::new(3, 2)));
            assert_eq!(base.screen.pixels(), drawn(position).pixels());
            assert_eq!(base.screen.cursor(), drawn(position).cursor());
        }
        let newest = folder.path().join("base-a");
        let mut bytes = std::fs::read(&newest).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&newest, bytes).unwrap();
        let mut bases = Bases::new(folder.path(), None);
        assert_eq!(bases.newest().unwrap().mark, mark(4), "the other one");
        bases.write(mark(6), None, &Screen::new(Size::new(1, 1))).unwrap();
        let base = Bases::new(folder.path(), None).newest().unwrap();
        assert_eq!((base.mark, base.pointer), (mark(6), None));
        assert_eq!(base.screen.size(), Size::new(1, 1), "a shorter one over a longer");
    }

    #[test]
    fn the_first_ones_are_black_and_take_the_room_of_later_ones() {
        let folder = tempfile::tempdir().unwrap();
        for key in [None, Some(CoverKey::generate().unwrap())] {
            let (size, room) = (Size::new(640, 480), 640 * 480 * 4);
            Bases::new(folder.path(), key.clone()).begin(size).unwrap();
            for name in ["base-a", "base-b"] {
                let found = std::fs::metadata(folder.path().join(name)).unwrap();
                assert!(std::os::unix::fs::MetadataExt::blocks(&found) * 512 >= room, "{found:?}");
            }
            let mut bases = Bases::new(folder.path(), key);
            let base = bases.newest().unwrap();
            assert_eq!((base.mark, base.pointer, base.screen.size()), (Mark::START, None, size));
            assert!(base.screen.pixels().iter().all(|byte| *byte == 0) && base.screen.cursor().is_none());
            bases.write(mark(7), None, &drawn(8)).unwrap();
            assert_eq!(bases.newest().unwrap().mark, mark(7), "over a longer one");
            let _ = [0, 1].map(|name| std::fs::remove_file(&bases.paths[name]));
        }
    }

    #[test]
    fn a_covered_one_is_read_under_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = CoverKey::generate().unwrap();
        let mut bases = Bases::new(folder.path(), Some(key.clone()));
        for position in 1..=3u8 {
            bases.write(mark(u64::from(position)), Some(Point::new(3, 2)), &drawn(position)).unwrap();
        }
        let base = Bases::new(folder.path(), Some(key.clone())).newest().unwrap();
        assert_eq!((base.mark, base.screen.pixels()), (mark(3), drawn(3).pixels()));
        let bytes = std::fs::read(folder.path().join("base-a")).unwrap();
        assert!(!bytes.windows(8).any(|window| window == [3; 8]), "no pixel is clear");
        assert!(Bases::new(folder.path(), None).newest().is_none());
        assert!(Bases::new(folder.path(), Some(CoverKey::generate().unwrap())).newest().is_none());
        for length in 0..bytes.len() {
            assert!(uncover(&bytes[..length], &key).is_none(), "cut to {length}");
        }
    }

    #[test]
    fn one_cut_anywhere_is_none() {
        let folder = tempfile::tempdir().unwrap();
        Bases::new(folder.path(), None).write(mark(1), None, &drawn(9)).unwrap();
        let bytes = std::fs::read(folder.path().join("base-a")).unwrap();
        assert!(parse(&bytes).is_some());
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length]).is_none(), "cut to {length}");
        }
    }
}
