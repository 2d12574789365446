//! Rules that never count, contradict each other or reach too far are found; those that are meant are left alone.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod written;

use portcullis_policy::{PolicyFile, PolicySet, Surroundings};
use proptest::prelude::*;

fn set(texts: &[&str]) -> PolicySet {
    let file = |(index, text): (usize, &&str)| {
        let name = format!("{}.yaml", char::from(b'a' + u8::try_from(index).unwrap()));
        PolicyFile { text: format!("policy: {}\n{text}\n", &name[..1]), name }
    };
    PolicySet::draft(&texts.iter().enumerate().map(file).collect::<Vec<_>>()).unwrap().set
}

/// Policies `a`, `b`… with these lines from line 2 on have exactly these findings.
fn check(texts: &[&str], expected: &[&str]) {
    let findings: Vec<String> = set(texts).check(Surroundings::default()).iter().map(ToString::to_string).collect();
    assert_eq!(findings, expected, "{texts:#?}");
}

#[test]
fn policies_that_are_meant_are_left_alone() {
    check(
        &[
            "applies: {groups: [users]}\nallow: {control: {}, paste: {max_bytes: 1 KiB}}\nsession: {idle: 15m}",
            "applies: {groups: [users], desktops: [browser]}\nallow: {copy: {max_bytes: 1 KiB}, paste: {max_bytes: 1 B}}\nsession: {idle: 10m}",
            "applies: {desktops: [vault]}\ndeny: [{actions: [open]}]",
            "applies: {groups: [staff]}\nallow: {control: {}}\ndeny: [{actions: [key]}]",
        ],
        &[],
    );
}

#[test]
fn what_a_policy_says_against_itself_is_found() {
    check(
        &["applies: {groups: [g]}\nallow:\n  control: {}\n  copy: {max_bytes: 1 KiB}\ndeny:\n  - {actions: [copy]}"],
        &[
            "a.yaml:5: contradictory: allow.copy: line 7 of the same policy denies copy, which counts; take one of them out",
        ],
    );
    check(
        &["applies: {}\nsession: {longest: 1h, idle: 90m, reconnect: 5m, warning: 1h}"],
        &[
            "a.yaml:3: contradictory: session.idle: `idle` of 1h30m never counts in sessions that last 1h (line 3)",
            "a.yaml:3: contradictory: session.warning: `warning` of 1h never counts in sessions that last 1h (line 3)",
        ],
    );
}

#[test]
fn what_others_deny_is_unreachable() {
    check(
        &[
            "applies: {groups: [g, h], desktops: [dev-*]}\ndeny: [{actions: [copy]}]",
            "applies: {groups: [g], desktops: [dev-1]}\nallow: {copy: {max_bytes: 1 KiB}}",
        ],
        &["b.yaml:3: unreachable: allow.copy: a.yaml:3 denies copy to everybody whom this applies to"],
    );
    // Who is denied control may still watch: `control` permits that too.
    check(
        &["applies: {groups: [g]}\ndeny: [{actions: [control]}]", "applies: {groups: [g]}\nallow: {control: {}}"],
        &[],
    );
    check(
        &["applies: {groups: [g]}\ndeny: [{actions: [open]}]", "applies: {groups: [g]}\nallow: {control: {}}"],
        &["b.yaml:3: unreachable: allow.control: a.yaml:3 denies control to everybody whom this applies to"],
    );
    // With certain contents only, or for some of them only, the rest is still allowed.
    check(
        &[
            "applies: {groups: [g]}\ndeny: [{actions: [copy], containing: [iban]}]",
            "applies: {groups: [g], networks: [10.0.0.0/8]}\ndeny: [{actions: [copy]}]",
            "applies: {groups: [g]}\nallow: {copy: {max_bytes: 1 KiB}}",
        ],
        &[],
    );
}

#[test]
fn globs_that_fit_no_desktop_are_unreachable() {
    let set = set(&["applies: {groups: [g], desktops: [browser, 'dev-*', termnal]}\nallow: {control: {}}"]);
    let desktops = ["browser".to_owned(), "dev-1".to_owned(), "terminal".to_owned()];
    let findings = set.check(Surroundings { desktops: &desktops });
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "a.yaml:2: unreachable: applies.desktops: no desktop of this gate is called `termnal`; there are browser, dev-1, terminal"
        ]
    );
}

