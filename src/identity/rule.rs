//! Rules that find a client by what its certificate says. A rule is a claim like any other, so that two clients cannot
//! have the same one, and finding it costs one look-up for each name in the certificate.

use super::certificate::PeerCertificate;
use super::record::claim_space;
use crate::store::{ClaimKey, Domain};
use certs::AlternativeName;

/// Names of a certificate that rules are asked about. A certificate with more is matched by its first ones: each costs a
/// look-up, and the peer chose how many there are.
const MAX_NAMES: usize = 16;

/// Which part of a certificate a rule speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CertificateName {
    /// The whole subject, as DER.
    Subject,
    /// A Common Name of the subject.
    CommonName,
    /// A DNS name; `*.example.org` stands for every name one label below `example.org`.
    Dns,
    /// A mail address.
    Email,
    /// A URI.
    Uri,
    /// An IP address, 4 or 16 bytes.
    Ip,
}

/// A rule: this name belongs to the client, in certificates of its tenant's authorities.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    name: CertificateName,
    value: Vec<u8>,
}

impl Rule {
    /// The subject must be exactly this (DER).
    #[must_use]
    pub fn subject(der: &[u8]) -> Self {
        Self::new(CertificateName::Subject, der)
    }

    /// One Common Name must be exactly this.
    #[must_use]
    pub fn common_name(name: &str) -> Self {
        Self::new(CertificateName::CommonName, name.as_bytes())
    }

    /// One Subject Alternative Name must be exactly this; DNS names may begin with `*.`.
    #[must_use]
    pub fn alternative_name(name: &AlternativeName) -> Self {
        match name {
            AlternativeName::Dns(name) => Self::new(CertificateName::Dns, name.to_ascii_lowercase().as_bytes()),
            AlternativeName::Email(name) => Self::new(CertificateName::Email, name.as_bytes()),
            AlternativeName::Uri(name) => Self::new(CertificateName::Uri, name.as_bytes()),
            AlternativeName::Ip(std::net::IpAddr::V4(address)) => Self::new(CertificateName::Ip, &address.octets()),
            AlternativeName::Ip(std::net::IpAddr::V6(address)) => Self::new(CertificateName::Ip, &address.octets()),
        }
    }

    pub(super) fn new(name: CertificateName, value: &[u8]) -> Self {
        Self {
            name,
            value: value.to_vec(),
        }
    }

    /// Which part of a certificate it speaks of.
    #[must_use]
    pub const fn name(&self) -> CertificateName {
        self.name
    }

    /// What that part must be.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The claim that stands for it within a tenant.
    #[must_use]
    pub fn claim(&self, tenant: Domain) -> ClaimKey {
        ClaimKey::new(tenant, self.name.space(), &self.value)
    }

    /// Every rule that would match this certificate.
    pub(super) fn matching(certificate: &PeerCertificate) -> Vec<Self> {
        let mut rules = vec![Self::subject(certificate.subject_der())];
        rules.extend(
            certificate
                .common_names()
                .iter()
                .take(MAX_NAMES)
                .map(|n| Self::common_name(n)),
        );
        for name in certificate.alternative_names().iter().take(MAX_NAMES) {
            // A star in a certificate stands for hosts that its holder serves, not for a client: it matches nothing.
            if matches!(name, AlternativeName::Dns(text) if text.contains('*')) {
                continue;
            }
            rules.push(Self::alternative_name(name));
            if let AlternativeName::Dns(text) = name
                && let Some((_, above)) = text.split_once('.')
            {
                rules.push(Self::alternative_name(&AlternativeName::Dns(format!("*.{above}"))));
            }
        }
        rules
    }
}

impl CertificateName {
    /// The number kept in records. Append only.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Subject => 1,
            Self::CommonName => 2,
            Self::Dns => 3,
            Self::Email => 4,
            Self::Uri => 5,
            Self::Ip => 6,
        }
    }

    pub(super) const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Subject,
            2 => Self::CommonName,
            3 => Self::Dns,
            4 => Self::Email,
            5 => Self::Uri,
            6 => Self::Ip,
            _ => return None,
        })
    }

    const fn space(self) -> u8 {
        match self {
            Self::Subject => claim_space::SUBJECT,
            Self::CommonName => claim_space::COMMON_NAME,
            Self::Dns => claim_space::DNS,
            Self::Email => claim_space::EMAIL,
            Self::Uri => claim_space::URI,
            Self::Ip => claim_space::IP,
        }
    }
}
