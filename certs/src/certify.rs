//! Certificates for the keys of others, by an authority whose key is handed in for the one act: of any kind that OpenSSL signs with.

use crate::authority::Validity;
use crate::der::{Element, SEQUENCE, element};
use crate::error::{Error, Result};
use crate::facts::CertificateFacts;
use crate::name::{self, AlternativeName};
use crate::wish::{KeyUsages, Wish};
use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::x509::{X509, X509Builder, X509Extension, X509Name};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

/// An authority that can issue now.
pub struct Issuer {
    key: PKey<Private>,
    facts: CertificateFacts,
    key_identifier: Vec<u8>,
}

impl Issuer {
    /// From its certificate (DER) and its key (PKCS#8).
    ///
    /// # Errors
    /// [`Error::NotAuthority`] if the certificate does not permit its holder to issue; [`Error::KeyMismatch`];
    /// [`Error::PrivateKey`] if the key signs nothing.
    pub fn new(certificate: &[u8], key: &[u8]) -> Result<Self> {
        let facts = CertificateFacts::read(certificate)?;
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| Error::Certificate)?;
        let mut key_identifier = key_identifier(&facts.public_key.info)?;
        let mut signs = true;
        for extension in parsed.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::KeyUsage(usage) => signs = usage.key_cert_sign(),
                ParsedExtension::SubjectKeyIdentifier(own) => key_identifier = own.0.to_vec(),
                _ => {}
            }
        }
        if !facts.is_authority || !signs {
            return Err(Error::NotAuthority);
        }
        let key = PKey::private_key_from_pkcs8(key).map_err(|_| Error::PrivateKey)?;
        let same = X509::from_der(certificate).and_then(|c| c.public_key());
        if !same.is_ok_and(|public| public.public_eq(&key)) {
            return Err(Error::KeyMismatch);
        }
        Ok(Self {
            key,
            facts,
            key_identifier,
        })
    }

    /// What its certificate says.
    #[must_use]
    pub const fn facts(&self) -> &CertificateFacts {
        &self.facts
    }

    /// A certificate (DER) of an end entity, with 127 bits of a random serial number (RFC 5280 §4.1.2.2 wants it positive).
    ///
    /// # Errors
    /// [`Error::Name`] if nobody is named, or the issuer itself; [`Error::Validity`].
    pub fn certify(&self, wish: &Wish, validity: Validity, serial: [u8; 16]) -> Result<Vec<u8>> {
        let named = wish.has_subject() || !wish.alternative_names.is_empty();
        // The library reads what follows a name as no part of it.
        if !named || Element::only(&wish.subject, SEQUENCE).is_none() {
            return Err(Error::Name);
        }
        if validity.not_after <= validity.not_before {
            return Err(Error::Validity);
        }
        let subject = X509Name::from_der(&wish.subject).map_err(|_| Error::Name)?;
        // An end entity of the authority's own name would stand for the authority where names alone are compared. Names are the same
        // in small letters and capitals, and in whichever type of string (RFC 5280 §7.1).
        let own = X509Name::from_der(&self.facts.subject_der).map_err(|_| Error::Name)?;
        if own.try_cmp(&subject).map_or(true, |order| order.is_eq()) {
            return Err(Error::Name);
        }
        let extensions = self.extensions(wish)?;
        let made = self.sign(wish, &subject, validity, serial, &extensions);
        made.map_err(|_| Error::Cryptography)
    }

    fn sign(
        &self,
        wish: &Wish,
        subject: &X509Name,
        validity: Validity,
        serial: [u8; 16],
        extensions: &[(&str, bool, Vec<u8>)],
    ) -> core::result::Result<Vec<u8>, ErrorStack> {
        let mut serial = serial;
        if let Some(first) = serial.first_mut() {
            *first = (*first & 0x7F) | 0x40;
        }
        let mut builder = X509Builder::new()?;
        // 2 stands for version 3.
        builder.set_version(2)?;
        let serial = BigNum::from_slice(&serial)?;
        builder.set_serial_number(Asn1Integer::from_bn(&serial)?.as_ref())?;
        builder.set_issuer_name(X509Name::from_der(&self.facts.subject_der)?.as_ref())?;
        builder.set_subject_name(subject)?;
        builder.set_not_before(Asn1Time::from_unix(validity.not_before)?.as_ref())?;
        builder.set_not_after(Asn1Time::from_unix(validity.not_after)?.as_ref())?;
        builder.set_pubkey(PKey::public_key_from_der(&wish.key_info)?.as_ref())?;
        for (oid, critical, value) in extensions {
            let oid = Asn1Object::from_str(oid)?;
            let value = Asn1OctetString::new_from_bytes(value)?;
            builder.append_extension(X509Extension::new_from_der(&oid, *critical, &value)?)?;
        }
        builder.sign(&self.key, digest(&self.key))?;
        builder.build().to_der()
    }

    /// The extensions, each with its object identifier and whether it is critical.
    fn extensions(&self, wish: &Wish) -> Result<Vec<(&'static str, bool, Vec<u8>)>> {
        let own = element(0x04, &key_identifier(&wish.key_info)?);
        let authority = element(SEQUENCE, &element(0x80, &self.key_identifier));
        let usages = wish.key_usages.unwrap_or_else(|| usual(&wish.key_info));
        let mut extensions = vec![
            // cA is false, which DER leaves out.
            ("2.5.29.19", true, element(SEQUENCE, &[])),
            ("2.5.29.15", true, usages.to_der()),
            ("2.5.29.14", false, own),
            ("2.5.29.35", false, authority),
        ];
        if !wish.extended_key_usages.is_empty() {
            extensions.push((
                "2.5.29.37",
                false,
                element(SEQUENCE, &wish.extended_key_usages.concat()),
            ));
        }
        if !wish.alternative_names.is_empty() {
            let names: Vec<u8> = wish
                .alternative_names
                .iter()
                .flat_map(AlternativeName::to_der)
                .collect();
            // Critical where there is no other name (RFC 5280 §4.2.1.6).
            extensions.push(("2.5.29.17", !wish.has_subject(), element(SEQUENCE, &names)));
        }
        Ok(extensions)
    }
}

