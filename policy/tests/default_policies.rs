//! The policies that a fresh installation starts with permit and refuse what they say they do.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use portcullis_policy::{Action, PolicyFile, PolicySet, Situation, Subject};

fn defaults() -> PolicySet {
    let file = |name: &str, text: &str| PolicyFile { name: name.into(), text: text.into() };
    PolicySet::parse(&[
        file("browser.yaml", include_str!("../examples/default/browser.yaml")),
        file("users.yaml", include_str!("../examples/default/users.yaml")),
        file("terminal.yaml", include_str!("../examples/default/terminal.yaml")),
        file("vault.yaml", include_str!("../examples/default/vault.yaml")),
    ])
    .unwrap()
}

fn check(groups: &[&str], desktop: &str, action: Action, expected: &str) {
    let subject = Subject {
        name: "alice".into(),
        groups: groups.iter().map(|&group| group.into()).collect(),
        issuer: "portcullis".into(),
    };
    let verdict = defaults().decide(&Situation::new(&subject, desktop).wants(action));
    assert_eq!(format!("{:?} by {}", verdict.effect, verdict.rule), expected, "{action:?} on {desktop} for {groups:?}");
}

const KIB_64: u64 = 64 * 1024;

#[test]
fn users_control_every_desktop_but_the_vault() {
    for desktop in ["terminal", "browser", "sealed"] {
        check(&["users"], desktop, Action::Open, "Permit by users.yaml:8 allow.control");
        check(&["users"], desktop, Action::Control, "Permit by users.yaml:8 allow.control");
        check(&["users"], desktop, Action::Resize { width: 1920, height: 1080 }, "Permit by users.yaml:9 allow.resize");
    }
    for action in [Action::Open, Action::Watch, Action::Control, Action::Paste { bytes: 1 }, Action::Copy { bytes: 1 }]
    {
        check(&["users"], "vault", action, "Deny by vault.yaml:6 deny[0].actions");
        check(&[], "vault", action, "Deny by vault.yaml:6 deny[0].actions");
    }
}

#[test]
fn the_clipboard_is_open_where_a_file_says_so() {
    check(&["users"], "terminal", Action::Paste { bytes: KIB_64 }, "Permit by terminal.yaml:7 allow.paste");
    check(&["users"], "terminal", Action::Paste { bytes: KIB_64 + 1 }, "Deny by terminal.yaml:7 allow.paste.max_bytes");
    check(&["users"], "terminal", Action::Copy { bytes: KIB_64 }, "Permit by terminal.yaml:8 allow.copy");
    check(&["users"], "browser", Action::Paste { bytes: KIB_64 }, "Permit by browser.yaml:7 allow.paste");
    check(&["users"], "browser", Action::Copy { bytes: 1 }, "Deny by browser.yaml:9 deny[0].actions");
    check(&["users"], "sealed", Action::Paste { bytes: 1 }, "Deny by default deny");
    check(&["users"], "sealed", Action::Copy { bytes: 1 }, "Deny by default deny");
}

#[test]
fn strangers_open_nothing() {
    for desktop in ["terminal", "browser", "sealed"] {
        check(&[], desktop, Action::Open, "Deny by default deny");
        check(&["guests"], desktop, Action::Control, "Deny by default deny");
    }
}

#[test]
fn everything_is_recorded_strictly() {
    let alice = Subject { name: "alice".into(), groups: vec!["users".into()], issuer: "portcullis".into() };
    let mode = defaults().obligations(&Situation::new(&alice, "terminal")).recording.mode.unwrap();
    assert_eq!(format!("{} by {}", mode.value, mode.rule), "strict by users.yaml:11 recording.mode");
}
