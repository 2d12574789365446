//! The open segment: a file in the bundle that grows by one fragment a picture.
//!
//! Of an encrypted bundle it grows in memory, and beside it a covered file gathers the fragments, for who comes after a kill.
use std::fs::{File, OpenOptions};
use std::io::{self, Cursor};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_evidence::{CoverKey, CoveredLog, PathInBundle};

use crate::cmaf;
use crate::number::{long, short};

/// The most fragments of a segment, so that their numbers rise through the session whatever happens.
const MAX_FRAGMENTS: u32 = 40_000;
/// The most bytes of a segment, so that a vault can hand it out in one piece.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// A segment that is being written. INVARIANT: its first picture is a key picture at `from_us`.
#[derive(Debug)]
pub(crate) struct Segment {
    body: Body,
    number: u32,
    from_us: u64,
    /// The init segment that this one is the first to need.
    init: Option<Init>,
    fragments: u32,
    length: u64,
    /// Length of the file behind its key picture.
    key_length: u64,
    /// The newest picture: its time, and where in the file its duration belongs.
    newest: Option<(u64, u64)>,
}

/// An init segment that no link lists yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Init {
    pub(crate) number: u32,
    pub(crate) header: Vec<u8>,
}

/// Where a segment grows.
#[derive(Debug)]
enum Body {
    Clear(Arc<File>),
    /// What a killed gate left, which is only to be finished, has no log.
    Covered {
        plain: Vec<u8>,
        log: Option<CoveredLog>,
        path: PathBuf,
    },
}

/// What a segment consists of once it is finished, for its link.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    /// Files that lie in the bundle.
    pub(crate) files: Vec<PathInBundle>,
    /// Files of an encrypted bundle, which are to be encrypted into it.
    pub(crate) plain: Vec<(PathInBundle, Vec<u8>)>,
    /// What covered them until then.
    pub(crate) covered: Option<PathBuf>,
}

/// The covered file of the open segment `number`.
pub(crate) fn covered(bundle: &Path, number: u32) -> PathBuf {
    bundle.join(format!(".video-{number:05}"))
}

fn purpose(number: u32) -> String {
    format!("video {number:05}")
}

