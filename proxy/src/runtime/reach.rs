//! How far a desktop reaches: nowhere, or by a socket that the gate serves.

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, chown};

use portcullis_policy::Egress;
use rustix::fs::{Mode, OFlags};
use serde::Deserialize;
use tokio::net::UnixListener;

use super::RuntimeError;
use super::account::Account;
use super::folder::SessionFolder;

/// The socket's file name in a desktop's `egress` folder.
const SOCKET: &str = "egress.sock";
/// What tells programs of a desktop about its way out; a relay in it listens there.
pub(super) const ENVIRONMENT: [(&str, &str); 6] = [
    ("http_proxy", "http://127.0.0.1:3128"),
    ("https_proxy", "http://127.0.0.1:3128"),
    ("HTTP_PROXY", "http://127.0.0.1:3128"),
    ("HTTPS_PROXY", "http://127.0.0.1:3128"),
    ("no_proxy", "localhost,127.0.0.1"),
    ("NO_PROXY", "localhost,127.0.0.1"),
];

/// How far a desktop reaches; the less is the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Nowhere.
    #[default]
    Deny,
    /// The egress proxy alone.
    Proxy,
    /// Public addresses, by the gate itself.
    Allow,
}

impl Reach {
    /// Its word in configuration, policies and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Proxy => "proxy",
            Self::Allow => "allow",
        }
    }

    /// Whether there is a way out at all.
    #[must_use]
    pub fn is_open(self) -> bool {
        self != Self::Deny
    }

    /// What a policy's word means.
    #[must_use]
    pub fn of(policy: Egress) -> Self {
        match policy {
            Egress::Deny => Self::Deny,
            Egress::Proxy => Self::Proxy,
            Egress::Allow => Self::Allow,
        }
    }

    /// The socket that a desktop finds in `/run/egress`, where it has a way out: its owner may connect, and nobody may replace it.
    pub(super) fn way_out(
        self,
        folder: &SessionFolder,
        account: &Account,
    ) -> Result<Option<UnixListener>, RuntimeError> {
        if !self.is_open() {
            return Ok(None);
        }
        let place = folder.make("egress")?;
        let bound = || {
            // By descriptor: a socket's address holds 107 bytes, and the data folder may be deeper than that.
            let held = rustix::fs::open(&place, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            let path = format!("/proc/self/fd/{}/{SOCKET}", held.as_raw_fd());
            let listener = UnixListener::bind(&path)?;
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            if account.other {
                chown(&path, Some(account.uid), Some(account.gid))?;
            }
            Ok::<_, io::Error>(listener)
        };
        bound().map(Some).map_err(|source| folder.failure(source))
    }
}
