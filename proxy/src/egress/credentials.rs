//! What a subject is known by to the egress proxy: lines of a file that desktops never see.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Bytes of the file.
const MAX_FILE: usize = 1024 * 1024;
/// The bits of a file's mode that let everybody in.
const EVERYBODY: u32 = 0o007;

/// The value of a `Proxy-Authorization` header.
pub(super) struct Authorization(Zeroizing<String>);

impl Authorization {
    pub(super) fn value(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(…)")
    }
}

/// Those of a subject: of lines `SUBJECT = USER:PASSWORD` the one that names it, else the one for `*`, else none.
pub(super) fn of(path: &Path, subject: &str) -> Result<Option<Authorization>, String> {
    let refused = |reason: String| format!("{}: {reason}", path.display());
    let file = File::open(path).map_err(|error| refused(error.to_string()))?;
    let found = file.metadata().map_err(|error| refused(error.to_string()))?;
    if !found.is_file() {
        return Err(refused("it is not a file".to_owned()));
    }
    if found.mode() & EVERYBODY != 0 {
        return Err(refused("everybody on this machine may read it: chmod o= it".to_owned()));
    }
    // One more than may be there, at once: a text that grows leaves copies behind that nobody zeroes.
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE + 1));
    let room = u64::try_from(MAX_FILE + 1).unwrap_or(u64::MAX);
    file.take(room).read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
    if text.len() > MAX_FILE {
        return Err(refused(format!("it has more than {MAX_FILE} bytes")));
    }
    look_up(&text, subject).map_err(refused)
}

fn look_up(text: &str, subject: &str) -> Result<Option<Authorization>, String> {
    let mut everybody = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let pair = line.rsplit_once(" = ").map(|(name, login)| (name.trim(), login.trim()));
        let Some((name, login)) = pair.filter(|(name, login)| !name.is_empty() && login.contains(':')) else {
            return Err(format!("line {} is not `SUBJECT = USER:PASSWORD`", number + 1));
        };
        if name == subject {
            return Ok(Some(authorization(login)));
        }
        if name == "*" {
            everybody = Some(login);
        }
    }
    Ok(everybody.map(authorization))
}

fn authorization(login: &str) -> Authorization {
    let encoded = Zeroizing::new(STANDARD.encode(login));
    Authorization(Zeroizing::new(format!("Basic {}", *encoded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subject_has_its_own_and_no_message_has_any() {
        let text = "# proxy\n* = all:secret\n\nalice@example.org = al:pass:word\n";
        let of = |subject| look_up(text, subject).unwrap().unwrap();
        assert_eq!(of("alice@example.org").value(), format!("Basic {}", STANDARD.encode("al:pass:word")));
        assert_eq!(of("bob").value(), format!("Basic {}", STANDARD.encode("all:secret")));
        assert_eq!(format!("{:?}", of("bob")), "Authorization(…)");
        assert!(look_up("alice = a:b\n", "bob").unwrap().is_none());
        for wrong in ["alice a:secret", "alice = secret", " = a:secret", "x = a:b\nsecret\n"] {
            let error = look_up(wrong, "").unwrap_err();
            assert!(error.contains("is not `SUBJECT = USER:PASSWORD`") && !error.contains("secret"), "{error}");
        }
    }
}
