//! What the server looks after by itself, and when. Each matter is on it once, so that it is no longer than what there is.

use crate::store::Domain;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A proposal, by its place.
pub(super) type Place = (Domain, [u8; 16]);

/// Something to look after.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Matter {
    /// Finding the domains that there are.
    Installation,
    /// Finding a domain's live proposals, once its keys answer.
    Domain,
    /// Removing what its requesters have not fetched in time.
    Sweep,
    /// Going on with a purge that was ordered.
    Purge,
    /// Wrapping records under another KEK.
    Rewrap,
    /// Replacing keys whose time for it has come.
    Rotate,
    /// Noting that dates have changed the states of objects.
    Turn,
    /// A proposal.
    Proposal([u8; 16]),
}

/// The last matter of all in the order of the agenda.
const LAST: (Domain, Matter) = (Domain([0xFF; 16]), Matter::Proposal([0xFF; 16]));

/// When there is something to do about what, in milliseconds since 1970.
#[derive(Default)]
pub(super) struct Agenda {
    entries: Mutex<Entries>,
    /// One at a time for each proposal: what reaches outside must not be done twice at once by one server.
    turns: Mutex<HashMap<Place, Arc<tokio::sync::Mutex<()>>>>,
    /// Proposals that this server has begun to carry out, and not one before it.
    begun: Mutex<HashSet<Place>>,
}

#[derive(Default)]
struct Entries {
    by_time: BTreeSet<(i64, Domain, Matter)>,
    times: BTreeMap<(Domain, Matter), i64>,
    /// Domains in which something is being done.
    at_work: HashSet<Domain>,
    /// Domains whose keys did not answer when they were last asked.
    away: HashSet<Domain>,
}

impl Entries {
    fn remove(&mut self, domain: Domain, matter: Matter) {
        if let Some(at_ms) = self.times.remove(&(domain, matter)) {
            self.by_time.remove(&(at_ms, domain, matter));
        }
    }

    fn insert(&mut self, at_ms: i64, domain: Domain, matter: Matter) {
        self.remove(domain, matter);
        self.times.insert((domain, matter), at_ms);
        self.by_time.insert((at_ms, domain, matter));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agenda {
    /// Puts a matter down for this moment, and for no other.
    pub(super) fn note(&self, at_ms: i64, domain: Domain, matter: Matter) {
        lock(&self.entries).insert(at_ms, domain, matter);
    }

    /// Puts a matter down for this moment unless it is down for another.
    pub(super) fn note_new(&self, at_ms: i64, domain: Domain, matter: Matter) {
        let mut entries = lock(&self.entries);
        if !entries.times.contains_key(&(domain, matter)) {
            entries.insert(at_ms, domain, matter);
        }
    }

    /// Puts a matter down for this moment unless it is down for an earlier one.
    pub(super) fn note_by(&self, at_ms: i64, domain: Domain, matter: Matter) {
        let mut entries = lock(&self.entries);
        let noted = entries.times.get(&(domain, matter));
        if noted.is_none_or(|noted| *noted > at_ms) {
            entries.insert(at_ms, domain, matter);
        }
    }

    /// Takes a proposal off that has ended.
    pub(super) fn forget(&self, place: Place) {
        lock(&self.entries).remove(place.0, Matter::Proposal(place.1));
        lock(&self.begun).remove(&place);
    }

    /// What is due, by domain, of so many domains at most; it is taken off. A domain in which something is being done waits: each given
    /// here is at work until its [`Shift`] ends.
    pub(super) fn due(&self, now_ms: i64, most: usize) -> BTreeMap<Domain, Vec<Matter>> {
        let mut entries = lock(&self.entries);
        let mut due: BTreeMap<Domain, Vec<Matter>> = BTreeMap::new();
        for (_, domain, matter) in entries.by_time.range(..=(now_ms, LAST.0, LAST.1)) {
            if !entries.at_work.contains(domain) && (due.len() < most || due.contains_key(domain)) {
                due.entry(*domain).or_default().push(*matter);
            }
        }
        for (domain, matters) in &due {
            matters.iter().for_each(|matter| entries.remove(*domain, *matter));
            entries.at_work.insert(*domain);
        }
        due
    }

    /// What is at work until it is dropped.
    pub(super) const fn shift(&self, domain: Domain) -> Shift<'_> {
        Shift { agenda: self, domain }
    }

    /// The keys of a domain do not answer. Whether that is news.
    pub(super) fn note_away(&self, domain: Domain) -> bool {
        lock(&self.entries).away.insert(domain)
    }

    /// The keys of a domain answer. Whether that is news.
    pub(super) fn note_back(&self, domain: Domain) -> bool {
        lock(&self.entries).away.remove(&domain)
    }

    /// This server is about to begin with a proposal that is carried out by steps: said before the commit of the first, so that whoever
    /// meets it begun knows by whom.
    pub(super) fn begin(&self, place: Place) {
        lock(&self.begun).insert(place);
    }

    /// Whether this server has begun with it.
    pub(super) fn has_begun(&self, place: Place) -> bool {
        lock(&self.begun).contains(&place)
    }

    /// Does something about a proposal while nobody else here does.
    pub(super) async fn alone<T>(&self, place: Place, work: impl Future<Output = T>) -> T {
        let turn = Turn::of(self, place);
        let _alone = turn.lock.lock().await;
        work.await
    }
}

/// A domain's time at work.
pub(super) struct Shift<'a> {
    agenda: &'a Agenda,
    domain: Domain,
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        lock(&self.agenda.entries).at_work.remove(&self.domain);
    }
}

