//! A courier over a real journal, with a destination that does as it is told: order, repeats, refusals, ages, crashes at every step.

use std::collections::VecDeque;
use std::fs;
use std::io::Write;
use std::path::Path;

use async_trait::async_trait;
use portcullis_evidence::{Effect, stamp};
use portcullis_vault::Folder;
use time::OffsetDateTime;

use super::*;
use crate::choice::Choice;
use crate::destination::To;
use crate::entry::Entry;
use crate::follow::Places;
use crate::sink::Answer;

/// The longest that a condition is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);

/// Answers as it is told, then takes everything.
#[derive(Default)]
struct Told {
    script: Mutex<VecDeque<Answer>>,
    heard: Mutex<Vec<String>>,
    taken: Mutex<Vec<String>>,
    /// Events whose JSON has this in it are never taken.
    poison: Option<&'static str>,
}

impl Told {
    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

#[async_trait]
impl Sink for Told {
    async fn deliver(&self, entry: &Entry) -> Answer {
        // A wire takes time: here a courier may be killed.
        tokio::task::yield_now().await;
        self.heard.lock().unwrap().push(entry.id.clone());
        let text = String::from_utf8_lossy(&entry.json);
        if self.poison.is_some_and(|poison| text.contains(poison)) {
            return Answer::later("poison");
        }
        let answer = self.script.lock().unwrap().pop_front().unwrap_or_else(|| Answer::Taken(String::new()));
        if matches!(answer, Answer::Taken(_)) {
            self.taken.lock().unwrap().push(entry.id.clone());
        }
        answer
    }

    fn at_once(&self) -> usize {
        4
    }

    async fn knock(&self) -> Result<String, String> {
        Ok(String::new())
    }
}

/// A journal, and the folder of one destination's marks.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        for name in ["spool", "journal", "marks"] {
            fs::create_dir(world.at(name)).unwrap();
        }
        world
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn note(&self, day: &str, what: &str, time: OffsetDateTime) {
        let line = serde_json::json!({
            "v": 1, "seq": 1, "at_us": 0, "time": stamp(time), "session": "", "subject": "a", "policy": "", "rule": "", "type": "refused",
            "what": what, "reason": "",
        });
        let path = self.at("journal").join(format!("{day}.jsonl"));
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn notes(&self, day: &str, count: usize) {
        (0..count).for_each(|n| self.note(day, &format!("w{n}"), OffsetDateTime::now_utc()));
    }

    /// A gate that has come up.
    fn courier(&self, sink: &Arc<Told>) -> Arc<Courier> {
        let places = Places {
            spool: self.at("spool"),
            journal: self.at("journal"),
            vault: Arc::new(Folder::open(&self.at("vault")).unwrap()),
        };
        let choice = Choice::new(vec!["refused".into()], vec![Effect::Deny]).unwrap();
        let destination = Destination { name: "soc".into(), choice, keep: DAY, to: To::Stdout };
        let record = Record::new(places, "g".into());
        let marks = Marks::open(&self.at("marks"), || record.places().ends()).unwrap();
        let letters = Letters::of(&self.at("marks"));
        Arc::new(Courier::new(destination, Arc::clone(sink) as _, record, marks, letters))
    }

    /// Lets a courier work until it is done with what is there.
    async fn drain(&self, sink: &Arc<Told>, done: impl Fn(&Courier) -> bool) -> Arc<Courier> {
        let courier = self.courier(sink);
        let stop = CancellationToken::new();
        let running = tokio::spawn(Arc::clone(&courier).run(stop.clone()));
        // Real time: in some tests that of the courier is not.
        let start = std::time::Instant::now();
        while !done(&courier) {
            assert!(start.elapsed() < PATIENCE, "{:?}", courier.tally.standing("soc"));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
        running.await.unwrap();
        courier
    }
}

fn ids(day: &str, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("g.journal-{day}.{n}")).collect()
}

fn letters(folder: &Path) -> String {
    fs::read_to_string(folder.join("marks/refused.jsonl")).unwrap_or_default()
}

