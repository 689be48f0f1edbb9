//! What can go wrong in the room. Texts carry no values.

use super::slab::SlabError;

/// Why a key could not be used, made or found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CustodyError {
    /// The HSM or its worker does not answer now; the same call may succeed later.
    #[error("the key-encryption key is not available now")]
    Unavailable,
    /// The HSM does not accept its credential, or accepts none any more. Not tried again by itself: PINs lock.
    #[error("the credential of the HSM is not accepted")]
    Credential,
    /// Sealed bytes are not what was sealed for this purpose, object and key.
    #[error("sealed bytes are not authentic")]
    Refused,
    /// A stored record of the room cannot be read: unknown format, or cut off.
    #[error("unreadable custody record")]
    Record,
    /// The domain has no such KEK, or none that is active.
    #[error("unknown key-encryption key")]
    UnknownKek,
    /// The domain was never opened.
    #[error("unknown domain")]
    UnknownDomain,
    /// No provider of that HSM-Profile.
    #[error("unknown HSM profile")]
    UnknownProfile,
    /// The profile is no HSM, or one without key pairs.
    #[error("the HSM profile has no key pairs")]
    NoPairs,
    /// The settings name no such module.
    #[error("the settings name no such PKCS#11 module")]
    UnknownModule,
    /// A KEK of that identifier exists already.
    #[error("the key-encryption key exists already")]
    Exists,
    /// A limit of the room or of the token was reached.
    #[error("custody limit reached")]
    Limit,
    /// The source of randomness failed; nothing was made.
    #[error("no randomness")]
    Randomness,
    /// The secret's file is missing, unreadable, or open to others.
    #[error("the key file is missing or not private")]
    KeyFile,
}

impl From<SlabError> for CustodyError {
    fn from(_: SlabError) -> Self {
        Self::Limit
    }
}