#[test]
fn what_adds_nothing_is_shadowed() {
    check(
        &[
            "applies: {groups: [g]}\nallow: {control: {}, paste: {max_bytes: 1 KiB}}\ndeny: [{actions: [resize]}]\nsession: {idle: 10m}",
            "applies: {groups: [g], hours: Mon-Fri 08:00-19:00 UTC}\nallow:\n  control: {}\n  paste: {max_bytes: 2 KiB}\ndeny:\n  - actions: [resize]\nsession:\n  idle: 15m\n  longest: 8h",
        ],
        &[
            "b.yaml:4: shadowed: allow.control: a.yaml:3 allows control wherever this does, within the same limits",
            "b.yaml:5: shadowed: allow.paste: a.yaml:3 allows paste wherever this does, within the same limits",
            "b.yaml:7: shadowed: deny[0].actions: a.yaml:4 denies resize wherever this does",
            "b.yaml:9: shadowed: session.idle: a.yaml:5 asks 10m wherever this applies",
        ],
    );
    // Of two that say the same the first in the order of files counts, whichever that is.
    check(
        &["applies: {groups: [g]}\nallow: {control: {}}", "applies: {groups: [g]}\nallow: {control: {}}"],
        &["b.yaml:3: shadowed: allow.control: a.yaml:3 allows control wherever this does, within the same limits"],
    );
    check(
        &[
            "applies: {groups: [g], desktops: [x]}\nallow: {control: {}}",
            "applies: {groups: [g]}\nallow: {control: {}}",
        ],
        &["a.yaml:3: shadowed: allow.control: b.yaml:3 allows control wherever this does, within the same limits"],
    );
    // A narrower limit is no shadow, nor is what applies to others as well.
    check(
        &[
            "applies: {groups: [g]}\nallow: {paste: {max_bytes: 2 KiB}}",
            "applies: {groups: [g]}\nallow: {paste: {max_bytes: 1 KiB}}",
        ],
        &["a.yaml:3: shadowed: allow.paste: b.yaml:3 allows paste wherever this does, within the same limits"],
    );
    check(
        &["applies: {groups: [g]}\nallow: {control: {}}", "applies: {groups: [g, h]}\nallow: {control: {}}"],
        &["a.yaml:3: shadowed: allow.control: b.yaml:3 allows control wherever this does, within the same limits"],
    );
}

#[test]
fn what_reaches_far_is_too_wide() {
    check(
        &["applies: {}\nallow:\n  control: {}\n  copy: {}"],
        &[
            "a.yaml:4: too-wide: allow.control: control is allowed to everybody whom any issuer vouches for; name users, groups or issuers",
            "a.yaml:5: too-wide: allow.copy: copy has no limit here; give it `max_bytes`",
            "a.yaml:5: too-wide: allow.copy: copy is allowed to everybody whom any issuer vouches for; name users, groups or issuers",
        ],
    );
    check(
        &[
            "applies:\n  users: [alice]\n  networks: [0.0.0.0/0]\n  hours: daily 00:00-24:00 UTC\nallow: {upload: {max_bytes: 1 MiB, types: ['*/*']}}",
        ],
        &[
            "a.yaml:2: too-wide: applies.hours: `daily 00:00-24:00 UTC` never ends; take it out",
            "a.yaml:2: too-wide: applies.networks: 0.0.0.0/0 holds every address of its kind; take it out",
            "a.yaml:2: too-wide: applies.users: names are unique for their issuer only; name the issuers that vouch for these",
            "a.yaml:6: too-wide: allow.upload.types: */* is every type; take `types` out, or name some",
        ],
    );
    // A limit that another policy sets for all of these is a limit.
    check(
        &[
            "applies: {groups: [g]}\nallow: {copy: {max_bytes: 1 KiB}}",
            "applies: {groups: [g], desktops: [x]}\nallow: {copy: {}}",
        ],
        &["b.yaml:3: shadowed: allow.copy: a.yaml:3 allows copy wherever this does, within the same limits"],
    );
}

proptest! {
    /// What is called shadowed or unreachable can be taken out, and no verdict changes.
    #[test]
    fn what_never_counts_can_be_taken_out(
        policies in written::several(), subject in written::subject(), place in written::place(), action in written::action(),
    ) {
        let files = written::files(&policies);
        let set = written::parse(&files);
        let before = set.decide(&place.of(&subject).wants(action));
        for finding in set.check(Surroundings::default()) {
            if !matches!(finding.doubt.name(), "shadowed" | "unreachable") || !finding.rule.key.starts_with("allow.") {
                continue;
            }
            let mut without = files.clone();
            let file = without.iter_mut().find(|file| file.name == finding.rule.file).unwrap();
            let lines = file.text.lines().enumerate().filter(|(index, _)| index + 1 != finding.rule.line as usize);
            let text: String = lines.map(|(_, line)| format!("{line}\n")).collect();
            file.text = text.replace("allow:\nd", "allow: {}\nd").replace("allow:\ns", "allow: {}\ns").replace("allow:\nr", "allow: {}\nr");
            if file.text.ends_with("allow:\n") {
                file.text = file.text.replace("allow:\n", "allow: {}\n");
            }
            let after = written::parse(&without).decide(&place.of(&subject).wants(action));
            prop_assert_eq!(before.effect, after.effect, "{} in {:?}", finding, files);
        }
    }
}
