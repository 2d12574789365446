//! A sealed recording of many hours in the vault of a data folder: for players, exports and verifiers to be tried with.
//!
//! `cargo run --release -p portcullis-recorder --example long DATA [HOURS] [WIDTHxHEIGHT]`: DATA has keys (`portcullis keys generate --data DATA`).
//! A minute of work is recorded in a minute; it is then told again and again, each time later on the media clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a tool for measurements, on a made-up desktop"
)]
mod desk;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use desk::Desk;
use portcullis_evidence::{
    BundleWriter, Digest, Effect, Ending, Event, Manifest, Mode, PathInBundle, SigningKey, State, VERSION, What, stamp,
};
use portcullis_recorder::{Config, Recording};
use portcullis_rfb::Size;
use portcullis_vault::{Folder, Vault};
use time::OffsetDateTime;

/// What is typed, a letter each.
const LETTERS: u16 = 300;
const BETWEEN: Duration = Duration::from_millis(200);
const SUBJECT: &str = "alice";

/// The minute as it was recorded.
struct Minute {
    size: Size,
    init: Vec<u8>,
    segments: Vec<Vec<u8>>,
    /// Where each segment begins, and behind the last its end, in microseconds.
    at_us: Vec<u64>,
    fragments: u32,
    revisions: u64,
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let data = PathBuf::from(words.next().expect("the data folder is wanted"));
    let hours: f64 = words.next().map_or(4.0, |hours| hours.parse().expect("hours are a number"));
    let size = words.next().map_or(Size::new(1280, 720), |text| {
        let (width, height) = text.split_once('x').expect("a size is WIDTHxHEIGHT");
        Size::new(width.parse().unwrap(), height.parse().unwrap())
    });
    let pem = fs::read_to_string(data.join("keys/evidence.pem")).expect("there is a key: portcullis keys generate");
    let key = Arc::new(SigningKey::from_pem(&pem).unwrap());
    let spool = tempfile::tempdir().unwrap();
    let minute = minute(spool.path(), &key, size).await;
    let length_us = *minute.at_us.last().unwrap();
    let turns = (hours * 3.6e9 / length_us as f64).ceil().max(1.0) as u64;
    let whole = time::Duration::microseconds((turns * length_us) as i64);
    let started = OffsetDateTime::now_utc() - whole - time::Duration::minutes(5);
    let milliseconds = started.unix_timestamp_nanos() / 1_000_000;
    let id = format!("{:08x}-{:04x}-7000-8000-00000000{:04x}", milliseconds >> 16, milliseconds & 0xffff, turns);
    let manifest = manifest(&id, &stamp(started), &key);
    let vault = Folder::open(&data.join("vault")).unwrap();
    let dir = spool.path().join(&id);
    let told = Told { minute: &minute, dir: &dir, started, length_us };
    told.write(&manifest, key, turns);
    let mut files = Vec::new();
    for folder in ["", "chain", "events", "video"] {
        let names = fs::read_dir(dir.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        files.extend(names.filter_map(|path| path.strip_prefix(&dir).ok()?.to_str()?.parse::<PathInBundle>().ok()));
    }
    // The seal last, as a gate does.
    files.sort_by_key(|path| (*path == PathInBundle::Seal, *path));
    let mut bytes = 0;
    for path in files {
        let from = path.under(&dir);
        bytes += from.metadata().unwrap().len();
        let key = portcullis_vault::Key::of(&manifest.prefix(), path).unwrap();
        match path {
            PathInBundle::Index => vault.replace(&key, &from).await.unwrap(),
            _ => vault.put(&key, &from).await.unwrap(),
        }
        fs::remove_file(from).unwrap();
    }
    println!("{}: {whole} in {} segments, {bytes} bytes", manifest.prefix(), minute.segments.len() as u64 * turns);
}

fn manifest(id: &str, started: &str, key: &SigningKey) -> Manifest {
    Manifest {
        v: VERSION,
        id: id.to_owned(),
        subject: SUBJECT.to_owned(),
        issuer: "local".to_owned(),
        groups: vec!["users".to_owned()],
        desktop: "terminal".to_owned(),
        policy: "sha256:0123456789ab".to_owned(),
        rule: "default.yaml:1 allow.open".to_owned(),
        started: started.to_owned(),
        mode: Mode::Strict,
        gate: "0.1.0".to_owned(),
        key: key.kid().to_owned(),
        keep: None,
        text: None,
        recipients: Vec::new(),
    }
}

/// Letters typed, a window that scrolls, another picture now and then, a few seconds of rest.
async fn minute(folder: &Path, key: &Arc<SigningKey>, size: Size) -> Minute {
    let vault = Arc::new(Folder::open(&folder.join("minute")).unwrap());
    let manifest = manifest("minute", &stamp(OffsetDateTime::UNIX_EPOCH), key);
    let config = Config::new(folder.join("spool"));
    let (mut desk, first) = Desk::new(size);
    let recording = Recording::start(config, vault, Arc::clone(key), manifest.clone(), size).await.unwrap();
    recording.hand_over(1, &first).await.unwrap();
    for (revision, n) in (2..).zip(0..LETTERS) {
        let changes = match n % 100 {
            99 => desk.replaced(),
            50..60 => desk.scrolled(),
            _ => desk.typed(n),
        };
        recording.hand_over(revision, &changes).await.unwrap();
        tokio::time::sleep(BETWEEN).await;
    }
    recording.close("done").await.unwrap();
    let dir = folder.join("minute").join(manifest.prefix());
    let links = fs::read_dir(dir.join("chain")).unwrap().count() as u32;
    let segments: Vec<Vec<u8>> =
        (1..=links).filter_map(|n| fs::read(PathInBundle::Video(n).under(&dir)).ok()).collect();
    let all = segments.iter().map(|segment| fragments(segment)).collect::<Vec<_>>();
    let mut at_us: Vec<u64> = all.iter().map(|fragments| fragments[0].at_us).collect();
    at_us[0] = 0;
    at_us
        .extend(all.last().and_then(|fragments| fragments.last()).map(|last| last.at_us + u64::from(last.duration_us)));
    let fragments = all.iter().map(Vec::len).sum::<usize>() as u32;
    let init = fs::read(PathInBundle::Init(1).under(&dir)).unwrap();
    Minute { size, init, segments, at_us, fragments, revisions: u64::from(LETTERS) + 1 }
}

/// One picture of a segment (docs/evidence-format.md leaves it to ISO/IEC 14496-12; the recorder writes each alike).
struct Fragment {
    /// Where its `moof` begins.
    place: usize,
    at_us: u64,
    duration_us: u32,
}

/// From the beginning of a `moof`: the number in `mfhd`, the time in `tfdt`, the duration in `trun`.
const NUMBER: usize = 20;
const TIME: usize = 60;
const DURATION: usize = 88;

fn fragments(segment: &[u8]) -> Vec<Fragment> {
    let (mut place, mut found) = (0, Vec::new());
    while place < segment.len() {
        let (length, kind) = (u32_at(segment, place) as usize, &segment[place + 4..place + 8]);
        if kind == b"moof" {
            assert_eq!(&segment[place + NUMBER - 8..place + NUMBER - 4], b"mfhd");
            assert_eq!(&segment[place + TIME - 8..place + TIME - 4], b"tfdt");
            let at_us = u64::from_be_bytes(segment[place + TIME..place + TIME + 8].try_into().unwrap());
            found.push(Fragment { place, at_us, duration_us: u32_at(segment, place + DURATION) });
        }
        place += length;
    }
    found
}

fn u32_at(bytes: &[u8], place: usize) -> u32 {
    u32::from_be_bytes(bytes[place..place + 4].try_into().unwrap())
}

/// The minute, told again and again.
struct Told<'a> {
    minute: &'a Minute,
    dir: &'a Path,
    started: OffsetDateTime,
    length_us: u64,
}

