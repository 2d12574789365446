//! Writing a bundle that is encrypted: nothing of events and video is ever on the disk in clear.
//!
//! What lies beside the bundle's own files while it grows, and is never stored elsewhere:
//! - `.events-NNNNN`, the events of the open segment, covered by the session's key;
//! - `.history-NNNNN`, what the events up to link n come to, as the seal will say it: those that are encrypted cannot be counted again.
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::{damaged, failed};
use super::{BundleWriter, WriteError};
use crate::age::Recipients;
use crate::canonical;
use crate::cover::{CoverKey, CoveredLog};
use crate::digest::{Digest, FileHash, PlainHash};
use crate::disk::Disk;
use crate::history::History;
use crate::manifest::Manifest;
use crate::path::PathInBundle;
use crate::read::{self, Hashing};

/// The longest `.history-NNNNN`: a full list of gaps.
const MAX_HISTORY_BYTES: u64 = 128 * 1024;

/// To whom a bundle is encrypted, and what covers it until it is. Clones are the same.
#[derive(Debug, Clone)]
pub struct Encryption {
    recipients: Recipients,
    key: CoverKey,
}

impl Encryption {
    /// To these recipients, covered by this key.
    #[must_use]
    pub fn new(recipients: Recipients, key: CoverKey) -> Self {
        Self { recipients, key }
    }

    /// To the recipients that the manifest names; `None` when it names none.
    ///
    /// # Errors
    /// [`WriteError::Damaged`] when one of them is no public key.
    pub fn of(manifest: &Manifest, key: CoverKey) -> Result<Option<Self>, WriteError> {
        if !manifest.is_encrypted() {
            return Ok(None);
        }
        let recipients = Recipients::parse(manifest.recipients.iter().map(String::as_str));
        let recipients = recipients.map_err(|error| damaged(PathInBundle::Session, error))?;
        Ok(Some(Self { recipients, key }))
    }

    /// To whom.
    #[must_use]
    pub fn recipients(&self) -> &Recipients {
        &self.recipients
    }

    /// What covers the files of the open segment.
    #[must_use]
    pub fn key(&self) -> &CoverKey {
        &self.key
    }

    /// Writes `plain` as the file that `path` names into the bundle at `dir`, encrypted, and makes it durable (its name not yet). What was there is
    /// replaced. To be given to [`BundleWriter::close_encrypted`].
    ///
    /// # Errors
    /// The disk's.
    pub fn store(&self, dir: &Path, path: PathInBundle, plain: &[u8]) -> Result<FileHash, WriteError> {
        self.store_on(&Disk::default(), dir, path, |writer| writer.write_all(plain))
    }

    pub(super) fn store_on(
        &self,
        disk: &Disk,
        dir: &Path,
        path: PathInBundle,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<FileHash, WriteError> {
        let path = path.encrypted();
        let at = path.under(dir);
        let file = disk.create(&at).map_err(failed("create", &at))?;
        let out = Counted::new(OnDisk { disk, file, at: &at });
        let encrypted = || {
            let other = |error| io::Error::other(error);
            let mut plain = Counted::new(self.recipients.writer(out).map_err(other)?);
            fill(&mut plain)?;
            let (writer, plain) = plain.finish();
            let (out, sealed) = writer.finish()?.finish();
            disk.sync(&out.file, &at)?;
            Ok((sealed, plain))
        };
        let (sealed, plain) = encrypted().map_err(failed("encrypt", &at))?;
        Ok(FileHash { path, bytes: sealed.bytes, sha256: sealed.sha256, plain: Some(plain) })
    }
}

/// A file that is written by way of a [`Disk`].
struct OnDisk<'a> {
    disk: &'a Disk,
    file: std::fs::File,
    at: &'a Path,
}

