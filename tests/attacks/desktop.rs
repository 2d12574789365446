//! A hostile desktop, scripted: whatever it sends ends its session with a reason, the evidence is sealed and proves, the gate lives on.

use portcullis_proxy::Outcome;
use portcullis_rfb::{Rect, Size};
use portcullis_tests::Stage;
use portcullis_tests::puppet::{greeting, rectangle, update};

const SIZE: Size = Size::new(64, 48);

/// An update of one rectangle of 8x8 at 0,0.
fn coded(encoding: i32, body: &[u8]) -> Vec<u8> {
    update(&[rectangle(Rect::new(0, 0, 8, 8), encoding, body)])
}

/// An update of a rectangle's header alone.
fn header(x: u16, y: u16, width: u16, height: u16, encoding: i32) -> Vec<u8> {
    update(&[rectangle(Rect::new(x, y, width, height), encoding, &[])])
}

/// Bytes of a desktop that is asked for pixels, and a word of the reason with which its session ends.
fn attacks() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let fence = |length: u8| [vec![248, 0, 0, 0, 0x80, 0, 0, 0, length], vec![0; usize::from(length)]].concat();
    vec![
        ("S1 a fence of 65 bytes", fence(65), "ServerFence"),
        ("S1 a fence, which nobody asked for", fence(4), "ServerFence"),
        ("S4 a rectangle without area", header(0, 0, 0, 8, 0), "FramebufferUpdate"),
        ("S7 a message of KasmVNC, or gii", vec![253, 0, 0, 0, 4, 1, 2, 3, 4], "gii or KasmVNC UserAdded"),
        ("S7 a message of KasmVNC, or VMware", vec![254, 0, 0, 0, 0], "VMware or KasmVNC UserRemoved"),
        ("S7 KasmVNC's clipboard", vec![180, 1, 0, 0, 0, 0, 0], "KasmVNC BinaryClipboard"),
        ("S7 KasmVNC's video, or ZYWRLE", coded(17, &[0; 8]), "ZYWRLE or KasmVideo"),
        ("S9 cut text of 4 GiB", vec![3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], "ServerCutText"),
        ("S9 cut text of i32::MIN", vec![3, 0, 0, 0, 0x80, 0, 0, 0], "ServerCutText"),
        ("S10 another pixel format in mid-stream", coded(0x574d_5669, &[0; 16]), "VMware Display Mode Change"),
        ("S11 a cursor that nests an encoding", coded(-314, &[0xff, 0xff, 0xff, 0x20]), "CursorWithAlpha"),
        ("C7 a file transfer", vec![7; 16], "FileTransfer"),
        ("C7 a list of files", vec![130; 16], "FileListData"),
        ("C7 a chat", vec![11, 0, 0, 0, 0, 0, 0, 1, b'x'], "TextChat"),
        ("C8 a word on power", vec![250, 0, 1, 1], "xvp"),
        ("C9 audio", vec![255, 1, 0, 2, 0, 0, 0, 4], "QEMU"),
        ("X1 a name", coded(-307, b"\0\0\0\x06SECRET"), "DesktopName"),
        ("X3 the lights of the keyboard", coded(-261, &[7]), "LED State"),
        ("X3 the same as VMware has them", coded(0x574d_5668, &[0, 0, 0, 7]), "VMware LED State"),
        ("X4 a cursor's place", header(1, 1, 0, 0, -232), "PointerPos"),
        ("X5 a colour map", vec![1, 0, 0, 0, 0xff, 0xff], "SetColourMapEntries"),
        ("X6 a reason that means nothing", header(3, 0, 64, 48, -308), "reason 3"),
        ("D2 a screen of 65535x65535", header(0, 0, 0xffff, 0xffff, -223), "65535x65535"),
        ("CVE-2019-15690 a cursor of 65535x65535", header(0, 0, 0xffff, 0xffff, -239), "65535x65535"),
        ("CVE-2019-15692 a copy from beyond the screen", coded(1, &[0xff, 0xff, 0, 0]), "not within the framebuffer"),
        ("a rectangle beyond the screen", header(60, 0, 8, 8, 0), "not within the framebuffer"),
        ("an encoding that was not asked for", coded(16, &[0; 4]), "was not asked for"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_ends_the_session_with_a_reason() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    for (name, attack, word) in attacks() {
        let mut act = stage.open().await.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        // What follows a layout's header is its screens: enough of them for any reason to be looked at.
        act.desktop.answer(&[attack, vec![0; 64]].concat()).await.unwrap();
        let outcome = stage.outcome(&act.session).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let Outcome::Violation { side: "desktop", reason } = &outcome else { panic!("{name}: {outcome}") };
        assert!(reason.contains(word), "{name}: {reason}");
        let record = stage.end(&act.session).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let violations = record.of_type("protocol_violation");
        assert_eq!(violations.len(), 1, "{name}");
        assert_eq!((&violations[0]["side"], &violations[0]["reason"]), (&"desktop".into(), &reason.as_str().into()));
        assert_eq!(stage.count(), 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_of_garbage_opens_nothing() {
    let init = |size: Size, name: &[u8]| greeting(size, name);
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("garbage", vec![0xee; 64], "is not RFB"),
        ("another product", b"RFB 005.000\n".to_vec(), "is not 3.3, 3.7 or 3.8"),
        ("KasmVNC, which speaks HTTP first", b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), "KasmVNC"),
        ("a repeater", b"RFB 000.000\n".to_vec(), "repeater"),
        ("no way to authenticate that was agreed", b"RFB 003.008\n\x01\x02".to_vec(), "VNC Authentication"),
        ("no security type and a reason of 4 GiB", b"RFB 003.008\n\x00\xff\xff\xff\xff".to_vec(), "4294967295"),
        ("D2 a screen of 65535x65535", init(Size::new(0xffff, 0xffff), b""), "65535x65535"),
        ("X1 a name of 1000 bytes", init(SIZE, &[b'x'; 1000]), "1000 is over 256"),
    ];
    for (name, script, word) in cases {
        let mut stage = Stage::greeted(SIZE, script).await.unwrap();
        let refused = stage.open().await.err().unwrap_or_else(|| panic!("{name}: it was opened")).to_string();
        assert!(refused.contains(word), "{name}: {refused}");
        assert_eq!(stage.count(), 0, "{name}: its place is given back");
        let left = std::fs::read_dir(stage.spool()).unwrap().count();
        assert_eq!(left, 0, "{name}: what was recorded of it is sealed and out of the spool");
    }
}
