//! The backup of a protected KEK: the KEK, sealed to each of those who can open it. Nothing in it depends on the installation that
//! made it, and it is worth nothing without one of them.
//!
//! The bytes are `version (1) ‖ domain (16) ‖ KEK (16) ‖ generation (4) ‖ check value (16) ‖ recipients (1)`, then for each
//! recipient `kind (1) ‖ name`, which together are the header; then the KEK as sealed to each. The header is authenticated with
//! each of them.

use super::{CHECK_VALUE, MAX_PROFILES, Name, NewPair, Placement, Sealing, envelope, pair_name, protected_of};
use crate::custody::context::{KekId, ProfileId, Purpose, WrapContext};
use crate::custody::error::CustodyError;
use crate::custody::facade::Custody;
use crate::custody::record::{Fields, KekRecord, MAX_CKA_ID, put};
use crate::custody::sealing;
use crate::custody::sharing::{Binding, PlannedGroup, SharedGroup, Sharing};
use crate::custody::slab::Locked;
use crate::store::Domain;

const VERSION: u8 = 1;
/// A recipient that is a key pair in an HSM; its name is the CKA_ID.
const PAIR: u8 = 1;
/// A recipient that is a group of people; its name says who, its part is how the KEK is shared among them.
const GROUP: u8 = 2;
/// Recipients at most: the profiles of a KEK, and a group.
const MAX_RECIPIENTS: usize = MAX_PROFILES + 1;
/// People of its recovery group at most: a share of each is a dozen lines of text.
const MAX_MEMBERS: usize = 16;
/// Groups of which so many each are needed at most: more is a mistake.
pub const MAX_GROUPS: usize = 4;
/// One person alone opens nothing.
const FEWEST: usize = 2;
/// Bytes of a recipient's name at most.
const MAX_NAME: usize = 256;

/// A protected KEK, sealed to those who can open it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// The tenant, or the system domain, that it is of.
    pub domain: Domain,
    /// The KEK.
    pub kek: KekId,
    /// Its generation.
    pub generation: u32,
    check_value: [u8; CHECK_VALUE],
    recipients: Vec<Recipient>,
}

/// Somebody who can open it. Kinds that are not known here are kept as they are: another version may know them.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Recipient {
    kind: u8,
    name: Vec<u8>,
    sealed: Vec<u8>,
}