impl Write for OnDisk<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.append(&mut self.file, self.at, bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that hashes and counts what passes.
struct Counted<W> {
    inner: W,
    hash: sha2::Sha256,
    bytes: u64,
}

impl<W> Counted<W> {
    fn new(inner: W) -> Self {
        Self { inner, hash: sha2::Digest::new(), bytes: 0 }
    }

    fn finish(self) -> (W, PlainHash) {
        let sha256 = Digest(sha2::Digest::finalize(self.hash).into());
        (self.inner, PlainHash { bytes: self.bytes, sha256 })
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        sha2::Digest::update(&mut self.hash, bytes.get(..written).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What the covered events of segment n are for.
fn purpose(n: u32) -> String {
    format!("events {n:05}")
}

fn covered(dir: &Path, n: u32) -> PathBuf {
    dir.join(format!(".events-{n:05}"))
}

fn history(dir: &Path, n: u32) -> PathBuf {
    dir.join(format!(".history-{n:05}"))
}

impl BundleWriter {
    /// As [`BundleWriter::close_segment`], of an encrypted bundle: `video` is what [`Encryption::store`] gave for the segment's files.
    ///
    /// # Errors
    /// As [`BundleWriter::close_segment`].
    pub fn close_encrypted(
        &mut self,
        from_us: u64,
        to_us: u64,
        video: &[FileHash],
    ) -> Result<Vec<PathInBundle>, WriteError> {
        self.usable()?;
        let n = self.next()?;
        let Some(encryption) = self.encryption.clone() else { return Err(WriteError::Encryption) };
        self.fits(n, from_us, to_us)?;
        let at = covered(&self.dir, n);
        let any = self.open.is_some();
        let events = encryption.store_on(&self.disk, &self.dir, PathInBundle::Events(n), |writer| match any {
            true => CoveredLog::read(&at, &encryption.key, &purpose(n), |line| writer.write_all(line)),
            false => Ok(()),
        })?;
        let files = std::iter::once(events).chain(video.iter().copied()).collect();
        let synced = self.sync_folder(Some("events"));
        self.or_broken(synced)?;
        let written = self.end_segment(from_us, to_us, files)?;
        // Behind the link nobody asks for these any more; what cannot be removed is removed by who opens the bundle anew, or seals it.
        let _ = self.disk.remove(&at);
        let _ = self.disk.remove(&history(&self.dir, n.saturating_sub(1)));
        Ok(written)
    }

    /// A covered file for the events of segment n.
    pub(super) fn covered_events(&self, n: u32, key: &CoverKey) -> Result<CoveredLog, WriteError> {
        let at = covered(&self.dir, n);
        CoveredLog::create_on(self.disk.clone(), &at, key, &purpose(n)).map_err(failed("create", &at))
    }

    pub(super) fn covered_path(&self, n: u32) -> PathBuf {
        covered(&self.dir, n)
    }

    /// Notes what the events up to link n come to, before that link is written.
    pub(super) fn note_history(&mut self, n: u32) -> Result<(), WriteError> {
        let bytes = canonical::to_bytes(&self.history).map_err(|_| WriteError::Order("a number is too large"))?;
        let file = self.write_part(&[&bytes])?;
        let synced = self.sync_part(&file);
        self.or_broken(synced)?;
        let to = history(&self.dir, n);
        self.disk.rename(&self.dir.join(super::PART), &to).map_err(failed("name", &to))?;
        let synced = self.sync_folder(None);
        self.or_broken(synced)
    }

    /// What was noted when the last link was written.
    pub(super) fn read_history(&self) -> Result<History, WriteError> {
        let n = self.links();
        if n == 0 {
            return Ok(History::default());
        }
        let at = history(&self.dir, n);
        let bytes = read::capped(&at, MAX_HISTORY_BYTES).map_err(failed("read", &at))?;
        let known = bytes.and_then(|bytes| canonical::from_bytes(&bytes).ok());
        known.ok_or_else(|| damaged(PathInBundle::Link(n), "what its events come to cannot be read"))
    }

    /// Encrypted files that no link lists: what they hold is covered, or lost.
    pub(super) fn remove_unlisted(&self) -> Result<(), WriteError> {
        for path in self.unlisted()? {
            match path.parse::<PathInBundle>() {
                Ok(path) if path.is_encrypted() => {
                    let at = path.under(&self.dir);
                    self.disk.remove(&at).map_err(failed("remove", &at))?;
                }
                _ => return Err(WriteError::Unlisted(path)),
            }
        }
        Ok(())
    }

    /// Brings back the events of the open segment: whole lines of them, in a covered file of this process's own. How many there are, and how many bytes
    /// of lines were none.
    pub(super) fn uncover_events(&mut self, n: u32, key: &CoverKey) -> Result<(u64, u64), WriteError> {
        let at = covered(&self.dir, n);
        if !super::reopening::is_there(&at)? {
            return Ok((0, 0));
        }
        let fresh = self.dir.join(super::PART);
        let log = CoveredLog::create_on(self.disk.clone(), &fresh, key, &purpose(n));
        let mut log = log.map_err(failed("create", &fresh))?;
        let (before, mut torn) = (self.history.events, 0_u64);
        let session = self.manifest.id.clone();
        let past = &mut self.history;
        let kept = CoveredLog::read(&at, key, &purpose(n), |line| {
            if torn == 0 && past.line(line, &session).is_ok() {
                return log.append(&fresh, line);
            }
            torn = torn.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
            Ok(())
        });
        kept.map_err(failed("read", &at))?;
        self.disk.rename(&fresh, &at).map_err(failed("name", &at))?;
        self.open = Some(super::OpenEvents::Covered(log));
        Ok((self.history.events.saturating_sub(before), torn))
    }

    /// Removes what lies beside the files of an encrypted bundle that is finished, or that of segments which are: all but the note of the last link.
    pub(super) fn remove_covered(&self, sealing: bool) -> Result<(), WriteError> {
        let last = history(&self.dir, self.links());
        let open = covered(&self.dir, self.segment());
        for entry in std::fs::read_dir(&self.dir).map_err(failed("read", &self.dir))? {
            let at = entry.map_err(failed("read", &self.dir))?.path();
            let name = at.file_name().unwrap_or_default().to_string_lossy();
            let ours = name.starts_with(".events-") || name.starts_with(".history-");
            if ours && (sealing || (at != last && at != open)) {
                self.disk.remove(&at).map_err(failed("remove", &at))?;
            }
        }
        Ok(())
    }
}

/// Length and SHA-256 of a file, as a link lists it.
pub(super) fn hash(dir: &Path, path: PathInBundle) -> Result<FileHash, WriteError> {
    let at = path.under(dir);
    let hashed = read::open(&at).and_then(|(file, _)| Hashing::new(file).finish());
    let (bytes, sha256) = hashed.map_err(failed("read", &at))?;
    Ok(FileHash { path, bytes, sha256, plain: None })
}
