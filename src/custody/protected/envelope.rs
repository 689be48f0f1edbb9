//! A key sealed to the public key of a pair in an HSM: the HSM comes to a secret, from which HKDF-SHA-256 makes the key of an AES-256-GCM
//! blob. With P-384 an ephemeral key agrees with it on the secret; with RSA the secret is random, and encrypted to it by OAEP. Sealing
//! needs no HSM, opening needs the one that has the private key.
//!
//! The bytes are `scheme (1) ‖ what is sent to the HSM ‖ blob`: the ephemeral point (97), or the encrypted secret after its length in two
//! bytes. The blob's authenticated data are the whole context and whatever the caller binds besides; its key is bound to the scheme, to
//! the public key and to what is sent.

use openssl::bn::BigNumContext;
use openssl::derive::Deriver;
use openssl::ec::{EcKey, PointConversionForm};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Public};
use zeroize::Zeroize;

use super::recipient::{self, Recipient, encrypt_oaep};
use crate::crypto::Randomness;
use crate::custody::context::WrapContext;
use crate::custody::error::CustodyError;
use crate::custody::probe::PairScheme;
use crate::custody::sealing::{self, KEY};
use crate::custody::slab::{Locked, Slab};

pub(in crate::custody) use super::recipient::{
    MODULUS_BITS, MOST_MODULUS, POINT, check_recipient, encrypt_to, rsa_recipient,
};

/// What two keys agree on: an x coordinate.
pub(in crate::custody) const SHARED: usize = 48;
/// What is encrypted by OAEP.
pub(in crate::custody) const SECRET: usize = KEY;

/// What an HSM makes the secret of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::custody) enum Sent<'a> {
    /// The ephemeral key with which it is to agree.
    Point(&'a [u8; POINT]),
    /// The secret, encrypted.
    Secret(PairScheme, &'a [u8]),
}

impl Sent<'_> {
    fn scheme(&self) -> PairScheme {
        match self {
            Self::Point(_) => PairScheme::P384,
            Self::Secret(scheme, _) => *scheme,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Point(point) => *point,
            Self::Secret(_, secret) => secret,
        }
    }
}

/// Seals `key` to whoever has the private key of `recipient`.
pub(in crate::custody) fn seal(
    slab: &Slab,
    randomness: &dyn Randomness,
    recipient: &[u8],
    context: &WrapContext,
    more: &[u8],
    key: &Locked,
) -> Result<Vec<u8>, CustodyError> {
    let recipient = Recipient::read(recipient)?;
    let (point, secret);
    let mut sealed = Vec::new();
    let (sent, shared) = match &recipient {
        Recipient::Point(public, _) => {
            let mut shared = slab.allocate(SHARED)?;
            let agreed = agree(public, shared.expose_mut()).map_err(|_| CustodyError::Randomness);
            sealing::clear_stack();
            point = agreed?;
            sealed.push(PairScheme::P384.number());
            (Sent::Point(&point), shared)
        }
        Recipient::Rsa(public, scheme, _) => {
            let mut shared = slab.allocate(SECRET)?;
            randomness
                .fill(shared.expose_mut())
                .map_err(|_| CustodyError::Randomness)?;
            let encrypted = encrypt_oaep(public, *scheme, shared.expose()).map_err(|_| CustodyError::Refused);
            sealing::clear_stack();
            secret = encrypted?;
            let length = u16::try_from(secret.len()).map_err(|_| CustodyError::Limit)?;
            sealed.push(scheme.number());
            sealed.extend(length.to_be_bytes());
            (Sent::Secret(*scheme, &secret), shared)
        }
    };
    let wrapping = wrapping_key(slab, &shared, &recipient, sent)?;
    let blob = sealing::seal(randomness, &wrapping, &aad(context, more), key.expose())?;
    sealed.extend(sent.bytes());
    sealed.extend(blob);
    Ok(sealed)
}

/// What of sealed bytes the HSM is to be given.
pub(in crate::custody) fn sent(sealed: &[u8]) -> Result<Sent<'_>, CustodyError> {
    split(sealed).map(|(sent, _)| sent)
}

/// The same, where it is to be known that it is no nonsense: a token says of a point that is none what it says of a fault of its own.
pub(in crate::custody) fn check_sent(sealed: &[u8]) -> Result<(), CustodyError> {
    match sent(sealed)? {
        Sent::Point(point) => recipient::point_key(point)
            .map(|_| ())
            .map_err(|_| CustodyError::Refused),
        Sent::Secret(..) => Ok(()),
    }
}

