//! All 256 message types in both directions, all sub-types and encodings: who survives is spelled out here, everything else ends it.

use std::fmt::Debug;

use portcullis_rfb::catalogue::{DESKTOP_MESSAGES, VIEWER_MESSAGES, outcome};
use portcullis_rfb::desktop::{self, Event};
use portcullis_rfb::viewer;
use portcullis_rfb::wire::{DesktopMessage, Encoding, SecurityType, ViewerMessage};
use portcullis_rfb::{Limits, ProtocolError, Rect, Size};
use portcullis_tests::puppet::{greeting, rectangle, update};

const SIZE: Size = Size::new(64, 48);

/// What a viewer may say.
const FROM_VIEWERS: [(u8, &str); 10] = [
    (0, "SetPixelFormat"),
    (2, "SetEncodings"),
    (3, "FramebufferUpdateRequest"),
    (4, "KeyEvent"),
    (5, "PointerEvent"),
    (6, "ClientCutText"),
    (150, "EnableContinuousUpdates"),
    (248, "ClientFence"),
    (251, "SetDesktopSize"),
    (255, "QEMU message"),
];

/// What a desktop may say.
const FROM_DESKTOPS: [(u8, &str); 3] = [(0, "FramebufferUpdate"), (2, "Bell"), (3, "ServerCutText")];

/// What a desktop on a local socket may put into an update: it was asked for these.
const ENCODINGS: [i32; 7] = [0, 1, -223, -224, -239, -258, -308];

fn viewer() -> viewer::Connection {
    let config = viewer::Config { name: "desk".into(), size: SIZE, limits: Limits::default(), jpeg: true };
    let mut connection = viewer::Connection::new(config);
    connection.receive(b"RFB 003.008\n\x01\x01").unwrap();
    connection.take_output();
    connection
}

fn desktop() -> desktop::Connection {
    let mut connection = desktop::Connection::new(desktop::Config::default());
    let events = connection.receive(&greeting(SIZE, b"desk")).unwrap();
    assert!(matches!(&events[..], [Event::Ready { .. }]));
    connection.take_output();
    connection
}

/// The refusal, which stays whatever follows.
fn refused<T: Debug>(
    what: &str,
    mut receive: impl FnMut(&[u8]) -> Result<T, ProtocolError>,
    bytes: &[u8],
) -> ProtocolError {
    let error = receive(bytes).expect_err(what);
    assert_eq!(receive(&[0]).expect_err(what), error, "{what}: over is over");
    error
}

#[test]
fn of_all_256_types_of_a_viewer_ten_survive() {
    for code in 0..=255u8 {
        let mut connection = viewer();
        let survivor = FROM_VIEWERS.iter().find(|(survivor, _)| *survivor == code);
        assert_eq!(outcome(VIEWER_MESSAGES, ViewerMessage(code)).survives(), survivor.is_some(), "{code} in the table");
        if let Some((_, name)) = survivor {
            assert_eq!(ViewerMessage(code).name(), Some(*name));
            assert_eq!(connection.receive(&[code]), Ok(Vec::new()), "{name}");
            continue;
        }
        let error = refused(&format!("{code}"), |bytes| connection.receive(bytes), &[code; 64]);
        assert_eq!(error.message, ViewerMessage(code).name().unwrap_or("unknown message"));
        assert_eq!(error.field, "message-type");
        assert!(connection.take_output().is_empty(), "{code} is answered with nothing");
    }
}

#[test]
fn of_all_256_types_of_a_desktop_three_survive() {
    for code in 0..=255u8 {
        let mut connection = desktop();
        let survivor = FROM_DESKTOPS.iter().find(|(survivor, _)| *survivor == code);
        assert_eq!(
            outcome(DESKTOP_MESSAGES, DesktopMessage(code)).survives(),
            survivor.is_some(),
            "{code} in the table"
        );
        if let Some((_, name)) = survivor {
            assert_eq!(DesktopMessage(code).name(), Some(*name));
            assert!(connection.receive(&[code]).is_ok(), "{name}");
            continue;
        }
        let error = refused(&format!("{code}"), |bytes| connection.receive(bytes), &[code; 64]);
        assert_eq!(error.message, DesktopMessage(code).name().unwrap_or("unknown message"));
        assert_eq!(error.field, "message-type");
        assert!(connection.take_output().is_empty(), "{code} is answered with nothing");
    }
}

#[test]
fn of_all_256_messages_of_qemu_one_survives_from_viewers() {
    for kind in 0..=255u8 {
        let answer = viewer().receive(&[255, kind]);
        assert_eq!(answer.is_ok(), kind == 0, "{kind}: {answer:?}");
    }
}

#[test]
fn of_all_encodings_a_desktop_may_use_those_that_it_was_asked_for() {
    let vendors = [0x574d_5600..0x574d_5700, 0x4832_3630..0x4832_3640, 0x5270_6c40..0x5270_6c44];
    let clipboard = Encoding::EXTENDED_CLIPBOARD.0;
    let near = (-140_000..70_000).chain(vendors.into_iter().flatten()).chain([i32::MIN, clipboard, i32::MAX]);
    let mut survivors = Vec::new();
    for number in near {
        let mut connection = desktop();
        match connection.receive(&update(&[rectangle(Rect::new(0, 0, 1, 1), number, &[])])) {
            Ok(_) => survivors.push(number),
            Err(error) => {
                assert_eq!(error.field, format!("rectangle 0 {}", Encoding(number)));
                assert_eq!(error.reason, "was not asked for");
            }
        }
    }
    survivors.sort_by_key(|number| (number.is_negative(), number.abs()));
    assert_eq!(survivors, ENCODINGS);
}

