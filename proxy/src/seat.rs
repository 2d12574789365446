//! A viewer's seat at a session: what it may do, and its input judged, counted and passed on.

mod bursts;
mod inputs;
mod keyboard;
mod keysym;
mod pasting;
mod tally;
mod typing;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use portcullis_evidence::What;
use portcullis_policy::{Action, Effect};
use portcullis_rfb::viewer::{Connection, Event};
use portcullis_rfb::{Point, Pointer, Size};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::bursts::Bursts;
use self::pasting::Pasting;
use self::tally::Tally;
use crate::crossing::verdicted;
use crate::enforced::Enforced;
use crate::link::{Act, PROHIBITED};
use crate::outcome::Outcome;
use crate::pace::{Pace, Rate};
use crate::session::Session;
use crate::veil::clicks::Guard;

pub(crate) use self::inputs::Inputs;

/// Refused sizes a second that become events; a browser window that is dragged asks for many.
const REFUSALS: Rate = Rate::new(1, 1);

/// One viewer's place in a session.
pub(crate) struct Seat {
    /// The viewer's number within the session.
    pub(crate) viewer: u32,
    /// The address that the viewer comes from.
    from: Option<IpAddr>,
    control: bool,
    keyboard: bool,
    mouse: bool,
    /// When hours begin or end that what was judged depends on.
    until: Option<SystemTime>,
    buttons: u8,
    waiting: Option<Pointer>,
    guard: Guard,
    policies: watch::Receiver<Arc<Enforced>>,
    clicks: Pace,
    resizes: Pace,
    pointers: Pace,
    keys: Pace,
    pasting: Pasting,
    refusals: Pace,
    tally: Tally,
    /// A tally on its way to the record.
    writing: Option<JoinHandle<()>>,
    bursts: Bursts,
    /// Where the pointer was last, so that what does not move is no input.
    at: Option<Point>,
}

impl Seat {
    /// Takes a seat: whether this viewer may use keyboard and mouse is decided and recorded now.
    pub(crate) fn take(session: &Session, origin: &str, from: Option<IpAddr>) -> Result<Self, Outcome> {
        let mut policies = session.policy_changes();
        policies.borrow_and_update();
        let bounds = &session.bounds;
        let mut seat = Self {
            viewer: session.enter()?,
            from,
            control: false,
            keyboard: false,
            mouse: false,
            until: None,
            buttons: 0,
            waiting: None,
            guard: Guard::default(),
            policies,
            clicks: bounds.clicks.pace(),
            resizes: bounds.resizes.pace(),
            pointers: bounds.pointer.pace(),
            keys: bounds.keys.pace(),
            pasting: Pasting::new(bounds.texts),
            refusals: REFUSALS.pace(),
            tally: Tally::default(),
            writing: None,
            bursts: Bursts::default(),
            at: None,
        };
        let noted = session
            .note(What::ViewerJoined { viewer: seat.viewer, origin: origin.to_owned() })
            .and_then(|()| seat.judge(session));
        match noted {
            Ok(()) => Ok(seat),
            Err(outcome) => {
                session.leave(seat.viewer);
                Err(outcome)
            }
        }
    }

