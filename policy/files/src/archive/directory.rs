//! A zip's central directory (APPNOTE 6.3.10), held to what its local headers say: every byte of the file is one member's, the directory's or the end's.

use std::io::{Read, SeekFrom};

use crate::bytes::{Whole, find_last, le16, le32, le64, read_at_most, take};
use crate::limits::Budget;
use crate::polyglot::TAIL;
use crate::search::Beside;
use crate::{Limit, Refused, kind};

/// Bytes of a directory at most.
const MAX_DIRECTORY: u64 = 32 << 20;

/// A member of a zip.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u64,
    pub(crate) size: u64,
    /// Where its local header begins.
    pub(crate) header: u64,
    /// Whether it is a link, by the mode that Unix gave it.
    pub(crate) is_link: bool,
    /// The name in Unicode that it says beside its own, which some readers take instead.
    pub(crate) also: Option<Vec<u8>>,
}

/// The further field with a name in Unicode (APPNOTE 4.6.9): a version, a checksum, the name.
const UNICODE_PATH: u16 = 0x7075;

pub(crate) fn broken(reason: &'static str) -> Refused {
    Refused::Broken { media_type: kind::ZIP.media_type, reason }
}

fn trailing() -> Refused {
    Refused::Trailing { media_type: kind::ZIP.media_type }
}

fn failed(error: std::io::Error) -> Refused {
    Refused::read(error, kind::ZIP.media_type)
}

/// The members in the order of their places, and where the directory begins. Comments and further fields go `beside`.
pub(crate) fn read(
    file: &mut dyn Whole,
    length: u64,
    budget: &Budget<'_>,
    beside: &mut Beside<'_>,
) -> Result<(Vec<Entry>, u64), Refused> {
    let (begin, size, entries, comment) = end(file, length)?;
    beside.push(&comment)?;
    if entries > budget.limits.entries.into() {
        return Err(Refused::Bomb { which: Limit::Entries });
    }
    if size > MAX_DIRECTORY {
        return Err(Refused::Bomb { which: Limit::Entries });
    }
    file.seek(SeekFrom::Start(begin)).map_err(failed)?;
    let bytes = read_at_most(file, size).map_err(failed)?;
    let mut rest = bytes.as_slice();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (entry, further, behind) = entry(rest).ok_or_else(|| broken("an entry of the directory"))?;
        further.into_iter().try_for_each(|field| beside.push(field))?;
        found.push(entry);
        rest = behind;
    }
    if u64::try_from(found.len()) != Ok(entries) {
        return Err(broken("the directory's number of entries"));
    }
    found.sort_by_key(|entry| entry.header);
    Ok((found, begin))
}

/// Where the directory begins, its size, its entries, and the comment, by the record at the end.
fn end(file: &mut dyn Whole, length: u64) -> Result<(u64, u64, u64, Vec<u8>), Refused> {
    let begin = length.saturating_sub(u64::try_from(TAIL).unwrap_or(u64::MAX));
    file.seek(SeekFrom::Start(begin)).map_err(failed)?;
    let tail = read_at_most(file, length.saturating_sub(begin)).map_err(failed)?;
    let place = find_last(&tail, b"PK\x05\x06").ok_or_else(|| broken("it has no directory"))?;
    let record = tail.get(place..).unwrap_or_default();
    let [disk, of, here, all, comment] = [4, 6, 8, 10, 20].map(|field| le16(record, field));
    let (Some(size), Some(offset), Some(here), Some(all), Some(comment)) =
        (le32(record, 12), le32(record, 16), here, all, comment)
    else {
        return Err(broken("its end is cut"));
    };
    if record.len() != usize::from(comment).saturating_add(22) {
        return Err(trailing());
    }
    if disk != Some(0) || of != Some(0) || here != all {
        return Err(broken("it is one of several parts"));
    }
    let stands = begin.saturating_add(u64::try_from(place).unwrap_or(u64::MAX));
    let comment = record.get(22..).unwrap_or_default().to_vec();
    let before =
        place.checked_sub(20).and_then(|place| tail.get(place..)).filter(|locator| locator.starts_with(b"PK\x06\x07"));
    let (stands, size, offset, all) = match before {
        None => (stands, size.into(), offset.into(), all.into()),
        Some(locator) => large(file, locator, stands)?,
    };
    if offset.checked_add(size) != Some(stands) {
        // Readers reckon the beginning from either end: what is before the first member is another file.
        return Err(trailing());
    }
    Ok((offset, size, all, comment))
}

/// The same by the record of zip64.
fn large(file: &mut dyn Whole, locator: &[u8], end: u64) -> Result<(u64, u64, u64, u64), Refused> {
    let place = le64(locator, 8).ok_or_else(|| broken("its end is cut"))?;
    file.seek(SeekFrom::Start(place)).map_err(failed)?;
    let record: [u8; 56] = take(file).map_err(failed)?;
    let [length, entries, size, offset] = [4, 32, 40, 48].map(|field| le64(&record, field).unwrap_or_default());
    let whole = place.checked_add(length).and_then(|place| place.checked_add(32)) == Some(end);
    if !record.starts_with(b"PK\x06\x06") || !whole || length != 44 {
        return Err(broken("its end in the large form"));
    }
    Ok((place, size, offset, entries))
}

/// One entry of the directory, its further fields and its comment, and what is behind it.
type Taken<'a> = (Entry, [&'a [u8]; 2], &'a [u8]);

