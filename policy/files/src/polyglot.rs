//! Whether a file is a second type too, for readers that look for it elsewhere than at the beginning.

use crate::Refused;
use crate::bytes::{find, find_last, le16, le32};
use crate::kind::{self, Class, Kind};

/// Bytes at the end of a file in which readers of zip look for its directory's end: the record and the longest comment.
pub(crate) const TAIL: usize = 22 + 65_535;
/// Bytes at the beginning in which readers of PDF look for its header.
const PDF_WITHIN: usize = 1024;
/// What makes a browser or a web server take a file for a page or a program.
const PAGES: [&str; 7] = ["<!doctype html", "<html", "<script", "<iframe", "<body", "<?php", "<svg"];

/// Looks at the beginning. What is looked into by members is looked at there.
pub(crate) fn head(kind: &'static Kind, head: &[u8]) -> Result<(), Refused> {
    let is = |second: &'static Kind| Err(Refused::Polyglot { first: kind.media_type, second: second.media_type });
    let characters = kind.is_characters();
    let within = head.get(..head.len().min(PDF_WITHIN)).unwrap_or_default();
    let pdf = find(within, b"%PDF-").filter(|place| *place > 0);
    let member = *kind == kind::ZIP || (*kind == kind::TAR && pdf.is_some_and(|place| place % 512 == 0));
    // Texts may speak of the header: they are PDF only if they have the end too, which `tail` looks for.
    if pdf.is_some() && !member && !characters && *kind != kind::UNKNOWN {
        return is(&kind::PDF);
    }
    if matches!(kind.class, Class::Image | Class::Media) && *kind != kind::EMF {
        let lower = head.to_ascii_lowercase();
        if PAGES.iter().any(|page| find(&lower, page.as_bytes()).is_some()) {
            return is(&kind::HTML);
        }
    }
    if *kind == kind::GZIP
        && find(head.get(..64).unwrap_or(head), b"PK\x03\x04").is_some()
        && head.get(3).is_some_and(|flags| flags & 0x1c != 0)
    {
        return is(&kind::ZIP);
    }
    Ok(())
}

/// Looks at the last [`TAIL`] bytes (or more) of a file of `total` bytes.
pub(crate) fn tail(kind: &'static Kind, tail: &[u8], total: u64) -> Result<(), Refused> {
    if zip_end(tail, total) {
        return Err(Refused::Polyglot { first: kind.media_type, second: kind::ZIP.media_type });
    }
    let characters =
        matches!(kind.class, Class::Text | Class::Markup) || *kind == kind::SCRIPT || *kind == kind::UNKNOWN;
    let whole = u64::try_from(tail.len()).is_ok_and(|length| length == total);
    if characters && whole {
        let pdf = find(tail.get(..PDF_WITHIN).unwrap_or(tail), b"%PDF-1.").is_some();
        let end = tail.get(tail.len().saturating_sub(PDF_WITHIN)..).unwrap_or_default();
        if pdf && find_last(end, b"%%EOF").is_some() && find_last(tail, b"startxref").is_some() {
            return Err(Refused::Polyglot { first: kind.media_type, second: kind::PDF.media_type });
        }
    }
    Ok(())
}

/// Whether a zip's directory ends in the last bytes of something else: a record whose numbers fit where it stands.
pub(crate) fn zip_end(tail: &[u8], total: u64) -> bool {
    let begin = total.saturating_sub(u64::try_from(tail.len()).unwrap_or(u64::MAX));
    let mut from = tail.len().saturating_sub(TAIL);
    while let Some(place) = tail.get(from..).and_then(|rest| find(rest, b"PK\x05\x06")) {
        let place = from.saturating_add(place);
        let record = tail.get(place..).unwrap_or_default();
        let (Some(entries), Some(size)) = (le16(record, 10), le32(record, 12)) else {
            return false;
        };
        let stands = begin.saturating_add(u64::try_from(place).unwrap_or(u64::MAX));
        let whole = [4, 6].iter().all(|field| le16(record, *field) == Some(0)) && le16(record, 8) == Some(entries);
        let comment = usize::from(le16(record, 20).unwrap_or(u16::MAX));
        let ends = record.len() >= comment.saturating_add(22);
        let large = place
            .checked_sub(20)
            .is_some_and(|locator| tail.get(locator..).is_some_and(|bytes| bytes.starts_with(b"PK\x06\x07")));
        let fits = whole && ends && entries > 0 && size >= 46 * u32::from(entries) && u64::from(size) <= stands;
        // Where the directory is among the last bytes too it has to begin with an entry.
        let begins = usize::try_from(size)
            .ok()
            .and_then(|size| place.checked_sub(size))
            .is_none_or(|directory| tail.get(directory..).is_some_and(|bytes| bytes.starts_with(b"PK\x01\x02")));
        if large || (fits && begins) {
            return true;
        }
        from = place.saturating_add(4);
    }
    false
}
