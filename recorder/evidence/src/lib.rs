//! The evidence format: what a session's record consists of, how it is written, sealed, and proved.
//!
//! A bundle is one folder per session: a manifest, events, video, a chain of signed links and a seal. The exact bytes are
//! described in `docs/evidence-format.md`; this package reads and writes them with `std::io` alone and reads no clock.
//!
//! INVARIANT: nothing here trusts a bundle. Every file is capped before it is read, every length before it is allocated.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod canonical;
mod digest;
mod disk;
mod event;
mod gap;
mod history;
mod jws;
mod key;
mod link;
mod manifest;
mod path;
mod playlist;
mod read;
mod report;
mod seal;
mod stamp;
mod stroke;
mod verify;
mod writer;

pub use canonical::CanonicalError;
pub use digest::{Digest, FileHash};
pub use disk::{Disk, Fate, Mishaps, Step};
pub use event::{Effect, Event, EventError, MAX_EVENT_BYTES, TYPES, What};
pub use gap::{Gap, MAX_GAPS};
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use link::{Link, MAX_FILES_PER_LINK};
pub use manifest::{Manifest, ManifestError, Mode};
pub use path::{MAX_INITS, MAX_LINKS, PathError, PathInBundle};
pub use report::{Fault, Kind, MAX_FAULTS, Report};
pub use seal::{Ending, Seal, State};
pub use stamp::{is_stamp, stamp};
pub use stroke::Stroke;
pub use verify::verify;
pub use writer::{BundleWriter, Left, ROOM_BYTES, Reopened, Sealed, Settings, WriteError};

/// The version of the format that this package writes: `v` in every event, manifest, link and seal.
pub const VERSION: u32 = 1;
