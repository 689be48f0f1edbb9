//! Which messages follow from a unit of work: every object that it writes is compared with what was there before, so that no operation can
//! forget to say what it changed.

use super::endpoint::{EndpointId, EndpointRecord, SILENT};
use super::message::{MessageRecord, What};
use super::queue::{Appended, QueueError};
use super::{Outbox, counter, queue};
use crate::audit::alarm::{Alarm, Event};
use crate::clock::Moment;
use crate::crypto::Randomness;
use crate::custody::{Custody, CustodyError};
use crate::identity::ClientRecord;
use crate::objects::{OBJECT, Object};
use crate::records;
use crate::store::{Domain, Record, Store, StoreError, Work};
use kmip_protocol::{Attribute, AttributeKind, AttributeReference, Link, LinkType, UniqueIdentifier};
use std::sync::Arc;

/// What the messages of a unit of work are made with.
pub struct Post<'a> {
    /// What is known of endpoints.
    pub outbox: &'a Outbox,
    /// Where they are kept.
    pub store: &'a Arc<dyn Store>,
    /// What records are read and written with.
    pub custody: &'a Custody,
    /// Where identifiers come from.
    pub randomness: &'a dyn Randomness,
    /// When.
    pub now: Moment,
}

/// Writes the messages that follow from what a unit of work has written so far. Gives the alarms to sound once it is committed.
///
/// # Errors
/// The store did not answer, or the record key is away: the change would be without its messages.
pub async fn gather(post: &Post<'_>, work: &mut Work) -> Result<Vec<Alarm>, QueueError> {
    let mut alarms = Vec::new();
    for (before, after) in work.changed(OBJECT) {
        let domain = after.key.domain;
        let endpoints = post.outbox.known.of(domain, post.store, post.custody).await?;
        if endpoints.is_empty() {
            continue;
        }
        let Some(after) = read(post, &after) else { continue };
        let before = before.as_ref().and_then(|record| read(post, record));
        let Some(what) = what(before.as_ref(), &after) else {
            continue;
        };
        for (id, endpoint) in endpoints.iter() {
            if !concerns(endpoint, &what, &after) || !sees(post, work, (domain, endpoint), &after).await? {
                continue;
            }
            let message = MessageRecord {
                endpoint: id.id,
                enqueued_ms: post.now.0,
                unique_identifier: after.unique_identifier.clone(),
                what: what.clone(),
            };
            if write(post, work, *id, &message).await? == Appended::Lost {
                alarms.extend(overflow(work, *id, endpoint, post.now).await?);
            }
        }
    }
    Ok(alarms)
}

async fn write(
    post: &Post<'_>,
    work: &mut Work,
    endpoint: EndpointId,
    message: &MessageRecord,
) -> Result<Appended, QueueError> {
    // Without randomness nothing else was made either.
    let id = post
        .randomness
        .array()
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    queue::append(post.custody, work, (endpoint, id), message).await
}

/// The alarm of the first message that an endpoint misses.
async fn overflow(
    work: &mut Work,
    id: EndpointId,
    endpoint: &EndpointRecord,
    now: Moment,
) -> Result<Option<Alarm>, StoreError> {
    if work.counter(id.key(), counter::LOST).await? != Some(1) {
        return Ok(None);
    }
    let alarm = Alarm::new(Event::EndpointOverflow, id.domain.0, now.0, &endpoint.name);
    if let Some(draft) = alarm.draft() {
        work.audit(draft);
    }
    Ok(Some(alarm))
}

/// An object's record. One that cannot be read was read by whoever wrote it: it is damaged since, and that is said where it is used.
fn read(post: &Post<'_>, record: &Record) -> Option<Object> {
    let bytes = records::open(post.custody, record).ok()?;
    Object::decode(bytes).ok()
}

/// What is to be said of an object; nothing, where nothing changed that anybody is told of.
fn what(before: Option<&Object>, after: &Object) -> Option<What> {
    let Some(before) = before else {
        return Some(What::Put(replaced(after)));
    };
    let mut changed = Vec::new();
    let mut deleted = Vec::new();
    for reference in references(before, after) {
        let values = |object: &Object| -> Vec<(i32, Attribute)> {
            let instances = object.attributes.of(&reference);
            instances.map(|i| (i.index, i.attribute.clone())).collect()
        };
        let (old, new) = (values(before), values(after));
        if new.is_empty() {
            deleted.push(reference);
        } else if old != new {
            changed.push(reference);
        }
    }
    // What a date has changed since the object was last written is told with it.
    let state = |object: &Object| object.state(object.state_at);
    if state(before) != state(after) {
        changed.push(AttributeKind::State.into());
    }
    let any = !(changed.is_empty() && deleted.is_empty());
    any.then_some(What::Notify { changed, deleted })
}

