//! When a region is read, and what becomes of readers that do not behave.
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use portcullis_rfb::{Rect, Size};

use super::changes::Changes;
use super::lines::{Found, Lines};
use super::tesseract::{Reader, ReaderSettings, Unread};

const SIZE: Size = Size::new(320, 160);
const SECOND: u64 = 1_000_000;

/// A screen of one grey with stripes, like letters, in some places.
fn screen(places: &[(usize, usize)]) -> Vec<u8> {
    let mut luma = vec![235; 320 * 160];
    for (left, top) in places {
        for y in *top..*top + 10 {
            for x in (*left..*left + 40).step_by(3) {
                luma[y * 320 + x] = 16;
            }
        }
    }
    luma
}

fn found(text: &str, place: Rect) -> Found {
    Found { text: text.to_owned(), confidence: 90, place }
}

/// As a reading does: what is due before each picture.
fn due(changes: &mut Changes, at_us: u64) -> BTreeSet<usize> {
    let due = changes.due(at_us, false);
    changes.done(at_us, &due);
    due
}

#[test]
fn only_what_changed_and_rests_is_read() {
    let mut changes = Changes::new(SIZE);
    changes.show(0, screen(&[(20, 20)]));
    assert!(changes.due(SECOND / 2, false).is_empty(), "it may still move");
    let all = changes.due(SECOND, false);
    assert_eq!(all.len(), changes.grid.tiles(), "nothing was read before");
    let regions = changes.regions(&all);
    assert_eq!(regions.len(), 1, "of the whole screen only what has ink: {regions:?}");
    assert!(regions[0].x <= 20 && regions[0].y <= 20 && regions[0].right() >= 60 && regions[0].bottom() >= 30);
    assert!(regions[0].area() < SIZE.area() / 8, "{regions:?}");
    changes.done(SECOND, &all);

    // The same again, a little noisier, as another encoding of it is.
    changes.show(2 * SECOND, screen(&[(20, 20)]).iter().map(|pixel| pixel.saturating_sub(9)).collect());
    assert!(changes.due(9 * SECOND, true).is_empty(), "what looks the same is not read again");

    changes.show(10 * SECOND, screen(&[(20, 20), (200, 100)]));
    let second = changes.due(11 * SECOND, false);
    let regions = changes.regions(&second);
    assert_eq!(regions.len(), 1, "{regions:?}");
    assert!(regions[0].y > 60 && regions[0].x > 150, "the first one stays unread: {regions:?}");
}

#[test]
fn what_never_rests_is_read_now_and_then_and_ever_less() {
    let mut changes = Changes::new(SIZE);
    let mut reads = Vec::new();
    // Two pictures that take turns each tenth of a second, for five minutes.
    for tenth in 0..3000_u64 {
        let at_us = tenth * SECOND / 10;
        if !due(&mut changes, at_us).is_empty() {
            reads.push(at_us / SECOND);
        }
        let place = if tenth % 2 == 0 { (20, 20) } else { (21, 24) };
        changes.show(at_us, screen(&[place]));
    }
    assert!(reads.first().is_some_and(|first| *first <= 4), "{reads:?}");
    assert!((4..=12).contains(&reads.len()), "{reads:?}");
}

#[test]
fn a_line_that_is_typed_rests_when_its_end_does() {
    let mut changes = Changes::new(SIZE);
    changes.show(0, screen(&[]));
    due(&mut changes, SECOND);
    let (mut places, mut reads) = (Vec::new(), Vec::new());
    // A word of forty pixels each 0.4 s, for 2.4 s: no end of the line rests for long enough, though its beginning does.
    for word in 0..6_u64 {
        let at_us = 2 * SECOND + word * 400_000;
        reads.extend((!due(&mut changes, at_us).is_empty()).then_some(at_us));
        places.push((20 + word as usize * 44, 50));
        changes.show(at_us, screen(&places));
    }
    assert!(reads.is_empty(), "{reads:?}");
    let due = changes.due(6 * SECOND, false);
    assert_eq!(changes.regions(&due).len(), 1);
}

#[test]
fn a_line_is_widened_to_all_of_its_words() {
    let mut changes = Changes::new(SIZE);
    changes.show(0, screen(&[(20, 50), (80, 50), (140, 50)]));
    due(&mut changes, SECOND);
    // One more word at the end of the line: the words before it are read with it.
    changes.show(2 * SECOND, screen(&[(20, 50), (80, 50), (140, 50), (190, 50)]));
    let due = changes.due(3 * SECOND, false);
    assert!(due.len() <= 8, "{due:?}");
    let regions = changes.regions(&due);
    assert_eq!(regions.len(), 1, "{regions:?}");
    assert!(regions[0].x <= 20 && regions[0].right() >= 230, "{regions:?}");
    assert!(regions[0].height < 60, "{regions:?}");
}