/// Somebody who waits for a proposal, or has it. The last one takes the lock away.
struct Turn<'a> {
    agenda: &'a Agenda,
    place: Place,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl<'a> Turn<'a> {
    fn of(agenda: &'a Agenda, place: Place) -> Self {
        let lock = Arc::clone(lock(&agenda.turns).entry(place).or_default());
        Self { agenda, place, lock }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut turns = lock(&self.agenda.turns);
        // The map's and one's own.
        if Arc::strong_count(&self.lock) <= 2 {
            turns.remove(&self.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Domain = Domain([1; 16]);
    const TWO: Domain = Domain([2; 16]);

    #[test]
    fn a_matter_is_due_once_and_at_the_moment_last_said() {
        let agenda = Agenda::default();
        agenda.note(5, ONE, Matter::Sweep);
        agenda.note(9, ONE, Matter::Sweep);
        agenda.note_new(3, ONE, Matter::Sweep);
        assert!(agenda.due(8, 9).is_empty());
        assert_eq!(agenda.due(9, 9).remove(&ONE), Some(vec![Matter::Sweep]));
        assert!(agenda.due(9, 9).is_empty());
    }

    #[test]
    fn of_two_moments_the_earlier_one_can_be_kept() {
        let agenda = Agenda::default();
        agenda.note_by(9, ONE, Matter::Turn);
        agenda.note_by(5, ONE, Matter::Turn);
        agenda.note_by(7, ONE, Matter::Turn);
        assert_eq!(agenda.due(5, 9).remove(&ONE), Some(vec![Matter::Turn]));
        assert!(agenda.due(9, 9).is_empty());
    }

    #[test]
    fn a_domain_at_work_is_left_alone_and_others_are_not() {
        let agenda = Agenda::default();
        agenda.note(1, ONE, Matter::Domain);
        assert_eq!(agenda.due(1, 9).len(), 1);
        let shift = agenda.shift(ONE);
        agenda.note(2, ONE, Matter::Proposal([7; 16]));
        agenda.note(2, TWO, Matter::Proposal([7; 16]));
        assert!(agenda.due(2, 9).into_keys().eq([TWO]));
        drop(shift);
        assert!(agenda.due(2, 9).into_keys().eq([ONE]));
    }

    #[test]
    fn no_more_domains_are_due_than_were_asked_for() {
        let agenda = Agenda::default();
        for domain in [ONE, TWO] {
            agenda.note(1, domain, Matter::Domain);
            agenda.note(1, domain, Matter::Sweep);
        }
        let due = agenda.due(1, 1);
        assert_eq!(due.into_values().collect::<Vec<_>>(), [[Matter::Domain, Matter::Sweep]]);
        assert_eq!(agenda.due(1, 1).len(), 1);
    }

    #[tokio::test]
    async fn one_at_a_time_has_a_proposal_and_nothing_is_kept_of_it() {
        let agenda = Agenda::default();
        let order = Mutex::new(Vec::new());
        let work = |number: u8| {
            let order = &order;
            async move {
                lock(order).push(number);
                crate::wait::breathe().await;
                lock(order).push(number);
            }
        };
        tokio::join!(
            agenda.alone((ONE, [1; 16]), work(1)),
            agenda.alone((ONE, [1; 16]), work(2)),
        );
        assert_eq!(*lock(&order), [1, 1, 2, 2]);
        lock(&order).clear();
        tokio::join!(
            agenda.alone((ONE, [1; 16]), work(1)),
            agenda.alone((TWO, [1; 16]), work(2)),
        );
        // Each had begun before either ended.
        let order = lock(&order);
        assert_ne!(order[0], order[1]);
        assert!(lock(&agenda.turns).is_empty());
    }
}
