//! Private keys that sign certificates and requests.

use crate::error::{Error, Result};
use crate::pem;
use rcgen::{KeyPair, PublicKeyData as _, RsaKeySize};
use zeroize::{Zeroize as _, Zeroizing};

/// What kind of key to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeyKind {
    /// ECDSA on P-256, the default: every TLS library has it.
    #[default]
    P256,
    /// ECDSA on P-384.
    P384,
    /// RSA with 3072 bits, for clients that know nothing else.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// Ed25519.
    Ed25519,
}

/// A private key, wiped when dropped. It is written out only when asked for, in a buffer that wipes itself.
pub struct PrivateKey {
    pair: KeyPair,
}

impl PrivateKey {
    /// A new random key.
    pub fn generate(kind: KeyKind) -> Result<Self> {
        let pair = match kind {
            KeyKind::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyKind::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            KeyKind::Rsa3072 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_3072),
            KeyKind::Rsa4096 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_4096),
            KeyKind::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
        };
        pair.map(|pair| Self { pair }).map_err(|_| Error::Cryptography)
    }

    /// The first private key of a PEM text: PKCS#8, PKCS#1 or SEC 1, unencrypted.
    pub fn from_pem(text: &str) -> Result<Self> {
        let der = pem::private_key(text)?;
        let pair = KeyPair::try_from(der.as_slice()).map_err(|_| Error::PrivateKey)?;
        Ok(Self { pair })
    }

    /// A private key in DER: PKCS#8, as [`PrivateKey::to_der`] gives it.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let pair = KeyPair::try_from(der).map_err(|_| Error::PrivateKey)?;
        Ok(Self { pair })
    }

    /// The key as PKCS#8 in PEM. Whoever asks answers for what becomes of it.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.pair.serialize_pem())
    }

    /// The key as DER: PKCS#8 for keys made here, else the form it was read in.
    #[must_use]
    pub fn to_der(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.pair.serialize_der())
    }

    /// The public key as `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn public_key_info(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }

    pub(crate) const fn pair(&self) -> &KeyPair {
        &self.pair
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.pair.zeroize();
    }
}
