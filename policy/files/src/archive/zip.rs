//! zip: members in the order of their places, unpacked one by one; and which document a zip is.

use std::io::{self, BufReader, Read, SeekFrom};

use flate2::bufread::DeflateDecoder;

use super::directory::{self, Entry, broken};
use super::office;
use crate::bytes::{Unpacked, Whole, find, read_at_most};
use crate::inspect::{Called, Look, Within};
use crate::kind::{self, Class, Kind};
use crate::member::{MAX_PATH, Paths};
use crate::search::{Beside, Seen};
use crate::{Limit, Refused};

/// Bytes that may follow a member whose sizes are said behind it: 12 or 20, with or without a signature.
const DESCRIPTORS: [u64; 5] = [0, 12, 16, 20, 24];
/// Bytes at the beginning in which readers of PDF look for its header.
const PDF_WITHIN: u64 = 1024;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Flags of members that are encrypted, one way or another.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

/// Looks at each member. Answers with the type that the members make of it.
pub(crate) fn walk(
    look: &Look<'_>,
    file: &mut dyn Whole,
    length: u64,
    depth: u32,
    seen: &mut Seen,
) -> Result<&'static Kind, Refused> {
    let mut beside = Beside::new(|| look.search());
    let (entries, end) = directory::read(file, length, look.budget, &mut beside)?;
    let kind = office::kind(file, &entries)?;
    let within = if kind.class == Class::Document { Within::Document } else { Within::Archive };
    if kind.class == Class::Archive && !look.budget.limits.look {
        seen.unread(kind.media_type);
        beside.finish(seen)?;
        return Ok(kind);
    }
    let mut paths = Paths::new(kind);
    let mut names = look.search();
    let mut expected = 0;
    let mut pdf = pdf_within(file)?;
    for (place, entry) in entries.iter().enumerate() {
        look.budget.entry()?;
        if entry.header < expected {
            return Err(Refused::Bomb { which: Limit::Overlap });
        }
        let (begin, further) = directory::local(file, entry)?;
        beside.push(&further)?;
        expected = begin.saturating_add(entry.packed);
        // One that a member's own bytes hold is looked at there.
        pdf = pdf.filter(|place| !(begin..expected).contains(place));
        let next = place.checked_add(1).and_then(|next| entries.get(next)).map_or(end, |next| next.header);
        let Some(gap) = next.checked_sub(expected) else { return Err(Refused::Bomb { which: Limit::Overlap }) };
        if (place == 0 && entry.header != 0) || !(gap == 0 || (entry.flags & 8 != 0 && DESCRIPTORS.contains(&gap))) {
            return Err(Refused::Trailing { media_type: kind.media_type });
        }
        if gap > 0 {
            file.seek(SeekFrom::Start(expected)).map_err(|error| Refused::read(error, kind.media_type))?;
            let behind = read_at_most(file, gap).map_err(|error| Refused::read(error, kind.media_type))?;
            if !directory::describes(&behind, entry) {
                return Err(broken("two sizes of one member"));
            }
        }
        if entry.flags & ENCRYPTED != 0 {
            return Err(Refused::Encrypted { media_type: kind.media_type });
        }
        let name = paths.take(&entry.name, false)?;
        let also = entry.also.as_ref().filter(|also| **also != entry.name);
        let also = also.map(|also| paths.take(also, false)).transpose()?;
        // Which part of a document a member is hangs on its name.
        if also.as_ref().is_some_and(|also| {
            within == Within::Document || also.ends_with('/') != name.ends_with('/') || entry.is_link
        }) {
            return Err(broken("two names of one member"));
        }
        let called = Called { name: &name, also: also.as_deref() };
        names.push(name.as_bytes())?;
        names.push(b"\n")?;
        file.seek(SeekFrom::Start(begin)).map_err(|error| Refused::read(error, kind.media_type))?;
        if entry.is_link {
            let mut target = Vec::new();
            unpack(look, file, entry, |reader| {
                target = read_at_most(reader, u64::try_from(MAX_PATH).unwrap_or_default().saturating_add(1))
                    .map_err(|error| Refused::read(error, kind.media_type))?;
                Ok(())
            })?;
            paths.link(&name, &target, false)?;
        } else if name.ends_with('/') {
            if entry.size > 0 {
                return Err(broken("a folder has contents"));
            }
        } else {
            unpack(look, file, entry, |reader| {
                look.member(reader, called, within, depth.saturating_add(1), seen).map(|_| ())
            })?;
        }
    }
    if entries.is_empty() && end != 0 {
        return Err(Refused::Trailing { media_type: kind.media_type });
    }
    if pdf.is_some() {
        return Err(Refused::Polyglot { first: kind.media_type, second: kind::PDF.media_type });
    }
    names.finish(seen);
    beside.finish(seen)?;
    Ok(kind)
}

