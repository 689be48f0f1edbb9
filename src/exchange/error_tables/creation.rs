//! What makes objects of others, brings them, or splits and joins them: how each reason of their tables is provoked.

use super::things::{
    aes, attributes, comment, hardware, id, nobody, rows, split, state, symmetric, taken, too_many, two_comments,
    unknown, wrapping,
};
use kmip_protocol::{KeyFormatType, VendorName, tag};
use kmip_ttlv::Writer;

/// An AES key that the client brings.
fn register(w: &mut Writer, object_type: u32, more: impl FnOnce(&mut Writer)) {
    w.enumeration(tag::OBJECT_TYPE, object_type);
    attributes(w, more);
    symmetric(w, Some(&[1; 16]), |_| {});
}

/// An AES key that the client brings with its identifier.
fn import(w: &mut Writer, unique_identifier: &str, more: impl FnOnce(&mut Writer)) {
    id(w, unique_identifier);
    attributes(w, more);
    symmetric(w, Some(&[1; 16]), |_| {});
}

fn join(w: &mut Writer, object_type: u32, parts: &[String], more: impl FnOnce(&mut Writer)) {
    w.enumeration(tag::OBJECT_TYPE, object_type);
    parts.iter().for_each(|part| id(w, part));
    attributes(w, more);
}

/// An AES key from a base, by HMAC unless another method is named.
fn derive(w: &mut Writer, base: &str, method: u32, more: impl FnOnce(&mut Writer)) {
    derive_from(w, base, method);
    attributes(w, |w| {
        aes(w, 4);
        more(w);
    });
}

fn derive_from(w: &mut Writer, base: &str, method: u32) {
    w.enumeration(tag::OBJECT_TYPE, 2);
    id(w, base);
    w.enumeration(tag::DERIVATION_METHOD, method);
    w.structure(tag::DERIVATION_PARAMETERS, |w| {
        w.structure(tag::CRYPTOGRAPHIC_PARAMETERS, |w| {
            w.enumeration(tag::HASHING_ALGORITHM, 6)
        });
        w.bytes(tag::DERIVATION_DATA, &[1; 15]);
    });
}

/// Something that is no certificate request.
fn no_request(w: &mut Writer) {
    w.enumeration(tag::CERTIFICATE_REQUEST_TYPE, 2);
    w.bytes(tag::CERTIFICATE_REQUEST_VALUE, &[1, 2, 3]);
}

fn x509(w: &mut Writer) {
    attributes(w, |w| w.enumeration(tag::CERTIFICATE_TYPE, 1));
}

const HMAC: u32 = 3;

