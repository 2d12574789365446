//! Exhaustion: floods, withheld halves, peers that do not read, frames that break RFC 6455; what each may cost is bounded.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use portcullis_proxy::{Bounds, Outcome};
use portcullis_rfb::desktop::{Config, Connection, Event};
use portcullis_rfb::{Rect, Screen, Size};
use portcullis_tests::puppet::{filled, greeting, of_kind, rectangle, requests, update};
use portcullis_tests::viewer::{Heard, Socket, dial};
use portcullis_tests::{Opened, PATIENCE, Stage, Viewer, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

const SIZE: Size = Size::new(64, 48);

/// D3: the head of a clipboard text whose body is withheld reaches no desktop, and holds up neither record nor viewers.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_message_reaches_no_desktop() {
    let patient = Bounds { message: PATIENCE, ..Bounds::default() };
    let mut stage = Stage::bounded(SIZE, greeting(SIZE, b"puppet"), patient).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut half = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let mut other = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
    half.send(&[6, 0, 0, 0, 0, 0, 1, 0, b'x']).await.unwrap();
    let started = Instant::now();
    for colour in 1..=5u8 {
        act.desktop.show(&filled(SIZE.bounds(), [colour; 4])).await.unwrap();
        other.watch("the next picture", |viewer| viewer.pixel(0, 0) == [colour; 3]).await.unwrap();
    }
    // A desktop that is sent half a message waits for its rest: x11vnc for twenty seconds, and shows nothing meanwhile.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(of_kind(&act.desktop.messages().unwrap(), 6).count(), 0);
    half.send(&[b'x'; 255]).await.unwrap();
    act.desktop.hears("the whole text", |messages| of_kind(messages, 6).any(|text| text.len() == 264)).await.unwrap();
}

/// D3: who begins a message and does not end it in time is dropped, and so is who says it byte by byte; who ends it in time stays.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_message_has_a_deadline() {
    let hasty = Bounds { message: Duration::from_secs(1), ..Bounds::default() };
    let mut stage = Stage::bounded(SIZE, greeting(SIZE, b"puppet"), hasty).await.unwrap();
    let act = stage.open().await.unwrap();
    let mut honest = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let mut silent = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
    let mut slow = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
    silent.send(&[4, 1]).await.unwrap();
    let slow = async {
        // A text of 1,000 bytes: at this pace it would take more than a minute.
        let mut text = [vec![6, 0, 0, 0, 0, 0, 3, 232], vec![b'x'; 1000]].concat().into_iter();
        loop {
            let byte = text.next().unwrap_or_else(|| panic!("all of it was taken"));
            if slow.send(&[byte]).await.is_err() {
                return u16::from(slow.closed().await.unwrap().code);
            }
            if let Ok(closed) = timeout(Duration::from_millis(100), slow.closed()).await {
                return u16::from(closed.unwrap().code);
            }
        }
    };
    let honest = async {
        // Half a key at a time, over and over, for longer than one may take: each is whole in time.
        for _ in 0..20 {
            honest.send(&[4, 1, 0, 0]).await.unwrap();
            sleep(Duration::from_millis(60)).await;
            honest.send(&[0, 0, 0, b'a', 4, 0, 0, 0]).await.unwrap();
            sleep(Duration::from_millis(60)).await;
            honest.send(&[0, 0, 0, b'a']).await.unwrap();
        }
        honest
    };
    let (silent, slow, _honest) = tokio::join!(silent.closed(), slow, honest);
    assert_eq!((u16::from(silent.unwrap().code), slow), (4008, 4008));
    assert_eq!((act.session.viewers(), act.session.known_outcome()), (1, None));
}

/// D3: a viewer that answers no ping is gone, though its connection stands; it was asked more than once.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_answers_no_ping_is_given_up() {
    let short = Duration::from_millis(100);
    let bounds = Bounds { ping: short, silence: 4 * short, handshake: 2 * PATIENCE, ..Bounds::default() };
    let mut stage = Stage::bounded(SIZE, greeting(SIZE, b"puppet"), bounds).await.unwrap();
    let act = stage.open().await.unwrap();
    let (mut stream, _) = upgrade(&stage.url, &act.opened).await;
    let mut heard = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut heard)).await.unwrap().unwrap();
    assert!(heard.windows(2).filter(|frame| *frame == [0x89, 0]).count() >= 2, "{heard:?}");
    let close = heard.windows(4).find(|frame| frame[0] == 0x88).map(|frame| u16::from_be_bytes([frame[2], frame[3]]));
    assert_eq!((close, act.session.known_outcome()), (Some(4008), None));
    // One that answers stays for as long as it likes.
    let mut polite = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
    let left = timeout(8 * short, polite.closed()).await;
    assert!(left.is_err(), "{left:?}");
}

