//! How often the detectors find something where nothing is: in source code, in prose, and in numbers of other kinds.
//!
//! `MEGABYTES=200 cargo test --release -p portcullis-content --test false_positives -- --nocapture` makes the figures of docs/content-rules.md; `SHOW=1` shows what
//! was found.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use std::path::{Path, PathBuf};

use made::{Dice, all};
use portcullis_content::Known;

/// Megabytes of source code that are read unless the environment says otherwise.
const SAMPLE: usize = 4;
/// Megabytes of each kind of numbers.
const NUMBERS: usize = 1;

/// Findings of each detector in some texts, and the texts' bytes.
struct Rate {
    name: String,
    bytes: usize,
    found: [usize; Known::ALL.len()],
}

impl Rate {
    fn of(name: &str, texts: impl Iterator<Item = String>) -> Self {
        let searcher = all();
        let mut rate = Self { name: name.to_owned(), bytes: 0, found: Default::default() };
        for text in texts {
            rate.bytes += text.len();
            for found in searcher.search(&text) {
                rate.found[found.detector] += 1;
                if std::env::var_os("SHOW").is_some() {
                    let shown: String = text[found.range].chars().take(100).collect();
                    println!("{name}: {}: {shown:?}", Known::ALL[found.detector]);
                }
            }
        }
        rate
    }

    fn per_megabyte(&self, known: Known) -> f64 {
        let place = Known::ALL.iter().position(|other| *other == known).unwrap();
        self.found[place] as f64 * 1e6 / self.bytes.max(1) as f64
    }

    fn print(&self) {
        let cells: Vec<String> = Known::ALL.iter().map(|known| format!("{:.2}", self.per_megabyte(*known))).collect();
        println!("| {} | {:.1} | {} |", self.name, self.bytes as f64 / 1e6, cells.join(" | "));
    }

    fn at_most(&self, bounds: &[(Known, f64)]) {
        self.print();
        for known in Known::ALL {
            let bound = bounds.iter().find(|(other, _)| *other == known).map_or(0.0, |(_, bound)| *bound);
            assert!(
                self.per_megabyte(known) <= bound,
                "{known} in {}: {} a megabyte",
                self.name,
                self.per_megabyte(known)
            );
        }
    }
}

fn head() {
    let names: Vec<&str> = Known::ALL.iter().map(|known| known.name()).collect();
    println!("| text | MB | {} |", names.join(" | "));
}

fn files(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !["node_modules", "target", ".git", "seeds"].contains(&&*name) {
                files(&path, extensions, found);
            }
        } else if extensions.iter().any(|extension| name.ends_with(extension)) {
            found.push(path);
        }
    }
}

/// Some of the files, the same every time, up to so many bytes.
fn sample(mut paths: Vec<PathBuf>, most: usize) -> impl Iterator<Item = String> {
    paths.sort();
    let mut dice = Dice(1);
    let mut shuffled: Vec<(usize, PathBuf)> = paths.into_iter().map(|path| (dice.below(1 << 30), path)).collect();
    shuffled.sort();
    let mut bytes = 0;
    let texts = shuffled.into_iter().filter_map(|(_, path)| std::fs::read_to_string(path).ok());
    texts.take_while(move |text| {
        bytes += text.len();
        bytes <= most
    })
}

fn megabytes() -> usize {
    std::env::var("MEGABYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(SAMPLE) * 1_000_000
}

/// The crates that this build leans on, or nothing where they are not.
fn registry(extensions: &[&str]) -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let mut found = Vec::new();
    if let Some(home) = home {
        files(&home.join("registry/src"), extensions, &mut found);
    }
    found
}

#[test]
fn source_code_has_few_findings() {
    head();
    // Some are right: crates that speak TLS carry keys for their tests.
    let bounds = [
        (Known::PaymentCard, 2.0),
        (Known::GermanTaxId, 2.0),
        (Known::Iban, 1.0),
        (Known::UsSsn, 1.0),
        (Known::PrivateKey, 40.0),
        (Known::Jwt, 10.0),
        (Known::AwsKey, 2.0),
        (Known::GithubToken, 1.0),
        (Known::SlackToken, 1.0),
        (Known::GoogleKey, 1.0),
    ];
    Rate::of("source code of crates", sample(registry(&[".rs", ".c", ".h", ".py", ".js"]), megabytes()))
        .at_most(&bounds);
    Rate::of(
        "data files of crates",
        sample(registry(&[".json", ".toml", ".txt", ".csv", ".xml", ".lock"]), megabytes()),
    )
    .print();
}

