//! A database that was put back whole: what is served of it, and what is not.

use super::anchoring;
use super::office::query;
use super::restarts::{services_again, started};
use super::testing::TestHouse;
use crate::administration::{genesis, restore};
use crate::audit::alarm::Event;
use crate::audit::{
    Anchor, AnchorFile, ChainKey, ChainStart, Head, LateChain, Position, RatchetChain, StreamId, TrailKind,
};
use crate::failure::Fault;
use crate::operations::Services;
use crate::scrub::Why;
use crate::store::Domain;
use kmip_protocol::{
    DiscoverVersionsRequest, GetRequest, PersonRole, ResponseItem, RestoreAcceptRequest, ResultStatus,
    ServerStatusRequest, TenantResumeRequest, TenantSuspendRequest, Version,
};

/// The record of the trail that stands there.
fn at(stream: u8, sequence: u64) -> Position {
    let stream = StreamId([stream; 16]);
    Position { stream, sequence }
}

/// An anchor of this house that names a record.
fn anchor(house: &TestHouse, position: Position, hash: [u8; 32]) -> Vec<u8> {
    let services = house.server.services();
    let anchor = Anchor {
        instance: services.installation.instance,
        epoch: 0,
        written_ms: 1_000,
        head: Head { position, hash },
    };
    let text = anchor.text(|lines| services.custody.keyed_hash(Domain::SYSTEM, "anchor", lines));
    text.unwrap().into_bytes()
}

/// The house's server as it is after a start that found this in its anchor's file.
async fn start_with(house: &mut TestHouse, found: Option<&[u8]>) -> Option<Why> {
    start(house, found, true).await
}

/// The same; whether the settings name an anchor.
async fn start(house: &mut TestHouse, found: Option<&[u8]>, is_set: bool) -> Option<Why> {
    let services = services_again(house);
    let (freshness, installation) = {
        let file = AnchorFile::at(house.folder().join("anchor"));
        let head = house.store.trail_heads().await.unwrap()[0];
        let heads = LateChain::default();
        heads.begin(RatchetChain::new(
            TrailKind::Change,
            ChainStart {
                head,
                key: ChainKey::new([0; 32]),
            },
        ));
        let (custody, now) = (&services.custody, house.server.now());
        let kept = genesis::installed(custody, &house.store).await;
        let installation = kept.unwrap_or(services.installation);
        let place = (Some(file).filter(|_| is_set), found, heads);
        let compared = restore::compare(place, (&house.store, custody), installation, now);
        compared.await.unwrap().unwrap()
    };
    let why = freshness.restored().map(|found| found.why);
    let services = Services {
        freshness,
        installation,
        ..services
    };
    house.server = started(house, services).await;
    why
}

/// A house whose database lacks what its anchor names.
async fn put_back() -> TestHouse {
    let mut house = TestHouse::new().await;
    let late = anchor(&house, at(9, 3), [7; 32]);
    assert_eq!(start_with(&mut house, Some(&late)).await, Some(Why::Behind(1_000)));
    house
}

/// The same, as it is when this is alarmed.
pub(super) async fn ended(event: Event) -> TestHouse {
    let house = put_back().await;
    if event == Event::RestoreAccepted {
        let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
        assert!(is_served(&house.act(&administrator, RestoreAcceptRequest {}).await));
    }
    house
}

fn says(item: &ResponseItem, fault: Fault) -> bool {
    item.result_message.as_deref() == Some(fault.message())
}

fn is_served(item: &ResponseItem) -> bool {
    item.result_status == ResultStatus::Success
}

#[tokio::test]
async fn only_its_administrators_look_and_agree() {
    let house = put_back().await;
    assert_eq!(
        house.server.services().installation.epoch,
        1,
        "what was open before counts no more"
    );
    for (version, who) in [(Version::NEWEST, &house.alice), (Version::OLDEST, &house.stranger)] {
        let told = house.item(version, GetRequest::default(), who).await;
        assert!(says(&told, Fault::DatabaseRestored), "{:?}", told.result_message);
    }
    let versions = DiscoverVersionsRequest::default();
    assert!(is_served(&house.item(Version::NEWEST, versions, &house.alice).await));

    let operator = house.known(house.tenant, PersonRole::Operator);
    let told = house.act(&operator, ServerStatusRequest::default()).await;
    assert!(says(&told, Fault::DatabaseRestored));
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    assert!(is_served(
        &house.act(&administrator, ServerStatusRequest::default()).await
    ));
    let tenant_name = || "alice".to_owned();
    let suspend = TenantSuspendRequest {
        tenant_name: tenant_name(),
    };
    assert!(
        is_served(&house.act(&administrator, suspend).await),
        "what protects waits for nobody"
    );
    let resume = || TenantResumeRequest {
        tenant_name: tenant_name(),
    };
    assert!(says(
        &house.act(&administrator, resume()).await,
        Fault::DatabaseRestored
    ));

    assert!(is_served(&house.act(&administrator, RestoreAcceptRequest {}).await));
    assert!(is_served(&house.act(&administrator, resume()).await));
    assert!(is_served(&house.item(Version::NEWEST, query(), &house.alice).await));
    let told = house.act(&administrator, RestoreAcceptRequest {}).await;
    assert!(says(&told, Fault::NotRestored));
}

