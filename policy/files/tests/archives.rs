//! Archives and documents: what is in them, bombs, members that lie about themselves, names that leave.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use made::{
    CARD, Member, deflate, finds, gzip, look, look_within, member, odf, ooxml, png, refusal, stored, tar, tar_member,
    zip, zip_of,
};
use portcullis_files::{Limit, Limits, Refused};

#[test]
fn members_are_found_at_every_level() {
    let inner = zip(&[("b.txt", CARD.as_bytes())]);
    let deep = gzip(&tar(&[("x/a.txt", b"nothing"), ("x/inner.zip", &inner)]));
    assert!(finds("a.tar.gz", &deep));
    let seen = look("a.tar.gz", &deep).unwrap();
    assert_eq!(seen.nested, ["application/x-tar", "application/zip", "text/plain"]);
    assert_eq!(seen.entries, 4);
    assert!(seen.unread.is_empty());
    for (name, bytes) in [
        ("a.zip", inner),
        ("a.txt.gz", gzip(CARD.as_bytes())),
        ("a.gz", [gzip(b"4111 1111 "), gzip(b"1111 1111")].concat()),
        ("a.tar", tar(&[("4111111111111111.txt", b"")])),
        ("a.zip", zip(&[("4111111111111111/a.txt", b"")])),
        ("a.jar", zip(&[("META-INF/MANIFEST.MF", b"x"), ("a.properties", CARD.as_bytes())])),
    ] {
        assert!(finds(name, &bytes), "{name}");
    }
}

#[test]
fn texts_of_documents_are_read_across_runs() {
    let split = "<w:document xmlns:w='x'><w:p><w:r><w:t>4111 11</w:t></w:r><w:r><w:rPr a='9'/><w:t>11 1111 1111</w:t></w:r></w:p></w:document>";
    let shared = format!(
        "<?xml version='1.0'?><sst><si><r><t>{}</t></r><r><t>{}</t></r></si><si><t>2</t></si></sst>",
        &CARD[..7],
        &CARD[7..]
    );
    let entities = "<?xml version='1.0'?><a:p><a:t>&#x34;111 1111 1111 &#49;111</a:t></a:p>";
    let attribute =
        "<?xml version='1.0'?><Relationships><Relationship Target='mailto:4111 1111 1111 1111'/></Relationships>";
    for (name, bytes) in [
        ("a.docx", ooxml("wordprocessingml.document", &[("word/document.xml", split.as_bytes())])),
        ("a.docx", ooxml("wordprocessingml.document", &[("word/comments.xml", split.as_bytes())])),
        ("a.docx", ooxml("wordprocessingml.document", &[("word/_rels/document.xml.rels", attribute.as_bytes())])),
        ("a.xlsx", ooxml("spreadsheetml.sheet", &[("xl/sharedStrings.xml", shared.as_bytes())])),
        ("a.pptx", ooxml("presentationml.presentation", &[("ppt/slides/slide1.xml", entities.as_bytes())])),
        (
            "a.pptx",
            ooxml(
                "presentationml.presentation",
                &[(
                    "ppt/embeddings/a.xlsx",
                    &ooxml("spreadsheetml.sheet", &[("xl/sharedStrings.xml", shared.as_bytes())]),
                )],
            ),
        ),
        (
            "a.odt",
            odf(
                "application/vnd.oasis.opendocument.text",
                "<text:p>4111<text:s/>1111<text:s/><text:span>1111</text:span> 1111</text:p>",
            ),
        ),
    ] {
        assert!(finds(name, &bytes), "{name}");
    }
    // Cells and paragraphs stay apart, and entities do not expand.
    let apart = "<?xml version='1.0'?><sst><si><t>4111 1111</t></si><si><t>1111 1111</t></si></sst>";
    assert!(!finds("a.xlsx", &ooxml("spreadsheetml.sheet", &[("xl/sharedStrings.xml", apart.as_bytes())])));
    let laughs = "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><l>&b;</l>";
    let seen =
        look("a.docx", &ooxml("wordprocessingml.document", &[("word/document.xml", laughs.as_bytes())])).unwrap();
    assert!(seen.text_bytes < 2000, "{}", seen.text_bytes);
}

