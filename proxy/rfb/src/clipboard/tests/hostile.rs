//! Every oddity of lengths, flags, zlib streams and texts.

use super::*;
use crate::limits::{MAX_CLIPBOARD_TEXT, MAX_CUT_TEXT, MAX_CUT_TEXT_SKIPPED};

#[test]
fn impossible_lengths() {
    for length in [i32::MIN, i32::MIN + 1, i32::MAX, -(MAX_CUT_TEXT_SKIPPED as i32) - 1] {
        let (field, reason) = refused(&message(length, &[]), &terms());
        assert_eq!((field.as_str(), reason), ("length", format!("{length} is over 16777216")));
    }
    for length in [-1, -2, -3] {
        let (field, reason) = refused(&message(length, &[0; 3]), &terms());
        assert_eq!((field.as_str(), reason), ("length", format!("{length} has no room for the flags")));
    }
}

#[test]
fn what_was_not_agreed() {
    let nothing = Terms { agreed: Agreed::Nothing, ..terms() };
    let (field, reason) = refused(&extended(NOTIFY | TEXT, &[]), &nothing);
    assert_eq!(
        (field.as_str(), reason.as_str()),
        ("length", "-4 is an extended clipboard message, which was not offered")
    );
    let caps = Terms { agreed: Agreed::Caps, ..terms() };
    for flags in [REQUEST | TEXT, NOTIFY | TEXT, PROVIDE | TEXT, 1 << 26] {
        let (field, reason) = refused(&extended(flags, &[]), &caps);
        assert_eq!(field, "flags");
        assert!(reason.ends_with("comes before its sender has said what it can do"), "{reason}");
    }
    assert!(matches!(hear(&extended(CAPS, &[]), &caps), Heard::Message(Message::Caps(_))));
}

#[test]
fn flags_name_exactly_one_action() {
    for flags in [0, TEXT, NOTIFY | PROVIDE | TEXT, REQUEST | NOTIFY, 1 << 29, 1 << 30, 1 << 31, NOTIFY | 1 << 31] {
        let (field, reason) = refused(&extended(flags, &[]), &terms());
        assert_eq!(
            (field.as_str(), reason),
            ("flags", format!("{flags:#010x} is not exactly one action that there is"))
        );
    }
    for bit in 16..24 {
        for action in [CAPS, NOTIFY, PROVIDE] {
            let (field, reason) = refused(&extended(action | 1 << bit, &[]), &terms());
            assert_eq!(field, "flags");
            assert!(reason.ends_with("has bits without a meaning"), "{reason}");
        }
    }
}

#[test]
fn lengths_agree_with_flags() {
    for flags in [REQUEST | TEXT, 1 << 26, NOTIFY | TEXT] {
        for extra in [1, 3, 4, 4096] {
            let (field, reason) = refused(&extended(flags, &vec![0; extra]), &terms());
            assert_eq!(field, "length");
            assert!(reason.ends_with("and is 4 long"), "{reason}");
        }
    }
    let sizes = |flags: u32| flags.count_ones() as usize * 4;
    for formats in [0, TEXT, 0b11111, 0xffff] {
        assert!(parse(&extended(CAPS | formats, &vec![0; sizes(formats)]), 1, &terms()).is_ok());
        for wrong in [sizes(formats) + 1, sizes(formats) + 4, sizes(formats).wrapping_sub(1)] {
            if wrong < 128 {
                assert_eq!(refused(&extended(CAPS | formats, &vec![0; wrong]), &terms()).0, "length");
            }
        }
    }
}

#[test]
fn caps_are_kept_as_far_as_they_are_spoken() {
    // TigerVNC's and noVNC's, with 20 MiB in the place of 0; then everything, of which text is the first size.
    let wanted = Caps { request: true, peek: true, notify: true, provide: true, text: Some(20 << 20) };
    let size = (20_u32 << 20).to_be_bytes();
    assert_eq!(hear(&extended(0x1f00_0001, &size), &terms()), Heard::Message(Message::Caps(wanted)));
    let all = [&size[..], &[0xff; 60]].concat();
    assert_eq!(hear(&extended(0xff00_ffff, &all), &terms()), Heard::Message(Message::Caps(wanted)));
    let Heard::Message(Message::Caps(html)) = hear(&extended(CAPS | 0b100, &[0; 4]), &terms()) else { panic!() };
    assert!(!html.takes_text() && !html.gives_text());
}

#[test]
fn a_text_that_nobody_asked_for_is_read_past_and_never_inflated() {
    let unasked = Terms { asked: false, ..terms() };
    let bytes =
        [provide(&format(b"pushed\0")), extended(PROVIDE | TEXT, &[0xff; 300]), extended(NOTIFY | TEXT, &[])].concat();
    let (heard, held) = parse(&bytes, 5, &unasked).unwrap();
    assert_eq!(heard, [Heard::Unasked, Heard::Unasked, Heard::Message(Message::Notify { text: true })]);
    assert_eq!(held, 0);
    let (heard, held) = parse(&extended(PROVIDE | TEXT, &vec![0; 1 << 20]), 4096, &unasked).unwrap();
    assert_eq!((heard, held), (vec![Heard::Unasked], 0));
}

