//! A viewer's keys at its seat: judged with those of the others, held to their rates, recorded, and passed on.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use portcullis_evidence::Effect;
use portcullis_rfb::Key;

use super::Seat;
use super::inputs::{LetGo, Remark};
use crate::link::Act;
use crate::outcome::Outcome;
use crate::session::{Refused, Session};

impl Seat {
    /// Judges a key by when it came, `at`: what waited for a paste comes at once, and was typed one by one.
    pub(super) async fn key(&mut self, session: &Session, key: Key, at: Instant) -> Result<(), Outcome> {
        let now = Instant::now();
        if !key.down {
            return self.let_go(session, key, now).await;
        }
        if !self.keyboard {
            return Ok(());
        }
        let ruling = session.inputs().press(self.viewer, key, session.scancodes.load(Ordering::Relaxed), at);
        if let Some(remark) = &ruling.remark {
            let effect = if ruling.wait.is_some() { Effect::Permit } else { Effect::Deny };
            self.remark(session, remark, effect, now)?;
        }
        let Some(wait) = ruling.wait else { return Ok(()) };
        if ruling.fresh {
            session.life.stir();
        }
        let wait =
            if ruling.counted { wait.saturating_sub(now.saturating_duration_since(at)) } else { self.keys.wait(now) };
        if !self.waited(session, wait).await? {
            return Ok(());
        }
        self.keys.take(now);
        self.pass(session, key).await
    }

    /// INVARIANT: what was pressed can always be let go, whatever the rules have become meanwhile. What was not waits its turn, so that it is
    /// no way to carry anything in.
    async fn let_go(&mut self, session: &Session, key: Key, now: Instant) -> Result<(), Outcome> {
        let known = session.inputs().release(self.viewer, &key);
        match known {
            LetGo::Held => {}
            LetGo::Refused => return Ok(()),
            LetGo::Stray => {
                let wait = self.keys.wait(now);
                if !self.keyboard || !self.waited(session, wait).await? {
                    return Ok(());
                }
                self.keys.take(now);
            }
        }
        self.pass(session, key).await
    }

    /// Waits, and looks again whether keys are permitted then.
    async fn waited(&mut self, session: &Session, wait: Duration) -> Result<bool, Outcome> {
        if !wait.is_zero() {
            session.pause(wait).await;
            self.keep_judged(session)?;
        }
        Ok(self.keyboard)
    }

    async fn pass(&mut self, session: &Session, key: Key) -> Result<(), Outcome> {
        if self.tally.note(key, Instant::now()) {
            self.written().await;
            self.write_tally(session)?;
        }
        session.act(Act::Key(key)).await;
        Ok(())
    }

    /// Gathers what a rule had to say for the record; the person is told when a burst begins.
    fn remark(&mut self, session: &Session, remark: &Remark, effect: Effect, now: Instant) -> Result<(), Outcome> {
        let (begins, room) = self.bursts.add(self.viewer, remark, effect, now);
        if begins && effect == Effect::Deny {
            let (what, why) = (remark.kind.name(), remark.words(effect));
            session.life.refuse(Refused { what, why, rule: remark.rule.to_string() });
        }
        room.map_or(Ok(()), |(rule, what)| session.note_by(&rule, what))
    }

    /// Writes bursts that are over to the record, or all.
    pub(super) fn write_bursts(&mut self, session: &Session, all: bool) -> Result<(), Outcome> {
        let over = self.bursts.take(self.viewer, Instant::now(), all);
        over.into_iter().try_for_each(|(rule, what)| session.note_by(&rule, what))
    }

    /// Waits until what is on its way to the record is there: tallies stand in it in their order, and none is lost at the end.
    pub(super) async fn written(&mut self) {
        if let Some(writing) = self.writing.take() {
            // One that could not be written has ended the session by the record's own watch.
            let _ = writing.await;
        }
    }

    pub(super) fn write_tally(&mut self, session: &Session) -> Result<(), Outcome> {
        self.tally.take(self.viewer, Instant::now()).map_or(Ok(()), |tally| session.note(tally))
    }
}
