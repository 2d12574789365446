//! What can go wrong with a vault, as values that a caller can act on.
use std::io;

use thiserror::Error;

use crate::Key;

/// The result of a vault's operation.
pub type Result<T> = std::result::Result<T, VaultError>;

/// Why a vault did not do what it was asked.
#[derive(Debug, Error)]
pub enum VaultError {
    /// There is no such object.
    #[error("there is no {0} in the vault")]
    NotFound(Key),
    /// Other bytes are already stored under this key; they were left as they are.
    #[error("{0} is in the vault already, with other bytes")]
    AlreadyDiffers(Key),
    /// Only an `index.m3u8` may be replaced.
    #[error("{0} may not be replaced: only an index.m3u8 may")]
    NotReplaceable(Key),
    /// The vault is full; nothing was stored. Worth another try once there is room.
    #[error("no space is left to store {0}")]
    NoSpace(Key),
    /// The range is empty, or ends behind the object's end.
    #[error("the range lies outside of {key}, which has {bytes} bytes")]
    OutOfRange {
        /// Which object.
        key: Key,
        /// Its length in bytes.
        bytes: u64,
    },
    /// More than [`crate::MAX_READ_BYTES`] were asked for at once.
    #[error("{0} is too long to be read at once")]
    TooLong(Key),
    /// What the record needs of the storage, the storage does not do. Trying again is of no use.
    #[error("the storage does not protect the record ({property}): {reason}")]
    Unprotected {
        /// By name: `Object Lock`, `checksums`, `preconditions`, `versioning`.
        property: &'static str,
        /// What was asked, and what was found.
        reason: String,
    },
    /// The storage failed, or holds something that a vault does not (such as a symbolic link in an object's place).
    #[error("cannot {action} {key}")]
    Storage {
        /// What was tried: `store`, `read`, `list`, `open`.
        action: &'static str,
        /// Which object, prefix or folder.
        key: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
