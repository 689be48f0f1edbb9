//! What the operations on managed objects act upon, as rules and votes need to know it: one helper for all of them.

use super::certification::{Asked, Authority};
use super::export::as_get;
use super::own_certificate::OwnCertificate;
use super::part::Part;
use super::{Context, certify, delete_attribute, links, modify_attribute, target_of};
use crate::authority::{Target, TargetObject, quorum};
use crate::failure::{Failure, Fault};
use crate::objects::{self, AttributeSet, OBJECT, Object};
use crate::records;
use crate::store::Key;
use kmip_protocol::{
    Attribute, AttributeKind, BindTarget, DerivationMethod, GetRequest, ImportRequest, KeyInformation, KeyWrapType,
    LinkType, ManagedObject, Operation, RequestPayload, TemplateAttribute, UniqueIdentifier, Version,
};
use ring::digest::{Context as Digest, SHA256};

/// The objects that a request names, if its operation acts upon objects. `None` within: the ID Placeholder.
fn named(payload: &RequestPayload, version: Version) -> Option<Vec<Option<&UniqueIdentifier>>> {
    macro_rules! one {
        ($($operation:ident)*) => {
            match payload {
                $(RequestPayload::$operation(request) => Some(vec![request.unique_identifier.as_ref()]),)*
                RequestPayload::ReKeyKeyPair(request) => Some(vec![request.private_key_unique_identifier.as_ref()]),
                RequestPayload::Certify(request) => Some(certify::certified(request, version).into_iter().collect()),
                RequestPayload::DeriveKey(request) => Some(request.unique_identifiers.iter().map(Some).collect()),
                RequestPayload::JoinSplitKey(request) => Some(request.unique_identifiers.iter().map(Some).collect()),
                // Without an identifier it makes a key.
                RequestPayload::CreateSplitKey(request) => request.unique_identifier.as_ref().map(|key| vec![Some(key)]),
                _ => None,
            }
        };
    }
    one! {
        Get GetAttributes GetAttributeList AddAttribute ModifyAttribute DeleteAttribute SetAttribute AdjustAttribute
        Activate Revoke Destroy Archive Recover ObtainLease GetUsageAllocation Check ReKey ReCertify Export
        Encrypt Decrypt Sign SignatureVerify MAC MACVerify
    }
}

/// What a request acts upon.
///
/// # Errors
/// Those that the request would fail with, where it names what is not there.
pub async fn of_request(payload: &RequestPayload, context: &mut Context<'_>) -> Result<Target, Failure> {
    let target = match objects_of(payload, context).await? {
        Some(target) => target,
        None => target_of(payload, context).await?,
    };
    // Which rules may govern an operation is known before its target is: what they do not know of, they would let pass.
    let operation = payload.operation();
    let mut comes_to = target.uses.iter().map(|(used, _)| *used).chain(target.also);
    let is_known = comes_to.all(|used| quorum::uses(operation).any(|one| one == used));
    if is_known && (target.relabels.is_empty() || quorum::is_relabelling(operation)) {
        Ok(target)
    } else {
        Err(Failure::detailed(Fault::Internal, "a use that no rule is asked about"))
    }
}

/// What a request acts upon, if that is managed objects.
///
/// # Errors
/// An unknown object, and a foreign one alike, is answered as it is without rules: whoever may not see it learns of none.
async fn objects_of(payload: &RequestPayload, context: &mut Context<'_>) -> Result<Option<Target>, Failure> {
    let Some(named) = named(payload, context.version) else {
        return Ok(None);
    };
    let tenant = context.client()?.tenant;
    let mut concerned = Vec::new();
    for given in named {
        let all = match (payload, given) {
            (RequestPayload::JoinSplitKey(_), Some(given)) => context.identifiers(given)?,
            _ => vec![meant(payload, given, context)?],
        };
        for unique_identifier in all {
            let found = context.find(&unique_identifier).await?;
            concerned.push(found.ok_or(Failure::new(Fault::ObjectNotFound))?);
        }
    }
    if matches!(payload, RequestPayload::ReKeyKeyPair(_))
        && let Some(public) = public_half(concerned.first(), context).await?
    {
        concerned.push(public);
    }
    let now = context.seconds();
    let words: Vec<String> = concerned.iter().map(|object| describe(object, now)).collect();
    let key = |object: &Object| objects::key(tenant, &object.unique_identifier);
    let version = context.version;
    let mut target = Target {
        description: Some(words.join(", ")),
        records: concerned.iter().map(key).collect(),
        objects: concerned.iter().map(of).collect(),
        relabels: concerned
            .into_iter()
            .filter_map(|object| relabelled(payload, object, version))
            .collect(),
        ..Target::default()
    };
    uses(payload, &mut target, context).await?;
    Ok(Some(target))
}

