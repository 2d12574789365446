//! Policy files and the pure decision over them: from (policies, subject, action) to a verdict that names the rule.
//!
//! [`PolicySet::parse`] turns files into a set or into every fault in them; [`PolicySet::decide`] answers one [`Request`];
//! [`PolicySet::obligations`] and [`PolicySet::limits`] say what else holds in a [`Situation`].
//! This package opens no file, reads no clock and keeps no state: the same set and request give the same [`Verdict`] for ever.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod action;
mod cases;
mod check;
mod decide;
mod diff;
mod error;
mod explain;
mod index;
mod language;
mod nearest;
mod obligations;
mod request;
mod revision;
mod set;
mod shown;
mod sought;
mod values;
mod verdict;

pub use action::{Action, ActionKind};
pub use cases::{CaseResult, Cases, MAX_CASES};
pub use check::{Doubt, Finding, Surroundings};
pub use diff::{Diff, Direction, EffectChange, PolicyChange, diff};
pub use error::PolicyError;
pub use explain::{Allowance, Considered, Explanation, Holds, Says, Step, Why};
pub use language::{Key, keys, schema};
pub use nearest::nearest;
pub use obligations::{
    DesktopRules, FileLimits, InputRules, Limits, Obligation, Obligations, RecordingRules, ScreenRules, SessionRules,
    Stated,
};
pub use request::{Contents, Request, Situation, Subject};
pub use revision::Revision;
pub use set::{Draft, MAX_ERRORS, MAX_FILE_BYTES, MAX_FILES, PolicyFile, PolicySet};
pub use sought::{MAX_LISTS, Sought, lists};
pub use values::{
    Archives, Chord, Clicks, Colour, Detector, Egress, Extension, Extent, Field, Filling, Glob, Home, Kept, KeyLog,
    Known, Layout, Lock, Mask, MaskedRecord, MediaPattern, Metadata, Mode, Network, Part, Pattern, Quarantine, Rate,
    Region, Scanner, ScreenText, Size, Span, Then, TypedPaste, Watermark, WordFile, Zone, read_instant,
};
pub use verdict::{Effect, Rule, Verdict};
