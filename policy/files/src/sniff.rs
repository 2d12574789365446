//! What a file is, by its first bytes: signatures, and the structure behind them where a signature is short.

use crate::bytes::{be32, find, le16, le32};
use crate::kind::{self, Kind};
use crate::{FileName, text};

/// Bytes of a file that its type is told by.
pub const HEAD: usize = 4096;

/// Signatures that say enough: where they stand, and what they are.
const SIGNATURES: [(usize, &[u8], &Kind); 57] = [
    (0, b"%PDF-", &kind::PDF),
    (0, b"PK\x03\x04", &kind::ZIP),
    (0, b"PK\x05\x06", &kind::ZIP),
    (0, b"\x89PNG\r\n\x1a\n", &kind::PNG),
    (0, b"\xff\xd8\xff", &kind::JPEG),
    (0, b"GIF87a", &kind::GIF),
    (0, b"GIF89a", &kind::GIF),
    (0, b"II*\0", &kind::TIFF),
    (0, b"MM\0*", &kind::TIFF),
    (0, b"8BPS", &kind::PSD),
    (0, b"\xff\x0a", &kind::JXL),
    (0, b"\0\0\0\x0cJXL ", &kind::JXL),
    (0, b"\0\0\0\x0cjP  ", &kind::JP2),
    (0, b"\xff\x4f\xff\x51", &kind::JP2),
    (0, b"\xd7\xcd\xc6\x9a", &kind::WMF),
    (0, b"AT&TFORM", &kind::DJVU),
    (0, b"OggS", &kind::OGG),
    (0, b"fLaC", &kind::FLAC),
    (0, b"ID3\x02", &kind::MP3),
    (0, b"ID3\x03", &kind::MP3),
    (0, b"ID3\x04", &kind::MP3),
    (0, b"MThd\0\0\0\x06", &kind::MIDI),
    (0, b"\x1f\x8b\x08", &kind::GZIP),
    (0, b"\xfd7zXZ\0", &kind::XZ),
    (0, b"LZIP\x01", &kind::LZMA),
    (0, b"\x28\xb5\x2f\xfd", &kind::ZSTD),
    (0, b"\x04\x22\x4d\x18", &kind::LZ4),
    (0, b"mozLz40\0", &kind::LZ4),
    (0, b"\x1f\x9d", &kind::COMPRESS),
    (0, b"7z\xbc\xaf\x27\x1c", &kind::SEVENZIP),
    (0, b"Rar!\x1a\x07", &kind::RAR),
    (0, b"MSCF\0\0\0\0", &kind::CAB),
    (0, b"!<arch>\n", &kind::AR),
    (0, b"!<thin>\n", &kind::AR),
    (0, b"\xed\xab\xee\xdb", &kind::RPM),
    (0, b"070701", &kind::CPIO),
    (0, b"070702", &kind::CPIO),
    (0, b"070707", &kind::CPIO),
    (0, b"\x7fELF", &kind::ELF),
    (0, b"\xfe\xed\xfa\xce", &kind::MACHO),
    (0, b"\xfe\xed\xfa\xcf", &kind::MACHO),
    (0, b"\xce\xfa\xed\xfe", &kind::MACHO),
    (0, b"\xcf\xfa\xed\xfe", &kind::MACHO),
    (0, b"\0asm", &kind::WASM),
    (0, b"dex\n03", &kind::DEX),
    (0, b"L\0\0\0\x01\x14\x02\0", &kind::SHORTCUT),
    (0, b"SQLite format 3\0", &kind::SQLITE),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", &kind::OLE),
    (0, b"{\\rtf", &kind::RTF),
    (0, b"%!PS", &kind::POSTSCRIPT),
    (0, b"true\0", &kind::TRUETYPE),
    (0, b"ttcf\0", &kind::TRUETYPE),
    (0, b"OTTO\0", &kind::OPENTYPE),
    (0, b"wOFF", &kind::WOFF),
    (0, b"wOF2", &kind::WOFF2),
    (40, b" EMF\0\0", &kind::EMF),
    (0, b"-----BEGIN ", &kind::PEM),
];

/// What a file is, by its first [`HEAD`] bytes (or all, of a shorter one). Its name only tells one kind of characters from another. Types that share an outer form (zip) have
/// that of the form here; [`inspect`](crate::inspect) tells them apart.
#[must_use]
pub fn sniff(first: &[u8], name: &FileName) -> &'static Kind {
    by_bytes(first, name.extension().as_deref())
}

pub(crate) fn by_bytes(first: &[u8], extension: Option<&str>) -> &'static Kind {
    let signature =
        SIGNATURES.iter().find(|(place, bytes, _)| first.get(*place..).is_some_and(|rest| rest.starts_with(bytes)));
    if let Some((_, _, kind)) = signature {
        return kind;
    }
    if let Some(kind) = by_structure(first) {
        return kind;
    }
    if text::is_characters(first) { characters(first, extension) } else { &kind::UNKNOWN }
}