#[test]
fn tags_are_read_as_those_who_show_them_do() {
    let noughts = "<?xml version='1.0'?><t>&#0000000000000000000052;<r/>11&#x0000000000000031; 1111<r/> 1111 1111</t>";
    let instruction = "<?xml version='1.0'?><t>4111 11<?a >junk?>11 1111 1111</t>";
    let foreign = "<?xml version='1.0'?><t>4111 11<\u{e9}:a/>11 11<:b/>11 1111</t>";
    let bare = "<t>4111 11<r/>11 1111 1111</t>";
    let part = |name: &str, text: &str| ooxml("wordprocessingml.document", &[(name, text.as_bytes())]);
    for text in [noughts, instruction, foreign, bare] {
        for name in ["word/document.xml", "word/document.dat", "word/document.bat", "word/document"] {
            assert!(finds("a.docx", &part(name, text)), "{name}: {text}");
        }
    }
    for text in [
        "<!--><p>4111 11<b>11 1111</b> 1111",
        "<!---><p>4111 11<b>11 1111</b> 1111",
        "<!-- x --!><p>4111 11<b>11 1111</b> 1111",
        "<p a\"b>4111 11<b>11 1111</b> 1111",
        "<p a=b\"c>4111 11<b>11 1111</b> 1111",
        "<p =\">4111 11<b>11 1111</b> 1111",
        "</ a=\">4111 11<b>11 1111</b> 1111",
        "<? a=\">4111 11<b>11 1111</b> 1111",
        "<style>a{content:'<!--'}</style>4111 11<b>11 1111</b> 1111",
        "<textarea><a b=\"</textarea>4111 11<b>11 1111</b> 1111",
        "<script>'<!--'</SCRIPT x>4111 11<b>11 1111</b> 1111",
        "4&shy;1&zwnj;1&ZeroWidthSpace;1&hyphen;1111&#x0002d;1111&hyphen;1111",
        "a <&#52;111 1111 1111 1111",
    ] {
        let page = format!("<!doctype html><html><body>{text}");
        assert!(finds("a.html", page.as_bytes()), "{text}");
    }
    for text in [
        "<!-- 4111 11--><p>11 1111 1111</p>",
        "<p a='4111 11'>11 1111 1111</p>",
        "<p a = \"4111 11>\">11 1111 1111</p>",
        "<script>4111 11</script>11 1111 1111",
    ] {
        let page = format!("<!doctype html><html><body>{text}");
        assert!(!finds("a.html", page.as_bytes()), "{text}");
    }
}

#[test]
fn what_is_embedded_in_documents_is_named() {
    let macros = ooxml("wordprocessingml.document", &[("word/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")]);
    let seen = look("a.docx", &macros).unwrap();
    assert_eq!(seen.nested, ["application/x-ole-storage"]);
    // A drawing of Office, packed as Office packs it.
    let mut drawing = vec![1, 0, 0, 0];
    drawing.resize(40, 0);
    drawing.extend(b" EMF\0\0\x01\0");
    drawing.resize(108, 0);
    let pictures = [("word/media/image1.jpeg", png(&[])), ("word/media/image2.emz", gzip(&drawing))];
    let parts = pictures.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
    assert!(
        !look("a.docx", &ooxml("wordprocessingml.document", &parts))
            .unwrap()
            .nested
            .iter()
            .any(|kind| kind.contains("zip"))
    );
    for (part, bytes, found) in [
        ("word/a.bin", [&b"\x7fELF\x02\x01\x01"[..], &[0; 100]].concat(), "application/x-elf"),
        ("word/a.bin", zip(&[("a.txt", b"x")]), "application/zip"),
        ("word/a.xml", gzip(b"text"), "application/gzip"),
    ] {
        let seen = look("a.docx", &ooxml("wordprocessingml.document", &[(part, &bytes)])).unwrap();
        assert!(seen.nested.contains(&found), "{found}: {:?}", seen.nested);
    }
}

