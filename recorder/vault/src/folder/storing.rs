//! Storing an object: written beside its place, synced, named, and the name synced.
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::way::open_file;
use super::{Inner, storage};
use crate::{Key, Result, VaultError, source};

/// What the name of a file begins with while it is written.
pub(super) const PART: &str = ".put-";

impl Inner {
    /// Stores the file `from`; over what is there only with `replacing`.
    pub(super) fn store(&self, key: &Key, from: &Path, replacing: bool) -> Result<()> {
        let failed = storage("store", key);
        let mut source = source::open(from).map_err(&failed)?;
        let folder = self.make_folder(key).map_err(&failed)?;
        if !replacing && let Some(stored) = self.already(&folder, key, from)? {
            return stored;
        }
        let part = Part::open(&folder, key.name()).map_err(&failed)?;
        part.fill(&mut source).map_err(&failed)?;
        match part.name(replacing) {
            Ok(()) => rustix::fs::fsync(&folder).map_err(storage("store", key)),
            // Another one stored it in the meantime: then what it stored counts.
            Err(Errno::EXIST) => {
                self.already(&folder, key, from)?.unwrap_or_else(|| Err(failed(io::Error::from(Errno::EXIST))))
            }
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Whether the object is there: `None` if not, else whether it has the same bytes, which are then durable.
    fn already(&self, folder: &OwnedFd, key: &Key, from: &Path) -> Result<Option<Result<()>>> {
        let failed = storage("store", key);
        let Some((stored, _)) = open_file(folder, key.name()).map_err(&failed)? else { return Ok(None) };
        let source = source::open(from).map_err(&failed)?;
        if !same(&stored, &source).map_err(&failed)? {
            return Ok(Some(Err(VaultError::AlreadyDiffers(key.clone()))));
        }
        // Whoever stored it may have been killed before it was durable.
        stored.sync_all().map_err(&failed)?;
        rustix::fs::fsync(folder).map_err(storage("store", key))?;
        Ok(Some(Ok(())))
    }
}

fn same(a: &File, b: &File) -> io::Result<bool> {
    if a.metadata()?.len() != b.metadata()?.len() {
        return Ok(false);
    }
    let (mut of_a, mut of_b) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let (some, other) = (fill(a, &mut of_a)?, fill(b, &mut of_b)?);
        if some != other {
            return Ok(false);
        }
        if some.is_empty() {
            return Ok(true);
        }
    }
}

/// As much as there is, up to the buffer's length.
fn fill<'a>(mut file: &File, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => length = length.saturating_add(more),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..length).unwrap_or_default())
}

/// An object while it is written: `.put-<name>` in its folder, locked. One that a killed gate left is written over by the
/// next attempt to store the same object; one that cannot be finished is removed.
struct Part<'a> {
    folder: &'a OwnedFd,
    name: &'a str,
    part: String,
    file: File,
    named: std::cell::Cell<bool>,
}

impl<'a> Part<'a> {
    fn open(folder: &'a OwnedFd, name: &'a str) -> io::Result<Self> {
        let part = format!("{PART}{name}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        loop {
            let file = File::from(rustix::fs::openat(folder, part.as_str(), flags, Mode::RUSR | Mode::WUSR)?);
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
            // Whoever held the lock may have given the file its name meanwhile, or removed it: then begin anew.
            let opened = file.metadata()?;
            match rustix::fs::statat(folder, part.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(named) if (named.st_dev, named.st_ino) == (opened.dev(), opened.ino()) => {
                    return Ok(Self { folder, name, part, file, named: false.into() });
                }
                Ok(_) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn fill(&self, source: &mut File) -> io::Result<()> {
        self.file.set_len(0)?;
        io::copy(source, &mut &self.file)?;
        self.file.sync_all()
    }

    /// Gives it its name; [`Errno::EXIST`] if that is taken and not to be replaced.
    fn name(&self, replacing: bool) -> rustix::io::Result<()> {
        let (folder, part) = (self.folder.as_fd(), self.part.as_str());
        let named = if replacing {
            rustix::fs::renameat(folder, part, folder, self.name)
        } else {
            match rustix::fs::renameat_with(folder, part, folder, self.name, RenameFlags::NOREPLACE) {
                // A file system without it (NFS): a second name fails in the same way when it is taken.
                Err(Errno::INVAL | Errno::NOSYS) => {
                    rustix::fs::linkat(folder, part, folder, self.name, AtFlags::empty())
                        .and_then(|()| rustix::fs::unlinkat(folder, part, AtFlags::empty()))
                }
                other => other,
            }
        };
        self.named.set(named.is_ok());
        named
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if !self.named.get() {
            // Nobody can be told; the next attempt writes over it.
            let _ = rustix::fs::unlinkat(self.folder, self.part.as_str(), AtFlags::empty());
        }
    }
}
