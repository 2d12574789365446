//! The harness: a real gate as a process of its own, its API, a viewer whose every byte a test chooses, and the desktop behind it.

pub mod api;
pub mod clipboard;
pub mod desktop;
pub mod gate;
pub mod video;
pub mod viewer;
pub mod vnc_rs;

pub use api::{Api, Opened};
pub use desktop::DesktopProbe;
pub use gate::Gate;
pub use viewer::Viewer;

use std::time::{Duration, Instant};

/// The longest that a condition is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until the answer is there; fails with `what` after [`PATIENCE`].
///
/// # Errors
/// When the condition does not come true in time.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        let answer = tokio::time::timeout(PATIENCE, ask()).await.map_err(|_| anyhow::anyhow!("no answer: {what}"))?;
        if let Some(answer) = answer? {
            return Ok(answer);
        }
        anyhow::ensure!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
