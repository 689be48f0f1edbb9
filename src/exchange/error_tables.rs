//! The error tables of the specification (KMIP 2.1 §6.1): each reason that can be provoked is, and what cannot stands in a list that says
//! why.

use super::testing::{BEGIN, TestHouse};
use crate::identity::{ClientLimits, Principal};
use crate::operations::CARRIED_OUT;
use crate::operations::unprovoked::{OF_ALL, OF_ONE};
use kmip_protocol::{
    AnyValue, Attribute, DateTime, MessageExtension, Operation, Operations, RequestHeader, RequestItem, RequestMessage,
    RequestPayload, ResultReason, TenantSettings, Version, tag,
};
use kmip_ttlv::{Secret, Tag, Writer};
use std::sync::Arc;

/// What requests are about.
struct Things {
    /// A key with two Object Groups, a Comment, a Name; Pre-Active.
    key: String,
    /// Another, which is called `taken`.
    active: String,
    /// One that is Deactivated.
    deactivated: String,
}

async fn things(house: &TestHouse) -> Things {
    let group = |name: &str| Attribute::ObjectGroup(name.into());
    let more = vec![
        group("a"),
        group("b"),
        Attribute::Comment("c".into()),
        Attribute::ProtectionPeriod(kmip_protocol::Interval(u32::MAX)),
    ];
    let begun = Attribute::ActivationDate(DateTime(BEGIN - 10));
    let over = Attribute::DeactivationDate(DateTime(BEGIN - 5));
    Things {
        key: house.create("own", more).await,
        active: house.create("taken", vec![begun.clone()]).await,
        deactivated: house.create("", vec![begun, over]).await,
    }
}

type Say = fn(&mut Writer, &Things);

fn key(w: &mut Writer, it: &Things) {
    w.text(tag::UNIQUE_IDENTIFIER, &it.key);
}

fn active(w: &mut Writer, it: &Things) {
    w.text(tag::UNIQUE_IDENTIFIER, &it.active);
}

fn nobody(w: &mut Writer, _: &Things) {
    w.text(tag::UNIQUE_IDENTIFIER, "nobody");
}

fn new(w: &mut Writer, what: impl Fn(&mut Writer)) {
    w.structure(tag::NEW_ATTRIBUTE, |w| what(w));
}

fn comment(w: &mut Writer) {
    w.text(tag::COMMENT, "d");
}

fn taken(w: &mut Writer) {
    w.structure(tag::NAME, |w| {
        w.text(tag::NAME_VALUE, "taken");
        w.enumeration(tag::NAME_TYPE, 1);
    });
}

fn date(w: &mut Writer, tag: Tag) {
    w.date_time(tag, BEGIN + 100);
}

fn adjust(w: &mut Writer, attribute: Tag, kind: u32) {
    w.enumeration(tag::ATTRIBUTE_REFERENCE, attribute.0);
    w.enumeration(tag::ADJUSTMENT_TYPE, kind);
}

/// A key of this length, with more.
fn made(w: &mut Writer, length: i32, more: impl Fn(&mut Writer)) {
    w.enumeration(tag::OBJECT_TYPE, 2);
    w.structure(tag::ATTRIBUTES, |w| {
        w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
        w.integer(tag::CRYPTOGRAPHIC_LENGTH, length);
        w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 4);
        more(w);
    });
}

/// A pair of keys of this length, with more.
fn pair(w: &mut Writer, length: i32, more: impl Fn(&mut Writer)) {
    w.structure(tag::COMMON_ATTRIBUTES, |w| {
        w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 0x1A);
        w.integer(tag::CRYPTOGRAPHIC_LENGTH, length);
        w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 1);
        more(w);
    });
}

fn hardware(w: &mut Writer, tag: Tag) {
    w.structure(tag, |w| w.integer(tag::PROTECTION_STORAGE_MASK, 2));
}

const NOWHERE: Tag = Tag(0x42_FF00);