#[tokio::test]
async fn a_new_destination_begins_now_and_gets_everything_once_in_order() {
    let (world, sink) = (World::new(), Arc::new(Told::default()));
    world.notes("2026-01-30", 3);
    drop(world.courier(&sink));
    world.notes("2026-01-30", 2);
    world.notes("2026-01-31", 600);
    world.drain(&sink, |_| sink.taken().len() == 602).await;
    let mut taken = sink.taken();
    // Days are files of their own: order holds within each.
    let second: Vec<_> = taken.extract_if(.., |id| id.contains("01-31")).collect();
    assert_eq!((taken, second), (ids("2026-01-30", [4, 5]), ids("2026-01-31", 1..=600)));
    // The next gate has nothing left, and goes on behind it.
    world.notes("2026-01-31", 1);
    world.drain(&sink, |_| sink.taken().len() == 603).await;
    assert_eq!(sink.heard.lock().unwrap().len(), 603, "nothing was tried twice");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_comes_again_before_what_follows_it() {
    let (world, sink) = (World::new(), Arc::new(Told::default()));
    drop(world.courier(&sink));
    world.notes("2026-01-31", 3);
    let asked = Answer::Later { why: "full".into(), after: Some(Duration::from_secs(90)) };
    sink.script.lock().unwrap().extend([
        Answer::Taken(String::new()),
        Answer::later("500"),
        asked,
        Answer::later("500"),
    ]);
    let start = Instant::now();
    let courier = world.drain(&sink, |_| sink.taken().len() == 3).await;
    assert_eq!(*sink.heard.lock().unwrap(), ids("2026-01-31", [1, 2, 2, 2, 2, 3]));
    assert!(start.elapsed() >= Duration::from_secs(90), "Retry-After is honoured: {:?}", start.elapsed());
    let standing = courier.tally.standing("soc");
    assert_eq!((standing.delivered, standing.failures, standing.failing, standing.behind_seconds), (3, 3, false, 0));
}

#[tokio::test]
async fn a_refused_event_is_a_dead_letter_and_holds_nobody_up() {
    let (world, sink) = (World::new(), Arc::new(Told::default()));
    drop(world.courier(&sink));
    world.notes("2026-01-31", 3);
    sink.script.lock().unwrap().extend([Answer::Taken(String::new()), Answer::Refused("HTTP 410".into())]);
    let courier = world.drain(&sink, |_| sink.taken().len() == 2).await;
    assert_eq!(sink.taken(), ids("2026-01-31", [1, 3]));
    assert_eq!(courier.tally.standing("soc").refused, 1);
    let letters = letters(world.0.path());
    assert!(
        letters.contains("g.journal-2026-01-31.2") && letters.contains("HTTP 410") && !letters.contains("w1"),
        "{letters}"
    );
}

#[tokio::test]
async fn what_is_too_old_is_dropped_and_counted() {
    let (world, sink) = (World::new(), Arc::new(Told::default()));
    drop(world.courier(&sink));
    world.note("2026-01-31", "old", OffsetDateTime::now_utc() - DAY - Duration::from_secs(60));
    world.note("2026-01-31", "new", OffsetDateTime::now_utc());
    let courier = world.drain(&sink, |_| !sink.taken().is_empty()).await;
    assert_eq!((sink.taken(), courier.tally.standing("soc").expired), (ids("2026-01-31", [2]), 1));
}

#[tokio::test(start_paused = true)]
async fn one_event_that_is_never_taken_holds_up_its_own_file_alone() {
    let (world, sink) = (World::new(), Arc::new(Told { poison: Some("w1"), ..Told::default() }));
    drop(world.courier(&sink));
    world.notes("2026-01-30", 3);
    world.note("2026-01-31", "fine", OffsetDateTime::now_utc());
    let courier = world.courier(&sink);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&courier).run(stop.clone()));
    let start = Instant::now();
    while courier.tally.standing("soc").failures < 4 {
        assert!(start.elapsed() < 10 * PATIENCE, "{:?}", courier.tally.standing("soc"));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.note("2026-01-31", "fine too", OffsetDateTime::now_utc());
    while sink.taken().len() < 3 {
        assert!(start.elapsed() < 10 * PATIENCE, "{:?}", sink.taken());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut taken = sink.taken();
    taken.sort();
    assert_eq!(taken, [ids("2026-01-30", [1]), ids("2026-01-31", [1, 2])].concat());
    // What waits is counted.
    while courier.tally.standing("soc").backlog != 2 {
        assert!(start.elapsed() < 20 * PATIENCE, "{:?}", courier.tally.standing("soc"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    running.await.unwrap();
}

/// Killed behind every single answer: the destination hears each event once, but for the one whose answer the gate did not live to note.
#[tokio::test]
async fn a_courier_that_is_killed_at_any_event_goes_on_behind_what_was_taken() {
    let (world, sink) = (World::new(), Arc::new(Told::default()));
    drop(world.courier(&sink));
    world.notes("2026-01-31", 20);
    for taken in 1..=20 {
        let courier = world.courier(&sink);
        let running = tokio::spawn(Arc::clone(&courier).run(CancellationToken::new()));
        let start = Instant::now();
        while sink.taken().len() < taken {
            assert!(start.elapsed() < PATIENCE);
            tokio::task::yield_now().await;
        }
        // Dropped in the midst, its marks neither flushed nor synced.
        running.abort();
        let _ = running.await;
    }
    assert_eq!(sink.taken(), ids("2026-01-31", 1..=20));
}
