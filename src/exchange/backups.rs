//! Backups of KEKs that people open together, where no HSM has a key pair of theirs left.

use super::assembly::{Voter, is, put_policy, voter};
use super::protected::{Scene, WEST, link, restore};
use super::tenants::{domain_of, new};
use super::testing::TestHouse;
use crate::administration::kek;
use crate::authority::quorum::{Scope, template};
use crate::custody::protected::fake::FakeHsm;
use crate::custody::sharing::{EnrolledKey, Envelope, PlannedGroup, Recipient, ShareSecret};
use crate::custody::{KekId, NewPair, NewProtected, RecordKeyRecord, SealContext, ShareKey};
use crate::failure::Fault;
use crate::identity::Principal;
use crate::records;
use crate::store::{Domain, Key as Place, Work};
use kmip_protocol::{
    Group, GroupPutRequest, HeldShare, KekActivateRequest, KekBackupRequest, KekCreateRequest, KekRestoreRequest,
    OpenedShare, PersonRole, PolicyTemplate, ProposalShareRequest, ProposalState, ProposalVoteRequest,
    RecoveryPutRequest, ResponsePayload, RuleGroup, TenantCreateRequest, VoteDecision,
};
use kmip_ttlv::Secret;
use std::sync::Arc;

/// The share key of somebody: the same key may be somebody else's elsewhere.
struct Key(certs::PrivateKey);

impl Key {
    fn new() -> Self {
        Self(certs::PrivateKey::generate(certs::KeyKind::P256).unwrap())
    }

    fn public(&self) -> ShareKey {
        ShareKey::read(&self.0.public_key_info()).unwrap()
    }

    async fn enroll(&self, house: &TestHouse, who: &Voter) {
        let Principal::Person(person) = &who.principal else {
            panic!("no person")
        };
        let enrolled = EnrolledKey {
            key: self.public(),
            enrolled_ms: 1,
            revoked_ms: None,
        };
        let custody = &house.server.services().custody;
        let mut work = Work::new(Arc::clone(&house.store));
        let place = EnrolledKey::place(person.domain, person.person);
        kek::put(custody, &mut work, place, enrolled.encode()).await.unwrap();
        house.store.commit(work.into_change_set(0)).await.unwrap();
    }

    fn open(&self, held: &[HeldShare]) -> Vec<OpenedShare> {
        let secret = ShareSecret::read(&self.0.to_der()).unwrap();
        let open = |held: &HeldShare| {
            let envelope = Envelope {
                encapsulated: held.encapsulated_key.clone(),
                sealed: held.sealed_share.clone(),
            };
            let share: Secret = secret.open(&held.share_context, &envelope).ok()?;
            Some(OpenedShare {
                share_context: held.share_context.clone(),
                share,
            })
        };
        held.iter().filter_map(open).collect()
    }
}

async fn held(house: &TestHouse, who: &Voter, proposal: &[u8]) -> Vec<HeldShare> {
    match who.look(house, proposal).await.payload {
        Some(ResponsePayload::ProposalGet(told)) => told.proposal.held_shares,
        _ => panic!("no proposal"),
    }
}

async fn vote(house: &TestHouse, who: &Voter, proposal: &[u8], opened_shares: Vec<OpenedShare>) -> bool {
    let request = ProposalVoteRequest {
        proposal_identifier: proposal.to_vec(),
        decision: VoteDecision::Approve,
        statement: None,
        signature: None,
        reason: None,
        opened_shares,
    };
    who.ask(house, request).await.payload.is_some()
}

fn of(quorum: i32) -> RecoveryPutRequest {
    RecoveryPutRequest {
        groups: vec![RuleGroup {
            group_name: "operators".into(),
            quorum,
        }],
    }
}

