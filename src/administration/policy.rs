//! The policy of a domain: read, replaced, and asked what it would want.

use super::management_change::{self, Affected};
use super::proposal::{keeper, person};
use super::proposal_view::requirements;
use crate::audit::alarm::Event;
use crate::authority::policy::{POLICY, PolicyRecord};
use crate::authority::quorum::{About, PolicyFault, Scope, check_policy, governing, governing_request, tally};
use crate::authority::{Granted, Origin, Target, check};
use crate::failure::{Failure, Fault};
use crate::operations::proposed::register;
use crate::operations::{Context, Handle, Notice, target_of};
use crate::records;
use crate::store::{Domain, Key};
use kmip_protocol::{
    DateTime, Operation, Policy, PolicyEvaluateRequest, PolicyEvaluateResponse, PolicyGetRequest, PolicyGetResponse,
    PolicyListRequest, PolicyListResponse, PolicyPutRequest, PolicyPutResponse, PolicyRevision, RequestPayload, Rule,
    tag,
};
use kmip_ttlv::Reader;

/// Versions that a list tells, newest first.
const MOST_VERSIONS: i32 = 200;

/// Whose policy a domain's is.
#[must_use]
pub fn scope(domain: Domain) -> Scope {
    if domain == Domain::SYSTEM {
        Scope::System
    } else {
        Scope::Tenant
    }
}

/// What a person is told of a policy that is refused.
#[must_use]
pub fn policy_refused(fault: &PolicyFault) -> Failure {
    let told = match fault {
        PolicyFault::Limit(_)
        | PolicyFault::DuplicateRule(_)
        | PolicyFault::NeverGoverned(..)
        | PolicyFault::Emergency(_) => Fault::PolicyMalformed,
        PolicyFault::UnknownGroup(..) => Fault::PolicyGroup,
        PolicyFault::Off | PolicyFault::Floor(..) | PolicyFault::Recovery => Fault::PolicyFloor,
        PolicyFault::TooFewPeople { .. } | PolicyFault::Unsatisfiable(_) => Fault::QuorumBroken,
    };
    Failure::new(told)
}

async fn load(key: Key, context: &mut Context<'_>) -> Result<Option<PolicyRecord>, Failure> {
    let Some(record) = context.work.load(key).await? else {
        return Ok(None);
    };
    let bytes = records::open(&context.services.custody, &record)?;
    Ok(Some(PolicyRecord::decode(bytes)?))
}

fn told(record: &PolicyRecord, whole: bool) -> PolicyRevision {
    PolicyRevision {
        policy_version: record.version,
        policy_digest: record.digest().to_vec(),
        time_stamp: DateTime(record.put_ms.div_euclid(1000)),
        proposal_identifier: record.proposal.map(|id| id.to_vec()),
        policy: whole.then(|| record.policy.clone()),
    }
}

impl Handle for PolicyGetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PolicyGetResponse, Failure> {
        let domain = person(context)?.domain;
        let key = match self.policy_version {
            Some(version) => PolicyRecord::version_key(domain, version),
            None => PolicyRecord::key(domain),
        };
        let record = load(key, context).await?;
        let record = record.ok_or(Failure::new(Fault::PolicyNotFound))?;
        let policy = told(&record, true);
        Ok(PolicyGetResponse { policy })
    }
}

impl Handle for PolicyListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PolicyListResponse, Failure> {
        let domain = person(context)?.domain;
        let newest = load(PolicyRecord::key(domain), context)
            .await?
            .map_or(0, |record| record.version);
        let oldest = newest.saturating_sub(MOST_VERSIONS).max(0);
        let mut policies = Vec::new();
        for version in (oldest.saturating_add(1)..=newest).rev() {
            let record = load(PolicyRecord::version_key(domain, version), context).await?;
            policies.extend(record.map(|record| told(&record, false)));
        }
        Ok(PolicyListResponse { policies })
    }
}

/// Puts a policy into a unit of work, as the one in force and as a version. What it governs from then on, and whether it may be put,
/// the caller has judged.
///
/// # Errors
/// A record that is not sealed.
pub async fn put_policy(domain: Domain, record: &PolicyRecord, context: &mut Context<'_>) -> Result<(), Failure> {
    for key in [
        PolicyRecord::version_key(domain, record.version),
        PolicyRecord::key(domain),
    ] {
        context.work.load(key).await?;
        let revision = context.work.next_revision(key);
        let (body, _) = records::close(&context.services.custody, key, revision, record.encode())?;
        context.work.put(key, body, Vec::new());
        if key.kind == POLICY {
            context.touch(format!("policy {}", record.version), key)?;
        }
    }
    context.batch.notices.push(Notice::Policy(domain));
    Ok(())
}

