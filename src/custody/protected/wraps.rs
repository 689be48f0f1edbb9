//! What a KEK record says of a protected KEK.

use crate::custody::context::ProfileId;
use crate::custody::error::CustodyError;
use crate::custody::record::{Fields, MAX_CKA_ID, put};

/// HSM-Profiles of one KEK at most.
pub const MAX_PROFILES: usize = 16;
/// Bytes of a check value.
pub const CHECK_VALUE: usize = 16;

/// A KEK that is used in memory, and kept sealed to a key pair in each of its HSM-Profiles. Any one of them opens it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProtectedKek {
    /// Derived from the KEK, by which a wrong one is known.
    pub check_value: [u8; CHECK_VALUE],
    /// That this installation made it or took it in: a MAC over the check value under a key of the installation root. Sealing to
    /// a public key takes no secret, so that without it whoever writes to the database could have a KEK of his own used.
    pub binding: [u8; 32],
    /// The KEK for each HSM-Profile, 1 to [`MAX_PROFILES`].
    pub wraps: Vec<ProfileWrap>,
}

/// A protected KEK in one of its HSM-Profiles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProfileWrap {
    /// The profile.
    pub profile: ProfileId,
    /// The CKA_ID of the key pair.
    pub cka_id: Vec<u8>,
    /// Its public key.
    pub public_key: Vec<u8>,
    /// The KEK, sealed to it.
    pub sealed: Vec<u8>,
}

impl ProtectedKek {
    /// What it says of a profile.
    #[must_use]
    pub fn wrap(&self, profile: ProfileId) -> Option<&ProfileWrap> {
        self.wraps.iter().find(|wrap| wrap.profile == profile)
    }

    pub(in crate::custody) fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), CustodyError> {
        let Self {
            check_value,
            binding,
            wraps,
        } = self;
        bytes.extend(check_value);
        bytes.extend(binding);
        let count = u8::try_from(wraps.len()).map_err(|_| CustodyError::Limit)?;
        if !(1..=MAX_PROFILES).contains(&wraps.len()) {
            return Err(CustodyError::Limit);
        }
        bytes.push(count);
        for ProfileWrap {
            profile,
            cka_id,
            public_key,
            sealed,
        } in wraps
        {
            if cka_id.is_empty() || cka_id.len() > MAX_CKA_ID {
                return Err(CustodyError::Limit);
            }
            bytes.extend(profile.0);
            put(bytes, cka_id)?;
            put(bytes, public_key)?;
            put(bytes, sealed)?;
        }
        Ok(())
    }

    pub(in crate::custody) fn decode(fields: &mut Fields<'_>) -> Result<Self, CustodyError> {
        let mut protected = Self {
            check_value: fields.array()?,
            binding: fields.array()?,
            wraps: Vec::new(),
        };
        let count = usize::from(fields.byte()?);
        if !(1..=MAX_PROFILES).contains(&count) {
            return Err(CustodyError::Record);
        }
        for _ in 0..count {
            let wrap = ProfileWrap {
                profile: ProfileId(fields.array()?),
                cka_id: fields.bytes()?.to_vec(),
                public_key: fields.bytes()?.to_vec(),
                sealed: fields.bytes()?.to_vec(),
            };
            let fits = (1..=MAX_CKA_ID).contains(&wrap.cka_id.len()) && protected.wrap(wrap.profile).is_none();
            if !fits {
                return Err(CustodyError::Record);
            }
            protected.wraps.push(wrap);
        }
        Ok(protected)
    }
}
