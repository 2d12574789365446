//! What is wrong with a policy file, where, and how to mend it.

use serde::Serialize;
use thiserror::Error;

/// One fault in one file: `contractors.yaml:7:3: unknown key `pase` …; did you mean `paste`?`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error, Serialize)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct PolicyError {
    /// The file's name as it was given.
    pub file: String,
    /// Line from 1.
    pub line: u32,
    /// Column from 1, in characters.
    pub column: u32,
    /// What is wrong and how to mend it.
    pub reason: String,
}