impl Handle for PolicyPutRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<PolicyPutResponse, Failure> {
        let domain = person(context)?.domain;
        let keeper = keeper(context);
        let people = crate::authority::electorate(domain, context.work, &keeper).await?;
        check_policy(&self.policy, &people, scope(domain)).map_err(|fault| policy_refused(&fault))?;
        let proposal = match granted.origin() {
            Origin::Proposal(id) => Some(id),
            Origin::Client | Origin::Server => None,
        };
        let before = load(PolicyRecord::key(domain), context).await?;
        let record = match before {
            Some(before) => before.next(self.policy.clone(), context.now.0, proposal),
            None => PolicyRecord::first(self.policy.clone(), context.now.0),
        };
        put_policy(domain, &record, context).await?;
        let (now, version) = (context.now, format!("version {}", record.version));
        context
            .batch
            .alarm(context.work, Event::PolicyChanged, domain, now, &version);
        management_change::follow(context, granted.origin()).await?;
        Ok(PolicyPutResponse {
            policy_version: record.version,
        })
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = person(context)?.domain;
        let affected = self.affected(domain, context).await?;
        Ok(affected.in_target(Target {
            description: Some("the policy".to_owned()),
            records: vec![PolicyRecord::key(domain)],
            ..Target::default()
        }))
    }
}

impl Handle for PolicyEvaluateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PolicyEvaluateResponse, Failure> {
        let (domain, me) = (person(context)?.domain, person(context)?.person);
        let permitted = check(context.principal, self.operation).is_ok();
        let keeper = keeper(context);
        let services = context.services;
        let register = register(services, &keeper);
        let around = register.surroundings(domain, context.now.0, context.work).await?;
        let Some(policy) = around.policy.as_ref().filter(|_| permitted) else {
            return Ok(PolicyEvaluateResponse {
                permitted,
                requirements: Vec::new(),
            });
        };
        let payload = self.payload(context)?;
        let (rules, target): (Vec<Rule>, Target) = match &payload {
            Some(payload) => {
                let target = target_of(payload, context).await?;
                let rules = governing_request(&policy.record.policy, payload, &target);
                (rules.into_iter().cloned().collect(), target)
            }
            // Without the request itself: every rule that names the operation.
            None => {
                let names = |rule: &&Rule| rule.rule_match.operations.contains(&self.operation);
                let rules = policy.record.policy.rules.iter().filter(names);
                (rules.cloned().collect(), Target::default())
            }
        };
        let about = About {
            requester: Some(me),
            subjects: &target.subjects,
            submitted_ms: context.now.0,
            seasoning_ms: policy.seasoning_ms(),
            now_ms: context.now.0,
        };
        let counted = tally(&rules, &around.electorate, &[], &about);
        let mut requirements = requirements(&counted, &around.electorate);
        if let Some(RequestPayload::PolicyPut(put)) = &payload {
            let judged = check_policy(&put.policy, &around.electorate, scope(domain));
            let warnings = judged.unwrap_or_else(|fault| vec![fault.to_string()]);
            if let Some(first) = requirements.first_mut() {
                first.warnings.extend(warnings);
            }
        }
        Ok(PolicyEvaluateResponse {
            permitted,
            requirements,
        })
    }
}

trait Sharings {
    /// What is to be shared anew if the rules for KEKs become others.
    async fn affected(&self, domain: Domain, context: &mut Context<'_>) -> Result<Affected, Failure>;
}

impl Sharings for PolicyPutRequest {
    async fn affected(&self, domain: Domain, context: &mut Context<'_>) -> Result<Affected, Failure> {
        let ways = |policy: &Policy| -> Vec<_> {
            let rules = governing(policy, Operation::KekCreate, &Target::default());
            rules.into_iter().map(|rule| rule.alternatives.clone()).collect()
        };
        let before = load(PolicyRecord::key(domain), context).await?;
        let same = before.is_some_and(|before| ways(&before.policy) == ways(&self.policy));
        management_change::affected(context, domain, |_| !same, |ground| ground.with_policy(&self.policy)).await
    }
}

trait Payload {
    /// The request that is asked about, if it is given.
    fn payload(&self, context: &Context<'_>) -> Result<Option<RequestPayload>, Failure>;
}

impl Payload for PolicyEvaluateRequest {
    fn payload(&self, context: &Context<'_>) -> Result<Option<RequestPayload>, Failure> {
        let Some(bytes) = &self.frozen_request else {
            return Ok(None);
        };
        let mut reader = Reader::new(bytes.expose());
        let read = reader.structure(tag::REQUEST_PAYLOAD, |inner| {
            RequestPayload::read(inner, self.operation, context.version)
        });
        let whole = read.and_then(|payload| reader.finish().map(|()| payload));
        whole
            .map(Some)
            .map_err(|error| Failure::detailed(Fault::InvalidMessage, error))
    }
}