/// Operation, reason, and how it is provoked.
const PROVOKED: &[(Operation, ResultReason, Say)] = &[
    (Operation::AddAttribute, ResultReason::AttributeSingleValued, |w, it| {
        key(w, it);
        new(w, comment);
    }),
    (Operation::AddAttribute, ResultReason::InvalidAttribute, |w, it| {
        key(w, it);
        new(w, |w| w.integer(NOWHERE, 1));
    }),
    (
        Operation::AddAttribute,
        ResultReason::NonUniqueNameAttribute,
        |w, it| {
            key(w, it);
            new(w, taken);
        },
    ),
    (Operation::AddAttribute, ResultReason::ObjectNotFound, |w, it| {
        nobody(w, it);
        new(w, comment);
    }),
    (Operation::AddAttribute, ResultReason::ReadOnlyAttribute, |w, it| {
        key(w, it);
        new(w, |w| date(w, tag::DESTROY_DATE));
    }),
    (
        Operation::AddAttribute,
        ResultReason::WrongKeyLifecycleState,
        |w, it| {
            w.text(tag::UNIQUE_IDENTIFIER, &it.deactivated);
            new(w, |w| date(w, tag::PROTECT_STOP_DATE));
        },
    ),
    (Operation::AdjustAttribute, ResultReason::InvalidDataType, |w, it| {
        key(w, it);
        adjust(w, tag::COMMENT, 1);
    }),
    (Operation::AdjustAttribute, ResultReason::ItemNotFound, |w, it| {
        nobody(w, it);
        adjust(w, tag::PROTECTION_PERIOD, 1);
    }),
    (
        Operation::AdjustAttribute,
        ResultReason::MultiValuedAttribute,
        |w, it| {
            key(w, it);
            adjust(w, tag::OBJECT_GROUP, 1);
        },
    ),
    (Operation::AdjustAttribute, ResultReason::NumericRange, |w, it| {
        key(w, it);
        adjust(w, tag::PROTECTION_PERIOD, 1);
    }),
    (Operation::AdjustAttribute, ResultReason::ReadOnlyAttribute, |w, it| {
        key(w, it);
        adjust(w, tag::CRYPTOGRAPHIC_LENGTH, 1);
    }),
    (
        Operation::AdjustAttribute,
        ResultReason::UnsupportedAttribute,
        |w, it| {
            key(w, it);
            adjust(w, NOWHERE, 1);
        },
    ),
    (
        Operation::AdjustAttribute,
        ResultReason::WrongKeyLifecycleState,
        |w, it| {
            active(w, it);
            adjust(w, tag::ACTIVATION_DATE, 1);
        },
    ),
    (Operation::SetAttribute, ResultReason::InvalidAttributeValue, |w, it| {
        key(w, it);
        new(w, |w| {
            w.structure(tag::USAGE_LIMITS, |w| w.long_integer(tag::USAGE_LIMITS_TOTAL, -1))
        });
    }),
    (Operation::SetAttribute, ResultReason::MultiValuedAttribute, |w, it| {
        key(w, it);
        new(w, |w| w.text(tag::OBJECT_GROUP, "c"));
    }),
    (
        Operation::SetAttribute,
        ResultReason::NonUniqueNameAttribute,
        |w, it| {
            key(w, it);
            new(w, taken);
        },
    ),
    (Operation::SetAttribute, ResultReason::ObjectNotFound, |w, it| {
        nobody(w, it);
        new(w, comment);
    }),
    (Operation::SetAttribute, ResultReason::ReadOnlyAttribute, |w, it| {
        key(w, it);
        new(w, |w| date(w, tag::INITIAL_DATE));
    }),
    (
        Operation::SetAttribute,
        ResultReason::WrongKeyLifecycleState,
        |w, it| {
            active(w, it);
            new(w, |w| date(w, tag::ACTIVATION_DATE));
        },
    ),
    (
        Operation::ModifyAttribute,
        ResultReason::AttributeInstanceNotFound,
        |w, it| {
            key(w, it);
            w.structure(tag::CURRENT_ATTRIBUTE, |w| w.text(tag::OBJECT_GROUP, "z"));
            new(w, |w| w.text(tag::OBJECT_GROUP, "c"));
        },
    ),
    (Operation::ModifyAttribute, ResultReason::AttributeNotFound, |w, it| {
        key(w, it);
        new(w, |w| w.text(tag::DESCRIPTION, "d"));
    }),
    (Operation::ModifyAttribute, ResultReason::AttributeReadOnly, |w, it| {
        key(w, it);
        new(w, |w| w.enumeration(tag::STATE, 2));
    }),
    (
        Operation::ModifyAttribute,
        ResultReason::NonUniqueNameAttribute,
        |w, it| {
            key(w, it);
            new(w, taken);
        },
    ),
    (Operation::ModifyAttribute, ResultReason::ObjectNotFound, |w, it| {
        nobody(w, it);
        new(w, comment);
    }),
    (
        Operation::ModifyAttribute,
        ResultReason::WrongKeyLifecycleState,
        |w, it| {
            active(w, it);
            new(w, |w| date(w, tag::ACTIVATION_DATE));
        },
    ),
    (
        Operation::DeleteAttribute,
        ResultReason::AttributeInstanceNotFound,
        |w, it| {
            key(w, it);
            w.structure(tag::CURRENT_ATTRIBUTE, |w| w.text(tag::OBJECT_GROUP, "z"));
        },
    ),
    (Operation::DeleteAttribute, ResultReason::AttributeNotFound, |w, it| {
        key(w, it);
        w.enumeration(tag::ATTRIBUTE_REFERENCE, tag::DESCRIPTION.0);
    }),
    (Operation::DeleteAttribute, ResultReason::AttributeReadOnly, |w, it| {
        key(w, it);
        w.enumeration(tag::ATTRIBUTE_REFERENCE, tag::STATE.0);
    }),
    (Operation::DeleteAttribute, ResultReason::ObjectNotFound, |w, it| {
        nobody(w, it);
        w.enumeration(tag::ATTRIBUTE_REFERENCE, tag::COMMENT.0);
    }),
    (Operation::GetAttributes, ResultReason::ObjectNotFound, nobody),
    (Operation::GetAttributeList, ResultReason::ObjectNotFound, nobody),
    (Operation::Locate, ResultReason::InvalidAttribute, |w, _| {
        w.structure(tag::ATTRIBUTES, |w| w.integer(NOWHERE, 1))
    }),
    (Operation::Create, ResultReason::AttributeReadOnly, |w, _| {
        made(w, 128, |w| w.enumeration(tag::STATE, 2))
    }),
    (Operation::Create, ResultReason::AttributeSingleValued, |w, _| {
        made(w, 128, |w| {
            comment(w);
            comment(w);
        })
    }),
    (Operation::Create, ResultReason::InvalidAttribute, |w, _| {
        made(w, 128, |w| w.integer(NOWHERE, 1))
    }),
    (Operation::Create, ResultReason::InvalidAttributeValue, |w, _| {
        made(w, 7, |_| {})
    }),
    (Operation::Create, ResultReason::InvalidObjectType, |w, _| {
        w.enumeration(tag::OBJECT_TYPE, 1);
        w.structure(tag::ATTRIBUTES, |_| {});
    }),
    (Operation::Create, ResultReason::NonUniqueNameAttribute, |w, _| {
        made(w, 128, taken)
    }),
    (Operation::Create, ResultReason::ServerLimitExceeded, |w, _| {
        made(w, 128, |w| {
            (0..1_001).for_each(|n| w.text(tag::OBJECT_GROUP, &n.to_string()))
        });
    }),
    (Operation::Create, ResultReason::ProtectionStorageUnavailable, |w, _| {
        made(w, 128, |_| {});
        hardware(w, tag::PROTECTION_STORAGE_MASKS);
    }),
    (Operation::CreateKeyPair, ResultReason::AttributeReadOnly, |w, _| {
        pair(w, 256, |w| w.enumeration(tag::STATE, 2))
    }),
    (Operation::CreateKeyPair, ResultReason::AttributeSingleValued, |w, _| {
        pair(w, 256, |w| {
            comment(w);
            comment(w);
        })
    }),
    (Operation::CreateKeyPair, ResultReason::InvalidAttribute, |w, _| {
        pair(w, 256, |w| w.integer(NOWHERE, 1))
    }),
    (Operation::CreateKeyPair, ResultReason::InvalidAttributeValue, |w, _| {
        pair(w, 7, |_| {})
    }),
    (
        Operation::CreateKeyPair,
        ResultReason::NonUniqueNameAttribute,
        |w, _| pair(w, 256, taken),
    ),
    (Operation::CreateKeyPair, ResultReason::ServerLimitExceeded, |w, _| {
        pair(w, 256, |w| {
            (0..1_001).for_each(|n| w.text(tag::OBJECT_GROUP, &n.to_string()))
        });
    }),
    (
        Operation::CreateKeyPair,
        ResultReason::PrivateProtectionStorageUnavailable,
        |w, _| {
            pair(w, 256, |_| {});
            hardware(w, tag::PRIVATE_PROTECTION_STORAGE_MASKS);
        },
    ),
    (
        Operation::CreateKeyPair,
        ResultReason::PublicProtectionStorageUnavailable,
        |w, _| {
            pair(w, 256, |_| {});
            hardware(w, tag::PUBLIC_PROTECTION_STORAGE_MASKS);
        },
    ),
    (Operation::Query, ResultReason::UnknownObjectGroup, |w, _| {
        w.enumeration(tag::QUERY_FUNCTION, 13);
        w.structure(tag::OBJECT_GROUPS, |w| w.text(tag::OBJECT_GROUP, "nowhere"));
    }),
    (Operation::SetDefaults, ResultReason::InvalidObjectType, |w, _| {
        w.structure(tag::DEFAULTS_INFORMATION, |w| {
            w.structure(tag::OBJECT_DEFAULTS, |w| {
                w.enumeration(tag::OBJECT_TYPE, 99);
                w.structure(tag::ATTRIBUTES, |_| {});
            })
        });
    }),
    (Operation::SetConstraints, ResultReason::InvalidObjectType, |w, _| {
        w.structure(tag::CONSTRAINTS, |w| {
            w.structure(tag::CONSTRAINT, |w| {
                w.structure(tag::OBJECT_TYPES, |w| w.enumeration(tag::OBJECT_TYPE, 99));
            })
        });
    }),
];

