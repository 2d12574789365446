//! The tether to a desktop: a link, and another in its place when the desktop was away for a moment.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use portcullis_evidence::What;
use portcullis_rfb::{Change, Point};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::bounds::Bounds;
use crate::greeting::greet;
use crate::held::Held;
use crate::link::{Act, Link, Severed};
use crate::outcome::Outcome;
use crate::runtime::{Desktop, Identity};
use crate::session::Session;

/// The pause before the first attempt to have a desktop back; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A link that held for this long starts the count of breaks anew.
const STEADY: Duration = Duration::from_secs(60);
/// Breaks in a row after which a desktop that always comes back is given up all the same.
const MOST_BREAKS: u32 = 5;

/// ExtendedDesktopSize's status for a size that nobody is there to take ("out of resources").
const AWAY: u16 = 2;

/// A session's hold on its desktop.
pub(crate) struct Tether {
    /// None while the desktop is away: what broke is closed before it is looked for.
    link: Option<Link>,
    held: Held,
    /// The time a desktop whose connection broke has to come back.
    absence: Duration,
    max_fps: u32,
    breaks: u32,
    /// The desktop that the record knows of.
    known: Identity,
}

impl Tether {
    /// A tether by a link that has not been run.
    pub(crate) fn new(link: Link, known: Identity, absence: Duration, max_fps: u32) -> Self {
        let middle = Point { x: link.size.width / 2, y: link.size.height / 2 };
        Self { link: Some(link), held: Held::nothing(middle), absence, max_fps, breaks: 0, known }
    }

    /// Serves the session until the desktop is gone for good, breaks the protocol, or the record fails.
    pub(crate) async fn run(
        &mut self,
        desktop: &dyn Desktop,
        session: &Session,
        acts: &mut mpsc::Receiver<Act>,
    ) -> Outcome {
        while let Some(link) = &mut self.link {
            let since = Instant::now();
            // INVARIANT: a desktop that broke the protocol is never connected to again; only a connection that broke is.
            let reason = match link.run(session, acts, &mut self.held, self.max_fps).await {
                Severed::Lost(reason) => reason,
                Severed::Over(outcome) => return outcome,
            };
            self.link = None;
            self.breaks = if since.elapsed() < STEADY { self.breaks + 1 } else { 1 };
            match self.reunite(desktop, session, acts, reason).await {
                Ok(link) => self.link = Some(link),
                Err(outcome) => return outcome,
            }
        }
        Outcome::DesktopEnded { reason: "it was let go".to_owned() }
    }

    /// Leaves the desktop with nothing pressed.
    pub(crate) async fn part(&mut self) {
        if let Some(link) = &mut self.link {
            link.part(&mut self.held).await;
        }
    }

    /// Waits for the desktop to be back, with its screen as it was for the viewers. What they do meanwhile is not kept for it.
    async fn reunite(
        &mut self,
        desktop: &dyn Desktop,
        session: &Session,
        acts: &mut mpsc::Receiver<Act>,
        reason: String,
    ) -> Result<Link, Outcome> {
        if self.absence.is_zero() {
            return Err(Outcome::DesktopEnded { reason });
        }
        session.note(What::DesktopLost { reason: reason.clone() })?;
        tracing::warn!(session = %session.id, reason, "the desktop is away and is sought again");
        if self.breaks > MOST_BREAKS {
            let reason = format!("{reason}; it did so {} times without holding for a minute", self.breaks);
            return Err(Outcome::DesktopEnded { reason });
        }
        let lost = Instant::now();
        let pressed = self.held.let_go();
        let mut last = reason;
        let link = tokio::select! {
            never = miss(session, acts, &mut self.held) => match never {},
            link = timeout(self.absence, attempts(desktop, &session.bounds, &mut last)) => link,
        };
        let Ok(link) = link else {
            return Err(Outcome::DesktopEnded {
                reason: format!("{last}; it was away for {} s", self.absence.as_secs()),
            });
        };
        let mut link = link?;
        // INVARIANT: nothing that was done before this moment reaches what came back, which may be in another state.
        while let Ok(act) = acts.try_recv() {
            missed(session, &mut self.held, &act);
        }
        let away_us = u64::try_from(lost.elapsed().as_micros()).unwrap_or(u64::MAX);
        session.note(What::DesktopBack { away_us })?;
        if desktop.identity() != self.known {
            self.known = desktop.identity();
            session.note_desktop(&self.known)?;
        }
        tracing::info!(session = %session.id, away_us, "the desktop is back");
        let size = session.screen().size();
        if link.size != size {
            session.show(vec![Change::Resize(link.size)]).await?;
        }
        link.let_go(pressed);
        Ok(link)
    }
}

/// Attempts until one succeeds or fails for good; `last` is why the last one failed.
async fn attempts(desktop: &dyn Desktop, bounds: &Bounds, last: &mut String) -> Result<Link, Outcome> {
    let mut pause = FIRST_PAUSE;
    loop {
        sleep(pause).await;
        match greet(desktop, bounds).await {
            Ok(link) => return Ok(link),
            Err(Severed::Over(outcome)) => return Err(outcome),
            Err(Severed::Lost(reason)) => *last = reason,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Drops what viewers do, for as long as it is asked.
async fn miss(session: &Session, acts: &mut mpsc::Receiver<Act>, held: &mut Held) -> Infallible {
    while let Some(act) = acts.recv().await {
        missed(session, held, &act);
    }
    std::future::pending().await
}

fn missed(session: &Session, held: &mut Held, act: &Act) {
    match act {
        Act::Key(_) | Act::Paste(_) => {}
        Act::Pointer(pointer) => held.missed(*pointer),
        Act::SetSize(_) => session.size_refused(AWAY),
    }
}