/// The identifier that a request means. A later part of a stream that names none means the stream's key.
fn meant(
    payload: &RequestPayload,
    given: Option<&UniqueIdentifier>,
    context: &mut Context<'_>,
) -> Result<String, Failure> {
    let correlation = match payload {
        RequestPayload::Encrypt(request) => &request.correlation_value,
        RequestPayload::Decrypt(request) => &request.correlation_value,
        RequestPayload::Sign(request) => &request.correlation_value,
        RequestPayload::SignatureVerify(request) => &request.correlation_value,
        RequestPayload::MAC(request) => &request.correlation_value,
        RequestPayload::MACVerify(request) => &request.correlation_value,
        _ => &None,
    };
    if let Some(value) = correlation {
        let turn = context.turn(Part::Next(value), payload.operation())?;
        if let Some(unique_identifier) = turn.own_key(context, given) {
            return Ok(unique_identifier.to_owned());
        }
    }
    context.identifier(given)
}

/// The public key that is replaced together with a private one, if it is there and seen.
async fn public_half(private: Option<&Object>, context: &mut Context<'_>) -> Result<Option<Object>, Failure> {
    let linked = private.and_then(|private| links::linked(private, LinkType::PublicKeyLink));
    let Some(Ok(unique_identifier)) = linked.map(|linked| context.identifier(Some(&linked))) else {
        return Ok(None);
    };
    context.find(&unique_identifier).await
}

/// An object before and after a change of its labels. A change that cannot be made changes none, and fails by itself.
fn relabelled(payload: &RequestPayload, object: Object, version: Version) -> Option<(TargetObject, TargetObject)> {
    let before = of(&object);
    let mut changed = object;
    let set = changed.attributes.clone();
    match payload {
        RequestPayload::ModifyAttribute(request) => {
            if let Ok(index) = modify_attribute::which(request, &set, version.has_tagged_attributes()) {
                changed.attributes.replace(index, request.attribute.attribute.clone());
            }
        }
        RequestPayload::DeleteAttribute(request) => {
            let current = request.current_attribute.as_ref().map(|c| c.attribute.reference());
            let reference = current.or_else(|| request.reference.clone());
            if let (Some(reference), Ok(indexes)) = (reference, delete_attribute::which(request, &set, version)) {
                for index in indexes {
                    changed.attributes.remove(&reference, index);
                }
            }
        }
        RequestPayload::SetAttribute(request) => {
            let attribute = &request.attribute.attribute;
            let reference = attribute.reference();
            let mut instances = set.of(&reference);
            if let (Some(only), None) = (instances.next(), instances.next()) {
                changed.attributes.replace(only.index, attribute.clone());
            }
        }
        // The Names go over to what replaces it.
        RequestPayload::ReKey(_) | RequestPayload::ReKeyKeyPair(_) | RequestPayload::ReCertify(_) => {
            changed.attributes.clear(AttributeKind::Name);
        }
        _ => return None,
    }
    let after = of(&changed);
    (after != before).then_some((before, after))
}

