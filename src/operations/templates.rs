//! Templates (KMIP 1.4 §2.2.6, §4): attributes under a Name, for objects that are made by a request which gives that Name. What is
//! in the Template is its value and goes to those objects; the attributes of its record are its own, as of any object.

use super::context::Context;
use super::namespaces;
use crate::audit::AuditObject;
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, rules};
use kmip_protocol::{Attribute, AttributeKind, ManagedObject, Name, ObjectType, Template};

/// Templates that one Template-Attribute names: each is a read.
pub const MOST_NAMED: usize = 16;

/// The attributes that the template with this Name gives to an object of a type.
///
/// # Errors
/// Item Not Found if there is none, Object Archived, and what is said of attributes that the object cannot have (KMIP 1.4 §11.2).
pub async fn named(context: &mut Context<'_>, name: &Name, object_type: ObjectType) -> Result<AttributeSet, Failure> {
    let found = context.named(&name.name_value).await?;
    let template = found
        .filter(|object| object.object_type == ObjectType::Template)
        .ok_or(Failure::new(Fault::ObjectNotFound))?;
    if template.attributes.dates().archive.is_some() {
        return Err(Fault::ObjectArchived.into());
    }
    context.batch.touched.push(AuditObject {
        unique_identifier: template.unique_identifier.clone(),
        record: None,
    });
    match context.open(&template).await? {
        ManagedObject::Template(held) => Ok(rules::at_creation(object_type, held.attributes.0.iter())?),
        _ => Err(Failure::detailed(Fault::Internal, "a template that is none")),
    }
}

/// A template as it is kept when it is registered; `None`: another object. Its Name belongs into the Template-Attribute; the
/// published cases give it in the Template, where it is read if it is nowhere else.
///
/// # Errors
/// A template that holds nothing, or whose Name stands in both, and what is said of attributes at creation (KMIP 1.4 §11.4).
pub async fn registered(
    context: &mut Context<'_>,
    own: &mut AttributeSet,
    managed: &ManagedObject,
) -> Result<Option<ManagedObject>, Failure> {
    let ManagedObject::Template(Template { attributes }) = managed else {
        return Ok(None);
    };
    if attributes.is_empty() {
        return Err(Fault::MissingField.into());
    }
    let mut held = rules::at_creation(ObjectType::Template, attributes.0.iter())?;
    namespaces::judge(context, held.iter().map(|instance| &instance.attribute)).await?;
    if held.has(AttributeKind::Name) && own.has(AttributeKind::Name) {
        return Err(Fault::InvalidField.into());
    }
    for name in held.names() {
        own.add(Attribute::Name(name.clone()));
    }
    held.clear(AttributeKind::Name);
    let attributes = held.iter().map(|instance| instance.attribute.clone()).collect();
    Ok(Some(Template { attributes }.into()))
}
