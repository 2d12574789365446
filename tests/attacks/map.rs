//! The threat model as a map: every row has its line, every line its proof, and every proof is a test that is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every row: a letter and how many it has, without the numbers that were given up.
const ROWS: [(char, u32, &[u32]); 10] = [
    ('S', 14, &[5]),
    ('C', 9, &[]),
    ('F', 10, &[]),
    ('X', 11, &[]),
    ('D', 8, &[]),
    ('W', 15, &[]),
    ('R', 14, &[]),
    ('V', 30, &[]),
    ('E', 10, &[]),
    ('M', 9, &[]),
];

/// How the proof of a row begins that this project's wire cannot carry; why, and where its control lies, follows.
const ELSEWHERE: &str = "Not on the wire: ";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The lines of the page's tables, by row: attack, control, proof.
fn lines() -> BTreeMap<String, Vec<[String; 3]>> {
    let page = std::fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let mut lines = BTreeMap::<String, Vec<[String; 3]>>::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [row, attack, control, proof] = cells[..]
            && row.starts_with(|c: char| c.is_ascii_uppercase())
        {
            lines.entry(row.into()).or_default().push([attack, control, proof].map(str::to_owned));
        }
    }
    lines
}

/// The tests that a text names as `path::test`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|span| span.contains("::"))
}

/// What is wrong with a name; none if it is a test in that file.
fn fault(name: &str) -> Option<String> {
    let (path, test) = name.split_once("::")?;
    let Ok(source) = std::fs::read_to_string(root().join(path)) else {
        return Some(format!("{name}: there is no such file"));
    };
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let head = format!("fn {test}(");
    let Some(at) = lines.iter().position(|line| line.strip_prefix("async ").unwrap_or(line).starts_with(&head)) else {
        return Some(format!("{name}: there is no such function"));
    };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let is_test = attributes.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
    // Or one of a list of tests that run on two databases.
    let mut twice = lines.iter().skip_while(|line| **line != "on_both!(").take_while(|line| **line != ");");
    let is_test = is_test || twice.any(|line| line.strip_suffix(',') == Some(test));
    (!is_test).then(|| format!("{name}: it is no test"))
}

#[test]
fn every_row_has_its_line_and_its_proof() {
    let mut lines = lines();
    let mut faults = Vec::new();
    for (letter, count, given_up) in ROWS {
        for number in (1..=count).filter(|number| !given_up.contains(number)) {
            let row = format!("{letter}{number}");
            let Some(found) = lines.remove(&row) else {
                faults.push(format!("{row}: it has no line"));
                continue;
            };
            let [[attack, control, proof]] = &found[..] else {
                faults.push(format!("{row}: it has {} lines", found.len()));
                continue;
            };
            if attack.is_empty() || control.is_empty() {
                faults.push(format!("{row}: an empty cell"));
            }
            let elsewhere = proof.strip_prefix(ELSEWHERE).is_some_and(|words| words.len() > 30);
            if named(proof).next().is_none() && !elsewhere {
                faults.push(format!("{row}: neither a test nor where its control lies"));
            }
        }
    }
    faults.extend(lines.into_keys().map(|row| format!("{row}: the table of rows does not know it")));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_test_that_is_named_is_there() {
    let page = std::fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    assert!(named(&page).count() > 100, "the page names {} tests", named(&page).count());
    let mut faults: Vec<_> = named(&page).filter_map(fault).collect();
    faults.dedup();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// V2: what is checked of the wire is checked in every build.
#[test]
fn no_check_is_for_debug_builds_alone() {
    let mut faults = Vec::new();
    for folder in ["proxy/src", "proxy/rfb/src/desktop", "proxy/rfb/src/viewer", "recorder/evidence/src", "policy/src"]
    {
        search(&root().join(folder), &["debug_", "assert"].concat(), &mut faults);
        search(&root().join(folder), &["cfg(debug_", "assertions)"].concat(), &mut faults);
    }
    assert!(faults.is_empty(), "{faults:?}");
}

fn search(folder: &Path, word: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, word, found);
        } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains(word)) {
            found.push(path);
        }
    }
}
