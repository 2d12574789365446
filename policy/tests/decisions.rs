//! The golden table of decisions: policies, request, verdict and rule.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use portcullis_policy::{Action, ActionKind, Mode, PolicyFile, PolicySet, Revision, Situation, Subject};

const OFFICE: &str = "\
policy: office
applies:
  groups: [users]
  desktops: [browser, dev-*]
allow:
  control: {}
  paste: {max_bytes: 64 KiB}
  copy: {}
recording: {mode: best_effort}
";

const CONTRACTORS: &str = "\
policy: contractors
applies:
  groups: [contractors]
allow:
  watch: {}
  paste:
    max_bytes: 4 KiB
deny:
  - actions: [resize]
  - {actions: [copy]}
recording: {mode: strict}
";

const FREEZE: &str = "\
policy: freeze
applies: {users: [mallory], issuers: [https://id.example]}
deny:
  - {actions: [open]}
";

const BLIND: &str = "\
policy: blind
applies: {desktops: [dev-9]}
deny: [{actions: [watch]}]
";

fn set(files: &[(&str, &str)]) -> PolicySet {
    let files: Vec<_> =
        files.iter().map(|(name, text)| PolicyFile { name: (*name).into(), text: (*text).into() }).collect();
    PolicySet::parse(&files).unwrap()
}

fn all() -> PolicySet {
    set(&[("office.yaml", OFFICE), ("contractors.yaml", CONTRACTORS), ("freeze.yaml", FREEZE), ("blind.yaml", BLIND)])
}

fn subject(name: &str, groups: &[&str]) -> Subject {
    Subject {
        name: name.into(),
        groups: groups.iter().map(|&group| group.into()).collect(),
        issuer: "https://id.example".into(),
    }
}

/// `action on desktop` by alice of these groups has this verdict: effect and rule, then the reason.
fn check(set: &PolicySet, groups: &[&str], desktop: &str, action: Action, expected: &str) {
    check_as(set, &subject("alice", groups), desktop, action, expected);
}

fn check_as(set: &PolicySet, subject: &Subject, desktop: &str, action: Action, expected: &str) {
    let verdict = set.decide(&Situation::new(subject, desktop).wants(action));
    let shown = format!("{:?} by {}: {}", verdict.effect, verdict.rule, verdict.reason);
    assert_eq!(shown, expected, "{action:?} on {desktop} by {subject:?}");
    assert_eq!(verdict.revision, *set.revision());
}

#[test]
fn what_no_policy_allows_is_denied_by_default() {
    let unruled = "Deny by default deny: no policy applies to alice on browser";
    check(&PolicySet::deny_all(), &["users"], "browser", Action::Open, unruled);
    check(&all(), &[], "browser", Action::Open, unruled);
    check(&all(), &["USERS", "user", "users "], "browser", Action::Open, unruled);
    check(&all(), &["users"], "vault", Action::Open, "Deny by default deny: no policy applies to alice on vault");
    check(
        &all(),
        &["users"],
        "browser",
        Action::Resize { width: 1, height: 1 },
        "Deny by default deny: the policy that applies to alice on browser does not allow resize",
    );
    let two = set(&[("a.yaml", OFFICE), ("b.yaml", "policy: b\napplies: {}\nallow: {}\n")]);
    check(
        &two,
        &["users"],
        "browser",
        Action::Resize { width: 1, height: 1 },
        "Deny by default deny: none of the 2 policies that apply to alice on browser allows resize",
    );
}

#[test]
fn what_a_policy_allows_is_permitted_and_names_its_line() {
    let set = all();
    check(
        &set,
        &["users"],
        "browser",
        Action::Control,
        "Permit by office.yaml:6 allow.control: office.yaml:6 allows control",
    );
    check(
        &set,
        &["users"],
        "dev-7",
        Action::Copy { bytes: u64::MAX },
        "Permit by office.yaml:8 allow.copy: office.yaml:8 allows copy",
    );
    check(
        &set,
        &["x", "users"],
        "browser",
        Action::Paste { bytes: 65_536 },
        "Permit by office.yaml:7 allow.paste: office.yaml:7 allows paste",
    );
}

#[test]
fn control_implies_watch_and_both_imply_open_but_nothing_more() {
    let set = all();
    check(
        &set,
        &["users"],
        "browser",
        Action::Open,
        "Permit by office.yaml:6 allow.control: office.yaml:6 allows open",
    );
    check(
        &set,
        &["users"],
        "browser",
        Action::Watch,
        "Permit by office.yaml:6 allow.control: office.yaml:6 allows watch",
    );
    check(
        &set,
        &["contractors"],
        "browser",
        Action::Open,
        "Permit by contractors.yaml:5 allow.watch: contractors.yaml:5 allows open",
    );
    check(
        &set,
        &["contractors"],
        "browser",
        Action::Control,
        "Deny by default deny: the policy that applies to alice on browser does not allow control",
    );
    let paste_only = self::set(&[("p.yaml", "policy: p\napplies: {}\nallow: {paste: {}, copy: {}, resize: {}}\n")]);
    check(
        &paste_only,
        &[],
        "browser",
        Action::Open,
        "Deny by default deny: the policy that applies to alice on browser does not allow open",
    );
    let explicit = self::set(&[("p.yaml", "policy: p\napplies: {}\nallow:\n  control: {}\n  open: {}\n")]);
    check(&explicit, &[], "browser", Action::Open, "Permit by p.yaml:5 allow.open: p.yaml:5 allows open");
}

#[test]
fn a_limit_denies_what_is_over_it_and_says_so() {
    let set = all();
    check(
        &set,
        &["contractors"],
        "browser",
        Action::Paste { bytes: 4096 },
        "Permit by contractors.yaml:6 allow.paste: contractors.yaml:6 allows paste",
    );
    check(
        &set,
        &["contractors"],
        "browser",
        Action::Paste { bytes: 9 * 1024 },
        "Deny by contractors.yaml:7 allow.paste.max_bytes: paste of 9 KiB is over the 4 KiB that contractors.yaml:7 allows",
    );
    check(
        &set,
        &["contractors"],
        "browser",
        Action::Paste { bytes: 4097 },
        "Deny by contractors.yaml:7 allow.paste.max_bytes: paste of 4.1 KiB is over the 4 KiB that contractors.yaml:7 allows",
    );
    let odd = self::set(&[("p.yaml", "policy: p\napplies: {}\nallow: {copy: {max_bytes: 4097 B}}\n")]);
    check(
        &odd,
        &[],
        "x",
        Action::Copy { bytes: 4098 },
        "Deny by p.yaml:3 allow.copy.max_bytes: copy of 4.1 KiB is over the 4.1 KiB that p.yaml:3 allows (4098 of at most 4097 bytes)",
    );
}

#[test]
fn the_strictest_limit_of_all_that_apply_counts() {
    let both = &["users", "contractors"];
    check(
        &all(),
        both,
        "browser",
        Action::Paste { bytes: 4096 },
        "Permit by contractors.yaml:6 allow.paste: contractors.yaml:6 allows paste",
    );
    check(
        &all(),
        both,
        "browser",
        Action::Paste { bytes: 4097 },
        "Deny by contractors.yaml:7 allow.paste.max_bytes: paste of 4.1 KiB is over the 4 KiB that contractors.yaml:7 allows",
    );
    // An unlimited allowance beside a limited one does not lift the limit.
    let set = set(&[("a.yaml", "policy: a\napplies: {}\nallow: {paste: {}}\n"), ("b.yaml", CONTRACTORS)]);
    check(
        &set,
        both,
        "browser",
        Action::Paste { bytes: 5000 },
        "Deny by b.yaml:7 allow.paste.max_bytes: paste of 4.9 KiB is over the 4 KiB that b.yaml:7 allows",
    );
}

#[test]
fn of_equal_rules_the_first_in_the_order_of_files_is_named() {
    let policy = |group: &str| format!("policy: {group}\napplies: {{groups: [{group}]}}\nallow: {{control: {{}}}}\n");
    let set = set(&[("2.yaml", &policy("y")), ("1.yaml", &policy("x")), ("3.yaml", &policy("z"))]);
    for groups in [["x", "y", "z"], ["z", "y", "x"], ["y", "x", "x"]] {
        check(&set, &groups, "d", Action::Control, "Permit by 1.yaml:3 allow.control: 1.yaml:3 allows control");
        let resize = Action::Resize { width: 1, height: 1 };
        let applied = if groups.contains(&"z") { 3 } else { 2 };
        let expected =
            format!("Deny by default deny: none of the {applied} policies that apply to alice on d allows resize");
        check(&set, &groups, "d", resize, &expected);
    }
}

#[test]
fn a_deny_outweighs_every_allow() {
    check(
        &all(),
        &["users", "contractors"],
        "browser",
        Action::Copy { bytes: 0 },
        "Deny by contractors.yaml:10 deny[1].actions: contractors.yaml:10 denies copy on browser",
    );
    check(
        &all(),
        &["contractors"],
        "browser",
        Action::Resize { width: 800, height: 600 },
        "Deny by contractors.yaml:9 deny[0].actions: contractors.yaml:9 denies resize on browser",
    );
}

#[test]
fn a_denied_open_denies_all_and_a_denied_watch_denies_control() {
    let (set, mallory) = (all(), subject("mallory", &["users"]));
    for (action, word) in [(Action::Open, "open"), (Action::Control, "control"), (Action::Paste { bytes: 1 }, "paste")]
    {
        let expected = format!("Deny by freeze.yaml:4 deny[0].actions: freeze.yaml:4 denies {word} on browser");
        check_as(&set, &mallory, "browser", action, &expected);
    }
    let expected = "Deny by blind.yaml:3 deny[0].actions: blind.yaml:3 denies control on dev-9";
    check(&set, &["users"], "dev-9", Action::Control, expected);
    check(
        &set,
        &["users"],
        "dev-9",
        Action::Paste { bytes: 1 },
        "Permit by office.yaml:7 allow.paste: office.yaml:7 allows paste",
    );
}

#[test]
fn all_conditions_must_hold_together() {
    let mut elsewhere = subject("mallory", &["users"]);
    elsewhere.issuer = "https://other.example".into();
    check_as(
        &all(),
        &elsewhere,
        "browser",
        Action::Open,
        "Permit by office.yaml:6 allow.control: office.yaml:6 allows open",
    );
}

#[test]
fn hostile_names_are_shown_harmless() {
    let odd = subject("al\u{1b}[2Jice\r\n", &[]);
    let desktop = "x".repeat(1000);
    let expected =
        format!("Deny by default deny: no policy applies to al\\u{{1b}}[2Jice\\u{{d}}\\u{{a}} on {}…", "x".repeat(64));
    check_as(&all(), &odd, &desktop, Action::Open, &expected);
}

#[test]
fn the_strictest_recording_mode_counts_and_strict_is_the_default() {
    let shown = |groups: &[&str], desktop: &str| {
        let subject = subject("alice", groups);
        let owed = all().obligations(&Situation::new(&subject, desktop));
        format!("{} by {}", owed.mode(), owed.recording.mode.unwrap().rule)
    };
    assert_eq!(shown(&["users"], "browser"), "best_effort by office.yaml:9 recording.mode");
    assert_eq!(shown(&["users", "contractors"], "browser"), "strict by contractors.yaml:11 recording.mode");
    assert_eq!(shown(&[], "browser"), "strict by default recording.mode");
    assert!(Mode::Strict > Mode::BestEffort);
}

#[test]
fn policies_may_be_named_by_their_commit() {
    let commit = "1f2e3d4c5b6a79880123456789abcdef01234567";
    let named = set(&[("a.yaml", OFFICE)]).named(Revision::of_commit(commit).unwrap());
    assert_eq!(named.revision().as_str(), commit);
    assert!(Revision::of_commit(&"0".repeat(64)).is_some());
    for name in ["", "main", &commit[1..], &commit.to_uppercase(), "sha256:1f2e3d4c5b6a"] {
        assert_eq!(Revision::of_commit(name), None, "{name}");
    }
}

#[test]
fn revisions_tell_files_apart_by_name_and_content() {
    let revision = |files: &[(&str, &str)]| set(files).revision().to_string();
    let one = revision(&[("a.yaml", OFFICE), ("b.yaml", FREEZE)]);
    assert_eq!(one.len(), "sha256:".len() + 12);
    assert_eq!(one, revision(&[("b.yaml", FREEZE), ("a.yaml", OFFICE)]));
    assert_ne!(one, revision(&[("a.yaml", OFFICE), ("c.yaml", FREEZE)]));
    assert_ne!(one, revision(&[("a.yaml", OFFICE)]));
    assert_ne!(one, revision(&[("a.yaml", &format!("{OFFICE}#")), ("b.yaml", FREEZE)]));
    assert_eq!(PolicySet::deny_all().revision(), PolicySet::parse(&[]).unwrap().revision());
}

#[test]
fn the_words_of_the_language_are_one_table() {
    for kind in ActionKind::ALL {
        assert_eq!(ActionKind::from_name(kind.name()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert_eq!(kind.allowed_by()[0], kind, "the direct key comes first");
        assert_eq!(kind.denied_with()[0], kind, "an action is denied by its own name");
    }
}

#[test]
fn verdicts_serialise_for_events_and_the_api() {
    let verdict = all().decide(&Situation::new(&subject("alice", &["users"]), "browser").wants(Action::Control));
    let expected = serde_json::json!({
        "effect": "permit",
        "rule": {"file": "office.yaml", "line": 6, "policy": "office", "key": "allow.control"},
        "revision": all().revision().to_string(),
        "reason": "office.yaml:6 allows control",
    });
    assert_eq!(serde_json::to_value(verdict).unwrap(), expected);
}
