//! A folder of policy files, looked at again and again while the gate runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::{PolicyFile, PolicySet};
use tokio::sync::watch;

use super::equipment::Equipment;
use super::judge::{Fault, policies, told};
use super::{Following, State};
use crate::policy::files;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(700);

pub(super) fn follow(folder: &Path, equipment: Equipment) -> anyhow::Result<Following> {
    let files = read(folder)?;
    let policies = policies(&files, equipment).map_err(told)?;
    tracing::info!(revision = %policies.revision(), files = files.len(), "policies loaded");
    let state = State::new(&folder.display().to_string(), policies.revision());
    let (sender, receiver) = watch::channel(Arc::new(policies));
    let looking = tokio::spawn(keep_looking((folder.to_owned(), equipment), files, sender, state.clone()));
    Ok(Following { policies: receiver, state, wake: None, looking })
}

async fn keep_looking(
    (folder, equipment): (PathBuf, Equipment),
    mut last: Vec<PolicyFile>,
    sender: watch::Sender<Arc<PolicySet>>,
    state: State,
) {
    // What is being written is not applied: a change counts when two looks in a row see the same.
    let mut settling: Option<Vec<PolicyFile>> = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let place = folder.clone();
        let read = tokio::task::spawn_blocking(move || read(&place)).await;
        let files = match read {
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
        match policies(&files, equipment) {
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

fn read(folder: &Path) -> anyhow::Result<Vec<PolicyFile>> {
    Ok(files::read(folder)?.policies)
}
