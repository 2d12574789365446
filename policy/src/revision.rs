//! The fingerprint of a set of policy files, the same in whatever order they were read.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::PolicyFile;

/// Hexadecimal digits of the hash that a revision shows.
const DIGITS: usize = 12;

/// `sha256:` and the first 12 hexadecimal digits of a hash over the files' names and contents, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

impl Revision {
    /// The revision of these files; of no files, that of the set that denies all.
    pub(crate) fn of(files: &[PolicyFile]) -> Self {
        let mut sorted: Vec<_> = files.iter().map(|file| (file.name.as_bytes(), file.text.as_bytes())).collect();
        sorted.sort_unstable();
        let mut hash = Sha256::new();
        for part in sorted.into_iter().flat_map(|(name, text)| [name, text]) {
            // Lengths go in too, so that no text can pass for the end of one file and the start of the next.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("sha256:{}", hex.get(..DIGITS).unwrap_or(&hex)))
    }

    /// The text, `sha256:` and 12 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
