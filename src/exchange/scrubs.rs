//! Rows put back, removed and brought from elsewhere behind the server's back: found, named, held, released.

use super::assembly::{is, voter};
use super::governing::destroy;
use super::restarts::{services_again, started};
use super::testing::TestHouse;
use crate::administration::kek;
use crate::audit::alarm::Event;
use crate::authority::electorate;
use crate::authority::quorum::Group;
use crate::custody::sharing::SHARE_KEY;
use crate::failure::Fault;
use crate::identity::{Principal, kind};
use crate::objects;
use crate::operations::Services;
use crate::operations::keeper::Keeper;
use crate::scrub::{Known, Quarantine, Wrong};
use crate::store::{Domain, Key, Kind, Record, StoreError, Work};
use kmip_protocol::{
    ClientSuspendRequest, Finding, GetRequest, GroupPutRequest, LocateRequest, PersonRole, QuarantineListRequest,
    QuarantineReleaseRequest, RecordFault, ResponseItem, ResponsePayload, ResultStatus, StateVerifyRequest,
    UniqueIdentifier, Version,
};
use std::sync::Arc;

struct Scene {
    house: TestHouse,
    olga: Principal,
    administrator: Principal,
}

impl Scene {
    async fn open() -> Self {
        let house = TestHouse::new().await;
        let olga = house.known(house.tenant, PersonRole::Operator);
        let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
        Self {
            house,
            olga,
            administrator,
        }
    }

    async fn scrub(&self) {
        self.house.scrub().await;
    }

    async fn get(&self, identifier: &str) -> ResponseItem {
        let request = GetRequest {
            unique_identifier: Some(UniqueIdentifier::Text(identifier.to_owned())),
            ..GetRequest::default()
        };
        self.house.item(Version::NEWEST, request, &self.house.alice).await
    }

    async fn list(&self, who: &Principal) -> Vec<Finding> {
        match self.house.act(who, QuarantineListRequest::default()).await.payload {
            Some(ResponsePayload::QuarantineList(list)) => list.findings,
            _ => panic!("no list"),
        }
    }

    async fn release(&self, who: &Principal, finding: &Finding) -> ResponseItem {
        let finding_identifier = finding.finding_identifier.clone();
        let request = QuarantineReleaseRequest { finding_identifier };
        self.house.act(who, request).await
    }

    /// A destroyed key whose row of before is put back: its Unique Identifier.
    async fn put_back(&self) -> String {
        let key = self.house.create("", Vec::new()).await;
        let old = self.house.row(objects::key(self.house.tenant, &key)).await;
        self.house.item(Version::NEWEST, destroy(&key), &self.house.alice).await;
        self.house.plant(old);
        key
    }

    async fn locate(&self) -> usize {
        let item = self
            .house
            .item(Version::NEWEST, LocateRequest::default(), &self.house.alice)
            .await;
        match item.payload {
            Some(ResponsePayload::Locate(found)) => found.unique_identifiers.len(),
            _ => panic!("not located"),
        }
    }
}

fn served(item: &ResponseItem) -> bool {
    item.result_status == ResultStatus::Success
}

#[tokio::test]
async fn what_nobody_touched_is_as_the_trail_has_it() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let keys = [
        house.create("one", Vec::new()).await,
        house.create("two", Vec::new()).await,
        house.create("three", Vec::new()).await,
    ];
    scene.get(&keys[0]).await;
    house.item(Version::NEWEST, destroy(&keys[1]), &house.alice).await;
    voter(house, house.tenant, "olga", PersonRole::Operator).await;
    scene.scrub().await;
    assert_eq!(scene.list(&scene.administrator).await, []);
    // In parts so small that the trail is read many times, with others at work meanwhile.
    let known = Known::default();
    let scrub = house.comparison(&known, Some(4));
    let busy = async {
        for number in 0..40 {
            let key = house.create("", Vec::new()).await;
            if number % 2 == 0 {
                house.item(Version::NEWEST, destroy(&key), &house.alice).await;
            }
            crate::wait::breathe().await;
        }
    };
    let (outcome, ()) = tokio::join!(scrub.run(), busy);
    let outcome = outcome.unwrap();
    assert_eq!((outcome.findings, outcome.trail_faults), (vec![], vec![]));
    assert!(outcome.compared > 15 && outcome.trail > 5);
}

