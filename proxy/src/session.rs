//! The story of a session: permit, record, desktop, viewers, end.
//!
//! [`open`] does what must be true before anybody sees a pixel, in this order: decide, start the recording, start the desktop.
//! [`Session::live`] then runs until an [`Outcome`] is known, and closes in the reverse order: viewers, evidence, desktop.

mod judged;
mod life;
mod seats;
mod veiled;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use portcullis_evidence::{KeepTerms, What};
use portcullis_policy::{Action, Obligations, Rule, Verdict};
use portcullis_recorder::Recording;
use portcullis_rfb::clipboard::Text;
use portcullis_rfb::{Point, Screen};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::time::timeout;

use crate::bounds::Bounds;
use crate::crossing::{Crossings, Paces};
use crate::egress::Way;
use crate::enforced::Enforced;
use crate::files::{Depot, Files};
use crate::link::Act;
use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::permit::{Permit, SessionId};
use crate::runtime::{Desktop, Identity};
use crate::seat::Inputs;
use crate::tether::Tether;

pub(crate) use life::{Coming, Life, Refused};

/// Actions that may wait for the desktop; a viewer that is faster waits with its next one.
const ACTS: usize = 256;
/// Notices that may wait for a viewer; one that is slower misses the oldest clipboard text or bell.
const NOTICES: usize = 16;
/// The time viewers have to take their close frame.
const PARTING: Duration = Duration::from_secs(2);

/// What a viewer is told beside pixels.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// Text that was copied on the desktop and that policy lets out.
    Copied(Text),
    /// The desktop's bell.
    Bell,
    /// A size that a viewer asked for is refused, with ExtendedDesktopSize's status.
    SizeRefused(u16),
}

/// One live session: the screen, its viewers and its record.
pub struct Session {
    /// The session's name.
    pub id: SessionId,
    /// What was decided at its start.
    pub permit: Permit,
    /// What its desktop and its viewers may make the gate do, wait for and hold.
    pub(crate) bounds: Bounds,
    /// Whether the desktop's clipboard takes every character, not Latin-1 alone.
    pub(crate) unicode: AtomicBool,
    /// Whether the desktop hears scan codes, which then say what a key is.
    pub(crate) scancodes: AtomicBool,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) paces: Mutex<Paces>,
    pub(crate) crossings: Crossings,
    /// Files in and out of the desktop.
    pub(crate) files: Files,
    /// How long it lasts.
    pub(crate) life: Life,
    inputs: Mutex<Inputs>,
    policies: watch::Receiver<Arc<Enforced>>,
    screen: RwLock<Screen>,
    /// What is drawn over the screen. INVARIANT: who changes the screen holds it.
    veiling: tokio::sync::Mutex<veiled::Veiling>,
    /// The size of the screen or what is owed of it may have changed.
    resized: Notify,
    /// Pictures a second that policy permits.
    max_fps: Mutex<Option<u32>>,
    revision: watch::Sender<u64>,
    acts: mpsc::Sender<Act>,
    recording: Recording,
    outcome: watch::Sender<Option<Outcome>>,
    viewers: watch::Sender<BTreeSet<u32>>,
    next_viewer: AtomicU32,
    bells: Mutex<Pace>,
}

/// The desktop's half of a session, consumed by [`Session::live`].
pub(crate) struct Stage {
    pub(crate) desktop: Box<dyn Desktop>,
    pub(crate) tether: Tether,
    pub(crate) acts: mpsc::Receiver<Act>,
    /// The time without any viewer after which the session ends.
    pub(crate) reconnect: Duration,
    /// Where the desktop comes out, if it has a way.
    pub(crate) way: Way,
}

impl Session {
    /// A session whose recording runs and whose screen is still black.
    pub(crate) fn new(
        permit: Permit,
        policies: watch::Receiver<Arc<Enforced>>,
        recording: Recording,
        screen: Screen,
        (bounds, crossings, depot): (Bounds, Crossings, Arc<Depot>),
    ) -> (Arc<Self>, mpsc::Receiver<Act>) {
        let (acts, receiver) = mpsc::channel(ACTS);
        let life = Life::new(policies.borrow().obligations(&permit.situation(permit.started.into())));
        let session = Self {
            id: permit.id.clone(),
            permit,
            bounds,
            unicode: AtomicBool::new(false),
            scancodes: AtomicBool::new(false),
            notices: broadcast::Sender::new(NOTICES),
            paces: Mutex::new(Paces::new(bounds.texts)),
            crossings,
            files: Files::new(depot),
            life,
            inputs: Mutex::default(),
            policies,
            revision: watch::Sender::new(screen.revision()),
            screen: RwLock::new(screen),
            veiling: tokio::sync::Mutex::default(),
            resized: Notify::new(),
            max_fps: Mutex::default(),
            acts,
            recording,
            outcome: watch::Sender::new(None),
            viewers: watch::Sender::default(),
            next_viewer: AtomicU32::new(1),
            bells: Mutex::new(bounds.bells.pace()),
        };
        (Arc::new(session), receiver)
    }

