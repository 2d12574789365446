//! Smuggling and desynchronisation: what one side writes reaches the other as whole canonical messages of the gate's own, or not at all.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portcullis_rfb::viewer::{Config, Connection, Event};
use portcullis_rfb::{Key, Limits, Pointer, Rect, Screen, Size, desktop};
use portcullis_tests::puppet::{filled, greeting, of_kind, rectangle, requests, update};
use portcullis_tests::viewer::dial;
use portcullis_tests::{PATIENCE, Puppet, Stage, Viewer};
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::Message;

const SIZE: Size = Size::new(64, 48);
/// A byte that nothing which is meant has in it.
const CANARY: u8 = 0xc5;
/// What the gate's encodings are when it serves noVNC.
const EVERYTHING: [i32; 13] = [7, 1, 0, -26, -223, -224, -239, -258, -308, -312, -313, 0x574d_5664, -254];

/// SetPixelFormat to R, G, B, 0 with marked padding.
const RGB0: [u8; 20] =
    [0, CANARY, CANARY, CANARY, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, CANARY, CANARY, CANARY];

/// A viewer that has agreed on sizes and extended keys, and whose desktop has said that it takes both.
async fn agreed(stage: &mut Stage) -> (portcullis_tests::stage::Act, Viewer) {
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_with(&stage.url, &act.opened, &[0, -223, -308, -258]).await.unwrap();
    let layout = [1, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 64, 0, 48, 0, 0, 0, 0];
    let abilities = update(&[
        rectangle(Rect::default(), -258, &[]),
        rectangle(Rect::new(0, 0, 64, 48), -308, &layout),
        rectangle(Rect::new(0, 0, 1, 1), 0, &[1, 2, 3, 0]),
    ]);
    act.desktop.answer(&abilities).await.unwrap();
    viewer.watch("an agreement", |viewer| viewer.extended_keys && viewer.pixel(0, 0) == [1, 2, 3]).await.unwrap();
    (act, viewer)
}

async fn hears_key(desktop: &mut Puppet, keysym: u8) {
    desktop.hears("the key", |messages| of_kind(messages, 4).any(|key| key[7] == keysym)).await.unwrap();
}

/// S6, S8, X10: fields that mean nothing, bits that are not agreed and formats of the viewer's own stay with the gate.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_hears_canonical_messages_and_no_other_byte_of_a_viewer() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let (mut act, mut viewer) = agreed(&mut stage).await;
    let c = CANARY;
    let marked: [&[u8]; 9] = [
        &RGB0,
        &[2, c, 0, 4, 0, 0, 0, 0, c, c, c, c, 0xff, 0xff, 0xff, 0x21, 0xff, 0xff, 0xfe, 0xc8],
        &[2, c, 0, 3, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xcc, 0xff, 0xff, 0xff, 0x21],
        &[3, c, 0, c, 0, c, 0, c, 0, c],
        // KeyEvent's padding; a mask with the bit that announces a seventh byte where that was agreed; a place beyond the screen.
        &[4, c, c, c, 0, 0, 0, 0x61],
        &[5, 0x81, c, c, c, c],
        &[6, c, c, c, 0, 0, 0, 2, b'h', b'i'],
        &[251, c, 0, 80, 0, 60, 1, c, c, c, c, c, 0, 0, 0, 0, 0, 80, 0, 60, c, c, c, c],
        &[255, 0, c, c, 0, 0, 0, 0x62, 0, 0, 0, c],
    ];
    viewer.send(&marked.concat()).await.unwrap();
    hears_key(&mut act.desktop, 0x62).await;

    let said = act.desktop.messages().unwrap();
    assert!(!act.desktop.heard().contains(&CANARY), "{said:x?}");
    assert_eq!(of_kind(&said, 0).count(), 1, "the pixel format is set once, by the gate");
    let encodings = of_kind(&said, 2).collect::<Vec<_>>();
    assert_eq!(encodings.len(), 1);
    let listed: Vec<i32> =
        encodings[0][4..].chunks_exact(4).map(|number| i32::from_be_bytes(number.try_into().unwrap())).collect();
    for never in [-257, -259, -305, -309, -314, -316, -317, 0x574d_5669] {
        assert!(!listed.contains(&never), "{never} is asked for");
    }
    assert!(requests(&said).all(|request| request[2..] == [0, 0, 0, 0, 0, 64, 0, 48]), "whole screens");
    assert_eq!(of_kind(&said, 5).last().unwrap(), &[5, 1, 0, 63, 0, 47]);
    assert_eq!(of_kind(&said, 6).last().unwrap(), &[6, 0, 0, 0, 0, 0, 0, 2, b'h', b'i']);
    let size = of_kind(&said, 251).next().unwrap();
    assert_eq!(size[..], [251, 0, 0, 80, 0, 60, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 80, 0, 60, 0, 0, 0, 0]);
}

