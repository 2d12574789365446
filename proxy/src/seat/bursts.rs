//! Presses that a rule looked at, gathered into one event for each burst of them.

use std::time::{Duration, Instant};

use portcullis_evidence::{Effect, What};
use portcullis_policy::Rule;

use super::inputs::{Kind, Remark};

/// A burst is over after this time without another press of its kind.
const QUIET: Duration = Duration::from_secs(1);
/// A burst that does not end is told of in parts of this length.
const LONGEST: Duration = Duration::from_secs(10);
/// Bursts at once, one for each rule; with one more the oldest is told of.
const MOST: usize = 8;

/// Bursts of a viewer that are not on the record yet.
#[derive(Debug, Default)]
pub(super) struct Bursts(Vec<Burst>);

#[derive(Debug)]
struct Burst {
    remark: Remark,
    effect: Effect,
    count: u32,
    first: Instant,
    last: Instant,
}

impl Bursts {
    /// Adds a press. Whether a burst begins with it, and what is on record now of one that had to make room.
    pub(super) fn add(&mut self, viewer: u32, remark: &Remark, effect: Effect, now: Instant) -> (bool, Option<Told>) {
        if let Some(burst) = self.0.iter_mut().find(|burst| burst.remark == *remark && burst.effect == effect) {
            burst.count = burst.count.saturating_add(1);
            burst.last = now;
            return (false, None);
        }
        let room = (self.0.len() == MOST).then(|| self.0.remove(0).told(viewer));
        self.0.push(Burst { remark: remark.clone(), effect, count: 1, first: now, last: now });
        (true, room)
    }

    /// How long until a burst is to be told of; none when there is none.
    pub(super) fn due(&self, now: Instant) -> Option<Duration> {
        self.0.iter().map(|burst| burst.over().saturating_duration_since(now)).min()
    }

    /// The events of bursts that are over, or of all at the end.
    pub(super) fn take(&mut self, viewer: u32, now: Instant, all: bool) -> Vec<Told> {
        self.0.extract_if(.., |burst| all || burst.over() <= now).map(|burst| burst.told(viewer)).collect()
    }
}

/// An event and the rule that it is under.
pub(super) type Told = (Rule, What);

impl Burst {
    fn over(&self) -> Instant {
        (self.last + QUIET).min(self.first + LONGEST)
    }

    fn told(self, viewer: u32) -> Told {
        let (kind, reason) = (self.remark.kind.name().to_owned(), self.remark.words(self.effect));
        (self.remark.rule, What::Input { viewer, effect: self.effect, kind, count: self.count, reason })
    }
}

impl Kind {
    /// The word of events and notices.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::TypedPaste => "typed_paste",
            Self::Chord => "chord",
        }
    }
}

impl Remark {
    /// What happened, for a person.
    pub(super) fn words(&self, effect: Effect) -> String {
        let fate = match effect {
            Effect::Permit => "passed, and are told of because policy asks for it",
            Effect::Deny => "did not reach the desktop",
        };
        match self.kind {
            Kind::Keys => format!("keys beyond {} {fate}", self.value),
            Kind::TypedPaste => format!("keys that came as only a program types them {fate}"),
            Kind::Chord => format!("{} is blocked; its last key did not reach the desktop", self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_policy::{PolicyFile, PolicySet, Situation, Subject};

    fn remark(kind: Kind, value: &str) -> Remark {
        let text = "policy: p\napplies: {}\nsession: {idle: 1m}\n".to_owned();
        let set = PolicySet::parse(&[PolicyFile { name: "p.yaml".into(), text }]).unwrap();
        let subject = Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() };
        let owed = set.obligations(&Situation::new(&subject, "desk"));
        Remark { kind, value: value.into(), rule: owed.session.idle.unwrap().rule }
    }

    #[test]
    fn a_burst_is_one_event_with_its_count() {
        let (mut bursts, start) = (Bursts::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let fast = remark(Kind::Keys, "40/s");
        assert_eq!(bursts.add(1, &fast, Effect::Deny, start), (true, None));
        for n in 1..380 {
            assert_eq!(bursts.add(1, &fast, Effect::Deny, at(n)), (false, None));
        }
        assert!(bursts.take(1, at(1000), false).is_empty());
        assert_eq!(bursts.due(at(1000)), Some(Duration::from_millis(379)));
        let told = bursts.take(1, at(1379), false);
        assert_eq!(told.len(), 1);
        let reason = "keys beyond 40/s did not reach the desktop".to_owned();
        assert_eq!(told[0].1, What::Input { viewer: 1, effect: Effect::Deny, kind: "keys".into(), count: 380, reason });
        assert_eq!(told[0].0.to_string(), "p.yaml:3 session.idle");
        assert_eq!(bursts.due(at(1379)), None);
    }

    #[test]
    fn bursts_that_do_not_end_are_told_of_all_the_same() {
        let (mut bursts, start) = (Bursts::default(), Instant::now());
        let fast = remark(Kind::TypedPaste, "stop");
        let told: usize = (0..30_000_u64)
            .map(|ms| {
                let now = start + Duration::from_millis(ms);
                bursts.add(1, &fast, Effect::Deny, now);
                bursts.take(1, now, false).len()
            })
            .sum();
        assert_eq!(told, 2);
        assert_eq!(bursts.take(1, start, true).len(), 1);
    }

    #[test]
    fn many_kinds_at_once_stay_bounded() {
        let (mut bursts, now) = (Bursts::default(), Instant::now());
        let told = (0..20).filter_map(|n| bursts.add(1, &remark(Kind::Chord, &format!("F{n}")), Effect::Deny, now).1);
        assert_eq!(told.count(), 12);
    }
}
