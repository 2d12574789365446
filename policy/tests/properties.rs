//! What holds for every set of policies and every request.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use portcullis_policy::{Action, ActionKind, Effect, PolicyFile, PolicySet, Request, Subject};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

const USERS: [&str; 2] = ["alice", "bob"];
const GROUPS: [&str; 3] = ["users", "staff", "guests"];
const DESKTOPS: [&str; 3] = ["terminal", "browser", "dev-1"];

/// A policy as it is written, before it is text.
#[derive(Debug, Clone)]
struct Written {
    users: Vec<&'static str>,
    groups: Vec<&'static str>,
    desktops: Vec<&'static str>,
    /// The action with its limit in bytes, which only paste and copy have.
    allow: Vec<(ActionKind, Option<u64>)>,
    deny: Vec<ActionKind>,
    strict: Option<bool>,
}

impl Written {
    fn file(&self, name: &str) -> PolicyFile {
        let condition = |key: &str, names: &[&str]| match names {
            [] => String::new(),
            names => format!("  {key}: ['{}']\n", names.join("', '")),
        };
        let mut text = format!("policy: {name}\n");
        let conditions = condition("users", &self.users)
            + &condition("groups", &self.groups)
            + &condition("desktops", &self.desktops);
        text += &if conditions.is_empty() { "applies: {}\n".to_owned() } else { format!("applies:\n{conditions}") };
        text += if self.allow.is_empty() { "allow: {}\n" } else { "allow:\n" };
        for (kind, limit) in &self.allow {
            match limit.filter(|_| has_limit(*kind)) {
                Some(bytes) => text += &format!("  {kind}: {{max_bytes: {bytes} B}}\n"),
                None => text += &format!("  {kind}: {{}}\n"),
            }
        }
        if !self.deny.is_empty() {
            let names: Vec<_> = self.deny.iter().map(|kind| kind.name()).collect();
            text += &format!("deny:\n  - actions: [{}]\n", names.join(", "));
        }
        match self.strict {
            Some(true) => text += "recording: {mode: strict}\n",
            Some(false) => text += "recording: {mode: best_effort}\n",
            None => {}
        }
        PolicyFile { name: format!("{name}.yaml"), text }
    }

    fn applies(&self, subject: &Subject, desktop: &str) -> bool {
        let fits = |glob: &&str| *glob == desktop || *glob == "*" || (*glob == "dev-?" && desktop == "dev-1");
        (self.users.is_empty() || self.users.contains(&subject.name.as_str()))
            && (self.groups.is_empty() || subject.groups.iter().any(|group| self.groups.contains(&group.as_str())))
            && (self.desktops.is_empty() || self.desktops.iter().any(fits))
    }
}

fn has_limit(kind: ActionKind) -> bool {
    matches!(kind, ActionKind::Paste | ActionKind::Copy)
}

/// The definition of a decision, written once more from the language's description.
fn defined(policies: &[Written], subject: &Subject, desktop: &str, action: Action) -> Effect {
    let applying: Vec<_> = policies.iter().filter(|policy| policy.applies(subject, desktop)).collect();
    let denied = |kind: ActionKind| applying.iter().any(|policy| policy.deny.contains(&kind));
    let allows = |kind: ActionKind| {
        applying.iter().flat_map(|policy| &policy.allow).filter(move |(allowed, _)| *allowed == kind)
    };
    let allowed = |kind: ActionKind| allows(kind).next().is_some();
    let within = |kind: ActionKind, bytes: u64| {
        allowed(kind) && allows(kind).all(|(_, limit)| limit.is_none_or(|limit| bytes <= limit))
    };
    use ActionKind::{Control, Copy, Open, Paste, Resize, Watch};
    let permitted = !denied(Open)
        && match action {
            Action::Open => allowed(Open) || allowed(Watch) || allowed(Control),
            Action::Watch => !denied(Watch) && (allowed(Watch) || allowed(Control)),
            Action::Control => !denied(Watch) && !denied(Control) && allowed(Control),
            Action::Paste { bytes } => !denied(Paste) && within(Paste, bytes),
            Action::Copy { bytes } => !denied(Copy) && within(Copy, bytes),
            Action::Resize { .. } => !denied(Resize) && allowed(Resize),
        };
    if permitted { Effect::Permit } else { Effect::Deny }
}

