//! Integration: a real gate, real desktops, real recordings.
#![allow(missing_docs)]

mod alerts;
mod alerts_example;
mod alerts_syslog;
mod blinks;
mod buckets;
mod clipboard;
mod contents;
mod crash;
mod docker;
mod egress;
mod encryption;
mod file_ends;
mod file_evasions;
mod file_pieces;
mod file_rules;
mod files;
mod keyboard;
mod lasting;
mod notices;
mod policy_change;
mod policy_command;
mod policy_git;
mod policy_hosts;
mod policy_signed;
mod record;
mod recordings_command;
mod refusals;
mod retention;
mod revocation;
mod screen;
mod screen_text;
mod settings;
mod shutdown;
mod standing;
mod time_stamp;
mod veil;
mod verify_command;

use portcullis_tests::gate::Plan;
pub(crate) use portcullis_tests::{events, of_type};

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
