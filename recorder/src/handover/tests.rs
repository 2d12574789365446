//! The hand-over log: what is handed over comes back, in order, also after it was torn.
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_rfb::Rect;

use super::*;

#[derive(Default)]
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now_us(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn square(side: u16, shade: u8) -> Change {
    Change::Pixels { rect: Rect::new(0, 0, side, side), pixels: vec![shade; usize::from(side) * usize::from(side) * 4] }
}

fn log(folder: &Path, stall: Duration) -> (HandOver, Arc<Ticks>) {
    let clock = Arc::new(Ticks::default());
    let log = HandOver::create(&folder.join("ring"), 1 << 20, stall, Arc::clone(&clock) as _, None).unwrap();
    (log, clock)
}

#[tokio::test]
async fn records_come_back_in_order_live_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let (log, clock) = log(folder.path(), Duration::from_secs(10));
    for revision in 1..=40u64 {
        clock.0.store(revision / 3 * 100, Ordering::Relaxed);
        log.update(revision, &[square(20, revision as u8)]).await.unwrap();
        log.pointer(Point::new(revision as u16, 7)).unwrap();
    }
    let mut replay = Replay::open(&folder.path().join("ring"), Mark::START, None).unwrap();
    let mut last_us = 0;
    for revision in 1..=40u64 {
        let Next::Record(record, mark) = log.next(0).unwrap() else { panic!("no record") };
        assert_eq!((record.header.kind, mark.revision), (Kind::Update, revision));
        assert_eq!(record.body, Body::Changes(vec![square(20, revision as u8)]));
        assert!(mark.at_us > last_us || revision == 1, "times rise");
        assert_eq!(replay.next().unwrap(), Some((record, mark)));
        let Next::Record(pointer, moved) = log.next(0).unwrap() else { panic!("no record") };
        assert_eq!(pointer.body, Body::Pointer(Point::new(revision as u16, 7)));
        assert!(moved.at_us > mark.at_us);
        assert_eq!(replay.next().unwrap(), Some((pointer, moved)));
        last_us = moved.at_us;
    }
    assert_eq!(replay.next().unwrap(), None);
    let Next::Rest(now_us) = log.next(0).unwrap() else { panic!("no rest") };
    log.update(41, &[]).await.unwrap();
    let Next::Record(_, mark) = log.next(u64::MAX).unwrap() else { panic!("no record") };
    assert!(mark.at_us > now_us, "nothing is dated into a rest that was told");
    log.end();
    assert!(matches!(log.next(u64::MAX), Ok(Next::End(_))));
    assert!(matches!(log.update(42, &[]).await, Err(HandOverError::Ended)));
}

#[tokio::test]
async fn a_long_update_is_several_records_of_one_revision() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = log(folder.path(), Duration::from_secs(10));
    log.update(1, &[square(400, 9)]).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let Next::Record(record, mark) = log.next(0).unwrap() else { panic!("no record") };
        assert_eq!(mark.revision, 1);
        let Body::Changes(changes) = record.body else { panic!("no changes") };
        for change in changes {
            let Change::Pixels { rect, pixels } = change else { panic!("no pixels") };
            assert_eq!(rect.width, 400);
            assert_eq!(usize::from(rect.y) * 1600, bytes.len());
            bytes.extend(pixels);
        }
        if record.header.kind == Kind::Update {
            break;
        }
    }
    assert!(bytes.len() == 640_000 && bytes.iter().all(|byte| *byte == 9));
}

#[tokio::test]
async fn revisions_come_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = log(folder.path(), Duration::from_secs(10));
    log.update(1, &[]).await.unwrap();
    for found in [0, 1, 3] {
        let refused = log.update(found, &[]).await;
        assert!(matches!(refused, Err(HandOverError::OutOfOrder { wanted: 2, found: f }) if f == found));
    }
}

#[tokio::test]
async fn a_full_log_makes_wait_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = log(folder.path(), Duration::from_secs(10));
    let log = Arc::new(log);
    let change = square(200, 1);
    for revision in 1..=6 {
        log.update(revision, std::slice::from_ref(&change)).await.unwrap();
    }
    let writer = Arc::clone(&log);
    let waits = tokio::spawn(async move { writer.update(7, &[square(200, 7)]).await });
    let mut read = Mark::START;
    while read.revision < 6 {
        let Next::Record(_, mark) = log.next(0).unwrap() else { panic!("no record") };
        read = mark;
    }
    while !log.is_full() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(log.next(u64::MAX), Ok(Next::Full)), "a base is asked for");
    assert!(!waits.is_finished());
    log.pointer(Point::new(1, 2)).unwrap();
    log.free(read.position);
    waits.await.unwrap().unwrap();
    let Next::Record(record, _) = log.next(0).unwrap() else { panic!("no record") };
    assert_eq!(record.header.revision, if record.header.kind == Kind::Pointer { 6 } else { 7 });
}

#[tokio::test(start_paused = true)]
async fn a_full_log_that_nobody_reads_is_an_error_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = log(folder.path(), Duration::from_secs(10));
    let mut revision = 0;
    let refused = loop {
        revision += 1;
        if let Err(error) = log.update(revision, &[square(200, 1)]).await {
            break error;
        }
    };
    assert!(matches!(refused, HandOverError::Stalled));
    assert!(revision > 5);
    assert!(!log.is_full(), "who gave up waits no more");
}

#[tokio::test]
async fn what_was_given_up_half_way_is_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = log(folder.path(), Duration::from_secs(10));
    let too_much = vec![square(400, 1), square(400, 2)];
    let given_up = tokio::time::timeout(Duration::ZERO, log.update(1, &too_much)).await;
    assert!(given_up.is_err());
    assert!(matches!(log.update(1, &[]).await, Err(HandOverError::InPart)));
}

#[tokio::test]
async fn replay_ends_before_the_first_torn_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring");
    let (log, _) = log(folder.path(), Duration::from_secs(10));
    let mut ends = Vec::new();
    for revision in 1..=3 {
        log.update(revision, &[square(4, revision as u8)]).await.unwrap();
        let Next::Record(_, mark) = log.next(0).unwrap() else { panic!("no record") };
        ends.push(mark.position);
    }
    let whole = std::fs::read(&path).unwrap();
    for byte in ends[0]..ends[1] {
        let mut torn = whole.clone();
        torn[4096 + byte as usize] ^= 0x10;
        std::fs::write(&path, torn).unwrap();
        let mut replay = Replay::open(&path, Mark::START, None).unwrap();
        assert!(replay.next().unwrap().is_some());
        assert_eq!(replay.next().unwrap(), None, "byte {byte}");
    }
}
