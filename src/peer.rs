//! The address that a request comes from, where proxies stand before the gate: whom to believe, and how far.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use portcullis_policy::Network;

/// What proxies add the address to that they were connected from, the newest last (MDN, "X-Forwarded-For").
const FORWARDED: &str = "x-forwarded-for";
/// Addresses in it that are looked at: so many proxies stand behind each other nowhere.
const MOST: usize = 16;

/// The proxies that are believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Arc<[Network]>);

impl Proxies {
    /// Believes connections from these networks.
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self(networks.into())
    }

    /// Puts the address that a request comes from in the place where it is asked for; none where a proxy does not say it, so that what
    /// policy allows to certain networks is not allowed.
    pub(crate) fn place(&self, connection: SocketAddr, request: &mut Request) {
        match self.peer(connection, request.headers()) {
            Some(peer) => drop(request.extensions_mut().insert(ConnectInfo(peer))),
            None => drop(request.extensions_mut().remove::<ConnectInfo<SocketAddr>>()),
        }
    }

    /// INVARIANT: an address is believed only as far as the one who says it is: from the right to the first that is no proxy of ours, and
    /// nothing to its left, which anybody may have written.
    fn peer(&self, connection: SocketAddr, headers: &HeaderMap) -> Option<SocketAddr> {
        if !self.ours(connection.ip()) {
            return Some(connection);
        }
        let mut last = None;
        let lines = headers.get_all(FORWARDED).iter().rev();
        let said = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(',')).map(str::trim);
        for said in said.take(MOST) {
            let address = address(said)?;
            last = Some(address);
            if !self.ours(address.ip()) {
                break;
            }
        }
        last
    }

    fn ours(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// An address, with a port or without one.
fn address(said: &str) -> Option<SocketAddr> {
    let bare = said.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(said);
    let address: Option<IpAddr> = bare.parse().ok();
    address.map(|address| SocketAddr::new(address, 0)).or_else(|| said.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(connection: &str, lines: &[&str]) -> Option<String> {
        let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED, line.parse().unwrap());
        }
        let connection = SocketAddr::new(connection.parse().unwrap(), 4711);
        Proxies::new(networks.to_vec()).peer(connection, &headers).map(|peer| peer.ip().to_string())
    }

    #[test]
    fn whoever_is_no_proxy_is_believed_nothing() {
        for lines in [&[][..], &["192.0.2.9"], &["10.1.1.1"], &["nonsense"]] {
            assert_eq!(peer("203.0.113.5", lines).as_deref(), Some("203.0.113.5"), "{lines:?}");
        }
    }

    #[test]
    fn a_proxy_says_who_connected_to_it() {
        for (lines, expected) in [
            (&["192.0.2.9"][..], Some("192.0.2.9")),
            (&["192.0.2.9:50123"], Some("192.0.2.9")),
            (&["[2001:470::7]:443"], Some("2001:470::7")),
            (&["2001:470::7"], Some("2001:470::7")),
            // What stands left of the first that is no proxy was said by a stranger.
            (&["10.9.9.9, 192.0.2.9"], Some("192.0.2.9")),
            (&["127.0.0.1, 192.0.2.9, 10.2.2.2"], Some("192.0.2.9")),
            (&["127.0.0.1", "192.0.2.9, 10.2.2.2", "2001:db8::3"], Some("192.0.2.9")),
            // Proxies all the way: the one at the far end makes the request itself.
            (&["10.3.3.3, 10.2.2.2"], Some("10.3.3.3")),
            // What is not said, or is no address, is not known.
            (&[], None),
            (&["unknown"], None),
            (&["192.0.2.9, unknown"], None),
            (&["192.0.2.9,"], None),
            (&["::ffff:10.2.2.2, 192.0.2.9, ::ffff:10.2.2.2"], Some("192.0.2.9")),
        ] {
            assert_eq!(peer("10.0.0.1", lines).as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn without_proxies_the_connection_counts() {
        let request = || {
            let mut request = Request::new(axum::body::Body::empty());
            request.headers_mut().insert(FORWARDED, "192.0.2.9".parse().unwrap());
            request
        };
        let connection: SocketAddr = "10.0.0.1:1".parse().unwrap();
        let placed = |proxies: &Proxies| {
            let mut request = request();
            proxies.place(connection, &mut request);
            request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_string())
        };
        assert_eq!(placed(&Proxies::default()).as_deref(), Some("10.0.0.1"));
        assert_eq!(placed(&Proxies::new(vec!["10.0.0.1".parse().unwrap()])).as_deref(), Some("192.0.2.9"));
    }
}
