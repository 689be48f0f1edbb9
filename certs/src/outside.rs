//! Keys that sign without being here: in a token or card. Certificates and requests are signed by them as by any other.

use crate::error::{Error, Result};
use crate::key::PrivateKey;
use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

/// A private key that signs, wherever it is.
pub trait Signer: Send + Sync {
    /// The public key as `SubjectPublicKeyInfo`.
    fn public_key_info(&self) -> Vec<u8>;
    /// Signs a message as [`PrivateKey::sign`] does, by the kind of the key.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>>;
}

impl Signer for PrivateKey {
    fn public_key_info(&self) -> Vec<u8> {
        Self::public_key_info(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        Self::sign(self, message)
    }
}

/// The kinds of keys that people sign with, each in one way ([`PrivateKey::sign`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SigningKind {
    /// ECDSA on P-256 with SHA-256.
    P256,
    /// ECDSA on P-384 with SHA-384.
    P384,
    /// RSA PSS with SHA-256.
    Rsa,
    /// Ed25519.
    Ed25519,
}

impl SigningKind {
    /// The kind of a public key (`SubjectPublicKeyInfo`).
    #[must_use]
    pub fn of(info: &[u8]) -> Option<Self> {
        /// RFC 8410 §3.
        const ED25519: &str = "1.3.101.112";
        /// RFC 8017 appendix C.
        const RSA: &str = "1.2.840.113549.1.1.1";
        /// RFC 5480 §2.1.1.1.
        const P256: &str = "1.2.840.10045.3.1.7";
        const P384: &str = "1.3.132.0.34";
        let (_, parsed) = SubjectPublicKeyInfo::from_der(info).ok()?;
        let curve = parsed.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok());
        match parsed.algorithm.algorithm.to_id_string().as_str() {
            ED25519 => Some(Self::Ed25519),
            RSA => Some(Self::Rsa),
            _ => match curve?.to_id_string().as_str() {
                P256 => Some(Self::P256),
                P384 => Some(Self::P384),
                _ => None,
            },
        }
    }
}

/// A signer as certificates are signed with it.
pub(crate) struct Outside<'a> {
    signer: &'a dyn Signer,
    public: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl<'a> Outside<'a> {
    /// Of a key on P-256 or P-384, or Ed25519. With RSA, certificates are signed by another scheme than messages are.
    pub(crate) fn new(signer: &'a dyn Signer) -> Result<Self> {
        let info = signer.public_key_info();
        let (_, parsed) = SubjectPublicKeyInfo::from_der(&info).map_err(|_| Error::PrivateKey)?;
        let algorithm = match SigningKind::of(&info) {
            Some(SigningKind::Ed25519) => &rcgen::PKCS_ED25519,
            Some(SigningKind::P256) => &rcgen::PKCS_ECDSA_P256_SHA256,
            Some(SigningKind::P384) => &rcgen::PKCS_ECDSA_P384_SHA384,
            Some(SigningKind::Rsa) | None => return Err(Error::PrivateKey),
        };
        Ok(Self {
            signer,
            public: parsed.subject_public_key.data.to_vec(),
            algorithm,
        })
    }
}

impl PublicKeyData for Outside<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for Outside<'_> {
    fn sign(&self, message: &[u8]) -> core::result::Result<Vec<u8>, rcgen::Error> {
        self.signer.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CertificateFacts, CertificateRequest, KeyKind, Leaf, Subject, Usage, Validity, read_request};

    #[test]
    fn what_an_outside_key_signed_is_as_good_as_any() {
        let leaf = Leaf {
            subject: Subject::named("alice"),
            alternative_names: Vec::new(),
            usage: Usage::Client,
            validity: Validity::days(1_700_000_000, 1),
        };
        for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
            let key = PrivateKey::generate(kind).unwrap();
            let certificate = leaf.self_signed_by(&key).unwrap();
            let facts = CertificateFacts::read(&certificate).unwrap();
            assert_eq!(facts.public_key.info, key.public_key_info(), "{kind:?}");
            let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(&certificate).unwrap();
            let tbs = parsed.tbs_certificate.as_ref();
            crate::verify_by_holder(&certificate, tbs, &parsed.signature_value.data).unwrap();
            let request = CertificateRequest::create_by(&Subject::named("alice"), &[], &key).unwrap();
            assert_eq!(read_request(&request).unwrap().key_fingerprint, facts.key_fingerprint);
        }
        let rsa = PrivateKey::generate(KeyKind::Rsa3072).unwrap();
        assert!(leaf.self_signed_by(&rsa).is_err());
    }
}
