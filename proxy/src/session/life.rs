//! How long a session lasts: what ends it by policy or configuration, when its viewers are warned, and what they are told beside pixels.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use portcullis_policy::{Action, Effect, Obligations, Rule, Stated};
use time::OffsetDateTime;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};

use super::judged::LOOK_AGAIN;
use super::{Notice, Session};
use crate::outcome::{Limit, Outcome};

/// Before a session's end its viewers are told so much earlier, where no policy says.
const WARNING: Duration = Duration::from_secs(60);
/// Refusals that may wait for a page; one that is slower misses the oldest.
const REFUSALS: usize = 16;
/// Pages that may listen to one session at once.
const LISTENERS: u32 = 16;
/// Changes of hours that are looked through for one that ends the session.
const MOST_HOURS: usize = 16;

/// An end that is near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coming {
    /// When.
    pub(crate) at: OffsetDateTime,
    /// `longest`, `idle`, `until` or `hours`.
    pub(crate) why: &'static str,
    /// The rule, as printed in events; empty where the token says so.
    pub(crate) rule: String,
}

/// Something that was refused, for the person.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// `keys`, `typed_paste`, `chord`, `paste`, `copy`, `paste_redacted` or `copy_redacted`.
    pub(crate) what: &'static str,
    /// Words for the person.
    pub(crate) why: String,
    /// The rule, as printed in events.
    pub(crate) rule: String,
}

/// The part of a session that knows how long it lasts.
#[derive(Debug)]
pub(crate) struct Life {
    born: Instant,
    rules: watch::Sender<Arc<Obligations>>,
    input: watch::Sender<Instant>,
    coming: watch::Sender<Option<Coming>>,
    refused: broadcast::Sender<Refused>,
    listeners: AtomicU32,
}

impl Life {
    pub(super) fn new(rules: Obligations) -> Self {
        let born = Instant::now();
        Self {
            born,
            rules: watch::Sender::new(Arc::new(rules)),
            input: watch::Sender::new(born),
            coming: watch::Sender::new(None),
            refused: broadcast::Sender::new(REFUSALS),
            listeners: AtomicU32::new(0),
        }
    }

    /// Somebody did something: the session is not idle.
    pub(crate) fn stir(&self) {
        self.input.send_replace(Instant::now());
    }

    /// What the session owes by the policy of this moment, and each time that changes.
    pub(crate) fn rules(&self) -> watch::Receiver<Arc<Obligations>> {
        self.rules.subscribe()
    }

    pub(super) fn follow(&self, rules: Obligations) {
        self.rules.send_if_modified(|known| {
            let changed = **known != rules;
            if changed {
                *known = Arc::new(rules);
            }
            changed
        });
    }

    /// Tells the person of a refusal.
    pub(crate) fn refuse(&self, refused: Refused) {
        // Nobody listening is no error.
        let _ = self.refused.send(refused);
    }

    /// The end that is near, and each time that changes.
    pub(crate) fn coming(&self) -> watch::Receiver<Option<Coming>> {
        self.coming.subscribe()
    }

    /// Refusals from now on.
    pub(crate) fn refusals(&self) -> broadcast::Receiver<Refused> {
        self.refused.subscribe()
    }