    /// Runs until the session ends; then viewers are told, the evidence is sealed and the desktop destroyed.
    pub(crate) async fn live(self: Arc<Self>, stage: Stage) -> Outcome {
        let Stage { desktop, mut tether, mut acts, reconnect, way } = stage;
        let outcome = tokio::select! {
            outcome = tether.run(desktop.as_ref(), &self, &mut acts) => outcome,
            reason = desktop.ended() => Outcome::DesktopEnded { reason },
            outcome = self.wait_outcome() => outcome,
            outcome = self.wait_failure() => outcome,
            outcome = self.wait_refused() => outcome,
            outcome = self.wait_over(reconnect) => outcome,
            outcome = self.keep_veiled() => outcome,
            outcome = way.serve(desktop.as_ref(), &self) => outcome,
        };
        if let Outcome::Violation { side, reason } = &outcome {
            let _ = self.note(What::ProtocolViolation { side: (*side).to_owned(), reason: reason.clone() });
        }
        self.end(outcome.clone());
        // Whoever waits for room in the queue of actions is let go, to take its close frame.
        drop(acts);
        if !matches!(outcome, Outcome::Violation { side: "desktop", .. }) {
            tether.part().await;
        }
        let _ = timeout(PARTING, self.seated().wait_for(BTreeSet::is_empty)).await;
        // What became of connections and files that were under way is on the record too.
        let _ = timeout(PARTING, way.close()).await;
        let _ = timeout(PARTING, self.files.settled()).await;
        let _ = self.note_hurried();
        let closed = What::SessionClosed { reason: outcome.to_string() };
        // INVARIANT: an end that a rule brought about is on the record under that rule.
        let _ = match outcome.rule() {
            Some(rule) => self.note_as(rule, closed),
            None => self.note(closed),
        };
        if let Err(error) = self.recording.close(&outcome.to_string()).await {
            tracing::error!(session = %self.id, error = error.in_full(), "the evidence could not be sealed; the next start recovers it from the spool");
        }
        desktop.destroy().await;
        outcome
    }

