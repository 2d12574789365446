//! Looking at a recording with FFmpeg: what a person who plays it would see.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Frames of a recording as 8-bit B, G, R, 0 pixels.
#[derive(Debug)]
pub struct Frames {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// One buffer a frame, in order.
    pub frames: Vec<Vec<u8>>,
}

/// Decodes every frame of a bundle's `index.m3u8` that has one size, scaled down by `shrink` in both directions.
///
/// # Errors
/// When FFmpeg cannot play it.
pub fn decode(bundle: &Path, shrink: usize) -> anyhow::Result<Frames> {
    let index = bundle.join("index.m3u8");
    let probe = run(Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0"])
        .arg(&index))?;
    let text = String::from_utf8(probe)?;
    let (width, height) = text.lines().next().and_then(|line| line.split_once(',')).context("no video")?;
    let (width, height) =
        (width.trim().parse::<usize>()? / shrink, height.trim_matches([',', ' ']).parse::<usize>()? / shrink);
    let scale = format!("scale={width}:{height}:flags=area");
    let raw = run(Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(&index).args([
        "-fps_mode",
        "passthrough",
        "-vf",
        &scale,
        "-f",
        "rawvideo",
        "-pix_fmt",
        "bgr0",
        "-",
    ]))?;
    let frames = raw.chunks_exact(width * height * 4).map(<[u8]>::to_vec).collect();
    Ok(Frames { width, height, frames })
}

/// What ffprobe says of a stream: `codec_name`, `profile`, `pix_fmt`, `color_space`…
///
/// # Errors
/// When ffprobe cannot read it.
pub fn probe(bundle: &Path) -> anyhow::Result<serde_json::Value> {
    let text = run(Command::new("ffprobe")
        .args(["-v", "error", "-show_streams", "-show_format", "-of", "json"])
        .arg(bundle.join("index.m3u8")))?;
    Ok(serde_json::from_slice(&text)?)
}

impl Frames {
    /// Frames in which at least `share` (0 to 1) of the pixels are within `tolerance` of a colour (blue, green, red).
    #[must_use]
    pub fn showing(&self, bgr: [u8; 3], tolerance: u8, share: f64) -> Vec<usize> {
        let near = |pixel: &[u8]| pixel.iter().zip(bgr).all(|(a, b)| a.abs_diff(b) <= tolerance);
        let enough = |frame: &Vec<u8>| {
            let count = frame.chunks_exact(4).filter(|pixel| near(&pixel[..3])).count();
            count as f64 >= share * (self.width * self.height) as f64
        };
        (0..self.frames.len()).filter(|index| enough(&self.frames[*index])).collect()
    }
}

/// Peak signal-to-noise ratio of two pictures of B, G, R, 0 pixels, in dB.
#[must_use]
pub fn psnr(a: &[u8], b: &[u8]) -> f64 {
    let colours = |index: usize| index % 4 != 3;
    let errors = a.iter().zip(b).enumerate().filter(|(index, _)| colours(*index));
    let (sum, count) =
        errors.fold((0.0, 0.0), |(sum, count), (_, (a, b))| (sum + f64::from(a.abs_diff(*b)).powi(2), count + 1.0));
    if sum == 0.0 { f64::INFINITY } else { 10.0 * (255.0f64.powi(2) * count / sum).log10() }
}

fn run(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
