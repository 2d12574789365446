//! Copies of files that policy keeps for auditors: encrypted to them before a byte touches the disk, bounded, and kept no longer than is said.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use portcullis_evidence::Recipients;
use rustix::fs::fstatvfs;

use super::{Files, FilesConfig, Spooled};

/// After so many bytes it is looked again whether the disk has room.
const LOOK_EVERY: u64 = 8 << 20;
/// What a copy takes beside its file's bytes, in bytes for each MiB and at least: age's headers and tags.
const OVERHEAD: u64 = 4 << 10;

/// The folder of copies: how much lies there, how much may, and for how long.
#[derive(Debug)]
pub struct Quarantine {
    folder: PathBuf,
    most: u64,
    keep: Option<Duration>,
    bytes: AtomicU64,
    copies: AtomicU64,
    expired: AtomicU64,
}

/// One copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The session that it is of.
    pub session: String,
    /// Where it lies below the folder: `SESSION/0001.age`, as its event says.
    pub place: String,
    /// Its length in bytes, encrypted.
    pub bytes: u64,
    /// When it was written.
    at: SystemTime,
}

impl Quarantine {
    /// Opens the folder, making it (mode 0700) where it is missing, and counts what lies there.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn open(config: &FilesConfig) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&config.quarantine)?;
        let (folder, most, keep) = (config.quarantine.clone(), config.quarantine_bytes, config.quarantine_keep);
        let copies = list(&folder)?;
        let bytes = copies.iter().map(|copy| copy.bytes).fold(0, u64::saturating_add);
        let copies = u64::try_from(copies.len()).unwrap_or(u64::MAX);
        Ok(Self { folder, most, keep, bytes: bytes.into(), copies: copies.into(), expired: AtomicU64::new(0) })
    }

    /// Bytes and copies that lie there, and copies that went since the gate started.
    #[must_use]
    pub fn counts(&self) -> (u64, u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.bytes), read(&self.copies), read(&self.expired))
    }

    /// How long copies are kept; none: for ever.
    #[must_use]
    pub fn keep(&self) -> Option<Duration> {
        self.keep
    }

    /// All copies, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(&self) -> io::Result<Vec<Copied>> {
        let mut all = list(&self.folder)?;
        all.sort_by(|one, other| (one.at, &one.place).cmp(&(other.at, &other.place)));
        Ok(all)
    }

    /// Whether the time of a copy is over.
    #[must_use]
    pub fn is_due(&self, copy: &Copied, now: SystemTime) -> bool {
        self.keep.is_some_and(|keep| now.duration_since(copy.at).is_ok_and(|age| age > keep))
    }

    /// Removes a copy, and its session's folder with the last one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, copy: &Copied) -> io::Result<()> {
        std::fs::remove_file(self.folder.join(&copy.place))?;
        // One that is not empty stays.
        let _ = std::fs::remove_dir(self.folder.join(&copy.session));
        self.release(copy.bytes);
        self.expired.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Room for a copy of so many bytes; false when there is none.
    fn reserve(&self, bytes: u64) -> bool {
        let room = |lie: u64| lie.checked_add(bytes).filter(|lie| *lie <= self.most);
        let reserved = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok();
        if reserved {
            self.copies.fetch_add(1, Ordering::Relaxed);
        }
        reserved
    }

    /// A copy that room was reserved for is there, and takes so much of it.
    fn settle(&self, reserved: u64, takes: u64) {
        let less = |lie: u64| Some(lie.saturating_sub(reserved.saturating_sub(takes)));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn release(&self, bytes: u64) {
        let less = |count: u64, by: u64| Some(count.saturating_sub(by));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |lie| less(lie, bytes));
        let _ = self.copies.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |lie| less(lie, 1));
    }
}

/// All copies below a folder; what else lies there is passed over.
fn list(folder: &Path) -> io::Result<Vec<Copied>> {
    let mut copies = Vec::new();
    for session in std::fs::read_dir(folder)? {
        let session = session?;
        if !session.file_type()?.is_dir() {
            continue;
        }
        for copy in std::fs::read_dir(session.path())? {
            let copy = copy?;
            let found = copy.metadata()?;
            let (Ok(session), Ok(name)) = (session.file_name().into_string(), copy.file_name().into_string()) else {
                continue;
            };
            if found.is_file() && name.ends_with(".age") {
                let place = format!("{session}/{name}");
                copies.push(Copied { session, place, bytes: found.len(), at: found.modified()? });
            }
        }
    }
    Ok(copies)
}

