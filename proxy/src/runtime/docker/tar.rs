//! tar streams of the Engine: one file written (POSIX.1-2001 pax), and what a container makes of one read, header by header, bounded.

use time::OffsetDateTime;

use crate::runtime::TransferError;

/// The length of a header, and what contents are padded to.
const BLOCK: usize = 512;
/// What a pax header or a long name may have, in bytes.
const MAX_META: u64 = 64 << 10;
/// Such headers before one entry.
const MOST_META: u32 = 8;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A folder, a link, a pipe, a device, or what is not known.
    Other,
}

/// One entry's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) bytes: u64,
    pub(super) modified: OffsetDateTime,
}

/// A pax header and a header for one plain file of a user's.
pub(super) fn head(name: &str, bytes: u64, (uid, gid): (u32, u32)) -> Vec<u8> {
    let records = [record("path", name), record("size", &bytes.to_string())].concat();
    let length = u64::try_from(records.len()).unwrap_or(u64::MAX);
    let mut head = header("portcullis.pax", b'x', length, (0, 0));
    head.extend_from_slice(records.as_bytes());
    head.resize(head.len().next_multiple_of(BLOCK), 0);
    // Its own name and size stand in the pax header; eleven octal digits would hold no more than 8 GiB.
    head.extend(header("file", b'0', bytes.min(0o77_777_777_777), (uid, gid)));
    head
}

/// What stands behind a file's bytes: padding, and the end of the archive.
pub(super) fn tail(bytes: u64) -> Vec<u8> {
    let over = usize::try_from(bytes % 512).unwrap_or(0);
    vec![0; (BLOCK.saturating_sub(over)) % BLOCK + 2 * BLOCK]
}

/// `LENGTH key=value\n`, the length counting itself.
fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while format!("{length}{rest}").len() != length {
        length = format!("{length}{rest}").len();
    }
    format!("{length}{rest}")
}

fn header(name: &str, kind: u8, bytes: u64, (uid, gid): (u32, u32)) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK);
    let mut field = |text: &str, width: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(width, 0);
        block.extend(bytes);
    };
    field(name, 100);
    field("0000600", 8);
    field(&format!("{uid:07o}"), 8);
    field(&format!("{gid:07o}"), 8);
    field(&format!("{bytes:011o}"), 12);
    field("00000000000", 12);
    field("        ", 8);
    block.push(kind);
    block.resize(257, 0);
    block.extend_from_slice(b"ustar\x0000");
    block.resize(BLOCK, 0);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    for (at, byte) in (148..).zip(sum.bytes()) {
        if let Some(place) = block.get_mut(at) {
            *place = byte;
        }
    }
    block
}

/// A tar stream on its way, whatever its pieces.
#[derive(Debug, Default)]
pub(super) struct Reading {
    block: Vec<u8>,
    at: Where,
    next: Meta,
    ended: u64,
}

#[derive(Debug, Default)]
enum Where {
    #[default]
    Header,
    /// Bytes of a pax header or a long name that are missing, what is there, the kind, and the padding behind.
    Meta {
        left: u64,
        held: Vec<u8>,
        kind: u8,
        padding: u64,
    },
    /// Bytes of an entry that are missing, and the padding behind.
    Contents {
        left: u64,
        padding: u64,
    },
    Padding {
        left: u64,
    },
    /// The archive has ended.
    Over,
}

/// What stands before an entry's own header.
#[derive(Debug, Default)]
struct Meta {
    count: u32,
    path: Option<String>,
    bytes: Option<u64>,
}

impl Reading {
    /// How many entries have ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// Takes a piece: `entry` is told of each header, `contents` of each entry's bytes.
    pub(super) fn push(
        &mut self,
        mut piece: &[u8],
        mut entry: impl FnMut(Entry),
        mut contents: impl FnMut(&[u8]) -> Result<(), TransferError>,
    ) -> Result<(), TransferError> {
        while !piece.is_empty() {
            match &mut self.at {
                Where::Over => return Ok(()),
                Where::Header => {
                    let taken = take(&mut piece, u64::try_from(BLOCK.saturating_sub(self.block.len())).unwrap_or(0));
                    self.block.extend_from_slice(taken);
                    if self.block.len() == BLOCK {
                        let block = std::mem::take(&mut self.block);
                        self.header(&block, &mut entry)?;
                    }
                }
                Where::Meta { left, held, .. } => {
                    let taken = take(&mut piece, *left);
                    *left = left.saturating_sub(length(taken));
                    held.extend_from_slice(taken);
                }
                Where::Contents { left, .. } => {
                    let taken = take(&mut piece, *left);
                    *left = left.saturating_sub(length(taken));
                    contents(taken)?;
                }
                Where::Padding { left } => {
                    let taken = take(&mut piece, *left);
                    *left = left.saturating_sub(length(taken));
                }
            }
            self.settle()?;
        }
        Ok(())
    }

