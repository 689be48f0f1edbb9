//! What can still open what was destroyed, and what ends that: KEKs destroyed one by one, and those of a deleted tenant.

use super::assembly::is;
use super::governing::destroy;
use super::moody::{Scene, get};
use super::tenants::{domain_of, new};
use super::testing::TestHouse;
use crate::administration::{kek, tenant_purge};
use crate::custody::KekId;
use crate::failure::Fault;
use crate::store::{Domain, Record, Work};
use kmip_protocol::{
    DateTime, Interval, KekState, KeyResidueRequest, PersonRole, ProposalState, Residue, ResponsePayload, ResultStatus,
    TenantDeleteRequest, TenantListRequest, TenantPurgeRequest, TenantSettings, TenantSuspendRequest, Version,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;

async fn residues(scene: &Scene, object: Option<&str>) -> Vec<Residue> {
    let request = KeyResidueRequest {
        unique_identifier: object.map(str::to_owned),
        ..KeyResidueRequest::default()
    };
    match scene.otto.ask(&scene.house, request).await.payload {
        Some(ResponsePayload::KeyResidue(told)) => told.residues,
        _ => panic!("nothing told"),
    }
}

async fn opens_by(scene: &Scene, object: &str) -> Vec<i32> {
    let mut told = residues(scene, Some(object)).await;
    assert_eq!(told.len(), 1);
    told.remove(0).kek_generations
}

async fn destroyed(house: &TestHouse, object: &str) {
    let item = house.item(Version::NEWEST, destroy(object), &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::Success);
}

#[tokio::test]
async fn a_destroyed_object_says_by_which_keks_a_backup_of_it_opens() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let early = house.create("early", Vec::new()).await;
    let moved = house.create("moved", Vec::new()).await;
    destroyed(house, &early).await;
    scene.activate(2).await;
    scene.rewrap().await;
    scene.tend().await;
    let late = house.create("late", Vec::new()).await;
    // While it is there it says the same.
    assert_eq!(opens_by(&scene, &moved).await, [1, 2]);
    for object in [&moved, &late] {
        destroyed(house, object).await;
    }
    assert_eq!(opens_by(&scene, &early).await, [1]);
    assert_eq!(opens_by(&scene, &moved).await, [1, 2]);
    assert_eq!(opens_by(&scene, &late).await, [2]);
    assert_eq!(residues(&scene, None).await.len(), 3);
    assert_eq!(scene.delete().await, ProposalState::Executed);
    assert!(opens_by(&scene, &early).await.is_empty());
    assert_eq!(opens_by(&scene, &moved).await, [2]);
    let unknown = KeyResidueRequest {
        unique_identifier: Some("unknown".into()),
        ..KeyResidueRequest::default()
    };
    assert!(is(&scene.otto.ask(house, unknown).await, Fault::ObjectNotFound));
}

/// Whoever asks since a moment is told of what was destroyed then, however much was destroyed before, and of how much more there is.
#[tokio::test]
async fn what_remains_is_told_from_a_moment_on_and_in_parts() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        let object = house.create(name, Vec::new()).await;
        destroyed(house, &object).await;
        made.push(object);
        house.clock.advance(10);
    }
    let told = async |request: KeyResidueRequest| match scene.otto.ask(house, request).await.payload {
        Some(ResponsePayload::KeyResidue(told)) => {
            let names: Vec<String> = told.residues.into_iter().map(|one| one.unique_identifier).collect();
            (names, told.remaining_count)
        }
        _ => panic!("nothing told"),
    };
    let part = |offset_items, maximum_items| KeyResidueRequest {
        offset_items: Some(offset_items),
        maximum_items: Some(maximum_items),
        ..KeyResidueRequest::default()
    };
    assert_eq!(told(part(0, 2)).await, (made[..2].to_vec(), Some(1)));
    assert_eq!(told(part(2, 2)).await, (made[2..].to_vec(), None));
    let since = KeyResidueRequest {
        destroyed_since: Some(DateTime(house.clock_seconds() - 25)),
        ..part(0, 1)
    };
    assert_eq!(told(since).await, (made[1..2].to_vec(), Some(1)));
    assert!(is(&scene.otto.ask(house, part(10_001, 1)).await, Fault::InvalidField));
}

