//! What the API says and is told, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The policy that decided.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyRef {
    /// The revision of the policy files.
    pub revision: String,
    /// The rule: file, line and key.
    pub rule: String,
}

/// What policy lets a subject do on a desktop.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct Allows {
    /// Keyboard and mouse.
    pub control: bool,
    /// Text out of the desktop.
    pub copy: bool,
    /// Text into the desktop.
    pub paste: bool,
    /// Changing the size of the desktop's screen.
    pub resize: bool,
    /// The most bytes of UTF-8 that one text out of the desktop may have, its lines ended by LF; 0 where none may leave.
    pub copy_bytes: u64,
    /// The most bytes of UTF-8 that one text into the desktop may have, its lines ended by LF; 0 where none may enter.
    pub paste_bytes: u64,
}

/// A desktop as the launcher shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Desktop {
    /// Its name in policies and requests.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// One sentence about it.
    pub description: String,
    /// The name of its icon.
    pub icon: String,
    /// Whether this subject may open it.
    pub permitted: bool,
    /// Why, or why not.
    pub reason: String,
    /// The rule that says so.
    pub policy: PolicyRef,
    /// What may be done once it is open.
    pub allows: Allows,
    /// `strict` or `best_effort`.
    pub recorded: String,
}

/// The desktops of this gate.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Desktops {
    /// In the order of the configuration.
    pub desktops: Vec<Desktop>,
}

/// Asks for a session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    /// The desktop's name.
    pub desktop: String,
}

/// A session and the one-time ticket that opens its WebSocket.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Opened {
    /// The session.
    pub id: String,
    /// The ticket: good once, for the Origin that asked. Offer it as subprotocol `ticket.<TICKET>` beside `binary`.
    pub ticket: String,
    /// The path of the WebSocket.
    pub rfb: String,
    /// When the ticket expires (RFC 3339).
    pub expires: String,
}

/// How the record of a live session stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LiveRecording {
    /// `strict` or `best_effort`.
    pub mode: String,
    /// `recording` or `failed`.
    pub state: String,
    /// What of the keyboard is on it: `none`, `counts`, or `keys`, passwords included.
    pub keys: String,
}

/// What the person at a session is told beside pixels.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SessionNotice {
    /// The session is about to end.
    Ending {
        /// When (RFC 3339), by the gate's clock.
        at: String,
        /// Milliseconds until then, when this was said.
        left_ms: u64,
        /// `longest`, `idle`, `until` (the token's) or `hours`.
        why: String,
        /// The rule: file, line and key; empty where the token says so.
        rule: String,
    },
    /// It is not any more: somebody did something, or the policy has changed.
    Staying {},
    /// Something that the person did was refused, or a part of it.
    Refused {
        /// `keys` (too fast), `typed_paste` (as only a program types), `chord`, `paste` or `copy` (too often, too much, or for what is in it);
        /// `paste_redacted` or `copy_redacted` (it crossed without a part of it).
        what: String,
        /// Words for the person.
        why: String,
        /// The rule: file, line and key.
        rule: String,
    },
    /// The session has ended; nothing follows.
    Ended {
        /// Words for the person.
        why: String,
        /// The rule that ended it, where one did.
        rule: String,
    },
}

impl SessionNotice {
    /// The name of its event, which is its `type` too.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ending { .. } => "ending",
            Self::Staying {} => "staying",
            Self::Refused { .. } => "refused",
            Self::Ended { .. } => "ended",
        }
    }
}

/// A live session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub subject: String,
    /// The desktop's name.
    pub desktop: String,
    /// The desktop's name for people.
    pub title: String,
    /// `live` or `ending`.
    pub state: String,
    /// When it was opened (RFC 3339).
    pub started: String,
    /// Viewers that are connected.
    pub viewers: u32,
    /// The policy that permits it.
    pub policy: PolicyRef,
    /// What may be done in it.
    pub allows: Allows,
    /// What of a pasted text reaches the desktop: `unicode`, all of it; `latin1` where its VNC server knows no more, and question marks
    /// stand for the rest.
    pub clipboard: String,
    /// Whether a part of the screen is hidden from its viewers.
    pub hidden: bool,
    /// Its record.
    pub recording: LiveRecording,
}

/// Live sessions, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Sessions {
    /// Those that the caller may know of.
    pub sessions: Vec<Session>,
}

/// Whether the gate can open sessions.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// True when nothing stands in the way.
    pub ready: bool,
    /// What stands in the way.
    pub reasons: Vec<String>,
}
