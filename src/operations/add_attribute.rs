//! Add Attribute (KMIP 2.1 §6.1.2; KMIP 1.4 §4.14).

use super::context::Wanted;
use super::{Context, Handle, creation, namespaces};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::rules;
use kmip_protocol::{AddAttributeRequest, AddAttributeResponse, Attribute, AttributeInstance};

impl Handle for AddAttributeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<AddAttributeResponse, Failure> {
        let AttributeInstance { attribute, index } = &self.attribute;
        if index.is_some() {
            return Err(Fault::AttributeIndex.into());
        }
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        rules::at_addition(object.object_type, &object.attributes, attribute, context.seconds())?;
        namespaces::judge(context, core::iter::once(attribute)).await?;
        let completed = creation::completed(context, attribute)?;
        let attribute = completed.as_ref().unwrap_or(attribute);
        if let Attribute::Name(name) = attribute {
            // The claim is the object's already: it would say nothing of a Name that the object has twice.
            if object.attributes.iter().any(|one| one.attribute == *attribute) {
                return Err(Fault::NameTakenByOther.into());
            }
            context
                .claim_name(&object, &name.name_value, Fault::NameTakenByOther)
                .await?;
        }
        let index = object.attributes.add(rules::as_kept(attribute));
        rules::after_change(&mut object.attributes);
        context.save(&mut object)?;
        context.tell(&object.unique_identifier);
        // Told although 0 may be left out: PyKMIP reads it.
        let index = Some(index);
        Ok(AddAttributeResponse {
            unique_identifier: object.unique_identifier,
            attribute: Some(AttributeInstance {
                attribute: rules::as_kept(attribute),
                index,
            }),
        })
    }
}
