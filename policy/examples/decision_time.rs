//! Measures one decision over 200 policies: `cargo run --release -p portcullis-policy --example decision_time`.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a measurement that fails should stop")]

use std::hint::black_box;
use std::time::Instant;

use portcullis_policy::{Action, PolicyFile, PolicySet, Request, Subject};

const POLICIES: usize = 200;
const ROUNDS: usize = 20_000;

/// Like a large house: each policy names three groups and three globs, allows four actions and denies one.
fn policy(number: usize) -> PolicyFile {
    let text = format!(
        "policy: team-{number}\napplies:\n  groups: [team-{number}, team-{number}-lead, everybody-{}]\n  \
         desktops: [browser, 'dev-{}-*', '*-shared']\nallow:\n  control: {{}}\n  copy: {{max_bytes: {} KiB}}\n  \
         paste: {{max_bytes: 64 KiB}}\n  watch: {{}}\ndeny:\n  - actions: [resize]\nrecording: {{mode: strict}}\n",
        number % 2,
        number % 7,
        number + 1,
    );
    PolicyFile { name: format!("team-{number:03}.yaml"), text }
}

fn subject(groups: &[&str]) -> Subject {
    let groups = groups.iter().map(|&group| group.to_owned()).collect();
    Subject { name: "alice".into(), groups, issuer: "https://id.example".into() }
}

fn measure(what: &str, set: &PolicySet, subject: &Subject, desktop: &str, action: Action) {
    let mut nanoseconds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let request = Request { subject: black_box(subject), desktop: black_box(desktop), action };
            let start = Instant::now();
            black_box(set.decide(&request));
            start.elapsed().as_nanos()
        })
        .collect();
    nanoseconds.sort_unstable();
    let at = |share: usize| nanoseconds.get(ROUNDS * share / 100).copied().unwrap_or_default();
    println!("{what:<42} p50 {:>6} ns   p99 {:>6} ns", at(50), at(99));
}

fn main() {
    let files: Vec<_> = (0..POLICIES).map(policy).collect();
    let start = Instant::now();
    let set = PolicySet::parse(&files).unwrap();
    println!("{POLICIES} policies parsed in {} ms", start.elapsed().as_millis());
    let many: Vec<String> = (0..10).map(|number| format!("team-{}", 1000 + number)).collect();
    let stranger = subject(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let member = subject(&["staff", "team-150", "team-77-lead", "berlin", "onboarding"]);
    let everybody = subject(&["everybody-0", "everybody-1"]);
    measure("no policy applies, subject of 10 groups", &set, &stranger, "browser", Action::Open);
    measure("2 policies apply, control", &set, &member, "browser", Action::Control);
    measure("2 policies apply, copy within its limit", &set, &member, "dev-1-x", Action::Copy { bytes: 100 });
    measure("all 200 apply, copy over the limit", &set, &everybody, "db-shared", Action::Copy { bytes: 9 << 20 });
    measure(
        "all 200 apply, denied by the first",
        &set,
        &everybody,
        "db-shared",
        Action::Resize { width: 1, height: 1 },
    );
}
