//! Set Attribute (KMIP 2.1 §6.1.51): adds or modifies.

use super::context::Wanted;
use super::modify_attribute::change;
use super::{Context, Handle, namespaces, usage};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::rules;
use kmip_protocol::{Attribute, SetAttributeRequest, SetAttributeResponse};

impl Handle for SetAttributeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SetAttributeResponse, Failure> {
        let attribute = &self.attribute.attribute;
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        namespaces::judge(context, core::iter::once(attribute)).await?;
        let reference = attribute.reference();
        let indexes: Vec<i32> = object.attributes.of(&reference).map(|i| i.index).collect();
        match indexes.as_slice() {
            [] => {
                rules::at_addition(object.object_type, &object.attributes, attribute, context.seconds())?;
                if let Attribute::Name(name) = attribute {
                    context
                        .claim_name(&object, &name.name_value, Fault::NameTakenByOther)
                        .await?;
                }
                object.attributes.add(rules::as_kept(attribute));
                rules::after_change(&mut object.attributes);
                context.save(&mut object)?;
            }
            [only] => {
                let set = usage::judged(context, &object, &reference).await?;
                rules::at_modification(object.object_type, &set, attribute, context.seconds())?;
                change(context, &mut object, *only, attribute).await?;
            }
            _ => return Err(Fault::AttributeMultiValued.into()),
        }
        context.place(&object.unique_identifier);
        Ok(SetAttributeResponse {
            unique_identifier: object.unique_identifier,
        })
    }
}
