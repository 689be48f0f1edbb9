//! A sharing as it is kept: who holds which share, and what they seal.

use super::envelope::{Envelope, ShareKey};
use crate::custody::context::ProfileId;
use crate::custody::error::CustodyError;
use crate::store::{Domain, Key, Kind};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

/// A sharing, in the domain of those who hold it, under the identifier of the HSM-Profile.
pub const SHARING: Kind = Kind(0x28);

/// Shares of one sharing at most: each is an encryption, and a commit carries them all.
pub const MOST_SHARES: usize = 512;

/// The format that is written.
const FORMAT: i32 = 1;

/// Tags of this encoding: extensions of our own that never leave the server.
mod tag {
    use kmip_ttlv::Tag;

    pub(super) const SHARING: Tag = Tag(0x54_F400);
    pub(super) const FORMAT: Tag = Tag(0x54_F401);
    pub(super) const PROFILE: Tag = Tag(0x54_F402);
    pub(super) const SCOPE: Tag = Tag(0x54_F403);
    pub(super) const GENERATION: Tag = Tag(0x54_F404);
    pub(super) const POLICY_DIGEST: Tag = Tag(0x54_F405);
    pub(super) const MADE: Tag = Tag(0x54_F406);
    pub(super) const SEALED: Tag = Tag(0x54_F407);
    pub(super) const RULE: Tag = Tag(0x54_F408);
    pub(super) const ALTERNATIVE: Tag = Tag(0x54_F409);
    pub(super) const GROUP: Tag = Tag(0x54_F40A);
    pub(super) const NAME: Tag = Tag(0x54_F40B);
    pub(super) const QUORUM: Tag = Tag(0x54_F40C);
    pub(super) const SHARE: Tag = Tag(0x54_F40D);
    pub(super) const PERSON: Tag = Tag(0x54_F40E);
    pub(super) const FINGERPRINT: Tag = Tag(0x54_F40F);
    pub(super) const COMMITMENT: Tag = Tag(0x54_F410);
    pub(super) const ENCAPSULATED: Tag = Tag(0x54_F411);
    pub(super) const ENVELOPE: Tag = Tag(0x54_F412);
    pub(super) const INSTANCE: Tag = Tag(0x54_F413);
}

/// What a sharing and each of its shares is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The installation.
    pub instance: [u8; 16],
    /// Whose management credential is shared.
    pub profile: ProfileId,
    /// The domain of those who hold it.
    pub scope: Domain,
    /// Counts the sharings of that profile there.
    pub generation: u32,
    /// The policy whose rules it follows.
    pub policy_digest: [u8; 32],
}

impl Binding {
    /// Whether it is of no installation: of a backup, which may be opened in another, where the same people are others by number.
    #[must_use]
    pub fn is_portable(&self) -> bool {
        self.instance == [0; 16]
    }

    /// Its bytes, behind what they are for.
    pub(super) fn bytes(&self, purpose: &[u8]) -> Vec<u8> {
        let Self {
            instance,
            profile,
            scope,
            generation,
            policy_digest,
        } = self;
        let generation = generation.to_be_bytes();
        [purpose, instance, &profile.0, &scope.0, &generation, policy_digest].concat()
    }
}

/// Somebody who is to hold a share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// Who.
    pub person: [u8; 16],
    /// What its share is encrypted to.
    pub key: ShareKey,
}

/// A group whose members share a part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedGroup {
    /// Its name.
    pub name: String,
    /// How many of them give it.
    pub quorum: u8,
    /// Who has a share key.
    pub members: Vec<Recipient>,
}

/// What governs: all rules, each by one of its alternatives, that by all of its groups.
pub type Plan = Vec<Vec<Vec<PlannedGroup>>>;

/// Which share: the rule, its alternative, the group in it, and the point of the polynomial, from 1 on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub(super) rule: u8,
    pub(super) alternative: u8,
    pub(super) group: u8,
    pub(super) point: u8,
}

