//! Where messages may go: the addresses that the server's settings list. What they do not list is not connected to, whatever a name resolves
//! to at that moment.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest host name (RFC 1035 §2.3.4), with brackets and port.
const LONGEST: usize = 262;

/// Networks with their ports.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AllowList(Vec<Allowed>);

/// One entry: `10.0.0.0/8:5696`, `[fd00::]/8:5696`, `192.0.2.7:*`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowed {
    network: IpAddr,
    length: u8,
    /// `None`: every port.
    port: Option<u16>,
}

/// What is no entry of an allow-list.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} is no network and port, as 10.0.0.0/8:5696 or [fd00::]/8:5696 is")]
pub struct NotAllowed(String);

impl FromStr for Allowed {
    type Err = NotAllowed;

    fn from_str(text: &str) -> Result<Self, NotAllowed> {
        parse(text).ok_or_else(|| NotAllowed(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Allowed> {
    let (network, port) = text.rsplit_once(':')?;
    let port = match port {
        "*" => None,
        number => Some(number.parse().ok().filter(|port| *port != 0)?),
    };
    let (address, length) = match network.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().ok()?)),
        None => (network, None),
    };
    let bracketed = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let network: IpAddr = bracketed.unwrap_or(address).parse().ok()?;
    // What has colons stands in brackets, so that its port is what it looks like.
    if network.is_ipv6() != bracketed.is_some() {
        return None;
    }
    let most = width(network);
    let length = length.unwrap_or(most);
    (length <= most).then_some(Allowed { network, length, port })
}

impl Allowed {
    fn permits(&self, address: SocketAddr) -> bool {
        let Self { network, length, port } = *self;
        port.is_none_or(|port| port == address.port())
            && bits(network, length) == bits(address.ip().to_canonical(), length)
    }
}

/// The first bits of an address, with its family.
fn bits(address: IpAddr, length: u8) -> (bool, u128) {
    let number = match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    let shift = u32::from(width(address).saturating_sub(length));
    (address.is_ipv4(), number.checked_shr(shift).unwrap_or(0))
}

impl AllowList {
    /// These entries.
    #[must_use]
    pub const fn new(entries: Vec<Allowed>) -> Self {
        Self(entries)
    }

    /// Whether nothing is permitted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this address may be connected to. An address of IPv4 in IPv6's clothes is judged as what it is. What is in [`DELICATE`] is
    /// permitted by entries alone that lie within one of these networks: no network that is listed for others has it in passing.
    #[must_use]
    pub fn permits(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        let delicate = is_delicate(ip, width(ip));
        let candidates = self
            .0
            .iter()
            .filter(|one| !delicate || is_delicate(one.network, one.length));
        candidates.into_iter().any(|one| one.permits(address))
    }
}

const fn four(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn six(a: u16, b: u16, c: u16, last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, last))
}

/// Networks of this machine and of its link, those that name no one machine, and where clouds tell the secrets of the machines that ask.
const DELICATE: [(IpAddr, u8); 14] = [
    // This machine, and its link.
    (four(0, 0, 0, 0), 8),
    (four(127, 0, 0, 0), 8),
    (four(169, 254, 0, 0), 16),
    (six(0, 0, 0, 0), 128),
    (six(0, 0, 0, 1), 128),
    (six(0xFE80, 0, 0, 0), 10),
    // Everybody's.
    (four(224, 0, 0, 0), 4),
    (four(255, 255, 255, 255), 32),
    (six(0xFF00, 0, 0, 0), 8),
    // Metadata outside the link: Alibaba's, Azure's, Amazon's, Google's.
    (four(100, 100, 100, 200), 32),
    (four(168, 63, 129, 16), 32),
    (six(0xFD00, 0x0EC2, 0, 0x254), 128),
    (six(0xFD20, 0x00CE, 0, 0x254), 128),
    // NAT64 of a network's own (RFC 8215): where in it the address of IPv4 stands is that network's matter.
    (six(0x0064, 0xFF9B, 1, 0), 48),
];

/// NAT64 (RFC 6052 §2.1): the last 32 bits are the address of IPv4 that it leads to.
const TRANSLATED: (IpAddr, u8) = (six(0x0064, 0xFF9B, 0, 0), 96);

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Whether a network lies within one of [`DELICATE`], by itself or by what it leads to.
fn is_delicate(network: IpAddr, length: u8) -> bool {
    let (network, length) = led_to(network, length);
    DELICATE.iter().any(|around| is_within((network, length), *around))
}

fn is_within((network, length): (IpAddr, u8), (around, wide): (IpAddr, u8)) -> bool {
    wide <= length && bits(network, wide) == bits(around, wide)
}

/// The network of IPv4 that one of NAT64 leads to; any other one is itself.
fn led_to(network: IpAddr, length: u8) -> (IpAddr, u8) {
    match network {
        IpAddr::V6(address) if is_within((network, length), TRANSLATED) => {
            let [.., a, b, c, d] = address.octets();
            (four(a, b, c, d), length.saturating_sub(TRANSLATED.1))
        }
        _ => (network, length),
    }
}

