//! A small bundle to write, break and mend: three segments, a resize, a gap, a paste that was stopped.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of this one")]

pub mod disk;
pub mod kinds;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_evidence::{
    BundleWriter, Disk, Effect, Ending, Event, Manifest, Mode, PathInBundle, Sealed, Settings, SigningKey, State,
    VerifyingKey, What, WriteError,
};

pub const ID: &str = "01981f6a-0000-7000-8000-000000000001";
pub const ENDED: &str = "2026-01-31T10:01:00.000000Z";

pub fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(&[1; 32]))
}

pub fn keys() -> Vec<VerifyingKey> {
    vec![key().verifying_key()]
}

pub fn manifest() -> Manifest {
    Manifest {
        v: 1,
        id: ID.to_owned(),
        subject: "alice".to_owned(),
        issuer: String::new(),
        groups: vec!["staff".to_owned()],
        desktop: "browser".to_owned(),
        policy: "sha256:0123456789ab".to_owned(),
        rule: "staff.yaml:5 allow.open".to_owned(),
        started: "2026-01-31T10:00:00.000000Z".to_owned(),
        mode: Mode::Strict,
        gate: "0.1.0".to_owned(),
        key: key().kid().to_owned(),
        keep: None,
        text: None,
        recipients: Vec::new(),
    }
}

pub fn event(seq: u64, at_us: u64, what: What) -> Event {
    Event {
        v: 1,
        seq,
        at_us,
        time: format!(
            "2026-01-31T10:{:02}:{:02}.{:06}Z",
            at_us / 60_000_000,
            at_us / 1_000_000 % 60,
            at_us % 1_000_000
        ),
        session: ID.to_owned(),
        subject: "alice".to_owned(),
        policy: "sha256:0123456789ab".to_owned(),
        rule: "staff.yaml:9 allow.control".to_owned(),
        what,
    }
}

/// One segment of the story: how long it is, its video, and what happened.
pub struct Scene {
    pub to_us: u64,
    pub init: Option<u32>,
    pub video: bool,
    pub events: Vec<What>,
}

pub fn story() -> Vec<Scene> {
    let reason = |text: &str| text.to_owned();
    vec![
        Scene {
            to_us: 10_000_000,
            init: Some(1),
            video: true,
            events: vec![
                What::SessionOpened { desktop: "browser".to_owned(), runtime: "process".to_owned() },
                What::ViewerJoined { viewer: 1, origin: "https://gate.example".to_owned() },
            ],
        },
        Scene {
            to_us: 20_000_000,
            init: Some(2),
            video: true,
            events: vec![
                What::Resized { width: 800, height: 600 },
                What::Paste {
                    viewer: 1,
                    effect: Effect::Deny,
                    bytes: 7,
                    sha256: String::new(),
                    reason: reason("no rule permits \"paste\""),
                    found: Vec::new(),
                    redacted: None,
                },
                What::Gap { from_us: 15_000_000, to_us: 16_000_000, reason: reason("the disk was full") },
            ],
        },
        Scene {
            to_us: 60_000_000,
            init: None,
            video: true,
            events: vec![What::SessionClosed { reason: reason("the person left") }],
        },
    ]
}

/// Writes what the recorder would: an init segment or a segment, with bytes of its own.
pub fn write_video(dir: &Path, path: PathInBundle) {
    fs::write(path.under(dir), video_bytes(path)).unwrap();
}

pub fn video_bytes(path: PathInBundle) -> Vec<u8> {
    path.to_string().bytes().cycle().take(180).collect()
}

/// How far a writer came.
#[derive(Debug, Default, Clone)]
pub struct Progress {
    /// Events that `event` said yes to.
    pub accepted: Vec<u64>,
    /// `seq` up to which `sync` or `close_segment` said yes.
    pub durable: u64,
    /// Links that `close_segment` said yes to.
    pub links: u32,
    pub sealed: bool,
}

pub fn ending(state: State) -> Ending {
    Ending {
        state,
        reason: "the person left".to_owned(),
        ended: ENDED.to_owned(),
        duration_us: 60_000_000,
        revisions: 321,
    }
}

/// Plays the story up to the first error.
pub fn play(dir: &Path, settings: Settings, progress: &mut Progress) -> Result<Sealed, WriteError> {
    let mut writer = BundleWriter::create_with(dir, &manifest(), key(), settings)?;
    for scene in story() {
        scene_of(&mut writer, &scene, progress)?;
    }
    let sealed = writer.seal(ending(State::Closed))?;
    progress.sealed = true;
    Ok(sealed)
}

pub fn scene_of(writer: &mut BundleWriter, scene: &Scene, progress: &mut Progress) -> Result<(), WriteError> {
    let (n, dir) = (writer.segment(), writer.dir().to_owned());
    let init = scene.init.map(PathInBundle::Init);
    let video: Vec<_> = init.into_iter().chain(scene.video.then_some(PathInBundle::Video(n))).collect();
    let encryption = writer.encryption().cloned();
    if encryption.is_none() {
        video.iter().for_each(|path| write_video(&dir, *path));
    }
    for (i, what) in scene.events.iter().enumerate() {
        let seq = writer.next_seq();
        writer.event(&event(seq, writer.from_us() + i as u64, what.clone()))?;
        progress.accepted.push(seq);
        if i == 0 {
            writer.sync()?;
            progress.durable = seq;
        }
    }
    match encryption {
        None => writer.close_segment(writer.from_us(), scene.to_us, &video)?,
        Some(encryption) => {
            let stored: Result<Vec<_>, _> =
                video.iter().map(|path| encryption.store(&dir, *path, &video_bytes(*path))).collect();
            writer.close_encrypted(writer.from_us(), scene.to_us, &stored?)?
        }
    };
    progress.durable = progress.accepted.last().copied().unwrap_or(0);
    progress.links = n;
    Ok(())
}

/// The whole story, sealed, without room in reserve (which only takes time here).
pub fn sealed(dir: &Path) -> Sealed {
    let settings = Settings { disk: Disk::with(Arc::new(disk::Killed::never())), room_bytes: 0, encryption: None };
    play(dir, settings, &mut Progress::default()).unwrap()
}

/// All files under `dir`, relative, sorted.
pub fn files(dir: &Path) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(dir.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.into_iter().collect()
}

/// The events of a bundle, in order.
pub fn events(dir: &Path) -> Vec<Event> {
    let mut names: Vec<_> = files(dir).into_iter().filter(|path| path.starts_with("events/")).collect();
    names.sort();
    let lines = names.iter().flat_map(|name| {
        let text = fs::read(dir.join(name)).unwrap();
        text.split_inclusive(|byte| *byte == b'\n').map(|line| Event::from_line(line).unwrap()).collect::<Vec<_>>()
    });
    lines.collect()
}

pub fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(&path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&path), target).unwrap();
    }
}
