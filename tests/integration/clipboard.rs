//! Paste and copy: what policy does not name does not cross, looked at on the X clipboard and on the WebSocket.

use std::io::Write;
use std::process::Child;
use std::time::Duration;

use portcullis_rfb::Size;
use portcullis_tests::clipboard::{NOTIFY, REQUEST, TEXT, extended, provide};
use portcullis_tests::gate::Plan;
use portcullis_tests::puppet::of_kind;
use portcullis_tests::viewer::Heard;
use portcullis_tests::{Api, DesktopProbe, Gate, Opened, Stage, Viewer, until};

use super::{CLIPBOARD, events, of_type, plan};

/// Text of four scripts, with both kinds of line end, as it is sent and as it arrives.
const MIXED: &str = "é 漢字 😀 ‏שלום\r\nline\n";
const ARRIVED: &str = "é 漢字 😀 ‏שלום\nline\n";

/// Everything may cross, up to the gate's own limit.
const OPEN: &str =
    "policy: clipboard\napplies: {groups: [testers], desktops: [desk, bare]}\nallow: {paste: {}, copy: {}}\n";

/// Puts text on the desktop's clipboard, as a program there does.
pub(crate) fn copy(desktop: &DesktopProbe, selection: &str, text: &[u8]) -> Owner {
    let mut owner = desktop.spawn("xclip", &["-selection", selection, "-quiet"]).unwrap();
    owner.stdin.take().unwrap().write_all(text).unwrap();
    Owner(owner)
}

/// The program that owns the clipboard, for as long as this lives.
pub(crate) struct Owner(Child);

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program on the desktop pastes; empty where nobody has copied.
pub(crate) async fn paste(desktop: &DesktopProbe) -> String {
    let desktop = desktop.clone();
    let pasting = move || desktop.run("xclip", &["-selection", "clipboard", "-o"]).unwrap_or_default();
    tokio::task::spawn_blocking(pasting).await.unwrap()
}

/// A session on the small terminal.
pub(crate) struct Desk {
    pub(crate) gate: Gate,
    pub(crate) api: Api,
    pub(crate) opened: Opened,
    pub(crate) desktop: DesktopProbe,
}

impl Desk {
    pub(crate) async fn open(policy: Option<&str>) -> Self {
        Self::on(&policy.into_iter().fold(plan(), |plan, text| plan.policy("clipboard.yaml", text))).await
    }

    /// The same on a gate that is planned otherwise.
    pub(crate) async fn on(plan: &Plan) -> Self {
        let gate = Gate::start(plan).await.unwrap();
        let api = gate.api("alice", "testers", "desk").unwrap();
        let opened = api.open("desk").await.unwrap();
        let desktop = DesktopProbe::find(&opened.id).await.unwrap();
        // Until the extended clipboard is agreed with it, Xvnc pushes what is copied by the classic message.
        until("the extended clipboard is agreed", async || {
            let session = api.get(&format!("/api/sessions/{}", opened.id)).await?;
            Ok((session["clipboard"] == "unicode").then_some(()))
        })
        .await
        .unwrap();
        Self { gate, api, opened, desktop }
    }

    pub(crate) async fn viewer(&self) -> Viewer {
        let mut viewer = Viewer::connect_extended(&self.gate.url, &self.opened).await.unwrap();
        viewer.watch("the desktop", |viewer| viewer.pixels.iter().any(|byte| *byte != 0)).await.unwrap();
        viewer
    }

    /// Ends the session; the events of its bundle, in which and in the log no content may be.
    pub(crate) async fn close(self, contents: &[&str]) -> Vec<serde_json::Value> {
        let events = self.end().await;
        let everything = format!("{}{}", self.gate.log_text(), serde_json::to_string(&events).unwrap());
        for content in contents {
            assert!(!everything.contains(content), "contents are in the log or in events");
        }
        events
    }

    /// Ends the session; the events of its bundle.
    pub(crate) async fn end(&self) -> Vec<serde_json::Value> {
        self.api.end(&self.opened.id).await.unwrap();
        self.api.wait_gone(&self.opened.id).await.unwrap();
        events(&self.gate.bundle(&self.opened.id).unwrap()).unwrap()
    }

    /// Waits until a program on the desktop pastes this.
    pub(crate) async fn pastes(&self, text: &str) {
        until("the paste arrives", async || Ok((paste(&self.desktop).await == text).then_some(()))).await.unwrap();
    }
}

