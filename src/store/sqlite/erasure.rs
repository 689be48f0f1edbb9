//! What makes deleted bytes unreadable wherever SQLite left copies of them.
//!
//! `secure_delete` zeroes the cell that a row leaves, but not the copies that page splits and merges left in unused parts of
//! pages. So each body is kept under a random key of its own, made anew with each write, and these keys lie in a table whose
//! rows never move: it is only appended to, and a key is overwritten in place by one of the same length (zeros, for a deleted
//! record). What a body was before is gone with its key. This protects nothing else: the sealing of key material is custody's.

use super::super::contract::Seen;
use super::super::key::Key;
use super::rows::key_blob;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The length of an erasure key.
pub(super) const LENGTH: usize = 32;

/// An erasure key of a deleted record.
pub(super) const ERASED: [u8; LENGTH] = [0; LENGTH];

/// A body under a fresh key.
pub(super) struct Veiled {
    pub key: Zeroizing<[u8; LENGTH]>,
    pub body: Vec<u8>,
}

/// Which record and which state of it: a body moved to another row does not open.
fn context(key: Key, seen: Seen) -> Vec<u8> {
    let mut context = key_blob(key).to_vec();
    context.extend_from_slice(&seen.revision.0.to_be_bytes());
    context.extend_from_slice(&seen.creation.to_be_bytes());
    context
}

/// Each key is used for one body, so the nonce need not vary.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn cipher(key: &[u8]) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new)
}

/// Puts a body under a fresh key.
pub(super) fn veil(random: &SystemRandom, key: Key, seen: Seen, body: &[u8]) -> Result<Veiled, Unspecified> {
    let mut secret = Zeroizing::new([0; LENGTH]);
    random.fill(secret.as_mut_slice())?;
    let mut veiled = Vec::with_capacity(body.len().saturating_add(AES_256_GCM.tag_len()));
    veiled.extend_from_slice(body);
    cipher(secret.as_slice())?.seal_in_place_append_tag(nonce(), Aad::from(context(key, seen)), &mut veiled)?;
    Ok(Veiled {
        key: secret,
        body: veiled,
    })
}

/// The body again; an error if key, record or state are not those it was kept under.
pub(super) fn unveil(secret: &[u8], key: Key, seen: Seen, body: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let mut clear = body.to_vec();
    let length = cipher(secret)?
        .open_in_place(nonce(), Aad::from(context(key, seen)), &mut clear)?
        .len();
    clear.truncate(length);
    Ok(clear)
}

#[cfg(test)]
mod tests {
    use super::super::super::contract::Revision;
    use super::super::super::key::{Domain, Kind};
    use super::*;

    #[test]
    fn a_body_opens_only_in_its_place_and_state() {
        let key = Key {
            domain: Domain([1; 16]),
            kind: Kind(1),
            id: [1; 16],
        };
        let seen = Seen {
            revision: Revision(3),
            creation: 9,
        };
        let random = SystemRandom::new();
        let Veiled { key: secret, body } = veil(&random, key, seen, b"body").ok().unwrap();
        assert_eq!(unveil(secret.as_slice(), key, seen, &body).unwrap(), b"body");
        let other = Key { id: [2; 16], ..key };
        assert!(unveil(secret.as_slice(), other, seen, &body).is_err());
        let older = Seen {
            revision: Revision(2),
            ..seen
        };
        assert!(unveil(secret.as_slice(), key, older, &body).is_err());
        assert!(unveil(&ERASED, key, seen, &body).is_err());
        let again = veil(&random, key, seen, b"body").ok().unwrap();
        assert!(again.body != body, "each write has a key of its own");
    }
}
