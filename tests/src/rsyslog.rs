//! A syslog daemon as companies run it: rsyslog with a configuration and a folder of its own, over TCP or TLS.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use tempfile::TempDir;

use crate::secrets::Secrets;
use crate::standing::Place;

/// rsyslog at one address.
#[derive(Debug)]
pub struct Rsyslog {
    folder: TempDir,
    place: Place,
    daemon: Option<Child>,
}

impl Rsyslog {
    /// One that listens in clear, or by TLS with the certificate `desk` of `secrets`, which is for `localhost`.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(tls: Option<&Secrets>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // A certificate for localhost is shown at 127.0.0.1; in clear the address is one's own.
        let place = match tls {
            None => Place::free()?,
            Some(_) => Place { ip: std::net::Ipv4Addr::LOCALHOST, ..free_on_localhost()? },
        };
        let mut config = format!("global(workDirectory=\"{}\" maxMessageSize=\"256k\"", folder.path().display());
        let module = match tls {
            None => "module(load=\"imtcp\")".to_owned(),
            Some(secrets) => {
                config += &format!(
                    " defaultNetstreamDriver=\"gtls\" defaultNetstreamDriverCAFile=\"{}\" defaultNetstreamDriverCertFile=\"{}\" defaultNetstreamDriverKeyFile=\"{}\"",
                    secrets.text("ca.pem"),
                    secrets.text("desk.pem"),
                    secrets.text("desk.key")
                );
                "module(load=\"imtcp\" streamDriver.name=\"gtls\" streamDriver.mode=\"1\" streamDriver.authMode=\"anon\")".to_owned()
            }
        };
        let file = folder.path().join("received");
        config += &format!(
            ")\n{module}\ninput(type=\"imtcp\" address=\"{}\" port=\"{}\" ruleset=\"keep\")\n\
             template(name=\"raw\" type=\"string\" string=\"%rawmsg%\\n\")\n\
             ruleset(name=\"keep\") {{ action(type=\"omfile\" file=\"{}\" template=\"raw\" asyncWriting=\"off\" flushOnTXEnd=\"on\") }}\n",
            place.ip,
            place.port,
            file.display()
        );
        std::fs::write(folder.path().join("rsyslog.conf"), config)?;
        let mut daemon = Self { folder, place, daemon: None };
        daemon.come_back().await?;
        Ok(daemon)
    }

    /// Where it listens: `127.1.2.3:4567`, or `localhost:4567` with TLS.
    #[must_use]
    pub fn address(&self) -> String {
        if self.place.ip == std::net::Ipv4Addr::LOCALHOST {
            format!("localhost:{}", self.place.port)
        } else {
            self.place.to_string()
        }
    }

    /// Starts it, again if it was stopped, and waits until it listens.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn come_back(&mut self) -> anyhow::Result<()> {
        let log = std::fs::File::create(self.path("log"))?;
        let daemon = Command::new("rsyslogd")
            .args(["-n", "-f"])
            .arg(self.path("rsyslog.conf"))
            .arg("-i")
            .arg(self.path("pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("rsyslogd is not there: scripts/setup.sh test")?;
        self.daemon = Some(daemon);
        let (ip, port) = (self.place.ip, self.place.port);
        let up = crate::until("rsyslog listens", async || {
            Ok(tokio::net::TcpStream::connect((ip, port)).await.ok().map(drop))
        })
        .await;
        up.with_context(|| std::fs::read_to_string(self.path("log")).unwrap_or_default())
    }

    /// Stops it in good order.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn go_away(&mut self) -> anyhow::Result<()> {
        let Some(mut daemon) = self.daemon.take() else { return Ok(()) };
        let pid = rustix::process::Pid::from_raw(i32::try_from(daemon.id())?).context("no process id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        crate::until("rsyslog stops", async || Ok(daemon.try_wait()?)).await?;
        Ok(())
    }

    /// The messages that it received, whole, one a line.
    #[must_use]
    pub fn received(&self) -> Vec<String> {
        let text = std::fs::read(self.path("received")).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn free_on_localhost() -> anyhow::Result<Place> {
    let ip = std::net::Ipv4Addr::LOCALHOST;
    Ok(Place { ip, port: std::net::TcpListener::bind((ip, 0))?.local_addr()?.port() })
}
