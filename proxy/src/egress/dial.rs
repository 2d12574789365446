//! Which addresses are public, and how one is connected to: what is judged is the address that is connected to, not a name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tokio::net::{TcpStream, lookup_host};

use super::head::Refused;

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Connects to a host, at its first address that is permitted and answers.
pub(super) async fn host(name: &str, port: u16, permits: impl Fn(IpAddr) -> bool) -> Result<TcpStream, Refused> {
    let found = lookup_host((name, port)).await.map_err(|_| Refused::Unknown)?;
    let mut refused = Refused::Unknown;
    for address in found.take(MOST_ADDRESSES) {
        if !permits(address.ip().to_canonical()) {
            refused = Refused::Forbidden;
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return settled(stream),
            Err(_) => refused = Refused::Unreachable,
        }
    }
    Err(refused)
}

/// Connects to the egress proxy, which may be anywhere.
pub(super) async fn proxy(host: &str, port: u16) -> Result<TcpStream, Refused> {
    match TcpStream::connect((host, port)).await {
        Ok(stream) => settled(stream),
        Err(error) => {
            tracing::warn!(%error, "the egress proxy cannot be reached");
            Err(Refused::NoProxy)
        }
    }
}

fn settled(stream: TcpStream) -> Result<TcpStream, Refused> {
    stream.set_nodelay(true).map_err(|_| Refused::Unreachable)?;
    Ok(stream)
}

/// Whether an address is one of this machine. Nothing is sent: the kernel answers by which way it would go.
pub(super) fn is_own(address: IpAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(SocketAddr::new(address, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address)
}

/// Whether an address is one of the public Internet (IANA's registries of special purposes): everything else is somebody's inside.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            // Azure's platform: a public address by its number, but what answers is the machine's host.
            | [168, 63, 129, 16]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Of 2000::/3 without what carries IPv4 inside, is for documentation or for protocols.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_not_public() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.192",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for public in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "168.63.129.17",
            "172.32.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2a00::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn this_machine_s_addresses_are_its_own() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(!is_own("192.0.2.1".parse().unwrap()));
    }
}
