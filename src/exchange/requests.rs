//! A request of each standard operation that is carried out, for tests of what holds for all of them.

use super::error_tables::item;
use super::error_tables::things::{
    Things, aes, attributes, by_authority, certify, comment, id, key, message, parameters, rights, split, symmetric,
};
use crate::operations::CARRIED_OUT;
use kmip_protocol::{EndpointRole, Operation, PKCS_11Function, RequestItem, RequestMessage, Version, tag};
use kmip_ttlv::{Reader, Tag, Value, Writer};

/// Writes the payload of a request, as the newest version has it.
type Say = fn(&mut Writer, &Things);

const SHA_256: (Tag, u32) = (tag::HASHING_ALGORITHM, 6);
const CBC: (Tag, u32) = (tag::BLOCK_CIPHER_MODE, 1);
const UNPADDED: (Tag, u32) = (tag::PADDING_METHOD, 1);

fn new(w: &mut Writer, what: impl FnOnce(&mut Writer)) {
    w.structure(tag::NEW_ATTRIBUTE, what);
}

fn data(w: &mut Writer, name: &str, named: &[(Tag, u32)]) {
    id(w, name);
    parameters(w, named);
    w.bytes(tag::DATA, &[1; 16]);
}

fn correlation(w: &mut Writer, it: &Things) {
    w.bytes(tag::ASYNCHRONOUS_CORRELATION_VALUE, &it.pending);
}

macro_rules! requests {
    ($($operation:ident: $say:expr;)+) => {
        /// Operation, and a request that is carried out.
        const REQUESTS: &[(Operation, Say)] = &[$((Operation::$operation, $say),)+];
    };
}

requests! {
    Create: |w, _| {
        w.enumeration(tag::OBJECT_TYPE, 2);
        attributes(w, |w| aes(w, 4));
    };
    CreateKeyPair: |w, _| w.structure(tag::COMMON_ATTRIBUTES, |w| {
        w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 6);
        w.integer(tag::CRYPTOGRAPHIC_LENGTH, 256);
        w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 1);
    });
    Register: |w, _| {
        w.enumeration(tag::OBJECT_TYPE, 2);
        attributes(w, comment);
        symmetric(w, Some(&[1; 16]), |_| {});
    };
    ReKey: |w, it| id(w, &it.working);
    ReKeyKeyPair: |w, it| w.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, &it.agreeing);
    DeriveKey: |w, it| {
        w.enumeration(tag::OBJECT_TYPE, 2);
        id(w, &it.working);
        w.enumeration(tag::DERIVATION_METHOD, 3);
        w.structure(tag::DERIVATION_PARAMETERS, |w| {
            parameters(w, &[SHA_256]);
            w.bytes(tag::DERIVATION_DATA, &[1; 15]);
        });
        attributes(w, |w| aes(w, 4));
    };
    Certify: |w, it| certify(w, &it.subject, &it.request, &it.issuer);
    ReCertify: |w, it| {
        id(w, &it.issued);
        by_authority(w, &it.issuer);
    };
    Locate: |w, _| {
        w.integer(tag::MAXIMUM_ITEMS, 5);
        attributes(w, |w| w.text(tag::OBJECT_GROUP, "a"));
    };
    Get: |w, it| id(w, &it.working);
    GetAttributes: |w, it| {
        key(w, it);
        w.enumeration(tag::ATTRIBUTE_REFERENCE, tag::COMMENT.0);
    };
    GetAttributeList: key;
    AddAttribute: |w, it| {
        key(w, it);
        new(w, |w| w.text(tag::OBJECT_GROUP, "new"));
    };
    ModifyAttribute: |w, it| {
        key(w, it);
        new(w, |w| w.text(tag::CONTACT_INFORMATION, "them"));
    };
    DeleteAttribute: |w, it| {
        key(w, it);
        w.enumeration(tag::ATTRIBUTE_REFERENCE, tag::CONTACT_INFORMATION.0);
    };
    SetAttribute: |w, it| {
        key(w, it);
        new(w, comment);
    };
    AdjustAttribute: |w, it| {
        key(w, it);
        w.enumeration(tag::ATTRIBUTE_REFERENCE, tag::PROTECTION_PERIOD.0);
        w.enumeration(tag::ADJUSTMENT_TYPE, 2);
        w.interval(tag::ADJUSTMENT_VALUE, 60);
    };
    Activate: key;
    Revoke: |w, it| {
        id(w, &it.active);
        w.structure(tag::REVOCATION_REASON, |w| w.enumeration(tag::REVOCATION_REASON_CODE, 1));
    };
    Destroy: key;
    Archive: key;
    Recover: |w, it| id(w, &it.archived);
    Check: |w, it| {
        id(w, &it.working);
        w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 4);
    };
    ObtainLease: |w, it| id(w, &it.working);
    GetUsageAllocation: |w, it| {
        id(w, &it.limited);
        w.long_integer(tag::USAGE_LIMITS_COUNT, 1);
    };
    Validate: |w, it| id(w, &it.certificate);
    Query: |w, _| w.enumeration(tag::QUERY_FUNCTION, 1);
    DiscoverVersions: |_, _| {};
    Cancel: correlation;
    Poll: correlation;
    Process: correlation;
    QueryAsynchronousRequests: |_, _| {};
    Encrypt: |w, it| {
        data(w, &it.limited, &[CBC, UNPADDED]);
        w.bytes(tag::IV_COUNTER_NONCE, &[2; 16]);
    };
    Decrypt: |w, it| {
        data(w, &it.working, &[CBC, UNPADDED]);
        w.bytes(tag::IV_COUNTER_NONCE, &[2; 16]);
    };
    Sign: |w, it| data(w, &it.private, &[SHA_256]);
    SignatureVerify: |w, it| {
        data(w, &it.public, &[SHA_256]);
        w.bytes(tag::SIGNATURE_DATA, &[3; 256]);
    };
    MAC: |w, it| data(w, &it.limited, &[SHA_256]);
    MACVerify: |w, it| {
        data(w, &it.working, &[SHA_256]);
        w.bytes(tag::MAC_DATA, &[3; 32]);
    };
    RNGRetrieve: |w, _| w.integer(tag::DATA_LENGTH, 8);
    RNGSeed: |w, _| w.bytes(tag::DATA, &[1; 8]);
    Hash: |w, _| {
        parameters(w, &[SHA_256]);
        w.bytes(tag::DATA, &[1; 8]);
    };
    CreateSplitKey: |w, it| split(w, Some(&it.working), (3, 2, 2), |_| {});
    JoinSplitKey: |w, it| {
        w.enumeration(tag::OBJECT_TYPE, 2);
        it.parts.iter().for_each(|part| id(w, part));
        attributes(w, comment);
    };
    Import: |w, _| {
        id(w, "brought");
        attributes(w, comment);
        symmetric(w, Some(&[1; 16]), |_| {});
    };
    Export: |w, it| id(w, &it.working);
    PKCS_11: |w, _| w.enumeration(tag::PKCS_11_FUNCTION, PKCS_11Function::C_Initialize.0);
    Login: |w, _| w.interval(tag::LEASE_TIME, 60);
    Logout: |w, it| w.structure(tag::TICKET, |w| {
        w.enumeration(tag::TICKET_TYPE, 1);
        w.bytes(tag::TICKET_VALUE, &it.ticket);
    });
    DelegatedLogin: |w, _| {
        w.interval(tag::LEASE_TIME, 60);
        rights(w);
    };
    SetDefaults: |w, _| w.structure(tag::DEFAULTS_INFORMATION, |w| {
        w.structure(tag::OBJECT_DEFAULTS, |w| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            attributes(w, |w| w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 4));
        });
    });
    SetConstraints: |w, _| w.structure(tag::CONSTRAINTS, |w| {
        w.structure(tag::CONSTRAINT, |w| {
            w.structure(tag::OBJECT_TYPES, |w| w.enumeration(tag::OBJECT_TYPE, 2));
            attributes(w, |w| w.integer(tag::CRYPTOGRAPHIC_LENGTH, 256));
        });
    });
    GetConstraints: |_, _| {};
    Log: |w, _| w.text(tag::LOG_MESSAGE, "words");
    Ping: |_, _| {};
    SetEndpointRole: |w, _| w.enumeration(tag::ENDPOINT_ROLE, EndpointRole::Server.0);
}

