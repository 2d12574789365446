//! TLS towards a desktop: one certificate authority is trusted, the name is checked, and nothing below TLS 1.2 is spoken.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::template::Trust;
use super::{RuntimeError, Stream, secret};

/// What is trusted to be a desktop.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the certificates of `trust`; no other is trusted, those of the system neither.
    pub(super) fn new(trust: &Trust) -> Result<Self, RuntimeError> {
        let refused = |reason: String| secret::refused("ca", &trust.ca, reason);
        let pem = secret::certificates(&trust.ca)?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            roots.add(certificate).map_err(|error| refused(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(refused("there is no certificate in it".to_owned()));
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|source| RuntimeError::Tls { source })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // INVARIANT: whoever answers after a break shows the certificate again.
        config.resumption = Resumption::disabled();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name: trust.name.clone() })
    }

    /// TLS over `stream`, once the certificate holds.
    pub(super) async fn over(&self, stream: Stream) -> Result<Stream, RuntimeError> {
        match self.connector.connect(self.name.clone(), stream).await {
            Ok(secured) => Ok(Box::new(secured)),
            Err(error) => Err(judged(error)),
        }
    }
}

/// What TLS itself refused ends it; a connection that broke meanwhile may be back.
fn judged(error: io::Error) -> RuntimeError {
    match error.downcast::<rustls::Error>() {
        Ok(source) => RuntimeError::Tls { source },
        Err(source) => RuntimeError::Reach { source },
    }
}
