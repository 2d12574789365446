//! What the API says and is told, as JSON.

use portcullis_policy::Verdict;
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

impl From<&Verdict> for PolicyRef {
    fn from(verdict: &Verdict) -> Self {
        Self { revision: verdict.revision.to_string(), rule: verdict.rule.to_string() }
    }
}

/// What policy lets a subject do on a desktop.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
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
    /// Files into the desktop.
    pub upload: bool,
    /// Files out of the desktop.
    pub download: bool,
    /// The most bytes that one file into the desktop may have; 0 where none may enter.
    pub upload_bytes: u64,
    /// The most bytes that one file out of the desktop may have; 0 where none may leave.
    pub download_bytes: u64,
    /// Media types that files into the desktop may have, such as `image/*`; empty where all may.
    pub upload_types: Vec<String>,
    /// Extensions that their names may have, in small letters; empty where all may.
    pub upload_extensions: Vec<String>,
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
    /// `warm` (it is there at once), `cold` (it is started) or `unavailable`.
    pub state: String,
    /// Why none can be had; empty where one can.
    pub unavailable: String,
}

/// The desktops of this gate.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Desktops {
    /// In the order of the configuration.
    pub desktops: Vec<Desktop>,
    /// How many openings wait for room.
    pub waiting: u64,
    /// The place in that line of an opening of this subject's; 1 is next, 0 is none.
    pub place: u64,
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
        /// `keys` (too fast), `typed_paste` (as only a program types), `chord`, `paste` or `copy` (too often, too much, or for what is in it),
        /// `upload` or `download`; `paste_redacted` or `copy_redacted` (it crossed without a part of it).
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

/// A file in a desktop's folder.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was changed last (RFC 3339), as the desktop says.
    pub modified: String,
}

/// What lies in a desktop's folder for files.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FileList {
    /// What the folder is called on the desktop.
    pub folder: String,
    /// The plain files in it whose names could cross, by name; at most a thousand.
    pub files: Vec<FileEntry>,
}

/// A file that reached the desktop.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Delivered {
    /// What it is called there: its own name, or with a number where that was taken.
    pub name: String,
    /// Its length in bytes, as it was brought.
    pub bytes: u64,
    /// SHA-256 of it as it was brought, in hexadecimal.
    pub sha256: String,
    /// Its media type by its bytes.
    pub media_type: String,
    /// What was found in it that policy looks for and lets cross: detectors that are built in by their names, of others only that there are any.
    pub found: Vec<String>,
    /// The policy that permitted it.
    pub policy: PolicyRef,
    /// Whether the desktop has it without the metadata that was in it.
    pub metadata_stripped: bool,
}
