//! The exact origins that the gate is reached under: every Host and every Origin is held against them.

use std::sync::Arc;

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Uri};

/// Origins that may be configured; more is taken for a mistake.
const MAX_ORIGINS: usize = 64;

/// The allow-list. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Origins(Arc<[Origin]>);

#[derive(Debug)]
pub(crate) struct Origin {
    /// As a browser writes it: "https://gate.example", "http://localhost:8080".
    pub(crate) text: String,
    /// As a Host header has it: without the port when that is the scheme's own.
    host: String,
    pub(crate) secure: bool,
}

/// An origin in the configuration that no browser would send.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// There is none, so no page could ever sign in.
    #[error("no origin is configured: name at least one, as \"http://localhost:8080\"")]
    None,
    /// There are more than the gate takes.
    #[error("{0} origins are configured, at most {MAX_ORIGINS} are taken")]
    TooMany(usize),
    /// One that is not scheme://host[:port].
    #[error("origin {0:?} is not of the form \"https://host\" or \"http://host:port\", with nothing after it")]
    Malformed(String),
}

impl Origins {
    /// Takes origins as a browser writes them, `scheme://host[:port]`; a port that is the scheme's own may be given.
    pub fn parse(origins: &[String]) -> Result<Origins, OriginError> {
        match origins.len() {
            0 => Err(OriginError::None),
            1..=MAX_ORIGINS => origins.iter().map(|text| Origin::parse(text)).collect::<Result<_, _>>().map(Origins),
            many => Err(OriginError::TooMany(many)),
        }
    }

    /// Whether the request names exactly one Origin and it is on the list. No Origin, `null` and two are not.
    pub fn allowed(&self, headers: &HeaderMap) -> bool {
        self.of(headers).is_some()
    }

    /// The origin of the list that the request's Origin names.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Option<&Origin> {
        let named = only(headers, &ORIGIN)?;
        self.0.iter().find(|origin| origin.text == named)
    }

    /// The origin of the list whose host the request was sent to. A request line that names a host
    /// (RFC 9112 §3.2.2) must name the same one as the Host header.
    pub(crate) fn served(&self, uri: &Uri, headers: &HeaderMap) -> Option<&Origin> {
        let host = only(headers, &HOST)?;
        if uri.authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host)) {
            return None;
        }
        let host: Authority = host.parse().ok()?;
        self.0.iter().find(|origin| origin.is_host(&host))
    }
}

impl Origin {
    fn parse(text: &str) -> Result<Origin, OriginError> {
        let malformed = || OriginError::Malformed(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(malformed)?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(malformed()),
        };
        let authority: Authority = rest.parse().map_err(|_| malformed())?;
        let host = host_of(&authority, secure).ok_or_else(malformed)?;
        Ok(Origin { text: format!("{scheme}://{host}"), host, secure })
    }

    fn is_host(&self, host: &Authority) -> bool {
        host_of(host, self.secure).is_some_and(|host| host == self.host)
    }
}

/// `host[:port]` in small letters, without the port when it is the scheme's own; `None` with a user name in it.
fn host_of(authority: &Authority, secure: bool) -> Option<String> {
    let host = authority.host().to_ascii_lowercase();
    if authority.as_str().contains('@') || host.is_empty() {
        return None;
    }
    let own = if secure { 443 } else { 80 };
    match (authority.port(), authority.port_u16()) {
        (None, _) => (authority.as_str().len() == host.len()).then_some(host),
        (Some(_), Some(port)) if port == own => Some(host),
        (Some(_), Some(port)) if port > 0 => Some(format!("{host}:{port}")),
        _ => None,
    }
}

/// The header's text when the request has it once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    all.next().is_none().then(|| first.to_str().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        Origins::parse(&["http://localhost:8080".into(), "https://Gate.example:443".into()]).unwrap()
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_the_exact_origin_is_allowed() {
        let check = |text: &'static str| origins().allowed(&headers(&[(ORIGIN, text)]));
        assert!(check("http://localhost:8080"));
        assert!(check("https://gate.example"));
        for foreign in [
            "null",
            "",
            "https://evil.example",
            "http://localhost",
            "http://localhost:8081",
            "https://localhost:8080",
            "http://localhost:8080/",
            "http://localhost:8080.evil.example",
            "http://gate.example",
            "https://gate.example.",
            "https://sub.gate.example",
            "https://gate.example https://gate.example",
        ] {
            assert!(!check(foreign), "{foreign:?}");
        }
        assert!(!origins().allowed(&HeaderMap::new()));
        let two = [(ORIGIN, "http://localhost:8080"), (ORIGIN, "http://localhost:8080")];
        assert!(!origins().allowed(&headers(&two)));
    }

    #[test]
    fn only_the_exact_host_is_served() {
        let check = |uri: &str, host: &'static str| {
            origins().served(&uri.parse().unwrap(), &headers(&[(HOST, host)])).is_some()
        };
        assert!(check("/", "localhost:8080"));
        assert!(check("/", "LOCALHOST:8080"));
        assert!(check("/", "gate.example"));
        assert!(check("/", "gate.example:443"));
        assert!(check("http://localhost:8080/", "localhost:8080"));
        for foreign in [
            "evil.example",
            "localhost",
            "localhost:80",
            "gate.example:80",
            "127.0.0.1:8080",
            "",
            "user@localhost:8080",
            "localhost:8080:1",
            "gate.example.",
            "gate.example:",
            "gate.example:x",
        ] {
            assert!(!check("/", foreign), "{foreign:?}");
        }
        assert!(!check("http://evil.example/", "localhost:8080"));
        assert!(origins().served(&"/".parse().unwrap(), &HeaderMap::new()).is_none());
    }

    #[test]
    fn a_configured_origin_must_be_one() {
        for wrong in [
            "localhost:8080",
            "ftp://x",
            "http://",
            "http://x/",
            "http://x/y",
            "http://u@x",
            "*",
            "http://x:y",
            "http://x:0",
            "http://x:",
            "http://x?y",
        ] {
            assert!(Origins::parse(&[wrong.into()]).is_err(), "{wrong:?}");
        }
        assert!(matches!(Origins::parse(&[]), Err(OriginError::None)));
        assert!(Origins::parse(&["http://[::1]:8080".into()]).is_ok());
    }
}
