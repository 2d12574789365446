//! How a desktop that stands already is written down: where it is, how it is protected, and how many sessions it takes at once.

use std::path::PathBuf;

use serde::Deserialize;
use tokio_rustls::rustls::pki_types::ServerName;

use super::Address;

/// A desktop that the gate did not start; see `TryFrom` for what is refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Static {
    /// Where it stands.
    pub address: Address,
    /// How it is protected.
    pub protection: Protection,
    /// The operator's word that nobody else is on the network to it, so that pictures and keys may go in clear.
    pub private_network: bool,
    /// Whether several sessions may be on it at once; they then see and disturb each other.
    pub shared: bool,
    /// Whether it may send photographs as JPEG, which costs sharpness and saves bytes.
    pub jpeg: bool,
    /// Whether it hears scan codes too, as a virtual machine wants them; only the keysym is judged.
    pub scancodes: bool,
}

/// How a desktop is protected: exactly this is demanded of it, nothing less and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    None,
    /// VncAuth, in clear.
    VncAuth {
        /// The file of the password, at most 8 characters.
        password: PathBuf,
    },
    /// VeNCrypt's X509None: TLS alone.
    X509None {
        /// Who the desktop must be.
        trust: Trust,
    },
    /// VeNCrypt's X509Vnc: VncAuth within TLS.
    X509Vnc {
        /// Who the desktop must be.
        trust: Trust,
        /// The file of the password, at most 8 characters.
        password: PathBuf,
    },
    /// VeNCrypt's X509Plain: a user's name and password within TLS.
    X509Plain {
        /// Who the desktop must be.
        trust: Trust,
        /// The user.
        user: String,
        /// The file of the password.
        password: PathBuf,
    },
}

/// Who a desktop must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The file of the only authorities that are trusted, in PEM.
    pub ca: PathBuf,
    /// The name or address that its certificate must be for.
    pub name: ServerName<'static>,
}

/// Why such a template is refused; the message begins with the key and says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StaticError {
    /// The address is not one.
    #[error("`address` \"{0}\" is neither HOST:PORT nor unix:/PATH (absolute, at most 107 bytes)")]
    Address(String),
    /// A key is missing.
    #[error("`{key}` is missing: `security = \"{security}\"` needs it")]
    Missing {
        /// The key.
        key: &'static str,
        /// The security that needs it.
        security: &'static str,
    },
    /// A key has no meaning.
    #[error("`{key}` has no meaning with `security = \"{security}\"`: leave it out")]
    Unused {
        /// The key.
        key: &'static str,
        /// The security.
        security: &'static str,
    },
    /// The name is not one that a certificate can be for.
    #[error("`server_name` \"{0}\" is neither a DNS name nor an IP address")]
    Name(String),
    /// Pictures and keys would go over a network in clear.
    #[error(
        "`security` \"{0}\" sends pictures and keys in clear: use x509_vnc, x509_plain or x509_none, a unix socket or a loopback address; \
         `private_network = true` says that nobody else is on the network between"
    )]
    InClear(&'static str),
}

/// What `security` may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    None,
    VncAuth,
    X509None,
    X509Vnc,
    X509Plain,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::VncAuth => "vnc_auth",
            Self::X509None => "x509_none",
            Self::X509Vnc => "x509_vnc",
            Self::X509Plain => "x509_plain",
        }
    }
}

/// Such a desktop as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    address: String,
    security: Kind,
    ca: Option<PathBuf>,
    server_name: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(default)]
    private_network: bool,
    #[serde(default)]
    shared: bool,
    #[serde(default)]
    jpeg: bool,
    #[serde(default)]
    scancodes: bool,
}