/// The installation is gone, and its HSMs with it: two of the three who hold shares of the backup open it in another one, as administrators
/// there, and one does not.
#[tokio::test]
async fn two_of_three_open_a_backup_without_any_hsm_of_it() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let oscar = voter(house, house.tenant, "oscar", PersonRole::Operator).await;
    let keys = [Key::new(), Key::new(), Key::new()];
    // Nobody has a share key yet.
    scene.refused(of(2), Fault::ShareKeysMissing).await;
    for (key, who) in keys.iter().zip([&scene.olga, &scene.otto, &oscar]) {
        key.enroll(house, who).await;
    }
    // One alone is none, four of three are not there.
    scene.refused(of(1), Fault::InvalidField).await;
    scene.refused(of(4), Fault::ShareKeysMissing).await;
    scene.protected(&["east"]).await;
    let without = scene.backup(2).await;
    assert_eq!(scene.agree(of(2)).await, ProposalState::Executed);
    let (backup, another) = (scene.backup(2).await, scene.backup(2).await);
    let context = SealContext {
        internal_id: [5; 16],
        generation: 1,
        object_type: 2,
    };
    let material = Secret::copy_from(b"of the first installation");
    let old = &house.server.services().custody;
    let sealed = old.seal(house.tenant, context, &material).await.unwrap();

    let elsewhere = TestHouse::new().await;
    let west = FakeHsm::new(elsewhere.folder());
    let custody = Arc::clone(&elsewhere.server.services().custody);
    custody.add_provider(WEST, west.clone());
    link(&elsewhere, elsewhere.tenant).await;
    let ada = voter(&elsewhere, Domain::SYSTEM, "ada", PersonRole::Administrator).await;
    let alan = voter(&elsewhere, Domain::SYSTEM, "alan", PersonRole::Administrator).await;
    put_policy(&elsewhere, Domain::SYSTEM, template(PolicyTemplate::Mtg, Scope::System)).await;
    let with = |backup: &str| TenantCreateRequest {
        hsm_profile_name: Some("west".to_owned()),
        backup_string: Some(backup.to_owned()),
        recover: Some(true),
        ..new("moved", &["olga", "oscar"])
    };
    assert!(is(&ada.ask(&elsewhere, with(&without)).await, Fault::BackupRefused));
    keys[0].enroll(&elsewhere, &ada).await;
    keys[1].enroll(&elsewhere, &alan).await;
    let id = ada.propose(&elsewhere, with(&backup)).await;
    let own = held(&elsewhere, &ada, &id).await;
    assert_eq!(own.len(), 1);
    // A share of another backup of the same KEK is none of this one; nor is one that another opens.
    let other = alan.propose(&elsewhere, with(&another)).await;
    let foreign = keys[0].open(&held(&elsewhere, &ada, &other).await);
    assert_eq!(foreign.len(), 1);
    assert!(!vote(&elsewhere, &ada, &id, foreign).await);
    assert!(keys[1].open(&own).is_empty());
    // Two votes and one share: it waits.
    assert!(vote(&elsewhere, &ada, &id, keys[0].open(&own)).await);
    assert!(vote(&elsewhere, &alan, &id, Vec::new()).await);
    assert!(is(&alan.complete(&elsewhere, &id).await, Fault::AwaitingShares));
    assert_eq!(west.count(), 0);
    let request = ProposalShareRequest {
        proposal_identifier: id.clone(),
        opened_shares: keys[1].open(&held(&elsewhere, &alan, &id).await),
    };
    assert!(alan.ask(&elsewhere, request).await.payload.is_some());
    alan.complete(&elsewhere, &id).await;
    assert_eq!(ada.state(&elsewhere, &id).await, ProposalState::Executed);
    let tenant = domain_of(&elsewhere, "moved").await;
    assert_eq!(tenant, house.tenant);
    assert!(custody.open(tenant, context, &sealed).await.unwrap() == material);
    // It has a key pair of its own there, and nothing is left open.
    assert_eq!(west.count(), 1);
    assert!(custody.openings().is_empty());
}

