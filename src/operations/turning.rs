//! What dates alone make of objects (KMIP 2.1 §4.57): noted in the record, so that it is in the trail and told of, each once.

use super::{Context, digests};
use crate::failure::{Failure, Fault};
use crate::objects::{Object, index};
use crate::records;
use crate::store::Key;
use kmip_protocol::State;

/// Notes what dates have made of the object at a place by now, if they have. Gives its state.
///
/// # Errors
/// The record is damaged or held; the store or the keys are away.
pub async fn turn(context: &mut Context<'_>, place: Key) -> Result<Option<State>, Failure> {
    if context.services.quarantine.holds(place) {
        return Err(Fault::Quarantined.into());
    }
    let now = context.seconds();
    let Some(record) = context.work.load(place).await? else {
        return Ok(None);
    };
    let custody = &context.services.custody;
    let mut object = Object::decode(records::open(custody, &record)?)?;
    if object.turns().is_none_or(|at| at > now) {
        return Ok(None);
    }
    object.catch_up(now);
    let revision = context.work.next_revision(place);
    let (body, _) = records::close(custody, place, revision, object.encode())?;
    // The index has the digests as clients know them.
    digests::turn(custody, place.domain, &mut object)?;
    context.work.put(place, body, index::rows(&object));
    let state = object.state(now);
    context.touch(object.unique_identifier, place)?;
    Ok(state)
}

/// When a date changes the state of the object at a place next, in seconds since 1970.
///
/// # Errors
/// Those of [`turn`].
pub async fn next(context: &mut Context<'_>, place: Key) -> Result<Option<i64>, Failure> {
    let Some(record) = context.work.peek(place).await? else {
        return Ok(None);
    };
    let object = Object::decode(records::open(&context.services.custody, &record)?)?;
    Ok(object.turns())
}