    /// Goes on where something has ended.
    fn settle(&mut self) -> Result<(), TransferError> {
        match &mut self.at {
            Where::Meta { left: 0, held, kind, padding } => {
                let (held, kind, padding) = (std::mem::take(held), *kind, *padding);
                self.next.read(kind, &held)?;
                self.at = Where::Padding { left: padding };
            }
            Where::Contents { left: 0, padding } => {
                self.ended = self.ended.saturating_add(1);
                self.at = Where::Padding { left: *padding };
            }
            _ => {}
        }
        if let Where::Padding { left: 0 } = self.at {
            self.at = Where::Header;
        }
        Ok(())
    }

    fn header(&mut self, block: &[u8], entry: &mut impl FnMut(Entry)) -> Result<(), TransferError> {
        if block.iter().all(|byte| *byte == 0) {
            self.at = Where::Over;
            return Ok(());
        }
        let sum = number(block, 148..156)?;
        let counted: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
            .sum();
        if sum != counted {
            return Err(TransferError::Malformed("a header's checksum is wrong"));
        }
        let bytes = number(block, 124..136)?;
        let kind = block.get(156).copied().unwrap_or_default();
        let padded = |bytes: u64| bytes.checked_next_multiple_of(512).map(|all| all.saturating_sub(bytes)).unwrap_or(0);
        if matches!(kind, b'x' | b'g' | b'L' | b'K') {
            self.next.count = self.next.count.saturating_add(1);
            if bytes > MAX_META || self.next.count > MOST_META {
                return Err(TransferError::Malformed("a header is too long"));
            }
            self.at = Where::Meta { left: bytes, held: Vec::new(), kind, padding: padded(bytes) };
            return Ok(());
        }
        let meta = std::mem::take(&mut self.next);
        let plain = matches!(kind, b'0' | 0);
        // Only plain files have contents: a link's size is none of the stream's.
        let bytes = if plain { meta.bytes.unwrap_or(bytes) } else { 0 };
        let path = meta.path.unwrap_or_else(|| path(block));
        let modified = i64::try_from(number(block, 136..148).unwrap_or(0)).unwrap_or(0);
        let modified = OffsetDateTime::from_unix_timestamp(modified).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        entry(Entry { path, kind: if plain { Kind::File } else { Kind::Other }, bytes, modified });
        self.at = Where::Contents { left: bytes, padding: padded(bytes) };
        Ok(())
    }
}

