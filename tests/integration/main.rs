//! Integration: a real gate, real desktops, real recordings.
#![allow(missing_docs)]

mod clipboard;
mod crash;
mod policy_change;
mod record;
mod refusals;
mod revocation;
mod screen;
mod shutdown;

use portcullis_tests::gate::Plan;

/// A gate with one small terminal, `desk`, the same screen without a window, `bare`, and one desktop that no policy names, `closed`.
pub(crate) fn plan() -> Plan {
    Plan::new(
        r#"
[sessions]
reconnect_seconds = 20
[[desktops]]
name = "desk"
title = "Desk"
size = "640x480"
process = { programs = [["xterm", "-bg", "white", "-fg", "black"]] }
[[desktops]]
name = "bare"
size = "640x480"
process = { programs = [] }
[[desktops]]
name = "closed"
process = { programs = [["xterm"]] }
"#,
    )
    .policy(
        "tests.yaml",
        "policy: tests\napplies: {groups: [testers], desktops: [desk, bare]}\nallow:\n  open: {}\n  control: {}\n",
    )
}

/// A policy file that also lets text cross both ways.
pub(crate) const CLIPBOARD: &str = "policy: clipboard\napplies: {groups: [testers], desktops: [desk, bare]}\nallow:\n  paste: {max_bytes: 1 KiB}\n  copy: {max_bytes: 1 KiB}\n";

/// The events of a bundle.
pub(crate) fn events(bundle: &std::path::Path) -> anyhow::Result<Vec<serde_json::Value>> {
    let mut names: Vec<_> =
        std::fs::read_dir(bundle.join("events"))?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    names.sort();
    let mut events = Vec::new();
    for name in names {
        for line in std::fs::read_to_string(name)?.lines() {
            events.push(serde_json::from_str(line)?);
        }
    }
    Ok(events)
}

/// The events of one type.
pub(crate) fn of_type<'a>(events: &'a [serde_json::Value], kind: &str) -> Vec<&'a serde_json::Value> {
    events.iter().filter(|event| event["type"] == kind).collect()
}
