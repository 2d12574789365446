//! A bundle as it lies, played by FFmpeg from its folder and over HTTP from a real bucket: every picture at its time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod stage;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use portcullis_evidence::Digest;
use portcullis_recorder::Recording;
use portcullis_rfb::{Change, Rect, Size};
use portcullis_vault::{S3, S3Settings, Vault};
use stage::{Stage, colour, fill, run};

/// What scripts/radosgw.sh says of the server, which it starts where it does not run.
fn radosgw(word: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/radosgw.sh");
    let started = Command::new(script).arg("start").stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    assert!(started.status.success(), "radosgw does not start: scripts/radosgw.sh start");
    let said = String::from_utf8(started.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix(&format!("{word}="))).unwrap().to_owned()
}

/// A request to the server in the name of its user.
fn put(url: &str, body: &str) {
    let user = format!("{}:{}", radosgw("S3_KEY"), radosgw("S3_SECRET"));
    // curl leaves the body's hash to who knows that S3 signs it.
    let hash = format!("x-amz-content-sha256: {}", Digest::of(body.as_bytes()));
    let words = ["-sS", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", &user, "-X", "PUT", "-H", &hash];
    run("curl", &[&words[..], &["-d", body, url]].concat(), Vec::new());
}

/// A bucket that anybody on this machine may read: its name, and a vault over it.
async fn readable(endpoint: &str) -> (String, Arc<dyn Vault>) {
    let nanos = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let bucket = format!("hls-{}-{nanos}", std::process::id());
    put(&format!("{endpoint}/{bucket}"), "");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::{bucket}/*"]}}]}}"#
    );
    put(&format!("{endpoint}/{bucket}?policy="), &policy);
    let secret = tempfile::tempdir().unwrap();
    let file = secret.path().join("credentials");
    std::fs::write(
        &file,
        format!("[default]\naws_access_key_id={}\naws_secret_access_key={}\n", radosgw("S3_KEY"), radosgw("S3_SECRET")),
    )
    .unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut settings = S3Settings::new(&bucket);
    (settings.endpoint, settings.credentials) = (Some(endpoint.to_owned()), Some(file));
    let vault = S3::open(settings).await.unwrap();
    // The file is read again when credentials are looked up.
    std::mem::forget(secret);
    (bucket, Arc::new(vault))
}

/// What FFmpeg reads of a playlist: the time of each picture, and each decoded.
fn played(playlist: &str) -> (Vec<u64>, Vec<Vec<u8>>) {
    let words = ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", playlist];
    let said = String::from_utf8(run("ffprobe", &words, Vec::new())).unwrap();
    let seconds = said.lines().map(|line| line.trim_end_matches(',').parse::<f64>().unwrap());
    let times = seconds.map(|seconds| (seconds * 1e6).round() as u64).collect();
    let words = ["-v", "error", "-i", playlist, "-fps_mode", "passthrough", "-enc_time_base", "1/1000000"];
    let raw = run("ffmpeg", &[&words[..], &["-f", "rawvideo", "-pix_fmt", "bgr0", "-"]].concat(), Vec::new());
    (times, raw.chunks_exact(160 * 100 * 4).map(<[u8]>::to_vec).collect())
}

async fn record(stage: &Stage, vault: Arc<dyn Vault>) {
    let size = Size::new(160, 100);
    let started =
        Recording::start(stage.config.clone(), vault, Arc::clone(&stage.key), stage.manifest(), size).await.unwrap();
    for revision in 1..=30 {
        let change: [Change; 1] = [fill(Rect::new(0, 0, 160, 100), colour(revision))];
        started.hand_over(revision, &change).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    started.close("done").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_picture_is_played_from_the_folder_and_from_the_bucket() {
    let mut stage = Stage::new();
    stage.config.segment = Duration::from_millis(100);
    record(&stage, stage.vault()).await;
    assert!(stage.segments().len() >= 3);
    let film = stage.film();
    let (times, pictures) = played(stage.bundle().join("index.m3u8").to_str().unwrap());
    assert_eq!(times, film.iter().map(|shown| shown.at_us).collect::<Vec<_>>());
    assert!(pictures == film.into_iter().map(|shown| shown.pixels).collect::<Vec<_>>());

    let endpoint = tokio::task::spawn_blocking(|| radosgw("S3_ENDPOINT")).await.unwrap();
    let (bucket, vault) = readable(&endpoint).await;
    record(&stage, vault).await;
    let place = format!("{endpoint}/{bucket}/{}/index.m3u8", stage.manifest().prefix());
    let (times, pictures) = tokio::task::spawn_blocking(move || played(&place)).await.unwrap();
    assert_eq!((times.len(), pictures.len()), (31, 31), "the black screen and 30 revisions");
    let shown = stage::Shown { at_us: times[30], size: Size::new(160, 100), pixels: pictures[30].clone() };
    assert_eq!(shown.revision(80, 50), Some(30));
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
}