fn split(sealed: &[u8]) -> Result<(Sent<'_>, &[u8]), CustodyError> {
    let (scheme, body) = sealed.split_first().ok_or(CustodyError::Refused)?;
    let scheme = PairScheme::from_number(*scheme).map_err(|_| CustodyError::Refused)?;
    if !scheme.is_oaep() {
        let (point, blob) = body.split_first_chunk().ok_or(CustodyError::Refused)?;
        return Ok((Sent::Point(point), blob));
    }
    let (length, body) = body.split_first_chunk().ok_or(CustodyError::Refused)?;
    let length = usize::from(u16::from_be_bytes(*length));
    match body.split_at_checked(length) {
        Some((secret, blob)) if length <= MOST_MODULUS => Ok((Sent::Secret(scheme, secret), blob)),
        _ => Err(CustodyError::Refused),
    }
}

/// Opens sealed bytes with the secret to which the recipient's HSM came.
pub(in crate::custody) fn open(
    slab: &Slab,
    shared: &Locked,
    recipient: &[u8],
    context: &WrapContext,
    more: &[u8],
    sealed: &[u8],
) -> Result<Locked, CustodyError> {
    let (sent, blob) = split(sealed)?;
    let recipient = Recipient::read(recipient)?;
    let wrapping = wrapping_key(slab, shared, &recipient, sent)?;
    sealing::open_locked(slab, &wrapping, &aad(context, more), blob)
}

fn wrapping_key(
    slab: &Slab,
    shared: &Locked,
    recipient: &Recipient<'_>,
    sent: Sent<'_>,
) -> Result<Locked, CustodyError> {
    let scheme = [sent.scheme().number()];
    sealing::derive(
        slab,
        shared,
        &[b"KEK envelope", &scheme, recipient.key_bytes(), sent.bytes()],
    )
}

fn aad(context: &WrapContext, more: &[u8]) -> Vec<u8> {
    // The context has a fixed length, so nothing can be shifted between the two.
    [&context.aad()[..], more].concat()
}

