//! Desktops as containers of a Docker Engine: one each, without network, capabilities or a writable root.

mod archive;
mod container;
mod tar;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use self::archive::Archive;
use self::container::{GATE, SESSION};
use super::account::Account;
use super::folder::SessionFolder;
use super::running::{DESTROYED, Running};
use super::transfer::Transfer;
use super::{Desktop, Runtime, RuntimeError, Template, TemplateKind};
use crate::SessionId;

/// Seconds that the Engine may take for one answer.
const ANSWER_WITHIN: u64 = 60;
/// What is kept of a container's last lines for the reason of its end.
const LAST_LINES: &str = "4";
const MAX_LAST_WORDS: usize = 800;

/// The `docker` runtime.
pub struct Containers {
    engine: bollard::Docker,
    folder: PathBuf,
}

impl Containers {
    /// Connects to the Engine at `host` (`unix:///path`), speaks the newest API that both know, and keeps sockets in `folder`, which the
    /// Engine must see under the same path.
    pub async fn connect(host: &str, folder: PathBuf) -> Result<Self, RuntimeError> {
        let failed = |source| RuntimeError::Engine { action: "be reached", source };
        let engine = bollard::Docker::connect_with_unix(host, ANSWER_WITHIN, bollard::API_DEFAULT_VERSION);
        let engine = engine.map_err(failed)?.negotiate_version().await.map_err(failed)?;
        // The folder names the gate among those that use the Engine, so it needs one spelling.
        std::fs::create_dir_all(&folder)
            .and_then(|()| folder.canonicalize())
            .map(|folder| Self { engine, folder: folder.clone() })
            .map_err(|source| RuntimeError::Folder { path: folder, source })
    }

    /// Creates and starts the container; on an error it is removed again.
    async fn begin(
        &self,
        template: &Template,
        docker: &super::Docker,
        session: &SessionId,
        account: &Account,
        folder: &SessionFolder,
    ) -> Result<Container, RuntimeError> {
        let name = format!("portcullis-{session}");
        let body = container::body(template.size, docker, session, &self.folder, account, &folder.rfb());
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let created = self.engine.create_container(Some(options), body).await.map_err(|source| match source {
            Error::DockerResponseServerError { status_code: 404, .. } => {
                RuntimeError::NoImage { image: docker.image.clone() }
            }
            source => RuntimeError::Engine { action: "create a container", source },
        })?;
        let container = Container { engine: self.engine.clone(), id: created.id };
        if let Err(source) = self.engine.start_container(&container.id, None::<StartContainerOptions>).await {
            container.remove().await;
            return Err(RuntimeError::Engine { action: "start a container", source });
        }
        Ok(container)
    }
}

#[async_trait]
impl Runtime for Containers {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn start(&self, template: &Template, session: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        let TemplateKind::Docker(docker) = &template.kind else {
            return Err(RuntimeError::WrongKind { template: template.name.clone(), runtime: self.name() });
        };
        let account = Account::for_container();
        let folder = SessionFolder::create(&self.folder, session, self.name(), &account)?;
        match self.begin(template, docker, session, &account, &folder).await {
            Ok(container) => {
                let room = u64::from(docker.transfer_mib).saturating_mul(1024 * 1024);
                let archive = Archive::of(&self.engine, &container.id, &account, room);
                let reach = || -> Option<Arc<dyn Transfer>> { Some(archive) };
                Running::when_ready(folder, &account, |end| container.watch(end), reach).await
            }
            Err(why) => {
                folder.remove();
                Err(why)
            }
        }
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        let ours = vec![SESSION.to_owned(), format!("{GATE}={}", self.folder.display())];
        let filters = HashMap::from([("label".to_owned(), ours)]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let left = self
            .engine
            .list_containers(Some(options))
            .await
            .map_err(|source| RuntimeError::Engine { action: "list containers", source })?;
        let mut reaped = 0;
        for id in left.into_iter().filter_map(|container| container.id) {
            Container { engine: self.engine.clone(), id }.remove().await;
            reaped += 1;
        }
        for folder in SessionFolder::left_behind(&self.folder, self.name())? {
            folder.remove();
        }
        Ok(reaped)
    }
}

/// One container of a desktop.
struct Container {
    engine: bollard::Docker,
    id: String,
}

impl Container {
    /// Waits until the container is gone, which `end` makes so, and says why.
    async fn watch(self, end: CancellationToken) -> String {
        let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
        let mut exits = self.engine.wait_container(&self.id, Some(options));
        let exit = tokio::select! {
            exit = exits.next() => Some(exit),
            () = end.cancelled() => None,
        };
        drop(exits);
        let reason = match exit {
            None => DESTROYED.to_owned(),
            Some(Some(Ok(_))) => self.explain(0).await,
            Some(Some(Err(Error::DockerContainerWaitError { code, .. }))) => self.explain(code).await,
            Some(Some(Err(error))) => format!("the Docker Engine cannot say how the desktop fares: {error}"),
            Some(None) => "the Docker Engine cannot say how the desktop fares".to_owned(),
        };
        self.remove().await;
        reason
    }

    /// Removes it with all that runs in it; that there is none is fine.
    async fn remove(&self) {
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
