//! A legacy token becomes an HSM-Profile: what its HSM says, and what comes of it.

use super::assembly::is;
use super::ceremonies::{CARLA, MODULE, OLGA, OTTO, PIN, Scene, done, import, old_token, withdraw};
use super::testing::TestHouse;
use crate::administration::{hsm_profile, legacy_token};
use crate::audit::alarm::Event;
use crate::custody::legacy::LegacyToken;
use crate::custody::{
    Capabilities, CustodyError, KekProvider, KekRecord, Links, Locked, NewKek, Placement, ProfileRecord, Sealer,
    SealerKind,
};
use crate::failure::Fault;
use crate::records;
use crate::wait::{Wait, ready};
use kmip_protocol::{
    CeremonyMigrateRequest, GroupListRequest, LegacyTokenState, LocateRequest, ResponseItem, ResponsePayload, Version,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// An HSM that answers as it is told to, and counts how often it was asked.
struct Token {
    asked: AtomicUsize,
    answer: Mutex<Result<(), CustodyError>>,
}

fn nothing<'a, T: Send + 'a>() -> Wait<'a, Result<T, CustodyError>> {
    ready(Err(CustodyError::Unavailable))
}

impl KekProvider for Token {
    fn kind(&self) -> SealerKind {
        SealerKind::Resident
    }

    fn create<'a>(&'a self, _: &'a NewKek, _: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
        nothing()
    }

    fn find<'a>(&'a self, _: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
        nothing()
    }

    fn destroy<'a>(&'a self, _: &'a KekRecord, _: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        nothing()
    }

    fn sealer(&self, _: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        Err(CustodyError::Unavailable)
    }

    fn examine<'a>(&'a self, _: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>> {
        nothing()
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        ready(*self.answer.lock().unwrap())
    }
}

impl Scene {
    /// The HSM that the token is of, which answers like this.
    fn plug_in(&self, answer: Result<(), CustodyError>) -> Arc<Token> {
        let token = Arc::new(Token {
            asked: AtomicUsize::new(0),
            answer: Mutex::new(answer),
        });
        self.house.server.services().outfit.stand_in(MODULE, token.clone());
        token
    }

    /// Hands in as many shares as it takes.
    async fn gather(&self) {
        assert!(done(&self.hand_in(CARLA, &self.old.shares[0]).await));
        assert!(done(&self.hand_in(OTTO, &self.old.shares[2]).await));
    }
}

fn migrated(item: ResponseItem) -> (LegacyTokenState, bool, Vec<String>) {
    match item.payload {
        Some(ResponsePayload::CeremonyMigrate(told)) => {
            let token = told.legacy_token;
            let names = token.holders.into_iter().map(|holder| holder.person_name).collect();
            (token.legacy_token_state, told.migration_required, names)
        }
        _ => panic!("not migrated: {:?}", item.result_message),
    }
}

#[tokio::test]
async fn at_the_threshold_the_token_becomes_a_profile_of_the_tenant_and_its_people_go_on() {
    let scene = Scene::waiting().await;
    let token = scene.plug_in(Ok(()));
    assert!(is(&scene.migrate().await, Fault::TooFewShares));
    assert!(done(&scene.hand_in(CARLA, &scene.old.shares[0]).await));
    assert!(is(&scene.migrate().await, Fault::TooFewShares));
    assert_eq!(token.asked.load(Ordering::SeqCst), 0);
    for (who, share) in [(OTTO, 2), (OLGA, 1)] {
        assert!(done(&scene.hand_in(who, &scene.old.shares[share]).await));
    }
    let custodian = CeremonyMigrateRequest {
        legacy_token_name: "safe a".into(),
    };
    assert!(is(&scene.ask(CARLA, custodian).await, Fault::PermissionDenied));
    let names = ["carla", "otto", "olga"].map(str::to_owned).to_vec();
    assert_eq!(
        migrated(scene.migrate().await),
        (LegacyTokenState::Migrated, false, names.clone())
    );
    assert_eq!(token.asked.load(Ordering::SeqCst), 1);

    assert!(done(&scene.ask(OLGA, GroupListRequest::default()).await));
    assert!(done(
        &scene
            .house
            .item(Version::NEWEST, LocateRequest::default(), &scene.house.alice)
            .await
    ));
    assert_eq!(scene.holders().await, names);
    let services = scene.house.server.services();
    let links = services
        .store
        .load(hsm_profile::links_place(scene.house.tenant))
        .await
        .unwrap()
        .unwrap();
    let links = Links::decode(records::open(&services.custody, &links).unwrap()).unwrap();
    let profile = *links.0.last().unwrap();
    let kept = services.store.load(hsm_profile::place(profile)).await.unwrap().unwrap();
    let kept = ProfileRecord::decode(records::open(&services.custody, &kept).unwrap()).unwrap();
    assert_eq!(kept.name, "safe a");
    let place = kept.token.unwrap();
    assert_eq!((place.module.as_str(), place.label.as_str()), (MODULE, "old safe"));
    let pin = services.outfit.open_pin(profile, &place, &place.pin).unwrap();
    assert_eq!(pin.expose(), PIN.as_bytes());
    // It is at work, its shares are gone, and so is what they opened.
    assert!(services.custody.provider(profile).is_ok());
    assert!(is(&scene.migrate().await, Fault::LegacyTokenState));
    assert!(is(
        &scene.hand_in(OTTO, &scene.old.shares[0]).await,
        Fault::LegacyTokenState
    ));
    assert_eq!(scene.status(OLGA).await.legacy_tokens[0].shares_until, None);
    let old = LegacyToken::read(&scene.old.text).unwrap();
    let row = services
        .store
        .load(legacy_token::place(scene.house.tenant, old.0.id))
        .await
        .unwrap()
        .unwrap();
    assert!(
        !row.body
            .windows(64)
            .any(|window| old.1.windows(64).any(|sealed| sealed == window))
    );
    assert!(scene.house.alarms().await.contains(&Event::LegacyTokenMigrated));
}