/// The attributes of two states of an object, each once, but those that say nothing by themselves.
fn references(before: &Object, after: &Object) -> Vec<AttributeReference> {
    let mut references: Vec<AttributeReference> = Vec::new();
    for instance in before.attributes.iter().chain(after.attributes.iter()) {
        let reference = instance.attribute.reference();
        if !SILENT.contains(&reference.kind()) && !references.contains(&reference) {
            references.push(reference);
        }
    }
    references
}

/// The identifier of the object that this one replaces.
fn replaced(object: &Object) -> Option<String> {
    object.attributes.iter().find_map(|instance| match &instance.attribute {
        Attribute::Link(Link {
            link_type: LinkType::ReplacedObjectLink,
            linked_object_identifier: UniqueIdentifier::Text(identifier),
        }) => Some(identifier.clone()),
        _ => None,
    })
}

fn concerns(endpoint: &EndpointRecord, what: &What, object: &Object) -> bool {
    match what {
        What::Put(replaced) => endpoint.puts && endpoint.wants(object, replaced.as_deref()),
        What::Notify { .. } => endpoint.notifies && endpoint.wants(object, None),
    }
}

/// Whether the endpoint's client is of the application that the object belongs to. What else its settings and rights keep from it is judged
/// when the message is sent.
async fn sees(
    post: &Post<'_>,
    work: &mut Work,
    (domain, endpoint): (Domain, &EndpointRecord),
    object: &Object,
) -> Result<bool, QueueError> {
    let record = match work.peek(endpoint.client(domain).key()).await {
        Ok(Some(record)) => record,
        Ok(None) => return Ok(false),
        Err(StoreError::Quarantined) => return Ok(is_blind(domain, endpoint)),
        Err(error) => return Err(error.into()),
    };
    let bytes = match records::open(post.custody, &record) {
        Ok(bytes) => bytes,
        Err(CustodyError::Refused | CustodyError::Record) => return Ok(is_blind(domain, endpoint)),
        Err(error) => return Err(error.into()),
    };
    match ClientRecord::decode(bytes) {
        Ok(client) => Ok(client.application == object.application),
        Err(_) => Ok(is_blind(domain, endpoint)),
    }
}

/// A client whose record is held or damaged sees nothing, and keeps nobody else from working.
fn is_blind(domain: Domain, endpoint: &EndpointRecord) -> bool {
    tracing::error!(%domain, endpoint = endpoint.name, "the record of an endpoint's client is held or damaged; it is told of nothing");
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{DateTime, ObjectType};

    fn object(attributes: &[Attribute]) -> Object {
        let mut object = Object {
            internal_id: [1; 16],
            unique_identifier: "a".into(),
            object_type: ObjectType::SymmetricKey,
            application: [2; 16],
            owner: [3; 16],
            state_at: 4,
            attributes: crate::objects::AttributeSet::default(),
            material: None,
            former: Vec::new(),
        };
        attributes.iter().for_each(|one| object.attributes.set(one.clone()));
        object
    }

    #[test]
    fn what_is_said_is_what_has_changed() {
        let date = |seconds| Attribute::LastChangeDate(DateTime(seconds));
        let before = object(&[
            date(1),
            Attribute::Fresh(true),
            Attribute::Sensitive(true),
            Attribute::Comment("x".into()),
        ]);
        assert_eq!(what(None, &before), Some(What::Put(None)));
        // Served, or written again: nothing to tell.
        let served = object(&[
            date(2),
            Attribute::Fresh(false),
            Attribute::Sensitive(true),
            Attribute::Comment("x".into()),
        ]);
        assert_eq!(what(Some(&before), &served), None);
        let mut active = object(&[
            date(2),
            Attribute::Fresh(true),
            Attribute::Sensitive(false),
            Attribute::ActivationDate(DateTime(5)),
        ]);
        active.state_at = 5;
        let expected = What::Notify {
            changed: [
                AttributeKind::Sensitive,
                AttributeKind::ActivationDate,
                AttributeKind::State,
            ]
            .map(Into::into)
            .to_vec(),
            deleted: vec![AttributeKind::Comment.into()],
        };
        assert_eq!(what(Some(&before), &active), Some(expected));
        // A date that has come is told with whatever is written next, and once.
        let waiting = Object {
            state_at: 4,
            ..active.clone()
        };
        let expected = What::Notify {
            changed: vec![AttributeKind::State.into()],
            deleted: Vec::new(),
        };
        assert_eq!(what(Some(&waiting), &active), Some(expected));
        assert_eq!(what(Some(&active), &active), None);
    }

    #[test]
    fn what_replaces_names_what_is_replaced() {
        let link = Attribute::Link(Link {
            link_type: LinkType::ReplacedObjectLink,
            linked_object_identifier: UniqueIdentifier::Text("old".into()),
        });
        let new = object(&[link]);
        assert_eq!(what(None, &new), Some(What::Put(Some("old".into()))));
    }
}
