//! Where a bundle lies, as verification reads it: a folder, or whatever else can list and open.
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::path::PathInBundle;
use crate::read;

/// The folders of a bundle.
const FOLDERS: [&str; 3] = ["chain", "events", "video"];

/// Something that lies in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path relative to the bundle, with slashes; hostile text until it is parsed.
    pub path: String,
    /// Whether it is a file of the bundle's own: no link, no pipe, no device, no folder in a file's place.
    pub is_file: bool,
}

/// A file that is open.
pub struct Opened<'a> {
    /// Its length in bytes, as far as the place knows without reading it.
    pub bytes: u64,
    /// Its bytes, from the first on. More than `bytes` of them are never read.
    pub reader: Box<dyn Read + 'a>,
}

/// A place where a bundle lies. Its answers are not trusted: what is read is hashed, and lengths and numbers are bounded.
pub trait Source {
    /// Tells of everything in the bundle, in any order, until `each` has heard enough. Folders with the names of a bundle's own
    /// (`chain`, `events`, `video`) are not told of, what lies in them is.
    ///
    /// # Errors
    /// When there is no bundle, or it cannot be listed.
    fn list(&self, each: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()>;

    /// Opens a file that was listed.
    ///
    /// # Errors
    /// When it is no file, or cannot be read.
    fn open(&self, path: PathInBundle) -> io::Result<Opened<'_>>;
}

/// A bundle in a local folder; links are not followed.
#[derive(Debug, Clone)]
pub struct BundleFolder(PathBuf);

impl BundleFolder {
    /// The bundle in the folder `dir`.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self(dir.to_owned())
    }
}

impl Source for BundleFolder {
    fn list(&self, each: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.0)? {
            let entry = entry?;
            // A name that is not UTF-8 gets replacement characters, which no name of a bundle's has.
            let name = entry.file_name().to_string_lossy().into_owned();
            // Of the entry itself: links are not followed.
            let kind = entry.file_type()?;
            if !FOLDERS.contains(&name.as_str()) {
                if each(Entry { path: name, is_file: kind.is_file() }).is_break() {
                    return Ok(());
                }
            } else if !kind.is_dir() {
                if each(Entry { path: name, is_file: false }).is_break() {
                    return Ok(());
                }
            } else if list_folder(&entry.path(), &name, each)?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn open(&self, path: PathInBundle) -> io::Result<Opened<'_>> {
        let (file, metadata) = read::open(&path.under(&self.0))?;
        Ok(Opened { bytes: metadata.len(), reader: Box::new(file) })
    }
}

fn list_folder(
    folder: &Path,
    name: &str,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{name}/{}", entry.file_name().to_string_lossy());
        if each(Entry { path, is_file: entry.file_type()?.is_file() }).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
