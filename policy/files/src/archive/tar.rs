//! tar (POSIX.1-2001 pax, ustar, GNU): members one behind the other, read once.

use std::io::{self, Read};

use crate::Refused;
use crate::bytes::{at, read_at_most, take};
use crate::inspect::{Look, Within};
use crate::kind;
use crate::member::{MAX_PATH, Paths};
use crate::search::{Beside, Seen};

/// Bytes of a block.
const BLOCK: u64 = 512;
/// Bytes of a pax header's records at most.
const MAX_RECORDS: u64 = 64 << 10;

/// Whether bytes are a tar's first header: its checksum fits.
pub(crate) fn is_header(first: &[u8]) -> bool {
    first.first_chunk::<512>().is_some_and(|block| checksum_fits(block) && block.first() != Some(&0))
}

fn broken(reason: &'static str) -> Refused {
    Refused::Broken { media_type: kind::TAR.media_type, reason }
}

fn escapes(reason: &'static str) -> Refused {
    Refused::Escapes { media_type: kind::TAR.media_type, reason }
}

/// What headers before a member say of it, in place of its own.
#[derive(Default)]
struct Said {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Looks at each member.
pub(crate) fn walk(look: &Look<'_>, reader: &mut dyn Read, depth: u32, seen: &mut Seen) -> Result<(), Refused> {
    let failed = |error| Refused::read(error, kind::TAR.media_type);
    let mut paths = Paths::new(&kind::TAR);
    let mut names = look.search();
    let mut beside = Beside::new(|| look.search());
    let mut said = Said::default();
    while let Some(block) = next(reader).map_err(failed)? {
        if block.iter().all(|byte| *byte == 0) {
            end(reader).map_err(failed)?;
            break;
        }
        if !checksum_fits(&block) {
            return Err(broken("a header's checksum does not fit"));
        }
        let size = number(field(&block, 124, 12)).ok_or_else(|| broken("a size is no number"))?;
        let kind_of = block.get(156).copied().unwrap_or_default();
        fields(&block).into_iter().try_for_each(|field| beside.push(field))?;
        match kind_of {
            b'x' | b'L' | b'K' => {
                records(reader, kind_of, size, &mut said, &mut beside)?;
                fill(reader, size).map_err(failed)?;
                continue;
            }
            b'g' => {
                let mut all = Said::default();
                records(reader, b'x', size, &mut all, &mut beside)?;
                if all.path.is_some() || all.link.is_some() || all.size.is_some() {
                    return Err(broken("a global header says what members are"));
                }
                fill(reader, size).map_err(failed)?;
                continue;
            }
            _ => {}
        }
        look.budget.entry()?;
        let Said { path, link, size: longer } = std::mem::take(&mut said);
        // Readers differ about which of two sizes holds.
        if longer.is_some_and(|longer| size != 0 && size != longer) {
            return Err(broken("two sizes of one member"));
        }
        let size = longer.unwrap_or(size);
        let own = own_name(&block);
        // Older tars have no kind for folders but a name that ends so, which some readers go by even where a record has another name.
        let is_folder = kind_of == b'5' || (matches!(kind_of, b'0' | 0 | b'7') && own.ends_with(b"/"));
        let name = paths.take(&path.unwrap_or(own), true)?;
        // Readers differ about whether such bytes are its contents or the next members.
        if size > 0 && (is_folder || name.ends_with('/')) {
            return Err(broken("a folder has contents"));
        }
        names.push(name.as_bytes())?;
        names.push(b"\n")?;
        let target = link.unwrap_or_else(|| text(field(&block, 157, 100)).to_vec());
        match kind_of {
            b'0' | 0 | b'7' => {
                let mut member = reader.take(size);
                if !name.ends_with('/') {
                    look.member(&mut member, name.as_str().into(), Within::Archive, depth.saturating_add(1), seen)?;
                }
                io::copy(&mut member, &mut io::sink()).map_err(failed)?;
                if member.limit() > 0 {
                    return Err(broken("it ends too early"));
                }
                fill(reader, size).map_err(failed)?;
            }
            b'5' => {}
            b'1' | b'2' if size == 0 => paths.link(&name, &target, kind_of == b'1')?,
            b'1' | b'2' => return Err(broken("a link has contents")),
            b'3' | b'4' | b'6' => return Err(escapes("it is a device")),
            b'S' => return Err(Refused::NotLookedInto { media_type: kind::TAR.media_type }),
            _ => return Err(broken("a member of an unknown kind")),
        }
    }
    names.finish(seen);
    beside.finish(seen)
}

/// Behind contents of so many bytes only zeros, up to the next block.
fn fill(reader: &mut dyn Read, size: u64) -> io::Result<()> {
    let mut filled = [0; 512];
    let filled = filled.get_mut(..usize::try_from(padding(size)).unwrap_or_default()).unwrap_or_default();
    reader.read_exact(filled)?;
    if filled.iter().any(|byte| *byte != 0) {
        return Err(Refused::Trailing { media_type: kind::TAR.media_type }.into());
    }
    Ok(())
}

/// What of a header may hold a text: names, whom it belongs to, what it leads to, what fills it; and its numbers where they are not written as such, with an end.
fn fields(block: &[u8; 512]) -> [&[u8]; 7] {
    let is_number = |(place, length): (usize, usize)| {
        let field = field(block, place, length);
        let ended = matches!(field, [0x80 | 0xff, ..]) || matches!(field.last(), Some(0 | b' '));
        let rest = field.iter().skip_while(|byte| **byte != 0);
        ended
            && number(field).is_some()
            && (field.first() == Some(&0x80) || rest.into_iter().all(|byte| matches!(byte, 0 | b' ')))
    };
    let numbers = [(100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (148, 8)];
    let odd = !numbers.into_iter().all(is_number);
    // GNU's tar has times where ustar has the end of a name's beginning.
    let beginning = if field(block, 257, 8) == b"ustar  \0" { 369 } else { 345 };
    [
        field(block, 0, 100),
        field(block, 100, if odd { 57 } else { 0 }),
        field(block, 157, 100),
        field(block, 257, 8),
        field(block, 265, 32),
        field(block, 297, 48),
        field(block, beginning, 512usize.saturating_sub(beginning)),
    ]
}

/// The next block; none where the file ends before it.
fn next(reader: &mut dyn Read) -> io::Result<Option<[u8; 512]>> {
    let mut first = [0];
    if reader.read(&mut first)? == 0 {
        return Ok(None);
    }
    let rest: [u8; 511] = take(reader)?;
    let mut block = [0; 512];
    for (to, from) in block.iter_mut().zip(first.iter().chain(&rest)) {
        *to = *from;
    }
    Ok(Some(block))
}

/// Behind the end only zeros.
fn end(reader: &mut dyn Read) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let read = reader.read(&mut bytes)?;
        if read == 0 {
            return Ok(());
        }
        if bytes.iter().take(read).any(|byte| *byte != 0) {
            return Err(Refused::Trailing { media_type: kind::TAR.media_type }.into());
        }
    }
}

