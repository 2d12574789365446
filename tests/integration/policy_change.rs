//! A policy that changes is live within seconds, for sessions that run too.

use std::time::{Duration, SystemTime};

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

/// Seconds since the Unix epoch, and hours and minutes of UTC, so many seconds from now.
pub(crate) fn in_utc(ahead: u64) -> (u64, String) {
    let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_secs(ahead);
    let minutes = at.as_secs() / 60 % (24 * 60);
    (at.as_secs() / 60 * 60, format!("{:02}:{:02}", minutes / 60, minutes % 60))
}

#[tokio::test]
async fn a_session_ends_with_the_hours_that_permit_it() {
    // From an hour ago until in about twenty minutes.
    let ((_, start), (close, end)) = (in_utc(23 * 3600), in_utc(20 * 60));
    let hours = format!(
        "policy: tests\napplies: {{groups: [testers], hours: 'daily {start}-{end} UTC'}}\nallow: {{control: {{}}}}\n"
    );
    let gate = Gate::start(&plan().policy("tests.yaml", &hours).with_clock()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let now = in_utc(0).0;
    gate.set_clock(i64::try_from(close - now).unwrap()).unwrap();
    let frame = viewer.closed().await.unwrap();
    assert_eq!(u16::from(frame.code), 4003);
    assert!(frame.reason.contains("no policy applies"), "{}", frame.reason);
    // Tokens live for a minute of this machine's time.
    gate.set_clock(0).unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    let changed = of_type(&events, "policy_changed");
    assert_eq!(
        (changed.len(), &changed[0]["effect"], &changed[0]["rule"]),
        (1, &json!("deny"), &json!("default deny"))
    );
}

#[tokio::test]
async fn networks_and_keys_are_judged_by_where_a_viewer_comes_from_and_what_it_does() {
    let here = "policy: tests\napplies: {groups: [testers], desktops: [desk], networks: [127.0.0.0/8, '::1']}\nallow: {control: {}}\ndeny: [{actions: [key]}]\n";
    let elsewhere = "policy: elsewhere\napplies: {groups: [testers], networks: [192.0.2.0/24]}\nallow: {control: {}}\n";
    let gate = Gate::start(&plan().policy("tests.yaml", here).policy("elsewhere.yaml", elsewhere)).await.unwrap();
    let refused = gate.api("alice", "testers", "bare").unwrap().open("bare").await.unwrap_err().to_string();
    assert!(refused.contains("403") && refused.contains("no policy applies"), "{refused}");
    let api = gate.api("alice", "testers", "desk").unwrap();
    let desktops = api.get("/api/desktops").await.unwrap();
    assert_eq!(desktops["desktops"][0]["permitted"], json!(true), "{desktops}");
    assert_eq!(desktops["desktops"][1]["permitted"], json!(false), "{desktops}");
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.text("never seen").await.unwrap();
    viewer.pointer(1, 100, 100).await.unwrap();
    viewer.pointer(0, 100, 100).await.unwrap();
    // What came before the close frame has been judged once the viewer has left its seat.
    viewer.close().await.unwrap();
    let session = format!("/api/sessions/{}", opened.id);
    until("the viewer has left", async || Ok((api.get(&session).await?["viewers"] == 0).then_some(()))).await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    let control = of_type(&events, "control");
    let told: Vec<_> =
        control.iter().map(|event| (event["effect"].as_str().unwrap(), event["rule"].as_str().unwrap())).collect();
    assert_eq!(told, [("deny", "tests.yaml:4 deny[0].actions"), ("permit", "tests.yaml:3 allow.control")]);
    assert!(of_type(&events, "keys").is_empty(), "keys passed");
    assert_eq!(of_type(&events, "clicks").len(), 1, "the click did not pass");
}

#[tokio::test]
async fn a_proxy_s_word_says_which_networks_rules_hold() {
    let inside = "policy: tests\napplies: {groups: [testers], networks: [198.51.100.0/24]}\nallow: {control: {}}\n";
    let allowed = async |gate: &Gate, forwarded: Option<&str>| {
        let api = gate.api("alice", "testers", "desk").unwrap();
        let headers: Vec<_> = forwarded.iter().map(|address| ("x-forwarded-for", *address)).collect();
        let answer = api.send(reqwest::Method::GET, "/api/desktops", &headers, None).await.unwrap();
        let desktops: serde_json::Value = answer.json().await.unwrap();
        desktops["desktops"][0]["permitted"].as_bool().unwrap()
    };
    // Nobody is believed where no proxy is named.
    let alone = Gate::start(&plan().policy("tests.yaml", inside)).await.unwrap();
    assert!(!allowed(&alone, Some("198.51.100.7")).await);
    drop(alone);
    let mut behind = plan().policy("tests.yaml", inside);
    behind.config = format!("proxies = [\"127.0.0.1\"]\n{}", behind.config);
    let behind = Gate::start(&behind).await.unwrap();
    for (forwarded, expected) in [
        (Some("198.51.100.7"), true),
        (Some("203.0.113.1, 198.51.100.7"), true),
        (Some("198.51.100.7, 203.0.113.1"), false),
        (Some("198.51.100.7, nobody"), false),
        (None, false),
    ] {
        assert_eq!(allowed(&behind, forwarded).await, expected, "{forwarded:?}");
    }
}
