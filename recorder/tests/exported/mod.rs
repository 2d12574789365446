//! A film in a temporary folder, what FFmpeg says of it, and bundles made of the segments of another.
#![allow(dead_code, reason = "each test file uses its own part of it")]
use std::path::{Path, PathBuf};

use portcullis_evidence::{
    BundleFolder, BundleWriter, Ending, Event, PathInBundle, State, VERSION, What, stamp, verify,
};
use portcullis_export::{Film, Standing, Subtitles};
use tempfile::TempDir;

use crate::stage::{Stage, run};

pub(crate) struct Exported {
    pub(crate) path: PathBuf,
    srt: String,
    _folder: TempDir,
}

impl Exported {
    /// The film of a stage's bundle, which is sound.
    pub(crate) fn sound(stage: &Stage) -> Self {
        Self::of(&stage.bundle(), stage)
    }

    pub(crate) fn of(bundle: &Path, stage: &Stage) -> Self {
        let report = verify(bundle, &[stage.key.verifying_key()]);
        assert!(report.is_sound(), "{report}");
        Self::write(&Film::of(&BundleFolder::at(bundle), Standing::Sound(report.to_string())).unwrap())
    }

    pub(crate) fn write(film: &Film<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let bytes = film.write(&mut file).unwrap();
        drop(file);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes);
        Self { path, srt: film.subtitles(Subtitles::SubRip), _folder: folder }
    }

    pub(crate) fn subtitles(&self, form: Subtitles) -> String {
        assert_eq!(form, Subtitles::SubRip);
        self.srt.clone()
    }

    pub(crate) fn probe(&self, entries: &str) -> Vec<String> {
        let arguments = ["-v", "error", "-show_entries", entries, "-of", "default=nw=1", self.path.to_str().unwrap()];
        let said = String::from_utf8(run("ffprobe", &arguments, Vec::new())).unwrap();
        said.lines().map(str::to_owned).collect()
    }

    /// Every picture decodes, and nothing is said about any.
    pub(crate) fn decodes(&self) {
        let path = self.path.to_str().unwrap();
        run(
            "ffmpeg",
            &[
                "-v",
                "warning",
                "-xerror",
                "-i",
                path,
                "-map",
                "0:v",
                "-fps_mode",
                "passthrough",
                "-enc_time_base",
                "1/1000000",
                "-f",
                "null",
                "-",
            ],
            Vec::new(),
        );
    }
}

/// The time of each picture, microseconds.
pub(crate) fn packets(film: &Path) -> Vec<u64> {
    let arguments = ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts", "-of", "csv=p=0"];
    let said = run("ffprobe", &[&arguments[..], &[film.to_str().unwrap()]].concat(), Vec::new());
    let said = String::from_utf8(said).unwrap();
    // Where the sample entry changes a packet brings side data, which is an empty line.
    let lines = said.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.trim_end_matches(',').parse().unwrap()).collect()
}

/// Each picture decoded, of so many bytes.
pub(crate) fn decoded(film: &Path, bytes: usize) -> Vec<Vec<u8>> {
    let path = film.to_str().unwrap();
    let arguments =
        ["-v", "error", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "1/1000000"];
    let raw = run("ffmpeg", &[&arguments[..], &["-f", "rawvideo", "-pix_fmt", "bgr0", "-"]].concat(), Vec::new());
    assert_eq!(raw.len() % bytes, 0);
    raw.chunks_exact(bytes).map(<[u8]>::to_vec).collect()
}

/// Where each chapter begins, microseconds, and its title.
pub(crate) fn chapters(film: &Path) -> Vec<(u64, String)> {
    let arguments = ["-v", "error", "-show_chapters", "-of", "default=nw=1", film.to_str().unwrap()];
    let said = String::from_utf8(run("ffprobe", &arguments, Vec::new())).unwrap();
    let of = |key: &'static str| said.lines().filter_map(move |line| line.strip_prefix(key)).map(str::to_owned);
    let seconds = of("start_time=").map(|text| (text.parse::<f64>().unwrap() * 1e6).round() as u64);
    seconds.zip(of("TAG:title=")).collect()
}