impl Body {
    fn append(&mut self, bytes: &[u8], place: u64) -> io::Result<()> {
        match self {
            Self::Clear(file) => file.write_all_at(bytes, place),
            Self::Covered { plain, log, path } => {
                log.as_mut().ok_or(io::ErrorKind::Unsupported)?.append(path, bytes)?;
                plain.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn patch(&mut self, bytes: [u8; 4], place: u64) -> io::Result<()> {
        match self {
            Self::Clear(file) => file.write_all_at(&bytes, place),
            // In the covered file it stays as it was: whoever reads that knows durations from the times.
            Self::Covered { plain, .. } => {
                let to = plain.get_mut(short(place)..).and_then(<[u8]>::first_chunk_mut);
                *to.ok_or(io::ErrorKind::UnexpectedEof)? = bytes;
                Ok(())
            }
        }
    }
}

impl Segment {
    /// Begins `video/<number>.m4s` in the bundle's folder, the first segment that needs `init` if there is one; with a key, covered.
    pub(crate) fn create(
        bundle: &Path,
        number: u32,
        from_us: u64,
        init: Option<Init>,
        key: Option<&CoverKey>,
    ) -> io::Result<Self> {
        let mut body = match key {
            None => {
                let path = PathInBundle::Video(number).under(bundle);
                let options = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
                Body::Clear(Arc::new(options))
            }
            Some(key) => {
                let path = covered(bundle, number);
                let mut log = CoveredLog::create(&path, key, &purpose(number))?;
                let first = init.iter().flat_map(|init| [init.number.to_le_bytes().as_slice(), &init.header].concat());
                log.append(&path, &first.collect::<Vec<u8>>())?;
                Body::Covered { plain: Vec::new(), log: Some(log), path }
            }
        };
        let front = cmaf::segment_type();
        body.append(&front, 0)?;
        let length = long(front.len());
        Ok(Self { body, number, from_us, init, fragments: 0, length, key_length: length, newest: None })
    }

    /// The segment of an encrypted bundle that a killed gate was writing, up to its last whole fragment; `None` when there is no whole one.
    pub(crate) fn uncover(bundle: &Path, number: u32, from_us: u64, key: &CoverKey) -> io::Result<Option<Self>> {
        let path = covered(bundle, number);
        let (mut first, mut plain) = (None, Vec::new());
        let read = CoveredLog::read(&path, key, &purpose(number), |frame| {
            match &first {
                None => first = Some(frame.to_vec()),
                Some(_) => plain.extend_from_slice(frame),
            }
            Ok(())
        });
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        }
        let init = first.as_deref().and_then(<[u8]>::split_first_chunk);
        let init = init.map(|(number, header)| Init { number: u32::from_le_bytes(*number), header: header.to_vec() });
        let fragments = cmaf::scan(&mut Cursor::new(&plain))?;
        plain.truncate(fragments.last().map_or(0, |last| short(last.end)));
        // What is put right here is in memory: recovery that is killed in its turn begins with the same covered file.
        Self::mended(Body::Covered { plain, log: None, path }, &fragments, number, from_us, init)
    }

    /// The segment that a killed gate was writing, cut behind its last whole fragment; `None` when there is no whole one.
    pub(crate) fn reopen(bundle: &Path, number: u32, from_us: u64, init: Option<Init>) -> io::Result<Option<Self>> {
        let path = PathInBundle::Video(number).under(bundle);
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let fragments = cmaf::scan(&mut file)?;
        let Some(last) = fragments.last() else { return Ok(None) };
        file.set_len(last.end)?;
        Self::mended(Body::Clear(Arc::new(file)), &fragments, number, from_us, init)
    }

    /// The segment of these fragments, each with the duration that it should have.
    fn mended(
        mut body: Body,
        fragments: &[cmaf::Fragment],
        number: u32,
        from_us: u64,
        init: Option<Init>,
    ) -> io::Result<Option<Self>> {
        let Some(last) = fragments.last() else { return Ok(None) };
        for (fragment, next) in fragments.iter().zip(fragments.iter().skip(1)) {
            let due = duration(fragment.at_us, next.at_us);
            if fragment.duration_us != due {
                body.patch(due.to_be_bytes(), fragment.duration)?;
            }
        }
        Ok(Some(Self {
            body,
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
        self.body.append(&placed.bytes, self.length)?;
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
    pub(crate) fn finish(mut self, to_us: u64) -> io::Result<Finished> {
        self.extend_newest(to_us)?;
        let video = PathInBundle::Video(self.number);
        let init = self.init.map(|init| (PathInBundle::Init(init.number), init.header));
        match self.body {
            Body::Clear(file) => {
                file.sync_data()?;
                let files = init.map(|(path, _)| path).into_iter().chain([video]).collect();
                Ok(Finished { files, ..Finished::default() })
            }
            Body::Covered { plain, path, .. } => {
                let plain = init.into_iter().chain([(video, plain)]).collect();
                Ok(Finished { plain, covered: Some(path), ..Finished::default() })
            }
        }
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

    /// The file, for who syncs it now and then; a covered one is worth nothing without its key, which no sync keeps.
    pub(crate) fn file(&self) -> Option<Arc<File>> {
        match &self.body {
            Body::Clear(file) => Some(Arc::clone(file)),
            Body::Covered { .. } => None,
        }
    }

    fn extend_newest(&mut self, to_us: u64) -> io::Result<()> {
        match self.newest {
            Some((at_us, place)) => self.body.patch(duration(at_us, to_us).to_be_bytes(), place),
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

    fn init() -> Option<Init> {
        Some(Init { number: 1, header: b"header".to_vec() })
    }

    #[test]
    fn a_covered_one_is_the_same_and_nowhere_in_clear() {
        let (clear, hidden) = (bundle(), bundle());
        let key = CoverKey::generate().unwrap();
        let mut segments = [
            Segment::create(clear.path(), 1, 5, init(), None).unwrap(),
            Segment::create(hidden.path(), 1, 5, init(), Some(&key)).unwrap(),
        ];
        for segment in &mut segments {
            segment.append(5, true, b"a picture that nobody sees").unwrap();
            segment.append(70, false, b"another one").unwrap();
        }
        let bytes = std::fs::read(covered(hidden.path(), 1)).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"picture" || window == b"another"));
        let [clear_one, covered_one] = segments;
        // As if killed here.
        drop(covered_one);
        let again = Segment::uncover(hidden.path(), 1, 5, &key).unwrap().unwrap();
        assert_eq!(again.newest_us(), Some(70));
        let again = Segment::uncover(hidden.path(), 1, 5, &key).unwrap().unwrap();
        clear_one.finish(99).unwrap();
        let finished = again.finish(99).unwrap();
        let video = std::fs::read(PathInBundle::Video(1).under(clear.path())).unwrap();
        let expected = [(PathInBundle::Init(1), b"header".to_vec()), (PathInBundle::Video(1), video)];
        assert_eq!(finished.plain, expected);
        assert!(Segment::uncover(hidden.path(), 1, 5, &CoverKey::generate().unwrap()).unwrap().is_none());
        assert!(Segment::uncover(hidden.path(), 2, 5, &key).unwrap().is_none());
    }

    fn durations(folder: &Path) -> Vec<(u64, u32)> {
        let mut file = File::open(PathInBundle::Video(1).under(folder)).unwrap();
        cmaf::scan(&mut file).unwrap().iter().map(|found| (found.at_us, found.duration_us)).collect()
    }

    #[test]
    fn each_picture_lasts_until_the_next_and_the_last_until_the_end() {
        let folder = bundle();
        let mut segment = Segment::create(folder.path(), 1, 5, init(), None).unwrap();
        for at_us in [5, 1_000, 61_000_000] {
            segment.append(at_us, at_us == 5, b"picture").unwrap();
        }
        assert_eq!(segment.newest_us(), Some(61_000_000));
        let files = segment.finish(61_000_007).unwrap();
        assert_eq!(files.files, [PathInBundle::Init(1), PathInBundle::Video(1)]);
        assert_eq!(durations(folder.path()), [(5, 995), (1_000, 60_999_000), (61_000_000, 7)]);
        assert!(Segment::create(folder.path(), 1, 5, init(), None).is_err(), "never over another's");
    }

    #[test]
    fn a_torn_one_is_cut_and_mended() {
        let folder = bundle();
        let mut segment = Segment::create(folder.path(), 1, 0, None, None).unwrap();
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
        assert_eq!(segment.finish(40).unwrap().files, [PathInBundle::Video(1)]);
        assert_eq!(durations(folder.path()), [(0, 10), (10, 30)]);
    }
}
