//! The items of one message: each decided on the overlay of all, taken back where it fails, measured before anything is
//! committed, recorded.

use super::admission::Admission;
use super::agenda::Place;
use super::credentials::Judge;
use super::envelope::{continues, fresh, header, message, undoes};
use super::ephemeral::withhold;
use super::guard::Guarded;
use super::note;
use super::server::{failed, log, refused, unread};
use super::{Asked, ConnectionFacts};
use crate::administration::login::Verified;
use crate::audit::AuditDraft;
use crate::audit::alarm::{Alarm, Event};
use crate::authority;
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, Sessions};
use crate::operations::proposing::{self, Ask};
use crate::operations::{Answer, Batch, Context, Desk, Notice, Services, deferred, dispatch};
use crate::store::{Domain, Key, Mark, Seen, Work};
use crate::wait::breathe;
use kmip_protocol::{
    AsynchronousIndicator, Item, Operation, RequestItem, RequestMessage, RequestPayload, ResponseItem, ResponsePayload,
    ResultStatus, Version, tag,
};
use kmip_ttlv::Writer;
use std::sync::Arc;

/// One run of a message's items on one overlay.
pub(super) struct Run<'a> {
    services: &'a Services,
    sessions: &'a Sessions,
    /// Who asks: by the certificate, and once credentials were judged with its session.
    principal: Principal,
    message: &'a RequestMessage,
    facts: &'a ConnectionFacts,
    admission: &'a Admission,
    monotonic_ms: u64,
    version: Version,
    work: Work,
    batch: Batch,
    /// Whether an item that others must agree to is refused unless it is the only one.
    alone: bool,
    /// What is alarmed of items that failed: it stands, whatever else is taken back.
    alarms: Vec<Alarm>,
}

/// What a run gave, if its decisions hold.
pub(super) struct Outcome {
    /// The response items, encoded.
    pub items: Writer,
    /// How many there are.
    pub count: i32,
    /// The items of a message that changes nothing and has no failure, for the access trail.
    pub reads: Vec<AuditDraft>,
    /// Whether items of a stranger failed. They are counted, and not recorded one by one.
    pub strange: bool,
    /// Whom the server asks over the connection from now on.
    pub asked: Option<Asked>,
    /// Whom to tell of what, once this is committed.
    pub notices: Vec<Notice>,
    /// What becomes of streams, once this is answered.
    pub streams: Desk,
}

