//! Copies of files that policy keeps for auditors: encrypted to them before a byte touches the disk.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use portcullis_evidence::Recipients;
use rustix::fs::fstatvfs;

use super::{Files, Spooled};

/// After so many bytes it is looked again whether the disk has room.
const LOOK_EVERY: u64 = 8 << 20;

/// Keeps a copy and answers with its place below the folder: `SESSION/0001.age`.
///
/// # Errors
/// When it cannot be written whole; nothing of it is then left.
pub(super) async fn keep(files: &Files, session: &str, file: &Spooled) -> Result<String, String> {
    let config = &files.depot.config;
    let recipients = config.recipients.clone().ok_or("there is nobody to encrypt copies to")?;
    let number = files.copies.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    let place = format!("{session}/{number:04}.age");
    let (folder, path) = (config.quarantine.join(session), config.quarantine.join(&place));
    let (keep_free, reader) = (config.keep_free, file.reader());
    let written = tokio::task::spawn_blocking(move || {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(told)?;
        write(&path, &recipients, reader, keep_free).inspect_err(|_| {
            let _ = std::fs::remove_file(&path);
        })
    });
    written.await.unwrap_or_else(|_| Err("the gate is stopping".to_owned()))?;
    Ok(place)
}

fn write(path: &Path, recipients: &Arc<Recipients>, mut reader: impl Read, keep_free: u64) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(told)?;
    let checked = Checked { file: file.try_clone().map_err(told)?, left: 0, keep_free };
    let mut sealed = recipients.writer(checked).map_err(|error| error.to_string())?;
    io::copy(&mut reader, &mut sealed).map_err(told)?;
    sealed.finish().map_err(told)?;
    // Its event says that it is there.
    file.sync_data().map_err(told)
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
