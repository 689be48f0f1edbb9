//! Delete Attribute (KMIP 2.1 §6.1.13; KMIP 1.4 §4.16).

use super::context::Wanted;
use super::{Context, Handle, usage};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, rules};
use kmip_protocol::{Attribute, AttributeInstance, DeleteAttributeRequest, DeleteAttributeResponse, Version};

impl Handle for DeleteAttributeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<DeleteAttributeResponse, Failure> {
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        let current = self.current_attribute.as_ref().map(|c| c.attribute.reference());
        let reference = current
            .or_else(|| self.reference.clone())
            .ok_or(Failure::new(Fault::MissingField))?;
        let set = usage::judged(context, &object, &reference).await?;
        rules::at_deletion(&set, &reference)?;
        let indexes = which(self, &set, context.version)?;
        let mut deleted = None;
        for index in indexes {
            let instance = object.attributes.remove(&reference, index);
            if let Some(Attribute::Name(name)) = instance.as_ref().map(|i| &i.attribute) {
                context.release_name(&object, &name.name_value).await?;
            }
            deleted = deleted.or(instance);
        }
        rules::after_change(&mut object.attributes);
        context.save(&mut object)?;
        context.tell(&object.unique_identifier);
        let told = deleted.map(|i| AttributeInstance {
            attribute: i.attribute,
            index: Some(i.index),
        });
        Ok(DeleteAttributeResponse {
            unique_identifier: object.unique_identifier,
            attribute: told,
        })
    }
}

/// The indexes that a request means: one by index up to 1.4, where none means 0 (KMIP 1.4 §4.16), also if that was deleted before; one by
/// value, or all instances, since.
pub(super) fn which(request: &DeleteAttributeRequest, set: &AttributeSet, version: Version) -> Result<Vec<i32>, Fault> {
    if let Some(current) = &request.current_attribute {
        let reference = current.attribute.reference();
        let found = set.of(&reference).find(|i| i.attribute == current.attribute);
        return found.map(|i| vec![i.index]).ok_or(Fault::AttributeInstanceNotFound);
    }
    let Some(reference) = &request.reference else {
        return Err(Fault::MissingField);
    };
    let all: Vec<i32> = set.of(reference).map(|i| i.index).collect();
    let is_first = !version.has_tagged_attributes() && !version.deletes_by_index_only();
    match request.attribute_index.or(is_first.then_some(0)) {
        _ if all.is_empty() => Err(Fault::AttributeNotFound),
        None if all.len() > 1 && version.deletes_by_index_only() => Err(Fault::AttributeIndexMissing),
        Some(index) if all.contains(&index) => Ok(vec![index]),
        Some(_) => Err(Fault::AttributeInstanceNotFound),
        None => Ok(all),
    }
}
