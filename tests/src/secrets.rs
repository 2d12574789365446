//! Certificates and passwords of desktops, in files: by openssl and TigerVNC's own `vncpasswd`.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;

/// The password for VncAuth, in the files `vnc` and, as desktops want it, `vnc.obscured`.
pub const VNC_PASSWORD: &str = "passwd12";
/// The one user and password for X509Plain; the password is in the file `plain`.
pub const USER: &str = "ann";
const PLAIN_PASSWORD: &str = "s3cret words";

/// Files by name: `ca.pem`, `desk.pem` and `desk.key` for `localhost`, `desk.both` with the two in one; `stranger.pem`, another authority;
/// `vnc`, `vnc.obscured`, `plain`, and `wrong`, which no desktop takes; `login`, a program that knows [`USER`].
#[derive(Debug)]
pub struct Secrets(TempDir);

impl Secrets {
    /// Makes them all.
    ///
    /// # Errors
    /// When openssl or vncpasswd is missing or fails.
    pub fn new() -> anyhow::Result<Self> {
        let secrets = Self(tempfile::tempdir()?);
        // x11vnc wants an RSA key.
        let key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
        for (authority, name) in [("ca", "desks"), ("stranger", "others")] {
            let (own, pem, subject) = (format!("{authority}.key"), format!("{authority}.pem"), format!("/CN={name}"));
            let files = ["-keyout", &own, "-out", &pem, "-subj", &subject];
            secrets.openssl(&[&["req", "-x509"], key.as_slice(), &files].concat())?;
        }
        secrets.write("extensions", "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n", 0o600)?;
        let asked = ["-keyout", "desk.key", "-out", "desk.csr", "-subj", "/CN=desk"];
        secrets.openssl(&[&["req"], key.as_slice(), &asked].concat())?;
        let signed = ["x509", "-req", "-in", "desk.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        secrets
            .openssl(&[signed.as_slice(), &["-days", "2", "-extfile", "extensions", "-out", "desk.pem"]].concat())?;
        let both = [fs::read(secrets.path("desk.key"))?, fs::read(secrets.path("desk.pem"))?].concat();
        fs::write(secrets.path("desk.both"), both)?;
        fs::create_dir(secrets.qemu())?;
        for (from, to) in [("ca.pem", "ca-cert.pem"), ("desk.pem", "server-cert.pem"), ("desk.key", "server-key.pem")] {
            fs::copy(secrets.path(from), secrets.qemu().join(to))?;
        }
        secrets.write("vnc", VNC_PASSWORD, 0o600)?;
        secrets.write("plain", &format!("{PLAIN_PASSWORD}\n"), 0o600)?;
        secrets.write("wrong", "not this\n", 0o600)?;
        let login = format!(
            "#!/bin/sh\nread -r user\nread -r password\n[ \"$user\" = {USER} ] && [ \"$password\" = \"{PLAIN_PASSWORD}\" ]\n"
        );
        secrets.write("login", &login, 0o700)?;
        secrets.obscure()?;
        Ok(secrets)
    }

    /// A file of them.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file of them, as text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// The folder of certificates as QEMU wants it.
    #[must_use]
    pub fn qemu(&self) -> PathBuf {
        self.path("qemu")
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<()> {
        fs::write(self.path(name), text)?;
        Ok(fs::set_permissions(self.path(name), Permissions::from_mode(mode))?)
    }

    fn openssl(&self, args: &[&str]) -> anyhow::Result<()> {
        let output = Command::new("openssl").args(args).current_dir(self.0.path()).output().context("openssl")?;
        ensure!(output.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The password's file as Xvnc and x11vnc want it.
    fn obscure(&self) -> anyhow::Result<()> {
        let mut program = Command::new("vncpasswd").arg("-f").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        program.stdin.take().context("no input")?.write_all(VNC_PASSWORD.as_bytes())?;
        let output = program.wait_with_output()?;
        ensure!(output.status.success() && output.stdout.len() == 8, "vncpasswd");
        Ok(fs::write(self.path("vnc.obscured"), output.stdout)?)
    }
}
