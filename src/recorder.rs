//! How recordings are made, as the configuration says.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use portcullis_recorder::{Ahead, Config as Recorder, Encrypting};

use crate::config::Config;
use crate::data::Data;

/// To whom recordings are encrypted. The folder of its keys must be in the machine's memory.
pub(crate) fn encrypting(config: &Config) -> anyhow::Result<Option<Encrypting>> {
    let Some(recipients) = config.recording.recipients()?.filter(|_| config.recording.encrypt) else { return Ok(None) };
    let keys = config.recording.keys();
    portcullis_recorder::check_keys(&keys).context("`recording.key_folder`")?;
    tracing::info!(recipients = ?recipients.names(), keys = %keys.display(), "recordings are encrypted");
    Ok(Some(Encrypting { recipients, keys }))
}

/// How recordings are made.
pub(crate) fn of(config: &Config, data: &Data, encrypting: Option<Encrypting>) -> Recorder {
    let written = &config.recording;
    let mut recorder = Recorder::new(data.spool());
    recorder.ring_bytes = written.handover_mib.saturating_mul(1024 * 1024);
    recorder.segment = Duration::from_secs(written.segment_seconds);
    recorder.still = Duration::from_secs(written.still_seconds);
    recorder.crf = written.crf;
    recorder.threads = written.threads;
    recorder.encrypting = encrypting;
    recorder.patience = config.vault.patience().unwrap_or(recorder.patience);
    recorder
}

/// Where desktops stand ready, so does the beginning of a recording.
pub(crate) fn prepare(config: &Config, recorder: &mut Recorder) {
    let Some(warm) = config.desktops.iter().find(|desktop| desktop.warm.count > 0) else { return };
    let ahead = Arc::new(Ahead::default());
    ahead.prepare(recorder.clone(), warm.size);
    recorder.ahead = Some(ahead);
}
