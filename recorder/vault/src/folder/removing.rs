//! Taking an object away: its name goes, and that it is gone is durable.
use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::way::open_folder;
use super::{Inner, storage};
use crate::{Key, Result};

impl Inner {
    /// Removes an object; one that is not there is gone already. A link in its place is an error and stays.
    pub(super) fn remove(&self, key: &Key) -> Result<()> {
        let failed = storage("remove", key);
        if self.find(key)?.is_none() {
            return Ok(());
        }
        let mut folder = self.root.try_clone().map_err(&failed)?;
        for segment in key.folder().split_terminator('/') {
            match open_folder(&folder, segment).map_err(&failed)? {
                Some(next) => folder = next,
                None => return Ok(()),
            }
        }
        match rustix::fs::unlinkat(&folder, key.name(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => rustix::fs::fsync(&folder).map_err(storage("remove", key)),
            Err(error) => Err(failed(error.into())),
        }
    }
}
