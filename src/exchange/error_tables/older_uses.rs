//! The error tables of the versions without tagged attributes (KMIP 1.4 §11): how each of their rows is provoked by what gives objects
//! out, asks about them and uses them.

use super::cryptography::{AES, CBC, CMAC, MAC, SHA_256, SIGNATURE, UNPADDED, ciphered, data, stream, verified};
use super::older::older;
use super::things::{Things, id, nobody, parameters};
use kmip_protocol::tag;
use kmip_ttlv::Writer;

fn archived(w: &mut Writer, it: &Things) {
    id(w, &it.archived);
}

const ENCRYPT: u32 = 1;
const MAC_SIGN: u32 = 2;

/// Wrapped by another key, in this way.
fn wrapped(w: &mut Writer, it: &Things, method: u32, by: &str, mode: u32, more: fn(&mut Writer)) {
    id(w, &it.working);
    let whose = if method == ENCRYPT {
        tag::ENCRYPTION_KEY_INFORMATION
    } else {
        tag::MAC_SIGNATURE_KEY_INFORMATION
    };
    w.structure(tag::KEY_WRAPPING_SPECIFICATION, |w| {
        w.enumeration(tag::WRAPPING_METHOD, method);
        w.structure(whose, |w| {
            id(w, by);
            parameters(w, &[(tag::BLOCK_CIPHER_MODE, mode)]);
        });
        more(w);
    });
}

fn nothing(_: &mut Writer) {}

const KEY_WRAP: u32 = 13;

fn wrapped_by_none(w: &mut Writer, it: &Things) {
    wrapped(w, it, ENCRYPT, "nobody", KEY_WRAP, nothing);
}

fn wrapped_by_no_key(w: &mut Writer, it: &Things) {
    wrapped(w, it, ENCRYPT, &it.secret, KEY_WRAP, nothing);
}

fn wrapped_by_idle(w: &mut Writer, it: &Things) {
    wrapped(w, it, ENCRYPT, &it.idle, KEY_WRAP, nothing);
}

fn signed_by_no_key(w: &mut Writer, it: &Things) {
    wrapped(w, it, MAC_SIGN, &it.secret, KEY_WRAP, nothing);
}

fn signed_by_idle(w: &mut Writer, it: &Things) {
    wrapped(w, it, MAC_SIGN, &it.idle, KEY_WRAP, nothing);
}

fn another_format(w: &mut Writer, it: &Things) {
    id(w, &it.working);
    w.enumeration(tag::KEY_FORMAT_TYPE, 3);
}

fn otherwise_wrapped(w: &mut Writer, it: &Things) {
    wrapped(w, it, ENCRYPT, &it.particular, 1, nothing);
}

fn with_attributes(w: &mut Writer, it: &Things) {
    wrapped(w, it, ENCRYPT, &it.working, KEY_WRAP, |w| {
        w.text(tag::ATTRIBUTE_NAME, "State");
        w.enumeration(tag::ENCODING_OPTION, 1);
    });
}

fn another_encoding(w: &mut Writer, it: &Things) {
    wrapped(w, it, ENCRYPT, &it.working, KEY_WRAP, |w| {
        w.enumeration(tag::ENCODING_OPTION, 99)
    });
}

fn another_wrapping(w: &mut Writer, it: &Things) {
    id(w, &it.wrapped);
    w.enumeration(tag::KEY_WRAP_TYPE, 99);
}

fn allocated(w: &mut Writer, key: &str) {
    id(w, key);
    w.long_integer(tag::USAGE_LIMITS_COUNT, 1);
}