fn kinds() -> impl Strategy<Value = Vec<ActionKind>> {
    subsequence(ActionKind::ALL.to_vec(), 0..=ActionKind::ALL.len())
}

fn written() -> impl Strategy<Value = Written> {
    let names = |all: &[&'static str]| subsequence(all.to_vec(), 0..=2);
    let limits = prop::collection::vec(prop::option::of(1..100_u64), ActionKind::ALL.len());
    let who = (names(&USERS), names(&GROUPS), names(&["terminal", "browser", "dev-?", "*"]));
    let rules = (kinds(), limits, prop::option::weighted(0.3, kinds()), prop::option::of(any::<bool>()));
    (who, rules).prop_map(|((users, groups, desktops), (allow, limits, deny, strict))| Written {
        users,
        groups,
        desktops,
        allow: allow.into_iter().zip(limits).map(|(kind, limit)| (kind, limit.filter(|_| has_limit(kind)))).collect(),
        deny: deny.unwrap_or_default(),
        strict,
    })
}

fn several() -> impl Strategy<Value = Vec<Written>> {
    prop::collection::vec(written(), 0..6)
}

fn files(policies: &[Written]) -> Vec<PolicyFile> {
    policies.iter().enumerate().map(|(index, policy)| policy.file(&format!("p{index}"))).collect()
}

fn parse(files: &[PolicyFile]) -> PolicySet {
    PolicySet::parse(files).unwrap_or_else(|errors| panic!("{errors:?} in {files:?}"))
}

fn subject() -> impl Strategy<Value = Subject> {
    (select(&USERS[..]), subsequence(GROUPS.to_vec(), 0..=2)).prop_map(|(name, groups)| Subject {
        name: name.into(),
        groups: groups.into_iter().map(Into::into).collect(),
        issuer: "https://id.example".into(),
    })
}

fn action() -> impl Strategy<Value = Action> {
    let bytes = || prop_oneof![0..120_u64, any::<u64>()];
    prop_oneof![
        Just(Action::Open),
        Just(Action::Watch),
        Just(Action::Control),
        bytes().prop_map(|bytes| Action::Paste { bytes }),
        bytes().prop_map(|bytes| Action::Copy { bytes }),
        any::<(u16, u16)>().prop_map(|(width, height)| Action::Resize { width, height }),
    ]
}

fn desktop() -> impl Strategy<Value = &'static str> {
    select(&DESKTOPS[..])
}

