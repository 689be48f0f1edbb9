//! For tests: a tenant whose three operators vote through the handlers, and one of another tenant.

use super::testing::{BEGIN, TestHouse};
use crate::authority::proposal::{BoundTarget, Claimant, NewProposal, Requester};
use crate::authority::quorum::statement::{Casting, Subject, encode_statement, statement};
use crate::authority::quorum::{Scope, template};
use crate::authority::{Approval, PolicyRecord, ProposalRecord};
use crate::failure::Fault;
use crate::identity::{Enroll, Id, PersonId, PersonKey, PersonPrincipal, PersonRecord, Principal, Session};
use crate::operations::keeper::Keeper;
use crate::operations::proposed::register;
use crate::operations::{Answer, Batch, Context, dispatch};
use crate::records;
use crate::store::{Domain, Work};
use certs::{KeyKind, Leaf, Usage, Validity};
use kmip_protocol::{
    Interval, Operation, PersonRole, PersonStatus, PolicyTemplate, ProposalGetRequest, ProposalState,
    ProposalVoteRequest, RequestPayload, ResponsePayload, VoteDecision,
};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use std::sync::Arc;

/// A person with a key that signs.
pub struct Voter {
    pub principal: Principal,
    pub certificate: Vec<u8>,
    pub fingerprint: [u8; 32],
    pub key: EcdsaKeyPair,
}

pub struct Hall {
    pub house: TestHouse,
    /// Three operators of the first tenant.
    pub operators: Vec<Voter>,
    /// One of the second.
    pub foreigner: Voter,
    pub tenant: Domain,
}

pub fn person_id(number: u8) -> Id {
    [number; 16]
}

/// Enrols a person, seasoned from the beginning.
pub async fn enrol(house: &TestHouse, domain: Domain, number: u8) -> Voter {
    let name = format!("operator {number}");
    let leaf = Leaf {
        subject: certs::Subject::named(&name),
        alternative_names: Vec::new(),
        usage: Usage::Client,
        validity: Validity::days(BEGIN, 365),
    };
    let (certificate, key) = leaf.self_signed(KeyKind::P256).unwrap();
    let random = ring::rand::SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.to_der(), &random).unwrap();
    let fingerprint = certs::CertificateFacts::read(&certificate).unwrap().key_fingerprint;
    let record = PersonRecord {
        name: name.clone(),
        role: PersonRole::Operator,
        status: PersonStatus::Active,
        created_ms: 0,
        member_since_ms: 0,
        created_by: None,
        credentials: vec![PersonKey {
            fingerprint,
            certificate: certificate.clone(),
            hardware: false,
            attested_by: None,
            proven: true,
            enrolled_ms: 0,
            revoked_ms: None,
        }],
        password: None,
        one_time: None,
    };
    let services = house.server.services();
    let keeper = Keeper(Arc::clone(&services.custody));
    let mut work = Work::new(Arc::clone(&services.store));
    let id = PersonId {
        domain,
        person: person_id(number),
    };
    Enroll::new(&mut work, &keeper).person(id, &record).await.unwrap();
    services.store.commit(work.into_change_set(BEGIN * 1000)).await.unwrap();
    let principal = Principal::Person(Arc::new(PersonPrincipal {
        domain,
        person: id.person,
        name,
        role: PersonRole::Operator,
        key_fingerprint: fingerprint,
        hardware: false,
        session: Session::Full([number; 16]),
        seen: None,
        tenant_seen: None,
        migration_required: false,
        ticket_seen: None,
    }));
    Voter {
        principal,
        certificate,
        fingerprint,
        key,
    }
}

/// A policy of two operators, who sign, and of whom one presses "complete".
pub async fn put_policy(house: &TestHouse, domain: Domain) {
    put_template(house, domain, PolicyTemplate::Mtg).await;
}

/// A policy as it comes from a template, without seasoning.
pub async fn put_template(house: &TestHouse, domain: Domain, of: PolicyTemplate) {
    let mut policy = template(of, Scope::Tenant);
    policy.seasoning = Interval(0);
    let record = PolicyRecord::first(policy, BEGIN * 1000);
    let services = house.server.services();
    let mut work = Work::new(Arc::clone(&services.store));
    for key in [PolicyRecord::key(domain), PolicyRecord::version_key(domain, 1)] {
        work.load(key).await.unwrap();
        let revision = work.next_revision(key);
        let (body, _) = records::close(&services.custody, key, revision, record.encode()).unwrap();
        work.put(key, body, Vec::new());
    }
    services.store.commit(work.into_change_set(BEGIN * 1000)).await.unwrap();
}

impl Hall {
    pub async fn new() -> Self {
        let house = TestHouse::new().await;
        let tenant = house.tenant;
        let mut operators = Vec::new();
        for number in 1..=3 {
            operators.push(enrol(&house, tenant, number).await);
        }
        let other = house.server.services().store.clone();
        let tenants = other
            .scan(Domain::SYSTEM, crate::identity::kind::TENANT, None, 9)
            .await
            .unwrap();
        let other = tenants
            .iter()
            .map(|record| Domain(record.key.id))
            .find(|domain| *domain != tenant);
        let other = other.unwrap();
        let foreigner = enrol(&house, other, 9).await;
        put_policy(&house, tenant).await;
        put_policy(&house, other).await;
        Self {
            house,
            operators,
            foreigner,
            tenant,
        }
    }

