//! A desktop that is away for a moment: the same session, viewer and recording go on, and nothing that was done meanwhile arrives.

use std::time::Duration;

use portcullis_tests::standing::{Place, X11vnc, XServer};
use portcullis_tests::{DesktopProbe, Gate, Secrets, Viewer, until};

use super::standing::{plan, vnc_auth};
use super::{events, of_type};

/// Colours as blue, green, red.
const MAGENTA: [u8; 3] = [255, 0, 255];
const CYAN: [u8; 3] = [255, 255, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const SHIFT: u32 = 0xffe1;

async fn logged(gate: &Gate, words: &str, times: usize) {
    let there = async || Ok((gate.log_text().matches(words).count() >= times).then_some(()));
    until(words, there).await.unwrap();
}

const AWAY: &str = "the desktop is away and is sought again";
const BACK: &str = "the desktop is back";

#[tokio::test]
async fn xvnc_that_is_started_anew_goes_on_in_the_same_session() {
    let secrets = Secrets::new().unwrap();
    let (place, password) = (Place::free().unwrap(), secrets.text("vnc.obscured"));
    let security = ["-SecurityTypes", "VncAuth", "-rfbauth", password.as_str()];
    let mut first = XServer::xvnc(place, "640x480", &security).unwrap();
    first.run("xsetroot", &["-solid", "#ff00ff"]).unwrap();
    let gate = Gate::start(&plan(&[("desk", vnc_auth(place, &secrets, "vnc"))])).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.watch("magenta", |viewer| viewer.count(MAGENTA) > 200_000).await.unwrap();

    first.kill().unwrap();
    logged(&gate, AWAY, 1).await;
    viewer.listen(Duration::from_millis(200)).await.unwrap();
    assert!(viewer.count(MAGENTA) > 200_000, "the screen is kept");
    viewer.text("typed into nothing").await.unwrap();

    let second = XServer::xvnc(place, "800x600", &security).unwrap();
    second.run("xsetroot", &["-solid", "#00ffff"]).unwrap();
    logged(&gate, BACK, 1).await;
    viewer.watch("cyan, and its size", |viewer| viewer.count(CYAN) > 400_000 && viewer.width == 800).await.unwrap();
    viewer.close().await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();

    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    let events = events(&bundle).unwrap();
    let one = |kind: &str| {
        let found = of_type(&events, kind);
        assert_eq!(found.len(), 1, "{kind}: {found:?}");
        found[0].clone()
    };
    assert_eq!(one("session_closed")["reason"], "ended by alice");
    assert_eq!(one("viewer_joined")["viewer"], 1);
    assert!(!one("desktop_lost")["reason"].as_str().unwrap().is_empty());
    let (lost, back) = (one("desktop_lost")["at_us"].as_u64().unwrap(), one("desktop_back")["at_us"].as_u64().unwrap());
    let away = one("desktop_back")["away_us"].as_u64().unwrap();
    assert!(lost < back && away.abs_diff(back - lost) < 1_000_000, "lost at {lost}, back at {back}, away for {away}");
    assert_eq!((one("resized")["width"].clone(), one("resized")["height"].clone()), (800.into(), 600.into()));
    assert!(of_type(&events, "gap").is_empty());
}

#[tokio::test]
async fn nothing_stays_pressed_and_nothing_is_queued() {
    let secrets = Secrets::new().unwrap();
    let mut screen = XServer::xvfb("640x480").unwrap();
    screen.spawn("xterm", &["-geometry", "80x24+0+0", "-bg", "white", "-e", "/bin/sh"]).unwrap();
    let (place, password) = (Place::free().unwrap(), secrets.text("vnc.obscured"));
    let mut first = X11vnc::start(&screen, place, &["-rfbauth", &password]).unwrap();
    let gate = Gate::start(&plan(&[("desk", vnc_auth(place, &secrets, "vnc"))])).await.unwrap();
    let opened = gate.api("alice", "testers", "desk").unwrap().open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.pointer(0, 120, 120).await.unwrap();
    viewer.watch("a terminal", |viewer| viewer.count([255; 3]) > 20_000).await.unwrap();
    // Shift goes down, and x11vnc dies before it comes up: it is the X server that holds it now.
    viewer.send(&[&[4, 1, 0, 0], SHIFT.to_be_bytes().as_slice()].concat()).await.unwrap();
    until("Shift is down on the screen", async || Ok(is_shifted(&screen)?.then_some(()))).await.unwrap();
    first.kill().unwrap();
    logged(&gate, AWAY, 1).await;
    assert!(is_shifted(&screen).unwrap(), "nobody let go of it yet");
    viewer.text("no such command ").await.unwrap();
    viewer.pointer(1, 200, 200).await.unwrap();
    viewer.pointer(0, 120, 120).await.unwrap();

    let _second = X11vnc::start(&screen, place, &["-rfbauth", &password]).unwrap();
    logged(&gate, BACK, 1).await;
    until("Shift is up again", async || Ok((!is_shifted(&screen)?).then_some(()))).await.unwrap();
    viewer.text("printf '\\033]11;#00ff00\\007'\n").await.unwrap();
    viewer.watch("the line is what was typed after the return", |viewer| viewer.count(GREEN) > 20_000).await.unwrap();
    viewer.close().await.unwrap();
}

/// Whether X holds Shift down, by the keyboard that programs press keys on.
fn is_shifted(screen: &XServer) -> anyhow::Result<bool> {
    let state = String::from_utf8(screen.run("xinput", &["query-state", "Virtual core XTEST keyboard"])?)?;
    Ok(state.contains("key[50]=down"))
}

#[tokio::test]
async fn a_session_that_ends_leaves_nothing_pressed() {
    let mut screen = XServer::xvfb("640x480").unwrap();
    screen.spawn("xterm", &["-geometry", "80x24+0+0"]).unwrap();
    let place = Place::free().unwrap();
    let _x11vnc = X11vnc::start(&screen, place, &["-nopw"]).unwrap();
    let gate = Gate::start(&plan(&[("desk", format!("address = \"{place}\", security = \"none\""))])).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.send(&[&[4, 1, 0, 0], SHIFT.to_be_bytes().as_slice()].concat()).await.unwrap();
    until("Shift is down on the screen", async || Ok(is_shifted(&screen)?.then_some(()))).await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    until("Shift is up again", async || Ok((!is_shifted(&screen)?).then_some(()))).await.unwrap();
}

#[tokio::test]
async fn a_desktop_of_processes_that_drops_its_connection_is_had_back() {
    let gate = Gate::start(&super::plan()).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    desktop.run("xsetroot", &["-solid", "#ff00ff"]).unwrap();
    viewer.watch("magenta", |viewer| viewer.count(MAGENTA) > 200_000).await.unwrap();
    desktop.run("vncconfig", &["-disconnect"]).unwrap();
    logged(&gate, BACK, 1).await;
    desktop.run("xsetroot", &["-solid", "#00ffff"]).unwrap();
    viewer.watch("cyan", |viewer| viewer.count(CYAN) > 200_000).await.unwrap();
    viewer.close().await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    assert_eq!((of_type(&events, "desktop_lost").len(), of_type(&events, "desktop_back").len()), (1, 1));
}
