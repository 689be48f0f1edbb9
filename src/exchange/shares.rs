//! The key-management credential of an HSM, which only the votes of those open who decide.

use super::assembly::{is, put_policy};
use super::recovery::recover;
use super::strongbox::{PIN, Scene, payload};
use super::testing::TestHouse;
use crate::administration::hsm_profile;
use crate::authority::quorum::{Scope, template};
use crate::custody::probe::{Feature, Finding};
use crate::custody::sharing::{SHARING, ShareSecret};
use crate::custody::{Capabilities, CustodyError, ProfileId, ProfileRecord};
use crate::failure::Fault;
use crate::identity::person_counter;
use crate::records;
use crate::store::{Domain, Work};
use kmip_protocol::{
    HsmProfileLinkRequest, HsmProfileListRequest, KekCreateRequest, ManagementPutRequest, PersonDeleteRequest,
    PersonSuspendRequest, PolicyTemplate, ProposalShareRequest, ProposalState, ProposalVoteRequest,
    ProposalWithdrawVoteRequest, ResponsePayload, ResultStatus, SecretText, ServerStatusRequest, ShareKeyPutRequest,
    ShareKeyRevokeRequest, SharingGrantRequest, SharingRenewRequest, StatusItem, TenantDeleteRequest,
    TenantSuspendRequest, VoteDecision,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A house in which too few are left who can open the credential.
pub(super) async fn lost() -> TestHouse {
    let scene = Scene::shared().await;
    scene.lose().await;
    scene.house
}

#[tokio::test]
async fn two_of_three_open_the_hsm_and_one_does_not() {
    let scene = Scene::shared().await;
    let [olga, oscar, otto] = &scene.operators;
    let house = &scene.house;
    for (one, other) in [(olga, otto), (otto, oscar), (oscar, olga)] {
        assert_eq!(scene.kek(one, other).await, ProposalState::Executed);
    }
    assert!(house.server.services().custody.openings().is_empty());
    // One share and two votes: it waits, says so, and goes on once the other is there.
    let id = olga.propose(house, KekCreateRequest::default()).await;
    scene.vote(olga, &id).await;
    payload(otto.ask(house, scene.approval(&id, Vec::new())).await);
    assert!(is(&otto.complete(house, &id).await, Fault::AwaitingShares));
    let shown = scene.look(otto, &id).await;
    assert_eq!(
        (
            shown.summary.state,
            shown.summary.awaiting_shares,
            shown.summary.awaiting_requester
        ),
        (ProposalState::Approved, Some(true), true)
    );
    assert_eq!(shown.share_givers, ["olga"]);
    assert!(scene.look(olga, &id).await.held_shares.is_empty());
    let listed = &otto.list(house).await[0];
    assert_eq!((listed.awaiting_shares, listed.awaiting_requester), (Some(true), true));
    let share = |opened_shares| ProposalShareRequest {
        proposal_identifier: id.clone(),
        opened_shares,
    };
    // Whoever has not agreed has nothing to hand in.
    let held = scene.look(oscar, &id).await.held_shares;
    let refused = oscar.ask(house, share(scene.opened(oscar, &held))).await;
    assert!(is(&refused, Fault::NoVoteCast));
    let opened = scene.opened(otto, &shown.held_shares);
    match payload(otto.ask(house, share(opened)).await) {
        ResponsePayload::ProposalShare(told) => assert!(!told.awaiting_shares),
        _ => panic!("no answer"),
    }
    otto.complete(house, &id).await;
    assert_eq!(otto.state(house, &id).await, ProposalState::Executed);
    assert!(house.server.services().custody.openings().is_empty());
}

#[tokio::test]
async fn wrong_shares_and_those_of_others_are_refused() {
    let scene = Scene::shared().await;
    let [olga, oscar, otto] = &scene.operators;
    let house = &scene.house;
    let id = olga.propose(house, KekCreateRequest::default()).await;
    let held = scene.look(olga, &id).await.held_shares;
    let [own] = held.as_slice() else { panic!("one share") };
    let good = || scene.opened(olga, &held);
    let foreign = scene.opened(otto, &scene.look(otto, &id).await.held_shares);
    let mut forged = good();
    let mut bytes = forged[0].share.expose().to_vec();
    bytes[3] ^= 1;
    forged[0].share = kmip_ttlv::Secret::new(bytes);
    let mut elsewhere = good();
    elsewhere[0].share_context[20] ^= 1;
    let twice = good().into_iter().chain(good()).collect();
    for wrong in [foreign, forged, elsewhere, twice] {
        let refused = olga.ask(house, scene.approval(&id, wrong)).await;
        assert!(is(&refused, Fault::ShareRefused));
    }
    // A vote that was refused is none.
    assert!(scene.look(olga, &id).await.votes.is_empty());
    assert!(house.server.services().custody.openings().is_empty());
    // A share is encrypted to one.
    assert!(scene.opened(oscar, std::slice::from_ref(own)).is_empty());
    // What was handed in for one proposal opens nothing for another.
    scene.vote(olga, &id).await;
    scene.vote(otto, &id).await;
    let other = oscar.propose(house, KekCreateRequest::default()).await;
    for who in [olga, oscar] {
        payload(who.ask(house, scene.approval(&other, Vec::new())).await);
    }
    assert!(is(&oscar.complete(house, &other).await, Fault::AwaitingShares));
    // With a rejection come no shares, and it takes back what was handed in.
    let reject = ProposalVoteRequest {
        decision: VoteDecision::Reject,
        ..scene.approval(&other, scene.opened(otto, &scene.look(otto, &other).await.held_shares))
    };
    assert!(is(&otto.ask(house, reject).await, Fault::InvalidField));
    let withdraw = ProposalWithdrawVoteRequest {
        proposal_identifier: id.clone(),
    };
    payload(olga.ask(house, withdraw).await);
    assert_eq!(scene.look(olga, &id).await.held_shares.len(), 1);
    payload(olga.ask(house, scene.approval(&id, Vec::new())).await);
    assert!(is(&olga.complete(house, &id).await, Fault::AwaitingShares));
}

/// Votes stand over a restart; what they opened does not, and is asked for again.
#[tokio::test]
async fn after_a_restart_shares_are_awaited_again() {
    let scene = Scene::shared().await;
    let [olga, _, otto] = &scene.operators;
    let house = &scene.house;
    let id = olga.propose(house, KekCreateRequest::default()).await;
    scene.vote(olga, &id).await;
    scene.vote(otto, &id).await;
    assert_eq!(scene.look(olga, &id).await.share_givers, ["olga", "otto"]);
    // All that a process has beside its store.
    house
        .server
        .services()
        .custody
        .openings()
        .forget(&(house.tenant, id.clone().try_into().unwrap()));
    assert!(is(&otto.complete(house, &id).await, Fault::AwaitingShares));
    let shown = scene.look(olga, &id).await;
    assert_eq!(
        (shown.summary.state, shown.summary.awaiting_shares),
        (ProposalState::Approved, Some(true))
    );
    for who in [olga, otto] {
        let held = scene.look(who, &id).await.held_shares;
        let request = ProposalShareRequest {
            proposal_identifier: id.clone(),
            opened_shares: scene.opened(who, &held),
        };
        payload(who.ask(house, request).await);
    }
    otto.complete(house, &id).await;
    assert_eq!(otto.state(house, &id).await, ProposalState::Executed);
}

/// Nothing that is kept opens it without two of them: not the store, whatever of the server's keys one has beside it.
#[tokio::test]
async fn what_is_kept_does_not_open_it() {
    let scene = Scene::shared().await;
    let [olga, oscar, otto] = &scene.operators;
    let house = &scene.house;
    let id = olga.propose(house, KekCreateRequest::default()).await;
    scene.vote(olga, &id).await;
    let custody = &house.server.services().custody;
    let record = house
        .store
        .scan(house.tenant, SHARING, None, 10)
        .await
        .unwrap()
        .remove(0);
    let body = crate::records::open(custody, &record).unwrap();
    let sharing = crate::custody::Sharing::decode(body).unwrap();
    let told = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(!told(&record.body, PIN.as_bytes()) && told(&record.body, b"operators"));
    // One share is open in the server: with it, and all else, nothing is.
    assert_eq!(
        custody
            .open_for(&(house.tenant, id.clone().try_into().unwrap()), &sharing)
            .err(),
        Some(CustodyError::Unavailable)
    );
    // A second one, and it is.
    for who in [oscar, otto] {
        let opened = scene.opened(who, &scene.look(who, &id).await.held_shares);
        payload(who.ask(house, scene.approval(&id, opened)).await);
        let found = custody
            .open_for(&(house.tenant, id.clone().try_into().unwrap()), &sharing)
            .unwrap();
        assert_eq!(found.expose(), PIN.as_bytes());
    }
}

#[tokio::test]
async fn who_loses_a_share_key_has_it_shared_anew() {
    let mut scene = Scene::shared().await;
    let before = scene.sharing(&scene.operators[0]).await;
    assert!(before.sharing_fits && before.recoverable);
    assert_eq!(
        (before.ways, before.holders.len()),
        (vec!["2 of 3 operators".to_owned()], 3)
    );
    // otto's is lost: the two others still open it.
    let [olga, ..] = &scene.operators;
    let revoke = ShareKeyRevokeRequest {
        person_name: "otto".into(),
        force: None,
    };
    payload(olga.ask(&scene.house, revoke).await);
    let lost = scene.sharing(olga).await;
    assert!(!lost.sharing_fits && lost.recoverable);
    assert_eq!(lost.holders, ["olga", "oscar"]);
    // Another key of his comes with a sharing, which takes the shares of two.
    scene.keys.remove("otto");
    let key = certs::PrivateKey::generate(certs::KeyKind::P256).unwrap();
    let [olga, oscar, otto] = &scene.operators;
    let id = otto.propose(&scene.house, scene.share_key(otto, &key)).await;
    for who in [olga, oscar] {
        payload(who.ask(&scene.house, scene.approval(&id, Vec::new())).await);
    }
    assert!(is(&olga.complete(&scene.house, &id).await, Fault::AwaitingShares));
    for who in [olga, oscar] {
        scene.vote(who, &id).await;
    }
    olga.complete(&scene.house, &id).await;
    assert_eq!(olga.state(&scene.house, &id).await, ProposalState::Executed);
    let again = scene.sharing(olga).await;
    assert!(again.sharing_fits && again.recoverable && again.holders.len() == 3);
    let secret = ShareSecret::read(&key.to_der()).unwrap();
    scene.keys.insert("otto".into(), secret);
    let [olga, _, otto] = &scene.operators;
    assert_eq!(scene.kek(otto, olga).await, ProposalState::Executed);
}

/// What somebody has opened who is suspended since then is not used for those who agree.
#[tokio::test]
async fn who_is_suspended_has_opened_nothing() {
    let scene = Scene::shared().await;
    let [olga, oscar, otto] = &scene.operators;
    let house = &scene.house;
    let id = olga.propose(house, KekCreateRequest::default()).await;
    scene.vote(olga, &id).await;
    scene.vote(otto, &id).await;
    let suspend = PersonSuspendRequest {
        person_name: "otto".into(),
    };
    payload(oscar.ask(house, suspend).await);
    payload(oscar.ask(house, scene.approval(&id, Vec::new())).await);
    assert!(is(&oscar.complete(house, &id).await, Fault::AwaitingShares));
    scene.vote(oscar, &id).await;
    oscar.complete(house, &id).await;
    assert_eq!(oscar.state(house, &id).await, ProposalState::Executed);
    // One more, and nobody can open it: those who read the status are told.
    assert!(scene.sharing(olga).await.recoverable);
    let id = olga.propose(house, KekCreateRequest::default()).await;
    scene.vote(oscar, &id).await;
    let openings = house.server.services().custody.openings();
    assert!(!openings.is_empty());
    let suspend = PersonSuspendRequest {
        person_name: "oscar".into(),
    };
    payload(olga.ask(house, suspend).await);
    assert!(openings.is_empty());
    assert!(!scene.sharing(olga).await.recoverable);
    let ResponsePayload::ServerStatus(status) = payload(olga.ask(house, ServerStatusRequest::default()).await) else {
        panic!("no status")
    };
    let lost = |item: &&StatusItem| item.status_name == "sharing.software" && item.status_value.contains("LOST");
    assert!(status.items.iter().any(|item| lost(&item)));
}

/// Whoever can hold no shares keeps nobody else from the credential.
#[tokio::test]
async fn a_tenant_without_share_keys_does_not_hold_up_what_is_entered() {
    let scene = Scene::shared().await;
    scene.lose().await;
    let [ada, alan] = &scene.administrators;
    assert_eq!(
        scene.carry(ada, alan, scene.management()).await,
        ProposalState::Executed
    );
    let tenant = scene.house.tenant;
    let own = scene.house.store.scan(tenant, SHARING, None, 10).await.unwrap();
    assert!(own.is_empty());
}

/// A credential that the HSM refuses is not shared; nor is one where its other user does it all.
#[tokio::test]
async fn what_separates_nothing_is_not_taken() {
    let mut scene = Scene::open().await;
    for place in 0..5 {
        scene.enroll(place).await;
    }
    let [ada, alan] = &scene.administrators;
    let wrong = ManagementPutRequest {
        management_pin: SecretText::new("keeper:wrong"),
        ..scene.management()
    };
    assert_eq!(scene.carry(ada, alan, wrong).await, ProposalState::Failed);
    scene.hsm.lax.store(true, Ordering::SeqCst);
    assert_eq!(scene.carry(ada, alan, scene.management()).await, ProposalState::Failed);
    let records = scene.house.store.scan(Domain::SYSTEM, SHARING, None, 10).await.unwrap();
    assert!(records.is_empty());
    scene.hsm.lax.store(false, Ordering::SeqCst);
    assert_eq!(
        scene.carry(alan, ada, scene.management()).await,
        ProposalState::Executed
    );
}

/// A tenant that is no more leaves no shares of an HSM that others use.
#[tokio::test]
async fn a_deleted_tenant_leaves_no_shares() {
    let scene = Scene::shared().await;
    let [ada, alan] = &scene.administrators;
    let kept = || scene.house.store.scan(scene.house.tenant, SHARING, None, 10);
    assert_eq!(kept().await.unwrap().len(), 1);
    let tenant_name = scene.tenant_name.clone();
    payload(ada.ask(&scene.house, TenantSuspendRequest { tenant_name }).await);
    let tenant_name = scene.tenant_name.clone();
    let state = scene.carry(ada, alan, TenantDeleteRequest { tenant_name }).await;
    assert_eq!(state, ProposalState::Executed);
    assert!(kept().await.unwrap().is_empty());
}

#[tokio::test]
async fn who_goes_takes_no_share_along() {
    let scene = Scene::shared().await;
    let [olga, _, otto] = &scene.operators;
    let request = PersonDeleteRequest {
        person_name: "oscar".into(),
    };
    let id = olga.propose(&scene.house, request.clone()).await;
    for who in [olga, otto] {
        payload(who.ask(&scene.house, scene.approval(&id, Vec::new())).await);
    }
    assert!(is(&olga.complete(&scene.house, &id).await, Fault::AwaitingShares));
    for who in [olga, otto] {
        scene.vote(who, &id).await;
    }
    olga.complete(&scene.house, &id).await;
    assert_eq!(olga.state(&scene.house, &id).await, ProposalState::Executed);
    let sharing = scene.sharing(olga).await;
    assert_eq!(sharing.ways, ["2 of 2 operators"]);
    assert!(sharing.sharing_fits);
    assert_eq!(scene.kek(olga, otto).await, ProposalState::Executed);
}

/// Where too few can open a share, nothing waits for them: administrators share it anew, or enter another.
#[tokio::test]
async fn what_is_lost_is_given_again_by_the_administrators() {
    let mut scene = Scene::shared().await;
    let revoke = |name: &str, force| ShareKeyRevokeRequest {
        person_name: name.to_owned(),
        force,
    };
    let [olga, ..] = &scene.operators;
    payload(olga.ask(&scene.house, revoke("oscar", None)).await);
    // Without this one too few are left: it takes a clear word.
    let refused = olga.ask(&scene.house, revoke("otto", None)).await;
    assert!(is(&refused, Fault::LastShareKey) && scene.sharing(olga).await.recoverable);
    // Nor is he deleted who is one too many to lose.
    let gone = PersonDeleteRequest {
        person_name: "otto".into(),
    };
    assert!(is(&olga.ask(&scene.house, gone).await, Fault::ShareKeysMissing));
    payload(olga.ask(&scene.house, revoke("otto", Some(true))).await);
    for name in ["oscar", "otto"] {
        scene.keys.remove(name);
    }
    assert!(!scene.sharing(&scene.operators[0]).await.recoverable);
    for place in [1, 2] {
        assert_eq!(scene.enroll(place).await, ProposalState::Executed);
    }
    let [olga, _, otto] = &scene.operators;
    assert!(!scene.sharing(olga).await.recoverable);
    let renew = SharingRenewRequest {
        hsm_profile_name: "software".into(),
    };
    assert_ne!(scene.carry(olga, otto, renew.clone()).await, ProposalState::Executed);
    assert_eq!(scene.grant().await, ProposalState::Executed);
    assert!(scene.sharing(olga).await.recoverable);
    // The one that waited for the lost shares was about another sharing; this is another request.
    assert_eq!(scene.carry(otto, olga, renew).await, ProposalState::Executed);
    assert_eq!(scene.kek(olga, otto).await, ProposalState::Executed);
    // Another PIN in the HSM: what they hold opens the old one, until it is entered.
    *scene.hsm.pin.lock().unwrap() = "keeper:another";
    assert_ne!(scene.kek(olga, otto).await, ProposalState::Executed);
    let [ada, alan] = &scene.administrators;
    let put = scene.management();
    assert_eq!(scene.carry(ada, alan, put).await, ProposalState::Executed);
    assert_eq!(scene.kek(olga, otto).await, ProposalState::Executed);
    assert_eq!(scene.kek(ada, alan).await, ProposalState::Executed);
}

#[tokio::test]
async fn nobody_shares_alone_or_without_keys() {
    let scene = Scene::open().await;
    let [ada, alan] = &scene.administrators;
    let [olga, oscar, otto] = &scene.operators;
    let house = &scene.house;
    // No share keys: nothing to share with.
    let state = scene.carry(ada, alan, scene.management()).await;
    assert_eq!(state, ProposalState::Failed);
    // An operator does not enter it, and a key must be shown by its holder.
    assert!(is(&olga.ask(house, scene.management()).await, Fault::PermissionDenied));
    let key = certs::PrivateKey::generate(certs::KeyKind::P256).unwrap();
    let foreign = ShareKeyPutRequest {
        person_name: "otto".into(),
        ..scene.share_key(oscar, &key)
    };
    assert!(is(&otto.ask(house, foreign).await, Fault::PossessionNotShown));
    let long = certs::PrivateKey::generate(certs::KeyKind::P384).unwrap();
    let request = scene.share_key(otto, &long);
    assert!(is(&otto.ask(house, request).await, Fault::ShareKeyRefused));
    // Without a credential there is nothing to grant, and no login: what the HSM then says is its own.
    let grant = SharingGrantRequest {
        hsm_profile_name: "software".into(),
        tenant_name: scene.tenant_name.clone(),
    };
    assert!(is(&ada.ask(house, grant).await, Fault::NotFound));
    assert_ne!(scene.kek(olga, otto).await, ProposalState::Executed);
}

#[tokio::test]
async fn where_separation_is_required_one_user_is_not_enough() {
    let scene = Scene::open().await;
    let [olga, _, otto] = &scene.operators;
    let house = &scene.house;
    // Said to those who agree, where it is not required.
    let id = olga.propose(house, KekCreateRequest::default()).await;
    let shown = scene.look(otto, &id).await.target.unwrap();
    assert!(
        shown.contains("no separation: quorum enforced by software only"),
        "{shown}"
    );
    let mut policy = template(PolicyTemplate::Mtg, Scope::Tenant);
    policy.separation_required = Some(true);
    put_policy(house, house.tenant, policy).await;
    let refused = olga.ask(house, KekCreateRequest::default()).await;
    assert!(is(&refused, Fault::SeparationRequired));
    // Nor is such an HSM linked to it.
    let link = HsmProfileLinkRequest {
        hsm_profile_name: "software".into(),
        tenant_name: Some(scene.tenant_name.clone()),
        first: Some(true),
    };
    let linked = scene.administrators[0].ask(house, link).await;
    assert!(is(&linked, Fault::SeparationRequired));
    assert_eq!(
        template(PolicyTemplate::Strict, Scope::Tenant).separation_required,
        Some(true)
    );
    assert_eq!(refused.result_status, ResultStatus::OperationFailed);
}

/// What its token was found to be counts for more than that a credential was entered; everybody is told the same of it.
#[tokio::test]
async fn where_one_user_was_found_to_do_both_nothing_is_kept_apart() {
    let scene = Scene::shared().await;
    let [olga, _, otto] = &scene.operators;
    let (house, profile) = (&scene.house, ProfileId([1; 16]));
    let custody = &house.server.services().custody;
    // Another request each time: the same one is the proposal that there is already.
    let told = async |hsm_profile_names| {
        let request = KekCreateRequest {
            hsm_profile_names,
            ..KekCreateRequest::default()
        };
        let id = olga.propose(house, request).await;
        let shown = scene.look(otto, &id).await.target.unwrap();
        shown.contains("no separation: quorum enforced by software only")
    };
    assert!(!told(Vec::new()).await);
    let row = house.row(hsm_profile::place(profile)).await;
    let mut record = ProfileRecord::decode(records::open(custody, &row).unwrap()).unwrap();
    let mut found = Capabilities::default();
    found.note(Feature::UsageCreates, Finding::Works);
    record.capabilities = Some(found.encode().unwrap());
    let mut work = Work::new(Arc::clone(&house.store));
    hsm_profile::put(custody, &mut work, profile, &record).await.unwrap();
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    assert!(told(vec!["software".to_owned()]).await);
    let list = payload(
        scene.administrators[0]
            .ask(house, HsmProfileListRequest::default())
            .await,
    );
    let ResponsePayload::HsmProfileList(list) = list else {
        panic!("no list")
    };
    assert!(list.hsm_profiles.iter().all(|profile| !profile.separated));
}

/// Administrators who bring somebody into a tenant are told what that does for what its people hold.
#[tokio::test]
async fn a_recovery_says_what_becomes_of_the_shares() {
    let scene = Scene::shared().await;
    let house = &scene.house;
    let [ada, alan] = &scene.administrators;
    let [olga, oscar, otto] = &scene.operators;
    // Two have not come for a quarter of a year; their share keys are there.
    for who in [oscar, otto] {
        let mut work = Work::new(Arc::clone(&house.store));
        let long_ago = house.now_ms() - 91 * 24 * 60 * 60 * 1000;
        work.set_counter(who.member.id.key(), person_counter::LAST_LOGIN, long_ago);
        house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    }
    let told = async |request| {
        let id = ada.propose(house, request).await;
        scene.look(alan, &id).await.target.unwrap()
    };
    let shown = told(recover()).await;
    let anew = "(the key-management credential of software is shared anew only once the newcomer has a share key)";
    assert!(shown.contains(anew), "{shown}");
    // Suspended, they could not open anything any more.
    for person_name in ["oscar", "otto"] {
        let person_name = person_name.to_owned();
        payload(olga.ask(house, PersonSuspendRequest { person_name }).await);
    }
    let mut another = recover();
    another.operator.person_name = "nora".into();
    let shown = told(another).await;
    let lost = "(too few can open the key-management credential of software: ";
    assert!(shown.contains(lost), "{shown}");
}
