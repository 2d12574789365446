//! A hostile viewer: whatever it sends ends its session with a reason, and never the gate.

use portcullis_tests::gate::Plan;
use portcullis_tests::viewer::{Socket, dial};
use portcullis_tests::{Gate, Viewer};
use tokio_tungstenite::tungstenite::Message;

fn plan() -> Plan {
    Plan::new("[[desktops]]\nname = \"desk\"\nsize = \"320x240\"\nprocess = { programs = [] }\n")
}

/// What a viewer sends after its handshake, and a word of the reason with which it is closed (1002).
fn attacks() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let cut = |length: u32| [vec![6, 0, 0, 0], length.to_be_bytes().to_vec()].concat();
    let mut cases = vec![
        ("S9 cut text of 4 GiB", cut(0xffff_ffff), "ClientCutText"),
        ("S9 cut text of i32::MIN", cut(0x8000_0000), "ClientCutText"),
        ("C1 extended clipboard", [cut(4u32.wrapping_neg()), vec![0x10, 0, 0, 1]].concat(), "ClientCutText"),
        ("S1 fence of 65 bytes", [vec![248, 0, 0, 0, 0, 0, 0, 0, 65], vec![0; 65]].concat(), "ence"),
        (
            "S8 a pixel format of 8 bits",
            [vec![0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6], vec![0; 3]].concat(),
            "SetPixelFormat",
        ),
        ("too many encodings", [vec![2, 0, 0xff, 0xff], vec![0; 64]].concat(), "SetEncodings"),
        (
            "D1 a screen of 32767x32767",
            [vec![251, 0, 0x7f, 0xff, 0x7f, 0xff, 1, 0], vec![0; 16]].concat(),
            "SetDesktopSize",
        ),
    ];
    // C7, C8, C9: file transfer, chat, power, audio, relays of every dialect.
    for kind in [
        1u8, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 80, 127, 128, 130, 131, 132, 133, 134, 135, 136, 178, 180, 181,
        182, 183, 245, 249, 250, 252, 253, 254,
    ] {
        cases.push(("C7 a message that is not RFB's core", vec![kind; 16], ""));
    }
    cases
}

async fn connect(gate: &Gate) -> (Viewer, String) {
    let opened = gate.api("mallory", "testers", "desk").unwrap().open("desk").await.unwrap();
    (Viewer::connect(&gate.url, &opened).await.unwrap(), opened.id)
}

#[tokio::test]
async fn every_attack_ends_the_session_with_a_reason_and_never_the_gate() {
    let gate = Gate::start(&plan()).await.unwrap();
    for (name, bytes, word) in attacks() {
        let (mut viewer, session) = connect(&gate).await;
        viewer.send(&bytes).await.unwrap();
        let frame = viewer.closed().await.unwrap_or_else(|error| panic!("{name} {:?}: {error:#}", &bytes[..1]));
        assert_eq!(u16::from(frame.code), 1002, "{name}: {frame:?}");
        assert!(frame.reason.contains("viewer broke the protocol") && frame.reason.contains(word), "{name}: {frame:?}");
        gate.api("mallory", "testers", "desk").unwrap().wait_gone(&session).await.unwrap();
        let bundle = gate.bundle(&session).unwrap();
        let events = std::fs::read_to_string(bundle.join("events/00001.jsonl")).unwrap();
        assert!(events.contains("protocol_violation"), "{name}: {events}");
    }
    assert_eq!(
        gate.api("mallory", "testers", "desk").unwrap().get("/api/sessions").await.unwrap()["sessions"],
        serde_json::json!([])
    );
}

/// Bytes instead of a handshake; the WebSocket's own rules broken.
#[tokio::test]
async fn a_handshake_of_garbage_is_closed() {
    let gate = Gate::start(&plan()).await.unwrap();
    let cases: [(&str, Message, u16); 5] = [
        ("garbage", Message::Binary(vec![0xff; 64].into()), 1002),
        ("another version", Message::Binary(b"RFB 004.001\n".to_vec().into()), 1002),
        ("HTTP", Message::Binary(b"GET / HTTP/1.1\r\n\r\n".to_vec().into()), 1002),
        ("a security type that was not offered", Message::Binary(b"RFB 003.008\n\x02".to_vec().into()), 1002),
        ("a text frame", Message::Text("RFB 003.008\n".into()), 1002),
    ];
    for (name, message, code) in cases {
        let opened = gate.api("mallory", "testers", "desk").unwrap().open("desk").await.unwrap();
        let socket: Socket = dial(&gate.url, &opened, None).await.unwrap();
        let frame = closed_after(socket, message).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(frame, code, "{name}");
        gate.api("mallory", "testers", "desk").unwrap().wait_gone(&opened.id).await.unwrap();
    }
}

