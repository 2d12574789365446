//! Disks with mishaps: one that stops at a step, one that runs full, one whose power is cut.
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_evidence::{Fate, Mishaps, Step};

/// The fate of a step that succeeds. Nothing here outlives the test, so nothing has to reach a real disk.
fn taken(step: &Step) -> Fate {
    match step {
        Step::Sync(_) | Step::SyncFolder(_) => Fate::Pretend,
        _ => Fate::Proceed,
    }
}

/// A process that is killed at a step: that one, or half of it, and every later one is not taken.
pub struct Killed {
    at: usize,
    torn: bool,
    taken: AtomicUsize,
}

impl Killed {
    pub fn at(step: usize, torn: bool) -> Self {
        Self { at: step, torn, taken: AtomicUsize::new(0) }
    }

    pub fn never() -> Self {
        Self::at(usize::MAX, false)
    }

    pub fn steps(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Mishaps for Killed {
    fn fate(&self, step: &Step) -> Fate {
        let number = self.taken.fetch_add(1, Ordering::SeqCst);
        match step {
            _ if number < self.at => taken(step),
            Step::Append(_, length) if number == self.at && self.torn => Fate::Tear(length / 2, Error::other("killed")),
            _ => Fate::Fail(Error::other("killed")),
        }
    }
}

/// A disk on which one step, a sync as a rule, fails, and all others succeed.
pub struct FailsOnce(pub Killed);

impl Mishaps for FailsOnce {
    fn fate(&self, step: &Step) -> Fate {
        match self.0.taken.fetch_add(1, Ordering::SeqCst) == self.0.at {
            true => Fate::Fail(Error::other("the medium is worn out")),
            false => taken(step),
        }
    }
}

/// A disk with room for so many bytes; the last write is torn. What is removed, emptied or cut gives its bytes back.
pub struct Small {
    room: Mutex<(usize, HashMap<PathBuf, usize>)>,
}

impl Small {
    pub fn of(bytes: usize) -> Self {
        Self { room: Mutex::new((bytes, HashMap::new())) }
    }
}

impl Mishaps for Small {
    fn fate(&self, step: &Step) -> Fate {
        let mut room = self.room.lock().unwrap();
        let (free, files) = &mut *room;
        match step {
            Step::Append(path, length) => {
                let fits = (*length).min(*free);
                *free -= fits;
                *files.entry(path.clone()).or_default() += fits;
                if fits < *length {
                    return Fate::Tear(fits, Error::from(ErrorKind::StorageFull));
                }
            }
            Step::Create(path) | Step::Remove(path) => *free += files.remove(path).unwrap_or(0),
            Step::Truncate(path, length) => {
                let bytes = files.entry(path.clone()).or_default();
                *free += bytes.saturating_sub(*length as usize);
                *bytes = (*bytes).min(*length as usize);
            }
            Step::Rename(from, to) => {
                *free += files.remove(to).unwrap_or(0);
                let bytes = files.remove(from).unwrap_or(0);
                files.insert(to.clone(), bytes);
            }
            Step::MakeFolder(_) | Step::Sync(_) | Step::SyncFolder(_) => {}
        }
        taken(step)
    }
}

/// A machine whose power is cut at a step. Remembers what had been made durable: contents by sync, names by sync of
/// their folder; [`Power::cut`] leaves of the folder only that.
pub struct Power {
    at: usize,
    state: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    taken: usize,
    files: usize,
    /// Which file bears a name now, and which one after a cut.
    now: HashMap<PathBuf, usize>,
    kept: HashMap<PathBuf, usize>,
    /// What is in a file after a cut.
    contents: HashMap<usize, Vec<u8>>,
    /// The name that was given last.
    newest: Option<PathBuf>,
    folders: Vec<PathBuf>,
    kept_folders: Vec<PathBuf>,
}

/// What the cut leaves of names and bytes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// Nothing.
    Lost,
    /// The names and the lengths, with zeros for the bytes.
    Zeros,
    /// The newest name, before all older ones: a folder's names need not reach the disk in their order.
    NewestName,
}

impl Power {
    pub fn cut_at(step: usize) -> Self {
        Self { at: step, state: Mutex::default() }
    }

    /// Makes of the folder `root` what is found after the cut.
    pub fn cut(&self, root: &Path, unsynced: Unsynced) {
        let memory = self.state.lock().unwrap();
        let mut names = memory.kept.clone();
        let mut folders = &memory.kept_folders;
        match unsynced {
            Unsynced::Lost => {}
            Unsynced::Zeros => (names, folders) = (memory.now.clone(), &memory.folders),
            Unsynced::NewestName => {
                let newest = memory.newest.iter().filter_map(|path| Some((path.clone(), *memory.now.get(path)?)));
                names.extend(newest);
            }
        }
        let found: Vec<(PathBuf, Vec<u8>)> = names
            .iter()
            .map(|(path, file)| {
                let mut bytes = memory.contents.get(file).cloned().unwrap_or_default();
                if unsynced == Unsynced::Zeros {
                    bytes.resize(fs::metadata(path).map_or(0, |metadata| metadata.len() as usize), 0);
                }
                (path.clone(), bytes)
            })
            .collect();
        fs::remove_dir_all(root).unwrap();
        fs::create_dir(root).unwrap();
        for folder in BTreeSet::from_iter(folders) {
            let _ = fs::create_dir(folder);
        }
        for (path, bytes) in found {
            // A name is lost with its folder.
            let _ = fs::write(path, bytes);
        }
    }
}

impl Memory {
    fn file(&mut self, path: &Path) -> usize {
        if let Some(file) = self.now.get(path) {
            return *file;
        }
        self.files += 1;
        self.now.insert(path.to_owned(), self.files);
        self.files
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::MakeFolder(path) => self.folders.push(path.clone()),
            Step::Create(path) => {
                self.file(path);
            }
            Step::Append(..) | Step::Truncate(..) => {}
            Step::Sync(path) => {
                let file = self.file(path);
                self.contents.insert(file, fs::read(path).unwrap());
            }
            Step::SyncFolder(folder) => {
                let within = |path: &Path| path.parent() == Some(folder);
                self.kept.retain(|path, _| !within(path));
                self.kept
                    .extend(self.now.iter().filter(|(path, _)| within(path)).map(|(path, file)| (path.clone(), *file)));
                self.kept_folders.extend(self.folders.iter().filter(|path| within(path)).cloned());
            }
            Step::Rename(from, to) => {
                let file = self.file(from);
                self.now.remove(from);
                self.now.insert(to.clone(), file);
                self.newest = Some(to.clone());
            }
            Step::Remove(path) => {
                self.now.remove(path);
            }
        }
    }
}

impl Mishaps for Power {
    fn fate(&self, step: &Step) -> Fate {
        let mut memory = self.state.lock().unwrap();
        memory.taken += 1;
        if memory.taken > self.at {
            return Fate::Fail(Error::other("no power"));
        }
        memory.take(step);
        taken(step)
    }
}
