//! The transfer folder of a desktop of processes: a temporary file system in its jail, reached from outside by one descriptor.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_files::FileName;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fchmod, fchown, fstatfs, linkat, openat, openat2, statat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use time::OffsetDateTime;

use crate::files::{Spool, Spooled};
use crate::runtime::account::Account;
use crate::runtime::transfer::{Listed, MOST_LISTED, MOUNT, Transfer, TransferError, names};

/// What `statfs` says of a tmpfs.
const TMPFS: u64 = 0x0102_1994;
/// Entries that are looked at for a list: more may lie there than are listed.
const MOST_SEEN: usize = 10_000;
/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;
/// INVARIANT: a name leads to a file in the folder itself: no link is followed, no other file system entered.
const WITHIN: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_XDEV)
    .union(ResolveFlags::NO_MAGICLINKS);

/// The folder, held by a descriptor: whatever is done to paths in the jail, this stays what it is.
pub(super) struct Folder {
    folder: Arc<OwnedFd>,
    owner: (Uid, Gid),
}

impl Folder {
    /// Opens the folder of a jail by its first process, once everything in it is mounted. None if it is not there.
    pub(super) fn open((number, first): (i32, OwnedFd), account: &Account) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, format!("/proc/{number}/root/"), flags, Mode::empty()).ok()?;
        // INVARIANT: the number is still that process's, so this is its root and no other's.
        let of_first = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", first.as_raw_fd())).ok()?;
        of_first.lines().any(|line| line == format!("Pid:\t{number}")).then_some(())?;
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let folder =
            openat2(&root, MOUNT.trim_start_matches('/'), flags | OFlags::NOFOLLOW, Mode::empty(), inside).ok()?;
        let readable =
            openat2(&folder, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty(), WITHIN).ok()?;
        // The gate's own disk is never written through it.
        let system = fstatfs(&readable).ok()?;
        (u64::try_from(system.f_type).ok()? == TMPFS).then_some(())?;
        let owner = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
        Some(Self { folder: Arc::new(readable), owner })
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(BorrowedFd<'_>) -> Result<T, TransferError> + Send + 'static,
    ) -> Result<T, TransferError> {
        let folder = Arc::clone(&self.folder);
        tokio::task::spawn_blocking(move || work(folder.as_fd())).await.unwrap_or(Err(TransferError::Gone))
    }
}

#[async_trait]
impl Transfer for Folder {
    async fn list(&self) -> Result<Vec<Listed>, TransferError> {
        self.with(list).await
    }

    async fn put(&self, name: &FileName, file: &Spooled) -> Result<FileName, TransferError> {
        let (name, mut from, owner) = (name.clone(), file.reader(), self.owner);
        self.with(move |folder| put(folder, &name, &mut from, owner)).await
    }

    async fn take(&self, name: &FileName, spool: Spool) -> Result<Spool, TransferError> {
        let name = name.clone();
        self.with(move |folder| take(folder, &name, spool)).await
    }
}

fn list(folder: BorrowedFd<'_>) -> Result<Vec<Listed>, TransferError> {
    let mut listed = Vec::new();
    for entry in Dir::read_from(folder).map_err(failed)?.take(MOST_SEEN) {
        let entry = entry.map_err(failed)?;
        let Some(name) = entry.file_name().to_str().ok().and_then(|name| FileName::parse(name).ok()) else { continue };
        // What is gone by now is not listed.
        let Ok(found) = statat(folder, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile && listed.len() < MOST_LISTED {
            let modified = OffsetDateTime::from_unix_timestamp(found.st_mtime).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            listed.push(Listed { name, bytes: u64::try_from(found.st_size).unwrap_or(0), modified });
        }
    }
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(listed)
}

/// INVARIANT: the file has no name until it is whole, and then takes none that another has.
fn put(
    folder: BorrowedFd<'_>,
    name: &FileName,
    from: &mut dyn Read,
    (uid, gid): (Uid, Gid),
) -> Result<FileName, TransferError> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let mut file = File::from(openat2(folder, ".", flags, Mode::RUSR | Mode::WUSR, WITHIN).map_err(failed)?);
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece).map_err(TransferError::Io)?;
        if count == 0 {
            break;
        }
        file.write_all(piece.get(..count).unwrap_or_default()).map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => TransferError::Full,
            _ => TransferError::Io(error),
        })?;
    }
    fchown(&file, Some(uid), Some(gid)).map_err(failed)?;
    fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(failed)?;
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    for name in names(name) {
        match linkat(CWD, unnamed.as_str(), folder, name.as_str(), AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => return Ok(name),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(TransferError::Taken)
}

fn take(folder: BorrowedFd<'_>, name: &FileName, mut spool: Spool) -> Result<Spool, TransferError> {
    // Without waiting: a pipe that nobody writes to would be waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = openat2(folder, name.as_str(), flags, Mode::empty(), WITHIN).map_err(|error| match error {
        Errno::NOENT => TransferError::Missing,
        // A link, another file system, a socket, a pipe or device without the other end.
        Errno::LOOP | Errno::XDEV | Errno::NXIO | Errno::NODEV => TransferError::NotAFile,
        error => failed(error),
    })?;
    let mut file = File::from(opened);
    if !file.metadata().map_err(TransferError::Io)?.is_file() {
        return Err(TransferError::NotAFile);
    }
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(spool),
            Ok(count) => spool.write(piece.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(TransferError::Io(error)),
        }
    }
}

fn failed(error: Errno) -> TransferError {
    match error {
        Errno::NOSPC | Errno::DQUOT => TransferError::Full,
        error => TransferError::Io(error.into()),
    }
}
