//! What was on the desktop is on the record, whether or not anybody looked.

use std::time::Duration;

use portcullis_tests::{DesktopProbe, Gate, Viewer, until, video};

use super::{events, of_type, plan};

/// A window of pure magenta for one second, shown by a program on the desktop (blue, green, red).
const MAGENTA: [u8; 3] = [255, 0, 255];

async fn flash(desktop: &DesktopProbe) {
    let mut window = desktop.spawn("xterm", &["-bg", "#ff00ff", "-e", "sleep", "60"]).unwrap();
    let magenta = async |desktop: &DesktopProbe| {
        let screen = desktop.picture().await?;
        Ok::<_, anyhow::Error>(screen.pixels().chunks_exact(4).filter(|pixel| pixel[..3] == MAGENTA).count() > 10_000)
    };
    until("the window is there", async || Ok(magenta(desktop).await?.then_some(()))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    window.kill().unwrap();
    window.wait().unwrap();
    until("the window is gone", async || Ok((!magenta(desktop).await?).then_some(()))).await.unwrap();
}

#[tokio::test]
async fn a_viewer_that_asks_for_nothing_does_not_blind_the_record() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut blind = Viewer::connect(&gate.url, &opened).await.unwrap();
    flash(&desktop).await;
    let mut second = Viewer::connect(&gate.url, &api.ticket(&opened.id).await.unwrap()).await.unwrap();
    second.watch("the window is gone", |viewer| viewer.count(MAGENTA) == 0).await.unwrap();
    second.close().await.unwrap();
    blind.close().await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    let frames = video::decode(&bundle, 4).unwrap();
    let magenta = frames.showing(MAGENTA, 40, 0.05);
    assert!(!magenta.is_empty(), "no magenta in {} frames", frames.frames.len());
    let last = frames.frames.len() - 1;
    assert!(!magenta.contains(&last), "the window was removed before the end");
    let events = events(&bundle).unwrap();
    let left = of_type(&events, "viewer_left");
    let blind = left.iter().find(|event| event["viewer"] == 1).expect("the blind viewer");
    assert_eq!(blind["sent_revision"], 0, "the blind viewer was sent nothing: {left:?}");
    assert_eq!(of_type(&events, "session_closed")[0]["reason"], "ended by alice");
}

#[tokio::test]
async fn nobody_watching_changes_nothing_and_the_session_idles_out() {
    let gate = Gate::start(&plan_with_reconnect(20)).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    flash(&desktop).await;
    api.wait_gone(&opened.id).await.unwrap();
    let bundle = gate.bundle(&opened.id).unwrap();
    assert!(!video::decode(&bundle, 4).unwrap().showing(MAGENTA, 40, 0.05).is_empty());
    assert_eq!(of_type(&events(&bundle).unwrap(), "session_closed")[0]["reason"], "no viewer was connected any more");
}

fn plan_with_reconnect(seconds: u32) -> portcullis_tests::gate::Plan {
    let mut plan = plan();
    plan.config = plan.config.replace("reconnect_seconds = 20", &format!("reconnect_seconds = {seconds}"));
    plan
}

#[tokio::test]
async fn a_viewer_that_reconnects_sees_one_unbroken_recording() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let mut opened = api.open("desk").await.unwrap();
    for _ in 0..20 {
        let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
        viewer.watch("the desktop", |viewer| viewer.pixels.iter().any(|byte| *byte != 0)).await.unwrap();
        viewer.close().await.unwrap();
        opened = api.ticket(&opened.id).await.unwrap();
    }
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    let events = events(&bundle).unwrap();
    assert_eq!((of_type(&events, "viewer_joined").len(), of_type(&events, "gap").len()), (20, 0));
}

#[tokio::test]
async fn what_is_typed_is_shown_and_the_last_picture_is_the_one_that_was_seen() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    assert_eq!(viewer.name, "Desk", "the label is the gate's own word, not the desktop's");
    viewer.pointer(0, 120, 120).await.unwrap();
    viewer.watch("a terminal", |viewer| viewer.count([255, 255, 255]) > 20_000).await.unwrap();
    viewer.text("printf '\\033]11;#00ff00\\007'\n").await.unwrap();
    viewer.watch("the terminal turned green", |viewer| viewer.count([0, 255, 0]) > 20_000).await.unwrap();
    viewer.listen(Duration::from_millis(700)).await.unwrap();
    let seen = (viewer.width, viewer.height, viewer.pixels.clone());
    viewer.close().await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let bundle = gate.bundle(&opened.id).unwrap();
    let frames = video::decode(&bundle, 1).unwrap();
    assert_eq!((frames.width, frames.height), (seen.0, seen.1));
    let psnr = video::psnr(frames.frames.last().unwrap(), &seen.2);
    assert!(psnr > 28.0, "the last frame is {psnr:.1} dB from what was seen");
    let probe = video::probe(&bundle).unwrap();
    assert_eq!(probe["streams"][0]["codec_name"], "h264");
    let events = events(&bundle).unwrap();
    let keys: u64 = of_type(&events, "keys").iter().map(|event| event["pressed"].as_u64().unwrap()).sum();
    assert_eq!(keys, 29, "every key press is counted");
    for event in &events {
        let named = |key: &str| event[key].as_str().is_some_and(|text| !text.is_empty());
        assert!(named("policy") && named("rule") && named("subject") && named("session"), "{event}");
    }
}
