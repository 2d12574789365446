//! Room kept in reserve, so that on a full disk the last events, the link and the seal can still be written.
use std::io;

use super::error::failed;
use super::{BundleWriter, WriteError};

/// How much room a bundle keeps in reserve, in bytes: what the seal and listings of a day's session take.
pub const ROOM_BYTES: u64 = 4 * 1024 * 1024;
/// Where it is kept: in no link, and removed before the seal.
pub(crate) const ROOM: &str = ".room";

impl BundleWriter {
    /// Gives back the room that was kept in reserve. To be called when the disk is full and the session is about to end;
    /// what is written next had better be short.
    ///
    /// # Errors
    /// The disk's.
    pub fn release_room(&mut self) -> Result<(), WriteError> {
        let path = self.dir.join(ROOM);
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn reserve_room(&self, bytes: u64) -> Result<(), WriteError> {
        let path = self.dir.join(ROOM);
        if bytes == 0 {
            return Ok(());
        }
        let mut file = self.disk.create(&path).map_err(failed("create", &path))?;
        // A session waits for this.
        if self.disk.allocate(&mut file, &path, bytes).map_err(failed("allocate", &path))? {
            return Ok(());
        }
        // No two blocks alike, or a file system that compresses would keep no room at all.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut left = bytes;
        let mut block = vec![0; 64 * 1024];
        while left > 0 {
            block.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&next(&mut state)));
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            self.disk
                .append(&mut file, &path, block.get(..length).unwrap_or(&block))
                .map_err(failed("write", &path))?;
            left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

/// Marsaglia's xorshift64: bytes that do not compress, no secret.
fn next(state: &mut u64) -> [u8; 8] {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    state.to_le_bytes()
}
