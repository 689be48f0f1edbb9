//! Dealing shares out and putting them together again.
//!
//! The credential is sealed under a key of its own, which is the sum of one part for each rule. In each alternative of a rule the rule's
//! part is the sum of one part for each group, and any `quorum` members of the group have that.

use super::envelope;
use super::record::{
    Binding, HeldShare, MOST_SHARES, Place, Plan, PlannedGroup, SharedGroup, Sharing, Slot, place, share_context,
};
use super::shamir;
use crate::custody::error::CustodyError;
use crate::custody::facade::Custody;
use crate::custody::sealing::{self, KEY};
use crate::custody::slab::Locked;
use zeroize::Zeroizing;

/// The longest credential.
pub const LONGEST_CREDENTIAL: usize = 255;
/// Credentials are sealed in multiples of this many bytes: their lengths say little.
const PADDED: usize = 64;

impl Custody {
    /// Shares a management credential as a plan says.
    ///
    /// # Errors
    /// [`CustodyError::Limit`] if a group has fewer members with a share key than its quorum, or there are too many shares, or the
    /// credential is too long or empty.
    pub fn share(
        &self,
        binding: Binding,
        plan: &Plan,
        credential: &Locked,
        made_ms: i64,
    ) -> Result<Sharing, CustodyError> {
        let members = plan.iter().flatten().flatten().map(|group| group.members.len());
        if plan.is_empty() || members.sum::<usize>() > MOST_SHARES {
            return Err(CustodyError::Limit);
        }
        let key = self.random_part()?;
        let mut rules = Vec::with_capacity(plan.len());
        for (rule, (part, alternatives)) in self.parts(&key, plan.len())?.iter().zip(plan).enumerate() {
            let mut dealt = Vec::with_capacity(alternatives.len());
            for (alternative, groups) in alternatives.iter().enumerate() {
                let parts = self.parts(part, groups.len())?;
                let mut shared = Vec::with_capacity(groups.len());
                for (number, (part, group)) in parts.iter().zip(groups).enumerate() {
                    let first = place(rule, alternative, number).ok_or(CustodyError::Limit)?;
                    shared.push(self.deal(&binding, first, part, group)?);
                }
                dealt.push(shared);
            }
            if dealt.is_empty() {
                return Err(CustodyError::Limit);
            }
            rules.push(dealt);
        }
        let padded = self.pad(credential)?;
        let aad = binding.bytes(CREDENTIAL);
        Ok(Sharing {
            sealed: sealing::seal(self.randomness.as_ref(), &key, &aad, padded.expose())?,
            binding,
            made_ms,
            rules,
        })
    }

    fn random_part(&self) -> Result<Locked, CustodyError> {
        let mut part = self.slab.allocate(KEY)?;
        let filled = self.randomness.fill(part.expose_mut());
        filled.map(|()| part).map_err(|_| CustodyError::Randomness)
    }

    /// So many parts at random whose sum is `whole`.
    fn parts(&self, whole: &Locked, count: usize) -> Result<Vec<Locked>, CustodyError> {
        let mut last = whole.duplicate()?;
        let mut parts = Vec::with_capacity(count);
        for _ in 1..count {
            let part = self.random_part()?;
            shamir::add(last.expose_mut(), part.expose());
            parts.push(part);
        }
        if count > 0 {
            parts.push(last);
        }
        Ok(parts)
    }

    fn deal(
        &self,
        binding: &Binding,
        first: Place,
        part: &Locked,
        group: &PlannedGroup,
    ) -> Result<SharedGroup, CustodyError> {
        let count = u8::try_from(group.members.len()).map_err(|_| CustodyError::Limit)?;
        let shares = shamir::split(&self.slab, self.randomness.as_ref(), part, group.quorum, count)?;
        let mut held = Vec::with_capacity(shares.len());
        for ((point, share), member) in (1..=count).zip(&shares).zip(&group.members) {
            let fingerprint = member.key.fingerprint();
            let context = share_context(binding, Place { point, ..first }, &member.person, &fingerprint);
            held.push(HeldShare {
                person: member.person,
                key_fingerprint: fingerprint,
                commitment: commitment(&context, share.expose()),
                envelope: envelope::seal(&member.key, &context, share.expose())?,
            });
        }
        Ok(SharedGroup {
            name: group.name.clone(),
            quorum: group.quorum,
            shares: held,
        })
    }

    /// The credential with its length before it and zeros behind.
    fn pad(&self, credential: &Locked) -> Result<Locked, CustodyError> {
        let length = u8::try_from(credential.len()).map_err(|_| CustodyError::Limit)?;
        if length == 0 {
            return Err(CustodyError::Limit);
        }
        let mut padded = self.slab.allocate((credential.len() + 1).next_multiple_of(PADDED))?;
        if let Some((first, rest)) = padded.expose_mut().split_first_mut() {
            *first = length;
            rest.iter_mut()
                .zip(credential.expose())
                .for_each(|(to, byte)| *to = *byte);
        }
        Ok(padded)
    }

    /// Opens a credential by these shares, which were checked one by one.
    ///
    /// # Errors
    /// [`CustodyError::Unavailable`] if they are too few; [`CustodyError::Refused`] if what they give opens nothing.
    pub fn open_shared(&self, sharing: &Sharing, given: &[(Place, &Locked)]) -> Result<Locked, CustodyError> {
        let places: Vec<Place> = given.iter().map(|(place, _)| *place).collect();
        let mut key = self.slab.allocate(KEY)?;
        if sharing.rules.is_empty() {
            return Err(CustodyError::Record);
        }
        for rule in 0..sharing.rules.len() {
            let found = sharing.alternative(rule, &places);
            let (alternative, groups) = found.ok_or(CustodyError::Unavailable)?;
            for (number, group) in groups.iter().enumerate() {
                let first = place(rule, usize::from(alternative), number).ok_or(CustodyError::Record)?;
                let own = given.iter().filter(|(place, _)| Place { point: 0, ..*place } == first);
                let shares: Vec<(u8, &Locked)> = own
                    .map(|(place, share)| (place.point, *share))
                    .take(usize::from(group.quorum))
                    .collect();
                let part = shamir::combine(&self.slab, &shares)?;
                shamir::add(key.expose_mut(), part.expose());
            }
        }
        let aad = sharing.binding.bytes(CREDENTIAL);
        let padded = sealing::open_locked(&self.slab, &key, &aad, &sharing.sealed)?;
        let (length, rest) = padded.expose().split_first().ok_or(CustodyError::Record)?;
        let credential = rest.get(..usize::from(*length)).ok_or(CustodyError::Record)?;
        Ok(self.slab.copy_from(credential)?)
    }
}

/// What the sealing of a credential is for.
const CREDENTIAL: &[u8] = b"claviger/management credential/v1";

/// What a share is known by: a digest of it and of what it is bound to. A share is 32 random bytes, which a digest does not give away.
fn commitment(context: &[u8], share: &[u8]) -> [u8; 32] {
    let bytes = Zeroizing::new([b"claviger/share commitment/v1", context, share].concat());
    crate::audit::hash(&bytes)
}

impl Slot {
    /// Whether these bytes are the share.
    #[must_use]
    pub fn is(&self, share: &[u8]) -> bool {
        is_share(&self.context, &self.commitment, share)
    }
}

/// Whether these bytes are the share that was dealt for this context.
#[must_use]
pub fn is_share(context: &[u8], committed: &[u8], share: &[u8]) -> bool {
    share.len() == KEY && sealing::equal(&commitment(context, share), committed)
}
