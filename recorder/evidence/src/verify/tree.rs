//! What lies in a bundle, by name: files of a bundle, and what has no business there.
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::path::{MAX_INITS, MAX_LINKS, PathInBundle};
use crate::report::{Kind, MAX_FAULTS, Report};
use crate::source::{Entry, Source};

/// The files that a bundle has once.
const ONCE: usize = 8;

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

/// The most entries that are looked at: all that a bundle can have, and as many more as faults are listed.
fn most_entries() -> usize {
    let numbered = MAX_LINKS.saturating_mul(3).saturating_add(MAX_INITS);
    usize::try_from(numbered).unwrap_or(usize::MAX).saturating_add(ONCE).saturating_add(MAX_FAULTS)
}

/// Looks through the bundle; `None` after a fault when that is not possible.
pub(super) fn walk(source: &dyn Source, report: &mut Report) -> Option<Tree> {
    let mut tree = Tree { found: BTreeMap::new() };
    let (mut left, mut too_many) = (most_entries(), false);
    let listed = source.list(&mut |entry| {
        let Some(fewer) = left.checked_sub(1) else {
            too_many = true;
            report.fault(".", Kind::Extra, "it has more entries than a bundle can have; they were not looked at");
            return ControlFlow::Break(());
        };
        left = fewer;
        tree.add(entry, report);
        ControlFlow::Continue(())
    });
    match listed {
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound || error.kind() == std::io::ErrorKind::NotADirectory =>
        {
            report.fault(".", Kind::NotAFile, "there is no bundle");
            None
        }
        Err(error) => {
            report.fault(".", Kind::Unreadable, error.to_string());
            None
        }
        Ok(()) if too_many => None,
        Ok(()) => Some(tree),
    }
}

impl Tree {
    fn add(&mut self, entry: Entry, report: &mut Report) {
        let Entry { path, is_file } = entry;
        if !is_file {
            report.fault(&path, Kind::NotAFile, "it is no regular file");
        }
        match path.parse::<PathInBundle>() {
            Ok(known) => {
                self.found.insert(known, is_file);
            }
            Err(_) if is_file => report.fault(&path, Kind::Extra, "no file of a bundle has this name"),
            Err(_) => {}
        }
    }
}
