//! Payloads that cannot be read: each operation refuses them with the reason of the error tables, in every version, and nothing changes.

use super::testing::TestHouse;
use crate::operations::CARRIED_OUT;
use kmip_protocol::{
    Operation, RequestHeader, RequestItem, RequestMessage, RequestPayload, ResponseItem, ResultReason, ResultStatus,
    Version, tag,
};
use kmip_ttlv::{Secret, Tag, Writer};

/// A tag that no version has.
const UNKNOWN: Tag = Tag(0x42_FF00);

async fn ask(house: &TestHouse, version: Version, operation: Operation, payload: impl Fn(&mut Writer)) -> ResponseItem {
    let mut items = Writer::new();
    payload(&mut items);
    let payload = RequestPayload::Unknown {
        operation,
        items: Secret::new(items.into_bytes()),
    };
    let message = RequestMessage {
        header: RequestHeader::new(version, 1),
        items: vec![RequestItem::new(payload)],
    };
    house.message(&message, &house.alice).await.items.remove(0)
}

#[tokio::test]
async fn a_payload_that_is_not_understood_changes_nothing() {
    let house = TestHouse::new().await;
    let key = house.create("k", Vec::new()).await;
    let before = house.all_rows().await;
    let mut count = 0;
    for version in Version::ALL {
        let own = CARRIED_OUT
            .iter()
            .copied()
            .filter(|operation| operation.0 < 0x8000_0000);
        for operation in own.filter(|operation| operation.is_spoken_in(version)) {
            let place = format!("{operation} in {version}");
            // KMIP 1.4 §11.1: "unknown field".
            let unknown = ask(&house, version, operation, |w| w.integer(UNKNOWN, 1)).await;
            let reasons = [Some(ResultReason::InvalidField), Some(ResultReason::InvalidMessage)];
            assert_eq!(unknown.result_status, ResultStatus::OperationFailed, "{place}");
            assert!(reasons.contains(&unknown.result_reason), "{place}");
            // §11.1: "Error parsing batch item or payload".
            let cut = ask(&house, version, operation, |w| {
                w.text(tag::UNIQUE_IDENTIFIER, &key);
                w.text(tag::UNIQUE_IDENTIFIER, &key);
            });
            let cut = cut.await;
            assert_eq!(cut.result_status, ResultStatus::OperationFailed, "{place}");
            count += 1;
        }
    }
    assert!(count > 150, "{count}");
    assert!(house.all_rows().await == before);
}

#[tokio::test]
async fn a_field_that_nobody_knows_and_one_that_stands_twice_are_told_apart() {
    let house = TestHouse::new().await;
    let key = house.create("k", Vec::new()).await;
    for version in Version::ALL {
        let unknown = ask(&house, version, Operation::Activate, |w| {
            w.text(tag::UNIQUE_IDENTIFIER, &key);
            w.integer(UNKNOWN, 1);
        });
        assert_eq!(
            unknown.await.result_reason,
            Some(ResultReason::InvalidField),
            "{version}"
        );
        let twice = ask(&house, version, Operation::Activate, |w| {
            w.text(tag::UNIQUE_IDENTIFIER, &key);
            w.text(tag::UNIQUE_IDENTIFIER, &key);
        });
        assert_eq!(
            twice.await.result_reason,
            Some(ResultReason::InvalidMessage),
            "{version}"
        );
        let wrong = ask(&house, version, Operation::Activate, |w| {
            w.integer(tag::UNIQUE_IDENTIFIER, 1)
        });
        let expected = match wrong.await.result_reason {
            // From 2.0 on a number is an identifier by position.
            Some(ResultReason::ObjectNotFound | ResultReason::ItemNotFound) => version.has_tagged_attributes(),
            Some(ResultReason::InvalidMessage) => true,
            _ => false,
        };
        assert!(expected, "{version}");
    }
}

