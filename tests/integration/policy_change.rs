//! A policy that changes is live within seconds, for sessions that run too.

use portcullis_tests::{Gate, Viewer, until};
use serde_json::json;

use super::{events, of_type, plan};

#[tokio::test]
async fn what_is_no_longer_permitted_ends_with_the_rule_named() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let denied = "policy: freeze\napplies: {desktops: [desk]}\ndeny:\n  - {actions: [open]}\n";
    std::fs::write(gate.policies().join("freeze.yaml"), denied).unwrap();
    let frame = viewer.closed().await.unwrap();
    assert_eq!(u16::from(frame.code), 4003);
    assert!(frame.reason.contains("freeze.yaml:"), "{}", frame.reason);
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    let changed = of_type(&events, "policy_changed");
    assert!(
        changed[0]["effect"] == "deny" && changed[0]["rule"].as_str().unwrap().starts_with("freeze.yaml:4"),
        "{changed:?}"
    );
}

#[tokio::test]
async fn a_change_that_does_not_check_stays_out() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    std::fs::write(gate.policies().join("broken.yaml"), "policy: broken\nallwo: {}\n").unwrap();
    until("the log says so", async || Ok(gate.log_text().contains("broken.yaml:2").then_some(()))).await.unwrap();
    let desktops = api.get("/api/desktops").await.unwrap();
    assert_eq!(desktops["desktops"][0]["permitted"], json!(true), "the last good revision stays: {desktops}");
}