#[test]
fn formats_beside_text_are_never_read() {
    let text = format("é\0".as_bytes());
    for bit in 1..16 {
        assert_eq!(hear(&extended(PROVIDE | 1 << bit, &zlib(&text, FlushCompress::Finish)), &terms()), Heard::NoText);
        for action in [NOTIFY, REQUEST] {
            let heard = hear(&extended(action | 1 << bit, &[]), &terms());
            let (notify, request) = (Message::Notify { text: false }, Message::Request { text: false });
            assert_eq!(heard, Heard::Message(if action == NOTIFY { notify } else { request }));
        }
        let both = [text.clone(), format(b"<b>hidden</b>")].concat();
        let heard = hear(&extended(PROVIDE | TEXT | 1 << bit, &zlib(&both, FlushCompress::Finish)), &terms());
        assert_eq!(heard, provided("é"));
    }
}

#[test]
fn a_stream_may_end_in_any_way_once_the_text_is_there() {
    let plain = format("漢字 😀\r\nline\0".as_bytes());
    for flush in [FlushCompress::Sync, FlushCompress::Full, FlushCompress::Partial, FlushCompress::Finish] {
        let packed = zlib(&plain, flush);
        assert_eq!(hear(&extended(PROVIDE | TEXT, &packed), &terms()), provided("漢字 😀\nline"), "{flush:?}");
        let slack = [packed, b"hidden behind the stream".to_vec()].concat();
        assert_eq!(hear(&extended(PROVIDE | TEXT, &slack), &terms()), provided("漢字 😀\nline"), "{flush:?}");
    }
}

#[test]
fn one_form_whatever_line_ends_and_nul() {
    for (sent, text) in [
        (&b"a\r\nb\0"[..], "a\nb"),
        (b"a\nb\0", "a\nb"),
        (b"a\rb\0", "a\nb"),
        (b"\r\r\n\n\r\0", "\n\n\n\n"),
        (b"no nul", "no nul"),
        (b"cut\0hidden\0", "cut"),
        (b"\0", ""),
        (b"", ""),
        (b"cut\0\xff\xfe not UTF-8 and not looked at", "cut"),
    ] {
        assert_eq!(hear(&provide(&format(sent)), &terms()), provided(text), "{}", sent.escape_ascii());
    }
    let classic = message(13, b"caf\xe9\r\na\rb\0hid");
    assert_eq!(hear(&classic, &terms()), Heard::Message(Message::Text("café\na\nb".into())));
    // Other control characters, and those that turn the direction of writing, are text.
    let odd = "\u{202e}\u{200b}\u{1b}[31m";
    assert_eq!(hear(&provide(&format(odd.as_bytes())), &terms()), provided(odd));
}

#[test]
fn what_is_no_text_is_told_and_the_stream_stays_in_step() {
    let size = |size: u32| zlib(&size.to_be_bytes(), FlushCompress::Sync);
    let whole = zlib(&format(&[b'x'; 1000]), FlushCompress::Finish);
    let cases = [
        (Unreadable::Utf8, zlib(&format(b"caf\xe9\0"), FlushCompress::Sync)),
        (Unreadable::Utf8, zlib(&format(b"overlong \xc0\x80\0"), FlushCompress::Sync)),
        (Unreadable::Utf8, zlib(&format(b"overlong slash \xe0\x80\xaf\0"), FlushCompress::Sync)),
        (Unreadable::Utf8, zlib(&format(b"surrogates \xed\xa0\xbd\xed\xb8\x80\0"), FlushCompress::Sync)),
        (Unreadable::Utf8, zlib(&format(b"cut \xf0\x9f\x98\0"), FlushCompress::Sync)),
        (Unreadable::Truncated, Vec::new()),
        (Unreadable::Truncated, vec![0x78]),
        (Unreadable::Truncated, whole[..whole.len() / 2].to_vec()),
        (Unreadable::Truncated, size(5)),
        (Unreadable::Truncated, zlib(&[0, 0], FlushCompress::Finish)),
        (Unreadable::Truncated, zlib(&[&[0, 0, 0, 9][..], b"short"].concat(), FlushCompress::Finish)),
        (Unreadable::Zlib, vec![0xff; 64]),
        // A preset dictionary (RFC 1950 §2.2), which was never agreed.
        (Unreadable::Zlib, vec![0x78, 0xbb, 0, 0, 0, 0, 0, 0]),
        // A block of the type that there is not (RFC 1951 §3.2.3).
        (Unreadable::Zlib, vec![0x78, 0x9c, 0x07, 0, 0, 0, 0, 0]),
    ];
    for (why, body) in cases {
        let bytes = [extended(PROVIDE | TEXT, &body), extended(NOTIFY | TEXT, &[])].concat();
        let wanted = vec![Heard::Unreadable(why), Heard::Message(Message::Notify { text: true })];
        for chunk in [1, 7, bytes.len()] {
            assert_eq!(parse(&bytes, chunk, &terms()).unwrap().0, wanted, "{}", body.escape_ascii());
        }
    }
}

