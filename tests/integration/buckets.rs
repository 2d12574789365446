//! Sessions recorded to a bucket on a real S3 server: while they run, across outages, under a lock, and read from there by everybody.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use portcullis_tests::bucket::{Bucket, Wire};
use portcullis_tests::gate::{Plan, faketime, program};
use portcullis_tests::{Api, DesktopProbe, Gate, Viewer, until, video};
use reqwest::Method;
use serde_json::{Value, json};

use super::plan;

/// Pure colours (blue, green, red), each shown on the whole screen.
const BLUE: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const RED: [u8; 3] = [0, 0, 255];
const LOCK: &str = "[vault.lock]\nmode = \"compliance\"\ndays = 2";

/// A gate that records to a bucket in segments of a second.
fn to(table: &str) -> Plan {
    let mut plan = plan();
    let at = plan.config.find("[[desktops]]").unwrap();
    plan.config.insert_str(at, &format!("[recording]\nsegment_seconds = 1\nstill_seconds = 2\n{table}\n"));
    plan
}

async fn paint(desktop: &DesktopProbe, viewer: &mut Viewer, [blue, green, red]: [u8; 3]) {
    desktop.run("xsetroot", &["-solid", &format!("#{red:02x}{green:02x}{blue:02x}")]).unwrap();
    viewer.watch("the colour", |viewer| viewer.count([blue, green, red]) > 40_000).await.unwrap();
}

