//! Get (KMIP 2.1 §6.1.19; KMIP 1.4 §4.11).

use super::context::Wanted;
use super::delivery::deliver;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::Kept;
use kmip_protocol::{
    Attribute, AttributeKind, GetRequest, GetResponse, KeyBlock, KeyWrapType, ManagedObject, WrappingMethod,
};

impl Handle for GetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<GetResponse, Failure> {
        let object = context.kept(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        let managed = give(context, &object, self).await?;
        note_served(context, &object)?;
        context.tell(&object.unique_identifier);
        Ok(GetResponse {
            object_type: object.object_type,
            unique_identifier: object.unique_identifier,
            object: managed,
        })
    }
}

/// Gives an object out as a request wants it, if it may leave so.
///
/// # Errors
/// [`Fault::NotExtractable`], [`Fault::Sensitive`], [`Fault::KeyValueNotPresent`], and what [`deliver`] says.
pub(super) async fn give(
    context: &mut Context<'_>,
    object: &Kept,
    request: &GetRequest,
) -> Result<ManagedObject, Failure> {
    if !object.attributes.flag(AttributeKind::Extractable, true)? {
        return Err(Fault::NotExtractable.into());
    }
    let sensitive = object.attributes.flag(AttributeKind::Sensitive, false)?;
    if (sensitive || context.is_kept_in(object.object_type)?) && !conceals(request) {
        return Err(Fault::Sensitive.into());
    }
    let managed = context.open(object).await?;
    if opens(request, &managed) {
        context.permit_opened(object.object_type)?;
    }
    // A key whose value is elsewhere is given out as it was registered; there is nothing to convert or wrap.
    let absent = managed.key_block().filter(|block| block.key_value.is_none());
    if absent.is_some_and(|block| request.changes(block)) {
        return Err(Fault::KeyValueNotPresent.into());
    }
    deliver(context, object, managed, request).await
}

/// Served once, an object is fresh no more (KMIP 2.1 §4.24). That is no change that a client made.
pub(super) fn note_served(context: &mut Context<'_>, object: &Kept) -> Result<(), Failure> {
    if object.attributes.flag(AttributeKind::Fresh, false)? {
        let mut served = context.whole(object.clone())?;
        served.attributes.set(Attribute::Fresh(false));
        context.keep(&served)?;
    }
    Ok(())
}

trait Changes {
    fn changes(&self, block: &KeyBlock) -> bool;
}

impl Changes for GetRequest {
    /// Whether the key is wanted in another form than the one in which it is kept.
    fn changes(&self, block: &KeyBlock) -> bool {
        self.key_wrapping_specification.is_some()
            || self
                .key_format_type
                .is_some_and(|format| format != block.key_format_type)
            || (self.key_compression_type.is_some() && self.key_compression_type != block.key_compression_type)
    }
}

/// Whether a key that came in wrapped is to leave in clear.
fn opens(request: &GetRequest, managed: &ManagedObject) -> bool {
    let block = managed.key_block();
    request.key_wrap_type == Some(KeyWrapType::NotWrapped)
        && block.is_some_and(|block| block.key_wrapping_data.is_some())
        && !conceals(request)
}

/// Whether the key leaves encrypted. A wrapping that only authenticates leaves it in clear (KMIP 2.1 §4.55, §7.18).
fn conceals(request: &GetRequest) -> bool {
    let specification = request.key_wrapping_specification.as_ref();
    specification.is_some_and(|s| s.wrapping_method != WrappingMethod::MACSign)
}
