//! One session for long: a key each second, each seen on the screen, and not one connection more than the first.

use std::time::{Duration, Instant};

use anyhow::ensure;
use portcullis_tests::{Gate, Viewer};

const EACH: Duration = Duration::from_secs(1);
/// The longest that somebody waits for a key before it counts as a drop.
const PATIENCE: Duration = Duration::from_secs(30);
const ENTER: u32 = 0xff0d;
/// Letters in a line before the next one begins.
const LINE: u64 = 40;

pub(crate) async fn lasts(gate: &Gate, minutes: u64) -> anyhow::Result<()> {
    let api = super::asking(gate, "cold")?;
    let opened = api.open("cold").await?;
    let mut viewer = Viewer::connect(&gate.url, &opened).await?;
    viewer.request(false).await?;
    viewer.watch("a pixel", |viewer| viewer.pixels.iter().any(|byte| *byte != 0)).await?;
    let (began, mut keys, mut longest) = (Instant::now(), 0, Duration::ZERO);
    while began.elapsed() < Duration::from_secs(minutes * 60) {
        let key = if keys % LINE == LINE - 1 { ENTER } else { u32::from(b'a') };
        let (before, at) = (viewer.pixels.clone(), Instant::now());
        viewer.key(key).await?;
        viewer.request(true).await?;
        viewer.watch("the key", |viewer| viewer.pixels != before).await?;
        let took = at.elapsed();
        ensure!(took < PATIENCE, "after {} s a key took {took:?}", began.elapsed().as_secs());
        (keys, longest) = (keys + 1, longest.max(took));
        tokio::time::sleep(EACH).await;
    }
    super::end(gate, "cold", &opened).await?;
    println!(
        "one session of {minutes} min: {keys} keys seen, the longest wait {:.0} ms, no drop",
        longest.as_secs_f64() * 1000.0
    );
    Ok(())
}
