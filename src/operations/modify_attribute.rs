//! Modify Attribute (KMIP 2.1 §6.1.34; KMIP 1.4 §4.15).

use super::context::Wanted;
use super::{Context, Handle, creation, namespaces, usage};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Object, rules};
use kmip_protocol::{Attribute, AttributeInstance, ModifyAttributeRequest, ModifyAttributeResponse};

impl Handle for ModifyAttributeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ModifyAttributeResponse, Failure> {
        let attribute = &self.attribute.attribute;
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        let set = usage::judged(context, &object, &attribute.reference()).await?;
        rules::at_modification(object.object_type, &set, attribute, context.seconds())?;
        namespaces::judge(context, core::iter::once(attribute)).await?;
        let completed = creation::completed(context, attribute)?;
        let attribute = completed.as_ref().unwrap_or(attribute);
        let index = which(self, &set, context.version.has_tagged_attributes())?;
        let attribute = change(context, &mut object, index, attribute).await?;
        context.tell(&object.unique_identifier);
        // Told although 0 may be left out: PyKMIP reads it.
        let index = Some(index);
        Ok(ModifyAttributeResponse {
            unique_identifier: object.unique_identifier,
            attribute: Some(AttributeInstance { attribute, index }),
        })
    }
}

/// Which instance a request means: by index where attributes have one, where none means 0; else by current value, where none
/// means the only instance.
pub(super) fn which(request: &ModifyAttributeRequest, set: &AttributeSet, tagged: bool) -> Result<i32, Fault> {
    let reference = request.attribute.attribute.reference();
    let mut instances = set.of(&reference).peekable();
    if instances.peek().is_none() {
        return Err(Fault::AttributeAbsent);
    }
    if let Some(current) = &request.current_attribute {
        let found = instances.find(|i| i.attribute == current.attribute);
        return found.map(|i| i.index).ok_or(Fault::AttributeInstanceNotFound);
    }
    let all: Vec<i32> = instances.map(|i| i.index).collect();
    let wanted = request.attribute.index.unwrap_or(0);
    match all.as_slice() {
        [only] if tagged => Ok(*only),
        _ if tagged => Err(Fault::AttributeMultiValued),
        all if all.contains(&wanted) => Ok(wanted),
        _ => Err(Fault::AttributeInstanceNotFound),
    }
}

/// Changes one instance, with what follows from it. What it is now.
pub(super) async fn change(
    context: &mut Context<'_>,
    object: &mut Object,
    index: i32,
    attribute: &Attribute,
) -> Result<Attribute, Failure> {
    let reference = attribute.reference();
    let old = object
        .attributes
        .of(&reference)
        .find(|i| i.index == index)
        .map(|i| i.attribute.clone());
    let kept = rules::as_changed(old.as_ref(), attribute);
    if let Attribute::Name(name) = attribute {
        if let Some(Attribute::Name(old)) = old {
            context.release_name(object, &old.name_value).await?;
        }
        context
            .claim_name(object, &name.name_value, Fault::NameTakenByOther)
            .await?;
    }
    object.attributes.replace(index, kept.clone());
    rules::after_change(&mut object.attributes);
    context.save(object)?;
    Ok(kept)
}
