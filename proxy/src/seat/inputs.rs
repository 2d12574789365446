//! What policy's `input` asks of all viewers of a session together: chords, how fast keys come, and who types them; time is handed in.
//!
//! INVARIANT: it is one for the session, not for the viewer: a chord that two viewers strike together is struck.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use portcullis_policy::{Chord, InputRules, Rule, Stated, TypedPaste};
use portcullis_rfb::Key;

use super::keysym::{Modifiers, is_modifier, is_struck};
use super::typing::Typing;
use crate::held::is_same;
use crate::pace::{Pace, Rate};

/// Keys that are remembered as down; beyond that the oldest is forgotten. A desktop is let go of the oldest of fewer.
const MOST_HELD: usize = 64;
/// Presses that may come at once whatever the rate: what a person rolls, and what a network holds back of it.
const ROLLED: u32 = 20;
/// The longest that keys wait in all for a rate that is exceeded; those behind are refused.
const PATIENCE: Duration = Duration::from_millis(300);
/// A rate that was not exceeded for so long is waited for anew.
const RUN: Duration = Duration::from_secs(1);

/// Keys of all viewers, and the rules that they are under.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    chords: Vec<Stated<Chord>>,
    typed_paste: Option<Stated<TypedPaste>>,
    keys: Option<Keys>,
    pointer: Option<(portcullis_policy::Rate, Pace)>,
    typing: Typing,
    held: VecDeque<(u32, Key)>,
    refused: VecDeque<(u32, Key)>,
}

/// What a key is that a viewer lets go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetGo {
    /// Its press passed.
    Held,
    /// Its press was refused: the desktop knows nothing of it.
    Refused,
    /// No press of it is known.
    Stray,
}

/// What becomes of a press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ruling {
    /// How long it waits; refused where there is none.
    pub(super) wait: Option<Duration>,
    /// Whether the key was up: what a keyboard repeats by itself is nobody's doing.
    pub(super) fresh: bool,
    /// Whether a rate of policy's was counted, which is then the only one.
    pub(super) counted: bool,
    /// What is to be said of it, if anything.
    pub(super) remark: Option<Remark>,
}

/// What a rule has to say of a press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) kind: Kind,
    /// The rule's own value, as policy writes it.
    pub(super) value: String,
    pub(super) rule: Rule,
}

/// Which rule looked at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Keys,
    TypedPaste,
    Chord,
}

/// Policy's rate of keys.
#[derive(Debug)]
struct Keys {
    stated: Stated<portcullis_policy::Rate>,
    pace: Pace,
    waited: Duration,
    exceeded: Option<Instant>,
}

impl Keys {
    fn new(stated: Stated<portcullis_policy::Rate>, most: Rate) -> Self {
        let interval = interval(stated.value).max(Duration::from_secs(1) / most.per_second.max(1));
        let second = Duration::from_secs(1).as_nanos().checked_div(interval.as_nanos()).unwrap_or(1);
        let burst = u32::try_from(second).unwrap_or(u32::MAX).clamp(ROLLED, most.burst.max(ROLLED));
        Self { stated, pace: Pace::every(interval, burst), waited: Duration::ZERO, exceeded: None }
    }

    /// How long a press waits; none when it is refused. A rate that is exceeded for longer than a moment is not waited for: what is typed
    /// by a program would else come through in the end, with its viewer waiting for minutes.
    fn take(&mut self, now: Instant) -> Option<Duration> {
        let wait = self.pace.wait(now);
        if wait.is_zero() {
            if self.exceeded.is_none_or(|at| now.saturating_duration_since(at) > RUN) {
                self.waited = Duration::ZERO;
            }
        } else {
            self.exceeded = Some(now);
            if self.waited + wait > PATIENCE {
                return None;
            }
            self.waited += wait;
        }
        self.pace.take(now);
        Some(wait)
    }
}

impl Inputs {
    /// Follows the rules of this moment, within the gate's own bounds. What was counted under a rule that stays is kept.
    pub(super) fn follow(&mut self, rules: &InputRules, keys: Rate) {
        self.chords.clone_from(&rules.blocked_chords);
        self.typed_paste.clone_from(&rules.typed_paste);
        match &rules.keys {
            None => self.keys = None,
            Some(stated) => match &mut self.keys {
                Some(known) if known.stated.value == stated.value => known.stated.clone_from(stated),
                _ => self.keys = Some(Keys::new(stated.clone(), keys)),
            },
        }
        match rules.pointer.as_ref().map(|stated| stated.value) {
            None => self.pointer = None,
            Some(rate) if self.pointer.as_ref().is_some_and(|(known, _)| *known == rate) => {}
            Some(rate) => self.pointer = Some((rate, Pace::every(interval(rate), 2))),
        }
    }