pub(crate) fn unzip(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("export.zip");
    std::fs::write(&archive, bytes).unwrap();
    run("unzip", &["-q", archive.to_str().unwrap(), "-d", folder.path().to_str().unwrap()], Vec::new());
    folder
}

/// A bundle of the video of a stage's one: all of its segments for `None`, a gap of so many microseconds for `Some`. Where the
/// last part begins.
pub(crate) fn synthetic(stage: &Stage, parts: &[Option<u64>]) -> (TempDir, u64) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut writer = BundleWriter::create(dir, &stage.manifest(), stage.key.clone()).unwrap();
    let segments = stage.segments();
    let (mut at_us, mut last_us, mut number) = (0, 0, 0);
    for part in parts {
        last_us = at_us;
        let Some(gap_us) = part else {
            let base_us = at_us;
            for (_, segment, seconds) in &segments {
                number += 1;
                let lasts_us = (seconds * 1e6).round() as u64;
                let mut files = vec![PathInBundle::Video(number)];
                if number == 1 || writer.newest_init() == 0 {
                    std::fs::copy(stage.bundle().join("video/init-0001.mp4"), dir.join("video/init-0001.mp4")).unwrap();
                    files.insert(0, PathInBundle::Init(1));
                }
                std::fs::write(PathInBundle::Video(number).under(dir), later(segment, base_us)).unwrap();
                writer.close_segment(at_us, at_us + lasts_us, &files).unwrap();
                at_us += lasts_us;
            }
            continue;
        };
        number += 1;
        let what = What::Gap { from_us: at_us, to_us: at_us + gap_us, reason: "disk full".to_owned() };
        let event = Event {
            v: VERSION,
            seq: writer.next_seq(),
            at_us: at_us + gap_us,
            time: stamp(time::OffsetDateTime::UNIX_EPOCH),
            session: stage.manifest().id,
            subject: "portcullis".to_owned(),
            policy: "p".to_owned(),
            rule: String::new(),
            what,
        };
        writer.event(&event).unwrap();
        writer.close_segment(at_us, at_us + gap_us, &[]).unwrap();
        at_us += gap_us;
    }
    let ending = Ending {
        state: State::Closed,
        reason: "done".to_owned(),
        ended: stamp(time::OffsetDateTime::UNIX_EPOCH),
        duration_us: at_us,
        revisions: 1,
    };
    writer.seal(ending).unwrap();
    (folder, last_us)
}

/// A segment's bytes with all times so much later.
fn later(segment: &Path, by_us: u64) -> Vec<u8> {
    let mut bytes = std::fs::read(segment).unwrap();
    let places: Vec<usize> =
        bytes.windows(4).enumerate().filter(|(_, found)| found == b"tfdt").map(|(n, _)| n + 8).collect();
    for place in places {
        let at_us = u64::from_be_bytes(bytes[place..place + 8].try_into().unwrap());
        bytes[place..place + 8].copy_from_slice(&(at_us + by_us).to_be_bytes());
    }
    bytes
}

/// The most memory that this process has had, KiB.
pub(crate) fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How near one film is to another, in dB over all of its pictures.
pub(crate) fn psnr(film: &Path, to: &Path) -> f64 {
    let filter = "[0:v]scale=320:200,setpts=N[a];[1:v]scale=320:200,setpts=N[b];[a][b]psnr";
    let (film, to) = (film.to_str().unwrap(), to.to_str().unwrap());
    let words = ["-v", "info", "-nostats", "-i", film, "-i", to, "-fps_mode", "passthrough", "-lavfi", filter];
    let ran = std::process::Command::new("ffmpeg").args(words).args(["-f", "null", "-"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let average = said.split("average:").nth(1).unwrap_or_else(|| panic!("{said}"));
    let text = average.split_whitespace().next().unwrap();
    if text == "inf" { 99.0 } else { text.parse().unwrap() }
}
