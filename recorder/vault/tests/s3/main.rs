//! The S3 vault against real servers, and against one that breaks its word on demand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

#[path = "../bundle/mod.rs"]
mod bundle;
mod checksums;
mod fake;
mod faults;
#[cfg(feature = "long")]
mod garage;
mod keeping;
mod locks;
mod place;
mod radosgw;
