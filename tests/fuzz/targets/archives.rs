//! Archives made of fuzzed members and then damaged: walking them ends within the limits, and no member's name that leads out is taken.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use portcullis_files::{FileName, Limits, inspect};

/// A stored zip of one member.
fn zip(name: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let length = u32::try_from(bytes.len()).expect("short").to_le_bytes();
    fields.extend(crc32(bytes).to_le_bytes());
    fields.extend(length);
    fields.extend(length);
    fields.extend(u32::try_from(name.len()).expect("short").to_le_bytes());
    let mut out = [b"PK\x03\x04", fields.as_slice(), name, bytes].concat();
    let begin = u32::try_from(out.len()).expect("short");
    out.extend(b"PK\x01\x02\x14\x03");
    out.extend(fields);
    out.extend([0; 14]);
    out.extend(name);
    let size = u32::try_from(out.len()).expect("short") - begin;
    out.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    out.extend(size.to_le_bytes());
    out.extend(begin.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())))
}

/// A tar of one member.
fn tar(name: &[u8], kind: u8, link: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    let mut field = |at: usize, text: &[u8], most: usize| block[at..at + text.len().min(most)].copy_from_slice(&text[..text.len().min(most)]);
    field(0, name, 100);
    field(124, format!("{:011o}", bytes.len()).as_bytes(), 12);
    field(148, b"        ", 8);
    field(156, &[kind], 1);
    field(157, link, 100);
    field(257, b"ustar\x0000", 8);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    write!(&mut block[148..155], "{sum:06o}\0").expect("room");
    block.extend(bytes);
    block.resize(block.len().next_multiple_of(512) + 1024, 0);
    block
}

fuzz_target!(|data: &[u8]| {
    let [form, cut, at, change, kind, length, data @ ..] = data else { return };
    let limits = Limits { unpacked_bytes: 1 << 20, entries: 64, held_bytes: 1 << 20, ..Limits::default() };
    let (name, bytes) = data.split_at(usize::from(*length).min(data.len()).min(100));
    let (mut file, title) = match form % 3 {
        0 => (zip(name, bytes), "a.zip"),
        1 => (tar(name, *kind, bytes.get(..bytes.len().min(100)).unwrap_or_default(), if b"12".contains(kind) { &[] } else { bytes }), "a.tar"),
        _ => (data.to_vec(), ["a.zip", "a.tar", "a.gz", "a.pdf", "a.docx"][usize::from(*kind) % 5]),
    };
    let title = FileName::parse(title).expect("a name");
    // Records that speak of the next member have a name that is nobody's.
    let member = form % 3 == 0 || (form % 3 == 1 && !b"xgLK".contains(kind));
    if member && *change == 0 && inspect(Cursor::new(&file), &title, None, &limits).is_ok() {
        let name = String::from_utf8_lossy(name);
        let name = name.split('\0').next().unwrap_or_default();
        assert!(!name.starts_with('/') && !name.contains('\\') && name.split('/').all(|part| part != ".."), "{name:?}");
    }
    if let Some(byte) = file.get_mut(usize::from(*at)) {
        *byte ^= change;
    }
    file.truncate(file.len() - usize::from(*cut).min(file.len()));
    if let Ok(seen) = inspect(Cursor::new(&file), &title, None, &limits) {
        assert!(seen.entries <= limits.entries);
    }
});
