//! The gaps of a record, gathered from its events for the seal.
use serde::{Deserialize, Serialize};

use crate::event::What;

/// The most gaps that a seal lists.
pub const MAX_GAPS: usize = 1000;

/// A stretch of time that the record lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Where it begins, microseconds since the session's start.
    pub from_us: u64,
    /// Where it ends.
    pub to_us: u64,
}

/// Adds the gap of an event, if it is one. When the list is full the last gap is stretched over the new one:
/// the seal then says more time is lacking than is, never less.
pub(crate) fn gather(gaps: &mut Vec<Gap>, what: &What) {
    let What::Gap { from_us, to_us, .. } = *what else {
        return;
    };
    if gaps.len() < MAX_GAPS {
        gaps.push(Gap { from_us, to_us });
    } else if let Some(last) = gaps.last_mut() {
        last.from_us = last.from_us.min(from_us);
        last.to_us = last.to_us.max(to_us);
    }
}
