//! What is done for a running recording each second.
use std::sync::Arc;
use std::time::Duration;

use portcullis_evidence::What;
use tokio::time::MissedTickBehavior;

use crate::bundle::Bundle;
use crate::clock::Clock;
use crate::error::RecordError;
use crate::failure::Failure;
use crate::handover::HandOver;
use crate::recording::blocking;
use crate::worker::Pulse;

/// How often what was written is synced, and the encoder looked after.
const EVERY: Duration = Duration::from_secs(1);

/// Each second: what was written becomes durable, the log notes that the session lives, and the encoder is looked at.
pub(crate) struct Keeper {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) log: Arc<HandOver>,
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) failure: Arc<Failure>,
    pub(crate) pulse: Arc<Pulse>,
    /// How long the encoder may be at one thing, in microseconds.
    pub(crate) stall_us: u64,
}

impl Keeper {
    /// Until the recording fails or this is aborted.
    pub(crate) async fn run(self) {
        let keeper = Arc::new(self);
        let mut failed = keeper.failure.watch();
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while keeper.failure.reason().is_none() {
            tokio::select! {
                _ = every.tick() => {}
                _ = failed.changed() => break,
            }
            if keeper.pulse.busy_us(keeper.clock.now_us()) > keeper.stall_us {
                keeper.failure.say(&keeper.log, &RecordError::Stuck);
            }
            let worker = Arc::clone(&keeper);
            if let Err(error) = blocking(move || worker.sync()).await {
                keeper.failure.say(&keeper.log, &error);
            }
        }
        if let Err(error) = blocking(move || keeper.tell_gap()).await {
            tracing::error!(error = %error.in_full(), "a gap could not be recorded");
        }
    }

    /// Says on the record that it ends here. On a full disk, in the room that was kept for it.
    fn tell_gap(&self) -> Result<(), RecordError> {
        let at_us = self.failure.at_us().unwrap_or(0);
        let reason = format!("the recording failed: {}", self.failure.reason().unwrap_or_default());
        self.bundle.release_room()?;
        self.bundle.own_event(What::Gap { from_us: at_us, to_us: at_us, reason })?;
        self.bundle.sync()
    }

    fn sync(&self) -> Result<(), RecordError> {
        self.log.sync().map_err(RecordError::Log)?;
        self.bundle.sync()
    }
}
