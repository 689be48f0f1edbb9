//! What a delegated ticket permits by name, before any object is looked at.

use crate::identity::TicketRights;
use kmip_protocol::Operation;

/// Whether a ticket's rights permit an operation. Of those that act on objects this judges the name alone: on which objects, that is
/// judged where they are found and made. Others a right permits that is confined to no objects. What waits is the client's own, which
/// no ticket submitted, so that none polls, hurries or cancels it; and so is what the server says to the client over its connection.
#[must_use]
pub fn permits(rights: &TicketRights, operation: Operation) -> bool {
    match operation {
        Operation::Poll
        | Operation::Process
        | Operation::Cancel
        | Operation::QueryAsynchronousRequests
        | Operation::SetEndpointRole => false,
        _ if acts_on_objects(operation) => rights.permit(operation),
        _ => rights.permit_any(operation),
    }
}

/// Whether an operation concerns nothing but objects that its handler finds or makes.
const fn acts_on_objects(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Create
            | Operation::CreateKeyPair
            | Operation::Register
            | Operation::ReKey
            | Operation::ReKeyKeyPair
            | Operation::DeriveKey
            | Operation::Certify
            | Operation::ReCertify
            | Operation::Locate
            | Operation::Check
            | Operation::Get
            | Operation::GetAttributes
            | Operation::GetAttributeList
            | Operation::AddAttribute
            | Operation::ModifyAttribute
            | Operation::DeleteAttribute
            | Operation::SetAttribute
            | Operation::AdjustAttribute
            | Operation::ObtainLease
            | Operation::GetUsageAllocation
            | Operation::Activate
            | Operation::Revoke
            | Operation::Destroy
            | Operation::Archive
            | Operation::Recover
            | Operation::Validate
            | Operation::Encrypt
            | Operation::Decrypt
            | Operation::Sign
            | Operation::SignatureVerify
            | Operation::MAC
            | Operation::MACVerify
            | Operation::CreateSplitKey
            | Operation::JoinSplitKey
            | Operation::Import
            | Operation::Export
    )
}
