//! A key sealed to a P-384 public key: an ephemeral key agrees with it on a secret, from which HKDF-SHA-256 makes the key of an
//! AES-256-GCM blob. Sealing needs no HSM, opening needs the one that has the private key.
//!
//! The bytes are `scheme (1) ‖ ephemeral point (97) ‖ blob`. The blob's authenticated data are the whole context and whatever
//! the caller binds besides; its key is bound to both points.

use openssl::bn::BigNumContext;
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use zeroize::Zeroize;

use crate::crypto::Randomness;
use crate::custody::context::WrapContext;
use crate::custody::error::CustodyError;
use crate::custody::sealing;
use crate::custody::slab::{Locked, Slab};

/// ECDH with P-384, HKDF-SHA-256.
const P384: u8 = 1;
/// A public key: the uncompressed point.
pub(in crate::custody) const POINT: usize = 97;
/// What two keys agree on: an x coordinate.
pub(in crate::custody) const SHARED: usize = 48;

/// Seals `key` to whoever has the private key of `recipient`.
pub(in crate::custody) fn seal(
    slab: &Slab,
    randomness: &dyn Randomness,
    recipient: &[u8],
    context: &WrapContext,
    more: &[u8],
    key: &Locked,
) -> Result<Vec<u8>, CustodyError> {
    let public = public_key(recipient)?;
    let mut shared = slab.allocate(SHARED)?;
    let ephemeral = agree(&public, shared.expose_mut()).map_err(|_| CustodyError::Randomness);
    sealing::clear_stack();
    let ephemeral = ephemeral?;
    let wrapping = wrapping_key(slab, &shared, recipient, &ephemeral)?;
    let aad = aad(context, more);
    let blob = sealing::seal(randomness, &wrapping, &aad, key.expose())?;
    let mut sealed = vec![P384];
    sealed.extend(ephemeral);
    sealed.extend(blob);
    Ok(sealed)
}

/// The ephemeral point of sealed bytes.
pub(in crate::custody) fn ephemeral(sealed: &[u8]) -> Result<&[u8; POINT], CustodyError> {
    split(sealed).map(|(point, _)| point)
}

fn split(sealed: &[u8]) -> Result<(&[u8; POINT], &[u8]), CustodyError> {
    let body = sealed.strip_prefix(&[P384]).ok_or(CustodyError::Refused)?;
    body.split_first_chunk::<POINT>().ok_or(CustodyError::Refused)
}

/// Opens sealed bytes with the secret on which the recipient's private key and the ephemeral point agree.
pub(in crate::custody) fn open(
    slab: &Slab,
    shared: &Locked,
    recipient: &[u8],
    context: &WrapContext,
    more: &[u8],
    sealed: &[u8],
) -> Result<Locked, CustodyError> {
    let (ephemeral, blob) = split(sealed)?;
    let wrapping = wrapping_key(slab, shared, recipient, ephemeral)?;
    sealing::open_locked(slab, &wrapping, &aad(context, more), blob)
}

/// Refuses what is no point of the curve.
pub(in crate::custody) fn check_point(point: &[u8]) -> Result<(), CustodyError> {
    public_key(point).map(|_| ())
}

fn wrapping_key(slab: &Slab, shared: &Locked, recipient: &[u8], ephemeral: &[u8]) -> Result<Locked, CustodyError> {
    sealing::derive(slab, shared, &[b"KEK envelope", &[P384], recipient, ephemeral])
}

fn aad(context: &WrapContext, more: &[u8]) -> Vec<u8> {
    // The context has a fixed length, so nothing can be shifted between the two.
    [&context.aad()[..], more].concat()
}

fn public_key(point: &[u8]) -> Result<PKey<Public>, CustodyError> {
    if point.len() != POINT {
        return Err(CustodyError::Refused);
    }
    let read = || -> Result<PKey<Public>, ErrorStack> {
        let group = group()?;
        let mut numbers = BigNumContext::new()?;
        let point = EcPoint::from_bytes(&group, point, &mut numbers)?;
        let key = EcKey::from_public_key(&group, &point)?;
        key.check_key()?;
        PKey::from_ec_key(key)
    };
    read().map_err(|_| CustodyError::Refused)
}

fn group() -> Result<EcGroup, ErrorStack> {
    EcGroup::from_curve_name(Nid::SECP384R1)
}

