//! The contract of custody, run on every sealer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test file through and through

use std::sync::Arc;

use claviger::custody::{
    Custody, CustodyError, KekId, KekProvider, KekRecord, KekState, NewKek, ProfileId, RecordKeyRecord, SealContext,
    Sealed, Slab, SoftwareKeks, SystemRandomness,
};
use claviger::store::Domain;
use kmip_ttlv::Secret;

const TENANT: Domain = Domain([1; 16]);
const OTHER: Domain = Domain([2; 16]);
const PROFILE: ProfileId = ProfileId([3; 16]);

fn context(byte: u8) -> SealContext {
    SealContext {
        internal_id: [byte; 16],
        generation: 1,
        object_type: 2,
    }
}

fn new_kek(domain: Domain, byte: u8, generation: u32) -> NewKek {
    NewKek {
        id: KekId([byte; 16]),
        domain,
        generation,
        profile: PROFILE,
        cka_id: vec![byte; 16],
        created_ms: 1_700_000_000_000,
    }
}

/// A room with one profile and two tenants of one KEK each.
struct Room {
    custody: Custody,
    keks: Vec<KekRecord>,
    record_keys: Vec<RecordKeyRecord>,
}

async fn room(slab: &Slab, provider: Arc<dyn KekProvider>) -> Room {
    let custody = Custody::new(slab.clone(), Arc::new(SystemRandomness));
    custody.add_provider(PROFILE, provider);
    let mut keks = Vec::new();
    let mut record_keys = Vec::new();
    for (domain, byte) in [(TENANT, 1), (OTHER, 2)] {
        let mut kek = custody.create_kek(&new_kek(domain, byte, 1), None).await.unwrap();
        kek.state = KekState::Active;
        let kek = KekRecord::decode(&kek.encode().unwrap()).unwrap();
        let record_key = custody
            .create_record_key(domain, std::slice::from_ref(&kek), 5)
            .await
            .unwrap();
        let record_key = RecordKeyRecord::decode(&record_key.encode().unwrap()).unwrap();
        custody
            .open_domain(domain, std::slice::from_ref(&kek), &record_key)
            .await
            .unwrap();
        keks.push(kek);
        record_keys.push(record_key);
    }
    Room {
        custody,
        keks,
        record_keys,
    }
}

async fn refused(custody: &Custody, domain: Domain, context: SealContext, sealed: &Sealed) {
    let outcome = custody.open(domain, context, sealed).await;
    assert!(
        matches!(outcome, Err(CustodyError::Refused | CustodyError::UnknownKek)),
        "{:?}",
        outcome.err()
    );
}

async fn objects_open_only_in_their_place(room: &Room) {
    let custody = &room.custody;
    let material = Secret::copy_from(b"the material of an object");
    let sealed = custody.seal(TENANT, context(1), &material).await.unwrap();
    assert!(custody.open(TENANT, context(1), &sealed).await.unwrap() == material);

    refused(
        custody,
        TENANT,
        SealContext {
            internal_id: [9; 16],
            ..context(1)
        },
        &sealed,
    )
    .await;
    refused(
        custody,
        TENANT,
        SealContext {
            generation: 2,
            ..context(1)
        },
        &sealed,
    )
    .await;
    refused(
        custody,
        TENANT,
        SealContext {
            object_type: 3,
            ..context(1)
        },
        &sealed,
    )
    .await;
    refused(custody, OTHER, context(1), &sealed).await;
    let moved = Sealed {
        kek: room.keks[1].id,
        ..sealed.clone()
    };
    refused(custody, OTHER, context(1), &moved).await;
    refused(
        custody,
        TENANT,
        context(1),
        &Sealed {
            kek_generation: 2,
            ..sealed.clone()
        },
    )
    .await;

    // Parts of another object, and edited bytes.
    let other = custody.seal(TENANT, context(2), &material).await.unwrap();
    refused(
        custody,
        TENANT,
        context(1),
        &Sealed {
            blob: other.blob.clone(),
            ..sealed.clone()
        },
    )
    .await;
    refused(
        custody,
        TENANT,
        context(1),
        &Sealed {
            wrapped_dek: other.wrapped_dek.clone(),
            ..sealed.clone()
        },
    )
    .await;
    refused(custody, TENANT, context(1), &other).await;
    for position in 0..sealed.wrapped_dek.len() {
        let mut edited = sealed.clone();
        edited.wrapped_dek[position] ^= 0x40;
        refused(custody, TENANT, context(1), &edited).await;
        edited.wrapped_dek.truncate(position);
        refused(custody, TENANT, context(1), &edited).await;
    }
    for position in 0..sealed.blob.len() {
        let mut edited = sealed.clone();
        edited.blob[position] ^= 0x40;
        refused(custody, TENANT, context(1), &edited).await;
    }
    let nobody = custody.seal(Domain([7; 16]), context(1), &material).await;
    assert_eq!(nobody.err(), Some(CustodyError::UnknownDomain));
    // Data faults do not disturb the sealer.
    assert!(custody.open(TENANT, context(1), &sealed).await.unwrap() == material);
}

