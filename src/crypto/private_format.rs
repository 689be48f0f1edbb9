//! Private keys between their key formats (KMIP 2.1 §11.25) and the library's form.

use super::curve;
use super::der;
use super::error::{CryptoError, internal, or};
use super::key::{KeyKind, PrivateKey};
use super::native;
use super::number::{RsaNumbers, from_protocol, is_half_of, power, to_protocol};
use kmip_protocol::{
    CryptographicAlgorithm, KeyFormatType, KeyMaterial, RecommendedCurve, TransparentDHPrivateKey,
    TransparentDSAPrivateKey, TransparentECPrivateKey, TransparentRSAPrivateKey,
};
use kmip_ttlv::Secret;
use openssl::bn::BigNum;
use openssl::dh::Dh;
use openssl::dsa::Dsa;
use openssl::ec::{EcKey, EcPoint};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;

/// The longest encoded private key that is read, in bytes: an RSA key of 8192 bits or one of ML-DSA-87 fits. Reading some kinds
/// computes with their numbers, which a client chooses.
const MOST_ENCODED: usize = 6 * 1024;

/// What helps to read a private key beside its bytes.
#[derive(Clone, Copy, Default)]
pub struct ReadHints<'a> {
    /// The algorithm that the key is said to have. Raw bytes need it.
    pub algorithm: Option<CryptographicAlgorithm>,
    /// The curve that it is said to be on. Raw bytes of EC keys need it.
    pub curve: Option<RecommendedCurve>,
    /// The password of encrypted PKCS#8 and of PKCS#12.
    pub password: Option<&'a Secret>,
}

impl PrivateKey {
    /// Reads a private key.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] if the bytes are no such key; [`CryptoError::BadParameters`] if it is encrypted and there
    /// is no password; [`CryptoError::Failed`] if the password is wrong; [`CryptoError::Unsupported`] for formats that
    /// hold no private keys.
    pub fn read(format: KeyFormatType, material: &KeyMaterial, hints: ReadHints<'_>) -> Result<Self, CryptoError> {
        native::prepare()?;
        let key = match material {
            KeyMaterial::Bytes(bytes) => read_bytes(format, bytes, hints)?,
            KeyMaterial::TransparentRSAPrivateKey(numbers) => rsa(numbers)?,
            KeyMaterial::TransparentDSAPrivateKey(numbers) => dsa(numbers)?,
            KeyMaterial::TransparentDHPrivateKey(numbers) => dh(numbers)?,
            KeyMaterial::TransparentECPrivateKey(numbers) => {
                on_curve(numbers.recommended_curve, &from_protocol(&numbers.d)?)?
            }
            _ => return Err(CryptoError::Unsupported),
        };
        let key = Self(key);
        if hints
            .algorithm
            .is_some_and(|named| !key.kind().is_ok_and(|kind| kind.is_called(named)))
        {
            return Err(CryptoError::BadKey);
        }
        Ok(key)
    }

    /// Writes it in a format.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if the format does not hold such keys. PKCS#12 needs certificates and a password:
    /// see [`super::certificate`].
    pub fn write(&self, format: KeyFormatType) -> Result<KeyMaterial, CryptoError> {
        let unsupported = or(CryptoError::Unsupported);
        let bytes = |der: Vec<u8>| Ok(KeyMaterial::Bytes(Secret::new(der)));
        match (format, self.kind()?) {
            (KeyFormatType::PKCS_8, _) => bytes(self.0.private_key_to_pkcs8().map_err(internal)?),
            (KeyFormatType::PKCS_1, KeyKind::Rsa) => bytes(
                self.0
                    .rsa()
                    .and_then(|key| key.private_key_to_der())
                    .map_err(internal)?,
            ),
            (KeyFormatType::ECPrivateKey, KeyKind::Ec(_)) => bytes(
                self.0
                    .ec_key()
                    .and_then(|key| key.private_key_to_der())
                    .map_err(internal)?,
            ),
            (KeyFormatType::Raw, KeyKind::Ec(_)) => {
                let key = self.0.ec_key().map_err(internal)?;
                let width = i32::try_from(key.group().order_bits().div_ceil(8)).map_err(|_| CryptoError::Internal)?;
                bytes(key.private_key().to_vec_padded(width).map_err(internal)?)
            }
            (
                KeyFormatType::Raw,
                KeyKind::Edwards(_)
                | KeyKind::Montgomery(_)
                | KeyKind::PostQuantumSignature(_)
                | KeyKind::Encapsulation(_),
            ) => bytes(self.0.raw_private_key().map_err(unsupported)?),
            (KeyFormatType::TransparentRSAPrivateKey, KeyKind::Rsa) => self.transparent_rsa(),
            (KeyFormatType::TransparentDSAPrivateKey, KeyKind::Dsa) => {
                let key = self.0.dsa().map_err(internal)?;
                Ok(KeyMaterial::TransparentDSAPrivateKey(Box::new(
                    TransparentDSAPrivateKey {
                        p: to_protocol(key.p()),
                        q: to_protocol(key.q()),
                        g: to_protocol(key.g()),
                        x: to_protocol(key.priv_key()),
                    },
                )))
            }
            (KeyFormatType::TransparentDHPrivateKey, KeyKind::Dh) => {
                let key = self.0.dh().map_err(internal)?;
                Ok(KeyMaterial::TransparentDHPrivateKey(Box::new(
                    TransparentDHPrivateKey {
                        p: to_protocol(key.prime_p()),
                        q: key.prime_q().map(to_protocol),
                        g: to_protocol(key.generator()),
                        j: None,
                        x: to_protocol(key.private_key()),
                    },
                )))
            }
            (
                KeyFormatType::TransparentECPrivateKey
                | KeyFormatType::TransparentECDSAPrivateKey
                | KeyFormatType::TransparentECDHPrivateKey
                | KeyFormatType::TransparentECMQVPrivateKey,
                KeyKind::Ec(Some(recommended_curve)),
            ) => {
                let d = to_protocol(self.0.ec_key().map_err(internal)?.private_key());
                Ok(KeyMaterial::TransparentECPrivateKey(Box::new(
                    TransparentECPrivateKey { recommended_curve, d },
                )))
            }
            _ => Err(CryptoError::Unsupported),
        }
    }

