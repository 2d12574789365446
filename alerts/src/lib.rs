//! Events that leave the gate: each one of a chosen kind, once it is on the record, to webhooks, to syslog and to standard output.
//!
//! The record itself is the queue. Each destination has a courier of its own, which follows the events files of sessions (in the spool, later
//! in the vault) and the gate's journal, with a mark per file that says how far it is. Sessions know nothing of it.
//!
//! INVARIANT: what is delivered is durable on the record first, and a mark moves only behind what was taken, refused or said to be dropped.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod backoff;
mod choice;
mod courier;
mod destination;
mod entry;
mod exports;
mod follow;
mod letters;
mod marks;
mod rfc5424;
mod sink;
mod stdout;
mod syslog;
mod tally;
mod tls;
mod webhook;

pub use choice::{Choice, ChoiceError};
pub use destination::{Destination, DestinationError, Syslog, To, Webhook};
pub use entry::Entry;
pub use exports::Exports;
pub use follow::Places;
pub use rfc5424::Facility;
pub use sink::{Answer, Sink};
pub use tally::Standing;