/// The reasons of an operation's table, but those that all tables have.
const TABLES: &[(Operation, &[ResultReason])] = &[
    (
        Operation::AddAttribute,
        &[
            ResultReason::AttributeSingleValued,
            ResultReason::InvalidAttribute,
            ResultReason::NonUniqueNameAttribute,
            ResultReason::ObjectNotFound,
            ResultReason::ReadOnlyAttribute,
            ResultReason::WrongKeyLifecycleState,
        ],
    ),
    (
        Operation::AdjustAttribute,
        &[
            ResultReason::InvalidDataType,
            ResultReason::ItemNotFound,
            ResultReason::MultiValuedAttribute,
            ResultReason::NumericRange,
            ResultReason::ReadOnlyAttribute,
            ResultReason::UnsupportedAttribute,
            ResultReason::WrongKeyLifecycleState,
        ],
    ),
    (
        Operation::SetAttribute,
        &[
            ResultReason::InvalidAttributeValue,
            ResultReason::MultiValuedAttribute,
            ResultReason::NonUniqueNameAttribute,
            ResultReason::ObjectNotFound,
            ResultReason::ReadOnlyAttribute,
            ResultReason::WrongKeyLifecycleState,
        ],
    ),
    (
        Operation::ModifyAttribute,
        &[
            ResultReason::AttributeInstanceNotFound,
            ResultReason::AttributeNotFound,
            ResultReason::AttributeReadOnly,
            ResultReason::NonUniqueNameAttribute,
            ResultReason::ObjectNotFound,
            ResultReason::WrongKeyLifecycleState,
        ],
    ),
    (
        Operation::DeleteAttribute,
        &[
            ResultReason::AttributeInstanceNotFound,
            ResultReason::AttributeNotFound,
            ResultReason::AttributeReadOnly,
            ResultReason::InvalidAttribute,
            ResultReason::ObjectNotFound,
            ResultReason::WrongKeyLifecycleState,
        ],
    ),
    (
        Operation::GetAttributes,
        &[ResultReason::InvalidAttribute, ResultReason::ObjectNotFound],
    ),
    (Operation::GetAttributeList, &[ResultReason::ObjectNotFound]),
    (Operation::Locate, &[ResultReason::InvalidAttribute]),
    (
        Operation::Create,
        &[
            ResultReason::AttributeReadOnly,
            ResultReason::AttributeSingleValued,
            ResultReason::CryptographicFailure,
            ResultReason::InvalidAttribute,
            ResultReason::InvalidAttributeValue,
            ResultReason::InvalidObjectType,
            ResultReason::NonUniqueNameAttribute,
            ResultReason::ReadOnlyAttribute,
            ResultReason::ServerLimitExceeded,
            ResultReason::UnsupportedAttribute,
            ResultReason::ProtectionStorageUnavailable,
        ],
    ),
    (
        Operation::CreateKeyPair,
        &[
            ResultReason::AttributeReadOnly,
            ResultReason::AttributeSingleValued,
            ResultReason::CryptographicFailure,
            ResultReason::InvalidAttribute,
            ResultReason::InvalidAttributeValue,
            ResultReason::NonUniqueNameAttribute,
            ResultReason::ServerLimitExceeded,
            ResultReason::PrivateProtectionStorageUnavailable,
            ResultReason::PublicProtectionStorageUnavailable,
        ],
    ),
    (Operation::Query, &[ResultReason::UnknownObjectGroup]),
    (Operation::SetDefaults, &[ResultReason::InvalidObjectType]),
    (Operation::SetConstraints, &[ResultReason::InvalidObjectType]),
];