fn record_macs_are_of_their_domain(room: &Room) {
    let custody = &room.custody;
    let mac = custody.record_mac(TENANT, b"record").unwrap();
    assert_eq!(custody.verify_record_mac(TENANT, b"record", &mac), Ok(()));
    assert_eq!(
        custody.verify_record_mac(TENANT, b"recorD", &mac),
        Err(CustodyError::Refused)
    );
    assert_eq!(
        custody.verify_record_mac(OTHER, b"record", &mac),
        Err(CustodyError::Refused)
    );
    assert_eq!(
        custody.verify_record_mac(TENANT, b"record", &mac[..31]),
        Err(CustodyError::Refused)
    );
    let hash = custody.keyed_hash(TENANT, "a", b"record").unwrap();
    assert_ne!(hash, mac);
    assert_ne!(hash, custody.keyed_hash(TENANT, "b", b"record").unwrap());
    assert_ne!(hash, custody.keyed_hash(OTHER, "a", b"record").unwrap());
}

async fn a_second_kek_takes_over(room: &Room) {
    let custody = &room.custody;
    let material = Secret::copy_from(b"older than the second KEK");
    let old = custody.seal(TENANT, context(3), &material).await.unwrap();
    let mac = custody.record_mac(TENANT, b"record").unwrap();

    let new = new_kek(TENANT, 8, 2);
    let mut second = custody.create_kek(&new, None).await.unwrap();
    assert_eq!(custody.create_kek(&new, None).await.err(), Some(CustodyError::Exists));
    assert_eq!(custody.adopt_kek(&new).await.unwrap().placement, second.placement);
    let missing = custody.adopt_kek(&new_kek(TENANT, 99, 3)).await;
    assert_eq!(missing.err(), Some(CustodyError::UnknownKek));

    let mut first = room.keks[0].clone();
    first.state = KekState::Inactive;
    second.state = KekState::Active;
    let keks = [first.clone(), second.clone()];
    let record_key = custody.rewrap_record_key(&room.record_keys[0], &keks).await.unwrap();
    assert_eq!(record_key.wraps.len(), 2);
    custody.open_domain(TENANT, &keks, &record_key).await.unwrap();

    assert!(custody.open(TENANT, context(3), &old).await.unwrap() == material);
    let fresh = custody.seal(TENANT, context(4), &material).await.unwrap();
    assert_eq!((fresh.kek, fresh.kek_generation), (second.id, 2));
    let moved = custody.rewrap(TENANT, context(3), &old).await.unwrap();
    assert_eq!((moved.kek, &moved.blob), (second.id, &old.blob));
    assert!(custody.open(TENANT, context(3), &moved).await.unwrap() == material);
    assert_eq!(custody.verify_record_mac(TENANT, b"record", &mac), Ok(()));

    // The first one goes.
    assert_eq!(custody.destroy_kek(&first, None).await, Err(CustodyError::Limit));
    first.state = KekState::Deleting;
    let keks = [first.clone(), second];
    let record_key = custody.rewrap_record_key(&record_key, &keks).await.unwrap();
    custody.open_domain(TENANT, &keks, &record_key).await.unwrap();
    assert_eq!(
        custody.open(TENANT, context(3), &old).await.err(),
        Some(CustodyError::UnknownKek)
    );
    custody.destroy_kek(&first, None).await.unwrap();
    custody.destroy_kek(&first, None).await.unwrap();
    assert!(custody.open(TENANT, context(3), &moved).await.unwrap() == material);

    // As after a restart, with what the store has.
    custody.close_domain(TENANT);
    assert_eq!(custody.record_mac(TENANT, b"record"), Err(CustodyError::UnknownDomain));
    custody.open_domain(TENANT, &keks, &record_key).await.unwrap();
    assert_eq!(custody.verify_record_mac(TENANT, b"record", &mac), Ok(()));
    let two_active = [
        KekRecord {
            state: KekState::Active,
            ..keks[0].clone()
        },
        keks[1].clone(),
    ];
    assert_eq!(
        custody.open_domain(TENANT, &two_active, &record_key).await,
        Err(CustodyError::Record)
    );
}

#[tokio::test]
async fn software() {
    let folder = tempfile::tempdir().unwrap();
    let slab = Slab::new().unwrap();
    let keks = folder.path().join("keks");
    let provider = Arc::new(SoftwareKeks::new(&keks, slab.clone(), Arc::new(SystemRandomness)));
    let room = room(&slab, provider).await;
    objects_open_only_in_their_place(&room).await;
    record_macs_are_of_their_domain(&room);
    a_second_kek_takes_over(&room).await;
}

#[tokio::test]
async fn software_away_at_start_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let slab = Slab::new().unwrap();
    let keks = folder.path().join("keks");
    let provider = || Arc::new(SoftwareKeks::new(&keks, slab.clone(), Arc::new(SystemRandomness)));
    let before = room(&slab, provider()).await;
    let sealed = before
        .custody
        .seal(TENANT, context(1), &Secret::copy_from(b"x"))
        .await
        .unwrap();
    let away = folder.path().join("away");
    std::fs::rename(&keks, &away).unwrap();

    let custody = Custody::new(slab.clone(), Arc::new(SystemRandomness));
    custody.add_provider(PROFILE, provider());
    custody
        .open_domain(TENANT, &before.keks[..1], &before.record_keys[0])
        .await
        .unwrap();
    assert_eq!(custody.ready(TENANT).await, Err(CustodyError::Unavailable));
    assert_eq!(custody.record_mac(TENANT, b"record"), Err(CustodyError::Unavailable));
    assert_eq!(
        custody.open(TENANT, context(1), &sealed).await.err(),
        Some(CustodyError::Unavailable)
    );
    std::fs::rename(&away, &keks).unwrap();
    assert_eq!(custody.ready(TENANT).await, Ok(()));
    assert!(custody.open(TENANT, context(1), &sealed).await.is_ok());
    let status = custody.status().await;
    assert!(status[0].record_key_open && status[0].keks[0].health.is_ok());
}
