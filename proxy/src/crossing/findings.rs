//! How often detectors found something in what was to cross, by their kind and by what came of it: for counters, in bounded labels.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_content::Known;
use portcullis_policy::{Detector, Effect};

/// The kinds of detectors: those that are built in by their names, and two for the policy's own.
const KINDS: usize = Known::ALL.len() + 2;
/// What may come of a finding.
const EFFECTS: [Effect; 3] = [Effect::Alert, Effect::Redact, Effect::Deny];

/// Counts of what was found since the gate started.
#[derive(Debug, Default)]
pub struct Findings([[AtomicU64; EFFECTS.len()]; KINDS]);

impl Findings {
    /// Counts what was found in one text or file, each detector once.
    pub(crate) fn count(&self, found: &[&Detector], effect: Effect) {
        let Some(effect) = EFFECTS.iter().position(|known| *known == effect) else { return };
        for detector in found {
            let counter = self.0.get(kind(detector)).and_then(|counters| counters.get(effect));
            counter.map(|counter| counter.fetch_add(1, Ordering::Relaxed));
        }
    }

    /// Every count: the kind of detector, what came of it, how often.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let names = Known::ALL.into_iter().map(Known::name).chain(["regex", "words"]);
        names.zip(&self.0).flat_map(|(name, counters)| {
            let counted = EFFECTS.iter().zip(counters);
            counted.map(move |(effect, counter)| (name, effect.name(), counter.load(Ordering::Relaxed)))
        })
    }
}

fn kind(detector: &Detector) -> usize {
    let known = Known::ALL.len();
    match detector {
        Detector::Known(name) => Known::ALL.iter().position(|one| one.name() == name.name()).unwrap_or(known),
        Detector::Pattern(_) => known,
        Detector::Words(_) => known.saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_counted_by_kind_and_effect() {
        let findings = Findings::default();
        let detectors = ["iban", "regex:a+", "regex:b+", "words:names.txt"].map(|text| text.parse().unwrap());
        findings.count(&detectors.iter().collect::<Vec<_>>(), Effect::Deny);
        findings.count(&[&detectors[0]], Effect::Alert);
        findings.count(&[&detectors[0]], Effect::Permit);
        let counted: Vec<_> = findings.counts().filter(|(_, _, count)| *count > 0).collect();
        assert_eq!(counted, [("iban", "alert", 1), ("iban", "deny", 1), ("regex", "deny", 2), ("words", "deny", 1)]);
        assert_eq!(findings.counts().count(), 36);
    }
}
