//! To whom a KEK can be sealed: the public key of a pair in an HSM, as records have it. A point of P-384 stands for itself, uncompressed;
//! a key of RSA is `scheme (1) ‖ RSAPublicKey (DER, PKCS #1)`, where the scheme says by which hash its HSM does OAEP.

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::{Padding, Rsa};

use crate::custody::error::CustodyError;
use crate::custody::probe::PairScheme;

/// A public key of P-384: the uncompressed point.
pub(in crate::custody) const POINT: usize = 97;
/// Bits of an RSA key.
pub(in crate::custody) const MODULUS_BITS: u16 = 3072;
/// Bytes of the largest modulus that is taken: that of 4096 bits.
pub(in crate::custody) const MOST_MODULUS: usize = 512;

/// A public key that was read and checked.
pub(super) enum Recipient<'a> {
    Point(PKey<Public>, &'a [u8; POINT]),
    Rsa(PKey<Public>, PairScheme, &'a [u8]),
}

impl<'a> Recipient<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, CustodyError> {
        if let Ok(point) = bytes.try_into() {
            let key = point_key(point).map_err(|_| CustodyError::Refused)?;
            return Ok(Self::Point(key, point));
        }
        let (scheme, der) = bytes.split_first().ok_or(CustodyError::Refused)?;
        match PairScheme::from_number(*scheme) {
            Ok(scheme) if scheme.is_oaep() => {
                let key = rsa_key(der).map_err(|_| CustodyError::Refused)?;
                Ok(Self::Rsa(key.ok_or(CustodyError::Refused)?, scheme, der))
            }
            _ => Err(CustodyError::Refused),
        }
    }

    /// What a sealing is bound to: the key, and not what its HSM was found to do with it.
    pub(super) fn key_bytes(&self) -> &'a [u8] {
        match self {
            Self::Point(_, point) => *point,
            Self::Rsa(_, _, der) => der,
        }
    }
}

/// Refuses what is no point of the curve.
pub(super) fn point_key(point: &[u8; POINT]) -> Result<PKey<Public>, ErrorStack> {
    let group = group()?;
    let mut numbers = BigNumContext::new()?;
    let point = EcPoint::from_bytes(&group, point, &mut numbers)?;
    let key = EcKey::from_public_key(&group, &point)?;
    key.check_key()?;
    PKey::from_ec_key(key)
}

pub(super) fn group() -> Result<EcGroup, ErrorStack> {
    EcGroup::from_curve_name(Nid::SECP384R1)
}

/// A key of the one spelling, long enough, with an odd modulus and the exponent that is asked for; else nothing.
fn rsa_key(der: &[u8]) -> Result<Option<PKey<Public>>, ErrorStack> {
    let key = Rsa::public_key_from_der_pkcs1(der)?;
    let fits = key.public_key_to_der_pkcs1()? == der && is_fit(key.n(), key.e());
    if fits { PKey::from_rsa(key).map(Some) } else { Ok(None) }
}

fn is_fit(modulus: &BigNumRef, exponent: &BigNumRef) -> bool {
    let bytes = usize::try_from(modulus.num_bytes()).unwrap_or(usize::MAX);
    let exponent_fits = exponent.to_vec() == [1, 0, 1];
    let bits = i32::from(MODULUS_BITS);
    modulus.num_bits() >= bits && bytes <= MOST_MODULUS && modulus.is_bit_set(0) && exponent_fits
}

/// The bytes of an RSA key that a token told.
pub(in crate::custody) fn rsa_recipient(
    scheme: PairScheme,
    modulus: &[u8],
    exponent: &[u8],
) -> Result<Vec<u8>, CustodyError> {
    let der = || -> Result<Vec<u8>, ErrorStack> { components(modulus, exponent)?.public_key_to_der_pkcs1() };
    let mut bytes = vec![scheme.number()];
    bytes.extend(der().map_err(|_| CustodyError::Refused)?);
    check_recipient(&bytes).map(|()| bytes)
}

/// Refuses what is no public key to which a KEK can be sealed.
pub(in crate::custody) fn check_recipient(bytes: &[u8]) -> Result<(), CustodyError> {
    Recipient::read(bytes).map(|_| ())
}

fn components(modulus: &[u8], exponent: &[u8]) -> Result<Rsa<Public>, ErrorStack> {
    Rsa::from_public_components(BigNum::from_slice(modulus)?, BigNum::from_slice(exponent)?)
}

/// Encrypts to a key of which these are the numbers.
pub(in crate::custody) fn encrypt_to(
    scheme: PairScheme,
    modulus: &[u8],
    exponent: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    encrypt_oaep(&PKey::from_rsa(components(modulus, exponent)?)?, scheme, plain)
}

/// Encrypts by RSA-OAEP, the hash that of the mask too.
pub(super) fn encrypt_oaep(key: &PKey<Public>, scheme: PairScheme, plain: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let digest = if scheme == PairScheme::OaepSha1 {
        Md::sha1()
    } else {
        Md::sha256()
    };
    let mut context = PkeyCtx::new(key)?;
    context.encrypt_init()?;
    context.set_rsa_padding(Padding::PKCS1_OAEP)?;
    context.set_rsa_oaep_md(digest)?;
    context.set_rsa_mgf1_md(digest)?;
    let mut sealed = Vec::new();
    context.encrypt_to_vec(plain, &mut sealed)?;
    Ok(sealed)
}
