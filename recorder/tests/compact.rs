//! Recordings encoded anew: every picture at its time and near to what it was, the original's proof whole, and both verifiers agree.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod exported;
mod stage;

use std::path::Path;
use std::time::Duration;

use exported::{packets, psnr};
use portcullis_evidence::{
    BundleFolder, Contents, Decrypted, Identities, Recipients, SigningKey, Trust, Verdict, verify, verify_at,
};
use portcullis_export::{ExportError, Film, Standing};
use portcullis_recorder::{Codec, CompactError, CompactSettings, Encrypting, compact};
use portcullis_rfb::{Change, Rect, Size};
use stage::{Stage, colour, fill, run, times};

const MADE: &str = "2026-06-01T00:00:00.000000Z";

/// Text-like stripes and blocks that move, in several segments, with a resize.
async fn recorded() -> Stage {
    recorded_on(Stage::new()).await
}

async fn recorded_on(mut stage: Stage) -> Stage {
    (stage.config.segment, stage.config.still) = (Duration::from_millis(200), Duration::from_millis(400));
    let recording = stage.start(Size::new(320, 200)).await;
    for revision in 1..=24u64 {
        let x = u16::try_from(revision * 10).unwrap();
        let stripes =
            (0..10).map(|row| fill(Rect::new(x % 200, row * 20, 60, 7), colour(revision * 7 + u64::from(row))));
        let mut changes: Vec<Change> = stripes.collect();
        if revision == 12 {
            changes.insert(0, Change::Resize(Size::new(400, 300)));
        }
        recording.hand_over(revision, &changes).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    recording.close("done").await.unwrap();
    stage
}

/// How many pictures there are, as the segments' fragments say.
fn pictures(stage: &Stage) -> u64 {
    stage.segments().iter().map(|(_, segment, _)| times(segment).len() as u64).sum()
}

fn made(stage: &Stage, codec: Codec) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = BundleFolder::at(&stage.bundle());
    let settings = CompactSettings::of(codec, 1);
    let done = compact(&source, None, folder.path(), &settings, MADE, &stage.key).unwrap();
    assert_eq!(done.pictures, pictures(stage));
    println!("{}: {} bytes of video are {} now", codec.name(), done.before, done.after);
    folder
}

