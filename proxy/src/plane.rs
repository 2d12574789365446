//! The session plane: every live session, how one is opened, and how all are closed.

mod count;
mod told;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis_evidence::{Recipients, SigningKey, What};
use portcullis_policy::Subject;
use portcullis_vault::Vault;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::bounds::Bounds;
use crate::crossing::Findings;
use crate::egress::Ways;
use crate::enforced::Enforced;
use crate::files::Depot;
use crate::identity::{Caller, Identify, same};
use crate::journal::{About, Journal, Knocks};
use crate::outcome::Outcome;
use crate::permit::{Permit, SessionId};
use crate::refusal::Refusal;
use crate::runtime::{Capacity, Pool, Runtime, Template};
use crate::session::{Session, Stage};
use crate::tally::Tally;
use crate::ticket::{Grant, Ticket, TicketError, Tickets};
use crate::token::Verifier;

/// Characters of a name that was asked for which an event repeats.
const SHOWN: usize = 64;

/// What is done with a session's bundle once it is closed, and when one begins; the program hands it in.
#[async_trait]
pub trait Aftermath: Send + Sync {
    /// A recording has begun, whose bundle will lie at this place in the vault; called before the session can end. Must not wait.
    fn begun(&self, _bundle: &str) {}
    /// A session is live: its recording exists.
    async fn opened(&self, session: &str);
    /// A session's bundle is sealed and in the vault.
    async fn sealed(&self, session: &str);
}

/// What a plane is made of.
pub struct PlaneConfig {
    /// Who may sign tokens.
    pub verifier: Verifier,
    /// Who has a sign-in cookie.
    pub identify: Arc<dyn Identify>,
    /// Exact origins that a browser may come from.
    pub origins: Vec<String>,
    /// The policy in force, and each one that replaces it.
    pub policies: watch::Receiver<Arc<Enforced>>,
    /// The desktops that can be opened.
    pub templates: Vec<Template>,
    /// The runtimes, asked by template.
    pub runtimes: Vec<Arc<dyn Runtime>>,
    /// How recordings are made.
    pub recorder: portcullis_recorder::Config,
    /// Where evidence goes.
    pub vault: Arc<dyn Vault>,
    /// What signs evidence.
    pub key: Arc<SigningKey>,
    /// The gate's own events.
    pub journal: Arc<Journal>,
    /// What follows a session.
    pub aftermath: Arc<dyn Aftermath>,
    /// The group whose members may see and end sessions of others.
    pub administrators: String,
    /// Sessions that may be live at once, in all and for one subject.
    pub most_sessions: usize,
    /// Sessions that one subject may have live at once.
    pub most_per_subject: usize,
    /// The time without a viewer after which a session ends.
    pub reconnect: Duration,
    /// The time that a desktop whose connection broke has to come back before its session ends; none at all when zero.
    pub absence: Duration,
    /// Updates a second that are asked of a desktop.
    pub max_fps: u32,
    /// What desktops and viewers may make the gate do, wait for and hold.
    pub bounds: Bounds,
    /// What all desktops may take of the machine.
    pub capacity: Capacity,
    /// Where desktops that have a way out come out.
    pub egress: Arc<Ways>,
    /// To whom texts are encrypted that policy keeps; where there is none, no policy may keep any.
    pub recipients: Option<Arc<Recipients>>,
    /// How files are carried, and what became of them.
    pub files: Arc<Depot>,
}

/// Every live session of this gate.
pub struct Plane {
    pub(crate) config: PlaneConfig,
    /// Where desktops come from.
    pub pool: Arc<Pool>,
    sessions: Mutex<HashMap<SessionId, Slot>>,
    pub(crate) tickets: Tickets,
    pub(crate) knocks: Knocks,
    pub(crate) tasks: TaskTracker,
    opened: AtomicU64,
    refusals: AtomicU64,
    findings: Arc<Findings>,
    texts: Arc<Tally>,
}

/// A place in the table of sessions, taken before anything is started so that limits hold.
#[derive(Clone)]
pub(crate) enum Slot {
    Starting { subject: Subject, desktop: String },
    Live(Arc<Session>),
}

impl Slot {
    fn live(&self) -> Option<&Arc<Session>> {
        match self {
            Self::Starting { .. } => None,
            Self::Live(session) => Some(session),
        }
    }

    pub(crate) fn subject(&self) -> &Subject {
        match self {
            Self::Starting { subject, .. } => subject,
            Self::Live(session) => &session.permit.subject,
        }
    }

