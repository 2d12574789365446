//! The policies that a gate follows: those built in, a folder, or a git repository; a revision that does not check stays out.

mod equipment;
mod folder;
mod good;
mod judge;
mod repository;
mod state;

use std::sync::Arc;

use anyhow::Context;
use portcullis_policy::PolicyFile;
use portcullis_proxy::Enforced;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::data::Data;
use crate::policy::files::Found;
use equipment::Equipment;
pub(crate) use judge::Fault;
pub(crate) use state::{Known, State};

/// The policies built in, for a gate that names neither folder nor repository.
const BUILT_IN: [(&str, &str); 4] = [
    ("browser.yaml", include_str!("../../policy/examples/default/browser.yaml")),
    ("terminal.yaml", include_str!("../../policy/examples/default/terminal.yaml")),
    ("users.yaml", include_str!("../../policy/examples/default/users.yaml")),
    ("vault.yaml", include_str!("../../policy/examples/default/vault.yaml")),
];

/// Policies that may change while the gate runs.
pub(crate) struct Following {
    /// The policies in force, and each that replaces them.
    pub(crate) policies: watch::Receiver<Arc<Enforced>>,
    /// What is known of where they come from.
    pub(crate) state: State,
    /// Asks for a look at once; nothing where there is no repository to look at.
    pub(crate) wake: Option<Arc<Notify>>,
    looking: JoinHandle<()>,
}

impl Following {
    /// Loads the policies and follows where they come from.
    ///
    /// # Errors
    /// At the start what does not check stops the gate: it must not run under rules that nobody wrote. A repository whose last good commit
    /// is known does not: that one is used.
    pub(crate) async fn begin(config: &Config, data: &Data) -> anyhow::Result<Self> {
        let equipment = Equipment::of(config)?;
        if config.policies.is_set() {
            return repository::follow(&config.policies, &data.policy()?, equipment).await;
        }
        if !config.policy.as_os_str().is_empty() {
            return folder::follow(&config.policy, equipment).await;
        }
        let files = BUILT_IN.map(|(name, text)| PolicyFile { name: name.into(), text: text.into() });
        let found = Found { policies: files.into(), ..Found::default() };
        let policies =
            judge::policies(&found, equipment).map_err(judge::told).context("the built-in policy does not check")?;
        let state = State::new("built in", policies.revision());
        let (keep, policies) = watch::channel(Arc::new(policies));
        // Nothing will replace it: the sender is kept open, so that followers wait rather than spin.
        let looking = tokio::spawn(async move { keep.closed().await });
        Ok(Self { policies, state, wake: None, looking })
    }

    /// Looks no more; what is in force stays.
    pub(crate) fn end(&self) {
        self.looking.abort();
    }
}
