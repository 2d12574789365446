//! Texts that cross between the desktop and its viewers, or are stopped; what events say of one: its length, its hash, the verdict.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portcullis_evidence::{Effect as Verdicted, What};
use portcullis_policy::{Action, ActionKind, Effect, Verdict};
use portcullis_rfb::clipboard::{Delivery, Event, Text};
use portcullis_rfb::desktop::Connection;
use sha2::{Digest, Sha256};

use crate::outcome::Outcome;
use crate::pace::{Pace, Rate};
use crate::session::{Notice, Refused, Session};

/// Why a text over the gate's own limit does not cross, whatever policy says.
pub(crate) const TOO_LONG: &str = "the text is over the gate's limit for one clipboard message";

/// How often a peer's clipboard is listened to. Texts that were asked for come in their own time: those of a burst may come at once.
pub(crate) struct Paces {
    /// Texts that the peer announces.
    pub(crate) offers: Pace,
    /// Texts that it sends.
    pub(crate) texts: Pace,
    /// Requests for the other side's text.
    pub(crate) requests: Pace,
}

impl Paces {
    pub(crate) fn new(rate: Rate) -> Self {
        let once = Rate { burst: rate.per_second, ..rate };
        Self { offers: once.pace(), texts: rate.pace(), requests: once.pace() }
    }
}

/// What policy's `per_minute` has left of texts, each way; one for all viewers of a session.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    paste: Quota,
    copy: Quota,
}

/// Texts that may cross in a minute, and so many at once.
#[derive(Debug, Default)]
struct Quota(Option<(u32, Pace)>);

impl Quota {
    /// Whether one more may cross, which is then counted if it does.
    fn allows(&mut self, per_minute: u32, crosses: bool, now: Instant) -> bool {
        if self.0.as_ref().is_none_or(|(known, _)| *known != per_minute) {
            self.0 = Some((per_minute, Pace::every(Duration::from_secs(60) / per_minute.max(1), per_minute)));
        }
        let Some((_, pace)) = &mut self.0 else { return false };
        if crosses { pace.try_take(now) } else { pace.wait(now).is_zero() }
    }
}

impl Session {
    /// Decides a text that is announced, or that crosses if it is permitted: as policy says, and as often as it says.
    pub(crate) fn judge_text(&self, action: Action, crosses: bool) -> Verdict {
        let (policy, situation, kind) = (self.policy(), self.situation(), action.kind());
        let verdict = policy.decide(&situation.wants(action));
        let stated = policy.limits(&situation, kind).per_minute;
        let Some(stated) = stated.filter(|_| verdict.effect == Effect::Permit) else { return verdict };
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = if kind == ActionKind::Paste { &mut quotas.paste } else { &mut quotas.copy };
        if quota.allows(stated.value, crosses, Instant::now()) {
            return verdict;
        }
        let why = format!("{kind} happens more often than the {} times a minute that are allowed", stated.value);
        self.life.refuse(Refused { what: kind.name(), why: why.clone(), rule: stated.rule.to_string() });
        Verdict { effect: Effect::Deny, rule: stated.rule, reason: why, ..verdict }
    }

    /// Acts on what the desktop did with its clipboard.
    ///
    /// # Errors
    /// [`Outcome::RecordingFailed`]: what cannot be recorded does not cross.
    pub(crate) fn hear_clipboard(&self, rfb: &mut Connection, event: Event) -> Result<(), Outcome> {
        match event {
            Event::Offered => self.copy_offered(rfb),
            Event::Text(text) => self.copied(text),
            Event::TooLong { bytes } => self.not_copied(bytes, TOO_LONG.to_owned()),
            Event::Unreadable(why) => self.not_copied(0, format!("the copied text cannot be read: {why}")),
            Event::Asked => self.paste_asked(rfb),
        }
    }

    /// Hands a permitted and recorded paste to the desktop. What it cannot take is an event of its own.
    pub(crate) fn paste(&self, rfb: &mut Connection, text: &Text) {
        if let Some(loss) = loss(rfb.cut_text(text), "paste", "the desktop") {
            // A record that fails here ends the session by its own watch.
            let _ = self.note(loss);
        }
    }

    /// The desktop has a text: it is asked for only if copying is permitted at all.
    fn copy_offered(&self, rfb: &mut Connection) -> Result<(), Outcome> {
        if !self.paces().offers.try_take(Instant::now()) {
            return Ok(());
        }
        let verdict = self.judge_text(Action::Copy { bytes: 0 }, false);
        if verdict.effect == Effect::Permit {
            // One that leaves too many requests unanswered is not asked.
            rfb.request_cut_text();
            return Ok(());
        }
        self.note_under(&verdict, unread_copy(0, verdict.reason.clone()))
    }

