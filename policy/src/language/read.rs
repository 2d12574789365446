//! From one file to one policy, or to every fault in the file.

use super::fields::{Faults, Fields, list, name, word};
use super::glob::{Glob, MAX_GLOB};
use super::node::{self, At, Node, Placed, Value};
use super::policy::{Allow, Applies, Deny, Policy, Recording};
use super::{show_bytes, size};
use crate::verdict::DEFAULT_POLICY;
use crate::{ActionKind, MAX_FILE_BYTES, Mode, PolicyError, PolicyFile};

/// The largest `max_bytes`: what the clipboard carries at all is far below.
const MAX_BYTES_LIMIT: u64 = 1 << 30;

/// Reads one file; adds to `errors` and returns nothing when there is any fault in it.
pub(crate) fn read(file: &PolicyFile, errors: &mut Vec<PolicyError>) -> Option<Policy> {
    let start = At { line: 1, column: 1 };
    if file.text.len() > MAX_FILE_BYTES {
        errors.push(start.error(&file.name, "this file is over the 1 MiB that a policy may have".to_owned()));
        return None;
    }
    let root = match node::parse(&file.name, &file.text) {
        Ok(root) => root,
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    let before = errors.len();
    let policy = policy(&root, &mut Faults { file: &file.name, errors });
    policy.filter(|_| errors.len() == before)
}

fn policy(root: &Node, faults: &mut Faults<'_>) -> Option<Policy> {
    let fields = Fields::of(root, "this policy", &["policy", "applies", "allow", "deny", "recording"], faults)?;
    let required = |key: &str, mend: &str, faults: &mut Faults<'_>| {
        let found = fields.get(key).map(|(_, node)| node);
        if found.is_none() {
            faults.add(fields.at, format!("the key `{key}` is missing; {mend}"));
        }
        found
    };
    let name_node = required("policy", "give the policy a name, such as `policy: contractors`", faults);
    let applies_node =
        required("applies", "say whom it is for, or write `applies: {}` for everybody on every desktop", faults);
    let name = name_node.and_then(|node| own_name(node, faults));
    let applies = applies_node.and_then(|node| applies(node, faults));
    let allow = fields.get("allow").map(|(_, node)| allow(node, faults)).unwrap_or_default();
    let deny = fields.get("deny").map(|(_, node)| deny(node, faults)).unwrap_or_default();
    let recording = fields.get("recording").and_then(|(_, node)| recording(node, faults));
    if ["allow", "deny", "recording"].iter().all(|key| fields.get(key).is_none()) {
        faults.add(fields.at, "this policy rules nothing; add `allow`, `deny` or `recording`");
    }
    Some(Policy { file: faults.file.into(), name: name?, applies: applies?, allow, deny, recording })
}

fn own_name(node: &Node, faults: &mut Faults<'_>) -> Option<Placed<String>> {
    let name = name(node, "the policy's name", faults)?;
    if name == DEFAULT_POLICY {
        faults.add(
            node.at,
            format!("the policy's name is `{DEFAULT_POLICY}`, which stands for the built-in rule; choose another"),
        );
        return None;
    }
    Some(Placed { at: node.at, value: name.to_owned() })
}

fn applies(node: &Node, faults: &mut Faults<'_>) -> Option<Applies> {
    let fields = Fields::of(node, "`applies`", &["users", "groups", "desktops", "issuers"], faults)?;
    let mut names = |key: &str, what: &str| {
        let (_, node) = fields.get(key)?;
        Some(list(node, &format!("`{key}`"), faults).iter().filter_map(|entry| exact(entry, what, faults)).collect())
    };
    let (users, groups) = (names("users", "the name of a user"), names("groups", "the name of a group"));
    let issuers = names("issuers", "the name of an issuer");
    let desktops = fields
        .get("desktops")
        .map(|(_, node)| list(node, "`desktops`", faults).iter().filter_map(|entry| glob(entry, faults)).collect());
    Some(Applies { users, groups, desktops, issuers })
}

