//! What the room keeps in the store: KEK records and record-key records, as bytes. Neither holds a secret in clear.
//!
//! A record begins with its format; a reader accepts exactly what the writer writes.

use crate::store::Domain;

use super::context::{KekId, ProfileId};
use super::error::CustodyError;
use super::probe::Scheme;
use super::protected::ProtectedKek;
use super::sealer::SealerKind;

/// The format of both records.
const FORMAT: u8 = 1;
/// PKCS#11 sets no limit on CKA_ID; tokens do, at or above this.
pub const MAX_CKA_ID: usize = 64;
/// Live KEKs of one domain at most: the record key is wrapped under each.
pub const MAX_KEKS: usize = 256;

/// The life of a KEK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KekState {
    /// Was never active: nothing but the record key is under it.
    PreActive,
    /// Wraps the DEKs of new objects. Exactly one KEK of a domain is active.
    Active,
    /// Unwraps what it wrapped, wraps nothing new.
    Inactive,
    /// Without references; its destruction was ordered and is not confirmed yet. Not used any more.
    Deleting,
    /// Destroyed, and its absence verified.
    Destroyed,
    /// Given up with the only HSM that opened it: whether it is there still, nobody can say.
    Abandoned,
}

/// That an HSM was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abandonment {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// By which proposal.
    pub proposal: [u8; 16],
    /// Records that were lost with it.
    pub records: u64,
}

/// Where the bytes of a KEK are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Placement {
    /// In a key file on the server's disk: for development, and reported so.
    Software,
    /// In a token.
    Resident(Resident),
    /// In secret memory while the server runs, and here, sealed to a key pair in each of its HSM-Profiles.
    Protected(ProtectedKek),
}

/// A KEK in a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resident {
    /// Its CKA_ID: 1 to [`MAX_CKA_ID`] bytes.
    pub cka_id: Vec<u8>,
    /// How it wraps: what the token was found to be able to do when it was made.
    pub scheme: Scheme,
}

/// A KEK of a domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KekRecord {
    /// Its identifier.
    pub id: KekId,
    /// The tenant, or the system domain, that it belongs to.
    pub domain: Domain,
    /// Counts the KEKs of the domain.
    pub generation: u32,
    /// Its state.
    pub state: KekState,
    /// The HSM-Profile that serves it; the first of them where it is protected.
    pub profile: ProfileId,
    /// Where its bytes are.
    pub placement: Placement,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was marked compromised, if it was.
    pub compromised_ms: Option<i64>,
    /// That it was given up with its HSM, if it was.
    pub abandoned: Option<Abandonment>,
    /// That it came from a backup of a KEK that was not known here, and was not activated since: whoever made that may know it. Until then
    /// nothing is wrapped under it, the record key neither.
    pub taken_in: bool,
    /// The known answer, wrapped: it opens under this very KEK and no other.
    pub known_answer: Vec<u8>,
}

/// The record key of a domain, wrapped once under every live KEK.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordKeyRecord {
    /// Its identifier: 16 random bytes.
    pub id: [u8; 16],
    /// The tenant, or the system domain, that it belongs to.
    pub domain: Domain,
    /// Counts the record keys of the domain.
    pub generation: u32,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// What the right key makes of its own identifier: an HSM that errs does not have records judged by another.
    pub check: [u8; 32],
    /// The same key under each KEK.
    pub wraps: Vec<RecordKeyWrap>,
}

/// A record key under one KEK.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordKeyWrap {
    /// The KEK.
    pub kek: KekId,
    /// Its generation.
    pub kek_generation: u32,
    /// The wrapped key.
    pub wrapped: Vec<u8>,
}

impl KekState {
    const fn byte(self) -> u8 {
        match self {
            Self::PreActive => 5,
            Self::Active => 1,
            Self::Inactive => 2,
            Self::Deleting => 3,
            Self::Destroyed => 4,
            Self::Abandoned => 6,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Active,
            5 => Self::PreActive,
            2 => Self::Inactive,
            3 => Self::Deleting,
            4 => Self::Destroyed,
            6 => Self::Abandoned,
            _ => return None,
        })
    }
}

