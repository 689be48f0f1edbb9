//! The only place that seals and opens: AES-256-GCM blobs, HMAC, HKDF. Each entry clears the stack below it when done.
//!
//! A blob is `format (1) ‖ algorithm (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use kmip_ttlv::Secret;
use ring::{hkdf, hmac};

use super::context::FORMAT;
use super::error::CustodyError;
use super::slab::{Locked, Slab};
use crate::crypto::Randomness;

/// AES-256-GCM with a 96-bit nonce and a 128-bit tag.
const AES_256_GCM: u8 = 1;
/// AES-256-CBC without padding, then HMAC-SHA-256: `format ‖ algorithm ‖ vector (16) ‖ ciphertext ‖ MAC (32)`. Tokens without AES-GCM
/// make these, nobody else.
const AES_256_CBC_HMAC: u8 = 2;
/// Bytes of a nonce.
pub(super) const NONCE: usize = 12;
/// Bytes of a tag.
pub(super) const TAG: usize = 16;
const HEAD: usize = 2 + NONCE;
/// What a blob adds to its plaintext.
pub(super) const OVERHEAD: usize = HEAD + TAG;
/// Bytes of every key of the hierarchy.
pub(super) const KEY: usize = 32;
/// Bytes of a wrapped key.
pub(super) const WRAPPED: usize = KEY + OVERHEAD;
/// Bytes of an initialisation vector of AES-CBC.
pub(super) const VECTOR: usize = 16;
/// Bytes of HMAC-SHA-256.
pub(super) const MAC: usize = 32;
/// Bytes of a key that a token without AES-GCM has wrapped: the longest of all.
pub(super) const WRAPPED_CBC: usize = 2 + VECTOR + KEY + MAC;

/// Seals `plain` under `key` (32 bytes) into a new blob.
pub(super) fn seal(
    randomness: &dyn Randomness,
    key: &Locked,
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, CustodyError> {
    let mut nonce = [0; NONCE];
    randomness.fill(&mut nonce).map_err(|_| CustodyError::Randomness)?;
    let blob = seal_with(key, &nonce, aad, plain);
    clear_stack();
    blob
}

#[inline(never)]
fn seal_with(key: &Locked, nonce: &[u8; NONCE], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CustodyError> {
    let mut blob = begin_blob(nonce, plain.len());
    let cipher = cipher(key)?;
    blob.resize(HEAD + plain.len(), 0);
    let body = blob.get_mut(HEAD..).ok_or(CustodyError::Limit)?;
    // In and out are apart, so that the plaintext is never in a buffer that may stay behind.
    let halves = InOutBuf::new(plain, body).map_err(|_| CustodyError::Limit)?;
    let tag = cipher
        .encrypt_inout_detached(&Nonce::from(*nonce), aad, halves)
        .map_err(|_| CustodyError::Limit)?;
    blob.extend_from_slice(&tag);
    Ok(blob)
}

/// The head of a blob, with room for `length` bytes of ciphertext and the tag.
pub(super) fn begin_blob(nonce: &[u8; NONCE], length: usize) -> Vec<u8> {
    let mut blob = Vec::with_capacity(OVERHEAD + length);
    blob.extend_from_slice(&[FORMAT, AES_256_GCM]);
    blob.extend_from_slice(nonce);
    blob
}

/// Splits a blob into nonce and ciphertext with tag.
pub(super) fn split_blob(blob: &[u8]) -> Result<(&[u8; NONCE], &[u8]), CustodyError> {
    let body = blob.strip_prefix(&[FORMAT, AES_256_GCM]).ok_or(CustodyError::Refused)?;
    let (nonce, sealed) = body.split_first_chunk::<NONCE>().ok_or(CustodyError::Refused)?;
    if sealed.len() < TAG {
        Err(CustodyError::Refused)
    } else {
        Ok((nonce, sealed))
    }
}

/// The blob of a key that was encrypted with AES-CBC and then MACed.
pub(super) fn cbc_blob(vector: &[u8; VECTOR], sealed: &[u8], mac: &[u8; MAC]) -> Vec<u8> {
    [&[FORMAT, AES_256_CBC_HMAC], &vector[..], sealed, mac].concat()
}

/// Vector, ciphertext and MAC of such a blob.
pub(super) type CbcParts<'a> = (&'a [u8; VECTOR], &'a [u8], &'a [u8; MAC]);

/// Splits such a blob.
pub(super) fn split_cbc(blob: &[u8]) -> Result<CbcParts<'_>, CustodyError> {
    let body = blob
        .strip_prefix(&[FORMAT, AES_256_CBC_HMAC])
        .ok_or(CustodyError::Refused)?;
    let (vector, rest) = body.split_first_chunk::<VECTOR>().ok_or(CustodyError::Refused)?;
    let (sealed, mac) = rest.split_last_chunk::<MAC>().ok_or(CustodyError::Refused)?;
    Ok((vector, sealed, mac))
}

/// Whether this has the form of a key that a token wrapped.
pub(super) fn is_wrapped(blob: &[u8]) -> bool {
    match blob {
        [FORMAT, AES_256_GCM, ..] => blob.len() == WRAPPED,
        [FORMAT, AES_256_CBC_HMAC, ..] => blob.len() == WRAPPED_CBC,
        _ => false,
    }
}

/// Opens a blob of any length.
pub(super) fn open(key: &Locked, aad: &[u8], blob: &[u8]) -> Result<Secret, CustodyError> {
    let (nonce, sealed) = split_blob(blob)?;
    let mut plain = vec![0; sealed.len() - TAG];
    let outcome = open_with(key, nonce, aad, sealed, &mut plain);
    clear_stack();
    // Taken over in either case, so that it is wiped.
    let plain = Secret::new(plain);
    outcome.map(|()| plain)
}

