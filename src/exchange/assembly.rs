//! People who decide together, for tests: their policies, and each of their steps as one message of theirs.

use super::members::Member;
use super::testing::{TestHouse, batch};
use crate::authority::PolicyRecord;
use crate::failure::Fault;
use crate::identity::{PersonPrincipal, Principal, Session};
use crate::records;
use crate::store::{Domain, Work};
use kmip_protocol::{
    AsynchronousIndicator, Interval, PersonRole, Policy, Proof, ProposalCompleteRequest, ProposalGetRequest,
    ProposalListRequest, ProposalState, ProposalSummary, ProposalVetoRequest, ProposalVoteRequest, Request,
    RequestItem, ResponseItem, ResponseMessage, ResponsePayload, ResultStatus, Version, VoteDecision,
};
use std::sync::Arc;

/// A person who is logged in.
pub struct Voter {
    pub member: Member,
    pub principal: Principal,
}

/// Enrols an active person, seasoned from the beginning.
pub async fn voter(house: &TestHouse, domain: Domain, name: &str, role: PersonRole) -> Voter {
    let member = house.person(domain, name, role).await;
    let principal = Principal::Person(Arc::new(PersonPrincipal {
        domain,
        person: member.id.person,
        name: name.into(),
        role,
        key_fingerprint: *member.facts.certificate.key_fingerprint(),
        hardware: false,
        session: Session::Full(member.id.person),
        seen: None,
        tenant_seen: None,
        migration_required: false,
        ticket_seen: None,
    }));
    Voter { member, principal }
}

/// Puts a policy in force, without seasoning, in which sessions vote.
pub async fn put_policy(house: &TestHouse, domain: Domain, mut policy: Policy) {
    policy.seasoning = Interval(0);
    policy.rules.iter_mut().for_each(|rule| rule.proof = Proof::Session);
    let record = PolicyRecord::first(policy, 0);
    let services = house.server.services();
    let mut work = Work::new(Arc::clone(&house.store));
    for key in [PolicyRecord::key(domain), PolicyRecord::version_key(domain, 1)] {
        work.load(key).await.unwrap();
        let revision = work.next_revision(key);
        let (body, _) = records::close(&services.custody, key, revision, record.encode()).unwrap();
        work.put(key, body, Vec::new());
    }
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    services.policies.forget(domain);
    services.glances.forget(domain);
}

impl Voter {
    /// One request, whose client can wait.
    pub async fn ask<R: Request>(&self, house: &TestHouse, request: R) -> ResponseItem {
        let mut message = batch(Version::NEWEST, vec![RequestItem::new(request)]);
        message.header.asynchronous_indicator = Some(AsynchronousIndicator::Optional);
        let answer = house
            .server
            .answer_as(&self.principal, &message, &self.member.facts)
            .await;
        ResponseMessage::read(&answer).unwrap().items.remove(0)
    }

    /// Asks for what others must agree to: the proposal that becomes of it.
    pub async fn propose<R: Request>(&self, house: &TestHouse, request: R) -> Vec<u8> {
        let item = self.ask(house, request).await;
        assert_eq!(
            item.result_status,
            ResultStatus::OperationPending,
            "{:?}",
            item.result_message
        );
        self.list(house).await[0].proposal_identifier.clone()
    }

    /// The proposals that it is shown.
    pub async fn list(&self, house: &TestHouse) -> Vec<ProposalSummary> {
        match self.ask(house, ProposalListRequest::default()).await.payload {
            Some(ResponsePayload::ProposalList(list)) => list.proposals,
            _ => panic!("no list"),
        }
    }

    pub async fn look(&self, house: &TestHouse, proposal: &[u8]) -> ResponseItem {
        let proposal_identifier = proposal.to_vec();
        self.ask(house, ProposalGetRequest { proposal_identifier }).await
    }

    pub async fn state(&self, house: &TestHouse, proposal: &[u8]) -> ProposalState {
        match self.look(house, proposal).await.payload {
            Some(ResponsePayload::ProposalGet(told)) => told.proposal.summary.state,
            _ => panic!("no proposal"),
        }
    }

    pub async fn vote(&self, house: &TestHouse, proposal: &[u8], decision: VoteDecision) -> ResponseItem {
        let request = ProposalVoteRequest {
            proposal_identifier: proposal.to_vec(),
            decision,
            statement: None,
            signature: None,
            reason: None,
            opened_shares: Vec::new(),
        };
        self.ask(house, request).await
    }

    pub async fn approve(&self, house: &TestHouse, proposal: &[u8]) -> ProposalState {
        let item = self.vote(house, proposal, VoteDecision::Approve).await;
        match item.payload {
            Some(ResponsePayload::ProposalVote(told)) => told.state,
            _ => panic!("no vote: {:?}", item.result_message),
        }
    }

    pub async fn veto(&self, house: &TestHouse, proposal: &[u8]) -> ResponseItem {
        let request = ProposalVetoRequest {
            proposal_identifier: proposal.to_vec(),
            reason: None,
        };
        self.ask(house, request).await
    }

    pub async fn complete(&self, house: &TestHouse, proposal: &[u8]) -> ResponseItem {
        let proposal_identifier = proposal.to_vec();
        self.ask(house, ProposalCompleteRequest { proposal_identifier }).await
    }
}

/// Whether an item was refused with this fault.
pub fn is(item: &ResponseItem, fault: Fault) -> bool {
    let told = item.result_message.as_deref().unwrap_or_default();
    item.result_status == ResultStatus::OperationFailed && told.starts_with(fault.message())
}
