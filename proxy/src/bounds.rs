//! The bounds of a gate's sessions: what viewers and desktops may make it do in a second, wait for, and hold.

use std::time::Duration;

use portcullis_rfb::Limits;

use crate::pace::Rate;

/// The bounds of every session. What policy permits is permitted within them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What a connection may make the gate hold, on either side.
    pub rfb: Limits,
    /// The time that viewer and desktop have for the RFB handshake.
    pub handshake: Duration,
    /// The time from a viewer's first byte of a message to its last.
    pub message: Duration,
    /// The time that a viewer has to take one message; a zero window for longer drops the viewer, never the session.
    pub send: Duration,
    /// How often a viewer is pinged.
    pub ping: Duration,
    /// After how long a silence a viewer is given up.
    pub silence: Duration,
    /// The most that one WebSocket message of a viewer may hold, in bytes.
    pub message_bytes: usize,
    /// Viewers that a session may have at once: each has an encoder and up to one update of memory.
    pub viewers: u32,
    /// Keys pressed, or let go without having been, that reach the desktop; a viewer that is faster waits. No rate of policy's is above it.
    pub keys: Rate,
    /// Buttons pressed or released that reach the desktop; a viewer that is faster waits.
    pub clicks: Rate,
    /// Pointer positions that reach the desktop; faster ones are merged into the newest (THREATS X8).
    pub pointer: Rate,
    /// Sizes that are asked of the desktop; more are refused.
    pub resizes: Rate,
    /// Whole screens that a viewer may ask for again (THREATS D5).
    pub refreshes: Rate,
    /// Clipboard texts that are judged, each way; more than that are dropped.
    pub texts: Rate,
    /// Bells that reach a viewer (THREATS X2).
    pub bells: Rate,
    /// Messages that are taken from a desktop; one that sends more is read later (THREATS D7). An honest one sends some sixty updates and
    /// a few bells.
    pub desktop_messages: Rate,
    /// New sizes that are taken from a desktop: each begins a segment of the recording (THREATS D1).
    pub desktop_sizes: Rate,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            rfb: Limits::default(),
            handshake: Duration::from_secs(10),
            message: Duration::from_secs(5),
            send: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            message_bytes: 1024 * 1024,
            viewers: 8,
            keys: Rate::new(60, 120),
            clicks: Rate::new(50, 100),
            pointer: Rate::new(125, 2),
            resizes: Rate::new(2, 4),
            refreshes: Rate::new(1, 1),
            texts: Rate::new(10, 20),
            bells: Rate::new(1, 1),
            desktop_messages: Rate::new(10_000, 2_000),
            desktop_sizes: Rate::new(4, 8),
        }
    }
}
