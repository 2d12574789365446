//! How fast a bundle is verified, beside `sha256sum` on the same files: `cargo run -p portcullis-evidence --example speed [FOLDER] [MIB]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_evidence::{
    BundleFolder, BundleWriter, CoverKey, Encryption, Ending, Identities, Manifest, Mode, PathInBundle, Recipients,
    Settings, SigningKey, State, Trust, VERSION, verify, verify_at,
};

/// Video of one segment, in MiB: what a busy screen takes in 10 s.
const SEGMENT_MIB: usize = 4;
/// How often each is measured; the best time counts, since others use the machine.
const ROUNDS: usize = 5;
/// Anybody may know these.
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

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
    encrypted(&folder, &key, mib);
}

/// The same, encrypted to one recipient: how fast it is sealed, and verified without and with the identity.
fn encrypted(folder: &Path, key: &Arc<SigningKey>, mib: usize) {
    let recipients = Recipients::parse([RECIPIENT]).unwrap();
    let encryption = Encryption::new(recipients, CoverKey::from_bytes(&[1; 32]).unwrap());
    std::fs::create_dir_all(folder.join("video")).unwrap();
    let video = vec![7_u8; SEGMENT_MIB << 20];
    let mut sealing = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        encryption.store(folder, PathInBundle::Video(1), &video).unwrap();
        sealing = sealing.min(began.elapsed());
    }
    std::fs::remove_dir_all(folder).unwrap();
    write_with(folder, key, mib / SEGMENT_MIB, Some(encryption));
    let trust = Trust::of(&[key.verifying_key()]);
    let opening = trust.clone().with_identities(Identities::read(IDENTITY).unwrap());
    let time = |trust: &Trust| {
        let began = Instant::now();
        assert!(verify_at(&BundleFolder::at(folder), trust).is_sound());
        began.elapsed()
    };
    let best = |trust: &Trust| (0..ROUNDS).map(|_| time(trust)).min().unwrap_or_default();
    let rate = |mib: usize, time: Duration| mib as f64 / time.as_secs_f64();
    println!(
        "encrypted: sealing a segment {:.0} MiB/s, verify without identity {:.0} MiB/s, with it {:.0} MiB/s",
        rate(SEGMENT_MIB, sealing),
        rate(mib, best(&trust)),
        rate(mib, best(&opening))
    );
    std::fs::remove_dir_all(folder).unwrap();
}

fn ran(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).status().unwrap().success()
}

fn write(dir: &Path, key: &Arc<SigningKey>, segments: usize) {
    write_with(dir, key, segments, None);
}

fn write_with(dir: &Path, key: &Arc<SigningKey>, segments: usize, encryption: Option<Encryption>) {
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
        text: None,
        recipients: encryption.as_ref().map(|to| to.recipients().names()).unwrap_or_default(),
    };
    let settings = Settings { room_bytes: 0, encryption: encryption.clone(), ..Settings::default() };
    let mut writer = BundleWriter::create_with(dir, &manifest, Arc::clone(key), settings).unwrap();
    let mut video = vec![0_u8; SEGMENT_MIB << 20];
    for n in 1..=segments as u32 {
        video[..4].copy_from_slice(&n.to_be_bytes());
        let first = (n == 1).then_some(PathInBundle::Init(1));
        let paths: Vec<_> = first.into_iter().chain([PathInBundle::Video(n)]).collect();
        let to_us = u64::from(n) * 10_000_000;
        if let Some(encryption) = &encryption {
            let stored: Vec<_> = paths.iter().map(|path| encryption.store(dir, *path, &video).unwrap()).collect();
            writer.close_encrypted(writer.from_us(), to_us, &stored).unwrap();
            continue;
        }
        paths.iter().for_each(|path| std::fs::write(path.under(dir), &video).unwrap());
        writer.close_segment(writer.from_us(), to_us, &paths).unwrap();
    }
    let ended = "2026-01-31T20:00:00.000000Z".to_owned();
    let duration_us = writer.from_us();
    writer.seal(Ending { state: State::Closed, reason: String::new(), ended, duration_us, revisions: 1 }).unwrap();
}