/// S14: a scan code that says one key and a keysym that says another: the keysym is judged, recorded and sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_code_reaches_no_desktop() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let (mut act, mut viewer) = agreed(&mut stage).await;
    let key = |keysym: u8, scancode: u8| vec![255, 0, 0, 1, 0, 0, 0, keysym, 0, 0, 0, scancode];
    // 0x10 is Q's; a key without a keysym would be its scan code alone.
    viewer.send(&[key(0x61, 0x10), key(0, 0x10), key(0x7a, 0)].concat()).await.unwrap();
    hears_key(&mut act.desktop, 0x7a).await;
    let keys: Vec<_> = of_kind(&act.desktop.messages().unwrap(), 4).cloned().collect();
    assert_eq!(keys, [[4, 1, 0, 0, 0, 0, 0, 0x61], [4, 1, 0, 0, 0, 0, 0, 0x7a]]);
}

/// S12: where a frame ends is nobody's message end: everything at once, and byte by byte, is one conversation.
#[tokio::test(flavor = "multi_thread")]
async fn frames_are_not_messages() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    act.desktop.show(&filled(SIZE.bounds(), [9, 8, 7, 0])).await.unwrap();
    let key = |code: u8| [4, 1, 0, 0, 0, 0, 0, code];
    let mut answers = Vec::new();
    for (code, length) in [(0x61, usize::MAX), (0x62, 1), (0x63, 7)] {
        let said =
            [&b"RFB 003.008\n\x01\x01"[..], &[2, 0, 0, 1, 0, 0, 0, 0], &key(code), &[3, 0, 0, 0, 0, 0, 0, 64, 0, 48]]
                .concat();
        let ticket = stage.ticket(&act.session).unwrap();
        let mut socket = dial(&stage.url, &ticket, None).await.unwrap();
        for frame in said.chunks(length.min(said.len())) {
            socket.send(Message::Binary(frame.to_vec().into())).await.unwrap();
        }
        hears_key(&mut act.desktop, code).await;
        let (mut answer, whole) = (Vec::new(), 12 + 2 + 4 + 24 + "Desk".len() + 4 + 12 + 64 * 48 * 4);
        while answer.len() < whole {
            let message = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
            answer.extend(message.into_data());
        }
        answers.push(answer);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(answers[0].ends_with(&[9, 8, 7, 0]));
    // What a viewer held is let go when it leaves.
    let pressed = |key: &&Vec<u8>| key[1] == 1;
    let keys: Vec<u8> = of_kind(&act.desktop.messages().unwrap(), 4).filter(pressed).map(|key| key[7]).collect();
    assert_eq!(keys, [0x61, 0x62, 0x63]);
}

/// X1, X6: names, ids, flags, padding, places of pseudo-rectangles and the byte of a pixel that is no colour stay with the gate.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_receives_no_byte_that_a_desktop_wrote() {
    let c = CANARY;
    let mut hello = greeting(SIZE, &[c; 9]);
    let init = b"RFB 003.008\n\x01\x01\0\0\0\0".len();
    // A pixel format of the desktop's own, every field of it: nobody asked for one.
    hello[init + 4..init + 20].fill(c);
    let mut stage = Stage::greeted(SIZE, hello).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut plain = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    assert_eq!(plain.name, "Desk");
    let ticket = stage.ticket(&act.session).unwrap();
    let mut rich = Viewer::connect_with(&stage.url, &ticket, &EVERYTHING).await.unwrap();

    let screen = [c, c, c, c, 0, 0, 0, 0, 0, 64, 0, 48, c, c, c, c];
    let layout = [&[2, c, c, c][..], &screen, &screen].concat();
    let whole = SIZE.bounds();
    let pixels = [1, 2, 3, c].repeat(64 * 48);
    // A cursor of 4x1: the pixels that its mask hides are marked, and so are the bits of the mask beyond its width.
    let cursor = [&[c; 8][..], &[7, 8, 9, c, 7, 8, 9, c], &[0x35]].concat();
    let mut rectangles = [
        rectangle(Rect::new(u16::from(c), u16::from(c), 0, 0), -258, &[]),
        rectangle(Rect::new(0, u16::from(c), 64, 48), -308, &layout),
        rectangle(Rect::new(u16::from(c), u16::from(c), 64, 48), -223, &[]),
        rectangle(Rect::new(0, 0, 4, 1), -239, &cursor),
        rectangle(whole, 0, &pixels),
        rectangle(Rect::new(u16::from(c), u16::from(c), u16::from(c), u16::from(c)), -224, &[]),
    ]
    .concat();
    let mut marked = vec![0, c, c, c];
    marked.append(&mut rectangles);
    marked.extend([&[3, c, c, c, 0, 0, 0, 2][..], b"hi", &[2]].concat());
    act.desktop.show(&marked).await.unwrap();

    plain.request(false).await.unwrap();
    let raw = plain.overhear(Duration::from_secs(1)).await;
    assert!(raw.windows(8).any(|pixels| pixels == [1, 2, 3, 0, 1, 2, 3, 0]), "the picture is there");
    assert!(raw.windows(10).any(|text| text == [3, 0, 0, 0, 0, 0, 0, 2, b'h', b'i']), "and the text");
    assert!(!raw.contains(&c), "{}", raw.escape_ascii());
    let mut coded = Vec::new();
    // What was agreed on comes first, by itself.
    for _ in 0..3 {
        rich.request(true).await.unwrap();
        coded.extend(rich.overhear(Duration::from_millis(500)).await);
    }
    assert!(coded.windows(4).any(|bytes| bytes == [0x57, 0x4d, 0x56, 0x64]), "the cursor is there");
    assert!(!coded.windows(2).any(|bytes| bytes == [c, c]), "{}", coded.escape_ascii());
}

