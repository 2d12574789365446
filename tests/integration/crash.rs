//! kill -9 of the gate in mid-session: what viewers were sent is in the bundle, closed as interrupted, and proved.

use portcullis_tests::{Api, DesktopProbe, Gate, Viewer, video};

use super::{events, of_type, plan};

/// Distinct colours (blue, green, red), each shown on the whole screen and seen by the viewer before the next.
const COLOURS: [[u8; 3]; 6] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255]];

#[tokio::test]
async fn every_revision_that_was_shown_survives_kill_9() {
    let mut gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    for [blue, green, red] in COLOURS {
        desktop.run("xsetroot", &["-solid", &format!("#{red:02x}{green:02x}{blue:02x}")]).unwrap();
        viewer.watch("the colour", |viewer| viewer.count([blue, green, red]) > 40_000).await.unwrap();
    }
    // Immediately after the viewer saw the last one: the encoder may well be behind.
    gate.kill().unwrap();
    gate.launch().await.unwrap();
    let bundle = portcullis_tests::until("the bundle is recovered", async || {
        Ok(gate.bundle(&opened.id).ok().filter(|bundle| bundle.join("seal.json").exists()))
    })
    .await
    .unwrap();

    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    assert!(report.contains("interrupted"), "{report}");
    let frames = video::decode(&bundle, 4).unwrap();
    let shown: Vec<usize> = COLOURS
        .iter()
        .map(|colour| {
            *frames
                .showing(*colour, 48, 0.12)
                .first()
                .unwrap_or_else(|| panic!("{colour:?} is not in {} frames", frames.frames.len()))
        })
        .collect();
    assert!(shown.is_sorted(), "in the order in which they were shown: {shown:?}");
    let events = events(&bundle).unwrap();
    assert_eq!(of_type(&events, "session_opened").len(), 1);

    let list = Api::new(&gate.url, Some(gate.token("audit", "auditors", "desk").unwrap())).get("/api/recordings").await;
    if let Ok(list) = list {
        assert_eq!(list["recordings"][0]["state"], "interrupted", "{list}");
    }
    let gone = !std::path::Path::new(&format!("/proc/{}", desktop.server)).exists();
    assert!(gone, "the orphaned desktop was reaped");
    let opened = gate.api("alice", "testers", "bare").unwrap().open("bare").await.unwrap();
    assert!(!opened.ticket.is_empty(), "the gate works on");
}
