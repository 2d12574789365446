//! Every message of a viewer: what it becomes, what is refused, and that chunks do not matter.

use super::*;
use crate::input::{Key, Pointer};
use crate::pixel::BGR0;
use proptest::prelude::*;

const SIZE: Size = Size::new(640, 480);

/// The message and field that a viewer's bytes are refused by.
fn refused(peer: &mut Peer, bytes: &[u8]) -> (&'static str, String) {
    let error = peer.connection.receive(bytes).expect_err("served");
    assert_eq!(error.side, crate::Side::Viewer);
    assert!(!peer.connection.is_ready());
    assert_eq!(peer.connection.receive(&[]).unwrap_err(), error, "it is over");
    (error.message, error.field)
}

#[test]
fn of_256_types_ten_are_served() {
    let served = [0, 2, 3, 4, 5, 6, 150, 248, 251, 255];
    for kind in 0..=255u8 {
        let mut peer = Peer::ready(SIZE, &[]);
        if served.contains(&kind) {
            assert_eq!(peer.connection.receive(&[kind]), Ok(Vec::new()), "{kind}");
            continue;
        }
        let (message, field) = refused(&mut peer, &[kind]);
        let name = crate::wire::ViewerMessage(kind).name();
        assert_eq!((message, field.as_str()), (name.unwrap_or("unknown message"), "message-type"), "{kind}");
    }
}

#[test]
fn of_256_qemu_messages_one_is_served() {
    for kind in 1..=255u8 {
        let refused = refused(&mut Peer::ready(SIZE, NOVNC), &[255, kind]);
        assert_eq!(refused, ("QEMU message", "submessage-type".into()));
    }
}

