//! The way to an object: folder by folder, by name, never through a link.
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{Inner, storage};
use crate::{Key, Result};

/// The most folders whose names are remembered as durable; when there are more, all are forgotten and synced again.
const MAX_REMEMBERED: usize = 4096;

impl Inner {
    /// The object and its length; `None` when there is none.
    pub(super) fn find(&self, key: &Key) -> Result<Option<(File, u64)>> {
        let failed = storage("read", key);
        let mut folder = self.root.try_clone().map_err(&failed)?;
        for segment in key.folder().split_terminator('/') {
            match open_folder(&folder, segment).map_err(&failed)? {
                Some(next) => folder = next,
                None => return Ok(None),
            }
        }
        open_file(&folder, key.name()).map_err(&failed)
    }

    /// The folder of an object, made where it is missing and durable by name.
    pub(super) fn make_folder(&self, key: &Key) -> io::Result<OwnedFd> {
        let mut folder = self.root.try_clone()?;
        let mut path = String::new();
        for segment in key.folder().split_terminator('/') {
            path.push_str(segment);
            path.push('/');
            match rustix::fs::mkdirat(&folder, segment, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            let next = open_folder(&folder, segment)?.ok_or(Errno::NOTDIR)?;
            // Also when it was there: whoever made it may have been killed before its name was durable.
            if !self.is_durable(&path) {
                rustix::fs::fsync(&folder)?;
                self.remember(&path);
            }
            folder = next;
        }
        Ok(folder)
    }

    fn is_durable(&self, path: &str) -> bool {
        self.durable.lock().is_ok_and(|durable| durable.contains(path))
    }

    fn remember(&self, path: &str) {
        if let Ok(mut durable) = self.durable.lock() {
            if durable.len() >= MAX_REMEMBERED {
                durable.clear();
            }
            durable.insert(path.to_owned());
        }
    }
}

/// The folder `name` in `folder`; `None` when there is none. A link is an error.
pub(super) fn open_folder(folder: impl AsFd, name: &str) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(&folder, name, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT) => Ok(None),
        // What Linux says of a link here depends on its version: look what it is.
        Err(error @ (Errno::NOTDIR | Errno::LOOP)) => {
            let is_link = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
            if is_link {
                Err(link(name))
            } else if error == Errno::NOTDIR {
                Ok(None)
            } else {
                Err(error.into())
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// The regular file `name` in `folder` and its length; `None` when there is none. A link or special file is an error.
pub(super) fn open_file(folder: impl AsFd, name: &str) -> io::Result<Option<(File, u64)>> {
    // Not blocking, or a pipe in an object's place would hold the thread.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&folder, name, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(link(name)),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name} is no regular file")));
    }
    Ok(Some((file, metadata.len())))
}

fn link(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{name} is a symbolic link"))
}