    /// Decides anew what this viewer may do; asked when it joins, when the policy changes and when hours begin or end.
    ///
    /// # Errors
    /// The outcome that ends this viewer: other rules hold where it comes from, or the record failed.
    pub(crate) fn judge(&mut self, session: &Session) -> Result<(), Outcome> {
        self.until = session.hours_after(SystemTime::now());
        let owed = session.obligations();
        self.guard.follow(owed.screen.clone());
        // INVARIANT: what is judged for the session is judged for each of its viewers.
        if !session.holds_for(self.from) {
            return Err(Outcome::Elsewhere);
        }
        session.keep(self.viewer, &owed)?;
        if owed.key_log() != self.tally.log {
            self.write_tally(session)?;
            self.tally.log = owed.key_log();
        }
        session.inputs().follow(&owed.input, session.bounds.keys);
        let (keys, pointer) = (session.judge(Action::Key), session.judge(Action::Pointer));
        (self.keyboard, self.mouse) = (keys.effect == Effect::Permit, pointer.effect == Effect::Permit);
        self.control = self.keyboard || self.mouse;
        if !self.keyboard {
            session.let_go(self.viewer);
        }
        // Keyboard and pointer are one thing on the record, unless policy tells them apart.
        let control = session.judge(Action::Control);
        let verdicts = match keys.effect {
            effect if effect != pointer.effect => vec![keys, pointer],
            effect if effect != control.effect => vec![keys],
            _ => vec![control],
        };
        for verdict in verdicts {
            let what =
                What::Control { viewer: self.viewer, effect: verdicted(&verdict), reason: verdict.reason.clone() };
            session.note_under(&verdict, what)?;
        }
        Ok(())
    }

    /// Leaves the seat; what was counted and how far this viewer saw goes on the record.
    pub(crate) async fn leave(mut self, session: &Session, outcome: &Outcome, revision: u64) {
        session.let_go(self.viewer);
        self.written().await;
        // A record that fails here ends the session by its own watch.
        let _ = self.write_bursts(session, true).and_then(|()| self.write_tally(session));
        let _ = session.note(What::ViewerLeft {
            viewer: self.viewer,
            reason: outcome.to_string(),
            sent_revision: revision,
        });
        session.leave(self.viewer);
    }

    /// Judges one action of the viewer and passes on what is permitted; what its clipboard is asked or told goes out by `rfb`.
    pub(crate) async fn act(&mut self, session: &Session, rfb: &mut Connection, event: Event) -> Result<(), Outcome> {
        self.keep_judged(session)?;
        let now = Instant::now();
        match event {
            Event::Clipboard(event) => self.clipboard(session, rfb, event).await,
            Event::SetSize(size) => self.resize(session, size).await,
            Event::Ready { .. } => Ok(()),
            Event::Key(_) | Event::Pointer(_) => match self.pasting.hold(event, now) {
                None => Ok(()),
                Some(event) => {
                    self.release(session).await?;
                    self.input(session, event, now).await
                }
            },
        }
    }

    /// Acts on input that came at an instant, which may be before now.
    async fn input(&mut self, session: &Session, event: Event, at: Instant) -> Result<(), Outcome> {
        match event {
            Event::Key(key) => self.key(session, key, at).await,
            Event::Pointer(pointer) if self.control => self.pointer(session, pointer).await,
            // INVARIANT: without control no press and no pointer passes; the refusal itself was recorded when the seat was taken.
            _ => Ok(()),
        }
    }

    /// INVARIANT: what was judged under an older policy permits nothing: rights are looked at when something is done, not when a task
    /// happens to be woken. Nor does anything pass once the session is ending.
    pub(crate) fn keep_judged(&mut self, session: &Session) -> Result<(), Outcome> {
        if let Some(outcome) = session.known_outcome() {
            return Err(outcome);
        }
        let hours = self.until.is_some_and(|until| SystemTime::now() >= until);
        if hours || self.policies.has_changed().unwrap_or(false) {
            self.policies.borrow_and_update();
            self.judge(session)?;
        }
        Ok(())
    }

    /// How long until something is due that [`Seat::settle`] does.
    pub(crate) fn due(&self, session: &Session, now: Instant) -> Option<Duration> {
        let pointer = self.waiting.is_some().then(|| self.pointer_wait(session, now));
        let gathered = self.tally.due(now).into_iter().chain(self.bursts.due(now));
        pointer.into_iter().chain(gathered).chain(self.pasting.wait(now)).min()
    }

