//! Messages that leave (KMIP 2.1 §6.2): the next one that waits for an endpoint, rendered at that moment as its client would get the object
//! by itself, and what became of it. Whoever carries them knows nothing of records.

use super::Server;
use super::execute::Sequel;
use super::server::{MOST_RUNS, rest_on};
use crate::administration::server_act;
use crate::audit::alarm::{Alarm, Event};
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::ClientId;
use crate::operations::{Answer, Batch, Context, dispatch};
use crate::outbox::{
    self, Carrier, EndpointId, EndpointRecord, Endpoints, MessageRecord, Outbox, Post, QueueError, What,
};
use crate::records;
use crate::store::{CommitError, Domain, Key, Work};
use kmip_protocol::{
    Attribute, AttributeInstance, AttributeKind, AttributeReference, Attributes, GetAttributesRequest, GetRequest,
    NotifyRequest, Operation, PutFunction, PutRequest, RequestHeader, RequestItem, RequestMessage, RequestPayload,
    ResponsePayload, UniqueIdentifier, Version,
};
use kmip_ttlv::{Secret, Writer};
use std::sync::Arc;

/// How often a message is sent that is not accepted, before it is given up: those after it would wait for ever.
pub const MOST_TRIES: i64 = 8;

/// The counter beside a message: how often it was made ready to be sent.
const TRIES: u32 = 0;

/// A message on its way.
pub struct Outgoing {
    endpoint: EndpointId,
    name: String,
    message: Key,
    tries: i64,
    /// Whether it is Notify or Put.
    pub operation: Operation,
    /// What is sent.
    pub request: RequestMessage,
}

impl Outgoing {
    /// The whole message, encoded. It may hold a key.
    #[must_use]
    pub fn encode(&self) -> Secret {
        let mut writer = Writer::new();
        self.request.write(&mut writer);
        Secret::new(writer.into_bytes())
    }

    /// For which endpoint it is.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }
}

/// What becomes of a message that was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is sent again.
    Again,
    /// It was given up.
    GivenUp,
}

/// What came of looking at a message.
enum Look {
    /// Another commit came first.
    Met,
    /// It is there no more.
    Gone,
    /// It can be sent.
    Ready(Box<Outgoing>),
}

impl Server {
    /// Writes the messages that follow from a unit of work. Gives the alarms to sound once it is committed.
    pub(super) async fn gather(&self, work: &mut Work, now: Moment) -> Result<Vec<Alarm>, QueueError> {
        let services = &self.services;
        let post = Post {
            outbox: &services.outbox,
            store: &services.store,
            custody: &services.custody,
            randomness: services.randomness.as_ref(),
            now,
        };
        outbox::gather(&post, work).await
    }

    /// What is remembered of endpoints.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.services.outbox
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn clock_ms(&self) -> i64 {
        self.now().0
    }

    /// The endpoints of a domain.
    ///
    /// # Errors
    /// The store or the domain's keys are away.
    pub async fn endpoints(&self, domain: Domain) -> Result<Endpoints, Failure> {
        let services = &self.services;
        Ok(services
            .outbox
            .known
            .of(domain, &services.store, &services.custody)
            .await?)
    }

    /// An endpoint, if it is there.
    ///
    /// # Errors
    /// Those of [`Server::endpoints`].
    pub async fn endpoint(&self, id: EndpointId) -> Result<Option<EndpointRecord>, Failure> {
        let all = self.endpoints(id.domain).await?;
        Ok(all.iter().find(|(one, _)| *one == id).map(|(_, record)| record.clone()))
    }

    /// Whether anything waits for an endpoint.
    ///
    /// # Errors
    /// The store is away.
    pub async fn has_waiting(&self, id: EndpointId) -> Result<bool, Failure> {
        let mut work = Work::new(Arc::clone(&self.services.store));
        Ok(!outbox::waiting(&mut work, id).await?.is_empty())
    }

