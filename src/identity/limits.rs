//! What a client may do, from its settings and its tenant's, in the form in which each request asks.

use super::record::Id;
use crate::store::Domain;
use kmip_protocol::{ClientSettings, CryptoProfile, Operation, TenantSettings};
use std::net::IpAddr;

/// Networks, groups or namespaces in one client's settings: more than anybody lists, few enough to be compared one by one.
pub const MOST_LISTED: usize = 64;

/// What a client may do. Nothing listed is no limit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientLimits {
    operations: Option<Vec<Operation>>,
    /// Whether Import is among them where none are listed.
    may_import: bool,
    networks: Vec<Network>,
    groups: Vec<String>,
    namespaces: Vec<String>,
    /// Requests per second.
    pub rate: Option<u32>,
    /// Requests per second of all clients of its tenant together.
    pub tenant_rate: Option<u32>,
    /// Whether a governed request that cannot wait becomes a proposal all the same.
    pub auto_propose: bool,
    /// Whether its user name and password must be shown beside the certificate.
    pub password: bool,
    /// Whether Set Defaults and Set Constraints are among them where none are listed.
    may_set_defaults: bool,
    /// Which algorithms its tenant's keys may have.
    pub crypto: Option<CryptoProfile>,
    /// Whether keys may leave in clear.
    pub wrapped_only: bool,
    /// The certificate (Unique Identifier) of the authority that certifies for it where its request names none.
    pub issuing_certificate: Option<String>,
    /// Objects that its tenant may have.
    pub object_quota: Option<i64>,
    /// Whether its tenant is for tests alone.
    pub test: bool,
    /// Whether users are admitted over its connections.
    pub admits_users: bool,
    /// Whether it may renew the certificates by which it is recognised.
    pub renews_certificate: bool,
}

/// An address and how many of its bits count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `address/prefix`, or an address alone.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) => digits.parse().ok()?,
            None => longest,
        };
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// Whether an address is in it. An IPv4 address that came over an IPv6 socket counts as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(four) => (32_u8, u128::from(u32::from(four)) << 96),
            IpAddr::V6(six) => (128, u128::from(six)),
        };
        let ((own, network), (other, asked)) = (bits(self.address), bits(address));
        let hidden = 128_u32.saturating_sub(u32::from(self.prefix));
        let mask = u128::MAX.checked_shl(hidden).unwrap_or(0);
        own == other && network & mask == asked & mask
    }
}

impl ClientLimits {
    /// From the settings of a client and of its tenant. What cannot be read permits nothing: it was judged when it was set.
    #[must_use]
    pub fn new(client: &ClientSettings, tenant: &TenantSettings, password: bool) -> Self {
        let rate = |value: Option<i32>| value.and_then(|rate| u32::try_from(rate).ok());
        let network = |text: &String| {
            Network::read(text).unwrap_or(Network {
                address: IpAddr::from([0; 16]),
                prefix: 128,
            })
        };
        Self {
            operations: client.operations.as_ref().map(|list| list.operations.clone()),
            may_import: client.may_import.unwrap_or(false),
            networks: client.allowed_networks.iter().map(network).collect(),
            groups: client.object_groups.clone(),
            namespaces: client.application_namespaces.clone(),
            rate: rate(client.requests_per_second),
            tenant_rate: rate(tenant.requests_per_second),
            auto_propose: client.auto_propose.unwrap_or(false),
            password,
            may_set_defaults: client.may_set_defaults.unwrap_or(false),
            crypto: tenant.crypto_profile,
            wrapped_only: tenant.plaintext_get == Some(false),
            issuing_certificate: client.issuing_certificate.clone(),
            object_quota: tenant.object_quota,
            test: tenant.test_tenant == Some(true),
            admits_users: client.admits_users.unwrap_or(false),
            renews_certificate: client.renews_certificate.unwrap_or(false),
        }
    }