/// Makes an ephemeral key, and agrees with `public`. The library wipes the private key when it frees it.
#[inline(never)]
fn agree(public: &PKey<Public>, shared: &mut [u8]) -> Result<[u8; POINT], ErrorStack> {
    let group = group()?;
    let key = EcKey::generate(&group)?;
    let mut numbers = BigNumContext::new()?;
    let point = key
        .public_key()
        .to_bytes(&group, PointConversionForm::UNCOMPRESSED, &mut numbers)?;
    let private = PKey::from_ec_key(key)?;
    let mut deriver = Deriver::new(&private)?;
    deriver.set_peer(public)?;
    let written = deriver.derive(shared)?;
    let point = point.try_into().ok().filter(|_| written == SHARED);
    if point.is_none() {
        shared.zeroize();
    }
    point.ok_or_else(ErrorStack::get)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::crypto::OsRandomness;
    use crate::custody::context::{KekId, Purpose};
    use crate::store::Domain;
    use openssl::pkey::Private;

    /// A private key outside any HSM.
    pub(crate) fn pair() -> (PKey<Private>, Vec<u8>) {
        let group = group().unwrap();
        let key = EcKey::generate(&group).unwrap();
        let mut numbers = BigNumContext::new().unwrap();
        let point = key.public_key();
        let point = point.to_bytes(&group, PointConversionForm::UNCOMPRESSED, &mut numbers);
        (PKey::from_ec_key(key).unwrap(), point.unwrap())
    }

    /// What an HSM does.
    pub(crate) fn agreed(slab: &Slab, private: &PKey<Private>, point: &[u8; POINT]) -> Locked {
        let public = public_key(point).unwrap();
        let mut shared = slab.allocate(SHARED).unwrap();
        let mut deriver = Deriver::new(private).unwrap();
        deriver.set_peer(&public).unwrap();
        assert_eq!(deriver.derive(shared.expose_mut()).unwrap(), SHARED);
        shared
    }

    fn context() -> WrapContext {
        WrapContext {
            purpose: Purpose::Protected,
            domain: Domain([1; 16]),
            internal_id: [2; 16],
            generation: 3,
            kek: KekId([4; 16]),
            kek_generation: 3,
        }
    }

    #[test]
    fn what_is_sealed_opens_whole_and_in_its_place_only() {
        let slab = Slab::new().unwrap();
        let (private, public) = pair();
        let (stranger, other) = pair();
        let key = slab.copy_from(&[7; 32]).unwrap();
        let sealed = seal(&slab, &OsRandomness::new(), &public, &context(), b"more", &key).unwrap();
        let shared = agreed(&slab, &private, ephemeral(&sealed).unwrap());
        let open = |shared: &Locked, recipient: &[u8], context: &WrapContext, more: &[u8], sealed: &[u8]| {
            open(&slab, shared, recipient, context, more, sealed).map(|key| key.expose().to_vec())
        };
        assert_eq!(open(&shared, &public, &context(), b"more", &sealed), Ok(vec![7; 32]));
        let refused = Err(CustodyError::Refused);
        let elsewhere = WrapContext {
            domain: Domain([9; 16]),
            ..context()
        };
        assert_eq!(open(&shared, &public, &elsewhere, b"more", &sealed), refused);
        assert_eq!(open(&shared, &public, &context(), b"", &sealed), refused);
        assert_eq!(open(&shared, &other, &context(), b"more", &sealed), refused);
        let wrong = agreed(&slab, &stranger, ephemeral(&sealed).unwrap());
        assert_eq!(open(&wrong, &public, &context(), b"more", &sealed), refused);
        for position in 0..sealed.len() {
            let mut edited = sealed.clone();
            edited[position] ^= 1;
            assert_eq!(open(&shared, &public, &context(), b"more", &edited), refused);
            assert_eq!(
                open(&shared, &public, &context(), b"more", &sealed[..position]),
                refused
            );
        }
        // Each time another one.
        let again = seal(&slab, &OsRandomness::new(), &public, &context(), b"more", &key).unwrap();
        assert_ne!(again, sealed);
    }

    #[test]
    fn what_is_no_point_of_the_curve_is_refused() {
        let (_, public) = pair();
        assert_eq!(check_point(&public), Ok(()));
        for position in [0, 1, 50, 96] {
            let mut edited = public.clone();
            edited[position] ^= 1;
            assert_eq!(check_point(&edited), Err(CustodyError::Refused), "{position}");
        }
        for bad in [&[][..], &[0], &public[..96], &[4; 97]] {
            assert_eq!(check_point(bad), Err(CustodyError::Refused));
        }
    }
}