#[tokio::test]
async fn without_a_rule_nothing_crosses_either_way() {
    let desk = Desk::open(None).await;
    let mut viewer = Viewer::connect(&desk.gate.url, &desk.opened).await.unwrap();
    viewer.watch("the desktop", |viewer| viewer.pixels.iter().any(|byte| *byte != 0)).await.unwrap();

    let _owner = copy(&desk.desktop, "clipboard", b"the desktop's secret");
    desk.pastes("the desktop's secret").await;
    viewer.cut_text(b"smuggled in").await.unwrap();
    let heard = viewer.listen(Duration::from_secs(2)).await.unwrap();
    assert!(!heard.iter().any(|message| matches!(message, Heard::CutText(_))), "{heard:?}");
    assert_eq!(paste(&desk.desktop).await, "the desktop's secret");

    let events = desk.close(&["smuggled", "secret"]).await;
    let (pastes, copies) = (of_type(&events, "paste"), of_type(&events, "copy"));
    assert!(!pastes.is_empty() && !copies.is_empty(), "{events:?}");
    assert!(pastes.iter().chain(&copies).all(|event| event["effect"] == "deny"), "{events:?}");
    assert_eq!((&pastes[0]["bytes"], pastes[0]["sha256"].as_str().unwrap().len()), (&11.into(), 64));
    // The desktop was never asked for its text.
    assert!(copies.iter().all(|event| event["bytes"] == 0 && event["sha256"] == ""), "{copies:?}");
}

#[tokio::test]
async fn with_a_rule_it_crosses_up_to_its_limit() {
    let desk = Desk::open(Some(CLIPBOARD)).await;
    let mut viewer = Viewer::connect(&desk.gate.url, &desk.opened).await.unwrap();
    viewer.watch("the desktop", |viewer| viewer.pixels.iter().any(|byte| *byte != 0)).await.unwrap();
    let allows = &desk.api.get(&format!("/api/sessions/{}", desk.opened.id)).await.unwrap()["allows"];
    assert_eq!((&allows["paste_bytes"], &allows["copy_bytes"]), (&1024.into(), &1024.into()));

    viewer.cut_text(b"caf\xe9 to go").await.unwrap();
    desk.pastes("café to go").await;
    viewer.cut_text(&[b'x'; 1025]).await.unwrap();

    let _owner = copy(&desk.desktop, "clipboard", "out it goes: é €".as_bytes());
    let text = |heard| if let Heard::CutText(text) = heard { Some(text) } else { None };
    let heard = viewer.until("the copy arrives", text).await.unwrap();
    assert_eq!(heard, "out it goes: é ?", "a viewer of classic cut text");
    let events = desk.close(&["to go", "out it goes"]).await;
    let pastes = of_type(&events, "paste");
    assert_eq!((&pastes[0]["effect"], &pastes[1]["effect"]), (&"permit".into(), &"deny".into()), "{pastes:?}");
    assert!(pastes[1]["rule"].as_str().unwrap().starts_with("clipboard.yaml:"), "{:?}", pastes[1]);
    let lost = of_type(&events, "refused");
    assert!(lost.iter().any(|event| event["what"] == "1 characters of a copy"), "{lost:?}");
}

#[tokio::test]
async fn every_character_crosses_both_ways() {
    let desk = Desk::open(Some(OPEN)).await;
    let mut viewer = desk.viewer().await;
    let session = desk.api.get(&format!("/api/sessions/{}", desk.opened.id)).await.unwrap();
    assert_eq!((&session["clipboard"], &session["allows"]["paste_bytes"]), (&"unicode".into(), &1_048_576.into()));

    viewer.paste(MIXED).await.unwrap();
    desk.pastes(ARRIVED).await;
    let _owner = copy(&desk.desktop, "clipboard", MIXED.as_bytes());
    assert_eq!(viewer.copied().await.unwrap(), ARRIVED.replace('\n', "\r\n"));

    // 1 MiB, of which xclip hands out one byte less in one piece.
    let large: String =
        (0..1_048_576_u32).map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 28) as u8)).collect();
    viewer.paste(&large).await.unwrap();
    desk.pastes(&large).await;
    let _owner = copy(&desk.desktop, "clipboard", &large.as_bytes()[1..]);
    assert!(viewer.copied().await.unwrap() == large[1..]);

    let events = desk.close(&["漢字", "line"]).await;
    for kind in ["paste", "copy"] {
        let first = of_type(&events, kind)[0];
        assert_eq!((&first["effect"], &first["bytes"]), (&"permit".into(), &ARRIVED.len().into()), "{first}");
        // sha256 of what crossed, in its one form.
        assert_eq!(first["sha256"], "e8dccf2dbfdc0e34d5355c113ebc42d08a6f15d7715ee45b090209290fd2bd14");
    }
}

