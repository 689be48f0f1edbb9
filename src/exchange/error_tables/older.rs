//! What versions without tagged attributes say in words of their own (KMIP 1.4 §11): how it is provoked.

use super::things::{id, parameters, rows, symmetric};
use kmip_protocol::tag;
use kmip_ttlv::Writer;

fn named(w: &mut Writer, name: &str, value: impl FnOnce(&mut Writer)) {
    w.structure(tag::ATTRIBUTE, |w| {
        w.text(tag::ATTRIBUTE_NAME, name);
        value(w);
    });
}

fn template(w: &mut Writer, more: impl FnOnce(&mut Writer)) {
    w.structure(tag::TEMPLATE_ATTRIBUTE, |w| {
        named(w, "Cryptographic Algorithm", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 3));
        named(w, "Cryptographic Length", |w| w.integer(tag::ATTRIBUTE_VALUE, 128));
        named(w, "Cryptographic Usage Mask", |w| w.integer(tag::ATTRIBUTE_VALUE, 4));
        more(w);
    });
}

fn too_many(w: &mut Writer) {
    for n in 0..1_001 {
        named(w, "Object Group", |w| w.text(tag::ATTRIBUTE_VALUE, &n.to_string()));
    }
}

/// A key by HMAC from these bases.
fn derived(w: &mut Writer, bases: &[&String], length: i32) {
    w.enumeration(tag::OBJECT_TYPE, 2);
    bases.iter().for_each(|base| id(w, base));
    w.enumeration(tag::DERIVATION_METHOD, 2);
    w.structure(tag::DERIVATION_PARAMETERS, |w| {
        parameters(w, &[(tag::HASHING_ALGORITHM, 6)]);
        w.bytes(tag::DERIVATION_DATA, &[1; 15]);
    });
    w.structure(tag::TEMPLATE_ATTRIBUTE, |w| {
        named(w, "Cryptographic Algorithm", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 3));
        named(w, "Cryptographic Length", |w| w.integer(tag::ATTRIBUTE_VALUE, length));
        named(w, "Cryptographic Usage Mask", |w| w.integer(tag::ATTRIBUTE_VALUE, 4));
    });
}

fn wrapped(w: &mut Writer, key: &str, by: &str, mode: u32) {
    id(w, key);
    w.structure(tag::KEY_WRAPPING_SPECIFICATION, |w| {
        w.enumeration(tag::WRAPPING_METHOD, 1);
        w.structure(tag::ENCRYPTION_KEY_INFORMATION, |w| {
            id(w, by);
            parameters(w, &[(tag::BLOCK_CIPHER_MODE, mode)]);
        });
    });
}

rows! {
    Create {
        InvalidField: |w, _| {
            w.enumeration(tag::OBJECT_TYPE, 99);
            template(w, |_| {});
        };
        IndexOutOfBounds: |w, _| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            template(w, too_many);
        };
    }
    Register {
        IndexOutOfBounds: |w, _| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            template(w, too_many);
            symmetric(w, Some(&[1; 16]), |_| {});
        };
    }
    DeriveKey {
        CryptographicFailure: |w, it| derived(w, &[&it.working], 512);
        InvalidField: |w, it| derived(w, &[&it.idle], 128);
        InvalidField: |w, it| derived(w, &[&it.private], 128);
        InvalidMessage: |w, it| derived(w, &[&it.working, &it.secret], 128);
    }
    Get {
        IllegalOperation: |w, it| wrapped(w, &it.working, &it.secret, 13);
        ItemNotFound: |w, it| wrapped(w, &it.working, &it.particular, 1);
        ItemNotFound: |w, it| wrapped(w, &it.working, &it.destroyed, 13);
        PermissionDenied: |w, it| wrapped(w, &it.working, &it.idle, 13);
    }
    AddAttribute {
        IndexOutOfBounds: |w, it| {
            id(w, &it.full);
            named(w, "Object Group", |w| w.text(tag::ATTRIBUTE_VALUE, "one more"));
        };
        PermissionDenied: |w, it| {
            id(w, &it.key);
            named(w, "Certificate Type", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 1));
        };
    }
}
