//! A session's screen as its rules show it: updates veiled, recorded and then shown; rules, minutes and sizes followed while it lives.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use portcullis_evidence::What;
use portcullis_policy::{Action, Effect, Filling, Obligation, Rule, ScreenRules, Verdict};
use portcullis_rfb::{Change, Size};
use tokio::time::sleep;

use super::Session;
use super::judged::until;
use crate::enforced::Enforced;
use crate::link::Act;
use crate::outcome::Outcome;
use crate::pace::Rate;
use crate::veil::{Owed, Veil, Veiled, beyond, within};

/// The time that a desktop whose screen is too large has to shrink; nothing of it is seen meanwhile.
const SHRINK: Duration = Duration::from_secs(5);
/// How often it is asked to: a link that has just begun cannot be asked at once.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Rules that are put on the record one by one; more are counted.
const MOST_NOTED: usize = 256;

/// The veil of a session, and the rules that it was made by.
#[derive(Default)]
pub(super) struct Veiling {
    veil: Veil,
    rules: ScreenRules,
    noted: Vec<Obligation>,
    /// The set that the rules are of; none before the first look.
    policies: Option<Arc<Enforced>>,
    /// When hours begin or end that the rules depend on.
    until: Option<SystemTime>,
    /// The minute, since 1970, that is drawn.
    minute: Option<u64>,
}

impl Session {
    /// Puts one update of the desktop on the record, and only then on the screen; both as the rules of this moment show it.
    ///
    /// # Errors
    /// The outcome that ends the session: the record failed, or the update did not fit the screen.
    pub(crate) async fn show(&self, changes: Vec<Change>) -> Result<(), Outcome> {
        let mut veiling = self.veiling.lock().await;
        self.renew(&mut veiling).await?;
        let veiled = veiling.veil.take(changes, &self.screen());
        self.put(veiled.map_err(|error| misfit(&error))?).await
    }

    /// Follows the rules of this moment; when they are to be looked at again, if nothing else happens.
    ///
    /// # Errors
    /// As [`Session::show`].
    pub(crate) async fn follow_screen(&self) -> Result<Option<SystemTime>, Outcome> {
        let mut veiling = self.veiling.lock().await;
        self.renew(&mut veiling).await?;
        let minute = veiling.minute.filter(|_| !veiling.rules.watermarks.is_empty());
        let minute = minute.map(|minute| SystemTime::UNIX_EPOCH + Duration::from_secs((minute + 1) * 60));
        Ok(minute.into_iter().chain(veiling.until).min())
    }

    /// Decides a size that a viewer asks for: `resize` must permit it, and `screen.max_size` be no smaller.
    pub(crate) fn judge_size(&self, size: Size) -> Verdict {
        let verdict = self.judge(Action::Resize { width: size.width, height: size.height });
        match beyond(&self.screen_rules(), size) {
            Some(rule) if verdict.effect == Effect::Permit => {
                let reason = too_large(size, rule);
                Verdict { effect: Effect::Deny, rule: rule.clone(), reason, ..verdict }
            }
            _ => verdict,
        }
    }

    /// What of the screen is owed at this moment.
    pub(crate) fn screen_rules(&self) -> ScreenRules {
        self.obligations().screen
    }

