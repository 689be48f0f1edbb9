//! The error tables of the versions without tagged attributes (KMIP 1.4 §11): how each of their rows is provoked by what makes objects,
//! what speaks of their attributes, and what moves them through their lives. What uses them is in `older_uses`.

use super::cryptography::SHA_256;
use super::things::{NOWHERE, PUT_AWAY, Say, Things, id, nobody, parameters, symmetric, wrapping};
use kmip_protocol::{KeyFormatType, LinkType, tag};
use kmip_ttlv::{Tag, Writer};

/// Operation, mistake, and how it is made.
pub(super) type OlderRow = (kmip_protocol::Operation, &'static str, Say);

/// Declares rows: operation, mistake, and how it is made.
macro_rules! older {
    ($($operation:ident { $($mistake:literal: $say:expr;)+ })+) => {
        /// Operation, mistake, and how it is made.
        pub(super) const ROWS: &[super::older::OlderRow] = &[$($(
            (kmip_protocol::Operation::$operation, $mistake, $say),
        )+)+];
    };
}

pub(super) use older;

/// An attribute by its name.
pub(super) fn named(w: &mut Writer, name: &str, value: impl FnOnce(&mut Writer)) {
    w.structure(tag::ATTRIBUTE, |w| {
        w.text(tag::ATTRIBUTE_NAME, name);
        value(w);
    });
}

fn template(w: &mut Writer, more: impl FnOnce(&mut Writer)) {
    w.structure(tag::TEMPLATE_ATTRIBUTE, more);
}

fn name(w: &mut Writer, tag: Tag, text: &str) {
    w.structure(tag, |w| {
        w.text(tag::NAME_VALUE, text);
        w.enumeration(tag::NAME_TYPE, 1);
    });
}

fn no_template(w: &mut Writer) {
    name(w, tag::NAME, "no template");
}

/// The template that was archived.
fn put_away(w: &mut Writer) {
    name(w, tag::NAME, PUT_AWAY);
}

/// A length that no key of the algorithm has.
fn odd_length(w: &mut Writer) {
    named(w, "Cryptographic Length", |w| w.integer(tag::ATTRIBUTE_VALUE, -7));
}

fn nowhere(w: &mut Writer) {
    named(w, "Application Specific Information", |w| {
        w.structure(tag::ATTRIBUTE_VALUE, |w| w.text(tag::APPLICATION_NAMESPACE, "nowhere"));
    });
}

fn too_many(w: &mut Writer) {
    for n in 0..1_001 {
        named(w, "Object Group", |w| w.text(tag::ATTRIBUTE_VALUE, &n.to_string()));
    }
}

fn begun(w: &mut Writer) {
    named(w, "Activation Date", |w| w.date_time(tag::ATTRIBUTE_VALUE, 1));
}

fn aes(w: &mut Writer) {
    named(w, "Cryptographic Algorithm", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 3));
    named(w, "Cryptographic Length", |w| w.integer(tag::ATTRIBUTE_VALUE, 128));
    named(w, "Cryptographic Usage Mask", |w| w.integer(tag::ATTRIBUTE_VALUE, 4));
}

fn create(w: &mut Writer, object_type: u32, before: fn(&mut Writer), after: fn(&mut Writer)) {
    w.enumeration(tag::OBJECT_TYPE, object_type);
    template(w, |w| {
        before(w);
        aes(w);
        after(w);
    });
}

fn nothing(_: &mut Writer) {}

fn pair(w: &mut Writer, length: i32, before: fn(&mut Writer), after: fn(&mut Writer)) {
    w.structure(tag::COMMON_TEMPLATE_ATTRIBUTE, |w| {
        before(w);
        named(w, "Cryptographic Algorithm", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 6));
        named(w, "Cryptographic Length", |w| w.integer(tag::ATTRIBUTE_VALUE, length));
        named(w, "Cryptographic Usage Mask", |w| w.integer(tag::ATTRIBUTE_VALUE, 1));
        after(w);
    });
}

fn register(w: &mut Writer, object_type: u32, more: fn(&mut Writer)) {
    w.enumeration(tag::OBJECT_TYPE, object_type);
    template(w, more);
    symmetric(w, Some(&[1; 16]), |_| {});
}

