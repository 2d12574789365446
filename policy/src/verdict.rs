//! The answer to a request: an effect, the rule that it rests on and the reason in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Revision;
use crate::values::words;

/// The policy name of rules that stand in no file; no file may take it.
pub(crate) const DEFAULT_POLICY: &str = "default";

words! {
    /// Permitted or not. What carries no contents, or none that policy speaks of, is permitted or denied.
    Effect, "a verdict", {
        /// It may happen.
        Permit = "permit",
        /// It may happen, and the event says what was found in it.
        Alert = "alert",
        /// It may happen without what was found in it.
        Redact = "redact",
        /// It must not happen.
        Deny = "deny",
    }
}

/// The place in the policy files that decided: `contractors.yaml:7 allow.paste`, or `default deny` where no file allows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// The file's name as it was given to [`crate::PolicySet::parse`]; empty for the default.
    pub file: String,
    /// Line in the file from 1; 0 for the default.
    pub line: u32,
    /// The policy's own name (its `policy` key); `default` for the default.
    pub policy: String,
    /// Path of keys to the rule, such as `allow.paste.max_bytes` or `deny[0].actions`.
    pub key: String,
}

impl Rule {
    /// The rule that decides where no policy allows: deny.
    pub fn default_deny() -> Self {
        Self { file: String::new(), line: 0, policy: DEFAULT_POLICY.into(), key: "deny".into() }
    }

    /// The rule behind an obligation that no policy states.
    pub(crate) fn default_for(key: &str) -> Self {
        Self { key: key.into(), ..Self::default_deny() }
    }

    /// Whether this is a built-in default rather than a line of a file.
    pub fn is_default(&self) -> bool {
        self.line == 0
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_default() {
            write!(f, "{} {}", self.policy, self.key)
        } else {
            write!(f, "{}:{} {}", self.file, self.line, self.key)
        }
    }
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Permitted or denied.
    pub effect: Effect,
    /// The rule that decided.
    pub rule: Rule,
    /// The revision of the files that it stands in.
    pub revision: Revision,
    /// Why, in words for the person who asked; names from outside are shown shortened and with control characters escaped.
    pub reason: String,
}

impl Verdict {
    /// Whether the action may happen, as it is or without what was found in what it carries.
    pub fn is_permit(&self) -> bool {
        self.effect != Effect::Deny
    }
}
