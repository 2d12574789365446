//! What a change of policies means for whom is told, and nothing that somebody gains is left out.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod written;

use portcullis_policy::{Direction, PolicyFile, PolicySet, diff};
use proptest::prelude::*;

const USERS: &str = "policy: users\napplies: {groups: [users]}\nallow: {control: {}, paste: {max_bytes: 4 KiB}}\n";

fn set(texts: &[&str]) -> PolicySet {
    let file = |(index, text): (usize, &&str)| PolicyFile { name: format!("{index}.yaml"), text: (*text).into() };
    PolicySet::draft(&texts.iter().enumerate().map(file).collect::<Vec<_>>()).unwrap().set
}

/// Going from one set to the other has exactly these effects.
fn check(before: &[&str], after: &[&str], expected: &[&str]) {
    let diff = diff(&set(before), &set(after));
    let shown = diff.effects.iter().map(|effect| {
        let around = if effect.circumstances.is_empty() {
            String::new()
        } else {
            format!(" {}", effect.circumstances.join(" or "))
        };
        let (who, on, way) = (&effect.who, effect.desktops.join(", "), effect.direction);
        format!(
            "{who} on {on}{around} {way} {}: {} → {} by {}",
            effect.what.join(", "),
            effect.before,
            effect.after,
            effect.rule
        )
    });
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    assert!(!diff.cut_short);
}

#[test]
fn what_is_allowed_newly_or_no_more_is_told() {
    let copy = "policy: copy\napplies: {groups: [users], desktops: [browser, dev-*]}\nallow: {copy: {}}\n";
    check(
        &[USERS],
        &[USERS, copy],
        &["group users on browser, dev-* gains copy: not allowed → permitted by 1.yaml:3 allow.copy"],
    );
    check(
        &[USERS, copy],
        &[USERS],
        &["group users on browser, dev-* loses copy: permitted → not allowed by 1.yaml:3 allow.copy"],
    );
    let watch = "policy: users\napplies: {groups: [users]}\nallow: {watch: {}}\n";
    check(
        &[USERS],
        &[watch],
        &[
            "group users on * loses control, key, pointer: permitted → not allowed by 0.yaml:3 allow.control",
            "group users on * loses paste: permitted → not allowed by 0.yaml:3 allow.paste",
        ],
    );
}

#[test]
fn denials_and_their_end_are_told() {
    let vault = "policy: vault\napplies: {desktops: [vault]}\ndeny: [{actions: [open]}]\n";
    check(
        &[vault],
        &[],
        &[
            "everybody on vault gains open, watch, control, key, pointer, paste, copy, upload, download, resize: denied → not allowed by 0.yaml:3 deny[0].actions",
        ],
    );
    let mallory =
        "policy: mallory\napplies: {users: [mallory], issuers: [https://id.example]}\ndeny: [{actions: [paste]}]\n";
    check(
        &[USERS],
        &[USERS, mallory],
        &[
            "user mallory, group users, issuer https://id.example on * loses paste: permitted → denied by 1.yaml:3 deny[0].actions",
            "user mallory, issuer https://id.example on * loses paste: not allowed → denied by 1.yaml:3 deny[0].actions",
        ],
    );
}

#[test]
fn limits_and_obligations_are_told_with_their_direction() {
    let wider = USERS.replace("4 KiB", "64 KiB") + "session: {idle: 30m}\nrecording: {mode: best_effort}\n";
    check(
        &[&(USERS.to_owned() + "session: {idle: 15m}\n")],
        &[&wider],
        &[
            "group users on * gains paste.max_bytes: 4 KiB → 64 KiB by 0.yaml:3 allow.paste.max_bytes",
            "group users on * gains recording.mode: strict → best_effort by 0.yaml:5 recording.mode",
            "group users on * gains session.idle: 15m → 30m by 0.yaml:4 session.idle",
        ],
    );
    let searched = USERS.to_owned() + "deny: [{actions: [paste], containing: [iban]}]\n";
    check(
        &[USERS],
        &[&searched],
        &["group users on * loses paste containing iban: not searched for → denied by 0.yaml:4 deny[0].containing"],
    );
    let redacted = searched.replace("[iban]}", "[iban], then: redact}");
    check(
        &[&searched],
        &[&redacted],
        &["group users on * gains paste containing iban: denied → redacted by 0.yaml:4 deny[0].containing"],
    );
    let kept = USERS.replace("{max_bytes: 4 KiB}", "{max_bytes: 4 KiB, keep: contents, bytes_per_session: 1 MiB}");
    check(
        &[USERS],
        &[&kept],
        &[
            "group users on * loses paste.bytes_per_session: no limit → 1 MiB by 0.yaml:3 allow.paste.bytes_per_session",
            "group users on * loses paste.keep: no limit → contents by 0.yaml:3 allow.paste.keep",
        ],
    );
}