fn item(operation: Operation, say: impl Fn(&mut Writer)) -> RequestItem {
    let mut writer = Writer::new();
    say(&mut writer);
    RequestItem::new(RequestPayload::Unknown {
        operation,
        items: Secret::new(writer.into_bytes()),
    })
}

fn message(item: RequestItem) -> RequestMessage {
    RequestMessage {
        header: RequestHeader::new(Version::NEWEST, 1),
        items: vec![item],
    }
}

/// As it comes from the wire.
fn read(message: &RequestMessage) -> RequestMessage {
    let mut writer = Writer::new();
    message.write(&mut writer);
    RequestMessage::read(writer.as_bytes()).ok().unwrap()
}

#[tokio::test]
async fn each_reason_that_can_be_provoked_is() {
    let house = TestHouse::new().await;
    let things = things(&house).await;
    for (operation, reason, say) in PROVOKED {
        let message = message(item(*operation, |w| say(w, &things)));
        let told = house.message(&message, &house.alice).await.items.remove(0);
        assert_eq!(
            told.result_reason,
            Some(*reason),
            "{operation}: {:?}",
            told.result_message
        );
    }
}

#[test]
fn each_reason_of_a_table_is_provoked_or_not_given_for_a_reason() {
    for (operation, reasons) in TABLES {
        for reason in *reasons {
            let provoked = PROVOKED.iter().any(|(of, one, _)| of == operation && one == reason);
            let listed = OF_ONE.iter().any(|(of, one, _)| of == operation && one == reason);
            assert!(provoked != listed, "{operation}: {reason}");
        }
    }
}