/// Host and port of an endpoint, apart. The host is a name or an address; one with colons stands in brackets.
#[must_use]
pub fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':').filter(|_| address.len() <= LONGEST)?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let is_name = |host: &str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        !host.is_empty() && host.chars().all(letter)
    };
    let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().ok().map(|_| inner)?,
        None if is_name(host) => host,
        None => return None,
    };
    Some((host, port))
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { network, length, port } = self;
        match network {
            IpAddr::V4(network) => write!(f, "{network}/{length}:")?,
            IpAddr::V6(network) => write!(f, "[{network}]/{length}:")?,
        }
        match port {
            Some(port) => write!(f, "{port}"),
            None => f.write_str("*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> AllowList {
        AllowList::new(entries.iter().map(|one| one.parse().unwrap()).collect())
    }

    fn permits(entries: &[&str], address: &str) -> bool {
        list(entries).permits(address.parse().unwrap())
    }

    #[test]
    fn only_what_is_listed_is_permitted() {
        assert!(!permits(&[], "192.0.2.7:5696"));
        assert!(permits(&["192.0.2.0/24:5696"], "192.0.2.7:5696"));
        assert!(permits(&["192.0.2.0/24:5696"], "[::ffff:192.0.2.7]:5696"));
        assert!(permits(&["192.0.2.7:*"], "192.0.2.7:1"));
        assert!(permits(&["[fd00::]/8:5696"], "[fd12::1]:5696"));
        assert!(permits(&["0.0.0.0/0:5696"], "203.0.113.1:5696"));
        for (entry, address) in [
            ("192.0.2.0/24:5696", "192.0.3.7:5696"),
            ("192.0.2.0/24:5696", "192.0.2.7:5697"),
            ("192.0.2.7:*", "192.0.2.8:1"),
            ("[fd00::]/8:5696", "[fe00::1]:5696"),
            ("0.0.0.0/0:5696", "[2001:db8::1]:5696"),
            ("[::]/0:*", "192.0.2.7:5696"),
        ] {
            assert!(!permits(&[entry], address), "{entry} {address}");
        }
    }

    #[test]
    fn the_machine_itself_and_its_link_are_permitted_by_entries_of_their_own_alone() {
        let wide = ["0.0.0.0/0:*", "[::]/0:*", "128.0.0.0/1:*"];
        for address in [
            "127.0.0.1:5696",
            "[::1]:5696",
            "169.254.169.254:80",
            "[fe80::1]:5696",
            "0.0.0.0:5696",
            "224.0.0.1:5696",
            "[::ffff:127.0.0.1]:5696",
            "0.1.2.3:5696",
            "255.255.255.255:5696",
            "100.100.100.200:80",
            "168.63.129.16:80",
            "[fd00:ec2::254]:80",
            "[fd20:ce::254]:80",
            "[64:ff9b::169.254.169.254]:80",
            "[64:ff9b::127.0.0.1]:5696",
            "[64:ff9b:1::1]:5696",
        ] {
            assert!(!permits(&wide, address), "{address}");
        }
        // An entry that begins in such a network and reaches beyond it is for others.
        for (entry, address) in [
            ("126.0.0.0/7:*", "127.0.0.1:5696"),
            ("255.255.255.0/24:*", "255.255.255.255:5696"),
            ("100.100.100.0/24:*", "100.100.100.200:80"),
            ("168.63.129.16/31:*", "168.63.129.16:80"),
            ("[::]/127:*", "[::1]:5696"),
            ("[::]/10:*", "[::1]:5696"),
            ("[fd00:ec2::]/32:*", "[fd00:ec2::254]:80"),
            ("[64:ff9b::]/96:*", "[64:ff9b::169.254.169.254]:80"),
            ("[64:ff9b::a000:0]/99:*", "[64:ff9b::169.254.169.254]:80"),
        ] {
            assert!(!permits(&[entry], address), "{entry} {address}");
        }
        for (entry, address) in [
            ("100.100.100.200:80", "100.100.100.200:80"),
            ("[fd00:ec2::254]:80", "[fd00:ec2::254]:80"),
            ("[64:ff9b::]/96:*", "[64:ff9b::203.0.113.1]:5696"),
            ("[64:ff9b::a9fe:0]/112:*", "[64:ff9b::169.254.169.254]:80"),
            ("100.100.0.0/16:*", "100.100.100.201:80"),
        ] {
            assert!(permits(&[entry], address), "{entry} {address}");
        }
        assert!(permits(&["127.0.0.1:5696"], "127.0.0.1:5696"));
        assert!(permits(&["127.0.0.0/8:*"], "127.0.0.1:5696"));
        assert!(permits(&["[::1]:5696"], "[::1]:5696"));
        assert!(permits(&["169.254.0.0/16:5696"], "169.254.1.1:5696"));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for bad in [
            "",
            "5696",
            "10.0.0.0/33:1",
            "10.0.0.0/8",
            "10.0.0.0/8:0",
            "fd00::/8:1",
            "a:1",
            "10.0.0.0/8:x",
            "[10.0.0.1]:1",
        ] {
            assert!(bad.parse::<Allowed>().is_err(), "{bad}");
        }
        let entry = "[fd00::]/8:5696";
        assert_eq!(entry.parse::<Allowed>().unwrap().to_string(), entry);
    }

    #[test]
    fn addresses_of_endpoints_are_a_host_and_a_port() {
        assert_eq!(split("kms.example:5696"), Some(("kms.example", 5696)));
        assert_eq!(split("[::1]:1"), Some(("::1", 1)));
        for bad in [
            "", ":1", "a", "a:0", "a:x", "a b:1", "::1:1", "[a]:1", "a/b:1", "user@a:1",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
