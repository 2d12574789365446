//! Judges texts of other engines' tests: lines of DETECTOR, `yes` or `no`, and a text, separated by tabs, from standard input; `\n` in a text is a line break.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "an example")]

use std::collections::BTreeMap;
use std::io::BufRead;

use portcullis_content::{Known, Searcher};

fn main() {
    let mut rates: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut parts = line.splitn(3, '\t');
        let (Some(name), Some(expected), Some(text)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let known = Known::named(name).unwrap();
        let text = text.replace("\\n", "\n");
        let found = !Searcher::new([known.into()]).unwrap().search(&text).is_empty();
        let rate = rates.entry(name.to_owned()).or_default();
        match (expected == "yes", found) {
            (true, true) => rate[0] += 1,
            (true, false) => rate[1] += 1,
            (false, false) => rate[2] += 1,
            (false, true) => rate[3] += 1,
        }
        if found != (expected == "yes") {
            println!("{name}: expected {expected}: {text}");
        }
    }
    println!(
        "\n| detector | found, as expected | missed | passed over, as expected | found, unexpected |\n|---|---|---|---|---|"
    );
    for (name, [found, missed, passed, unexpected]) in rates {
        println!("| {name} | {found} | {missed} | {passed} | {unexpected} |");
    }
}
