//! What the key pairs of protected KEKs can be.

use super::Feature;
use crate::custody::error::CustodyError;

/// What the key pair of a protected KEK is, and so how the KEK is sealed to it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum PairScheme {
    /// P-384: the HSM agrees on a secret with a passing key (ECDH).
    #[default]
    P384,
    /// RSA-3072: the HSM decrypts a secret, by OAEP with SHA-256.
    OaepSha256,
    /// The same, by OAEP with SHA-1: all that some HSMs have. What OAEP asks of its hash, SHA-1 still does.
    OaepSha1,
}

/// In the order in which they are chosen.
const PAIR_SCHEMES: [PairScheme; 3] = [PairScheme::P384, PairScheme::OaepSha256, PairScheme::OaepSha1];

impl PairScheme {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        PAIR_SCHEMES.into_iter()
    }

    /// Its number in records, backups and requests.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::P384 => 1,
            Self::OaepSha256 => 2,
            Self::OaepSha1 => 3,
        }
    }

    /// The one of that number.
    ///
    /// # Errors
    /// [`CustodyError::Record`]
    pub fn from_number(number: u8) -> Result<Self, CustodyError> {
        let found = Self::all().find(|scheme| scheme.number() == number);
        found.ok_or(CustodyError::Record)
    }

    /// What has to work for it.
    #[must_use]
    pub fn feature(self) -> Feature {
        match self {
            Self::P384 => Feature::EcdhP384,
            Self::OaepSha256 => Feature::OaepSha256,
            Self::OaepSha1 => Feature::OaepSha1,
        }
    }

    /// Whether it is RSA.
    #[must_use]
    pub fn is_oaep(self) -> bool {
        self != Self::P384
    }
}
