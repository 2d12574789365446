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
            "b.yaml:4:22: `clipboard` is not an action; known here: open, watch, control, key, pointer, paste, copy, upload, download, resize",
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
        &[
            "a.yaml:1:1: this policy must be a map with the keys policy, applies, allow, deny, session, input, screen, recording, desktop, not nothing",
        ],
    );
    check(
        "- a\n",
        &[
            "a.yaml:1:1: this policy must be a map with the keys policy, applies, allow, deny, session, input, screen, recording, desktop, not a list",
        ],
    );
}

#[test]
fn nothing_is_merged_in_and_no_key_counts_twice() {
    check_in_policy(
        "<<: {allow: {control: {}}}\nallow: {}",
        &[
            "a.yaml:3:1: unknown key `<<` in this policy; known here: policy, applies, allow, deny, session, input, screen, recording, desktop",
        ],
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
        &[
            "a.yaml:2:10: `applies` must be a map with the keys users, groups, issuers, desktops, networks, hours, not text",
        ],
    );
    let long = "x".repeat(257);
    check_applies(
        &format!("{{desktops: [{long}]}}"),
        &["a.yaml:2:22: the name of a desktop is longer than 256 characters; shorten it"],
    );
}

#[test]
fn words_of_other_products_are_answered_with_ours() {
    let line = "who may look and not touch is denied `control`: deny: [{actions: [control]}]";
    let expected = format!("a.yaml:3:9: unknown key `view_only` in `input`; {line}");
    check_in_policy("input: {view_only: true}", &[&expected]);
    let line = "the clipboard is `paste` for the way in and `copy` for the way out, under `allow` and `deny`";
    let expected = format!("a.yaml:3:9: unknown key `clipboard` in `allow`; {line}");
    check_in_policy("allow: {clipboard: {}}", &[&expected]);
}

/// A policy with these lines reads as far as its form goes; what is not enforced does not matter here.
fn check_value(lines: &str, expected: &[&str]) {
    let errors = PolicySet::draft(&[file("a.yaml", &format!("policy: a\napplies: {{}}\n{lines}\n"))]);
    let shown: Vec<String> = errors.err().unwrap_or_default().iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected, "{lines}");
}

