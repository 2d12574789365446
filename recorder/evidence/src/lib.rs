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

mod age;
mod canonical;
mod contents;
mod cover;
mod decrypted;
mod derivation;
mod digest;
mod disk;
mod event;
mod gap;
mod history;
mod hold;
mod jws;
mod keep;
mod key;
mod key_list;
mod link;
mod listing;
mod manifest;
mod path;
mod playlist;
mod read;
mod reading;
mod report;
mod seal;
mod source;
mod stamp;
mod stroke;
mod time_stamp;
mod tombstone;
mod trust;
mod verdict;
mod verify;
mod writer;

pub use age::{
    AgeError, AgeKeyError, AgeWriter, Identities, MAX_AGE_TEXT_BYTES, MAX_IDENTITIES, MAX_RECIPIENTS, Recipients,
};
pub use canonical::CanonicalError;
pub use contents::{ContentsError, MAX_KEPT_BYTES, kept};
pub use cover::{COVER_BYTES, Cover, CoverKey, CoveredLog, SALT_BYTES};
pub use decrypted::Decrypted;
pub use derivation::{Derivation, DerivationError};
pub use digest::{Digest, FileHash, PlainHash};
pub use disk::{Disk, Fate, Mishaps, Step};
pub use event::{Effect, Event, EventError, MAX_CONTENTS, MAX_EVENT_BYTES, TYPES, What};
pub use gap::{Gap, MAX_GAPS};
pub use hold::{Hold, HoldError, MAX_HOLD_BYTES, MAX_HOLDS};
pub use keep::{Keep, KeepLock, KeepTerms, MAX_KEEP_SECONDS};
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use key_list::{KeyList, KeyListError, ListedKey, MAX_KEY_LIST_BYTES, MAX_KEYS};
pub use link::{Link, MAX_FILES_PER_LINK};
pub use listing::{Listing, ListingError};
pub use manifest::{Manifest, ManifestError, Mode, TextTerms};
pub use path::{MAX_INITS, MAX_LINKS, PathError, PathInBundle};
pub use reading::{
    MAX_READING_BYTES, MAX_TEXT_BYTES, MAX_TEXT_LINES, MAX_THUMBNAIL_BYTES, Reading, ReadingError, ReadingKind,
    ScreenLine,
};
pub use report::{Contents, DerivedReport, Fault, Kind, MAX_FAULTS, ReplacedReport, Report, StampedReport};
pub use seal::{Ending, Seal, SealError, State};
pub use source::{BundleFolder, Entry, Opened, Source};
pub use stamp::{is_stamp, parse as parse_stamp, stamp};
pub use stroke::Stroke;
pub use time_stamp::{Authorities, MAX_TIME_STAMP_BYTES, TimeStamp, TimeStampError, time_stamp_request};
pub use tombstone::{Buried, MAX_TOMBSTONE_BYTES, Replacement, Tombstone, TombstoneError};
pub use trust::Trust;
pub use verdict::{COULD_NOT_LOOK, Verdict};
pub use verify::{verify, verify_at};
pub use writer::{BundleWriter, Encryption, Left, ROOM_BYTES, Reopened, Sealed, Settings, WriteError};

/// The version of the format that this package writes: `v` in every event, manifest, link and seal.
pub const VERSION: u32 = 1;
