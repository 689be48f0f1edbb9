//! Where messages may go: the addresses that the server's settings list. What they do not list is not connected to, whatever a name resolves
//! to at that moment.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, SocketAddr};

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
    let most = if network.is_ipv4() { 32 } else { 128 };
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
    let (width, number): (u32, u128) = match address {
        IpAddr::V4(address) => (32, u128::from(u32::from(address))),
        IpAddr::V6(address) => (128, u128::from(address)),
    };
    let shift = width.saturating_sub(u32::from(length));
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

    /// Whether this address may be connected to. An address of IPv4 in IPv6's clothes is judged as what it is. Addresses of the machine
    /// itself, of its link and those that are for nobody need an entry of exactly that address: no network that is listed for others has
    /// them in passing.
    #[must_use]
    pub fn permits(&self, address: SocketAddr) -> bool {
        let exactly = |one: &&Allowed| !is_delicate(address.ip().to_canonical()) || one.is_narrow();
        self.0.iter().filter(exactly).any(|one| one.permits(address))
    }
}

impl Allowed {
    /// Whether the entry is for nothing but such addresses.
    fn is_narrow(&self) -> bool {
        is_delicate(self.network) && self.length >= if self.network.is_ipv4() { 8 } else { 10 }
    }
}

/// Addresses of this machine, of its link (where clouds tell secrets of machines), and those that name no one machine.
fn is_delicate(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unicast_link_local()
        }
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
        ] {
            assert!(!permits(&wide, address), "{address}");
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
