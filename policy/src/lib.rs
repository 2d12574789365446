//! Policy files and the pure decision over them: from (policies, subject, action) to a verdict that names the rule.
//!
//! [`PolicySet::parse`] turns files into a set or into every fault in them; [`PolicySet::decide`] answers one [`Request`].
//! This package opens no file, reads no clock and keeps no state: the same set and request give the same [`Verdict`] for ever.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod decide;
mod error;
mod language;
mod obligations;
mod request;
mod revision;
mod set;
mod shown;
mod verdict;

pub use error::PolicyError;
pub use obligations::{Mode, Obligations, Recording};
pub use request::{Action, ActionKind, Request, Subject};
pub use revision::Revision;
pub use set::{MAX_ERRORS, MAX_FILE_BYTES, MAX_FILES, PolicyFile, PolicySet};
pub use verdict::{Effect, Rule, Verdict};
