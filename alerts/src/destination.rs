//! Where events go: a destination as it is configured, checked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use http::Uri;
use http::uri::{Authority, Scheme};
use thiserror::Error;

use crate::choice::Choice;
use crate::rfc5424::Facility;
use crate::sink::Sink;
use crate::stdout::Stdout;
use crate::syslog::ToSyslog;
use crate::tls::Way;
use crate::webhook::ToWebhook;

/// Bytes that a webhook's secret has at least: what cannot be guessed.
const MIN_SECRET: usize = 16;
/// The port of syslog by TLS (RFC 5425 §4.1) and by TCP (RFC 6587's usual one).
const SYSLOG_TLS_PORT: u16 = 6514;
const SYSLOG_TCP_PORT: u16 = 514;

/// A destination, ready to be delivered to.
#[derive(Clone)]
pub struct Destination {
    /// Its name: the folder of its marks is called so.
    pub name: String,
    /// What it is told.
    pub choice: Choice,
    /// The age after which an event that could not be delivered is dropped.
    pub keep: Duration,
    /// Where it is.
    pub to: To,
}

/// Where a destination is.
#[derive(Clone)]
pub enum To {
    /// An HTTP receiver.
    Webhook(Webhook),
    /// A syslog receiver.
    Syslog(Syslog),
    /// This program's standard output.
    Stdout,
}

/// An HTTP receiver and the secret that it shares with the gate.
#[derive(Clone)]
pub struct Webhook {
    pub(crate) uri: Uri,
    pub(crate) way: Way,
    pub(crate) secret: Arc<hmac::Key>,
    pub(crate) patience: Duration,
}

/// A syslog receiver.
#[derive(Clone)]
pub struct Syslog {
    pub(crate) way: Way,
    pub(crate) facility: Facility,
    pub(crate) hostname: String,
}

/// Why a destination cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// Not an address of HTTP.
    #[error("`url` is not an http or https URL with a host, and without user and fragment")]
    Url,
    /// Anybody could sign with it.
    #[error("the secret has fewer than {MIN_SECRET} bytes")]
    Secret,
    /// Not `host:port` or `host`.
    #[error("`address` is not host:port")]
    Address,
    /// The certificates do not serve.
    #[error("{0}")]
    Trust(String),
}

impl Webhook {
    /// A receiver at `url`. `secret` is what signatures are made with, without a line end; `ca` in PEM in place of the system's authorities;
    /// `patience` for the whole of one try.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(url: &str, secret: &[u8], ca: Option<&[u8]>, patience: Duration) -> Result<Self, DestinationError> {
        let uri: Uri = url.parse().map_err(|_| DestinationError::Url)?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@') && !url.contains('#'));
        let host =
            authority.map(|authority| authority.host()).filter(|host| !host.is_empty()).ok_or(DestinationError::Url)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = authority.and_then(port).ok_or(DestinationError::Url)?;
        let way = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => Way::clear(host, port.unwrap_or(80)),
            Some(scheme) if *scheme == Scheme::HTTPS => Way::secured(host, port.unwrap_or(443), ca)?,
            _ => return Err(DestinationError::Url),
        };
        if secret.len() < MIN_SECRET {
            return Err(DestinationError::Secret);
        }
        Ok(Self { uri, way, secret: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)), patience })
    }
}

impl Syslog {
    /// A receiver at `host:port` (`[::1]:514`; 514, or 6514 by TLS, where no port is given). `tls`: as for a webhook, or in clear.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(
        address: &str,
        tls: bool,
        ca: Option<&[u8]>,
        facility: Facility,
        hostname: &str,
    ) -> Result<Self, DestinationError> {
        let authority: Authority = address.parse().map_err(|_| DestinationError::Address)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || address.contains('@') {
            return Err(DestinationError::Address);
        }
        let port = port(&authority).ok_or(DestinationError::Address)?;
        let way = match tls {
            true => Way::secured(host, port.unwrap_or(SYSLOG_TLS_PORT), ca)?,
            false => Way::clear(host, port.unwrap_or(SYSLOG_TCP_PORT)),
        };
        Ok(Self { way, facility, hostname: hostname.to_owned() })
    }

    /// What this machine calls itself.
    #[must_use]
    pub fn own_hostname() -> String {
        let name = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
        name.trim().to_owned()
    }
}

/// The port behind a host, if one is given; `None` when what stands there is no port.
fn port(authority: &Authority) -> Option<Option<u16>> {
    match authority
        .as_str()
        .rsplit_once('@')
        .map_or(authority.as_str(), |(_, host)| host)
        .strip_prefix(authority.host())?
    {
        "" => Some(None),
        _ => authority.port_u16().map(Some),
    }
}

impl Destination {
    /// What takes its events.
    #[must_use]
    pub fn sink(&self) -> Arc<dyn Sink> {
        match &self.to {
            To::Webhook(webhook) => Arc::new(ToWebhook::new(webhook.clone())),
            To::Syslog(syslog) => Arc::new(ToSyslog::new(syslog.clone())),
            To::Stdout => Arc::new(Stdout::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(1);

    #[test]
    fn urls_and_secrets() {
        let made = |url: &str, secret: &[u8]| {
            Webhook::new(url, secret, None, PATIENCE).map(|webhook| (webhook.way.host, webhook.way.port))
        };
        let secret = [7; 16];
        assert_eq!(made("http://[::1]/hook?x=1", &secret), Ok(("::1".into(), 80)));
        assert_eq!(made("http://soc.example.org:8443/hook", &secret), Ok(("soc.example.org".into(), 8443)));
        assert_eq!(made("http://a/", &[7; 15]), Err(DestinationError::Secret));
        for url in
            ["", "/hook", "ftp://a/", "http://user@a/", "http://a/#x", "http://", "a:80", "http:///x", "http://a:b/"]
        {
            assert_eq!(made(url, &secret), Err(DestinationError::Url), "{url}");
        }
    }

    #[test]
    fn addresses_of_syslog() {
        let local = Facility::named("local0").unwrap();
        let made = |address: &str| {
            Syslog::new(address, false, None, local, "h").map(|syslog| (syslog.way.host, syslog.way.port))
        };
        assert_eq!(made("log.example.org"), Ok(("log.example.org".into(), 514)));
        assert_eq!(made("[::1]:1514"), Ok(("::1".into(), 1514)));
        for address in ["", ":514", "a:b", "a@b:1", "a:99999"] {
            assert_eq!(made(address), Err(DestinationError::Address), "{address}");
        }
        assert!(matches!(Syslog::new("a", true, Some(b"no pem"), local, "h"), Err(DestinationError::Trust(_))));
    }
}
