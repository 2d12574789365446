//! What a recorder is told once: where it works, how much room it has, how good the video is.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_evidence::Recipients;

use crate::ahead::Ahead;

/// Bytes of a hand-over log unless told otherwise: some seven full screens of 1920x1080.
pub const RING_BYTES: u64 = 64 * 1024 * 1024;
/// The smallest hand-over log: it holds the largest cursor and rows of the largest screen.
pub const MIN_RING_BYTES: u64 = 1024 * 1024;

/// The settings of every recording of a gate. [`Config::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of what is not yet in the vault, one folder per session.
    pub spool: PathBuf,
    /// Bytes of each session's hand-over log, allocated when it starts; raised to [`MIN_RING_BYTES`].
    pub ring_bytes: u64,
    /// The least length of a segment: the first picture after this begins the next one, once those behind the key picture of this one
    /// take as much room as that does. So key pictures are at most half of a recording.
    pub segment: Duration,
    /// The longest segment, of a screen that is still or next to it.
    pub still: Duration,
    /// Constant rate factor of libx264, 0 (lossless) to 51.
    pub crf: u8,
    /// Threads of one session's encoder. One is cheapest; more shorten the time of a large change.
    pub threads: u32,
    /// How long the encoder may make no progress while the hand-over log is full, before the recording fails.
    pub stall: Duration,
    /// How long the vault may refuse a file, tried again and again, before the recording fails; the manifest, with which a session begins,
    /// no longer than ten seconds.
    pub patience: Duration,
    /// To whom events and video are encrypted before they touch the disk; `None` leaves them clear.
    pub encrypting: Option<Encrypting>,
    /// Where the next recording's beginning is prepared before it is asked for; `None` prepares nothing.
    pub ahead: Option<Arc<Ahead>>,
}

/// To whom a gate's recordings are encrypted.
#[derive(Debug, Clone)]
pub struct Encrypting {
    /// Those who alone can look.
    pub recipients: Recipients,
    /// A folder in the machine's memory (tmpfs, [`crate::check_keys`]) for the keys of what a killed gate must find again.
    pub keys: PathBuf,
}

impl Config {
    /// The defaults, with sessions spooled under `spool`.
    #[must_use]
    pub fn new(spool: PathBuf) -> Self {
        Self {
            spool,
            ring_bytes: RING_BYTES,
            segment: Duration::from_secs(10),
            still: Duration::from_secs(60),
            crf: 23,
            threads: 1,
            stall: Duration::from_secs(10),
            patience: Duration::from_millis(1500),
            encrypting: None,
            ahead: None,
        }
    }
}
