//! Dealing, opening, and what does not open.

use super::envelope::tests::secret;
use super::*;
use crate::crypto::OsRandomness;
use crate::custody::{Custody, CustodyError, Locked, ProfileId, Slab};
use crate::store::Domain;
use kmip_ttlv::Secret;
use proptest::prelude::*;
use std::sync::Arc;

const PIN: &[u8] = b"keeper:correct horse";
const PROPOSAL: Occasion = (Domain([8; 16]), [8; 16]);
/// One of another domain that has the same number.
const ANOTHER: Occasion = (Domain([9; 16]), [8; 16]);

fn custody() -> Custody {
    Custody::new(Slab::new().unwrap(), Arc::new(OsRandomness::new()))
}

fn binding() -> Binding {
    Binding {
        instance: [1; 16],
        profile: ProfileId([2; 16]),
        scope: Domain([3; 16]),
        generation: 4,
        policy_digest: [5; 32],
    }
}

fn people(count: u8) -> Vec<ShareSecret> {
    (0..count).map(|_| secret()).collect()
}

/// A group of these people, by their numbers.
fn group(name: &str, quorum: u8, people: &[ShareSecret], members: &[u8]) -> PlannedGroup {
    let member = |number: &u8| Recipient {
        person: [*number; 16],
        key: people[usize::from(*number)].key().clone(),
    };
    PlannedGroup {
        name: name.to_owned(),
        quorum,
        members: members.iter().map(member).collect(),
    }
}

fn shared(custody: &Custody, plan: &Plan) -> Sharing {
    let pin = custody.slab().copy_from(PIN).unwrap();
    let sharing = custody.share(binding(), plan, &pin, 6).unwrap();
    let read = Sharing::decode(&sharing.encode()).unwrap();
    assert!(read == sharing && read.fits(plan));
    read
}

/// What these people open, all of it.
fn opened(custody: &Custody, sharing: &Sharing, people: &[ShareSecret], who: &[u8]) -> Vec<(Place, Locked)> {
    let mut given = Vec::new();
    for number in who {
        for slot in sharing.slots(&[*number; 16]) {
            let share = people[usize::from(*number)]
                .open(&slot.context, &slot.envelope)
                .unwrap();
            given.push((slot.place, custody.slab().copy_from(share.expose()).unwrap()));
        }
    }
    given
}

fn open(custody: &Custody, sharing: &Sharing, people: &[ShareSecret], who: &[u8]) -> Result<Vec<u8>, CustodyError> {
    let given = opened(custody, sharing, people, who);
    let given: Vec<(Place, &Locked)> = given.iter().map(|(place, share)| (*place, share)).collect();
    let sufficient = sharing.is_sufficient(|place, _| given.iter().any(|(at, _)| *at == place));
    let opened = custody.open_shared(sharing, &given);
    assert_eq!(sufficient, opened.is_ok());
    opened.map(|pin| pin.expose().to_vec())
}

#[test]
fn those_of_one_alternative_and_all_of_its_groups_open_it() {
    let custody = custody();
    let people = people(6);
    let plan = vec![vec![
        vec![
            group("operators", 2, &people, &[0, 1, 2]),
            group("custodians", 1, &people, &[3, 4]),
        ],
        vec![group("board", 1, &people, &[5])],
    ]];
    let sharing = shared(&custody, &plan);
    for enough in [&[0, 1, 3][..], &[2, 1, 4], &[5], &[0, 1, 2, 3, 4, 5]] {
        assert_eq!(
            open(&custody, &sharing, &people, enough).as_deref(),
            Ok(PIN),
            "{enough:?}"
        );
    }
    for few in [&[][..], &[0, 1], &[0, 1, 2], &[3, 4], &[0, 3, 4]] {
        let refused = open(&custody, &sharing, &people, few).err();
        assert_eq!(refused, Some(CustodyError::Unavailable), "{few:?}");
    }
}

