//! What a template names instead of holding it: passwords and certificates in files, read with a bound and zeroed.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use portcullis_rfb::desktop::SecretError;
use zeroize::Zeroizing;

use crate::runtime::RuntimeError;

/// Bytes of a password's file: more than any password that may be in it.
const MAX_PASSWORD_FILE: usize = 4096;
/// Bytes of a file of certificates.
const MAX_CERTIFICATES: usize = 256 * 1024;
/// The bits of a file's mode that let everybody in.
const EVERYBODY: u32 = 0o007;

/// The password in a file, less the line end behind it, as `make` takes it.
pub(super) fn read<T>(path: &Path, make: impl FnOnce(&[u8]) -> Result<T, SecretError>) -> Result<T, RuntimeError> {
    let key = "password_file";
    let file = open(path, key)?;
    let mode = file.metadata().map_err(|error| refused(key, path, error.to_string()))?.mode();
    if mode & EVERYBODY != 0 {
        return Err(refused(key, path, "everybody on this machine may read it: chmod o= it".to_owned()));
    }
    let text = bounded(file, path, key, MAX_PASSWORD_FILE)?;
    let line = text.strip_suffix(b"\n").map_or(text.as_slice(), |line| line.strip_suffix(b"\r").unwrap_or(line));
    make(line).map_err(|error| refused(key, path, error.to_string()))
}

/// A file of certificates in PEM.
pub(super) fn certificates(path: &Path) -> Result<Zeroizing<Vec<u8>>, RuntimeError> {
    bounded(open(path, "ca")?, path, "ca", MAX_CERTIFICATES)
}

/// An error of the file that `key` names.
pub(super) fn refused(key: &'static str, path: &Path, reason: String) -> RuntimeError {
    RuntimeError::Secret { key, path: path.to_owned(), reason }
}

fn open(path: &Path, key: &'static str) -> Result<File, RuntimeError> {
    let file = File::open(path).map_err(|error| refused(key, path, error.to_string()))?;
    if file.metadata().is_ok_and(|found| found.is_file()) {
        return Ok(file);
    }
    Err(refused(key, path, "it is not a file".to_owned()))
}

fn bounded(file: File, path: &Path, key: &'static str, most: usize) -> Result<Zeroizing<Vec<u8>>, RuntimeError> {
    // One more than may be there, at once: a vector that grows leaves copies behind that nobody zeroes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
    let room = u64::try_from(most + 1).unwrap_or(u64::MAX);
    file.take(room).read_to_end(&mut bytes).map_err(|error| refused(key, path, error.to_string()))?;
    if bytes.len() > most {
        return Err(refused(key, path, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    use portcullis_rfb::desktop::{Login, VncPassword};

    use super::*;

    #[test]
    fn a_password_is_what_stands_before_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let kept = |text: &[u8]| {
            write(&path, text).unwrap();
            set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
            let mut kept = Vec::new();
            read(&path, |password| {
                kept = password.to_vec();
                Login::new("ann", password)
            })
            .map(|_| kept)
            .map_err(|error| error.to_string())
        };
        for text in [b"with spaces ".as_slice(), b"with spaces \n", b"with spaces \r\n"] {
            assert_eq!(kept(text).unwrap(), b"with spaces ");
        }
        assert_eq!(kept(b"a\n\n").unwrap(), b"a\n");
        assert!(kept(b"\n").unwrap_err().ends_with("password: the password is empty"));
        assert!(kept(&[b'x'; 4097]).unwrap_err().ends_with("it has more than 4096 bytes"));
    }

    #[test]
    fn a_password_that_is_too_long_or_too_open_is_refused_without_saying_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let refusal = |path: &Path| read(path, VncPassword::new).map(drop).unwrap_err().to_string();
        write(&path, "hunter2hunter2").unwrap();
        set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        assert!(refusal(&path).ends_with("everybody on this machine may read it: chmod o= it"), "{}", refusal(&path));
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let long = refusal(&path);
        assert!(long.contains("more than 8 bytes, and VncAuth looks at no more") && !long.contains("hunter"), "{long}");
        assert!(refusal(folder.path()).ends_with("it is not a file"));
        assert!(refusal(&folder.path().join("none")).contains("No such file"));
    }
}
