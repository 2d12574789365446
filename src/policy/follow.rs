//! Policy files: read from a folder, followed while the gate runs; a revision that does not check stays out and the last good one stays.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use portcullis_policy::{PolicyFile, PolicySet};
use tokio::sync::watch;

use super::{faults, files};

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(700);

/// The policies built in, for a gate that names no folder.
const BUILT_IN: [(&str, &str); 4] = [
    ("browser.yaml", include_str!("../../policy/examples/default/browser.yaml")),
    ("terminal.yaml", include_str!("../../policy/examples/default/terminal.yaml")),
    ("users.yaml", include_str!("../../policy/examples/default/users.yaml")),
    ("vault.yaml", include_str!("../../policy/examples/default/vault.yaml")),
];

/// Loads the policies and, where they come from a folder, follows it.
///
/// # Errors
/// At the start a policy that does not check stops the gate: it must not run under rules that nobody wrote.
pub(crate) fn follow(folder: &Path) -> anyhow::Result<watch::Receiver<Arc<PolicySet>>> {
    if folder.as_os_str().is_empty() {
        let files = BUILT_IN.map(|(name, text)| PolicyFile { name: name.into(), text: text.into() });
        let policies = parse(&files).context("the built-in policy does not check")?;
        let (keep, receiver) = watch::channel(Arc::new(policies));
        // Nothing will replace it: the sender is kept open, so that followers wait rather than spin.
        std::mem::forget(keep);
        return Ok(receiver);
    }
    let files = read(folder)?;
    let policies = parse(&files)?;
    tracing::info!(revision = %policies.revision(), files = files.len(), "policies loaded");
    let (sender, receiver) = watch::channel(Arc::new(policies));
    tokio::spawn(keep_looking(folder.to_owned(), files, sender));
    Ok(receiver)
}

async fn keep_looking(folder: PathBuf, mut last: Vec<PolicyFile>, sender: watch::Sender<Arc<PolicySet>>) {
    // What is being written is not applied: a change counts when two looks in a row see the same.
    let mut settling: Option<Vec<PolicyFile>> = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let place = folder.clone();
        let read = tokio::task::spawn_blocking(move || read(&place)).await;
        let files = match read {
            Ok(Ok(files)) if files == last => {
                settling = None;
                continue;
            }
            Ok(Ok(files)) if settling.as_ref() == Some(&files) => files,
            Ok(Ok(files)) => {
                settling = Some(files);
                continue;
            }
            Ok(Err(error)) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the policy folder cannot be read; the last good revision stays"
                );
                continue;
            }
            Err(_) => return,
        };
        match parse(&files) {
            Ok(policies) => {
                tracing::info!(revision = %policies.revision(), "policies changed");
                sender.send_replace(Arc::new(policies));
            }
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the changed policies do not check; the last good revision stays"
            ),
        }
        last = files;
    }
}

fn read(folder: &Path) -> anyhow::Result<Vec<PolicyFile>> {
    Ok(files::read(folder)?.policies)
}

fn parse(files: &[PolicyFile]) -> anyhow::Result<PolicySet> {
    PolicySet::parse(files).map_err(|errors| anyhow::anyhow!(faults(&errors)))
}