#[test]
fn every_rule_must_be_satisfied() {
    let custody = custody();
    let people = people(4);
    let plan = vec![
        vec![vec![group("operators", 2, &people, &[0, 1, 2])]],
        vec![vec![group("auditors", 1, &people, &[3])]],
    ];
    let sharing = shared(&custody, &plan);
    assert_eq!(open(&custody, &sharing, &people, &[0, 2, 3]).as_deref(), Ok(PIN));
    assert!(open(&custody, &sharing, &people, &[0, 1, 2]).is_err());
    assert!(open(&custody, &sharing, &people, &[0, 3]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_quorum_opens_it_and_one_fewer_does_not(quorum in 1_u8..=4, more in 0_u8..=2, skip in any::<u8>()) {
        let custody = custody();
        let count = quorum + more;
        let people = people(count);
        let all: Vec<u8> = (0..count).collect();
        let sharing = shared(&custody, &vec![vec![vec![group("operators", quorum, &people, &all)]]]);
        let mut some = all;
        some.rotate_left(usize::from(skip % count));
        let enough = &some[..usize::from(quorum)];
        prop_assert!(open(&custody, &sharing, &people, enough).is_ok_and(|opened| opened == PIN));
        prop_assert!(open(&custody, &sharing, &people, &enough[1..]).is_err());
    }
}

/// Shares of two are put together as if one more were needed: they give another key, which opens nothing.
#[test]
fn shares_that_do_not_belong_together_open_nothing() {
    let custody = custody();
    let people = people(3);
    let plan = vec![vec![vec![group("operators", 2, &people, &[0, 1, 2])]]];
    let (one, other) = (shared(&custody, &plan), shared(&custody, &plan));
    let mine = opened(&custody, &one, &people, &[0]);
    let foreign = opened(&custody, &other, &people, &[1]);
    let given = [(mine[0].0, &mine[0].1), (foreign[0].0, &foreign[0].1)];
    assert_eq!(custody.open_shared(&one, &given).err(), Some(CustodyError::Refused));
}

#[test]
fn a_share_is_checked_before_it_is_kept() {
    let custody = custody();
    let people = people(2);
    let plan = vec![vec![vec![group("operators", 2, &people, &[0, 1])]]];
    let sharing = shared(&custody, &plan);
    let slot = &sharing.slots(&[0; 16])[0];
    let share = people[0].open(&slot.context, &slot.envelope).unwrap();
    // Another person's, with his key, and edited bytes.
    assert!(people[1].open(&slot.context, &slot.envelope).is_err());
    let mut wrong = share.expose().to_vec();
    wrong[0] ^= 1;
    let by = (&sharing, slot, &[0; 16]);
    for bad in [&wrong[..], &[], &share.expose()[..31]] {
        assert_eq!(custody.hand_in(&PROPOSAL, by, bad, (0, 9)), Err(CustodyError::Refused));
    }
    assert!(custody.openings().is_empty());
    custody.hand_in(&PROPOSAL, by, share.expose(), (0, 9)).unwrap();
    custody.hand_in(&PROPOSAL, by, share.expose(), (0, 9)).unwrap();
    assert!(!custody.openings().is_sufficient(&PROPOSAL, &sharing));
    let other = &sharing.slots(&[1; 16])[0];
    let theirs = people[1].open(&other.context, &other.envelope).unwrap();
    custody
        .hand_in(&PROPOSAL, (&sharing, other, &[1; 16]), theirs.expose(), (0, 9))
        .unwrap();
    let openings = custody.openings();
    assert!(openings.is_sufficient(&PROPOSAL, &sharing) && openings.has_all_of(&PROPOSAL, &sharing, &[1; 16]));
    assert_eq!(custody.open_for(&PROPOSAL, &sharing).unwrap().expose(), PIN);
    // For another proposal nothing is open, and of another generation neither.
    assert!(custody.open_for(&ANOTHER, &sharing).is_err());
    let next = Sharing {
        binding: Binding {
            generation: 5,
            ..sharing.binding
        },
        ..sharing.clone()
    };
    assert!(!openings.is_sufficient(&PROPOSAL, &next));
    // Another sharing of the same binding, as of a profile that was linked anew: what was opened is none of its shares.
    let again = shared(&custody, &plan);
    assert_eq!(again.binding, sharing.binding);
    assert!(!openings.is_sufficient(&PROPOSAL, &again) && openings.is_sufficient(&PROPOSAL, &sharing));
    assert!(custody.open_for(&PROPOSAL, &again).is_err());
    // What becomes of another domain's proposal of the same number is nothing to this one.
    openings.forget(&ANOTHER);
    openings.forget_person(ANOTHER.0, &[1; 16]);
    openings.keep_of(&ANOTHER, |_| false);
    openings.keep_of(&PROPOSAL, |_| true);
    assert!(openings.is_sufficient(&PROPOSAL, &sharing));
    openings.forget_of(&PROPOSAL, &[1; 16]);
    assert!(custody.open_for(&PROPOSAL, &sharing).is_err());
    openings.forget(&PROPOSAL);
    assert!(openings.is_empty());
}

/// A sharing whose one holder is person 0, with what is his and the share that he opens.
fn held_by_one(custody: &Custody) -> (Sharing, Slot, Secret) {
    let people = people(1);
    let sharing = shared(custody, &vec![vec![vec![group("operators", 1, &people, &[0])]]]);
    let slot = sharing.slots(&[0; 16]).remove(0);
    let share = people[0].open(&slot.context, &slot.envelope).unwrap();
    (sharing, slot, share)
}

/// However much a domain opens, nothing of another's is forgotten for it.
#[test]
fn a_domain_takes_no_room_of_another() {
    let custody = custody();
    let (sharing, slot, share) = held_by_one(&custody);
    let by = (&sharing, &slot, &[0; 16]);
    custody.hand_in(&PROPOSAL, by, share.expose(), (0, 9)).unwrap();
    for number in 0..200 {
        let many = (ANOTHER.0, [number; 16]);
        custody.hand_in(&many, by, share.expose(), (0, 99)).unwrap();
    }
    assert!(custody.open_for(&PROPOSAL, &sharing).is_ok());
    assert!(custody.open_for(&(ANOTHER.0, [0; 16]), &sharing).is_err());
    assert!(custody.open_for(&(ANOTHER.0, [199; 16]), &sharing).is_ok());
}

#[test]
fn what_was_opened_lapses() {
    let custody = custody();
    let (sharing, slot, share) = held_by_one(&custody);
    let by = (&sharing, &slot, &[0; 16]);
    custody.hand_in(&PROPOSAL, by, share.expose(), (0, 9)).unwrap();
    custody.hand_in(&ANOTHER, by, share.expose(), (9, 12)).unwrap();
    assert!(custody.open_for(&PROPOSAL, &sharing).is_err());
    assert!(custody.open_for(&ANOTHER, &sharing).is_ok());
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let custody = custody();
    let people = people(2);
    let pin = custody.slab().copy_from(PIN).unwrap();
    let refused = |plan: &Plan, pin: &Locked| custody.share(binding(), plan, pin, 0).err();
    let limit = Some(CustodyError::Limit);
    assert_eq!(refused(&Vec::new(), &pin), limit);
    assert_eq!(refused(&vec![Vec::new()], &pin), limit);
    // Too few with a share key.
    let few = vec![vec![vec![group("operators", 3, &people, &[0, 1])]]];
    assert_eq!(refused(&few, &pin), limit);
    let good = vec![vec![vec![group("operators", 2, &people, &[0, 1])]]];
    for length in [0, LONGEST_CREDENTIAL + 1] {
        assert_eq!(refused(&good, &custody.slab().allocate(length).unwrap()), limit);
    }
    let longest = custody.slab().copy_from(&[b'x'; LONGEST_CREDENTIAL]).unwrap();
    let sharing = custody.share(binding(), &good, &longest, 0).unwrap();
    assert_eq!(open(&custody, &sharing, &people, &[0, 1]).unwrap(), longest.expose());
}

#[test]
fn a_record_that_is_damaged_is_refused() {
    let custody = custody();
    let people = people(2);
    let plan = vec![vec![vec![group("operators", 2, &people, &[0, 1])]]];
    let sharing = shared(&custody, &plan);
    let bytes = sharing.encode();
    assert!((0..bytes.len()).all(|cut| Sharing::decode(&bytes[..cut]).is_err()));
    // Bound to where it lies: under another profile, domain or policy its shares do not open.
    let bindings = [
        Binding {
            profile: ProfileId([9; 16]),
            ..binding()
        },
        Binding {
            scope: Domain([9; 16]),
            ..binding()
        },
        Binding {
            generation: 9,
            ..binding()
        },
        Binding {
            policy_digest: [9; 32],
            ..binding()
        },
        Binding {
            instance: [9; 16],
            ..binding()
        },
    ];
    for binding in bindings {
        let moved = Sharing {
            binding,
            ..sharing.clone()
        };
        let slot = &moved.slots(&[0; 16])[0];
        assert!(people[0].open(&slot.context, &slot.envelope).is_err());
        // Nor the credential, were its shares known.
        let given = opened(&custody, &sharing, &people, &[0, 1]);
        let given: Vec<(Place, &Locked)> = given.iter().map(|(place, share)| (*place, share)).collect();
        assert!(custody.open_shared(&moved, &given).is_err());
    }
    // Another rule, another person, another key: it does not fit.
    for other in [
        vec![vec![vec![group("operators", 1, &people, &[0, 1])]]],
        vec![vec![vec![group("operators", 2, &people, &[0])]]],
        vec![vec![vec![group("others", 2, &people, &[0, 1])]]],
        vec![vec![vec![group("operators", 2, &self::people(2), &[0, 1])]]],
    ] {
        assert!(!sharing.fits(&other));
    }
}
