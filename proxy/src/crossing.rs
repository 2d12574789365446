//! Texts that cross between the desktop and its viewers, or are stopped; what events say of one: its length, its hash, the verdict.

mod contents;
mod findings;
mod hurry;
mod kept;
mod quota;

use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use portcullis_evidence::{Effect as Verdicted, What};
use portcullis_policy::{Action, ActionKind, Effect, Verdict};
use portcullis_rfb::clipboard::{Delivery, Event, Text};
use portcullis_rfb::desktop::Connection;
use sha2::{Digest, Sha256};

use crate::outcome::Outcome;
use crate::pace::{Pace, Rate};
use crate::session::{Notice, Session};

pub(crate) use contents::Crossings;
pub use findings::Findings;
pub(crate) use kept::Keys;

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

impl Session {
    /// Acts on what the desktop did with its clipboard.
    ///
    /// # Errors
    /// [`Outcome::RecordingFailed`]: what cannot be recorded does not cross.
    pub(crate) async fn hear_clipboard(&self, rfb: &mut Connection, event: Event) -> Result<(), Outcome> {
        match event {
            Event::Offered => self.copy_offered(rfb),
            Event::Text(text) => self.copied(text).await,
            Event::TooLong { bytes } => self.not_copied(bytes, TOO_LONG.to_owned()),
            Event::Unreadable(why) => self.not_copied(0, format!("the copied text cannot be read: {why}")),
            Event::Asked => self.paste_asked(rfb).await,
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
            return self.hurried(ActionKind::Copy);
        }
        let verdict = self.judge_announced(ActionKind::Copy);
        if verdict.effect != Effect::Deny {
            // One that leaves too many requests unanswered is not asked.
            rfb.request_cut_text();
            return Ok(());
        }
        self.stopped(ActionKind::Copy, &verdict, unread_copy(0, verdict.reason.clone()))
    }

    /// Judges text that was copied on the desktop, and tells the viewers if it may leave.
    async fn copied(&self, text: Text) -> Result<(), Outcome> {
        if !self.paces().texts.try_take(Instant::now()) {
            return self.hurried(ActionKind::Copy);
        }
        if let Some(text) = self.cross(ActionKind::Copy, 0, text).await? {
            // Nobody watching is no error: the text then reaches nobody.
            let _ = self.notices.send(Notice::Copied(text));
        }
        Ok(())
    }

    /// Records that a text was copied on the desktop of which nothing was kept.
    fn not_copied(&self, bytes: u32, reason: String) -> Result<(), Outcome> {
        if !self.paces().texts.try_take(Instant::now()) {
            return self.hurried(ActionKind::Copy);
        }
        let verdict = self.judge(Action::Copy { bytes: u64::from(bytes) });
        self.stopped(ActionKind::Copy, &verdict, unread_copy(u64::from(bytes), reason))
    }

    /// A program there pastes what a viewer has pasted before: it gets it if that is still permitted.
    async fn paste_asked(&self, rfb: &mut Connection) -> Result<(), Outcome> {
        let Some(text) = rfb.offered_cut_text().cloned() else { return Ok(()) };
        if !self.paces().requests.try_take(Instant::now()) {
            return self.hurried(ActionKind::Copy);
        }
        let (verdict, found) = self.judge_again(ActionKind::Paste, &text).await;
        if verdict.effect != Effect::Deny {
            rfb.provide_cut_text();
            return Ok(());
        }
        rfb.withdraw_cut_text();
        self.stopped(ActionKind::Paste, &verdict, paste(0, &text, &verdict, found, None))
    }

    /// Counts a text that was stopped, and writes its event.
    pub(crate) fn stopped(&self, kind: ActionKind, verdict: &Verdict, what: What) -> Result<(), Outcome> {
        self.crossings.texts.add(kind, None);
        self.note_under(verdict, what)
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

/// The event of a copied text; `viewer` is 0 for all. `found` and `redacted` as in [`What::Copy`].
pub(crate) fn copy(viewer: u32, text: &Text, verdict: &Verdict, found: Vec<String>, redacted: Option<u32>) -> What {
    let (effect, reason) = (verdicted(verdict), verdict.reason.clone());
    What::Copy { viewer, effect, bytes: text.bytes(), sha256: sha256(text), reason, found, redacted }
}

/// The event of a pasted text.
pub(crate) fn paste(viewer: u32, text: &Text, verdict: &Verdict, found: Vec<String>, redacted: Option<u32>) -> What {
    let (effect, reason) = (verdicted(verdict), verdict.reason.clone());
    What::Paste { viewer, effect, bytes: text.bytes(), sha256: sha256(text), reason, found, redacted }
}

fn unread_copy(bytes: u64, reason: String) -> What {
    let (sha256, found) = (String::new(), Vec::new());
    What::Copy { viewer: 0, effect: Verdicted::Deny, bytes, sha256, reason, found, redacted: None }
}

/// The verdict as events write it.
pub(crate) fn verdicted(verdict: &Verdict) -> Verdicted {
    match verdict.effect {
        Effect::Permit | Effect::Alert | Effect::Redact => Verdicted::Permit,
        Effect::Deny => Verdicted::Deny,
    }
}

/// The SHA-256 of a text's UTF-8, in hexadecimal: what events say of contents that they must not hold.
fn sha256(text: &Text) -> String {
    Sha256::digest(text.as_str().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
