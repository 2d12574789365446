//! A file with no other files in it, read once to its end: its form, its end, its text, and whether a second type is behind it.

use std::io::{self, BufRead, BufReader, Read};

use crate::bytes::find;
use crate::inspect::Look;
use crate::kind::{self, Class, Kind};
use crate::markup::{Between, Rules};
use crate::search::{Runs, Search, Seen};
use crate::{Refused, ends, polyglot, text};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// Reads it, its tags by these rules. Answers with its type, which is unknown for what begins as a text and does not go on as one.
pub(crate) fn read(
    look: &Look<'_>,
    kind: &'static Kind,
    rules: &[Rules],
    reader: &mut dyn Read,
    seen: &mut Seen,
) -> Result<&'static Kind, Refused> {
    let characters = kind.is_characters();
    // Characters are searched as such; of everything else the bytes are, as whatever text there is lies among them.
    let raw = (!characters).then(|| (look.search(), Runs::new(look.search())));
    let mut watched = BufReader::with_capacity(
        CHUNK,
        Watched { reader, raw, tail: Vec::new(), total: 0, ole: *kind == kind::OLE, encrypted: false },
    );
    let failed = |error| Refused::read(error, kind.media_type);
    let mut settled = kind;
    if characters {
        let mut search = look.search();
        let mut between: Vec<_> = rules.iter().map(|rules| Between::new(look.search(), *rules)).collect();
        let whole = text::read(&mut watched, |text| {
            search.push(text)?;
            between.iter_mut().try_for_each(|between| between.push(text)).map_err(io::Error::from)
        });
        between.into_iter().try_for_each(|between| between.finish(seen))?;
        search.finish(seen);
        if !whole.map_err(failed)? {
            settled = &kind::UNKNOWN;
        }
    } else {
        ends::walk(kind, &mut watched).map_err(failed)?;
    }
    let left = drain(&mut watched).map_err(failed)?;
    let watched = watched.into_inner();
    if let Some((raw, runs)) = watched.raw {
        raw.finish(seen);
        runs.finish(seen)?;
    }
    if left && ends::has_end(kind) {
        return Err(Refused::Trailing { media_type: kind.media_type });
    }
    if watched.encrypted {
        return Err(Refused::Encrypted { media_type: kind.media_type });
    }
    polyglot::tail(kind, &watched.tail, watched.total)?;
    if matches!(settled.class, Class::Document | Class::Archive) || [&kind::RTF, &kind::POSTSCRIPT].contains(&kind) {
        // Forms whose text is there, but packed, in a code of their own, or among commands.
        seen.unread(kind.media_type);
    }
    Ok(settled)
}

/// Reads on to the end. Answers whether there is anything but zeros, with which some programs fill their files.
fn drain(reader: &mut dyn BufRead) -> io::Result<bool> {
    let mut left = false;
    loop {
        let bytes = reader.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(left);
        }
        left = left || bytes.iter().any(|byte| *byte != 0);
        reader.consume(length);
    }
}

/// A reader that searches what is read through it and keeps its end.
struct Watched<'a> {
    reader: &'a mut dyn Read,
    raw: Option<(Search<'a>, Runs<'a>)>,
    tail: Vec<u8>,
    total: u64,
    ole: bool,
    encrypted: bool,
}

/// The stream that Office puts an encrypted document into, as its name stands in a directory (UTF-16).
const ENCRYPTED_PACKAGE: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        let bytes = into.get(..read).unwrap_or_default();
        if let Some((raw, runs)) = &mut self.raw {
            raw.push(bytes)?;
            runs.push(bytes)?;
        }
        self.total = self.total.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        self.tail.extend_from_slice(bytes);
        if self.ole && !self.encrypted {
            let new = self.tail.len().saturating_sub(bytes.len()).saturating_sub(ENCRYPTED_PACKAGE.len());
            self.encrypted = find(self.tail.get(new..).unwrap_or_default(), ENCRYPTED_PACKAGE).is_some();
        }
        let over = self.tail.len().saturating_sub(polyglot::TAIL);
        if over > polyglot::TAIL {
            self.tail.drain(..over);
        }
        Ok(read)
    }
}
