//! How long one decision over 200 policies takes, and how long 200 files and 2,000 cases take to be read, checked and tested:
//! `cargo bench -p portcullis-policy --bench decide`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement that fails should stop")]

use std::hint::black_box;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_policy::{Action, Cases, PolicyFile, PolicySet, Situation, Subject, Surroundings, diff};

const POLICIES: usize = 200;

/// 2026-03-02, a Monday, 09:00 in Berlin.
const MONDAY: Duration = Duration::from_secs(1_772_438_400);

/// Like a large house: each policy names three groups, three globs, two networks and hours, allows four actions and denies one.
fn policy(number: usize) -> PolicyFile {
    let text = format!(
        "policy: team-{number}\napplies:\n  groups: [team-{number}, team-{number}-lead, everybody-{}]\n  \
         desktops: [browser, 'dev-{}-*', '*-shared']\n  networks: [10.{number}.0.0/16, 192.168.0.0/16]\n  \
         hours: Mon-Fri 0{}:00-19:00 Europe/Berlin\nallow:\n  control: {{}}\n  copy: {{max_bytes: {} KiB}}\n  \
         paste: {{max_bytes: 64 KiB}}\n  watch: {{}}\ndeny:\n  - actions: [resize]\nrecording: {{mode: strict}}\n",
        number % 2,
        number % 7,
        number % 9,
        number + 1,
    );
    PolicyFile { name: format!("team-{number:03}.yaml"), text }
}

/// A file of cases for ten policies, ten of each.
fn cases(number: usize) -> PolicyFile {
    let mut text = "cases:\n".to_owned();
    for case in 0..100 {
        let team = (number * 10 + case / 10) % POLICIES;
        text += &format!(
            "  - {{subject: {{name: s{case}, groups: [team-{team}]}}, desktop: browser, action: copy, bytes: {} KiB, \
             time: 2026-03-02 12:00 Europe/Berlin, network: 10.{team}.1.1, expect: {}}}\n",
            case + 1,
            if case <= team { "permit" } else { "deny" },
        );
    }
    PolicyFile { name: format!("tests/{number:02}.yaml"), text }
}

fn subject(groups: &[&str]) -> Subject {
    let groups = groups.iter().map(|&group| group.to_owned()).collect();
    Subject { name: "alice".into(), groups, issuer: "https://id.example".into() }
}

fn decide(criterion: &mut Criterion) {
    let files: Vec<_> = (0..POLICIES).map(policy).collect();
    let set = PolicySet::parse(&files).unwrap();
    let many: Vec<String> = (0..10).map(|number| format!("team-{}", 1000 + number)).collect();
    let stranger = subject(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let member = subject(&["staff", "team-150", "team-77-lead", "berlin", "onboarding"]);
    let everybody = subject(&["everybody-0", "everybody-1"]);
    let from: IpAddr = [192, 168, 1, 7].into();
    let mut group = criterion.benchmark_group("decide");
    let mut measure = |what: &str, subject: &Subject, desktop: &str, action: Action| {
        group.bench_function(what, |bencher| {
            bencher.iter(|| {
                let situation = Situation::new(black_box(subject), black_box(desktop));
                set.decide(&situation.at(SystemTime::UNIX_EPOCH + MONDAY).from(from).wants(action))
            });
        });
    };
    measure("none of 200 applies, subject of 10 groups", &stranger, "browser", Action::Open);
    measure("2 of 200 apply, control", &member, "browser", Action::Control);
    measure("2 of 200 apply, copy within its limit", &member, "dev-1-x", Action::Copy { bytes: 100 });
    measure("all 200 apply, copy within its limit", &everybody, "db-shared", Action::Copy { bytes: 100 });
    measure("all 200 apply, copy over its limit", &everybody, "db-shared", Action::Copy { bytes: 9 << 20 });
    measure("all 200 apply, denied", &everybody, "db-shared", Action::Resize { width: 1, height: 1 });
    group.finish();
    criterion.bench_function("read 200 files", |bencher| bencher.iter(|| PolicySet::parse(black_box(&files)).unwrap()));
    let situation = Situation::new(&everybody, "db-shared").at(SystemTime::UNIX_EPOCH + MONDAY).from(from);
    criterion.bench_function("obligations, all 200 apply", |bencher| {
        bencher.iter(|| set.obligations(black_box(&situation)))
    });
}

fn repository(criterion: &mut Criterion) {
    let files: Vec<_> = (0..POLICIES).map(policy).collect();
    let tests: Vec<_> = (0..20).map(cases).collect();
    let set = PolicySet::parse(&files).unwrap();
    let results = Cases::parse(&tests).unwrap().run(&set);
    assert_eq!(results.len(), 2000);
    assert!(results.iter().all(|result| result.passed()), "{:?}", results.iter().find(|result| !result.passed()));
    let mut group = criterion.benchmark_group("200 files");
    group.sample_size(10);
    group.bench_function("checked, and 2,000 cases run", |bencher| {
        bencher.iter(|| {
            let set = PolicySet::parse(black_box(&files)).unwrap();
            let findings = set.check(Surroundings::default());
            (findings, Cases::parse(black_box(&tests)).unwrap().run(&set))
        });
    });
    let mut changed = files.clone();
    changed.truncate(POLICIES - 1);
    let after = PolicySet::parse(&changed).unwrap();
    group.bench_function("compared with 199 of them", |bencher| {
        bencher.iter(|| diff(black_box(&set), black_box(&after)))
    });
    group.finish();
}

criterion_group!(benches, decide, repository);
criterion_main!(benches);