    /// Passes on input that waited, and writes counts that are due.
    pub(crate) async fn settle(&mut self, session: &Arc<Session>) -> Result<(), Outcome> {
        let now = Instant::now();
        if self.pasting.wait(now).is_some_and(|wait| wait.is_zero()) {
            self.release(session).await?;
        }
        if self.pointer_wait(session, now).is_zero()
            && let Some(pointer) = self.waiting.take().filter(|_| self.mouse)
        {
            self.pointer_take(session, now);
            session.act(Act::Pointer(pointer)).await;
        }
        self.write_bursts(session, false)?;
        let due = self.tally.due(now).is_some_and(|due| due.is_zero());
        if due && let Some(tally) = self.tally.take(self.viewer, now) {
            // A record that fails there ends the session by its own watch.
            let session = Arc::clone(session);
            self.written().await;
            self.writing = Some(tokio::task::spawn_blocking(move || drop(session.note(tally))));
        }
        Ok(())
    }

    async fn pointer(&mut self, session: &Session, pointer: Pointer) -> Result<(), Outcome> {
        if !self.mouse {
            return Ok(());
        }
        if self.at.replace(pointer.at) != Some(pointer.at) || pointer.buttons != self.buttons {
            session.life.stir();
        }
        let wanted = pointer;
        let mut pointer = self.admit(session, wanted)?;
        if pointer.buttons == self.buttons && !self.pointer_wait(session, Instant::now()).is_zero() {
            self.waiting = Some(pointer);
            return Ok(());
        }
        self.waiting = None;
        if pointer.buttons == self.buttons {
            self.pointer_take(session, Instant::now());
        } else {
            let wait = self.clicks.wait(Instant::now());
            if !wait.is_zero() {
                session.pause(wait).await;
                self.keep_judged(session)?;
                if !self.mouse {
                    return Ok(());
                }
                pointer = self.admit(session, wanted)?;
            }
            self.clicks.take(Instant::now());
        }
        let pressed = pointer.buttons & !self.buttons;
        self.buttons = pointer.buttons;
        if pressed != 0 {
            session.note(What::Clicks {
                viewer: self.viewer,
                pressed: pressed.count_ones(),
                x: pointer.at.x,
                y: pointer.at.y,
            })?;
        }
        session.act(Act::Pointer(pointer)).await;
        Ok(())
    }

    /// How long the pointer rests: by the gate's bound for each viewer, and by policy for all of them together.
    fn pointer_wait(&self, session: &Session, now: Instant) -> Duration {
        self.pointers.wait(now).max(session.inputs().pointer_wait(now))
    }

    fn pointer_take(&mut self, session: &Session, now: Instant) {
        self.pointers.take(now);
        session.inputs().pointer_take(now);
    }

    /// What the desktop is told of a pointer: no button that is pressed into a mask. The first refused one of a second is an event.
    fn admit(&mut self, session: &Session, pointer: Pointer) -> Result<Pointer, Outcome> {
        let size = session.screen().size();
        let (passed, rule) = self.guard.admit(pointer, self.buttons, size);
        if let Some(rule) = rule.filter(|_| self.refusals.try_take(Instant::now())) {
            let what = format!("a click at {},{}", pointer.at.x, pointer.at.y);
            let reason = format!("{}:{} hides what is there", rule.file, rule.line);
            session.note_by(rule, What::Refused { what, reason })?;
        }
        Ok(passed)
    }

    async fn resize(&mut self, session: &Session, size: Size) -> Result<(), Outcome> {
        let verdict = session.judge_size(size);
        if verdict.effect == Effect::Permit && self.control && self.resizes.try_take(Instant::now()) {
            session.act(Act::SetSize(size)).await;
            return Ok(());
        }
        session.size_refused(PROHIBITED);
        if !self.refusals.try_take(Instant::now()) {
            return Ok(());
        }
        session.note_under(
            &verdict,
            What::Refused { what: format!("resize to {}x{}", size.width, size.height), reason: verdict.reason.clone() },
        )
    }
}
