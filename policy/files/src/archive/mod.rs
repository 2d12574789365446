//! Archives that are looked into: zip, tar and gzip.

mod directory;
pub(crate) mod gzip;
mod office;
pub(crate) mod tar;
pub(crate) mod zip;