impl KekRecord {
    /// Whether it can still unwrap.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.state, KekState::PreActive | KekState::Active | KekState::Inactive)
    }

    /// Whether nothing is left of it to be destroyed: it was, or its HSM is gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, KekState::Destroyed | KekState::Abandoned)
    }

    /// The same without a profile that is given up: it goes on with the others that open it, or is given up with that one.
    #[must_use]
    pub fn without(&self, profile: ProfileId, given_up: Abandonment) -> Self {
        let mut rest = self.clone();
        if let Placement::Protected(protected) = &mut rest.placement {
            protected.wraps.retain(|wrap| wrap.profile != profile);
            if let Some(first) = protected.wraps.first() {
                rest.profile = first.profile;
                return rest;
            }
        }
        Self {
            state: KekState::Abandoned,
            abandoned: Some(given_up),
            ..self.clone()
        }
    }

    /// Whether a profile keeps something of it that is neither destroyed nor given up.
    #[must_use]
    pub fn lies_in(&self, profile: ProfileId) -> bool {
        !self.is_over() && self.profiles().contains(&profile)
    }

    /// What kind of sealer serves it.
    #[must_use]
    pub fn kind(&self) -> SealerKind {
        match self.placement {
            Placement::Software => SealerKind::Software,
            Placement::Resident(_) => SealerKind::Resident,
            Placement::Protected(_) => SealerKind::Protected,
        }
    }

    /// The HSM-Profiles that it lies in, or that open it.
    #[must_use]
    pub fn profiles(&self) -> Vec<ProfileId> {
        match &self.placement {
            Placement::Software | Placement::Resident(_) => vec![self.profile],
            Placement::Protected(protected) => protected.wraps.iter().map(|wrap| wrap.profile).collect(),
        }
    }

    /// The bytes for the store.
    ///
    /// # Errors
    /// [`CustodyError::Limit`] if a field is longer than its limit.
    pub fn encode(&self) -> Result<Vec<u8>, CustodyError> {
        let Self {
            id,
            domain,
            generation,
            state,
            profile,
            placement,
            created_ms,
            compromised_ms,
            abandoned,
            taken_in,
            known_answer,
        } = self;
        let mut bytes = vec![FORMAT];
        bytes.extend(id.0);
        bytes.extend(domain.0);
        bytes.extend(generation.to_be_bytes());
        bytes.push(state.byte());
        bytes.extend(profile.0);
        match placement {
            Placement::Software => bytes.push(1),
            Placement::Resident(Resident { cka_id, scheme }) => {
                if cka_id.is_empty() || cka_id.len() > MAX_CKA_ID {
                    return Err(CustodyError::Limit);
                }
                bytes.push(2);
                put(&mut bytes, cka_id)?;
                bytes.push(scheme.number());
            }
            Placement::Protected(protected) => {
                bytes.push(3);
                protected.encode(&mut bytes)?;
            }
        }
        bytes.extend(created_ms.to_be_bytes());
        match compromised_ms {
            None => bytes.push(0),
            Some(time) => {
                bytes.push(1);
                bytes.extend(time.to_be_bytes());
            }
        }
        match abandoned {
            None => bytes.push(0),
            Some(Abandonment {
                at_ms,
                proposal,
                records,
            }) => {
                bytes.push(1);
                bytes.extend(at_ms.to_be_bytes());
                bytes.extend(proposal);
                bytes.extend(records.to_be_bytes());
            }
        }
        bytes.push(u8::from(*taken_in));
        put(&mut bytes, known_answer)?;
        Ok(bytes)
    }

    /// Reads the bytes of [`KekRecord::encode`].
    ///
    /// # Errors
    /// [`CustodyError::Record`]
    pub fn decode(bytes: &[u8]) -> Result<Self, CustodyError> {
        let mut fields = Fields(bytes);
        fields.format()?;
        let record = Self {
            id: KekId(fields.array()?),
            domain: Domain(fields.array()?),
            generation: u32::from_be_bytes(fields.array()?),
            state: KekState::from_byte(fields.byte()?).ok_or(CustodyError::Record)?,
            profile: ProfileId(fields.array()?),
            placement: match fields.byte()? {
                1 => Placement::Software,
                2 => match fields.bytes()? {
                    [] => return Err(CustodyError::Record),
                    cka_id if cka_id.len() > MAX_CKA_ID => return Err(CustodyError::Record),
                    cka_id => Placement::Resident(Resident {
                        cka_id: cka_id.to_vec(),
                        scheme: Scheme::from_number(fields.byte()?)?,
                    }),
                },
                3 => Placement::Protected(ProtectedKek::decode(&mut fields)?),
                _ => return Err(CustodyError::Record),
            },
            created_ms: i64::from_be_bytes(fields.array()?),
            compromised_ms: match fields.byte()? {
                0 => None,
                1 => Some(i64::from_be_bytes(fields.array()?)),
                _ => return Err(CustodyError::Record),
            },
            abandoned: match fields.byte()? {
                0 => None,
                1 => Some(Abandonment {
                    at_ms: i64::from_be_bytes(fields.array()?),
                    proposal: fields.array()?,
                    records: u64::from_be_bytes(fields.array()?),
                }),
                _ => return Err(CustodyError::Record),
            },
            taken_in: match fields.byte()? {
                0 => false,
                1 => true,
                _ => return Err(CustodyError::Record),
            },
            known_answer: fields.bytes()?.to_vec(),
        };
        fields.end()?;
        Ok(record)
    }
}