/// The objects that are used for what a request does, each as which operation uses it: keys that wrap and unwrap, keys that derive.
/// Whoever may not see one learns of none: it is left out here, and its use fails by itself.
async fn uses(payload: &RequestPayload, target: &mut Target, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut used: Vec<(Operation, UniqueIdentifier)> = Vec::new();
    match payload {
        RequestPayload::Get(request) => given_out(&mut used, request, context).await?,
        // Who exports an object gets it.
        RequestPayload::Export(request) => {
            let unique_identifier = context.identifier(request.unique_identifier.as_ref())?;
            used.push((Operation::Get, UniqueIdentifier::Text(unique_identifier)));
            given_out(&mut used, &as_get(request), context).await?;
        }
        // Whoever has the parts has the whole, and the other way round.
        RequestPayload::CreateSplitKey(request) => {
            used.extend(
                request
                    .unique_identifier
                    .iter()
                    .map(|key| (Operation::Get, key.clone())),
            );
        }
        RequestPayload::JoinSplitKey(request) => {
            used.extend(
                request
                    .unique_identifiers
                    .iter()
                    .map(|part| (Operation::Get, part.clone())),
            );
        }
        RequestPayload::DeriveKey(request) => {
            let operation = match request.derivation_method {
                DerivationMethod::ENCRYPT => Operation::Encrypt,
                _ => Operation::MAC,
            };
            used.extend(request.unique_identifiers.iter().map(|base| (operation, base.clone())));
        }
        RequestPayload::Certify(request) => issues(request.attributes.as_ref(), target, context).await?,
        // Who renews its own certificate does what its tenant's operators do for it.
        RequestPayload::ReCertify(request) => match Box::pin(OwnCertificate::of_request(request, context)).await? {
            Some(own) => {
                target.records.push(own.id.key());
                target.also = Some(Operation::CertificateIssue);
            }
            None => issues(request.attributes.as_ref(), target, context).await?,
        },
        _ => {}
    }
    add(used, target, context).await
}

/// The keys by which an object is wrapped or unwrapped before it is given out.
async fn given_out(
    used: &mut Vec<(Operation, UniqueIdentifier)>,
    request: &GetRequest,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    if let Some(wrapping) = &request.key_wrapping_specification {
        let (encryption, authentication) = (
            &wrapping.encryption_key_information,
            &wrapping.mac_signature_key_information,
        );
        note(used, encryption.as_ref(), &[Operation::Encrypt]);
        note(used, authentication.as_ref(), &[Operation::MAC, Operation::Sign]);
    }
    if request.key_wrap_type == Some(KeyWrapType::NotWrapped) {
        let unique_identifier = context.identifier(request.unique_identifier.as_ref())?;
        let found = context
            .find(&unique_identifier)
            .await?
            .filter(|object| object.material.is_some());
        let managed = match &found {
            Some(object) => Some(context.open(object).await?),
            None => None,
        };
        note_unwrapping(used, managed.as_ref());
    }
    Ok(())
}

/// The keys that an object is unwrapped by, if it is wrapped.
fn note_unwrapping(used: &mut Vec<(Operation, UniqueIdentifier)>, managed: Option<&ManagedObject>) {
    let data = managed.and_then(|managed| managed.key_block()?.key_wrapping_data.as_ref());
    if let Some(data) = data {
        let (encryption, authentication) = (&data.encryption_key_information, &data.mac_signature_key_information);
        note(used, encryption.as_ref(), &[Operation::Decrypt]);
        let verifies = [Operation::MACVerify, Operation::SignatureVerify];
        note(used, authentication.as_ref(), &verifies);
    }
}

/// What an Import acts upon: the object that it replaces is destroyed by it, and has the labels of the new one from then on.
pub(super) async fn of_import(request: &ImportRequest, context: &mut Context<'_>) -> Result<Target, Failure> {
    let mut target = Target::default();
    let mut used = Vec::new();
    if let UniqueIdentifier::Text(unique_identifier) = &request.unique_identifier {
        let tenant = context.client()?.tenant;
        target.records.push(objects::key(tenant, unique_identifier));
        if let Some(existing) = context.find(unique_identifier).await? {
            target.description = Some(describe(&existing, context.seconds()));
            let before = of(&existing);
            let mut after = existing;
            after.attributes = AttributeSet::default();
            for instance in &request.attributes.0 {
                after.attributes.add(instance.attribute.clone());
            }
            used.push((Operation::Destroy, request.unique_identifier.clone()));
            target.relabels.push((before.clone(), of(&after)));
            target.objects.push(before);
        }
    }
    if request.key_wrap_type == Some(KeyWrapType::NotWrapped) {
        note_unwrapping(&mut used, Some(&request.object));
    }
    add(used, &mut target, context).await?;
    Ok(target)
}

/// Adds the objects that are used to a target.
async fn add(
    used: Vec<(Operation, UniqueIdentifier)>,
    target: &mut Target,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let tenant = context.client()?.tenant;
    for (operation, given) in used {
        let unique_identifier = context.identifier(Some(&given))?;
        if let Some(object) = context.find(&unique_identifier).await? {
            let key = objects::key(tenant, &unique_identifier);
            if !target.records.contains(&key) {
                target.records.push(key);
            }
            target.uses.push((operation, of(&object)));
        }
    }
    Ok(())
}

