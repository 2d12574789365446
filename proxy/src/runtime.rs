//! Where desktops come from: one trait, and an implementation for each kind of machine.

mod account;
pub mod docker;
mod folder;
mod home;
pub(crate) mod pool;
pub mod process;
mod reach;
mod revive;
mod roll;
pub(crate) mod room;
mod running;
#[cfg(test)]
mod sham;
mod socket;
pub mod standing;
mod template;
mod transfer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis_rfb::desktop::Config;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

use crate::SessionId;

pub use home::KeptHome;
pub use pool::{Admission, Pool, State};
pub use reach::Reach;
pub use room::{Capacity, Cost, Full};
pub use standing::{Address, Protection, Static, StaticError, Trust};
pub use template::{Docker, OnExit, Process, Template, TemplateError, TemplateKind, Warm};
pub use transfer::{FOLDER, Listed, Transfer, TransferError};

/// How long a desktop may take from its start until its socket accepts.
pub const READY_WITHIN: Duration = Duration::from_secs(20);

/// A kind of place that desktops run in.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// The word for it in configuration, events and messages: `process`, `docker`, `static`.
    fn name(&self) -> &'static str;

    /// Starts one desktop under a name of its own and returns when its socket accepts; on an error nothing is left running.
    /// Whose it is may be known only later: nothing that is set here names a session.
    async fn start(&self, template: &Template, name: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError>;

    /// Ends every desktop of this gate that no living value stands for: what an earlier gate left behind, and what could not be ended
    /// when its time came. Returns how many there were.
    async fn reap(&self) -> Result<usize, RuntimeError>;

    /// What a desktop of this template would be made from at this moment: an image's id, or nothing where there is none.
    ///
    /// # Errors
    /// Why none could be started.
    async fn origin(&self, template: &Template) -> Result<String, RuntimeError>;
}

/// The bytes of a connection to a desktop: a unix socket, TCP, or TLS over either.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection to a desktop.
pub type Stream = Box<dyn Wire>;

/// One running desktop: a VNC server, and whatever lives beside it.
#[async_trait]
pub trait Desktop: Send + Sync {
    /// How it is to be spoken to; without security unless a runtime says otherwise.
    fn rfb(&self) -> Config {
        Config::default()
    }

    /// Connects. What lies at a socket's place is checked: a socket, no symbolic link, owned by the desktop's user.
    async fn connect(&self) -> Result<Stream, RuntimeError>;

    /// Takes a connection to TLS where the RFB handshake has come to it; returns when the desktop's certificate is verified.
    async fn secure(&self, stream: Stream) -> Result<Stream, RuntimeError> {
        drop(stream);
        Err(RuntimeError::NoTls)
    }

    /// Which desktop it is, for the record.
    fn identity(&self) -> Identity {
        Identity::default()
    }

    /// Stops it in time, if it can be: it uses no processor until [`Desktop::resume`].
    async fn pause(&self) -> Result<(), RuntimeError> {
        Ok(())
    }

    /// Lets it go on.
    async fn resume(&self) -> Result<(), RuntimeError> {
        Ok(())
    }

    /// The next connection that it makes to the outside; never where it has no way out.
    async fn outward(&self) -> UnixStream {
        std::future::pending().await
    }

    /// The folder that files go into and come out of; none where there is none.
    fn transfer(&self) -> Option<Arc<dyn Transfer>> {
        None
    }

    /// Waits until the desktop is no more and says why, in words for a person; at once if it has ended already.
    async fn ended(&self) -> String;

    /// Ends it and everything it started, and removes its folder; one that the gate did not start is let go. Idempotent.
    async fn destroy(&self);
}

/// Which desktop a session has, as the record tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The name that it was started under, which its container has too; empty where the gate did not start it.
    pub name: String,
    /// The id of the image that it was made from (`sha256:…`); empty where there is none.
    pub image: String,
    /// Whether it was running before there was a session for it.
    pub warm: bool,
}

/// Why a desktop could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The template is for another runtime.
    #[error("the desktop `{template}` is not one that the `{runtime}` runtime can start")]
    WrongKind {
        /// The template's name.
        template: String,
        /// The runtime that was asked.
        runtime: &'static str,
    },
    /// This gate has no such runtime.
    #[error("this gate has no {runtime} runtime")]
    NoRuntime {
        /// The runtime that was needed.
        runtime: &'static str,
    },
    /// A program that the runtime needs is not installed.
    #[error("`{program}` is not on this machine: install it, or see `portcullis doctor`")]
    MissingProgram {
        /// The program's file name.
        program: String,
    },
    /// The user that the desktop should run as does not exist.
    #[error("there is no user `{user}` on this machine")]
    NoUser {
        /// The name asked for.
        user: String,
    },
    /// The user that the desktop should run as is root.
    #[error("a desktop must not run as root, and `{user}` is root")]
    RootUser {
        /// The name asked for.
        user: String,
    },
    /// A folder or file of the session could not be made or read.
    #[error("{path} cannot be prepared")]
    Folder {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("`{program}` did not start")]
    Spawn {
        /// The program's file name.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The desktop ended before its socket accepted.
    #[error("the desktop ended while it was starting: {reason}")]
    Died {
        /// What is known about it.
        reason: String,
    },
    /// The socket did not accept in time.
    #[error("the desktop was not ready within {} s", waited.as_secs())]
    NotReady {
        /// How long it was waited for.
        waited: Duration,
    },
    /// What lies at the socket's place is not the socket that was agreed.
    #[error("{path} is not to be trusted: {reason}")]
    Untrusted {
        /// The place.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The socket refused the connection.
    #[error("{path} does not accept")]
    Connect {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A desktop that the gate did not start cannot be reached, or broke off; it may be back in a moment.
    #[error("it cannot be reached")]
    Reach {
        /// Why. The address is not said: it is nobody's but the operator's.
        #[source]
        source: std::io::Error,
    },
    /// TLS was not agreed on, or the certificate does not hold.
    #[error("its TLS is refused")]
    Tls {
        /// Why.
        #[source]
        source: tokio_rustls::rustls::Error,
    },
    /// TLS where none is configured.
    #[error("no TLS is configured for it")]
    NoTls,
    /// A desktop that may be spoken to in clear only on this machine is somewhere else.
    #[error("it is not on this machine, and `private_network` does not say that its network is private")]
    NotHere,
    /// A file of certificates or a password is not what it should be.
    #[error("`{key}` {path}: {reason}")]
    Secret {
        /// The key in the template.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it; never what is in it.
        reason: String,
    },
    /// The engine has no such image.
    #[error("there is no image `{image}` in the Docker Engine")]
    NoImage {
        /// The image asked for.
        image: String,
    },
    /// The Docker Engine refused or failed a request.
    #[error("the Docker Engine could not {action}")]
    Engine {
        /// What was asked of it, as a verb phrase.
        action: &'static str,
        /// Its answer.
        #[source]
        source: bollard::errors::Error,
    },
}

impl RuntimeError {
    /// Whether the next attempt may succeed although nothing else is done.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Reach { .. } | Self::NotReady { .. })
    }
}