    fn transparent_rsa(&self) -> Result<KeyMaterial, CryptoError> {
        let key = self.0.rsa().map_err(internal)?;
        Ok(KeyMaterial::TransparentRSAPrivateKey(Box::new(
            TransparentRSAPrivateKey {
                modulus: to_protocol(key.n()),
                private_exponent: Some(to_protocol(key.d())),
                public_exponent: Some(to_protocol(key.e())),
                p: key.p().map(to_protocol),
                q: key.q().map(to_protocol),
                prime_exponent_p: key.dmp1().map(to_protocol),
                prime_exponent_q: key.dmq1().map(to_protocol),
                crt_coefficient: key.iqmp().map(to_protocol),
            },
        )))
    }
}

fn read_bytes(format: KeyFormatType, bytes: &Secret, hints: ReadHints<'_>) -> Result<PKey<Private>, CryptoError> {
    let der = bytes.expose();
    // A PKCS#12 bundle has certificates in it too.
    if der.len() > MOST_ENCODED && format != KeyFormatType::PKCS_12 {
        return Err(CryptoError::Unsupported);
    }
    match format {
        KeyFormatType::PKCS_1 => pkcs1(der),
        KeyFormatType::PKCS_8 => pkcs8(der, hints.password),
        KeyFormatType::ECPrivateKey => sec1(der),
        KeyFormatType::PKCS_12 => pkcs12(der, hints.password),
        KeyFormatType::Raw => raw(der, hints),
        // Not said what it is: whatever it turns out to be.
        KeyFormatType::Opaque => pkcs8(der, hints.password)
            .or_else(|_| pkcs1(der))
            .or_else(|_| sec1(der)),
        _ => Err(CryptoError::Unsupported),
    }
}

fn pkcs1(der: &[u8]) -> Result<PKey<Private>, CryptoError> {
    Rsa::private_key_from_der(der)
        .and_then(PKey::from_rsa)
        .map_err(or(CryptoError::BadKey))
}

fn sec1(der: &[u8]) -> Result<PKey<Private>, CryptoError> {
    EcKey::private_key_from_der(der)
        .and_then(PKey::from_ec_key)
        .map_err(or(CryptoError::BadKey))
}

fn pkcs8(der: &[u8], password: Option<&Secret>) -> Result<PKey<Private>, CryptoError> {
    if !der::is_encrypted_private_key(der) {
        return PKey::private_key_from_pkcs8(der).map_err(or(CryptoError::BadKey));
    }
    let password = c_string(password.ok_or(CryptoError::BadParameters)?)?;
    PKey::private_key_from_pkcs8_passphrase(der, password).map_err(or(CryptoError::Failed))
}

fn pkcs12(der: &[u8], password: Option<&Secret>) -> Result<PKey<Private>, CryptoError> {
    let bundle = Pkcs12::from_der(der).map_err(or(CryptoError::BadKey))?;
    let password = c_string(password.ok_or(CryptoError::BadParameters)?)?;
    let password = core::str::from_utf8(password).map_err(|_| CryptoError::BadParameters)?;
    let parts = bundle.parse2(password).map_err(or(CryptoError::Failed))?;
    parts.pkey.ok_or(CryptoError::BadKey)
}

