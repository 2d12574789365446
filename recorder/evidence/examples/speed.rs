//! How fast a bundle is verified, beside `sha256sum` on the same files: `cargo run -p portcullis-evidence --example speed [FOLDER] [MIB]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_evidence::{
    BundleWriter, Ending, Manifest, Mode, PathInBundle, Settings, SigningKey, State, VERSION, verify,
};

/// Video of one segment, in MiB: what a busy screen takes in 10 s.
const SEGMENT_MIB: usize = 4;
/// How often each is measured; the best time counts, since others use the machine.
const ROUNDS: usize = 5;

fn main() {
    let mut words = std::env::args().skip(1);
    let folder =
        words.next().map_or_else(std::env::temp_dir, PathBuf::from).join(format!("speed-{}", std::process::id()));
    let mib: usize = words.next().map_or(512, |text| text.parse().unwrap());
    let key = Arc::new(SigningKey::generate(&[1; 32]));
    write(&folder, &key, mib / SEGMENT_MIB);
    let keys = [key.verifying_key()];
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let report = verify(&folder, &keys);
        ours = ours.min(began.elapsed());
        assert!(report.is_sound(), "{report}");
        let began = Instant::now();
        let mut sums = Command::new("sha256sum");
        sums.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(&folder);
        assert!(ran(&mut sums), "sha256sum");
        theirs = theirs.min(began.elapsed());
    }
    let rate = |time: Duration| mib as f64 / time.as_secs_f64();
    println!(
        "{mib} MiB in segments of {SEGMENT_MIB}: verify {:.0} MiB/s, sha256sum {:.0} MiB/s",
        rate(ours),
        rate(theirs)
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

fn ran(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).status().unwrap().success()
}

fn write(dir: &Path, key: &Arc<SigningKey>, segments: usize) {
    let manifest = Manifest {
        v: VERSION,
        id: "speed".to_owned(),
        subject: String::new(),
        issuer: String::new(),
        groups: Vec::new(),
        desktop: String::new(),
        policy: String::new(),
        rule: String::new(),
        started: "2026-01-31T10:00:00.000000Z".to_owned(),
        mode: Mode::Strict,
        gate: String::new(),
        key: key.kid().to_owned(),
        keep: None,
    };
    let settings = Settings { room_bytes: 0, ..Settings::default() };
    let mut writer = BundleWriter::create_with(dir, &manifest, Arc::clone(key), settings).unwrap();
    let mut video = vec![0_u8; SEGMENT_MIB << 20];
    for n in 1..=segments as u32 {
        video[..4].copy_from_slice(&n.to_be_bytes());
        let first = (n == 1).then_some(PathInBundle::Init(1));
        let paths: Vec<_> = first.into_iter().chain([PathInBundle::Video(n)]).collect();
        paths.iter().for_each(|path| std::fs::write(path.under(dir), &video).unwrap());
        writer.close_segment(writer.from_us(), u64::from(n) * 10_000_000, &paths).unwrap();
    }
    let ended = "2026-01-31T20:00:00.000000Z".to_owned();
    let duration_us = writer.from_us();
    writer.seal(Ending { state: State::Closed, reason: String::new(), ended, duration_us, revisions: 1 }).unwrap();
}
