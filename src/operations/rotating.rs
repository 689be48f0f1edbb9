//! What the server replaces by itself, once its clients have asked for that (KMIP 2.1 §4.48).

use super::{Context, re_key, re_key_key_pair};
use crate::failure::{Failure, Fault};
use crate::objects::{Object, rotation};
use crate::records;
use crate::store::Key;
use kmip_protocol::{ObjectType, Operation, ReKeyKeyPairRequest, ReKeyRequest, UniqueIdentifier};

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

/// Replaces an object as its client would. Says by which operation.
pub async fn replace(context: &mut Context<'_>, object: &Object) -> Result<Operation, Failure> {
    let key = Some(UniqueIdentifier::Text(object.unique_identifier.clone()));
    let offset = rotation::offset(object);
    match object.object_type {
        ObjectType::SymmetricKey => {
            let request = ReKeyRequest {
                unique_identifier: key,
                offset,
                ..ReKeyRequest::default()
            };
            re_key::replace(&request, context).await?;
            Ok(Operation::ReKey)
        }
        ObjectType::PrivateKey => {
            let request = ReKeyKeyPairRequest {
                private_key_unique_identifier: key,
                offset,
                ..ReKeyKeyPairRequest::default()
            };
            re_key_key_pair::replace(&request, context).await?;
            Ok(Operation::ReKeyKeyPair)
        }
        _ => Err(Fault::UnusableObjectType.into()),
    }
}
