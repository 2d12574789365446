//! Covert channels: what could carry data beside the pixels is stripped, held to a rate, or on the record.

use std::time::{Duration, Instant};

use futures_util::SinkExt;
use portcullis_rfb::{Rect, Size};
use portcullis_tests::puppet::{filled, of_kind, rectangle, requests, update};
use portcullis_tests::stage::MAX_FPS;
use portcullis_tests::viewer::{Heard, dial_as};
use portcullis_tests::{Stage, Viewer, video};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const SIZE: Size = Size::new(64, 48);

/// X2: a desktop that rings without end is heard once a second, by a viewer that asks for nothing too.
#[tokio::test(flavor = "multi_thread")]
async fn bells_are_heard_once_a_second() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    viewer.watch("the screen", |_| true).await.unwrap();
    let started = Instant::now();
    let mut bells = 0;
    while bells < 3 {
        act.desktop.say(&[2; 1000]).await.unwrap();
        let heard = viewer.listen(Duration::from_millis(50)).await.unwrap();
        bells += heard.iter().filter(|message| **message == Heard::Bell).count();
    }
    // Two whole seconds lie between the first and the third.
    assert!(started.elapsed() > Duration::from_millis(1900), "{bells} bells in {:?}", started.elapsed());
}

/// X4: a cursor's pixels are not in the framebuffer, and are on the record all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_on_the_record() {
    let size = Size::new(320, 240);
    let mut stage = Stage::start(size).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let cursor = [[255, 0, 255, 0].repeat(32 * 32), vec![0xff; 4 * 32]].concat();
    let white = rectangle(size.bounds(), 0, &[255, 255, 255, 0].repeat(320 * 240));
    act.desktop.show(&update(&[white, rectangle(Rect::new(0, 0, 32, 32), -239, &cursor)])).await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    viewer.pointer(0, 200, 100).await.unwrap();
    act.desktop.hears("the move", |messages| of_kind(messages, 5).any(|at| at[3] == 200)).await.unwrap();
    act.desktop.show(&filled(Rect::new(0, 0, 8, 8), [0; 4])).await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    let frames = video::decode(&record.bundle, 1).unwrap();
    let last = frames.frames.last().unwrap();
    let pixel = |x: usize, y: usize| &last[(y * frames.width + x) * 4..][..3];
    assert!(pixel(216, 116)[1] < 100 && pixel(216, 116)[0] > 180, "magenta where the cursor is: {:?}", pixel(216, 116));
    assert!(pixel(100, 200)[1] > 200, "and white where it is not: {:?}", pixel(100, 200));
}

/// X7, D5: a desktop that paints as fast as it is asked is asked at the configured rate, whoever looks.
#[tokio::test(flavor = "multi_thread")]
async fn pictures_come_at_the_configured_rate() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let started = Instant::now();
    let mut painted = 0u32;
    while started.elapsed() < Duration::from_secs(2) {
        act.desktop.answer(&filled(Rect::new(0, 0, 1, 1), [painted as u8; 4])).await.unwrap();
        painted += 1;
    }
    let most = f64::from(MAX_FPS) * started.elapsed().as_secs_f64() + 6.0;
    assert!(f64::from(painted) <= most && painted > 5, "{painted} pictures, at most {most}");
}

/// X8: positions of the pointer are no way to carry bytes in: they are merged to 125 a second, and the last one counts.
#[tokio::test(flavor = "multi_thread")]
async fn pointer_moves_are_merged() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let before = of_kind(&act.desktop.messages().unwrap(), 5).count();
    let started = Instant::now();
    let moves: Vec<u8> = (0..10_000u16).flat_map(|n| [5, 0, 0, (n % 60) as u8, 0, (n / 60 % 40) as u8]).collect();
    viewer.send(&moves).await.unwrap();
    viewer.send(&[5, 0, 0, 61, 0, 41]).await.unwrap();
    act.desktop.hears("the last place", |messages| of_kind(messages, 5).any(|at| at[3] == 61)).await.unwrap();
    let passed = of_kind(&act.desktop.messages().unwrap(), 5).count() - before;
    let most = 125.0 * started.elapsed().as_secs_f64() + 4.0;
    assert!(passed as f64 <= most, "{passed} of 10,001 passed, at most {most}");
}

/// X9: a script types no faster than the gate lets keys through, and every press is on the record.
#[tokio::test(flavor = "multi_thread")]
async fn typed_data_is_held_to_a_rate() {
    const PRESSES: usize = 500;
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let started = Instant::now();
    let script = [[4, 1, 0, 0, 0, 0, 0, 0x61], [4, 0, 0, 0, 0, 0, 0, 0x61]].concat().repeat(PRESSES);
    viewer.send(&script).await.unwrap();
    act.desktop.hears("half of it", |messages| of_kind(messages, 4).count() >= PRESSES).await.unwrap();
    let passed = of_kind(&act.desktop.messages().unwrap(), 4).count();
    let most = 2.0 * (120.0 + 60.0 * started.elapsed().as_secs_f64() + 1.0);
    assert!(passed as f64 <= most, "{passed} keys, at most {most}");
    act.desktop.hears("all of it", |messages| of_kind(messages, 4).count() == 2 * PRESSES).await.unwrap();
    assert!(started.elapsed() > Duration::from_secs(6), "380 presses over the burst in {:?}", started.elapsed());
    viewer.close().await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    let counted: u64 = record.of_type("keys").iter().map(|event| event["pressed"].as_u64().unwrap()).sum();
    assert_eq!(counted, PRESSES as u64);
}

/// X11: the WebSocket ends at the gate: addresses, pings, pongs and close frames carry nothing further.
#[tokio::test(flavor = "multi_thread")]
async fn the_websockets_own_words_end_at_the_gate() {
    const MARK: &[u8] = b"EXFILTRATED";
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let path = format!("{}?EXFILTRATED=EXFILTRATED", act.opened.rfb);
    let protocols = format!("binary, ticket.{}", act.opened.ticket);
    let mut socket = dial_as(&stage.url, &path, &protocols, None).await.unwrap();
    for message in [Message::Ping(MARK.to_vec().into()), Message::Pong(MARK.to_vec().into())] {
        socket.send(message).await.unwrap();
    }
    let mut viewer = Viewer::handshake(socket).await.unwrap();
    viewer.key(0x61).await.unwrap();
    act.desktop.hears("a key", |messages| of_kind(messages, 4).count() == 2).await.unwrap();
    let reason = "EXFILTRATED".into();
    viewer.send_message(Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason }))).await.unwrap();
    portcullis_tests::until("the viewer has left", async || Ok((act.session.viewers() == 0).then_some(())))
        .await
        .unwrap();
    act.desktop.show(&filled(Rect::new(0, 0, 1, 1), [0; 4])).await.unwrap();
    assert!(requests(&act.desktop.messages().unwrap()).count() > 1);
    assert!(!act.desktop.heard().windows(MARK.len()).any(|bytes| bytes == MARK));
    let record = stage.end(&act.session).await.unwrap();
    assert!(!format!("{:?}", record.events).contains("EXFILTRATED"), "{:?}", record.events);
}
