//! PDF: its text by fonts and operators, strings, embedded files; what is encrypted or hidden.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use made::{CARD, finds, look, ooxml, refusal, zip, zlib};

/// A PDF of these objects; tables are not read, so it has none.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    for (place, object) in objects.iter().enumerate() {
        out.extend(format!("{} 0 obj\n", place + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    out.extend(b"trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n");
    out
}

fn stream(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    [format!("<< {dictionary} /Length {} >>\nstream\n", bytes.len()).as_bytes(), bytes, b"\nendstream"].concat()
}

fn packed(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    stream(&format!("{dictionary} /Filter /FlateDecode"), &zlib(bytes))
}

fn plain_font() -> Vec<Vec<u8>> {
    vec![
        b"<< /Type /Page /Resources << /Font << /F1 2 0 R >> >> /Contents 3 0 R >>".to_vec(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ]
}

fn page(contents: Vec<u8>) -> Vec<u8> {
    let mut objects = plain_font();
    objects.push(contents);
    pdf(&objects)
}

#[test]
fn text_is_read_however_it_is_put() {
    let digits: String =
        CARD.chars().filter(char::is_ascii_digit).map(|digit| format!("({digit}) Tj 7 0 Td ")).collect();
    let turned: String = CARD
        .chars()
        .filter(char::is_ascii_digit)
        .enumerate()
        .map(|(place, digit)| format!("1 0 0 1 {place} 700 Tm ({digit}) Tj "))
        .collect();
    for (what, contents) in [
        ("one string", format!("BT /F1 12 Tf 72 700 Td ({CARD}) Tj ET")),
        ("octal", "BT /F1 12 Tf (\\064111 1111 1111 1\\\n111) Tj ET".to_owned()),
        ("hexadecimal", "BT /F1 12 Tf <34313131 20 31313131 20 31313131 20 31313131> Tj ET".to_owned()),
        ("with kerning", "BT /F1 12 Tf [(41) 20 (11) -300 (1111) -300 (1111) -300 (11) -5 (11)] TJ ET".to_owned()),
        ("digit by digit", format!("BT /F1 12 Tf 72 700 Td {digits}ET")),
        ("digit by digit with matrices", format!("BT /F1 12 Tf {turned}ET")),
        ("behind a picture", format!("BI /W 1 /H 1 ID (\u{1}\u{2}((( EI BT /F1 12 Tf ({CARD}) Tj ET")),
        ("with quotes", format!("BT /F1 12 Tf 14 TL (x) ' ({CARD}) ' ET")),
    ] {
        assert!(finds("a.pdf", &page(stream("", contents.as_bytes()))), "{what}");
        assert!(finds("a.pdf", &page(packed("", contents.as_bytes()))), "{what}, packed");
        let seen = look("a.pdf", &page(packed("", contents.as_bytes()))).unwrap();
        assert!(seen.unread.is_empty(), "{what}");
    }
    assert!(!finds("a.pdf", &page(packed("", b"BT /F1 12 Tf (4111 1111) Tj 0 -14 Td (1111 1111) Tj ET"))));
}

#[test]
fn fonts_with_maps_are_read_by_them() {
    let map = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange\n\
        1 beginbfrange <0010> <0019> <0030> endbfrange 1 beginbfchar <0001> <0020> endbfchar endcmap";
    let codes: String = CARD
        .chars()
        .map(|digit| digit.to_digit(10).map_or("0001".to_owned(), |digit| format!("{:04x}", digit + 16)))
        .collect();
    let contents = format!("BT /F1 12 Tf <{codes}> Tj ET");
    let of = |map: Vec<u8>| {
        pdf(&[
            b"<< /Type /Page /Resources << /Font 5 0 R >> >>".to_vec(),
            b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 3 0 R >>".to_vec(),
            map,
            packed("", contents.as_bytes()),
            b"<< /F1 2 0 R >>".to_vec(),
        ])
    };
    assert!(finds("a.pdf", &of(packed("", map))));
    assert!(look("a.pdf", &of(packed("", map))).unwrap().unread.is_empty());
    // Without the map the glyphs mean nothing, and that is said.
    let without = look("a.pdf", &of(b"null".to_vec())).unwrap();
    assert_eq!((without.found.len(), without.unread.as_slice()), (0, &["application/pdf"][..]));
    // Names of glyphs.
    let named = pdf(&[
        b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /X /Encoding << /Differences [1 /four /one /space] >> >> >> >>".to_vec(),
        stream("", b"BT /F1 9 Tf <01020202 03 02020202 03 02020202 03 02020202> Tj ET"),
    ]);
    assert!(finds("a.pdf", &named));
}

#[test]
fn strings_streams_and_embedded_files_are_looked_at() {
    let note = format!("<< /Type /Annot /Contents ({CARD}) >>").into_bytes();
    let wide: String = std::iter::once(0xfeff).chain(CARD.encode_utf16()).map(|unit| format!("{unit:04x}")).collect();
    let inner = format!("5 0 << /Title ({CARD}) >>");
    let script = format!("app.alert('{CARD}')");
    let attached =
        ooxml("wordprocessingml.document", &[("word/document.xml", format!("<w:p>{CARD}</w:p>").as_bytes())]);
    for (what, object) in [
        ("a note", note),
        ("a title in UTF-16", format!("<< /Title <{wide}> >>").into_bytes()),
        ("objects in a stream", packed("/Type /ObjStm /N 1 /First 4", inner.as_bytes())),
        ("a script", packed("", script.as_bytes())),
        ("an embedded text", packed("/Type /EmbeddedFile", CARD.as_bytes())),
        ("an embedded document", packed("/Type /EmbeddedFile", &attached)),
        (
            "hexadecimal and packed",
            stream(
                "/Filter [/ASCIIHexDecode /FlateDecode]",
                zlib(script.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>().as_bytes(),
            ),
        ),
        (
            "no length",
            [b"<< /Length 99 0 R /Filter /FlateDecode >> stream\n", zlib(script.as_bytes()).as_slice(), b"\nendstream"]
                .concat(),
        ),
    ] {
        assert!(finds("a.pdf", &pdf(&[object])), "{what}");
    }
    let seen = look("a.pdf", &pdf(&[packed("/Type /EmbeddedFile", &attached)])).unwrap();
    assert_eq!(seen.nested, ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"]);
    // What is attached need not say so: its leads do.
    for lead in ["<< /Type /Filespec /EF << /F 2 0 R >> >>", "<< /Type /Filespec /EF 3 0 R >>"] {
        for label in ["", "/Subtype /Image"] {
            let objects = [lead.as_bytes().to_vec(), packed(label, &attached), b"<< /UF 2 0 R >>".to_vec()];
            let seen = look("a.pdf", &pdf(&objects)).unwrap();
            assert_eq!((seen.found.len(), seen.nested.len()), (1, 1), "{lead} {label}");
        }
    }
    let bad = zip(&[("../a.txt", b"x")]);
    assert_eq!(refusal("a.pdf", &pdf(&[packed("/Type /EmbeddedFile", &bad)])), "escapes");
}

/// A number that only those find who read contents as such.
const SHOWN: &str = "BT /F1 12 Tf [(4111 11) 20 (11 1111) -5 ( 1111)] TJ ET";

#[test]
fn labels_do_not_hide_what_is_shown() {
    let labels = ["/Subtype /Image", "/Type /XRef", "/Length1 1", "/Subtype /OpenType", "/Type /Metadata", "/N 3"];
    let leads = [
        "<< /Type /Page /Resources << /Font << /F1 2 0 R >> >> /Contents 3 0 R >>",
        "<< /Type /Page /Resources << /Font << /F1 2 0 R >> >> /Contents [7 0 R 3 0 R] >>",
        "<< /Type /Page /Resources << /Font << /F1 2 0 R >> >> /Contents 4 0 R >>",
        "<< /Type /Annot /Resources << /Font << /F1 2 0 R >> >> /AP << /N << /On 3 0 R >> >> >>",
        "<< /Type /Annot /Resources << /Font << /F1 2 0 R >> >> /AP 4 0 R >>",
        "<< /Type /Font /Resources << /Font << /F1 2 0 R >> >> /CharProcs << /a 3 0 R >> >>",
        "<< /Type /Page /Resources << /Font << /F1 2 0 R >> /Pattern << /P 3 0 R >> >> >>",
    ];
    for label in labels {
        for lead in leads {
            let [_, font] = plain_font().try_into().unwrap();
            let objects = [lead.as_bytes().to_vec(), font, packed(label, SHOWN.as_bytes()), b"[3 0 R]".to_vec()];
            assert!(finds("a.pdf", &pdf(&objects)), "{label} led to by {lead}");
        }
        let form = page(packed(&format!("{label} /Length2 1"), SHOWN.as_bytes()));
        assert!(finds("a.pdf", &form), "{label} of a page");
    }
    assert!(finds(
        "a.pdf",
        &pdf(&[plain_font(), vec![packed("/Subtype /Form /Length1 1", SHOWN.as_bytes())]].concat())
    ));
    // Other kinds of streams cannot be contents too, and pictures cannot be read as such.
    for label in ["/Type /ObjStm /N 0", "/Type /EmbeddedFile", "/Filter /DCTDecode"] {
        let seen = look("a.pdf", &page(stream(label, SHOWN.as_bytes()))).unwrap();
        assert_eq!(seen.unread, ["application/pdf"], "{label}");
    }
    // What is a picture or a font by all that leads to it is not read as text, but texts among its bytes are.
    let picture = |label: &str, bytes: &[u8]| {
        let page = b"<< /Type /Page /Resources << /XObject << /X 2 0 R >> >> >>".to_vec();
        pdf(&[page, stream(label, bytes)])
    };
    for label in [
        "/Subtype /Image",
        "/Subtype /Image /Filter /DCTDecode",
        "/Subtype /Image /Filter /CCITTFaxDecode",
        "/Length1 9",
    ] {
        let seen = look("a.pdf", &picture(label, b"\xff\xd8 ((( \x01 Tj")).unwrap();
        assert!(seen.unread.is_empty(), "{label}");
        assert!(finds("a.pdf", &picture(label, format!("\x01\x02{CARD}\x03").as_bytes())), "{label}");
    }
}

#[test]
fn filters_are_seen_however_they_are_named() {
    for label in [
        "/F /FlateDecode",
        "/F [/FlateDecode]",
        "/F /Fl /DP << /Predictor 1 >>",
        "/Filter /FlateDecode /DecodeParms [null]",
    ] {
        assert!(finds("a.pdf", &page(stream(label, &zlib(SHOWN.as_bytes())))), "{label}");
        assert!(look("a.pdf", &page(stream(label, &zlib(SHOWN.as_bytes())))).unwrap().unread.is_empty(), "{label}");
    }
    for label in [
        "/Filter /FlateDecode /DecodeParms 7 0 R",
        "/Filter /FlateDecode /DecodeParms << /Predictor 9 0 R >>",
        "/Filter /FlateDecode /DP << /Predictor 12 >>",
        "/Filter /FlateDecode /DecodeParms << /Predictor 1 /Predictor 12 >>",
        "/Filter /DCTDecode /Filter /FlateDecode",
        "/Filter /FlateDecode /F /ASCIIHexDecode",
        "/Filter 9 0 R",
        "/F (elsewhere)",
        "/Subtype /Image /Subtype /Form",
        "/Type /XRef /Type /XObject",
        "/Length 1",
    ] {
        let seen = look("a.pdf", &page(stream(label, &zlib(SHOWN.as_bytes())))).unwrap();
        assert_eq!(seen.unread, ["application/pdf"], "{label}");
    }
}

#[test]
fn what_readers_may_pass_over_or_not_is_said() {
    let long = format!("BT /F1 9 Tf ({}{CARD}) Tj ET", " ".repeat(300 << 10));
    for (what, contents) in
        [("no picture", format!("ID x {SHOWN}")), ("none behind one", format!("BI /W 1 /H 1 ID \u{1} EI ID x {SHOWN}"))]
    {
        assert!(finds("a.pdf", &page(packed("", contents.as_bytes()))), "{what}");
    }
    // Digits of 85 are no operators, whatever they look like.
    let digits = "BI /W 9 /H 9 /F [/A85 /Fl] ID Gar(a)' 9Tj (!!)\" xTJ ~> EI Q";
    assert!(look("a.pdf", &page(packed("", digits.as_bytes()))).unwrap().unread.is_empty());
    for (what, contents) in [
        ("a text behind its digits", format!("BI /W 9 /H 9 /F [/A85 /Fl] ID Gar~> {SHOWN} EI Q")),
        ("a picture without an end", format!("BI /W 1 /H 1 ID \u{1} {SHOWN}")),
        ("a text in a picture", format!("BI /W 1 /H 1 /F /AHx ID ff> {SHOWN} EI Q")),
        ("a text behind EI", format!("BI /W 1 /H 1 ID xEI {SHOWN} EI Q")),
        ("a quoted text in a picture", "BI /W 1 /H 1 ID x 14 TL (4111 11) ' EI Q".to_owned()),
        ("an operand before another operator", format!("BT ({CARD}) q Tj ET")),
        ("a long string", long),
    ] {
        assert_eq!(
            look("a.pdf", &page(packed("", contents.as_bytes()))).unwrap().unread,
            ["application/pdf"],
            "{what}"
        );
    }
    let double = "<< /Type /Font /Subtype /Type1 /BaseFont /X /ToUnicode 4 0 R /ToUnicode 5 0 R >>";
    let [page, _] = plain_font().try_into().unwrap();
    let objects = [page, double.as_bytes().to_vec(), packed("", SHOWN.as_bytes())];
    assert_eq!(look("a.pdf", &pdf(&objects)).unwrap().unread, ["application/pdf"]);
}

#[test]
fn a_map_that_lies_hides_nothing() {
    let map = b"begincmap 1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfrange <30> <39> <0041> endbfrange endcmap";
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>".to_vec();
    let [page, _] = plain_font().try_into().unwrap();
    for label in ["", "/Subtype /Image", "/Length1 1"] {
        let objects = [page.clone(), font.clone(), packed("", SHOWN.as_bytes()), packed(label, map)];
        assert!(finds("a.pdf", &pdf(&objects)), "{label}");
    }
}

#[test]
fn what_cannot_be_read_is_said_or_refused() {
    let encrypted = String::from_utf8_lossy(&pdf(&plain_font())).replace("/Root", "/Encrypt 9 0 R /Root").into_bytes();
    assert_eq!(refusal("a.pdf", &encrypted), "encrypted");
    assert_eq!(refusal("a.pdf", &pdf(&[packed("/Type /XRef /Encrypt 9 0 R", b"x")])), "encrypted");
    for object in [
        stream("/Filter /LZWDecode", b"xyz"),
        stream("/Filter /FlateDecode", b"xyz"),
        b"null % 7 0 obj << >> stream".to_vec(),
    ] {
        assert_eq!(look("a.pdf", &pdf(&[object])).unwrap().unread, ["application/pdf"]);
    }
    let whole = pdf(&plain_font());
    assert_eq!(refusal("a.pdf", &[whole.as_slice(), b"MZ more"].concat()), "trailing");
    assert_eq!(refusal("a.pdf", &[whole.as_slice(), &zip(&[("a.txt", b"x")])].concat()), "polyglot");
    assert_eq!(refusal("a.pdf", &whole[..whole.len() - 8]), "broken");
}

#[test]
fn a_bomb_in_a_stream_is_refused() {
    let zeros = zlib(&vec![b' '; 40 << 20]);
    let bomb = pdf(&[stream("/Filter /FlateDecode", &zeros)]);
    assert_eq!(refusal("a.pdf", &bomb), "bomb");
}