/// What a key of this kind is usually for.
fn usual(info: &[u8]) -> KeyUsages {
    let key = PKey::public_key_from_der(info);
    match key.map(|key| key.id()) {
        Ok(Id::RSA) => KeyUsages::SIGNATURE.or(KeyUsages::KEY_ENCIPHERMENT),
        Ok(Id::EC) => KeyUsages::SIGNATURE.or(KeyUsages::AGREEMENT),
        Ok(Id::X25519 | Id::X448 | Id::DH | Id::DHX) => KeyUsages::AGREEMENT,
        _ => KeyUsages::SIGNATURE,
    }
}

/// The digest that is signed; none with algorithms that sign messages whole.
fn digest(key: &PKey<Private>) -> MessageDigest {
    let bits = key.ec_key().map_or(0, |key| key.group().degree());
    match key.id() {
        Id::RSA | Id::RSA_PSS | Id::DSA => MessageDigest::sha256(),
        Id::EC if bits > 384 => MessageDigest::sha512(),
        Id::EC if bits > 256 => MessageDigest::sha384(),
        Id::EC => MessageDigest::sha256(),
        _ => MessageDigest::null(),
    }
}

/// A key's identifier: the first 160 bits of the SHA-256 of its bits (RFC 7093 §2, method 1).
fn key_identifier(info: &[u8]) -> Result<Vec<u8>> {
    let (_, info) = SubjectPublicKeyInfo::from_der(info).map_err(|_| Error::Request)?;
    let whole = crate::fingerprint(&info.subject_public_key.data);
    Ok(whole.into_iter().take(20).collect())
}

/// A distinguished name (DER) of these parts, each an object identifier and its text, in the order in which names are written: country
/// first, the common name last.
///
/// # Errors
/// [`Error::Name`] if a part has an identifier that KMIP has no attribute for, or is empty.
pub fn distinguished_name<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<u8>> {
    let mut parts: Vec<(usize, Vec<u8>)> = parts
        .into_iter()
        .map(|(oid, text)| name::part(oid, text).ok_or(Error::Name))
        .collect::<Result<_>>()?;
    parts.sort_by_key(|(place, _)| *place);
    let names: Vec<u8> = parts.into_iter().flat_map(|(_, part)| part).collect();
    let name = element(SEQUENCE, &names);
    // What this writes it can read, or it is no name.
    match (X509Name::from_der(&name), Element::only(&name, SEQUENCE)) {
        (Ok(_), Some(_)) => Ok(name),
        _ => Err(Error::Name),
    }
}
