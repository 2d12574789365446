//! From the screen to video to evidence: what was shown is on the record before it is shown.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod ahead;
mod bundle;
mod clock;
mod cmaf;
mod compact;
mod config;
mod convert;
mod encoder;
mod error;
mod failure;
mod film;
mod handover;
mod keeping;
mod keys;
mod number;
mod picture;
mod reading;
mod recording;
mod recover;
mod segment;
mod spool;
mod tending;
mod upload;
mod worker;

pub use ahead::Ahead;
pub use compact::{Codec, CompactError, CompactSettings, Compacted, compact};
pub use config::{Config, Encrypting, MIN_RING_BYTES, RING_BYTES};
pub use encoder::EncoderError;
pub use error::RecordError;
pub use handover::HandOverError;
pub use keys::check as check_keys;
pub use portcullis_evidence::Sealed;
pub use reading::{ReadError, ReadText, Reader, ReaderError, ReaderSettings, Work, read_text, thumbnail};
pub use recording::Recording;
pub use recover::{Recovered, recover, recover_those};