#[tokio::test]
async fn an_old_row_put_back_is_found_named_and_held_until_people_release_it() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let other = house.create("other", Vec::new()).await;
    let key = scene.put_back().await;
    // The old row has a right MAC. And its first use writes it anew, which must not make it the newest.
    assert!(served(&scene.get(&key).await));
    scene.scrub().await;
    assert!(is(&scene.get(&key).await, Fault::Quarantined));
    assert!(served(&scene.get(&other).await));
    assert_eq!(scene.locate().await, 1);
    assert!(house.alarms().await.contains(&Event::RecordStale));
    // Each sees what is its own; whoever names another's hears that there is none.
    let bob = house.tenant_of(&house.bob).await;
    let fred = house.known(bob, PersonRole::Operator);
    assert_eq!(scene.list(&fred).await, []);
    let list = scene.list(&scene.olga).await;
    assert_eq!(list, scene.list(&scene.administrator).await);
    let [finding] = list.as_slice() else {
        panic!("{} findings", list.len());
    };
    assert_eq!(finding.record_name, format!("object {key}"));
    assert_eq!(finding.tenant_name.as_deref(), Some("alice"));
    assert_eq!((finding.record_fault, finding.held), (RecordFault::Stale, true));
    assert!(is(&scene.release(&fred, finding).await, Fault::NotFound));
    let nothing = Finding {
        finding_identifier: vec![7; 16],
        ..finding.clone()
    };
    assert!(is(&scene.release(&scene.olga, &nothing).await, Fault::NotFound));
    // Found again, it is one finding; after a restart it is held all the same.
    scene.scrub().await;
    assert_eq!(scene.list(&scene.olga).await.len(), 1);
    let auditor = house.known(house.tenant, PersonRole::Auditor);
    assert!(is(&scene.release(&auditor, finding).await, Fault::PermissionDenied));

    let released = scene.release(&scene.olga, finding).await;
    assert!(served(&released), "{:?}", released.result_message);
    assert!(served(&scene.get(&key).await));
    scene.scrub().await;
    assert_eq!(scene.list(&scene.olga).await, []);
}

#[tokio::test]
async fn what_is_held_is_held_after_a_restart() {
    let mut scene = Scene::open().await;
    let key = scene.put_back().await;
    scene.scrub().await;
    let old = scene.house.server.services();
    let quarantine = Arc::new(Quarantine::new(crate::administration::quarantine::barrier));
    let count = quarantine.reload(&scene.house.store, &old.custody).await.unwrap();
    assert_eq!(count, 1);
    let services = Services {
        quarantine,
        ..services_again(&scene.house)
    };
    scene.house.server = started(&scene.house, services).await;
    assert!(is(&scene.get(&key).await, Fault::Quarantined));
}

#[tokio::test]
async fn a_suspension_that_is_undone_behind_the_server_helps_nobody_for_long() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let clients = house.store.scan(house.tenant, kind::CLIENT, None, 9).await.unwrap();
    let old = house.row(clients[0].key).await;
    let client_name = "alice".into();
    assert!(served(
        &house.act(&scene.olga, ClientSuspendRequest { client_name }).await
    ));
    assert!(is(&scene.get("x").await, Fault::NotAuthenticated));
    house.plant(old);
    scene.scrub().await;
    assert!(is(&scene.get("x").await, Fault::Quarantined));
    // The other tenant does not notice.
    let locate = LocateRequest::default();
    assert!(served(&house.item(Version::NEWEST, locate, &house.bob).await));
    let list = scene.list(&scene.olga).await;
    assert_eq!(
        list[0].record_name,
        format!("record 12/{}", kmip_ttlv::Hex(&clients[0].key.id))
    );
}

#[tokio::test]
async fn each_sort_of_wrong_is_told_and_dropped_once_it_is_right_again() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let mut rows = Vec::new();
    for _ in 0..3 {
        let key = house.create("", Vec::new()).await;
        rows.push(house.row(objects::key(house.tenant, &key)).await);
    }
    let [gone, altered, copied] = rows.try_into().ok().unwrap();
    house.uproot(gone.key);
    let mut bad = altered.clone();
    bad.body = Arc::from([&altered.body[1..], &altered.body[..1]].concat());
    house.plant(bad);
    // To a place where nothing ever was, of this tenant, of the other, and of another kind.
    let bob = house.tenant_of(&house.bob).await;
    let places = [
        Key {
            id: [1; 16],
            ..copied.key
        },
        Key {
            domain: bob,
            ..copied.key
        },
        Key {
            kind: Kind(0x7F),
            ..copied.key
        },
    ];
    for key in places {
        house.plant(Record { key, ..copied.clone() });
    }
    scene.scrub().await;
    let told = async |who| {
        let mut told: Vec<u32> = scene.list(who).await.iter().map(|one| one.record_fault.0).collect();
        told.sort_unstable();
        told
    };
    let (missing, unknown, damaged) = (Wrong::Missing, Wrong::Unknown, Wrong::Damaged);
    let all = [missing, unknown, unknown, unknown, damaged].map(Wrong::number);
    assert_eq!(told(&scene.administrator).await, all);
    assert_eq!(
        told(&scene.olga).await,
        [missing, unknown, unknown, damaged].map(Wrong::number)
    );
    // What does not open, nobody can release.
    let list = scene.list(&scene.olga).await;
    let bad = list
        .iter()
        .find(|one| one.record_fault == RecordFault::Damaged)
        .unwrap();
    assert!(is(&scene.release(&scene.olga, bad).await, Fault::RecordDamaged));
    // A record that is gone can be agreed to be gone.
    let lost = list
        .iter()
        .find(|one| one.record_fault == RecordFault::Missing)
        .unwrap();
    assert!(served(&scene.release(&scene.olga, lost).await));
    house.plant(altered);
    places.into_iter().for_each(|key| house.uproot(key));
    scene.scrub().await;
    assert_eq!(told(&scene.administrator).await, [0_u32; 0]);
}