older! {
    Check {
        "Object is archived": archived;
        "Object does not exist": nobody;
        "Check cannot be performed": |w, it| id(w, &it.template);
        "not allowed to use the object": |w, it| {
            id(w, &it.idle);
            w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 4);
        };
    }
    Get {
        "Object is archived": archived;
        "Object does not exist": nobody;
        "Wrapping key does not exist": wrapped_by_none;
        "Encryption Key Information exists, but it is not a key": wrapped_by_no_key;
        "not able to be used for wrapping": wrapped_by_idle;
        "MAC/Signature Key Information exists, but it is not a key": signed_by_no_key;
        "not able to be used for MACing/signing": signed_by_idle;
        "desired Key Format Type": another_format;
        "Cryptographic Parameters associated": otherwise_wrapped;
        "Encoding Option not permitted": with_attributes;
        "desired Encoding Option": another_encoding;
        "Key Wrap Type is not supported": another_wrapping;
        "Object is Sensitive": |w, it| id(w, &it.sensitive);
        "Object is not Extractable": |w, it| id(w, &it.kept);
    }
    GetAttributes {
        "No object with the specified": nobody;
        "same Attribute Name is present": |w, it| {
            id(w, &it.key);
            w.text(tag::ATTRIBUTE_NAME, "State");
            w.text(tag::ATTRIBUTE_NAME, "State");
        };
    }
    GetAttributeList {
        "No object with the specified": nobody;
    }
    ObtainLease {
        "No object with the specified": nobody;
        "Object is archived": archived;
        "lease is not permitted": |w, it| id(w, &it.compromised);
    }
    GetUsageAllocation {
        "No object with the specified": |w, _| allocated(w, "nobody");
        "Object is archived": |w, it| allocated(w, &it.archived);
        "has no Usage Limits": |w, it| allocated(w, &it.working);
        "No Usage Limits Count": |w, it| id(w, &it.limited);
        "not able to grant": |w, it| allocated(w, &it.spent);
    }
    Validate {
        "objects is archived": archived;
        "does not specify a certificate list": |_, _| {};
    }
    Poll {
        "No outstanding operation": |w, _| w.bytes(tag::ASYNCHRONOUS_CORRELATION_VALUE, &[1; 16]);
    }
    Encrypt {
        "No object with the specified": |w, _| ciphered(w, "nobody", &[CBC], &[1; 16]);
        "Object is archived": |w, it| ciphered(w, &it.archived, &[CBC], &[1; 16]);
        "Key Value is not present": |w, it| ciphered(w, &it.absent, &[CBC], &[1; 16]);
        "used for encryption": |w, it| ciphered(w, &it.idle, &[CBC], &[1; 16]);
        "Cryptographic error during": |w, it| ciphered(w, &it.working, &[CBC, UNPADDED], &[1; 15]);
        "No outstanding operation": |w, it| {
            ciphered(w, &it.working, &[CBC], &[1; 16]);
            stream(w);
        };
    }
    Decrypt {
        "No object with the specified": |w, _| ciphered(w, "nobody", &[CBC], &[1; 16]);
        "Object is archived": |w, it| ciphered(w, &it.archived, &[CBC], &[1; 16]);
        "Key Value is not present": |w, it| ciphered(w, &it.absent, &[CBC], &[1; 16]);
        "used for decryption": |w, it| ciphered(w, &it.secret, &[CBC], &[1; 16]);
        "Cryptographic error during": |w, it| ciphered(w, &it.working, &[CBC, UNPADDED], &[1; 15]);
        "No outstanding operation": |w, it| {
            ciphered(w, &it.working, &[CBC], &[1; 16]);
            stream(w);
        };
    }
    Sign {
        "No object with the specified": |w, _| data(w, "nobody", &[SHA_256]);
        "Object is archived": |w, it| data(w, &it.archived, &[SHA_256]);
        "Key Value is not present": |w, it| data(w, &it.absent, &[SHA_256]);
        "used for signing": |w, it| data(w, &it.secret, &[SHA_256]);
        "Cryptographic error during": |w, it| data(w, &it.agreeing, &[]);
        "No outstanding operation": |w, it| {
            data(w, &it.private, &[SHA_256]);
            stream(w);
        };
    }
    SignatureVerify {
        "No object with the specified": |w, _| verified(w, "nobody", &[SHA_256], SIGNATURE);
        "Object is archived": |w, it| verified(w, &it.archived, &[SHA_256], SIGNATURE);
        "Key Value is not present": |w, it| verified(w, &it.absent, &[SHA_256], SIGNATURE);
        "used for signature verification": |w, it| verified(w, &it.idle, &[SHA_256], SIGNATURE);
        "Cryptographic error during": |w, it| verified(w, &it.agreed, &[], SIGNATURE);
        "No outstanding operation": |w, it| {
            verified(w, &it.public, &[SHA_256], SIGNATURE);
            stream(w);
        };
    }
    MAC {
        "No object with the specified": |w, _| data(w, "nobody", &[SHA_256]);
        "Object is archived": |w, it| data(w, &it.archived, &[SHA_256]);
        "Key Value is not present": |w, it| data(w, &it.absent, &[SHA_256]);
        "used for MACing": |w, it| data(w, &it.private, &[SHA_256]);
        "Cryptographic error during": |w, it| data(w, &it.secret, &[CMAC, AES]);
        "No outstanding operation": |w, it| {
            data(w, &it.working, &[SHA_256]);
            stream(w);
        };
    }
    MACVerify {
        "No object with the specified": |w, _| verified(w, "nobody", &[SHA_256], MAC);
        "Object is archived": |w, it| verified(w, &it.archived, &[SHA_256], MAC);
        "Key Value is not present": |w, it| verified(w, &it.absent, &[SHA_256], MAC);
        "used for MAC verification": |w, it| verified(w, &it.idle, &[SHA_256], MAC);
        "Cryptographic error during": |w, it| verified(w, &it.secret, &[CMAC, AES], MAC);
        "No outstanding operation": |w, it| {
            verified(w, &it.working, &[SHA_256], MAC);
            stream(w);
        };
    }
    Hash {
        "No outstanding operation": |w, _| {
            parameters(w, &[SHA_256]);
            w.bytes(tag::DATA, &[1]);
            stream(w);
        };
    }
    Export {
        "Object does not exist": nobody;
        "Wrapping key does not exist": wrapped_by_none;
        "Encryption Key Information exists, but it is not a key": wrapped_by_no_key;
        "not able to be used for wrapping": wrapped_by_idle;
        "MAC/Signature Key Information exists, but it is not a key": signed_by_no_key;
        "not able to be used for MACing/signing": signed_by_idle;
        "desired Key Format Type": another_format;
        "Cryptographic Parameters associated": otherwise_wrapped;
        "Encoding Option not permitted": with_attributes;
        "desired Encoding Option": another_encoding;
        "Key Wrap Type is not supported": another_wrapping;
    }
}
