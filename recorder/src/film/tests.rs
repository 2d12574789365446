//! Films by an injected clock: times of rest are told, not waited for.
use portcullis_evidence::{BundleWriter, Manifest, Mode, SigningKey, VERSION};
use portcullis_rfb::{Change, Cursor, Rect};

use super::*;
use crate::clock::Clock;
use crate::handover::Header;

const SECOND: u64 = 1_000_000;
const SIZE: Size = Size::new(64, 48);

struct Never;

impl Clock for Never {
    fn now_us(&self) -> u64 {
        0
    }
}

struct Filming {
    folder: tempfile::TempDir,
    bundle: Arc<Bundle>,
    film: Film,
    revision: u64,
}

fn filming() -> Filming {
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(SigningKey::generate(&[3; 32]));
    let manifest = Manifest {
        v: VERSION,
        id: "still".to_owned(),
        subject: "alice".to_owned(),
        issuer: String::new(),
        groups: Vec::new(),
        desktop: "d".to_owned(),
        policy: "p".to_owned(),
        rule: "r".to_owned(),
        started: "2026-01-31T23:59:59.000000Z".to_owned(),
        mode: Mode::Strict,
        gate: "0".to_owned(),
        key: key.kid().to_owned(),
        keep: None,
        text: None,
        recipients: Vec::new(),
    };
    let writer = BundleWriter::create(&folder.path().join("bundle"), &manifest, key).unwrap();
    let bundle = Arc::new(Bundle::new(writer, Arc::new(Never), None));
    let config = Config::new(folder.path().join("spool"));
    let film = Film::begin(&config, Arc::clone(&bundle), Opening::of(&config, SIZE).unwrap()).unwrap();
    Filming { folder, bundle, film, revision: 0 }
}

impl Filming {
    fn record(&mut self, kind: Kind, at_us: u64, body: Body) {
        if kind == Kind::Update {
            self.revision += 1;
        }
        let header = Header { kind, sequence: 0, revision: self.revision, at_us, length: 0, crc: 0 };
        self.film.record(Record { header, body }).unwrap();
    }

    fn fill(&mut self, at_us: u64, shade: u8) {
        let change = Change::Pixels { rect: SIZE.bounds(), pixels: vec![shade; 64 * 48 * 4] };
        self.record(Kind::Update, at_us, Body::Changes(vec![change]));
    }

    /// A picture that takes as much room as any.
    fn noise(&mut self, at_us: u64) {
        let mut state = at_us | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as u8
        };
        let pixels = (0..64 * 48 * 4).map(|_| next()).collect();
        let change = Change::Pixels { rect: SIZE.bounds(), pixels };
        self.record(Kind::Update, at_us, Body::Changes(vec![change]));
    }

    fn point(&mut self, at_us: u64, x: u16) {
        self.record(Kind::Pointer, at_us, Body::Pointer(Point::new(x, 9)));
    }

    /// Rests until `to_us` as the encoder's thread does: whenever something is due.
    fn rest(&mut self, to_us: u64) {
        while self.film.deadline_us() <= to_us {
            let due_us = self.film.deadline_us();
            self.film.rest(due_us).unwrap();
            assert!(self.film.deadline_us() > due_us, "what was due is done");
        }
    }

    /// For each segment in turn the times of its pictures and their durations.
    fn segments(&self) -> Vec<Vec<(u64, u32)>> {
        let path = |number| PathInBundle::Video(number).under(&self.folder.path().join("bundle"));
        (1..)
            .map(path)
            .take_while(|path| path.exists())
            .map(|path| {
                let found = cmaf::scan(&mut fs::File::open(path).unwrap()).unwrap();
                found.iter().map(|fragment| (fragment.at_us, fragment.duration_us)).collect()
            })
            .collect()
    }
}

#[test]
fn a_still_session_of_130_seconds_is_three_segments() {
    let mut filming = filming();
    filming.rest(130 * SECOND);
    assert_eq!(filming.film.end(130 * SECOND).unwrap(), 130 * SECOND);
    let minute = 60_000_000u32;
    assert_eq!(filming.segments(), [[(0, minute)], [(60 * SECOND, minute)], [(120 * SECOND, 10_000_000)]]);
    assert_eq!(filming.bundle.standing(), (4, 130 * SECOND, 1));
}

/// The seconds at which the pictures of each segment begin.
fn seconds(segments: &[Vec<(u64, u32)>]) -> Vec<Vec<u64>> {
    segments.iter().map(|segment| segment.iter().map(|(at_us, _)| at_us / SECOND).collect()).collect()
}

#[test]
fn after_ten_seconds_a_picture_begins_a_segment_if_there_is_as_much_behind_the_last_key() {
    let mut filming = filming();
    for at_us in [SECOND, 9 * SECOND, 10 * SECOND, 25 * SECOND, 26 * SECOND, 36 * SECOND] {
        filming.rest(at_us - 1);
        filming.noise(at_us);
    }
    filming.rest(97 * SECOND);
    filming.film.end(97 * SECOND).unwrap();
    let segments = filming.segments();
    assert_eq!(seconds(&segments), [vec![0, 1, 9], vec![10, 25, 26], vec![36], vec![96]]);
    let mut end_us = 0;
    for (at_us, duration) in segments.concat() {
        assert_eq!(at_us, end_us, "no gap");
        end_us += u64::from(duration);
    }
    assert_eq!(end_us, 97 * SECOND);
}

