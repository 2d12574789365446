//! What is done with contents: denied, redacted or told of, the strictest of all policies; lists of words; what is kept.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use portcullis_policy::{
    Action, ActionKind, Cases, Contents, Detector, PolicyFile, PolicySet, Situation, Subject, lists,
};

const USERS: &str = "\
policy: users
applies: {groups: [users]}
allow: {control: {}, paste: {max_bytes: 4 KiB}, copy: {}, upload: {}}
deny:
  - {actions: [paste, copy], containing: [payment-card, iban], then: redact}
  - {actions: [paste, upload], containing: [iban, jwt], then: alert}
";
const STRICT: &str = "\
policy: strict
applies: {groups: [strict]}
deny:
  - {actions: [paste], containing: [payment-card, 'words:names.txt']}
";

fn file(name: &str, text: &str) -> PolicyFile {
    PolicyFile { name: name.into(), text: text.into() }
}

fn set() -> PolicySet {
    let names = file("names.txt", "nightfall\n");
    PolicySet::draft_with(&[file("users.yaml", USERS), file("strict.yaml", STRICT)], &[names]).unwrap().set
}

fn subject(groups: &[&str]) -> Subject {
    Subject { name: "a".into(), groups: groups.iter().map(|group| (*group).to_owned()).collect(), issuer: "i".into() }
}

fn check(groups: &[&str], action: Action, found: &[&str], expected: &str) {
    let subject = subject(groups);
    let found: Vec<Detector> = found.iter().map(|text| text.parse().unwrap()).collect();
    let found: Vec<&Detector> = found.iter().collect();
    let request = Situation::new(&subject, "desk").wants(action);
    let set = set();
    let verdict = set.decide(&request.with(Contents { found: &found, ..Contents::default() }));
    assert_eq!(format!("{} by {}", verdict.effect, verdict.rule), expected, "{groups:?} {action:?} {found:?}");
    // Whatever is found, it permits no more than nothing does.
    assert!(set.decide(&request).is_permit() || !verdict.is_permit());
}

#[test]
fn the_strictest_that_any_policy_does_is_done() {
    let paste = Action::Paste { bytes: 10 };
    check(&["users"], paste, &[], "permit by users.yaml:3 allow.paste");
    check(&["users"], paste, &["jwt"], "alert by users.yaml:6 deny[1].containing");
    check(&["users"], paste, &["iban"], "redact by users.yaml:5 deny[0].containing");
    check(&["users"], paste, &["jwt", "payment-card"], "redact by users.yaml:5 deny[0].containing");
    check(&["users"], Action::Copy { bytes: 10 }, &["jwt"], "permit by users.yaml:3 allow.copy");
    check(&["users"], Action::Upload { bytes: 10 }, &["iban"], "alert by users.yaml:6 deny[1].containing");
    check(&["users", "strict"], paste, &["payment-card"], "deny by strict.yaml:4 deny[0].containing");
    check(&["users", "strict"], paste, &["words:names.txt", "iban"], "deny by strict.yaml:4 deny[0].containing");
    check(&["users", "strict"], paste, &["iban"], "redact by users.yaml:5 deny[0].containing");
    // What is not allowed is not allowed without a part either, and a limit stays one.
    check(&["strict"], paste, &["iban"], "deny by default deny");
    check(&["users"], Action::Paste { bytes: 5000 }, &["iban"], "deny by users.yaml:3 allow.paste.max_bytes");
}

#[test]
fn each_detector_is_searched_for_once_with_the_strictest_answer() {
    let subject = subject(&["users", "strict"]);
    let set = set();
    let sought = set.detectors(&Situation::new(&subject, "desk"), ActionKind::Paste);
    let shown: Vec<String> = sought.iter().map(|one| format!("{} {} {}", one.detector, one.then, one.rule)).collect();
    assert_eq!(
        shown,
        [
            "payment-card deny strict.yaml:4 deny[0].containing",
            "words:names.txt deny strict.yaml:4 deny[0].containing",
            "iban redact users.yaml:5 deny[0].containing",
            "jwt alert users.yaml:6 deny[1].containing",
        ]
    );
    let explained = set.explain(&Situation::new(&subject, "desk"));
    let paste = explained.actions.iter().find(|action| action.action == ActionKind::Paste).unwrap();
    let searched: Vec<&str> = paste.searched.iter().map(|searched| searched.value.as_str()).collect();
    assert_eq!(searched, ["payment-card", "words:names.txt", "iban, then redact", "jwt, then alert"]);
}