#[tokio::test]
async fn all_tokens_are_migrated_before_people_go_on() {
    let scene = Scene::waiting().await;
    scene.plug_in(Ok(()));
    let second = old_token("alice", "safe b");
    assert!(done(
        &scene.house.act(&scene.administrator, import("alice", &second)).await
    ));
    scene.gather().await;
    let (state, required, _) = migrated(scene.migrate().await);
    assert_eq!((state, required), (LegacyTokenState::Migrated, true));
    assert!(is(
        &scene.ask(OLGA, GroupListRequest::default()).await,
        Fault::MigrationRequired
    ));
    // Each token has its own gathering.
    assert!(done(&scene.hand_in(CARLA, &second.shares[1]).await));
    assert!(done(&scene.hand_in(OLGA, &second.shares[2]).await));
    let legacy_token_name = "safe b".to_owned();
    let item = scene.ask(OTTO, CeremonyMigrateRequest { legacy_token_name }).await;
    assert!(!migrated(item).1);
    assert!(done(&scene.ask(OLGA, GroupListRequest::default()).await));
}

#[tokio::test]
async fn a_pin_that_the_hsm_refuses_is_not_shown_to_it_again() {
    let scene = Scene::waiting().await;
    let token = scene.plug_in(Err(CustodyError::Credential));
    scene.gather().await;
    let (state, required, _) = migrated(scene.migrate().await);
    assert_eq!((state, required), (LegacyTokenState::CredentialsRefused, true));
    assert!(is(&scene.migrate().await, Fault::LegacyTokenState));
    assert!(is(
        &scene.hand_in(OLGA, &scene.old.shares[1]).await,
        Fault::LegacyTokenState
    ));
    assert_eq!(token.asked.load(Ordering::SeqCst), 1);
    assert_eq!(scene.holders().await, [""; 0]);
    assert!(is(
        &scene.ask(OLGA, GroupListRequest::default()).await,
        Fault::MigrationRequired
    ));
    assert!(scene.house.alarms().await.contains(&Event::LegacyCredentialsRefused));
    // Administrators give it up, or bring it again once its PIN is right.
    assert!(done(&scene.house.act(&scene.administrator, withdraw()).await));
    scene.import().await;
    *token.answer.lock().unwrap() = Ok(());
    scene.gather().await;
    assert_eq!(migrated(scene.migrate().await).0, LegacyTokenState::Migrated);
}

#[tokio::test]
async fn a_run_that_meets_another_commit_does_not_show_a_wrong_pin_again() {
    let scene = Scene::waiting().await;
    let token = scene.plug_in(Err(CustodyError::Credential));
    scene.gather().await;
    // As the second of two runs finds it, of which the first was not committed.
    let id = LegacyToken::read(&scene.old.text).unwrap().0.id;
    let custody = &scene.house.server.services().custody;
    custody.gatherings().note_refused((scene.house.tenant, id));
    assert_eq!(migrated(scene.migrate().await).0, LegacyTokenState::CredentialsRefused);
    assert_eq!(token.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_hsm_that_is_away_costs_no_share() {
    let scene = Scene::waiting().await;
    let token = scene.plug_in(Err(CustodyError::Unavailable));
    scene.gather().await;
    assert!(is(&scene.migrate().await, Fault::CustodyUnavailable));
    assert_eq!(scene.holders().await, ["carla", "otto"]);
    *token.answer.lock().unwrap() = Ok(());
    assert_eq!(migrated(scene.migrate().await).0, LegacyTokenState::Migrated);
}

/// A house in which this came of a ceremony.
pub(super) async fn ended(event: Event) -> TestHouse {
    let scene = Scene::waiting().await;
    scene.plug_in(if event == Event::LegacyTokenMigrated {
        Ok(())
    } else {
        Err(CustodyError::Credential)
    });
    scene.gather().await;
    migrated(scene.migrate().await);
    scene.house
}