/// Where a PDF's header stands in the bytes in which its readers look for one.
fn pdf_within(file: &mut dyn Whole) -> Result<Option<u64>, Refused> {
    let failed = |error| Refused::read(error, kind::ZIP.media_type);
    file.rewind().map_err(failed)?;
    let head = read_at_most(file, PDF_WITHIN).map_err(failed)?;
    Ok(find(&head, b"%PDF-").and_then(|place| u64::try_from(place).ok()))
}

/// Unpacks a member for `to`, and holds what came to its size and checksum. `file` stands where its bytes begin.
fn unpack(
    look: &Look<'_>,
    file: &mut dyn Whole,
    entry: &Entry,
    to: impl FnOnce(&mut dyn Read) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut packed = BufReader::with_capacity(32 << 10, file.take(entry.packed));
    let (crc, size) = match entry.method {
        STORED => through(look, &mut packed, to)?,
        DEFLATED => {
            let mut unpacked = DeflateDecoder::new(&mut packed);
            let sums = through(look, &mut unpacked, to)?;
            if unpacked.total_in() != entry.packed {
                return Err(Refused::Trailing { media_type: kind::ZIP.media_type });
            }
            sums
        }
        _ => return Err(Refused::NotLookedInto { media_type: kind::ZIP.media_type }),
    };
    if size != entry.size {
        return Err(broken("a member's size is not what it says"));
    }
    if crc != entry.crc {
        return Err(broken("a member's checksum does not fit"));
    }
    Ok(())
}

fn through(
    look: &Look<'_>,
    reader: &mut dyn Read,
    to: impl FnOnce(&mut dyn Read) -> Result<(), Refused>,
) -> Result<(u32, u64), Refused> {
    let mut summed =
        Summed { reader: Unpacked { reader, budget: look.budget }, crc: crc32fast::Hasher::new(), size: 0 };
    to(&mut summed)?;
    io::copy(&mut summed, &mut io::sink()).map_err(|error| Refused::read(error, kind::ZIP.media_type))?;
    Ok((summed.crc.finalize(), summed.size))
}

/// A reader that sums up what is read through it.
struct Summed<R> {
    reader: R,
    crc: crc32fast::Hasher,
    size: u64,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.crc.update(into.get(..read).unwrap_or_default());
        self.size = self.size.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// The first bytes of a member, for telling what the zip is: at most `most`, and none where it cannot be unpacked.
pub(super) fn beginning(file: &mut dyn Whole, entry: &Entry, most: u64) -> Result<Vec<u8>, Refused> {
    let (begin, _) = directory::local(file, entry)?;
    file.seek(SeekFrom::Start(begin)).map_err(|error| Refused::read(error, kind::ZIP.media_type))?;
    let mut packed = BufReader::with_capacity(4 << 10, file.take(entry.packed));
    let bytes = match entry.method {
        STORED => read_at_most(&mut packed, most),
        DEFLATED => read_at_most(&mut DeflateDecoder::new(packed), most),
        _ => Ok(Vec::new()),
    };
    bytes.map_err(|error| Refused::read(error, kind::ZIP.media_type))
}
