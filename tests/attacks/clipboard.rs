//! Rows C, S and R of the threat model that concern the clipboard, against a real Xvnc and its X clipboard.

use std::io::Write;
use std::process::Child;
use std::time::Duration;

use portcullis_tests::clipboard::{
    CAPS, NOTIFY, PEEK, PROVIDE, REQUEST, TEXT, caps, cut_text, encodings, extended, provide, zlib,
};
use portcullis_tests::gate::Plan;
use portcullis_tests::viewer::{Heard, dial};
use portcullis_tests::{Api, DesktopProbe, Gate, Opened, Viewer, until};

/// A session on an empty desktop whose clipboard holds "its own".
struct Desk {
    gate: Gate,
    api: Api,
    opened: Opened,
    desktop: DesktopProbe,
    owners: Vec<Child>,
}

impl Desk {
    /// Under the tests' policy, with these rules beside it.
    async fn open(rules: &str) -> Self {
        let plan = Plan::new("[[desktops]]\nname = \"desk\"\nsize = \"320x240\"\nprocess = { programs = [] }\n");
        let policy = format!("policy: clipboard\napplies: {{groups: [testers]}}\n{rules}\n");
        let plan = if rules.is_empty() { plan } else { plan.policy("clipboard.yaml", &policy) };
        let gate = Gate::start(&plan).await.unwrap();
        let api = gate.api("mallory", "testers", "desk").unwrap();
        let opened = api.open("desk").await.unwrap();
        let desktop = DesktopProbe::find(&opened.id).await.unwrap();
        let mut desk = Self { gate, api, opened, desktop, owners: Vec::new() };
        // Until the extended clipboard is agreed with it, Xvnc pushes what is copied by the classic message.
        until("the extended clipboard is agreed", async || {
            let session = desk.api.get(&format!("/api/sessions/{}", desk.opened.id)).await?;
            Ok((session["clipboard"] == "unicode").then_some(()))
        })
        .await
        .unwrap();
        desk.copy("clipboard", b"its own").await;
        desk
    }

    async fn viewer(&self) -> Viewer {
        Viewer::connect_extended(&self.gate.url, &self.opened).await.unwrap()
    }

    /// A program on the desktop copies, and has copied.
    async fn copy(&mut self, selection: &str, text: &[u8]) {
        let mut owner = self.desktop.spawn("xclip", &["-selection", selection, "-quiet"]).unwrap();
        owner.stdin.take().unwrap().write_all(text).unwrap();
        self.owners.push(owner);
        until("it has copied", async || Ok((self.read(selection).await.as_bytes() == text).then_some(())))
            .await
            .unwrap();
    }

    /// What a program on the desktop reads from a selection.
    async fn read(&self, selection: &str) -> String {
        let (desktop, selection) = (self.desktop.clone(), selection.to_owned());
        let reading = move || desktop.run("xclip", &["-selection", &selection, "-o"]).unwrap_or_default();
        tokio::task::spawn_blocking(reading).await.unwrap()
    }

    /// Waits until a program on the desktop pastes this.
    async fn pastes(&self, text: &str) {
        until("the paste arrives", async || Ok((self.read("clipboard").await == text).then_some(()))).await.unwrap();
    }

    /// The session lives: what is typed and pasted now arrives. Returns everything that was heard of the clipboard before.
    async fn lives(&self, viewer: &mut Viewer) -> Vec<Heard> {
        let state = self.api.get(&format!("/api/sessions/{}", self.opened.id)).await.unwrap();
        assert_eq!(state["state"], "live");
        // What was said before is acted on before: an update that is asked for now comes behind its answers.
        viewer.request(false).await.unwrap();
        let mut heard = Vec::new();
        loop {
            match viewer.hear().await.unwrap() {
                Heard::Update => break,
                other => heard.push(other),
            }
        }
        heard.extend(viewer.listen(Duration::from_millis(500)).await.unwrap());
        heard.retain(|heard| matches!(heard, Heard::CutText(_) | Heard::Clipboard(..)));
        heard
    }