#[test]
fn a_document_has_the_part_that_makes_it_one() {
    let types = |says: &str| format!("<?xml version='1.0'?><Types>{says}</Types>");
    let main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
    let of = |says: &str, part: &str| {
        zip(&[("[Content_Types].xml", types(says).as_bytes()), (part, b"<?xml version='1.0'?><x/>")])
    };
    for says in [
        format!("<Override PartName='/word/Document.xml' ContentType='{main}'/>"),
        format!("<Override ContentType = \"{main}\" PartName = \"/word/document.xml\" />"),
        format!("<Default Extension='xml' ContentType='{main}'/>"),
        format!(
            "<Override PartName='/other.xml' ContentType='{main}'/><Override PartName='/word/document.xml' ContentType='{main}'/>"
        ),
    ] {
        assert!(look("a.docx", &of(&says, "word/document.xml")).is_ok(), "{says}");
        assert_eq!(refusal("a.docx", &of(&says, "word/tool")), "disagrees", "{says}");
    }
    assert_eq!(refusal("a.docx", &of(&format!("<!-- {main} -->"), "word/document.xml")), "disagrees");
}

#[test]
fn bombs_are_refused_by_what_they_are_over() {
    let which = |name: &str, bytes: &[u8], limits: &Limits| match look_within(name, bytes, limits) {
        Err(Refused::Bomb { which }) => which,
        other => panic!("{name}: {other:?}"),
    };
    let small = Limits { depth: 3, entries: 100, unpacked_bytes: 1 << 20, ..Limits::default() };
    let mut nested = zip(&[("a.txt", b"x")]);
    for _ in 0..5 {
        nested = zip(&[("a.zip", &nested)]);
    }
    assert_eq!(which("a.zip", &nested, &small), Limit::Depth);
    let mut packed = b"x".to_vec();
    for _ in 0..8 {
        packed = gzip(&packed);
    }
    assert_eq!(which("a.gz", &packed, &small), Limit::Depth);
    let many: Vec<Member> = (0..200).map(|place| stored(&format!("{place}.txt"), b"")).collect();
    assert_eq!(which("a.zip", &zip_of(&many), &small), Limit::Entries);
    let many: Vec<u8> = (0..200).flat_map(|place| tar_member(&format!("{place}.txt"), b'0', "", b"")).collect();
    assert_eq!(which("a.tar", &many, &small), Limit::Entries);
    let zeros = vec![b'0'; 2 << 20];
    assert_eq!(which("a.zip", &zip(&[("a.txt", &zeros)]), &small), Limit::UnpackedBytes);
    assert_eq!(which("a.txt.gz", &gzip(&zeros), &small), Limit::UnpackedBytes);
    let zeros = vec![b'0'; 40 << 20];
    let no_search = |name: &str, bytes: &[u8]| {
        let name = portcullis_files::FileName::parse(name).unwrap();
        portcullis_files::inspect(std::io::Cursor::new(bytes), &name, None, &Limits::default())
    };
    assert!(matches!(no_search("a.zip", &zip(&[("a.txt", &zeros)])), Err(Refused::Bomb { which: Limit::Ratio })));
    assert!(matches!(no_search("a.txt.gz", &gzip(&zeros)), Err(Refused::Bomb { which: Limit::Ratio })));
    // A member that says it is small unpacks to what it unpacks to.
    let liar = Member { size: 10, ..member("a.txt", &zeros) };
    assert!(matches!(no_search("a.zip", &zip_of(&[liar])), Err(Refused::Bomb { which: Limit::Ratio })));
}