/// A management credential, sealed under a key that is shared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sharing {
    /// What it is bound to.
    pub binding: Binding,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
    pub(super) sealed: Vec<u8>,
    /// Rules, their alternatives, their groups.
    pub(super) rules: Vec<Vec<Vec<SharedGroup>>>,
}

/// A group whose members share a part of the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedGroup {
    /// Its name.
    pub name: String,
    /// How many shares give its part.
    pub quorum: u8,
    /// The shares, for the points from 1 on.
    pub shares: Vec<HeldShare>,
}

/// A share, and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldShare {
    /// Who holds it.
    pub person: [u8; 16],
    /// The share key that opens it.
    pub key_fingerprint: [u8; 32],
    pub(super) commitment: [u8; 32],
    pub(super) envelope: Envelope,
}

/// A share as its holder is handed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Which one.
    pub place: Place,
    /// What it is bound to.
    pub context: Vec<u8>,
    /// The share key that opens it.
    pub key_fingerprint: [u8; 32],
    /// By which it is known to be the right one.
    pub commitment: [u8; 32],
    /// The share.
    pub envelope: Envelope,
}

impl Sharing {
    /// Where the sharing of a profile's credential among the people of a domain is kept.
    #[must_use]
    pub const fn key(scope: Domain, profile: ProfileId) -> Key {
        Key {
            domain: scope,
            kind: SHARING,
            id: profile.0,
        }
    }

    /// Every group, with the place of its first share but for the point.
    pub fn groups(&self) -> impl Iterator<Item = (Place, &SharedGroup)> {
        self.rules.iter().enumerate().flat_map(|(rule, alternatives)| {
            alternatives.iter().enumerate().flat_map(move |(alternative, groups)| {
                groups
                    .iter()
                    .enumerate()
                    .filter_map(move |(group, shared)| Some((place(rule, alternative, group)?, shared)))
            })
        })
    }

    /// The groups that are all wanted, if there is one way and no other.
    #[must_use]
    pub fn only_way(&self) -> Option<&[SharedGroup]> {
        match self.rules.as_slice() {
            [rule] => match rule.as_slice() {
                [groups] => Some(groups),
                _ => None,
            },
            _ => None,
        }
    }

    /// Every share, with its place.
    pub fn shares(&self) -> impl Iterator<Item = (Place, &HeldShare)> {
        self.groups().flat_map(|(first, group)| {
            let points = 1..=u8::MAX;
            points
                .zip(&group.shares)
                .map(move |(point, share)| (Place { point, ..first }, share))
        })
    }

    /// The shares that a person holds.
    #[must_use]
    pub fn slots(&self, person: &[u8; 16]) -> Vec<Slot> {
        let own = self.shares().filter(|(_, share)| share.person == *person);
        own.map(|(place, share)| Slot {
            place,
            context: self.context(place, share),
            key_fingerprint: share.key_fingerprint,
            commitment: share.commitment,
            envelope: share.envelope.clone(),
        })
        .collect()
    }

    /// What a share is bound to.
    pub(super) fn context(&self, place: Place, share: &HeldShare) -> Vec<u8> {
        share_context(&self.binding, place, &share.person, &share.key_fingerprint)
    }

    /// Whether the shares at which `has` says so give the credential: for each rule those of one of its alternatives.
    pub fn is_sufficient(&self, mut has: impl FnMut(Place, &HeldShare) -> bool) -> bool {
        let given: Vec<Place> = self
            .shares()
            .filter(|(place, share)| has(*place, share))
            .map(|(place, _)| place)
            .collect();
        !self.rules.is_empty() && (0..self.rules.len()).all(|rule| self.alternative(rule, &given).is_some())
    }

