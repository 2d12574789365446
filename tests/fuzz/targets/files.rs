//! Files of any bytes under names of each type: they are judged, short reads mean the same, and pictures without metadata stay pictures.
#![no_main]

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_content::{Known, Searcher};
use portcullis_files::{FileName, KINDS, Limits, Stripped, inspect, sniff, strip_metadata};

static SEARCHER: LazyLock<Searcher> = LazyLock::new(|| Searcher::new(Known::ALL.map(Into::into)).expect("they compile"));

/// Gives a few bytes at a time.
struct Short<'a>(Cursor<&'a [u8]>, usize);

impl Read for Short<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(into.len());
        self.0.read(&mut into[..most])
    }
}

impl Seek for Short<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

fuzz_target!(|data: &[u8]| {
    let [seed, data @ ..] = data else { return };
    let limits = Limits { unpacked_bytes: 1 << 20, entries: 64, held_bytes: 1 << 20, ..Limits::default() };
    let plain = FileName::parse("a").expect("a name");
    let kind = sniff(data, &plain);
    let extension = kind.extensions.first().copied().unwrap_or("bin");
    let other = KINDS[usize::from(*seed) % KINDS.len()].extensions.first().copied().unwrap_or("x");
    for name in ["a".to_owned(), format!("a.{extension}"), format!("a.{other}")] {
        let name = FileName::parse(&name).expect("a name");
        let whole = inspect(Cursor::new(data), &name, Some(&SEARCHER), &limits);
        let short = inspect(Short(Cursor::new(data), 1 + usize::from(*seed) % 9), &name, Some(&SEARCHER), &limits);
        match (&whole, &short) {
            // How far a damaged stream is unpacked hangs on the pieces that it comes in; that it is damaged must not.
            (Ok(one), Ok(other)) if !one.unread.is_empty() => assert_eq!(one.unread, other.unread),
            (one, other) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        }
        if let Ok(seen) = whole {
            assert!(seen.entries <= limits.entries);
        }
    }
    for media_type in ["image/png", "image/jpeg", "image/gif", "image/webp"] {
        let mut out = Vec::new();
        if let Ok(Stripped::Written { .. }) = strip_metadata(Cursor::new(data), media_type, &mut out) {
            assert!(out.len() <= data.len() + 64);
            let mut again = Vec::new();
            let second = strip_metadata(Cursor::new(&out), media_type, &mut again).expect("what was written can be read");
            assert_eq!((second, again), (Stripped::Written { left_out: 0 }, out));
        }
    }
});