fn checksum_fits(block: &[u8; 512]) -> bool {
    let sum = |signed: bool| {
        block.iter().enumerate().fold(0i64, |sum, (place, byte)| {
            let byte = if (148..156).contains(&place) { b' ' } else { *byte };
            sum.saturating_add(if signed { i64::from(byte.cast_signed()) } else { i64::from(byte) })
        })
    };
    let said = number(field(block, 148, 8)).and_then(|said| i64::try_from(said).ok());
    said.is_some_and(|said| said > 0 && (said == sum(false) || said == sum(true)))
}

fn field(block: &[u8; 512], place: usize, length: usize) -> &[u8] {
    block.get(place..place.saturating_add(length)).unwrap_or_default()
}

/// What stands before the first zero.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number in octal, or in binary behind a byte of 0x80.
fn number(field: &[u8]) -> Option<u64> {
    if let [0x80, rest @ ..] = field {
        let (high, low) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
        return high
            .iter()
            .all(|byte| *byte == 0)
            .then(|| at(low, 0).map(u64::from_be_bytes))
            .flatten()
            .filter(|size| *size < 1 << 62);
    }
    let digits = text(field).trim_ascii();
    let digits = std::str::from_utf8(digits).ok()?;
    if digits.is_empty() {
        Some(0)
    } else {
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| u64::from_str_radix(digits, 8).ok()).flatten()
    }
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() & (BLOCK - 1)
}

/// The name in a header of its own, with ustar's prefix.
fn own_name(block: &[u8; 512]) -> Vec<u8> {
    let prefix = if field(block, 257, 6) == b"ustar\0" { text(field(block, 345, 155)) } else { &[] };
    let name = text(field(block, 0, 100));
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// What a pax header or GNU's long name says.
fn records(
    reader: &mut dyn Read,
    kind_of: u8,
    size: u64,
    said: &mut Said,
    beside: &mut Beside<'_>,
) -> Result<(), Refused> {
    let most = if kind_of == b'x' { MAX_RECORDS } else { u64::try_from(MAX_PATH).unwrap_or_default() };
    if size > most {
        return Err(broken("a header is too long"));
    }
    let bytes = read_at_most(reader, size).map_err(|error| Refused::read(error, kind::TAR.media_type))?;
    beside.push(&bytes)?;
    match kind_of {
        b'L' => said.path = Some(text(&bytes).to_vec()),
        b'K' => said.link = Some(text(&bytes).to_vec()),
        _ => {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() && rest.first() != Some(&0) {
                let (key, value, behind) = record(rest).ok_or_else(|| broken("a record of a pax header"))?;
                match key {
                    b"path" => said.path = Some(value.to_vec()),
                    b"linkpath" => said.link = Some(value.to_vec()),
                    b"size" => {
                        said.size = Some(
                            std::str::from_utf8(value)
                                .ok()
                                .and_then(|size| size.parse().ok())
                                .ok_or_else(|| broken("a size is no number"))?,
                        )
                    }
                    _ if key.starts_with(b"GNU.sparse.") => {
                        return Err(Refused::NotLookedInto { media_type: kind::TAR.media_type });
                    }
                    _ => {}
                }
                rest = behind;
            }
        }
    }
    Ok(())
}

/// `LENGTH key=value\n`: key, value and what is behind.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(8).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let (record, behind) = bytes.split_at_checked(length)?;
    let record = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((record.get(..equals)?, record.get(equals.checked_add(1)?..)?, behind))
}
