//! The head of a desktop's request: parsed whole, judged by its host, and written anew for whoever is to hear of it.

use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::credentials::Authorization;

/// Bytes of a head.
const MAX_HEAD: usize = 16 * 1024;
/// Header fields.
const MAX_FIELDS: usize = 100;
/// Characters of a host's name.
const MAX_HOST: usize = 253;
/// What a desktop hears when its tunnel stands.
pub(super) const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
/// Fields that are between two neighbours, and so end here.
const HOP: [&str; 9] = [
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why a request is not carried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("it did not say in time where it is to go")]
    Silent,
    #[error("its request is not HTTP/1.1: {0}")]
    Malformed(&'static str),
    #[error("this desktop may not reach anything")]
    Denied,
    #[error("this address is not one that desktops may reach")]
    Forbidden,
    #[error("there is no such host")]
    Unknown,
    #[error("the host does not answer")]
    Unreachable,
    #[error("it took too long to get there")]
    Late,
    #[error("the egress proxy cannot be reached")]
    NoProxy,
    #[error("its session or its permission ended before it got there")]
    Ended,
}

impl Refused {
    /// What the desktop is told, as HTTP.
    pub(super) fn answer(&self) -> Vec<u8> {
        let status = match self {
            Self::Silent => "408 Request Timeout",
            Self::Malformed(_) => "400 Bad Request",
            Self::Denied | Self::Forbidden | Self::Ended => "403 Forbidden",
            Self::Unknown | Self::Unreachable | Self::NoProxy => "502 Bad Gateway",
            Self::Late => "504 Gateway Timeout",
        };
        let words = format!("Portcullis: {self}\n");
        let length = words.len();
        format!("HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{words}")
            .into_bytes()
    }
}

/// A request's head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) host: String,
    pub(super) port: u16,
    /// None for a tunnel.
    request: Option<Request>,
}

#[derive(Debug, PartialEq, Eq)]
struct Request {
    method: String,
    /// With its leading `/`.
    path: String,
    fields: Vec<(String, String)>,
    body: u64,
}

impl Head {
    /// Reads one head, byte for byte up to its end and no further; none when the stream ends before it begins.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Self>, Refused> {
        let mut head = Vec::with_capacity(512);
        // A byte at a time: what follows belongs to the tunnel or the body. The relay beside it is on this machine, and heads are short.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() >= MAX_HEAD {
                return Err(Refused::Malformed("its head is too long"));
            }
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) if head.is_empty() => return Ok(None),
                Err(_) => return Err(Refused::Malformed("it ended within its head")),
            }
        }
        parse(&head).map(Some)
    }

    /// Whether bytes go both ways as they are (CONNECT).
    pub(super) fn is_tunnel(&self) -> bool {
        self.request.is_none()
    }

    /// The head for the next one on the way: in the form for a proxy, with its credentials, or for the host itself.
    pub(super) fn anew(&self, by_proxy: bool, credentials: Option<&Authorization>) -> Vec<u8> {
        let place = self.place();
        let mut head = match &self.request {
            None => format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n"),
            Some(Request { method, path, .. }) if by_proxy => {
                format!("{method} http://{place}{path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n")
            }
            Some(Request { method, path, .. }) => {
                format!("{method} {path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n")
            }
        };
        if let Some(credentials) = credentials {
            head.extend(["Proxy-Authorization: ", credentials.value(), "\r\n"]);
        }
        for (name, value) in self.request.iter().flat_map(|request| &request.fields) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// How many bytes of the desktop's belong to the request; of a tunnel all do.
    pub(super) fn body(&self) -> u64 {
        self.request.as_ref().map_or(u64::MAX, |request| request.body)
    }

    fn place(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.request.is_some() && self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }
}

fn parse(head: &[u8]) -> Result<Head, Refused> {
    let text = std::str::from_utf8(head).map_err(|_| Refused::Malformed("its head is no text"))?;
    let text = text.strip_suffix("\r\n\r\n").unwrap_or(text);
    if text.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t')) {
        return Err(Refused::Malformed("control characters"));
    }
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refused::Malformed("its first line"));
    };
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Refused::Malformed("its method"));
    }
    let fields = lines.map(field).collect::<Result<Vec<_>, _>>()?;
    if fields.len() > MAX_FIELDS {
        return Err(Refused::Malformed("too many fields"));
    }
    if method == "CONNECT" {
        let (host, port) = place(target, None)?;
        return Ok(Head { host, port, request: None });
    }
    let rest = target.strip_prefix("http://").ok_or(Refused::Malformed("its target is no http:// address"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).ok_or(Refused::Malformed("its target"))?;
    let (host, port) = place(authority, Some(80))?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let body = length(&fields)?;
    let ends_here = |name: &str| HOP.contains(&name) || name == "host" || named(&fields, "connection", name);
    let fields = fields.iter().filter(|(name, _)| !ends_here(&name.to_ascii_lowercase())).cloned().collect();
    Ok(Head { host, port, request: Some(Request { method: method.to_owned(), path, fields, body }) })
}

fn field(line: &str) -> Result<(String, String), Refused> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match line.split_once(':') {
        // A bare CR or LF, or a folded line, would be another line to somebody else.
        Some((name, value)) if !name.is_empty() && name.chars().all(token) && !value.contains(['\r', '\n']) => {
            Ok((name.to_owned(), value.trim().to_owned()))
        }
        _ => Err(Refused::Malformed("a field")),
    }
}

/// Whether a list in a field names something.
fn named(fields: &[(String, String)], field: &str, wanted: &str) -> bool {
    let values = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, value)| value);
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(wanted))
}

