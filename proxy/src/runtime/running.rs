//! A running desktop of any runtime: a task that owns what runs, and a socket in the desktop's folder.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::account::Account;
use super::folder::SessionFolder;
use super::roll::Entry;
use super::{Desktop, Identity, RuntimeError, Stream, Transfer, socket};

/// The reason of an end that was asked for.
pub(super) const DESTROYED: &str = "the desktop was destroyed";

/// What can be stopped in time, and is made from an image.
#[async_trait]
pub(super) trait Vessel: Send + Sync {
    /// The image's id.
    fn image(&self) -> &str;
    async fn pause(&self) -> Result<(), RuntimeError>;
    async fn resume(&self) -> Result<(), RuntimeError>;
}

/// What a desktop has beside what runs.
pub(super) struct Parts {
    pub(super) folder: SessionFolder,
    pub(super) account: Account,
    pub(super) living: Entry,
    pub(super) way_out: Option<UnixListener>,
    pub(super) vessel: Option<Box<dyn Vessel>>,
}

/// A desktop as its watching task leaves it to callers. Dropping it ends the desktop.
pub(super) struct Running {
    name: String,
    socket: PathBuf,
    owner: u32,
    way_out: Option<UnixListener>,
    vessel: Option<Box<dyn Vessel>>,
    end: CancellationToken,
    over: watch::Receiver<Option<String>>,
    transfer: Option<Arc<dyn Transfer>>,
    _end_on_drop: DropGuard,
}

impl Running {
    /// Starts the task that owns the desktop: `watch` must return when the desktop is no more, why, and make that so when the token is
    /// cancelled. The folder is removed after it. Returns when the socket accepts; on an error nothing is left. What files go through is asked
    /// for then, when everything in the desktop is mounted.
    pub(super) async fn when_ready<W, F>(
        parts: Parts,
        watch: W,
        transfer: impl FnOnce() -> Option<Arc<dyn Transfer>>,
    ) -> Result<Box<dyn Desktop>, RuntimeError>
    where
        W: FnOnce(CancellationToken) -> F,
        F: Future<Output = String> + Send + 'static,
    {
        let Parts { folder, account, living, way_out, vessel } = parts;
        let folder = Arc::new(folder);
        let end = CancellationToken::new();
        let (tell, over) = watch::channel(None);
        let (ended, its_folder) = (watch(end.clone()), Arc::clone(&folder));
        let name = living.name().to_owned();
        tokio::spawn(async move {
            let reason = ended.await;
            its_folder.remove();
            drop(living);
            tell.send_replace(Some(reason));
        });

        let guard = end.clone().drop_guard();
        let (socket, owner) = (folder.socket(), account.uid);
        let mut desktop = Self { name, socket, owner, way_out, vessel, end, over, transfer: None, _end_on_drop: guard };
        let ready = tokio::select! {
            ready = socket::wait_until_ready(&desktop.socket, desktop.owner) => ready,
            reason = desktop.ended() => Err(RuntimeError::Died { reason }),
        };
        if let Err(why) = ready {
            desktop.destroy().await;
            return Err(why);
        }
        folder.close_rfb();
        desktop.transfer = transfer();
        Ok(Box::new(desktop))
    }
}

#[async_trait]
impl Desktop for Running {
    fn identity(&self) -> Identity {
        let image = self.vessel.as_ref().map(|vessel| vessel.image().to_owned()).unwrap_or_default();
        Identity { name: self.name.clone(), image, warm: false }
    }

    async fn connect(&self) -> Result<Stream, RuntimeError> {
        Ok(Box::new(socket::connect(&self.socket, self.owner).await?))
    }

    async fn pause(&self) -> Result<(), RuntimeError> {
        match &self.vessel {
            Some(vessel) => vessel.pause().await,
            None => Ok(()),
        }
    }

    async fn resume(&self) -> Result<(), RuntimeError> {
        match &self.vessel {
            Some(vessel) => vessel.resume().await,
            None => Ok(()),
        }
    }

    async fn outward(&self) -> UnixStream {
        let Some(way_out) = &self.way_out else { return std::future::pending().await };
        loop {
            match way_out.accept().await {
                Ok((stream, _)) => return stream,
                // Out of descriptors, or a peer that has left already.
                Err(error) => {
                    tracing::warn!(%error, desktop = self.name, "a connection to the outside could not be taken");
                    tokio::time::sleep(socket::LOOK_EVERY).await;
                }
            }
        }
    }

    fn transfer(&self) -> Option<Arc<dyn Transfer>> {
        self.transfer.clone()
    }

    async fn ended(&self) -> String {
        let mut over = self.over.clone();
        match over.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "the gate is stopping".to_owned(),
        }
    }

    async fn destroy(&self) {
        self.end.cancel();
        self.ended().await;
    }
}
