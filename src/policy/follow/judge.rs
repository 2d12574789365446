//! Whether policy files may go live: they check, this gate enforces every key, and the cases beside them pass.

use std::fmt;
use std::path::Path;

use portcullis_policy::{Cases, PolicyError, PolicySet, Revision};
use portcullis_proxy::Enforced;

use super::equipment::Equipment;
use crate::policy::files::Found;
use crate::policy::git::{Mirror, short, verify_signature};

/// Faults that are kept and told; the rest is left for the next try.
const MOST_FAULTS: usize = 50;
/// Characters of a fault's reason.
const MOST_REASON: usize = 2000;

/// One reason why policies are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The file; empty when it is about the commit as a whole, and then line and column are 0.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column, from 1; 0 when it is about the line as a whole.
    pub(crate) column: u32,
    /// What is wrong.
    pub(crate) reason: String,
}

impl Fault {
    fn whole(error: &anyhow::Error) -> Vec<Self> {
        let reason = format!("{error:#}").chars().take(MOST_REASON).collect();
        vec![Self { file: String::new(), line: 0, column: 0, reason }]
    }

    fn saying(reason: String) -> Vec<Self> {
        vec![Self { file: String::new(), line: 0, column: 0, reason }]
    }

    /// The thread that judged is gone, which only the end of the gate brings about.
    pub(super) fn interrupted() -> Self {
        Self { file: String::new(), line: 0, column: 0, reason: "judging it was interrupted".to_owned() }
    }

    /// Says loudly what is refused, a line for each fault.
    pub(super) fn log(faults: &[Self], revision: &str, words: &str) {
        for fault in faults {
            tracing::error!(revision, fault = fault.to_string(), "{words}");
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { file, reason, .. } if file.is_empty() => f.write_str(reason),
            Self { file, line, column: 0, reason } => write!(f, "{file}:{line}: {reason}"),
            Self { file, line, column, reason } => write!(f, "{file}:{line}:{column}: {reason}"),
        }
    }
}

impl From<PolicyError> for Fault {
    fn from(error: PolicyError) -> Self {
        let PolicyError { file, line, column, reason } = error;
        Self { file, line, column, reason: reason.chars().take(MOST_REASON).collect() }
    }
}

fn faults(errors: Vec<PolicyError>) -> Vec<Fault> {
    errors.into_iter().take(MOST_FAULTS).map(Fault::from).collect()
}

/// The policies of these files, ready to be enforced, if this gate has what they ask for. It may take a second.
pub(super) fn policies(found: &Found, equipment: Equipment) -> Result<Enforced, Vec<Fault>> {
    let policies = PolicySet::parse_with(&found.policies, &found.lists).map_err(faults)?;
    enforced(policies, equipment)
}

fn enforced(policies: PolicySet, equipment: Equipment) -> Result<Enforced, Vec<Fault>> {
    let mut lacks = equipment.lacks(&policies);
    if !lacks.is_empty() {
        lacks.truncate(MOST_FAULTS);
        return Err(lacks);
    }
    Enforced::compile(policies).map_err(faults)
}

/// All faults in one error, a line each.
pub(super) fn told(faults: Vec<Fault>) -> anyhow::Error {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("{} fault(s) in the policies:\n{}", lines.len(), lines.join("\n"))
}

/// The policies of a commit, named by it, if all of its cases pass.
pub(super) fn contents(mirror: &Mirror, commit: &str, equipment: Equipment) -> Result<Enforced, Vec<Fault>> {
    let found = mirror.files().read(commit).map_err(|error| Fault::whole(&error))?;
    let policies = PolicySet::parse_with(&found.policies, &found.lists).map_err(faults)?;
    if policies.is_empty() {
        // An empty folder is a slip of a path far more often than the wish to lock everybody out, which a rule can say.
        return Err(Fault::saying(
            "there are no policies in it: does `policies.folder` name the right one?".to_owned(),
        ));
    }
    let cases = Cases::parse(&found.cases).map_err(faults)?;
    let failed = cases.run(&policies).into_iter().flat_map(|case| {
        let (file, line, name) = (case.file, case.line, case.name);
        case.faults.into_iter().map(move |fault| Fault {
            file: file.clone(),
            line,
            column: 0,
            reason: format!("the case `{name}` fails: {fault}").chars().take(MOST_REASON).collect(),
        })
    });
    let failed: Vec<Fault> = failed.take(MOST_FAULTS).collect();
    if !failed.is_empty() {
        return Err(failed);
    }
    let Some(revision) = Revision::of_commit(commit) else {
        return Err(Fault::saying(format!("{commit:?} is no full name of a commit")));
    };
    enforced(policies.named(revision), equipment)
}

/// Who signed a commit.
pub(super) fn signature(mirror: &Mirror, commit: &str, signers: &Path, scratch: &Path) -> Result<String, Vec<Fault>> {
    let verified = mirror.raw(commit).and_then(|raw| verify_signature(&raw, signers, scratch));
    verified.map_err(|error| Fault::whole(&error))
}

/// Refuses a commit that does not come after the last good one.
pub(super) fn history(mirror: &Mirror, commit: &str, good: &str) -> Result<(), Vec<Fault>> {
    match mirror.descends(commit, good) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Fault::saying(format!(
            "history was rewritten: it does not come after the last good commit, {}; undo commits by git revert, or set `policies.rewritten`",
            short(good)
        ))),
        Err(error) => Err(Fault::whole(&error)),
    }
}
