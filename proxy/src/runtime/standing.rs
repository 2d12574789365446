//! Desktops that stand already: VNC servers that the gate neither starts nor ends, only connects to.

mod address;
mod secret;
mod template;
mod tls;

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use portcullis_rfb::desktop::{Config, Encodings, Jpeg, Keys, Login, Security, VncPassword};
use rustix::net::sockopt;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::tls::Tls;
use super::{Desktop, Runtime, RuntimeError, Stream, Template, TemplateKind};
use crate::SessionId;

pub use address::Address;
pub use template::{Protection, Static, StaticError, Trust};

/// How long one connection, and TLS on it, may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A connection that rests for this long is asked whether the other end is still there, so often and so many times.
const REST: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_secs(5);
const ASK_TIMES: u32 = 3;

/// The quality of photographs where a template permits JPEG: hard to tell from the original.
const JPEG_QUALITY: u8 = 8;

/// The `static` runtime.
#[derive(Debug)]
pub struct Standing;

impl Standing {
    /// Reads the files that a template names, so that a gate says when it starts what would keep its desktops shut.
    ///
    /// # Errors
    /// When a password or certificates cannot be read or used.
    pub fn check(template: &Template) -> Result<(), RuntimeError> {
        Desk::of(template).map(drop)
    }
}

#[async_trait]
impl Runtime for Standing {
    fn name(&self) -> &'static str {
        "static"
    }

    async fn start(&self, template: &Template, _: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        Ok(Box::new(Desk::of(template)?))
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        Ok(0)
    }

    async fn origin(&self, template: &Template) -> Result<String, RuntimeError> {
        Self::check(template).map(|()| String::new())
    }
}

/// One session's use of such a desktop. Secrets are read anew for each, so that they may be changed while the gate runs.
struct Desk {
    address: Address,
    /// Pictures and keys go in clear: nowhere but to this machine.
    must_be_here: bool,
    config: Config,
    tls: Option<Tls>,
    let_go: CancellationToken,
}

impl Desk {
    fn of(template: &Template) -> Result<Self, RuntimeError> {
        let TemplateKind::Static(fixed) = &template.kind else {
            return Err(RuntimeError::WrongKind { template: template.name.clone(), runtime: "static" });
        };
        let (security, trust) = match &fixed.protection {
            Protection::None => (Security::None, None),
            Protection::VncAuth { password } => (Security::VncAuth(secret::read(password, VncPassword::new)?), None),
            Protection::X509None { trust } => (Security::X509None, Some(trust)),
            Protection::X509Vnc { trust, password } => {
                (Security::X509Vnc(secret::read(password, VncPassword::new)?), Some(trust))
            }
            Protection::X509Plain { trust, user, password } => {
                (Security::X509Plain(secret::read(password, |password| Login::new(user, password))?), Some(trust))
            }
        };
        Ok(Self {
            address: fixed.address.clone(),
            must_be_here: trust.is_none() && !fixed.private_network,
            config: Config { security, encodings: encodings(fixed), keys: keys(fixed), ..Config::default() },
            tls: trust.map(Tls::new).transpose()?,
            let_go: CancellationToken::new(),
        })
    }

    async fn dial(&self) -> Result<Stream, RuntimeError> {
        let broken = |source| RuntimeError::Reach { source };
        match &self.address {
            Address::Unix(path) => Ok(Box::new(UnixStream::connect(path).await.map_err(broken)?)),
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(broken)?;
                // INVARIANT: where a name leads is looked at, not the name: what goes in clear stays on this machine.
                let here = stream.peer_addr().map_err(broken)?.ip().to_canonical().is_loopback();
                if self.must_be_here && !here {
                    return Err(RuntimeError::NotHere);
                }
                settle(&stream).map_err(broken)?;
                Ok(Box::new(stream))
            }
        }
    }
}

/// What is asked of a desktop: a socket needs no compression, and a port of this machine is often the near end of a tunnel.
fn encodings(fixed: &Static) -> Encodings {
    match &fixed.address {
        Address::Unix(_) if !fixed.jpeg => Encodings::local(),
        _ => Encodings::remote(if fixed.jpeg { Jpeg::Quality(JPEG_QUALITY) } else { Jpeg::Refused }),
    }
}

fn keys(fixed: &Static) -> Keys {
    if fixed.scancodes { Keys::Scancodes } else { Keys::Keysyms }
}

/// No delay for keys, and an end for a connection whose other side has vanished without a word.
fn settle(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, REST)?;
    sockopt::set_tcp_keepintvl(stream, ASK_EVERY)?;
    sockopt::set_tcp_keepcnt(stream, ASK_TIMES)?;
    Ok(())
}

/// An attempt that takes too long is one that failed.
async fn in_time<T>(attempt: impl Future<Output = Result<T, RuntimeError>>) -> Result<T, RuntimeError> {
    timeout(CONNECT_WITHIN, attempt).await.unwrap_or_else(|late| Err(RuntimeError::Reach { source: late.into() }))
}

#[async_trait]
impl Desktop for Desk {
    fn rfb(&self) -> Config {
        self.config.clone()
    }

    async fn connect(&self) -> Result<Stream, RuntimeError> {
        in_time(self.dial()).await
    }

    async fn secure(&self, stream: Stream) -> Result<Stream, RuntimeError> {
        let tls = self.tls.as_ref().ok_or(RuntimeError::NoTls)?;
        in_time(tls.over(stream)).await
    }

    /// It outlives its sessions: nothing but being let go ends it.
    async fn ended(&self) -> String {
        self.let_go.cancelled().await;
        "the gate let go of it".to_owned()
    }

    async fn destroy(&self) {
        self.let_go.cancel();
    }
}
