//! What a change of policies means: which policies differ, and who gains or loses what by it.
//!
//! Two sets are compared where a policy that differs applies: for each user, group and issuer that it names, on each desktop, from each
//! network and at each time that any policy tells apart. Conditions only ever add policies to those that apply, so a change that does not
//! show for somebody of whom nothing else is known shows for nobody.

mod content;
mod effects;
mod joint;
mod regions;

use serde::Serialize;

use crate::values::words;
use crate::{PolicySet, Rule};

/// What a change means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The policies that differ, by name.
    pub policies: Vec<PolicyChange>,
    /// Who gains or loses what.
    pub effects: Vec<EffectChange>,
    /// Whether there were more situations than are compared: then `effects` does not tell all, and `policies` still does.
    pub cut_short: bool,
}

/// A policy that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyChange {
    /// Its name.
    pub policy: String,
    /// The file and line that it stood in; nothing if it is new.
    pub before: Option<Rule>,
    /// The file and line that it stands in; nothing if it is gone.
    pub after: Option<Rule>,
    /// Keys and values that it says no more.
    pub removed: Vec<String>,
    /// Keys and values that it says now.
    pub added: Vec<String>,
}

words! {
    /// Whether somebody may more or less than before.
    Direction, "a direction", {
        /// Less is permitted, or more is owed.
        Loses = "loses",
        /// More is permitted, or less is owed.
        Gains = "gains",
    }
}

/// What changes for somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EffectChange {
    /// For whom: `group contractors`, `user alice of https://id.example`, `everybody`.
    pub who: String,
    /// The desktops, as policies name them; `*` for those that none names.
    pub desktops: Vec<String>,
    /// From where and when, as policies tell it apart; empty if it does not matter.
    pub circumstances: Vec<String>,
    /// More or less.
    pub direction: Direction,
    /// What: `copy`, `paste limits`, `session.idle`.
    pub what: Vec<String>,
    /// How it was.
    pub before: String,
    /// How it is.
    pub after: String,
    /// The rule that says so now; where none says anything any more, the one that did.
    pub rule: Rule,
}

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }
}

/// What it means to go from one set to the other.
pub fn diff(before: &PolicySet, after: &PolicySet) -> Diff {
    let changed = content::changed(before, after);
    let (effects, cut_short) = effects::compare(before, after, &changed);
    Diff { policies: content::described(changed), effects, cut_short }
}
