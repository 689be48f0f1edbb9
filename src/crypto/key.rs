//! Private and public keys in the library's form, and what they are.

use super::curve;
use super::error::{CryptoError, internal, or};
use super::native;
use super::post_quantum::{self, Purpose};
use kmip_protocol::{CryptographicAlgorithm, RecommendedCurve};
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private, Public};
use openssl::x509::{X509, X509Req};

/// A private key. The library wipes it when it is dropped.
pub struct PrivateKey(pub(super) PKey<Private>);

/// A public key.
pub struct PublicKey(pub(super) PKey<Public>);

/// The kind of a key, as far as operations tell kinds apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// DSA.
    Dsa,
    /// Diffie-Hellman over a prime field.
    Dh,
    /// A point on a curve; none where KMIP has no name for the curve.
    Ec(Option<RecommendedCurve>),
    /// EdDSA (RFC 8032): Ed25519 or Ed448.
    Edwards(CryptographicAlgorithm),
    /// X25519 or X448 (RFC 7748).
    Montgomery(RecommendedCurve),
    /// A post-quantum signature algorithm.
    PostQuantumSignature(CryptographicAlgorithm),
    /// A post-quantum key encapsulation mechanism.
    Encapsulation(CryptographicAlgorithm),
}

/// What a key's bytes say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFacts {
    /// The algorithm. Keys on curves are EC, whatever their use was called.
    pub algorithm: CryptographicAlgorithm,
    /// The Cryptographic Length in bits.
    pub length: i32,
    /// The curve, where there is one and KMIP has a name for it.
    pub curve: Option<RecommendedCurve>,
}

impl PrivateKey {
    /// The public half.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] if it cannot be told from the private one.
    pub fn public_key(&self) -> Result<PublicKey, CryptoError> {
        let der = self.0.public_key_to_der().map_err(or(CryptoError::BadKey))?;
        PKey::public_key_from_der(&der)
            .map(PublicKey)
            .map_err(or(CryptoError::BadKey))
    }

    /// The kind of key.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if it is none that is known here.
    pub fn kind(&self) -> Result<KeyKind, CryptoError> {
        kind(&self.0)
    }

    /// Algorithm, length and curve.
    ///
    /// # Errors
    /// As [`Self::kind`].
    pub fn facts(&self) -> Result<KeyFacts, CryptoError> {
        facts(&self.0)
    }

    /// Whether this is the private half of that public key.
    #[must_use]
    pub fn matches(&self, public: &PublicKey) -> bool {
        self.0.public_eq(&public.0)
    }
}

impl PublicKey {
    /// The public key in an X.509 certificate.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`].
    pub fn from_certificate(der: &[u8]) -> Result<Self, CryptoError> {
        native::prepare()?;
        let certificate = X509::from_der(der).map_err(or(CryptoError::BadKey))?;
        certificate.public_key().map(Self).map_err(or(CryptoError::BadKey))
    }

    /// The key that a certificate is requested for: PKCS#10, as it is or in PEM. Whether its holder has signed the request is not asked here.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`].
    pub fn from_request(request: &[u8]) -> Result<Self, CryptoError> {
        native::prepare()?;
        let request = X509Req::from_der(request).or_else(|_| X509Req::from_pem(request));
        let key = request.and_then(|request| request.public_key());
        key.map(Self).map_err(or(CryptoError::BadKey))
    }

    /// The kind of key.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if it is none that is known here.
    pub fn kind(&self) -> Result<KeyKind, CryptoError> {
        kind(&self.0)
    }

    /// Algorithm, length and curve.
    ///
    /// # Errors
    /// As [`Self::kind`].
    pub fn facts(&self) -> Result<KeyFacts, CryptoError> {
        facts(&self.0)
    }
}

impl KeyKind {
    /// The algorithm that a key of this kind is said to have.
    #[must_use]
    pub fn algorithm(self) -> CryptographicAlgorithm {
        match self {
            Self::Rsa => CryptographicAlgorithm::RSA,
            Self::Dsa => CryptographicAlgorithm::DSA,
            Self::Dh => CryptographicAlgorithm::DH,
            Self::Ec(_) => CryptographicAlgorithm::EC,
            Self::Montgomery(_) => CryptographicAlgorithm::ECDH,
            Self::Edwards(algorithm) | Self::PostQuantumSignature(algorithm) | Self::Encapsulation(algorithm) => {
                algorithm
            }
        }
    }

    /// Whether a client may call a key of this kind so: EC keys go by the name of their use as well.
    #[must_use]
    pub fn is_called(self, algorithm: CryptographicAlgorithm) -> bool {
        let curve_names = [
            CryptographicAlgorithm::EC,
            CryptographicAlgorithm::ECDSA,
            CryptographicAlgorithm::ECDH,
            CryptographicAlgorithm::ECMQV,
        ];
        match self {
            Self::Ec(_) | Self::Montgomery(_) | Self::Edwards(_) if curve_names.contains(&algorithm) => true,
            _ => self.algorithm() == algorithm,
        }
    }
}

fn kind<T: HasPublic>(key: &PKeyRef<T>) -> Result<KeyKind, CryptoError> {
    Ok(match key.id() {
        Id::RSA | Id::RSA_PSS => KeyKind::Rsa,
        Id::DSA => KeyKind::Dsa,
        Id::DH | Id::DHX => KeyKind::Dh,
        Id::EC => KeyKind::Ec(curve::curve_of(key.ec_key().map_err(internal)?.group().curve_name())),
        Id::ED25519 => KeyKind::Edwards(CryptographicAlgorithm::Ed25519),
        Id::ED448 => KeyKind::Edwards(CryptographicAlgorithm::Ed448),
        Id::X25519 => KeyKind::Montgomery(RecommendedCurve::CURVE25519),
        Id::X448 => KeyKind::Montgomery(RecommendedCurve::CURVE448),
        _ => match post_quantum::row_of(key) {
            Some(row) if row.purpose == Purpose::Signature => KeyKind::PostQuantumSignature(row.algorithm),
            Some(row) => KeyKind::Encapsulation(row.algorithm),
            None => return Err(CryptoError::Unsupported),
        },
    })
}

fn facts<T: HasPublic>(key: &PKeyRef<T>) -> Result<KeyFacts, CryptoError> {
    let kind = kind(key)?;
    let (curve, bits) = match kind {
        KeyKind::Ec(curve) => (curve, key.ec_key().map_err(internal)?.group().degree()),
        KeyKind::Edwards(CryptographicAlgorithm::Ed25519) => (Some(RecommendedCurve::CURVE25519), 256),
        KeyKind::Edwards(_) => (Some(RecommendedCurve::CURVE448), 456),
        KeyKind::Montgomery(curve @ RecommendedCurve::CURVE25519) => (Some(curve), 256),
        KeyKind::Montgomery(curve) => (Some(curve), 448),
        _ => (None, key.bits()),
    };
    let length = i32::try_from(bits).map_err(|_| CryptoError::BadKey)?;
    Ok(KeyFacts {
        algorithm: kind.algorithm(),
        length,
        curve,
    })
}
