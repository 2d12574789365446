//! A stage for recordings: a spool and a vault in a temporary folder, colours to show, and FFmpeg to look at what was recorded.
#![allow(dead_code, reason = "each test file uses its own part of the stage")]
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use portcullis_evidence::{Manifest, Mode, Report, SigningKey, VERSION, stamp, verify};
use portcullis_recorder::{Config, Recording, Sealed};
use portcullis_rfb::{Change, Rect, Screen, Size};
use portcullis_vault::{Folder, Vault};

pub(crate) struct Stage {
    pub(crate) folder: PathBuf,
    pub(crate) config: Config,
    pub(crate) key: Arc<SigningKey>,
    held: Option<tempfile::TempDir>,
}

/// A picture as the video shows it: its time, its size, B, G, R, 0 of each pixel.
pub(crate) struct Shown {
    pub(crate) at_us: u64,
    pub(crate) size: Size,
    pub(crate) pixels: Vec<u8>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let held = tempfile::tempdir().unwrap();
        let stage = Self::at(held.path());
        Self { held: Some(held), ..stage }
    }

    pub(crate) fn at(folder: &Path) -> Self {
        let config = Config { ring_bytes: 4 << 20, ..Config::new(folder.join("spool")) };
        Self { folder: folder.to_owned(), config, key: Arc::new(SigningKey::generate(&[7; 32])), held: None }
    }

    pub(crate) fn vault(&self) -> Arc<dyn Vault> {
        Arc::new(Folder::open(&self.folder.join("vault")).unwrap())
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest {
            v: VERSION,
            id: "0198-session".to_owned(),
            subject: "alice".to_owned(),
            issuer: String::new(),
            groups: vec!["staff".to_owned()],
            desktop: "terminal".to_owned(),
            policy: "sha256:0123456789ab".to_owned(),
            rule: "default.yaml:1 allow.open".to_owned(),
            started: stamp(time::OffsetDateTime::UNIX_EPOCH),
            mode: Mode::Strict,
            gate: "0.1.0".to_owned(),
            key: self.key.kid().to_owned(),
            keep: None,
            text: None,
            recipients: Vec::new(),
        }
    }

    pub(crate) async fn start(&self, size: Size) -> Recording {
        Recording::start(self.config.clone(), self.vault(), Arc::clone(&self.key), self.manifest(), size).await.unwrap()
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.config.spool.join(self.manifest().id)
    }

    /// The bundle in the vault.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.folder.join("vault").join(self.manifest().prefix())
    }

    pub(crate) fn verify(&self) -> Report {
        verify(&self.bundle(), &[self.key.verifying_key()])
    }

    /// The bundle is sound, in the vault, as its seal says, and nothing is left in the spool.
    pub(crate) fn assert_kept(&self, sealed: &Sealed) {
        let report = self.verify();
        assert!(report.is_sound(), "{report}");
        assert_eq!(report.revisions, Some(sealed.seal.revisions));
        assert!(!self.spool().exists(), "the spool is empty");
    }

    pub(crate) fn playlist(&self) -> String {
        std::fs::read_to_string(self.bundle().join("index.m3u8")).unwrap()
    }

    /// Each segment that is there, as the playlist has it: init segment, segment, length in seconds.
    pub(crate) fn segments(&self) -> Vec<(PathBuf, PathBuf, f64)> {
        let (mut init, mut length, mut gap, mut found) = (PathBuf::new(), 0.0, false, Vec::new());
        for line in self.playlist().lines() {
            if let Some(map) = line.strip_prefix("#EXT-X-MAP:URI=\"") {
                init = self.bundle().join(map.trim_end_matches('"'));
            } else if let Some(seconds) = line.strip_prefix("#EXTINF:") {
                length = seconds.trim_end_matches(',').parse().unwrap();
            } else if line == "#EXT-X-GAP" {
                gap = true;
            } else if !line.starts_with('#') && !std::mem::take(&mut gap) {
                found.push((init.clone(), self.bundle().join(line), length));
            }
        }
        found
    }

    /// Every picture of the recording, decoded.
    pub(crate) fn film(&self) -> Vec<Shown> {
        self.segments().iter().flat_map(|(init, segment, _)| decode(init, segment)).collect()
    }

    pub(crate) fn events(&self) -> String {
        let mut names: Vec<_> =
            std::fs::read_dir(self.bundle().join("events")).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names.iter().map(|name| std::fs::read_to_string(name).unwrap()).collect()
    }
}

/// Runs a program with bytes as its input; its output.
pub(crate) fn run(program: &str, arguments: &[&str], input: Vec<u8>) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program} {arguments:?}: {said}");
    let _ = writer.join().unwrap();
    output.stdout
}

