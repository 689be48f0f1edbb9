//! What a request was agreed to about, and what it would be about when it is carried out.

use super::asynchronous::{correlation, submit};
use super::governing::{approve, destroy, govern, is_there, newest, rule};
use super::testing::TestHouse;
use crate::failure::Fault;
use crate::identity::{Principal, TenantRecord};
use crate::store::{Domain, TrailQuery, mark};
use kmip_protocol::{
    ActivateRequest, ApplicationCreateRequest, BindTarget, ClientCreateRequest, ClientDeleteRequest, ClientGetRequest,
    ClientModifyRequest, Completion, Operation, PersonRole, ProposalState, Request, ResultStatus, TenantSuspendRequest,
    UniqueIdentifier, Version,
};

fn client(name: &str, application: Option<&str>) -> ClientCreateRequest {
    ClientCreateRequest {
        client_name: name.into(),
        application_name: application.map(str::to_owned),
        settings: None,
        credentials: Vec::new(),
        password: None,
        user: None,
    }
}

/// An operator of the first tenant who is in its records, as those are whom [`govern`] puts there.
fn operator(house: &TestHouse) -> Principal {
    let mut known = house.known(house.tenant, PersonRole::Operator);
    if let Principal::Person(person) = &mut known {
        let person = std::sync::Arc::get_mut(person).unwrap();
        person.person = [3; 16];
        person.name = "operator 3".into();
    }
    known
}

async fn done<R: Request>(house: &TestHouse, who: &Principal, request: R) {
    let item = house.act(who, request).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
}

async fn is_known(house: &TestHouse, who: &Principal, name: &str) -> bool {
    let request = ClientGetRequest {
        client_name: name.into(),
    };
    house.act(who, request).await.result_status == ResultStatus::Success
}

/// Why the newest proposal failed.
async fn why(house: &TestHouse) -> Option<String> {
    let proposal = newest(house).await;
    assert_eq!(proposal.state(), ProposalState::Failed);
    proposal.events().last().unwrap().reason.clone()
}

fn told(fault: Fault) -> Option<String> {
    Some(fault.message().to_owned())
}

#[tokio::test]
async fn a_name_that_is_anothers_now_is_not_what_was_agreed_to() {
    for bind in [BindTarget::Exact, BindTarget::Identifier] {
        let mut deletes = rule(Operation::ClientDelete, Completion::OnQuorum);
        deletes.bind_target = bind;
        let house = TestHouse::new().await;
        govern(&house, vec![deletes]).await;
        let operator = operator(&house);
        done(&house, &operator, client("db", None)).await;
        let delete = ClientDeleteRequest {
            client_name: "db".into(),
        };
        correlation(&house.act_and_wait(&operator, delete).await);
        let rename = ClientModifyRequest {
            client_name: "db".into(),
            new_name: Some("old db".into()),
            settings: None,
            credentials: Vec::new(),
            password: None,
            user: None,
        };
        done(&house, &operator, rename).await;
        done(&house, &operator, client("db", Some("db"))).await;
        assert_eq!(approve(&house).await, ProposalState::Failed);
        assert_eq!(why(&house).await, told(Fault::TargetChanged));
        assert!(is_known(&house, &operator, "db").await && is_known(&house, &operator, "old db").await);
    }
}

#[tokio::test]
async fn bound_to_which_one_it_is_a_changed_state_is_no_other_target() {
    let mut destroys = rule(Operation::Destroy, Completion::OnQuorum);
    destroys.bind_target = BindTarget::Identifier;
    let house = TestHouse::new().await;
    govern(&house, vec![destroys]).await;
    let key = house.create("before", Vec::new()).await;
    correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    let digest = newest(&house).await.target.digest;
    assert!(digest.is_some());
    let other = house.create("other", Vec::new()).await;
    correlation(&submit(&house, Version::NEWEST, destroy(&other), &house.alice).await);
    assert_ne!(newest(&house).await.target.digest, digest);
    let activated = ActivateRequest {
        unique_identifier: Some(UniqueIdentifier::from(other.as_str())),
    };
    house.item(Version::NEWEST, activated, &house.alice).await;
    // The handler judges the state: this is its own reason.
    assert_eq!(approve(&house).await, ProposalState::Failed);
    assert_ne!(why(&house).await, told(Fault::TargetChanged));
    assert!(is_there(&house, &other).await);
}

#[tokio::test]
async fn rules_that_nobody_was_asked_about_are_not_passed_by() {
    let makes = rule(Operation::ClientCreate, Completion::OnQuorum);
    let mut reaches = rule(Operation::ClientCreate, Completion::OnQuorum);
    reaches.rule_name = "reach".into();
    reaches.rule_match.reaches_objects = Some(true);
    let house = TestHouse::new().await;
    govern(&house, vec![makes, reaches]).await;
    let operator = operator(&house);
    let vault = ApplicationCreateRequest {
        application_name: "vault".into(),
    };
    done(&house, &operator, vault).await;
    // Into an application that owns nothing, and into one that owns something before the vote is over.
    for (name, application, expected) in [
        ("one", "vault", ProposalState::Executed),
        ("two", "alice", ProposalState::Failed),
    ] {
        correlation(&house.act_and_wait(&operator, client(name, Some(application))).await);
        assert_eq!(newest(&house).await.rules.len(), 1, "{name}");
        if application == "alice" {
            house.create("", Vec::new()).await;
        }
        assert_eq!(approve(&house).await, expected, "{name}");
        assert_eq!(
            is_known(&house, &operator, name).await,
            expected == ProposalState::Executed
        );
        if expected == ProposalState::Failed {
            assert_eq!(why(&house).await, told(Fault::TargetChanged));
        }
    }
}

/// The trail says in which state an act has left the record that it acted on.
#[tokio::test]
async fn the_trail_has_the_revision_and_the_mark_of_what_was_changed() {
    let house = TestHouse::new().await;
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let suspend = TenantSuspendRequest {
        tenant_name: "bob".into(),
    };
    done(&house, &administrator, suspend).await;
    let bob = house.store.claimed(&TenantRecord::name_claim("bob")).await.unwrap();
    let record = house.store.load(bob.unwrap()).await.unwrap().unwrap();
    let heads = house.store.trail_heads().await.unwrap();
    let query = TrailQuery {
        stream: heads[0].position.stream,
        domain: None,
        after: 0,
        limit: 1_000,
    };
    let trail = house.store.trail(query).await.unwrap();
    let drafts = trail
        .iter()
        .map(|one| crate::audit::Entry::read(&one.bytes).unwrap().draft);
    let act = drafts
        .into_iter()
        .find(|draft| draft.operation == Operation::TenantSuspend.0);
    let left = act.unwrap().records;
    let left = left.iter().find(|left| left.id == record.key.id).unwrap();
    assert_eq!((left.domain, left.kind), (record.key.domain.0, record.key.kind.0));
    assert_eq!(left.left, Some((record.revision.0, mark(&record.body))));
}
