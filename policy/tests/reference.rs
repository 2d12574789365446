//! The reference and the schema say what the program does: every example is read, every key explained, every file valid.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod validate;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use portcullis_policy::{PolicyFile, PolicySet, keys, schema};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn reference() -> String {
    std::fs::read_to_string(root().join("docs/policy-language.md")).unwrap()
}

/// The examples of the reference, each a whole policy.
fn examples() -> Vec<String> {
    let text = reference();
    let blocks = text.split("\n```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let whole = blocks.map(|block| match block.contains("policy: ") {
        true => format!("{block}\n"),
        false => format!("policy: example\napplies: {{}}\n{block}\n"),
    });
    whole.collect()
}

fn value(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// The paths of all keys that are in a value.
fn paths(value: &Value, at: &str, to: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                to.insert(path.clone());
                paths(value, &path, to);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| paths(entry, &format!("{at}[]"), to)),
        _ => {}
    }
}

/// Compares a file with what it should be, or writes it anew where `BLESS` is set.
fn golden(path: &str, expected: &str) {
    let path = root().join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not what the program says: `just bless`, and look at the difference",
        path.display()
    );
}

#[test]
fn every_example_is_read_and_refused_by_the_gate_only_for_what_it_does_not_enforce() {
    for text in examples() {
        let files = [PolicyFile { name: "example.yaml".into(), text: text.clone() }];
        let words = |name: String| PolicyFile { name, text: "nightfall\n".into() };
        let lists: Vec<PolicyFile> = portcullis_policy::lists(&files).into_iter().map(words).collect();
        let draft = PolicySet::draft_with(&files, &lists).unwrap_or_else(|errors| panic!("{errors:#?} in {text}"));
        let mut used = BTreeSet::new();
        paths(&value(&text), "", &mut used);
        let later: BTreeSet<&str> =
            keys().iter().filter(|key| !key.enforced && used.contains(key.path)).map(|key| key.path).collect();
        let told: BTreeSet<&str> = draft.later.iter().filter_map(|error| error.reason.split('`').nth(1)).collect();
        assert_eq!(told, later, "{text}");
        assert_eq!(PolicySet::parse_with(&files, &lists).is_ok(), later.is_empty(), "{text}");
    }
}

#[test]
fn every_key_has_an_example() {
    let mut used = BTreeSet::new();
    examples().iter().for_each(|text| paths(&value(text), "", &mut used));
    let missing: Vec<&str> = keys().iter().map(|key| key.path).filter(|path| !used.contains(*path)).collect();
    assert!(missing.is_empty(), "no example in docs/policy-language.md uses {missing:?}");
}

#[test]
fn the_table_of_keys_is_the_programs_own() {
    let text = reference();
    let (before, rest) = text.split_once("<!-- keys -->").unwrap();
    let (_, after) = rest.split_once("<!-- /keys -->").unwrap();
    let rows = keys().iter().map(|key| {
        let enforced = if key.enforced { "yes" } else { "not yet: refused" };
        format!("| `{}` | {} | {enforced} |\n", key.path, key.means.replace('|', "\\|"))
    });
    let table: String = rows.collect();
    let expected =
        format!("{before}<!-- keys -->\n| key | meaning | enforced |\n|---|---|---|\n{table}<!-- /keys -->{after}");
    golden("docs/policy-language.md", &expected);
}

#[test]
fn the_published_schema_is_the_programs_own() {
    golden("docs/policy.schema.json", &format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap()));
}

/// The files of the example folders.
fn example_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["default", "company"] {
        for entry in std::fs::read_dir(root().join("policy/examples").join(folder)).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".yaml") {
                files.push((name, std::fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    assert!(files.len() > 8, "{files:?}");
    files
}

#[test]
fn what_the_program_reads_is_valid_by_the_schema() {
    let schema = schema();
    for text in examples().into_iter().chain(example_files().into_iter().map(|(_, text)| text)) {
        assert_eq!(validate::faults(&schema, &value(&text)), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_the_schema_knows_to_be_wrong_the_program_refuses() {
    let schema = schema();
    for lines in [
        "alow: {}",
        "allow: {pase: {}}",
        "allow: {paste: {max_bytes: 4096}}",
        "allow: {paste: {max_bytes: 4 KB}}",
        "allow: {control: true}",
        "deny: {actions: [paste]}",
        "deny: [{}]",
        "deny: [{actions: [past]}]",
        "deny: [{actions: []}]",
        "session: {idle: 15}",
        "session: {concurrent: 0}",
        "input: {keys: fast}",
        "input: {blocked_chords: [Ctrl+]}",
        "screen: {max_size: big, watermark: {layout: tiled}}",
        "screen: {mask: [{x: 10px}]}",
        "recording: {mode: strickt}",
        "desktop: {egress: none}",
    ] {
        let text = format!("policy: a\napplies: {{}}\n{lines}\n");
        assert!(!validate::faults(&schema, &value(&text)).is_empty(), "valid: {lines}");
        assert!(PolicySet::draft(&[PolicyFile { name: "a.yaml".into(), text }]).is_err(), "read: {lines}");
    }
}
