//! The session plane: between a browser and a desktop there are only typed values, judged by policy and recorded before they are shown.
//!
//! Read [`session`] first: it tells the story of a session in the order in which it happens.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

pub mod api;
pub mod bounds;
mod crossing;
pub mod egress;
pub mod enforced;
pub mod files;
mod greeting;
mod held;
pub mod identity;
pub mod journal;
mod keeping;
mod link;
mod opening;
pub mod outcome;
mod pace;
pub mod permit;
pub mod plane;
pub mod refusal;
pub mod runtime;
mod seat;
pub mod session;
mod tally;
mod tether;
pub mod ticket;
pub mod token;
mod veil;
mod viewer;

pub use bounds::Bounds;
pub use crossing::Findings;
pub use enforced::Enforced;
pub use greeting::knock;
pub use identity::{Caller, Identify};
pub use journal::Journal;
pub use outcome::Outcome;
pub use pace::Rate;
pub use permit::{Permit, SessionId};
pub use plane::{Aftermath, Plane, PlaneConfig};
pub use refusal::Refusal;
pub use session::Session;
pub use tally::{Count, Tally};