/// Runs `portcullis verify` on a bundle in the bucket, with the gate's own configuration and key.
fn verify(gate: &Gate, place: &str) -> (bool, String) {
    let mut command = Command::new(program().unwrap());
    command.args(["verify", place, "--config"]).arg(gate.data().with_file_name("gate.toml"));
    let output = command.env("PORTCULLIS_DATA", gate.data()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

async fn end(api: &Api, session: &str) {
    api.end(session).await.unwrap();
    api.wait_gone(session).await.unwrap();
}

#[tokio::test]
async fn a_session_goes_to_the_bucket_while_it_runs_and_stays_there() {
    let bucket = Bucket::make(true).await.unwrap();
    let gate = Gate::start(&to(&bucket.table(&bucket.endpoint, LOCK))).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    for colour in [BLUE, GREEN] {
        paint(&desktop, &mut viewer, colour).await;
    }
    let first = until("the first segment is in the bucket", async || {
        Ok(bucket.names("/chain/00001.jws").await?.into_iter().next())
    })
    .await
    .unwrap();
    assert!(first.starts_with("gates/one/sessions/") && first.contains(&opened.id), "{first}");
    assert_eq!(api.get("/api/sessions").await.unwrap()["sessions"].as_array().map(Vec::len), Some(1), "it still runs");
    paint(&desktop, &mut viewer, RED).await;
    viewer.close().await.unwrap();
    end(&api, &opened.id).await;

    // Nothing of it is in the gate's own folders.
    assert!(gate.bundle(&opened.id).is_err());
    assert_eq!(std::fs::read_dir(gate.data().join("spool")).unwrap().count(), 0);
    let place = first.strip_suffix("/chain/00001.jws").unwrap();
    for url in [format!("s3://{}/{place}", bucket.name), format!("s3://{}/gates/one/{}", bucket.name, opened.id)] {
        let (sound, report) = verify(&gate, &url);
        assert!(sound, "{url}: {report}");
    }
    let (sound, report) = verify(&gate, &format!("s3://{}/gates/one/nothing", bucket.name));
    assert!(!sound && report.contains("there is no bundle at s3://"), "{report}");

    // A player reads it from there, as it lies.
    bucket.publish().await.unwrap();
    let url = format!("{}/{}/{place}", bucket.endpoint, bucket.name);
    let frames = video::decode(Path::new(&url), 4).unwrap();
    for colour in [BLUE, GREEN, RED] {
        assert!(!frames.showing(colour, 48, 0.5).is_empty(), "{colour:?} in {} frames", frames.frames.len());
    }
    portal_plays(&gate, &opened.id).await;

    // Every object of it is locked: the server refuses to remove any, whoever asks.
    let versions = bucket.client.list_object_versions().bucket(&bucket.name).prefix(place).send().await.unwrap();
    let mut locked = 0;
    for version in versions.versions() {
        let (name, id) = (version.key().unwrap(), version.version_id().unwrap());
        if name.ends_with("index.m3u8") && version.is_latest() != Some(true) {
            continue;
        }
        let delete = bucket.client.delete_object().bucket(&bucket.name).key(name).version_id(id);
        let refused = delete.bypass_governance_retention(true).send().await.expect_err(name);
        assert_eq!(refused.code(), Some("AccessDenied"), "{name}");
        locked += 1;
    }
    assert!(locked > 10, "{locked} objects");
}

/// Plays and proves by the portal, which reads from the bucket.
async fn portal_plays(gate: &Gate, session: &str) {
    let person = Api::new(&gate.url, None);
    let link = json!({"link": gate.link.split_once('#').unwrap().1});
    let answer = person.send(Method::POST, "/api/sign-in", &[("origin", &gate.url)], Some(link)).await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let get = async |path: &str, range: &str| {
        let headers = [("cookie", cookie.as_str()), ("range", range)];
        person.send(Method::GET, path, &headers, None).await.unwrap()
    };
    let list: Value = get("/api/recordings", "").await.json().await.unwrap();
    assert_eq!(list["recordings"][0]["id"], session, "{list}");
    assert_eq!(list["recordings"][0]["state"], "closed", "{list}");
    let playlist = get(&format!("/api/recordings/{session}/index.m3u8"), "").await.text().await.unwrap();
    let file = playlist.lines().find(|line| line.ends_with(".m4s")).unwrap_or_else(|| panic!("{playlist}"));
    let path = match file.starts_with('/') {
        true => file.to_owned(),
        false => format!("/api/recordings/{session}/{file}"),
    };
    let whole = get(&path, "").await.bytes().await.unwrap();
    let part = get(&path, "bytes=4-7").await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.unwrap(), whole[4..8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_for_a_while_ends_nothing_and_lacks_nothing() {
    let bucket = Bucket::make(false).await.unwrap();
    let wire = Wire::to(&bucket.endpoint).await.unwrap();
    let gate = Gate::start(&to(&bucket.table(&wire.endpoint, "timeout_seconds = 2"))).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    paint(&desktop, &mut viewer, BLUE).await;
    wire.cut();
    // A new session does not begin without evidence.
    let refused = gate.api("bob", "testers", "bare").unwrap().open("bare").await.unwrap_err().to_string();
    assert!(refused.starts_with("503"), "{refused}");
    // The one that runs goes on, and the log says that the vault is away.
    for colour in [GREEN, RED, GREEN] {
        paint(&desktop, &mut viewer, colour).await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    until("the log says it", async || {
        Ok(gate.log_text().contains("the vault did not take a file, trying again").then_some(()))
    })
    .await
    .unwrap();
    paint(&desktop, &mut viewer, RED).await;
    wire.mend();
    viewer.close().await.unwrap();
    end(&api, &opened.id).await;
    let (sound, report) = verify(&gate, &format!("s3://{}/gates/one/{}", bucket.name, opened.id));
    assert!(sound && !report.contains("gap"), "{report}");
    assert_eq!(bucket.names("/seal.json").await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_outage_left_is_brought_while_the_gate_runs() {
    let bucket = Bucket::make(false).await.unwrap();
    let wire = Wire::to(&bucket.endpoint).await.unwrap();
    let gate =
        Gate::start(&to(&bucket.table(&wire.endpoint, "timeout_seconds = 2\noutage_seconds = 1"))).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    paint(&desktop, &mut viewer, BLUE).await;
    wire.cut();
    let _ = api.end(&opened.id).await;
    until("it could not be sealed", async || Ok(gate.log_text().contains("could not be sealed").then_some(())))
        .await
        .unwrap();
    until("it stays, and that is said", async || {
        Ok(gate.log_text().contains("a recording stays in the spool").then_some(()))
    })
    .await
    .unwrap();
    assert!(bucket.names("/seal.json").await.unwrap().is_empty());
    wire.mend();
    until("the seal is in the bucket", async || Ok((bucket.names("/seal.json").await?.len() == 1).then_some(())))
        .await
        .unwrap();
    until(
        "the spool is empty",
        async || Ok((std::fs::read_dir(gate.data().join("spool"))?.count() == 0).then_some(())),
    )
    .await
    .unwrap();
    let (sound, report) = verify(&gate, &format!("s3://{}/gates/one/{}", bucket.name, opened.id));
    assert!(sound || report.contains("gap"), "{report}");
}

#[tokio::test]
async fn a_recording_that_is_hidden_in_a_locked_bucket_is_told_of() {
    let bucket = Bucket::make(true).await.unwrap();
    let mut gate = Gate::start(&to(&bucket.table(&bucket.endpoint, LOCK))).await.unwrap();
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    end(&api, &opened.id).await;
    until("it is sealed", async || Ok((bucket.names("/seal.json").await?.len() == 1).then_some(()))).await.unwrap();
    gate.stop().await.unwrap();
    // By name alone: the lock permits it, and what is there is no longer shown.
    for name in bucket.names(&opened.id).await.unwrap() {
        bucket.client.delete_object().bucket(&bucket.name).key(name).send().await.unwrap();
    }
    assert!(bucket.names("/seal.json").await.unwrap().is_empty());
    for _ in 0..2 {
        gate.launch().await.unwrap();
        let log = gate.log_text();
        let said = log.lines().any(|line| line.contains("does not show this recording") && line.contains(&opened.id));
        assert!(said, "{log}");
        gate.stop().await.unwrap();
    }
    let journal = std::fs::read_dir(gate.data().join("journal")).unwrap();
    let journal: String = journal.map(|day| std::fs::read_to_string(day.unwrap().path()).unwrap()).collect();
    assert_eq!(journal.matches("\"type\":\"recording_missing\"").count(), 1, "{journal}");
    let forgets = Command::new(program().unwrap())
        .args(["recordings", "rebuild-index", "--config"])
        .arg(gate.data().with_file_name("gate.toml"))
        .env("PORTCULLIS_DATA", gate.data())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&forgets.stdout).into_owned();
    assert!(said.contains(&format!("{}  forgotten", opened.id)), "{said}");
}

#[tokio::test]
async fn two_gates_in_one_bucket_keep_apart_and_one_that_was_killed_catches_up() {
    let bucket = Bucket::make(false).await.unwrap();
    let table = bucket.table(&bucket.endpoint, "require = [\"preconditions\"]");
    let (plan, mut sessions) = (to(&table), Vec::new());
    let (one, mut other) = (Gate::start(&plan).await.unwrap(), Gate::start(&plan).await.unwrap());
    for gate in [&one, &other] {
        let opened = gate.api("alice", "testers", "bare").unwrap().open("bare").await.unwrap();
        let desktop = DesktopProbe::find(&opened.id).await.unwrap();
        let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
        paint(&desktop, &mut viewer, GREEN).await;
        sessions.push(opened.id);
    }
    other.kill().unwrap();
    other.launch().await.unwrap();
    end(&one.api("alice", "testers", "bare").unwrap(), &sessions[0]).await;
    until("both are sealed", async || Ok((bucket.names("/seal.json").await?.len() == 2).then_some(()))).await.unwrap();
    for (gate, session) in [&one, &other].into_iter().zip(&sessions) {
        let (sound, report) = verify(gate, &format!("s3://{}/gates/one/{session}", bucket.name));
        assert!(sound, "{report}");
    }
    let (sound, report) = verify(&one, &format!("s3://{}/gates/one/{}", bucket.name, sessions[1]));
    assert!(!sound && report.contains("which was not given"), "the other's key is another: {report}");
}

/// Runs `doctor`: its exit code and what it says of the vault.
fn doctor(table: &str, ahead: Option<&str>) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gate.toml"), to(table).config).unwrap();
    let mut command = Command::new(program().unwrap());
    command.args(["doctor", "--config"]).arg(folder.path().join("gate.toml")).arg("--data").arg(folder.path());
    if let Some(ahead) = ahead {
        command.env("LD_PRELOAD", faketime().unwrap()).env("FAKETIME", ahead).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code(), said)
}

#[tokio::test]
async fn what_a_bucket_does_not_do_is_said_before_anything_is_recorded() {
    let (locks, plain) = (Bucket::make(true).await.unwrap(), Bucket::make(false).await.unwrap());
    let (code, said) = doctor(&locks.table(&locks.endpoint, LOCK), None);
    assert!(said.contains("takes recordings; locked (compliance) for 2 days"), "{said}");
    assert!(said.contains("checksums: bytes with a wrong x-amz-checksum-sha256 were accepted"), "{said}");
    assert_eq!(code, Some(0), "{said}");
    for (table, words) in [
        (
            plain.table(&plain.endpoint, LOCK),
            "does not protect the record (Object Lock): it is not enabled for the bucket",
        ),
        (plain.table(&plain.endpoint, "require = [\"checksums\"]"), "does not protect the record (checksums)"),
        (plain.table("http://127.0.0.1:9", ""), "no answer of the server"),
        (plain.table(&plain.endpoint, "").replace("gate-", "gone-"), "there is no such bucket"),
    ] {
        let (code, said) = doctor(&table, None);
        assert!(code == Some(1) && said.contains(words), "{words}: {said}");
    }
    let (code, said) = doctor(&plain.table(&plain.endpoint, ""), Some("+2h"));
    assert!(code == Some(1) && said.contains("set the clock"), "{said}");
    // A gate does not start either.
    let error = Gate::start(&to(&plain.table(&plain.endpoint, LOCK))).await.unwrap_err().to_string();
    assert!(error.contains("does not protect the record (Object Lock)"), "{error}");
}
