//! What lies in a bundle's folder, by name: files of a bundle, and what has no business there.
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::path::PathInBundle;
use crate::report::{Kind, Report};

/// The files of a bundle that are there.
pub(super) struct Tree {
    /// Whether each is a regular file.
    found: BTreeMap<PathInBundle, bool>,
}

impl Tree {
    /// Whether something has this name.
    pub(super) fn has(&self, path: PathInBundle) -> bool {
        self.found.contains_key(&path)
    }

    /// Whether a regular file has this name; if something else does, that is a fault already.
    pub(super) fn is_file(&self, path: PathInBundle) -> bool {
        self.found.get(&path).copied().unwrap_or(false)
    }

    /// All regular files, sorted.
    pub(super) fn files(&self) -> impl Iterator<Item = PathInBundle> {
        self.found.iter().filter(|(_, is_file)| **is_file).map(|(path, _)| *path)
    }

    /// The number of the last link; 0 when there is none.
    pub(super) fn last_link(&self) -> u32 {
        let links = PathInBundle::Link(0)..=PathInBundle::Link(u32::MAX);
        self.found.range(links).next_back().and_then(|(path, _)| path.segment()).unwrap_or(0)
    }
}

/// Looks through the folder; `None` after a fault when it is not one.
pub(super) fn walk(dir: &Path, report: &mut Report) -> Option<Tree> {
    let mut tree = Tree { found: BTreeMap::new() };
    if !dir.is_dir() {
        report.fault(".", Kind::NotAFile, "the bundle is not a folder");
        return None;
    }
    if let Err(error) = folder(dir, None, &mut tree, report) {
        report.fault(".", Kind::Unreadable, error.to_string());
        return None;
    }
    Some(tree)
}

fn folder(dir: &Path, name: Option<&str>, tree: &mut Tree, report: &mut Report) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let own = entry.file_name().to_string_lossy().into_owned();
        let path = name.map_or_else(|| own.clone(), |name| format!("{name}/{own}"));
        // Of the entry itself: links are not followed.
        let kind = entry.file_type()?;
        if name.is_none() && matches!(own.as_str(), "chain" | "events" | "video") {
            if !kind.is_dir() {
                report.fault(&path, Kind::NotAFile, "it has to be a folder, and no link to one");
            } else if let Err(error) = folder(&entry.path(), Some(&own), tree, report) {
                report.fault(&path, Kind::Unreadable, error.to_string());
            }
            continue;
        }
        if !kind.is_file() {
            report.fault(&path, Kind::NotAFile, "it is no regular file");
        }
        // A name that is not UTF-8 was spelled with replacement characters and is no bundle's.
        match path.parse::<PathInBundle>() {
            Ok(known) => {
                tree.found.insert(known, kind.is_file());
            }
            Err(_) if kind.is_file() => report.fault(&path, Kind::Extra, "no file of a bundle has this name"),
            Err(_) => {}
        }
    }
    Ok(())
}
