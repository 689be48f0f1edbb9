//! The server behind [`Exchange`]: decodes a message, asks who it is, runs the batch until its decisions hold at the commit, and
//! encodes the answer.

use super::admission::Admission;
use super::agenda::{Agenda, Place};
use super::batch::{Outcome, Run};
use super::confinement::confined;
use super::envelope;
use super::execute::Sequel;
use super::notices;
use super::outage::Outage;
use super::refusals::Refusals;
use super::reversal::Reversal;
use super::rotating::Rotations;
use super::vigil::Vigil;
use super::{ConnectionFacts, Conversation, Exchange, Refusal};
use crate::administration::kek;
use crate::administration::login::Verified;
use crate::audit::AccessTrail;
use crate::audit::alarm::Alarm;
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{DirectoryError, Identity, IdentityError, Principal, Sessions};
use crate::operations::Services;
use crate::store::{ChangeSet, CommitError, Domain, Key, Seen, StoreError};
use crate::wait::Wait;
use kmip_protocol::{
    DateTime, Item, Operation, RequestError, RequestMessage, ResponseHeader, ResponseItem, Version, tag,
};
use kmip_ttlv::{ErrorKind, Secret, Writer};
use std::sync::Arc;
use std::time::Instant;

/// How often a batch runs again because what it rested on had changed.
pub(super) const MOST_RUNS: usize = 8;

/// Answers messages.
pub struct Server {
    pub(super) services: Services,
    pub(super) identity: Arc<Identity>,
    pub(super) agenda: Agenda,
    access: Arc<dyn AccessTrail>,
    refusals: Refusals,
    sessions: Sessions,
    admission: Admission,
    started: Instant,
    access_outage: Outage,
    change_outage: Outage,
    pub(super) vigil: Vigil,
    pub(super) rotations: Rotations,
}

impl Server {
    /// A server over these rooms.
    #[must_use]
    pub fn new(services: Services, identity: Arc<Identity>, access: Arc<dyn AccessTrail>) -> Self {
        Self {
            services,
            identity,
            agenda: Agenda::default(),
            access,
            refusals: Refusals::default(),
            sessions: Sessions::default(),
            admission: Admission::default(),
            started: Instant::now(),
            access_outage: Outage::of("the access trail"),
            change_outage: Outage::of("the change trail"),
            vigil: Vigil::default(),
            rotations: Rotations::default(),
        }
    }

    /// The rooms below, for start-up and shutdown.
    #[must_use]
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// Who is who.
    #[must_use]
    pub const fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// How the server was set up, for tests that set it up otherwise.
    #[cfg(test)]
    pub(super) const fn about(&mut self) -> &mut crate::operations::About {
        &mut self.services.about
    }

    /// The moment that counts.
    pub(super) fn now(&self) -> Moment {
        self.services.clock.since(Moment(self.services.store.high_water()))
    }

    async fn serve(&self, request: &[u8], facts: &ConnectionFacts) -> Vec<u8> {
        let message = match RequestMessage::read(request) {
            Ok(message) => message,
            Err(error) => return self.unreadable(&error),
        };
        let now = self.now();
        let mut principal = match self.identity.resolve(&facts.certificate, now.seconds()).await {
            Ok(principal) => self.confined(facts, principal),
            Err(error) => return self.stranger(&message, error, facts, now).await,
        };
        if let Some(failure) = self.withheld(&principal, &message) {
            return self.all_failed(&message, &failure, now);
        }
        let items = message.items.len();
        if let Err(failure) = self.admission.admit(&principal, facts.peer.ip(), items, now.0) {
            self.note_refusal(facts, now).await;
            return self.all_failed(&message, &failure, now);
        }
        let mut verified = Verified::default();
        for _ in 0..MOST_RUNS {
            let mut run = self.run(&principal, &message, facts);
            let outcome = run.all(&mut verified).await;
            match self.keep(run, now).await {
                Ok(proposals) => {
                    notices::deliver(&outcome.notices, &self.identity, &self.services).await;
                    if !proposals.is_empty() {
                        Box::pin(self.look_after(proposals)).await;
                    }
                    return self.answer_with(outcome, &message, facts, now).await;
                }
                Err(CommitError::Conflict | CommitError::ClaimTaken(_) | CommitError::OutOfBounds { .. }) => {}
                Err(error) => return self.all_failed(&message, &commit_failure(error), now),
            }
            // The handlers run again and see what is there now; what changed may be who asks.
            self.identity.forget(&facts.certificate);
            if let Some(domain) = principal.domain() {
                self.services.glances.forget(domain);
            }
            principal = match self.identity.resolve(&facts.certificate, now.seconds()).await {
                Ok(principal) => self.confined(facts, principal),
                Err(error) => return self.stranger(&message, error, facts, now).await,
            };
        }
        let mut run = self.run(&principal, &message, facts);
        let outcome = run.none(&Failure::new(Fault::Contention));
        match self.keep(run, now).await {
            Ok(_) => self.answer_with(outcome, &message, facts, now).await,
            Err(_) => self.all_failed(&message, &Failure::new(Fault::Contention), now),
        }
    }

