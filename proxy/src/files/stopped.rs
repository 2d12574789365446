//! Why a file did not cross: the outcomes that a person is told of.

use portcullis_evidence::{Effect as Verdicted, What};
use portcullis_files::NameRefused;
use portcullis_policy::{ActionKind, Effect, Verdict};

use super::SpoolError;
use super::told::Told;
use crate::outcome::chain;
use crate::runtime::TransferError;
use crate::session::Session;

/// Characters of a name that cannot cross which its event repeats.
const SHOWN: usize = 64;

/// Why a file did not cross.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// A verdict, or what was seen in the file, is against it.
    Denied(Box<Verdict>),
    /// It is larger than policy or the gate lets cross.
    TooLarge(Box<Verdict>),
    /// There were too many, by policy or by the gate.
    TooMany(Box<Verdict>),
    /// Its name is not one that can cross.
    Name(NameRefused),
    /// The desktop has no folder for files.
    NoFolder,
    /// There is no such file.
    Missing,
    /// What lies there under the name is no plain file.
    NotAFile,
    /// The session has ended.
    Ended,
    /// As many files as may be are under way, or asked for.
    Busy(&'static str),
    /// Its sender went away before its end, after so many bytes.
    Broken(u64),
    /// The disk, or the desktop's folder, is full.
    Full(&'static str),
    /// Something failed that is nobody's fault; the log has more.
    Failed(String),
}

impl Stopped {
    /// By a verdict, told apart by what its rule limits.
    pub(super) fn by(verdict: Verdict) -> Self {
        let verdict = Box::new(verdict);
        match verdict.rule.key.rsplit('.').next() {
            Some("max_bytes") => Self::TooLarge(verdict),
            Some("per_minute" | "per_session") => Self::TooMany(verdict),
            _ => Self::Denied(verdict),
        }
    }

    /// By what a spool says of a file that is under this verdict so far.
    pub(super) fn spool(error: &SpoolError, verdict: &Verdict) -> Self {
        match error {
            SpoolError::TooLarge { most } => {
                Self::TooLarge(Box::new(denied(verdict, format!("the file is over the {most} bytes that may cross"))))
            }
            SpoolError::DiskFull => Self::Full("the gate has no room for the file now; try again later"),
            SpoolError::Io(_) => Self::Failed(chain(error)),
        }
    }

    /// By what the desktop's folder says.
    pub(crate) fn transfer(error: &TransferError, verdict: &Verdict) -> Self {
        match error {
            TransferError::Missing => Self::Missing,
            TransferError::NotAFile => Self::NotAFile,
            TransferError::Gone => Self::Ended,
            TransferError::Full => Self::Full("the desktop's folder has no room for the file"),
            TransferError::Spool(error) => Self::spool(error, verdict),
            other => Self::Failed(chain(other)),
        }
    }

    /// The verdict that it rests on, where one does.
    pub(crate) fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::Denied(verdict) | Self::TooLarge(verdict) | Self::TooMany(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// Words for the person.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Denied(verdict) | Self::TooLarge(verdict) | Self::TooMany(verdict) => verdict.reason.clone(),
            Self::Name(refused) => refused.to_string(),
            Self::NoFolder => "this desktop has no folder for files".to_owned(),
            Self::Missing => "there is no such file in the desktop's folder".to_owned(),
            Self::NotAFile => "what has this name there is not a plain file".to_owned(),
            Self::Ended => "the session has ended".to_owned(),
            Self::Busy(why) | Self::Full(why) => (*why).to_owned(),
            Self::Broken(bytes) => format!("the file broke off after {bytes} bytes"),
            Self::Failed(_) => "the file could not be carried; ask who keeps this gate".to_owned(),
        }
    }
}

/// The same verdict the other way, for what is seen in a file that policy would permit.
pub(super) fn denied(verdict: &Verdict, reason: String) -> Verdict {
    Verdict { effect: Effect::Deny, reason, ..verdict.clone() }
}

/// The event of a file that its session's record does not take: it does not cross.
pub(super) fn unrecorded(mut what: What) -> What {
    if let What::Upload { effect, reason, .. } | What::Download { effect, reason, .. } = &mut what
        && *effect == Verdicted::Permit
    {
        *effect = Verdicted::Deny;
        *reason = "what cannot be recorded does not cross".to_owned();
    }
    what
}

/// Puts a file on the record whose name cannot cross, with what of the name can be shown.
pub(crate) fn unnamed(session: &Session, kind: ActionKind, name: &str, refused: NameRefused) -> Stopped {
    let verdict = denied(&session.judge(kind.at_all()), refused.to_string());
    let name: String =
        name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(SHOWN).collect();
    let what = Told::default().event(kind, name, &verdict);
    session.files.depot.counts.add(kind, None);
    match session.files.note(session, &verdict, what) {
        Ok(()) => Stopped::Name(refused),
        Err(stopped) => stopped,
    }
}