/// A browser sends Ctrl+V right behind the announcement, long before the text.
#[tokio::test]
async fn what_is_typed_after_a_paste_comes_after_it() {
    let desk = Desk::open(Some(OPEN)).await;
    let mut viewer = desk.viewer().await;
    viewer.watch("the terminal", |viewer| viewer.count([255; 3]) > 1000).await.unwrap();
    viewer.send(&extended(NOTIFY | TEXT, &[])).await.unwrap();
    viewer.text("echo\n").await.unwrap();
    viewer.until_asked().await.unwrap();
    viewer.send(&provide("pasted")).await.unwrap();
    desk.pastes("pasted").await;
    // One that is announced and never comes does not keep the keyboard for ever.
    viewer.send(&extended(NOTIFY | TEXT, &[])).await.unwrap();
    viewer.text("exit\n").await.unwrap();
    viewer.until_asked().await.unwrap();
    viewer.watch("the terminal closes", |viewer| viewer.count([255; 3]) == 0).await.unwrap();
    let events = desk.close(&["pasted"]).await;
    let kinds: Vec<_> =
        events.iter().map(|event| &event["type"]).filter(|kind| *kind == "paste" || *kind == "keys").collect();
    assert_eq!(kinds[0], "paste", "{kinds:?}");
    let pressed: u64 = of_type(&events, "keys").iter().map(|event| event["pressed"].as_u64().unwrap()).sum();
    assert_eq!(pressed, 10);
}

/// What was permitted under an older policy is not handed over under a new one.
#[tokio::test]
async fn a_changed_policy_stops_texts_on_their_way() {
    let desk = Desk::open(Some(OPEN)).await;
    let mut viewer = desk.viewer().await;
    viewer.paste("pasted before").await.unwrap();
    // Announced to the viewer, and not asked for yet.
    let _owner = copy(&desk.desktop, "clipboard", b"copied before");
    let offer = Heard::Clipboard(NOTIFY | TEXT, Vec::new());
    viewer.until("the announcement", |heard| (heard == offer).then_some(())).await.unwrap();

    std::fs::write(
        desk.gate.policies().join("clipboard.yaml"),
        "policy: clipboard\napplies: {groups: [testers], desktops: ['*']}\ndeny:\n  - actions: [paste, copy]\n",
    )
    .unwrap();
    until("the policy is in force", async || {
        let session = desk.api.get(&format!("/api/sessions/{}", desk.opened.id)).await?;
        Ok((session["allows"]["copy"] == false).then_some(()))
    })
    .await
    .unwrap();
    viewer.send(&extended(REQUEST | TEXT, &[])).await.unwrap();
    let withdrawn = Heard::Clipboard(NOTIFY, Vec::new());
    viewer.until("it is taken back", |heard| (heard == withdrawn).then_some(())).await.unwrap();
    let events = desk.close(&["before"]).await;
    let last = of_type(&events, "copy").pop().unwrap();
    assert_eq!((&last["effect"], &last["viewer"], &last["bytes"]), (&"deny".into(), &1.into(), &13.into()), "{last}");
    assert!(last["rule"].as_str().unwrap().contains("deny[0]"), "{last}");
}

/// What such a desktop cannot take is on the record; what it copies reaches a viewer of the extended clipboard.
#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_of_classic_cut_text_gets_latin1() {
    let mut stage = Stage::start(Size::new(64, 48)).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect_extended(&stage.url, &act.opened).await.unwrap();
    viewer.paste("10 € 漢字\r\n").await.unwrap();
    let wanted = [&[6, 0, 0, 0, 0, 0, 0, 8][..], b"10 ? ??\n"].concat();
    act.desktop.hears("the paste", |messages| of_kind(messages, 6).any(|text| *text == wanted)).await.unwrap();
    act.desktop.say(b"\x03\0\0\0\0\0\0\x05caf\xe9\n").await.unwrap();
    assert_eq!(viewer.copied().await.unwrap(), "café\r\n");
    let record = stage.end(&act.session).await.unwrap();
    let lost = record.of_type("refused");
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0]["what"], "3 characters of a paste");
}
