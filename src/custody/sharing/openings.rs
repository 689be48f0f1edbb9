//! Shares that their holders have opened for something that is to be carried out: in secret memory alone, for each proposal apart, until
//! that ends. A server that starts has none.

use super::record::{Binding, HeldShare, Place, Sharing, Slot};
use crate::custody::error::CustodyError;
use crate::custody::facade::Custody;
use crate::custody::slab::Locked;
use crate::store::Domain;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Proposals of a domain with opened shares at most; of these the one that lapses first makes room. No domain takes another's.
const MOST_PROPOSALS: usize = 64;
/// Opened shares of one proposal at most.
const MOST_OPENED: usize = 1024;

/// A proposal, and its domain: whoever asks chooses the number, and may choose one that another domain has.
pub type Occasion = (Domain, [u8; 16]);

/// What was opened for each proposal.
#[derive(Default)]
pub struct Openings(Mutex<BTreeMap<Occasion, Opening>>);

#[derive(Default)]
struct Opening {
    until_ms: i64,
    shares: Vec<Opened>,
}

struct Opened {
    of: Binding,
    person: [u8; 16],
    place: Place,
    /// A profile that is linked anew counts its sharings from the beginning: this tells those apart that have one number.
    commitment: [u8; 32],
    share: Locked,
}

impl Openings {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Occasion, Opening>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was opened for a proposal.
    pub fn forget(&self, proposal: &Occasion) {
        self.all().remove(proposal);
    }

    /// Forgets what a person has opened for a proposal.
    pub fn forget_of(&self, proposal: &Occasion, person: &[u8; 16]) {
        if let Some(opening) = self.all().get_mut(proposal) {
            opening.shares.retain(|opened| opened.person != *person);
        }
    }

    /// Forgets whatever a person of a domain has opened.
    pub fn forget_person(&self, domain: Domain, person: &[u8; 16]) {
        for (_, opening) in self.all().iter_mut().filter(|((of, _), _)| *of == domain) {
            opening.shares.retain(|opened| opened.person != *person);
        }
    }

    /// Forgets what those have opened for a proposal who do not agree to it any more, or may not.
    pub fn keep_of(&self, proposal: &Occasion, agrees: impl Fn(&[u8; 16]) -> bool) {
        if let Some(opening) = self.all().get_mut(proposal) {
            opening.shares.retain(|opened| agrees(&opened.person));
        }
    }

    /// Whether nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().values().all(|opening| opening.shares.is_empty())
    }

    /// Whether a person has handed in all its shares of a sharing.
    #[must_use]
    pub fn has_all_of(&self, proposal: &Occasion, sharing: &Sharing, person: &[u8; 16]) -> bool {
        let all = self.all();
        let opened = all.get(proposal);
        let mut own = sharing.shares().filter(|(_, share)| share.person == *person);
        own.all(|(place, share)| opened.is_some_and(|opened| opened.has(&sharing.binding, place, share)))
    }

    /// Whether what was opened for a proposal gives a credential.
    #[must_use]
    pub fn is_sufficient(&self, proposal: &Occasion, sharing: &Sharing) -> bool {
        let all = self.all();
        let opened = all.get(proposal);
        opened.is_some_and(|opened| sharing.is_sufficient(|place, share| opened.has(&sharing.binding, place, share)))
    }
}

impl Opening {
    fn has(&self, of: &Binding, place: Place, share: &HeldShare) -> bool {
        let is = |opened: &Opened| opened.of == *of && opened.place == place && opened.commitment == share.commitment;
        self.shares.iter().any(is)
    }
}

impl Custody {
    /// Keeps a share that a person has opened for a proposal, until a moment in milliseconds since 1970, if it is the right one.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] for another share; [`CustodyError::Limit`].
    pub fn hand_in(
        &self,
        proposal: &Occasion,
        (sharing, slot, person): (&Sharing, &Slot, &[u8; 16]),
        share: &[u8],
        (now_ms, until_ms): (i64, i64),
    ) -> Result<(), CustodyError> {
        if !slot.is(share) {
            return Err(CustodyError::Refused);
        }
        let share = self.slab.copy_from(share)?;
        let mut all = self.openings.all();
        all.retain(|_, opening| opening.until_ms > now_ms);
        let own = || all.iter().filter(|((domain, _), _)| *domain == proposal.0);
        if own().count() >= MOST_PROPOSALS && !all.contains_key(proposal) {
            let first = own().min_by_key(|(_, opening)| opening.until_ms);
            let first = first.map(|(proposal, _)| *proposal);
            first.and_then(|proposal| all.remove(&proposal));
        }
        let opening = all.entry(*proposal).or_default();
        opening.until_ms = until_ms;
        // Those of a former sharing open nothing any more.
        let (binding, place) = (sharing.binding, slot.place);
        opening.shares.retain(|opened| {
            let same = (opened.of.scope, opened.of.profile) == (binding.scope, binding.profile);
            !same || (opened.of == binding && opened.place != place)
        });
        if opening.shares.len() >= MOST_OPENED {
            return Err(CustodyError::Limit);
        }
        opening.shares.push(Opened {
            of: binding,
            person: *person,
            place,
            commitment: slot.commitment,
            share,
        });
        Ok(())
    }

    /// The credential, as what was opened for a proposal gives it.
    ///
    /// # Errors
    /// [`CustodyError::Unavailable`] if too little was opened.
    pub fn open_for(&self, proposal: &Occasion, sharing: &Sharing) -> Result<Locked, CustodyError> {
        let all = self.openings.all();
        let opening = all.get(proposal).ok_or(CustodyError::Unavailable)?;
        let given: Vec<(Place, &Locked)> = sharing
            .shares()
            .filter_map(|(place, share)| {
                let mut all = opening.shares.iter();
                let is = |opened: &&Opened| opened.of == sharing.binding && opened.place == place;
                all.find(|opened| is(opened) && opened.commitment == share.commitment)
                    .map(|opened| (place, &opened.share))
            })
            .collect();
        self.open_shared(sharing, &given)
    }

    /// What was opened for proposals.
    #[must_use]
    pub const fn openings(&self) -> &Openings {
        &self.openings
    }
}