    /// Waits until so many events of a kind are on the record of the live session.
    async fn recorded(&self, kind: &str, count: usize) {
        let folder = self.gate.data().join("spool").join(&self.opened.id).join("bundle/events");
        let (what, mark) = (format!("{count} events of {kind}"), format!("\"type\":\"{kind}\""));
        until(&what, async || {
            let mut found = 0;
            for name in std::fs::read_dir(&folder)? {
                found += std::fs::read_to_string(name?.path())?.matches(&mark).count();
            }
            Ok((found >= count).then_some(()))
        })
        .await
        .unwrap();
    }

    /// Ends the session; its events of a kind.
    async fn events(&mut self, kind: &str) -> Vec<serde_json::Value> {
        let _ = self.api.end(&self.opened.id).await;
        self.api.wait_gone(&self.opened.id).await.unwrap();
        for owner in &mut self.owners {
            let _ = owner.kill();
            let _ = owner.wait();
        }
        let bundle = self.gate.bundle(&self.opened.id).unwrap();
        assert!(self.gate.verify(&bundle).unwrap().0);
        let mut events = Vec::new();
        for name in std::fs::read_dir(bundle.join("events")).unwrap() {
            let text = std::fs::read_to_string(name.unwrap().path()).unwrap();
            events.extend(text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()));
        }
        events.sort_by_key(|event| event["seq"].as_u64());
        events.retain(|event| event["type"] == kind);
        events
    }

    /// Resident memory of the gate in KiB.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.gate.pid().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

const BOTH: &str = "allow: {paste: {}, copy: {}}";

#[tokio::test]
async fn c1_no_form_of_a_denied_paste_changes_the_desktop() {
    let mut desk = Desk::open("").await;
    let mut viewer = desk.viewer().await;
    viewer.cut_text(b"classic").await.unwrap();
    viewer.send(&extended(NOTIFY | TEXT, &[])).await.unwrap();
    viewer.send(&provide("extended")).await.unwrap();
    assert_eq!(desk.lives(&mut viewer).await, [], "nobody asks for what is not permitted");
    assert_eq!(desk.read("clipboard").await, "its own");
    // KasmVNC's form is another protocol: it ends the session.
    viewer
        .send(&[180, 1, 10, b't', b'e', b'x', b't', b'/', b'p', b'l', b'a', b'i', b'n', 0, 0, 0, 1, b'x'])
        .await
        .unwrap();
    let frame = viewer.closed().await.unwrap();
    assert!(u16::from(frame.code) == 1002 && frame.reason.contains("BinaryClipboard"), "{frame:?}");
    let pastes = desk.events("paste").await;
    let bytes: Vec<_> = pastes.iter().map(|event| (event["effect"].clone(), event["bytes"].clone())).collect();
    assert_eq!(bytes, [("deny".into(), 7.into()), ("deny".into(), 0.into()), ("deny".into(), 0.into())]);
}

#[tokio::test]
async fn c2_a_denied_copy_sends_nothing_and_is_not_even_asked_for() {
    let mut desk = Desk::open("").await;
    let mut viewer = desk.viewer().await;
    desk.copy("clipboard", b"secret in CLIPBOARD").await;
    desk.copy("primary", b"secret in PRIMARY").await;
    // Whatever the viewer asks or claims.
    viewer.send(&caps(20 << 20)).await.unwrap();
    viewer.send(&extended(REQUEST | TEXT, &[])).await.unwrap();
    viewer.send(&extended(PEEK, &[])).await.unwrap();
    desk.copy("clipboard", b"secret once more").await;
    desk.recorded("copy", 3).await;
    assert_eq!(desk.lives(&mut viewer).await, [Heard::Clipboard(NOTIFY, Vec::new())], "there is nothing to have");
    let copies = desk.events("copy").await;
    assert!(copies.iter().all(|event| event["effect"] == "deny" && event["sha256"] == "" && event["bytes"] == 0));
    assert!(!desk.gate.log_text().contains("secret"));
}

#[tokio::test]
async fn c3_a_viewer_that_would_take_20_mib_unasked_gets_nothing_unasked() {
    let mut desk = Desk::open(BOTH).await;
    let mut viewer = desk.viewer().await;
    viewer.send(&caps(20 << 20)).await.unwrap();
    desk.copy("clipboard", b"copied").await;
    desk.recorded("copy", 2).await;
    let heard = desk.lives(&mut viewer).await;
    assert!(!heard.is_empty());
    assert!(heard.iter().all(|heard| *heard == Heard::Clipboard(NOTIFY | TEXT, Vec::new())), "{heard:?}");
}

