//! Where a session's desktop comes from: one that stands ready, or a new one; and what keeps some standing ready.

mod shelf;
mod tending;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_policy::Subject;
use portcullis_rfb::desktop::Config;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::shelf::{Member, Shelf};
use super::revive::{Another, Revived};
use super::room::{Capacity, Full, Room, Share};
use super::{Desktop, Identity, OnExit, Runtime, RuntimeError, Stream, Template, Transfer};
use crate::SessionId;
use crate::outcome::chain;

pub use self::shelf::State;

/// How long a desktop that stood ready may take for its first word.
const WORD_WITHIN: Duration = Duration::from_secs(5);
/// What an RFB server says first.
const FIRST_WORD: usize = 12;

/// The desktops of a gate, ready and yet to be started.
pub struct Pool {
    templates: Vec<Template>,
    runtimes: Vec<Arc<dyn Runtime>>,
    room: Arc<Room>,
    shelves: Mutex<HashMap<String, Shelf>>,
    /// Told when something was taken, so that it is replaced.
    taken: Notify,
    closed: CancellationToken,
    tasks: TaskTracker,
}

/// Room for one desktop, and perhaps the desktop, which nobody has touched yet. Dropping it gives both back.
pub struct Admission {
    member: Option<Member>,
    share: Option<Share>,
    /// Whether it had to be waited for.
    pub(crate) waited: bool,
}

impl Pool {
    /// A pool in which nothing stands ready yet; [`Pool::tend`] sees to that.
    #[must_use]
    pub fn new(templates: Vec<Template>, runtimes: Vec<Arc<dyn Runtime>>, capacity: Capacity) -> Arc<Self> {
        Arc::new(Self {
            templates,
            runtimes,
            room: Room::new(capacity),
            shelves: Mutex::default(),
            taken: Notify::new(),
            closed: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Takes room for a desktop of `template`, in turn; what stands ready has its room already.
    ///
    /// # Errors
    /// [`Full`], after the wait that the configuration says.
    pub async fn admit(&self, template: &Template, subject: &Subject) -> Result<Admission, Full> {
        if let Some(member) = self.take(template) {
            return Ok(Admission { member: Some(member), share: None, waited: false });
        }
        let share = self.room.try_take(template.cost());
        let waited = share.is_none();
        let share = match share {
            Some(share) => share,
            None => self.room.take(template.cost(), subject).await?,
        };
        Ok(Admission { member: None, share: Some(share), waited })
    }

    /// The desktop that was admitted: the one that stood ready if it answers, else a new one under the session's name.
    ///
    /// # Errors
    /// As [`Runtime::start`].
    pub async fn start(
        self: &Arc<Self>,
        template: &Template,
        session: &SessionId,
        admission: Admission,
    ) -> Result<Box<dyn Desktop>, RuntimeError> {
        let Admission { member, share, .. } = admission;
        let began = Began { pool: Arc::clone(self), template: template.clone() };
        let (desktop, share, warm) = match member {
            Some(member) if answers(member.desktop.as_ref(), member.template.warm.paused, WORD_WITHIN).await => {
                (member.desktop, Some(member.share), true)
            }
            Some(member) => {
                let name = member.desktop.identity().name;
                tracing::warn!(desktop = name, "what stood ready does not answer; another is started");
                member.desktop.destroy().await;
                let desktop = self.runtime(template)?.start(template, session).await?;
                (desktop, Some(member.share), false)
            }
            None => (self.runtime(template)?.start(template, session).await?, share, false),
        };
        let desktop: Box<dyn Desktop> = match template.on_exit {
            OnExit::End => desktop,
            OnExit::Restart => Box::new(Revived::new(desktop, began)),
        };
        let first = if warm { desktop.identity().name } else { String::new() };
        Ok(Box::new(Held { desktop, warm: first, _share: share }))
    }

    /// How a template stands: ready, to be started, or not to be had.
    #[must_use]
    pub fn state(&self, template: &str) -> State {
        self.shelves().get(template).map_or(State::Cold, Shelf::state)
    }

    /// How many desktops stand ready, and how many openings wait for room.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.shelves().values().map(Shelf::len).sum(), self.room.waiting())
    }

    /// How many openings wait for room, and the subject's own place among them (1 is next).
    #[must_use]
    pub fn line(&self, subject: &Subject) -> (usize, Option<usize>) {
        self.room.line(subject)
    }

    /// Ends what stands ready, and readies nothing more.
    pub async fn close(&self) {
        self.closed.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let members: Vec<_> = self.shelves().values_mut().flat_map(Shelf::clear).collect();
        futures_util::future::join_all(members.iter().map(|member| member.desktop.destroy())).await;
    }

    fn take(&self, template: &Template) -> Option<Member> {
        let member = self.shelves().get_mut(&template.name).and_then(|shelf| shelf.claim(template));
        self.taken.notify_waiters();
        member
    }

    fn runtime(&self, template: &Template) -> Result<&Arc<dyn Runtime>, RuntimeError> {
        let wanted = template.kind.runtime();
        let found = self.runtimes.iter().find(|runtime| runtime.name() == wanted);
        found.ok_or_else(|| RuntimeError::NoRuntime { runtime: wanted })
    }

    fn shelves(&self) -> MutexGuard<'_, HashMap<String, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a desktop go on, if it was paused, and hears whether its VNC server speaks.
async fn answers(desktop: &dyn Desktop, paused: bool, within: Duration) -> bool {
    let word = async {
        if paused {
            desktop.resume().await?;
        }
        let mut word = [0; FIRST_WORD];
        let read = desktop.connect().await?.read_exact(&mut word).await;
        read.map(drop).map_err(|source| RuntimeError::Reach { source })
    };
    match timeout(within, word).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(error = chain(&error), "a desktop that stands ready does not answer");
            false
        }
        Err(_) => false,
    }
}

/// How a session's desktop began, for the one that takes its place.
struct Began {
    pool: Arc<Pool>,
    template: Template,
}

#[async_trait]
impl Another for Began {
    async fn start(&self) -> Result<Box<dyn Desktop>, RuntimeError> {
        // Its room is the session's, which has it still; and what stands ready is left to those who begin.
        self.pool.runtime(&self.template)?.start(&self.template, &SessionId::generate()).await
    }
}

/// A session's desktop with its share of the room.
struct Held {
    desktop: Box<dyn Desktop>,
    /// The name of the one that stood ready; empty where none did.
    warm: String,
    _share: Option<Share>,
}

#[async_trait]
impl Desktop for Held {
    fn rfb(&self) -> Config {
        self.desktop.rfb()
    }

    fn identity(&self) -> Identity {
        let identity = self.desktop.identity();
        Identity { warm: !self.warm.is_empty() && identity.name == self.warm, ..identity }
    }

    async fn connect(&self) -> Result<Stream, RuntimeError> {
        self.desktop.connect().await
    }

    async fn secure(&self, stream: Stream) -> Result<Stream, RuntimeError> {
        self.desktop.secure(stream).await
    }

    async fn pause(&self) -> Result<(), RuntimeError> {
        self.desktop.pause().await
    }

    async fn resume(&self) -> Result<(), RuntimeError> {
        self.desktop.resume().await
    }

    async fn outward(&self) -> UnixStream {
        self.desktop.outward().await
    }

    fn transfer(&self) -> Option<Arc<dyn Transfer>> {
        self.desktop.transfer()
    }

    async fn ended(&self) -> String {
        self.desktop.ended().await
    }

    async fn destroy(&self) {
        self.desktop.destroy().await;
    }
}
