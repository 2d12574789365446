//! Events by syslog: what a real rsyslog receives, by TCP and TLS, is every event of the record, each one message.

use std::collections::BTreeMap;

use portcullis_tests::gate::Plan;
use portcullis_tests::rsyslog::Rsyslog;
use portcullis_tests::{Api, Gate, Secrets, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::alerts::{inscribe, recorded};
use super::plan;

fn with(address: &str, more: &str) -> Plan {
    let mut plan = plan();
    plan.config += &format!(
        "[[alerts]]\nname = \"log\"\nkinds = [\"*\"]\nsyslog = {{ address = \"{address}\", facility = \"audit\", hostname = \"gate-1\"{more} }}\n"
    );
    plan
}

/// What rsyslog received: name of the delivery, and event.
fn received(daemon: &Rsyslog) -> Vec<(String, Value)> {
    let read = |line: &String| {
        let message = line.strip_prefix('<').unwrap_or_else(|| panic!("no message: {line}"));
        let (priority, rest) = message.split_once(">1 ").unwrap();
        assert_eq!(priority.parse::<u16>().unwrap() / 8, 13, "{line}");
        let (header, rest) = rest.split_once(" [portcullis@32473 delivery=\"").unwrap();
        let words: Vec<&str> = header.split(' ').collect();
        assert_eq!((words[1], words[2]), ("gate-1", "portcullis"), "{line}");
        let (id, rest) = rest.split_once('"').unwrap();
        // The end of the structured data: a bracket that no backslash escapes.
        let msg = rest.split_once("\"] ").unwrap().1;
        let event: Value = serde_json::from_str(msg).unwrap_or_else(|error| panic!("{error}: {msg}"));
        assert_eq!(event["type"], words[4], "{line}");
        (id.to_owned(), event)
    };
    daemon.received().iter().map(read).collect()
}

async fn all_arrived(gate: &Gate, daemon: &Rsyslog) {
    let arrived = until("everything on the record arrives", async || {
        let received: BTreeMap<String, Value> = received(daemon).into_iter().collect();
        let recorded: BTreeMap<String, Value> =
            recorded(gate).into_iter().map(|(id, line)| (id, serde_json::from_str(&line).unwrap())).collect();
        Ok((received == recorded).then_some(()))
    });
    arrived.await.unwrap_or_else(|error| {
        panic!("{error}: {} of {}\n{}", received(daemon).len(), recorded(gate).len(), gate.log_text())
    });
}

/// A session, refusals, a subject whose name has all that structured data must escape, and a text that is an attack on whoever reads the log.
async fn act(gate: &Gate) {
    let api = gate.api("m\"]<0>1 \\é", "testers", "bare").unwrap();
    let opened = api.open("bare").await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    inscribe(gate);
    let stranger = Api::new(&gate.url, None);
    for _ in 0..5 {
        stranger.send(Method::POST, "/api/sessions", &[], Some(json!({"desktop": "bare"}))).await.unwrap();
    }
}

#[tokio::test]
async fn rsyslog_by_tcp_gets_every_event_over_its_own_restart_and_the_gates_death() {
    let mut daemon = Rsyslog::start(None).await.unwrap();
    let mut gate = Gate::start(&with(&daemon.address(), "")).await.unwrap();
    act(&gate).await;
    all_arrived(&gate, &daemon).await;
    // It closes its connections when it stops: nothing is written into one that is closed.
    daemon.go_away().await.unwrap();
    act(&gate).await;
    gate.kill().unwrap();
    gate.launch().await.unwrap();
    daemon.come_back().await.unwrap();
    act(&gate).await;
    all_arrived(&gate, &daemon).await;
    let ids: Vec<_> = received(&daemon).into_iter().map(|(id, _)| id).collect();
    let known: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), known.len(), "none twice");
}

#[tokio::test]
async fn rsyslog_by_tls_is_checked_and_gets_every_event() {
    let secrets = Secrets::new().unwrap();
    let daemon = Rsyslog::start(Some(&secrets)).await.unwrap();
    let trusting =
        |authority: &str| with(&daemon.address(), &format!(", tls = true, ca = \"{}\"", secrets.text(authority)));
    let gate = Gate::start(&trusting("ca.pem")).await.unwrap();
    act(&gate).await;
    all_arrived(&gate, &daemon).await;
    gate.run(&["alerts", "test", "log", "--config", &gate.config()]).unwrap();
    // Under another authority the daemon is a stranger, and is told nothing.
    let other = Gate::start(&trusting("stranger.pem")).await.unwrap();
    act(&other).await;
    until("the refusal is said", async || Ok(other.log_text().contains("UnknownIssuer").then_some(()))).await.unwrap();
    let refused = other.run(&["alerts", "test", "log", "--config", &other.config()]).unwrap_err().to_string();
    assert!(refused.contains("invalid peer certificate"), "{refused}");
    let name = std::fs::read_to_string(other.data().join("alerts/.gate")).unwrap();
    assert!(!received(&daemon).iter().any(|(id, _)| id.starts_with(&name)));
}