rows! {
    Register {
        AttributeReadOnly: |w, _| register(w, 2, state);
        AttributeSingleValued: |w, _| register(w, 2, two_comments);
        BadPassword: |w, _| {
            w.enumeration(tag::OBJECT_TYPE, 4);
            attributes(w, comment);
            w.structure(tag::PRIVATE_KEY, |w| w.structure(tag::KEY_BLOCK, |w| {
                w.enumeration(tag::KEY_FORMAT_TYPE, KeyFormatType::PKCS_12.0);
                w.structure(tag::KEY_VALUE, |w| w.bytes(tag::KEY_MATERIAL, &[1; 16]));
            }));
        };
        InvalidAttribute: |w, _| register(w, 2, unknown);
        InvalidAttributeValue: |w, _| register(w, 2, |w| w.integer(tag::CRYPTOGRAPHIC_LENGTH, 256));
        InvalidObjectType: |w, _| register(w, 7, comment);
        NonUniqueNameAttribute: |w, _| register(w, 2, taken);
        ServerLimitExceeded: |w, _| register(w, 2, too_many);
        ProtectionStorageUnavailable: |w, _| {
            register(w, 2, comment);
            hardware(w, tag::PROTECTION_STORAGE_MASKS);
        };
    }
    Import {
        AttributeReadOnly: |w, _| import(w, "new", |w| w.structure(tag::ATTRIBUTE, |w| {
            w.text(tag::VENDOR_IDENTIFICATION, VendorName::SERVER);
            w.text(tag::ATTRIBUTE_NAME, "some");
            w.integer(tag::ATTRIBUTE_VALUE, 1);
        }));
        AttributeSingleValued: |w, _| import(w, "new", two_comments);
        EncodingOptionError: |w, it| {
            id(w, "new");
            w.enumeration(tag::KEY_WRAP_TYPE, 1);
            attributes(w, comment);
            symmetric(w, Some(&[1; 24]), |w| wrapping(w, &it.working));
        };
        InvalidAttribute: |w, _| import(w, "new", unknown);
        InvalidAttributeValue: |w, _| import(w, "new", |w| w.integer(tag::CRYPTOGRAPHIC_LENGTH, 256));
        NonUniqueNameAttribute: |w, _| import(w, "new", taken);
        ObjectAlreadyExists: |w, it| import(w, &it.key, comment);
        ServerLimitExceeded: |w, _| import(w, "new", too_many);
    }
    CreateSplitKey {
        BadCryptographicParameters: |w, _| split(w, None, (2, 3, 2), |_| {});
        InvalidAttribute: |w, _| split(w, None, (3, 2, 2), unknown);
        InvalidAttributeValue: |w, _| split(w, None, (3, 2, 2), |w| {
            w.structure(tag::USAGE_LIMITS, |w| w.long_integer(tag::USAGE_LIMITS_TOTAL, -1));
        });
        InvalidObjectType: |w, it| split(w, Some(&it.certificate), (3, 2, 2), |_| {});
        ItemNotFound: |w, _| split(w, Some("nobody"), (3, 2, 2), |_| {});
        NonUniqueNameAttribute: |w, _| split(w, None, (3, 2, 2), taken);
        ServerLimitExceeded: |w, _| split(w, None, (65, 2, 2), |_| {});
        UnsupportedCryptographicParameters: |w, _| split(w, None, (3, 2, 99), |_| {});
        ProtectionStorageUnavailable: |w, _| {
            split(w, None, (3, 2, 2), |_| {});
            hardware(w, tag::PROTECTION_STORAGE_MASKS);
        };
    }
    JoinSplitKey {
        AttributeReadOnly: |w, it| join(w, 2, &it.parts, state);
        AttributeSingleValued: |w, it| join(w, 2, &it.parts, two_comments);
        BadCryptographicParameters: |w, it| join(w, 2, core::slice::from_ref(&it.odd), |_| {});
        CryptographicFailure: |w, it| join(w, 2, &it.parts[..2], |_| {});
        InvalidAttribute: |w, it| join(w, 2, &it.parts, unknown);
        InvalidAttributeValue: |w, it| join(w, 2, &it.parts, |w| w.integer(tag::CRYPTOGRAPHIC_LENGTH, -1));
        InvalidObjectType: |w, it| join(w, 2, core::slice::from_ref(&it.key), |_| {});
        NonUniqueNameAttribute: |w, it| join(w, 2, &it.parts, taken);
        ObjectNotFound: |w, _| join(w, 2, &["nobody".to_owned()], |_| {});
        ServerLimitExceeded: |w, it| join(w, 2, &vec![it.key.clone(); 65], |_| {});
        UnsupportedCryptographicParameters: |w, it| join(w, 2, core::slice::from_ref(&it.strange), |_| {});
        ProtectionStorageUnavailable: |w, it| {
            join(w, 2, &it.parts, |_| {});
            hardware(w, tag::PROTECTION_STORAGE_MASKS);
        };
    }
    DeriveKey {
        BadCryptographicParameters: |w, it| derive(w, &it.working, 1, |_| {});
        CryptographicFailure: |w, it| {
            derive_from(w, &it.working, 2);
            attributes(w, |w| {
                w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
                w.integer(tag::CRYPTOGRAPHIC_LENGTH, 512);
            });
        };
        IncompatibleCryptographicUsageMask: |w, it| derive(w, &it.idle, HMAC, |_| {});
        InvalidAttribute: |w, it| derive(w, &it.working, HMAC, unknown);
        InvalidObjectType: |w, it| derive(w, &it.private, HMAC, |_| {});
        KeyValueNotPresent: |w, it| derive(w, &it.absent, HMAC, |_| {});
        NonUniqueNameAttribute: |w, it| derive(w, &it.working, HMAC, taken);
        ObjectNotFound: |w, _| derive(w, "nobody", HMAC, |_| {});
        UnsupportedCryptographicParameters: |w, it| derive(w, &it.working, 99, |_| {});
        WrongKeyLifecycleState: |w, it| derive(w, &it.deactivated, HMAC, |_| {});
    }
    ReKey {
        InvalidObjectType: |w, it| id(w, &it.secret);
        KeyValueNotPresent: |w, it| id(w, &it.absent);
        ObjectNotFound: nobody;
        ProtectionStorageUnavailable: |w, it| {
            id(w, &it.working);
            hardware(w, tag::PROTECTION_STORAGE_MASKS);
        };
    }
    ReKeyKeyPair {
        InvalidObjectType: |w, it| w.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, &it.secret);
        KeyValueNotPresent: |w, it| w.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, &it.absent_private);
        ObjectNotFound: |w, _| w.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, "nobody");
        PrivateProtectionStorageUnavailable: |w, it| {
            w.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, &it.private);
            hardware(w, tag::PRIVATE_PROTECTION_STORAGE_MASKS);
        };
        PublicProtectionStorageUnavailable: |w, it| {
            w.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, &it.private);
            hardware(w, tag::PUBLIC_PROTECTION_STORAGE_MASKS);
        };
    }
    Certify {
        InvalidCSR: |w, it| {
            id(w, &it.public);
            no_request(w);
        };
        InvalidObjectType: |w, it| {
            id(w, &it.working);
            x509(w);
        };
        ItemNotFound: |w, _| {
            id(w, "nobody");
            x509(w);
        };
        ProtectionStorageUnavailable: |w, it| {
            id(w, &it.public);
            x509(w);
            hardware(w, tag::PROTECTION_STORAGE_MASKS);
        };
    }
    ReCertify {
        InvalidCSR: |w, it| {
            id(w, &it.certificate);
            no_request(w);
        };
        InvalidObjectType: |w, it| id(w, &it.working);
        ObjectNotFound: nobody;
        ProtectionStorageUnavailable: |w, it| {
            id(w, &it.certificate);
            hardware(w, tag::PROTECTION_STORAGE_MASKS);
        };
    }
}
