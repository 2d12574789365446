//! Looks at a file of many gigabytes that is made as it is read, and says how fast and in how much memory: for the figures of docs/file-rules.md.
//!
//! `cargo run --release -p portcullis-files --example large -- MEBIBYTES NAME`: `a.txt` is lines of text, anything else bytes that mean nothing; `SEARCH=1` searches them.
#![allow(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout
)]

use std::io::{self, Read, Seek, SeekFrom};

use portcullis_content::{Known, Searcher};
use portcullis_files::{FileName, Limits, inspect};

/// One mebibyte over and over.
struct Made {
    at: u64,
    length: u64,
    page: Vec<u8>,
}

impl Read for Made {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let place = (self.at % self.page.len() as u64) as usize;
        let length = into.len().min(self.page.len() - place).min((self.length - self.at) as usize);
        into[..length].copy_from_slice(&self.page[place..place + length]);
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Made {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(back) => self.length.saturating_add_signed(back),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mebibytes: u64 = arguments.first().map_or(10 << 10, |number| number.parse().unwrap());
    let name = FileName::parse(arguments.get(1).map_or("a.txt", String::as_str)).unwrap();
    let line = "The quick brown fox jumps over the lazy dog 1234 times, and nothing comes of it at all.\n";
    let mut state = 1u64;
    let page = if name.as_str() == "a.txt" {
        line.bytes().cycle().take(1 << 20).collect()
    } else {
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(1 << 20)
        .collect()
    };
    let searcher = std::env::var_os("SEARCH").map(|_| Searcher::new(Known::ALL.map(Into::into)).unwrap());
    let begun = std::time::Instant::now();
    let seen = inspect(Made { at: 0, length: mebibytes << 20, page }, &name, searcher.as_ref(), &Limits::default());
    let seconds = begun.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let most = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    println!("{seen:?}\n{mebibytes} MiB in {seconds:.1} s: {:.0} MiB/s; {most}", mebibytes as f64 / seconds);
}
