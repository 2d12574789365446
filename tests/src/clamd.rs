//! A real clamd with signatures of our own: the EICAR test file by its hash, and a marker wherever it stands, in archives too.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use tempfile::TempDir;

/// What every scanner is to know: the EICAR test file.
pub const EICAR: &str = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
/// What this one knows beside it.
pub const MARKER: &str = "portcullis-harmless-marker-7f3a";

/// A clamd; ended when it is dropped.
#[derive(Debug)]
pub struct Clamd {
    folder: TempDir,
    child: Child,
}

impl Clamd {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When it is not installed (Debian's clamav-daemon) or does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("portcullis-clamd-").tempdir()?;
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("signatures"))?;
        std::fs::write(at("signatures/own.hdb"), "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test\n")?;
        let marker: String = MARKER.bytes().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(at("signatures/own.ndb"), format!("Marker:0:*:{marker}\n"))?;
        let configuration = format!(
            "DatabaseDirectory {0}/signatures\nLocalSocket {0}/socket\nTemporaryDirectory {0}\nForeground yes\nStreamMaxLength 16M\nMaxThreads 4\n",
            folder.path().display()
        );
        std::fs::write(at("clamd.conf"), configuration)?;
        let mut command = Command::new("/usr/sbin/clamd");
        command
            .arg("--config-file")
            .arg(at("clamd.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().context("clamd is not installed: scripts/setup.sh test")?;
        let clamd = Self { folder, child };
        let socket = clamd.socket();
        crate::until("clamd listens", async || Ok(std::os::unix::net::UnixStream::connect(&socket).ok())).await?;
        Ok(clamd)
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Its place as the gate's configuration writes it.
    #[must_use]
    pub fn place(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// Ends it, as if it had crashed.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
