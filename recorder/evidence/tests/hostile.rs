//! Bundles from places that lie, and bundles that are made to be expensive: bounded, and never sound for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use bundle::{files, keys, sealed};
use portcullis_evidence::{Entry, Kind, MAX_FAULTS, Opened, PathInBundle, Report, Source, Trust, verify, verify_at};
use proptest::prelude::*;

/// A bundle in memory, with what a hostile place adds.
#[derive(Default)]
struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    /// Names that are told of and are not there.
    more: usize,
    told: Cell<usize>,
    /// Bytes that follow each file, whatever its length is said to be.
    tail: usize,
    read: Cell<usize>,
    fails: bool,
}

impl Memory {
    fn of(dir: &Path) -> Self {
        let files = files(dir).into_iter().map(|file| (file.clone(), fs::read(dir.join(file)).unwrap())).collect();
        Self { files, ..Self::default() }
    }

    fn verify(&self) -> Report {
        verify_at(self, &Trust::of(&keys()))
    }
}

/// Counts what is read.
struct Counted<'a>(&'a [u8], usize, &'a Cell<usize>);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let own = self.0.read(buffer)?;
        let length = if own > 0 { own } else { buffer.len().min(self.1) };
        self.1 -= if own > 0 { 0 } else { length };
        self.2.set(self.2.get() + length);
        Ok(length)
    }
}

impl Source for Memory {
    fn list(&self, each: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
        let more = (0..self.more).map(|n| format!("more/{n}"));
        for path in self.files.keys().cloned().chain(more) {
            self.told.set(self.told.get() + 1);
            if each(Entry { path, is_file: true }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn open(&self, path: PathInBundle) -> io::Result<Opened<'_>> {
        if self.fails {
            return Err(io::Error::other("the place is away"));
        }
        let bytes = self.files.get(&path.to_string()).ok_or(io::ErrorKind::NotFound)?;
        Ok(Opened { bytes: bytes.len() as u64, reader: Box::new(Counted(bytes, self.tail, &self.read)) })
    }
}

fn whole() -> Memory {
    let folder = tempfile::tempdir().unwrap();
    sealed(&folder.path().join("b"));
    Memory::of(&folder.path().join("b"))
}

#[test]
fn any_place_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    sealed(&dir);
    let memory = Memory::of(&dir);
    assert_eq!(memory.verify(), verify(&dir, &keys()));
    assert!(memory.verify().is_sound());
    let empty = Memory::default().verify();
    assert_eq!(empty.verdict().name(), "missing", "{empty}");
}

#[test]
fn millions_of_entries_are_not_looked_at() {
    let memory = Memory { more: 3_000_000, ..whole() };
    let report = memory.verify();
    assert!(memory.told.get() < 320_000, "{} were told of", memory.told.get());
    assert_eq!(report.verdict().name(), "extra");
    assert_eq!(report.faults.len(), MAX_FAULTS);
}

#[test]
fn a_file_that_never_ends_is_not_read_on() {
    let memory = Memory { tail: usize::MAX / 2, ..whole() };
    let report = memory.verify();
    let length: usize = memory.files.values().map(Vec::len).sum();
    // What is parsed as a whole is read up to its limit, the rest up to the length that it was said to have.
    assert!(memory.read.get() < length + 2 * (262_144 + 65_536) + 16 * 4_096, "{} bytes were read", memory.read.get());
    assert!(!report.is_sound());
}

#[test]
fn a_place_that_fails_is_no_verdict_on_the_bundle() {
    let report = Memory { fails: true, ..whole() }.verify();
    assert_eq!(report.verdict().name(), "unreadable");
    assert!(report.faults.iter().all(|fault| fault.kind == Kind::Unreadable), "{report}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A bundle of which a stretch was replaced is sound only by its own bytes, wherever it lies.
    #[test]
    fn a_stretch_that_was_replaced_is_a_fault_of_its_file(
        which in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 0_usize..64,
        with in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut memory = whole();
        let file = memory.files.keys().nth(which.index(memory.files.len())).unwrap().clone();
        let bytes = memory.files.get_mut(&file).unwrap();
        let from = from.index(bytes.len() + 1);
        let to = (from + length).min(bytes.len());
        let replaced = [&bytes[..from], &with, &bytes[to..]].concat();
        let same = replaced == *bytes;
        *bytes = replaced;
        let report = memory.verify();
        prop_assert_eq!(report.is_sound(), same);
        prop_assert!(report.faults.iter().all(|fault| fault.path == file), "{}", report);
    }

    /// Dropping any files of a bundle names a file that was dropped, or says that the end is gone.
    #[test]
    fn files_that_were_dropped_are_told_of(kept in prop::collection::vec(any::<bool>(), 15)) {
        let mut memory = whole();
        let names: Vec<String> = memory.files.keys().cloned().collect();
        let dropped: Vec<&String> = names.iter().zip(&kept).filter(|(_, kept)| !**kept).map(|(name, _)| name).collect();
        dropped.iter().for_each(|name| drop(memory.files.remove(*name)));
        let report = memory.verify();
        prop_assert_eq!(report.is_sound(), dropped.is_empty());
        let told = report.faults.iter().any(|fault| dropped.contains(&&fault.path));
        prop_assert!(told || dropped.is_empty(), "{}", report);
    }
}