    /// The first alternative of a rule that these shares satisfy, with its groups.
    pub(super) fn alternative(&self, rule: usize, given: &[Place]) -> Option<(u8, &[SharedGroup])> {
        let alternatives = self.rules.get(rule)?;
        let satisfied = |at: usize, groups: &[SharedGroup]| {
            !groups.is_empty()
                && groups.iter().enumerate().all(|(number, group)| {
                    let first = place(rule, at, number);
                    let own = |given: &&Place| first.is_some_and(|first| given.is_beside(first));
                    given.iter().filter(own).count() >= usize::from(group.quorum)
                })
        };
        let mut all = alternatives.iter().enumerate();
        let (at, groups) = all.find(|(at, groups)| satisfied(*at, groups))?;
        Some((u8::try_from(at).ok()?, groups))
    }

    /// The same, held by those who have the share keys now. What nobody has is nobody's.
    #[must_use]
    pub fn held_by(mut self, holder: impl Fn(&[u8; 32]) -> Option<[u8; 16]>) -> Self {
        for share in self
            .rules
            .iter_mut()
            .flatten()
            .flatten()
            .flat_map(|group| &mut group.shares)
        {
            share.person = holder(&share.key_fingerprint).unwrap_or_default();
        }
        self
    }

    /// Of whom it takes how many, a line for each alternative of each rule.
    #[must_use]
    pub fn ways(&self) -> Vec<String> {
        let group = |group: &SharedGroup| format!("{} of {} {}", group.quorum, group.shares.len(), group.name);
        let way = |groups: &Vec<SharedGroup>| groups.iter().map(group).collect::<Vec<_>>().join(" and ");
        self.rules.iter().flatten().map(way).collect()
    }

    /// Whether it is shared as this plan says: the same rules, among the same people with the same keys.
    #[must_use]
    pub fn fits(&self, plan: &Plan) -> bool {
        let group = |shared: &SharedGroup, planned: &PlannedGroup| {
            let mut held: Vec<_> = shared.shares.iter().map(|s| (s.person, s.key_fingerprint)).collect();
            let mut meant: Vec<_> = planned
                .members
                .iter()
                .map(|m| (m.person, m.key.fingerprint()))
                .collect();
            held.sort_unstable();
            meant.sort_unstable();
            shared.name == planned.name && shared.quorum == planned.quorum && held == meant
        };
        let same = |shared: &[SharedGroup], planned: &[PlannedGroup]| {
            shared.len() == planned.len() && shared.iter().zip(planned).all(|(a, b)| group(a, b))
        };
        self.rules.len() == plan.len()
            && self.rules.iter().zip(plan).all(|(shared, planned)| {
                shared.len() == planned.len() && shared.iter().zip(planned).all(|(a, b)| same(a, b))
            })
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            binding,
            made_ms,
            sealed,
            rules,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::SHARING, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::INSTANCE, &binding.instance);
            w.bytes(tag::PROFILE, &binding.profile.0);
            w.bytes(tag::SCOPE, &binding.scope.0);
            w.interval(tag::GENERATION, binding.generation);
            w.bytes(tag::POLICY_DIGEST, &binding.policy_digest);
            w.long_integer(tag::MADE, *made_ms);
            w.bytes(tag::SEALED, sealed);
            for rule in rules {
                w.structure(tag::RULE, |w| {
                    for alternative in rule {
                        w.structure(tag::ALTERNATIVE, |w| {
                            alternative.iter().for_each(|group| group.write(w))
                        });
                    }
                });
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`Sharing::encode`] wrote.
    ///
    /// # Errors
    /// [`CustodyError::Record`]
    pub fn decode(bytes: &[u8]) -> core::result::Result<Self, CustodyError> {
        let mut reader = Reader::new(bytes);
        let read = reader.structure(tag::SHARING, Self::read);
        let sharing = read.map_err(|_| CustodyError::Record)?;
        reader.finish().map_err(|_| CustodyError::Record)?;
        Ok(sharing)
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        if r.integer(tag::FORMAT)? != FORMAT {
            return Err(r.error(ErrorKind::Version));
        }
        let binding = Binding {
            instance: r.array(tag::INSTANCE)?,
            profile: ProfileId(r.array(tag::PROFILE)?),
            scope: Domain(r.array(tag::SCOPE)?),
            generation: r.interval(tag::GENERATION)?,
            policy_digest: r.array(tag::POLICY_DIGEST)?,
        };
        let (made_ms, sealed) = (r.long_integer(tag::MADE)?, r.bytes(tag::SEALED)?.to_vec());
        let rules = several(r, tag::RULE, |r| {
            several(r, tag::ALTERNATIVE, |r| {
                let mut groups = Vec::new();
                while r.at(tag::GROUP) {
                    groups.push(r.structure(tag::GROUP, SharedGroup::read)?);
                }
                Ok(groups)
            })
        })?;
        Ok(Self {
            binding,
            made_ms,
            sealed,
            rules,
        })
    }
}

