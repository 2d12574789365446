//! Events that leave the gate: every one of the record, once, to receivers that fail in every way, over kill -9 of the gate.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_tests::gate::Plan;
use portcullis_tests::receiver::{Mood, Receiver, SECRET, Taken};
use portcullis_tests::{Api, Gate, Opened, Viewer, until};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::plan;

/// Deliveries that may be under way at once, whose answers a killed gate does not live to note.
const AT_ONCE: usize = 4;

/// The file that holds the receivers' secret.
fn secret() -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{SECRET}").unwrap();
    file
}

/// A destination, as an operator writes it.
fn webhook(name: &str, receiver: &Receiver, secret: &NamedTempFile, more: &str) -> String {
    let (url, secret) = (receiver.url(), secret.path().display());
    format!(
        "[[alerts]]\nname = \"{name}\"\n{more}\nwebhook = {{ url = \"{url}\", secret_file = \"{secret}\", timeout_seconds = 1 }}\n"
    )
}

fn with(alerts: &str) -> Plan {
    let mut plan = plan();
    plan.config += alerts;
    plan
}

/// Every line of the record by the name that its delivery must have: bundles in the vault, and the journal.
pub(crate) fn recorded(gate: &Gate) -> BTreeMap<String, String> {
    let name = std::fs::read_to_string(gate.data().join("alerts/.gate")).unwrap();
    let mut lines = BTreeMap::new();
    let mut each = |id: &dyn Fn(usize, &Value) -> String, file: &Path| {
        for (number, line) in std::fs::read_to_string(file).unwrap().lines().enumerate() {
            let event: Value = serde_json::from_str(line).unwrap();
            assert!(lines.insert(id(number + 1, &event), line.to_owned()).is_none());
        }
    };
    for file in files(&gate.data().join("vault/sessions")) {
        if file.extension().is_some_and(|extension| extension == "jsonl") {
            let session = file.ancestors().nth(2).unwrap().file_name().unwrap().to_string_lossy().into_owned();
            each(&|_, event| format!("{name}.{session}.{}", event["seq"]), &file);
        }
    }
    for file in files(&gate.data().join("journal")) {
        let day = file.file_stem().unwrap().to_string_lossy().into_owned();
        each(&|number, _| format!("{name}.journal-{day}.{number}"), &file);
    }
    lines
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Waits until the receiver has exactly what is on the record; that.
async fn all_arrived(gate: &Gate, receiver: &Receiver) -> BTreeMap<String, String> {
    until("everything on the record arrives", async || {
        let (known, recorded) = (receiver.by_id()?, recorded(gate));
        Ok((known == recorded).then_some(recorded))
    })
    .await
    .unwrap_or_else(|error| {
        let (known, recorded) = (receiver.by_id().unwrap(), recorded(gate));
        let lacking: Vec<_> = recorded.keys().filter(|id| !known.contains_key(*id)).collect();
        let foreign: Vec<_> = known.keys().filter(|id| !recorded.contains_key(*id)).collect();
        panic!("{error}: of {} are lacking {lacking:?}, foreign are {foreign:?}\n{}", recorded.len(), gate.log_text())
    })
}

/// Opens a session and does things in it that are events; some denied, in texts of every kind.
async fn act(gate: &Gate, texts: usize) -> (Api, Opened, Viewer) {
    let api = gate.api("alice", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.watch("the first picture", |viewer| !viewer.pixels.is_empty()).await.unwrap();
    for n in 0..texts {
        viewer.cut_text(format!("text {n}").as_bytes()).await.unwrap();
    }
    viewer.text("ab").await.unwrap();
    let spool = gate.data().join("spool").join(&opened.id).join("bundle/events");
    until("it is on the record", async || {
        let lines: String = files(&spool).iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let count = |kind: &str| lines.matches(&format!("\"type\":\"{kind}\"")).count();
        Ok((count("paste") >= texts && count("keys") > 0).then_some(()))
    })
    .await
    .unwrap();
    (api, opened, viewer)
}

/// Strangers knock: events of the journal.
async fn knock(gate: &Gate, times: usize) {
    let stranger = Api::new(&gate.url, None);
    for _ in 0..times {
        stranger.send(Method::POST, "/api/sessions", &[], Some(json!({"desktop": "bare"}))).await.unwrap();
    }
}

/// How often something was taken again.
fn doubles(receiver: &Receiver) -> usize {
    receiver.taken().len() - receiver.by_id().unwrap().len()
}

/// Events of one file of the record come in its order.
fn assert_in_order(taken: &[Taken]) {
    let mut newest = BTreeMap::<String, u64>::new();
    let mut seen = std::collections::BTreeSet::new();
    for Taken { id, .. } in taken.iter().filter(|taken| seen.insert(taken.id.clone())) {
        let (file, number) = id.rsplit_once('.').unwrap();
        let number = number.parse().unwrap();
        assert!(newest.insert(file.to_owned(), number).is_none_or(|before| before < number), "{id} came late");
    }
}

#[tokio::test]
async fn a_receiver_that_fails_in_every_way_gets_every_event_once() {
    let (mut receiver, secret) = (Receiver::start().await.unwrap(), secret());
    let mut gate = Gate::start(&with(&webhook("soc", &receiver, &secret, "kinds = [\"*\"]"))).await.unwrap();
    receiver.tell(&[
        Mood::Status(500, None),
        Mood::Close,
        Mood::Status(429, Some(2)),
        Mood::Hang,
        Mood::Slow(Duration::from_millis(300)),
        Mood::Status(302, None),
        Mood::Status(503, None),
    ]);
    let (api, opened, _viewer) = act(&gate, 5).await;
    knock(&gate, 10).await;
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    all_arrived(&gate, &receiver).await;
    // What hung, was closed or failed was tried again under its own name.
    assert!(receiver.tried().len() >= receiver.taken().len() + 5, "{:?}", receiver.tried());
    assert_eq!(doubles(&receiver), 0);

    receiver.go_away();
    let (api, opened, _viewer) = act(&gate, 5).await;
    knock(&gate, 10).await;
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    until("that it is away is said", async || Ok(gate.log_text().contains("is tried again").then_some(())))
        .await
        .unwrap();
    receiver.come_back().await.unwrap();
    all_arrived(&gate, &receiver).await;
    gate.stop().await.unwrap();
    let everything = all_arrived(&gate, &receiver).await;
    assert_eq!(doubles(&receiver), 0);
    assert_in_order(&receiver.taken());
    let kinds: Vec<Value> =
        everything.values().map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone()).collect();
    for kind in ["session_opened", "viewer_joined", "paste", "keys", "session_closed", "refused"] {
        assert!(kinds.iter().any(|known| known == kind), "no {kind} in {kinds:?}");
    }

    // A gate that comes up again sends nothing again: what it hears next is new.
    gate.launch().await.unwrap();
    let before = receiver.tried().len();
    knock(&gate, 1).await;
    all_arrived(&gate, &receiver).await;
    assert_eq!(receiver.tried().len(), before + 1);
}

#[tokio::test]
async fn kill_9_loses_no_event_and_gives_none_another_name() {
    let (receiver, secret) = (Receiver::start().await.unwrap(), secret());
    let mut gate = Gate::start(&with(&webhook("soc", &receiver, &secret, "kinds = [\"*\"]"))).await.unwrap();
    let mut kills = 0;
    // Killed while events are made and deliveries are pending: at once, half-way, and long after.
    for taken in [0, 6, 25] {
        receiver.pace(Duration::from_millis(40));
        let before = receiver.taken().len();
        let (_api, _opened, mut viewer) = act(&gate, 20).await;
        knock(&gate, 30).await;
        until("some are taken", async || Ok((receiver.taken().len() >= before + taken).then_some(()))).await.unwrap();
        for n in 0..5 {
            viewer.cut_text(format!("last {n}").as_bytes()).await.unwrap();
        }
        gate.kill().unwrap();
        kills += 1;
        receiver.pace(Duration::ZERO);
        gate.launch().await.unwrap();
    }
    let everything = all_arrived(&gate, &receiver).await;
    assert!(everything.len() > 100, "{}", everything.len());
    let interrupted = everything.values().filter(|line| line.contains("the gate was killed")).count();
    assert_eq!(interrupted, kills, "recovery's own words are exported too");
    assert!(doubles(&receiver) <= kills * AT_ONCE, "{} doubles", doubles(&receiver));
    assert_in_order(&receiver.taken());
}

#[tokio::test]
async fn only_what_is_chosen_goes_out_and_what_is_refused_for_good_is_said() {
    let (denials, dead, secret) = (Receiver::start().await.unwrap(), Receiver::start().await.unwrap(), secret());
    let alerts =
        webhook("denials", &denials, &secret, "kinds = [\"paste\", \"session_*\", \"refused\"]\neffects = [\"deny\"]")
            + &webhook("dead", &dead, &secret, "kinds = [\"session_*\"]");
    let mut gate = Gate::start(&with(&alerts)).await.unwrap();
    dead.tell(&[Mood::Status(410, None)]);
    let (api, opened, _viewer) = act(&gate, 3).await;
    knock(&gate, 2).await;
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    gate.stop().await.unwrap();
    let events: BTreeMap<String, Value> =
        recorded(&gate).into_iter().map(|(id, line)| (id, serde_json::from_str(&line).unwrap())).collect();
    let chosen: Vec<&String> = events
        .iter()
        .filter(|(_, event)| event["type"] == "refused" || event["type"] == "paste" && event["effect"] == "deny")
        .map(|(id, _)| id)
        .collect();
    assert!(chosen.len() >= 5, "{events:?}");
    assert_eq!(denials.by_id().unwrap().keys().collect::<Vec<_>>(), chosen);

    let sessions = events.values().filter(|event| event["type"].as_str().unwrap().starts_with("session_")).count();
    assert_eq!(dead.by_id().unwrap().len(), sessions - 1);
    let letters = std::fs::read_to_string(gate.data().join("alerts/dead/refused.jsonl")).unwrap();
    let letter: Value = serde_json::from_str(letters.trim()).unwrap();
    assert_eq!((&letter["why"], &letter["delivery"]), (&"HTTP 410".into(), &dead.tried()[0].as_str().into()));
    assert!(gate.log_text().contains("refused for good"), "{}", gate.log_text());
    assert!(!gate.log_text().contains(SECRET) && !letters.contains(SECRET));
}

#[tokio::test]
async fn standard_output_is_json_lines_and_nothing_else() {
    let mut gate = Gate::start(&with("[[alerts]]\nname = \"out\"\nkinds = [\"*\"]\nstdout = true\n")).await.unwrap();
    knock(&gate, 3).await;
    inscribe(&gate);
    let (_api, _opened, _viewer) = act(&gate, 3).await;
    gate.stop().await.unwrap();
    let mut output = gate.output();
    for line in &output {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(!line.contains('\u{1b}'), "{line}");
    }
    let mut lines: Vec<String> = recorded(&gate).into_values().collect();
    lines.sort();
    output.sort();
    assert_eq!(output, lines);
    assert!(lines.iter().any(|line| line.len() > 64 * 1024), "the hostile event is among them");
}

/// Appends an event to the journal whose text is an attack on whoever reads it, and long.
pub(crate) fn inscribe(gate: &Gate) {
    let hostile = "]\" \\ \n<0>1 \u{1b}]0;x\u{7} \u{9b}2J é\u{2028}\u{7f}".repeat(3000);
    assert!(hostile.len() > 64 * 1024);
    let journal = files(&gate.data().join("journal")).into_iter().max().expect("a journal");
    let line = json!({
        "v": 1, "seq": 1, "at_us": 0, "time": "2999-01-31T23:59:59.000000Z", "session": "", "subject": &hostile[..60], "policy": "",
        "rule": "", "type": "refused", "what": hostile, "reason": "",
    });
    std::fs::File::options().append(true).open(journal).unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_tried_by_hand() {
    let (mut receiver, secret) = (Receiver::start().await.unwrap(), secret());
    let gate = Gate::start(&with(&webhook("soc", &receiver, &secret, "kinds = [\"*\"]"))).await.unwrap();
    let config = gate.config();
    let test = ["alerts", "test", "soc", "--config", &config];
    gate.run(&test).unwrap();
    let taken = receiver.taken();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].body.contains("alerts_test") && taken[0].id.starts_with("test."), "{taken:?}");
    receiver.by_id().unwrap();
    // Knocking sends nothing; whatever else this machine lacks.
    let doctor = || {
        let program = portcullis_tests::gate::program().unwrap();
        let output = std::process::Command::new(program).args(["doctor", "--config", &config]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().find(|line| line.starts_with("soc ")).unwrap().to_owned()
    };
    let line = doctor();
    assert!(line.ends_with("connects") && !line.contains('?'), "{line}");
    assert_eq!(receiver.tried().len(), 1);
    receiver.tell(&[Mood::Status(401, None)]);
    let refused = gate.run(&test).unwrap_err().to_string();
    assert!(refused.contains("refused") && refused.contains("HTTP 401"), "{refused}");
    receiver.go_away();
    let away = gate.run(&test).unwrap_err().to_string();
    assert!(away.contains("would try again"), "{away}");
    let line = doctor();
    assert!(line.contains("refused"), "{line}");
    let unknown = gate.run(&["alerts", "test", "sock", "--config", &config]).unwrap_err().to_string();
    assert!(unknown.contains("no alert `sock`") && unknown.contains("soc"), "{unknown}");
}
