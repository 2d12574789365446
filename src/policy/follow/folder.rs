//! A folder of policy files, looked at again and again while the gate runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use portcullis_proxy::Enforced;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::equipment::Equipment;
use super::judge::{Fault, policies, told};
use super::{Following, State};
use crate::policy::files::{self, Found};

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(700);

pub(super) async fn follow(folder: &Path, equipment: Equipment) -> anyhow::Result<Following> {
    let files = read(folder)?;
    let policies = judged(files.clone(), equipment).await.map_err(told)?;
    tracing::info!(revision = %policies.revision(), files = files.policies.len(), "policies loaded");
    let state = State::new(&folder.display().to_string(), policies.revision());
    let (sender, receiver) = watch::channel(Arc::new(policies));
    let follower = Follower { folder: folder.to_owned(), equipment, sender, state: state.clone() };
    let looking = tokio::spawn(follower.keep_looking(files));
    Ok(Following { policies: receiver, state, wake: None, looking })
}

struct Follower {
    folder: PathBuf,
    /// What policies may ask for.
    equipment: Equipment,
    sender: watch::Sender<Arc<Enforced>>,
    state: State,
}

impl Follower {
    async fn keep_looking(self, mut last: Found) {
        let Self { folder, equipment, sender, state } = self;
        // What is being written is not applied: a change counts when two looks in a row see the same.
        let mut settling: Option<Found> = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let place = folder.clone();
            let files = match spawn_blocking(move || read(&place)).await {
                Ok(Ok(files)) if files == last => {
                    settling = None;
                    state.looked();
                    continue;
                }
                Ok(Ok(files)) if settling.as_ref() == Some(&files) => files,
                Ok(Ok(files)) => {
                    settling = Some(files);
                    continue;
                }
                Ok(Err(error)) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "the policy folder cannot be read; the last good revision stays");
                    state.failed(error);
                    continue;
                }
                Err(_) => return,
            };
            state.looked();
            match judged(files.clone(), equipment).await {
                Ok(policies) => {
                    tracing::info!(revision = %policies.revision(), "policies changed");
                    state.live(policies.revision(), None);
                    sender.send_replace(Arc::new(policies));
                }
                Err(faults) => {
                    Fault::log(&faults, "changed", "the changed policies do not check; the last good revision stays");
                    state.refused("", faults);
                }
            }
            last = files;
        }
    }
}

/// Compiles what policies look for where nobody else waits for it.
async fn judged(files: Found, equipment: Equipment) -> Result<Enforced, Vec<Fault>> {
    spawn_blocking(move || policies(&files, equipment)).await.unwrap_or_else(|_| Err(vec![Fault::interrupted()]))
}

/// The policies of a folder and their lists of words; a gate runs no cases of a folder.
fn read(folder: &Path) -> anyhow::Result<Found> {
    Ok(Found { cases: Vec::new(), ..files::read(folder)? })
}