/// What every operation says of a value that nobody knows: of a field, and of an attribute.
#[tokio::test]
async fn a_value_that_nobody_knows_is_refused_by_every_operation() {
    const NOBODYS: u32 = 0x0FFF_FFFF;
    let house = TestHouse::new().await;
    house.create("k", Vec::new()).await;
    let before = house.all_rows().await;
    let mut count = 0;
    for version in Version::ALL {
        let own = CARRIED_OUT.iter().copied().filter(|one| one.0 < 0x8000_0000);
        for operation in own.filter(|operation| operation.is_spoken_in(version)) {
            let place = format!("{operation} in {version}");
            let told = ask(&house, version, operation, |w| {
                w.enumeration(tag::UNIQUE_IDENTIFIER, NOBODYS)
            })
            .await;
            assert_eq!(told.result_reason, Some(ResultReason::InvalidField), "{place}");
            let told = ask(&house, version, operation, |w| {
                if version.has_tagged_attributes() {
                    w.structure(tag::ATTRIBUTES, |w| w.enumeration(tag::STATE, NOBODYS));
                } else {
                    w.structure(tag::TEMPLATE_ATTRIBUTE, |w| {
                        w.structure(tag::ATTRIBUTE, |w| {
                            w.text(tag::ATTRIBUTE_NAME, "State");
                            w.enumeration(tag::ATTRIBUTE_VALUE, NOBODYS);
                        });
                    });
                }
            });
            let expected = ResultReason::InvalidAttributeValue.for_version(version);
            assert_eq!(told.await.result_reason, Some(expected), "{place}");
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
    assert!(house.all_rows().await == before);
}

/// Writes the payload of a request about a key.
type Say = fn(&mut Writer, &str);

/// Numbers that are less than nothing, where nothing is the least.
#[tokio::test]
async fn a_number_out_of_range_is_refused() {
    let house = TestHouse::new().await;
    let key = house.create("k", Vec::new()).await;
    let before = house.all_rows().await;
    let rows: &[(Operation, ResultReason, Say)] = &[
        (Operation::Locate, ResultReason::InvalidField, |w, _| {
            w.integer(tag::MAXIMUM_ITEMS, -1)
        }),
        (Operation::Locate, ResultReason::InvalidField, |w, _| {
            w.integer(tag::OFFSET_ITEMS, -1)
        }),
        (Operation::RNGRetrieve, ResultReason::InvalidField, |w, _| {
            w.integer(tag::DATA_LENGTH, -1)
        }),
        (Operation::Check, ResultReason::InvalidField, |w, key| {
            w.text(tag::UNIQUE_IDENTIFIER, key);
            w.long_integer(tag::USAGE_LIMITS_COUNT, -1);
        }),
        (Operation::GetUsageAllocation, ResultReason::InvalidField, |w, key| {
            w.text(tag::UNIQUE_IDENTIFIER, key);
            w.long_integer(tag::USAGE_LIMITS_COUNT, -1);
        }),
        (Operation::Login, ResultReason::InvalidField, |w, _| {
            w.integer(tag::REQUEST_COUNT, -1)
        }),
        (Operation::Create, ResultReason::InvalidAttributeValue, |w, _| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            w.structure(tag::ATTRIBUTES, |w| {
                w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
                w.integer(tag::CRYPTOGRAPHIC_LENGTH, -128);
                w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 4);
            });
        }),
        (Operation::Create, ResultReason::InvalidAttributeValue, |w, _| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            w.structure(tag::ATTRIBUTES, |w| {
                w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
                w.integer(tag::CRYPTOGRAPHIC_LENGTH, 128);
                w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, -1);
            });
        }),
        (
            Operation::CreateSplitKey,
            ResultReason::BadCryptographicParameters,
            |w, key| {
                w.enumeration(tag::OBJECT_TYPE, 5);
                w.text(tag::UNIQUE_IDENTIFIER, key);
                w.integer(tag::SPLIT_KEY_PARTS, -3);
                w.integer(tag::SPLIT_KEY_THRESHOLD, -3);
                w.enumeration(tag::SPLIT_KEY_METHOD, 1);
                w.structure(tag::ATTRIBUTES, |_| {});
            },
        ),
        (
            Operation::AddAttribute,
            ResultReason::InvalidAttributeValue,
            |w, key| {
                w.text(tag::UNIQUE_IDENTIFIER, key);
                w.structure(tag::NEW_ATTRIBUTE, |w| {
                    w.structure(tag::USAGE_LIMITS, |w| w.long_integer(tag::USAGE_LIMITS_TOTAL, -1));
                });
            },
        ),
    ];
    for (operation, reason, say) in rows {
        let told = ask(&house, Version::NEWEST, *operation, |w| say(w, &key)).await;
        assert_eq!(told.result_reason, Some(*reason), "{operation}");
    }
    assert!(house.all_rows().await == before);
}
