//! Policy's `session`: how long a session lasts, how many there are, and that a change of it is felt at once.

use std::time::{Duration, Instant};

use portcullis_rfb::Size;
use portcullis_tests::viewer::Heard;
use portcullis_tests::{DesktopProbe, Gate, Stage, Viewer, until};

use super::{events, of_type, plan};

const SIZE: Size = Size::new(64, 48);

/// The close code and the words of a viewer whose session ends.
async fn closed(viewer: &mut Viewer) -> (u16, String) {
    let frame = viewer.closed().await.unwrap();
    (frame.code.into(), frame.reason.to_string())
}

/// Waits until a session is older than so many milliseconds, which is what its rules look at.
async fn lasts(since: Instant, ms: u64) {
    until("time passes", async || Ok((since.elapsed() > Duration::from_millis(ms)).then_some(()))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_time_ends_a_session_after_a_warning() {
    let mut stage = Stage::under(SIZE, "session: {longest: 3s, warning: 2s}\n").await.unwrap();
    let act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    viewer.until("the warning's bell", |heard| (heard == Heard::Bell).then_some(())).await.unwrap();
    assert!(!act.session.is_ending());
    let (code, reason) = closed(&mut viewer).await;
    assert_eq!(code, 4001);
    assert!(reason.contains("all.yaml:8 session.longest") && reason.contains("3s"), "{reason}");
    let record = stage.end(&act.session).await.unwrap();
    let end = record.of_type("session_closed");
    assert_eq!(end[0]["rule"], "all.yaml:8 session.longest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_uses_ends_and_only_what_people_do_is_use() {
    let mut stage = Stage::under(SIZE, "session: {idle: 3s}\n").await.unwrap();
    let act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let started = Instant::now();
    let mut n = 0_u8;
    while started.elapsed() < Duration::from_secs(5) {
        n += 1;
        viewer.pointer(0, u16::from(n), 5).await.unwrap();
        viewer.listen(Duration::from_millis(200)).await.unwrap();
    }
    assert!(!act.session.is_ending(), "used for longer than it may be idle");
    // A pointer that does not move, a key that a keyboard repeats, and requests are no use.
    viewer.send(&[4, 1, 0, 0, 0, 0, 0, 0x61]).await.unwrap();
    let rested = Instant::now();
    while !act.session.is_ending() && rested.elapsed() < Duration::from_secs(20) {
        let same = async {
            viewer.pointer(0, u16::from(n), 5).await?;
            viewer.send(&[4, 1, 0, 0, 0, 0, 0, 0x61]).await?;
            viewer.request(true).await?;
            viewer.listen(Duration::from_millis(200)).await
        };
        if same.await.is_err() {
            break;
        }
    }
    assert!(rested.elapsed() > Duration::from_millis(2500), "{:?}", rested.elapsed());
    let outcome = stage.outcome(&act.session).await.unwrap().to_string();
    assert!(outcome.contains("all.yaml:8 session.idle"), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_viewers_ends_by_policy_before_configuration() {
    let mut stage = Stage::under(SIZE, "session: {reconnect: 2s}\n").await.unwrap();
    let act = stage.open().await.unwrap();
    let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let started = Instant::now();
    lasts(started, 3000).await;
    assert!(!act.session.is_ending(), "a viewer is there");
    viewer.close().await.unwrap();
    let outcome = stage.outcome(&act.session).await.unwrap().to_string();
    assert!(outcome.contains("all.yaml:8 session.reconnect"), "{outcome}");
}

/// INVARIANT of the policy: a session that is over a limit that comes ends within a second, with the rule named.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_comes_ends_what_is_over_it_within_a_second() {
    for (rules, key) in [("session: {longest: 1s}\n", "session.longest"), ("session: {idle: 1s}\n", "session.idle")] {
        let mut stage = Stage::start(SIZE).await.unwrap();
        let act = stage.open().await.unwrap();
        let mut viewer = Viewer::connect(&stage.url, &act.opened).await.unwrap();
        lasts(Instant::now(), 1200).await;
        let changed = Instant::now();
        stage.rule(rules).unwrap();
        let (code, reason) = closed(&mut viewer).await;
        assert!(changed.elapsed() < Duration::from_secs(1), "{key}: {:?}", changed.elapsed());
        assert!(code == 4001 && reason.contains(&format!("all.yaml:8 {key}")), "{code} {reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_has_so_many_sessions_at_once() {
    let mut stage = Stage::under(SIZE, "session: {concurrent: 2}\n").await.unwrap();
    let first = stage.open().await.unwrap();
    let second = stage.open().await.unwrap();
    let refused = stage.enter().await.unwrap_err().to_string();
    assert_eq!(refused, "you may have 2 sessions at once (rule all.yaml:8 session.concurrent)");
    let changed = Instant::now();
    stage.rule("session: {concurrent: 1}\n").unwrap();
    let outcome = stage.outcome(&second.session).await.unwrap();
    assert!(changed.elapsed() < Duration::from_secs(1), "{:?}", changed.elapsed());
    assert_eq!(outcome.rule(), Some("all.yaml:8 session.concurrent"), "{outcome}");
    until("the younger is gone", async || Ok((stage.count() == 1).then_some(()))).await.unwrap();
    assert!(!first.session.is_ending(), "the older stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_so_many_viewers_at_once() {
    let mut stage = Stage::under(SIZE, "session: {viewers: 2}\n").await.unwrap();
    let act = stage.open().await.unwrap();
    let mut first = Viewer::connect(&stage.url, &act.opened).await.unwrap();
    let mut second = Viewer::connect(&stage.url, &stage.ticket(&act.session).unwrap()).await.unwrap();
    let third = portcullis_tests::viewer::dial(&stage.url, &stage.ticket(&act.session).unwrap(), None).await.unwrap();
    let third = Viewer::handshake(third).await;
    assert!(third.is_err(), "there was room for a third");
    stage.rule("session: {viewers: 1}\n").unwrap();
    let (code, reason) = closed(&mut second).await;
    assert!(code == 4009 && reason.contains("all.yaml:8 session.viewers"), "{code} {reason}");
    first.pointer(0, 3, 3).await.unwrap();
    until("one is left", async || Ok((act.session.viewers() == 1).then_some(()))).await.unwrap();
    assert!(!act.session.is_ending());
    first.close().await.unwrap();
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!(record.of_type("viewer_left").len(), 2);
}

/// On a real desktop: programs there are no use, a person is; and sessions end by their rules.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_session_idles_whatever_its_programs_do() {
    let rules = "policy: lasting\napplies: {}\nsession: {idle: 4s, concurrent: 1}\n";
    let gate = Gate::start(&plan().policy("lasting.yaml", rules)).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let refused = api.open("bare").await.unwrap_err().to_string();
    assert!(refused.contains("429") && refused.contains("lasting.yaml:3 session.concurrent"), "{refused}");
    let journal = gate.journal().unwrap();
    let entry = journal.iter().find(|entry| entry["type"] == "refused").expect("the refusal");
    assert_eq!(entry["rule"], "lasting.yaml:3 session.concurrent");
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    viewer.pointer(0, 100, 100).await.unwrap();
    // A program on the desktop moves its pointer and presses its keys all the time.
    let mut busy = desktop
        .spawn("sh", &["-c", "while xdotool mousemove_relative --sync 3 1 key a mousemove 50 50; do sleep 0.2; done"])
        .unwrap();
    let (code, reason) = closed(&mut viewer).await;
    busy.kill().unwrap();
    busy.wait().unwrap();
    assert!(code == 4001 && reason.contains("lasting.yaml:3 session.idle"), "{code} {reason}");
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    assert_eq!(of_type(&events, "session_closed")[0]["rule"], "lasting.yaml:3 session.idle");

    // A file that changes is felt by a session that runs.
    let opened = api.open("bare").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    std::fs::write(gate.policies().join("lasting.yaml"), rules.replace("idle: 4s", "longest: 1s")).unwrap();
    let (code, reason) = closed(&mut viewer).await;
    assert!(code == 4001 && reason.contains("lasting.yaml:3 session.longest"), "{code} {reason}");
}
