//! Desktops as containers of a Docker Engine: one each, without network, capabilities or a writable root.

mod archive;
mod body;
mod container;
mod seccomp;
mod tar;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bollard::errors::Error;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptions,
    StartContainerOptions,
};

use self::archive::Archive;
use self::body::{DESKTOP, GATE};
use self::container::Container;
use super::account::Account;
use super::folder::SessionFolder;
use super::roll::Roll;
use super::running::{Parts, Running, Vessel};
use super::transfer::Transfer;
use super::{Desktop, Runtime, RuntimeError, Template, TemplateKind};
use crate::SessionId;

/// Seconds that the Engine may take for one answer.
const ANSWER_WITHIN: u64 = 60;

/// The `docker` runtime.
pub struct Containers {
    engine: bollard::Docker,
    folder: PathBuf,
    living: Roll,
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
            .map(|folder| Self { engine, folder: folder.clone(), living: Roll::default() })
            .map_err(|source| RuntimeError::Folder { path: folder, source })
    }

    /// Whether the Engine at `host` lets containers run on while it is started anew (`live-restore`).
    ///
    /// # Errors
    /// [`RuntimeError::Engine`] when it does not answer.
    pub async fn outlive_their_engine(host: &str) -> Result<bool, RuntimeError> {
        let failed = |source| RuntimeError::Engine { action: "be reached", source };
        let engine = bollard::Docker::connect_with_unix(host, ANSWER_WITHIN, bollard::API_DEFAULT_VERSION);
        let about = engine.map_err(failed)?.info().await.map_err(failed)?;
        Ok(about.live_restore_enabled == Some(true))
    }

    /// Creates and starts the container; on an error it is removed again.
    ///
    /// INVARIANT: a tag is looked up once, and what runs is what it meant at that moment: the image is used by its id.
    async fn begin(
        &self,
        template: &Template,
        docker: &super::Docker,
        account: &Account,
        folder: &SessionFolder,
    ) -> Result<Container, RuntimeError> {
        let image = self.image(docker).await?;
        let name = folder.name();
        let body = body::body(template, docker, &image, &name, &self.folder, account, folder);
        let options = CreateContainerOptionsBuilder::new().name(&format!("portcullis-{name}")).build();
        let created = self
            .engine
            .create_container(Some(options), body)
            .await
            .map_err(|source| RuntimeError::Engine { action: "create a container", source })?;
        let container = Container { engine: self.engine.clone(), id: created.id, image };
        if let Err(source) = self.engine.start_container(&container.id, None::<StartContainerOptions>).await {
            container.remove().await;
            return Err(RuntimeError::Engine { action: "start a container", source });
        }
        tracing::info!(desktop = name, image = container.image, "a container was started");
        Ok(container)
    }

    /// Removes volumes for files whose container is gone, as an Engine leaves them that is killed between the two; returns how many.
    async fn reap_volumes(
        &self,
        filters: &HashMap<String, Vec<String>>,
        nobodys: &impl Fn(Option<HashMap<String, String>>) -> bool,
    ) -> Result<usize, RuntimeError> {
        let options = ListVolumesOptionsBuilder::new().filters(filters).build();
        let found = self.engine.list_volumes(Some(options)).await;
        let found = found.map_err(|source| RuntimeError::Engine { action: "list volumes", source })?;
        let mut reaped = 0;
        for volume in found.volumes.unwrap_or_default() {
            if !nobodys(Some(volume.labels)) {
                continue;
            }
            match self.engine.remove_volume(&volume.name, None::<RemoveVolumeOptions>).await {
                Ok(()) => reaped += 1,
                // Gone, or counted as in use: until its next restart an Engine does not forget the mounts from before a live restore.
                Err(Error::DockerResponseServerError { status_code: 404 | 409, .. }) => {}
                Err(error) => tracing::warn!(volume = volume.name, %error, "a desktop's volume could not be removed"),
            }
        }
        Ok(reaped)
    }

    /// The id of the image that a template's `image` means now.
    async fn image(&self, docker: &super::Docker) -> Result<String, RuntimeError> {
        let missing = || RuntimeError::NoImage { image: docker.image.clone() };
        match self.engine.inspect_image(&docker.image).await {
            Ok(found) => found.id.ok_or_else(missing),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Err(missing()),
            Err(source) => Err(RuntimeError::Engine { action: "look for an image", source }),
        }
    }
}

#[async_trait]
impl Runtime for Containers {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn start(&self, template: &Template, name: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        let TemplateKind::Docker(docker) = &template.kind else {
            return Err(RuntimeError::WrongKind { template: template.name.clone(), runtime: self.name() });
        };
        let account = Account::for_container();
        let living = self.living.enter(name);
        let folder = SessionFolder::create(&self.folder, name, self.name(), &account)?;
        let begun = async {
            let way_out = template.egress.way_out(&folder, &account)?;
            Ok::<_, RuntimeError>((way_out, self.begin(template, docker, &account, &folder).await?))
        };
        match begun.await {
            Ok((way_out, container)) => {
                let room = u64::from(docker.transfer_mib).saturating_mul(1024 * 1024);
                let archive = Archive::of(&self.engine, &container.id, &account, room);
                let vessel: Box<dyn Vessel> = Box::new(container.clone());
                let parts = Parts { folder, account, living, way_out, vessel: Some(vessel) };
                let reach = || -> Option<Arc<dyn Transfer>> { Some(archive) };
                Running::when_ready(parts, |end| container.watch(end), reach).await
            }
            Err(why) => {
                folder.remove();
                Err(why)
            }
        }
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        let ours = vec![DESKTOP.to_owned(), format!("{GATE}={}", self.folder.display())];
        let filters = HashMap::from([("label".to_owned(), ours)]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let left = self
            .engine
            .list_containers(Some(options))
            .await
            .map_err(|source| RuntimeError::Engine { action: "list containers", source })?;
        let nobodys = |labels: Option<HashMap<String, String>>| {
            labels.and_then(|labels| labels.get(DESKTOP).cloned()).is_none_or(|name| !self.living.has(&name))
        };
        let mut reaped = 0;
        for container in left {
            let Some(id) = container.id.filter(|_| nobodys(container.labels)) else { continue };
            Container { engine: self.engine.clone(), id, image: String::new() }.remove().await;
            reaped += 1;
        }
        reaped += self.reap_volumes(&filters, &nobodys).await?;
        for folder in SessionFolder::left_behind(&self.folder, self.name())? {
            if !self.living.has(&folder.name()) {
                folder.remove();
            }
        }
        Ok(reaped)
    }

    async fn origin(&self, template: &Template) -> Result<String, RuntimeError> {
        match &template.kind {
            TemplateKind::Docker(docker) => self.image(docker).await,
            _ => Err(RuntimeError::WrongKind { template: template.name.clone(), runtime: self.name() }),
        }
    }
}