    /// The next message for a client's own connection, in that connection's version: of the endpoints of this client that have no address,
    /// and to which nothing is on its way over another connection.
    ///
    /// # Errors
    /// Those of [`Server::next_outgoing`].
    pub async fn next_for_client(
        &self,
        client: ClientId,
        version: Version,
    ) -> Result<Option<(Outgoing, Carrier)>, Failure> {
        for (id, record) in self.endpoints(client.tenant).await?.iter() {
            if record.is_on_connection_of(client.client) {
                let Some(carrier) = Carrier::to(*id, &self.services.outbox) else {
                    continue;
                };
                match self.next_outgoing(*id, Some(version)).await? {
                    Some(next) => return Ok(Some((next, carrier))),
                    None => carrier.leave(),
                }
            }
        }
        Ok(None)
    }

    /// The oldest message that waits for an endpoint; in the endpoint's version, unless another is given. What can no longer be sent, since
    /// its object is gone or its client may not have it, is dropped, and the trail says so. That a message was made ready is in the trail
    /// before this returns.
    ///
    /// # Errors
    /// What may pass: the store or the keys are away, the client is not served at present.
    pub async fn next_outgoing(
        &self,
        endpoint: EndpointId,
        version: Option<Version>,
    ) -> Result<Option<Outgoing>, Failure> {
        let mut work = Work::new(Arc::clone(&self.services.store));
        for message in outbox::waiting(&mut work, endpoint).await? {
            if let Some(ready) = self.look(endpoint, message, version).await? {
                return Ok(Some(ready));
            }
        }
        Ok(None)
    }

    async fn look(
        &self,
        endpoint: EndpointId,
        message: Key,
        version: Option<Version>,
    ) -> Result<Option<Outgoing>, Failure> {
        for _ in 0..MOST_RUNS {
            match self.try_to_look(endpoint, message, version).await? {
                Look::Ready(ready) => return Ok(Some(*ready)),
                Look::Gone => return Ok(None),
                Look::Met => {}
            }
        }
        Err(Fault::Contention.into())
    }

