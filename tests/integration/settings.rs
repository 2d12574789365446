//! Rules of sessions, input, screen and record on real desktops: each is one person's, and what it asks is looked at where it is felt.

use std::time::{Duration, Instant};

use portcullis_tests::viewer::{Heard, dial};
use portcullis_tests::{Api, DesktopProbe, Gate, Opened, Viewer, until};
use serde_json::Value;

use super::clipboard::paste;
use super::{CLIPBOARD, events, of_type, plan};

/// A person with a rule of their own, and a session on a real desktop.
struct Ruled {
    gate: Gate,
    api: Api,
    opened: Opened,
    desktop: DesktopProbe,
    viewer: Viewer,
}

impl Ruled {
    /// A session on the desktop of this name under one rule more than the tests' own.
    async fn open(desktop: &str, rule: &str) -> Self {
        let text = format!("policy: ruled\napplies: {{users: [ruth]}}\n{rule}\n");
        let gate = Gate::start(&plan().policy("clipboard.yaml", CLIPBOARD).policy("ruled.yaml", &text)).await.unwrap();
        let api = gate.api("ruth", "testers", desktop).unwrap();
        let opened = api.open(desktop).await.unwrap();
        let viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
        let desktop = DesktopProbe::find(&opened.id).await.unwrap();
        Self { gate, api, opened, desktop, viewer }
    }

    /// Ends the session: its events, of a bundle that is sound.
    async fn end(mut self) -> Vec<Value> {
        self.viewer.close().await.unwrap();
        self.api.end(&self.opened.id).await.unwrap();
        self.events().await
    }

    async fn events(&self) -> Vec<Value> {
        self.api.wait_gone(&self.opened.id).await.unwrap();
        let bundle = self.gate.bundle(&self.opened.id).unwrap();
        let (sound, report) = self.gate.verify(&bundle).unwrap();
        assert!(sound, "{report}");
        events(&bundle).unwrap()
    }

    /// Waits for the answer to a request, which comes behind all that was sent before.
    async fn answered(&mut self) {
        self.viewer.request(false).await.unwrap();
        while self.viewer.hear().await.unwrap() != Heard::Update {}
    }

    /// Where the desktop's own pointer is.
    fn pointer(&self) -> String {
        self.desktop.run("xdotool", &["getmouselocation"]).unwrap()
    }

