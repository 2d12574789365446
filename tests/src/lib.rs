//! The harness: a real gate as a process of its own or a stage in this one, its API, and on both ends peers whose every byte a test chooses.

pub mod api;
pub mod bucket;
pub mod clamd;
pub mod clipboard;
pub mod desktop;
pub mod engine;
pub mod gate;
pub mod hosting;
pub mod puppet;
pub mod receiver;
pub mod repository;
pub mod rsyslog;
pub mod secrets;
pub mod stage;
pub mod standing;
pub mod video;
pub mod viewer;
pub mod vnc_rs;

pub use api::{Api, Opened};
pub use clamd::Clamd;
pub use desktop::DesktopProbe;
pub use gate::Gate;
pub use puppet::Puppet;
pub use repository::Repository;
pub use secrets::Secrets;
pub use stage::Stage;
pub use viewer::Viewer;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

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

/// The events of a bundle, in order.
///
/// # Errors
/// When one cannot be read.
pub fn events(bundle: &Path) -> anyhow::Result<Vec<Value>> {
    let mut names: Vec<_> =
        std::fs::read_dir(bundle.join("events"))?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    names.sort();
    let mut events = Vec::new();
    for name in names {
        for line in std::fs::read_to_string(name)?.lines() {
            events.push(serde_json::from_str(line)?);
        }
    }
    Ok(events)
}

/// The events of one type.
#[must_use]
pub fn of_type<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == kind).collect()
}