/// Types whose signature is short, or says only what form the rest has.
fn by_structure(first: &[u8]) -> Option<&'static Kind> {
    let length = first.len();
    match first {
        [b'R', b'I', b'F', b'F', _, _, _, _, form @ ..] => Some(match form.first_chunk::<4>() {
            Some(b"WEBP") => &kind::WEBP,
            Some(b"WAVE") => &kind::WAV,
            Some(b"AVI ") => &kind::AVI,
            _ => return None,
        }),
        [0, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => Some(match brand.first_chunk::<4>() {
            Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"heim" | b"heis") => &kind::HEIF,
            Some(b"avif" | b"avis") => &kind::AVIF,
            _ => &kind::MP4,
        }),
        [0, _, _, _, b's', b't', b'y', b'p', ..]
        | [0, _, _, _, b'm', b'o', b'o', b'v' | b'f', ..]
        | [0, _, _, _, b's', b'i', b'd', b'x', ..] => Some(&kind::MP4),
        [0x1a, 0x45, 0xdf, 0xa3, rest @ ..] => {
            let webm = find(rest.get(..64).unwrap_or(rest), b"webm").is_some();
            Some(if webm { &kind::WEBM } else { &kind::MATROSKA })
        }
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(&kind::BZIP2),
        [0xca, 0xfe, 0xba, 0xbe, ..] => Some(if be32(first, 4)? < 40 { &kind::MACHO } else { &kind::JAVA_CLASS }),
        // So many tables, the first of which has a name.
        [0, 1, 0, 0, 0, 1..=64, _, _, _, _, _, _, table @ ..] => table
            .first_chunk::<4>()
            .is_some_and(|name| name.iter().all(|byte| matches!(byte, b' '..=b'~')))
            .then_some(&kind::TRUETYPE),
        [b'M', b'Z', ..] if length >= 64 && !text::is_characters(first) => Some(&kind::PE),
        [b'B', b'M', ..] => (le16(first, 6)? == 0 && matches!(le32(first, 14)?, 12 | 40 | 52 | 56 | 64 | 108 | 124))
            .then_some(&kind::BMP),
        [0, 0, 1 | 2, 0, count, 0, ..] if *count > 0 => {
            (first.get(9)? == &0 && le32(first, 18)? >= 22).then_some(&kind::ICO)
        }
        [0xff, second, third, ..]
            if second & 0xe6 == 0xe2 && third >> 4 != 15 && third >> 4 != 0 && third & 0x0c != 0x0c =>
        {
            Some(&kind::MP3)
        }
        [0x30, 0x82, high, low, 0x30, ..]
            if usize::from(u16::from_be_bytes([*high, *low])).saturating_add(4) >= length || length == HEAD =>
        {
            Some(&kind::DER)
        }
        _ => crate::archive::tar::is_header(first).then_some(&kind::TAR),
    }
}

/// Which kind of characters: by their beginning first, by the name where that says nothing.
fn characters(first: &[u8], extension: Option<&str>) -> &'static Kind {
    let start = text::plain_start(first);
    let start = start.trim_start();
    let lower: String = start.chars().take(2048).collect::<String>().to_ascii_lowercase();
    if (start.starts_with("#!/") || start.starts_with("#! /"))
        || extension.is_some_and(|extension| kind::SCRIPTS.contains(&extension))
    {
        return &kind::SCRIPT;
    }
    if start.starts_with("[Desktop Entry]") || start.starts_with("[InternetShortcut]") {
        return &kind::LAUNCHER;
    }
    let named = || {
        kind::BY_NAME.into_iter().find(|kind| extension.is_some_and(|extension| kind.extensions.contains(&extension)))
    };
    let svg = lower.contains("<svg") || lower.contains(":svg");
    if start.starts_with("<?xml") || lower.starts_with("<!doctype svg") || lower.starts_with("<svg") {
        return match extension {
            Some("html" | "htm" | "xhtml" | "xht") => &kind::HTML,
            _ if lower.contains("<html") || lower.contains("<!doctype html") => &kind::HTML,
            Some("xml") => &kind::XML,
            _ if svg => &kind::SVG,
            _ => &kind::XML,
        };
    }
    if ["<!doctype html", "<html", "<head>", "<body"].iter().any(|tag| lower.starts_with(tag)) {
        return if extension.is_none_or(|extension| kind::HTML.extensions.contains(&extension) || is_known(extension)) {
            &kind::HTML
        } else {
            &kind::TEXT
        };
    }
    if start.starts_with('<') && extension == Some("svg") && svg {
        return &kind::SVG;
    }
    named().unwrap_or(&kind::TEXT)
}

fn is_known(extension: &str) -> bool {
    kind::KINDS.iter().any(|kind| kind.extensions.contains(&extension))
}