/// Keeps a copy and answers with its place below the folder: `SESSION/0001.age`.
///
/// # Errors
/// When it cannot be written whole; nothing of it is then left.
pub(super) async fn keep(files: &Files, session: &str, file: &Spooled) -> Result<String, String> {
    let (config, quarantine) = (&files.depot.config, &files.depot.quarantine);
    let recipients = config.recipients.clone().ok_or("there is nobody to encrypt copies to")?;
    let number = files.copies.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    let place = format!("{session}/{number:04}.age");
    let (folder, path) = (config.quarantine.join(session), config.quarantine.join(&place));
    let (keep_free, reader) = (config.keep_free, file.reader());
    let bytes = sealed(file.bytes);
    if !quarantine.reserve(bytes) {
        return Err(format!("`files.quarantine_mib` leaves no room for a copy of {} bytes", file.bytes));
    }
    let written = tokio::task::spawn_blocking(move || {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(told)?;
        // One that is there already is another copy: it stays.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(told)?;
        write(file, &recipients, reader, keep_free).inspect_err(|_| {
            let _ = std::fs::remove_file(&path);
        })
    });
    match written.await.unwrap_or_else(|_| Err("the gate is stopping".to_owned())) {
        Ok(takes) => {
            quarantine.settle(bytes, takes);
            Ok(place)
        }
        Err(error) => {
            quarantine.release(bytes);
            Err(error)
        }
    }
}

/// What a copy of so many bytes takes, at most.
fn sealed(bytes: u64) -> u64 {
    bytes.saturating_add((bytes >> 20).saturating_add(1).saturating_mul(OVERHEAD))
}

/// Writes an encrypted copy; answers with the bytes that it takes.
fn write(file: File, recipients: &Arc<Recipients>, mut reader: impl Read, keep_free: u64) -> Result<u64, String> {
    let checked = Checked { file: file.try_clone().map_err(told)?, left: 0, keep_free };
    let mut sealed = recipients.writer(checked).map_err(|error| error.to_string())?;
    io::copy(&mut reader, &mut sealed).map_err(told)?;
    sealed.finish().map_err(told)?;
    // Its event says that it is there.
    file.sync_data().map_err(told)?;
    file.metadata().map(|found| found.len()).map_err(told)
}

fn told(error: io::Error) -> String {
    error.to_string()
}

/// A file that leaves room on its disk.
struct Checked {
    file: File,
    /// Bytes until the next look.
    left: u64,
    keep_free: u64,
}

impl Write for Checked {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if bytes > self.left {
            let disk = fstatvfs(&self.file)?;
            if disk.f_bavail.saturating_mul(disk.f_frsize) < self.keep_free {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.left = LOOK_EVERY;
        }
        let written = self.file.write(piece)?;
        self.left = self.left.saturating_sub(u64::try_from(written).unwrap_or(0));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(quarantine: &Quarantine, now: SystemTime) -> Vec<Copied> {
        quarantine.all().unwrap().into_iter().filter(|copy| quarantine.is_due(copy, now)).collect()
    }

    #[test]
    fn copies_are_bounded_counted_and_go_when_their_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Some(Duration::from_secs(60));
        let config =
            FilesConfig { quarantine_bytes: 10_000, quarantine_keep: keep, ..FilesConfig::within(folder.path()) };
        std::fs::create_dir_all(config.quarantine.join("one")).unwrap();
        for (place, bytes) in [("one/0001.age", 3000), ("one/0002.age", 2000), ("one/notes.txt", 9000)] {
            std::fs::write(config.quarantine.join(place), vec![0; bytes]).unwrap();
        }
        let file = std::fs::File::open(config.quarantine.join("one/0001.age")).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(61)).unwrap();
        let quarantine = Quarantine::open(&config).unwrap();
        assert_eq!(quarantine.counts(), (5000, 2, 0));
        assert!(!quarantine.reserve(5001) && quarantine.reserve(5000) && !quarantine.reserve(1));
        // What is there takes less than was reserved for it.
        quarantine.settle(5000, 4000);
        assert_eq!(quarantine.counts(), (9000, 3, 0));
        quarantine.release(4000);
        let old = due(&quarantine, SystemTime::now());
        assert_eq!(
            old.iter().map(|copy| (copy.place.as_str(), copy.session.as_str())).collect::<Vec<_>>(),
            [("one/0001.age", "one")]
        );
        quarantine.remove(&old[0]).unwrap();
        assert_eq!((quarantine.counts(), due(&quarantine, SystemTime::now())), ((2000, 1, 1), Vec::new()));
        assert!(config.quarantine.join("one/notes.txt").exists(), "what is no copy stays");
        let for_ever = Quarantine::open(&FilesConfig { quarantine_keep: None, ..config }).unwrap();
        assert!(due(&for_ever, SystemTime::now() + Duration::from_secs(1 << 40)).is_empty());
    }
}