#[test]
fn members_that_share_bytes_are_refused() {
    // Several entries of the directory for one member.
    let one = stored("a.txt", b"hello");
    let again = Member { header: Some(0), ..one.clone() };
    assert_eq!(refusal("a.zip", &zip_of(&[one.clone(), Member { name: b"b.txt".to_vec(), ..again }])), "bomb");
    // A member whose packed bytes take in the next one's header and bytes.
    let mut quoted = zip_of(&[stored("b.txt", b"hello")]);
    quoted.truncate(30 + 5 + 5);
    let mut outer = stored("a.txt", &quoted);
    outer.packed = quoted.clone();
    let inner = Member { header: Some(30 + 5), ..stored("b.txt", b"hello") };
    assert_eq!(refusal("a.zip", &zip_of(&[outer, inner])), "bomb");
}

#[test]
fn members_that_lie_are_refused() {
    let good = stored("a.txt", b"hello");
    for (bad, word) in [
        (Member { local_name: Some(b"b.exe".to_vec()), ..good.clone() }, "broken"),
        (Member { local_size: Some(3), ..good.clone() }, "broken"),
        (Member { crc: 1, ..good.clone() }, "broken"),
        (Member { size: 4, ..good.clone() }, "broken"),
        (Member { flags: 1, ..good.clone() }, "encrypted"),
        (Member { method: 12, ..good.clone() }, "not_looked_into"),
        (Member { method: 99, ..good.clone() }, "not_looked_into"),
        (Member { packed: [deflate(b"hello"), b"more".to_vec()].concat(), method: 8, ..good.clone() }, "trailing"),
        (Member { packed: b"\xff\xff\xff".to_vec(), method: 8, ..good.clone() }, "broken"),
        (stored("a.png", b"hello"), "disagrees"),
        (stored("a.pdf.exe", b"hello"), "double_extension"),
    ] {
        assert_eq!(refusal("a.zip", &zip_of(&[bad])), word);
    }
    assert_eq!(refusal("a.zip", &zip_of(&[good.clone(), good])), "broken");
    assert_eq!(refusal("a.tar", &tar(&[("a.pdf", b"hello")])), "disagrees");
    assert_eq!(refusal("a.tar.gz", &gzip(&tar(&[("a.pdf.exe", b"hello")]))), "double_extension");
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    for name in [
        "../a.txt",
        "/etc/passwd",
        "a/../../b",
        "C:/x.txt",
        "C:x.txt",
        "..\\a.txt",
        "a\\b.txt",
        "a\nb.txt",
        "\u{202e}txt.exe",
    ] {
        assert_eq!(refusal("a.zip", &zip(&[(name, b"x")])), "escapes", "{name:?}");
        assert_eq!(refusal("a.tar", &tar(&[(name, b"x")])), "escapes", "{name:?}");
    }
    for (name, kind, target) in [
        ("a", b'2', "/etc/passwd"),
        ("a", b'2', "../x"),
        ("x/a", b'2', "../../x"),
        ("x/a", b'2', "y/../../../x"),
        ("a", b'1', "../x"),
        ("a", b'1', "/etc/passwd"),
        ("a", b'3', ""),
        ("a", b'6', ""),
    ] {
        assert_eq!(refusal("a.tar", &tar_member(name, kind, target, b"")), "escapes", "{name} -> {target}");
    }
    let through = [tar_member("x", b'2', "y", b""), tar_member("x/a.txt", b'0', "", b"x")].concat();
    assert_eq!(refusal("a.tar", &through), "escapes");
    let later = [tar_member("x/a.txt", b'0', "", b"x"), tar_member("x", b'2', "y", b"")].concat();
    assert_eq!(refusal("a.tar", &later), "escapes");
    let link = |target: &str| Member { mode: 0o120_777, ..stored("x/a", target.as_bytes()) };
    assert_eq!(refusal("a.zip", &zip_of(&[link("../../etc")])), "escapes");
    assert!(look("a.zip", &zip_of(&[link("../b")])).is_ok());
    let fine =
        [tar_member("x/", b'5', "", b""), tar_member("x/a", b'2', "../b", b""), tar_member("c", b'1', "x/b", b"")]
            .concat();
    assert!(look("a.tar", &fine).is_ok());
}

