//! Faulty requests: what can be understood survives, the rest is an error with its place, nothing panics.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use kmip_protocol::{
    ActivateRequest, CreateRequest, GetRequest, KeyWrapType, ObjectType, Operation, QueryRequest, RequestError,
    RequestHeader, RequestItem, RequestMessage, RequestPayload, Version, tag,
};
use kmip_ttlv::{ErrorKind, Tag, Writer};
use proptest::prelude::*;

fn written(message: &RequestMessage) -> Vec<u8> {
    let mut writer = Writer::new();
    message.write(&mut writer);
    writer.into_bytes()
}

fn refused(bytes: &[u8]) -> Box<RequestError> {
    match RequestMessage::read(bytes) {
        Ok(_) => panic!("was read"),
        Err(error) => error,
    }
}

/// A request message written by hand: version numbers, batch count, then the items.
fn by_hand(major: i32, minor: Option<i32>, count: i32, items: impl Fn(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.structure(tag::REQUEST_MESSAGE, |w| {
        w.structure(tag::REQUEST_HEADER, |w| {
            w.structure(tag::PROTOCOL_VERSION, |w| {
                w.integer(tag::PROTOCOL_VERSION_MAJOR, major);
                if let Some(minor) = minor {
                    w.integer(tag::PROTOCOL_VERSION_MINOR, minor);
                }
            });
            w.integer(tag::BATCH_COUNT, count);
        });
        items(w);
    });
    writer.into_bytes()
}

fn item(writer: &mut Writer, operation: u32, payload: impl Fn(&mut Writer)) {
    writer.structure(tag::BATCH_ITEM, |w| {
        w.enumeration(tag::OPERATION, operation);
        w.bytes(tag::UNIQUE_BATCH_ITEM_ID, &[1]);
        w.structure(tag::REQUEST_PAYLOAD, |w| payload(w));
    });
}

#[test]
fn an_unsupported_version_is_told_with_its_numbers() {
    for (major, minor) in [(1, 5), (3, 0), (2, 2), (0, 9), (i32::MAX, -1)] {
        let error = refused(&by_hand(major, Some(minor), 0, |_| {}));
        assert_eq!(error.error.kind(), ErrorKind::Version);
        let numbers = error.protocol_version.unwrap();
        assert_eq!((numbers.major, numbers.minor), (major, Some(minor)));
        assert!(error.header.is_none());
    }
}

#[test]
fn a_missing_minor_version_is_zero() {
    let bytes = by_hand(1, None, 1, |w| item(w, 0x12, |_| {}));
    let Ok(message) = RequestMessage::read(&bytes) else {
        panic!("not read")
    };
    assert_eq!(message.version(), Version::V1_0);
    assert_eq!(written(&message), bytes);
}

#[test]
fn a_malformed_payload_spoils_its_own_item_only() {
    let bytes = by_hand(2, Some(1), 3, |w| {
        item(w, Operation::Activate.0, |_| {});
        item(w, Operation::Create.0, |w| w.boolean(tag::OBJECT_TYPE, true));
        item(w, Operation::Query.0, |_| {});
    });
    let Ok(message) = RequestMessage::read(&bytes) else {
        panic!("not read")
    };
    assert!(message.items[0].payload == Ok(ActivateRequest::default().into()));
    assert!(message.items[2].payload == Ok(QueryRequest::default().into()));
    let faulty = &message.items[1];
    assert_eq!(faulty.operation, Some(Operation::Create));
    assert_eq!(faulty.unique_batch_item_id.as_deref(), Some([1].as_slice()));
    let error = faulty.payload.as_ref().err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::WrongType { .. }));
    assert_eq!(
        error.path().collect::<Vec<_>>(),
        [tag::BATCH_ITEM, tag::REQUEST_PAYLOAD, tag::OBJECT_TYPE]
    );
}