#[test]
fn a_zip_bomb_is_cut_short() {
    // 64 MiB in 64 KiB, and it says so; or it says that it is small, and goes on; or it claims 4 GiB.
    let plain = [&(64_u32 << 20).to_be_bytes()[..], &vec![b'a'; 64 << 20]].concat();
    let bomb = zlib(&plain, FlushCompress::Sync);
    assert!(bomb.len() < 70_000, "{}", bomb.len());
    let bytes = [extended(PROVIDE | TEXT, &bomb), extended(NOTIFY | TEXT, &[])].concat();
    let (heard, held) = parse(&bytes, 16 * 1024, &terms()).unwrap();
    let after = Heard::Message(Message::Notify { text: true });
    assert_eq!(heard, [Heard::TooLong { bytes: 64 << 20, provided: true }, after]);
    assert_eq!(held, 0, "of what is over the limit by its own word nothing is kept");

    let most = u64::from(MAX_CLIPBOARD_TEXT) * 2 + 1;
    let sly = zlib(&[&(most as u32).to_be_bytes()[..], &vec![b'a'; 64 << 20]].concat(), FlushCompress::Sync);
    let (heard, held) = parse(&extended(PROVIDE | TEXT, &sly), 16 * 1024, &terms()).unwrap();
    assert_eq!(heard, [Heard::TooLong { bytes: most as u32, provided: true }]);
    assert!(held <= MAX_CLIPBOARD_TEXT as usize, "{held}");

    let claim = zlib(&[&u32::MAX.to_be_bytes()[..], b"little"].concat(), FlushCompress::Sync);
    let (heard, held) = parse(&extended(PROVIDE | TEXT, &claim), 1, &terms()).unwrap();
    assert_eq!((heard, held), (vec![Heard::TooLong { bytes: u32::MAX, provided: true }], 0));

    let small = zlib(&[&format(b"small\0")[..], &vec![b'a'; 64 << 20]].concat(), FlushCompress::Sync);
    let (heard, held) = parse(&extended(PROVIDE | TEXT, &small), 16 * 1024, &terms()).unwrap();
    assert_eq!(heard, [provided("small")]);
    assert!(held < 64, "{held}");
}

#[test]
fn the_limit_is_of_the_text_in_its_one_form() {
    let most = MAX_CLIPBOARD_TEXT as usize;
    for (sent, kept) in [
        (["a".repeat(most), "\0".into()].concat(), true),
        (["a".repeat(most + 1), "\0".into()].concat(), false),
        (["\r\n".repeat(most), "\0".into()].concat(), true),
        (["\r\n".repeat(most), "a\0".into()].concat(), false),
        (["😀".repeat(most / 4), "\0".into()].concat(), true),
        (["😀".repeat(most / 4), "é\0".into()].concat(), false),
    ] {
        let (heard, held) = parse(&provide(&format(sent.as_bytes())), 4000, &terms()).unwrap();
        let bytes = sent.len() as u32;
        match &heard[..] {
            [Heard::Message(Message::Provide(text))] if kept => assert_eq!(text.as_str(), Text::new(&sent).as_str()),
            [other] => assert_eq!((other, kept), (&Heard::TooLong { bytes, provided: true }, false)),
            _ => panic!("{} messages", heard.len()),
        }
        assert!(held <= most, "{held}");
    }
    // A classic text takes up to twice its bytes as UTF-8.
    let limits = Limits { clipboard_text: 4, ..Limits::default() };
    let small = Terms { limits, ..terms() };
    assert_eq!(hear(&message(2, b"\xe9\xe9"), &small), Heard::Message(Message::Text("éé".into())));
    assert_eq!(hear(&message(3, b"\xe9\xe9\xe9"), &small), Heard::TooLong { bytes: 3, provided: false });
    let over = vec![b'a'; MAX_CUT_TEXT as usize + 1];
    let (heard, held) = parse(&message(over.len() as i32, &over), 4096, &terms()).unwrap();
    assert_eq!((heard, held), (vec![Heard::TooLong { bytes: MAX_CUT_TEXT + 1, provided: false }], 0));
}

#[test]
fn nothing_shows_a_text() {
    let text = Text::new("correct horse battery staple");
    let heard = hear(&provide(&format(text.as_str().as_bytes())), &terms());
    let mut open = CutText::new(100, &terms()).unwrap();
    open.advance(&mut Intake::default(), &mut &b"correct horse"[..], &terms()).unwrap();
    let shown = format!("{text:?} {heard:?} {open:?}");
    assert!(shown.contains("28 bytes") && !shown.contains("horse"), "{shown}");
}
