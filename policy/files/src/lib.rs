//! What a file is, what is in it, and whether it is what it says: from its bytes and its name alone.
//!
//! [`FileName`] is a name that cannot leave its folder. [`inspect`] reads a file once from its beginning, or by its own directory where it has one: its type by its bytes,
//! whether name and type agree, whether it is a second type too, what its members are, and what a [`Searcher`](portcullis_content::Searcher) finds in its texts. Memory does
//! not grow with the file. [`strip_metadata`] writes pictures anew without what cameras and programs add. `docs/file-rules.md` says what is recognised and what is not seen.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod archive;
mod bytes;
mod ends;
mod inspect;
mod kind;
mod leaf;
mod limits;
mod markup;
mod member;
mod name;
mod pdf;
mod polyglot;
mod refused;
mod search;
mod sniff;
mod strip;
mod text;

pub use inspect::{Inspection, inspect};
pub use kind::{Class, KINDS, Kind, OCTET_STREAM, kind};
pub use limits::{Limit, Limits};
pub use name::{FileName, MAX_NAME, NameRefused};
pub use refused::Refused;
pub use sniff::{HEAD, sniff};
pub use strip::{Stripped, strip_metadata};