/// Who has no share key yet when the group is named is in two of its parts all the same.
#[tokio::test]
async fn nobody_becomes_two_of_those_who_open_a_backup() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let carla = voter(house, house.tenant, "carla", PersonRole::Custodian).await;
    let keepers = Group {
        group_name: "keepers".into(),
        persons: vec!["olga".into(), "carla".into()],
    };
    assert_eq!(
        scene.agree(GroupPutRequest { group: keepers }).await,
        ProposalState::Executed
    );
    for who in [&scene.otto, &carla] {
        Key::new().enroll(house, who).await;
    }
    let both = || {
        let one = |name: &str| RuleGroup {
            group_name: name.into(),
            quorum: 1,
        };
        RecoveryPutRequest {
            groups: vec![one("operators"), one("keepers")],
        }
    };
    scene.protected(&["east"]).await;
    assert_eq!(scene.agree(both()).await, ProposalState::Executed);
    scene.backup(2).await;
    Key::new().enroll(house, &scene.olga).await;
    scene
        .refused(KekBackupRequest { kek_generation: 2 }, Fault::RecoveryAlone)
        .await;
    scene.refused(both(), Fault::RecoveryAlone).await;
}

/// A text takes no secret to make: whoever knows a KEK deals shares of it to public share keys, and nothing is open to him by that.
#[tokio::test]
async fn a_forged_backup_is_told_as_such_and_nothing_lies_under_its_kek_until_that_is_agreed_upon() {
    let scene = Scene::open().await;
    let house = &scene.house;
    scene.protected(&["east"]).await;
    let keys = [Key::new(), Key::new()];
    let people = [&scene.olga, &scene.otto];
    for (key, who) in keys.iter().zip(people) {
        key.enroll(house, who).await;
    }
    let elsewhere = TestHouse::new().await;
    let custody = &elsewhere.server.services().custody;
    custody.add_provider(WEST, FakeHsm::new(elsewhere.folder()));
    let forged = async |number: u8, generation| {
        let pair = NewPair {
            profile: WEST,
            cka_id: vec![number; 16],
            login: None,
        };
        let new = NewProtected {
            id: KekId([number; 16]),
            domain: house.tenant,
            generation,
            pairs: vec![pair],
            created_ms: 1,
        };
        let made = custody.create_protected(&new).await.unwrap();
        let member = |key: &Key| Recipient {
            person: [0; 16],
            key: key.public(),
        };
        let group = PlannedGroup {
            name: "operators".into(),
            quorum: 2,
            members: keys.iter().map(member).collect(),
        };
        let backup = custody.back_up(&made, Some(&[group])).unwrap();
        KekRestoreRequest {
            recover: Some(true),
            ..restore(&backup.to_text().unwrap(), "west")
        }
    };
    // A number that would leave none for others.
    for (number, generation) in [(1, u32::MAX), (2, 3 + (1 << 16)), (3, 0)] {
        scene
            .refused(forged(number, generation).await, Fault::BackupRefused)
            .await;
    }
    let id = scene.olga.propose(house, forged(7, 3).await).await;
    let told = match scene.otto.look(house, &id).await.payload {
        Some(ResponsePayload::ProposalGet(told)) => told.proposal.target.unwrap(),
        _ => panic!("no proposal"),
    };
    assert!(told.contains("NEVER KNOWN HERE"), "{told}");
    assert!(told.contains("(2 of 2 operators; held here by olga, otto)"), "{told}");
    for (key, who) in keys.iter().zip(people) {
        let own = held(house, who, &id).await;
        assert!(vote(house, who, &id, key.open(&own)).await);
    }
    scene.otto.complete(house, &id).await;
    assert_eq!(scene.olga.state(house, &id).await, ProposalState::Executed);
    let lies_under = async || {
        let place = Place {
            domain: house.tenant,
            kind: kek::RECORD_KEY,
            id: [0; 16],
        };
        let record = house.store.load(place).await.unwrap().unwrap();
        let body = records::open(&house.server.services().custody, &record).unwrap();
        let sealed = RecordKeyRecord::decode(body).unwrap();
        sealed.wraps.iter().any(|wrap| wrap.kek == KekId([7; 16]))
    };
    assert!(!lies_under().await);
    // Nor when another one is made, nor because one operator says so.
    assert_eq!(scene.agree(KekCreateRequest::default()).await, ProposalState::Executed);
    let id = scene
        .olga
        .propose(house, KekActivateRequest { kek_generation: 3 })
        .await;
    assert!(!lies_under().await);
    assert_eq!(scene.carried_out(&id).await, ProposalState::Executed);
    assert!(lies_under().await);
}
