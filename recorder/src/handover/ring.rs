//! The file of a hand-over log: a page of its own facts, then a ring of bytes addressed by positions that only rise.
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use portcullis_evidence::SALT_BYTES;
use rustix::fs::FallocateFlags;

use crate::number::{long, short};

/// Where the ring begins in the file.
const DATA: u64 = 4096;
/// Bytes of the facts: magic, version, capacity.
const FACTS_BYTES: usize = 16;
/// Where the time lies at which the session was last known to live.
const ALIVE: u64 = 64;
/// Where the salt of a covered ring lies.
const SALT: u64 = 128;
const MAGIC: &[u8; 4] = b"PCHR";
const VERSION: u32 = 1;
/// The largest ring that is opened: what a damaged file claims is not believed beyond this.
const MAX_CAPACITY: u64 = 16 * 1024 * 1024 * 1024;

/// A ring of bytes in a file. It does not know what is written in it, nor what may be overwritten.
#[derive(Debug)]
pub(super) struct Ring {
    file: File,
    capacity: u64,
}

impl Ring {
    /// A new ring, its blocks allocated: a full disk shows here and not in the midst of a session.
    pub(super) fn create(path: &Path, capacity: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        allocate(&file, DATA + capacity)?;
        let mut facts = Vec::with_capacity(FACTS_BYTES);
        facts.extend_from_slice(MAGIC);
        facts.extend_from_slice(&VERSION.to_le_bytes());
        facts.extend_from_slice(&capacity.to_le_bytes());
        file.write_all_at(&facts, 0)?;
        Ok(Self { file, capacity })
    }

    /// The ring that a killed gate left.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut facts = [0u8; FACTS_BYTES];
        file.read_exact_at(&mut facts, 0)?;
        let mut rest = super::record::Reader(&facts);
        let known = rest.array() == Some(*MAGIC) && rest.u32() == Some(VERSION);
        let capacity = rest.u64().unwrap_or(0);
        if !known || capacity == 0 || capacity > MAX_CAPACITY {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a hand-over log"));
        }
        Ok(Self { file, capacity })
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Writes the slices one behind the other from `position`. INVARIANT: together they are no longer than the ring.
    pub(super) fn write(&self, slices: &mut [IoSlice<'_>], position: u64) -> io::Result<()> {
        let length: u64 = slices.iter().map(|slice| long(slice.len())).sum();
        let start = position % self.capacity;
        if start + length <= self.capacity {
            return self.write_vectored(slices, start);
        }
        let mut start = start;
        for slice in slices {
            let before_end = short(self.capacity - start);
            let (first, second) = slice.split_at_checked(before_end).unwrap_or((slice, &[]));
            self.file.write_all_at(first, DATA + start)?;
            start = (start + long(first.len())) % self.capacity;
            if !second.is_empty() {
                self.file.write_all_at(second, DATA)?;
                start = long(second.len());
            }
        }
        Ok(())
    }

    /// Fills `bytes` from `position`. INVARIANT: it is no longer than the ring.
    pub(super) fn read(&self, bytes: &mut [u8], position: u64) -> io::Result<()> {
        let start = position % self.capacity;
        let before_end = short(self.capacity - start).min(bytes.len());
        let (first, second) = bytes.split_at_mut(before_end);
        self.file.read_exact_at(first, DATA + start)?;
        self.file.read_exact_at(second, DATA)
    }

    /// Notes that the session lives at `at_us`.
    pub(super) fn alive(&self, at_us: u64) -> io::Result<()> {
        self.file.write_all_at(&at_us.to_le_bytes(), ALIVE)
    }

    /// When the session was last known to live.
    pub(super) fn alive_us(&self) -> io::Result<u64> {
        let mut bytes = [0u8; 8];
        self.file.read_exact_at(&mut bytes, ALIVE)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Notes the salt of what covers the records.
    pub(super) fn set_salt(&self, salt: &[u8; SALT_BYTES]) -> io::Result<()> {
        self.file.write_all_at(salt, SALT)
    }

    /// The salt of what covers the records; of a clear ring it means nothing.
    pub(super) fn salt(&self) -> io::Result<[u8; SALT_BYTES]> {
        let mut bytes = [0u8; SALT_BYTES];
        self.file.read_exact_at(&mut bytes, SALT)?;
        Ok(bytes)
    }

    /// Asks the disk to hold what has been written.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write_vectored(&self, mut slices: &mut [IoSlice<'_>], start: u64) -> io::Result<()> {
        let mut place = DATA + start;
        loop {
            while slices.first().is_some_and(|slice| slice.is_empty()) {
                slices = slices.get_mut(1..).unwrap_or_default();
            }
            // The kernel takes a limited number of slices at a time.
            let few = slices.get(..slices.len().min(256)).unwrap_or_default();
            if few.is_empty() {
                return Ok(());
            }
            match rustix::io::pwritev(&self.file, few, place) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    place += long(written);
                    IoSlice::advance_slices(&mut slices, written);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Allocates blocks, or writes zeros where the file system cannot.
pub(super) fn allocate(file: &File, length: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, length) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let zeros = vec![0u8; 1024 * 1024];
            let mut place = 0;
            while place < length {
                let few = short(length - place).min(zeros.len());
                file.write_all_at(zeros.get(..few).unwrap_or_default(), place)?;
                place += long(few);
            }
            Ok(())
        }
        done => Ok(done?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_wherever_it_wraps(
            position in 0u64..5000, pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ring");
            let ring = Ring::create(&path, 331).unwrap();
            let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
            ring.write(&mut slices, position).unwrap();
            let ring = Ring::open(&path).unwrap();
            let mut back = vec![0; pieces.concat().len()];
            ring.read(&mut back, position).unwrap();
            prop_assert_eq!(back, pieces.concat());
        }
    }

    #[test]
    fn it_is_allocated_at_once_and_knows_itself_again() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring");
        let ring = Ring::create(&path, 1 << 20).unwrap();
        assert!(path.metadata().unwrap().blocks() * 512 >= 1 << 20);
        ring.alive(77).unwrap();
        let again = Ring::open(&path).unwrap();
        assert_eq!((again.capacity(), again.alive_us().unwrap()), (1 << 20, 77));
        assert!(Ring::create(&path, 1 << 20).is_err(), "never over another's");
        std::fs::write(&path, [0; 8192]).unwrap();
        assert!(Ring::open(&path).is_err());
    }
}
