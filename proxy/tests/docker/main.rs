//! The `docker` runtime and the pool against a real Engine and the image of images/terminal.
//!
//! `./test` starts an Engine and builds the image before this runs; `./test --fast` leaves this out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod engine;
mod homes;
mod hostile;
mod pool;
mod restart;
mod runtime;
mod transfer;