#[test]
fn prose_has_few_findings() {
    head();
    Rate::of("prose: pages of crates", sample(registry(&[".md"]), megabytes())).print();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut own = Vec::new();
    for folder in ["src", "proxy", "recorder", "web/src", "docs"] {
        files(&root.join(folder), &[".rs", ".md"], &mut own);
    }
    // Its tests have keys; the page on content rules shows what is found.
    own.retain(|path| !path.ends_with("content-rules.md"));
    Rate::of("this repository", sample(own, usize::MAX)).at_most(&[(Known::Jwt, 3.0), (Known::PrivateKey, 3.0)]);
}

/// Lines of numbers, each made anew.
fn numbers(name: &str, bounds: &[(Known, f64)], mut line: impl FnMut(&mut Dice) -> String) {
    let mut dice = Dice(17);
    let mut text = String::new();
    while text.len() < NUMBERS * 1_000_000 {
        text += &line(&mut dice);
        text.push('\n');
    }
    Rate::of(name, [text].into_iter()).at_most(bounds);
}

#[test]
fn numbers_of_other_kinds_have_few_findings() {
    use Known::{GermanTaxId, PaymentCard, UsSsn};
    head();
    numbers("timestamps", &[], |dice| {
        format!(
            "20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}.{} {}",
            dice.below(30),
            1 + dice.below(12),
            1 + dice.below(28),
            dice.below(24),
            dice.below(60),
            dice.below(60),
            dice.digits(6),
            1_700_000_000_000_usize + dice.below(100_000_000)
        )
    });
    numbers("nanoseconds since 1970", &[(PaymentCard, 0.0)], |dice| format!("17{}", dice.digits(17)));
    numbers("telephone numbers", &[(GermanTaxId, 100.0), (UsSsn, 1.0)], |dice| {
        format!(
            "+49 {} {}; (555) {}-{}; +1-{}-555-{}; 0{}",
            30 + dice.below(60),
            dice.digits(8),
            dice.digits(3),
            dice.digits(4),
            dice.digits(3),
            dice.digits(4),
            dice.digits(10)
        )
    });
    numbers("UUIDs", &[], |dice| [8, 4, 4, 4, 12].map(|length| dice.text("0123456789abcdef", length)).join("-"));
    numbers("hashes", &[], |dice| {
        format!(
            "{} {} {}",
            dice.text("0123456789abcdef", 64),
            dice.text("0123456789abcdef", 40),
            dice.text("0123456789ABCDEF", 32)
        )
    });
    numbers("ISBNs", &[(PaymentCard, 0.0)], |dice| {
        format!(
            "978-{}-{}-{}-{} 978{}",
            dice.digits(1),
            dice.digits(4),
            dice.digits(4),
            dice.digits(1),
            dice.digits(10)
        )
    });
    numbers("barcodes (EAN-13)", &[], |dice| format!("4{}", dice.digits(12)));
    numbers("amounts", &[], |dice| {
        format!(
            "{}.{},{} EUR {},{}.{} USD",
            dice.digits(3),
            dice.digits(3),
            dice.digits(2),
            dice.digits(3),
            dice.digits(3),
            dice.digits(2)
        )
    });
    numbers("addresses and versions", &[], |dice| {
        format!(
            "{}.{}.{}.{}:{} v{}.{}.{}-{}",
            dice.below(256),
            dice.below(256),
            dice.below(256),
            dice.below(256),
            dice.below(65536),
            dice.below(20),
            dice.below(100),
            dice.below(1000),
            dice.digits(8)
        )
    });
    numbers("measured values", &[], |dice| {
        format!("{}.{} -{}.{}e-{}", dice.below(1000), dice.digits(16), dice.below(10), dice.digits(15), dice.below(20))
    });
    numbers("tables of four digits", &[(PaymentCard, 40.0)], |dice| {
        (0..8).map(|_| dice.digits(4)).collect::<Vec<_>>().join(" ")
    });
    numbers("tables of all lengths", &[(PaymentCard, 1000.0)], |dice| {
        (0..8)
            .map(|_| {
                let length = 1 + dice.below(6);
                dice.digits(length)
            })
            .collect::<Vec<_>>()
            .join(" ")
    });
    numbers("order numbers of 8 to 12 digits", &[(GermanTaxId, 150.0)], |dice| {
        let length = 8 + dice.below(5);
        dice.digits(length)
    });
    // Nothing but their check digit tells these from cards.
    numbers("numbers of 16 digits", &[(PaymentCard, 3000.0)], |dice| dice.digits(16));
    numbers("words in base64", &[], |dice| {
        let text = dice.text("abcdefghijklmnopqrstuvwxyz 0123456789", 45);
        made::base64(text.as_bytes())
    });
}