/// A name that is compared letter by letter: a glob here would silently match nobody.
fn exact(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<String> {
    let name = name(node, what, faults)?;
    if name.contains(['*', '?']) {
        faults.add(
            node.at,
            format!("{what} is compared exactly, * and ? work for `desktops` only; take the key out to mean all"),
        );
        return None;
    }
    Some(name.to_owned())
}

fn glob(node: &Node, faults: &mut Faults<'_>) -> Option<Glob> {
    let pattern = name(node, "the name of a desktop", faults)?;
    if pattern.chars().count() > MAX_GLOB {
        faults.add(node.at, format!("the name of a desktop is longer than {MAX_GLOB} characters; shorten it"));
        return None;
    }
    Some(Glob::new(pattern))
}

fn kinds() -> Vec<&'static str> {
    ActionKind::ALL.iter().map(|kind| kind.name()).collect()
}

fn allow(node: &Node, faults: &mut Faults<'_>) -> Vec<Allow> {
    let Some(fields) = Fields::of(node, "`allow`", &kinds(), faults) else {
        return Vec::new();
    };
    let mut allowed = Vec::new();
    for (key, node) in fields.iter() {
        let Some(kind) = ActionKind::from_name(&key.value) else {
            continue;
        };
        let limits: &[&str] = match kind {
            ActionKind::Paste | ActionKind::Copy => &["max_bytes"],
            ActionKind::Open | ActionKind::Watch | ActionKind::Control | ActionKind::Resize => &[],
        };
        let Some(limits) = Fields::of(node, &format!("`allow.{kind}`"), limits, faults) else {
            continue;
        };
        let max_bytes = limits.get("max_bytes").and_then(|(at, node)| max_bytes(at, node, faults));
        allowed.push(Allow { kind, at: key.at, max_bytes });
    }
    allowed
}

fn max_bytes(at: At, node: &Node, faults: &mut Faults<'_>) -> Option<Placed<u64>> {
    let read = match &node.value {
        Value::Text(text) => size::read(text),
        Value::Whole(_) => Err("a size needs a unit: B, KiB, MiB or GiB".to_owned()),
        other => Err(format!("`max_bytes` is {} here; write a size, such as 4 KiB", other.what())),
    };
    let checked = read.and_then(|bytes| match bytes {
        0 => Err("`max_bytes` of 0 lets nothing through; take the action out of `allow` instead".to_owned()),
        1..=MAX_BYTES_LIMIT => Ok(bytes),
        _ => Err(format!("`max_bytes` is {} at most", show_bytes(MAX_BYTES_LIMIT))),
    });
    match checked {
        Ok(value) => Some(Placed { at, value }),
        Err(reason) => {
            faults.add(node.at, reason);
            None
        }
    }
}

fn deny(node: &Node, faults: &mut Faults<'_>) -> Vec<Deny> {
    let mut denied = Vec::new();
    for entry in list(node, "`deny`", faults) {
        let Some(fields) = Fields::of(entry, "an entry of `deny`", &["actions"], faults) else {
            continue;
        };
        let Some((_, actions)) = fields.get("actions") else {
            faults.add(fields.at, "the key `actions` is missing; name what is denied, such as `actions: [paste]`");
            continue;
        };
        let actions = list(actions, "`actions`", faults).iter().filter_map(|action| {
            let kind = word(action, "an action", &kinds(), faults).and_then(ActionKind::from_name)?;
            Some(Placed { at: action.at, value: kind })
        });
        denied.push(Deny { actions: actions.collect() });
    }
    denied
}

fn recording(node: &Node, faults: &mut Faults<'_>) -> Option<Recording> {
    let fields = Fields::of(node, "`recording`", &["mode"], faults)?;
    let Some((at, mode)) = fields.get("mode") else {
        faults.add(fields.at, "the key `mode` is missing; write `mode: strict` or `mode: best_effort`");
        return None;
    };
    let modes = [Mode::Strict, Mode::BestEffort];
    let word = word(mode, "a recording mode", &modes.map(Mode::name), faults)?;
    let value = modes.into_iter().find(|mode| mode.name() == word)?;
    Some(Recording { mode: Placed { at, value } })
}
