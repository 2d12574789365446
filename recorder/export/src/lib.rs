//! What is taken out of a record: one film that any player plays, or one zip that a stranger can check.
//!
//! A bundle is read through [`portcullis_evidence::Source`] and written as it is read: memory grows with the number of pictures
//! and files, never with their bytes. Nothing is encoded again, and nothing here reads a clock.
//!
//! INVARIANT: what is exported is what was listed. A file whose length or hash is not its link's ends an export of a bundle that
//! verified; see [`Standing`].
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod blank;
mod boxes;
mod checked;
mod cues;
mod error;
mod film;
mod fragments;
mod init;
mod moov;
mod package;
mod reel;
mod subtitles;
mod tags;
mod track;
mod words;
mod zip;

pub use boxes::Boxes;
pub use error::ExportError;
pub use film::{Film, Standing};
pub use fragments::{Fragments, Sample};
pub use init::{Init, MAX_INIT_BYTES};
pub use package::{Package, PublicKey};
pub use subtitles::Subtitles;

/// A length in memory as one in a file; `usize` has at most 64 bits wherever this is built.
pub(crate) fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
