//! Which objects each operation acts upon, by the rows of the document: told by the server.

use super::samples::{self, registered};
use super::testing::{BEGIN, TestHouse, batch};
use crate::operations::coverage::COVERAGE;
use kmip_protocol::{
    Attribute, AttributeKind, CryptographicUsageMask, DateTime, ObjectType, Operation, RequestItem, RequestPayload,
    ResultReason, Version, tag,
};
use kmip_ttlv::{Secret, Writer};

fn hmac(w: &mut Writer) {
    w.structure(tag::CRYPTOGRAPHIC_PARAMETERS, |w| {
        w.enumeration(tag::HASHING_ALGORITHM, 6)
    });
}

/// What a request says beside its object: as much as is needed to be told of the object.
fn rest(operation: Operation) -> Option<fn(&mut Writer)> {
    let data: fn(&mut Writer) = |w| w.bytes(tag::DATA, &[1; 16]);
    Some(match operation {
        Operation::Encrypt | Operation::Sign => data,
        Operation::MAC => |w| {
            hmac(w);
            w.bytes(tag::DATA, &[1; 16]);
        },
        Operation::Decrypt => |w| {
            w.bytes(tag::DATA, &[1; 16]);
            w.bytes(tag::IV_COUNTER_NONCE, &[1; 16]);
        },
        Operation::SignatureVerify => |w| {
            w.bytes(tag::DATA, &[1; 16]);
            w.bytes(tag::SIGNATURE_DATA, &[1; 16]);
        },
        Operation::MACVerify => |w| {
            hmac(w);
            w.bytes(tag::DATA, &[1; 16]);
            w.bytes(tag::MAC_DATA, &[1; 16]);
        },
        Operation::GetUsageAllocation => |w| w.long_integer(tag::USAGE_LIMITS_COUNT, 0),
        Operation::Revoke => |w| {
            w.structure(tag::REVOCATION_REASON, |w| {
                w.enumeration(tag::REVOCATION_REASON_CODE, 1)
            });
        },
        Operation::Certify => |w| w.structure(tag::ATTRIBUTES, |w| w.enumeration(tag::CERTIFICATE_TYPE, 1)),
        Operation::ReKey
        | Operation::ReCertify
        | Operation::Check
        | Operation::Get
        | Operation::GetAttributes
        | Operation::GetAttributeList
        | Operation::ObtainLease
        | Operation::Activate
        | Operation::Destroy
        | Operation::Archive
        | Operation::Recover
        | Operation::Validate
        | Operation::Export => |_| {},
        _ => return None,
    })
}

#[tokio::test]
async fn operations_act_upon_the_objects_of_their_rows() {
    let house = TestHouse::new().await;
    let (mut acted, mut refused, mut wrong) = (0, 0, Vec::new());
    for row in COVERAGE {
        let Some(rest) = rest(row.operation) else { continue };
        for object_type in samples::TYPES.into_iter().filter(|one| *one != ObjectType::Template) {
            let mut attributes = vec![Attribute::ActivationDate(DateTime(BEGIN - 10))];
            if AttributeKind::CryptographicUsageMask
                .rules()
                .applies_to
                .contains(object_type)
            {
                let all = CryptographicUsageMask::ALL.iter();
                let all = all.fold(CryptographicUsageMask::NONE, |all, one| all | *one);
                attributes.push(Attribute::CryptographicUsageMask(all));
            }
            let object = registered(&house, object_type, attributes).await;
            let mut payload = Writer::new();
            payload.text(tag::UNIQUE_IDENTIFIER, &object);
            rest(&mut payload);
            let payload = RequestPayload::Unknown {
                operation: row.operation,
                items: Secret::new(payload.into_bytes()),
            };
            let message = batch(Version::NEWEST, vec![RequestItem::new(payload)]);
            let told = house
                .message(&message, &house.alice)
                .await
                .items
                .remove(0)
                .result_reason;
            // Who has no usage mask may be used for nothing.
            let of_another_type = [
                Some(ResultReason::InvalidObjectType),
                Some(ResultReason::IncompatibleCryptographicUsageMask),
            ];
            // What says nothing of the object is no answer to the question.
            let beside = [
                Some(ResultReason::OperationNotSupported),
                Some(ResultReason::ObjectNotFound),
                Some(ResultReason::InvalidMessage),
            ];
            let permitted = !of_another_type.contains(&told);
            if beside.contains(&told) || permitted != row.object_types.contains(&object_type) {
                wrong.push(format!("{} of {object_type}: {told:?}", row.operation));
            }
            acted += usize::from(permitted);
            refused += usize::from(!permitted);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(acted > 100 && refused > 50, "{acted} {refused}");
}