/// The length of the body: said once and by Content-Length, or there is none.
fn length(fields: &[(String, String)]) -> Result<u64, Refused> {
    let of = |wanted: &'static str| {
        fields.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    if of("transfer-encoding").next().is_some() {
        return Err(Refused::Malformed("a body of unknown length"));
    }
    let mut lengths = of("content-length");
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(0),
        (Some(text), None) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().map_err(|_| Refused::Malformed("its length"))
        }
        _ => Err(Refused::Malformed("its length")),
    }
}

/// Host and port of `host:port`; no user before it, nothing but what names and addresses are made of.
fn place(text: &str, usual: Option<u16>) -> Result<(String, u16), Refused> {
    let wrong = Refused::Malformed("its host");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(wrong.clone())?;
            host.parse::<Ipv6Addr>().map_err(|_| wrong.clone())?;
            (host, port.strip_prefix(':'))
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || (c == ':' && text.starts_with('['));
    if host.is_empty() || host.len() > MAX_HOST || !host.chars().all(plain) {
        return Err(wrong);
    }
    let port = match port {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok(),
        Some(_) => None,
        None => usual,
    };
    let port = port.filter(|port| *port != 0).ok_or(Refused::Malformed("its port"))?;
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() || (ends_in_a_number(&host) && host.parse::<Ipv4Addr>().is_err()) {
        return Err(wrong);
    }
    Ok((host, port))
}

/// Whether a resolver takes a host for an IPv4 address, in whatever spelling (`127.1`, `0x7f000001`, `2130706433`): WHATWG URL's "ends in a number".
fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    !host.contains(':') && (hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anew(text: &str, by_proxy: bool) -> String {
        String::from_utf8(parse(text.as_bytes()).unwrap().anew(by_proxy, None)).unwrap()
    }

    #[test]
    fn a_tunnel_is_asked_for_anew() {
        let text = "CONNECT Example.org:443 HTTP/1.1\r\nHost: other:1\r\nProxy-Authorization: Basic eA==\r\n\r\n";
        assert_eq!(anew(text, true), "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n");
        let head = parse(b"CONNECT [2606:4700::1]:443 HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((head.host.as_str(), head.port, head.is_tunnel()), ("2606:4700::1", 443, true));
    }

    #[test]
    fn what_is_between_neighbours_ends_here() {
        let text = "POST http://example.org/a?b HTTP/1.1\r\nHost: evil\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\n\
            Proxy-Authorization: Basic eA==\r\nContent-Length: 3\r\nAccept: */*\r\n\r\n";
        let rest = "Host: example.org\r\nConnection: close\r\nContent-Length: 3\r\nAccept: */*\r\n\r\n";
        assert_eq!(anew(text, true), format!("POST http://example.org/a?b HTTP/1.1\r\n{rest}"));
        assert_eq!(anew(text, false), format!("POST /a?b HTTP/1.1\r\n{rest}"));
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_refused() {
        for text in [
            "GET /path HTTP/1.1\r\n\r\n",
            "GET https://example.org/ HTTP/1.1\r\n\r\n",
            "GET http://user@example.org/ HTTP/1.1\r\n\r\n",
            "GET  http://example.org/ HTTP/1.1\r\n\r\n",
            "GET http://example.org/ HTTP/2\r\n\r\n",
            "GET http://example.org/ HTTP/1.1\r\nA : b\r\n\r\n",
            "GET http://example.org/ HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "GET http://example.org/ HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
            "POST http://example.org/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST http://example.org/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST http://example.org/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "CONNECT example.org HTTP/1.1\r\n\r\n",
            "CONNECT example.org:0 HTTP/1.1\r\n\r\n",
            "CONNECT example.org:65536 HTTP/1.1\r\n\r\n",
            "CONNECT ::1:443 HTTP/1.1\r\n\r\n",
            "CONNECT a/b:443 HTTP/1.1\r\n\r\n",
            "connect example.org:443 HTTP/1.1\r\n\r\n",
            "CONNECT ex\u{e9}mple.org:443 HTTP/1.1\r\n\r\n",
            // Names that a resolver takes for addresses.
            "CONNECT 2852039166:80 HTTP/1.1\r\n\r\n",
            "CONNECT 0xA9FEA9FE:80 HTTP/1.1\r\n\r\n",
            "CONNECT 169.16689662:80 HTTP/1.1\r\n\r\n",
            "CONNECT 127.1:80 HTTP/1.1\r\n\r\n",
            "CONNECT 0177.0.0.1:80 HTTP/1.1\r\n\r\n",
            "CONNECT 127.0.0.0x1:80 HTTP/1.1\r\n\r\n",
            "CONNECT 127.1.:80 HTTP/1.1\r\n\r\n",
            "CONNECT .:80 HTTP/1.1\r\n\r\n",
            "GET http://017700000001/ HTTP/1.1\r\n\r\n",
        ] {
            assert!(matches!(parse(text.as_bytes()), Err(Refused::Malformed(_))), "{text:?}");
        }
    }

    #[test]
    fn names_with_digits_and_plain_addresses_are_read() {
        for host in ["1.1.1.1", "3com.example", "4.example.0xyz", "a0x1", "0x.example"] {
            assert_eq!(parse(format!("CONNECT {host}:80 HTTP/1.1\r\n\r\n").as_bytes()).unwrap().host, host);
        }
    }

    #[tokio::test]
    async fn a_head_has_its_bound_and_what_follows_is_left() {
        let endless = vec![b'a'; MAX_HEAD + 1];
        assert_eq!(Head::read(&mut endless.as_slice()).await, Err(Refused::Malformed("its head is too long")));
        assert_eq!(Head::read(&mut &b""[..]).await, Ok(None));
        let mut text = &b"CONNECT a.example:1 HTTP/1.1\r\n\r\nrest"[..];
        assert!(Head::read(&mut text).await.unwrap().is_some());
        assert_eq!(text, b"rest");
    }
}
