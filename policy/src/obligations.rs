//! What a session owes because of policy: the strictest of all that the applying policies ask.

use serde::{Deserialize, Serialize};

use crate::{PolicySet, Rule, Subject};

/// What happens to a session when it cannot be recorded. A greater mode is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The session goes on and the gap is recorded.
    BestEffort,
    /// No record, no session.
    Strict,
}

impl Mode {
    /// The word in policy files.
    pub fn name(self) -> &'static str {
        match self {
            Self::BestEffort => "best_effort",
            Self::Strict => "strict",
        }
    }
}

/// How a session is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// The strictest mode that an applying policy asks; strict where none says.
    pub mode: Mode,
    /// The rule that asks it.
    pub rule: Rule,
}

/// All that a session owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obligations {
    /// How it is recorded.
    pub recording: Recording,
}

impl PolicySet {
    /// What a session of this subject on this desktop owes.
    pub fn obligations(&self, subject: &Subject, desktop: &str) -> Obligations {
        let stated = self.applying(subject, desktop).filter_map(|policy| Some((policy, policy.recording.as_ref()?)));
        // Of equally strict ones the first in the order of files is named, so that the rule does not depend on chance.
        let strictest = stated.reduce(|best, next| if next.1.mode.value > best.1.mode.value { next } else { best });
        let recording = match strictest {
            Some((policy, asked)) => {
                Recording { mode: asked.mode.value, rule: policy.rule(asked.mode.at, "recording.mode".into()) }
            }
            None => Recording { mode: Mode::Strict, rule: Rule::default_for("recording.mode") },
        };
        Obligations { recording }
    }
}
