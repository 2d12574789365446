//! Where acts in the portal are put on the record; the program hands in the gate's journal.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use portcullis_policy::Subject;

/// Why an act could not be recorded.
pub type AuditError = Box<dyn std::error::Error + Send + Sync>;

/// Takes acts for the record.
///
/// INVARIANT: what cannot be recorded is not done: on an error the person gets 503 and none of what was asked for.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Records one act. `who` is absent where nobody was signed in.
    ///
    /// # Errors
    /// When the act is not on the record.
    async fn record(&self, who: Option<&Subject>, act: &Act) -> Result<(), AuditError>;
}

/// What a person did in the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Signed in.
    SignedIn {
        /// How.
        by: Way,
    },
    /// Tried to sign in and was refused; the reason is for a person.
    SignInRefused {
        /// How it was tried.
        by: Way,
        /// Why.
        reason: &'static str,
    },
    /// Signed out.
    SignedOut {
        /// Who said so; the person, where nothing is said.
        by: Option<Way>,
    },
    /// Held a recording, or released it.
    Held {
        /// The recording's id.
        recording: String,
        /// Whether it is held from now on.
        held: bool,
        /// Why, in the person's words.
        reason: String,
    },
    /// Began to look at a recording. Said once for a sign-in, a recording and a part, and again after a pause of
    /// half an hour.
    Viewed {
        /// The recording's id.
        recording: String,
        /// Whose it is.
        subject: String,
        /// What was looked at.
        part: Part,
    },
    /// Searched the recordings, or filtered the list of them. Said once for a sign-in and a question, and again after
    /// a pause of half an hour.
    Searched {
        /// What for, by the parameters of the address: words, names, times.
        query: BTreeMap<String, String>,
    },
    /// Wrote a note on a recording, or set a bookmark.
    NoteAdded {
        /// The recording's id.
        recording: String,
        /// Bytes of its text; 0 of a bookmark's.
        bytes: u64,
        /// SHA-256 of its text, 64 hexadecimal digits.
        sha256: String,
    },
    /// Took a note or a bookmark away.
    NoteRemoved {
        /// The recording's id.
        recording: String,
        /// Bytes of its text; 0 of a bookmark's.
        bytes: u64,
        /// SHA-256 of its text, 64 hexadecimal digits.
        sha256: String,
    },
}

/// How somebody signs in. Written, it is the key of the configuration that lets them in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a one-time link.
    Link,
    /// By the password of a local account.
    Password,
    /// By the provider of this id.
    Provider(String),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Link => f.write_str("sign_in.subject"),
            Way::Password => f.write_str("sign_in.passwords"),
            Way::Provider(id) => write!(f, "sign_in.providers {id}"),
        }
    }
}

/// The parts of a recording that can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The pictures: the playlist or a segment.
    Video,
    /// The events.
    Events,
    /// All of it, as one file to keep.
    Export,
    /// All of it, file by file, to be proved.
    Bundle,
    /// One small picture.
    Thumbnail,
}