    /// One request of somebody: what came of it, and how many reads it took. Kept, if it did not fail.
    pub async fn ask(&self, who: &Voter, request: impl Into<RequestPayload>) -> (Result<ResponsePayload, Fault>, u64) {
        let (outcome, work) = self.try_ask(who, request).await;
        let reads = work.reads();
        if outcome.is_ok() {
            let now = self.house.server.services().clock.now();
            self.house.store.commit(work.into_change_set(now.0)).await.unwrap();
        }
        (outcome, reads)
    }

    pub async fn try_ask(
        &self,
        who: &Voter,
        request: impl Into<RequestPayload>,
    ) -> (Result<ResponsePayload, Fault>, Work) {
        let services = self.house.server.services();
        let mut work = Work::new(Arc::clone(&services.store));
        let mut batch = Batch::default();
        let mut context = Context::new(services, &who.principal, services.clock.now(), &mut work, &mut batch);
        let request = request.into();
        let mut answer = dispatch(&request, &mut context).await;
        if matches!(answer, Ok(Answer::Governed(_))) {
            // What is tried here is what happens once others have agreed.
            context.approval = Some(Approval::supposed());
            answer = dispatch(&request, &mut context).await;
        }
        let outcome = match answer {
            Ok(Answer::Done(payload)) => Ok(payload),
            Ok(_) => panic!("not answered at once"),
            Err(failure) => Err(failure.fault()),
        };
        (outcome, work)
    }

    pub async fn fault(&self, who: &Voter, request: impl Into<RequestPayload>) -> Fault {
        match self.ask(who, request).await.0 {
            Err(fault) => fault,
            Ok(_) => panic!("it was permitted"),
        }
    }

    /// A proposal of operator 1 to delete somebody.
    pub async fn propose(&self, id: [u8; 16], subject: Option<u8>) -> ProposalRecord {
        let services = self.house.server.services();
        let keeper = Keeper(Arc::clone(&services.custody));
        let register = register(services, &keeper);
        let mut work = Work::new(Arc::clone(&services.store));
        let now_ms = services.clock.now().0;
        let around = register.surroundings(self.tenant, now_ms, &mut work).await.unwrap();
        let rules = around.policy.as_ref().unwrap().record.policy.rules.clone();
        let people = rules.into_iter().find(|rule| rule.rule_name == "people").unwrap();
        let new = NewProposal {
            id,
            operation: Operation::PersonDelete,
            requester: Requester {
                is_person: true,
                id: person_id(1),
                name: "operator 1".into(),
                fingerprint: None,
            },
            correlation: [9; 16],
            reason: Some("has left".into()),
            rules: vec![people],
            seasoning_ms: 0,
            canonical: b"canonical form".to_vec(),
            target: BoundTarget {
                subjects: subject.map(person_id).into_iter().collect(),
                records: subject
                    .map(|number| {
                        PersonId {
                            domain: self.tenant,
                            person: person_id(number),
                        }
                        .key()
                    })
                    .into_iter()
                    .collect(),
                ..BoundTarget::default()
            },
        };
        let record = ProposalRecord::open(new, &around.situation(true)).unwrap();
        register.keep(self.tenant, &record, &mut work).await.unwrap();
        services.store.commit(work.into_change_set(now_ms)).await.unwrap();
        record
    }

    pub fn vote(&self, voter: &Voter, record: &ProposalRecord, decision: VoteDecision) -> ProposalVoteRequest {
        let subject = Subject {
            instance_identifier: record.instance,
            epoch: record.epoch,
            tenant_name: Some("alice".into()),
            proposal_identifier: record.id,
            request_digest: record.request_digest,
            target_digest: record.target.digest,
            policy_digest: record.policy_digest,
        };
        self.vote_on(voter, &subject, decision)
    }

    pub fn vote_on(&self, voter: &Voter, subject: &Subject, decision: VoteDecision) -> ProposalVoteRequest {
        let now = self.house.server.services().clock.now().seconds();
        let casting = Casting {
            decision,
            voter_fingerprint: voter.fingerprint,
            issued: now,
            expires: now + 300,
            shares_digest: None,
        };
        let bytes = encode_statement(&statement(subject, &casting));
        let signature = voter.key.sign(&ring::rand::SystemRandom::new(), &bytes).unwrap();
        ProposalVoteRequest {
            proposal_identifier: subject.proposal_identifier.to_vec(),
            decision,
            statement: Some(bytes),
            signature: Some(signature.as_ref().to_vec()),
            reason: None,
            opened_shares: Vec::new(),
        }
    }

    /// Whether the server may carry a proposal out now.
    pub async fn is_ready(&self, id: [u8; 16]) -> bool {
        let services = self.house.server.services();
        let keeper = Keeper(Arc::clone(&services.custody));
        let register = register(services, &keeper);
        let mut work = Work::new(Arc::clone(&services.store));
        let now_ms = services.clock.now().0;
        let around = register.surroundings(self.tenant, now_ms, &mut work).await.unwrap();
        let record = register.load(self.tenant, &id, &mut work).await.unwrap();
        let claimed = record.unwrap().claimable(Claimant::Server, &around.situation(true));
        claimed.is_ok()
    }

    pub async fn state(&self, id: [u8; 16]) -> ProposalState {
        let request = ProposalGetRequest {
            proposal_identifier: id.to_vec(),
        };
        match self.ask(&self.operators[0], request).await.0 {
            Ok(ResponsePayload::ProposalGet(answer)) => answer.proposal.summary.state,
            other => panic!("{:?}", other.err()),
        }
    }
}
