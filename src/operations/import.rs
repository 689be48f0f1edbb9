//! Import (KMIP 2.1 §6.1.25; KMIP 1.4 §4.41): an object with the identifier and all the attributes that it had elsewhere.

use super::context::permit_safety;
use super::creation::{self, Source};
use super::{Context, Handle, Notice, delivery, namespaces, register, standards, target, templates, usage};
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::objects::{self, AttributeSet, Object, matching, rules};
use kmip_protocol::{
    Attribute, AttributeInstance, AttributeKind, Attributes, DateTime, ImportRequest, ImportResponse, KeyMaterial,
    KeyValue, KeyWrapType, ManagedObject, UniqueIdentifier,
};
use std::collections::HashSet;

/// The longest identifier that a client may choose, in bytes: some clients keep no more of one.
pub(super) const LONGEST_IDENTIFIER: usize = 127;

impl Handle for ImportRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ImportResponse, Failure> {
        let object_type = self.object.object_type();
        if self.object_type.is_some_and(|stated| stated != object_type) || !creation::KEPT.contains(&object_type) {
            return Err(Fault::InvalidObjectType.into());
        }
        let unique_identifier = self.identifier(context)?;
        let replaced = replaced(context, &unique_identifier, self.replace_existing == Some(true)).await?;
        let (mut managed, enclosed) = self.managed(context).await?;
        let mut attributes = rules::at_import(object_type, self.all(&enclosed).iter())?;
        if let Some(template) = templates::registered(context, &mut attributes, &managed).await? {
            managed = template;
        }
        register::check(&mut attributes, &managed)?;
        follow(&mut attributes, &managed)?;
        namespaces::judge(context, attributes.iter().map(|i| &i.attribute)).await?;
        let client = context.client()?;
        let mut object = Object {
            internal_id: [0; 16],
            unique_identifier,
            object_type,
            application: client.application,
            owner: client.client,
            state_at: context.seconds(),
            attributes,
            material: None,
            former: Vec::new(),
        };
        // Another object than the one in whose place it comes: nothing that was sealed for that one opens as this one.
        object.internal_id = context.services.randomness.array()?;
        creation::complete_attributes(context, &mut object)?;
        let was_given: Vec<AttributeKind> = object.attributes.iter().map(|i| i.attribute.kind()).collect();
        fill(context, &mut object, &managed, &was_given)?;
        agree(&mut object, context.seconds())?;
        context.reach(&object.unique_identifier, &object.attributes)?;
        context.permit_key(&object.attributes)?;
        permit_safety(&object.attributes)?;
        standards::judge_new(context, &object).await?;
        if let Some(mut former) = replaced {
            make_room(context, &mut former, &object).await?;
            context.batch.notices.push(Notice::Destroyed(former.internal_id));
            former.leave_kek();
            object.former = former.former;
        } else {
            context.count_object(1).await?;
        }
        let names: Vec<String> = object.attributes.names().map(|n| n.name_value.clone()).collect();
        for name in names {
            context.claim_name(&object, &name, Fault::NameTaken).await?;
        }
        usage::restart(context, &object)?;
        object.material = Some(context.seal(&object, &managed, 1).await?);
        context.keep(&object)?;
        context.place(&object.unique_identifier);
        Ok(ImportResponse {
            unique_identifier: object.unique_identifier,
        })
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target::of_import(self, context).await
    }
}