#[test]
fn a_line_stands_from_when_it_came_until_it_goes() {
    let (mut changes, mut lines) = (Changes::new(SIZE), Lines::default());
    let place = Rect::new(20, 20, 40, 10);
    let below = Rect::new(20, 100, 40, 10);
    changes.show(SECOND, screen(&[(20, 20)]));
    let due = changes.due(2 * SECOND, false);
    lines.read(&changes, &due, vec![found("first", place)]);
    changes.done(2 * SECOND, &due);
    // Another line comes; the margin of its region shows the first one again, read in another way: that is not another line.
    changes.show(5 * SECOND, screen(&[(20, 20), (20, 100)]));
    let due = changes.due(6 * SECOND, false);
    lines.read(&changes, &due, vec![found("f1rst", place), found("second", below)]);
    changes.done(6 * SECOND, &due);
    // The first one goes.
    changes.show(8 * SECOND, screen(&[(20, 100)]));
    let due = changes.due(9 * SECOND, false);
    lines.read(&changes, &due, Vec::new());
    changes.done(9 * SECOND, &due);
    let all = lines.finish(12 * SECOND);
    let told: Vec<_> = all.iter().map(|line| (line.text.as_str(), line.from_ms, line.until_ms, line.y)).collect();
    assert_eq!(told, [("first", 1000, 8000, 20), ("second", 5000, 12_000, 100)]);
}

fn program(folder: &Path, script: &str) -> ReaderSettings {
    let path = folder.join("reader");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    ReaderSettings { program: path.display().to_string(), languages: vec!["eng".to_owned()], confidence: 60 }
}

fn tried(script: &str) -> Result<Vec<Found>, Unread> {
    let folder = tempfile::tempdir().unwrap();
    let reader = Reader::of(&program(folder.path(), script), Duration::from_secs(3)).unwrap();
    reader.read(&vec![235; 64 * 32], Rect::new(0, 0, 64, 32))
}

#[test]
fn a_reader_that_misbehaves_is_ended_and_told_of() {
    assert!(matches!(tried("sleep 1000 & sleep 1000"), Err(Unread::Hung)));
    assert!(matches!(
        tried("cat > /dev/null; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"),
        Err(Unread::TooMuch)
    ));
    assert!(matches!(tried("exit 3"), Err(Unread::Ended(_) | Unread::Malformed(_))));
    assert!(matches!(tried("kill -9 $$"), Err(Unread::Ended(_) | Unread::Malformed(_))));
    assert!(matches!(tried("cat > /dev/null; echo '<html>'"), Err(Unread::Malformed("its first line is another one"))));
}

#[test]
fn a_reader_sees_nothing_of_the_machine() {
    let secret = tempfile::NamedTempFile::new_in("/var/tmp").unwrap();
    let header = r"level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext";
    let probe = format!(
        "cat > /dev/null; w() {{ printf '5\\t1\\t1\\t1\\t1\\t1\\t0\\t0\\t9\\t9\\t99\\t%s\\n' \"$1\"; }}; printf '{header}\\n'
        [ -e {} ] && w secret; [ -e /etc/passwd ] && w etc; [ -e /proc/1 ] && w proc; [ \"$HOME$USER\" ] && w environment
        grep -q eth0 /proc/net/dev 2>/dev/null && w network; (: > /dev/shm/x) 2>/dev/null && w writes; (: > /x) 2>/dev/null && w root
        [ \"$(id -u)\" = 0 ] && w uid; [ \"$OMP_THREAD_LIMIT\" = 1 ] && w one",
        secret.path().display()
    );
    let words = tried(&probe).unwrap();
    assert_eq!(words.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["one"]);
}

#[test]
fn a_reader_that_is_not_there_is_named() {
    let settings = |program: &str, language: &str| ReaderSettings {
        program: program.to_owned(),
        languages: vec![language.to_owned()],
        confidence: 60,
    };
    let error = Reader::open(&settings("tesseract-that-is-not-there", "eng")).unwrap_err().to_string();
    assert!(error.contains("tesseract-that-is-not-there is not on this machine"), "{error}");
    assert!(Reader::open(&settings("tesseract", "-c")).unwrap_err().to_string().contains("no language"));
    assert!(Reader::open(&settings("tesseract", "klingon")).unwrap_err().to_string().contains("cannot read"));
    Reader::open(&settings("tesseract", "eng")).unwrap();
}
