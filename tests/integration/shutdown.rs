//! A gate that is asked to stop tells its viewers, seals its recordings and leaves no process behind.

use portcullis_tests::{DesktopProbe, Gate, Viewer};

use super::{events, of_type, plan};

#[tokio::test]
async fn stopping_drains() {
    let mut gate = Gate::start(&plan()).await.unwrap();
    let opened = gate.api("alice", "testers", "desk").unwrap().open("desk").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let closing = tokio::spawn(async move { viewer.closed().await });
    gate.stop().await.unwrap();
    let frame = closing.await.unwrap().unwrap();
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "the gate is stopping"));
    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{report}");
    assert_eq!(of_type(&events(&bundle).unwrap(), "session_closed")[0]["reason"], "the gate is stopping");
    assert!(!std::path::Path::new(&format!("/proc/{}", desktop.server)).exists(), "the desktop is still there");
    assert!(!desktop.socket.exists(), "its folder is still there");
}

#[tokio::test]
async fn a_desktop_that_dies_ends_its_session_with_the_reason() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let server = rustix::process::Pid::from_raw(i32::try_from(desktop.server).unwrap()).unwrap();
    rustix::process::kill_process(server, rustix::process::Signal::KILL).unwrap();
    assert_eq!(u16::from(viewer.closed().await.unwrap().code), 4011);
    api.wait_gone(&opened.id).await.unwrap();
    let (sound, report) = gate.verify(&gate.bundle(&opened.id).unwrap()).unwrap();
    assert!(sound, "{report}");
}