/// Makes an ephemeral key, and agrees with `public`. The library wipes the private key when it frees it.
#[inline(never)]
fn agree(public: &PKey<Public>, shared: &mut [u8]) -> Result<[u8; POINT], ErrorStack> {
    let group = recipient::group()?;
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
    use openssl::pkey_ctx::PkeyCtx;
    use openssl::rsa::{Padding, Rsa};

    /// A private key outside any HSM.
    pub(crate) fn pair() -> (PKey<Private>, Vec<u8>) {
        let group = recipient::group().unwrap();
        let key = EcKey::generate(&group).unwrap();
        let mut numbers = BigNumContext::new().unwrap();
        let point = key.public_key();
        let point = point.to_bytes(&group, PointConversionForm::UNCOMPRESSED, &mut numbers);
        (PKey::from_ec_key(key).unwrap(), point.unwrap())
    }

    /// What an HSM does.
    pub(crate) fn agreed(slab: &Slab, private: &PKey<Private>, point: &[u8; POINT]) -> Locked {
        let public = recipient::point_key(point).unwrap();
        let mut shared = slab.allocate(SHARED).unwrap();
        let mut deriver = Deriver::new(private).unwrap();
        deriver.set_peer(&public).unwrap();
        assert_eq!(deriver.derive(shared.expose_mut()).unwrap(), SHARED);
        shared
    }

    /// What an HSM that agrees does with what is sent to it.
    pub(crate) fn answered(slab: &Slab, private: &PKey<Private>, sealed: &[u8]) -> Locked {
        match sent(sealed).unwrap() {
            Sent::Point(point) => agreed(slab, private, point),
            Sent::Secret(scheme, secret) => decrypted(slab, private, scheme, secret),
        }
    }

    fn decrypted(slab: &Slab, private: &PKey<Private>, scheme: PairScheme, secret: &[u8]) -> Locked {
        let digest = match scheme {
            PairScheme::OaepSha1 => openssl::md::Md::sha1(),
            _ => openssl::md::Md::sha256(),
        };
        let mut context = PkeyCtx::new(private).unwrap();
        context.decrypt_init().unwrap();
        context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        context.set_rsa_oaep_md(digest).unwrap();
        context.set_rsa_mgf1_md(digest).unwrap();
        let mut plain = Vec::new();
        context.decrypt_to_vec(secret, &mut plain).unwrap();
        slab.copy_from(&plain).unwrap()
    }

    fn rsa(bits: u32, scheme: PairScheme) -> (PKey<Private>, Result<Vec<u8>, CustodyError>) {
        let key = Rsa::generate(bits).unwrap();
        let public = rsa_recipient(scheme, &key.n().to_vec(), &key.e().to_vec());
        (PKey::from_rsa(key).unwrap(), public)
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
        let ((private, public), (stranger, other)) = (pair(), pair());
        check((&private, &public), (&stranger, &other), 1);
        let (rsa_private, rsa_public) = rsa(3072, PairScheme::OaepSha256);
        let (rsa_stranger, rsa_other) = rsa(3072, PairScheme::OaepSha256);
        let (rsa_public, rsa_other) = (rsa_public.unwrap(), rsa_other.unwrap());
        check((&rsa_private, &rsa_public), (&rsa_stranger, &rsa_other), 7);
        // The same key by another hash; what was sealed by the one opens whatever the HSM was found to do since.
        let mut by_sha1 = rsa_public.clone();
        by_sha1[0] = PairScheme::OaepSha1.number();
        check((&rsa_private, &by_sha1), (&rsa_stranger, &rsa_other), 41);
        let slab = Slab::new().unwrap();
        let key = slab.copy_from(&[7; 32]).unwrap();
        let sealed = seal(&slab, &OsRandomness::new(), &rsa_public, &context(), &[], &key).unwrap();
        let shared = answered(&slab, &rsa_private, &sealed);
        assert!(open(&slab, &shared, &by_sha1, &context(), &[], &sealed).is_ok());
        // A pair of the other kind opens nothing of it.
        assert!(open(&slab, &shared, &public, &context(), &[], &sealed).is_err());
    }

    /// One private key opens what is sealed to its public key, the stranger's does not, and each `step`-th byte matters.
    fn check(own: (&PKey<Private>, &[u8]), stranger: (&PKey<Private>, &[u8]), step: usize) {
        let slab = Slab::new().unwrap();
        let ((private, public), (_, other)) = (own, stranger);
        let key = slab.copy_from(&[7; 32]).unwrap();
        let sealed = seal(&slab, &OsRandomness::new(), public, &context(), b"more", &key).unwrap();
        let shared = answered(&slab, private, &sealed);
        let open = |shared: &Locked, recipient: &[u8], context: &WrapContext, more: &[u8], sealed: &[u8]| {
            open(&slab, shared, recipient, context, more, sealed).map(|key| key.expose().to_vec())
        };
        assert_eq!(open(&shared, public, &context(), b"more", &sealed), Ok(vec![7; 32]));
        let refused = Err(CustodyError::Refused);
        let elsewhere = WrapContext {
            domain: Domain([9; 16]),
            ..context()
        };
        assert_eq!(open(&shared, public, &elsewhere, b"more", &sealed), refused);
        assert_eq!(open(&shared, public, &context(), b"", &sealed), refused);
        assert_eq!(open(&shared, other, &context(), b"more", &sealed), refused);
        let wrong = slab.copy_from(&vec![1; shared.len()]).unwrap();
        assert_eq!(open(&wrong, public, &context(), b"more", &sealed), refused);
        for position in (0..sealed.len()).step_by(step) {
            let mut edited = sealed.clone();
            edited[position] ^= 1;
            assert_eq!(open(&shared, public, &context(), b"more", &edited), refused);
            assert_eq!(open(&shared, public, &context(), b"more", &sealed[..position]), refused);
        }
        // Each time another one.
        let again = seal(&slab, &OsRandomness::new(), public, &context(), b"more", &key).unwrap();
        assert_ne!(again, sealed);
    }

    #[test]
    fn what_is_no_key_of_rsa_is_refused() {
        let (_, public) = rsa(3072, PairScheme::OaepSha256);
        let public = public.unwrap();
        assert_eq!(check_recipient(&public), Ok(()));
        let refused = Err(CustodyError::Refused);
        // Too short, another exponent, an even modulus, another scheme, not its one spelling.
        assert_eq!(rsa(2048, PairScheme::OaepSha1).1.err(), Some(CustodyError::Refused));
        let key = Rsa::public_key_from_der_pkcs1(&public[1..]).unwrap();
        let mut modulus = key.n().to_vec();
        assert!(rsa_recipient(PairScheme::OaepSha1, &modulus, &[3]).is_err());
        *modulus.last_mut().unwrap() ^= 1;
        assert!(rsa_recipient(PairScheme::OaepSha1, &modulus, &[1, 0, 1]).is_err());
        for scheme in [0, 1, 4, 255] {
            let mut edited = public.clone();
            edited[0] = scheme;
            assert_eq!(check_recipient(&edited), refused);
        }
        assert_eq!(check_recipient(&[&public[..], &[0]].concat()), refused);
        for end in [0, 1, 2, 100, public.len() - 1] {
            assert_eq!(check_recipient(&public[..end]), refused);
        }
    }

    #[test]
    fn what_is_no_point_of_the_curve_is_refused() {
        let (_, public) = pair();
        assert_eq!(check_recipient(&public), Ok(()));
        for position in [0, 1, 50, 96] {
            let mut edited = public.clone();
            edited[position] ^= 1;
            assert_eq!(check_recipient(&edited), Err(CustodyError::Refused), "{position}");
        }
        for bad in [&[][..], &[0], &public[..96], &[4; 97]] {
            assert_eq!(check_recipient(bad), Err(CustodyError::Refused));
        }
    }
}