    fn run<'a>(&'a self, principal: &Principal, message: &'a RequestMessage, facts: &'a ConnectionFacts) -> Run<'a> {
        let now = self.monotonic_ms();
        Run::new(
            &self.services,
            &self.sessions,
            principal,
            message,
            facts,
            &self.admission,
            now,
        )
    }

    /// Answers somebody who is already known: for tests of what comes after that.
    #[cfg(test)]
    pub(super) async fn answer_as(
        &self,
        principal: &crate::identity::Principal,
        message: &RequestMessage,
        facts: &ConnectionFacts,
    ) -> Vec<u8> {
        let now = self.now();
        if let Some(failure) = self.withheld(principal, message) {
            return self.all_failed(message, &failure, now);
        }
        let mut run = self.run(principal, message, facts);
        let outcome = run.all(&mut Verified::default()).await;
        match self.keep(run, now).await {
            Ok(proposals) => {
                notices::deliver(&outcome.notices, &self.identity, &self.services).await;
                self.look_after(proposals).await;
                self.answer_with(outcome, message, facts, now).await
            }
            Err(error) => self.all_failed(message, &commit_failure(error), now),
        }
    }

    /// Who somebody is at the listener that it came by.
    fn confined(&self, facts: &ConnectionFacts, principal: Principal) -> Principal {
        confined(self.services.about.admin_listener, facts, principal)
    }

    /// Commits what a run decided, if there is anything. Gives the proposals that it touched.
    async fn keep(&self, run: Run<'_>, now: Moment) -> Result<Vec<Place>, CommitError> {
        if !run.is_changed() {
            return Ok(Vec::new());
        }
        let seen = run.principal_seen();
        let policy = run.policy_seen();
        run.begun().iter().for_each(|place| self.agenda.begin(*place));
        let mut work = run.into_work();
        let gathered = self.gather(&mut work, now).await;
        let alarms = gathered.map_err(|error| CommitError::Unavailable(error.to_string()))?;
        let mut change = work.into_change_set(now.0);
        rest_on(&mut change, seen, policy);
        let sequel = Sequel::of(&change);
        self.commit(change, now).await?;
        self.follow(&sequel);
        alarms.iter().for_each(Alarm::sound);
        Ok(sequel.proposals)
    }

    /// Commits a change, with its part of the change trail.
    pub(super) async fn commit(&self, change: ChangeSet, now: Moment) -> Result<(), CommitError> {
        let domains = kek::sealed_in(&change);
        let outcome = self.services.store.commit(change).await;
        self.change_outage.commit(&outcome, now);
        if matches!(outcome, Err(CommitError::Conflict)) {
            self.catch_up(domains).await;
        }
        outcome.map(drop)
    }

    /// What met another change runs again under the KEKs that there are now.
    async fn catch_up(&self, domains: Vec<Domain>) {
        for domain in domains {
            let (custody, store) = (&self.services.custody, &self.services.store);
            if let Err(error) = kek::catch_up(custody, store, domain).await {
                tracing::error!(%error, %domain, "a change of KEKs could not be read");
            }
        }
    }

    /// The answer, once the reads of a message that committed nothing are recorded.
    async fn answer_with(
        &self,
        outcome: Outcome,
        message: &RequestMessage,
        facts: &ConnectionFacts,
        now: Moment,
    ) -> Vec<u8> {
        let Outcome {
            items,
            count,
            reads,
            strange,
            asked,
            notices: _,
            streams,
        } = outcome;
        if strange {
            self.note_refusal(facts, now).await;
        }
        let any = !reads.is_empty();
        for draft in reads {
            if let Err(error) = self.access.append(draft).await {
                self.access_outage.begins(now);
                let failure = Failure::detailed(Fault::StoreUnavailable, error);
                return self.all_failed(message, &failure, now);
            }
        }
        if any {
            self.access_outage.ends();
        }
        streams.settle(self.services.clock.lapsed(now));
        if let Some(roles) = facts.roles.as_ref().filter(|_| asked.is_some()) {
            roles.set(asked);
        }
        let header = envelope::header(message, message.version(), now, count);
        envelope::message(&header, items.as_bytes())
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Every item fails alike: the first one says so, and the batch ends there unless it is to continue.
    fn all_failed(&self, message: &RequestMessage, failure: &Failure, now: Moment) -> Vec<u8> {
        log(failure, None);
        let version = message.version();
        let answered = if envelope::continues(message) {
            message.items.len()
        } else {
            1
        };
        let mut items = Writer::new();
        let mut count = 0_i32;
        for item in message.items.iter().take(answered) {
            let mut told = failed(item.operation, failure.fault(), version);
            told.unique_batch_item_id.clone_from(&item.unique_batch_item_id);
            told.write_item(&mut items, tag::BATCH_ITEM, version);
            count = count.saturating_add(1);
        }
        envelope::message(&envelope::header(message, version, now, count), items.as_bytes())
    }

    /// A certificate that is nobody, or nobody any more.
    async fn stranger(
        &self,
        message: &RequestMessage,
        error: IdentityError,
        facts: &ConnectionFacts,
        now: Moment,
    ) -> Vec<u8> {
        let fault = match error {
            IdentityError::Directory(DirectoryError::Damaged(_)) => Fault::RecordDamaged,
            IdentityError::Directory(DirectoryError::Store(StoreError::Quarantined)) => Fault::Quarantined,
            IdentityError::Directory(_) => Fault::StoreUnavailable,
            IdentityError::Chain(_) | IdentityError::Ambiguous | IdentityError::Suspended => Fault::NotAuthenticated,
        };
        let failure = Failure::detailed(fault, error);
        self.note_refusal(facts, now).await;
        self.all_failed(message, &failure, now)
    }

    /// Counts a refusal, and records it when that is due.
    async fn note_refusal(&self, facts: &ConnectionFacts, now: Moment) {
        let Some(draft) = self.refusals.note(facts, now, self.monotonic_ms()) else {
            return;
        };
        let mut work = crate::store::Work::new(Arc::clone(&self.services.store));
        work.audit(draft);
        if let Err(error) = self.commit(work.into_change_set(now.0), now).await {
            tracing::error!(%error, "a refusal could not be recorded");
        }
    }

    /// A message that cannot be read: the answer that the specification gives it, in the peer's version where it is known.
    fn unreadable(&self, error: &RequestError) -> Vec<u8> {
        let fault = match error.error.kind() {
            ErrorKind::Version => Fault::UnsupportedVersion,
            _ => Fault::InvalidMessage,
        };
        tracing::debug!(error = %error.error, "unreadable request");
        let version = error
            .protocol_version
            .map_or(Version::OLDEST, |v| v.version().unwrap_or_else(|| nearest(v.major)));
        let mut items = Writer::new();
        failed(None, fault, version).write_item(&mut items, tag::BATCH_ITEM, version);
        let header = ResponseHeader::new(version, DateTime(self.now().seconds()), 1);
        envelope::message(&header, items.as_bytes())
    }
}

