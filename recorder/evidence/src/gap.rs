//! The gaps of a record, gathered from its events for the seal.
use serde::{Deserialize, Serialize};

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

/// Adds a gap. When the list is full the last one is stretched over it: the seal then says that more time is lacking than
/// is, never less.
pub(crate) fn gather(gaps: &mut Vec<Gap>, gap: Gap) {
    if gaps.len() < MAX_GAPS {
        gaps.push(gap);
    } else if let Some(last) = gaps.last_mut() {
        last.from_us = last.from_us.min(gap.from_us);
        last.to_us = last.to_us.max(gap.to_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_stretches_its_last_gap_however_it_was_gathered() {
        let all: Vec<Gap> = (0..2500).map(|n| Gap { from_us: n * 10, to_us: n * 10 + 5 }).collect();
        let mut whole = Vec::new();
        all.iter().for_each(|gap| gather(&mut whole, *gap));
        assert_eq!(whole.len(), MAX_GAPS);
        assert_eq!(whole.last(), Some(&Gap { from_us: 9990, to_us: 24_995 }));
        let mut parts = Vec::new();
        for chunk in all.chunks(1200) {
            let mut part = Vec::new();
            chunk.iter().for_each(|gap| gather(&mut part, *gap));
            part.into_iter().for_each(|gap| gather(&mut parts, gap));
        }
        assert_eq!(parts, whole);
    }
}
