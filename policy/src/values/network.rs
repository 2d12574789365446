//! Networks in CIDR notation, IPv4 and IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::shown::Shown;

/// A network: an address whose bits behind the prefix are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    /// Bits that count: at most 32 or 128.
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or one address.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let unreadable =
            || format!("`{}` is not a network; write one such as 10.0.0.0/8 or 2001:db8::/32", Shown(text));
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => widest,
            Some(digits) if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(unreadable());
            }
            Some(digits) => digits.parse::<u8>().ok().filter(|prefix| *prefix <= widest).ok_or_else(|| {
                format!("`{}` counts more bits than the {widest} of its kind of address", Shown(text))
            })?,
        };
        if address != address.to_canonical() {
            let reason =
                format!("`{}` is an IPv4 address in IPv6 notation, which callers never have here", Shown(text));
            return Err(format!("{reason}; write it as IPv4"));
        }
        let network = Self { address: masked(address, prefix), prefix };
        if network.address != address {
            return Err(format!("`{}` has bits behind its prefix; did you mean {network}?", Shown(text)));
        }
        Ok(network)
    }

    /// Whether the address is one of this network's; an IPv4 address in IPv6 notation counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }

    /// Whether every address of the other is one of this one's.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

    /// The network's first address.
    pub(crate) fn first(&self) -> IpAddr {
        self.address
    }

    /// The address behind its last one, if there is one.
    pub(crate) fn behind(&self) -> Option<IpAddr> {
        match self.address {
            IpAddr::V4(v4) => {
                let size = 1_u32.checked_shl(u32::from(32_u8.saturating_sub(self.prefix)))?;
                v4.to_bits().checked_add(size).map(|bits| Ipv4Addr::from_bits(bits).into())
            }
            IpAddr::V6(v6) => {
                let size = 1_u128.checked_shl(u32::from(128_u8.saturating_sub(self.prefix)))?;
                v6.to_bits().checked_add(size).map(|bits| Ipv6Addr::from_bits(bits).into())
            }
        }
    }

    /// Whether it holds every address of its kind.
    pub(crate) fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(text)
    }
}

/// The address with the bits behind the prefix set to 0.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let behind = |width: u8| u32::from(width.saturating_sub(prefix));
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(behind(32)).unwrap_or(0)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(behind(128)).unwrap_or(0)).into(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        Network::read(text).unwrap()
    }

    fn check(text: &str, address: &str, expected: bool) {
        assert_eq!(network(text).contains(address.parse().unwrap()), expected, "{address} in {text}");
    }

    #[test]
    fn addresses_are_in_their_networks() {
        for (text, address, expected) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("192.168.1.4", "192.168.1.4", true),
            ("192.168.1.4", "192.168.1.5", false),
            ("192.168.1.4/31", "192.168.1.5", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("::/0", "fe80::1", true),
            ("::/0", "10.0.0.1", false),
            ("::/0", "::ffff:10.0.0.1", false),
            ("::1", "::1", true),
        ] {
            check(text, address, expected);
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_mend() {
        for (text, part) in [
            ("", "such as 10.0.0.0/8"),
            ("office", "such as 10.0.0.0/8"),
            ("10.0.0.0/", "such as 10.0.0.0/8"),
            ("10.0.0/8", "such as 10.0.0.0/8"),
            ("10.0.0.0/+8", "such as 10.0.0.0/8"),
            ("10.0.0.0/33", "more bits than the 32"),
            ("::/129", "more bits than the 128"),
            ("10.1.2.3/8", "did you mean 10.0.0.0/8?"),
            ("2001:db8::1/32", "did you mean 2001:db8::/32?"),
            ("::ffff:10.0.0.0/104", "write it as IPv4"),
        ] {
            let error = Network::read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_network_ends_somewhere() {
        for (text, behind) in [
            ("10.0.0.0/8", Some("11.0.0.0")),
            ("192.0.2.1", Some("192.0.2.2")),
            ("255.255.255.255", None),
            ("128.0.0.0/1", None),
            ("0.0.0.0/0", None),
            ("::/0", None),
            ("2001:db8::/32", Some("2001:db9::")),
        ] {
            assert_eq!(network(text).behind(), behind.map(|address| address.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn wider_networks_cover_narrower_ones() {
        assert!(network("10.0.0.0/8").covers(&network("10.1.0.0/16")));
        assert!(network("10.0.0.0/8").covers(&network("10.0.0.0/8")));
        assert!(!network("10.1.0.0/16").covers(&network("10.0.0.0/8")));
        assert!(!network("0.0.0.0/0").covers(&network("::/0")));
    }

    proptest! {
        #[test]
        fn a_network_holds_what_shares_its_prefix(bits: u32, other: u32, prefix in 0..=32_u8) {
            let network = Network { address: masked(Ipv4Addr::from_bits(bits).into(), prefix), prefix };
            let same = (0..prefix).all(|bit| (bits ^ other) & (1 << (31 - bit)) == 0);
            prop_assert_eq!(network.contains(Ipv4Addr::from_bits(other).into()), same);
            prop_assert_eq!(Network::read(&network.to_string()), Ok(network));
        }
    }
}
