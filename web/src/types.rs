//! What the pages see: the JSON of the portal's API.

mod event;
mod found;
mod kept;
mod read;
mod sign_in;

use portcullis_policy::Subject;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::index::{ReadingRow, Row};
use crate::principal::Role;
pub use event::{RecordedEvent, RecordedStroke, RecordedWhat, Verdict};
pub(crate) use found::Wanted;
pub use found::{Hit, Hits, Mark, Snippet, Stood};
pub use kept::{Filter, Filters, Note, Notes};
pub(crate) use kept::{FilterQuery, NewNote};
pub use read::{ReadState, Readings, Standing};
pub use sign_in::{Beginning, ByLink, ByPassword, Go, ProviderWay, SignIn, Ways};

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The subject's name.
    #[schema(example = "local")]
    pub subject: String,
    /// Its groups, as policies see them.
    pub groups: Vec<String>,
    /// What it may do in the portal.
    pub roles: Vec<Role>,
    /// Who says who it is: the provider's issuer, or `local` for this gate itself.
    #[schema(example = "local")]
    pub issuer: String,
    /// The provider that it signed in by; null where none had a part in it.
    pub provider: Option<String>,
}

impl Me {
    pub(crate) fn new(subject: &Subject, roles: &[Role], provider: Option<String>) -> Self {
        let Subject { name, groups, issuer } = subject.clone();
        Me { subject: name, groups, roles: roles.to_vec(), issuer, provider }
    }
}

/// How a recording is to be taken out.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Export {
    /// `zip` when absent.
    pub(crate) format: Option<ExportFormat>,
    /// Also what does not verify.
    pub(crate) unverified: Option<bool>,
}

/// What a recording can be taken out as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExportFormat {
    /// The files as they lie in the vault, the keys, and how to verify them.
    Zip,
    /// One film, with chapters and lines from events.
    Mp4,
}

impl ExportFormat {
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Mp4 => "mp4",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Zip => "application/zip",
            Self::Mp4 => "video/mp4",
        }
    }
}

/// A part of the list of recordings, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recordings {
    /// Those that the person may see.
    pub recordings: Vec<Recording>,
    /// Where older ones begin, for `before`; null when there are none.
    #[schema(required)]
    pub next: Option<String>,
}

/// One recording.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recording {
    /// The session's id.
    pub id: String,
    /// Who used the desktop.
    pub subject: String,
    /// The subject's groups at the start.
    pub groups: Vec<String>,
    /// The desktop's name.
    pub desktop: String,
    /// When the session started, RFC 3339, UTC.
    pub started: String,
    /// When it ended; null while it runs.
    #[schema(required)]
    pub ended: Option<String>,
    /// Milliseconds recorded.
    pub duration_ms: u64,
    /// Whether it is still running, and how it ended.
    pub state: RecordingState,
    /// Why it ended; empty while it runs.
    pub reason: String,
    /// Bytes of all files of the bundle.
    pub bytes: u64,
    /// Events on the record.
    pub events: u64,
    /// Of these, what was refused.
    pub denied: u64,
    /// What permitted the session.
    pub policy: RecordingPolicy,
    /// Times in which something is missing from the record.
    pub gaps: u64,
    /// Whether events and video are encrypted: the gate cannot read them, serves them as they lie, and knows of events what the seal says.
    pub encrypted: bool,
    /// To whom, as public keys of age (`age1…`); empty when they are clear.
    pub recipients: Vec<String>,
    /// What holds it, asked for one recording by itself; null when nothing does, and in lists, which do not look.
    #[schema(required)]
    pub hold: Option<Hold>,
    /// What was read off its pictures.
    pub readings: Readings,
}

/// A legal hold: the recording does not expire.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: String,
    /// When, RFC 3339, UTC.
    pub at: String,
}

/// Why a recording is held or released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldReason {
    /// For those who ask later: 1 to 1,024 bytes.
    pub(crate) reason: String,
}

/// The state of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// The bundle has no seal yet.
    Recording,
    /// Sealed at the session's end.
    Closed,
    /// Sealed after the gate had died.
    Interrupted,
    /// Its time is over: events and video are gone, what proves them is not.
    Expired,
    /// The vault does not show its bundle any more: it was removed, hidden or moved.
    Missing,
}

/// The policy that a session was permitted by.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordingPolicy {
    /// The revision of the policy files.
    pub revision: String,
    /// The rule that permitted it.
    pub rule: String,
}

impl RecordingState {
    /// As the index has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Recording => Row::LIVE,
            Self::Closed => "closed",
            Self::Interrupted => "interrupted",
            Self::Expired => Row::EXPIRED,
            Self::Missing => Row::MISSING,
        }
    }
}

impl Recording {
    /// The recording with what the index knows of its readings.
    pub(crate) fn of(row: Row, readings: &[ReadingRow]) -> Self {
        let readings = Readings::of(&row, readings);
        let state = match row.state.as_str() {
            "closed" => RecordingState::Closed,
            "interrupted" => RecordingState::Interrupted,
            "expired" => RecordingState::Expired,
            "missing" => RecordingState::Missing,
            _ => RecordingState::Recording,
        };
        let groups = row.groups();
        Recording {
            groups,
            id: row.id,
            subject: row.subject,
            desktop: row.desktop,
            started: row.started,
            ended: row.ended,
            duration_ms: row.duration_ms.max(0).unsigned_abs(),
            state,
            reason: row.reason,
            bytes: row.bytes.max(0).unsigned_abs(),
            events: row.events.max(0).unsigned_abs(),
            denied: row.denied.max(0).unsigned_abs(),
            policy: RecordingPolicy { revision: row.policy_revision, rule: row.policy_rule },
            gaps: row.gaps.max(0).unsigned_abs(),
            encrypted: !row.recipients.is_empty(),
            recipients: row.recipients.split_whitespace().map(str::to_owned).collect(),
            hold: None,
            readings,
        }
    }
}

/// The events of a recording, as the bundle has them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    /// In the order of their `seq`.
    pub events: Vec<RecordedEvent>,
    /// Where the bundle's events cannot be read; empty when it is sound.
    pub faults: Vec<EventsFault>,
}

/// A place in the bundle whose event is missing from the answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsFault {
    /// The file in the bundle.
    #[schema(example = "events/00001.jsonl")]
    pub path: String,
    /// The line, from 1; 0 when the whole file is missing.
    pub line: u64,
}

/// What lies in a bundle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BundleFiles {
    /// Files with a name that a bundle's file may have, in the order of their names.
    pub(crate) files: Vec<BundleFile>,
    /// Other names that lie there, at most 1,000 of them: they are not served, and no bundle that has one is sound.
    pub(crate) extra: Vec<String>,
}

/// A file of a bundle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BundleFile {
    /// Its name in the bundle.
    #[schema(example = "chain/00001.jws")]
    pub(crate) path: String,
    /// Its length.
    pub(crate) bytes: u64,
}

/// The gate's public evidence keys.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described; the answer has both as they lie")]
pub(crate) struct Keys {
    /// A JWK Set (RFC 7517) with `v`, `issued` and each key's validity: a list of keys of docs/evidence-format.md.
    #[schema(value_type = Object)]
    keys: (),
    /// The same as a root has signed it: a flattened JWS of the type `portcullis-keys+jws`, if the gate was given one.
    #[schema(value_type = Option<Object>, required)]
    key_list: Option<()>,
}

/// A video file of CMAF (ISO/IEC 23000-19): an init segment or a segment.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct VideoFile(#[expect(dead_code, reason = "described, never built")] Vec<u8>);