impl TryFrom<Written> for Static {
    type Error = StaticError;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written {
            address,
            security,
            ca,
            server_name,
            user,
            password_file,
            private_network,
            shared,
            jpeg,
            scancodes,
        } = written;
        let address: Address = address.parse()?;
        let encrypted = matches!(security, Kind::X509None | Kind::X509Vnc | Kind::X509Plain);
        let has_password = matches!(security, Kind::VncAuth | Kind::X509Vnc | Kind::X509Plain);
        let name = security.name();
        for (key, written, needed) in [
            ("ca", ca.is_some(), encrypted),
            ("server_name", server_name.is_some(), encrypted),
            ("user", user.is_some(), security == Kind::X509Plain),
            ("password_file", password_file.is_some(), has_password),
            ("private_network", private_network, !encrypted),
        ] {
            if written && !needed {
                return Err(StaticError::Unused { key, security: name });
            }
        }
        if !encrypted && !private_network && !address.is_here() {
            return Err(StaticError::InClear(name));
        }
        let missing = |key| StaticError::Missing { key, security: name };
        let trust = || {
            let host = match &address {
                Address::Tcp { host, .. } => Some(host.clone()),
                Address::Unix(_) => None,
            };
            let name = server_name.or(host).ok_or(missing("server_name"))?;
            let checked = ServerName::try_from(name.clone()).map_err(|_| StaticError::Name(name))?;
            Ok(Trust { ca: ca.ok_or(missing("ca"))?, name: checked })
        };
        let password = || password_file.ok_or(missing("password_file"));
        let protection = match security {
            Kind::None => Protection::None,
            Kind::VncAuth => Protection::VncAuth { password: password()? },
            Kind::X509None => Protection::X509None { trust: trust()? },
            Kind::X509Vnc => Protection::X509Vnc { trust: trust()?, password: password()? },
            Kind::X509Plain => {
                Protection::X509Plain { trust: trust()?, user: user.ok_or(missing("user"))?, password: password()? }
            }
        };
        Ok(Self { address, protection, private_network, shared, jpeg, scancodes })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Static, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    fn check(value: Value, refusal: &str) {
        let error = read(value.clone()).expect_err(&value.to_string());
        assert!(error.contains(refusal), "{value}: {error}");
    }

    #[test]
    fn each_security_has_its_keys() {
        let here = read(json!({"address": "unix:/run/a", "security": "none"})).unwrap();
        assert_eq!(here.protection, Protection::None);
        assert_eq!((here.shared, here.private_network, here.jpeg, here.scancodes), (false, false, false, false));
        let vnc = read(json!({"address": "[::1]:5901", "security": "vnc_auth", "password_file": "/p"})).unwrap();
        assert_eq!(vnc.protection, Protection::VncAuth { password: "/p".into() });
        let plain = json!({"address": "desk.example.org:5900", "security": "x509_plain", "ca": "/ca.pem", "user": "ann",
                           "password_file": "/p", "shared": true, "jpeg": true});
        let plain = read(plain).unwrap();
        let Protection::X509Plain { trust, user, .. } = plain.protection else { panic!("not x509_plain") };
        assert_eq!((trust.name.to_str().as_ref(), user.as_str(), plain.shared), ("desk.example.org", "ann", true));
        let named = json!({"address": "unix:/a", "security": "x509_none", "ca": "/ca.pem", "server_name": "10.0.0.1"});
        let Protection::X509None { trust } = read(named).unwrap().protection else { panic!("not x509_none") };
        assert_eq!(trust.name.to_str(), "10.0.0.1");
    }

    #[test]
    fn nothing_goes_in_clear_over_a_network_that_is_not_said_to_be_private() {
        for address in ["10.0.0.1:5900", "desk.example.org:5900", "[2001:db8::1]:5900", "0.0.0.0:5900"] {
            check(
                json!({"address": address, "security": "none"}),
                "`security` \"none\" sends pictures and keys in clear",
            );
            check(
                json!({"address": address, "security": "vnc_auth", "password_file": "/p"}),
                "`private_network = true`",
            );
            assert!(
                read(json!({"address": address, "security": "none", "private_network": true})).unwrap().private_network
            );
        }
        check(
            json!({"address": "desk:1", "security": "x509_none", "ca": "/c", "private_network": true}),
            "`private_network` has no meaning with `security = \"x509_none\"`",
        );
    }

    #[test]
    fn what_is_missing_or_meaningless_is_named() {
        let x509 = json!({"address": "desk:1", "security": "x509_vnc", "password_file": "/p"});
        check(x509, "`ca` is missing: `security = \"x509_vnc\"` needs it");
        check(json!({"address": "desk:1", "security": "x509_vnc", "ca": "/c"}), "`password_file` is missing");
        check(
            json!({"address": "desk:1", "security": "x509_plain", "ca": "/c", "password_file": "/p"}),
            "`user` is missing",
        );
        check(json!({"address": "unix:/a", "security": "x509_none", "ca": "/c"}), "`server_name` is missing");
        check(
            json!({"address": "desk:1", "security": "x509_none", "ca": "/c", "server_name": "a b"}),
            "`server_name` \"a b\" is neither",
        );
        check(json!({"address": "unix:/a", "security": "none", "ca": "/c"}), "`ca` has no meaning");
        check(
            json!({"address": "unix:/a", "security": "none", "password_file": "/p"}),
            "`password_file` has no meaning",
        );
        check(json!({"address": "unix:/a", "security": "none", "user": "a"}), "`user` has no meaning");
        check(json!({"address": "desk", "security": "none"}), "`address` \"desk\" is neither");
        check(json!({"address": "unix:/a", "security": "tls"}), "unknown variant `tls`");
        check(json!({"address": "unix:/a", "security": "none", "password": "x"}), "unknown field `password`");
        check(json!({"address": "unix:/a"}), "missing field `security`");
    }
}