#[tokio::test]
async fn a_trail_that_was_cut_is_told_and_nothing_is_judged_by_it() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let key = house.create("", Vec::new()).await;
    scene.scrub().await;
    house.cut_trail();
    scene.scrub().await;
    let status = house.act(&scene.administrator, StateVerifyRequest::default()).await;
    let Some(ResponsePayload::StateVerify(status)) = status.payload else {
        panic!("no status");
    };
    assert_eq!((status.verifying, status.findings), (false, 0));
    assert_eq!(status.trail_faults.len(), 1, "{:?}", status.trail_faults);
    assert!(house.alarms().await.contains(&Event::TrailDamaged));
    assert!(served(&scene.get(&key).await));
    let now = StateVerifyRequest { verify_now: Some(true) };
    let Some(ResponsePayload::StateVerify(status)) = house.act(&scene.olga, now).await.payload else {
        panic!("no status");
    };
    assert!(status.verifying);
}

#[tokio::test]
async fn a_group_that_is_put_back_counts_no_votes_once_it_is_held() {
    let scene = Scene::open().await;
    let house = &scene.house;
    for name in ["anna", "bert"] {
        voter(house, house.tenant, name, PersonRole::Custodian).await;
    }
    let put = async |name: &str, persons: &[&str]| {
        let group = kmip_protocol::Group {
            group_name: name.to_owned(),
            persons: persons.iter().map(|person| (*person).to_owned()).collect(),
        };
        let item = house.act(&scene.olga, GroupPutRequest { group }).await;
        assert!(served(&item), "{:?}", item.result_message);
    };
    // That which is held comes first, so that a page without it is filled from behind.
    let key = |name: &&str| Group::key(house.tenant, name);
    let mut names = ["keepers", "others", "third"];
    names.sort_by_key(key);
    let [first, others @ ..] = names;
    for name in others {
        put(name, &["bert"]).await;
    }
    put(first, &["anna", "bert"]).await;
    let old = house.row(key(&first)).await;
    put(first, &["anna"]).await;
    house.plant(old);
    let counted = async |name: &str| {
        let keeper = Keeper(Arc::clone(&house.server.services().custody));
        let mut work = Work::new(Arc::clone(&house.store));
        let people = electorate(house.tenant, &mut work, &keeper).await.unwrap();
        people.group(name).len()
    };
    assert_eq!(counted(first).await, 2);
    scene.scrub().await;
    assert_eq!(counted(first).await, 0);
    for name in others {
        assert_eq!(counted(name).await, 1);
    }
    for (limit, found) in [(1, 1), (2, 2), (3, 2)] {
        let page = house.store.scan(house.tenant, key(&first).kind, None, limit).await;
        assert_eq!(page.unwrap().len(), found);
    }
    let list = scene.list(&scene.olga).await;
    assert!(served(&scene.release(&scene.olga, &list[0]).await));
    assert_eq!(counted(first).await, 2);
}

/// Who opens backups and shares has nothing but a MAC to show for it.
#[tokio::test]
async fn share_keys_and_recovery_groups_are_held_as_other_records_are() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let keys = [SHARE_KEY, Kind(0x2E)].map(|kind| Key {
        domain: house.tenant,
        kind,
        id: [4; 16],
    });
    for key in keys {
        let mut old = None;
        for body in [b"one", b"two"] {
            let mut work = Work::new(Arc::clone(&house.store));
            let custody = &house.server.services().custody;
            kek::put(custody, &mut work, key, body.to_vec()).await.unwrap();
            house.store.commit(work.into_change_set(0)).await.unwrap();
            old = old.or(Some(house.row(key).await));
        }
        house.plant(old.unwrap());
    }
    scene.scrub().await;
    let list = scene.list(&scene.olga).await;
    assert!(list.len() == 2 && list.iter().all(|finding| finding.held));
    for key in keys {
        assert_eq!(house.store.load(key).await.err(), Some(StoreError::Quarantined));
    }
}

/// The trail is damaged at each moment of a comparison: before its first reading, and between that and the second one.
#[tokio::test]
async fn nothing_is_judged_by_a_trail_in_which_a_fault_is_met_late() {
    let mut late = 0;
    for moment in 0..12 {
        let house = TestHouse::new().await;
        let key = objects::key(house.tenant, &house.create("", Vec::new()).await);
        let mut row = house.row(key).await;
        row.key.id = [7; 16];
        house.plant(row);
        let known = Known::default();
        let scrub = house.comparison(&known, None);
        let damage = async {
            for _ in 0..moment {
                crate::wait::breathe().await;
            }
            house.create("", Vec::new()).await;
            house.cut_trail();
            house.create("", Vec::new()).await;
        };
        let (outcome, ()) = tokio::join!(scrub.run(), damage);
        let outcome = outcome.unwrap();
        assert!(
            outcome.trail_faults.is_empty() || outcome.findings.is_empty(),
            "{moment}"
        );
        late += u32::from(!outcome.trail_faults.is_empty() && outcome.compared > 0);
    }
    assert!(late > 0);
}