/// Standard operations for which there is no such request, with what it would take.
const WITHOUT: &[(Operation, &str)] = &[(Operation::Interop, "the settings do not allow it")];

/// Each operation of a version with a request of it that is carried out, in that version's words.
pub(super) fn requests(it: &Things, version: Version) -> Vec<(Operation, RequestItem)> {
    let spoken = REQUESTS.iter().filter(|(operation, _)| operation.is_spoken_in(version));
    spoken
        .map(|(operation, say)| (*operation, translated(*operation, |w| say(w, it), version)))
        .collect()
}

/// A request of the newest version in the words of another.
pub(super) fn translated(operation: Operation, say: impl Fn(&mut Writer), version: Version) -> RequestItem {
    let mut newest = Writer::new();
    message(item(operation, say)).write(&mut newest);
    let Ok(mut read) = RequestMessage::read(newest.as_bytes()) else {
        panic!("{operation} is not read");
    };
    read.header.protocol_version = version.into();
    let item = read.items.remove(0);
    let error = item.payload.as_ref().err();
    assert!(error.is_none(), "{operation} is not read: {error:?}");
    item
}

/// The items of the payload of a message of one item, as it goes over the wire in its version.
pub(super) fn payload_of(message: &RequestMessage) -> Vec<u8> {
    let mut writer = Writer::new();
    message.write(&mut writer);
    let mut reader = Reader::new(writer.as_bytes());
    let mut found = Vec::new();
    within(&mut reader, &[tag::BATCH_ITEM, tag::REQUEST_PAYLOAD], &mut found);
    found
}

fn within(reader: &mut Reader<'_>, path: &[Tag], found: &mut Vec<u8>) {
    while !reader.is_empty() {
        let (tag, value) = reader.item().unwrap();
        let Value::Structure(mut inner) = value else { continue };
        match path {
            [last] if tag == *last => *found = inner.remaining().to_vec(),
            [first, rest @ ..] if tag == *first => within(&mut inner, rest, found),
            _ if tag == tag::REQUEST_MESSAGE => within(&mut inner, path, found),
            _ => {}
        }
    }
}

#[test]
fn every_operation_has_one_or_cannot() {
    for operation in CARRIED_OUT.iter().filter(|operation| operation.0 < 0x8000_0000) {
        let has = REQUESTS.iter().filter(|(of, _)| of == operation).count();
        let without = WITHOUT.iter().filter(|(of, _)| of == operation).count();
        assert_eq!(has + without, 1, "{operation}");
    }
}