impl Meta {
    fn read(&mut self, kind: u8, held: &[u8]) -> Result<(), TransferError> {
        let text = || TransferError::Malformed("a header is not text");
        match kind {
            b'L' => {
                let name = held.split(|byte| *byte == 0).next().unwrap_or_default();
                self.path = Some(std::str::from_utf8(name).map_err(|_| text())?.to_owned());
            }
            b'x' => {
                let mut rest = held;
                while !rest.is_empty() {
                    let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(text)?;
                    let length =
                        rest.get(..space).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
                    let record = length
                        .filter(|length| *length > space)
                        .and_then(|length| rest.get(space.saturating_add(1)..length));
                    let (Some(length), Some(record)) = (length, record) else { return Err(text()) };
                    let record = std::str::from_utf8(record).map_err(|_| text())?.trim_end_matches('\n');
                    match record.split_once('=') {
                        Some(("path", path)) => self.path = Some(path.to_owned()),
                        Some(("size", size)) => self.bytes = Some(size.parse().map_err(|_| text())?),
                        _ => {}
                    }
                    rest = rest.get(length..).unwrap_or_default();
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The first bytes of a piece, at most so many, which it then lacks.
fn take<'a>(piece: &mut &'a [u8], most: u64) -> &'a [u8] {
    let count = usize::try_from(most).unwrap_or(usize::MAX).min(piece.len());
    let (taken, rest) = piece.split_at_checked(count).unwrap_or((piece, &[]));
    *piece = rest;
    taken
}

/// A number in octal, or in base 256 where its first bit is set.
fn number(block: &[u8], field: std::ops::Range<usize>) -> Result<u64, TransferError> {
    let wrong = || TransferError::Malformed("a header's number is none");
    let field = block.get(field).ok_or_else(wrong)?;
    if let Some((first, rest)) = field.split_first()
        && *first & 0x80 != 0
    {
        let digits = std::iter::once(first & 0x7f).chain(rest.iter().copied());
        let add = |sum: u64, digit: u8| sum.checked_mul(256)?.checked_add(u64::from(digit));
        return digits.into_iter().try_fold(0, add).ok_or_else(wrong);
    }
    let text = std::str::from_utf8(field).map_err(|_| wrong())?.trim_matches([' ', '\0']);
    if text.is_empty() { Ok(0) } else { u64::from_str_radix(text, 8).map_err(|_| wrong()) }
}

/// The path of a ustar header: prefix and name.
fn path(block: &[u8]) -> String {
    let text = |range: std::ops::Range<usize>| {
        let field = block.get(range).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(field).into_owned()
    };
    let (prefix, name) = (text(345..500), text(0..100));
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &[u8], pieces: usize) -> Result<(Vec<Entry>, Vec<u8>, u64), String> {
        let (mut reading, mut entries, mut bytes) = (Reading::default(), Vec::new(), Vec::new());
        for piece in stream.chunks(pieces) {
            let took = |contents: &[u8]| {
                bytes.extend_from_slice(contents);
                Ok(())
            };
            reading.push(piece, |entry| entries.push(entry), took).map_err(|error| error.to_string())?;
        }
        Ok((entries, bytes, reading.ended()))
    }

    #[test]
    fn what_is_written_is_read_however_it_is_cut_and_by_gnu_tar() {
        let name = format!("{}é.txt", "n".repeat(200));
        let stream = [head(&name, 700, (1000, 1000)), vec![7; 700], tail(700)].concat();
        assert_eq!(stream.len() % 512, 0);
        for pieces in [1, 7, 511, 512, 513, 5000] {
            let (entries, bytes, ended) = read(&stream, pieces).unwrap();
            assert_eq!((entries.len(), entries[0].path.as_str(), entries[0].bytes, ended), (1, name.as_str(), 700, 1));
            assert_eq!(bytes, vec![7; 700]);
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.tar"), &stream).unwrap();
        let status =
            std::process::Command::new("tar").arg("-xf").arg("a.tar").current_dir(folder.path()).status().unwrap();
        assert!(status.success() && std::fs::read(folder.path().join(&name)).unwrap() == vec![7; 700]);
    }

    #[test]
    fn what_is_no_plain_file_has_no_contents() {
        for kind in [b'1', b'2', b'3', b'6', b'5', b'7', b'S'] {
            let stream = [header("odd", kind, 4096, (0, 0)), vec![0; 1024]].concat();
            let (entries, bytes, _) = read(&stream, 100).unwrap();
            assert_eq!((entries[0].kind, bytes.len()), (Kind::Other, 0), "{kind}");
        }
    }

    #[test]
    fn hostile_headers_are_refused_before_anything_is_held() {
        let mut wrong = header("a", b'0', 1, (0, 0));
        wrong[0] = b'b';
        assert!(read(&wrong, 512).unwrap_err().contains("checksum"));
        assert!(read(&header("a", b'x', MAX_META + 1, (0, 0)), 512).unwrap_err().contains("too long"));
        let many = header("a", b'x', 0, (0, 0)).repeat(9);
        assert!(read(&many, 512).unwrap_err().contains("too long"));
        for odd in ["99999999 path=a\n", "path=a\n", "3 path=a\n", "10 size=-1\n"] {
            let mut stream = header("a", b'x', odd.len() as u64, (0, 0));
            stream.extend_from_slice(odd.as_bytes());
            stream.resize(1024, 0);
            assert!(read(&stream, 512).is_err(), "{odd}");
        }
    }
}
