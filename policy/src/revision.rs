//! What names a set of policy files: their fingerprint, the same in whatever order they were read, or the commit that they come from.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::PolicyFile;

/// Hexadecimal digits of the hash that a revision shows.
const DIGITS: usize = 12;

/// `sha256:` and the first 12 hexadecimal digits of a hash over the files' names and contents, sorted by name; or the full name of a commit,
/// 40 or 64 hexadecimal digits.
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

    /// The revision of files that come from a commit; nothing if this is no full name of one.
    pub fn of_commit(name: &str) -> Option<Self> {
        let hex = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hex && matches!(name.len(), 40 | 64)).then(|| Self(name.to_owned()))
    }

    /// The text: `sha256:` and 12 hexadecimal digits, or a commit.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
