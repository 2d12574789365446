//! A certificate authority and a desktop's certificate for `localhost` and 127.0.0.1, by openssl; and templates that trust it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::peer::Peer;

/// Files of one authority, one desktop and one password, gone with the value.
pub(crate) struct Pki(TempDir);

impl Pki {
    pub(crate) fn new() -> Self {
        let pki = Self(tempfile::tempdir().unwrap());
        std::fs::write(pki.path("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
            .unwrap();
        std::fs::write(pki.path("password"), "passwd12\n").unwrap();
        std::fs::set_permissions(pki.path("password"), Permissions::from_mode(0o600)).unwrap();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let made = ["-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=desks"];
        pki.openssl(&[&["req", "-x509"], key.as_slice(), &made].concat());
        let asked = ["-keyout", "desk.key", "-out", "desk.csr", "-subj", "/CN=desk"];
        pki.openssl(&[&["req"], key.as_slice(), &asked].concat());
        let authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
        pki.openssl(
            &[&["x509", "-req", "-in", "desk.csr", "-extfile", "ext", "-out", "desk.pem"], authority.as_slice()]
                .concat(),
        );
        pki
    }

    fn openssl(&self, args: &[&str]) {
        let mut command = Command::new("openssl");
        command.args(args).current_dir(self.0.path()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().expect("openssl is installed").success(), "openssl {args:?}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn ca(&self) -> String {
        self.path("ca.pem").display().to_string()
    }

    pub(crate) fn key(&self) -> String {
        self.path("desk.key").display().to_string()
    }

    fn password(&self) -> String {
        self.path("password").display().to_string()
    }

    /// TLS as this desktop does it.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let read = |path: &Path| std::fs::read(path).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(&read(&self.path("desk.pem"))).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(&read(&self.path("desk.key"))).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    pub(crate) fn vnc_auth(&self, peer: &Peer) -> Value {
        json!({"address": peer.address, "security": "vnc_auth", "password_file": self.password()})
    }

    /// A template with one of the two types that have no user.
    pub(crate) fn x509(&self, peer: &Peer, security: &str) -> Value {
        let mut template = json!({"address": peer.address, "security": security, "ca": self.ca()});
        if security == "x509_vnc" {
            template["password_file"] = self.password().into();
        }
        template
    }

    pub(crate) fn x509_plain(&self, peer: &Peer) -> Value {
        json!({"address": peer.address, "security": "x509_plain", "ca": self.ca(), "user": "ann", "password_file": self.password()})
    }
}