/// Every operation says no to whoever may not ask, and to what it does not understand but must (Feature Not Supported).
#[tokio::test]
async fn what_all_tables_have_is_told_by_all() {
    let house = TestHouse::new().await;
    let known = house
        .server
        .identity()
        .resolve(&house.alice.certificate, BEGIN)
        .await
        .unwrap();
    let Principal::Client(client) = &known else { panic!() };
    let mut confined = client.as_ref().clone();
    let settings = kmip_protocol::ClientSettings {
        operations: Some(Operations {
            operations: vec![Operation::Poll],
        }),
        ..Default::default()
    };
    confined.limits = Arc::new(ClientLimits::new(&settings, &TenantSettings::default(), false));
    let confined = Principal::Client(Arc::new(confined));
    let own = CARRIED_OUT
        .iter()
        .copied()
        .filter(|operation| operation.0 < 0x8000_0000);
    let anybodys = [
        Operation::Query,
        Operation::DiscoverVersions,
        Operation::Poll,
        Operation::Login,
        Operation::Logout,
    ];
    let mut count = 0;
    for operation in own.filter(|operation| operation.is_spoken_in(Version::NEWEST) && !anybodys.contains(operation)) {
        let refused = house.act_by(&confined, read(&message(item(operation, |_| {})))).await;
        assert_eq!(
            refused.result_reason,
            Some(ResultReason::PermissionDenied),
            "{operation}"
        );
        count += 1;
    }
    assert!(count > 25, "{count}");
    let mut critical = item(Operation::GetAttributes, |w| w.text(tag::UNIQUE_IDENTIFIER, "any"));
    critical.message_extensions.push(MessageExtension {
        vendor_identification: "somebody".into(),
        criticality_indicator: true,
        vendor_extension: AnyValue::Structure(Vec::new()),
    });
    let told = house.message(&message(critical), &house.alice).await.items.remove(0);
    assert_eq!(told.result_reason, Some(ResultReason::FeatureNotSupported));
    assert!(
        OF_ALL
            .iter()
            .all(|(reason, _)| *reason != ResultReason::FeatureNotSupported)
    );
}
