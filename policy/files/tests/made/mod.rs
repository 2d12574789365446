//! Files made for the tests: archives by hand, so that each of their fields can be wrong.
#![allow(dead_code, reason = "each test uses some of them")]

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use portcullis_content::{Known, Searcher};
use portcullis_files::{FileName, Inspection, Limits, Refused, inspect};

/// A card's number, which detectors find.
pub const CARD: &str = "4111 1111 1111 1111";

/// Looks at a file of that name, with all detectors.
pub fn look(name: &str, bytes: &[u8]) -> Result<Inspection, Refused> {
    look_within(name, bytes, &Limits::default())
}

pub fn look_within(name: &str, bytes: &[u8], limits: &Limits) -> Result<Inspection, Refused> {
    let searcher = Searcher::new(Known::ALL.map(Into::into)).unwrap();
    inspect(Cursor::new(bytes), &FileName::parse(name).unwrap(), Some(&searcher), limits)
}

/// Whether the card was found in a file.
pub fn finds(name: &str, bytes: &[u8]) -> bool {
    let card = Known::ALL.iter().position(|known| *known == Known::PaymentCard).unwrap();
    look(name, bytes).unwrap().found.contains(&card)
}

/// The word for why a file is refused.
pub fn refusal(name: &str, bytes: &[u8]) -> &'static str {
    match look(name, bytes) {
        Ok(seen) => panic!("{name} was not refused: {seen:?}"),
        Err(refused) => refused.word(),
    }
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A member of a zip, each field of which can be set.
#[derive(Clone)]
pub struct Member {
    pub name: Vec<u8>,
    pub local_name: Option<Vec<u8>>,
    pub packed: Vec<u8>,
    pub size: u32,
    pub crc: u32,
    pub method: u16,
    pub flags: u16,
    pub mode: u32,
    /// Local header's place, if it is not where it was written.
    pub header: Option<u32>,
    pub local_size: Option<u32>,
    /// Further fields: of the local header, of the directory.
    pub further: [Vec<u8>; 2],
    /// What stands behind it.
    pub behind: Vec<u8>,
}

pub fn member(name: &str, bytes: &[u8]) -> Member {
    let packed = deflate(bytes);
    Member { packed, method: 8, ..stored(name, bytes) }
}

pub fn stored(name: &str, bytes: &[u8]) -> Member {
    Member {
        name: name.as_bytes().to_vec(),
        local_name: None,
        packed: bytes.to_vec(),
        size: bytes.len() as u32,
        crc: crc32fast::hash(bytes),
        method: 0,
        flags: 0,
        mode: 0o100_644,
        header: None,
        local_size: None,
        further: Default::default(),
        behind: Vec::new(),
    }
}

pub fn zip_of(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        let place = member.header.unwrap_or(out.len() as u32);
        let local = member.local_name.as_ref().unwrap_or(&member.name);
        let fields = |size: u32| {
            let mut fields = Vec::new();
            for field in [20, member.flags, member.method, 0, 0] {
                fields.extend(u16::to_le_bytes(field));
            }
            for field in [member.crc, member.packed.len() as u32, size] {
                fields.extend(u32::to_le_bytes(field));
            }
            fields
        };
        if member.header.is_none() {
            out.extend(b"PK\x03\x04");
            out.extend(fields(member.local_size.unwrap_or(member.size)));
            out.extend((local.len() as u16).to_le_bytes());
            out.extend((member.further[0].len() as u16).to_le_bytes());
            out.extend(local);
            out.extend(&member.further[0]);
            out.extend(&member.packed);
            out.extend(&member.behind);
        }
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(fields(member.size));
        directory.extend((member.name.len() as u16).to_le_bytes());
        directory.extend((member.further[1].len() as u16).to_le_bytes());
        directory.extend([0; 6]);
        directory.extend((member.mode << 16).to_le_bytes());
        directory.extend(place.to_le_bytes());
        directory.extend(&member.name);
        directory.extend(&member.further[1]);
    }
    let begin = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend((members.len() as u16).to_le_bytes());
    }
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(begin.to_le_bytes());
    out.extend([0, 0]);
    out
}

pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_of(&members.iter().map(|(name, bytes)| member(name, bytes)).collect::<Vec<_>>())
}

/// One member of a tar, of a kind (`b'0'` a file).
pub fn tar_member(name: &str, kind: u8, link: &str, bytes: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    block[136..148].copy_from_slice(b"00000000000\0");
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = block.to_vec();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out: Vec<u8> = members.iter().flat_map(|(name, bytes)| tar_member(name, b'0', "", bytes)).collect();
    out.extend([0; 1024]);
    out
}

fn chunk(name: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u32).to_be_bytes().to_vec();
    out.extend(name);
    out.extend(bytes);
    let mut sum = crc32fast::Hasher::new();
    sum.update(name);
    sum.update(bytes);
    out.extend(sum.finalize().to_be_bytes());
    out
}

/// A PNG of one pixel, with further chunks before the pixels.
pub fn png(further: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    out.extend(chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]));
    for (name, bytes) in further {
        out.extend(chunk(*name, bytes));
    }
    out.extend(chunk(b"IDAT", &zlib(&[0, 10, 20, 30])));
    out.extend(chunk(b"IEND", &[]));
    out
}

/// A GIF of one pixel, with further blocks before it.
pub fn gif(further: &[u8]) -> Vec<u8> {
    let mut out = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    out.extend(further);
    out.extend(b",\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;");
    out
}

/// A WebP of one pixel, lossless, in the extended form, with further chunks behind.
pub fn webp(further: &[(&[u8; 4], &[u8])], flags: u8) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    let mut add = |name: &[u8], bytes: &[u8]| {
        body.extend(name);
        body.extend((bytes.len() as u32).to_le_bytes());
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(2), 0);
    };
    add(b"VP8X", &[flags, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    add(b"VP8L", b"\x2f\0\0\0\0\x07\x10\xfd\x8f\xfe\x07\x22\xa2\xff\x01");
    for (name, bytes) in further {
        add(*name, bytes);
    }
    let mut out = b"RIFF".to_vec();
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    out
}

/// A document of OOXML with these parts.
pub fn ooxml(main: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let types = format!(
        "<?xml version=\"1.0\"?><Types><Override PartName=\"/main.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.{main}.main+xml\"/></Types>"
    );
    let mut members = vec![("[Content_Types].xml", types.as_bytes()), ("main.xml", b"<?xml version=\"1.0\"?><x/>")];
    members.extend(parts);
    zip(&members)
}

/// An OpenDocument of that type.
pub fn odf(media_type: &str, content: &str) -> Vec<u8> {
    zip_of(&[stored("mimetype", media_type.as_bytes()), member("content.xml", content.as_bytes())])
}