fn film(bundle: &Path, verdict: Verdict, stage: &Stage) -> exported::Exported {
    let report = verify(bundle, &[stage.key.verifying_key()]);
    assert_eq!(report.verdict(), verdict, "{report}");
    exported::Exported::write(&Film::of(&BundleFolder::at(bundle), Standing::Sound(report.to_string())).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_picture_keeps_its_time_and_looks() {
    let stage = recorded().await;
    let original = film(&stage.bundle(), Verdict::Sound, &stage);
    for codec in [Codec::Vp9, Codec::Av1] {
        let folder = made(&stage, codec);
        let derived = film(folder.path(), Verdict::Derived, &stage);
        assert_eq!(packets(&derived.path), packets(&original.path), "{}", codec.name());
        derived.decodes();
        let near = psnr(&derived.path, &original.path);
        println!("{}: {near} dB", codec.name());
        assert!(near > 30.0, "{}: {near} dB", codec.name());
        // And as it lies, by the original's playlist.
        let playlist = folder.path().join("index.m3u8");
        let words = ["-v", "error", "-i", playlist.to_str().unwrap(), "-fps_mode", "passthrough", "-enc_time_base"];
        run("ffmpeg", &[&words[..], &["1/1000000", "-f", "null", "-"]].concat(), Vec::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_derived_says_so_under_both_verifiers() {
    let stage = recorded().await;
    let folder = made(&stage, Codec::Vp9);
    for file in ["session.json", "seal.json", "SHA256SUMS", "index.m3u8", "chain/00001.jws", "events/00001.jsonl"] {
        let (one, other) = (std::fs::read(folder.path().join(file)), std::fs::read(stage.bundle().join(file)));
        assert!(one.unwrap() == other.unwrap(), "{file} is the original's");
    }
    let key = folder.path().with_extension("pem");
    std::fs::write(&key, stage.key.verifying_key().to_pem().unwrap()).unwrap();
    let second = |verdict: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/verifier/verify.py");
        let ran = std::process::Command::new("python3").arg(script).arg("--key").arg(&key).arg(folder.path()).output();
        let said = String::from_utf8(ran.unwrap().stdout).unwrap();
        assert!(said.contains(&format!("\"verdict\": \"{verdict}\"")), "{said}");
    };
    second("derived");
    let report = verify(folder.path(), &[stage.key.verifying_key()]);
    let derived = report.derived.unwrap();
    assert_eq!((derived.codec.as_str(), derived.made.as_str()), ("vp9", MADE));
    assert_eq!((derived.pictures, Some(derived.duration_us)), (pictures(&stage), report.duration_us));
    // The original's video in its place is not what the derivation says.
    let video = "video/00001.m4s";
    std::fs::copy(stage.bundle().join(video), folder.path().join(video)).unwrap();
    second("edited");
    assert_eq!(verify(folder.path(), &[stage.key.verifying_key()]).verdict().name(), "edited");
    std::fs::remove_file(key).unwrap();
}

const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_encrypted_is_a_film_and_encoded_anew_for_who_has_an_identity() {
    let keys = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut stage = Stage::new();
    let recipients = Recipients::parse([RECIPIENT]).unwrap();
    stage.config.encrypting = Some(Encrypting { recipients, keys: keys.path().to_owned() });
    let stage = recorded_on(stage).await;
    let (source, identities) = (BundleFolder::at(&stage.bundle()), Identities::read(IDENTITY).unwrap());
    let trust = Trust::of(&[stage.key.verifying_key()]).with_identities(identities.clone());
    let film = |source: &BundleFolder, verdict: Verdict| {
        let report = verify_at(source, &trust);
        assert_eq!((report.verdict(), report.contents), (verdict, Contents::Decrypted), "{report}");
        let standing = || Standing::Sound(report.to_string());
        assert!(matches!(Film::of(source, standing()), Err(ExportError::Encrypted)), "not without an identity");
        let film =
            exported::Exported::write(&Film::decrypted(&Decrypted::new(source, &identities), standing()).unwrap());
        film.decodes();
        film
    };
    let original = film(&source, Verdict::Sound);
    let stranger =
        Identities::read("AGE-SECRET-KEY-12FEKXAMUH6VX5MXT23WJP43LMK4QCRCL7VAX6JVU7F0R562W3RCST3KDCQ").unwrap();
    let shut = Decrypted::new(&source, &stranger);
    assert!(matches!(
        Film::decrypted(&shut, Standing::Unproved(String::new())),
        Err(ExportError::NoVideo | ExportError::Read(..))
    ));

    let (folder, settings) = (tempfile::tempdir().unwrap(), CompactSettings::of(Codec::Vp9, 1));
    let refused = compact(&source, None, folder.path(), &settings, MADE, &stage.key);
    assert!(matches!(refused, Err(CompactError::Nothing(_))));
    compact(&source, Some(&identities), folder.path(), &settings, MADE, &stage.key).unwrap();
    let derived = film(&BundleFolder::at(folder.path()), Verdict::Derived);
    assert_eq!(packets(&derived.path), packets(&original.path));
    let names = std::fs::read_dir(folder.path().join("video")).unwrap().map(|entry| entry.unwrap().path());
    for path in names {
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"age-encryption.org/v1\n"), "{} lies in clear", path.display());
    }
    // Who has no identity still finds every byte as it was signed.
    let report = verify(folder.path(), &[stage.key.verifying_key()]);
    assert_eq!((report.verdict(), report.contents), (Verdict::Derived, Contents::Encrypted), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_signed_is_encoded_and_only_once() {
    let stage = recorded().await;
    let folder = made(&stage, Codec::Vp9);
    let settings = CompactSettings::of(Codec::Vp9, 1);
    let again = |bundle: &Path| {
        let to = tempfile::tempdir().unwrap();
        compact(&BundleFolder::at(bundle), None, to.path(), &settings, MADE, &SigningKey::generate(&[1; 32]))
    };
    assert!(matches!(again(folder.path()), Err(CompactError::Nothing(_))));
    let video = stage.bundle().join("video/00001.m4s");
    let mut bytes = std::fs::read(&video).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&video, bytes).unwrap();
    assert!(
        matches!(again(&stage.bundle()), Err(CompactError::Video(path, _)) if path.to_string() == "video/00001.m4s")
    );
    std::fs::remove_file(stage.bundle().join("seal.json")).unwrap();
    assert!(matches!(again(&stage.bundle()), Err(CompactError::Nothing(_))));
}