/// D8: what is over the cap is not read to its end, so the connection may break before the close frame is seen; the event says why.
#[tokio::test]
async fn a_message_over_the_cap_ends_the_session() {
    let gate = Gate::start(&plan()).await.unwrap();
    let (mut viewer, session) = connect(&gate).await;
    let _ = viewer.send(&vec![0; 2 << 20]).await;
    gate.api("mallory", "testers", "desk").unwrap().wait_gone(&session).await.unwrap();
    let events = std::fs::read_to_string(gate.bundle(&session).unwrap().join("events/00001.jsonl")).unwrap();
    assert!(events.contains("over the size limit"), "{events}");
}

async fn closed_after(mut socket: Socket, message: Message) -> anyhow::Result<u16> {
    use futures_util::{SinkExt, StreamExt};
    // The gate may close while an oversized message is still being written.
    let _ = socket.send(message).await;
    let wait = async {
        while let Some(message) = socket.next().await {
            if let Message::Close(Some(frame)) = message? {
                return Ok(u16::from(frame.code));
            }
        }
        anyhow::bail!("the connection ended without a close frame")
    };
    tokio::time::timeout(portcullis_tests::PATIENCE, wait).await?
}

/// S12, D3: half a message, then silence and departure: the record goes on and the session lives for the next viewer.
#[tokio::test]
async fn half_a_message_holds_nobody_up() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("mallory", "testers", "desk").unwrap();
    let (mut half, session) = connect(&gate).await;
    half.send(&[6, 0, 0, 0, 0, 0, 1, 0, b'x']).await.unwrap();
    let mut other = Viewer::connect(&gate.url, &api.ticket(&session).await.unwrap()).await.unwrap();
    other.watch("the screen", |viewer| viewer.width == 320).await.unwrap();
    half.close().await.unwrap();
    other.request(false).await.unwrap();
    assert_eq!(api.get(&format!("/api/sessions/{session}")).await.unwrap()["state"], "live");
}

/// S12: one byte at a time is the same conversation.
#[tokio::test]
async fn one_byte_a_frame_is_the_same_conversation() {
    let gate = Gate::start(&plan()).await.unwrap();
    let (mut viewer, _) = connect(&gate).await;
    for byte in [3u8, 0, 0, 0, 0, 0, 1, 64, 0, 240] {
        viewer.send(&[byte]).await.unwrap();
    }
    assert_eq!(viewer.hear().await.unwrap(), portcullis_tests::viewer::Heard::Update);
    assert_eq!(viewer.pixels.len(), 320 * 240 * 4);
}

/// X1: what a desktop calls itself reaches nobody.
#[tokio::test]
async fn the_desktops_name_does_not_cross() {
    let gate = Gate::start(&plan()).await.unwrap();
    let opened = gate.api("mallory", "testers", "desk").unwrap().open("desk").await.unwrap();
    let desktop = portcullis_tests::DesktopProbe::find(&opened.id).await.unwrap();
    // Two locks: Xvnc lets nobody inside change what is configured, and what it calls itself is not what viewers are told.
    let _ = desktop.run("vncconfig", &["-set", "desktop=EXFILTRATED"]);
    assert_eq!(desktop.run("vncconfig", &["-get", "desktop"]).unwrap().trim(), "portcullis");
    assert!(desktop.name().await.unwrap().contains("portcullis"));
    let viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    assert_eq!(viewer.name, "desk");
}

/// D4: a header or a body that never ends holds nobody up, and is not waited for.
#[tokio::test]
async fn half_a_request_is_not_waited_for() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let gate = Gate::start(&plan()).await.unwrap();
    let address = gate.url.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let mut half = tokio::net::TcpStream::connect(&address).await.unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: ").await.unwrap();
    gate.api("mallory", "testers", "desk").unwrap().get("/api/desktops").await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(portcullis_tests::PATIENCE, half.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the connection is still open after {:?}", portcullis_tests::PATIENCE);
}
