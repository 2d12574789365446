//! Key files are private or refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::super::{KeyFileError, create_key_file, load_key_file};

#[test]
fn what_is_made_is_loaded_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.pem");
    let made = create_key_file(&path).unwrap();
    assert_eq!(load_key_file(&path).unwrap().kid(), made.kid());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(create_key_file(&path), Err(KeyFileError::Create { .. })));
    assert_eq!(load_key_file(&path).unwrap().kid(), made.kid(), "the key is still the first one");
}

#[test]
fn files_that_others_can_touch_are_refused_with_the_mend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.pem");
    create_key_file(&path).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o777] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let sentence = load_key_file(&path).unwrap_err().to_string();
        assert!(sentence.contains(&format!("(mode {mode:04o}): run `chmod 600 {}`", path.display())), "{sentence}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert!(load_key_file(&path).is_ok());
}

#[test]
fn what_is_not_a_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.pem");
    let kind = || load_key_file(&path).unwrap_err();
    assert!(matches!(kind(), KeyFileError::Read { .. }), "missing");
    for text in ["", "garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(kind(), KeyFileError::NotAKey { .. }), "{text:?}");
    }
    fs::write(&path, "x".repeat(1 << 20)).unwrap();
    assert!(matches!(kind(), KeyFileError::NotAKey { .. }), "far too long");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(kind(), KeyFileError::NotAFile { .. }), "a folder");
}

#[test]
fn links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("token.pem"), folder.path().join("link.pem"));
    create_key_file(&path).unwrap();
    symlink(&path, &link).unwrap();
    assert!(matches!(load_key_file(&link), Err(KeyFileError::Read { .. })));
    assert!(matches!(create_key_file(&link), Err(KeyFileError::Create { .. })));
}
