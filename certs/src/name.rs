//! Subjects and alternative names.

use crate::der::{SEQUENCE, SET, element};
use crate::error::{Error, Result};
use rcgen::{DistinguishedName, DnType, SanType};
use std::net::IpAddr;
use std::str::FromStr as _;
use x509_parser::asn1_rs::Oid;

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

    /// The GeneralName (RFC 5280 §4.2.1.6).
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Email(text) => element(0x81, text.as_bytes()),
            Self::Dns(text) => element(0x82, text.as_bytes()),
            Self::Uri(text) => element(0x86, text.as_bytes()),
            Self::Ip(IpAddr::V4(address)) => element(0x87, &address.octets()),
            Self::Ip(IpAddr::V6(address)) => element(0x87, &address.octets()),
        }
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

/// The attributes of names that KMIP's Certificate Attributes list (KMIP 2.0 §4.6), in the order in which a name is written, with
/// the type of string that RFC 5280 appendix A gives each.
const PARTS: &[(&str, u8)] = &[
    ("0.9.2342.19200300.100.1.25", IA5),
    ("2.5.4.6", PRINTABLE),
    ("2.5.4.8", UTF8),
    ("2.5.4.7", UTF8),
    ("2.5.4.10", UTF8),
    ("2.5.4.11", UTF8),
    ("2.5.4.12", UTF8),
    ("2.5.4.5", PRINTABLE),
    ("2.5.4.46", PRINTABLE),
    ("2.5.4.3", UTF8),
    ("0.9.2342.19200300.100.1.1", UTF8),
    ("1.2.840.113549.1.9.1", IA5),
];

const UTF8: u8 = 0x0C;
const PRINTABLE: u8 = 0x13;
const IA5: u8 = 0x16;

/// A relative distinguished name, and its place among the others.
pub(crate) fn part(oid: &str, text: &str) -> Option<(usize, Vec<u8>)> {
    let place = PARTS.iter().position(|(known, _)| *known == oid)?;
    let (_, string) = PARTS.get(place)?;
    let printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
    let fits = match *string {
        PRINTABLE => text.chars().all(printable),
        IA5 => text.is_ascii(),
        _ => true,
    };
    let pair = [identifier(oid)?, element(*string, text.as_bytes())].concat();
    (fits && !text.is_empty()).then(|| (place, element(SET, &element(SEQUENCE, &pair))))
}

/// An OBJECT IDENTIFIER from its dotted form.
pub(crate) fn identifier(dotted: &str) -> Option<Vec<u8>> {
    let oid = Oid::from_str(dotted).ok()?;
    Some(element(0x06, oid.as_bytes()))
}
