//! Shares of key-management credentials. Extensions of our own.

use crate::DateTime;
use crate::field::structure;
use kmip_ttlv::Secret;

structure! {
    /// A share that its holder has opened.
    OpenedShare {
        /// Which one: what it is bound to.
        share_context: Vec<u8> = SHARE_CONTEXT;
        share: Secret = SHARE_VALUE;
    }

    /// A share as its holder is handed it: HPKE (RFC 9180), base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, with the
    /// context as its info.
    #[derive(Eq, Debug)]
    HeldShare {
        /// Whose credential it belongs to.
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
        /// The share key that opens it.
        key_fingerprint: Vec<u8> = KEY_FINGERPRINT;
        /// What it is bound to: installation, HSM-Profile, domain, generation, policy, rule, alternative, group, point, person, share key.
        share_context: Vec<u8> = SHARE_CONTEXT;
        /// By which the right share is known.
        share_commitment: Vec<u8> = SHARE_COMMITMENT;
        encapsulated_key: Vec<u8> = ENCAPSULATED_KEY;
        sealed_share: Vec<u8> = SEALED_SHARE;
    }

    /// How a key-management credential is shared.
    #[derive(Eq, Debug)]
    Sharing {
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
        /// When it was shared.
        created: DateTime = TIME_STAMP;
        /// Whether it is shared as the rules and the people's share keys are now.
        sharing_fits: bool = SHARING_FITS;
        /// Whether those who can still open a share are enough.
        recoverable: bool = RECOVERABLE;
        /// Of whom it takes how many, a line for each alternative.
        ways: Vec<String> = GROUP_NAME;
        /// Who holds a share that they can open.
        holders: Vec<String> = PERSON_NAME;
    }
}
