//! What is wrong with a file is said with its place and its mend, all faults at once.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use portcullis_policy::{MAX_ERRORS, MAX_FILE_BYTES, MAX_FILES, PolicyFile, PolicySet};

fn file(name: &str, text: &str) -> PolicyFile {
    PolicyFile { name: name.into(), text: text.into() }
}

fn faults(files: &[PolicyFile]) -> Vec<String> {
    let errors = PolicySet::parse(files).expect_err("these files have faults");
    errors.iter().map(ToString::to_string).collect()
}

/// One file `a.yaml` has exactly these faults.
fn check(text: &str, expected: &[&str]) {
    assert_eq!(faults(&[file("a.yaml", text)]), expected, "{text}");
}

/// A policy that is right but for these lines, which start in line 3.
fn check_in_policy(lines: &str, expected: &[&str]) {
    check(&format!("policy: a\napplies: {{}}\n{lines}\n"), expected);
}

#[test]
fn every_fault_of_every_file_is_told_at_once() {
    let first = "policy: a\napplys: {}\nallow:\n  pase: {max_bytes: 4 KB}\n  copy: {max_byte: 4 KiB}\n  watch: {max_bytes: 1 B}\n";
    let second = "policy: b\napplies: {users: [5], group: [x]}\ndeny:\n  - {actions: [past, clipboard]}\nrecording: {mode: strickt}\n";
    assert_eq!(
        faults(&[file("b.yaml", second), file("a.yaml", first)]),
        [
            "a.yaml:1:1: the key `applies` is missing; say whom it is for, or write `applies: {}` for everybody on every desktop",
            "a.yaml:2:1: unknown key `applys` in this policy; did you mean `applies`?",
            "a.yaml:4:3: unknown key `pase` in `allow`; did you mean `paste`?",
            "a.yaml:5:10: unknown key `max_byte` in `allow.copy`; did you mean `max_bytes`?",
            "a.yaml:6:11: unknown key `max_bytes` in `allow.watch`; it takes none",
            "b.yaml:2:19: the name of a user is a number here; if it is meant as a name, put it in quotes",
            "b.yaml:2:23: unknown key `group` in `applies`; did you mean `groups`?",
            "b.yaml:4:16: `past` is not an action; did you mean `paste`?",
            "b.yaml:4:22: `clipboard` is not an action; known here: open, watch, control, paste, copy, resize",
            "b.yaml:5:19: `strickt` is not a recording mode; did you mean `strict`?",
        ]
    );
}

#[test]
fn yaml_that_is_none_is_explained() {
    check("a: [1, 2", &["a.yaml:1:4: this is not the YAML of a policy: unclosed bracket '['"]);
    check(
        "a:\n\t- b\n",
        &["a.yaml:2:2: this is not the YAML of a policy: tabs disallowed within this context (block indentation)"],
    );
    check("a: !foo b", &["a.yaml:1:9: this is not the YAML of a policy: unsupported tag `!foo`"]);
    check(
        "---\na: 1\n---\nb: 2\n",
        &["a.yaml:4:1: one file holds one policy; move what follows `---` to a file of its own"],
    );
    check("applies: {desktops: [*]}\n", &["a.yaml:1:22: a name that starts with * must stand in quotes, such as '*'"]);
    check("policy: &x a\n", &["a.yaml:1:12: anchors (&) and aliases (*) are no part of policies; write the value out"]);
    check(
        "",
        &["a.yaml:1:1: this policy must be a map with the keys policy, applies, allow, deny, recording, not nothing"],
    );
    check(
        "- a\n",
        &["a.yaml:1:1: this policy must be a map with the keys policy, applies, allow, deny, recording, not a list"],
    );
}

#[test]
fn nothing_is_merged_in_and_no_key_counts_twice() {
    check_in_policy(
        "<<: {allow: {control: {}}}\nallow: {}",
        &["a.yaml:3:1: unknown key `<<` in this policy; known here: policy, applies, allow, deny, recording"],
    );
    check_in_policy(
        "allow: {}\nallow: {control: {}}",
        &["a.yaml:4:1: `allow` is given twice in this policy, first in line 3; keep one"],
    );
    check_in_policy(
        "allow: {paste: {}, paste: {max_bytes: 1 KiB}}",
        &["a.yaml:3:20: `paste` is given twice in `allow`, first in line 3; keep one"],
    );
}

#[test]
fn conditions_that_would_match_nobody_or_anybody_by_accident_are_refused() {
    let check_applies =
        |applies: &str, expected: &[&str]| check(&format!("policy: a\napplies: {applies}\nallow: {{}}\n"), expected);
    check_applies("{groups: []}", &["a.yaml:2:19: `groups` is an empty list; name at least one or take the key out"]);
    check_applies("{groups: admins}", &["a.yaml:2:19: `groups` is text here; write a list, such as [one, two]"]);
    check_applies("{groups: }", &["a.yaml:2:17: `groups` is nothing here; write a list, such as [one, two]"]);
    check_applies(
        "{users: ['*']}",
        &[
            "a.yaml:2:19: the name of a user is compared exactly, * and ? work for `desktops` only; take the key out to mean all",
        ],
    );
    check_applies("{issuers: ['']}", &["a.yaml:2:21: the name of an issuer is empty; write a name"]);
    check_applies(
        "{desktops: [' dev']}",
        &["a.yaml:2:22: the name of a desktop has blanks at its start or end; take them out"],
    );
    check_applies(
        "{users: [\"a\\nb\"]}",
        &["a.yaml:2:19: the name of a user has a control character in it; take it out"],
    );
    check_applies(
        "everybody",
        &["a.yaml:2:10: `applies` must be a map with the keys users, groups, desktops, issuers, not text"],
    );
    let long = "x".repeat(257);
    check_applies(
        &format!("{{desktops: [{long}]}}"),
        &["a.yaml:2:22: the name of a desktop is longer than 256 characters; shorten it"],
    );
}