    /// Whether its settings permit this operation. Import is a right of its own: who imports says of an object what only the server
    /// says otherwise, such as since when it exists and whether it was ever extractable. So is to set defaults and constraints: the
    /// other clients of the application live with them.
    #[must_use]
    pub fn permits(&self, operation: Operation) -> bool {
        match (&self.operations, operation) {
            (Some(list), _) => list.contains(&operation),
            (None, Operation::Import) => self.may_import,
            (None, Operation::SetDefaults | Operation::SetConstraints) => self.may_set_defaults,
            (None, _) => true,
        }
    }

    /// Whether it may come from this address.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(address))
    }

    /// Whether an object with these groups and in these namespaces exists for it.
    pub fn sees<'a>(
        &self,
        mut groups: impl Iterator<Item = &'a str>,
        mut namespaces: impl Iterator<Item = &'a str>,
    ) -> bool {
        let group = self.groups.is_empty() || groups.any(|group| self.groups.iter().any(|own| own == group));
        let listed = |namespace: &str| self.namespaces.iter().any(|own| own == namespace);
        group && (self.namespaces.is_empty() || namespaces.any(listed))
    }

    /// Whether it sees only a part of its application's objects.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        !(self.groups.is_empty() && self.namespaces.is_empty())
    }
}

/// Whose requests are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Counted {
    /// One client's.
    Client(Domain, Id),
    /// Those of all clients of a tenant.
    Tenant(Domain),
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::Operations;

    #[test]
    fn networks_are_compared_by_their_prefix() {
        let contains =
            |network: &str, address: &str| Network::read(network).unwrap().contains(address.parse().unwrap());
        assert!(contains("10.1.0.0/16", "10.1.255.3") && !contains("10.1.0.0/16", "10.2.0.0"));
        assert!(contains("10.1.2.3", "10.1.2.3") && !contains("10.1.2.3", "10.1.2.2"));
        assert!(contains("0.0.0.0/0", "255.1.1.1") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("10.1.0.0/16", "::ffff:10.1.2.3"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1") && !contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("::/0", "2001:db8::1"));
        for wrong in [
            "",
            "10.1",
            "10.1.0.0/33",
            "10.1.0.0/-1",
            "10.1.0.0/",
            "2001:db8::/129",
            "here/8",
        ] {
            assert_eq!(Network::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_listed_is_permitted_and_nothing_else() {
        let free = ClientLimits::default();
        assert!(free.permits(Operation::Get) && free.admits([10, 0, 0, 1].into()));
        let importing = |may_import, operations: Option<Vec<Operation>>| {
            let settings = ClientSettings {
                operations: operations.map(|operations| Operations { operations }),
                may_import,
                ..ClientSettings::default()
            };
            ClientLimits::new(&settings, &TenantSettings::default(), false).permits(Operation::Import)
        };
        assert!(!free.permits(Operation::Import) && !importing(None, None) && !importing(Some(false), None));
        assert!(importing(Some(true), None) && importing(None, Some(vec![Operation::Import])));
        assert!(!importing(Some(true), Some(vec![Operation::Get])));
        assert!(free.sees(core::iter::empty(), core::iter::empty()));
        let settings = ClientSettings {
            operations: Some(Operations {
                operations: vec![Operation::Get],
            }),
            object_groups: vec!["a".into(), "b".into()],
            application_namespaces: vec!["n".into()],
            allowed_networks: vec!["10.0.0.0/8".into()],
            ..ClientSettings::default()
        };
        let limits = ClientLimits::new(&settings, &TenantSettings::default(), false);
        assert!(limits.permits(Operation::Get) && !limits.permits(Operation::Destroy));
        assert!(limits.admits([10, 9, 9, 9].into()) && !limits.admits([11, 0, 0, 1].into()));
        let sees = |groups: &[&'static str], namespaces: &[&'static str]| {
            limits.sees(groups.iter().copied(), namespaces.iter().copied())
        };
        assert!(sees(&["x", "b"], &["n"]));
        assert!(!sees(&["x"], &["n"]) && !sees(&["a"], &[]) && !sees(&[], &["n"]));
    }
}
