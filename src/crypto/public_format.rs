//! Public keys between their key formats (KMIP 2.1 §11.25), their compression, and the library's form.

use super::curve;
use super::der;
use super::error::{CryptoError, internal, or};
use super::key::{KeyKind, PublicKey};
use super::native;
use super::number::{from_protocol, is_half_of, to_protocol};
use super::private_format::ReadHints;
use kmip_protocol::{
    CryptographicAlgorithm, KeyCompressionType, KeyFormatType, KeyMaterial, RecommendedCurve, TransparentDHPublicKey,
    TransparentDSAPublicKey, TransparentECPublicKey, TransparentRSAPublicKey,
};
use kmip_ttlv::Secret;
use openssl::bn::BigNumContext;
use openssl::dh::Dh;
use openssl::dsa::Dsa;
use openssl::ec::{EcKey, EcPoint, PointConversionForm};
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;

impl PublicKey {
    /// Reads a public key, compressed or not.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] if the bytes are no such key; [`CryptoError::Unsupported`] for formats that hold no
    /// public keys.
    pub fn read(format: KeyFormatType, material: &KeyMaterial, hints: ReadHints<'_>) -> Result<Self, CryptoError> {
        native::prepare()?;
        let key = match material {
            KeyMaterial::Bytes(bytes) => read_bytes(format, bytes.expose(), hints)?,
            KeyMaterial::TransparentRSAPublicKey(numbers) => {
                let (n, e) = (
                    from_protocol(&numbers.modulus)?,
                    from_protocol(&numbers.public_exponent)?,
                );
                Rsa::from_public_components(n, e)
                    .and_then(PKey::from_rsa)
                    .map_err(or(CryptoError::BadKey))?
            }
            KeyMaterial::TransparentDSAPublicKey(numbers) => dsa(numbers)?,
            KeyMaterial::TransparentDHPublicKey(numbers) => dh(numbers)?,
            KeyMaterial::TransparentECPublicKey(numbers) => point(numbers.recommended_curve, &numbers.q_string)?,
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

    /// Writes it in a format. Compression means points of elliptic curves and nothing to other keys.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if the format does not hold such keys, or the compression is not that of the curve's
    /// field.
    pub fn write(
        &self,
        format: KeyFormatType,
        compression: Option<KeyCompressionType>,
    ) -> Result<KeyMaterial, CryptoError> {
        let unsupported = or(CryptoError::Unsupported);
        let bytes = |der: Vec<u8>| Ok(KeyMaterial::Bytes(Secret::new(der)));
        match (format, self.kind()?) {
            (KeyFormatType::X_509 | KeyFormatType::PKCS_8, KeyKind::Ec(_)) if compression.is_some() => {
                let uncompressed = self.0.public_key_to_der().map_err(internal)?;
                bytes(der::replace_key(&uncompressed, &self.point(compression)?)?)
            }
            (KeyFormatType::X_509 | KeyFormatType::PKCS_8, _) => bytes(self.0.public_key_to_der().map_err(internal)?),
            (KeyFormatType::PKCS_1, KeyKind::Rsa) => bytes(
                self.0
                    .rsa()
                    .and_then(|key| key.public_key_to_der_pkcs1())
                    .map_err(internal)?,
            ),
            (KeyFormatType::Raw, KeyKind::Ec(_)) => bytes(self.point(compression)?),
            (KeyFormatType::Raw, KeyKind::Rsa | KeyKind::Dsa | KeyKind::Dh) => Err(CryptoError::Unsupported),
            (KeyFormatType::Raw, _) => bytes(self.0.raw_public_key().map_err(unsupported)?),
            (KeyFormatType::TransparentRSAPublicKey, KeyKind::Rsa) => {
                let key = self.0.rsa().map_err(internal)?;
                Ok(KeyMaterial::TransparentRSAPublicKey(Box::new(
                    TransparentRSAPublicKey {
                        modulus: to_protocol(key.n()),
                        public_exponent: to_protocol(key.e()),
                    },
                )))
            }
            (KeyFormatType::TransparentDSAPublicKey, KeyKind::Dsa) => {
                let key = self.0.dsa().map_err(internal)?;
                Ok(KeyMaterial::TransparentDSAPublicKey(Box::new(
                    TransparentDSAPublicKey {
                        p: to_protocol(key.p()),
                        q: to_protocol(key.q()),
                        g: to_protocol(key.g()),
                        y: to_protocol(key.pub_key()),
                    },
                )))
            }
            (KeyFormatType::TransparentDHPublicKey, KeyKind::Dh) => {
                let key = self.0.dh().map_err(internal)?;
                Ok(KeyMaterial::TransparentDHPublicKey(Box::new(TransparentDHPublicKey {
                    p: to_protocol(key.prime_p()),
                    q: key.prime_q().map(to_protocol),
                    g: to_protocol(key.generator()),
                    j: None,
                    y: to_protocol(key.public_key()),
                })))
            }
            (
                KeyFormatType::TransparentECPublicKey
                | KeyFormatType::TransparentECDSAPublicKey
                | KeyFormatType::TransparentECDHPublicKey
                | KeyFormatType::TransparentECMQVPublicKey,
                KeyKind::Ec(Some(recommended_curve)),
            ) => {
                let q_string = self.point(compression)?;
                Ok(KeyMaterial::TransparentECPublicKey(Box::new(TransparentECPublicKey {
                    recommended_curve,
                    q_string,
                })))
            }
            _ => Err(CryptoError::Unsupported),
        }
    }

    /// The point in bytes (SEC 1 §2.3.3).
    fn point(&self, compression: Option<KeyCompressionType>) -> Result<Vec<u8>, CryptoError> {
        let key = self.0.ec_key().map_err(internal)?;
        let is_prime = key.group().curve_name().map(curve::is_over_prime_field);
        let form = match compression {
            None | Some(KeyCompressionType::ECPublicKeyTypeUncompressed) => PointConversionForm::UNCOMPRESSED,
            Some(KeyCompressionType::ECPublicKeyTypeX9_62CompressedPrime) if is_prime != Some(false) => {
                PointConversionForm::COMPRESSED
            }
            Some(KeyCompressionType::ECPublicKeyTypeX9_62CompressedChar2) if is_prime != Some(true) => {
                PointConversionForm::COMPRESSED
            }
            Some(KeyCompressionType::ECPublicKeyTypeX9_62Hybrid) => PointConversionForm::HYBRID,
            Some(_) => return Err(CryptoError::Unsupported),
        };
        let mut context = BigNumContext::new().map_err(internal)?;
        key.public_key()
            .to_bytes(key.group(), form, &mut context)
            .map_err(internal)
    }
}

fn read_bytes(format: KeyFormatType, bytes: &[u8], hints: ReadHints<'_>) -> Result<PKey<Public>, CryptoError> {
    match format {
        KeyFormatType::PKCS_1 => pkcs1(bytes),
        KeyFormatType::X_509 | KeyFormatType::PKCS_8 => info(bytes),
        KeyFormatType::Raw => raw(bytes, hints),
        KeyFormatType::Opaque => info(bytes).or_else(|_| pkcs1(bytes)),
        _ => Err(CryptoError::Unsupported),
    }
}

fn pkcs1(der: &[u8]) -> Result<PKey<Public>, CryptoError> {
    Rsa::public_key_from_der_pkcs1(der)
        .and_then(PKey::from_rsa)
        .map_err(or(CryptoError::BadKey))
}

fn info(der: &[u8]) -> Result<PKey<Public>, CryptoError> {
    PKey::public_key_from_der(der).map_err(or(CryptoError::BadKey))
}

fn raw(bytes: &[u8], hints: ReadHints<'_>) -> Result<PKey<Public>, CryptoError> {
    let id = match (hints.algorithm, hints.curve) {
        (Some(CryptographicAlgorithm::RSA), _) => return pkcs1(bytes).or_else(|_| info(bytes)),
        (Some(CryptographicAlgorithm::Ed25519), _) => Id::ED25519,
        (Some(CryptographicAlgorithm::Ed448), _) => Id::ED448,
        (Some(CryptographicAlgorithm::ECDSA), Some(RecommendedCurve::CURVE25519)) => Id::ED25519,
        (Some(CryptographicAlgorithm::ECDSA), Some(RecommendedCurve::CURVE448)) => Id::ED448,
        (_, Some(RecommendedCurve::CURVE25519)) => Id::X25519,
        (_, Some(RecommendedCurve::CURVE448)) => Id::X448,
        (_, Some(curve)) => return point(curve, bytes),
        _ => return info(bytes),
    };
    PKey::public_key_from_raw_bytes(bytes, id).map_err(or(CryptoError::BadKey))
}

fn dsa(numbers: &TransparentDSAPublicKey) -> Result<PKey<Public>, CryptoError> {
    let (p, q, g) = (
        from_protocol(&numbers.p)?,
        from_protocol(&numbers.q)?,
        from_protocol(&numbers.g)?,
    );
    let y = from_protocol(&numbers.y)?;
    Dsa::from_public_components(p, q, g, y)
        .and_then(PKey::from_dsa)
        .map_err(or(CryptoError::BadKey))
}

fn dh(numbers: &TransparentDHPublicKey) -> Result<PKey<Public>, CryptoError> {
    let bad = or(CryptoError::BadKey);
    let (p, g, y) = (
        from_protocol(&numbers.p)?,
        from_protocol(&numbers.g)?,
        from_protocol(&numbers.y)?,
    );
    let q = numbers.q.as_ref().map(from_protocol).transpose()?;
    // The library keeps groups of safe primes and groups with an order apart.
    let q = match q {
        Some(q) if is_half_of(&q, &p)? => None,
        other => other,
    };
    let has_order = q.is_some();
    let key = Dh::from_pqg(p, q, g)
        .and_then(|group| group.set_public_key(y))
        .map_err(&bad)?;
    if has_order {
        PKey::from_dhx(key)
    } else {
        PKey::from_dh(key)
    }
    .map_err(bad)
}

fn point(curve: RecommendedCurve, bytes: &[u8]) -> Result<PKey<Public>, CryptoError> {
    let bad = or(CryptoError::BadKey);
    let id = match curve {
        RecommendedCurve::CURVE25519 => Id::X25519,
        RecommendedCurve::CURVE448 => Id::X448,
        _ => {
            let group = curve::group(curve)?;
            let mut context = BigNumContext::new().map_err(internal)?;
            let point = EcPoint::from_bytes(&group, bytes, &mut context).map_err(&bad)?;
            let key = EcKey::from_public_key(&group, &point).map_err(&bad)?;
            key.check_key().map_err(&bad)?;
            return PKey::from_ec_key(key).map_err(bad);
        }
    };
    PKey::public_key_from_raw_bytes(bytes, id).map_err(bad)
}