/// An item that was answered, as far as Undo needs to know it.
struct Answered {
    item: ResponseItem,
    draft: AuditDraft,
    changed: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        services: &'a Services,
        sessions: &'a Sessions,
        principal: &Principal,
        message: &'a RequestMessage,
        facts: &'a ConnectionFacts,
        admission: &'a Admission,
        monotonic_ms: u64,
    ) -> Self {
        let work = Work::new(Arc::clone(&services.store));
        let version = message.version();
        Self {
            services,
            sessions,
            principal: principal.clone(),
            message,
            facts,
            admission,
            monotonic_ms,
            version,
            work,
            batch: fresh(message, facts),
            alone: false,
            alarms: Vec::new(),
        }
    }

    /// The records of who asks and of its tenant as they stood when it was recognised: what the commit rests on as well.
    pub(super) fn principal_seen(&self) -> Vec<(Key, Seen)> {
        self.principal.seen()
    }

    /// Whether there is anything to commit.
    pub(super) fn is_changed(&self) -> bool {
        self.work.is_changed()
    }

    /// The policy that items were decided by without loading it.
    pub(super) const fn policy_seen(&self) -> Option<(Key, Option<Seen>)> {
        self.batch.policy_seen
    }

    /// The proposals that items have begun to carry out by steps.
    pub(super) fn begun(&self) -> &[Place] {
        &self.batch.begun
    }

    pub(super) fn into_work(self) -> Work {
        self.work
    }

    /// Answers every item, in order. A message that is refused as a whole has its first item fail, or all of them if it is
    /// to continue.
    pub(super) async fn all(&mut self, verified: &mut Verified) -> Outcome {
        match self.begin(verified).await {
            Ok(room) => {
                if let Some(outcome) = self.each(room).await {
                    return outcome;
                }
                // A later item wanted what one that others must agree to would have given: the second time that one is refused.
                self.alone = true;
                match self.each(room).await {
                    Some(outcome) => outcome,
                    None => self.none(&Fault::MustStandAlone.into()),
                }
            }
            Err(failure) => self.none(&failure),
        }
    }

    /// What holds for the message as a whole: how much room its answer has.
    async fn begin(&mut self, verified: &mut Verified) -> Result<usize, Failure> {
        if self.message.items.len() > self.services.limits.batch_items {
            return Err(Fault::LimitExceeded.into());
        }
        note::judge(&self.message.items)?;
        // After an outage at start the record key is opened by the first request that finds its HSM back.
        if let Some(domain) = self.principal.domain() {
            self.services.custody.ready(domain).await?;
        }
        let judge = Judge {
            services: self.services,
            sessions: self.sessions,
            message: self.message,
            now: self.now(),
        };
        let judged = judge.judge(&self.principal, &mut self.work, &mut self.batch, verified);
        self.principal = judged.await?;
        if let Some(user) = self.principal.client().filter(|client| client.over.is_some())
            && !core::mem::replace(&mut verified.admitted, true)
        {
            let (from, items) = (self.facts.peer.ip(), self.message.items.len());
            self.admission.admit_user(user, from, items, self.now().0)?;
        }
        self.room()
    }

    /// Fails the message as a whole. Each item that is answered is recorded, up to the limit of a batch.
    pub(super) fn none(&mut self, failure: &Failure) -> Outcome {
        log(failure, None);
        let message = self.message;
        let now = self.now();
        let most = if continues(message) {
            self.services.limits.batch_items
        } else {
            1
        };
        let mut items = Writer::new();
        let mut answered = Vec::new();
        for (place, item) in message.items.iter().take(most).enumerate() {
            let mut told = failed(item.operation, failure.fault(), self.version);
            told.unique_batch_item_id.clone_from(&item.unique_batch_item_id);
            told.write_item(&mut items, tag::BATCH_ITEM, self.version);
            let draft = self.draft(place, item, &told, now);
            answered.push(Answered {
                item: told,
                draft,
                changed: false,
            });
        }
        self.conclude(answered, items)
    }

    /// Answers the items. `None`: a later one rests on one that others must agree to, and all was taken back.
    async fn each(&mut self, room: usize) -> Option<Outcome> {
        let message = self.message;
        let start = self.work.mark();
        let mut items = Writer::new();
        let mut answered: Vec<Answered> = Vec::with_capacity(message.items.len());
        let mut left = message.items.iter().enumerate();
        let mut next = left.next();
        while let Some((place, item)) = next {
            if !answered.is_empty() {
                breathe().await;
            }
            let one = self.one(place, item, &mut items, room).await;
            let failure = one.item.result_status == ResultStatus::OperationFailed;
            answered.push(one);
            if self.batch.misplaced && !self.alone {
                self.work.rollback(start);
                self.alarms.clear();
                self.batch = Batch {
                    second_factor: self.batch.second_factor.take(),
                    ..fresh(message, self.facts)
                };
                return None;
            }
            if failure && (!continues(message) || self.is_last_check(item)) {
                break;
            }
            let again = self.batch.identifiers.next_turn();
            next = if again { next } else { left.next() };
        }
        let failed = answered
            .last()
            .is_some_and(|a| a.item.result_status == ResultStatus::OperationFailed);
        if failed && undoes(message) {
            self.undo(start, &mut answered, &mut items);
        }
        Some(self.conclude(answered, items))
    }

    /// Whether an item that failed is a Check after which nothing is answered.
    fn is_last_check(&self, item: &RequestItem) -> bool {
        item.operation == Some(Operation::Check) && self.version.ends_batch_by_check()
    }

    /// Bytes that the items may take together (Maximum Response Size, KMIP 2.1 §9.12), within the server's own limit.
    fn room(&self) -> Result<usize, Failure> {
        let own = self.services.limits.response_bytes;
        let Some(most) = self.message.header.maximum_response_size else {
            return Ok(own);
        };
        let most = usize::try_from(most).map_err(|_| Failure::new(Fault::InvalidField))?;
        let around = message(&header(self.message, self.version, self.now(), 1), &[]).len();
        Ok(most.saturating_sub(around).min(own))
    }

    fn now(&self) -> Moment {
        self.services.clock.since(Moment(self.services.store.high_water()))
    }

    /// Answers one item.
    async fn one(&mut self, place: usize, item: &RequestItem, items: &mut Writer, room: usize) -> Answered {
        let now = self.now();
        let mark = self.work.mark();
        let given = self.batch.mark();
        self.batch.touched.clear();
        self.batch.performed = None;
        self.batch.proposal = None;
        self.batch.note = None;
        self.batch.used_placeholder = false;
        let outcome = self.decide(item, now).await;
        let before = items.len();
        // What a Poll changed stands, although it tells of a failure.
        let mut stands = true;
        let mut damaged = false;
        // A Check that fails empties the ID Placeholder (KMIP 2.1 §6.1.7).
        let mut empties = false;
        let mut told = match outcome {
            Ok(answer) => self.told(answer, item),
            Err(failure) => {
                log(&failure, item.operation);
                stands = false;
                damaged = failure.fault() == Fault::RecordDamaged;
                empties = failure.empties();
                refused(item.operation, &failure, self.version)
            }
        };
        told.unique_batch_item_id.clone_from(&item.unique_batch_item_id);
        told.write_item(items, tag::BATCH_ITEM, self.version);
        if items.len() > room && stands {
            items.truncate(before);
            stands = false;
            told = failed(item.operation, Fault::ResponseTooLarge, self.version);
            told.unique_batch_item_id.clone_from(&item.unique_batch_item_id);
            told.write_item(items, tag::BATCH_ITEM, self.version);
        }
        if !stands {
            self.work.rollback(mark);
            self.batch.rollback(given);
            self.batch.reverses = false;
            if empties {
                self.batch.placeholder = None;
            }
            if damaged {
                let domain = self.principal.domain().unwrap_or(Domain::SYSTEM);
                let note = item.operation.map(|operation| operation.to_string());
                let note = note.unwrap_or_default();
                self.alarms
                    .push(Alarm::new(Event::RecordDamaged, domain.0, now.0, &note));
            }
        }
        let changed = self.work.mark() != mark;
        let draft = self.draft(place, item, &told, now);
        // What an undone item would still say; the rest may be long, and is written.
        told.payload = told.payload.take().filter(names_an_object);
        Answered {
            item: told,
            draft,
            changed,
        }
    }

    /// The response item of an answer. Only who sent our extension gets one.
    fn told(&self, answer: Answer, item: &RequestItem) -> ResponseItem {
        let (mut told, about) = match answer {
            Answer::Done(payload) if item.ephemeral == Some(true) => (ResponseItem::success(withhold(payload)), None),
            Answer::Done(payload) => (ResponseItem::success(payload), None),
            Answer::Pending {
                operation,
                correlation,
                note,
            } => {
                let bare = ResponseItem::bare(Some(operation), ResultStatus::OperationPending);
                let value = Some(correlation.to_vec());
                let pending = ResponseItem {
                    asynchronous_correlation_value: value,
                    ..bare
                };
                (pending, note)
            }
            Answer::Failed {
                operation,
                failure,
                note,
            } => (refused(Some(operation), &failure, self.version), note),
            // Both were dealt with where the item was decided.
            Answer::Deferred | Answer::Governed(_) => (failed(item.operation, Fault::Internal, self.version), None),
        };
        if note::is_in(item) {
            told.message_extensions.extend(about.as_ref().and_then(note::extension));
        }
        told
    }

    async fn decide(&mut self, item: &RequestItem, now: Moment) -> Result<Answer, Failure> {
        // Whoever may not ask learns nothing of what is wrong with the request.
        if let Some(operation) = item.operation {
            authority::check(&self.principal, operation)?;
        }
        let payload = item
            .payload
            .as_ref()
            .map_err(|error| Failure::detailed(unread(error, self.version), error))?;
        let indicator = self.message.header.asynchronous_indicator;
        let waits = [AsynchronousIndicator::Mandatory, AsynchronousIndicator::Optional].map(Some);
        let ask = Ask {
            can_wait: waits.contains(&indicator),
            note: note::of(item)?,
        };
        let is_ephemeral = item.ephemeral == Some(true);
        let defer = indicator == Some(AsynchronousIndicator::Mandatory);
        if is_ephemeral && defer {
            // Its data would be fetched later, by which time no item is left that it is for.
            return Err(Fault::AsynchronousNotSupported.into());
        }
        let combines = (self.alone && self.message.items.len() > 1) || undoes(self.message) || is_ephemeral;
        let mut context = Context {
            services: self.services,
            principal: &self.principal,
            version: self.version,
            now,
            work: &mut self.work,
            batch: &mut self.batch,
            approval: None,
            defer,
        };
        // A panic is a fault of the server and ends this item alone.
        let answer = Guarded::new(decided(payload, &mut context, &ask, combines)).await;
        answer.unwrap_or_else(|| Err(Failure::detailed(Fault::Internal, "a handler panicked")))
    }

    fn draft(&mut self, place: usize, item: &RequestItem, told: &ResponseItem, now: Moment) -> AuditDraft {
        let header = &self.message.header;
        AuditDraft {
            tenant: self.principal.domain().map_or([0; 16], |d| d.0),
            at_ms: now.0,
            monotonic_ms: self.monotonic_ms,
            actor: self.facts.actor(&self.principal),
            source: self.facts.peer.to_string(),
            operation: self.batch.performed.or(item.operation).map_or(0, |o| o.0),
            batch_item: u32::try_from(place).unwrap_or(u32::MAX),
            objects: core::mem::take(&mut self.batch.touched),
            result_status: told.result_status.0,
            result_reason: told.result_reason.map(|r| r.0),
            client_correlation: header.client_correlation_value.as_deref().map(note::kept),
            proposal: self.batch.proposal.map(|(id, _)| id),
            digest: self.batch.proposal.and_then(|(_, digest)| digest),
            note: self.batch.note.take(),
            ..AuditDraft::default()
        }
    }

    /// Takes back every item: those before the failed one answer Operation Undone (KMIP 2.1 §9.2). Their answers are returned where they
    /// name an object and say nothing else: what was taken back, usage that was counted included, gives nothing out.
    fn undo(&mut self, start: Mark, answered: &mut [Answered], items: &mut Writer) {
        self.work.rollback(start);
        self.batch.notices.clear();
        self.batch.streams.clear();
        items.truncate(0);
        let Some((failed, before)) = answered.split_last_mut() else {
            return;
        };
        failed.item.payload = None;
        for Answered { item, draft, changed } in before {
            let mut undone = ResponseItem::bare(item.operation, ResultStatus::OperationUndone);
            undone.unique_batch_item_id = item.unique_batch_item_id.take();
            undone.payload = item.payload.take();
            draft.result_status = ResultStatus::OperationUndone.0;
            *item = undone;
            *changed = true;
        }
        for one in answered.iter() {
            one.item.write_item(items, tag::BATCH_ITEM, self.version);
        }
    }

    /// Exactly one record per item, and one durable step for all of them: if anything is committed, because an item changed
    /// something or failed, every item's record goes into the change trail with it; else all go into the access trail. Were the
    /// reads beside a change recorded by themselves, the answer could have to say failure of a change that stands. Failures of
    /// strangers are only counted, so that nobody fills the trail from outside.
    fn conclude(&mut self, answered: Vec<Answered>, items: Writer) -> Outcome {
        let count = i32::try_from(answered.len()).unwrap_or(i32::MAX);
        let is_stranger = matches!(self.principal, Principal::Unregistered(_));
        let is_read = |one: &Answered| !one.changed && one.item.result_status != ResultStatus::OperationFailed;
        let commits = !is_stranger && !answered.iter().all(is_read);
        let mut strange = false;
        let mut reads = Vec::new();
        for alarm in core::mem::take(&mut self.alarms) {
            self.batch.raise(&mut self.work, alarm);
        }
        for one in answered {
            if commits {
                self.work.audit(one.draft);
            } else if is_read(&one) {
                reads.push(one.draft);
            } else {
                strange = true;
            }
        }
        Outcome {
            items,
            count,
            reads,
            strange,
            asked: Asked::by(self.principal.client().filter(|_| self.batch.reverses), self.version),
            notices: core::mem::take(&mut self.batch.notices),
            streams: core::mem::take(&mut self.batch.streams),
        }
    }
}

/// Decides about an item: carried out now, kept for later, or put to a vote.
async fn decided(
    payload: &RequestPayload,
    context: &mut Context<'_>,
    ask: &Ask,
    combines: bool,
) -> Result<Answer, Failure> {
    match dispatch(payload, context).await? {
        Answer::Deferred => deferred::defer(context, payload).await,
        // It cannot be undone, and what it was frozen with must be all that it rests on.
        Answer::Governed(_) if combines || context.batch.used_placeholder => Err(Fault::MustStandAlone.into()),
        Answer::Governed(governed) => {
            context.batch.governed = true;
            // Boxed: few requests are governed.
            Box::pin(proposing::submit(context, payload, *governed, ask)).await
        }
        answer => Ok(answer),
    }
}

/// Whether an answer holds the identifier of an object that there was before, and nothing besides.
const fn names_an_object(payload: &ResponsePayload) -> bool {
    matches!(
        payload,
        ResponsePayload::Activate(_)
            | ResponsePayload::Check(_)
            | ResponsePayload::Revoke(_)
            | ResponsePayload::Destroy(_)
            | ResponsePayload::Archive(_)
            | ResponsePayload::Recover(_)
    )
}