/// A suspension of whoever asks or of its tenant that commits first wins, and so does another policy.
pub(super) fn rest_on(change: &mut ChangeSet, principal: Vec<(Key, Seen)>, policy: Option<(Key, Option<Seen>)>) {
    let principal = principal.into_iter().map(|(key, seen)| (key, Some(seen)));
    for (key, seen) in principal.chain(policy) {
        if change.reads.iter().all(|(read, _)| *read != key) {
            change.reads.push((key, seen));
        }
    }
}

/// The version to answer in when the peer's is not one of ours: the newest with its major number, else the newest of all.
fn nearest(major: i32) -> Version {
    Version::ALL
        .into_iter()
        .rev()
        .find(|v| v.major() == major)
        .unwrap_or(Version::NEWEST)
}

/// An item that failed.
pub(super) fn failed(operation: Option<Operation>, fault: Fault, version: Version) -> ResponseItem {
    ResponseItem::failure(operation, fault.reason(version), fault.message().to_owned(), version)
}

/// An item that failed, with all that its failure tells.
pub(super) fn refused(operation: Option<Operation>, failure: &Failure, version: Version) -> ResponseItem {
    let mut told = ResponseItem::failure(operation, failure.fault().reason(version), failure.message(), version);
    told.payload = failure.payload().cloned();
    told
}