trait Imported {
    fn identifier(&self, context: &Context<'_>) -> Result<String, Failure>;
    async fn managed(&self, context: &mut Context<'_>) -> Result<(ManagedObject, Attributes), Failure>;
    fn all(&self, enclosed: &Attributes) -> Vec<AttributeInstance>;
}

impl Imported for ImportRequest {
    /// The identifier that the object is to have. An empty one is left to the server.
    fn identifier(&self, context: &Context<'_>) -> Result<String, Failure> {
        match &self.unique_identifier {
            UniqueIdentifier::Text(text) if text.is_empty() => creation::new_identifier(context),
            UniqueIdentifier::Text(text) if text.len() <= LONGEST_IDENTIFIER && !text.chars().any(char::is_control) => {
                Ok(text.clone())
            }
            _ => Err(Fault::InvalidField.into()),
        }
    }

    /// The object as it is to be kept: as it came, or unwrapped and apart from the attributes that were wrapped with it.
    async fn managed(&self, context: &mut Context<'_>) -> Result<(ManagedObject, Attributes), Failure> {
        let mut managed = self.object.clone();
        let mut enclosed = Attributes::default();
        match self.key_wrap_type {
            None | Some(KeyWrapType::AsRegistered) => {}
            Some(KeyWrapType::NotWrapped) => {
                if let Some(block) = managed
                    .key_block_mut()
                    .filter(|block| block.key_wrapping_data.is_some())
                {
                    context.permit_opened(self.object.object_type())?;
                    *block = delivery::open(context, block).await?;
                    if let Some(KeyValue::Plain(value)) = &mut block.key_value {
                        enclosed = value.attributes.take().unwrap_or_default();
                    }
                }
            }
            Some(_) => return Err(Fault::KeyWrapType.into()),
        }
        Ok((managed, enclosed))
    }

    /// The attributes that are given, and those of the others that were wrapped with the key.
    fn all(&self, enclosed: &Attributes) -> Vec<AttributeInstance> {
        let given = &self.attributes.0;
        // By hash: how many there are is judged when they are taken over.
        let named: HashSet<_> = given.iter().map(|instance| instance.attribute.reference()).collect();
        let others = enclosed.0.iter();
        let others = others.filter(|instance| !named.contains(&instance.attribute.reference()));
        given.iter().chain(others).cloned().collect()
    }
}

/// The object in whose place it comes, if there is one and it may be replaced.
///
/// # Errors
/// [`Fault::ObjectExists`] also if the identifier is that of an object which this client does not see: two objects of a tenant cannot have
/// one identifier.
async fn replaced(
    context: &mut Context<'_>,
    unique_identifier: &str,
    replace: bool,
) -> Result<Option<Object>, Failure> {
    if let Some(object) = context.find(unique_identifier).await? {
        return if replace {
            Ok(Some(object))
        } else {
            Err(Fault::ObjectExists.into())
        };
    }
    let key = objects::key(context.client()?.tenant, unique_identifier);
    match context.work.load(key).await? {
        Some(_) => Err(Fault::ObjectExists.into()),
        None => Ok(None),
    }
}

/// Takes away what was said of the value where the value itself says it: format, length and type, the names in a certificate. What was
/// said of algorithm and length stands, as [`register::check`] has judged it, and so do digests in other formats.
fn follow(attributes: &mut AttributeSet, managed: &ManagedObject) -> Result<(), Failure> {
    const STATED: [AttributeKind; 3] = [
        AttributeKind::CryptographicAlgorithm,
        AttributeKind::CryptographicLength,
        AttributeKind::Digest,
    ];
    let mut own = AttributeSet::default();
    creation::set_from_value(&mut own, managed)?;
    let own = own.iter().map(|instance| instance.attribute.kind());
    for kind in own.filter(|kind| !STATED.contains(kind)) {
        attributes.clear(kind);
    }
    Ok(())
}

/// Adds what the object's attributes are where none were given: those that every object has.
fn fill(
    context: &Context<'_>,
    object: &mut Object,
    managed: &ManagedObject,
    was_given: &[AttributeKind],
) -> Result<(), Failure> {
    let now = DateTime(context.seconds());
    let mut implied = object.clone();
    creation::set_implicit(context, &mut implied, managed, Source::Registered)?;
    check_digests(&object.attributes, &implied.attributes, managed)?;
    for instance in implied.attributes.iter() {
        // Where it is kept and whether its value is, is not for others to say.
        let is_fact = matches!(
            instance.attribute,
            Attribute::ProtectionStorageMask(_) | Attribute::KeyValuePresent(_)
        );
        if is_fact {
            object.attributes.set(instance.attribute.clone());
        } else if !was_given.contains(&instance.attribute.kind()) {
            object.attributes.insert(instance.index, instance.attribute.clone());
        }
    }
    object.attributes.set_if_absent(Attribute::LastChangeDate(now));
    Ok(())
}

/// A digest that can be compared must be the object's. Those of structures are taken over bytes that may be written in other ways.
fn check_digests(given: &AttributeSet, own: &AttributeSet, managed: &ManagedObject) -> Result<(), Failure> {
    let block = managed.key_block();
    let is_bytes = block.is_none_or(|block| {
        matches!(&block.key_value, Some(KeyValue::Plain(value)) if matches!(value.key_material, KeyMaterial::Bytes(_)))
    });
    let Some(Attribute::Digest(own)) = own.first(AttributeKind::Digest).filter(|_| is_bytes) else {
        return Ok(());
    };
    let contradicts = given.iter().any(|instance| {
        matches!(&instance.attribute, Attribute::Digest(digest)
            if digest.hashing_algorithm == own.hashing_algorithm
                && digest.key_format_type == own.key_format_type
                && digest.digest_value != own.digest_value)
    });
    if contradicts {
        Err(Fault::InvalidAttributeValue.into())
    } else {
        Ok(())
    }
}

/// What is derived from the record must be what was said of it, and so must what follows from other attributes. A destroyed object has
/// nothing to import.
fn agree(object: &mut Object, now: i64) -> Result<(), Failure> {
    for kind in [
        AttributeKind::UniqueIdentifier,
        AttributeKind::ObjectType,
        AttributeKind::State,
    ] {
        let derived = matching::derived(object, kind, now);
        let stated = object.attributes.first(kind);
        if stated.is_some() && stated != derived.as_ref() {
            return Err(Fault::InvalidAttributeValue.into());
        }
        object.attributes.clear(kind);
    }
    let attributes = &object.attributes;
    let flag = |kind, otherwise| attributes.flag(kind, otherwise);
    let impossible = attributes.has(AttributeKind::DestroyDate)
        || (flag(AttributeKind::AlwaysSensitive, false) && !flag(AttributeKind::Sensitive, false))
        || (flag(AttributeKind::NeverExtractable, false) && flag(AttributeKind::Extractable, true));
    if impossible {
        Err(Fault::InvalidAttributeValue.into())
    } else {
        Ok(())
    }
}

/// Takes back what the replaced object had beside its record: Names that the new one does not have. A destroyed one has nothing left.
async fn make_room(context: &mut Context<'_>, former: &mut Object, object: &Object) -> Result<(), Failure> {
    if former.material.is_none() {
        return context.count_object(1).await;
    }
    let names: Vec<String> = former.attributes.names().map(|n| n.name_value.clone()).collect();
    for name in names {
        if !object.attributes.names().any(|kept| kept.name_value == name) {
            context.release_name(former, &name).await?;
        }
    }
    Ok(())
}
