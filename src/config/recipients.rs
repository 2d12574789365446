//! `[recording] recipients` and `recipients_file`: whom recordings are encrypted to.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use portcullis_evidence::{MAX_AGE_TEXT_BYTES, Recipients};

use super::Recording;

impl Recording {
    /// The recipients; nothing where recordings are not encrypted. Reads the file anew.
    pub(crate) fn recipients(&self) -> anyhow::Result<Option<Recipients>> {
        let path = &self.recipients_file;
        match (self.recipients.is_empty(), path.as_os_str().is_empty()) {
            (true, true) => Ok(None),
            (false, false) => bail!("`recording.recipients` and `recording.recipients_file` exclude each other"),
            (false, true) => {
                let listed = Recipients::parse(self.recipients.iter().map(String::as_str));
                let one = |error| anyhow!("`recording.recipients`, {error}", error = entry(&error));
                listed.map(Some).map_err(one)
            }
            (true, false) => {
                let mut text = String::new();
                let read = File::open(path)
                    .and_then(|file| file.take(MAX_AGE_TEXT_BYTES.saturating_add(1)).read_to_string(&mut text));
                read.with_context(|| format!("`recording.recipients_file`: {} cannot be read", path.display()))?;
                if u64::try_from(text.len())? > MAX_AGE_TEXT_BYTES {
                    bail!("`recording.recipients_file`: {} has more than {MAX_AGE_TEXT_BYTES} bytes", path.display());
                }
                let listed = Recipients::parse(text.lines());
                listed.map(Some).map_err(|error| anyhow!("`recording.recipients_file`: {}, {error}", path.display()))
            }
        }
    }
}

impl Recording {
    /// The folder of the keys that cover what is not encrypted yet.
    pub(crate) fn keys(&self) -> PathBuf {
        if !self.key_folder.as_os_str().is_empty() {
            return self.key_folder.clone();
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
        runtime.map_or_else(
            || format!("/dev/shm/portcullis-{}", rustix::process::getuid().as_raw()).into(),
            |folder| folder.join("portcullis"),
        )
    }
}

/// In a list of TOML there are entries, not lines.
fn entry(error: &portcullis_evidence::AgeKeyError) -> String {
    format!("entry {}: {}", error.line, error.reason)
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    const ONE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    fn of(lines: &str) -> anyhow::Result<Option<Vec<String>>> {
        let config = Config::parse(&format!("[recording]\n{lines}\n"))?;
        Ok(config.recording.recipients()?.map(|recipients| recipients.names()))
    }

    #[test]
    fn they_are_a_list_or_a_file() {
        assert_eq!(of("").unwrap(), None);
        assert_eq!(of(&format!("recipients = [\"{ONE}\"]")).unwrap().unwrap(), [ONE]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, format!("# the auditors\n{ONE}\n")).unwrap();
        let named = format!("recipients_file = \"{}\"", file.path().display());
        assert_eq!(of(&named).unwrap().unwrap(), [ONE]);
        let both = of(&format!("recipients = [\"{ONE}\"]\n{named}")).unwrap_err().to_string();
        assert!(both.contains("exclude each other"), "{both}");
    }

    #[test]
    fn alerts_cannot_read_what_is_encrypted() {
        let mut config = Config::parse(&format!(
            "[[alerts]]\nname = \"out\"\nkinds = [\"paste\"]\nstdout = true\n[recording]\nrecipients = [\"{ONE}\"]\n"
        ));
        let config = config.as_mut().unwrap();
        config.data = "/nowhere".into();
        let error = config.settle().unwrap_err().to_string();
        assert!(error.contains("`alerts` and `recording.recipients` exclude each other"), "{error}");
    }

    #[test]
    fn what_is_no_recipient_is_refused_where_it_stands() {
        let error = of(&format!("recipients = [\"{ONE}\", \"alice\"]")).unwrap_err().to_string();
        assert_eq!(error, "`recording.recipients`, entry 2: not a public key: one begins with age1");
        let file = tempfile::NamedTempFile::new().unwrap();
        let named = format!("recipients_file = \"{}\"", file.path().display());
        let empty = of(&named).unwrap_err().to_string();
        assert!(empty.ends_with("line 1: there is no recipient"), "{empty}");
        let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
        std::fs::write(&file, format!("\n{secret}\n")).unwrap();
        let private = of(&named).unwrap_err().to_string();
        assert!(private.contains("line 2: a private key") && !private.contains(secret), "{private}");
        let absent = format!("{:#}", of("recipients_file = \"/nowhere/recipients\"").unwrap_err());
        assert!(absent.contains("/nowhere/recipients cannot be read"), "{absent}");
    }
}