/// What is wrong is judged by the anchor alone, and a start repeats no judgement that was written down.
#[tokio::test]
async fn each_way_of_not_fitting_is_told() {
    let mut house = TestHouse::new().await;
    let head = house.store.trail_heads().await.unwrap()[0];
    let epoch = |house: &TestHouse| house.server.services().installation.epoch;
    // The first start with an anchor finds none, and one that fits is one.
    assert_eq!(start_with(&mut house, None).await, None);
    let fitting = anchor(&house, head.position, head.hash);
    assert_eq!(start_with(&mut house, Some(&fitting)).await, None);
    let earlier = Position {
        sequence: head.position.sequence - 1,
        ..head.position
    };
    let behind = Some(Why::Behind(1_000));
    let other = anchor(&house, earlier, head.hash);
    assert_eq!(
        start_with(&mut house, Some(&other)).await,
        behind,
        "another record stands there"
    );
    assert_eq!(epoch(&house), 1);
    assert_eq!(start_with(&mut house, Some(&other)).await, behind);
    assert_eq!(epoch(&house), 2, "what was voted meanwhile counts in no copy of it");
    assert_eq!(start_with(&mut house, None).await, Some(Why::Missing));
    assert_eq!(
        start_with(&mut house, Some(b"claviger anchor 1\n")).await,
        Some(Why::Foreign)
    );
    assert_eq!(epoch(&house), 4);
    assert_eq!(start_with(&mut house, Some(&fitting)).await, None);
    assert_eq!(epoch(&house), 4);
}

/// To go on without an anchor is agreed to as well, once and for all.
#[tokio::test]
async fn an_anchor_is_not_done_away_with_by_the_settings_alone() {
    let mut house = TestHouse::new().await;
    assert_eq!(start(&mut house, None, false).await, None);
    start_with(&mut house, None).await;
    assert_eq!(start(&mut house, None, false).await, Some(Why::Unset));
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    assert!(is_served(&house.act(&administrator, RestoreAcceptRequest {}).await));
    assert_eq!(start(&mut house, None, false).await, None);
}

/// An epoch is above that of each history that is known.
#[tokio::test]
async fn an_epoch_is_above_the_anchors() {
    let mut house = TestHouse::new().await;
    let services = house.server.services();
    let anchor = Anchor {
        instance: services.installation.instance,
        epoch: 6,
        written_ms: 1_000,
        head: Head {
            position: at(9, 3),
            hash: [7; 32],
        },
    };
    let text = anchor.text(|lines| services.custody.keyed_hash(Domain::SYSTEM, "anchor", lines));
    let text = text.unwrap();
    start_with(&mut house, Some(text.as_bytes())).await;
    assert_eq!(house.server.services().installation.epoch, 7);
}

#[tokio::test]
async fn an_anchor_is_written_once_it_is_worth_it_and_whoever_reads_the_status_hears_that_it_is_not() {
    let mut house = TestHouse::new().await;
    start_with(&mut house, None).await;
    let services = house.server.services();
    let file = house.folder().join("anchor");
    let written = std::fs::read(&file).unwrap();
    let read = Anchor::read(&written, |lines| {
        services.custody.keyed_hash(Domain::SYSTEM, "anchor", lines)
    });
    assert_eq!(read.unwrap().unwrap().instance, services.installation.instance);
    std::fs::remove_file(&file).unwrap();
    anchoring::renew(services).await;
    assert!(!file.exists(), "nothing was committed that it could name");

    start_with(&mut house, Some(&written)).await;
    std::fs::create_dir(&file).unwrap();
    let services = house.server.services();
    assert!(!services.freshness.is_stuck());
    anchoring::renew(services).await;
    assert!(services.freshness.is_stuck());
    std::fs::remove_dir(&file).unwrap();
    anchoring::renew(services).await;
    assert!(!services.freshness.is_stuck() && file.exists());
}