#[test]
fn next_to_nothing_is_as_good_as_still() {
    let mut filming = filming();
    filming.noise(1);
    filming.rest(SECOND);
    filming.noise(10 * SECOND);
    for second in (12..=64).step_by(4) {
        filming.rest(second * SECOND - 1);
        let rect = Rect::new(8, 8, 2, 2);
        let blink = Change::Pixels { rect, pixels: vec![if second % 8 == 0 { 0 } else { 255 }; 16] };
        filming.record(Kind::Update, second * SECOND, Body::Changes(vec![blink]));
    }
    filming.film.end(66 * SECOND).unwrap();
    let begins: Vec<u64> = seconds(&filming.segments()).iter().map(|segment| segment[0]).collect();
    assert_eq!(begins, [0, 10], "a caret that blinks is no reason for a key picture");
}

#[test]
fn a_late_encoder_makes_the_same_segments() {
    let mut filming = filming();
    // Nobody told it of rest: all records came at once.
    filming.fill(150 * SECOND, 7);
    filming.film.end(151 * SECOND).unwrap();
    let begins = |segment: &Vec<(u64, u32)>| segment[0].0 / SECOND;
    assert_eq!(filming.segments().iter().map(begins).collect::<Vec<_>>(), [0, 60, 120]);
}

#[test]
fn moves_are_drawn_ten_times_a_second_and_the_last_one_always() {
    let mut filming = filming();
    let shape = Cursor { hotspot: Point::default(), size: Size::new(2, 2), pixels: vec![255; 16] };
    filming.record(Kind::Update, 10, Body::Changes(vec![Change::Cursor(Arc::new(shape))]));
    for n in 1..=50u16 {
        filming.point(SECOND + u64::from(n) * 10_000, n);
        filming.rest(SECOND + u64::from(n) * 10_000 + 5_000);
    }
    filming.rest(2 * SECOND);
    filming.film.end(2 * SECOND).unwrap();
    let times: Vec<_> = filming.segments().concat().iter().map(|(at_us, _)| at_us / 10_000).collect();
    assert_eq!(times, [0, 101, 111, 121, 131, 141, 150]);
}

#[test]
fn what_changes_nothing_makes_no_picture() {
    let mut filming = filming();
    filming.record(Kind::Update, 10, Body::Changes(Vec::new()));
    filming.point(200_000, 5);
    filming.rest(SECOND);
    filming.film.end(SECOND).unwrap();
    assert_eq!(filming.segments(), [[(0, 1_000_000)]]);
    assert_eq!(filming.film.revision(), 1);
}

#[test]
fn a_revision_in_parts_is_one_picture() {
    let mut filming = filming();
    let band = |y, shade| {
        let rect = Rect::new(0, y, 64, 24);
        Body::Changes(vec![Change::Pixels { rect, pixels: vec![shade; 64 * 24 * 4] }])
    };
    filming.record(Kind::Part, 10, band(0, 50));
    assert_eq!(filming.film.deadline_us(), u64::MAX, "nothing is due in the midst of a revision");
    filming.record(Kind::Update, 20, band(24, 60));
    filming.film.end(30).unwrap();
    assert_eq!(filming.segments(), [[(0, 20), (20, 10)]]);
}

#[test]
fn a_film_resumes_behind_what_there_is() {
    let mut filming = filming();
    filming.fill(SECOND, 1);
    filming.film.end(2 * SECOND).unwrap();
    let (screen, pointer) = filming.film.screen();
    let pixels = screen.pixels().to_vec();
    let mut copy = Screen::new(SIZE);
    copy.apply(&[Change::Pixels { rect: SIZE.bounds(), pixels }]).unwrap();
    let mark = Mark { revision: 1, at_us: SECOND, ..Mark::START };
    let base = Base { mark, pointer, screen: copy };
    // The chain ends at two seconds; records before that are on film.
    let folder = filming.bundle.folder().to_owned();
    let key = Arc::new(SigningKey::generate(&[3; 32]));
    let portcullis_evidence::Reopened::Open(writer, _) = BundleWriter::reopen(&folder, key).unwrap() else {
        panic!("open");
    };
    filming.bundle = Arc::new(Bundle::new(*writer, Arc::new(Never), None));
    let config = Config::new(filming.folder.path().join("spool"));
    filming.film = Film::resume(&config, Arc::clone(&filming.bundle), base, Some(2 * SECOND - 1));
    filming.fill(SECOND + 5, 2);
    filming.fill(3 * SECOND, 3);
    filming.film.end(4 * SECOND).unwrap();
    let segments = filming.segments();
    assert_eq!(segments[1], [(2 * SECOND, 1_000_000), (3 * SECOND, 1_000_000)]);
    assert_eq!(filming.bundle.standing().2, 1, "the same header serves");
}
