//! Rows S and C of the threat model where the desktop is the attacker: what a scripted one says of its clipboard.

use portcullis_proxy::Outcome;
use portcullis_rfb::Size;
use portcullis_tests::clipboard::{CAPS, NOTIFY, PROVIDE, REQUEST, TEXT, zlib};
use portcullis_tests::puppet::of_kind;
use portcullis_tests::stage::Act;
use portcullis_tests::viewer::Heard;
use portcullis_tests::{Stage, Viewer};

const SIZE: Size = Size::new(64, 48);

/// ServerCutText with this length and body, true to each other or not.
fn cut_text(length: i32, body: &[u8]) -> Vec<u8> {
    [&[3, 0, 0, 0][..], &length.to_be_bytes(), body].concat()
}

fn extended(flags: u32, body: &[u8]) -> Vec<u8> {
    cut_text(-i32::try_from(body.len() + 4).unwrap(), &[&flags.to_be_bytes()[..], body].concat())
}

/// TigerVNC's caps.
fn caps() -> Vec<u8> {
    extended(0x1f00_0001, &[0; 4])
}

/// The flags of the extended clipboard messages that a desktop has heard.
fn heard(messages: &[Vec<u8>]) -> Vec<u32> {
    let flags = |message: &Vec<u8>| message.get(8..12).map(|flags| u32::from_be_bytes(flags.try_into().unwrap()));
    of_kind(messages, 6).filter_map(flags).collect()
}

/// A desktop that has said what it can do and was answered.
async fn agreed(stage: &mut Stage) -> Act {
    let mut act = stage.open().await.unwrap();
    act.desktop.say(&caps()).await.unwrap();
    act.desktop.hears("the gate's caps", |messages| heard(messages) == [0x1f00_0001]).await.unwrap();
    act
}

/// Announces a text `count` times in all, is asked each time, and then provides this body.
async fn copies(act: &mut Act, count: usize, body: &[u8]) {
    act.desktop.say(&extended(NOTIFY | TEXT, &[])).await.unwrap();
    let asked = |messages: &[Vec<u8>]| heard(messages).iter().filter(|flags| **flags == REQUEST | TEXT).count();
    act.desktop.hears("a request for the text", |messages| asked(messages) == count).await.unwrap();
    act.desktop.say(&extended(PROVIDE | TEXT, body)).await.unwrap();
}

fn format(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn s2_a_desktop_s_frames_that_do_not_add_up_end_the_session() {
    let cases = [
        ("i32::MIN", cut_text(i32::MIN, &[]), "length"),
        ("-1", cut_text(-1, &[0]), "length"),
        ("-3", cut_text(-3, &[0; 3]), "length"),
        ("a notification of 4 KiB", extended(NOTIFY | TEXT, &[7; 4096]), "length"),
        ("a request of 8 bytes", extended(REQUEST | TEXT, &[0; 4]), "length"),
        ("caps without their sizes", extended(CAPS | TEXT, &[]), "length"),
        ("caps and more", extended(CAPS | TEXT, &[0; 8]), "length"),
        ("two actions", extended(NOTIFY | PROVIDE | TEXT, &[]), "flags"),
        ("no action", extended(TEXT, &[]), "flags"),
        ("a bit without a meaning", extended(NOTIFY | 1 << 16, &[]), "flags"),
    ];
    let mut stage = Stage::start(SIZE).await.unwrap();
    for (name, bytes, field) in cases {
        let mut act = agreed(&mut stage).await;
        act.desktop.say(&bytes).await.unwrap();
        let outcome = stage.outcome(&act.session).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let Outcome::Violation { side: "desktop", reason } = &outcome else { panic!("{name}: {outcome}") };
        assert!(reason.starts_with(&format!("ServerCutText, {field}: ")), "{name}: {reason}");
        stage.end(&act.session).await.unwrap();
    }
    // Before it has said what it can do, it says nothing else of the extension.
    let mut act = stage.open().await.unwrap();
    act.desktop.say(&extended(NOTIFY | TEXT, &[])).await.unwrap();
    assert!(matches!(stage.outcome(&act.session).await.unwrap(), Outcome::Violation { side: "desktop", .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_what_hides_behind_a_copied_text_stays_behind() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = agreed(&mut stage).await;
    let mut viewer = Viewer::connect_extended(&stage.url, &act.opened).await.unwrap();
    let slack = |body: Vec<u8>| [body, b"hidden".to_vec()].concat();
    let cases = [
        (zlib(&format(b"behind a NUL\0hidden\0")), "behind a NUL"),
        (slack(zlib(&format(b"behind the stream\0"))), "behind the stream"),
        (zlib(&[format(b"behind the size\0"), b"hidden".to_vec()].concat()), "behind the size"),
        (zlib(&format(b"line\rends\r\nof\nall\0")), "line\r\nends\r\nof\r\nall"),
    ];
    for (count, (body, text)) in cases.iter().enumerate() {
        copies(&mut act, count + 1, body).await;
        assert_eq!(viewer.copied().await.unwrap(), *text);
    }
    // What is no text at all reaches nobody, and the next one does.
    let broken = [&b"overlong \xc0\xaf\0"[..], b"surrogate \xed\xa0\x80\0"];
    for (count, text) in broken.iter().enumerate() {
        copies(&mut act, cases.len() + count + 1, &zlib(&format(text))).await;
    }
    act.desktop.say(&cut_text(5, b"whole")).await.unwrap();
    assert_eq!(viewer.copied().await.unwrap(), "whole");
    let record = stage.end(&act.session).await.unwrap();
    let copies = record.of_type("copy");
    assert_eq!(copies.iter().filter(|event| event["effect"] == "permit").count(), cases.len() + 1);
    let unread = copies.iter().filter(|event| event["reason"] == "the copied text cannot be read: it is not UTF-8");
    assert_eq!(unread.count(), broken.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn r5_a_desktop_s_bomb_leaves_the_session_alive() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = agreed(&mut stage).await;
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let bomb = zlib(&[&(64_u32 << 20).to_be_bytes()[..], &vec![b'a'; 64 << 20]].concat());
    copies(&mut act, 1, &bomb).await;
    // Pushed, it is no more than an announcement: the gate asks.
    act.desktop.say(&extended(PROVIDE | TEXT, &bomb)).await.unwrap();
    let requests = |messages: &[Vec<u8>]| heard(messages).iter().filter(|flags| **flags == REQUEST | TEXT).count() == 2;
    act.desktop.hears("a request after the push", requests).await.unwrap();
    act.desktop.say(&extended(PROVIDE | TEXT, &zlib(&format(b"small\0")))).await.unwrap();
    act.desktop.say(&cut_text(2 << 20, &vec![b'x'; 2 << 20])).await.unwrap();
    act.desktop.say(&cut_text(5, b"after")).await.unwrap();
    let text = |heard| if let Heard::CutText(text) = heard { Some(text) } else { None };
    assert_eq!(viewer.until("the small text", text).await.unwrap(), "small");
    assert_eq!(viewer.until("the text after it", text).await.unwrap(), "after");
    let record = stage.end(&act.session).await.unwrap();
    let judged: Vec<_> = record
        .of_type("copy")
        .iter()
        .map(|event| (event["effect"].as_str().unwrap().to_owned(), event["bytes"].as_u64().unwrap()))
        .collect();
    let wanted = [("deny", 64 << 20), ("permit", 5), ("deny", 2 << 20), ("permit", 5)];
    assert_eq!(judged, wanted.map(|(effect, bytes)| (effect.to_owned(), bytes)));
}
