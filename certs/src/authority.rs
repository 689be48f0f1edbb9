//! Certificate authorities: make one, issue certificates and revocation lists with it.

use crate::crl::Revocation;
use crate::error::{Error, Result};
use crate::facts::{CertificateFacts, alternative_name};
use crate::key::{KeyKind, PrivateKey};
use crate::name::{AlternativeName, Subject};
use crate::outside::{Outside, Signer};
use crate::pem;
use pki_types::{CertificateDer, CertificateSigningRequestDer};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, RevokedCertParams,
    SerialNumber,
};
use time::OffsetDateTime;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509CertificationRequest};

/// Bytes of a random serial number: 128 bits of which RFC 5280 §4.1.2.2 allows 20 bytes.
const SERIAL_LENGTH: usize = 16;

/// From when until when, in seconds since 1970, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// First second.
    pub not_before: i64,
    /// Last second.
    pub not_after: i64,
}

impl Validity {
    /// From a little before `now` (clocks differ) for this many days.
    #[must_use]
    pub const fn days(now: i64, days: u32) -> Self {
        /// Seconds by which the beginning is dated back.
        const SKEW: i64 = 300;
        /// Seconds of a day.
        const DAY: i64 = 86_400;
        #[allow(clippy::as_conversions)] // widening, in a const fn
        let days = days as i64;
        Self {
            not_before: now.saturating_sub(SKEW),
            not_after: now.saturating_add(days * DAY),
        }
    }

    fn dates(self) -> Result<(OffsetDateTime, OffsetDateTime)> {
        if self.not_after < self.not_before {
            return Err(Error::Validity);
        }
        Ok((date(self.not_before)?, date(self.not_after)?))
    }
}

fn date(seconds: i64) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| Error::Validity)
}

/// What a certificate is for, in TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    /// A TLS client.
    Client,
    /// A TLS server.
    Server,
    /// Both.
    Both,
}

/// What an end-entity certificate shall say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// Its subject.
    pub subject: Subject,
    /// Its Subject Alternative Names.
    pub alternative_names: Vec<AlternativeName>,
    /// What it is for.
    pub usage: Usage,
    /// Its validity.
    pub validity: Validity,
}

/// A certificate with its key: an authority that can issue.
pub struct CertificateAuthority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, OwnedKey>,
}

/// The key behind the issuer. It is wiped by [`PrivateKey`]'s drop.
struct OwnedKey(PrivateKey);

impl PublicKeyData for OwnedKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.pair().der_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        PublicKeyData::algorithm(self.0.pair())
    }
}

impl rcgen::SigningKey for OwnedKey {
    fn sign(&self, message: &[u8]) -> core::result::Result<Vec<u8>, rcgen::Error> {
        self.0.pair().sign(message)
    }
}

impl CertificateAuthority {
    /// A new self-signed authority that issues end-entity certificates only.
    pub fn create(subject: &Subject, validity: Validity, kind: KeyKind) -> Result<Self> {
        let key = PrivateKey::generate(kind)?;
        let params = authority_params(subject, validity)?;
        let certificate = params.self_signed(key.pair()).map_err(|_| Error::Cryptography)?;
        Ok(Self {
            certificate: certificate.der().to_vec(),
            issuer: Issuer::new(params, OwnedKey(key)),
        })
    }

    /// An authority below this one, which issues end-entity certificates only; needs an authority that
    /// [`CertificateAuthority::load`] brought in, or whose path length allows it.
    pub fn create_subordinate(&self, subject: &Subject, validity: Validity, kind: KeyKind) -> Result<Self> {
        let key = PrivateKey::generate(kind)?;
        let params = authority_params(subject, validity)?;
        let certificate = params
            .signed_by(key.pair(), &self.issuer)
            .map_err(|_| Error::Cryptography)?;
        Ok(Self {
            certificate: certificate.der().to_vec(),
            issuer: Issuer::new(params, OwnedKey(key)),
        })
    }

    /// An authority from its certificate and key in PEM.
    pub fn load(certificate_pem: &str, key_pem: &str) -> Result<Self> {
        let certificate = pem::certificates(certificate_pem)?
            .into_iter()
            .next()
            .ok_or(Error::Pem)?;
        Self::join(certificate, PrivateKey::from_pem(key_pem)?)
    }

    /// An authority from its certificate and key in DER (PKCS#8).
    pub fn from_der(certificate: &[u8], key: &[u8]) -> Result<Self> {
        Self::join(certificate.to_vec(), PrivateKey::from_der(key)?)
    }

    fn join(certificate: Vec<u8>, key: PrivateKey) -> Result<Self> {
        let facts = CertificateFacts::read(&certificate)?;
        if !facts.is_authority {
            return Err(Error::NotAuthority);
        }
        if facts.public_key.info != key.public_key_info() {
            return Err(Error::KeyMismatch);
        }
        let der = CertificateDer::from(certificate.as_slice());
        let issuer = Issuer::from_ca_cert_der(&der, OwnedKey(key)).map_err(|_| Error::Certificate)?;
        Ok(Self { certificate, issuer })
    }

