//! The portal: sign-in, the index of recordings, their API, and the pages.
//!
//! The index is a cache: what it says of a recording it has from the bundle in the vault, and [`Portal::rebuild_index`]
//! makes it anew. What people make in the portal (sign-ins, notes, saved filters) lies beside it, and stays. Who may see what is decided in `principal` alone.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod accounts;
mod audit;
mod bundle;
mod config;
mod cookies;
mod events;
mod export;
mod files;
mod filters;
mod guard;
mod hold;
mod index;
mod ingest;
mod intake;
mod lines;
mod notes;
mod oidc;
mod openapi;
mod origins;
mod pages;
mod playlists;
mod portal;
mod principal;
mod problem;
mod proof;
mod range;
mod readings;
mod recordings;
mod routes;
mod search;
mod secret;
mod sign_in;
mod tags;
#[cfg(test)]
mod tests;
mod throttle;
mod types;
mod viewings;
mod wire;

pub use accounts::{Account, AccountError, Accounts, HashError, Weak};
pub use audit::{Act, Audit, AuditError, Part, Way};
pub use bundle::BundleError;
pub use config::{LOCAL_ISSUER, PortalConfig};
pub use index::{Database, IndexError, Postgres};
pub use ingest::{IngestError, Rebuilt};
pub use oidc::{Concealed, GroupRule, ProviderConfig, ProviderError};
pub use openapi::openapi;
pub use origins::{OriginError, Origins};
pub use portal::{Portal, PortalError, Revoked};
pub use principal::{AuditorScope, Role, Roles};
pub use problem::Problem;
pub use readings::{TakeError, Unread};
pub use types::{
    Beginning, ByLink, ByPassword, Events, EventsFault, Filter, Filters, Go, Hit, Hits, Hold, Mark, Me, Note, Notes,
    ProviderWay, ReadState, Readings, RecordedEvent, RecordedStroke, RecordedWhat, Recording, RecordingPolicy,
    RecordingState, Recordings, SignIn, Snippet, Standing, Stood, Verdict, Ways,
};
