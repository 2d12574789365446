//! Any bytes: nothing panics, limits hold, pieces of any length mean the same; memory does not grow with the file.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use made::{CARD, gif, gzip, look, look_within, ooxml, png, tar, webp, zip};
use portcullis_content::{Known, Searcher};
use portcullis_files::{FileName, Limits, inspect, sniff, strip_metadata};
use proptest::prelude::*;

/// Reads that give at most so many bytes.
struct Short(Cursor<Vec<u8>>, usize);

impl Read for Short {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(into.len());
        self.0.read(&mut into[..most])
    }
}

impl Seek for Short {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

fn real() -> Vec<(&'static str, Vec<u8>)> {
    let pdf = format!(
        "%PDF-1.4\n1 0 obj << /Font << /F1 2 0 R >> >> endobj\n3 0 obj << /Length 5 >> stream\nBT ET\nendstream endobj\n4 0 obj << /Title ({CARD}) >> endobj\n%%EOF\n"
    );
    vec![
        ("a.png", png(&[(b"tEXt", b"a\0b")])),
        ("a.gif", gif(b"!\xfe\x01x\0")),
        ("a.webp", webp(&[(b"EXIF", b"xy")], 8)),
        ("a.jpg", include_bytes!("pictures/a.jpg").to_vec()),
        ("a.zip", zip(&[("a.txt", CARD.as_bytes()), ("b/c.zip", &zip(&[("x.md", b"x")]))])),
        ("a.tar.gz", gzip(&tar(&[("a.txt", CARD.as_bytes())]))),
        (
            "a.docx",
            ooxml("wordprocessingml.document", &[("word/document.xml", format!("<w:p>{CARD}</w:p>").as_bytes())]),
        ),
        ("a.pdf", pdf.into_bytes()),
        ("a.html", b"<html><p>&#52;</p><![CDATA[x]]><!-- y -->".to_vec()),
        ("a.txt", "\u{feff}x\u{1f600}y".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ]
}

#[test]
fn short_reads_mean_the_same() {
    let searcher = Searcher::new(Known::ALL.map(Into::into)).unwrap();
    for (name, bytes) in real() {
        let whole = look(name, &bytes).unwrap();
        for most in [1, 7, 1000] {
            let short = inspect(
                Short(Cursor::new(bytes.clone()), most),
                &FileName::parse(name).unwrap(),
                Some(&searcher),
                &Limits::default(),
            );
            assert_eq!(short.unwrap(), whole, "{name}, {most} at once");
        }
    }
}

#[test]
fn a_read_that_fails_is_no_fault_of_the_file() {
    struct Failing(Cursor<Vec<u8>>, u64);
    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.position() >= self.1 {
                Err(io::ErrorKind::ConnectionReset.into())
            } else {
                self.0.read(&mut into[..1])
            }
        }
    }
    impl Seek for Failing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }
    for (name, bytes) in real() {
        for at in [0, 5, bytes.len() as u64 / 2] {
            let refused = inspect(
                Failing(Cursor::new(bytes.clone()), at),
                &FileName::parse(name).unwrap(),
                None,
                &Limits::default(),
            )
            .unwrap_err();
            assert_eq!(refused.word(), "unreadable", "{name} at {at}");
        }
    }
}

/// A file that is made as it is read.
struct Made {
    at: u64,
    length: u64,
}

impl Read for Made {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = into.len().min(usize::try_from(self.length - self.at).unwrap());
        let line = b"The quick brown fox jumps over the lazy dog, and nothing comes of it at all.\n";
        for (place, byte) in into[..length].iter_mut().enumerate() {
            *byte = line[(self.at as usize + place) % line.len()];
        }
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

/// The most memory that this process has had, in bytes.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let name = FileName::parse("a.txt").unwrap();
    let small = Made { at: 0, length: 1 << 20 };
    inspect(small, &name, None, &Limits::default()).unwrap();
    let before = most_memory();
    let large = Made { at: 0, length: 256 << 20 };
    assert_eq!(inspect(large, &name, None, &Limits::default()).unwrap().media_type, "text/plain");
    let grown = most_memory() - before;
    assert!(grown < 64 << 20, "{grown} bytes");
}

/// A real file with some bytes changed, cut or doubled.
fn changed() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6);
    (prop::sample::select(real()), changes).prop_map(|((name, mut bytes), changes)| {
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes[at] ^= 1 << (byte % 8),
                2 => bytes.truncate(at.max(1)),
                _ => bytes.extend_from_within(at..),
            }
        }
        (name, bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn changed_files_are_judged_without_panic_and_within_limits((name, bytes) in changed()) {
        let limits = Limits { unpacked_bytes: 1 << 20, entries: 50, ..Limits::default() };
        if let Ok(seen) = look_within(name, &bytes, &limits) {
            prop_assert!(seen.entries <= 50);
        }
        for media_type in ["image/png", "image/jpeg", "image/gif", "image/webp"] {
            let mut out = Vec::new();
            if strip_metadata(Cursor::new(&bytes), media_type, &mut out).is_ok() {
                prop_assert!(out.len() <= bytes.len() + 64);
            }
        }
    }

    #[test]
    fn any_bytes_are_of_some_type(bytes in prop::collection::vec(any::<u8>(), 0..600), name in "[a-z]{1,8}(\\.[a-z]{1,4})?") {
        if let Ok(name) = FileName::parse(&name) {
            let kind = sniff(&bytes, &name);
            if let Ok(seen) = look(name.as_str(), &bytes) {
                prop_assert!(seen.media_type == kind.media_type || seen.media_type == "application/octet-stream" || kind.media_type == "application/zip");
            }
        }
    }
}
