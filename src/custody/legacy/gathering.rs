//! Shares as they are handed in, until they are enough: in secret memory and nowhere else, and not for long.
//!
//! A handler runs again when its commit meets another's, so a share is first laid down, and counts once the commit that records it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::share::Share;
use crate::store::Domain;

/// How long shares wait for the next one, in milliseconds: long enough for custodians in one room, short enough that none is forgotten.
pub const IDLE_MS: i64 = 30 * 60 * 1000;
/// How long one lies that no commit has made count, in milliseconds: longer than a commit takes.
const LAID_DOWN_MS: i64 = 60 * 1000;

/// A token of a tenant.
type Place = (Domain, [u8; 16]);

/// Why a share does not fit to those that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// This person has handed in one of them.
    Person,
    /// It is one of them.
    Share,
}

/// Who has handed in a share, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The person.
    pub person: [u8; 16],
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

struct Held {
    holder: Holder,
    share: Share,
    counts: bool,
}

/// The shares of every token that is being gathered.
#[derive(Default)]
pub struct Gatherings {
    held: Mutex<BTreeMap<Place, Vec<Held>>>,
    refused: Mutex<BTreeSet<Place>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the last share that counts was handed in.
fn last_ms(held: &[Held]) -> i64 {
    let counting = held.iter().filter(|one| one.counts);
    counting.map(|one| one.holder.at_ms).max().unwrap_or(i64::MIN)
}

impl Gatherings {
    /// Lays down a share that was verified. It counts once [`Gatherings::count`] says so.
    ///
    /// # Errors
    /// [`Unfit`]
    pub fn lay_down(&self, place: Place, holder: Holder, share: Share) -> Result<(), Unfit> {
        let mut all = lock(&self.held);
        let held = all.entry(place).or_default();
        if is_late(held, holder.at_ms) {
            held.clear();
        }
        held.retain(|one| one.counts || holder.at_ms.saturating_sub(one.holder.at_ms) < LAID_DOWN_MS);
        if held.iter().any(|one| one.counts && one.holder.person == holder.person) {
            return Err(Unfit::Person);
        }
        // What the same person lays down again is another run of the same request, or a better one.
        held.retain(|one| one.holder.person != holder.person);
        if held.iter().any(|one| one.share.index == share.index) {
            return Err(Unfit::Share);
        }
        held.push(Held {
            holder,
            share,
            counts: false,
        });
        Ok(())
    }

    /// Has the share count that this person has laid down.
    pub fn count(&self, place: Place, person: [u8; 16]) {
        let mut all = lock(&self.held);
        let held = all.get_mut(&place).into_iter().flatten();
        held.filter(|one| one.holder.person == person)
            .for_each(|one| one.counts = true);
    }

    /// Whose shares count, in the order in which they came.
    #[must_use]
    pub fn holders(&self, place: Place, now_ms: i64) -> Vec<Holder> {
        self.with(place, now_ms, |shares| {
            shares.iter().map(|(holder, _)| *holder).collect()
        })
    }

    /// Does something with the shares that count. None do that have waited for too long.
    pub fn with<T>(&self, place: Place, now_ms: i64, act: impl FnOnce(&[(Holder, &Share)]) -> T) -> T {
        let all = lock(&self.held);
        let held = all.get(&place).map_or(&[][..], Vec::as_slice);
        let late = is_late(held, now_ms);
        let counting = held.iter().filter(|one| one.counts && !late);
        act(&counting.map(|one| (one.holder, &one.share)).collect::<Vec<_>>())
    }

    /// Wipes the shares of a token; how many had counted.
    pub fn wipe(&self, place: Place) -> usize {
        let held = lock(&self.held).remove(&place).unwrap_or_default();
        held.iter().filter(|one| one.counts).count()
    }

    /// Wipes the shares of all tokens of a domain.
    pub fn wipe_domain(&self, domain: Domain) {
        lock(&self.held).retain(|place, _| place.0 != domain);
        lock(&self.refused).retain(|place| place.0 != domain);
    }

    /// Wipes what has waited for too long, and tells of what.
    pub fn wipe_late(&self, now_ms: i64) -> Vec<Place> {
        let mut wiped = Vec::new();
        lock(&self.held).retain(|place, held| {
            let late = is_late(held, now_ms);
            let counted = held.iter().any(|one| one.counts);
            if late && counted {
                wiped.push(*place);
            }
            held.retain(|one| one.counts || now_ms.saturating_sub(one.holder.at_ms) < LAID_DOWN_MS);
            !late && !held.is_empty()
        });
        wiped
    }

    /// An HSM has refused the PIN of this token: it is not shown to it again.
    pub fn note_refused(&self, place: Place) {
        lock(&self.refused).insert(place);
    }

    /// Forgets that: somebody has decided that it may be shown again.
    pub fn forget(&self, place: Place) {
        lock(&self.refused).remove(&place);
    }

