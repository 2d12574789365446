//! The one word on whether a recording can still record.
use std::sync::OnceLock;

use tokio::sync::watch;

use crate::error::RecordError;
use crate::handover::HandOver;

/// Says why a recording failed, once.
#[derive(Debug)]
pub(crate) struct Failure {
    reason: watch::Sender<Option<String>>,
    at_us: OnceLock<u64>,
}

impl Failure {
    pub(crate) fn new() -> Self {
        Self { reason: watch::Sender::new(None), at_us: OnceLock::new() }
    }

    /// Says that the recording failed, and lets go who waits for room in its log. The first reason stays.
    pub(crate) fn say(&self, log: &HandOver, error: &RecordError) {
        self.at_us.get_or_init(|| log.now_us());
        let first = self.reason.send_if_modified(|reason| {
            let first = reason.is_none();
            reason.get_or_insert_with(|| error.in_full());
            first
        });
        if first {
            tracing::error!(reason = %error.in_full(), "a recording failed");
        }
        log.end();
    }

    /// The reason, once there is one.
    pub(crate) fn reason(&self) -> Option<String> {
        self.reason.borrow().clone()
    }

    /// When it failed, on the media clock.
    pub(crate) fn at_us(&self) -> Option<u64> {
        self.at_us.get().copied()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.reason.subscribe()
    }

    /// `Ok`, or the failure as an error.
    pub(crate) fn check(&self) -> Result<(), RecordError> {
        match self.reason() {
            Some(reason) => Err(RecordError::Failed(reason)),
            None => Ok(()),
        }
    }
}
