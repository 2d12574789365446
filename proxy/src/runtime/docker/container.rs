//! The life of one container: watched until it ends, over restarts of the Engine too, and removed.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::query_parameters::{
    InspectContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::runtime::RuntimeError;
use crate::runtime::running::{DESTROYED, Vessel};

/// What is kept of a container's last lines for the reason of its end.
const LAST_LINES: &str = "4";
const MAX_LAST_WORDS: usize = 800;
/// Why a desktop ended whose container somebody else removed.
const GONE: &str = "the desktop's container was removed";
/// The pause before an Engine that broke off is asked again, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One container of a desktop.
#[derive(Clone)]
pub(super) struct Container {
    pub(super) engine: bollard::Docker,
    pub(super) id: String,
    /// The id of the image that it was made from.
    pub(super) image: String,
}

impl Container {
    /// Waits until the container is gone, which `end` makes so, and says why.
    pub(super) async fn watch(self, end: CancellationToken) -> String {
        let reason = tokio::select! {
            reason = self.outlast() => reason,
            () = end.cancelled() => DESTROYED.to_owned(),
        };
        self.remove().await;
        reason
    }

    /// Waits for its own end. An Engine that is away says nothing about it: the socket works without, and it is asked again when it is back.
    async fn outlast(&self) -> String {
        let mut pause = FIRST_PAUSE;
        loop {
            let since = Instant::now();
            let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
            let mut exits = self.engine.wait_container(&self.id, Some(options));
            let broke = match exits.next().await {
                Some(Ok(exit)) => return self.explain(exit.status_code).await,
                Some(Err(Error::DockerContainerWaitError { code, .. })) => return self.explain(code).await,
                Some(Err(Error::DockerResponseServerError { status_code: 404, .. })) => return GONE.to_owned(),
                Some(Err(error)) => error.to_string(),
                None => "it closed the connection".to_owned(),
            };
            if since.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            if pause == FIRST_PAUSE {
                tracing::warn!(
                    container = self.id,
                    broke,
                    "the Docker Engine is away; its containers are watched again when it is back"
                );
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Removes it with all that runs in it; that there is none is fine. What cannot be removed now is found by the next reaping.
    pub(super) async fn remove(&self) {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.engine.remove_container(&self.id, Some(options)).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => {}
            Err(error) => tracing::warn!(container = self.id, %error, "a desktop's container could not be removed"),
        }
    }

    /// The reason of an end that nobody asked for.
    async fn explain(&self, status: i64) -> String {
        let state = self.engine.inspect_container(&self.id, None::<InspectContainerOptions>).await.ok();
        let starved = state.and_then(|found| found.state).and_then(|state| state.oom_killed) == Some(true);
        let how = if starved { "ran out of memory" } else { "ended" };
        let words = self.last_words().await;
        let colon = if words.is_empty() { "" } else { ": " };
        format!("the desktop's container {how} (exit status: {status}){colon}{words}")
    }

    /// The end of what its programs said, in one line; the text is its user's to choose.
    async fn last_words(&self) -> String {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(LAST_LINES).build();
        let mut lines = self.engine.logs(&self.id, Some(options));
        let mut words = String::new();
        while let Some(Ok(line)) = lines.next().await {
            let line = String::from_utf8_lossy(&line.into_bytes()).into_owned();
            let line: String = line.trim().chars().filter(|c| !c.is_control()).collect();
            let separator = if words.is_empty() { "" } else { "; " };
            words = words.chars().chain(separator.chars()).chain(line.chars()).take(MAX_LAST_WORDS).collect();
        }
        words
    }
}

#[async_trait]
impl Vessel for Container {
    fn image(&self) -> &str {
        &self.image
    }

    async fn pause(&self) -> Result<(), RuntimeError> {
        let paused = self.engine.pause_container(&self.id).await;
        paused.map_err(|source| RuntimeError::Engine { action: "pause a container", source })
    }

    async fn resume(&self) -> Result<(), RuntimeError> {
        let resumed = self.engine.unpause_container(&self.id).await;
        resumed.map_err(|source| RuntimeError::Engine { action: "let a container go on", source })
    }
}