impl Backup {
    /// What is authenticated with each recipient's part.
    fn header(&self) -> Result<Vec<u8>, CustodyError> {
        let Self {
            domain,
            kek,
            generation,
            check_value,
            recipients,
        } = self;
        let count = u8::try_from(recipients.len()).map_err(|_| CustodyError::Limit)?;
        if !(1..=MAX_RECIPIENTS).contains(&recipients.len()) {
            return Err(CustodyError::Limit);
        }
        let mut bytes = vec![VERSION];
        bytes.extend(domain.0);
        bytes.extend(kek.0);
        bytes.extend(generation.to_be_bytes());
        bytes.extend(check_value);
        bytes.push(count);
        for recipient in recipients {
            bytes.push(recipient.kind);
            put(&mut bytes, &recipient.name)?;
        }
        Ok(bytes)
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, CustodyError> {
        let mut bytes = self.header()?;
        for recipient in &self.recipients {
            put(&mut bytes, &recipient.sealed)?;
        }
        Ok(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CustodyError> {
        let mut fields = Fields(bytes);
        if fields.byte()? != VERSION {
            return Err(CustodyError::Record);
        }
        let mut backup = Self {
            domain: Domain(fields.array()?),
            kek: KekId(fields.array()?),
            generation: u32::from_be_bytes(fields.array()?),
            check_value: fields.array()?,
            recipients: Vec::new(),
        };
        let count = usize::from(fields.byte()?);
        if !(1..=MAX_RECIPIENTS).contains(&count) {
            return Err(CustodyError::Record);
        }
        for _ in 0..count {
            let (kind, name) = (fields.byte()?, fields.bytes()?.to_vec());
            let fits = name.len() <= MAX_NAME && (kind != PAIR || (1..=MAX_CKA_ID).contains(&name.len()));
            if !fits {
                return Err(CustodyError::Record);
            }
            backup.recipients.push(Recipient {
                kind,
                name,
                sealed: Vec::new(),
            });
        }
        for recipient in &mut backup.recipients {
            recipient.sealed = fields.bytes()?.to_vec();
        }
        fields.end()?;
        Ok(backup)
    }

    /// What the shares of its recovery group are bound to: the header, and no installation.
    fn recovery_binding(&self) -> Result<Binding, CustodyError> {
        Ok(Binding {
            instance: [0; 16],
            profile: ProfileId(self.kek.0),
            scope: self.domain,
            generation: self.generation,
            policy_digest: crate::audit::hash(&self.header()?),
        })
    }

    /// How it is shared among a group of people, if it is.
    ///
    /// # Errors
    /// [`CustodyError::Record`] if that is not of this backup, or one person could open it alone.
    pub fn recovery(&self) -> Result<Option<Sharing>, CustodyError> {
        let Some(group) = self.recipients.iter().find(|recipient| recipient.kind == GROUP) else {
            return Ok(None);
        };
        let sharing = Sharing::decode(&group.sealed)?;
        if sharing.binding != self.recovery_binding()? {
            return Err(CustodyError::Record);
        }
        // Whoever has the public share keys can have made it.
        let part = |group: &SharedGroup| {
            (
                group.quorum,
                group.shares.iter().map(|share| share.key_fingerprint).collect(),
            )
        };
        let groups = sharing.only_way().ok_or(CustodyError::Record)?;
        judge(&groups.iter().map(part).collect::<Vec<_>>()).map_err(|_| CustodyError::Record)?;
        Ok(Some(sharing))
    }

    fn named(&self) -> Name {
        Name {
            domain: self.domain,
            id: self.kek,
            generation: self.generation,
            check_value: self.check_value,
        }
    }

    fn context(&self) -> WrapContext {
        WrapContext {
            purpose: Purpose::Backup,
            domain: self.domain,
            internal_id: self.kek.0,
            generation: self.generation,
            kek: self.kek,
            kek_generation: self.generation,
        }
    }
}

/// How many of the holders of these share keys, by their fingerprints, give a group's part.
type Part = (u8, Vec<[u8; 32]>);

/// Refuses a recovery group that one person alone could open, and one in which somebody stands twice.
fn judge(parts: &[Part]) -> Result<(), CustodyError> {
    let quorum: usize = parts.iter().map(|(quorum, _)| usize::from(*quorum)).sum();
    let mut keys: Vec<_> = parts.iter().flat_map(|(_, keys)| keys).collect();
    keys.sort_unstable();
    let is_twice = keys.windows(2).any(|pair| pair.first() == pair.last());
    let can = |(quorum, keys): &Part| *quorum > 0 && keys.len() >= usize::from(*quorum);
    if is_twice || quorum < FEWEST || !parts.iter().all(can) {
        return Err(CustodyError::Refused);
    }
    if parts.len() > MAX_GROUPS || keys.len() > MAX_MEMBERS {
        return Err(CustodyError::Limit);
    }
    Ok(())
}

/// Judges who is to open backups together, as [`Custody::back_up`] does.
///
/// # Errors
/// [`CustodyError::Refused`] if one person alone could, or they are too few, or somebody stands in two groups; [`CustodyError::Limit`] if
/// they are too many.
pub fn judge_recovery(groups: &[PlannedGroup]) -> Result<(), CustodyError> {
    let part = |group: &PlannedGroup| {
        let keys = group.members.iter().map(|member| member.key.fingerprint());
        (group.quorum, keys.collect())
    };
    judge(&groups.iter().map(part).collect::<Vec<_>>())
}

/// Who can open it together, as the header says it, cut to what a name may be.
fn told(groups: &[PlannedGroup]) -> Vec<u8> {
    let one = |group: &PlannedGroup| format!("{} of {} {}", group.quorum, group.members.len(), group.name);
    let mut name = groups.iter().map(one).collect::<Vec<_>>().join(" and ").into_bytes();
    name.truncate(MAX_NAME);
    name
}

impl Custody {
    /// Seals a protected KEK anew to each of its profiles, and shares it among a group of people, if there is one. No HSM is asked.
    ///
    /// # Errors
    /// [`CustodyError::Record`] if it is not protected; [`CustodyError::Unavailable`] while it is not in memory; those of
    /// [`judge_recovery`].
    pub fn back_up(&self, record: &KekRecord, group: Option<&[PlannedGroup]>) -> Result<Backup, CustodyError> {
        let protected = protected_of(record)?;
        group.map_or(Ok(()), judge_recovery)?;
        let key = self.protected.held(record, protected).key()?;
        let recipients = protected.wraps.iter().map(|wrap| Recipient {
            kind: PAIR,
            name: wrap.cka_id.clone(),
            sealed: Vec::new(),
        });
        let people = group.map(|groups| Recipient {
            kind: GROUP,
            name: told(groups),
            sealed: Vec::new(),
        });
        let mut backup = Backup {
            domain: record.domain,
            kek: record.id,
            generation: record.generation,
            check_value: protected.check_value,
            recipients: recipients.chain(people).collect(),
        };
        let (header, context, randomness) = (backup.header()?, backup.context(), self.randomness.as_ref());
        for (recipient, wrap) in backup.recipients.iter_mut().zip(&protected.wraps) {
            recipient.sealed = envelope::seal(&self.slab, randomness, &wrap.public_key, &context, &header, &key)?;
        }
        if let Some(groups) = group {
            let (binding, plan) = (backup.recovery_binding()?, vec![vec![groups.to_vec()]]);
            let shared = self.share(binding, &plan, &key, 0)?.encode();
            let people = backup.recipients.last_mut().ok_or(CustodyError::Limit)?;
            people.sealed = shared;
        }
        Ok(backup)
    }

    /// Takes a KEK in whose backup people have opened: it gets a key pair of its own in a profile. As in [`Custody::restore_kek`], from here
    /// on this installation knows it as its own.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] if it is not the KEK of the check value; [`CustodyError::NoPairs`]; those of [`super::KekProvider`].
    pub async fn recover_kek(
        &self,
        backup: &Backup,
        key: Locked,
        pair: &NewPair,
        created_ms: i64,
    ) -> Result<KekRecord, CustodyError> {
        let named = backup.named();
        self.check(named, &key)?;
        let wrap = self.seal_to_pair(named, pair, &key).await?;
        self.describe_protected(named, vec![wrap], key, created_ms).await
    }

    /// Has a KEK opened from its backup by a profile, whose token still has one of the key pairs that it is sealed to. From here on
    /// this installation knows it as its own; it is in memory, and opened by this profile. The record that comes back is Pre-Active,
    /// and is the caller's to store.
    ///
    /// # Errors
    /// [`CustodyError::UnknownKek`] if the token has none of the pairs; [`CustodyError::Refused`] if what it opens is not the KEK of
    /// the check value; [`CustodyError::NoPairs`]; those of [`super::KekProvider`].
    pub async fn restore_kek(
        &self,
        backup: &Backup,
        profile: ProfileId,
        created_ms: i64,
    ) -> Result<KekRecord, CustodyError> {
        let provider = self.with_pairs(profile)?;
        let named = backup.named();
        let header = backup.header()?;
        let mut failure = CustodyError::UnknownKek;
        for recipient in backup.recipients.iter().filter(|recipient| recipient.kind == PAIR) {
            let pair = pair_name(named, profile, &recipient.name);
            let public_key = match provider.pairs()?.find(&pair).await {
                Ok(public_key) => public_key,
                Err(CustodyError::UnknownKek) => continue,
                Err(error) => return Err(error),
            };
            let sealing = Sealing {
                public_key: &public_key,
                context: backup.context(),
                more: &header,
                sealed: &recipient.sealed,
            };
            match provider.pairs()?.open(&pair, sealing).await {
                Ok(key) => {
                    self.check(named, &key)?;
                    let wrap = self.seal_to(named, &pair, public_key, &key).await?;
                    return self.describe_protected(named, vec![wrap], key, created_ms).await;
                }
                Err(CustodyError::Refused) => failure = CustodyError::Refused,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }

    fn check(&self, named: Name, key: &Locked) -> Result<(), CustodyError> {
        let found = self.name(named.domain, named.id, named.generation, key)?;
        if sealing::equal(&found.check_value, &named.check_value) {
            Ok(())
        } else {
            Err(CustodyError::Refused)
        }
    }
}

impl KekRecord {
    /// Whether a backup is of this KEK, as far as the record tells: it names the same one, with the same check value.
    #[must_use]
    pub fn is_of(&self, backup: &Backup) -> bool {
        let same = self.id == backup.kek && self.generation == backup.generation && self.domain == backup.domain;
        same && matches!(&self.placement, Placement::Protected(kek) if kek.check_value == backup.check_value)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::crypto::OsRandomness;
    use crate::custody::Slab;
    use crate::custody::sealing::KEY;
    use crate::custody::sharing::{Recipient as Holder, ShareKey};
    use std::sync::Arc;

    pub(in super::super) fn backup(recipients: usize) -> Backup {
        let recipient = |number: usize| Recipient {
            kind: PAIR,
            name: vec![u8::try_from(number).unwrap(); 16],
            sealed: vec![u8::try_from(number * 7).unwrap(); 160],
        };
        Backup {
            domain: Domain([1; 16]),
            kek: KekId([2; 16]),
            generation: 3,
            check_value: [4; 16],
            recipients: (1..=recipients).map(recipient).collect(),
        }
    }

    #[test]
    fn backups_come_back_and_only_whole() {
        let mut unknown = backup(2);
        unknown.recipients.push(Recipient {
            kind: 9,
            name: b"a group of people".to_vec(),
            sealed: vec![5; 700],
        });
        for backup in [backup(1), backup(17), unknown] {
            let bytes = backup.encode().unwrap();
            assert_eq!(Backup::decode(&bytes), Ok(backup));
            for end in 0..bytes.len() {
                assert_eq!(Backup::decode(&bytes[..end]), Err(CustodyError::Record));
            }
            assert_eq!(Backup::decode(&[&bytes[..], &[0]].concat()), Err(CustodyError::Record));
        }
        assert_eq!(backup(0).encode(), Err(CustodyError::Limit));
        assert_eq!(backup(18).encode(), Err(CustodyError::Limit));
    }

    /// Share keys are public: anybody can deal shares to them of a KEK that he knows.
    #[test]
    fn what_one_person_could_open_has_no_recovery_group() {
        let custody = Custody::new(Slab::new().unwrap(), Arc::new(OsRandomness::new()));
        let holder = |number: u8| Holder {
            person: [number; 16],
            key: ShareKey::read(
                &certs::PrivateKey::generate(certs::KeyKind::P256)
                    .unwrap()
                    .public_key_info(),
            )
            .unwrap(),
        };
        let all: Vec<Holder> = (1..=17).map(holder).collect();
        let group = |quorum, members: &[Holder]| PlannedGroup {
            name: "people".into(),
            quorum,
            members: members.to_vec(),
        };
        let dealt = |ways: Vec<Vec<PlannedGroup>>| {
            let mut forged = backup(1);
            forged.recipients.push(Recipient {
                kind: GROUP,
                name: Vec::new(),
                sealed: Vec::new(),
            });
            let binding = forged.recovery_binding().unwrap();
            let key = custody.slab.copy_from(&[7; KEY]).unwrap();
            let shared = custody.share(binding, &vec![ways], &key, 0).unwrap();
            forged.recipients[1].sealed = shared.encode();
            forged.recovery().map(|sharing| sharing.is_some())
        };
        let two = || vec![group(2, &all[..2])];
        assert_eq!(dealt(vec![two()]), Ok(true));
        assert_eq!(dealt(vec![vec![group(1, &all[..1]), group(1, &all[1..3])]]), Ok(true));
        assert_eq!(dealt(vec![vec![group(16, &all[..16])]]), Ok(true));
        let few: Vec<PlannedGroup> = all[..5].chunks(1).map(|one| group(1, one)).collect();
        for wrong in [
            vec![vec![group(1, &all[..1])]],
            vec![vec![group(1, &all[..3])]],
            vec![vec![group(1, &all[..1]), group(1, &all[..1])]],
            vec![vec![group(1, &all[..2]), group(1, &all[1..3])]],
            vec![two(), two()],
            vec![vec![group(2, &all)]],
            vec![few],
        ] {
            let judged = wrong.first().map(|groups| judge_recovery(groups).is_err());
            assert!(wrong.len() > 1 || judged == Some(true));
            assert_eq!(dealt(wrong), Err(CustodyError::Record));
        }
    }
}