/// A password that the library can take as a C string.
pub(super) fn c_string(password: &Secret) -> Result<&[u8], CryptoError> {
    let bytes = password.expose();
    if bytes.contains(&0) {
        Err(CryptoError::BadParameters)
    } else {
        Ok(bytes)
    }
}

/// Raw bytes mean what the algorithm has as its own: a scalar, a seed. RSA has none; PKCS#1 comes closest.
fn raw(bytes: &[u8], hints: ReadHints<'_>) -> Result<PKey<Private>, CryptoError> {
    let bad = or(CryptoError::BadKey);
    let id = match (hints.algorithm, hints.curve) {
        (Some(CryptographicAlgorithm::RSA), _) => return pkcs1(bytes).or_else(|_| pkcs8(bytes, None)),
        (Some(CryptographicAlgorithm::Ed25519), _) => Id::ED25519,
        (Some(CryptographicAlgorithm::Ed448), _) => Id::ED448,
        (Some(CryptographicAlgorithm::ECDSA), Some(RecommendedCurve::CURVE25519)) => Id::ED25519,
        (Some(CryptographicAlgorithm::ECDSA), Some(RecommendedCurve::CURVE448)) => Id::ED448,
        (_, Some(RecommendedCurve::CURVE25519)) => Id::X25519,
        (_, Some(RecommendedCurve::CURVE448)) => Id::X448,
        (_, Some(curve)) => return on_curve(curve, &BigNum::from_slice(bytes).map_err(internal)?),
        // A key that says itself what it is.
        _ => return pkcs8(bytes, None).or_else(|_| sec1(bytes)),
    };
    PKey::private_key_from_raw_bytes(bytes, id).map_err(bad)
}

fn rsa(numbers: &TransparentRSAPrivateKey) -> Result<PKey<Private>, CryptoError> {
    let optional = |number: &Option<_>| number.as_ref().map(from_protocol).transpose();
    let key = RsaNumbers {
        modulus: from_protocol(&numbers.modulus)?,
        public_exponent: optional(&numbers.public_exponent)?,
        private_exponent: optional(&numbers.private_exponent)?,
        p: optional(&numbers.p)?,
        q: optional(&numbers.q)?,
    }
    .complete()?;
    PKey::from_rsa(key).map_err(internal)
}

fn dsa(numbers: &TransparentDSAPrivateKey) -> Result<PKey<Private>, CryptoError> {
    let (p, q, g) = (
        from_protocol(&numbers.p)?,
        from_protocol(&numbers.q)?,
        from_protocol(&numbers.g)?,
    );
    let x = from_protocol(&numbers.x)?;
    let y = power(&g, &x, &p)?;
    Dsa::from_private_components(p, q, g, x, y)
        .and_then(PKey::from_dsa)
        .map_err(or(CryptoError::BadKey))
}

fn dh(numbers: &TransparentDHPrivateKey) -> Result<PKey<Private>, CryptoError> {
    let bad = or(CryptoError::BadKey);
    let (p, g) = (from_protocol(&numbers.p)?, from_protocol(&numbers.g)?);
    let q = numbers.q.as_ref().map(from_protocol).transpose()?;
    // The library keeps groups of safe primes and groups with an order apart.
    let q = match q {
        Some(q) if is_half_of(&q, &p)? => None,
        other => other,
    };
    let x = from_protocol(&numbers.x)?;
    let y = power(&g, &x, &p)?;
    let has_order = q.is_some();
    let key = Dh::from_pqg(p, q, g)
        .and_then(|group| group.set_key(y, x))
        .map_err(&bad)?;
    if has_order {
        PKey::from_dhx(key)
    } else {
        PKey::from_dh(key)
    }
    .map_err(bad)
}

fn on_curve(curve: RecommendedCurve, d: &BigNum) -> Result<PKey<Private>, CryptoError> {
    let bad = or(CryptoError::BadKey);
    let group = curve::group(curve)?;
    let mut context = openssl::bn::BigNumContext::new_secure().map_err(internal)?;
    let mut point = EcPoint::new(&group).map_err(internal)?;
    point.mul_generator2(&group, d, &mut context).map_err(&bad)?;
    let key = EcKey::from_private_components(&group, d, &point).map_err(&bad)?;
    key.check_key().map_err(&bad)?;
    PKey::from_ec_key(key).map_err(bad)
}
