//! Evading the record: sizes that come and go, pictures too short to see, a record that fails.

use std::time::Instant;

use portcullis_proxy::Outcome;
use portcullis_rfb::{Rect, Size};
use portcullis_tests::gate::Plan;
use portcullis_tests::puppet::{filled, of_kind, rectangle, update};
use portcullis_tests::{DesktopProbe, Gate, Stage, Viewer, until, video};

const SIZE: Size = Size::new(64, 48);

/// R3: where the record fails, pixels and input end with it: the viewer is told, the desktop hears no key more, what there is is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_fails_ends_pixels_and_input() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    viewer.key(0x61).await.unwrap();
    act.desktop.hears("a key", |messages| of_kind(messages, 4).count() == 2).await.unwrap();
    stage.take_vault_away(true);
    let away = Instant::now();
    let mut colour = 0u8;
    while !act.session.is_ending() && away.elapsed() < portcullis_tests::PATIENCE {
        colour = colour.wrapping_add(1);
        // Noise fills a segment, which the vault is then asked to take. The session may end in between.
        let noise: Vec<u8> =
            (0..64 * 48 * 4u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 ^ colour).collect();
        let _ = act.desktop.answer(&update(&[rectangle(SIZE.bounds(), 0, &noise)])).await;
    }
    let outcome = stage.outcome(&act.session).await.unwrap();
    let Outcome::RecordingFailed { reason } = outcome else { panic!("{outcome}") };
    assert!(reason.contains("the vault does not take the record"), "{reason}");
    assert!(!act.session.is_recording());
    let heard = act.desktop.heard().len();
    // The gate may have closed already: what matters is what the desktop hears.
    let _ = viewer.key(0x62).await;
    assert_eq!(u16::from(viewer.closed().await.unwrap().code), 4010);
    until("the session is over", async || Ok((stage.count() == 0).then_some(()))).await.unwrap();
    let keys = of_kind(&act.desktop.messages().unwrap(), 4).filter(|key| key[7] == 0x62).count();
    assert_eq!(keys, 0, "{heard} bytes before");
    assert_eq!(std::fs::read_dir(stage.spool()).unwrap().count(), 1, "what was recorded waits for the next start");
}

/// R8: a picture that is there for a thirtieth of a second, and that no viewer asks for, is on the record, each in its turn.
#[tokio::test(flavor = "multi_thread")]
async fn every_picture_is_recorded_however_short() {
    let level = |n: u8| 20 + 100 * n;
    let colours: Vec<[u8; 3]> = (0..27u8).map(|n| [level(n % 3), level(n / 3 % 3), level(n / 9)]).collect();
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    for [blue, green, red] in &colours {
        act.desktop.show(&filled(SIZE.bounds(), [*blue, *green, *red, 0])).await.unwrap();
    }
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!(record.report.revisions, Some(27));
    let frames = video::decode(&record.bundle, 1).unwrap();
    let shown: Vec<usize> = colours
        .iter()
        .map(|colour| *frames.showing(*colour, 30, 0.9).first().unwrap_or_else(|| panic!("{colour:?} is not there")))
        .collect();
    assert!(shown.is_sorted(), "{shown:?}");
}

/// R7: a viewer that comes and goes a hundred times leaves one recording, with every coming and going in it.
#[tokio::test(flavor = "multi_thread")]
async fn viewers_that_come_and_go_break_no_recording() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    for n in 1..=100u8 {
        let mut viewer = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
        act.desktop.show(&filled(SIZE.bounds(), [n; 4])).await.unwrap();
        viewer.watch("the picture of now", |viewer| viewer.pixel(0, 0) == [n; 3]).await.unwrap();
        viewer.close().await.unwrap();
    }
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!((record.report.revisions, record.report.gaps), (Some(100), Some(0)));
    assert_eq!((record.of_type("viewer_joined").len(), record.of_type("viewer_left").len()), (100, 100));
}

