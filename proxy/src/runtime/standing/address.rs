//! Where a desktop stands: `host:port` or `unix:/path`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use super::StaticError;

/// Bytes of a unix socket's address on Linux, less the NUL at its end.
const MAX_SOCKET_PATH: usize = 107;
/// Characters of a host's name (RFC 1035 §2.3.4).
const MAX_HOST: usize = 253;

/// Where a desktop stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// A host's name or address, without brackets, and a port.
    Tcp {
        /// The host.
        host: String,
        /// The port, not 0.
        port: u16,
    },
    /// A unix socket, by absolute path.
    Unix(PathBuf),
}

impl Address {
    /// Whether it is on this machine by its own words: a unix socket, a loopback address, or `localhost`.
    #[must_use]
    pub fn is_here(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => {
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
            }
        }
    }
}

impl FromStr for Address {
    type Err = StaticError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || StaticError::Address(text.chars().take(MAX_HOST).collect());
        if let Some(path) = text.strip_prefix("unix:") {
            let sound = path.starts_with('/') && path.len() <= MAX_SOCKET_PATH && !path.contains('\0');
            return if sound { Ok(Self::Unix(path.into())) } else { Err(refused()) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(refused)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(within) => within.parse::<Ipv6Addr>().map_err(|_| refused())?.to_string(),
            None if is_host(host) => host.to_ascii_lowercase(),
            None => return Err(refused()),
        };
        Ok(Self::Tcp { host, port })
    }
}

fn is_host(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    (1..=MAX_HOST).contains(&host.len()) && host.chars().all(plain)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_goes_there_and_back() {
        for (text, here) in [
            ("127.0.0.1:5901", true),
            ("127.8.8.8:1", true),
            ("localhost:5900", true),
            ("[::1]:5900", true),
            ("[::ffff:127.0.0.1]:5900", true),
            ("unix:/run/vnc/a.sock", true),
            ("10.0.0.1:5900", false),
            ("[2001:db8::1]:65535", false),
            ("desk-1.example.org:5900", false),
            ("localhost.example.org:5900", false),
            ("0.0.0.0:5900", false),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.is_here(), here, "{text}");
            assert_eq!(address.to_string().parse::<Address>().unwrap(), address, "{text}");
        }
        assert_eq!("LOCALHOST:1".parse::<Address>().unwrap().to_string(), "localhost:1");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("unix:/{}", "a".repeat(MAX_SOCKET_PATH));
        for text in [
            "",
            "5900",
            "host",
            "host:",
            ":5900",
            "host:0",
            "host:65536",
            "host:-1",
            "host:5900:5901",
            "::1:5900",
            "[::1]",
            "[host]:1",
            "a b:1",
            "a/b:1",
            "user@host:1",
            "unix:",
            "unix:run/a.sock",
            "unix:/a\0b",
            &long,
            "vnc://host:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }
}
