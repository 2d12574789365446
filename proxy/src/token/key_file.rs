//! Private keys in files: made with mode 0600, refused when anybody but their owner can read or write them.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use portcullis_evidence::SigningKey;
use rustix::fs::OFlags;
use thiserror::Error;

/// Bytes of a key file that are read; an Ed25519 key in PEM has 119.
const MAX_FILE_BYTES: u64 = 8 * 1024;
/// Permission bits that let anybody but the owner read, write or run a file.
const OTHERS: u32 = 0o077;

/// Why a key file is not used, and how to mend it.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// It cannot be opened or read.
    #[error("the key {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be made; one that exists is never overwritten.
    #[error("the key {path} cannot be made")]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is a folder, a pipe or something else.
    #[error("{path} is not a plain file")]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Others can read or write it.
    #[error(
        "the private key {path} is open to others (mode {mode:04o}): run `chmod 600 {path}`, and make a new key if others used this machine"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to neither this program's user nor root.
    #[error("the private key {path} belongs to user {owner}, who could change it: run `chown {user} {path}`")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who this program runs as.
        user: u32,
    },
    /// It does not hold an Ed25519 private key.
    #[error("{path} holds no Ed25519 private key (PKCS #8 PEM): make one with `portcullis keys generate`")]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

/// Makes a new key at `path` with mode 0600, on the disk when this returns; never overwrites a file.
///
/// # Errors
/// [`KeyFileError::Create`].
pub fn create(path: &Path) -> Result<SigningKey, KeyFileError> {
    let failed = |source| KeyFileError::Create { path: path.to_owned(), source };
    let key = SigningKey::generate(&rand::random());
    let pem = key.to_pem().map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(key)
}

/// Reads the key at `path`, if it is a plain file that nobody but its owner can touch.
///
/// What is checked is the file that was opened, not its name: swapping it in between changes nothing.
///
/// # Errors
/// What is wrong with the file, and how to mend it.
pub fn load(path: &Path) -> Result<SigningKey, KeyFileError> {
    let failed = |source| KeyFileError::Read { path: path.to_owned(), source };
    // NONBLOCK: a pipe in the key's place must not hang the start.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    let file = options.open(path).map_err(failed)?;
    check(path, &file)?;
    let mut pem = String::new();
    file.take(MAX_FILE_BYTES).read_to_string(&mut pem).map_err(failed)?;
    SigningKey::from_pem(&pem).map_err(|_| KeyFileError::NotAKey { path: path.to_owned() })
}

fn check(path: &Path, file: &File) -> Result<(), KeyFileError> {
    let path = || path.to_owned();
    let metadata = file.metadata().map_err(|source| KeyFileError::Read { path: path(), source })?;
    if !metadata.is_file() {
        return Err(KeyFileError::NotAFile { path: path() });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(KeyFileError::Exposed { path: path(), mode });
    }
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user && owner != 0 {
        return Err(KeyFileError::Foreign { path: path(), owner, user });
    }
    Ok(())
}