/// A server that goes down between the steps of a deletion leaves the KEK Deleting, and a new approval goes on.
#[tokio::test]
async fn a_crash_between_the_steps_of_a_deletion_is_gone_on_from() {
    let mut scene = Scene::open().await;
    let made = scene.house.create("kept", Vec::new()).await;
    scene.activate(2).await;
    scene.rewrap().await;
    scene.tend().await;
    scene.hsm.stuck.store(true, Ordering::SeqCst);
    assert_eq!(scene.delete().await, ProposalState::Executing);
    scene.house.server = super::restarts::restarted(&scene.house).await;
    scene.hsm.stuck.store(false, Ordering::SeqCst);
    scene.tend().await;
    // Nothing is tried again in silence.
    assert_eq!(scene.states().await, [(2, KekState::Active), (1, KekState::Deleting)]);
    assert_eq!(scene.key_file(), 4);
    assert!(get(&scene.house, &made).await.is_some());
    assert_eq!(scene.delete().await, ProposalState::Executed);
    assert_eq!(scene.states().await, [(2, KekState::Active), (1, KekState::Destroyed)]);
    assert_eq!(scene.key_file(), 3);
}

/// Ten thousand objects, a reader that asks all the while, and nothing that it cannot open.
#[tokio::test]
async fn reading_never_fails_while_ten_thousand_objects_move() {
    const OBJECTS: usize = 10_000;
    let scene = Scene::open().await;
    let house = &scene.house;
    let mut made = Vec::with_capacity(OBJECTS);
    for _ in 0..OBJECTS {
        made.push(house.create("", Vec::new()).await);
    }
    scene.activate(2).await;
    scene.rewrap().await;
    let tending = async {
        for _ in 0..OBJECTS {
            house.server.tend().await;
            house.clock.advance(1);
            if scene.progress().await.finished.is_some() {
                break;
            }
        }
    };
    let reading = async {
        for identifier in made.iter().step_by(3) {
            assert!(get(house, identifier).await.is_some());
        }
    };
    tokio::join!(tending, reading);
    let told = scene.progress().await;
    assert_eq!((told.records_left, told.records_failed), (0, 0));
    assert!(told.finished.is_some() && told.records_done >= i64::try_from(OBJECTS).unwrap());
    assert_eq!(scene.delete().await, ProposalState::Executed);
    for identifier in made.iter().step_by(101) {
        assert!(get(house, identifier).await.is_some());
    }
}

fn key_files(house: &TestHouse) -> usize {
    let files = std::fs::read_dir(house.folder()).unwrap();
    let is_key = |path: std::path::PathBuf| path.extension().is_some_and(|extension| extension == "kek");
    files.filter(|entry| is_key(entry.as_ref().unwrap().path())).count()
}