impl RecordKeyRecord {
    /// The bytes for the store.
    ///
    /// # Errors
    /// [`CustodyError::Limit`] if there are more than [`MAX_KEKS`] wraps.
    pub fn encode(&self) -> Result<Vec<u8>, CustodyError> {
        let Self {
            id,
            domain,
            generation,
            created_ms,
            check,
            wraps,
        } = self;
        if wraps.len() > MAX_KEKS {
            return Err(CustodyError::Limit);
        }
        let mut bytes = vec![FORMAT];
        bytes.extend(id);
        bytes.extend(domain.0);
        bytes.extend(generation.to_be_bytes());
        bytes.extend(created_ms.to_be_bytes());
        bytes.extend(check);
        bytes.extend(
            u16::try_from(wraps.len())
                .map_err(|_| CustodyError::Limit)?
                .to_be_bytes(),
        );
        for RecordKeyWrap {
            kek,
            kek_generation,
            wrapped,
        } in wraps
        {
            bytes.extend(kek.0);
            bytes.extend(kek_generation.to_be_bytes());
            put(&mut bytes, wrapped)?;
        }
        Ok(bytes)
    }

    /// Reads the bytes of [`RecordKeyRecord::encode`].
    ///
    /// # Errors
    /// [`CustodyError::Record`]
    pub fn decode(bytes: &[u8]) -> Result<Self, CustodyError> {
        let mut fields = Fields(bytes);
        fields.format()?;
        let mut record = Self {
            id: fields.array()?,
            domain: Domain(fields.array()?),
            generation: u32::from_be_bytes(fields.array()?),
            created_ms: i64::from_be_bytes(fields.array()?),
            check: fields.array()?,
            wraps: Vec::new(),
        };
        let count = usize::from(u16::from_be_bytes(fields.array()?));
        if count > MAX_KEKS {
            return Err(CustodyError::Record);
        }
        for _ in 0..count {
            record.wraps.push(RecordKeyWrap {
                kek: KekId(fields.array()?),
                kek_generation: u32::from_be_bytes(fields.array()?),
                wrapped: fields.bytes()?.to_vec(),
            });
        }
        fields.end()?;
        Ok(record)
    }
}

pub(super) fn put(bytes: &mut Vec<u8>, field: &[u8]) -> Result<(), CustodyError> {
    bytes.extend(
        u16::try_from(field.len())
            .map_err(|_| CustodyError::Limit)?
            .to_be_bytes(),
    );
    bytes.extend(field);
    Ok(())
}

/// The unread rest of a record.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn format(&mut self) -> Result<(), CustodyError> {
        if self.byte()? == FORMAT {
            Ok(())
        } else {
            Err(CustodyError::Record)
        }
    }

    pub(super) fn byte(&mut self) -> Result<u8, CustodyError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CustodyError> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(CustodyError::Record)?;
        self.0 = rest;
        Ok(*field)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], CustodyError> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (field, rest) = self.0.split_at_checked(length).ok_or(CustodyError::Record)?;
        self.0 = rest;
        Ok(field)
    }

    pub(super) fn end(&self) -> Result<(), CustodyError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(CustodyError::Record)
        }
    }
}

#[cfg(test)]
mod tests;