    pub(crate) fn desktop(&self) -> &str {
        match self {
            Self::Starting { desktop, .. } => desktop,
            Self::Live(session) => &session.permit.desktop,
        }
    }
}

impl Plane {
    /// A plane without sessions.
    #[must_use]
    pub fn new(config: PlaneConfig) -> Arc<Self> {
        config.files.write_to(Arc::clone(&config.journal));
        let pool = Pool::new(config.templates.clone(), config.runtimes.clone(), config.capacity);
        Arc::new(Self {
            config,
            pool,
            sessions: Mutex::default(),
            tickets: Tickets::default(),
            knocks: Knocks::default(),
            tasks: TaskTracker::new(),
            opened: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            findings: Arc::default(),
            texts: Arc::new(Tally::texts()),
        })
    }

    /// Opens a session for a caller whose address is not known: what policy allows to certain networks is then not allowed.
    ///
    /// # Errors
    /// As [`Plane::open_from`].
    pub async fn open(self: &Arc<Self>, caller: &Caller, desktop: &str) -> Result<Arc<Session>, Refusal> {
        self.open_from(caller, desktop, None).await
    }

    /// Opens a session: permit, recording, desktop, in this order; it then lives in a task of its own.
    ///
    /// # Errors
    /// A [`Refusal`], which is also an event of the journal.
    pub async fn open_from(
        self: &Arc<Self>,
        caller: &Caller,
        desktop: &str,
        from: Option<IpAddr>,
    ) -> Result<Arc<Session>, Refusal> {
        let (plane, caller, desktop) = (Arc::clone(self), caller.clone(), desktop.to_owned());
        // In a task of its own: a caller that hangs up half-way leaves a session that is abandoned in good order, not a half-started one.
        let opening = self.tasks.spawn(async move {
            let opened = plane.try_open(&caller, &desktop, from).await;
            let count = if opened.is_ok() { &plane.opened } else { &plane.refusals };
            count.fetch_add(1, Ordering::Relaxed);
            if let Err(refusal) = &opened {
                // The name is the caller's text, and the journal is read on terminals.
                let shown: String = desktop.chars().filter(char::is_ascii_graphic).take(SHOWN).collect();
                plane.refused(caller.subject(), &format!("open {shown}"), refusal);
            }
            opened
        });
        opening.await.unwrap_or_else(|_| Err(Refusal::Failed { reason: "opening the session was interrupted".into() }))
    }

    /// Lives a session through, then takes it off the table.
    pub(crate) async fn attend(self: Arc<Self>, session: Arc<Session>, stage: Stage) {
        let place = Place { plane: Arc::clone(&self), id: Some(session.id.clone()) };
        self.config.aftermath.opened(session.id.as_str()).await;
        let outcome = tokio::select! {
            outcome = Arc::clone(&session).live(stage) => outcome,
            never = self.hold_to_count(&session) => match never {},
        };
        tracing::info!(session = %session.id, subject = %session.permit.subject.name, outcome = outcome.label(), "session closed");
        drop(place);
        self.config.journal.note(about(&session.permit), What::SessionClosed { reason: outcome.to_string() });
        self.config.aftermath.sealed(session.id.as_str()).await;
    }

    /// Ends the sessions that the revocations of this moment cover (THREATS W4); tokens and tickets ask them by themselves.
    pub fn end_revoked(&self, now: i64) {
        let live: Vec<_> = self.table().values().filter_map(Slot::live).cloned().collect();
        for session in live {
            if self.is_revoked_at(&session.permit, now) {
                session.end(Outcome::Revoked);
            }
        }
    }

    /// Whether the revocations of this moment cover what a permit was given for.
    pub(crate) fn is_revoked(&self, permit: &Permit) -> bool {
        self.is_revoked_at(permit, OffsetDateTime::now_utc().unix_timestamp())
    }

    fn is_revoked_at(&self, permit: &Permit, now: i64) -> bool {
        let Permit { id, subject, token, .. } = permit;
        self.config.verifier.revocations().covers_session(id.as_str(), subject, token.as_deref(), now)
    }

    /// Issues a one-time ticket for a session to its owner.
    ///
    /// # Errors
    /// When too many tickets are outstanding.
    pub fn ticket(&self, session: &Session, origin: &str) -> Result<Ticket, TicketError> {
        let grant = Grant {
            subject: session.permit.subject.name.clone(),
            session: session.id.as_str().to_owned(),
            origin: origin.to_owned(),
        };
        self.tickets.issue(grant, Instant::now())
    }