/// R4: a desktop that changes its size with every picture, from one pixel to the largest, is recorded; one step beyond is the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_sizes_is_recorded() {
    let mut stage = Stage::start(SIZE).await.unwrap();
    let mut act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let watching = tokio::spawn(async move {
        let mut sizes = Vec::new();
        let _ = viewer.request(false).await;
        while viewer.hear().await.is_ok() && viewer.request(true).await.is_ok() {
            sizes.push((viewer.width, viewer.height));
        }
        sizes
    });
    let sizes = [(1, 1), (64, 48), (3840, 2160), (1, 2160), (3840, 1), (2, 2), (641, 481), (640, 480)];
    for round in 0..3u8 {
        for (width, height) in sizes {
            let whole = Rect::new(0, 0, width, height);
            let corner = rectangle(Rect::new(width - 1, height - 1, 1, 1), 0, &[round; 4]);
            act.desktop.show(&update(&[rectangle(whole, -223, &[]), corner])).await.unwrap();
        }
    }
    act.desktop.answer(&update(&[rectangle(Rect::new(0, 0, 3841, 1), -223, &[])])).await.unwrap();
    let outcome = stage.outcome(&act.session).await.unwrap();
    assert!(
        matches!(&outcome, Outcome::Violation { side: "desktop", reason } if reason.contains("3841x1")),
        "{outcome}"
    );
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!(record.report.revisions, Some(24));
    assert_eq!(record.of_type("resized").len(), 24);
    let seen = watching.await.unwrap();
    assert!(seen.contains(&(3840, 2160)) || seen.len() > 3, "the viewer followed: {seen:?}");
}

/// D1, R4: what a viewer may ask of a desktop's size is bounded, and so is how often; refusals are answered and recorded.
#[tokio::test]
async fn sizes_that_viewers_ask_for_are_bounded_and_paced() {
    let config = "[[desktops]]\nname = \"desk\"\nsize = \"320x240\"\nprocess = { programs = [] }\n";
    let gate = Gate::start(&Plan::new(config).policy("sizes.yaml", SIZES)).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect_with(&gate.url, &opened, &[0, -223, -308]).await.unwrap();
    viewer.watch("an agreement on sizes", |viewer| !viewer.layouts.is_empty()).await.unwrap();
    let before = resident(desktop.server);
    for (width, height) in [(16384, 16384), (32767, 32767), (65535, 65535), (3841, 2160), (3840, 2161), (0, 1), (1, 0)]
    {
        let known = viewer.layouts.len();
        viewer.send(&set_size(width, height)).await.unwrap();
        viewer.watch("a refusal", |viewer| viewer.layouts.len() > known).await.unwrap();
        assert_eq!(viewer.layouts.last().unwrap(), &[1, 3, 320, 240], "{width}x{height} is no layout");
    }
    viewer.send(&set_size(3840, 2160)).await.unwrap();
    viewer.watch("the largest", |viewer| (viewer.width, viewer.height) == (3840, 2160)).await.unwrap();
    // RSS of an Xvnc that is asked for 32767x32767 grows by two gigabytes.
    assert!(resident(desktop.server) < before + 300, "{} MiB", resident(desktop.server));

    let started = Instant::now();
    let storm: Vec<u8> = (0..300u16).flat_map(|n| set_size(400 + n % 200, 300)).collect();
    viewer.send(&storm).await.unwrap();
    // One that asks while its last question is open gets one answer to both; then it asks again, until it is told that this is too often.
    let mut asked = 0;
    while viewer.layouts.last().unwrap()[..2] != [1, 1] {
        let known = viewer.layouts.len();
        viewer.watch("an answer", |viewer| viewer.layouts.len() > known).await.unwrap();
        asked += 1;
        viewer.send(&set_size(400 + asked, 301)).await.unwrap();
        assert!(asked < 500, "{:?}", viewer.layouts);
    }
    let most = 2 + 4 + 2 * started.elapsed().as_secs() as usize;
    assert!(resident(gate.pid().unwrap()) < 1500, "{} MiB", resident(gate.pid().unwrap()));
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    let events = portcullis_tests::events(&bundle).unwrap();
    let resized = portcullis_tests::of_type(&events, "resized").len();
    assert!((2..=most).contains(&resized), "{resized} sizes, at most {most}");
    let refused = portcullis_tests::of_type(&events, "refused").len();
    assert!((1..=most).contains(&refused), "{refused} refusals are events, one a second");
}

const SIZES: &str = "policy: sizes\napplies: {groups: [testers]}\nallow:\n  resize: {}\n";

/// SetDesktopSize to one screen.
fn set_size(width: u16, height: u16) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [&[251, 0][..], &size, &[1, 0, 0, 0, 0, 7, 0, 0, 0, 0], &size, &[0; 4]].concat()
}

/// Resident memory of a process, in MiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
