//! Set Attribute (KMIP 2.1 §6.1.51): adds or modifies.

use super::context::Wanted;
use super::modify_attribute::change;
use super::{Context, Handle, creation, namespaces, usage};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::{Object, rules};
use kmip_protocol::{Attribute, SetAttributeRequest, SetAttributeResponse};

impl Handle for SetAttributeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SetAttributeResponse, Failure> {
        let object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        let unique_identifier = put(context, object, &self.attribute.attribute).await?;
        Ok(SetAttributeResponse { unique_identifier })
    }
}

/// Gives an object an attribute: a first instance, or another value of the only one. Whose identifier it is.
///
/// # Errors
/// Those of Set Attribute and Adjust Attribute, which name a read-only attribute alike.
pub(super) async fn put(
    context: &mut Context<'_>,
    mut object: Object,
    attribute: &Attribute,
) -> Result<String, Failure> {
    namespaces::judge(context, core::iter::once(attribute)).await?;
    let completed = creation::completed(context, attribute)?;
    let attribute = completed.as_ref().unwrap_or(attribute);
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
            let judged = rules::at_modification(object.object_type, &set, attribute, context.seconds());
            judged.map_err(|fault| match fault {
                Fault::AttributeReadOnly => Fault::AttributeNotSettable,
                other => other,
            })?;
            change(context, &mut object, *only, attribute).await?;
        }
        _ => return Err(Fault::AttributeMultiValued.into()),
    }
    context.tell(&object.unique_identifier);
    Ok(object.unique_identifier)
}