    /// Judges a press of a viewer; `scancodes` says whether the desktop hears those. A press that may pass counts as down from here on.
    pub(super) fn press(&mut self, viewer: u32, key: Key, scancodes: bool, now: Instant) -> Ruling {
        let fresh = !self.holds(viewer, &key);
        match self.judge(key, fresh, scancodes, now) {
            Ok((wait, remark)) => {
                self.refused.retain(|entry| !its(entry, viewer, &key));
                if fresh {
                    remember(&mut self.held, viewer, key);
                }
                Ruling { wait: Some(wait), fresh, counted: self.keys.is_some(), remark }
            }
            Err(remark) => {
                if fresh && !self.refused.iter().any(|entry| its(entry, viewer, &key)) {
                    remember(&mut self.refused, viewer, key);
                }
                Ruling { wait: None, fresh, counted: true, remark: Some(remark) }
            }
        }
    }

    /// How long a press waits, and what is to be said of it; or why it is refused.
    fn judge(
        &mut self,
        key: Key,
        fresh: bool,
        scancodes: bool,
        now: Instant,
    ) -> Result<(Duration, Option<Remark>), Remark> {
        if let Some(chord) = self.forms(&key, scancodes) {
            return Err(remark(Kind::Chord, chord));
        }
        let programmed = fresh && !is_modifier(key.keysym) && self.typing.pressed(key.keysym, now);
        let looked = self.typed_paste.as_ref().filter(|stated| programmed && stated.value != TypedPaste::Allow);
        let looked = looked.map(|stated| (stated.value, remark(Kind::TypedPaste, stated)));
        if let Some((TypedPaste::Stop, remark)) = looked {
            return Err(remark);
        }
        let mut wait = Duration::ZERO;
        if let Some(keys) = &mut self.keys {
            wait = keys.take(now).ok_or_else(|| remark(Kind::Keys, &keys.stated))?;
        }
        Ok((wait, looked.map(|(_, remark)| remark)))
    }

    /// Whether a viewer's press of this key passed and it is still down.
    pub(super) fn holds(&self, viewer: u32, key: &Key) -> bool {
        self.held.iter().any(|entry| its(entry, viewer, key))
    }

    /// A viewer lets go of a key.
    pub(super) fn release(&mut self, viewer: u32, key: &Key) -> LetGo {
        let others = |entry: &(u32, Key)| !its(entry, viewer, key);
        let (held, refused) = (self.held.len(), self.refused.len());
        self.held.retain(others);
        self.refused.retain(others);
        match () {
            () if self.held.len() < held => LetGo::Held,
            () if self.refused.len() < refused => LetGo::Refused,
            () => LetGo::Stray,
        }
    }

    /// The keys that a viewer has down, which are then no longer.
    pub(crate) fn let_go(&mut self, viewer: u32) -> Vec<Key> {
        let (its, others): (VecDeque<_>, VecDeque<_>) = self.held.drain(..).partition(|(whose, _)| *whose == viewer);
        self.held = others;
        self.refused.retain(|(whose, _)| *whose != viewer);
        its.into_iter().map(|(_, key)| Key { down: false, ..key }).collect()
    }

    /// How long the pointer rests because of policy.
    pub(super) fn pointer_wait(&self, now: Instant) -> Duration {
        self.pointer.as_ref().map_or(Duration::ZERO, |(_, pace)| pace.wait(now))
    }

    /// The pointer is passed on.
    pub(super) fn pointer_take(&mut self, now: Instant) {
        if let Some((_, pace)) = &mut self.pointer {
            pace.take(now);
        }
    }

    /// The blocked chord that would be struck with this key, whichever of its keys comes last. More keys that are held are no way around.
    fn forms(&self, key: &Key, scancodes: bool) -> Option<&Stated<Chord>> {
        if self.chords.is_empty() {
            return None;
        }
        let pressed = Modifiers::of(key, scancodes);
        let held = self.held.iter().fold(pressed, |all, (_, held)| all.and(Modifiers::of(held, scancodes)));
        self.chords.iter().find(|Stated { value: chord, .. }| {
            let (modifiers, struck) =
                (Modifiers::of_chord(chord), |key: &Key| is_struck(key, chord.keysym(), scancodes));
            held.hold(modifiers)
                && (struck(key) || pressed.share(modifiers) && self.held.iter().any(|(_, held)| struck(held)))
        })
    }
}

/// Whether an entry is this viewer's, of this key.
fn its((whose, known): &(u32, Key), viewer: u32, key: &Key) -> bool {
    *whose == viewer && is_same(known, key)
}

/// Keeps a key in mind; of too many the oldest is forgotten.
fn remember(keys: &mut VecDeque<(u32, Key)>, viewer: u32, key: Key) {
    if keys.len() == MOST_HELD {
        keys.pop_front();
    }
    keys.push_back((viewer, key));
}

fn interval(rate: portcullis_policy::Rate) -> Duration {
    Duration::from_secs(u64::from(rate.seconds())) / rate.count().max(1)
}

fn remark<T: std::fmt::Display>(kind: Kind, stated: &Stated<T>) -> Remark {
    Remark { kind, value: stated.value.to_string(), rule: stated.rule.clone() }
}

#[cfg(test)]
mod tests;