    /// The pictures a second that are asked of the desktop, and how many at once: the configuration's, or fewer where policy says so.
    pub(crate) fn frame_rate(&self, configured: Rate) -> Rate {
        match *self.max_fps.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(most) if most < configured.per_second => Rate::new(most, 1),
            _ => configured,
        }
    }

    /// Draws the screen anew when rules, hours or minutes change it, and ends the session whose desktop is too large for its rules.
    pub(super) async fn keep_veiled(&self) -> Outcome {
        let mut policies = self.policies.clone();
        let mut followed = true;
        let mut asked: Option<Instant> = None;
        loop {
            let due = match self.follow_screen().await {
                Ok(due) => due,
                Err(outcome) => return outcome,
            };
            match self.shrink(asked).await {
                Ok(since) => asked = since,
                Err(outcome) => return outcome,
            }
            tokio::select! {
                changed = policies.changed(), if followed => followed = changed.is_ok(),
                () = self.resized.notified() => {}
                () = sleep(until(due)), if due.is_some() => {}
                () = sleep(ASK_AGAIN), if asked.is_some() => {}
                else => std::future::pending().await,
            }
        }
    }

    /// Asks a desktop that is too large to shrink, since `asked`; since when it is.
    async fn shrink(&self, asked: Option<Instant>) -> Result<Option<Instant>, Outcome> {
        let size = self.screen().size();
        let (rule, most) = {
            let veiling = self.veiling.lock().await;
            let Some(rule) = beyond(&veiling.rules, size) else { return Ok(None) };
            (rule.clone(), within(&veiling.rules, size))
        };
        let reason = too_large(size, &rule);
        let since = match asked {
            Some(since) if since.elapsed() >= SHRINK => {
                return Err(Outcome::NotPermitted { rule: rule.to_string(), reason });
            }
            Some(since) => since,
            None => {
                self.note_by(&rule, What::Refused { what: format!("the desktop's screen of {size}"), reason })?;
                Instant::now()
            }
        };
        // A full queue is asked again like a desktop that does not answer.
        let _ = self.acts.try_send(Act::SetSize(most));
        Ok(Some(since))
    }

    /// Brings the veil up to the rules, the hours and the minute of now; what that changes is a revision of its own.
    ///
    /// INVARIANT: before every update of the desktop: none is shown by rules that are no longer in force.
    async fn renew(&self, veiling: &mut Veiling) -> Result<(), Outcome> {
        let now = SystemTime::now();
        let policies = self.policies.borrow().clone();
        let known = veiling.policies.as_ref().is_some_and(|known| Arc::ptr_eq(known, &policies));
        let ruled = known && veiling.until.is_none_or(|until| now < until);
        let minute = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60);
        if ruled && (veiling.minute == Some(minute) || veiling.rules.watermarks.is_empty()) {
            return Ok(());
        }
        if !ruled {
            let owed = policies.obligations(&self.situation().at(now));
            let listed: Vec<_> = owed.listed().into_iter().filter(|owed| owed.key.starts_with("screen.")).collect();
            self.note_changes(&veiling.noted, &listed)?;
            *self.max_fps.lock().unwrap_or_else(PoisonError::into_inner) =
                owed.screen.max_fps.as_ref().map(|most| most.value);
            veiling.until = policies.next_change(&self.situation().at(now));
            (veiling.rules, veiling.noted, veiling.policies) = (owed.screen, listed, Some(policies));
            self.resized.notify_one();
        }
        veiling.minute = Some(minute);
        let filling = Filling {
            subject: &self.permit.subject.name,
            issuer: &self.permit.subject.issuer,
            desktop: &self.permit.desktop,
            session: self.permit.id.as_str(),
            at: now,
        };
        let owed = Owed::of(&veiling.rules, &filling);
        let veiled = veiling.veil.change(owed, &self.screen());
        match veiled {
            Some(veiled) => self.put(veiled).await,
            None => Ok(()),
        }
    }

    /// Says which rules of the screen hold from now on and which no longer do, each under itself.
    fn note_changes(&self, before: &[Obligation], after: &[Obligation]) -> Result<(), Outcome> {
        let gone = before.iter().filter(|owed| !after.contains(owed)).map(|owed| (false, owed));
        let new = after.iter().filter(|owed| !before.contains(owed)).map(|owed| (true, owed));
        let mut changes = gone.chain(new);
        for (holds, owed) in changes.by_ref().take(MOST_NOTED) {
            let (key, value) = (owed.key.to_owned(), owed.value.clone());
            self.note_by(&owed.rule, What::ScreenRule { holds, key, value })?;
        }
        if let Some((holds, owed)) = changes.next() {
            let value = format!("and {} changes more", changes.count() + 1);
            self.note_by(&owed.rule, What::ScreenRule { holds, key: "screen".to_owned(), value })?;
        }
        Ok(())
    }

    /// Makes a revision: first on the record, then on the screen.
    async fn put(&self, veiled: Veiled) -> Result<(), Outcome> {
        let next = self.screen().revision() + 1;
        // INVARIANT: no viewer is sent a revision that the recorder does not have; viewers read the screen, which changes only below, and
        // the veil's lock is held, so that revisions come one by one.
        let handed = self.recording.hand_over(next, veiled.recorded()).await;
        handed.or_else(|error| self.unrecorded(error.in_full()))?;
        let applied = self.screen.write().unwrap_or_else(PoisonError::into_inner).apply(&veiled.shown);
        let revision = applied.map_err(|error| misfit(&error))?;
        self.revision.send_replace(revision);
        if let Some(size) = veiled.shown.iter().rev().find_map(|change| match change {
            Change::Resize(size) => Some(*size),
            _ => None,
        }) {
            self.resized.notify_one();
            self.note(What::Resized { width: size.width, height: size.height })?;
        }
        Ok(())
    }
}

fn too_large(size: Size, rule: &Rule) -> String {
    format!("a screen of {size} is larger than {}:{} permits", rule.file, rule.line)
}

fn misfit(error: &portcullis_rfb::ScreenError) -> Outcome {
    Outcome::Violation { side: "desktop", reason: error.to_string() }
}
