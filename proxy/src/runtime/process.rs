//! Desktops as processes of this machine: Xvnc, a window manager and the template's programs in a jail of namespaces.

mod etc;
mod jail;
mod ledger;
mod spawner;
mod transfer;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use self::ledger::Ledger;
use self::spawner::Spawner;
use super::account::Account;
use super::folder::SessionFolder;
use super::roll::Roll;
use super::running::{Parts, Running};
use super::transfer::Transfer;
use super::{Desktop, Runtime, RuntimeError, Template, TemplateKind};
use crate::SessionId;

/// The file in a session's folder with the processes of its desktop, for the gate that comes after a killed one.
const LEDGER: &str = "desktop.json";

/// The `process` runtime: each desktop is one `bwrap` (bubblewrap) with a process namespace of its own, so that what is killed is all of it.
pub struct Processes {
    folder: PathBuf,
    spawner: Spawner,
    living: Roll,
}

impl Processes {
    /// A runtime that keeps its sockets and notes in `folder` (made at need, for the gate's user alone).
    ///
    /// The desktops live no longer than this value: when it is dropped, or the gate is killed, the kernel ends them.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, spawner: Spawner::new(), living: Roll::default() }
    }
}

#[async_trait]
impl Runtime for Processes {
    fn name(&self) -> &'static str {
        "process"
    }

    async fn start(&self, template: &Template, name: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        let TemplateKind::Process(process) = &template.kind else {
            return Err(RuntimeError::WrongKind { template: template.name.clone(), runtime: self.name() });
        };
        let account = Account::for_process(process.user.as_deref())?;
        let programs = jail::programs_needed(process, template.egress)?;
        let living = self.living.enter(name);
        let folder = SessionFolder::create(&self.folder, name, self.name(), &account)?;
        let way_out = match template.egress.way_out(&folder, &account) {
            Ok(way_out) => way_out,
            Err(why) => {
                folder.remove();
                return Err(why);
            }
        };
        let begun = async {
            let etc = folder.make("etc")?;
            etc::write(&etc, &account, process).map_err(|source| folder.failure(source))?;
            let command = jail::command(&programs, &folder, &etc, &account, template, process, name);
            watch::Jail::begin(&self.spawner, command, &folder).await
        };
        match begun.await {
            Ok(jail) => {
                let first = jail.first_process();
                let reach =
                    || -> Option<Arc<dyn Transfer>> { Some(Arc::new(transfer::Folder::open(first?, &account)?)) };
                let parts = Parts { folder, account, living, way_out, vessel: None };
                Running::when_ready(parts, |end| jail.watch(end), reach).await
            }
            Err(why) => {
                folder.remove();
                Err(why)
            }
        }
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        let left = SessionFolder::left_behind(&self.folder, self.name())?;
        let left: Vec<_> = left.into_iter().filter(|folder| !self.living.has(&folder.name())).collect();
        for folder in &left {
            if let Some(ledger) = Ledger::read(&folder.path().join(LEDGER)) {
                ledger.kill(folder.path()).await;
            }
            folder.remove();
        }
        Ok(left.len())
    }

    async fn origin(&self, template: &Template) -> Result<String, RuntimeError> {
        let TemplateKind::Process(process) = &template.kind else {
            return Err(RuntimeError::WrongKind { template: template.name.clone(), runtime: self.name() });
        };
        Account::for_process(process.user.as_deref())?;
        jail::programs_needed(process, template.egress).map(|_| String::new())
    }
}