#[test]
fn cases_may_expect_that_a_text_is_redacted() {
    let cases = |expect: &str| {
        let text = format!(
            "cases:\n  - {{subject: {{name: a, groups: [users]}}, desktop: d, action: paste, containing: [iban], expect: {expect}}}\n"
        );
        Cases::parse(&[file("tests/a.yaml", &text)]).unwrap().run(&set())
    };
    assert!(cases("redact")[0].passed());
    assert!(cases("permit")[0].faults[0].starts_with("expected permit, got redact by users.yaml:5"));
}

#[test]
fn what_cannot_be_is_a_fault() {
    let faults = |lines: &str| {
        let text = format!("policy: a\napplies: {{}}\n{lines}\n");
        let errors = PolicySet::draft(&[file("a.yaml", &text)]).unwrap_err();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        faults("deny: [{actions: [paste, upload, download], containing: [iban], then: redact}]"),
        [
            "a.yaml:3:26: a file cannot be redacted; write `then: deny` or `then: alert` for upload",
            "a.yaml:3:34: a file cannot be redacted; write `then: deny` or `then: alert` for download",
        ]
    );
    assert_eq!(
        faults("deny: [{actions: [paste], then: alert}]"),
        ["a.yaml:3:27: `then` says what is done with contents in which something is found; add `containing`"]
    );
    assert_eq!(
        faults("deny: [{actions: [paste], containing: [iban], then: stop}]"),
        ["a.yaml:3:53: `stop` is not an answer to contents; known here: alert, redact, deny"]
    );
    assert_eq!(
        faults("deny: [{actions: [paste], containing: ['words:names.txt']}]"),
        ["a.yaml:3:27: there is no file names.txt in the policy folder to read words from"]
    );
    assert_eq!(
        faults("allow: {paste: {keep: all, bytes_per_minute: 5}}"),
        [
            "a.yaml:3:23: `all` is not what is kept of a text; known here: contents",
            "a.yaml:3:46: a size needs a unit: B, KiB, MiB, GiB or TiB",
        ]
    );
    let named = (0..33).map(|n| format!("'words:{n:02}.txt'")).collect::<Vec<_>>().join(", ");
    let text = format!("policy: a\napplies: {{}}\ndeny: [{{actions: [paste], containing: [{named}]}}]\n");
    let words: Vec<PolicyFile> = (0..33).map(|n| file(&format!("{n:02}.txt"), "x")).collect();
    let errors = PolicySet::parse_with(&[file("a.yaml", &text)], &words).unwrap_err();
    assert_eq!(errors[0].to_string(), "a.yaml:3:27: there are more than 32 lists of words; put some together");
}

#[test]
fn lists_are_known_by_the_policies_that_name_them_and_part_of_the_revision() {
    let text =
        "policy: a\napplies: {}\ndeny: [{actions: [paste], containing: ['words:b/c.txt', 'words:../d', iban]}]\n";
    assert_eq!(
        lists(&[file("a.yaml", text), file("b.yaml", "words: ["), file("c.yaml", "words:")]),
        ["b/c.txt".to_owned()].into()
    );
    let parse = |words: &str| PolicySet::parse_with(&[file("s.yaml", STRICT)], &[file("names.txt", words)]).unwrap();
    assert_ne!(parse("one").revision(), parse("two").revision());
    assert_eq!(parse("one").revision(), parse("one").revision());
    let more = [file("names.txt", "one"), file("unnamed.txt", "two")];
    let set = PolicySet::parse_with(&[file("s.yaml", STRICT)], &more).unwrap();
    assert_eq!(set.revision(), parse("one").revision());
    // What a list holds is shown by nothing.
    assert!(!format!("{:?}", parse("nightfall")).contains("nightfall"));
}
