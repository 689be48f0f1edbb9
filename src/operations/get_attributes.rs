//! Get Attributes (KMIP 2.1 §6.1.20; KMIP 1.4 §4.12).

use super::context::Wanted;
use super::{Context, Handle, usage};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::attributes::is_multi;
use crate::objects::{Instance, Object, matching};
use kmip_protocol::{
    Attribute, AttributeInstance, AttributeKind, AttributeReference, Attributes, GetAttributesRequest,
    GetAttributesResponse, Version,
};

impl Handle for GetAttributesRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<GetAttributesResponse, Failure> {
        // Before they are compared with one another.
        if self.references.len() > context.services.limits.attributes {
            return Err(Fault::LimitExceeded.into());
        }
        let repeated = |(i, r): (usize, &AttributeReference)| self.references.iter().take(i).any(|other| other == r);
        if self.references.iter().enumerate().any(repeated) {
            return Err(Fault::DuplicateAttributeName.into());
        }
        let object = context.object(self.unique_identifier.as_ref(), Wanted::Remains).await?;
        let references = if self.references.is_empty() {
            present(&object, context)
        } else {
            self.references.clone()
        };
        context.tell(&object.unique_identifier);
        Ok(GetAttributesResponse {
            unique_identifier: object.unique_identifier.clone(),
            attributes: told(context, object, &references).await?,
        })
    }
}

/// These attributes of an object. One that it does not have is left out: clients probe for their own (KMIP 1.4 §4.12).
pub(super) async fn told(
    context: &mut Context<'_>,
    mut object: Object,
    references: &[AttributeReference],
) -> Result<Attributes, Failure> {
    if references.iter().any(usage::is_counted) {
        usage::tell(context, &mut object).await?;
    }
    let now = context.seconds();
    let version = context.version;
    let told = references.iter().flat_map(|r| values(&object, r, now));
    Ok(Attributes(
        told.filter(|instance| is_told(&instance.attribute, version)).collect(),
    ))
}

/// Whether a peer of this version knows such an instance: a Link that this server made of a later version's type says nothing to it.
fn is_told(attribute: &Attribute, version: Version) -> bool {
    match attribute {
        Attribute::Link(link) => link.link_type.versions().is_none_or(|v| v.include(version)),
        _ => true,
    }
}

/// Attributes that every object has and that are not stored.
const DERIVED: [AttributeKind; 3] = [
    AttributeKind::UniqueIdentifier,
    AttributeKind::ObjectType,
    AttributeKind::State,
];

/// The attributes that the object has and the peer's version knows, each once.
pub(super) fn present(object: &Object, context: &Context<'_>) -> Vec<AttributeReference> {
    let has = |kind: &AttributeKind| matching::derived(object, *kind, context.seconds()).is_some();
    let derived = DERIVED.into_iter().filter(has);
    let mut references: Vec<AttributeReference> = derived.map(AttributeReference::Known).collect();
    let told = |instance: &&Instance| is_told(&instance.attribute, context.version);
    for instance in object.attributes.iter().filter(told) {
        let reference = instance.attribute.reference();
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    references.retain(|r| r.is_known_in(context.version));
    references
}

/// The instances of one attribute.
fn values(object: &Object, reference: &AttributeReference, now: i64) -> Vec<AttributeInstance> {
    if let AttributeReference::Known(kind) = reference
        && let Some(attribute) = matching::derived(object, *kind, now)
    {
        return vec![attribute.into()];
    }
    // An index of 0 may be left out (KMIP 1.4 §2.1.1); PyKMIP reads it where there may be several.
    let told = |i: &Instance| AttributeInstance {
        attribute: i.attribute.clone(),
        index: is_multi(i.attribute.kind()).then_some(i.index),
    };
    object.attributes.of(reference).map(told).collect()
}