/// Deletion of a tenant destroys its KEKs, once its retention is over and people have agreed: nothing of it opens any more.
#[tokio::test]
async fn the_keks_of_a_deleted_tenant_go_once_its_retention_is_over() {
    let house = TestHouse::new().await;
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let does = async |item: kmip_protocol::ResponseItem| {
        assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
        item.payload
    };
    let mut create = new("acme", &["olga", "otto"]);
    create.settings = Some(TenantSettings {
        retention: Some(Interval(3_600)),
        ..TenantSettings::default()
    });
    does(house.act(&administrator, create).await).await;
    let domain = domain_of(&house, "acme").await;
    let purge = || TenantPurgeRequest {
        tenant_name: "acme".into(),
        created: None,
    };
    let tenant_name = || "acme".to_owned();
    assert!(
        is(&house.act(&administrator, purge()).await, Fault::NotFound),
        "it is there"
    );
    does(
        house
            .act(
                &administrator,
                TenantSuspendRequest {
                    tenant_name: tenant_name(),
                },
            )
            .await,
    )
    .await;
    does(
        house
            .act(
                &administrator,
                TenantDeleteRequest {
                    tenant_name: tenant_name(),
                },
            )
            .await,
    )
    .await;
    assert!(is(&house.act(&administrator, purge()).await, Fault::RetentionRunning));
    assert_eq!(key_files(&house), 4);
    house.clock.advance(3_600);
    let told = does(house.act(&administrator, purge()).await).await;
    assert!(matches!(told, Some(ResponsePayload::TenantPurge(told)) if told.kek_generations == [1]));
    assert_eq!(key_files(&house), 3);
    // It is told so, and not done twice.
    let list = does(house.act(&administrator, TenantListRequest::default()).await).await;
    let Some(ResponsePayload::TenantList(list)) = list else {
        panic!("no list");
    };
    let acme = list.tenants.iter().find(|tenant| tenant.tenant_name == "acme").unwrap();
    assert!(acme.purged.is_some());
    assert!(is(&house.act(&administrator, purge()).await, Fault::NotFound));
    // Nothing of it opens any more, and the others are as they were.
    let custody = &house.server.services().custody;
    assert!(!custody.is_at_work(domain));
    assert!(kek::open_doomed(custody, &house.store, domain).await.is_err());
    let made = house.create("others", Vec::new()).await;
    assert!(get(&house, &made).await.is_some());
}

/// What was interrupted after the last KEK went is brought to its end: that it is gone is found out, not believed.
#[tokio::test]
async fn a_purge_that_was_interrupted_is_brought_to_its_end() {
    let house = TestHouse::new().await;
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    house.act(&administrator, new("acme", &["olga", "otto"])).await;
    let domain = domain_of(&house, "acme").await;
    let tenant_name = || "acme".to_owned();
    house
        .act(
            &administrator,
            TenantSuspendRequest {
                tenant_name: tenant_name(),
            },
        )
        .await;
    house
        .act(
            &administrator,
            TenantDeleteRequest {
                tenant_name: tenant_name(),
            },
        )
        .await;
    let keks = house.store.scan(domain, kek::KEK, None, 9).await.unwrap();
    let file = house.folder().join(format!("{}.kek", kmip_ttlv::Hex(&keks[0].key.id)));
    let key = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let purge = || TenantPurgeRequest {
        tenant_name: tenant_name(),
        created: None,
    };
    // That a key file is away while nobody has begun to destroy it is an outage.
    assert!(is(&house.act(&administrator, purge()).await, Fault::CustodyUnavailable));
    // It was begun, and the server went down before it could say that it was done.
    let custody = &house.server.services().custody;
    let begun = kek::unverified(&house.store, domain).await.unwrap();
    let mut work = Work::new(Arc::clone(&house.store));
    tenant_purge::doom(custody, &mut work, domain, &begun).await.unwrap();
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    // Who writes to the database could have others looked for, which are away as well.
    let row = house.row(keks[0].key).await;
    let mut other = begun[0].clone();
    other.id = KekId([9; 16]);
    let body = [&other.encode().unwrap()[..], &[0; 32]].concat();
    house.plant(Record {
        body: body.into(),
        ..row.clone()
    });
    std::fs::write(&file, &key).unwrap();
    assert!(is(&house.act(&administrator, purge()).await, Fault::CustodyUnavailable));
    std::fs::remove_file(&file).unwrap();
    house.plant(row);
    let item = house.act(&administrator, purge()).await;
    assert!(
        matches!(item.payload, Some(ResponsePayload::TenantPurge(_))),
        "{:?}",
        item.result_message
    );
}