/// Opens a blob into the slab.
pub(super) fn open_locked(slab: &Slab, key: &Locked, aad: &[u8], blob: &[u8]) -> Result<Locked, CustodyError> {
    let (nonce, sealed) = split_blob(blob)?;
    let mut plain = slab.allocate(sealed.len() - TAG)?;
    let outcome = open_with(key, nonce, aad, sealed, plain.expose_mut());
    clear_stack();
    outcome.map(|()| plain)
}

#[inline(never)]
fn open_with(
    key: &Locked,
    nonce: &[u8; NONCE],
    aad: &[u8],
    sealed: &[u8],
    plain: &mut [u8],
) -> Result<(), CustodyError> {
    let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(CustodyError::Refused)?;
    let cipher = cipher(key)?;
    let halves = InOutBuf::new(body, plain).map_err(|_| CustodyError::Refused)?;
    cipher
        .decrypt_inout_detached(&Nonce::from(*nonce), aad, halves, &Tag::from(*tag))
        .map_err(|_| CustodyError::Refused)
}

fn cipher(key: &Locked) -> Result<Aes256Gcm, CustodyError> {
    let key = <&Key<Aes256Gcm>>::try_from(key.expose()).map_err(|_| CustodyError::Refused)?;
    Ok(Aes256Gcm::new(key))
}

/// HMAC-SHA-256 under `key` over a label and a message, each with its length before it. The message comes in parts, which count
/// as one.
pub(super) fn mac(key: &Locked, label: &[u8], message: &[&[u8]]) -> [u8; 32] {
    let tag = mac_with(key, label, message);
    clear_stack();
    tag
}

#[inline(never)]
fn mac_with(key: &Locked, label: &[u8], message: &[&[u8]]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
    let mut context = hmac::Context::with_key(&key);
    for parts in [&[label], message] {
        context.update(&length(parts));
        parts.iter().for_each(|part| context.update(part));
    }
    let mut tag = [0; 32];
    for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    tag
}

fn length(parts: &[&[u8]]) -> [u8; 8] {
    // Slices in memory are together never longer than a u64 says, so the fallback is not reached.
    let length: usize = parts.iter().map(|part| part.len()).sum();
    u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes()
}

/// Whether two tags are equal, without an early exit.
pub(super) fn equal(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0_u8, |seen, (a, b)| seen | (a ^ b));
    left.len() == right.len() && core::hint::black_box(difference) == 0
}

/// A key of 32 bytes derived from `key` by HKDF-SHA-256 for one purpose.
pub(super) fn derive(slab: &Slab, key: &Locked, info: &[&[u8]]) -> Result<Locked, CustodyError> {
    let mut derived = slab.allocate(KEY)?;
    let outcome = derive_with(key, info, derived.expose_mut());
    clear_stack();
    outcome.map(|()| derived)
}

#[inline(never)]
fn derive_with(key: &Locked, info: &[&[u8]], derived: &mut [u8]) -> Result<(), CustodyError> {
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"claviger").extract(key.expose());
    extracted
        .expand(info, hkdf::HKDF_SHA256)
        .and_then(|expanded| expanded.fill(derived))
        .map_err(|_| CustodyError::Limit)
}

/// Overwrites the stack that a call before has used: ciphers and MACs leave key schedules and states there.
#[inline(never)]
pub(super) fn clear_stack() {
    // 32 KiB: unoptimised builds leave key schedules up to 20 KiB below, and for optimised ones 8 KiB are too little.
    let mut below = [0_u64; 4096];
    core::hint::black_box(&mut below);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::OsRandomness;

    #[test]
    fn blobs_open_only_whole_and_in_their_place() {
        let slab = Slab::new().unwrap();
        let key = slab.copy_from(&[7; 32]).unwrap();
        for length in [0, 1, 16, 32, 1000] {
            let plain = vec![3; length];
            let blob = seal(&OsRandomness::new(), &key, b"here", &plain).unwrap();
            assert_eq!(blob.len(), length + OVERHEAD);
            assert_eq!(open(&key, b"here", &blob).unwrap().expose(), plain);
            assert_eq!(open(&key, b"there", &blob).err(), Some(CustodyError::Refused));
            for position in 0..blob.len() {
                let mut edited = blob.clone();
                edited[position] ^= 1;
                assert_eq!(open(&key, b"here", &edited).err(), Some(CustodyError::Refused));
                assert_eq!(
                    open(&key, b"here", &blob[..position]).err(),
                    Some(CustodyError::Refused)
                );
            }
        }
    }

    #[test]
    fn known_answer_of_gcm() {
        // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 14 (AES-256).
        let slab = Slab::new().unwrap();
        let key = slab.copy_from(&[0; 32]).unwrap();
        let blob = seal_with(&key, &[0; 12], &[], &[0; 16]).unwrap();
        let expected = [
            0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1,
            0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19,
        ];
        assert_eq!(&blob[HEAD..], expected);
    }

    #[test]
    fn labels_and_messages_cannot_be_shifted() {
        let slab = Slab::new().unwrap();
        let key = slab.copy_from(&[7; 32]).unwrap();
        assert_ne!(mac(&key, b"ab", &[b"c"]), mac(&key, b"a", &[b"bc"]));
        assert!(equal(&mac(&key, b"a", &[b"bc"]), &mac(&key, b"a", &[b"b", b"c"])));
        assert!(!equal(b"ab", b"a"));
    }
}