/// D4: a handshake that does not come, or comes by one byte a second, is not waited for; the session is there for the next viewer.
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_has_a_deadline() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let act = stage.open().await.unwrap();
    let tickets = [act.opened.clone(), stage.ticket(&act.session).unwrap()];
    let [silent, slow] = tickets.map(|ticket| dial_later(stage.url.clone(), ticket));
    let slow = async {
        let (mut sink, source) = slow.await.split();
        let speaking = tokio::spawn(async move {
            for byte in b"RFB 003.008\n\x01\x01".iter().cycle() {
                if sink.send(Message::Binary(vec![*byte].into())).await.is_err() {
                    return;
                }
                sleep(Duration::from_secs(1)).await;
            }
        });
        let code = close_code(source).await;
        speaking.abort();
        code
    };
    let silent = async { close_code(silent.await).await };
    assert_eq!(tokio::join!(silent, slow), (4008, 4008));
    assert!(!act.session.is_ending());
    Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
}

async fn dial_later(url: String, ticket: Opened) -> Socket {
    dial(&url, &ticket, None).await.unwrap()
}

async fn close_code(mut source: impl StreamExt<Item = Result<Message, impl std::fmt::Debug>> + Unpin) -> u16 {
    let waiting = async {
        loop {
            if let Message::Close(frame) = source.next().await.expect("a close frame").unwrap() {
                return u16::from(frame.expect("a code").code);
            }
        }
    };
    timeout(PATIENCE, waiting).await.expect("the gate does not close")
}

/// D5: a flood of requests for the whole screen costs the desktop nothing and is answered once a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refreshes_is_answered_once_a_second() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    act.desktop.show(&filled(SIZE.bounds(), [1, 2, 3, 0])).await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let started = Instant::now();
    let mut updates = 0;
    for _ in 0..20 {
        viewer.send(&[3, 0, 0, 0, 0, 0, 0, 64, 0, 48].repeat(200)).await.unwrap();
        let heard = viewer.listen(Duration::from_millis(100)).await.unwrap();
        updates += heard.iter().filter(|message| **message == Heard::Update).count();
    }
    let most = 2 + started.elapsed().as_secs();
    assert!((1..=most).contains(&(updates as u64)), "{updates} whole screens, at most {most}");
    let said = act.desktop.messages().unwrap();
    assert_eq!(requests(&said).filter(|request| request[1] == 0).count(), 1, "the gate's own first one");
    assert_eq!(requests(&said).count(), 2, "and the one that is outstanding");
}

/// D6, R2: a viewer that asks and never reads is dropped; what the desktop shows meanwhile is on the record, and the session lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_stops_reading_is_dropped_and_the_record_goes_on() {
    // Raw pixels of four megabytes an update: the buffers of two sockets are soon full.
    let size = Size::new(1280, 800);
    let mut stage = Stage::start(size).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let started = Instant::now();
    let mut shown = 0u64;
    while act.session.viewers() > 0 || shown == 0 {
        shown += 1;
        act.desktop.show(&filled(size.bounds(), [(shown % 200) as u8; 4])).await.unwrap();
        let _ = viewer.request(true).await;
        assert!(started.elapsed() < PATIENCE * 2, "it is still there");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(!act.session.is_ending());
    let mut second = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
    second.watch("the newest picture", |viewer| viewer.pixel(9, 9) == [(shown % 200) as u8; 3]).await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!(record.report.revisions, Some(shown), "every picture");
    assert_eq!(record.report.gaps, Some(0));
    let left = record.of_type("viewer_left");
    assert!(left.iter().any(|event| event["reason"] == "the viewer did not keep up"), "{left:?}");
}

/// D7: a desktop that speaks without being asked is read at a bounded rate: it keeps itself waiting, and nobody else busy.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_that_never_stops_talking_keeps_itself_waiting() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let (started, mut bells) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(2) {
        let said = timeout(Duration::from_millis(100), act.desktop.say(&[2; 4096])).await;
        bells += if said.is_ok() { 4096 } else { 0 };
    }
    // What two reads take, what the socket holds, and what the rate lets through; unpaced it is several millions.
    assert!(bells < 1_000_000, "{bells} bells were taken in {:?}", started.elapsed());
    assert!(bells > 10_000, "an honest burst is taken at once: {bells}");
}

/// D7: eight times as many tiny rectangles, byte by byte, take about eight times as long; a parser that began anew would take 64 times.
#[test]
fn tiny_rectangles_take_linear_time() {
    let time = |count: u16| (0..3).map(|_| specks(count)).min().unwrap();
    let (few, many) = (time(8_191), time(65_528));
    assert!(many < few * 24, "{few:?} for 8,191 and {many:?} for 65,528");
}

