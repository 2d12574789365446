//! Files in and out of a container by the Engine's archive API: one plain file each, in a tar stream that may be anything.

use std::sync::Arc;

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use portcullis_files::FileName;

use super::tar::{self, Entry, Kind, Reading};
use crate::files::{Reader, Spool, Spooled};
use crate::runtime::account::Account;
use crate::runtime::transfer::{Listed, MOST_LISTED, MOUNT, Transfer, TransferError, names};

/// Bytes that are sent at once.
const PIECE: usize = 1 << 17;
/// What the folder may hold beside its files when it is listed: headers, of as many entries as anybody made.
const LISTED_BESIDE: u64 = 64 << 20;

/// The folder of one container, a volume in memory.
pub(super) struct Archive {
    engine: bollard::Docker,
    container: String,
    owner: (u32, u32),
    /// What the volume holds, in bytes.
    room: u64,
}

impl Archive {
    pub(super) fn of(engine: &bollard::Docker, container: &str, account: &Account, room: u64) -> Arc<Self> {
        let owner = (account.uid, account.gid);
        Arc::new(Self { engine: engine.clone(), container: container.to_owned(), owner, room })
    }

    /// Whether something has this name: the gate puts nothing in its place.
    async fn is_taken(&self, name: &FileName) -> Result<bool, TransferError> {
        let options = ContainerArchiveInfoOptionsBuilder::new().path(&format!("{MOUNT}/{name}")).build();
        match self.engine.get_container_archive_info(&self.container, Some(options)).await {
            Ok(_) => Ok(true),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    fn read(&self, path: &str) -> impl Stream<Item = Result<Bytes, Error>> + Unpin + use<> {
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        Box::pin(self.engine.download_from_container(&self.container, Some(options)))
    }
}

#[async_trait]
impl Transfer for Archive {
    async fn list(&self) -> Result<Vec<Listed>, TransferError> {
        // The API has no other way to list than to read all: no more than the volume holds.
        let mut pieces = self.read(&format!("{MOUNT}/."));
        let (mut reading, mut listed, mut left) =
            (Reading::default(), Vec::new(), self.room.saturating_add(LISTED_BESIDE));
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(failed)?;
            left = left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if left == 0 {
                return Err(TransferError::Malformed("it holds more than it may"));
            }
            reading.push(&piece, |entry| listed.extend(plain(&entry)), |_| Ok(()))?;
            if listed.len() >= MOST_LISTED {
                break;
            }
        }
        listed.sort_by(|one: &Listed, other| one.name.cmp(&other.name));
        Ok(listed)
    }

    async fn put(&self, name: &FileName, file: &Spooled) -> Result<FileName, TransferError> {
        let mut free = None;
        for name in names(name) {
            if !self.is_taken(&name).await? {
                free = Some(name);
                break;
            }
        }
        let name = free.ok_or(TransferError::Taken)?;
        let head = tar::head(name.as_str(), file.bytes, self.owner);
        let options = UploadToContainerOptionsBuilder::new().path(MOUNT).no_overwrite_dir_non_dir("true").build();
        let body = bollard::body_try_stream(packed(head, file));
        match self.engine.upload_to_container(&self.container, Some(options), body).await {
            Ok(()) => Ok(name),
            Err(Error::DockerResponseServerError { message, .. }) if message.contains("no space left") => {
                Err(TransferError::Full)
            }
            Err(error) => Err(failed(error)),
        }
    }

    async fn take(&self, name: &FileName, spool: Spool) -> Result<Spool, TransferError> {
        let mut pieces = self.read(&format!("{MOUNT}/{name}"));
        let (mut reading, mut found, mut spool) = (Reading::default(), None, spool);
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(failed)?;
            let first = |entry: Entry| {
                found.get_or_insert(entry);
            };
            reading.push(&piece, first, |bytes| {
                // Hashing and a page cache, a piece at a time: short enough for this thread.
                spool.write(bytes).map_err(TransferError::from)
            })?;
            match &found {
                Some(Entry { kind: Kind::File, .. }) => {}
                Some(_) => return Err(TransferError::NotAFile),
                None => continue,
            }
            if reading.ended() > 0 {
                return Ok(spool);
            }
        }
        Err(TransferError::Malformed("it ends before the file does"))
    }
}

/// An entry of the folder as it is listed, if it is a plain file in the folder itself.
fn plain(entry: &Entry) -> Option<Listed> {
    let name = entry.path.strip_prefix("./").unwrap_or(&entry.path);
    let name = FileName::parse(name).ok().filter(|_| entry.kind == Kind::File)?;
    Some(Listed { name, bytes: entry.bytes, modified: entry.modified })
}

/// The tar stream of one file.
fn packed(head: Vec<u8>, file: &Spooled) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let tail = tar::tail(file.bytes);
    let pieces = futures_util::stream::try_unfold(file.reader(), async |reader: Reader| {
        let read = tokio::task::spawn_blocking(move || piece(reader)).await;
        let (piece, reader) = read.map_err(std::io::Error::other)??;
        Ok((!piece.is_empty()).then_some((piece, reader)))
    });
    let once = |bytes: Vec<u8>| futures_util::stream::iter([Ok(Bytes::from(bytes))]);
    once(head).chain(pieces).chain(once(tail))
}

fn piece(mut reader: Reader) -> std::io::Result<(Bytes, Reader)> {
    let mut piece = vec![0; PIECE];
    let count = std::io::Read::read(&mut reader, &mut piece)?;
    piece.truncate(count);
    Ok((piece.into(), reader))
}

fn failed(error: Error) -> TransferError {
    match error {
        Error::DockerResponseServerError { status_code: 404, .. } => TransferError::Missing,
        Error::DockerResponseServerError { status_code: 409, .. } => TransferError::Gone,
        error => TransferError::Engine(error),
    }
}
