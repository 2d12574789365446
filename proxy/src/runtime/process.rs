//! Desktops as processes of this machine: Xvnc, a window manager and the template's programs in a jail of namespaces.

mod account;
mod folder;
mod jail;
mod ledger;
mod life;
mod spawner;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::net::UnixStream;

use self::account::Account;
use self::folder::SessionFolder;
use self::ledger::Ledger;
use self::life::Life;
use self::spawner::Spawner;
use super::template::Process;
use super::{Desktop, Runtime, RuntimeError, Template, TemplateKind, socket};
use crate::SessionId;

/// The `process` runtime: each desktop is one `bwrap` (bubblewrap) with a process namespace of its own, so that what is killed is all of it.
pub struct Processes {
    folder: PathBuf,
    spawner: Spawner,
}

impl Processes {
    /// A runtime that keeps its sockets and notes in `folder` (made at need, for the gate's user alone).
    ///
    /// The desktops live no longer than this value: when it is dropped, or the gate is killed, the kernel ends them.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, spawner: Spawner::new() }
    }

    async fn launch(
        &self,
        size: portcullis_rfb::Size,
        process: &Process,
        session: &SessionId,
    ) -> Result<ProcessDesktop, RuntimeError> {
        let account = Account::for_desktop(process.user.as_deref())?;
        let programs = jail::programs_needed(process)?;
        let folder = SessionFolder::create(&self.folder, &session.to_string(), &account, process)?;
        let socket = folder.socket();

        let command = jail::command(&programs, &folder, &account, size, process.network, session);
        let life = Life::begin(&self.spawner, command, folder).await?;
        let desktop = ProcessDesktop { socket, owner: account.uid, life };
        tokio::select! {
            ready = socket::wait_until_ready(&desktop.socket, account.uid) => match ready {
                Ok(()) => desktop.life.settle(),
                Err(why) => {
                    desktop.life.end().await;
                    return Err(why);
                }
            },
            reason = desktop.life.ended() => return Err(RuntimeError::Died { reason }),
        }
        Ok(desktop)
    }
}

#[async_trait]
impl Runtime for Processes {
    fn name(&self) -> &'static str {
        "process"
    }

    async fn start(&self, template: &Template, session: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        let TemplateKind::Process(process) = &template.kind else {
            return Err(RuntimeError::WrongKind { template: template.name.clone(), runtime: self.name() });
        };
        Ok(Box::new(self.launch(template.size, process, session).await?))
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        let mut reaped = 0;
        for left in SessionFolder::left_behind(&self.folder)? {
            if let Some(ledger) = Ledger::read(&left.path().join(folder::LEDGER)) {
                ledger.kill(left.path()).await;
            }
            left.remove();
            reaped += 1;
        }
        Ok(reaped)
    }
}

/// One desktop of the `process` runtime.
struct ProcessDesktop {
    socket: PathBuf,
    owner: u32,
    life: Life,
}

#[async_trait]
impl Desktop for ProcessDesktop {
    fn socket(&self) -> &Path {
        &self.socket
    }

    async fn connect(&self) -> Result<UnixStream, RuntimeError> {
        socket::connect(&self.socket, self.owner).await
    }

    async fn ended(&self) -> String {
        self.life.ended().await
    }

    async fn destroy(&self) {
        self.life.end().await;
    }
}