#[test]
fn keys_of_later_versions_are_refused_by_name_rather_than_ignored() {
    for key in ["session", "screen", "desktop"] {
        let expected = format!(
            "a.yaml:3:1: unknown key `{key}` in this policy; known here: policy, applies, allow, deny, recording"
        );
        check_in_policy(&format!("{key}: {{}}\nallow: {{}}"), &[&expected]);
    }
    check_in_policy(
        "allow: {upload: {}}",
        &["a.yaml:3:9: unknown key `upload` in `allow`; known here: open, watch, control, paste, copy, resize"],
    );
    check_in_policy(
        "deny:\n  - {actions: [paste], containing: [private-key]}",
        &["a.yaml:4:24: unknown key `containing` in an entry of `deny`; known here: actions"],
    );
    check_in_policy(
        "recording: {mode: strict, keep: 400d}",
        &["a.yaml:3:27: unknown key `keep` in `recording`; known here: mode"],
    );
}

#[test]
fn limits_and_rules_must_say_something() {
    check("policy: a\napplies: {}\n", &["a.yaml:1:1: this policy rules nothing; add `allow`, `deny` or `recording`"]);
    check_in_policy("allow: {control: }", &["a.yaml:3:16: `allow.control` must be the empty map {}, not nothing"]);
    check_in_policy(
        "allow: {control: true}",
        &["a.yaml:3:18: `allow.control` must be the empty map {}, not true or false"],
    );
    check_in_policy("allow: {paste: {max_bytes: 4096}}", &["a.yaml:3:28: a size needs a unit: B, KiB, MiB or GiB"]);
    check_in_policy(
        "allow: {paste: {max_bytes: 4 KB}}",
        &["a.yaml:3:28: `KB` is not a unit of size; write B, KiB, MiB or GiB; did you mean KiB (1024 bytes)?"],
    );
    check_in_policy(
        "allow: {paste: {max_bytes: 0 B}}",
        &["a.yaml:3:28: `max_bytes` of 0 lets nothing through; take the action out of `allow` instead"],
    );
    check_in_policy("allow: {paste: {max_bytes: 2 GiB}}", &["a.yaml:3:28: `max_bytes` is 1 GiB at most"]);
    check_in_policy(
        "deny: [{}]",
        &["a.yaml:3:8: the key `actions` is missing; name what is denied, such as `actions: [paste]`"],
    );
    check_in_policy("deny: []", &["a.yaml:3:7: `deny` is an empty list; name at least one or take the key out"]);
    check_in_policy(
        "deny: {actions: [paste]}",
        &["a.yaml:3:7: `deny` is a map here; write a list, such as [one, two]"],
    );
    check_in_policy(
        "recording: {}",
        &["a.yaml:3:12: the key `mode` is missing; write `mode: strict` or `mode: best_effort`"],
    );
}

#[test]
fn names_of_policies_and_files_are_unique() {
    let (text, other) = ("policy: a\napplies: {}\nallow: {}\n", "policy: b\napplies: {}\nallow: {}\n");
    assert_eq!(
        faults(&[file("1.yaml", text), file("2.yaml", text)]),
        ["2.yaml:1:9: the policy name `a` is taken by 1.yaml; give each policy a name of its own",]
    );
    assert_eq!(
        faults(&[file("1.yaml", text), file("1.yaml", other)]),
        ["1.yaml:1:1: this file was given twice; give each file once"]
    );
}

#[test]
fn the_name_of_the_built_in_rule_is_taken() {
    let text = "policy: default\napplies: {}\nallow: {}\n";
    check(text, &["a.yaml:1:9: the policy's name is `default`, which stands for the built-in rule; choose another"]);
}

#[test]
fn sizes_are_capped() {
    let long = format!("#{}", " ".repeat(MAX_FILE_BYTES));
    check(&long, &["a.yaml:1:1: this file is over the 1 MiB that a policy may have"]);
    let many: Vec<_> = (0..=MAX_FILES).map(|number| file(&number.to_string(), "")).collect();
    assert_eq!(faults(&many), ["4096:1:1: there are 4097 policy files, more than the 4096 that a set may hold"]);
    let faulty: String = (0..500).map(|number| format!("key{number}: 1\n")).collect();
    assert_eq!(faults(&[file("a.yaml", &faulty)]).len(), MAX_ERRORS);
    let nested = format!("a: {}1{}", "[".repeat(200), "]".repeat(200));
    assert!(faults(&[file("a.yaml", &nested)])[0].contains("not the YAML of a policy"), "deep nesting is refused");
}
