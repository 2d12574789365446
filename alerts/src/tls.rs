//! TLS towards a destination: the certificate authorities of this machine or one file of them, and nothing below TLS 1.2.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::destination::DestinationError;

/// A connection, with TLS or without.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Where a destination is reached, and by what it is known.
#[derive(Clone)]
pub(crate) struct Way {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Way {
    /// A way in clear.
    pub(crate) fn clear(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, tls: None }
    }

    /// A way by TLS. Trusted are the certificates in PEM of `ca`, or if there is none those of this machine; the name is checked.
    pub(crate) fn secured(host: &str, port: u16, ca: Option<&[u8]>) -> Result<Self, DestinationError> {
        let refused = |reason: String| DestinationError::Trust(reason);
        let mut roots = RootCertStore::empty();
        match ca {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate = certificate.map_err(|error| refused(error.to_string()))?;
                    roots.add(certificate).map_err(|error| refused(error.to_string()))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err(refused("there is no certificate authority to trust: name one with `ca`".to_owned()));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| refused(format!("no certificate can be for {host:?}")))?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| refused(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.enable_sni = true;
        Ok(Self { host: host.to_owned(), port, tls: Some((TlsConnector::from(Arc::new(config)), name)) })
    }

    /// A new connection. `unanswered_ms`: for how long what was sent may stay unacknowledged by the peer's machine.
    pub(crate) async fn connect(&self, unanswered_ms: u32) -> io::Result<Box<dyn Wire>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
        rustix::net::sockopt::set_tcp_user_timeout(&stream, unanswered_ms)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some((connector, name)) => Ok(Box::new(connector.connect(name.clone(), stream).await?)),
        }
    }
}
