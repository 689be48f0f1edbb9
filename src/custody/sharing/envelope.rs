//! Shares on their way to their holders: HPKE (RFC 9180) in base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. The key is of
//! a curve on which one can also sign, so that its holder can show that it is his.

use crate::custody::error::CustodyError;
use kmip_ttlv::Secret;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

/// What the SubjectPublicKeyInfo of a point of P-256 begins with (RFC 5480).
const POINT_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Bytes of an uncompressed point.
const POINT: usize = 65;
/// Bytes of a private key.
const SCALAR: i32 = 32;

/// What a share is encrypted to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareKey([u8; POINT]);

impl ShareKey {
    /// From a SubjectPublicKeyInfo (DER): an uncompressed point of P-256 that is on the curve.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] for anything else.
    pub fn read(info: &[u8]) -> Result<Self, CustodyError> {
        let key = Self::kept(info).ok_or(CustodyError::Refused)?;
        // Whether a point is on the curve is the cipher library's to say.
        seal(&key, b"", b"").map(|_| key)
    }

    /// The same from PEM.
    ///
    /// # Errors
    /// Those of [`ShareKey::read`].
    pub fn read_pem(text: &str) -> Result<Self, CustodyError> {
        let key = PKey::public_key_from_pem(text.as_bytes()).map_err(|_| CustodyError::Refused)?;
        Self::read(&key.public_key_to_der().map_err(|_| CustodyError::Refused)?)
    }

    /// One that was read once, from where it was kept.
    pub(super) fn kept(info: &[u8]) -> Option<Self> {
        let point = info.strip_prefix(&POINT_INFO)?;
        Some(Self(point.try_into().ok()?))
    }

    /// Its SubjectPublicKeyInfo.
    #[must_use]
    pub fn info(&self) -> Vec<u8> {
        [&POINT_INFO[..], &self.0].concat()
    }

    /// SHA-256 of that.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        crate::audit::hash(&self.info())
    }
}

/// What opens it: its holder's, which no server has.
pub struct ShareSecret {
    scalar: HpkePrivateKey,
    key: ShareKey,
}

impl ShareSecret {
    /// From PKCS #8 in DER.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] if it is no key of P-256.
    pub fn read(der: &[u8]) -> Result<Self, CustodyError> {
        let refused = |_| CustodyError::Refused;
        let key = PKey::private_key_from_der(der).map_err(refused)?;
        let curve = key.ec_key().map_err(refused)?;
        if curve.group().curve_name() != Some(Nid::X9_62_PRIME256V1) {
            return Err(CustodyError::Refused);
        }
        let info = key.public_key_to_der().map_err(refused)?;
        let scalar = Zeroizing::new(curve.private_key().to_vec_padded(SCALAR).map_err(refused)?);
        Ok(Self {
            scalar: HpkePrivateKey::from(scalar.to_vec()),
            key: ShareKey::read(&info)?,
        })
    }

    /// What is encrypted to it.
    #[must_use]
    pub const fn key(&self) -> &ShareKey {
        &self.key
    }

    /// Opens what [`seal`] gave for this context.
    ///
    /// # Errors
    /// [`CustodyError::Refused`]
    pub fn open(&self, context: &[u8], envelope: &Envelope) -> Result<Secret, CustodyError> {
        let Envelope { encapsulated, sealed } = envelope;
        let encapsulated = EncapsulatedSecret(encapsulated.clone());
        let opened = SUITE.open(&encapsulated, context, b"", sealed, &self.scalar);
        opened.map(Secret::new).map_err(|_| CustodyError::Refused)
    }
}

/// A share, encrypted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The encapsulated key.
    pub encapsulated: Vec<u8>,
    /// What it seals.
    pub sealed: Vec<u8>,
}

/// Encrypts to a share key, for one context.
pub(super) fn seal(key: &ShareKey, context: &[u8], plain: &[u8]) -> Result<Envelope, CustodyError> {
    let key = HpkePublicKey(key.0.to_vec());
    let sealed = SUITE.seal(context, b"", plain, &key);
    let (encapsulated, sealed) = sealed.map_err(|_| CustodyError::Refused)?;
    Ok(Envelope {
        encapsulated: encapsulated.0,
        sealed,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A new key.
    pub(in crate::custody::sharing) fn secret() -> ShareSecret {
        let key = certs::PrivateKey::generate(certs::KeyKind::P256).unwrap();
        let read = ShareSecret::read(&key.to_der()).unwrap();
        assert_eq!(read.key().info(), key.public_key_info());
        assert_eq!(read.key().fingerprint(), certs::fingerprint(&key.public_key_info()));
        read
    }

    #[test]
    fn an_envelope_is_for_one_key_and_one_context() {
        let (own, other) = (secret(), secret());
        let envelope = seal(own.key(), b"here", b"a share").unwrap();
        assert_eq!(own.open(b"here", &envelope).unwrap().expose(), b"a share");
        assert!(own.open(b"there", &envelope).is_err());
        assert!(other.open(b"here", &envelope).is_err());
        let mut edited = envelope.clone();
        edited.sealed[0] ^= 1;
        assert!(own.open(b"here", &edited).is_err());
        let mut edited = envelope;
        edited.encapsulated.clear();
        assert!(own.open(b"here", &edited).is_err());
    }

    #[test]
    fn only_points_of_the_curve_are_keys() {
        let info = secret().key().info();
        assert!(ShareKey::read(&info).is_ok());
        let mut off = info.clone();
        off[40] ^= 1;
        let other = certs::PrivateKey::generate(certs::KeyKind::P384).unwrap();
        for bad in [&off[..], &info[..90], &[], &other.public_key_info()] {
            assert_eq!(ShareKey::read(bad), Err(CustodyError::Refused));
        }
        assert!(ShareSecret::read(&other.to_der()).is_err());
        assert!(ShareSecret::read(b"").is_err());
    }
}