/// A bundle whose password is where the Links say.
fn bundle(w: &mut Writer, password: Option<&str>) {
    w.enumeration(tag::OBJECT_TYPE, 4);
    template(w, |w| {
        if let Some(password) = password {
            link(w, LinkType::PKCS_12PasswordLink, password);
        }
    });
    w.structure(tag::PRIVATE_KEY, |w| {
        w.structure(tag::KEY_BLOCK, |w| {
            w.enumeration(tag::KEY_FORMAT_TYPE, KeyFormatType::PKCS_12.0);
            w.bytes(tag::KEY_VALUE, &[1; 16]);
        });
    });
}

/// Again, with an offset or attributes.
fn renew(w: &mut Writer, offset: bool, more: Option<fn(&mut Writer)>, whole: Tag) {
    if offset {
        w.interval(tag::OFFSET, 60);
    }
    if let Some(more) = more {
        w.structure(whole, more);
    }
}

fn re_key(w: &mut Writer, name: &str, offset: bool, more: Option<fn(&mut Writer)>) {
    id(w, name);
    renew(w, offset, more, tag::TEMPLATE_ATTRIBUTE);
}

fn re_key_pair(w: &mut Writer, name: &str, offset: bool, more: Option<fn(&mut Writer)>) {
    w.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, name);
    renew(w, offset, more, tag::COMMON_TEMPLATE_ATTRIBUTE);
}

/// A key by a hash from these bases, unless another method is named.
fn derive(w: &mut Writer, bases: &[&str], method: u32, length: i32, more: fn(&mut Writer), after: fn(&mut Writer)) {
    w.enumeration(tag::OBJECT_TYPE, 2);
    bases.iter().for_each(|base| id(w, base));
    w.enumeration(tag::DERIVATION_METHOD, method);
    w.structure(tag::DERIVATION_PARAMETERS, |w| {
        parameters(w, &[SHA_256]);
        w.bytes(tag::DERIVATION_DATA, &[1; 15]);
    });
    template(w, |w| {
        more(w);
        named(w, "Cryptographic Algorithm", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 3));
        named(w, "Cryptographic Length", |w| w.integer(tag::ATTRIBUTE_VALUE, length));
        named(w, "Cryptographic Usage Mask", |w| w.integer(tag::ATTRIBUTE_VALUE, 4));
        after(w);
    });
}

const HASH: u32 = 2;
const HMAC: u32 = 3;

/// A certificate for an object, by a request that is none, by these attributes.
fn certify(w: &mut Writer, name: &str, no_request: bool, offset: bool, more: Option<fn(&mut Writer)>) {
    id(w, name);
    if no_request {
        w.enumeration(tag::CERTIFICATE_REQUEST_TYPE, 2);
        w.bytes(tag::CERTIFICATE_REQUEST, &[1, 2, 3]);
    }
    renew(w, offset, more, tag::TEMPLATE_ATTRIBUTE);
}

fn x509(w: &mut Writer) {
    named(w, "Certificate Type", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 1));
}

/// What an authority is to issue in a namespace that there is not.
fn elsewhere_by(w: &mut Writer, issuer: &str) {
    template(w, |w| {
        link(w, LinkType::CertificateLink, issuer);
        nowhere(w);
    });
}

fn link(w: &mut Writer, link_type: LinkType, to: &str) {
    named(w, "Link", |w| {
        w.structure(tag::ATTRIBUTE_VALUE, |w| {
            w.enumeration(tag::LINK_TYPE, link_type.0);
            w.text(tag::LINKED_OBJECT_IDENTIFIER, to);
        });
    });
}

/// An attribute, with this index.
fn indexed(w: &mut Writer, name: &str, index: i32, value: impl FnOnce(&mut Writer)) {
    w.structure(tag::ATTRIBUTE, |w| {
        w.text(tag::ATTRIBUTE_NAME, name);
        w.integer(tag::ATTRIBUTE_INDEX, index);
        value(w);
    });
}

fn group(w: &mut Writer) {
    w.text(tag::ATTRIBUTE_VALUE, "some");
}

fn change(w: &mut Writer, name: &str, attribute: &str, value: fn(&mut Writer)) {
    id(w, name);
    named(w, attribute, value);
}

/// An attribute that goes, with its index.
fn delete(w: &mut Writer, name: &str, attribute: &str, index: Option<i32>) {
    id(w, name);
    w.text(tag::ATTRIBUTE_NAME, attribute);
    if let Some(index) = index {
        w.integer(tag::ATTRIBUTE_INDEX, index);
    }
}

