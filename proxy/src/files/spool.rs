//! Where a file lies until its verdict: on the gate's disk, without a name, so that nothing of it outlives whoever holds it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use rustix::fs::fstatvfs;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// After so many bytes it is looked again whether the disk has room.
const LOOK_EVERY: u64 = 8 << 20;
/// Pieces of a body that wait to be written; whoever sends more waits.
const PIECES: usize = 8;

/// Bytes of a refused body that are read on, and for how long.
const DRAINED: usize = 8 << 20;
const DRAINED_WITHIN: Duration = Duration::from_secs(10);

/// Why a spool does not take more.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// More came than it may hold.
    #[error("it is more than {most} bytes")]
    TooLarge {
        /// What it may hold.
        most: u64,
    },
    /// The disk has to keep what is left of it for recordings.
    #[error("the gate's disk has no room for it")]
    DiskFull,
    /// The disk failed.
    #[error("the gate's disk failed")]
    Io(#[source] io::Error),
}

/// A file that is coming.
#[derive(Debug)]
pub struct Spool {
    file: File,
    hash: Sha256,
    bytes: u64,
    most: u64,
    keep_free: u64,
    look_at: u64,
}

/// A file that is whole, with its hash.
#[derive(Debug, Clone)]
pub struct Spooled {
    file: Arc<File>,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Reads a [`Spooled`] from its beginning, however many others do.
#[derive(Debug, Clone)]
pub struct Reader {
    file: Arc<File>,
    at: u64,
    bytes: u64,
}

impl Spool {
    /// An unnamed file in a folder, for the gate's user alone, of `most` bytes that leave `keep_free` on the disk.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(folder: &Path, most: u64, keep_free: u64) -> Result<Self, SpoolError> {
        let file = tempfile::tempfile_in(folder).map_err(SpoolError::Io)?;
        Ok(Self { file, hash: Sha256::new(), bytes: 0, most, keep_free, look_at: 0 })
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// [`SpoolError`]; nothing of the piece counts then.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), SpoolError> {
        let bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if bytes > self.most {
            return Err(SpoolError::TooLarge { most: self.most });
        }
        if bytes > self.look_at {
            let disk = fstatvfs(&self.file).map_err(|error| SpoolError::Io(error.into()))?;
            if disk.f_bavail.saturating_mul(disk.f_frsize) < self.keep_free {
                return Err(SpoolError::DiskFull);
            }
            self.look_at = bytes.saturating_add(LOOK_EVERY);
        }
        // At its place, not at the end: a write that failed half-way is written over by the next.
        self.file.write_all_at(piece, self.bytes).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SpoolError::DiskFull,
            _ => SpoolError::Io(error),
        })?;
        self.hash.update(piece);
        self.bytes = bytes;
        Ok(())
    }

    /// Takes no more than this, if it took more before.
    pub(crate) fn expect(&mut self, most: u64) {
        self.most = self.most.min(most);
    }

    /// What it holds, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The whole file.
    #[must_use]
    pub fn finish(self) -> Spooled {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Spooled { file: Arc::new(self.file), bytes: self.bytes, sha256 }
    }
}

