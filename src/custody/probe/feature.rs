//! What is tried of a token, and how a trial goes.

use std::fmt;

use crate::custody::error::CustodyError;

/// What is tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Feature {
    /// AES-256-GCM with a nonce that the server makes.
    GcmHostNonce,
    /// AES-256-GCM with a nonce that the token makes.
    GcmTokenNonce,
    /// AES-256-CBC and HMAC-SHA-256: what serves where GCM is missing.
    CbcHmac,
    /// RSA-3072 OAEP with SHA-1 for hash and mask.
    OaepSha1,
    /// RSA-3072 OAEP with SHA-256 for hash and mask.
    OaepSha256,
    /// ECDH over P-256.
    EcdhP256,
    /// ECDH over P-384.
    EcdhP384,
    /// ECDH over P-521.
    EcdhP521,
    /// AES key wrap (RFC 3394), there and back.
    KeyWrap,
    /// Random numbers.
    Random,
    /// The key-usage login makes a key that stays in the token. It should not.
    UsageCreates,
    /// The key-usage login destroys a key that stays in the token. It should not.
    UsageDestroys,
    /// The key-management login makes and destroys a key that stays in the token.
    ManagementManages,
    /// The key-usage login makes keys that end with their session: without that the other trials say nothing.
    SessionKeys,
}

/// Every feature, with its name; its place, counted from 1, is its number in encodings, so rows are added at the end.
const FEATURES: [(Feature, &str); 14] = [
    (Feature::GcmHostNonce, "AES-GCM, nonce of the server"),
    (Feature::GcmTokenNonce, "AES-GCM, nonce of the token"),
    (Feature::CbcHmac, "AES-CBC with HMAC"),
    (Feature::OaepSha1, "RSA-OAEP with SHA-1"),
    (Feature::OaepSha256, "RSA-OAEP with SHA-256"),
    (Feature::EcdhP256, "ECDH P-256"),
    (Feature::EcdhP384, "ECDH P-384"),
    (Feature::EcdhP521, "ECDH P-521"),
    (Feature::KeyWrap, "AES key wrap"),
    (Feature::Random, "random numbers"),
    (Feature::UsageCreates, "key usage creates keys"),
    (Feature::UsageDestroys, "key usage destroys keys"),
    (Feature::ManagementManages, "key management creates and destroys keys"),
    (Feature::SessionKeys, "keys for a session"),
];

impl Feature {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        FEATURES.iter().map(|(feature, _)| *feature)
    }

    pub(in crate::custody) fn number(self) -> u8 {
        let place = FEATURES.iter().position(|(feature, _)| *feature == self);
        place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(0)
    }

    /// Whether more than one step finds it out, in one role or two.
    pub(in crate::custody) fn has_steps(self) -> bool {
        matches!(self, Self::UsageDestroys | Self::ManagementManages)
    }

    pub(in crate::custody) fn from_number(number: u8) -> Result<Self, CustodyError> {
        let row = FEATURES.get(usize::from(number).wrapping_sub(1));
        row.map(|(feature, _)| *feature).ok_or(CustodyError::Record)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = FEATURES.iter().find(|(feature, _)| feature == self);
        f.write_str(row.map_or("unknown", |(_, name)| name))
    }
}

/// How a trial went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// It was not tried: the token allowed no login, or the time was over.
    Untried,
    /// It works, and gave what it should.
    Works,
    /// A function of the module said this instead of CKR_OK.
    Fails(u64),
    /// It was done without complaint, and the outcome was wrong.
    Wrong,
    /// No answer: the module hung, or its process died.
    Silent,
}

impl Finding {
    pub(in crate::custody) fn encode(self) -> [u8; 9] {
        let (kind, code) = match self {
            Self::Untried => (0, 0),
            Self::Works => (1, 0),
            Self::Fails(code) => (2, code),
            Self::Wrong => (3, 0),
            Self::Silent => (4, 0),
        };
        let [a, b, c, d, e, f, g, h]: [u8; 8] = u64::to_be_bytes(code);
        [kind, a, b, c, d, e, f, g, h]
    }

    pub(in crate::custody) fn decode(bytes: [u8; 9]) -> Result<Self, CustodyError> {
        let [kind, code @ ..] = bytes;
        match (kind, u64::from_be_bytes(code)) {
            (0, 0) => Ok(Self::Untried),
            (1, 0) => Ok(Self::Works),
            (2, code) => Ok(Self::Fails(code)),
            (3, 0) => Ok(Self::Wrong),
            (4, 0) => Ok(Self::Silent),
            _ => Err(CustodyError::Record),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untried => f.write_str("not tried"),
            Self::Works => f.write_str("yes"),
            Self::Fails(code) => write!(f, "no ({code:#x})"),
            Self::Wrong => f.write_str("no (wrong outcome)"),
            Self::Silent => f.write_str("no (no answer)"),
        }
    }
}