/// What may reach a desktop, as a viewer writes it.
fn spoken() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<[u8; 7]>().prop_map(|rest| [&[4][..], &rest].concat()),
        any::<[u8; 5]>().prop_map(|rest| [&[5][..], &rest].concat()),
        any::<([u8; 6], u8)>().prop_map(|(rest, code)| [&[255, 0][..], &rest, &[0, 0, 0, code]].concat()),
        (1..3841u16, 1..2161u16, any::<[u8; 8]>()).prop_map(|(width, height, marks)| {
            let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
            [&[251, marks[0]][..], &size, &[1, marks[1]], &marks[2..6], &[0; 4], &size, &marks[4..]].concat()
        }),
    ]
}

/// A viewer's connection that has agreed on everything.
fn listening() -> Connection {
    let config = Config { name: String::new(), size: SIZE, limits: Limits::default(), jpeg: true };
    let mut connection = Connection::new(config);
    let encodings = [2, 0, 0, 2, 0xff, 0xff, 0xfe, 0xcc, 0xff, 0xff, 0xfe, 0xfe];
    let said = [&b"RFB 003.008\n\x01\x01"[..], &encodings, &[3, 0, 0, 0, 0, 0, 0, 64, 0, 48]].concat();
    connection.receive(&said).unwrap();
    assert!(connection.update(&Screen::new(SIZE)).unwrap());
    connection.take_output();
    connection
}

proptest! {
    /// The proof of all rows S: what leaves is parsed to the very values that were judged, and is as long as they need.
    #[test]
    fn what_leaves_is_what_was_judged(messages in prop::collection::vec(spoken(), 1..20)) {
        let layout = [1, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 64, 0, 48, 0, 0, 0, 0];
        let mut desktop = desktop::Connection::new(desktop::Config::default());
        desktop.receive(&greeting(SIZE, b"")).unwrap();
        desktop.receive(&update(&[rectangle(SIZE.bounds(), -308, &layout), rectangle(Rect::default(), -258, &[])])).unwrap();
        desktop.take_output();

        let judged = listening().receive(&messages.concat()).unwrap();
        let mut length = 0;
        for event in &judged {
            match *event {
                Event::Key(key) => {
                    desktop.key(key);
                    length += if key.keysym == 0 { 0 } else { 8 };
                }
                Event::Pointer(pointer) => {
                    desktop.pointer(pointer);
                    length += 6;
                }
                Event::SetSize(size) => {
                    prop_assert!(desktop.set_size(size));
                    length += 24;
                }
                ref other => prop_assert!(false, "{:?}", other),
            }
        }
        let written = desktop.take_output();
        prop_assert_eq!(written.len(), length);
        let plain = |event: Event| match event {
            Event::Key(key) => Event::Key(Key { scancode: None, ..key }),
            Event::Pointer(Pointer { buttons, at }) => Event::Pointer(Pointer::new(buttons, at)),
            other => other,
        };
        let sent = judged.into_iter().map(plain).filter(|event| !matches!(event, Event::Key(Key { keysym: 0, .. })));
        prop_assert_eq!(listening().receive(&written).unwrap(), sent.collect::<Vec<_>>());
    }
}