fn entry(bytes: &[u8]) -> Option<Taken<'_>> {
    if !bytes.starts_with(b"PK\x01\x02") || le16(bytes, 34)? != 0 {
        return None;
    }
    let [name, extra, comment] = [28, 30, 32].map(|field| le16(bytes, field).map(usize::from));
    let (head, rest) = bytes.split_at_checked(46)?;
    let (name, rest) = rest.split_at_checked(name?)?;
    let (extra, rest) = rest.split_at_checked(extra?)?;
    let (comment, rest) = rest.split_at_checked(comment?)?;
    let mut large = large_fields(extra)?;
    let mut wide = |field: u32| if field == u32::MAX { large.next() } else { Some(field.into()) };
    let (size, packed, header) = (wide(le32(head, 24)?)?, wide(le32(head, 20)?)?, wide(le32(head, 42)?)?);
    let is_link = head.get(5) == Some(&3) && le32(head, 38)? >> 28 == 0xa;
    let entry = Entry {
        name: name.to_vec(),
        flags: le16(head, 8)?,
        method: le16(head, 10)?,
        crc: le32(head, 16)?,
        packed,
        size,
        header,
        is_link,
        also: further_name(extra)?,
    };
    Some((entry, [extra, comment], rest))
}

/// The field of a kind among the further ones: none where it is not there, or where they are malformed or have it twice.
fn further(mut extra: &[u8], kind: u16) -> Option<Option<&[u8]>> {
    let mut found = None;
    while extra.len() >= 4 {
        let length = usize::from(le16(extra, 2)?);
        let field = extra.get(4..length.checked_add(4)?)?;
        if le16(extra, 0)? == kind && found.replace(field).is_some() {
            return None;
        }
        extra = extra.get(length.checked_add(4)?..)?;
    }
    Some(found)
}

/// The numbers of the zip64 field; nothing where there is none.
fn large_fields(extra: &[u8]) -> Option<std::vec::IntoIter<u64>> {
    let numbers = further(extra, 1)?.unwrap_or_default();
    Some(numbers.chunks_exact(8).filter_map(|number| le64(number, 0)).collect::<Vec<_>>().into_iter())
}

/// The name in Unicode, whether its checksum fits or not: readers differ about that too.
fn further_name(extra: &[u8]) -> Option<Option<Vec<u8>>> {
    Some(match further(extra, UNICODE_PATH)? {
        Some(field) => Some(field.get(5..)?.to_vec()),
        None => None,
    })
}

/// Reads a member's local header, which has to say what the directory does. Answers with where its bytes begin, and its further fields.
pub(crate) fn local(file: &mut dyn Whole, entry: &Entry) -> Result<(u64, Vec<u8>), Refused> {
    file.seek(SeekFrom::Start(entry.header)).map_err(failed)?;
    let head: [u8; 30] = take(file).map_err(failed)?;
    let name = read_at_most(file, le16(&head, 26).unwrap_or_default().into()).map_err(failed)?;
    let extra_length = le16(&head, 28).unwrap_or_default();
    let extra = read_at_most(&mut file.take(extra_length.into()), extra_length.into()).map_err(failed)?;
    let differs = |what| Err(broken(what));
    if !head.starts_with(b"PK\x03\x04") {
        return differs("a member does not begin with its header");
    }
    if name != entry.name {
        return differs("two names of one member");
    }
    let also = further_name(&extra).ok_or_else(|| broken("an extra field"))?;
    if also.is_some_and(|also| entry.also.as_ref().unwrap_or(&entry.name) != &also) {
        return differs("two names of one member");
    }
    if le16(&head, 8) != Some(entry.method) || (le16(&head, 6).unwrap_or_default() ^ entry.flags) & 0x2041 != 0 {
        return differs("two methods of one member");
    }
    let mut large = large_fields(&extra).ok_or_else(|| broken("an extra field"))?;
    let mut wide = |field: u32| if field == u32::MAX { large.next().unwrap_or(field.into()) } else { field.into() };
    let (size, packed) = (wide(le32(&head, 22).unwrap_or_default()), wide(le32(&head, 18).unwrap_or_default()));
    let later = entry.flags & 8 != 0;
    let said = |here: u64, there: u64| here == there || (later && (here == 0 || here == u64::from(u32::MAX)));
    if !said(size, entry.size)
        || !said(packed, entry.packed)
        || !said(le32(&head, 14).unwrap_or_default().into(), entry.crc.into())
    {
        return differs("two sizes of one member");
    }
    let names = u64::try_from(entry.name.len()).unwrap_or_default();
    Ok((entry.header.saturating_add(30).saturating_add(names).saturating_add(extra_length.into()), extra))
}

/// Whether the bytes behind a member say of its sizes and checksum what the directory does: with or without a signature, in either width.
pub(crate) fn describes(bytes: &[u8], entry: &Entry) -> bool {
    let plain = if matches!(bytes.len(), 16 | 24) { bytes.strip_prefix(b"PK\x07\x08") } else { Some(bytes) };
    let Some(plain) = plain else { return false };
    let sizes = match plain.len() {
        12 => [4, 8].map(|place| le32(plain, place).map(u64::from)),
        _ => [4, 12].map(|place| le64(plain, place)),
    };
    le32(plain, 0) == Some(entry.crc) && sizes == [Some(entry.packed), Some(entry.size)]
}
