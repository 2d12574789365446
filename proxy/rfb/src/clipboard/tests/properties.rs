//! What is written re-parses to itself; chunks do not matter; garbage ends in an error, an event or in waiting.

use super::*;
use proptest::prelude::*;

/// Any text in its one form.
fn any_text() -> impl Strategy<Value = Text> {
    prop_oneof![
        any::<String>(),
        "[a-z\r\n\0é漢😀\u{202e}]{0,200}",
        (any::<char>(), 0..20_000_usize).prop_map(|(character, count)| character.to_string().repeat(count)),
    ]
    .prop_map(|text| Text::new(&text))
}

fn any_caps() -> impl Strategy<Value = Caps> {
    (any::<[bool; 4]>(), any::<Option<u32>>()).prop_map(|([request, peek, notify, provide], text)| Caps {
        request,
        peek,
        notify,
        provide,
        text,
    })
}

fn any_message() -> impl Strategy<Value = Message> {
    prop_oneof![
        "[a-zéÿ\n]{0,200}".prop_map(|text| Message::Text(Text::new(&text))),
        any_caps().prop_map(Message::Caps),
        any::<bool>().prop_map(|text| Message::Request { text }),
        Just(Message::Peek),
        any::<bool>().prop_map(|text| Message::Notify { text }),
        any_text().prop_map(Message::Provide),
    ]
}

/// A message as a peer may write it, right or wrong.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let body = prop::collection::vec(any::<u8>(), 0..64);
    prop_oneof![
        any_message().prop_map(|message| {
            let mut bytes = Vec::new();
            message.write(Side::Viewer, &mut bytes);
            bytes.split_off(1)
        }),
        (any::<u32>(), body.clone()).prop_map(|(flags, body)| extended(flags, &body)),
        (0..5_u32, 0..4_u32, body.clone())
            .prop_map(|(action, formats, body)| extended(1 << (24 + action) | formats, &body)),
        (prop::collection::vec(any::<u8>(), 0..400), any::<bool>()).prop_map(|(plain, sized)| {
            let plain = if sized { format(&plain) } else { plain };
            provide(&plain)
        }),
        body.prop_map(|body| message(body.len() as i32, &body)),
    ]
}

/// All that is heard of bytes that come in pieces, and how it ended.
fn run<'a>(pieces: impl Iterator<Item = &'a [u8]>, terms: &Terms) -> (Vec<Heard>, Option<String>) {
    let (mut intake, mut open, mut heard) = (Intake::default(), None::<CutText>, Vec::new());
    for mut input in pieces {
        loop {
            let text = match &mut open {
                Some(text) => text,
                None => {
                    let Some([_, _, _, length @ ..]) = intake.take::<7>(&mut input) else { break };
                    match CutText::new(i32::from_be_bytes(length), terms) {
                        Ok(text) => open.insert(text),
                        Err(error) => return (heard, Some(error.to_string())),
                    }
                }
            };
            match text.advance(&mut intake, &mut input, terms) {
                Ok(Some(one)) => heard.push(one),
                Ok(None) => break,
                Err(error) => return (heard, Some(error.to_string())),
            }
            open = None;
        }
    }
    (heard, None)
}

proptest! {
    #[test]
    fn what_is_written_re_parses_to_itself(message in any_message(), to_desktop in any::<bool>()) {
        let to = if to_desktop { Side::Desktop } else { Side::Viewer };
        let mut bytes = Vec::new();
        message.write(to, &mut bytes);
        prop_assert_eq!(&bytes[..4], &[if to_desktop { 6 } else { 3 }, 0, 0, 0]);
        let (heard, _) = parse(&bytes[1..], bytes.len(), &terms()).unwrap();
        prop_assert_eq!(&heard, &[Heard::Message(message)]);
        // And once more: what is parsed is written the same.
        let Heard::Message(again) = &heard[0] else { unreachable!() };
        let mut twice = Vec::new();
        again.write(to, &mut twice);
        prop_assert_eq!(twice, bytes);
    }

    #[test]
    fn any_chunking_gives_the_same(
        messages in prop::collection::vec(any_bytes(), 1..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        asked in any::<bool>(),
    ) {
        let terms = Terms { asked, ..terms() };
        let bytes = messages.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let whole = run(std::iter::once(&bytes[..]), &terms);
        prop_assert_eq!(&run(cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]), &terms), &whole);
        prop_assert_eq!(&run(bytes.chunks(1), &terms), &whole);
    }

    #[test]
    fn garbage_is_an_error_an_event_or_waiting(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert_eq!(run(std::iter::once(&bytes[..]), &terms()), run(bytes.chunks(7), &terms()));
        let flawed = extended(PROVIDE | TEXT, &bytes);
        prop_assert_eq!(run(flawed.chunks(3), &terms()), run(std::iter::once(&flawed[..]), &terms()));
    }

    #[test]
    fn a_flipped_bit_never_panics_and_never_grows(text in any_text(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = Vec::new();
        Message::Provide(text).write(Side::Viewer, &mut bytes);
        let at = 12 + at.index(bytes.len() - 12);
        bytes[at] ^= 1 << bit;
        let (_, held) = parse(&bytes[1..], 100, &terms()).unwrap();
        prop_assert!(held <= terms().limits.clipboard_text as usize);
    }

    #[test]
    fn the_one_form_is_one(text in any::<String>()) {
        let once = Text::new(&text);
        prop_assert_eq!(Text::new(once.as_str()), once.clone());
        prop_assert!(!once.as_str().contains(['\r', '\0']));
        prop_assert_eq!(once.bytes(), once.as_str().len() as u64);
    }
}