fn specks(count: u16) -> Duration {
    let size = Size::new(3840, 2160);
    let (mut connection, mut screen) = (Connection::new(Config::default()), Screen::new(size));
    connection.receive(&greeting(size, b"")).unwrap();
    let place = |n: u16| Rect::new((u32::from(n) * 7919 % 3840) as u16, (u32::from(n) * 4729 % 2160) as u16, 1, 1);
    let bytes = update(&(0..count).map(|n| rectangle(place(n), 0, &[1; 4])).collect::<Vec<_>>());
    let started = Instant::now();
    for byte in bytes.chunks(1) {
        for event in connection.receive(byte).unwrap() {
            let Event::Update(changes) = event else { panic!("{event:?}") };
            assert_eq!(changes.len(), usize::from(count));
            screen.apply(&changes).unwrap();
        }
    }
    assert_eq!(screen.revision(), 1);
    started.elapsed()
}

/// A frame from a viewer: its first byte, the bytes of its length, and a body under a mask of zeros.
fn frame(first: u8, length: &[u8], body: &[u8]) -> Vec<u8> {
    let mut length = length.to_vec();
    length[0] |= 0x80;
    [&[first], length.as_slice(), &[0; 4], body].concat()
}

/// D8: frames that break RFC 6455 or the cap, and text, end the session as a violation; nothing is compressed.
#[tokio::test(flavor = "multi_thread")]
async fn broken_frames_are_a_violation() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let pieces = |count: usize| {
        let piece = vec![0; 1 << 16];
        let first = frame(0x02, &[127, 0, 0, 0, 0, 0, 1, 0, 0], &piece);
        [first, frame(0x00, &[127, 0, 0, 0, 0, 0, 1, 0, 0], &piece).repeat(count)].concat()
    };
    let cases: [(&str, Vec<u8>, &str); 15] = [
        ("no mask", vec![0x82, 1, 0], "unmasked"),
        ("RSV1, as a compressed message has it", frame(0xc2, &[1], &[0]), "Reserved bits"),
        ("RSV2", frame(0xa2, &[1], &[0]), "Reserved bits"),
        ("RSV3", frame(0x92, &[1], &[0]), "Reserved bits"),
        ("an opcode without a meaning", frame(0x83, &[0], &[]), "invalid opcode"),
        ("a control opcode without a meaning", frame(0x8b, &[0], &[]), "invalid opcode"),
        ("a ping in pieces", frame(0x09, &[0], &[]), "Fragmented control"),
        ("a ping of 126 bytes", frame(0x89, &[126, 0, 126], &[0; 126]), "too big"),
        ("a continuation of nothing", frame(0x80, &[0], &[]), "nothing to continue"),
        ("a close frame of one byte", frame(0x88, &[1], &[0]), "Invalid close"),
        ("text", frame(0x81, &[0], &[]), "a text frame"),
        ("text that is none", frame(0x81, &[1], &[0xff]), "a text frame"),
        ("a frame of 2^62 bytes", frame(0x82, &[127, 0x40, 0, 0, 0, 0, 0, 0, 0], &[]), "over the size limit"),
        (
            "a frame of 2^64 - 1 bytes",
            frame(0x82, &[127, 255, 255, 255, 255, 255, 255, 255, 255], &[]),
            "over the size",
        ),
        ("a message of 2 MiB in pieces", pieces(32), "over the size limit"),
    ];
    for (name, bytes, word) in cases {
        let act = stage.open().await.unwrap();
        let (mut stream, answer) = upgrade(&stage.url, &act.opened).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{name}: {answer}");
        assert!(!answer.to_lowercase().contains("sec-websocket-extensions"), "no compression is agreed: {answer}");
        // The gate may close before it has read all of it.
        let _ = stream.write_all(&bytes).await;
        let outcome = stage.outcome(&act.session).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let Outcome::Violation { side: "viewer", reason } = &outcome else { panic!("{name}: {outcome}") };
        assert!(reason.contains(word), "{name}: {reason}");
        let closed = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "{name}: the connection stays open");
        stage.end(&act.session).await.unwrap();
    }
}

/// D8: a connection that breaks is a viewer that left: the session stays for the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_no_violation() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let act = stage.open().await.unwrap();
    for bytes in [&[][..], &[0x82, 0xff], &frame(0x82, &[5], &[2])] {
        let (mut stream, _) = upgrade(&stage.url, &stage.ticket(&act.session).unwrap()).await;
        until("the viewer is there", async || Ok((act.session.viewers() == 1).then_some(()))).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        drop(stream);
        until("the viewer has left", async || Ok((act.session.viewers() == 0).then_some(()))).await.unwrap();
        assert!(act.session.known_outcome().is_none(), "{:?}", act.session.known_outcome());
    }
}

/// A WebSocket by hand, which offers compression; the connection and the head of the answer.
async fn upgrade(url: &str, opened: &Opened) -> (TcpStream, String) {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\
         Sec-WebSocket-Protocol: binary, ticket.{}\r\n\r\n",
        opened.rfb, opened.ticket
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}
