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
            // A person's: refused before it is looked at.
            if matches!(operation, Operation::Login | Operation::Logout) {
                continue;
            }
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
