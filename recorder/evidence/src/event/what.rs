//! What happened: the types of events and their members.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{KeepLock, Stroke};

/// What happened. Contents of clipboards and files never appear here but encrypted, where policy asks for it, and which keys were pressed only where policy asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// The session was permitted and its record begins.
    SessionOpened {
        /// The desktop's name.
        desktop: String,
        /// The runtime that provides it: `process`, `docker`, `static`.
        runtime: String,
    },
    /// The session ended.
    SessionClosed {
        /// Why, in words for a person.
        reason: String,
    },
    /// A viewer connected.
    ViewerJoined {
        /// Number of the viewer in this session, from 1.
        viewer: u32,
        /// The Origin header of its WebSocket; empty when there was none.
        origin: String,
    },
    /// A viewer went.
    ViewerLeft {
        /// Number of the viewer.
        viewer: u32,
        /// Why, in words for a person.
        reason: String,
        /// The highest revision of the screen that it was sent.
        sent_revision: u64,
    },
    /// Keys were pressed since the last such event: how many, never which.
    Keys {
        /// Number of the viewer.
        viewer: u32,
        /// How many presses.
        pressed: u32,
    },
    /// Which keys went down and up since the last such event, in order: where policy says `recording.keys: keys`, in place of `keys`.
    Strokes {
        /// Number of the viewer.
        viewer: u32,
        /// The keys, at most 128.
        strokes: Vec<Stroke>,
    },
    /// Keys of a viewer that a rule of policy's `input` looked at: one event for a burst of them.
    Input {
        /// Number of the viewer.
        viewer: u32,
        /// Whether they reached the desktop.
        effect: Effect,
        /// `keys`: faster than they may be. `typed_paste`: as only a program types them. `chord`: a blocked one.
        kind: String,
        /// How many presses.
        count: u32,
        /// Words for a person.
        reason: String,
    },
    /// Buttons were pressed since the last such event.
    Clicks {
        /// Number of the viewer.
        viewer: u32,
        /// How many presses.
        pressed: u32,
        /// Where the last one was, in pixels from the left.
        x: u16,
        /// Where the last one was, in pixels from the top.
        y: u16,
    },
    /// Text was offered from a viewer's clipboard to the desktop.
    Paste {
        /// Number of the viewer.
        viewer: u32,
        /// Whether it crossed.
        effect: Effect,
        /// Length of the text in bytes of UTF-8, its lines ended by LF; as its sender says, or 0, when it was not read.
        bytes: u64,
        /// SHA-256 of the text's UTF-8, 64 hexadecimal digits; empty when it was not read. Of a redacted text, that of the whole.
        sha256: String,
        /// Words for a person.
        reason: String,
        /// Names of the detectors that found something of what policy looks for: `payment-card`, `regex`, `words:FILE`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found: Vec<String>,
        /// In how many places it was redacted before it crossed, where it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redacted: Option<u32>,
    },
    /// Text was offered from the desktop's clipboard to a viewer.
    Copy {
        /// Number of the viewer.
        viewer: u32,
        /// Whether it crossed.
        effect: Effect,
        /// Length of the text in bytes of UTF-8, its lines ended by LF; as its sender says, or 0, when it was not read.
        bytes: u64,
        /// SHA-256 of the text's UTF-8, 64 hexadecimal digits; empty when it was not read. Of a redacted text, that of the whole.
        sha256: String,
        /// Words for a person.
        reason: String,
        /// Names of the detectors that found something of what policy looks for: `payment-card`, `regex`, `words:FILE`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found: Vec<String>,
        /// In how many places it was redacted before it crossed, where it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redacted: Option<u32>,
    },
    /// A part of a text that policy keeps, as it was offered, encrypted to the recipients that the gate is configured with.
    Contents {
        /// `seq` of the event of the text.
        of: u64,
        /// Number of the part, from 1.
        part: u32,
        /// How many parts there are.
        parts: u32,
        /// The part of the age file: base64url without padding, of at most 8 KiB.
        age: String,
    },
    /// A file was brought to go into the desktop.
    Upload {
        /// Whether it crossed.
        effect: Effect,
        /// Its name, one component of a path.
        name: String,
        /// Its length in bytes; when it was not read to its end, what was read or what its sender says of it, or 0.
        bytes: u64,
        /// Its media type by its bytes; empty when it was not looked at.
        media_type: String,
        /// SHA-256 of its bytes, 64 hexadecimal digits; empty when it was not read to its end.
        sha256: String,
        /// What was found in it: names of detectors, sorted; absent when nothing was.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found: Vec<String>,
        /// Members of archives that were looked at; absent when there were none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archive_entries: Option<u32>,
        /// Where its quarantined copy lies below the gate's folder for them; absent when there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quarantined: Option<String>,
        /// SHA-256 of what was handed over in its place: the picture without its metadata; absent when it crossed as it was, or not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stripped_sha256: Option<String>,
        /// Words for a person.
        reason: String,
    },
    /// A file was asked for out of the desktop.
    Download {
        /// Whether it crossed.
        effect: Effect,
        /// Its name, one component of a path.
        name: String,
        /// Its length in bytes; when it was not read to its end, what was read or what its sender says of it, or 0.
        bytes: u64,
        /// Its media type by its bytes; empty when it was not looked at.
        media_type: String,
        /// SHA-256 of its bytes, 64 hexadecimal digits; empty when it was not read to its end.
        sha256: String,
        /// What was found in it: names of detectors, sorted; absent when nothing was.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found: Vec<String>,
        /// Members of archives that were looked at; absent when there were none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archive_entries: Option<u32>,
        /// Where its quarantined copy lies below the gate's folder for them; absent when there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quarantined: Option<String>,
        /// SHA-256 of what was handed over in its place: the picture without its metadata; absent when it crossed as it was, or not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stripped_sha256: Option<String>,
        /// Words for a person.
        reason: String,
    },
    /// A viewer's right to use keyboard and mouse was decided.
    Control {
        /// Number of the viewer.
        viewer: u32,
        /// Whether it may.
        effect: Effect,
        /// Words for a person.
        reason: String,
    },
    /// The screen has a new size.
    Resized {
        /// In pixels.
        width: u16,
        /// In pixels.
        height: u16,
    },
    /// Something was refused that no other event describes.
    Refused {
        /// What was asked for.
        what: String,
        /// Words for a person.
        reason: String,
    },
    /// One side broke the protocol and was cut off.
    ProtocolViolation {
        /// `viewer` or `desktop`.
        side: String,
        /// Message, field and reason.
        reason: String,
    },
    /// The record lacks a stretch of time.
    Gap {
        /// Where it begins, microseconds since the session's start.
        from_us: u64,
        /// Where it ends, not before `from_us`.
        to_us: u64,
        /// Words for a person.
        reason: String,
    },
    /// New policies were put in force and this session was judged again.
    PolicyChanged {
        /// Whether it may go on.
        effect: Effect,
        /// Words for a person.
        reason: String,
    },
    /// The desktop rang its bell.
    Bell {},
    /// The connection to the desktop broke and is being sought again; what viewers do meanwhile does not reach it.
    DesktopLost {
        /// Why, in words for a person.
        reason: String,
    },
    /// The desktop is back, and its whole screen follows.
    DesktopBack {
        /// For how long it was away, in microseconds.
        away_us: u64,
    },
    /// A rule about what is seen of the desktop holds from now on, or no longer; the event's rule is the one.
    ScreenRule {
        /// Whether it holds.
        holds: bool,
        /// Its key in the policy language: `screen.mask`.
        key: String,
        /// Its value as the language writes it: `400x40 at 0,0, clicks deny, recorded masked`.
        value: String,
    },
    /// Which desktop the session has from now on.
    DesktopStarted {
        /// The name that it was started under; that of its container is `portcullis-` and this.
        name: String,
        /// The id of the image that it was made from, `sha256:…`; empty where there is none.
        image: String,
        /// Whether it was running before the session began.
        warm: bool,
    },
    /// The desktop asked for a connection to the outside.
    Egress {
        /// Whether it was carried.
        effect: Effect,
        /// Where to: a name or an address as the desktop wrote it; empty when that could not be read.
        host: String,
        /// The port; 0 when it could not be read.
        port: u16,
        /// `proxy` or `allow` where it was carried, else why not, in words for a person.
        reason: String,
    },
    /// A connection to the outside ended.
    EgressEnded {
        /// Where to.
        host: String,
        /// The port.
        port: u16,
        /// Bytes out of the desktop.
        sent: u64,
        /// Bytes into the desktop.
        received: u64,
    },
    /// Policy asks from now on that the recording is kept for longer, or locked more firmly.
    KeepExtended {
        /// How it is locked.
        lock: KeepLock,
        /// For how many seconds from its end on it is kept.
        seconds: u64,
    },
    /// The subject signed in at the portal; in the gate's journal only, like all that follow.
    SignedIn {},
    /// The subject signed out of the portal.
    SignedOut {},
    /// The subject began to look at the recording of the session that the event names.
    Viewed {
        /// `video`, `events`, `export`, `bundle` or `thumbnail`.
        part: String,
    },
    /// The subject searched the recordings, or filtered the list of them.
    Searched {
        /// What for, by the parameters of the address.
        query: BTreeMap<String, String>,
    },
    /// The subject wrote a note on the recording of the session that the event names, or set a bookmark.
    NoteAdded {
        /// Length of the text in bytes of UTF-8; 0 of a bookmark's.
        bytes: u64,
        /// SHA-256 of the text's UTF-8, 64 hexadecimal digits.
        sha256: String,
    },
    /// The subject took a note or a bookmark away.
    NoteRemoved {
        /// Length of the text in bytes of UTF-8; 0 of a bookmark's.
        bytes: u64,
        /// SHA-256 of the text's UTF-8, 64 hexadecimal digits.
        sha256: String,
    },
    /// The time of a recording was over: its events and video go.
    RecordingExpired {
        /// The session's id.
        recording: String,
        /// By what rule, in words for a person.
        reason: String,
    },
    /// The vault no longer shows a recording that the index knows: it was removed, hidden or moved.
    RecordingMissing {
        /// The session's id.
        recording: String,
    },
    /// The video of a recording went, and what was made of it stays.
    RecordingReplaced {
        /// The session's id.
        recording: String,
        /// SHA-256 of the `derivation.json` of what stays.
        derivation: String,
        /// By what rule, in words for a person.
        reason: String,
    },
    /// The time of a quarantined copy of a file was over: it goes.
    QuarantineExpired {
        /// Where it lay below the gate's folder for them.
        copy: String,
        /// Its length in bytes, encrypted.
        bytes: u64,
        /// By what rule, in words for a person.
        reason: String,
    },
    /// A recording is held: it does not expire.
    RecordingHeld {
        /// The session's id.
        recording: String,
        /// Why, in words for a person.
        reason: String,
    },
    /// A recording is no longer held.
    RecordingReleased {
        /// The session's id.
        recording: String,
        /// Why, in words for a person.
        reason: String,
    },
}

/// How a rule decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It was let through.
    Permit,
    /// It was stopped.
    Deny,
}