#[test]
fn values_say_how_they_are_written() {
    check_value(
        "session: {idle: 15, longest: 8 h, concurrent: many, viewers: 0}",
        &[
            "a.yaml:3:17: `idle` is a number here; write a span of time, such as 15m",
            "a.yaml:3:30: `8 h` is not a span of time; write whole numbers with d, h, m or s, such as 90s or 1h30m",
            "a.yaml:3:47: `concurrent` is a whole number from 1 to 10000",
            "a.yaml:3:62: `viewers` is a whole number from 1 to 1000",
        ],
    );
    check_value(
        "session: {idle: 0s, longest: 400d}",
        &[
            "a.yaml:3:17: `idle` is 1s at least and 366d at most",
            "a.yaml:3:30: `longest` is 1s at least and 366d at most",
        ],
    );
    check_value(
        "input: {keys: 40, pointer: 0/s, typed_paste: of, blocked_chords: [Ctrl+Del, Ctrl+Alt+Delete]}",
        &[
            "a.yaml:3:15: `keys` is a number here; write a rate, such as 40/s",
            "a.yaml:3:28: `pointer` of 0 lets nothing through; deny the action instead",
            "a.yaml:3:46: `of` is not an answer to typed pastes; known here: allow, alert, stop",
            "a.yaml:3:67: `Del` is not a key; write a small letter, a digit or a name; did you mean `Delete`?",
        ],
    );
    check_value(
        "screen: {max_fps: 0, max_size: 1920, watermark: '', mask: [{x: -4, width: 120%}], visible: {}}",
        &[
            "a.yaml:3:19: `max_fps` is a whole number from 1 to 240",
            "a.yaml:3:32: `max_size` is a number here; write width and height in pixels, such as 1920x1080",
            "a.yaml:3:49: `text` says nothing; write what it says",
            "a.yaml:3:64: `x` is a number here; write pixels such as 400, or a percentage such as 25%",
            "a.yaml:3:75: `120%` is not a percentage; write a whole number up to 100, such as 25%",
            "a.yaml:3:92: `screen.visible` is empty; name one of x, y, width, height, or take the key out",
        ],
    );
    check_value(
        "screen: {watermark: {layout: tile, angle: 360, opacity: 0%, size: 7, colour: #808080\n, zone: CEST}}",
        &["a.yaml:3:21: the key `text` is missing; say what is drawn, such as \"{subject} {time}\""],
    );
    check_value(
        "recording: {keep: 400, lock: compliant}\ndesktop: {egress: none}",
        &[
            "a.yaml:3:19: `keep` is a number here; write a span of time, such as 15m",
            "a.yaml:3:30: `compliant` is not a lock; did you mean `compliance`?",
            "a.yaml:4:19: `none` is not a way out of the desktop; known here: allow, proxy, deny",
        ],
    );
    check_value(
        "allow: {upload: {types: [pdf], scan: clamd, per_minute: 0}}\ndeny:\n  - {actions: [open, copy], containing: [card]}",
        &[
            "a.yaml:3:26: `pdf` is not a media type; write one such as application/pdf or image/*",
            "a.yaml:3:38: `clamd` is not a scanner; known here: clamav",
            "a.yaml:3:57: `per_minute` is a whole number from 1 to 6000",
            "a.yaml:5:16: open has no contents to search; deny it without `containing`",
            "a.yaml:5:42: `card` is not a detector; known here: payment-card, iban, us-ssn, german-tax-id, private-key, jwt, aws-key, github-token, slack-token, google-key; or write regex:EXPRESSION or words:FILE",
        ],
    );
}

#[test]
fn networks_and_hours_say_how_they_are_written() {
    let check_applies =
        |applies: &str, expected: &[&str]| check(&format!("policy: a\napplies: {applies}\nallow: {{}}\n"), expected);
    check_applies(
        "{networks: [10.1.2.3/8], hours: Mon-Fri 08:00-19:00}",
        &[
            "a.yaml:2:22: `10.1.2.3/8` has bits behind its prefix; did you mean 10.0.0.0/8?",
            "a.yaml:2:42: `Mon-Fri 08:00-19:00` are not hours; write days, times and a time zone, such as Mon-Fri 08:00-19:00 Europe/Berlin",
        ],
    );
    check_applies(
        "{hours: [Mon 08:00-19:00 Europe/Berln, Mo 08:00-19:00 UTC]}",
        &[
            "a.yaml:2:19: `Europe/Berln` is not a time zone; did you mean Europe/Berlin?",
            "a.yaml:2:49: `Mo` is not a day of the week; did you mean `Mon`?",
        ],
    );
}

#[test]
fn limits_and_rules_must_say_something() {
    check(
        "policy: a\napplies: {}\n",
        &["a.yaml:1:1: this policy rules nothing; add one of allow, deny, session, input, screen, recording, desktop"],
    );
    check_in_policy("allow: {control: }", &["a.yaml:3:16: `allow.control` must be the empty map {}, not nothing"]);
    check_in_policy(
        "allow: {control: true}",
        &["a.yaml:3:18: `allow.control` must be the empty map {}, not true or false"],
    );
    check_in_policy(
        "allow: {paste: {max_bytes: 4096}}",
        &["a.yaml:3:28: a size needs a unit: B, KiB, MiB, GiB or TiB"],
    );
    check_in_policy(
        "allow: {paste: {max_bytes: 4 KB}}",
        &["a.yaml:3:28: `KB` is not a unit of size; write B, KiB, MiB, GiB or TiB; did you mean KiB (1024 bytes)?"],
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
        &["a.yaml:3:12: `recording` is empty; name one of mode, keys, keep, lock, text, or take the key out"],
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
