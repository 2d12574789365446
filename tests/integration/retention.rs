//! How long recordings are kept, end to end: a lock that no storage gives, terms that change while a session runs, and the gate's own look for what is due.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_evidence::{PathInBundle, Verdict};
use portcullis_rfb::Size;
use portcullis_tests::bucket::Bucket;
use portcullis_tests::{Gate, stage::Stage, until};
use serde_json::Value;

use super::plan;
use super::recordings_command::recording;

const SIZE: Size = Size { width: 320, height: 200 };
const DAY: u64 = 86_400;
const LOCKED: &str = "policy: locked\napplies: {groups: [testers]}\nrecording: {keep: 1d, lock: compliance}\n";

#[tokio::test]
async fn a_lock_that_the_storage_does_not_give_refuses_the_session() {
    let bucket = Bucket::make(false).await.unwrap();
    let folder = plan().policy("locked.yaml", LOCKED);
    let mut in_bucket = folder.clone();
    let at = in_bucket.config.find("[[desktops]]").unwrap();
    in_bucket.config.insert_str(at, &bucket.table(&bucket.endpoint, ""));
    for plan in [folder, in_bucket] {
        let gate = Gate::start(&plan).await.unwrap();
        let api = gate.api("alice", "testers", "bare").unwrap();
        let refused = api.open("bare").await.unwrap_err().to_string();
        assert!(
            refused.starts_with("503") && refused.contains("does not protect the record (Object Lock)"),
            "{refused}"
        );
        assert_eq!(api.get("/api/sessions").await.unwrap()["sessions"], Value::Array(Vec::new()));
        // Said beforehand too, for who looks after the gate: by which rule, and what the storage lacks.
        until("the log says it", async || {
            let log = gate.log_text();
            let said = log.contains("policy asks for more than the vault can do") && log.contains("locked.yaml:3");
            Ok((said && log.contains("sessions that it applies to are refused")).then_some(()))
        })
        .await
        .unwrap();
    }
    assert!(bucket.names("/sessions/").await.unwrap().is_empty(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_policy_asks_for_meanwhile_counts_if_it_is_more() {
    let mut stage = Stage::under(SIZE, "recording: {keep: 2d}\n").await.unwrap();
    let act = stage.open().await.unwrap();
    let folder = stage.spool().parent().unwrap().to_owned();
    let extended = |events: &[Value]| {
        let all = events.iter().filter(|event| event["type"] == "keep_extended");
        all.map(|event| (event["seconds"].as_u64().unwrap(), event["rule"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    for (rules, changes) in [("recording: {keep: 30d}\n", 1), ("recording: {keep: 1d}\n", 2), ("", 3)] {
        stage.rule(rules).unwrap();
        until("the session is judged again", async || Ok((judged(&folder).len() >= changes).then_some(())))
            .await
            .unwrap();
    }
    let record = stage.end(&act.session).await.unwrap();
    assert_eq!(extended(&record.events), [(30 * DAY, "all.yaml:8 recording.keep".to_owned())], "less is no news");
    let seal = std::fs::read(PathInBundle::Seal.under(&record.bundle)).unwrap();
    let seal = portcullis_evidence::Seal::unproved(&seal).unwrap();
    let parsed = |stamp: &str| portcullis_evidence::parse_stamp(stamp).unwrap();
    let kept = parsed(&seal.keep.unwrap().until) - parsed(&seal.ended);
    assert_eq!(kept, time::Duration::days(30), "the longest that was asked for");
}

/// The numbers of the events below a folder that tell of a change of policy, in spool or vault.
fn judged(folder: &Path) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(judged(&path));
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        found
            .extend(events.filter(|event| event["type"] == "policy_changed").filter_map(|event| event["seq"].as_u64()));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_asked_for_meanwhile_and_not_given_ends_a_strict_session() {
    let mut stage = Stage::under(SIZE, "recording: {keep: 2d, mode: strict}\n").await.unwrap();
    let act = stage.open().await.unwrap();
    stage.rule("recording: {keep: 2d, lock: governance, mode: strict}\n").unwrap();
    let outcome = stage.outcome(&act.session).await.unwrap().to_string();
    assert!(outcome.contains("Object Lock"), "{outcome}");
}

#[tokio::test]
async fn a_gate_lets_go_what_is_due_by_itself() {
    let mut gate = Gate::start(&plan()).await.unwrap();
    gate.stop().await.unwrap();
    let key = std::fs::read_to_string(gate.data().join("keys/evidence.pem")).unwrap();
    let key = std::sync::Arc::new(portcullis_evidence::SigningKey::from_pem(&key).unwrap());
    recording(&gate.data(), &key, "due", 31, 30);
    recording(&gate.data(), &key, "kept", 29, 30);
    let quarantine = gate.data().join("quarantine/due");
    std::fs::create_dir_all(&quarantine).unwrap();
    std::fs::write(quarantine.join("0001.age"), "a copy").unwrap();
    gate.launch().await.unwrap();
    let bundle = gate.bundle("due").unwrap();
    until("the recording expired", async || {
        Ok((PathInBundle::Expired.under(&bundle).exists() && !PathInBundle::Index.under(&bundle).exists())
            .then_some(()))
    })
    .await
    .unwrap();
    until("the journal says so", async || {
        let journal = gate.journal()?;
        Ok(journal
            .iter()
            .any(|event| event["type"] == "recording_expired" && event["recording"] == "due")
            .then_some(()))
    })
    .await
    .unwrap();
    until("what was put into quarantine in its session went too", async || Ok((!quarantine.exists()).then_some(())))
        .await
        .unwrap();
    let report = portcullis_evidence::verify(&bundle, &[key.verifying_key()]);
    assert_eq!(report.verdict(), Verdict::Expired, "{report}");
    let kept = portcullis_evidence::verify(&gate.bundle("kept").unwrap(), &[key.verifying_key()]);
    assert_eq!(kept.verdict(), Verdict::Sound, "{kept}");
}