#[tokio::test]
async fn c4_a_zip_bomb_is_cut_short() {
    let mut desk = Desk::open(BOTH).await;
    let mut viewer = desk.viewer().await;
    viewer.paste("before").await.unwrap();
    desk.pastes("before").await;
    let size = |size: u32| size.to_be_bytes();
    let zeros = vec![b'a'; 64 << 20];
    let bombs = [
        // It says what it is; it says less; it claims 4 GiB; it goes on behind a small text.
        (zlib(&[&size(64 << 20)[..], &zeros].concat()), 64_u64 << 20),
        (zlib(&[&size(2 << 20)[..], &zeros].concat()), 2 << 20),
        (zlib(&[&size(u32::MAX)[..], b"little"].concat()), u64::from(u32::MAX)),
    ];
    drop(zeros);
    let resident = desk.resident();
    let mut most = 0;
    for (bomb, _) in &bombs {
        for unasked in [false, true] {
            viewer.send(&extended(NOTIFY | TEXT, &[])).await.unwrap();
            viewer.until_asked().await.unwrap();
            viewer.send(&extended(PROVIDE | TEXT, bomb)).await.unwrap();
            if unasked {
                viewer.send(&extended(PROVIDE | TEXT, bomb)).await.unwrap();
                viewer.until_asked().await.unwrap();
                viewer.send(&extended(PROVIDE | TEXT, &zlib(&[0, 0, 0, 1, 0]))).await.unwrap();
            }
            viewer.request(true).await.unwrap();
            most = most.max(desk.resident().saturating_sub(resident));
        }
    }
    viewer.paste("after").await.unwrap();
    desk.pastes("after").await;
    // A bomb that goes off is 64 MiB; what the gate does otherwise meanwhile comes and goes by a few.
    assert!(most < 16 * 1024, "{most} KiB more");
    let pastes = desk.events("paste").await;
    for (_, claimed) in bombs {
        let stopped = pastes.iter().filter(|event| event["bytes"] == claimed);
        assert!(stopped.clone().count() >= 2, "{claimed}: {pastes:?}");
        assert!(stopped.clone().all(|event| event["effect"] == "deny" && event["sha256"] == ""));
    }
}