#[test]
fn a_list_of_words_that_changes_is_a_difference() {
    let text = USERS.to_owned() + "deny: [{actions: [paste], containing: ['words:names.txt']}]\n";
    let with = |words: &str| {
        let file = |name: &str, text: &str| PolicyFile { name: name.into(), text: text.into() };
        PolicySet::parse_with(&[file("0.yaml", &text)], &[file("names.txt", words)]).unwrap()
    };
    let told = |before: &str, after: &str| {
        let told = diff(&with(before), &with(after)).effects.into_iter();
        told.map(|effect| format!("{} {}: {} → {}", effect.direction, effect.what[0], effect.before, effect.after))
            .collect::<Vec<_>>()
    };
    assert!(told("aurora\n", "# a comment\n\naurora\n").is_empty());
    let said = |direction: &str, before: &str, after: &str| {
        format!("{direction} paste containing words:names.txt: denied ({before}) → denied ({after})")
    };
    assert_eq!(told("aurora\n", "aurora\nnightfall\n"), [said("loses", "1 word", "2 words")]);
    assert_eq!(told("aurora\nnightfall\n", "aurora\n"), [said("gains", "2 words", "1 word")]);
    let both = told("aurora\n", "nightfall\n");
    assert_eq!(both, [said("loses", "1 word", "1 word"), said("gains", "1 word", "1 word")]);
}

#[test]
fn a_limit_that_goes_with_its_policy_is_a_gain_for_those_whom_another_allows_the_same() {
    let limited = "policy: limited\napplies: {}\nallow: {copy: {max_bytes: 1 KiB}}\n";
    let staff = "policy: staff\napplies: {groups: [staff]}\nallow: {copy: {}}\n";
    check(
        &[staff, limited],
        &[staff],
        &[
            "everybody on * loses copy: permitted → not allowed by 1.yaml:3 allow.copy",
            "group staff on * gains copy.max_bytes: 1 KiB → no limit by 1.yaml:3 allow.copy.max_bytes",
        ],
    );
}

#[test]
fn where_and_when_is_told_where_it_matters() {
    let office = "policy: office\napplies: {groups: [users], networks: [10.0.0.0/8], hours: Mon-Fri 08:00-19:00 Europe/Berlin}\nallow: {copy: {}}\n";
    let anywhere =
        "policy: office\napplies: {groups: [users], hours: Mon-Fri 08:00-19:00 Europe/Berlin}\nallow: {copy: {}}\n";
    check(
        &[office],
        &[anywhere],
        &[
            "group users on * from elsewhere during Mon-Fri 08:00-19:00 Europe/Berlin gains copy: not allowed → permitted by 0.yaml:3 allow.copy",
        ],
    );
    let always = "policy: office\napplies: {groups: [users]}\nallow: {copy: {}}\n";
    check(
        &[anywhere],
        &[always],
        &["group users on * at other times gains copy: not allowed → permitted by 0.yaml:3 allow.copy"],
    );
}

#[test]
fn what_reads_differently_and_says_the_same_is_no_change() {
    let other = "# a comment\napplies: {groups: [users]}\nallow:\n  paste:\n    max_bytes: 4096 B\n  control: {}\npolicy: users\n";
    let before = set(&[USERS]);
    let after = PolicySet::parse(&[PolicyFile { name: "renamed.yaml".into(), text: other.into() }]).unwrap();
    assert_ne!(before.revision(), after.revision());
    assert!(diff(&before, &after).is_empty());
}

#[test]
fn policies_that_differ_are_named_with_what_they_say() {
    let diff = diff(&set(&[USERS]), &set(&[&USERS.replace("4 KiB", "1 KiB").replace("[users]", "[users, staff]")]));
    let [change] = diff.policies.as_slice() else { panic!("{diff:?}") };
    assert_eq!(change.policy, "users");
    assert_eq!(change.removed, ["allow.paste.max_bytes: 4 KiB"]);
    assert_eq!(change.added, ["allow.paste.max_bytes: 1 KiB", "applies.groups: staff"]);
    assert_eq!(change.before.as_ref().map(ToString::to_string).as_deref(), Some("0.yaml:1 policy"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_gains_what_is_not_told(
        before in written::several(), after in written::several(), keep in any::<u8>(),
        subject in written::subject(), place in written::known_place(), action in written::action(),
    ) {
        // Some policies stay as they are, as in real changes.
        let after: Vec<_> = after.into_iter().enumerate().map(|(index, policy)| match before.get(index) {
            Some(old) if keep & (1 << index) != 0 => old.clone(),
            _ => policy,
        }).collect();
        let (old, new) = (written::parse(&written::files(&before)), written::parse(&written::files(&after)));
        let request = place.of(&subject).wants(action);
        let (was, is) = (old.decide(&request), new.decide(&request));
        let direction = match (was.is_permit(), is.is_permit()) {
            (false, true) => Direction::Gains,
            (true, false) => Direction::Loses,
            _ => return Ok(()),
        };
        let diff = diff(&old, &new);
        prop_assert!(!diff.cut_short);
        let kind = action.kind().name();
        let told = diff.effects.iter().any(|effect| effect.direction == direction && effect.what.iter().any(|what| {
            what == kind || what.split('.').next() == Some(kind)
        }));
        prop_assert!(told, "{} {} from {} to {} in {:#?}", direction, kind, was.reason, is.reason, diff.effects);
    }
}
