//! Cases are read, run and say what is not as expected.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use portcullis_policy::{Cases, PolicyFile, PolicySet};

const POLICY: &str = "\
policy: contractors
applies:
  groups: [contractors]
  networks: [10.0.0.0/8]
  hours: Mon-Fri 08:00-19:00 Europe/Berlin
allow:
  control: {}
  paste: {max_bytes: 4 KiB}
  upload: {max_bytes: 10 MiB, types: [application/pdf, image/*]}
deny:
  - {actions: [paste], containing: [payment-card, 'regex:(?i)aurora']}
session: {idle: 15m, concurrent: 2}
";

fn file(name: &str, text: &str) -> PolicyFile {
    PolicyFile { name: name.into(), text: text.into() }
}

/// Runs cases, written as one YAML list, and shows how each went.
fn run(cases: &str) -> Vec<String> {
    let set = PolicySet::draft(&[file("contractors.yaml", POLICY)]).unwrap().set;
    let head = "subjects:\n  carol: {groups: [contractors], issuer: https://id.example}\n  stranger: {}\ncases:\n";
    let cases = Cases::parse(&[file("tests/contractors.yaml", &format!("{head}{cases}"))]).unwrap();
    let results = cases.run(&set).into_iter();
    results
        .map(|result| {
            format!("{}: {}", result.line, if result.passed() { "ok".into() } else { result.faults.join("; ") })
        })
        .collect()
}

/// One case in flow style, at Monday noon from the office unless it says otherwise.
fn check(case: &str, expected: &str) {
    let usual = "time: 2026-03-02 12:00 Europe/Berlin, network: 10.1.2.3, desktop: browser";
    assert_eq!(run(&format!("  - {{subject: carol, {usual}, {case}}}\n")), [format!("5: {expected}")], "{case}");
}

#[test]
fn cases_pass_where_verdict_and_rule_are_as_expected() {
    for case in [
        "expect: permit",
        "action: control, expect: permit, rule: contractors",
        "action: control, expect: permit, rule: contractors.yaml",
        "action: control, expect: permit, rule: 'contractors.yaml:7'",
        "action: control, expect: permit, rule: 'contractors.yaml:7 allow.control'",
        "action: control, expect: permit, rule: contractors allow.control",
        "action: copy, expect: deny, rule: default deny",
        "action: copy, expect: deny, rule: default",
        "action: paste, bytes: 4 KiB, expect: permit",
        "action: paste, bytes: 5 KiB, expect: deny, rule: contractors allow.paste.max_bytes",
        "action: paste, containing: [payment-card], expect: deny, rule: 'contractors.yaml:11 deny[0].containing'",
        "action: paste, containing: ['regex:(?i)aurora'], expect: deny",
        "action: paste, containing: [iban], expect: permit",
        "action: upload, bytes: 1 MiB, type: image/png, expect: permit, rule: contractors allow.upload",
        "action: upload, bytes: 1 MiB, type: text/html, expect: deny, rule: contractors allow.upload.types",
        "owes: {session.idle: 15m, session.concurrent: 2, recording.keep: null}",
    ] {
        check(case, "ok");
    }
}

#[test]
fn what_is_not_known_permits_nothing() {
    let cases = "  - {subject: carol, desktop: browser, network: 10.1.2.3, expect: deny, rule: default deny}
  - {subject: carol, desktop: browser, time: 2026-03-02 12:00 Europe/Berlin, expect: deny}
  - {subject: carol, desktop: browser, owes: {session.idle: 15m}}
  - {subject: carol, desktop: browser, action: paste, containing: [payment-card], expect: deny, rule: contractors}
  - {subject: carol, desktop: browser, time: 2026-03-02 19:00 Europe/Berlin, network: 10.1.2.3, expect: deny}
  - {subject: carol, desktop: browser, time: 2026-03-02 12:00 Europe/Berlin, network: 192.0.2.1, expect: deny}
  - {subject: stranger, desktop: browser, time: 2026-03-02 12:00 Europe/Berlin, network: 10.1.2.3, expect: deny}
  - {subject: {name: carla, groups: [contractors]}, desktop: x, time: 2026-03-02 12:00 UTC, network: 10.0.0.1, expect: permit}
";
    assert_eq!(run(cases), (5..13).map(|line| format!("{line}: ok")).collect::<Vec<_>>());
}

#[test]
fn cases_fail_with_what_there_is_instead() {
    check(
        "action: control, expect: deny",
        "expected deny, got permit by contractors.yaml:7 allow.control: contractors.yaml:7 allows control",
    );
    check(
        "action: control, expect: permit, rule: contractors allow.watch",
        "expected the rule contractors allow.watch, got contractors.yaml:7 allow.control",
    );
    check(
        "action: control, expect: permit, rule: 'contractors.yaml:8'",
        "expected the rule contractors.yaml:8, got contractors.yaml:7 allow.control",
    );
    check(
        "owes: {session.idle: 10m, session.longest: 8h, session.concurrent: null}",
        "expected session.idle to be 10m, got 15m by contractors.yaml:12 session.idle; \
         expected session.longest to be 8h, got nothing; \
         expected session.concurrent to be nothing, got 2 by contractors.yaml:12 session.concurrent",
    );
}

#[test]
fn faults_in_cases_are_told_with_their_places() {
    let text = "\
subjects: {carol: {group: [x]}}
cases:
  - {subject: carl, desktop: browser, action: past, expect: allow}
  - {subject: {groups: [x]}, expect: permit}
  - {subject: carol, desktop: browser}
  - {subject: carol, desktop: x, action: copy, bytes: 4, time: noon, network: here, expect: deny, owes: {session.idel: 5m}}
  - {subject: carol, desktop: x, action: open, bytes: 4 KiB, expect: deny}
";
    let errors = Cases::parse(&[file("t.yaml", text)]).unwrap_err();
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "t.yaml:1:20: unknown key `group` in a subject; did you mean `groups`?",
            "t.yaml:3:15: `carl` is not one of `subjects`; did you mean `carol`?",
            "t.yaml:3:47: `past` is not an action; did you mean `paste`?",
            "t.yaml:3:61: `allow` is not a verdict; known here: permit, alert, redact, deny",
            "t.yaml:4:5: the key `desktop` is missing; name the desktop",
            "t.yaml:4:15: the key `name` is missing; name the subject",
            "t.yaml:5:5: this case expects nothing; add `expect: permit`, `expect: deny` or `owes`",
            "t.yaml:6:55: a size needs a unit, such as 4 KiB",
            "t.yaml:6:64: `noon` is not a time; write it as 2026-03-02 09:00 Europe/Berlin",
            "t.yaml:6:79: `here` is not an address, such as 10.1.2.3",
            "t.yaml:6:106: unknown key `session.idel` in `owes`; did you mean `session.idle`?",
            "t.yaml:7:48: open carries nothing across; take `bytes` out",
        ]
    );
}
