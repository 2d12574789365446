//! Masks and watermarks over a real desktop: what a viewer gets, what the desktop itself shows, and what FFmpeg plays of the recording.

use std::process::Child;

use portcullis_tests::{DesktopProbe, Gate, Opened, Viewer, until, video};

use super::{events, of_type, plan};

/// Blue, green, red of a window that covers the desktop.
const MAGENTA: [u8; 3] = [255, 0, 255];
/// Six tenths of red over it.
const INK: [u8; 3] = [102, 0, 255];

/// A gate whose desktops are seen by these rules.
async fn gate(screen: &str) -> Gate {
    let text = format!("policy: screen\napplies: {{groups: [testers]}}\nscreen: {screen}\n");
    Gate::start(&plan().with_clock().policy("screen.yaml", &text)).await.unwrap()
}

/// A session with a magenta window all over the desktop; the probe has seen it.
async fn opened(gate: &Gate) -> (Opened, DesktopProbe, Child) {
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let window = desktop.spawn("xterm", &["-bg", "#ff00ff", "-geometry", "200x80+0+0", "-e", "sleep", "600"]).unwrap();
    until("the desktop itself shows magenta everywhere", async || {
        let screen = desktop.picture().await?;
        let count = screen.pixels().chunks_exact(4).filter(|pixel| pixel[..3] == MAGENTA).count();
        Ok((count > 250_000).then_some(()))
    })
    .await
    .unwrap();
    (opened, desktop, window)
}

/// Ends the session: its events, and the last frame of what FFmpeg plays.
async fn ended(gate: &Gate, opened: &Opened, mut window: Child) -> (Vec<serde_json::Value>, Vec<u8>) {
    let api = gate.api("alice", "testers", "bare").unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    // Its desktop has gone, and it with it.
    window.wait().unwrap();
    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    let frames = video::decode(&bundle, 1).unwrap();
    assert_eq!((frames.width, frames.height), (640, 480));
    (events(&bundle).unwrap(), frames.frames.last().unwrap().clone())
}

fn near(pixel: &[u8], colour: [u8; 3]) -> bool {
    pixel.iter().zip(colour).all(|(one, other)| one.abs_diff(other) < 40)
}

/// How many pixels of a frame, within the mask of these tests or without it, are near a colour.
fn shown(frame: &[u8], masked: bool, colour: [u8; 3]) -> usize {
    let pixels = frame.chunks_exact(4).enumerate();
    // A pixel of a video is as sharp as its neighbours let it be: the mask's edges are left out.
    let within = |index: usize, by: usize| {
        (200 + by..400 - by).contains(&(index % 640)) && (270 + by..370 - by).contains(&(index / 640))
    };
    let beyond = |index: usize| !((190..410).contains(&(index % 640)) && (260..380).contains(&(index / 640)));
    let counted = pixels.filter(|(index, _)| if masked { within(*index, 10) } else { beyond(*index) });
    counted.filter(|(_, pixel)| near(&pixel[..3], colour)).count()
}

const RULES: &str = "watermark: {text: '{subject} {time}', colour: '#ff0000', opacity: 60%}, mask: [{x: 200, y: 270, width: 200, height: 100";

#[tokio::test]
async fn a_mask_and_a_watermark_are_what_is_seen_and_what_is_recorded() {
    let gate = gate(&format!("{{{RULES}}}]}}")).await;
    let (opened, desktop, window) = opened(&gate).await;
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer
        .watch("magenta under ink", |viewer| viewer.count(MAGENTA) > 150_000 && viewer.count(INK) > 500)
        .await
        .unwrap();
    let masked = |viewer: &Viewer| (270..370).any(|y| (200..400).any(|x| viewer.pixel(x, y)[0] > 0));
    assert!(!masked(&viewer), "nothing but black, and red ink on it");
    let own = desktop.picture().await.unwrap();
    assert_eq!(own.pixels()[(300 * 640 + 300) * 4..][..3], MAGENTA, "the desktop itself has it");
    let (events, frame) = ended(&gate, &opened, window).await;
    assert!(shown(&frame, false, MAGENTA) > 150_000 && shown(&frame, false, INK) > 300, "the watermark is recorded");
    assert_eq!(shown(&frame, true, MAGENTA), 0);
    assert!(shown(&frame, true, [0; 3]) > 180 * 80 * 3 / 4, "and the mask, with ink over it");
    let rules: Vec<_> = of_type(&events, "screen_rule").iter().map(|event| event["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["screen.yaml:3 screen.watermark", "screen.yaml:3 screen.mask[0]"]);
}

#[tokio::test]
async fn a_mask_that_is_recorded_clear_is_for_viewers_alone() {
    let gate = gate(&format!("{{{RULES}, recorded: clear}}]}}")).await;
    let (opened, _, window) = opened(&gate).await;
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.watch("magenta", |viewer| viewer.count(MAGENTA) > 150_000).await.unwrap();
    assert!((270..370).all(|y| (200..400).all(|x| viewer.pixel(x, y)[0] == 0)));
    let (_, frame) = ended(&gate, &opened, window).await;
    assert!(shown(&frame, true, MAGENTA) > 180 * 80 / 2, "the record has what the mask hides");
    assert!(shown(&frame, true, INK) > 50, "with the watermark over it");
}

#[tokio::test]
async fn the_time_of_a_watermark_goes_on_while_the_desktop_rests() {
    let gate = gate("{watermark: {text: '{time}', size: 40, opacity: 100%, colour: '#00ff00', angle: 0}}").await;
    let (opened, desktop, mut window) = opened(&gate).await;
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.watch("a watermark", |viewer| viewer.count([0, 255, 0]) > 1000).await.unwrap();
    let (before, own) = (viewer.pixels.clone(), desktop.picture().await.unwrap());
    gate.set_clock(3 * 3600 + 7 * 60).unwrap();
    viewer.watch("another time", |viewer| viewer.pixels != before && viewer.count([0, 255, 0]) > 1000).await.unwrap();
    assert!(own.pixels() == desktop.picture().await.unwrap().pixels(), "nothing happened on the desktop");
    window.kill().unwrap();
    window.wait().unwrap();
}

#[tokio::test]
async fn a_desktop_is_started_no_larger_than_policy_says() {
    let gate = gate("{max_size: 600x4000}").await;
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    assert_eq!((viewer.width, viewer.height), (600, 480));
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    assert_eq!(desktop.picture().await.unwrap().size(), portcullis_rfb::Size::new(600, 480));
}
