//! Signing with the key of a certificate: what a person's vote or proof of possession is signed with.

use crate::error::{Error, Result};
use crate::key::PrivateKey;
use openssl::ec::EcKeyRef;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};

/// Curves of more bits than these are signed on with SHA-384 instead of SHA-256.
const SMALL_CURVE_BITS: i32 = 256;

impl PrivateKey {
    /// Signs a message: ECDSA (DER) with SHA-256 or, on curves above 256 bits, SHA-384; RSA PSS with SHA-256 and a salt as long as
    /// the digest (RFC 8017); or Ed25519 (RFC 8032). [`crate::verify_signature`] checks it with the certificate.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let key = PKey::private_key_from_der(&self.to_der()).map_err(|_| Error::PrivateKey)?;
        signature(&key, message).map_err(|_| Error::Cryptography)
    }
}

fn signature(key: &PKey<Private>, message: &[u8]) -> core::result::Result<Vec<u8>, openssl::error::ErrorStack> {
    match key.id() {
        Id::ED25519 => Signer::new_without_digest(key)?.sign_oneshot_to_vec(message),
        Id::RSA | Id::RSA_PSS => {
            let mut signer = Signer::new(MessageDigest::sha256(), key)?;
            signer.set_rsa_padding(Padding::PKCS1_PSS)?;
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
            signer.set_rsa_mgf1_md(MessageDigest::sha256())?;
            signer.sign_oneshot_to_vec(message)
        }
        _ => {
            let bits = key.ec_key().as_deref().map_or(0, curve_bits);
            let digest = if bits > SMALL_CURVE_BITS {
                MessageDigest::sha384()
            } else {
                MessageDigest::sha256()
            };
            Signer::new(digest, key)?.sign_oneshot_to_vec(message)
        }
    }
}

fn curve_bits(key: &EcKeyRef<Private>) -> i32 {
    i32::try_from(key.group().degree()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use crate::{ChainError, KeyKind, Leaf, PrivateKey, Subject, Usage, Validity, verify_signature};

    #[test]
    fn the_certificate_verifies_what_its_key_signed() {
        let algorithms = [
            webpki::aws_lc_rs::ECDSA_P256_SHA256,
            webpki::aws_lc_rs::ECDSA_P384_SHA384,
            webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            webpki::aws_lc_rs::ED25519,
        ];
        for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa3072, KeyKind::Ed25519] {
            let leaf = Leaf {
                subject: Subject::named("alice"),
                alternative_names: Vec::new(),
                usage: Usage::Client,
                validity: Validity::days(1_700_000_000, 1),
            };
            let (certificate, key) = leaf.self_signed(kind).unwrap();
            // As it comes out of a file.
            let key = PrivateKey::from_pem(&key.to_pem()).unwrap();
            let signature = key.sign(b"yes").unwrap();
            verify_signature(&certificate, &algorithms, b"yes", &signature).unwrap();
            let refused = verify_signature(&certificate, &algorithms, b"no", &signature);
            assert_eq!(refused.unwrap_err(), ChainError::Signature, "{kind:?}");
        }
    }
}
