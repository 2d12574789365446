//! What keeps desktops standing ready: started ahead, heard of, replaced when what they are made from changes, given up when room is needed.

#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::time::sleep;

use super::shelf::Member;
use super::{Pool, WORD_WITHIN, answers};
use crate::SessionId;
use crate::outcome::chain;
use crate::runtime::{READY_WITHIN, RuntimeError, Template};

/// How often each template is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long what was taken is left alone with the machine before another is started in its place: somebody waits for its first picture.
const LET_BEGIN: Duration = Duration::from_secs(1);
/// How long one stands without being heard of.
const HEAR_EVERY: Duration = Duration::from_secs(30);
/// The longest rest after starts that failed.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How often what belongs to nobody is looked for.
const REAP_EVERY: Duration = Duration::from_secs(60);

impl Pool {
    /// Begins to keep desktops ready, to know how templates stand, and to end what belongs to nobody; until [`Pool::close`].
    pub fn tend(self: &Arc<Self>) {
        for template in self.templates.clone() {
            let pool = Arc::clone(self);
            self.tasks.spawn(pool.keep(template));
        }
        let pool = Arc::clone(self);
        self.tasks.spawn(async move { pool.closed.clone().run_until_cancelled_owned(pool.sweep()).await });
    }

    async fn sweep(self: Arc<Self>) {
        loop {
            sleep(REAP_EVERY).await;
            for runtime in &self.runtimes {
                match runtime.reap().await {
                    Ok(0) => {}
                    Ok(count) => {
                        tracing::warn!(runtime = runtime.name(), count, "ended desktops that belonged to nobody")
                    }
                    Err(error) => tracing::warn!(
                        runtime = runtime.name(),
                        error = chain(&error),
                        "desktops could not be looked for"
                    ),
                }
            }
        }
    }

    async fn keep(self: Arc<Self>, template: Template) {
        let mut rest = LOOK_EVERY;
        // What is being started is started to its end, so that it can be ended in order.
        while !self.closed.is_cancelled() {
            // Listened to before the look: who takes one or begins to wait while it lasts is heard after it.
            let (mut taken, mut pressed) = (pin!(self.taken.notified()), pin!(self.room.pressed.notified()));
            taken.as_mut().enable();
            pressed.as_mut().enable();
            let round = self.look_after(&template).await;
            let fault = round.as_ref().err().map(|error| chain(error));
            if let Some(fault) = &fault {
                tracing::warn!(desktop = template.name, fault, "a desktop cannot be had");
            }
            rest = if fault.is_some() { (rest * 2).min(LONGEST_REST) } else { LOOK_EVERY };
            self.shelves().entry(template.name.clone()).or_default().fault = fault;
            tokio::select! {
                () = sleep(rest) => {}
                () = taken, if rest == LOOK_EVERY => {
                    tokio::select! { () = sleep(LET_BEGIN) => {}, () = self.closed.cancelled() => {} }
                }
                () = pressed => {}
                () = self.closed.cancelled() => {}
            }
        }
    }

    /// One look at a template: what is no good is ended, what lacks is started.
    async fn look_after(&self, template: &Template) -> Result<(), RuntimeError> {
        let runtime = self.runtime(template)?;
        let origin = runtime.origin(template).await;
        let good = |member: &Member| {
            let made_from_it = match &origin {
                Ok(origin) => *origin == member.origin,
                // An Engine that is away says nothing about what runs.
                Err(RuntimeError::Engine { .. }) => true,
                Err(_) => false,
            };
            made_from_it && member.desktop.ended().now_or_never().is_none()
        };
        let weeded = self.shelves().entry(template.name.clone()).or_default().weed(good);
        for member in weeded {
            tracing::info!(desktop = template.name, "one that stood ready is of no use any more");
            member.desktop.destroy().await;
        }
        let origin = origin?;
        self.hear(template).await;
        loop {
            let wanted = {
                let mut shelves = self.shelves();
                let shelf = shelves.entry(template.name.clone()).or_default();
                let aim = shelf.aim(template.warm, Instant::now());
                if self.closed.is_cancelled() {
                    None
                } else if shelf.len() > aim || (shelf.len() > 0 && self.room.is_pressed()) {
                    shelf.give_up().map(Err)
                } else {
                    (shelf.len() < aim).then_some(Ok(()))
                }
            };
            match wanted {
                None => return Ok(()),
                Some(Err(surplus)) => surplus.desktop.destroy().await,
                Some(Ok(())) => {
                    // No room is no fault: those who ask come first.
                    let Some(share) = self.room.try_take(template.cost()) else { return Ok(()) };
                    let desktop = runtime.start(template, &SessionId::generate()).await?;
                    // Its socket accepts before its server speaks: who is given it is not to wait for that.
                    if !answers(desktop.as_ref(), false, READY_WITHIN).await {
                        desktop.destroy().await;
                        return Err(RuntimeError::NotReady { waited: READY_WITHIN });
                    }
                    if template.warm.paused {
                        desktop.pause().await?;
                    }
                    let member = Member {
                        desktop,
                        share,
                        template: template.clone(),
                        origin: origin.clone(),
                        heard: Instant::now(),
                    };
                    self.shelves().entry(template.name.clone()).or_default().put(member);
                }
            }
        }
    }

    /// Hears of those that were silent for long, one at a time; one that is paused says nothing, and is heard when it is needed.
    async fn hear(&self, template: &Template) {
        if template.warm.paused {
            return;
        }
        let Some(then) = Instant::now().checked_sub(HEAR_EVERY) else { return };
        loop {
            let silent = self.shelves().entry(template.name.clone()).or_default().unheard(then);
            let Some(mut member) = silent else { return };
            if answers(member.desktop.as_ref(), false, WORD_WITHIN).await {
                member.heard = Instant::now();
                self.shelves().entry(template.name.clone()).or_default().put(member);
            } else {
                tracing::warn!(desktop = template.name, "one that stood ready does not answer");
                member.desktop.destroy().await;
            }
        }
    }
}