/// What ffprobe says of a segment, `key=value` by line.
pub(crate) fn probe(init: &Path, segment: &Path, entries: &str) -> Vec<String> {
    let mut bytes = std::fs::read(init).unwrap();
    bytes.extend(std::fs::read(segment).unwrap());
    let arguments = ["-v", "error", "-show_entries", entries, "-of", "default=nw=1", "-"];
    let said = String::from_utf8(run("ffprobe", &arguments, bytes)).unwrap();
    said.lines().map(str::to_owned).collect()
}

/// Time and duration of each picture as a segment's fragments say (ISO/IEC 14496-12 `tfdt` and `trun`), in microseconds.
pub(crate) fn times(segment: &Path) -> Vec<(u64, u64)> {
    let bytes = std::fs::read(segment).unwrap();
    let number = |place: usize, length: usize| {
        bytes[place..place + length].iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte))
    };
    let boxes = |kind: &[u8; 4]| -> Vec<usize> {
        bytes.windows(4).enumerate().filter(|(_, found)| found == kind).map(|(place, _)| place).collect()
    };
    let starts = boxes(b"tfdt").into_iter().map(|place| number(place + 8, 8));
    starts.zip(boxes(b"trun").into_iter().map(|place| number(place + 16, 4))).collect()
}

fn decode(init: &Path, segment: &Path) -> Vec<Shown> {
    let mut bytes = std::fs::read(init).unwrap();
    bytes.extend(std::fs::read(segment).unwrap());
    let said = probe(init, segment, "packet=pts:stream=width,height");
    let number = |key: &str| {
        let value = said.iter().find_map(|line| line.strip_prefix(key)).unwrap();
        value.parse::<u16>().unwrap()
    };
    let size = Size::new(number("width="), number("height="));
    let times = said.iter().filter_map(|line| line.strip_prefix("pts=")).map(|pts| pts.parse().unwrap());
    let decoder = [
        "-v",
        "error",
        "-i",
        "-",
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1/1000000",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "bgr0",
        "-",
    ];
    let raw = run("ffmpeg", &decoder, bytes);
    let length = usize::from(size.width) * usize::from(size.height) * 4;
    assert_eq!(raw.len() % length, 0);
    let shown: Vec<_> = times
        .zip(raw.chunks_exact(length))
        .map(|(at_us, pixels)| Shown { at_us, size, pixels: pixels.to_vec() })
        .collect();
    assert_eq!(shown.len(), raw.len() / length, "a packet is a picture");
    shown
}

/// A colour that no other revision up to 4,095 comes near: steps of 17 in each channel.
pub(crate) fn colour(revision: u64) -> [u8; 4] {
    let step = |shift: u64| u8::try_from(revision >> shift & 0xf).unwrap() * 15 + 15;
    [step(0), step(4), step(8), 0]
}

pub(crate) fn fill(rect: Rect, colour: [u8; 4]) -> Change {
    Change::Pixels { rect, pixels: colour.repeat(usize::try_from(rect.area()).unwrap()) }
}

impl Shown {
    pub(crate) fn pixel(&self, x: u16, y: u16) -> [u8; 4] {
        let place = (usize::from(y) * usize::from(self.size.width) + usize::from(x)) * 4;
        self.pixels[place..place + 4].try_into().unwrap()
    }

    /// The revision whose colour a pixel has; `None` when it is no such colour.
    pub(crate) fn revision(&self, x: u16, y: u16) -> Option<u64> {
        let pixel = self.pixel(x, y);
        let near = |revision: &u64| colour(*revision).iter().zip(pixel).take(3).all(|(a, b)| a.abs_diff(b) <= 7);
        (0..4096).find(near)
    }

    /// Peak signal to noise ratio against the screen, in dB, where both are.
    pub(crate) fn psnr(&self, screen: &Screen) -> f64 {
        let (width, height) = (screen.size().width, screen.size().height);
        let row = usize::from(width) * 4;
        let mut error = 0.0;
        for (y, wanted) in (0..height).zip(screen.pixels().chunks_exact(row)) {
            let start = usize::from(y) * usize::from(self.size.width) * 4;
            let found = &self.pixels[start..start + row];
            for (a, b) in wanted.chunks_exact(4).zip(found.chunks_exact(4)) {
                error += (0..3).map(|n| f64::from(a[n].abs_diff(b[n])).powi(2)).sum::<f64>();
            }
        }
        let mean = error / f64::from(u32::from(width) * u32::from(height) * 3);
        if mean == 0.0 { 99.0 } else { 10.0 * (255.0 * 255.0 / mean).log10() }
    }
}