    /// Ends the session; the first outcome stays.
    pub fn end(&self, outcome: Outcome) {
        self.outcome.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                *known = Some(outcome);
            }
            first
        });
    }

    /// Passes the desktop's bell on, at most once a second.
    pub(crate) fn rang(&self) {
        if self.bells.lock().unwrap_or_else(PoisonError::into_inner).try_take(Instant::now()) {
            let _ = self.notices.send(Notice::Bell);
        }
    }

    /// Tells the viewer that asked for another size that it will not be.
    pub(crate) fn size_refused(&self, status: u16) {
        let _ = self.notices.send(Notice::SizeRefused(status));
    }

    /// Decides an action of this session's subject under the policy of this moment.
    #[must_use]
    pub fn judge(&self, action: Action) -> Verdict {
        self.policy().decide(&self.situation().wants(action))
    }

    /// The policy of this moment.
    pub(crate) fn policy(&self) -> Arc<Enforced> {
        self.policies.borrow().clone()
    }

    /// What the session owes by the policy of this moment.
    pub(crate) fn obligations(&self) -> Obligations {
        self.policy().obligations(&self.situation())
    }

    /// What all viewers' keyboards and pointers do, judged together.
    pub(crate) fn inputs(&self) -> MutexGuard<'_, Inputs> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an event under the session's own permit.
    pub(crate) fn note(&self, what: What) -> Result<(), Outcome> {
        self.note_under(&self.permit.verdict, what)
    }

    /// Notes which desktop the session has; nothing where it stands already and has no name.
    pub(crate) fn note_desktop(&self, identity: &Identity) -> Result<(), Outcome> {
        let Identity { name, image, warm } = identity.clone();
        if name.is_empty() { Ok(()) } else { self.note(What::DesktopStarted { name, image, warm }) }
    }

    /// Writes an event under the verdict that decided it.
    ///
    /// # Errors
    /// [`Outcome::RecordingFailed`]: in strict mode nothing goes on that is not on the record.
    pub(crate) fn note_under(&self, verdict: &Verdict, what: What) -> Result<(), Outcome> {
        self.note_numbered(verdict, what).map(drop)
    }

    /// The same; answers with the event's `seq`, which is none once nothing is recorded any more.
    ///
    /// # Errors
    /// As [`Session::note_under`].
    pub(crate) fn note_numbered(&self, verdict: &Verdict, what: What) -> Result<Option<u64>, Outcome> {
        self.record(&verdict.rule.to_string(), &verdict.revision.to_string(), what)
    }

    /// Writes an event under a rule of the policy of this moment.
    ///
    /// # Errors
    /// As [`Session::note_under`].
    pub(crate) fn note_by(&self, rule: &Rule, what: What) -> Result<(), Outcome> {
        self.note_as(&rule.to_string(), what)
    }

    fn note_as(&self, rule: &str, what: What) -> Result<(), Outcome> {
        let revision = self.policies.borrow().revision().to_string();
        self.record(rule, &revision, what).map(drop)
    }

    /// Writes an event under a rule of a revision.
    ///
    /// # Errors
    /// As [`Session::note_under`].
    pub(crate) fn record(&self, rule: &str, revision: &str, what: What) -> Result<Option<u64>, Outcome> {
        let recorded = self.recording.event(rule, revision, what).map(Some);
        recorded.or_else(|error| self.unrecorded(error.in_full()).map(|()| None))
    }

    /// Keeps the recording as a rule of the policy of this moment asks.
    pub(crate) async fn kept_as(&self, rule: &Rule, terms: KeepTerms) -> Result<(), Outcome> {
        let revision = self.policies.borrow().revision().to_string();
        let kept = self.recording.keep(&rule.to_string(), &revision, terms).await;
        kept.or_else(|error| self.unrecorded(error.in_full()))
    }

    /// What cannot be recorded does not happen, unless policy says `best_effort`: then the bundle is closed with its gap at the end.
    pub(crate) fn unrecorded(&self, reason: String) -> Result<(), Outcome> {
        if self.permit.strict { Err(Outcome::RecordingFailed { reason }) } else { Ok(()) }
    }

    /// Queues a permitted and recorded action for the desktop; waits while the queue is full.
    pub(crate) async fn act(&self, act: Act) {
        if let Act::Pointer(pointer) = &act {
            self.recording.pointer(pointer.at);
        }
        // When the session ends nobody takes actions any more, which the caller is about to learn.
        tokio::select! {
            _ = self.acts.send(act) => {}
            _ = self.wait_outcome() => {}
        }
    }

    /// Queues a key that is let go, if there is room: for a viewer that has left or lost its rights.
    pub(crate) fn let_go(&self, viewer: u32) {
        for key in self.inputs().let_go(viewer) {
            // A queue that is full is one of a desktop that takes nothing.
            let _ = self.acts.try_send(Act::Key(key));
        }
    }

    /// Waits a while, or until the session ends.
    pub(crate) async fn pause(&self, time: Duration) {
        let _ = timeout(time, self.wait_outcome()).await;
    }

    /// Notes where the pointer is without moving it: for the gate's own first word to a desktop.
    pub(crate) fn point(&self, at: Point) {
        self.recording.pointer(at);
    }

    /// The screen, for reading; held only while one update is encoded.
    pub(crate) fn screen(&self) -> RwLockReadGuard<'_, Screen> {
        self.screen.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of each new revision of the screen.
    pub(crate) fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Clipboard texts and bells for a viewer.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Tells when the policy has changed, so that a seat is judged anew.
    pub(crate) fn policy_changes(&self) -> watch::Receiver<Arc<Enforced>> {
        self.policies.clone()
    }

    /// Resolves when the session has ended, with its outcome.
    pub async fn wait_outcome(&self) -> Outcome {
        let mut outcome = self.outcome.subscribe();
        let known = outcome.wait_for(Option::is_some).await.map(|known| known.clone());
        known.ok().flatten().unwrap_or(Outcome::Stopping)
    }

    /// How it ended, once that is known.
    #[must_use]
    pub fn known_outcome(&self) -> Option<Outcome> {
        self.outcome.borrow().clone()
    }

    /// Whether the session is on its way out.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.outcome.borrow().is_some()
    }

    /// Whether the record holds.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording.failure().borrow().is_none()
    }

    async fn wait_failure(&self) -> Outcome {
        let mut failure = self.recording.failure();
        let reason = failure.wait_for(Option::is_some).await.map(|known| known.clone());
        match reason.ok().flatten() {
            Some(reason) if self.permit.strict => Outcome::RecordingFailed { reason },
            Some(reason) => {
                tracing::error!(session = %self.id, reason, "recording failed; policy says best_effort, so the session goes on");
                std::future::pending().await
            }
            None => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("permit", &self.permit).finish_non_exhaustive()
    }
}