/// Structures of one tag, one after the other.
fn several<T>(r: &mut Reader<'_>, tag: Tag, read: impl Fn(&mut Reader<'_>) -> Result<T>) -> Result<Vec<T>> {
    let mut found = Vec::new();
    while r.at(tag) {
        found.push(r.structure(tag, &read)?);
    }
    Ok(found)
}

impl SharedGroup {
    fn write(&self, w: &mut Writer) {
        let Self { name, quorum, shares } = self;
        w.structure(tag::GROUP, |w| {
            w.text(tag::NAME, name);
            w.integer(tag::QUORUM, i32::from(*quorum));
            for share in shares {
                w.structure(tag::SHARE, |w| share.write(w));
            }
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let name = r.text(tag::NAME)?.to_owned();
        let quorum = u8::try_from(r.integer(tag::QUORUM)?).ok().filter(|quorum| *quorum > 0);
        let quorum = quorum.ok_or_else(|| r.error(ErrorKind::Version))?;
        let shares = several(r, tag::SHARE, HeldShare::read)?;
        if shares.len() > usize::from(u8::MAX) {
            return Err(r.error(ErrorKind::Version));
        }
        Ok(Self { name, quorum, shares })
    }
}

impl HeldShare {
    fn write(&self, w: &mut Writer) {
        let Self {
            person,
            key_fingerprint,
            commitment,
            envelope: Envelope { encapsulated, sealed },
        } = self;
        w.bytes(tag::PERSON, person);
        w.bytes(tag::FINGERPRINT, key_fingerprint);
        w.bytes(tag::COMMITMENT, commitment);
        w.bytes(tag::ENCAPSULATED, encapsulated);
        w.bytes(tag::ENVELOPE, sealed);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            person: r.array(tag::PERSON)?,
            key_fingerprint: r.array(tag::FINGERPRINT)?,
            commitment: r.array(tag::COMMITMENT)?,
            envelope: Envelope {
                encapsulated: r.bytes(tag::ENCAPSULATED)?.to_vec(),
                sealed: r.bytes(tag::ENVELOPE)?.to_vec(),
            },
        })
    }
}

impl Place {
    /// Whether two shares are of the same group.
    fn is_beside(self, other: Self) -> bool {
        (self.rule, self.alternative, self.group) == (other.rule, other.alternative, other.group)
    }
}

/// The place of a group's shares, but for the point.
pub(super) fn place(rule: usize, alternative: usize, group: usize) -> Option<Place> {
    Some(Place {
        rule: u8::try_from(rule).ok()?,
        alternative: u8::try_from(alternative).ok()?,
        group: u8::try_from(group).ok()?,
        point: 0,
    })
}

/// What a share is bound to: profile, scope, generation, policy, place, person and share key.
pub(super) fn share_context(binding: &Binding, place: Place, person: &[u8; 16], key_fingerprint: &[u8; 32]) -> Vec<u8> {
    let mut context = binding.bytes(b"claviger/share/v1");
    context.extend_from_slice(&[place.rule, place.alternative, place.group, place.point]);
    match binding.is_portable() {
        true => context.extend_from_slice(&[0; 16]),
        false => context.extend_from_slice(person),
    }
    context.extend_from_slice(key_fingerprint);
    context
}