#[test]
fn extensions_are_read_beside_a_payload_that_cannot_be() {
    let extension = |w: &mut Writer, vendor: &str| {
        w.structure(tag::MESSAGE_EXTENSION, |w| {
            w.text(tag::VENDOR_IDENTIFICATION, vendor);
            w.boolean(tag::CRITICALITY_INDICATOR, true);
            w.structure(tag::VENDOR_EXTENSION, |_| {});
        });
    };
    let faulty = |w: &mut Writer| w.structure(tag::REQUEST_PAYLOAD, |w| w.boolean(tag::OBJECT_TYPE, true));
    let bytes = by_hand(2, Some(1), 2, |w| {
        w.structure(tag::BATCH_ITEM, |w| {
            w.enumeration(tag::OPERATION, Operation::Create.0);
            faulty(w);
            extension(w, "somebody");
        });
        w.structure(tag::BATCH_ITEM, |w| {
            w.enumeration(tag::OPERATION, Operation::Create.0);
            faulty(w);
            w.boolean(tag::MESSAGE_EXTENSION, true);
        });
    });
    let Ok(message) = RequestMessage::read(&bytes) else {
        panic!("not read")
    };
    let told: Vec<_> = message.items[0].message_extensions.iter().collect();
    assert!(told.len() == 1 && told[0].criticality_indicator && told[0].vendor_identification == "somebody");
    assert!(message.items[1].message_extensions.is_empty());
    for item in &message.items {
        let error = item.payload.as_ref().err().unwrap();
        assert!(error.path().any(|tag| tag == tag::OBJECT_TYPE));
    }
}

#[test]
fn a_message_of_empty_items_is_not_read_to_its_end() {
    let many = 100_000;
    let message = by_hand(2, Some(1), many, |w| {
        for _ in 0..many {
            w.structure(tag::BATCH_ITEM, |_| {});
        }
    });
    let error = refused(&message);
    assert!(matches!(error.error.kind(), ErrorKind::Invalid(_)));
    assert_eq!(error.items.len(), 10_000);
}

#[test]
fn an_item_without_operation_is_an_item_with_an_error() {
    let bytes = by_hand(1, Some(2), 1, |w| w.structure(tag::BATCH_ITEM, |_| {}));
    let Ok(message) = RequestMessage::read(&bytes) else {
        panic!("not read")
    };
    assert_eq!(message.items[0].operation, None);
    assert!(message.items[0].payload.is_err());
}

#[test]
fn fields_of_a_later_major_version_and_unknown_fields_are_refused() {
    let of_1_4 = RequestMessage::single(
        Version::V1_4,
        GetRequest {
            key_wrap_type: Some(KeyWrapType::NotWrapped),
            ..GetRequest::default()
        },
    );
    assert!(RequestMessage::read(&written(&of_1_4)).is_ok_and(|m| m == of_1_4));
    let payload = |w: &mut Writer| w.enumeration(tag::KEY_WRAP_TYPE, 1);
    // A later minor version's field is processed (KMIP 1.4 §11.1): clients send what they have.
    for minor in [0, 3, 4] {
        let bytes = by_hand(1, Some(minor), 1, |w| item(w, Operation::Get.0, payload));
        let Ok(message) = RequestMessage::read(&bytes) else {
            panic!("not read")
        };
        let Ok(RequestPayload::Get(get)) = &message.items[0].payload else {
            panic!("refused in 1.{minor}")
        };
        assert_eq!(get.key_wrap_type, Some(KeyWrapType::NotWrapped));
    }
    let later = |w: &mut Writer| w.structure(tag::ATTRIBUTES, |_| {});
    let bytes = by_hand(1, Some(4), 1, |w| item(w, Operation::Locate.0, later));
    assert!(RequestMessage::read(&bytes).is_ok_and(|m| m.items[0].payload.is_err()));
    let bytes = by_hand(2, Some(1), 1, |w| {
        item(w, Operation::Activate.0, |w| w.integer(Tag(0x42_FF00), 1))
    });
    let Ok(message) = RequestMessage::read(&bytes) else {
        panic!("not read")
    };
    let kind = message.items[0].payload.as_ref().err().unwrap().kind();
    assert_eq!(kind, ErrorKind::Unexpected(Some(Tag(0x42_FF00))));
}

