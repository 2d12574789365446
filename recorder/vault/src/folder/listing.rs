//! Listing objects in the order of their keys' bytes, as S3 does, a page at a time.
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;

use super::storing::PART;
use super::way::open_folder;
use super::{Inner, storage};
use crate::{Entry, Key, MAX_LIST, Result, VaultError};

/// A page that is being filled.
struct Page<'a> {
    prefix: &'a str,
    after: &'a str,
    limit: usize,
    entries: Vec<Entry>,
}

impl Inner {
    pub(super) fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>> {
        let after = after.map_or("", Key::as_str);
        let mut page = Page { prefix, after, limit: limit.min(MAX_LIST), entries: Vec::new() };
        page.folder(&self.root, "").map_err(|source| VaultError::Storage {
            action: "list",
            key: prefix.to_owned(),
            source,
        })?;
        Ok(page.entries)
    }
}

impl Inner {
    /// What lies under `place` and is left out of lists: names that no key can have, links, special files. Not what is being stored.
    pub(super) fn strange(&self, place: &Key) -> Result<Vec<String>> {
        let failed = storage("list", place);
        let mut folder = self.root.try_clone().map_err(&failed)?;
        for segment in place.segments() {
            match open_folder(&folder, segment).map_err(&failed)? {
                Some(next) => folder = next,
                None => return Ok(Vec::new()),
            }
        }
        let mut found = Vec::new();
        strange(&folder, place.as_str(), "", &mut found).map_err(&failed)?;
        found.sort_unstable();
        Ok(found)
    }
}

/// As deep as a key can be: what lies deeper has no key, and its folder stands for it.
fn strange(folder: &OwnedFd, place: &str, path: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in Dir::read_from(folder.as_fd())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "." || name == ".." || name.starts_with(PART) || found.len() >= MAX_LIST {
            continue;
        }
        let path = format!("{path}{name}");
        let can = entry.file_name().to_str().is_ok() && Key::new(format!("{place}/{path}")).is_ok();
        let kind = match entry.file_type() {
            FileType::Unknown => kind(folder, &name)?,
            kind => kind,
        };
        match kind {
            FileType::RegularFile if can => {}
            FileType::Directory if can => {
                if let Some(inner) = open_folder(folder, &name)? {
                    strange(&inner, place, &format!("{path}/"), found)?;
                }
            }
            _ => found.push(path),
        }
    }
    Ok(())
}

impl Page<'_> {
    /// Adds what is in `folder`, whose path is empty or ends in a slash. As deep as a key can be: every level adds two bytes.
    fn folder(&mut self, folder: &OwnedFd, path: &str) -> io::Result<()> {
        for (name, is_folder) in names(folder)? {
            if self.entries.len() >= self.limit {
                return Ok(());
            }
            let path = format!("{path}{name}");
            if !self.may_hold(&path) {
                continue;
            }
            if !is_folder {
                self.file(folder, &name, path)?;
            } else if path.len() < crate::MAX_KEY_BYTES
                && let Some(inner) = open_folder(folder, name.trim_end_matches('/'))?
            {
                self.folder(&inner, &path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, folder: &OwnedFd, name: &str, path: String) -> io::Result<()> {
        let Ok(key) = Key::new(path) else { return Ok(()) };
        match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
                let bytes = u64::try_from(stat.st_size).unwrap_or(0);
                self.entries.push(Entry { key, bytes });
                Ok(())
            }
            Ok(_) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the page may hold this key, or, if it ends in a slash, a key that begins so.
    fn may_hold(&self, path: &str) -> bool {
        match path.ends_with('/') {
            true => {
                (path.starts_with(self.prefix) || self.prefix.starts_with(path))
                    && (path > self.after || self.after.starts_with(path))
            }
            false => path.starts_with(self.prefix) && path > self.after,
        }
    }
}

/// The names in a folder that a key can have, in the order of keys: a folder's name counts with its slash. Links and special
/// files are left out.
fn names(folder: impl AsFd) -> io::Result<Vec<(String, bool)>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder.as_fd())? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => kind(&folder, name)?,
            kind => kind,
        };
        match kind {
            FileType::Directory => names.push((format!("{name}/"), true)),
            FileType::RegularFile => names.push((name.to_owned(), false)),
            _ => {}
        }
    }
    names.sort();
    Ok(names)
}

/// For file systems that do not tell it with the name.
fn kind(folder: impl AsFd, name: &str) -> io::Result<FileType> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode)),
        Err(Errno::NOENT) => Ok(FileType::Unknown),
        Err(error) => Err(error.into()),
    }
}
