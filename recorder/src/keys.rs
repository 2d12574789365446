//! Where the keys live that cover what an encrypted recording has not encrypted yet: files in a folder of the machine's memory.
//!
//! A killed gate's successor finds the key there. A machine that was stopped has forgotten it, and with it the open segment of each session.
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use portcullis_evidence::CoverKey;

use crate::error::{RecordError, spool as spool_error};

/// What file systems in memory call themselves (statfs(2)).
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
/// The longest path of a key that is believed.
const MAX_PATH_BYTES: u64 = 4096;
/// Bytes of a key and one more, which none has.
const KEY_BYTES: u64 = 33;

/// Makes the folder for keys, if it is not there, and refuses one that a disk holds.
///
/// # Errors
/// [`RecordError::OnDisk`], or what the system says.
pub fn check(folder: &Path) -> Result<(), RecordError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(spool_error("make", folder))?;
    let found = rustix::fs::statfs(folder).map_err(|error| spool_error("look at", folder)(error.into()))?;
    let kind = u64::try_from(found.f_type).unwrap_or(0);
    if IN_MEMORY.contains(&kind) { Ok(()) } else { Err(RecordError::OnDisk(folder.to_owned())) }
}

/// A new key for the session in the spool folder `session`, which notes where it is.
pub(crate) fn make(folder: &Path, session: &Path) -> Result<CoverKey, RecordError> {
    check(folder)?;
    let at = folder.join(file_name(session));
    let note = note(session);
    let mut noted = new(&note).map_err(spool_error("create", &note))?;
    noted.write_all(at.as_os_str().as_encoded_bytes()).map_err(spool_error("write", &note))?;
    let key = CoverKey::generate().map_err(spool_error("make a key in", folder))?;
    let mut file = new(&at).map_err(spool_error("create", &at))?;
    file.write_all(key.bytes()).map_err(spool_error("write", &at))?;
    Ok(key)
}

/// The key of the session in the spool folder `session`; `None` when it has none, or the machine has forgotten it.
pub(crate) fn find(session: &Path) -> Option<CoverKey> {
    let mut bytes = Vec::new();
    File::open(place(session)?).ok()?.take(KEY_BYTES).read_to_end(&mut bytes).ok()?;
    CoverKey::from_bytes(&bytes)
}

/// Forgets the key of a session that needs it no more. To be called before its folder goes, which knows where the key is.
pub(crate) fn forget(session: &Path) -> io::Result<()> {
    let Some(at) = place(session) else { return Ok(()) };
    match fs::remove_file(at) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Where the session's key is. A note that names a file of another kind is none.
fn place(session: &Path) -> Option<PathBuf> {
    let mut text = String::new();
    File::open(note(session)).ok()?.take(MAX_PATH_BYTES).read_to_string(&mut text).ok()?;
    Some(PathBuf::from(text)).filter(|at| at.is_absolute() && at.file_name() == Some(file_name(session).as_ref()))
}

fn note(session: &Path) -> PathBuf {
    session.join("key")
}

fn file_name(session: &Path) -> String {
    format!("{}.key", session.file_name().unwrap_or_default().to_string_lossy())
}

fn new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_key_is_found_again_until_it_is_forgotten() {
        let memory = tempfile::tempdir_in("/dev/shm").unwrap();
        let (folder, spool) = (memory.path().join("keys"), tempfile::tempdir().unwrap());
        let session = spool.path().join("s");
        fs::create_dir(&session).unwrap();
        assert!(find(&session).is_none());
        forget(&session).unwrap();
        let key = make(&folder, &session).unwrap();
        assert_eq!(find(&session).unwrap().bytes(), key.bytes());
        let at = folder.join("s.key");
        assert_eq!((at.metadata().unwrap().mode() & 0o777, folder.metadata().unwrap().mode() & 0o777), (0o600, 0o700));
        fs::write(&at, [0; 33]).unwrap();
        assert!(find(&session).is_none(), "no key has 33 bytes");
        forget(&session).unwrap();
        assert!(!at.exists());
        fs::write(note(&session), "/etc/passwd").unwrap();
        assert!(place(&session).is_none(), "not a key of this session");
    }

    #[test]
    fn a_disk_is_refused() {
        // The source tree is on one; where it is not, there is no disk to refuse.
        let here = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let kind = u64::try_from(rustix::fs::statfs(here.path()).unwrap().f_type).unwrap();
        let checked = check(&here.path().join("keys"));
        assert_eq!(matches!(checked, Err(RecordError::OnDisk(_))), !IN_MEMORY.contains(&kind), "{checked:?}");
    }
}
