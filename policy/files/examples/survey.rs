//! Looks at every file under some folders and counts what is refused and why: for the figures of docs/file-rules.md.
//!
//! `cargo run -p portcullis-files --example survey -- FOLDER…`; `SHOW=1` names what is refused, `SEARCH=1` searches texts too.
#![allow(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use portcullis_content::{Known, Searcher};
use portcullis_files::{FileName, Limits, Refused, inspect};

#[derive(Default)]
struct Counts {
    files: u64,
    bytes: u64,
    names: BTreeMap<String, u64>,
    types: BTreeMap<&'static str, u64>,
    refused: BTreeMap<String, u64>,
    unread: BTreeMap<String, u64>,
}

fn files(folder: &Path, each: &mut impl FnMut(PathBuf)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            files(&entry.path(), each);
        } else if kind.is_file() {
            each(entry.path());
        }
    }
}

fn main() {
    let searcher = std::env::var_os("SEARCH").map(|_| Searcher::new(Known::ALL.map(Into::into)).unwrap());
    let limits = Limits::default();
    let mut counts = Counts::default();
    let begun = std::time::Instant::now();
    for folder in std::env::args_os().skip(1) {
        files(Path::new(&folder), &mut |path| {
            let Ok(file) = File::open(&path) else { return };
            counts.files += 1;
            counts.bytes += file.metadata().map_or(0, |file| file.len());
            let name = match FileName::parse(&path.file_name().unwrap_or_default().to_string_lossy()) {
                Ok(name) => name,
                Err(why) => {
                    *counts.names.entry(why.to_string()).or_default() += 1;
                    return;
                }
            };
            match inspect(file, &name, searcher.as_ref(), &limits) {
                Ok(seen) => {
                    *counts.types.entry(seen.media_type).or_default() += 1;
                    for media_type in &seen.unread {
                        *counts.unread.entry((*media_type).to_owned()).or_default() += 1;
                    }
                    if !seen.found.is_empty() && std::env::var_os("SHOW").is_some() {
                        println!("found: {:?}\t{}", seen.found, path.display());
                    }
                }
                Err(refused) => {
                    let why = match &refused {
                        Refused::Disagrees { extension, media_type } => {
                            format!("disagrees: .{extension} is {media_type}")
                        }
                        other => format!("{}: {other}", other.word()),
                    };
                    if std::env::var_os("SHOW").is_some() {
                        println!("{why}\t{}", path.display());
                    }
                    *counts.refused.entry(why).or_default() += 1;
                }
            }
        });
    }
    println!("{} files, {:.1} MB, {:.1} s", counts.files, counts.bytes as f64 / 1e6, begun.elapsed().as_secs_f64());
    for (title, table) in [("names", &counts.names), ("refused", &counts.refused), ("unread", &counts.unread)] {
        println!("{title}: {}", table.values().sum::<u64>());
        let mut rows: Vec<_> = table.iter().collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (why, count) in rows.into_iter().take(60) {
            println!("  {count:6} {why}");
        }
    }
    println!("taken: {}", counts.types.values().sum::<u64>());
    for (media_type, count) in counts.types {
        println!("  {count:6} {media_type}");
    }
}