impl Write for Spool {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        Spool::write(self, piece).map(|()| piece.len()).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spooled {
    /// A reader of its own.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { file: Arc::clone(&self.file), at: 0, bytes: self.bytes }
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.bytes.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = into.len().min(left);
        let count = self.file.read_at(into.get_mut(..room).unwrap_or_default(), self.at)?;
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// How a body ended.
#[derive(Debug)]
pub(crate) enum Poured {
    /// With its last byte.
    Whole,
    /// Its sender went away, or said nothing for too long.
    Broken,
    /// Not at all: it is not wanted any more.
    Ended,
    /// The spool did not take it.
    Refused(SpoolError),
}

/// Pours a body into a spool, which is given back whatever becomes of it, until `end`; hashing and writing have a thread of their own.
pub(crate) async fn pour<E, O>(
    mut spool: Spool,
    body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    idle: Duration,
    end: impl Future<Output = O>,
) -> Option<(Spool, Poured)> {
    let (send, mut pieces) = mpsc::channel::<Bytes>(PIECES);
    let writing = tokio::task::spawn_blocking(move || {
        while let Some(piece) = pieces.blocking_recv() {
            if let Err(error) = spool.write(&piece) {
                return (spool, Some(error));
            }
        }
        (spool, None)
    });
    tokio::pin!(end);
    let how = loop {
        let next = tokio::select! {
            biased;
            _ = &mut end => break Poured::Ended,
            next = timeout(idle, body.next()) => next,
        };
        match next {
            Ok(Some(Ok(piece))) => {
                if send.send(piece).await.is_err() {
                    break Poured::Broken;
                }
            }
            Ok(None) => break Poured::Whole,
            Ok(Some(Err(_))) | Err(_) => break Poured::Broken,
        }
    };
    drop(send);
    // The thread ends by itself; only the end of the gate takes it away.
    let (spool, refused) = writing.await.ok()?;
    Some((spool, refused.map_or(how, Poured::Refused)))
}

/// Reads a little of a body that nobody wants, so that its sender hears why: who still sends reads no answer.
pub(crate) async fn drain<E>(mut body: impl Stream<Item = Result<Bytes, E>> + Unpin) {
    let draining = async {
        let mut left = DRAINED;
        while let Some(Ok(piece)) = body.next().await {
            left = left.saturating_sub(piece.len());
            if left == 0 {
                break;
            }
        }
    };
    let _ = timeout(DRAINED_WITHIN, draining).await;
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn spool(most: u64, keep_free: u64) -> (tempfile::TempDir, Spool) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::create(folder.path(), most, keep_free).unwrap();
        (folder, spool)
    }

    #[test]
    fn a_spool_holds_what_it_was_given_and_has_no_name() {
        let (folder, mut spool) = spool(6, 0);
        spool.write(b"abc").unwrap();
        assert!(matches!(spool.write(b"defg"), Err(SpoolError::TooLarge { most: 6 })));
        spool.write(b"def").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let spooled = spool.finish();
        assert_eq!(spooled.bytes, 6);
        assert_eq!(spooled.sha256, "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721");
        let (mut one, mut other) = (spooled.reader(), spooled.reader());
        let (mut text, mut tail) = (String::new(), String::new());
        other.seek(SeekFrom::End(-2)).unwrap();
        one.read_to_string(&mut text).unwrap();
        other.read_to_string(&mut tail).unwrap();
        assert_eq!((text.as_str(), tail.as_str()), ("abcdef", "ef"));
    }

    #[test]
    fn a_disk_that_recordings_need_takes_no_file() {
        let (_folder, mut spool) = spool(100, u64::MAX);
        assert!(matches!(spool.write(b"a"), Err(SpoolError::DiskFull)));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_leaves_what_came() {
        let (_folder, spool) = spool(100, 0);
        let mut body = futures_util::stream::iter([Ok(Bytes::from_static(b"abc")), Err(())]);
        let (spool, poured) = pour(spool, &mut body, Duration::from_secs(5), pending::<()>()).await.unwrap();
        assert!(matches!(poured, Poured::Broken) && spool.bytes() == 3);
        let mut body = futures_util::stream::iter([Ok::<_, ()>(Bytes::from_static(b"def"))]);
        let (spool, poured) = pour(spool, &mut body, Duration::from_secs(5), pending::<()>()).await.unwrap();
        assert!(matches!(poured, Poured::Whole));
        assert_eq!(spool.finish().sha256, "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721");
        let (_folder, empty) = self::spool(100, 0);
        let mut silent = futures_util::stream::pending::<Result<Bytes, ()>>();
        let (empty, poured) = pour(empty, &mut silent, Duration::from_millis(5), pending::<()>()).await.unwrap();
        assert!(matches!(poured, Poured::Broken));
        let (_, poured) = pour(empty, &mut silent, Duration::from_secs(5), async {}).await.unwrap();
        assert!(matches!(poured, Poured::Ended));
    }
}