    /// Judges text that was copied on the desktop, and tells the viewers if it may leave.
    fn copied(&self, text: Text) -> Result<(), Outcome> {
        if !self.paces().texts.try_take(Instant::now()) {
            return Ok(());
        }
        let verdict = self.judge_text(Action::Copy { bytes: text.bytes() }, true);
        self.note_under(&verdict, copy(0, &text, &verdict))?;
        if verdict.effect == Effect::Permit {
            // Nobody watching is no error: the text then reaches nobody.
            let _ = self.notices.send(Notice::Copied(text));
        }
        Ok(())
    }

    /// Records that a text was copied on the desktop of which nothing was kept.
    fn not_copied(&self, bytes: u32, reason: String) -> Result<(), Outcome> {
        if !self.paces().texts.try_take(Instant::now()) {
            return Ok(());
        }
        let verdict = self.judge(Action::Copy { bytes: u64::from(bytes) });
        self.note_under(&verdict, unread_copy(u64::from(bytes), reason))
    }

    /// A program there pastes what a viewer has pasted before: it gets it if that is still permitted.
    fn paste_asked(&self, rfb: &mut Connection) -> Result<(), Outcome> {
        let Some(text) = rfb.offered_cut_text().filter(|_| self.paces().requests.try_take(Instant::now())).cloned()
        else {
            return Ok(());
        };
        let verdict = self.judge(Action::Paste { bytes: text.bytes() });
        if verdict.effect == Effect::Permit {
            rfb.provide_cut_text();
            return Ok(());
        }
        rfb.withdraw_cut_text();
        self.note_under(&verdict, paste(0, &text, &verdict))
    }

    fn paces(&self) -> MutexGuard<'_, Paces> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be recorded of a permitted text that a side could not take as it is; none if it could.
pub(crate) fn loss(delivery: Delivery, what: &str, whom: &str) -> Option<What> {
    match delivery {
        Delivery::Offered | Delivery::Sent { lost: 0 } | Delivery::NotReady => None,
        Delivery::Sent { lost } => Some(What::Refused {
            what: format!("{lost} characters of a {what}"),
            reason: format!("{whom} knows no clipboard but Latin-1; question marks are in their place"),
        }),
        Delivery::TooLong => Some(What::Refused {
            what: format!("a {what}"),
            reason: format!("{whom} knows no clipboard that takes so much"),
        }),
    }
}

/// The event of a copied text; `viewer` is 0 for all.
pub(crate) fn copy(viewer: u32, text: &Text, verdict: &Verdict) -> What {
    let (effect, reason) = (verdicted(verdict), verdict.reason.clone());
    What::Copy { viewer, effect, bytes: text.bytes(), sha256: sha256(text), reason }
}

/// The event of a pasted text.
pub(crate) fn paste(viewer: u32, text: &Text, verdict: &Verdict) -> What {
    let (effect, reason) = (verdicted(verdict), verdict.reason.clone());
    What::Paste { viewer, effect, bytes: text.bytes(), sha256: sha256(text), reason }
}

fn unread_copy(bytes: u64, reason: String) -> What {
    What::Copy { viewer: 0, effect: Verdicted::Deny, bytes, sha256: String::new(), reason }
}

/// The verdict as events write it.
pub(crate) fn verdicted(verdict: &Verdict) -> Verdicted {
    match verdict.effect {
        Effect::Permit => Verdicted::Permit,
        Effect::Deny => Verdicted::Deny,
    }
}

/// The SHA-256 of a text's UTF-8, in hexadecimal: what events say of contents that they must not hold.
fn sha256(text: &Text) -> String {
    Sha256::digest(text.as_str().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_texts_cross_in_a_minute() {
        let (mut quota, start) = (Quota::default(), Instant::now());
        assert!(quota.allows(3, false, start), "what is announced is not counted");
        assert_eq!((0..9).filter(|_| quota.allows(3, true, start)).count(), 3);
        assert!(!quota.allows(3, false, start));
        let later = start + Duration::from_secs(20);
        assert!(quota.allows(3, true, later) && !quota.allows(3, true, later));
        assert!(quota.allows(4, true, later), "another limit is counted anew");
    }
}