#[test]
fn keys_and_pointer() {
    let mut peer = Peer::ready(SIZE, &[]);
    peer.say(&[4, 1, 0xff, 0xff, 0, 0, 0xff, 0x0d]);
    assert_eq!(peer.events, [Event::Key(Key { down: true, keysym: 0xff0d, scancode: None })]);
    peer.say(&[4, 0, 0, 0, 0x01, 0x00, 0x20, 0xac]);
    assert_eq!(peer.events, [Event::Key(Key { down: false, keysym: 0x0100_20ac, scancode: None })]);
    peer.say(&[5, 0x81, 0, 10, 0, 20]);
    assert_eq!(peer.events, [Event::Pointer(Pointer { buttons: 1, at: Point::new(10, 20) })]);
    peer.say(&[5, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(peer.events, [Event::Pointer(Pointer { buttons: 0x7f, at: Point::new(639, 479) })]);
}

#[test]
fn a_pointer_event_is_six_bytes_whatever_its_mask() {
    let mut peer = Peer::ready(SIZE, NOVNC);
    peer.say(&[[5, 0x80, 0, 1, 0, 1], [5, 0xff, 0, 2, 0, 2]].concat());
    assert_eq!(peer.events.len(), 2);
}

#[test]
fn extended_keys_are_taken_once_agreed() {
    let press = [255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 0x1e];
    let mut peer = Peer::ready(SIZE, &[-258]);
    let refusal = ("QEMU Extended Key Event", "message-type".to_owned());
    assert_eq!(refused(&mut peer, &press), refusal, "listed is not agreed");

    let mut peer = Peer::ready(SIZE, &[-258]);
    peer.say(&request(false));
    peer.update(&Screen::new(SIZE));
    assert!(peer.decoder.extended_keys);
    peer.say(&press);
    assert_eq!(peer.events, [Event::Key(Key { down: true, keysym: 0x61, scancode: Some(0x1e) })]);
    peer.say(&[255, 0, 0, 0, 0, 0, 0, 0x61, 0, 0, 0, 0]);
    assert_eq!(peer.events, [Event::Key(Key { down: false, keysym: 0x61, scancode: None })]);
    let over = refused(&mut peer, &[255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 1, 0]);
    assert_eq!(over, ("QEMU Extended Key Event", "keycode".into()));
}

#[test]
fn pixel_formats_encodings_and_areas_have_bounds() {
    let wrong = PixelFormat { depth: 16, ..BGR0 };
    assert_eq!(refused(&mut Peer::ready(SIZE, &[]), &set_pixel_format(wrong)), ("SetPixelFormat", "depth".into()));

    Peer::ready(SIZE, &[]).say(&set_encodings(&[0; 128]));
    let many = refused(&mut Peer::ready(SIZE, &[]), &set_encodings(&[0; 129]));
    assert_eq!(many, ("SetEncodings", "number-of-encodings".into()));

    let place = "x-position, y-position, width, height".to_owned();
    for kind in [3, 150] {
        let mut peer = Peer::ready(SIZE, NOVNC);
        peer.say(&[kind, 0, 0, 0, 0, 0, 0x0f, 0, 0x08, 0x70]); // 3840x2160
        let beyond = refused(&mut peer, &[kind, 0, 0, 1, 0, 0, 0x0f, 0, 0x08, 0x70]);
        assert_eq!(beyond.1, place);
    }
}

#[test]
fn what_was_not_agreed_is_refused() {
    let none = &mut || Peer::ready(SIZE, &[]);
    let field = "message-type".to_owned();
    assert_eq!(refused(&mut none(), &continuous_updates(true)), ("EnableContinuousUpdates", field.clone()));
    assert_eq!(refused(&mut none(), &fence(1, &[0; 4])), ("ClientFence", field.clone()));
    let resize = set_desktop_size(SIZE, &[SIZE.bounds()]);
    assert_eq!(refused(&mut none(), &resize), ("SetDesktopSize", field.clone()));
    // Continuous updates without fences could not be paced.
    let mut unpaced = Peer::ready(SIZE, &[7, -313]);
    assert_eq!(unpaced.decoder.ends, 0);
    assert_eq!(refused(&mut unpaced, &continuous_updates(true)).1, field);
}

#[test]
fn fences_match_or_end_the_connection() {
    let agreed = || {
        let peer = Peer::ready(SIZE, &[7, -312]);
        assert_eq!(peer.decoder.fences.len(), 1);
        peer
    };
    assert_eq!(refused(&mut agreed(), &fence(1, &[9; 4])), ("ClientFence", "payload".into()));
    assert_eq!(refused(&mut agreed(), &fence(8, &[0; 4])), ("ClientFence", "flags".into()));
    assert_eq!(refused(&mut agreed(), &fence(1, &[0; 65])), ("ClientFence", "length".into()));
    let mut peer = agreed();
    peer.answer_fences();
    assert_eq!(refused(&mut peer, &fence(1, &[0; 4])), ("ClientFence", "payload".into()), "answered twice");
}

#[test]
fn a_viewers_own_fence_comes_back_to_it() {
    let mut peer = Peer::ready(SIZE, &[7, -312]);
    peer.answer_fences();
    peer.say(&fence(0x8000_0005, &[7; 64]));
    assert_eq!(peer.decoder.fences, [(5, vec![7; 64])]);
    let flood = fence(0x8000_0000, &[]).repeat(16);
    peer.say(&flood);
    peer.say(&flood);
    assert_eq!(refused(&mut peer, &fence(0x8000_0000, &[]).repeat(17)), ("ClientFence", "flags".into()));
}

/// A message with everything that its receiver judges, as any honest or hostile viewer may write it.
fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let text = prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        Just(set_pixel_format(BGR0)),
        Just(set_pixel_format(RGB0)),
        prop::collection::vec(-320..60i32, 0..40).prop_map(|list| set_encodings(&list)),
        any::<bool>().prop_map(request),
        any::<[u8; 7]>().prop_map(|bytes| [&[4][..], &bytes].concat()),
        any::<[u8; 5]>().prop_map(|bytes| [&[5][..], &bytes].concat()),
        text.prop_map(|text| [&[6, 1, 2, 3][..], &(text.len() as u32).to_be_bytes(), &text].concat()),
        (any::<u32>(), prop::collection::vec(any::<u8>(), 0..64))
            .prop_map(|(flags, payload)| fence(flags & 0x8000_0007, &payload)),
        any::<bool>().prop_map(continuous_updates),
        (1..4000u16, 1..4000u16).prop_map(|(w, h)| set_desktop_size(Size::new(w, h), &[Rect::new(0, 0, w, h)])),
        any::<[u8; 10]>().prop_map(|bytes| [&[255, 0][..], &bytes].concat()),
    ]
}

/// Events, output and error of a ready connection that has agreed on everything.
fn run<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, Vec<u8>, Option<String>) {
    let mut peer = Peer::ready(SIZE, &[7, -258, -308]);
    peer.say(&request(true));
    peer.update(&Screen::new(SIZE));
    let (mut events, mut output) = (Vec::new(), Vec::new());
    for chunk in chunks {
        match peer.connection.receive(chunk) {
            Ok(more) => events.extend(more),
            Err(error) => return (events, output, Some(error.to_string())),
        }
        output.extend(peer.connection.take_output());
    }
    (events, output, None)
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same(
        messages in prop::collection::vec(any_message(), 1..12), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20)
    ) {
        let bytes = messages.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let whole = run(std::iter::once(&bytes[..]));
        let pieces = run(cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]));
        let single = run(bytes.chunks(1));
        prop_assert_eq!(&pieces.2, &whole.2);
        prop_assert_eq!(&single.2, &whole.2);
        if whole.2.is_none() {
            prop_assert_eq!(&pieces, &whole);
            prop_assert_eq!(&single, &whole);
        } else {
            prop_assert!(single.0.starts_with(&pieces.0));
        }
    }

    #[test]
    fn garbage_ends_in_an_error_or_in_waiting(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let whole = run(std::iter::once(&bytes[..]));
        let pieces = run(bytes.chunks(7));
        prop_assert_eq!(whole.2, pieces.2);
    }
}
