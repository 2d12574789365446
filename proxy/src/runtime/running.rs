//! A running desktop of any runtime: a task that owns what runs, and a socket in the session's folder.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::account::Account;
use super::folder::SessionFolder;
use super::{Desktop, RuntimeError, Stream, Transfer, socket};

/// The reason of an end that was asked for.
pub(super) const DESTROYED: &str = "the desktop was destroyed";

/// A desktop as its watching task leaves it to callers. Dropping it ends the desktop.
pub(super) struct Running {
    socket: PathBuf,
    owner: u32,
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
        folder: SessionFolder,
        account: &Account,
        watch: W,
        transfer: impl FnOnce() -> Option<Arc<dyn Transfer>>,
    ) -> Result<Box<dyn Desktop>, RuntimeError>
    where
        W: FnOnce(CancellationToken) -> F,
        F: Future<Output = String> + Send + 'static,
    {
        let folder = Arc::new(folder);
        let end = CancellationToken::new();
        let (tell, over) = watch::channel(None);
        let (ended, its_folder) = (watch(end.clone()), Arc::clone(&folder));
        tokio::spawn(async move {
            let reason = ended.await;
            its_folder.remove();
            tell.send_replace(Some(reason));
        });

        let guard = end.clone().drop_guard();
        let (socket, owner) = (folder.socket(), account.uid);
        let mut desktop = Self { socket, owner, end, over, transfer: None, _end_on_drop: guard };
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
    async fn connect(&self) -> Result<Stream, RuntimeError> {
        Ok(Box::new(socket::connect(&self.socket, self.owner).await?))
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