fn split(
    w: &mut Writer,
    object_type: u32,
    key: Option<&str>,
    method: u32,
    before: fn(&mut Writer),
    after: fn(&mut Writer),
) {
    w.enumeration(tag::OBJECT_TYPE, object_type);
    if let Some(key) = key {
        id(w, key);
    }
    w.integer(tag::SPLIT_KEY_PARTS, 3);
    w.integer(tag::SPLIT_KEY_THRESHOLD, 2);
    w.enumeration(tag::SPLIT_KEY_METHOD, method);
    template(w, |w| {
        before(w);
        if key.is_none() {
            aes(w);
        }
        after(w);
    });
}

fn join(w: &mut Writer, object_type: u32, parts: &[String], more: fn(&mut Writer)) {
    w.enumeration(tag::OBJECT_TYPE, object_type);
    parts.iter().for_each(|part| id(w, part));
    template(w, more);
}

fn import(w: &mut Writer, name: &str, more: fn(&mut Writer)) {
    id(w, name);
    more(w);
    symmetric(w, Some(&[1; 16]), |_| {});
}

fn revoke(w: &mut Writer, name: &str, code: u32) {
    id(w, name);
    w.structure(tag::REVOCATION_REASON, |w| {
        w.enumeration(tag::REVOCATION_REASON_CODE, code)
    });
}

fn archived(w: &mut Writer, it: &Things) {
    id(w, &it.archived);
}

fn the_template(w: &mut Writer, it: &Things) {
    id(w, &it.template);
}

