//! What a certificate says of itself, read without believing it.

use crate::error::{Error, Result};
use crate::name::{AlternativeName, NameAttribute};
use crate::wish::KeyUsages;
use std::net::IpAddr;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};
use x509_parser::public_key::PublicKey;

/// SHA-256 of the bytes: of a certificate its fingerprint, of a `SubjectPublicKeyInfo` the name of the key.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut fingerprint = [0; 32];
    for (to, from) in fingerprint.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    fingerprint
}

/// What a certificate says. Nothing here has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// SHA-256 of the whole certificate.
    pub fingerprint: [u8; 32],
    /// SHA-256 of the `SubjectPublicKeyInfo`.
    pub key_fingerprint: [u8; 32],
    /// The subject as DER.
    pub subject_der: Vec<u8>,
    /// The issuer as DER.
    pub issuer_der: Vec<u8>,
    /// The subject in text, `C=DE, O=Example, CN=name`.
    pub subject: String,
    /// The issuer in text.
    pub issuer: String,
    /// The subject's attributes.
    pub subject_attributes: Vec<NameAttribute>,
    /// The issuer's attributes.
    pub issuer_attributes: Vec<NameAttribute>,
    /// The subject's Common Names.
    pub common_names: Vec<String>,
    /// The serial number: the bytes of the INTEGER.
    pub serial: Vec<u8>,
    /// First second of the validity.
    pub not_before: i64,
    /// Last second of the validity.
    pub not_after: i64,
    /// The Subject Alternative Names of the types that name a host or a client.
    pub alternative_names: Vec<AlternativeName>,
    /// The Issuer Alternative Names, likewise.
    pub issuer_alternative_names: Vec<AlternativeName>,
    /// Whether Basic Constraints make it an authority.
    pub is_authority: bool,
    /// The Key Usages, if the extension is there.
    pub key_usages: Option<KeyUsages>,
    /// The Extended Key Usages, if the extension is there.
    pub extended_key_usages: Option<ExtendedKeyUsages>,
    /// The public key's algorithm and size.
    pub public_key: PublicKeyFacts,
    /// The object identifier of the signature's algorithm, dotted.
    pub signature_algorithm: String,
    /// The X.509 version: 1 or 3.
    pub version: u32,
}

/// The Extended Key Usages that matter to TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtendedKeyUsages {
    /// `anyExtendedKeyUsage`.
    pub any: bool,
    /// `id-kp-serverAuth`.
    pub server: bool,
    /// `id-kp-clientAuth`.
    pub client: bool,
}

/// A public key's algorithm and size.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKeyFacts {
    /// The object identifier of the key's algorithm, dotted.
    pub algorithm: String,
    /// The object identifier of the curve, dotted, for keys on a named curve.
    pub curve: Option<String>,
    /// The size in bits as the field counts it (modulus, curve); `None` if it cannot be told.
    pub bits: Option<u32>,
    /// The `SubjectPublicKeyInfo`.
    pub info: Vec<u8>,
}

impl CertificateFacts {
    /// Reads a certificate; bytes after it are an error.
    pub fn read(der: &[u8]) -> Result<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Error::Certificate)?;
        if !rest.is_empty() {
            return Err(Error::Certificate);
        }
        let tbs = &certificate.tbs_certificate;
        Ok(Self {
            fingerprint: fingerprint(der),
            key_fingerprint: fingerprint(tbs.subject_pki.raw),
            subject_der: tbs.subject.as_raw().to_vec(),
            issuer_der: tbs.issuer.as_raw().to_vec(),
            subject: tbs.subject.to_string(),
            issuer: tbs.issuer.to_string(),
            subject_attributes: attributes(&tbs.subject),
            issuer_attributes: attributes(&tbs.issuer),
            common_names: common_names(&tbs.subject),
            serial: tbs.raw_serial().to_vec(),
            not_before: tbs.validity.not_before.timestamp(),
            not_after: tbs.validity.not_after.timestamp(),
            alternative_names: alternative_names(&certificate),
            issuer_alternative_names: issuer_alternative_names(&certificate),
            is_authority: certificate.is_ca(),
            key_usages: key_usages(&certificate),
            extended_key_usages: extended_key_usages(&certificate),
            public_key: public_key(&certificate),
            signature_algorithm: certificate.signature_algorithm.algorithm.to_id_string(),
            version: tbs.version.0.saturating_add(1),
        })
    }

    /// Whether the certificate names itself as its issuer.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }
}