proptest! {
    #[test]
    fn decisions_agree_with_the_definition(policies in several(), subject in subject(), desktop in desktop(), action in action()) {
        let set = parse(&files(&policies));
        let verdict = set.decide(&Request { subject: &subject, desktop, action });
        prop_assert_eq!(verdict.effect, defined(&policies, &subject, desktop, action), "{:?}", verdict);
    }

    #[test]
    fn one_more_deny_never_permits_more(
        policies in several(), extra in written(), subject in subject(), desktop in desktop(), action in action(),
    ) {
        let mut more = policies.clone();
        more.push(Written { allow: Vec::new(), ..extra });
        let request = Request { subject: &subject, desktop, action };
        let (before, after) = (parse(&files(&policies)).decide(&request), parse(&files(&more)).decide(&request));
        prop_assert!(before.is_permit() || !after.is_permit(), "{:?} became {:?}", before, after);
    }

    #[test]
    fn one_more_action_in_a_deny_never_permits_more(
        policies in prop::collection::vec(written(), 1..6), at: Index, kind in select(&ActionKind::ALL[..]),
        subject in subject(), desktop in desktop(), action in action(),
    ) {
        let mut more = policies.clone();
        at.get_mut(&mut more).deny.push(kind);
        let request = Request { subject: &subject, desktop, action };
        let (before, after) = (parse(&files(&policies)).decide(&request), parse(&files(&more)).decide(&request));
        prop_assert!(before.is_permit() || !after.is_permit(), "{:?} became {:?}", before, after);
    }

    #[test]
    fn less_is_permitted_where_more_is(policies in several(), subject in subject(), desktop in desktop(), more in 0..120_u64, less in 0..120_u64) {
        let set = parse(&files(&policies));
        let (less, more) = (less.min(more), less.max(more));
        let permits = |action| set.decide(&Request { subject: &subject, desktop, action }).is_permit();
        for [less, more] in [[less, more].map(|bytes| Action::Paste { bytes }), [less, more].map(|bytes| Action::Copy { bytes })] {
            prop_assert!(!permits(more) || permits(less), "{:?} but not {:?}", more, less);
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter(
        (sorted, shuffled) in several().prop_flat_map(|policies| {
            let files = files(&policies);
            (Just(files.clone()), Just(files).prop_shuffle())
        }),
        subject in subject(), desktop in desktop(), action in action(),
    ) {
        let (one, other) = (parse(&sorted), parse(&shuffled));
        let request = Request { subject: &subject, desktop, action };
        prop_assert_eq!(one.revision(), other.revision());
        prop_assert_eq!(one.decide(&request), other.decide(&request));
        prop_assert_eq!(one.obligations(&subject, desktop), other.obligations(&subject, desktop));
    }

    #[test]
    fn an_unknown_key_is_always_a_fault(
        policies in prop::collection::vec(written(), 1..4), at: Index, place in 0..3_usize, key in "[a-z_]{1,12}",
    ) {
        let known = ["policy", "applies", "allow", "deny", "recording", "users", "groups", "desktops", "issuers"];
        prop_assume!(!known.contains(&key.as_str()) && ActionKind::from_name(&key).is_none());
        let mut files = files(&policies);
        let file = &mut files[at.index(policies.len())];
        file.text = match place {
            0 => format!("'{key}': {{}}\n{}", file.text),
            1 => file.text.replacen("applies:\n", &format!("applies:\n  '{key}': [x]\n"), 1)
                .replacen("applies: {}", &format!("applies: {{'{key}': [x]}}"), 1),
            _ => file.text.replacen("allow:\n", &format!("allow:\n  '{key}': {{}}\n"), 1)
                .replacen("allow: {}", &format!("allow: {{'{key}': {{}}}}"), 1),
        };
        let name = file.name.clone();
        let errors = PolicySet::parse(&files).expect_err("an unknown key");
        let named = format!("unknown key `{key}`");
        prop_assert!(errors.iter().any(|error| error.file == name && error.reason.contains(&named)), "{:?}", errors);
    }

    #[test]
    fn nothing_that_is_asked_makes_it_panic(
        policies in several(), name in any::<String>(), groups in prop::collection::vec(any::<String>(), 0..4),
        issuer in any::<String>(), desktop in any::<String>(), action in action(),
    ) {
        let subject = Subject { name, groups, issuer };
        let verdict = parse(&files(&policies)).decide(&Request { subject: &subject, desktop: &desktop, action });
        prop_assert!(!verdict.reason.chars().any(char::is_control), "{:?}", verdict.reason);
    }

    #[test]
    fn nothing_that_is_read_makes_it_panic(text in "(\\PC|\n|  |: |- |\\[|\\{|\\*|&|!|'|\"|allow|policy|max_bytes){0,60}") {
        let _either = PolicySet::parse(&[PolicyFile { name: "a.yaml".into(), text }]);
    }

    #[test]
    fn a_cut_or_changed_policy_never_makes_it_panic(policy in written(), cut: Index, byte in any::<char>()) {
        let mut file = policy.file("p");
        let at = file.text.char_indices().map(|(at, _)| at).nth(cut.index(file.text.chars().count())).unwrap();
        let mut cut = file.clone();
        cut.text.truncate(at);
        let _either = PolicySet::parse(&[cut]);
        file.text.insert(at, byte);
        let _either = PolicySet::parse(&[file]);
    }
}