#[tokio::test]
async fn c5_what_hides_behind_a_text_stays_behind() {
    let mut desk = Desk::open(BOTH).await;
    let mut viewer = desk.viewer().await;
    let format = |text: &[u8]| [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat();
    let html = format(b"<b>hidden in another format</b>");
    let cases = [
        (PROVIDE | TEXT, zlib(&format(b"behind a NUL\0hidden\0")), "behind a NUL"),
        (PROVIDE | TEXT, [zlib(&format(b"behind the stream\0")), b"hidden".to_vec()].concat(), "behind the stream"),
        (PROVIDE | TEXT, zlib(&[format(b"behind the size\0"), b"hidden".to_vec()].concat()), "behind the size"),
        (PROVIDE | TEXT | 0b100, zlib(&[format(b"another format\0"), html].concat()), "another format"),
        (PROVIDE | TEXT, zlib(&format(b"line\rends\r\nof\nall\r\n\rkinds\0")), "line\nends\nof\nall\n\nkinds"),
        (
            PROVIDE | TEXT,
            zlib(&format("bidi \u{202e}and\u{200b} the like are text\0".as_bytes())),
            "bidi \u{202e}and\u{200b} the like are text",
        ),
    ];
    for (flags, body, text) in &cases {
        viewer.send(&extended(NOTIFY | TEXT, &[])).await.unwrap();
        viewer.until_asked().await.unwrap();
        viewer.send(&extended(*flags, body)).await.unwrap();
        desk.pastes(text).await;
    }
    // What is no text at all is stopped, and the session goes on.
    let broken: [&[u8]; 4] = [b"overlong \xc0\xaf", b"surrogate \xed\xa0\x80", b"latin1 caf\xe9", b"cut \xf0\x9f\x98"];
    for text in broken {
        viewer.send(&extended(NOTIFY | TEXT, &[])).await.unwrap();
        viewer.until_asked().await.unwrap();
        viewer.send(&extended(PROVIDE | TEXT, &zlib(&format(&[text, &[0]].concat())))).await.unwrap();
    }
    viewer.cut_text(b"classic\0hidden").await.unwrap();
    desk.pastes("classic").await;
    let pastes = desk.events("paste").await;
    let permitted: Vec<_> = pastes.iter().filter(|event| event["effect"] == "permit").collect();
    assert_eq!(permitted.len(), cases.len() + 1, "{pastes:?}");
    for (event, (_, _, text)) in permitted.iter().zip(&cases) {
        assert_eq!(event["bytes"], text.len(), "the record has what crossed, in its one form");
    }
    let stopped = pastes.iter().filter(|event| event["reason"] == "the pasted text cannot be read: it is not UTF-8");
    assert_eq!(stopped.count(), broken.len(), "{pastes:?}");
}

/// S3, S9: frames that do not add up end the session, whether the extension was agreed or not.
#[tokio::test]
async fn s9_lengths_and_flags_that_do_not_add_up_end_the_session() {
    let cases = [
        ("i32::MIN", cut_text(i32::MIN, &[]), "length"),
        ("-1", cut_text(-1, &[0]), "length"),
        ("-3", cut_text(-3, &[0; 3]), "length"),
        ("a request of 5 bytes", extended(REQUEST | TEXT, &[0]), "length"),
        ("a notification of 4 KiB", extended(NOTIFY | TEXT, &[7; 4096]), "length"),
        ("caps that are too short", extended(CAPS | TEXT | 0b110, &[0; 8]), "length"),
        ("caps that are too long", extended(CAPS | TEXT, &[0; 8]), "length"),
        ("two actions", extended(NOTIFY | PROVIDE | TEXT, &[]), "flags"),
        ("no action", extended(TEXT, &[]), "flags"),
        ("an action that is not given out", extended(1 << 29 | TEXT, &[]), "flags"),
        ("a bit without a meaning", extended(NOTIFY | 1 << 20, &[]), "flags"),
    ];
    let gate = {
        let plan = Plan::new("[[desktops]]\nname = \"desk\"\nsize = \"320x240\"\nprocess = { programs = [] }\n");
        Gate::start(&plan.policy("clipboard.yaml", &format!("policy: clipboard\napplies: {{}}\n{BOTH}\n")))
            .await
            .unwrap()
    };
    let api = gate.api("mallory", "testers", "desk").unwrap();
    for (name, bytes, field) in cases {
        let opened = api.open("desk").await.unwrap();
        let mut viewer = Viewer::connect_extended(&gate.url, &opened).await.unwrap();
        viewer.send(&bytes).await.unwrap();
        let frame = viewer.closed().await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let reason = frame.reason.as_str();
        assert!(
            u16::from(frame.code) == 1002 && reason.contains("ClientCutText") && reason.contains(field),
            "{name}: {frame:?}"
        );
        api.wait_gone(&opened.id).await.unwrap();
    }
    // Not agreed: the extension was listed and taken back.
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::handshake(dial(&gate.url, &opened, None).await.unwrap()).await.unwrap();
    viewer.send(&encodings()).await.unwrap();
    viewer.send(&[2, 0, 0, 1, 0, 0, 0, 0]).await.unwrap();
    viewer.send(&provide("smuggled")).await.unwrap();
    let frame = viewer.closed().await.unwrap();
    assert!(frame.reason.contains("was not offered"), "{frame:?}");
}

/// R5: a text over the gate's limit is an event, whichever way it comes.
#[tokio::test]
async fn r5_a_text_of_2_mib_leaves_the_session_alive() {
    let mut desk = Desk::open(BOTH).await;
    let mut viewer = desk.viewer().await;
    let large = "x".repeat(2 << 20);
    viewer.paste(&large).await.unwrap();
    // WebSocket messages are smaller than that.
    let classic = cut_text(2 << 20, large.as_bytes());
    for piece in classic.chunks(512 * 1024) {
        viewer.send(piece).await.unwrap();
    }
    viewer.paste("small").await.unwrap();
    desk.pastes("small").await;
    let pastes = desk.events("paste").await;
    let judged: Vec<_> =
        pastes.iter().map(|event| (event["effect"].as_str().unwrap(), event["bytes"].as_u64().unwrap())).collect();
    assert_eq!(judged, [("deny", (2 << 20) + 1), ("deny", 2 << 20), ("permit", 5)]);
}