    async fn try_to_look(&self, endpoint: EndpointId, message: Key, version: Option<Version>) -> Result<Look, Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let Some((record, told)) = self.waiting(&mut work, endpoint, message).await? else {
            return Ok(Look::Gone);
        };
        let client = self
            .identity
            .acting(endpoint.domain, record.client, false, now.seconds());
        let client = client
            .await
            .map_err(|error| Failure::detailed(Fault::StoreUnavailable, error))?;
        let client = client.ok_or(Failure::new(Fault::NotAuthenticated))?;
        let version = version.unwrap_or_else(|| record.version());
        let mut batch = Batch::default();
        let mut context = Context {
            version,
            ..Context::new(&self.services, &client, now, &mut work, &mut batch)
        };
        let payload = match render(&mut context, &told).await {
            Ok(payload) => payload,
            Err(failure) if passes(failure.fault()) => return Err(failure),
            Err(failure) => {
                let why = format!("to endpoint {}, dropped: {}", record.name, failure.fault().message());
                let met = self.take_off(endpoint, message, (operation(&told), &why), None).await?;
                return Ok(if met { Look::Met } else { Look::Gone });
            }
        };
        let operation = payload.operation();
        let request = RequestMessage {
            header: RequestHeader::new(version, 1),
            items: vec![RequestItem::new(payload)],
        };
        let tries = work.adjust(message, TRIES, 1, (0, i64::MAX)).await?.unwrap_or(i64::MAX);
        let note = format!("to endpoint {}, attempt {tries}", record.name);
        let mut draft = server_act(operation.0, endpoint.domain, now, &note);
        draft.objects = core::mem::take(&mut batch.touched);
        work.audit(draft);
        let mut change = work.into_change_set(now.0);
        rest_on(&mut change, client.seen(), None);
        match self.commit(change, now).await {
            Ok(()) => Ok(Look::Ready(Box::new(Outgoing {
                endpoint,
                name: record.name,
                message,
                tries,
                operation,
                request,
            }))),
            Err(error) => met(error).map(|()| Look::Met),
        }
    }

    /// A message and its endpoint, if both are there.
    async fn waiting(
        &self,
        work: &mut Work,
        endpoint: EndpointId,
        message: Key,
    ) -> Result<Option<(EndpointRecord, MessageRecord)>, Failure> {
        let custody = &self.services.custody;
        let (Some(told), Some(record)) = (work.load(message).await?, work.load(endpoint.key()).await?) else {
            return Ok(None);
        };
        let record = EndpointRecord::decode(records::open(custody, &record)?)?;
        let told = MessageRecord::decode(records::open(custody, &told)?)?;
        Ok((told.endpoint == endpoint.id).then_some((record, told)))
    }

    /// A message was accepted: it is taken off, and the trail says so.
    ///
    /// # Errors
    /// The store is away: the message is sent again.
    pub async fn delivered(&self, outgoing: &Outgoing) -> Result<(), Failure> {
        let note = format!("to endpoint {}, accepted", outgoing.name);
        for _ in 0..MOST_RUNS {
            let what = (outgoing.operation, note.as_str());
            if !self.take_off(outgoing.endpoint, outgoing.message, what, None).await? {
                return Ok(());
            }
        }
        Err(Fault::Contention.into())
    }

    /// A message was not accepted, or not answered as it should be: after some tries it is given up, which is alarmed.
    ///
    /// # Errors
    /// The store is away: the message is sent again.
    pub async fn refused(&self, outgoing: &Outgoing, why: &str) -> Result<Verdict, Failure> {
        if outgoing.tries < MOST_TRIES {
            return Ok(Verdict::Again);
        }
        let note = format!("to endpoint {}, given up: {why}", outgoing.name);
        for _ in 0..MOST_RUNS {
            let alarm = Alarm::new(
                Event::EndpointRefused,
                outgoing.endpoint.domain.0,
                self.now().0,
                &outgoing.name,
            );
            let what = (outgoing.operation, note.as_str());
            if !self
                .take_off(outgoing.endpoint, outgoing.message, what, Some(&alarm))
                .await?
            {
                return Ok(Verdict::GivenUp);
            }
        }
        Err(Fault::Contention.into())
    }

    /// Takes a message off. Whether another commit came first.
    async fn take_off(
        &self,
        endpoint: EndpointId,
        message: Key,
        (operation, note): (Operation, &str),
        alarm: Option<&Alarm>,
    ) -> Result<bool, Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        if !outbox::settle(&mut work, endpoint, message).await? {
            return Ok(false);
        }
        if let Some(draft) = alarm.and_then(Alarm::draft) {
            work.audit(draft);
        }
        work.audit(server_act(operation.0, endpoint.domain, now, note));
        let change = work.into_change_set(now.0);
        let sequel = Sequel::of(&change);
        match self.commit(change, now).await {
            Ok(()) => {
                self.follow(&sequel);
                if let Some(alarm) = alarm {
                    alarm.sound();
                }
                Ok(false)
            }
            Err(error) => met(error).map(|()| true),
        }
    }
}

/// A commit that met another one is tried again; what else can go wrong is a failure.
pub(super) fn met(error: CommitError) -> Result<(), Failure> {
    match error {
        CommitError::Conflict | CommitError::ClaimTaken(_) | CommitError::OutOfBounds { .. } => Ok(()),
        other => Err(Failure::detailed(Fault::StoreUnavailable, other)),
    }
}

/// Whether what stands in the way will pass: the message waits, and those after it.
const fn passes(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::StoreUnavailable
            | Fault::CustodyUnavailable
            | Fault::Contention
            | Fault::Internal
            | Fault::NotAuthenticated
            | Fault::MigrationRequired
            | Fault::Quarantined
            | Fault::RecordDamaged
    )
}

const fn operation(message: &MessageRecord) -> Operation {
    match message.what {
        What::Put(_) => Operation::Put,
        What::Notify { .. } => Operation::Notify,
    }
}