fn attributes(name: &X509Name<'_>) -> Vec<NameAttribute> {
    name.iter_attributes()
        .map(|attribute| {
            let oid = attribute.attr_type();
            NameAttribute {
                oid: oid.to_id_string(),
                short_name: short_name(&oid.to_id_string()),
                text: attribute.as_str().ok().map(str::to_owned),
            }
        })
        .collect()
}

/// The short names of the attributes that KMIP's Certificate Attributes list (KMIP 2.0 §4.6), as RFC 4519 spells them.
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.46" => "dnQualifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

fn common_names(name: &X509Name<'_>) -> Vec<String> {
    name.iter_common_name()
        .filter_map(|a| a.as_str().ok())
        .map(str::to_owned)
        .collect()
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<AlternativeName> {
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        if let ParsedExtension::SubjectAlternativeName(list) = extension.parsed_extension() {
            names.extend(list.general_names.iter().filter_map(alternative_name));
        }
    }
    names
}

fn issuer_alternative_names(certificate: &X509Certificate<'_>) -> Vec<AlternativeName> {
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        if let ParsedExtension::IssuerAlternativeName(list) = extension.parsed_extension() {
            names.extend(list.general_names.iter().filter_map(alternative_name));
        }
    }
    names
}

pub(crate) fn alternative_name(name: &GeneralName<'_>) -> Option<AlternativeName> {
    Some(match name {
        GeneralName::DNSName(text) => AlternativeName::Dns((*text).to_owned()),
        GeneralName::RFC822Name(text) => AlternativeName::Email((*text).to_owned()),
        GeneralName::URI(text) => AlternativeName::Uri((*text).to_owned()),
        GeneralName::IPAddress(bytes) => AlternativeName::Ip(ip_address(bytes)?),
        _ => return None,
    })
}

fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(Into::into)
}

fn key_usages(certificate: &X509Certificate<'_>) -> Option<KeyUsages> {
    let usage = certificate.key_usage().ok().flatten()?;
    Some(KeyUsages::from_flags(usage.value.flags))
}

fn extended_key_usages(certificate: &X509Certificate<'_>) -> Option<ExtendedKeyUsages> {
    certificate
        .extensions()
        .iter()
        .find_map(|e| match e.parsed_extension() {
            ParsedExtension::ExtendedKeyUsage(usages) => Some(ExtendedKeyUsages {
                any: usages.any,
                server: usages.server_auth,
                client: usages.client_auth,
            }),
            _ => None,
        })
}

fn public_key(certificate: &X509Certificate<'_>) -> PublicKeyFacts {
    let info = certificate.public_key();
    let parameters = info.algorithm.parameters.as_ref();
    let curve = parameters.and_then(|p| p.as_oid().ok()).map(|oid| oid.to_id_string());
    let bits = match info.parsed() {
        Ok(PublicKey::RSA(key)) => u32::try_from(key.key_size()).ok(),
        Ok(PublicKey::EC(_)) => curve.as_deref().and_then(curve_bits),
        _ => fixed_bits(&info.algorithm.algorithm.to_id_string()),
    };
    PublicKeyFacts {
        algorithm: info.algorithm.algorithm.to_id_string(),
        curve,
        bits,
        info: info.raw.to_vec(),
    }
}

/// Sizes of the curves that certificates name (RFC 5480, RFC 5639).
fn curve_bits(oid: &str) -> Option<u32> {
    Some(match oid {
        "1.2.840.10045.3.1.1" => 192,
        "1.3.132.0.33" => 224,
        "1.2.840.10045.3.1.7" | "1.3.132.0.10" | "1.3.36.3.3.2.8.1.1.7" => 256,
        "1.3.132.0.34" | "1.3.36.3.3.2.8.1.1.11" => 384,
        "1.3.36.3.3.2.8.1.1.13" => 512,
        "1.3.132.0.35" => 521,
        _ => return None,
    })
}

/// Sizes of keys whose algorithm fixes them (RFC 8410).
fn fixed_bits(oid: &str) -> Option<u32> {
    Some(match oid {
        "1.3.101.110" | "1.3.101.112" => 256,
        "1.3.101.111" => 448,
        "1.3.101.113" => 456,
        _ => return None,
    })
}