    async fn terminal(&mut self) {
        self.viewer.watch("a terminal", |viewer| viewer.count([255, 255, 255]) > 20_000).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_viewer_and_none_for_two_seconds() {
    let mut ruled = Ruled::open("bare", "session: {viewers: 1, reconnect: 2s}").await;
    let further = ruled.api.ticket(&ruled.opened.id).await.unwrap();
    let further = dial(&ruled.gate.url, &further, None).await.unwrap();
    assert!(Viewer::handshake(further).await.is_err(), "there was room for a second");
    ruled.viewer.close().await.unwrap();
    let left = Instant::now();
    let events = ruled.events().await;
    assert!(left.elapsed() > Duration::from_secs(2), "ended after {:?}", left.elapsed());
    assert_eq!(of_type(&events, "session_closed")[0]["rule"], "ruled.yaml:3 session.reconnect");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_moves_and_types_nothing() {
    let mut ruled = Ruled::open("desk", "deny: [{actions: [control]}]").await;
    ruled.terminal().await;
    let before = (ruled.pointer(), ruled.desktop.picture().await.unwrap());
    ruled.viewer.pointer(0, 11, 13).await.unwrap();
    ruled.viewer.pointer(1, 11, 13).await.unwrap();
    ruled.viewer.pointer(0, 11, 13).await.unwrap();
    ruled.viewer.text("printf '\\033]11;#00ff00\\007'\n").await.unwrap();
    // What is refused is silent: an answer to a later request says that all of it was heard.
    ruled.answered().await;
    ruled.viewer.listen(Duration::from_millis(300)).await.unwrap();
    assert_eq!(ruled.pointer(), before.0);
    assert_eq!(ruled.viewer.count([0, 255, 0]), 0);
    let events = ruled.end().await;
    assert!(of_type(&events, "keys").is_empty() && of_type(&events, "clicks").is_empty());
    assert_eq!(of_type(&events, "control")[0]["rule"], "ruled.yaml:3 deny[0].actions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pointer_is_as_fast_as_its_rule_and_arrives() {
    let mut ruled = Ruled::open("bare", "input: {pointer: 4/s}").await;
    // In the desktop's own /tmp, line by line.
    let mut watching =
        ruled.desktop.spawn("sh", &["-c", "exec stdbuf -oL xinput test-xi2 --root > /tmp/moves"]).unwrap();
    let desktop = ruled.desktop.clone();
    let moves = move || desktop.run("sh", &["-c", "grep -c RawMotion /tmp/moves || :"]).unwrap();
    let moves = move || moves().trim().parse::<usize>().unwrap_or(0);
    until("xinput looks", async || {
        ruled.desktop.run("xdotool", &["mousemove_relative", "1", "0"])?;
        Ok((moves() > 0).then_some(()))
    })
    .await
    .unwrap();
    let (own, started) = (moves(), Instant::now());
    for n in 0..150_u16 {
        ruled.viewer.pointer(0, 100 + n, 200).await.unwrap();
        ruled.viewer.listen(Duration::from_millis(5)).await.unwrap();
    }
    until("the last place", async || Ok(ruled.pointer().contains("x:249 y:200").then_some(()))).await.unwrap();
    let (passed, most) = (moves() - own, 4.0 * started.elapsed().as_secs_f64() + 4.0);
    watching.kill().unwrap();
    watching.wait().unwrap();
    // XInput tells a place as two raw motions at most, one for each axis' device.
    assert!(passed > 0 && passed as f64 <= 2.0 * most, "{passed} moves, of 150, at most {most}");
    ruled.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_stopped_before_the_terminal() {
    let mut ruled = Ruled::open("desk", "input: {typed_paste: stop}").await;
    ruled.terminal().await;
    ruled.viewer.pointer(0, 120, 120).await.unwrap();
    let started = Instant::now();
    for n in 0..400_u64 {
        ruled.viewer.key(0x61 + u32::try_from(n % 26).unwrap()).await.unwrap();
        tokio::time::sleep_until((started + Duration::from_millis(n * 5)).into()).await;
    }
    ruled.viewer.listen(Duration::from_millis(1500)).await.unwrap();
    let events = ruled.end().await;
    let count = |kind: &str, member: &str| -> u64 {
        of_type(&events, kind).iter().map(|event| event[member].as_u64().unwrap()).sum()
    };
    let told = of_type(&events, "input");
    assert!(told.iter().all(|event| event["rule"] == "ruled.yaml:3 input.typed_paste"), "{told:?}");
    assert!(count("keys", "pressed") < 200, "{} passed", count("keys", "pressed"));
    assert!(count("input", "count") > 200, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_names_keys_where_policy_says_so() {
    let mut ruled = Ruled::open("desk", "recording: {keys: keys}").await;
    ruled.terminal().await;
    ruled.viewer.pointer(0, 120, 120).await.unwrap();
    ruled.viewer.text("printf '\\033]11;#00ff00\\007'\n").await.unwrap();
    ruled.viewer.watch("what was typed", |viewer| viewer.count([0, 255, 0]) > 20_000).await.unwrap();
    let events = ruled.end().await;
    let strokes: Vec<_> =
        of_type(&events, "strokes").iter().flat_map(|event| event["strokes"].as_array().unwrap().clone()).collect();
    let down: Vec<_> = strokes.iter().filter(|stroke| stroke["down"] == true).collect();
    let names: Vec<_> = down.iter().take(7).map(|stroke| stroke["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["p", "r", "i", "n", "t", "f", "space"]);
    assert!(of_type(&events, "keys").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_paste_a_minute_reaches_xvnc() {
    let mut ruled = Ruled::open("desk", "allow: {paste: {max_bytes: 1 KiB, per_minute: 1}}").await;
    ruled.viewer.cut_text(b"the first").await.unwrap();
    let desktop = ruled.desktop.clone();
    until("the first is there", async || Ok((paste(&desktop).await == "the first").then_some(()))).await.unwrap();
    ruled.viewer.cut_text(b"the second").await.unwrap();
    ruled.answered().await;
    assert_eq!(paste(&desktop).await, "the first");
    let events = ruled.end().await;
    let told: Vec<_> = of_type(&events, "paste").iter().map(|event| event["effect"].as_str().unwrap()).collect();
    assert_eq!(told, ["permit", "deny"]);
    assert_eq!(of_type(&events, "paste")[1]["rule"], "ruled.yaml:3 allow.paste.per_minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_come_as_often_as_policy_says() {
    let mut ruled = Ruled::open("bare", "screen: {max_fps: 3}").await;
    let started = Instant::now();
    let flicker = "while xsetroot -solid red; do xsetroot -solid blue; done";
    let mut busy = ruled.desktop.spawn("sh", &["-c", flicker]).unwrap();
    let mut seen = 0;
    while started.elapsed() < Duration::from_secs(4) {
        ruled.viewer.request(true).await.unwrap();
        seen += ruled.viewer.listen(Duration::from_millis(50)).await.unwrap().len();
    }
    busy.kill().unwrap();
    busy.wait().unwrap();
    let events = ruled.end().await;
    let revisions = of_type(&events, "viewer_left")[0]["sent_revision"].as_u64().unwrap();
    let most = 3.0 * started.elapsed().as_secs_f64() + 8.0;
    assert!(seen > 0 && revisions > 4 && revisions as f64 <= most, "{revisions} revisions, at most {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_desktop_is_seen_and_what_is_hidden_takes_no_click() {
    let mut ruled = Ruled::open("bare", "screen: {visible: {width: 50%}}").await;
    let window =
        ruled.desktop.spawn("xterm", &["-bg", "#ff00ff", "-geometry", "200x80+0+0", "-e", "sleep", "600"]).unwrap();
    ruled.viewer.watch("magenta", |viewer| viewer.count([255, 0, 255]) > 100_000).await.unwrap();
    let hidden = (0..480).all(|y| (320..640).all(|x| ruled.viewer.pixel(x, y) == [0; 3]));
    assert!(hidden, "the right half is black");
    for x in [600, 100] {
        ruled.viewer.pointer(0, x, 240).await.unwrap();
        ruled.viewer.pointer(1, x, 240).await.unwrap();
        ruled.viewer.pointer(0, x, 240).await.unwrap();
    }
    until("the pointer is there", async || Ok(ruled.pointer().contains("x:100 y:240").then_some(()))).await.unwrap();
    let events = ruled.end().await;
    drop(window);
    let clicks: Vec<_> = of_type(&events, "clicks").iter().map(|event| event["x"].as_u64().unwrap()).collect();
    assert_eq!(clicks, [100]);
    let refused = of_type(&events, "refused");
    assert!(refused.len() == 1 && refused[0]["rule"] == "ruled.yaml:3 screen.visible", "{refused:?}");
}