/// What is sent, as the client could have it now by Get and Get Attributes.
async fn render(context: &mut Context<'_>, message: &MessageRecord) -> Result<RequestPayload, Failure> {
    match &message.what {
        What::Put(replaced) => put(context, &message.unique_identifier, replaced.clone()).await,
        What::Notify { changed, deleted } => notify(context, &message.unique_identifier, (changed, deleted)).await,
    }
}

async fn put(context: &mut Context<'_>, object: &str, replaced: Option<String>) -> Result<RequestPayload, Failure> {
    // Before the object is given out, as which it is fresh no more.
    let attributes = attributes(context, object, Vec::new()).await;
    // They are an addition: without them the object is sent all the same, if the client may have it.
    let attributes = match attributes {
        Ok(attributes) => Some(attributes),
        Err(failure) if passes(failure.fault()) => return Err(failure),
        Err(_) => None,
    };
    let request = GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(object.to_owned())),
        ..GetRequest::default()
    };
    let ResponsePayload::Get(got) = answered(context, request.into()).await? else {
        return Err(Fault::Internal.into());
    };
    let payload = PutRequest {
        unique_identifier: UniqueIdentifier::Text(got.unique_identifier),
        put_function: match replaced {
            Some(_) => PutFunction::Replace,
            None => PutFunction::New,
        },
        replaced_unique_identifier: replaced.map(UniqueIdentifier::Text),
        object: got.object,
        attributes,
    };
    Ok(payload.into())
}

async fn notify(
    context: &mut Context<'_>,
    object: &str,
    (changed, deleted): (&[AttributeReference], &[AttributeReference]),
) -> Result<RequestPayload, Failure> {
    let version = context.version;
    let known = |references: &[AttributeReference]| -> Vec<AttributeReference> {
        let known = references.iter().filter(|one| one.is_known_in(version));
        known.cloned().collect()
    };
    let (mut wanted, mut deleted) = (known(changed), known(deleted));
    if wanted.is_empty() && deleted.is_empty() {
        // Its version has no word for what has changed.
        return Err(Fault::UnsupportedAttribute.into());
    }
    let changed = wanted.clone();
    wanted.push(AttributeKind::LastChangeDate.into());
    let mut told = attributes(context, object, wanted).await?;
    // What was changed and is gone since is gone.
    let present = |reference: &AttributeReference| told.0.iter().any(|one| one.attribute.reference() == *reference);
    let vanished: Vec<AttributeReference> = changed.into_iter().filter(|one| !present(one)).collect();
    for reference in vanished {
        if !deleted.contains(&reference) {
            deleted.push(reference);
        }
    }
    // Where attributes have names only, what is deleted stands among the others without a value (KMIP 1.4 §5.1).
    let references = if version.has_tagged_attributes() {
        deleted
    } else {
        let valueless = deleted.into_iter().map(Attribute::Valueless);
        told.0.extend(valueless.map(AttributeInstance::from));
        Vec::new()
    };
    let payload = NotifyRequest {
        unique_identifier: UniqueIdentifier::Text(object.to_owned()),
        attributes: Some(told),
        references,
    };
    Ok(payload.into())
}

/// These attributes of an object, or all, as the client may have them.
async fn attributes(
    context: &mut Context<'_>,
    object: &str,
    references: Vec<AttributeReference>,
) -> Result<Attributes, Failure> {
    let request = GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::Text(object.to_owned())),
        references,
    };
    match answered(context, request.into()).await? {
        ResponsePayload::GetAttributes(got) => Ok(got.attributes),
        _ => Err(Fault::Internal.into()),
    }
}

/// What the client is answered. What others would have to agree to first is not sent: nobody has asked for it.
async fn answered(context: &mut Context<'_>, payload: RequestPayload) -> Result<ResponsePayload, Failure> {
    match Box::pin(dispatch(&payload, context)).await? {
        Answer::Done(payload) => Ok(payload),
        Answer::Governed(_) => Err(Fault::ApprovalRequired.into()),
        Answer::Pending { .. } | Answer::Failed { .. } | Answer::Deferred => Err(Fault::Internal.into()),
    }
}
