//! What the server replaces by itself, once its clients have asked for that (KMIP 2.1 §4.48).

use super::{Answer, Context, dispatch};
use crate::failure::{Failure, Fault};
use crate::objects::{Object, rotation};
use crate::records;
use crate::store::Key;
use kmip_protocol::{ObjectType, Operation, ReKeyKeyPairRequest, ReKeyRequest, RequestPayload, UniqueIdentifier};

/// The object at a place, if it is to be replaced by now. Nothing rests on it yet.
pub async fn due(context: &mut Context<'_>, place: Key, now: i64) -> Result<Option<Object>, Failure> {
    let Some(record) = context.work.peek(place).await? else {
        return Ok(None);
    };
    if context.services.quarantine.holds(place) {
        return Ok(None);
    }
    let object = Object::decode(records::open(&context.services.custody, &record)?)?;
    let is_due = rotation::due(&object).is_some_and(|date| date <= now);
    Ok(is_due.then_some(object))
}

/// Replaces an object as its owner would: what the owner may not do, or what others must agree to, is not done. Says by which operation.
///
/// # Errors
/// Those of the request; [`Fault::ApprovalRequired`].
pub async fn replace(context: &mut Context<'_>, object: &Object) -> Result<Operation, Failure> {
    let key = Some(UniqueIdentifier::Text(object.unique_identifier.clone()));
    let offset = rotation::offset(object);
    let request: RequestPayload = match object.object_type {
        ObjectType::SymmetricKey => ReKeyRequest {
            unique_identifier: key,
            offset,
            ..ReKeyRequest::default()
        }
        .into(),
        ObjectType::PrivateKey => ReKeyKeyPairRequest {
            private_key_unique_identifier: key,
            offset,
            ..ReKeyKeyPairRequest::default()
        }
        .into(),
        _ => return Err(Fault::UnusableObjectType.into()),
    };
    match dispatch(&request, context).await? {
        Answer::Done(_) => Ok(request.operation()),
        Answer::Governed(_) => Err(Fault::ApprovalRequired.into()),
        _ => Err(Failure::detailed(Fault::Internal, "a rotation was put off")),
    }
}
