//! Operation policies (KMIP 1.4 §3.18): which of the clients that see an object may do what with it.
//!
//! There are two. Under the one that is kept as `application` every client of the object's application does everything: it governs whatever
//! nobody asked another for, and is told as `default`, by which clients look for what they made. Where `default` was asked for, the rules
//! of the clause hold: what is secret is its owner's alone, public keys and certificates are for all to read and to use. From 2.0 on the
//! attribute has no name, and holds all the same.

use crate::failure::{Failure, Fault};
use crate::objects::matching::{APPLICATIONS_POLICY, OWNERS_POLICY};
use crate::objects::{AttributeSet, Kept, Object};
use kmip_protocol::{Attribute, AttributeKind, ObjectType, Operation};

/// What only the owner of a public object does with it (KMIP 1.4 §3.18.2.2): whatever changes it, in later versions' words too.
const CHANGES: [Operation; 14] = [
    Operation::AddAttribute,
    Operation::ModifyAttribute,
    Operation::DeleteAttribute,
    Operation::SetAttribute,
    Operation::AdjustAttribute,
    Operation::Activate,
    Operation::Revoke,
    Operation::Destroy,
    Operation::Archive,
    Operation::Recover,
    Operation::Import,
    Operation::ReKey,
    Operation::ReKeyKeyPair,
    Operation::ReCertify,
];

/// Whether an object may be made under the policy that it names, if it names one.
///
/// # Errors
/// A policy that is not known here.
pub fn judge(attributes: &AttributeSet) -> Result<(), Failure> {
    match attributes.first(AttributeKind::OperationPolicyName) {
        Some(Attribute::OperationPolicyName(name))
            if ![OWNERS_POLICY, APPLICATIONS_POLICY].contains(&name.as_str()) =>
        {
            Err(Fault::InvalidAttributeValue.into())
        }
        _ => Ok(()),
    }
}

/// Whether this client may use an object of its application for an operation.
pub fn permits(kept: &Kept, client: [u8; 16], operation: Option<Operation>) -> Result<bool, Failure> {
    if kept.owner == client {
        return Ok(true);
    }
    let policy = kept.attributes.first(AttributeKind::OperationPolicyName)?;
    Ok(allows(policy.as_ref(), kept.object_type, operation))
}

/// The same of an object that is whole: whether Locate finds it.
pub fn shows(object: &Object, client: [u8; 16]) -> bool {
    let policy = object.attributes.first(AttributeKind::OperationPolicyName);
    object.owner == client || allows(policy, object.object_type, Some(Operation::Locate))
}

/// Whether somebody else than the owner may.
fn allows(policy: Option<&Attribute>, object_type: ObjectType, operation: Option<Operation>) -> bool {
    let owners = matches!(policy, Some(Attribute::OperationPolicyName(name)) if name == OWNERS_POLICY);
    let public = matches!(
        object_type,
        ObjectType::PublicKey | ObjectType::Certificate | ObjectType::CertificateRequest
    );
    !owners || public && operation.is_some_and(|operation| !CHANGES.contains(&operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_the_owners_and_what_is_public_is_read_by_all() {
        let policy = |name: &str| Attribute::OperationPolicyName(name.to_owned());
        let (owners, all) = (policy(OWNERS_POLICY), policy(APPLICATIONS_POLICY));
        for object_type in crate::operations::creation::KEPT {
            assert!(allows(Some(&all), object_type, Some(Operation::Destroy)));
            assert!(allows(None, object_type, Some(Operation::Destroy)));
            assert!(!allows(Some(&owners), object_type, Some(Operation::Destroy)));
            assert!(!allows(Some(&owners), object_type, None));
            let public = [
                ObjectType::PublicKey,
                ObjectType::Certificate,
                ObjectType::CertificateRequest,
            ];
            let reads = [
                Operation::Get,
                Operation::GetAttributes,
                Operation::Locate,
                Operation::Check,
            ];
            for operation in reads {
                let read = allows(Some(&owners), object_type, Some(operation));
                assert_eq!(read, public.contains(&object_type), "{operation} of {object_type}");
            }
        }
    }
}
