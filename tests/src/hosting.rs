//! Where repositories are hosted: git's own `http-backend` behind TLS and a token, and OpenSSH's server, both on loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpStream as Connection};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::serve::Listener;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use crate::repository::ssh_key;
use crate::secrets::Secrets;

/// Bytes of a request of git's.
const MOST: usize = 1 << 20;

/// Repositories below a folder by https, for who has the token; `/moved/` leads away.
#[derive(Debug)]
pub struct Https {
    /// `https://localhost:PORT`.
    pub url: String,
    host: Arc<Host>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Host {
    root: PathBuf,
    /// What must stand in `Authorization`.
    authorization: String,
    /// What stood there.
    heard: Mutex<Vec<String>>,
}

impl Https {
    /// Hosts the folder with the certificate for `localhost` of these secrets, for this user and token.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub async fn start(root: &Path, secrets: &Secrets, user: &str, token: &str) -> anyhow::Result<Self> {
        let chain = vec![CertificateDer::from_pem_file(secrets.path("desk.pem"))?];
        let key = PrivateKeyDer::from_pem_file(secrets.path("desk.key"))?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://localhost:{}", tcp.local_addr()?.port());
        let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{token}")));
        let host = Arc::new(Host { root: root.to_owned(), authorization, heard: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&host));
        let listener = Tls { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, host, serving })
    }

    /// The `Authorization` of every request so far; empty where there was none.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        self.host.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // Who does not trust the certificate breaks the handshake off: that is the peer's affair.
            let Ok((stream, address)) = self.tcp.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

async fn answer(State(host): State<Arc<Host>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let given = text(header::AUTHORIZATION);
    host.heard.lock().unwrap_or_else(PoisonError::into_inner).push(given.clone());
    if let Some(rest) = head.uri.path().strip_prefix("/moved") {
        let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Redirect::temporary(&format!("{rest}{query}")).into_response();
    }
    if given != host.authorization {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")]).into_response();
    }
    let mut command = tokio::process::Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &host.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", head.method.as_str())
        .env("CONTENT_TYPE", text(header::CONTENT_TYPE))
        .env("HTTP_CONTENT_ENCODING", text(header::CONTENT_ENCODING))
        .env("GIT_PROTOCOL", text(header::HeaderName::from_static("git-protocol")));
    match spoken(command, body).await {
        Ok(response) => response,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A CGI program's answer: headers, an empty line, the body.
async fn spoken(mut command: tokio::process::Command, body: Body) -> anyhow::Result<Response> {
    let body = to_bytes(body, MOST).await?;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    child.stdin.take().context("no input")?.write_all(&body).await?;
    let output = child.wait_with_output().await?.stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("no headers")?;
    let (head, body) = output.split_at(end);
    let mut response = Response::builder();
    for (name, value) in String::from_utf8_lossy(head).lines().filter_map(|line| line.split_once(": ")) {
        response = match (name, value.split(' ').next()) {
            ("Status", Some(code)) => response.status(code.parse::<u16>()?),
            _ => response.header(name, value),
        };
    }
    Ok(response.body(Body::from(Bytes::copy_from_slice(body.get(4..).unwrap_or_default())))?)
}

/// OpenSSH's server for one key, ended with the value.
#[derive(Debug)]
pub struct Sshd {
    folder: TempDir,
    child: Child,
    /// `ssh://user@127.0.0.1:PORT`.
    pub url: String,
}

impl Sshd {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When openssh-server is missing (scripts/setup.sh test), or does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("portcullis-sshd-").tempdir()?;
        let at = |name: &str| folder.path().join(name);
        let (host, user) = (ssh_key(&at("host"))?, ssh_key(&at("user"))?);
        ssh_key(&at("other"))?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port();
        std::fs::write(at("known_hosts"), format!("[127.0.0.1]:{port} {host}\n"))?;
        let other = std::fs::read_to_string(at("other.pub"))?;
        std::fs::write(at("other_hosts"), format!("[127.0.0.1]:{port} {other}"))?;
        std::fs::write(at("authorized_keys"), format!("restrict {user}\n"))?;
        let settings = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
            at("host").display(),
            at("authorized_keys").display()
        );
        std::fs::write(at("config"), settings)?;
        // Where there is no init system nobody has made it yet; a plain user's sshd does not need it.
        let _ = std::fs::create_dir("/run/sshd");
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(at("config"))
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(at("log"))?)
            .spawn()
            .context("openssh-server is not installed: scripts/setup.sh test")?;
        let name = String::from_utf8(Command::new("id").arg("-un").output()?.stdout)?;
        let mut sshd = Self { folder, child, url: format!("ssh://{}@127.0.0.1:{port}", name.trim()) };
        crate::until("sshd listens", async || {
            let ended = sshd.child.try_wait()?.is_some();
            ensure!(!ended, "sshd ended: {}", std::fs::read_to_string(sshd.path("log")).unwrap_or_default());
            Ok(Connection::connect((Ipv4Addr::LOCALHOST, port)).ok())
        })
        .await?;
        Ok(sshd)
    }

    /// A file of it: `user` and `known_hosts` for who is let in; `other` and `other_hosts`, a key and a host key that are not its.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