    /// The live sessions that a caller may know of: its own, or all for an administrator.
    #[must_use]
    pub fn sessions(&self, caller: &Caller) -> Vec<Arc<Session>> {
        let mut sessions: Vec<_> = self
            .table()
            .values()
            .filter_map(|slot| match slot {
                Slot::Live(session) if self.may_know(caller, session) => Some(Arc::clone(session)),
                _ => None,
            })
            .collect();
        sessions.sort_by(|a, b| b.id.cmp(&a.id));
        sessions
    }

    /// One live session that a caller may know of.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], the same whether there is none or it is somebody else's.
    pub fn session(&self, caller: &Caller, id: &str) -> Result<Arc<Session>, Refusal> {
        self.live(id)
            .filter(|session| self.may_know(caller, session))
            .ok_or_else(|| Refusal::Unknown { what: format!("session {id:?}") })
    }

    /// A live session by name alone; for bearers of a ticket that was issued for it.
    pub(crate) fn live(&self, id: &str) -> Option<Arc<Session>> {
        self.table().iter().find_map(|(known, slot)| match slot {
            Slot::Live(session) if known.as_str() == id => Some(Arc::clone(session)),
            _ => None,
        })
    }

    fn may_know(&self, caller: &Caller, session: &Session) -> bool {
        let subject = caller.subject();
        let own = same(subject, &session.permit.subject);
        let tied = caller.session().is_none_or(|id| id == session.id.as_str());
        tied && caller.covers(&session.permit.desktop) && (own || subject.groups.contains(&self.config.administrators))
    }

    /// Whether the gate is stopping and opens nothing more.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.tasks.is_closed()
    }

    /// What keeps this gate from opening sessions; empty when it is ready.
    #[must_use]
    pub fn obstacles(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.is_closing() {
            reasons.push("the gate is stopping".to_owned());
        }
        if self.count() >= self.config.most_sessions {
            reasons.push(format!("all {} sessions are in use", self.config.most_sessions));
        }
        if !self.config.recorder.spool.is_dir() {
            reasons.push(format!("the spool {} is not a folder", self.config.recorder.spool.display()));
        }
        reasons
    }

    /// Ends every session and waits for their seals, at most for the time given.
    pub async fn shut_down(&self, deadline: Duration) {
        self.tasks.close();
        for slot in self.table().values() {
            if let Slot::Live(session) = slot {
                session.end(Outcome::Stopping);
            }
        }
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            tracing::error!("sessions were still closing at the deadline; the next start recovers their evidence");
        }
        self.pool.close().await;
    }

    /// How many sessions are live or starting.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table().len()
    }

    /// The policy in force.
    #[must_use]
    pub fn policies(&self) -> Arc<Enforced> {
        self.config.policies.borrow().clone()
    }

    /// Writes a refusal to the journal.
    pub(crate) fn refused(&self, subject: &Subject, what: &str, refusal: &Refusal) {
        let (rule, revision) = match refusal {
            Refusal::Denied(verdict) => (verdict.rule.to_string(), verdict.revision.to_string()),
            Refusal::Limited { rule, revision, .. } => (rule.to_string(), revision.to_string()),
            _ => (String::new(), self.policies().revision().to_string()),
        };
        let about = About { subject: &subject.name, rule: &rule, policy: &revision, ..About::default() };
        self.config.journal.note(about, What::Refused { what: what.to_owned(), reason: refusal.to_string() });
    }

    pub(crate) fn insert(&self, session: &Arc<Session>) {
        self.table().insert(session.id.clone(), Slot::Live(Arc::clone(session)));
    }

    pub(crate) fn remove(&self, id: &SessionId) {
        self.table().remove(id);
    }

    pub(crate) fn table(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Slot>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reserved place, given back when opening fails, and when a session is over, whatever ends it.
pub(crate) struct Place {
    pub(crate) plane: Arc<Plane>,
    pub(crate) id: Option<SessionId>,
}

impl Place {
    pub(crate) fn keep(mut self) {
        self.id = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.plane.remove(&id);
        }
    }
}

impl fmt::Debug for Plane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plane").field("sessions", &self.count()).finish_non_exhaustive()
    }
}

/// Whose session an entry of the journal is about.
pub(crate) fn about(permit: &Permit) -> About<'_> {
    About { subject: &permit.subject.name, session: permit.id.as_str(), ..About::default() }
}
