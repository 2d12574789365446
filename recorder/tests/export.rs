//! Films and zips of real recordings, as FFmpeg, unzip and both verifiers see them.
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

use exported::{Exported, chapters, decoded, packets, synthetic, unzip};
use portcullis_evidence::{BundleFolder, Effect, Manifest, What, verify};
use portcullis_export::{ExportError, Film, Package, PublicKey, Standing, Subtitles};
use portcullis_rfb::{Change, Rect, Size};
use stage::{Stage, colour, fill, run};

fn denied() -> What {
    let reason = "longer than 4 KiB".to_owned();
    What::Paste {
        viewer: 1,
        effect: Effect::Deny,
        bytes: 5000,
        sha256: String::new(),
        reason,
        found: Vec::new(),
        redacted: None,
    }
}

/// A recording of `revisions` colours in segments of a tenth of a second, with events.
async fn recorded(revisions: u64) -> Stage {
    let mut stage = Stage::new();
    (stage.config.segment, stage.config.still) = (Duration::from_millis(100), Duration::from_millis(300));
    let recording = stage.start(Size::new(320, 200)).await;
    let opened = What::SessionOpened { desktop: "terminal".into(), runtime: "process".into() };
    recording.event("default.yaml:1 allow.open", "p", opened).unwrap();
    for revision in 1..=revisions {
        recording.hand_over(revision, &[fill(Rect::new(0, 0, 320, 200), colour(revision))]).await.unwrap();
        if revision == revisions / 2 {
            recording.event("contractors.yaml:7 allow.paste", "p", denied()).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    recording.close("closed by the viewer").await.unwrap();
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_has_every_picture_at_its_time() {
    let stage = recorded(40).await;
    assert!(stage.segments().len() >= 3);
    let film = Exported::sound(&stage);
    let shown = stage.film();
    let times: Vec<u64> = shown.iter().map(|shown| shown.at_us).collect();
    assert_eq!(packets(&film.path), times, "the clock of the events, to the microsecond");
    let pixels: Vec<Vec<u8>> = shown.into_iter().map(|shown| shown.pixels).collect();
    assert!(decoded(&film.path, 320 * 200 * 4) == pixels, "bit by bit what the segments show");
    let said = film.probe("format=duration,nb_streams:format_tags:stream=codec_name,codec_tag_string,width,height");
    let lasts = stage.verify().duration_us.unwrap();
    for wanted in [
        format!("duration={}.{:06}", lasts / 1_000_000, lasts % 1_000_000),
        "nb_streams=3".to_owned(),
        "codec_tag_string=avc1".to_owned(),
        "codec_name=mov_text".to_owned(),
        "width=320".to_owned(),
        "TAG:title=alice on terminal, 1970-01-01T00:00:00.000000Z".to_owned(),
        "TAG:date=1970-01-01T00:00:00.000000Z".to_owned(),
        "TAG:encoder=Portcullis 0.1.0".to_owned(),
    ] {
        assert!(said.contains(&wanted), "{wanted} is not in {said:#?}");
    }
    let comment = said.iter().find(|line| line.starts_with("TAG:comment=")).unwrap();
    assert!(comment.contains("closed: closed by the viewer; verified when exported: "), "{comment}");
    // Whoever begins to read can begin to play: the index stands before the pictures.
    let bytes = std::fs::read(&film.path).unwrap();
    let place = |kind: &[u8]| bytes.windows(4).position(|found| found == kind).unwrap();
    assert!(place(b"moov") < place(b"mdat"));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_chapters_and_lines() {
    let stage = recorded(20).await;
    let film = Exported::sound(&stage);
    let said = stage.events();
    let at_us = |kind: &str| -> u64 {
        let line = said.lines().find(|line| line.contains(&format!("\"type\":\"{kind}\""))).unwrap();
        line.split("\"at_us\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
    };
    let found = chapters(&film.path);
    let titles: Vec<&str> = found.iter().map(|(_, title)| title.as_str()).collect();
    let paste = "paste DENIED, viewer 1, 5000 bytes: longer than 4 KiB [contractors.yaml:7 allow.paste]";
    assert_eq!(titles[..2], ["session opened, terminal [default.yaml:1 allow.open]", paste]);
    assert_eq!((found[0].0, found[1].0), (0, at_us("paste")));
    let arguments = ["-v", "error", "-i", film.path.to_str().unwrap(), "-map", "0:s:0", "-f", "srt", "-"];
    let lines = String::from_utf8(run("ffmpeg", &arguments, Vec::new())).unwrap();
    assert!(lines.contains(paste), "{lines}");
    let beside = film.subtitles(Subtitles::SubRip);
    let milliseconds = at_us("paste") / 1000;
    let stamp = format!("00:00:{:02},{:03} --> ", milliseconds / 1000, milliseconds % 1000);
    assert!(beside.contains(&stamp) && beside.contains(paste), "{stamp} in {beside}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sizes_are_other_sample_entries_of_one_track() {
    let stage = Stage::new();
    let recording = stage.start(Size::new(320, 200)).await;
    let sizes = [Size::new(400, 300), Size::new(64, 64), Size::new(320, 200)];
    for (revision, size) in (1..).zip(sizes) {
        let change = [Change::Resize(size), fill(Rect::new(0, 0, size.width, size.height), colour(revision))];
        recording.hand_over(revision, &change).await.unwrap();
    }
    recording.close("done").await.unwrap();
    let film = Exported::sound(&stage);
    let said = film.probe("frame=width,height");
    let widths: Vec<&str> = said.iter().filter_map(|line| line.strip_prefix("width=")).collect();
    assert_eq!(widths, ["320", "400", "64", "320"]);
    let shown = stage.film();
    assert_eq!(packets(&film.path), shown.iter().map(|shown| shown.at_us).collect::<Vec<_>>());
    film.decodes();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_stays_a_gap_and_is_grey() {
    let stage = recorded(12).await;
    // Two segments, five seconds of nothing, the same two segments again.
    let gap_us = 5_000_000;
    let (folder, resumed_us) = synthetic(&stage, &[None, Some(gap_us), None]);
    let film = Exported::of(folder.path(), &stage);
    let times = packets(&film.path);
    let whole = packets(&Exported::sound(&stage).path);
    assert_eq!(times.len(), whole.len() * 2 + 1, "and the grey one");
    assert_eq!(times[whole.len()], resumed_us - gap_us);
    assert_eq!(times[whole.len() + 1], resumed_us);
    let pictures = decoded(&film.path, 320 * 200 * 4);
    let grey = &pictures[whole.len()];
    assert!(
        grey.chunks_exact(4).all(|pixel| pixel[..3].iter().all(|value| value.abs_diff(130) <= 3)),
        "{:?}",
        &grey[..4]
    );
    assert_eq!(pictures[whole.len() + 3], pictures[2], "behind it the film goes on as it was");
    let titles: Vec<String> = chapters(&film.path).into_iter().map(|(_, title)| title).collect();
    assert!(titles.iter().any(|title| title.contains("gap: disk full")), "{titles:?}");
    film.decodes();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_is_not_exported_as_if_it_were_sound() {
    let stage = recorded(20).await;
    let (bundle, source) = (stage.bundle(), BundleFolder::at(&stage.bundle()));
    let video = bundle.join("video/00002.m4s");
    let mut bytes = std::fs::read(&video).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&video, &bytes).unwrap();
    let film = Film::of(&source, Standing::Sound("said before".into()));
    assert!(matches!(film, Err(ExportError::Changed(path)) if path.to_string() == "video/00002.m4s"));
    // Cut off in the midst, and a segment taken away: the rest is there, marked.
    std::fs::write(&video, &bytes[..bytes.len() - 40]).unwrap();
    std::fs::remove_file(bundle.join("video/00003.m4s")).unwrap();
    let film = Film::of(&source, Standing::Unproved("edited".into())).unwrap();
    let exported = Exported::write(&film);
    let pictures = stage_pictures(&bundle);
    assert_eq!(film.pictures(), pictures as u64);
    let said = exported.probe("format_tags");
    assert!(said.iter().any(|line| line.contains("NOT VERIFIED: edited")), "{said:?}");
    exported.decodes();
}

/// Pictures that are whole in the segments that are there, and a grey one for the one that is not.
fn stage_pictures(bundle: &Path) -> usize {
    let files = std::fs::read_dir(bundle.join("video")).unwrap().map(|entry| entry.unwrap().path());
    let segments = files.filter(|path| path.extension().is_some_and(|extension| extension == "m4s"));
    let whole = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        let torn = usize::from(path.ends_with("00002.m4s"));
        bytes.windows(4).filter(|found| found == b"moof").count() - torn
    };
    segments.map(|path| whole(&path)).sum::<usize>() + 1
}

#[tokio::test(flavor = "multi_thread")]
async fn without_video_there_is_no_film_and_a_zip() {
    let stage = recorded(3).await;
    let (folder, _) = synthetic(&stage, &[Some(1_000_000)]);
    let source = BundleFolder::at(folder.path());
    let film = Film::of(&source, Standing::Sound(String::new()));
    assert!(matches!(film, Err(ExportError::NoVideo)));
    Package::of(&source, "x", Standing::Sound(String::new())).unwrap().write(&[], &[], &mut Vec::new()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_encrypted_or_expired_there_is_a_zip_and_no_film() {
    let stage = recorded(3).await;
    let source = BundleFolder::at(&stage.bundle());
    let film = || Film::of(&source, Standing::Sound(String::new()));
    let zip = || Package::of(&source, "x", Standing::Sound(String::new())).unwrap();
    std::fs::write(stage.bundle().join("expired.json"), b"{}\n").unwrap();
    assert!(matches!(film(), Err(ExportError::Expired)));
    zip().write(&[], &[], &mut Vec::new()).unwrap();
    let path = stage.bundle().join("session.json");
    let manifest = Manifest::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
    let recipients = vec!["age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj".to_owned()];
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, Manifest { recipients, ..manifest }.to_bytes().unwrap()).unwrap();
    assert!(matches!(film(), Err(ExportError::Encrypted)));
    zip().write(&[], &[], &mut Vec::new()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zip_proves_itself_to_a_stranger() {
    let stage = recorded(20).await;
    let source = BundleFolder::at(&stage.bundle());
    let key = stage.key.verifying_key();
    let public = [PublicKey { kid: key.kid().to_owned(), pem: key.to_pem().unwrap() }];
    let standing = Standing::Sound(stage.verify().to_string());
    let package = Package::of(&source, "", standing).unwrap();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let bytes = package.write(&[], &public, &mut first).unwrap();
    package.write(&[], &public, &mut second).unwrap();
    assert!(first == second && bytes == first.len() as u64, "the same bytes each time");
    let folder = unzip(&first);
    let place = folder.path().join("0198-session");
    let report = verify(&place.join("bundle"), &[key]);
    assert!(report.is_sound(), "{report}");
    let kid = &public[0].kid;
    let words = std::fs::read_to_string(place.join("HOW-TO-VERIFY.txt")).unwrap();
    assert!(words.contains(&format!("--key keys/{kid}.pem")) && words.contains("0198-session: sound"), "{words}");
    // What the instructions say, as they say it.
    let stranger = format!(
        "cd {} && python3 verify.py --key keys/{kid}.pem bundle && cd bundle && sha256sum --quiet --check --strict SHA256SUMS && {}",
        place.display(),
        words.split("the key:\n").nth(1).unwrap().split("  jq -r .payload").next().unwrap().replace("\n  ", "\n"),
    );
    let said = String::from_utf8(run("bash", &["-euc", &stranger], Vec::new())).unwrap();
    assert!(said.contains("\"verdict\": \"sound\"") && said.contains("Signature Verified Successfully"), "{said}");
}

/// Memory grows with the number of pictures, by the tables of the index alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_recording_takes_little_memory() {
    let stage = recorded(60).await;
    let lasts = stage.verify().duration_us.unwrap();
    let times = usize::try_from(14_400_000_000 / lasts).unwrap();
    // As often as takes four hours, at most what a test has time for: an index is written anew for each segment.
    let (folder, _) = synthetic(&stage, &vec![None; times.min(30)]);
    let source = BundleFolder::at(folder.path());
    let film = Film::of(&source, Standing::Sound(String::new())).unwrap();
    let before = exported::peak_kib();
    let bytes = film.write(&mut std::io::sink()).unwrap();
    let grown = exported::peak_kib().saturating_sub(before);
    let index = film.pictures() * 64 / 1024;
    println!("{} pictures, {bytes} bytes, {grown} KiB more", film.pictures());
    assert!(grown < 4096 + index, "{grown} KiB for {} pictures and {bytes} bytes", film.pictures());
}