/// What only the log may know.
pub(super) fn log(failure: &Failure, operation: Option<Operation>) {
    let detail = failure.detail().unwrap_or_default();
    match failure.fault() {
        Fault::Internal => tracing::error!(?operation, detail, "internal error"),
        Fault::StoreUnavailable | Fault::CustodyUnavailable => tracing::warn!(?operation, detail, "unavailable"),
        fault => tracing::debug!(?operation, ?fault, detail, "refused"),
    }
}

/// Why a payload could not be read: a field that the version does not have is told apart (KMIP 1.4 §11.1), and so is a value
/// (KMIP 2.1 §11.46).
pub(super) fn unread(error: &kmip_ttlv::Error, version: Version) -> Fault {
    let is_known = |found| tag::versions(found).is_some_and(|versions| versions.include(version));
    match error.kind() {
        ErrorKind::Unexpected(Some(found)) if !is_known(found) => Fault::UnknownField,
        ErrorKind::UnknownValue if error.path().any(kmip_protocol::holds_attributes) => Fault::InvalidAttributeValue,
        ErrorKind::UnknownValue => Fault::UnknownValue,
        _ => Fault::InvalidMessage,
    }
}

fn commit_failure(error: CommitError) -> Failure {
    match error {
        CommitError::Full | CommitError::Unavailable(_) => Failure::detailed(Fault::StoreUnavailable, error),
        other => Failure::detailed(Fault::Internal, other),
    }
}

impl Exchange for Server {
    fn answer<'a>(&'a self, request: Vec<u8>, facts: &'a ConnectionFacts) -> Wait<'a, Vec<u8>> {
        // Wiped when the answer is done: it may carry keys.
        let request = Secret::new(request);
        Box::pin(async move { self.serve(request.expose(), facts).await })
    }

    fn converse<'a>(&'a self, facts: &'a ConnectionFacts) -> Option<Box<dyn Conversation + 'a>> {
        let roles = facts.roles.as_ref()?;
        Some(Box::new(Reversal::new(self, facts, roles, roles.asked()?)))
    }

    fn refuse<'a>(&'a self, beginning: Vec<u8>, refusal: Refusal, _: &'a ConnectionFacts) -> Wait<'a, Option<Vec<u8>>> {
        let beginning = Secret::new(beginning);
        let Err(error) = RequestMessage::read(beginning.expose()) else {
            return crate::wait::ready(None);
        };
        let answer = match refusal {
            Refusal::TooLong | Refusal::NotTtlv => self.unreadable(&error),
        };
        crate::wait::ready(Some(answer))
    }
}
