//! Backups of KEKs that people open together, where no HSM has a key pair of theirs left.

use super::assembly::{Voter, is, put_policy, voter};
use super::protected::{Scene, WEST, link};
use super::tenants::{domain_of, new};
use super::testing::TestHouse;
use crate::administration::kek;
use crate::authority::quorum::{Scope, template};
use crate::custody::protected::fake::FakeHsm;
use crate::custody::sharing::{EnrolledKey, Envelope, ShareSecret};
use crate::custody::{SealContext, ShareKey};
use crate::failure::Fault;
use crate::identity::Principal;
use crate::store::{Domain, Work};
use kmip_protocol::{
    HeldShare, OpenedShare, PersonRole, PolicyTemplate, ProposalShareRequest, ProposalState, ProposalVoteRequest,
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

    async fn enroll(&self, house: &TestHouse, who: &Voter) {
        let Principal::Person(person) = &who.principal else {
            panic!("no person")
        };
        let enrolled = EnrolledKey {
            key: ShareKey::read(&self.0.public_key_info()).unwrap(),
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
