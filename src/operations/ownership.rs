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
const CHANGES: [Operation; 15] = [
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
    Operation::Certify,
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

/// Whether a client may change an object that it uses: one that is another's alone gets no Links by it.
pub fn may_change(object: &Object, client: [u8; 16]) -> bool {
    object.owner == client || !is_owners(object.attributes.first(AttributeKind::OperationPolicyName))
}

fn is_owners(policy: Option<&Attribute>) -> bool {
    matches!(policy, Some(Attribute::OperationPolicyName(name)) if name == OWNERS_POLICY)
}

/// Whether somebody else than the owner may.
fn allows(policy: Option<&Attribute>, object_type: ObjectType, operation: Option<Operation>) -> bool {
    let public = matches!(
        object_type,
        ObjectType::PublicKey | ObjectType::Certificate | ObjectType::CertificateRequest
    );
    !is_owners(policy) || public && operation.is_some_and(|operation| !CHANGES.contains(&operation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::CARRIED_OUT;

    /// What reads an object or uses it, and leaves it as it is.
    const USES: [Operation; 20] = [
        Operation::Locate,
        Operation::Check,
        Operation::Get,
        Operation::GetAttributes,
        Operation::GetAttributeList,
        Operation::ObtainLease,
        Operation::GetUsageAllocation,
        Operation::Validate,
        Operation::Export,
        Operation::Encrypt,
        Operation::Decrypt,
        Operation::Sign,
        Operation::SignatureVerify,
        Operation::MAC,
        Operation::MACVerify,
        Operation::CreateSplitKey,
        Operation::JoinSplitKey,
        // The base gets a Link, unless it is another's.
        Operation::DeriveKey,
        // Wrapped by a key, or said to be linked with it.
        Operation::Register,
        Operation::Create,
    ];

    /// What acts upon no object that there is.
    const WITHOUT_OBJECT: [Operation; 24] = [
        Operation::CreateKeyPair,
        Operation::Query,
        Operation::DiscoverVersions,
        Operation::Cancel,
        Operation::Poll,
        Operation::Process,
        Operation::QueryAsynchronousRequests,
        Operation::RNGRetrieve,
        Operation::RNGSeed,
        Operation::Hash,
        Operation::PKCS_11,
        Operation::Login,
        Operation::Logout,
        Operation::DelegatedLogin,
        Operation::SetDefaults,
        Operation::SetConstraints,
        Operation::GetConstraints,
        Operation::Log,
        Operation::Interop,
        Operation::Ping,
        Operation::SetEndpointRole,
        Operation::Notify,
        Operation::Put,
        Operation::ReProvision,
    ];

    #[test]
    fn of_every_operation_it_is_said_whether_it_changes_an_object() {
        for operation in CARRIED_OUT.iter().filter(|operation| operation.0 < 0x8000_0000) {
            let lists: [&[Operation]; 3] = [&CHANGES, &USES, &WITHOUT_OBJECT];
            let said = lists.iter().filter(|list| list.contains(operation)).count();
            assert_eq!(said, 1, "{operation}");
        }
    }

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