impl Told<'_> {
    fn write(&self, manifest: &Manifest, key: Arc<SigningKey>, turns: u64) {
        let mut writer = BundleWriter::create(self.dir, manifest, key).unwrap();
        fs::write(PathInBundle::Init(1).under(self.dir), &self.minute.init).unwrap();
        self.event(&mut writer, 0, What::ViewerJoined { viewer: 1, origin: "https://gate.example".to_owned() });
        let Size { width, height } = self.minute.size;
        self.event(&mut writer, 0, What::Resized { width, height });
        let mut n = 0;
        for turn in 0..turns {
            let shift = turn * self.length_us;
            for (segment, ends) in self.minute.segments.iter().zip(self.minute.at_us.windows(2)) {
                n += 1;
                fs::write(PathInBundle::Video(n).under(self.dir), self.later(segment, turn)).unwrap();
                for (at_us, what) in happenings(turn, ends[0], ends[1]) {
                    self.event(&mut writer, shift + at_us, what);
                }
                let mut video = vec![PathInBundle::Video(n)];
                if n == 1 {
                    video.insert(0, PathInBundle::Init(1));
                }
                writer.close_segment(writer.from_us(), shift + ends[1], &video).unwrap();
            }
        }
        let duration_us = turns * self.length_us;
        let ended = stamp(self.started + time::Duration::microseconds(duration_us as i64));
        let (state, reason) = (State::Closed, "the person closed it".to_owned());
        let revisions = self.minute.revisions * turns;
        writer.seal(Ending { state, reason, ended, duration_us, revisions }).unwrap();
    }

    /// The segment in a later turn.
    fn later(&self, segment: &[u8], turn: u64) -> Vec<u8> {
        let mut later = segment.to_vec();
        for fragment in fragments(segment) {
            let (number, time) = (fragment.place + NUMBER, fragment.place + TIME);
            let told = u32_at(segment, number) + self.minute.fragments * turn as u32;
            later[number..number + 4].copy_from_slice(&told.to_be_bytes());
            later[time..time + 8].copy_from_slice(&(fragment.at_us + turn * self.length_us).to_be_bytes());
        }
        later
    }

    fn event(&self, writer: &mut BundleWriter, at_us: u64, what: What) {
        let time = stamp(self.started + time::Duration::microseconds(at_us as i64));
        let (session, subject) = (writer.manifest().id.clone(), SUBJECT.to_owned());
        let (policy, rule) = ("sha256:0123456789ab".to_owned(), "default.yaml:3 allow.control".to_owned());
        let event = Event { v: VERSION, seq: writer.next_seq(), at_us, time, session, subject, policy, rule, what };
        writer.event(&event).unwrap();
    }
}

/// Keys and clicks all the time; a text each minute that crosses, and each tenth that does not.
fn happenings(turn: u64, from_us: u64, to_us: u64) -> Vec<(u64, What)> {
    let (viewer, reason) = (1, String::new());
    let at = |eighth: u64| from_us + (to_us - from_us) / 8 * eighth;
    let mut all = vec![
        (at(1), What::Keys { viewer, pressed: 12 }),
        (at(3), What::Clicks { viewer, pressed: 2, x: 400, y: 300 }),
        (at(5), What::Keys { viewer, pressed: 20 }),
    ];
    if from_us == 0 {
        let text = format!("what was copied in minute {turn}");
        let effect = if turn % 10 == 9 { Effect::Deny } else { Effect::Permit };
        let (bytes, sha256) = (text.len() as u64, Digest::of(text.as_bytes()).to_string());
        all.push((at(7), What::Copy { viewer, effect, bytes, sha256, reason, found: Vec::new(), redacted: None }));
    }
    all
}
