//! Subjects and alternative names.

use crate::error::{Error, Result};
use rcgen::{DistinguishedName, DnType, SanType};
use std::net::IpAddr;

/// The subject of a certificate to be issued.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Common Name.
    pub common_name: String,
    /// Organisation.
    pub organization: Option<String>,
    /// Organisational Unit.
    pub organizational_unit: Option<String>,
}

impl Subject {
    /// A subject with a Common Name alone.
    #[must_use]
    pub fn named(common_name: &str) -> Self {
        Self {
            common_name: common_name.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn to_distinguished_name(&self) -> DistinguishedName {
        let mut name = DistinguishedName::new();
        if let Some(organization) = &self.organization {
            name.push(DnType::OrganizationName, organization.as_str());
        }
        if let Some(unit) = &self.organizational_unit {
            name.push(DnType::OrganizationalUnitName, unit.as_str());
        }
        name.push(DnType::CommonName, self.common_name.as_str());
        name
    }
}

/// One name of the Subject Alternative Name extension (RFC 5280 §4.2.1.6), of the types that name a host or a client.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum AlternativeName {
    /// A DNS name.
    Dns(String),
    /// A mail address.
    Email(String),
    /// A URI.
    Uri(String),
    /// An IP address.
    Ip(IpAddr),
}

impl AlternativeName {
    /// A host as it stands in settings or a URL: an IP address if it reads as one, else a DNS name.
    #[must_use]
    pub fn host(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Dns(text.to_ascii_lowercase()), Self::Ip)
    }

    pub(crate) fn to_san(&self) -> Result<SanType> {
        let text = |s: &String| s.as_str().try_into().map_err(|_| Error::Name);
        Ok(match self {
            Self::Dns(name) => SanType::DnsName(text(name)?),
            Self::Email(name) => SanType::Rfc822Name(text(name)?),
            Self::Uri(name) => SanType::URI(text(name)?),
            Self::Ip(address) => SanType::IpAddress(*address),
        })
    }
}

/// One attribute of a distinguished name that was read, in the order of the certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameAttribute {
    /// The attribute's object identifier in dotted form.
    pub oid: String,
    /// Its short name (`CN`, `O` …) where there is one.
    pub short_name: Option<&'static str>,
    /// Its value, if that is text.
    pub text: Option<String>,
}