    /// Counts a listener in; false when there are as many as there may be.
    pub(crate) fn listen(&self) -> bool {
        let room = |count| (count < LISTENERS).then_some(count + 1);
        self.listeners.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    /// Counts a listener out.
    pub(crate) fn deafen(&self) {
        self.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One way in which the session will end if nothing changes.
struct End {
    at: Instant,
    /// When viewers are told; never where nobody is there to be.
    warn: Option<Instant>,
    why: &'static str,
    rule: String,
    /// None where another watch ends it.
    outcome: Option<Outcome>,
}

impl Session {
    /// Resolves when the session has lasted as long as it may; warns its viewers before. `reconnect` is the configuration's.
    pub(super) async fn wait_over(&self, reconnect: Duration) -> Outcome {
        let (mut rules, mut input) = (self.life.rules.subscribe(), self.life.input.subscribe());
        let mut seated = self.seated();
        // A desktop that took its time to start is not held against anybody.
        self.life.stir();
        let mut alone = None;
        loop {
            let now = Instant::now();
            alone = if seated.borrow_and_update().is_empty() { alone.or(Some(now)) } else { None };
            input.borrow_and_update();
            let owed = Arc::clone(&rules.borrow_and_update());
            let mut ends = self.ends(&owed, alone, reconnect, now);
            ends.sort_by_key(|end| end.at);
            let over = ends.iter_mut().filter(|end| end.at <= now).find_map(|end| end.outcome.take());
            if let Some(outcome) = over {
                return outcome;
            }
            let warned = ends.iter().find(|end| end.warn.is_some_and(|warn| warn <= now));
            self.warn(warned, now);
            let idle = warned.is_some_and(|end| end.why == "idle");
            let next = ends.iter().flat_map(|end| end.warn.filter(|warn| *warn > now).into_iter().chain([end.at]));
            let next = next.filter(|at| *at > now).min().unwrap_or(now + LOOK_AGAIN).min(now + LOOK_AGAIN);
            tokio::select! {
                () = sleep_until(next) => {}
                Ok(()) = rules.changed() => {}
                Ok(()) = seated.changed() => {}
                Ok(()) = input.changed(), if idle => {}
            }
        }
    }

    /// Tells viewers of an end that is near, or that it is not any more.
    fn warn(&self, end: Option<&End>, now: Instant) {
        let coming = end.map(|end| Coming {
            at: OffsetDateTime::now_utc() + end.at.saturating_duration_since(now),
            why: end.why,
            rule: end.rule.clone(),
        });
        let alike = |one: &Coming, other: &Coming| {
            one.why == other.why && one.rule == other.rule && (one.at - other.at).abs() < time::Duration::SECOND
        };
        let begins = self.life.coming.send_if_modified(|known| match (&*known, &coming) {
            (None, None) => false,
            (Some(one), Some(other)) if alike(one, other) => false,
            _ => {
                known.clone_from(&coming);
                true
            }
        });
        if begins && coming.is_some() {
            // A viewer without the page has no other way to hear of it.
            let _ = self.notices.send(Notice::Bell);
        }
    }

    /// All ends that are known now.
    fn ends(&self, owed: &Obligations, alone: Option<Instant>, reconnect: Duration, now: Instant) -> Vec<End> {
        let rules = &owed.session;
        let stated = rules.warning.as_ref().map(|stated| stated.value.duration());
        let warning = stated.unwrap_or(WARNING);
        let mut ends = Vec::new();
        if let Some(Stated { value, rule }) = &rules.longest {
            let (span, at) = (value.duration(), self.life.born + value.duration());
            let warn = Some(at - stated.unwrap_or(warning.min(span / 2)).min(span));
            let reason = format!("the session has lasted {value}, the longest that it may");
            ends.push(End { at, warn, ..limited(Limit::Longest, rule, reason) });
        }
        if let Some(Stated { value, rule }) = &rules.idle {
            let (span, at) = (value.duration(), *self.life.input.borrow() + value.duration());
            // Who works is not to be told all the time.
            let warn = Some(at - warning.min(span / 2));
            ends.push(End { at, warn, ..limited(Limit::Idle, rule, format!("nobody did anything for {value}")) });
        }
        if let Some(alone) = alone {
            let policy = rules.reconnect.as_ref().filter(|stated| stated.value.duration() <= reconnect);
            ends.push(match policy {
                Some(Stated { value, rule }) => {
                    let reason = format!("no viewer was connected for {value}");
                    End { at: alone + value.duration(), ..limited(Limit::Reconnect, rule, reason) }
                }
                None => End { at: alone + reconnect, ..ending("reconnect", String::new(), Some(Outcome::Abandoned)) },
            });
        }
        ends.extend(self.end_of_hours(warning, now));
        if let Some(until) = self.permit.until {
            let left = OffsetDateTime::from_unix_timestamp(until).map(|until| until - OffsetDateTime::now_utc());
            // A time before now is negative, one beyond the calendar is no end.
            let Ok(left) = left.map(|left| Duration::try_from(left).unwrap_or_default()) else { return ends };
            let at = now + left;
            let end = ending("until", String::new(), Some(Outcome::TimeUp));
            ends.push(End { at, warn: at.checked_sub(warning), ..end });
        }
        ends
    }

    /// The end of the hours that permit the session, if it is nearer than the warning; [`Session::wait_refused`] is what ends it.
    fn end_of_hours(&self, warning: Duration, now: Instant) -> Option<End> {
        let policies = self.policies.borrow().clone();
        let today = SystemTime::now();
        let mut at = today;
        for _ in 0..MOST_HOURS {
            at = policies.next_change(&self.situation().at(at)).filter(|at| *at <= today + warning)?;
            let situation = self.situation().at(at);
            let verdicts = [Action::Open, Action::Watch].map(|action| policies.decide(&situation.wants(action)));
            if let Some(denied) = verdicts.into_iter().find(|verdict| verdict.effect == Effect::Deny) {
                let left = at.duration_since(today).unwrap_or_default();
                return Some(End { at: now + left, warn: Some(now), ..ending("hours", denied.rule.to_string(), None) });
            }
        }
        None
    }
}

fn limited(limit: Limit, rule: &Rule, reason: String) -> End {
    let rule = rule.to_string();
    ending(limit.label(), rule.clone(), Some(Outcome::Limited { limit, rule, reason }))
}

fn ending(why: &'static str, rule: String, outcome: Option<Outcome>) -> End {
    End { at: Instant::now(), warn: None, why, rule, outcome }
}