#[test]
fn of_all_256_security_types_a_viewer_may_choose_none_and_a_desktop_must_offer_it() {
    for code in 0..=255u8 {
        let mut connection = viewer::Connection::new(viewer::Config {
            name: String::new(),
            size: SIZE,
            limits: Limits::default(),
            jpeg: true,
        });
        let chosen = connection.receive(&[b"RFB 003.008\n".as_slice(), &[code, 1]].concat());
        assert_eq!(chosen.is_ok(), code == SecurityType::NONE.0, "{code}: {chosen:?}");
        let mut connection = desktop::Connection::new(desktop::Config::default());
        let offered = connection.receive(&[b"RFB 003.008\n\x01".as_slice(), &[code]].concat());
        assert_eq!(offered.is_ok(), code == SecurityType::NONE.0, "{code}: {offered:?}");
    }
}

/// What file transfer, chat, power, input locks, relays and audio look like in the dialects that have them, whole and well-formed.
#[test]
fn files_commands_and_audio_are_refused_by_name() {
    let text = |head: &[u8], text: &[u8]| [head, &(text.len() as u32).to_be_bytes(), text].concat();
    let from_viewers: [(&str, Vec<u8>); 24] = [
        ("UltraVNC FileTransfer", text(&[7, 1, 1, 0, 0, 0, 0, 0], b"C:\\")),
        ("SetScale", vec![8, 2, 0, 0]),
        ("SetServerInput", vec![9, 1, 0, 0]),
        ("SetSW", vec![10, 0, 0, 1, 0, 1]),
        ("TextChat", text(&[11, 0, 0, 0], b"hello")),
        ("TextChat", vec![11, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        ("KeyFrameRequest", vec![12, 0]),
        ("KeepAlive", vec![13]),
        ("PalmVNC SetScaleFactor", vec![15, 2, 0, 0]),
        ("VMware message", vec![127, 0, 0, 8, 0, 0, 0, 0]),
        ("Tight FileListRequest", vec![130, 0, 0, 1, b'/']),
        ("Tight FileDownloadRequest", vec![131, 0, 0, 1, 0, 0, 0, 0, b'f']),
        ("Tight FileUploadRequest", vec![132, 0, 0, 1, 0, 0, 0, 0, b'f']),
        ("Tight FileUploadData", vec![133, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("Tight FileDownloadCancel", vec![134, 0, 0, 0]),
        ("Tight FileUploadFailed", vec![135, 0, 0, 0]),
        ("Tight FileCreateDir", vec![136, 0, 0, 1, b'd']),
        ("KasmVNC BinaryClipboard", text(&[&[180, 1, 10][..], b"text/plain"].concat(), b"secret")),
        ("KasmVNC UpgradeToUdp", vec![181, 0, 0]),
        ("KasmVNC SubscribeUnixRelay", vec![182, 2, b'l', b'p']),
        ("KasmVNC UnixRelay", text(&[183, 2, b'l', b'p'], b"job")),
        ("Replit Audio", vec![245, 0, 0, 0]),
        ("xvp", vec![250, 0, 1, 2]),
        ("gii", vec![253, 0x81, 0, 4, 0, 1, 0, 1]),
    ];
    for (name, bytes) in from_viewers {
        let mut connection = viewer();
        assert_eq!(refused(name, |more| connection.receive(more), &bytes).message, name);
    }
    let mut connection = viewer();
    let audio = refused("audio", |more| connection.receive(more), &[255, 1, 0, 0]);
    assert_eq!((audio.message, audio.field.as_str()), ("QEMU message", "submessage-type"));

    let from_desktops: [(&str, Vec<u8>); 14] = [
        ("UltraVNC ResizeFrameBuffer", vec![4, 0, 0, 64, 0, 48]),
        ("UltraVNC FileTransfer", text(&[7, 2, 1, 0, 0, 0, 0, 0], b"C:\\")),
        ("TextChat", text(&[11, 0, 0, 0], b"hello")),
        ("KeepAlive", vec![13]),
        ("PalmVNC ReSizeFrameBuffer", vec![15; 12]),
        ("Tight FileListData", vec![130, 0, 0, 0, 0, 0, 0, 0]),
        ("Tight FileDownloadData", vec![131, 0, 0, 0, 0, 0]),
        ("Tight FileUploadCancel", vec![132, 0, 0, 0]),
        ("KasmVNC BinaryClipboard", vec![180, 0, 0, 0, 0, 0]),
        ("KasmVNC UpgradeToUdp", vec![181, 0, 0]),
        ("KasmVNC UnixRelay", text(&[183, 2, b'l', b'p'], b"job")),
        ("ServerFence", vec![248, 0, 0, 0, 0x80, 0, 0, 0, 0]),
        ("xvp", vec![250, 0, 1, 1]),
        ("QEMU message", vec![255, 1, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0]),
    ];
    for (name, bytes) in from_desktops {
        let mut connection = desktop();
        assert_eq!(refused(name, |more| connection.receive(more), &bytes).message, name);
    }
}
