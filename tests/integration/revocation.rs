//! What is revoked opens nothing any more, and what it opened is closed within a second (THREATS W4).

use std::time::{Duration, Instant};

use portcullis_proxy::{Bounds, Outcome};
use portcullis_rfb::Size;
use portcullis_tests::puppet::greeting;
use portcullis_tests::{Gate, Stage, Viewer, until};

use super::{events, of_type, plan};

/// How soon a revocation must be felt; the gate looks three times in this time.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test]
async fn w4_a_revoked_session_is_closed_and_a_revoked_subject_stays_out() {
    let mut gate = Gate::start(&plan()).await.unwrap();
    let alice = gate.api("alice", "testers", "desk").unwrap();
    let bob = gate.api("bob", "testers", "desk").unwrap();
    let (hers, his) = (alice.open("desk").await.unwrap(), bob.open("desk").await.unwrap());
    let mut viewer = Viewer::connect(&gate.url, &hers).await.unwrap();
    let mut other = Viewer::connect(&gate.url, &his).await.unwrap();

    gate.run(&["revoke", "--session", &hers.id]).unwrap();
    let revoked = Instant::now();
    let frame = viewer.closed().await.unwrap();
    let took = revoked.elapsed();
    assert_eq!(u16::from(frame.code), 4003);
    assert!(frame.reason.contains("revoked"), "{}", frame.reason);
    assert!(took < SOON, "closed after {took:?}");
    alice.wait_gone(&hers.id).await.unwrap();
    let events = events(&gate.bundle(&hers.id).unwrap()).unwrap();
    assert!(of_type(&events, "session_closed")[0]["reason"].as_str().unwrap().contains("revoked"));
    assert!(alice.open("desk").await.is_ok(), "the session was revoked, not its subject");

    gate.run(&["revoke", "--subject", "alice"]).unwrap();
    let refused = async || Ok(alice.open("desk").await.err());
    let error = until("her tokens open nothing", refused).await.unwrap().to_string();
    assert!(error.contains("401") && error.contains("revoked"), "{error}");
    assert!(bob.ticket(&his.id).await.is_ok(), "nobody else is touched");
    other.listen(Duration::from_millis(50)).await.unwrap();

    gate.stop().await.unwrap();
    gate.launch().await.unwrap();
    let alice = gate.api("alice", "testers", "desk").unwrap();
    assert!(alice.open("desk").await.unwrap_err().to_string().contains("revoked"), "over a restart too");
}

/// Between the permit and the first picture there is no session yet that could be ended: it is asked once there is.
#[tokio::test]
async fn who_is_revoked_while_a_desktop_starts_has_its_session_ended() {
    let size = Size { width: 64, height: 64 };
    let mut stage = Stage::bounded(size, Vec::new(), Bounds::default()).await.unwrap();
    let (opening, mut desktop) = stage.opening().await.unwrap();
    stage.revoke("alice").unwrap();
    desktop.say(&greeting(size, b"puppet")).await.unwrap();
    let session = opening.await.unwrap().unwrap();
    assert!(matches!(stage.outcome(&session).await.unwrap(), Outcome::Revoked));
    assert!(
        stage.end(&session).await.unwrap().of_type("session_closed")[0]["reason"].as_str().unwrap().contains("revoked")
    );
}
