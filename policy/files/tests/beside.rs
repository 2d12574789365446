//! What containers hold beside their members, second names, and texts that cannot be had.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use made::{CARD, Member, finds, gzip, look, ooxml, refusal, stored, tar_member, zip, zip_of};

/// A gzip file whose header has a name, a comment and a further field.
fn said(name: &[u8], comment: &[u8], extra: &[u8], contents: &[u8]) -> Vec<u8> {
    let mut out = b"\x1f\x8b\x08\x1c\0\0\0\0\0\x03".to_vec();
    out.extend((extra.len() as u16).to_le_bytes());
    out.extend([extra, name, b"\0", comment, b"\0"].concat());
    out.extend(&gzip(contents)[10..]);
    out
}

/// A further field of a zip.
fn further(kind: u16, field: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(field.len() as u16).to_le_bytes(), field].concat()
}

/// The header of a tar's member, changed and summed up anew.
fn header(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = tar_member("a.txt", b'0', "", b"x");
    change(&mut bytes);
    bytes[148..156].copy_from_slice(b"        ");
    let sum: u32 = bytes[..512].iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

#[test]
fn bytes_that_are_no_members_are_searched() {
    let card = CARD.as_bytes();
    let plain = stored("a.txt", b"x");
    let field = further(0x1234, card);
    for (what, name, bytes) in [
        ("a comment", "a.txt.gz", said(b"a.txt", card, b"", b"x")),
        ("a further field", "a.txt.gz", said(b"a.txt", b"", &field, b"x")),
        ("a name", "a.txt.gz", said(&[card, b".txt"].concat(), b"", b"", b"x")),
        ("a later part", "a.txt.gz", [gzip(b"x"), said(b"a.txt", card, b"", b"x")].concat()),
        ("a local field", "a.zip", zip_of(&[Member { further: [field.clone(), vec![]], ..plain.clone() }])),
        ("a field of the directory", "a.zip", zip_of(&[Member { further: [vec![], field.clone()], ..plain.clone() }])),
        (
            "a record",
            "a.tar",
            [tar_member("p", b'x', "", format!("31 comment={CARD}\n").as_bytes()), header(|_| ())].concat(),
        ),
        (
            "a record of all",
            "a.tar",
            [tar_member("p", b'g', "", format!("31 comment={CARD}\n").as_bytes()), header(|_| ())].concat(),
        ),
        (
            "behind a long name",
            "a.tar",
            [tar_member("p", b'L', "", format!("b.txt\0{CARD}").as_bytes()), header(|_| ())].concat(),
        ),
        ("a link of a file", "a.tar", header(|bytes| bytes[157..176].copy_from_slice(card))),
        ("an owner", "a.tar", header(|bytes| bytes[265..284].copy_from_slice(card))),
        ("behind a name", "a.tar", header(|bytes| bytes[20..39].copy_from_slice(card))),
        ("what fills a header", "a.tar", header(|bytes| bytes[480..499].copy_from_slice(card))),
        ("numbers", "a.tar", header(|bytes| bytes[100..116].copy_from_slice(b"4111111111111111"))),
    ] {
        assert!(finds(name, &bytes), "{what}");
    }
    for bytes in [said(b"a.txt", b"", b"", b"x"), header(|_| ())] {
        let name = if bytes[0] == 0x1f { "a.txt.gz" } else { "a.tar" };
        assert!(look(name, &bytes).unwrap().found.is_empty());
    }
    assert_eq!(refusal("a.tar", &header(|bytes| bytes[600] = b'x')), "trailing");
    let record = |fill: &[u8]| {
        let mut record = tar_member("p", b'x', "", b"12 comment=\n");
        record[512 + 12..512 + 12 + fill.len()].copy_from_slice(fill);
        [record, header(|_| ())].concat()
    };
    assert!(look("a.tar", &record(b"\0")).is_ok());
    assert_eq!(refusal("a.tar", &record(b"x")), "trailing");
}

#[test]
fn second_names_are_names() {
    for (name, word) in
        [(&b"../a.txt"[..], "escapes"), (b"/a", "escapes"), (b"a.png", "disagrees"), (b"a.pdf.exe", "double_extension")]
    {
        assert_eq!(refusal("a.txt.gz", &said(name, b"", b"", b"text")), word, "{name:?}");
        let path = further(0x7075, &[b"\x01\0\0\0\0", name].concat());
        for places in [[path.clone(), path.clone()], [vec![], path.clone()]] {
            let member = Member { further: places, ..stored("a.txt", b"text") };
            assert_eq!(refusal("a.zip", &zip_of(&[member])), word, "{name:?}");
        }
        let local = Member { further: [path, vec![]], ..stored("a.txt", b"text") };
        assert_eq!(refusal("a.zip", &zip_of(&[local])), "broken", "{name:?}");
    }
    assert_eq!(look("a.gz", &said(b"a.bat", b"", b"", b"text")).unwrap().nested, ["text/plain", "text/x-script"]);
    // Cargo writes the name of the whole.
    assert!(look("a-1.0.crate", &said(b"a-1.0.crate", b"", b"", &tar_member("a.rs", b'0', "", b"x"))).is_ok());
    let seen = look("report.gz", &said(b"a.docx", b"", b"", &ooxml("wordprocessingml.document", &[]))).unwrap();
    assert_eq!(seen.nested.len(), 1);
    let path = further(0x7075, b"\x01\0\0\0\0gr\xc3\xbcn.txt");
    let member = Member { further: [path.clone(), path.clone()], ..stored("gr_n.txt", b"text") };
    assert!(look("a.zip", &zip_of(std::slice::from_ref(&member))).is_ok());
    assert_eq!(refusal("a.zip", &zip_of(&[member.clone(), Member { name: b"x.txt".to_vec(), ..member }])), "broken");
    let twice = Member { further: [path.clone(), [path.clone(), path].concat()], ..stored("a.txt", b"text") };
    assert_eq!(refusal("a.zip", &zip_of(&[twice])), "broken");
}

#[test]
fn what_describes_a_member_is_held_to_it() {
    let member = Member { flags: 8, ..stored("a.txt", b"hello") };
    let sizes = [member.crc, 5, 5].map(u32::to_le_bytes).concat();
    let large = [&member.crc.to_le_bytes()[..], &5u64.to_le_bytes(), &5u64.to_le_bytes()].concat();
    for behind in [
        vec![],
        sizes.clone(),
        [b"PK\x07\x08", sizes.as_slice()].concat(),
        large.clone(),
        [b"PK\x07\x08", large.as_slice()].concat(),
    ] {
        assert!(look("a.zip", &zip_of(&[Member { behind: behind.clone(), ..member.clone() }])).is_ok(), "{behind:?}");
    }
    for behind in [&b"411111111111"[..], b"4111111111111111", b"41111111111111111111"] {
        assert_eq!(refusal("a.zip", &zip_of(&[Member { behind: behind.to_vec(), ..member.clone() }])), "broken");
    }
}

#[test]
fn texts_that_cannot_be_had_are_unread() {
    let rtf = "application/rtf";
    assert_eq!(look("a.rtf", b"{\\rtf1 \\'34\\'31\\'31\\'31 1111 1111 1111}").unwrap().unread, [rtf]);
    assert_eq!(look("a.rtf", b"{\\rtf1 4111 11{\\b0 }11 1111 1111}").unwrap().unread, [rtf]);
    assert_eq!(look("a.zip", &zip(&[("a.rtf", b"{\\rtf1 x}")])).unwrap().unread, [rtf]);
    assert_eq!(look("a.eps", b"%!PS-Adobe-3.0\n(4111) show").unwrap().unread, ["application/postscript"]);
    for (text, unread) in [
        ("<?xml version='1.0' encoding='UTF-8'?><x/>", false),
        ("<?xml version='1.0' encoding = \"iso-8859-1\" ?><x/>", false),
        ("<?xml version='1.0'?><x encoding='utf-7'/>", false),
        ("<?xml version='1.0' encoding='UTF-7'?><x/>", true),
        ("<?xml version='1.0' encoding='ISO-2022-JP'?><x/>", true),
    ] {
        let part = ooxml("wordprocessingml.document", &[("word/document.xml", text.as_bytes())]);
        for (name, bytes) in [("a.xml", text.as_bytes()), ("a.docx", &part)] {
            assert_eq!(!look(name, bytes).unwrap().unread.is_empty(), unread, "{name}: {text}");
        }
    }
    let wide: Vec<u8> = "<?xml version='1.0'?><x/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let part = ooxml("wordprocessingml.document", &[("word/document.xml", &wide)]);
    assert_eq!(look("a.docx", &part).unwrap().unread, ["application/xml"]);
}
