//! The open segment: a file in the bundle that grows by one fragment a picture.
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use portcullis_evidence::PathInBundle;

use crate::cmaf;
use crate::number::long;

/// The most fragments of a segment, so that their numbers rise through the session whatever happens.
const MAX_FRAGMENTS: u32 = 40_000;
/// The most bytes of a segment, so that a vault can hand it out in one piece.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// A segment that is being written. INVARIANT: its first picture is a key picture at `from_us`.
#[derive(Debug)]
pub(crate) struct Segment {
    file: Arc<File>,
    number: u32,
    from_us: u64,
    /// The init segment that this one is the first to need.
    init: Option<u32>,
    fragments: u32,
    length: u64,
    /// Length of the file behind its key picture.
    key_length: u64,
    /// The newest picture: its time, and where in the file its duration belongs.
    newest: Option<(u64, u64)>,
}

impl Segment {
    /// Begins `video/<number>.m4s` in the bundle's folder, the first segment that needs `init` if there is one.
    pub(crate) fn create(bundle: &Path, number: u32, from_us: u64, init: Option<u32>) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(PathInBundle::Video(number).under(bundle))?;
        let front = cmaf::segment_type();
        file.write_all_at(&front, 0)?;
        let length = long(front.len());
        Ok(Self { file: Arc::new(file), number, from_us, init, fragments: 0, length, key_length: length, newest: None })
    }

    /// The segment that a killed gate was writing, cut behind its last whole fragment; `None` when there is no whole one.
    pub(crate) fn reopen(bundle: &Path, number: u32, from_us: u64, init: Option<u32>) -> io::Result<Option<Self>> {
        let path = PathInBundle::Video(number).under(bundle);
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let fragments = cmaf::scan(&mut file)?;
        let Some(last) = fragments.last() else { return Ok(None) };
        file.set_len(last.end)?;
        for (fragment, next) in fragments.iter().zip(fragments.iter().skip(1)) {
            let due = duration(fragment.at_us, next.at_us);
            if fragment.duration_us != due {
                file.write_all_at(&due.to_be_bytes(), fragment.duration)?;
            }
        }
        Ok(Some(Self {
            file: Arc::new(file),
            number,
            from_us,
            init,
            fragments: u32::try_from(fragments.len()).unwrap_or(u32::MAX),
            length: last.end,
            key_length: fragments.first().map_or(0, |first| first.end),
            newest: Some((last.at_us, last.duration)),
        }))
    }

    /// Appends a picture, which is later than the one before, and gives that one its duration.
    pub(crate) fn append(&mut self, at_us: u64, key: bool, sample: &[u8]) -> io::Result<()> {
        let number = self.number.saturating_mul(MAX_FRAGMENTS).saturating_add(self.fragments);
        let placed = cmaf::fragment(number, at_us, key, sample);
        self.file.write_all_at(&placed.bytes, self.length)?;
        self.extend_newest(at_us)?;
        self.newest = Some((at_us, self.length + placed.duration));
        self.length += long(placed.bytes.len());
        self.fragments += 1;
        if self.fragments == 1 {
            self.key_length = self.length;
        }
        Ok(())
    }

    /// Ends the segment: its last picture lasts until `to_us`. Asks the disk to hold it, and says which files its link lists.
    pub(crate) fn finish(self, to_us: u64) -> io::Result<Vec<PathInBundle>> {
        self.extend_newest(to_us)?;
        self.file.sync_data()?;
        Ok(self.init.map(PathInBundle::Init).into_iter().chain([PathInBundle::Video(self.number)]).collect())
    }

    /// Whether the next picture should begin another segment for reasons of size.
    pub(crate) fn is_large(&self) -> bool {
        self.fragments + 1 >= MAX_FRAGMENTS || self.length >= MAX_BYTES
    }

    /// Whether there is as much behind the key picture as it takes itself. Until then another one is not worth its room.
    pub(crate) fn outweighs_key(&self) -> bool {
        self.length >= self.key_length.saturating_mul(2)
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn begins_us(&self) -> u64 {
        self.from_us
    }

    /// The time of the newest picture.
    pub(crate) fn newest_us(&self) -> Option<u64> {
        self.newest.map(|(at_us, _)| at_us)
    }

    /// The file, for who syncs it now and then.
    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    fn extend_newest(&self, to_us: u64) -> io::Result<()> {
        match self.newest {
            Some((at_us, place)) => self.file.write_all_at(&duration(at_us, to_us).to_be_bytes(), place),
            None => Ok(()),
        }
    }
}

/// The duration of a picture in the video's ticks; the longest that a fragment can say is over an hour.
fn duration(from_us: u64, to_us: u64) -> u32 {
    u32::try_from(to_us.saturating_sub(from_us)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("video")).unwrap();
        folder
    }

    fn durations(folder: &Path) -> Vec<(u64, u32)> {
        let mut file = File::open(PathInBundle::Video(1).under(folder)).unwrap();
        cmaf::scan(&mut file).unwrap().iter().map(|found| (found.at_us, found.duration_us)).collect()
    }

    #[test]
    fn each_picture_lasts_until_the_next_and_the_last_until_the_end() {
        let folder = bundle();
        let mut segment = Segment::create(folder.path(), 1, 5, Some(1)).unwrap();
        for at_us in [5, 1_000, 61_000_000] {
            segment.append(at_us, at_us == 5, b"picture").unwrap();
        }
        assert_eq!(segment.newest_us(), Some(61_000_000));
        let files = segment.finish(61_000_007).unwrap();
        assert_eq!(files, [PathInBundle::Init(1), PathInBundle::Video(1)]);
        assert_eq!(durations(folder.path()), [(5, 995), (1_000, 60_999_000), (61_000_000, 7)]);
        assert!(Segment::create(folder.path(), 1, 5, Some(1)).is_err(), "never over another's");
    }

    #[test]
    fn a_torn_one_is_cut_and_mended() {
        let folder = bundle();
        let mut segment = Segment::create(folder.path(), 1, 0, None).unwrap();
        assert!(Segment::reopen(folder.path(), 1, 0, None).unwrap().is_none());
        segment.append(0, true, b"first").unwrap();
        segment.append(10, false, b"second").unwrap();
        segment.append(30, false, b"third").unwrap();
        let length = segment.length;
        drop(segment);
        // As if killed within the third, before the second was given its duration.
        let second = cmaf::scan(&mut File::open(PathInBundle::Video(1).under(folder.path())).unwrap()).unwrap()[1];
        let file = OpenOptions::new().write(true).open(PathInBundle::Video(1).under(folder.path())).unwrap();
        file.write_all_at(&[0; 4], second.duration).unwrap();
        file.set_len(length - 1).unwrap();
        let segment = Segment::reopen(folder.path(), 1, 0, None).unwrap().unwrap();
        assert_eq!(segment.newest_us(), Some(10));
        assert_eq!(segment.finish(40).unwrap(), [PathInBundle::Video(1)]);
        assert_eq!(durations(folder.path()), [(0, 10), (10, 30)]);
    }
}
