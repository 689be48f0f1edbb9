//! Operations on attributes, creation of keys, and what the server is asked: how each reason of their tables is provoked.

use super::super::testing::BEGIN;
use super::things::{NOWHERE, Row, active, comment, hardware, id, key, nobody, taken, too_many, two_comments};
use kmip_protocol::{Operation, ResultReason, tag};
use kmip_ttlv::{Tag, Writer};

fn new(w: &mut Writer, what: impl Fn(&mut Writer)) {
    w.structure(tag::NEW_ATTRIBUTE, |w| what(w));
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

/// Operation, reason, and how it is provoked.
pub(super) const ROWS: &[Row] = &[
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
    (Operation::AddAttribute, ResultReason::ServerLimitExceeded, |w, it| {
        id(w, &it.full);
        new(w, |w| w.text(tag::OBJECT_GROUP, "one more"));
    }),
    (Operation::AdjustAttribute, ResultReason::ObjectArchived, |w, it| {
        id(w, &it.archived);
        adjust(w, tag::PROTECTION_PERIOD, 1);
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
            two_comments(w);
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
        made(w, 128, too_many);
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
            two_comments(w);
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
        pair(w, 256, too_many);
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
