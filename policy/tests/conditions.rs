//! Golden table of networks, hours and contents: what applies when, from where and to what.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use portcullis_policy::{Action, Contents, Detector, PolicyFile, PolicySet, Situation, Subject, read_instant};

const OFFICE: &str = "\
policy: office
applies:
  groups: [users]
  networks: [10.0.0.0/8, 2001:db8::/32]
  hours: [Mon-Fri 08:00-19:00 Europe/Berlin, Sat 09:00-12:00 Europe/Berlin]
allow:
  control: {}
  paste: {max_bytes: 4 KiB}
  upload: {max_bytes: 10 MiB, types: [application/pdf, image/*]}
deny:
  - {actions: [paste, upload], containing: [payment-card, 'regex:(?i)aurora']}
";

const AWAY: &str = "\
policy: away
applies: {groups: [users], networks: [203.0.113.0/24]}
allow: {watch: {}}
deny: [{actions: [key]}]
";

fn set(texts: &[&str]) -> PolicySet {
    let file = |(index, text): (usize, &&str)| PolicyFile { name: format!("{index}.yaml"), text: (*text).into() };
    PolicySet::draft(&texts.iter().enumerate().map(file).collect::<Vec<_>>()).unwrap().set
}

fn alice() -> Subject {
    Subject { name: "alice".into(), groups: vec!["users".into()], issuer: "https://id.example".into() }
}

/// The verdict on an action by alice at this time from this address; an empty text is not known.
fn decided(set: &PolicySet, at: &str, from: &str, action: Action, contents: Contents<'_>) -> String {
    let alice = alice();
    let situation = Situation {
        subject: &alice,
        desktop: "browser",
        at: (!at.is_empty()).then(|| read_instant(at).unwrap()),
        from: (!from.is_empty()).then(|| from.parse().unwrap()),
    };
    let verdict = set.decide(&situation.wants(action).with(contents));
    format!("{} by {}", verdict.effect, verdict.rule)
}

fn check(set: &PolicySet, at: &str, from: &str, action: Action, expected: &str) {
    assert_eq!(decided(set, at, from, action, Contents::default()), expected, "{action:?} at {at:?} from {from:?}");
}

const MONDAY: &str = "2026-03-02 12:00 Europe/Berlin";
const OFFICE_PC: &str = "10.1.2.3";

#[test]
fn networks_and_hours_decide_with_all_other_conditions() {
    let set = set(&[OFFICE, AWAY]);
    for (at, from, expected) in [
        (MONDAY, OFFICE_PC, "permit by 0.yaml:7 allow.control"),
        (MONDAY, "2001:db8::7", "permit by 0.yaml:7 allow.control"),
        (MONDAY, "::ffff:10.1.2.3", "permit by 0.yaml:7 allow.control"),
        (MONDAY, "192.0.2.1", "deny by default deny"),
        ("2026-03-02 07:59 Europe/Berlin", OFFICE_PC, "deny by default deny"),
        ("2026-03-02 08:00 Europe/Berlin", OFFICE_PC, "permit by 0.yaml:7 allow.control"),
        ("2026-03-02 18:59 Europe/Berlin", OFFICE_PC, "permit by 0.yaml:7 allow.control"),
        ("2026-03-02 19:00 Europe/Berlin", OFFICE_PC, "deny by default deny"),
        ("2026-03-07 10:00 Europe/Berlin", OFFICE_PC, "permit by 0.yaml:7 allow.control"),
        ("2026-03-07 12:00 Europe/Berlin", OFFICE_PC, "deny by default deny"),
        // The same wall clock in another zone is another time.
        ("2026-03-02 08:00 America/New_York", OFFICE_PC, "permit by 0.yaml:7 allow.control"),
        ("2026-03-02 14:00 America/New_York", OFFICE_PC, "deny by default deny"),
    ] {
        check(&set, at, from, Action::Control, expected);
    }
}

#[test]
fn what_is_not_known_permits_nothing_and_excuses_nothing() {
    let set = set(&[OFFICE, AWAY, "policy: all\napplies: {}\nallow: {copy: {}}\n"]);
    check(&set, "", OFFICE_PC, Action::Control, "deny by default deny");
    check(&set, MONDAY, "", Action::Pointer, "deny by default deny");
    // Who may come from anywhere may come from where the keyboard is denied.
    check(&set, MONDAY, "", Action::Key, "deny by 1.yaml:4 deny[0].actions");
    check(&set, "", "", Action::Copy { bytes: 1 }, "permit by 2.yaml:3 allow.copy");
    let open = "policy: open\napplies: {groups: [users]}\nallow: {paste: {}}\n";
    let set = self::set(&[OFFICE, open]);
    check(&set, "", "", Action::Paste { bytes: 1 }, "permit by 1.yaml:3 allow.paste");
    check(&set, "", "", Action::Paste { bytes: 5000 }, "deny by 0.yaml:8 allow.paste.max_bytes");
    check(&set, MONDAY, "192.0.2.1", Action::Paste { bytes: 5000 }, "permit by 1.yaml:3 allow.paste");
}

#[test]
fn keyboard_and_pointer_are_allowed_and_denied_each_for_itself() {
    let control = "policy: control\napplies: {}\nallow: {control: {}}\n";
    let set = self::set(&[control, "policy: mouse\napplies: {}\ndeny: [{actions: [key]}]\n"]);
    check(&set, MONDAY, OFFICE_PC, Action::Pointer, "permit by 0.yaml:3 allow.control");
    check(&set, MONDAY, OFFICE_PC, Action::Key, "deny by 1.yaml:3 deny[0].actions");
    check(&set, MONDAY, OFFICE_PC, Action::Control, "deny by 1.yaml:3 deny[0].actions");
    check(&set, MONDAY, OFFICE_PC, Action::Watch, "permit by 0.yaml:3 allow.control");
    let set = self::set(&["policy: kiosk\napplies: {}\nallow: {watch: {}, pointer: {}}\n"]);
    check(&set, MONDAY, OFFICE_PC, Action::Pointer, "permit by 0.yaml:3 allow.pointer");
    check(&set, MONDAY, OFFICE_PC, Action::Key, "deny by default deny");
    check(&set, MONDAY, OFFICE_PC, Action::Control, "deny by default deny");
}

#[test]
fn contents_are_denied_by_what_is_found_in_them() {
    let set = set(&[OFFICE]);
    let alice = alice();
    let situation = Situation::new(&alice, "browser").at(read_instant(MONDAY).unwrap()).from([10, 0, 0, 1].into());
    let wanted = set.detectors(&situation, portcullis_policy::ActionKind::Paste);
    let shown: Vec<_> = wanted.iter().map(|stated| format!("{} by {}", stated.detector, stated.rule)).collect();
    assert_eq!(
        shown,
        ["payment-card by 0.yaml:11 deny[0].containing", "regex:(?i)aurora by 0.yaml:11 deny[0].containing"]
    );
    assert!(set.detectors(&situation, portcullis_policy::ActionKind::Copy).is_empty());
    let paste = |found: &[&Detector]| {
        let verdict =
            set.decide(&situation.wants(Action::Paste { bytes: 10 }).with(Contents { found, ..Contents::default() }));
        format!("{} by {}: {}", verdict.effect, verdict.rule, verdict.reason)
    };
    assert_eq!(paste(&[]), "permit by 0.yaml:8 allow.paste: 0.yaml:8 allows paste");
    assert_eq!(
        paste(&[&wanted[1].detector]),
        "deny by 0.yaml:11 deny[0].containing: 0.yaml:11 denies paste because of what was found in it on browser"
    );
    assert_eq!(paste(&[&"iban".parse().unwrap()]), "permit by 0.yaml:8 allow.paste: 0.yaml:8 allows paste");
}

#[test]
fn files_are_denied_by_their_types() {
    let everything =
        "policy: everything\napplies: {groups: [users]}\nallow: {upload: {max_bytes: 1 GiB, types: ['*/*']}}\n";
    let images = "policy: images\napplies: {groups: [users]}\nallow: {upload: {types: [image/*, text/plain]}}\n";
    let set = set(&[OFFICE, everything, images]);
    let upload = |bytes, media_type| {
        decided(&set, MONDAY, OFFICE_PC, Action::Upload { bytes }, Contents { media_type, ..Contents::default() })
    };
    assert_eq!(upload(1, Some("image/png")), "permit by 0.yaml:9 allow.upload");
    // Every list must hold the type.
    assert_eq!(upload(1, Some("application/pdf")), "deny by 2.yaml:3 allow.upload.types");
    assert_eq!(upload(1, Some("text/plain")), "deny by 0.yaml:9 allow.upload.types");
    assert_eq!(upload(11 << 20, Some("image/png")), "deny by 0.yaml:9 allow.upload.max_bytes");
    assert_eq!(upload(1, None), "permit by 0.yaml:9 allow.upload");
    assert_eq!(upload(1, Some("nonsense")), "deny by 0.yaml:9 allow.upload.types");
}

#[test]
fn the_next_opening_or_closing_is_known() {
    let set = set(&[
        OFFICE,
        "policy: night\napplies: {desktops: [server], hours: daily 22:00-06:00 UTC}\nallow: {watch: {}}\n",
    ]);
    let alice = alice();
    let next = |at: &str, from: &str, desktop: &str| {
        let situation = Situation::new(&alice, desktop).at(read_instant(at).unwrap()).from(from.parse().unwrap());
        set.next_change(&situation)
    };
    let is = |text: &str| Some(read_instant(text).unwrap());
    assert_eq!(next(MONDAY, OFFICE_PC, "browser"), is("2026-03-02 19:00 Europe/Berlin"));
    assert_eq!(next("2026-03-02 19:00 Europe/Berlin", OFFICE_PC, "browser"), is("2026-03-03 08:00 Europe/Berlin"));
    assert_eq!(next("2026-03-06 20:00 Europe/Berlin", OFFICE_PC, "browser"), is("2026-03-07 09:00 Europe/Berlin"));
    // Over the change to summer time.
    assert_eq!(next("2026-03-28 13:00 Europe/Berlin", OFFICE_PC, "browser"), is("2026-03-30 08:00 Europe/Berlin"));
    assert_eq!(next(MONDAY, OFFICE_PC, "server"), is("2026-03-02 19:00 Europe/Berlin"));
    // Hours of policies that other conditions keep out do not matter.
    assert_eq!(next(MONDAY, "192.0.2.1", "browser"), None);
    assert_eq!(next(MONDAY, "192.0.2.1", "server"), is("2026-03-02 22:00 UTC"));
    assert_eq!(set.next_change(&Situation::new(&alice, "browser")), None);
}

#[test]
fn situations_under_the_same_policies_are_known_as_such() {
    let set = set(&[OFFICE, AWAY]);
    let alice = alice();
    let from = |address: &str| {
        Situation::new(&alice, "browser").at(read_instant(MONDAY).unwrap()).from(address.parse().unwrap())
    };
    assert!(set.applies_alike(&from(OFFICE_PC), &from("10.9.9.9")));
    assert!(set.applies_alike(&from("192.0.2.1"), &from("192.0.2.9")));
    assert!(!set.applies_alike(&from(OFFICE_PC), &from("203.0.113.9")));
    assert!(!set.applies_alike(&from(OFFICE_PC), &Situation { from: None, ..from(OFFICE_PC) }));
}