older! {
    Create {
        "Object Type is not recognized": |w, _| create(w, 99, nothing, nothing);
        "Templates that do not exist are": |w, _| create(w, 2, no_template, nothing);
        "Incorrect attribute value": |w, _| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            template(w, odd_length);
        };
        "more instances than the server supports": |w, _| create(w, 2, nothing, too_many);
        "Application Namespace is not supported": |w, _| create(w, 2, nothing, nowhere);
        "Template object is archived": |w, _| create(w, 2, put_away, nothing);
    }
    CreateKeyPair {
        "Templates that do not exist are": |w, _| pair(w, 256, no_template, nothing);
        "Incorrect attribute value": |w, _| pair(w, -7, nothing, nothing);
        "more instances than the server supports": |w, _| pair(w, 256, nothing, too_many);
        "Application Namespace is not supported": |w, _| pair(w, 256, nothing, nowhere);
        "Template object is archived": |w, _| pair(w, 256, put_away, nothing);
        "field(s) missing": |_, _| {};
    }
    Register {
        "Object Type is not recognized": |w, _| register(w, 99, nothing);
        "Templates that do not exist are": |w, _| register(w, 2, no_template);
        "Incorrect attribute value": |w, _| register(w, 2, odd_length);
        "more instances than the server supports": |w, _| register(w, 2, too_many);
        "Application Namespace is not supported": |w, _| register(w, 2, nowhere);
        "Template object is archived": |w, _| register(w, 2, put_away);
        "does not match type of": |w, _| register(w, 7, nothing);
        "Template object containing a Name": |w, _| {
            w.enumeration(tag::OBJECT_TYPE, 6);
            template(w, |w| named(w, "Name", |w| name(w, tag::ATTRIBUTE_VALUE, "one")));
            w.structure(tag::TEMPLATE, |w| named(w, "Name", |w| name(w, tag::ATTRIBUTE_VALUE, "two")));
        };
        "missing or multiple PKCS#12": |w, _| bundle(w, None);
        "does not contain the Unique Identifier of a Secret Data": |w, it| bundle(w, Some(&it.working));
    }
    ReKey {
        "Application Namespace is not supported": |w, it| re_key(w, &it.working, false, Some(nowhere));
        "No object with the specified": nobody;
        "not able to be re-keyed": |w, it| re_key(w, &it.secret, false, None);
        "Offset field is not permitted": |w, it| re_key(w, &it.working, true, Some(begun));
        "Object is archived": archived;
        "An offset cannot be used": |w, it| re_key(w, &it.undated, true, None);
        "Key Value is not present": |w, it| re_key(w, &it.absent, false, None);
    }
    ReKeyKeyPair {
        "Application Namespace is not supported": |w, it| re_key_pair(w, &it.agreeing, false, Some(nowhere));
        "No object with the specified": |w, _| re_key_pair(w, "nobody", false, None);
        "not able to be re-keyed": |w, it| re_key_pair(w, &it.secret, false, None);
        "Object is archived": |w, it| re_key_pair(w, &it.archived, false, None);
        "An offset cannot be used": |w, it| re_key_pair(w, &it.undated_private, true, None);
        "Offset field is not permitted": |w, it| re_key_pair(w, &it.agreeing, true, Some(begun));
        "Key Value is not present": |w, it| re_key_pair(w, &it.absent_private, false, None);
    }
    DeriveKey {
        "Templates that do not exist are": |w, it| derive(w, &[&it.working], HMAC, 128, no_template, nothing);
        "Incorrect attribute value": |w, it| derive(w, &[&it.working], HMAC, -8, nothing, nothing);
        "Application Namespace is not supported": |w, it| derive(w, &[&it.working], HMAC, 128, nothing, nowhere);
        "objects specified do not exist": |w, _| derive(w, &["nobody"], HMAC, 128, nothing, nothing);
        "not of the correct type": |w, it| derive(w, &[&it.private], HMAC, 128, nothing, nothing);
        "Invalid Derivation Method": |w, it| derive(w, &[&it.working], 99, 128, nothing, nothing);
        "Invalid Derivation Parameters": |w, it| derive(w, &[&it.working], 1, 128, nothing, nothing);
        "Ambiguous derivation data": |w, it| derive(w, &[&it.working, &it.secret], HMAC, 128, nothing, nothing);
        "not able to be used to derive": |w, it| derive(w, &[&it.idle], HMAC, 128, nothing, nothing);
        "objects is archived": |w, it| derive(w, &[&it.archived], HMAC, 128, nothing, nothing);
        "length exceeds the output": |w, it| derive(w, &[&it.working], HASH, 512, nothing, nothing);
        "Key Value is not present": |w, it| derive(w, &[&it.absent], HMAC, 128, nothing, nothing);
    }
    Certify {
        "Application Namespace is not supported": |w, it| {
            id(w, &it.subject);
            w.enumeration(tag::CERTIFICATE_REQUEST_TYPE, 2);
            w.bytes(tag::CERTIFICATE_REQUEST, &it.request);
            elsewhere_by(w, &it.issuer);
        };
        "No object with the specified": |w, _| certify(w, "nobody", false, false, Some(x509));
        "Object is archived": |w, it| certify(w, &it.archived, false, false, Some(x509));
        "not able to be certified": |w, it| certify(w, &it.working, false, false, Some(x509));
        "not contain a signed certificate request": |w, it| certify(w, &it.public, true, false, None);
    }
    ReCertify {
        "Application Namespace is not supported": |w, it| {
            id(w, &it.issued);
            elsewhere_by(w, &it.issuer);
        };
        "No object with the specified": nobody;
        "Object is archived": archived;
        "not able to be certified": |w, it| certify(w, &it.working, false, false, None);
        "not contain a signed certificate request": |w, it| certify(w, &it.issued, true, false, None);
        "Offset field is not permitted": |w, it| certify(w, &it.issued, false, true, Some(begun));
    }
    Locate {
        "Non-existing attributes": |w, _| named(w, "Nowhere", group);
    }
    AddAttribute {
        "Application Namespace is not supported": |w, it| {
            id(w, &it.key);
            nowhere(w);
        };
        "No object with the specified": |w, _| change(w, "nobody", "Object Group", group);
        "Object is archived": |w, it| change(w, &it.archived, "Object Group", group);
        "add a read-only": |w, it| change(w, &it.key, "Destroy Date", |w| w.date_time(tag::ATTRIBUTE_VALUE, 1));
        "not supported for this object": |w, it| {
            change(w, &it.key, "Certificate Type", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 1));
        };
        "specified attribute already exists": |w, it| change(w, &it.key, "Contact Information", group);
        "contains Attribute Index": |w, it| {
            id(w, &it.key);
            indexed(w, "Object Group", 1, group);
        };
        "limit on instances": |w, it| change(w, &it.full, "Object Group", group);
    }
    ModifyAttribute {
        "Application Namespace is not supported": |w, it| {
            id(w, &it.spoken_for);
            nowhere(w);
        };
        "No object with the specified": |w, _| change(w, "nobody", "Object Group", group);
        "Object is archived": |w, it| change(w, &it.archived, "Contact Information", group);
        "An Attribute Index is specified": |w, it| {
            id(w, &it.key);
            indexed(w, "Object Group", 7, group);
        };
        "specified attribute does not exist": |w, it| {
            change(w, &it.key, "Usage Limits", |w| {
                w.structure(tag::ATTRIBUTE_VALUE, |w| {
                    w.long_integer(tag::USAGE_LIMITS_TOTAL, 1);
                    w.enumeration(tag::USAGE_LIMITS_UNIT, 1);
                });
            });
        };
        "attribute is read-only": |w, it| change(w, &it.key, "State", |w| w.enumeration(tag::ATTRIBUTE_VALUE, 2));
        "No matching attribute instance": |w, it| {
            id(w, &it.key);
            indexed(w, "Object Group", 7, group);
        };
    }
    DeleteAttribute {
        "No object with the specified": |w, _| delete(w, "nobody", "Object Group", None);
        "Object is archived": |w, it| delete(w, &it.archived, "Object Group", None);
        "delete a read-only": |w, it| delete(w, &it.key, "State", None);
        "Attribute Index is specified, but the": |w, it| delete(w, &it.key, "Contact Information", Some(1));
        "Attribute Index is not specified": |w, it| delete(w, &it.key, "Object Group", None);
        "No attribute with the specified name": |w, it| delete(w, &it.active, "Object Group", None);
        "No matching attribute instance": |w, it| delete(w, &it.key, "Object Group", Some(7));
    }
    Activate {
        "No object with the specified": nobody;
        "Object is archived": archived;
        "not able to be activated": the_template;
        "not in Pre-Active state": |w, it| id(w, &it.active);
    }
    Revoke {
        "No object with the specified": |w, _| revoke(w, "nobody", 1);
        "Object is archived": |w, it| revoke(w, &it.archived, 1);
        "Revocation Reason is not": |w, it| revoke(w, &it.active, 99);
        "not able to be revoked": |w, it| revoke(w, &it.template, 1);
    }
    Destroy {
        "No object with the specified": nobody;
        "Object is archived": archived;
        "already been destroyed": |w, it| id(w, &it.destroyed);
        "not in Pre-Active, Deactivated": |w, it| id(w, &it.active);
    }
    Archive {
        "No object with the specified": nobody;
        "already archived": archived;
    }
    Recover {
        "No object with the specified": nobody;
    }
    CreateSplitKey {
        "Object Type is not recognized": |w, _| split(w, 99, None, 2, nothing, nothing);
        "Templates that do not exist are": |w, _| split(w, 5, None, 2, no_template, nothing);
        "Incorrect attribute value": |w, _| split(w, 5, None, 2, nothing, |w| {
            named(w, "Usage Limits", |w| {
                w.structure(tag::ATTRIBUTE_VALUE, |w| {
                    w.long_integer(tag::USAGE_LIMITS_TOTAL, -1);
                    w.enumeration(tag::USAGE_LIMITS_UNIT, 1);
                });
            });
        });
        "more instances than the server supports": |w, _| split(w, 5, None, 2, nothing, too_many);
        "Application Namespace is not supported": |w, _| split(w, 5, None, 2, nothing, nowhere);
        "Template object is archived": |w, _| split(w, 5, None, 2, put_away, nothing);
        "No object with the specified": |w, _| split(w, 5, Some("nobody"), 2, nothing, nothing);
        "Split Key Method": |w, _| split(w, 5, None, 99, nothing, nothing);
    }
    JoinSplitKey {
        "Object Type is not recognized": |w, it| join(w, 99, &it.parts, nothing);
        "Templates that do not exist are": |w, it| join(w, 2, &it.parts, no_template);
        "Incorrect attribute value": |w, it| join(w, 2, &it.parts, odd_length);
        "more instances than the server supports": |w, it| join(w, 2, &it.parts, too_many);
        "Application Namespace is not supported": |w, it| join(w, 2, &it.parts, nowhere);
        "Template object is archived": |w, it| join(w, 2, &it.parts, put_away);
        "No object with the specified": |w, _| join(w, 2, &["nobody".to_owned()], nothing);
        "objects is archived": |w, it| join(w, 2, core::slice::from_ref(&it.archived), nothing);
        "less than Split Key": |w, it| join(w, 2, &it.parts[..1], nothing);
        "Split Key Method": |w, it| join(w, 2, core::slice::from_ref(&it.strange), nothing);
    }
    Import {
        "Incorrect attribute value": |w, _| import(w, "new", odd_length);
        "more instances than the server supports": |w, _| import(w, "new", too_many);
        "Application Namespace is not supported": |w, _| import(w, "new", nowhere);
        "already exists on the server": |w, it| import(w, &it.key, nothing);
        "Encoding Option not permitted": |w, it| {
            id(w, "new");
            w.enumeration(tag::KEY_WRAP_TYPE, 1);
            symmetric(w, Some(&[1; 24]), |w| wrapping(w, &it.working));
        };
        "Field is not supported": |w, _| {
            import(w, "new", nothing);
            w.integer(NOWHERE, 1);
        };
    }
}