    /// The authority's own certificate, as DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The authority's private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.issuer.key().0
    }

    /// A certificate for a new key, which is returned with it: (DER, key).
    pub fn issue(&self, leaf: &Leaf, kind: KeyKind) -> Result<(Vec<u8>, PrivateKey)> {
        let key = PrivateKey::generate(kind)?;
        Ok((self.issue_for(leaf, key.pair())?, key))
    }

    /// A certificate for the key of a request (DER), whose signature is checked. The request contributes its public
    /// key alone: what the certificate says is decided by `leaf`, never by the one who asks.
    pub fn issue_for_request(&self, leaf: &Leaf, request: &[u8]) -> Result<Vec<u8>> {
        let request = CertificateSigningRequestDer::from(request);
        let request = CertificateSigningRequestParams::from_der(&request).map_err(|_| Error::Request)?;
        self.issue_for(leaf, &request.public_key)
    }

    fn issue_for(&self, leaf: &Leaf, key: &impl PublicKeyData) -> Result<Vec<u8>> {
        let mut params = leaf_params(leaf)?;
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(key, &self.issuer).map_err(|_| Error::Cryptography)?;
        Ok(certificate.der().to_vec())
    }

    /// A revocation list (DER) with this number, which grows with each list.
    pub fn revocation_list(
        &self,
        number: u64,
        this_update: i64,
        next_update: i64,
        revoked: &[Revocation],
    ) -> Result<Vec<u8>> {
        let entries = revoked.iter().map(|entry| {
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&entry.serial),
                revocation_time: date(entry.time)?,
                reason_code: Some(entry.reason.to_rcgen()),
                invalidity_date: None,
            })
        });
        let params = CertificateRevocationListParams {
            this_update: date(this_update)?,
            next_update: date(next_update)?,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: entries.collect::<Result<_>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).map_err(|_| Error::Cryptography)?;
        Ok(list.der().to_vec())
    }
}

impl Leaf {
    /// A self-signed certificate with a new key: for a client that is registered by its exact certificate.
    pub fn self_signed(&self, kind: KeyKind) -> Result<(Vec<u8>, PrivateKey)> {
        let key = PrivateKey::generate(kind)?;
        let certificate = leaf_params(self)?
            .self_signed(key.pair())
            .map_err(|_| Error::Cryptography)?;
        Ok((certificate.der().to_vec(), key))
    }

    /// A self-signed certificate for a key that is elsewhere; on a curve, not RSA.
    pub fn self_signed_by(&self, signer: &dyn Signer) -> Result<Vec<u8>> {
        let certificate = leaf_params(self)?.self_signed(&Outside::new(signer)?);
        Ok(certificate.map_err(|_| Error::Cryptography)?.der().to_vec())
    }
}

fn authority_params(subject: &Subject, validity: Validity) -> Result<CertificateParams> {
    let mut params = base_params(subject, validity)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn leaf_params(leaf: &Leaf) -> Result<CertificateParams> {
    let mut params = base_params(&leaf.subject, leaf.validity)?;
    params.subject_alt_names = leaf
        .alternative_names
        .iter()
        .map(AlternativeName::to_san)
        .collect::<Result<_>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = match leaf.usage {
        Usage::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
        Usage::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
        Usage::Both => vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth],
    };
    Ok(params)
}

fn base_params(subject: &Subject, validity: Validity) -> Result<CertificateParams> {
    let (not_before, not_after) = validity.dates()?;
    let mut params = CertificateParams::default();
    params.not_before = not_before;
    params.not_after = not_after;
    params.distinguished_name = subject.to_distinguished_name();
    params.serial_number = Some(random_serial()?);
    Ok(params)
}

/// A random serial number, positive and of full length.
fn random_serial() -> Result<SerialNumber> {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0_u8; SERIAL_LENGTH];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::Cryptography)?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7F) | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}

/// Making certificate requests (RFC 2986).
pub struct CertificateRequest;

impl CertificateRequest {
    /// A request (DER) for this subject and these names, signed by the key.
    pub fn create(subject: &Subject, names: &[AlternativeName], key: &PrivateKey) -> Result<Vec<u8>> {
        let pair: &KeyPair = key.pair();
        let request = request_params(subject, names)?.serialize_request(pair);
        Ok(request.map_err(|_| Error::Cryptography)?.der().to_vec())
    }

    /// The same for a key that is elsewhere; on a curve, not RSA.
    pub fn create_by(subject: &Subject, names: &[AlternativeName], signer: &dyn Signer) -> Result<Vec<u8>> {
        let request = request_params(subject, names)?.serialize_request(&Outside::new(signer)?);
        Ok(request.map_err(|_| Error::Cryptography)?.der().to_vec())
    }
}

fn request_params(subject: &Subject, names: &[AlternativeName]) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject.to_distinguished_name();
    params.subject_alt_names = names.iter().map(AlternativeName::to_san).collect::<Result<_>>()?;
    Ok(params)
}

/// What a certificate request asks for, once its signature was found good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestFacts {
    /// The subject in text.
    pub subject: String,
    /// The subject's Common Names.
    pub common_names: Vec<String>,
    /// The alternative names asked for.
    pub alternative_names: Vec<AlternativeName>,
    /// SHA-256 of the `SubjectPublicKeyInfo`.
    pub key_fingerprint: [u8; 32],
}

/// Reads a certificate request (DER) and checks that its key signed it.
pub fn read_request(der: &[u8]) -> Result<RequestFacts> {
    let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| Error::Request)?;
    if !rest.is_empty() {
        return Err(Error::Request);
    }
    // The same check that issuing makes: signature by a key of a kind that can be certified here.
    CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(der)).map_err(|_| Error::Request)?;
    let info = &request.certification_request_info;
    let mut names = Vec::new();
    for extension in request.requested_extensions().into_iter().flatten() {
        if let ParsedExtension::SubjectAlternativeName(list) = extension {
            names.extend(list.general_names.iter().filter_map(alternative_name));
        }
    }
    let common_names = info.subject.iter_common_name().filter_map(|a| a.as_str().ok());
    Ok(RequestFacts {
        subject: info.subject.to_string(),
        common_names: common_names.map(str::to_owned).collect(),
        alternative_names: names,
        key_fingerprint: crate::fingerprint(info.subject_pki.raw),
    })
}