/// The key of the authority that issues. Where there is none, the request fails by itself.
async fn issues(
    template: Option<&TemplateAttribute>,
    target: &mut Target,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let Ok(asked) = Asked::of(context, template).await else {
        return Ok(());
    };
    let key = match Authority::of(context, &asked.attributes).await {
        Ok(authority) => authority.key.whole()?,
        Err(_) => return Ok(()),
    };
    target
        .records
        .push(objects::key(context.client()?.tenant, &key.unique_identifier));
    target.uses.push((Operation::Sign, of(&key)));
    Ok(())
}

fn note(used: &mut Vec<(Operation, UniqueIdentifier)>, information: Option<&KeyInformation>, as_in: &[Operation]) {
    let keys = information.into_iter().flat_map(|information| {
        let key = &information.unique_identifier;
        as_in.iter().map(move |operation| (*operation, key.clone()))
    });
    used.extend(keys);
}

fn of(object: &Object) -> TargetObject {
    let mut groups = Vec::new();
    let mut namespaces = Vec::new();
    for instance in object.attributes.iter() {
        match &instance.attribute {
            Attribute::ObjectGroup(group) => groups.push(group.clone()),
            Attribute::ApplicationSpecificInformation(of) => namespaces.push(of.application_namespace.clone()),
            _ => {}
        }
    }
    TargetObject {
        unique_identifier: object.unique_identifier.clone(),
        object_type: object.object_type,
        names: object.attributes.names().map(|name| name.name_value.clone()).collect(),
        groups,
        namespaces,
    }
}

/// Words for the approver: what it is, which one, in which state, and what it is called.
fn describe(object: &Object, now: i64) -> String {
    let mut words = format!("{:?} {} (", object.object_type, object.unique_identifier);
    match object.state(now) {
        Some(state) => words.push_str(&format!("{state:?}")),
        None => words.push_str("no state"),
    }
    if let Some(algorithm) = object.attributes.algorithm() {
        words.push_str(&format!(", {algorithm:?}"));
    }
    if let Some(length) = object.attributes.length() {
        words.push_str(&format!(" {length}"));
    }
    words.push(')');
    for name in object.attributes.names() {
        words.push_str(&format!(" \"{}\"", name.name_value));
    }
    words
}

/// What a proposal is bound to: which records it acts upon and, if it is bound exactly, their states. A record that does not exist counts
/// as absent; one that was deleted and made again is another.
pub async fn digest(records: &[Key], bind: BindTarget, context: &mut Context<'_>) -> Result<[u8; 32], Failure> {
    let mut digest = Digest::new(&SHA256);
    digest.update(b"target 2");
    let exactly = bind != BindTarget::Identifier;
    for key in records {
        digest.update(&key.domain.0);
        digest.update(&[key.kind.0]);
        digest.update(&key.id);
        match context.work.load(*key).await? {
            None => digest.update(&[0]),
            Some(record) if !exactly => {
                digest.update(&[3]);
                digest.update(&record.creation.to_be_bytes());
            }
            Some(record) if key.kind == OBJECT => {
                digest.update(&[1]);
                digest.update(&record.creation.to_be_bytes());
                digest.update(&lasting(records::open(&context.services.custody, &record)?)?);
            }
            Some(record) => {
                digest.update(&[2]);
                digest.update(&record.creation.to_be_bytes());
                digest.update(&record.revision.0.to_be_bytes());
            }
        }
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.finish().as_ref());
    Ok(bytes)
}

/// What of an object is acted upon: not how it is sealed, which the server renews by itself, nor whether it was served yet, nor when it was
/// last looked at: that a date of it has come changes no date.
fn lasting(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut object = Object::decode(body)?;
    let generation = object.material.take().map_or(0, |material| material.generation);
    object.attributes.clear(AttributeKind::Fresh);
    object.attributes.clear(AttributeKind::LastChangeDate);
    object.state_at = 0;
    object.former.clear();
    let mut bytes = object.encode();
    bytes.extend_from_slice(&generation.to_be_bytes());
    Ok(bytes)
}