    /// Whether an HSM has refused the PIN of this token since the server was started.
    #[must_use]
    pub fn was_refused(&self, place: Place) -> bool {
        lock(&self.refused).contains(&place)
    }
}

fn is_late(held: &[Held], now_ms: i64) -> bool {
    let last = last_ms(held);
    last > i64::MIN && now_ms.saturating_sub(last) >= IDLE_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::slab::Slab;

    const PLACE: Place = (Domain([1; 16]), [2; 16]);

    struct Scene {
        slab: Slab,
        gatherings: Gatherings,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                slab: Slab::new().unwrap(),
                gatherings: Gatherings::default(),
            }
        }

        fn lay_down(&self, person: u8, index: u8, at_ms: i64) -> Result<(), Unfit> {
            let share = Share {
                token: PLACE.1,
                index,
                value: self.slab.copy_from(&[index; 32]).unwrap(),
            };
            let person = [person; 16];
            self.gatherings.lay_down(PLACE, Holder { person, at_ms }, share)
        }

        fn hand_in(&self, person: u8, index: u8, at_ms: i64) -> Result<(), Unfit> {
            self.lay_down(person, index, at_ms)?;
            self.gatherings.count(PLACE, [person; 16]);
            Ok(())
        }

        fn counting(&self, now_ms: i64) -> Vec<(u8, u8)> {
            let pair = |(holder, share): &(Holder, &Share)| (holder.person[0], share.index);
            self.gatherings
                .with(PLACE, now_ms, |shares| shares.iter().map(pair).collect())
        }
    }

    #[test]
    fn each_person_and_each_share_count_once() {
        let scene = Scene::new();
        scene.hand_in(1, 1, 0).unwrap();
        assert_eq!(scene.hand_in(1, 2, 1), Err(Unfit::Person));
        assert_eq!(scene.hand_in(1, 1, 1), Err(Unfit::Person));
        assert_eq!(scene.hand_in(2, 1, 1), Err(Unfit::Share));
        scene.hand_in(2, 2, 2).unwrap();
        assert_eq!(scene.counting(2), [(1, 1), (2, 2)]);
        assert_eq!(scene.gatherings.wipe(PLACE), 2);
        assert_eq!(scene.counting(2), []);
        scene.hand_in(2, 1, 3).unwrap();
        assert_eq!(scene.counting(3), [(2, 1)]);
    }

    #[test]
    fn what_is_laid_down_does_not_count_and_can_be_laid_down_again() {
        let scene = Scene::new();
        scene.lay_down(1, 1, 0).unwrap();
        assert_eq!(scene.counting(0), []);
        scene.lay_down(1, 2, 1).unwrap();
        scene.lay_down(1, 1, 2).unwrap();
        assert_eq!(scene.lay_down(2, 1, 3), Err(Unfit::Share));
        assert_eq!(scene.lay_down(2, 1, 2 + LAID_DOWN_MS), Ok(()));
        scene.gatherings.count(PLACE, [2; 16]);
        scene.gatherings.count(PLACE, [9; 16]);
        assert_eq!(scene.counting(3), [(2, 1)]);
    }

    #[test]
    fn shares_wait_for_the_next_one_and_not_for_ever() {
        let scene = Scene::new();
        scene.hand_in(1, 1, 0).unwrap();
        scene.hand_in(2, 2, IDLE_MS - 1).unwrap();
        assert_eq!(scene.counting(2 * IDLE_MS - 2).len(), 2);
        assert_eq!(scene.gatherings.wipe_late(2 * IDLE_MS - 2), []);
        // What is late counts for nothing, whether or not it has been wiped yet.
        assert_eq!(scene.counting(2 * IDLE_MS - 1), []);
        assert_eq!(scene.gatherings.wipe_late(2 * IDLE_MS - 1), [PLACE]);
        assert_eq!(scene.gatherings.wipe_late(2 * IDLE_MS - 1), []);
        assert!(scene.gatherings.held.lock().unwrap().is_empty());
        // What nobody has made count goes without a word.
        scene.lay_down(1, 1, 0).unwrap();
        assert_eq!(scene.gatherings.wipe_late(LAID_DOWN_MS), []);
        assert!(scene.gatherings.held.lock().unwrap().is_empty());
    }

    #[test]
    fn a_late_gathering_begins_anew() {
        let scene = Scene::new();
        scene.hand_in(1, 1, 0).unwrap();
        scene.hand_in(1, 1, IDLE_MS).unwrap();
        assert_eq!(scene.counting(IDLE_MS), [(1, 1)]);
    }

    #[test]
    fn a_domain_that_is_gone_leaves_nothing() {
        let scene = Scene::new();
        scene.hand_in(1, 1, 0).unwrap();
        scene.gatherings.note_refused(PLACE);
        scene.gatherings.wipe_domain(Domain([9; 16]));
        assert!(scene.counting(0).len() == 1 && scene.gatherings.was_refused(PLACE));
        scene.gatherings.wipe_domain(PLACE.0);
        assert!(scene.counting(0).is_empty() && !scene.gatherings.was_refused(PLACE));
    }
}