#[test]
fn tars_of_other_programs_are_read() {
    let pax = |records: &str| tar_member("PaxHeaders/a", b'x', "", records.as_bytes());
    let member = |name: &str| tar_member(name, b'0', "", b"x");
    let long = format!("{}/a.txt", "x".repeat(150));
    assert_eq!(
        look("a.tar", &[pax("17 path=fine.txt\n"), member("a.bin"), vec![0; 1024]].concat()).unwrap().nested,
        ["text/plain"]
    );
    assert_eq!(refusal("a.tar", &[pax("20 path=../evil.txt\n"), member("a.txt")].concat()), "escapes");
    assert_eq!(refusal("a.tar", &[pax("10 size=9\n"), member("a.txt")].concat()), "broken");
    assert_eq!(refusal("a.tar", &[pax("99 path=x\n"), member("a.txt")].concat()), "broken");
    assert_eq!(refusal("a.tar", &[pax("24 GNU.sparse.major=1.0\n"), member("a.txt")].concat()), "not_looked_into");
    assert!(look("a.tar", &[tar_member("././@LongLink", b'L', "", long.as_bytes()), member("a.bin")].concat()).is_ok());
    // GNU tar and Python's read what a folder is said to have as members.
    let hidden = tar_member("tool.exe", b'0', "", b"MZ");
    for (name, kind) in [("d/", b'5'), ("d", b'5'), ("d/", b'0'), ("d/", 0), ("d/", b'7')] {
        let folder = tar_member(name, kind, "", &hidden);
        assert_eq!(refusal("a.tar", &folder), "broken", "{name} of kind {kind}");
        assert_eq!(
            refusal("a.tar", &[pax("15 path=fine.x\n"), folder].concat()),
            "broken",
            "{name} of kind {kind}, renamed"
        );
        assert!(
            look("a.tar", &[tar_member(name, kind, "", b""), member("d/a.txt")].concat()).is_ok(),
            "{name} of kind {kind}"
        );
    }
    let mut bad = member("a.txt");
    bad.extend(member("b.txt"));
    bad[512 * 2 + 5] ^= 1;
    assert_eq!(refusal("a.tar", &bad), "broken");
    assert_eq!(refusal("a.tar", &member("a.txt")[..513]), "broken");
}

#[test]
fn archives_that_cannot_be_looked_into_are_refused_where_they_have_to_be() {
    for (name, bytes) in [
        ("a.7z", &b"7z\xbc\xaf\x27\x1c\0\x04"[..]),
        ("a.rar", b"Rar!\x1a\x07\x01\0"),
        ("a.xz", b"\xfd7zXZ\0\0\0"),
        ("a.tar.zst", b"\x28\xb5\x2f\xfd\0\0"),
        ("a.bz2", b"BZh91AY&SY\0\0"),
        ("a.deb", b"!<arch>\ndebian-binary"),
    ] {
        assert_eq!(refusal(name, bytes), "not_looked_into", "{name}");
        let closed = look_within(name, bytes, &Limits { look: false, ..Limits::default() }).unwrap();
        assert_eq!((closed.unread.len(), closed.entries), (1, 0), "{name}");
    }
    assert_eq!(refusal("a.zip", &zip(&[("a.rar", b"Rar!\x1a\x07\x01\0")])), "not_looked_into");
    let large =
        zip(&[("b.txt", &(0..100_000u32).flat_map(u32::to_le_bytes).map(|byte| byte % 64 + 32).collect::<Vec<u8>>())]);
    let outer = zip(&[("a.zip", &large)]);
    let tight = Limits { held_bytes: 1000, ..Limits::default() };
    assert_eq!(look_within("a.zip", &outer, &tight).unwrap_err().word(), "not_looked_into");
    assert!(look_within("a.zip", &large, &tight).is_ok());
}

#[test]
fn encrypted_office_documents_are_refused() {
    let mut ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    ole.resize(5000, 0);
    assert_eq!(look("a.doc", &ole).unwrap().unread, ["application/x-ole-storage"]);
    ole.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(refusal("a.doc", &ole), "encrypted");
}