#[test]
fn fields_out_of_order_or_twice_are_refused() {
    let twice = |w: &mut Writer| {
        w.text(tag::UNIQUE_IDENTIFIER, "1");
        w.text(tag::UNIQUE_IDENTIFIER, "2");
    };
    let out_of_order = |w: &mut Writer| {
        w.enumeration(tag::KEY_FORMAT_TYPE, 1);
        w.text(tag::UNIQUE_IDENTIFIER, "1");
    };
    let payloads: [&dyn Fn(&mut Writer); 2] = [&twice, &out_of_order];
    for payload in payloads {
        let bytes = by_hand(1, Some(4), 1, |w| item(w, Operation::Get.0, payload));
        let Ok(message) = RequestMessage::read(&bytes) else {
            panic!("not read")
        };
        assert!(message.items[0].payload.is_err());
    }
}

#[test]
fn operations_that_the_version_lacks_keep_their_items() {
    for (minor, operation) in [
        (0, Operation::Encrypt),
        (4, Operation::Ping),
        (2, Operation(0x8001_0001)),
    ] {
        let bytes = by_hand(1, Some(minor), 1, |w| {
            item(w, operation.0, |w| w.integer(tag::DATA_LENGTH, 7))
        });
        let Ok(message) = RequestMessage::read(&bytes) else {
            panic!("not read")
        };
        let payload = message.items[0].payload.as_ref().ok().unwrap();
        assert!(matches!(payload, RequestPayload::Unknown { .. }));
        assert_eq!(payload.operation(), operation);
        assert_eq!(written(&message), bytes);
    }
}

#[test]
fn a_client_may_negotiate_at_1_0() {
    let bytes = by_hand(1, Some(0), 1, |w| item(w, Operation::DiscoverVersions.0, |_| {}));
    let Ok(message) = RequestMessage::read(&bytes) else {
        panic!("not read")
    };
    assert!(matches!(
        message.items[0].payload,
        Ok(RequestPayload::DiscoverVersions(_))
    ));
}

#[test]
fn a_wrong_batch_count_leaves_header_and_items() {
    for count in [0, 2, -1, i32::MAX] {
        let error = refused(&by_hand(1, Some(2), count, |w| item(w, Operation::Query.0, |_| {})));
        assert_eq!(error.header.as_ref().unwrap().batch_count, count);
        assert_eq!(error.items.len(), 1);
        assert!(matches!(error.error.kind(), ErrorKind::Invalid(_)));
    }
}

#[test]
fn a_message_cut_off_is_an_error_at_every_length() {
    let mut message = RequestMessage {
        header: RequestHeader::new(Version::V2_0, 2),
        items: vec![
            RequestItem::new(ActivateRequest::default()),
            RequestItem::new(QueryRequest::default()),
        ],
    };
    message.header.client_correlation_value = Some("x".into());
    let bytes = written(&message);
    assert!(RequestMessage::read(&bytes).is_ok());
    for length in 0..bytes.len() {
        refused(&bytes[..length]);
    }
    let mut longer = bytes;
    longer.extend_from_slice(&[0; 8]);
    refused(&longer);
}

#[test]
fn nothing_is_written_for_an_item_that_was_not_read() {
    let bytes = by_hand(1, Some(2), 1, |w| item(w, Operation::Create.0, |_| {}));
    let Ok(message) = RequestMessage::read(&bytes) else {
        panic!("not read")
    };
    assert!(message.items[0].payload.is_err());
    assert!(written(&message).len() < bytes.len());
}

fn example() -> Vec<u8> {
    let create = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Default::default(),
        protection_storage_masks: None,
    };
    let mut message = RequestMessage::single(Version::V1_4, create);
    message.items.push(RequestItem::new(GetRequest {
        unique_identifier: Some("1".into()),
        ..GetRequest::default()
    }));
    message.header.batch_count = 2;
    written(&message)
}

proptest! {
    #[test]
    fn changed_bytes_never_panic_and_what_is_read_can_be_written(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = example();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(message) = RequestMessage::read(&bytes) {
            let again = RequestMessage::read(&written(&message));
            prop_assert!(again.is_ok() || message.items.iter().any(|i| i.payload.is_err()));
        }
    }
}
