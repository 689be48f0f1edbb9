//! What uses keys: how each reason of their tables is provoked.

use super::things::{id, parameters, rows};
use kmip_protocol::tag;
use kmip_ttlv::{Tag, Writer};

pub(super) const CBC: (Tag, u32) = (tag::BLOCK_CIPHER_MODE, 1);
pub(super) const UNPADDED: (Tag, u32) = (tag::PADDING_METHOD, 1);
/// A hash that nobody knows.
const NO_HASH: (Tag, u32) = (tag::HASHING_ALGORITHM, 99);
pub(super) const SHA_256: (Tag, u32) = (tag::HASHING_ALGORITHM, 6);
const TRIPLE_DES: (Tag, u32) = (tag::CRYPTOGRAPHIC_ALGORITHM, 2);
pub(super) const AES: (Tag, u32) = (tag::CRYPTOGRAPHIC_ALGORITHM, 3);
pub(super) const CMAC: (Tag, u32) = (tag::BLOCK_CIPHER_MODE, 7);
const UNKNOWN_MODE: (Tag, u32) = (tag::BLOCK_CIPHER_MODE, 99);

/// A block of data, or less, with a vector.
pub(super) fn ciphered(w: &mut Writer, key: &str, named: &[(Tag, u32)], data: &[u8]) {
    id(w, key);
    parameters(w, named);
    w.bytes(tag::DATA, data);
    w.bytes(tag::IV_COUNTER_NONCE, &[2; 16]);
}

pub(super) fn data(w: &mut Writer, key: &str, named: &[(Tag, u32)]) {
    id(w, key);
    parameters(w, named);
    w.bytes(tag::DATA, &[1; 16]);
}

/// Verification of some mark, be it a signature or a MAC.
pub(super) fn verified(w: &mut Writer, key: &str, named: &[(Tag, u32)], mark: Tag) {
    data(w, key, named);
    w.bytes(mark, &[3; 32]);
}

pub(super) fn stream(w: &mut Writer) {
    w.bytes(tag::CORRELATION_VALUE, &[1; 16]);
}

pub(super) const SIGNATURE: Tag = tag::SIGNATURE_DATA;
pub(super) const MAC: Tag = tag::MAC_DATA;

rows! {
    Encrypt {
        BadCryptographicParameters: |w, it| ciphered(w, &it.working, &[CBC, TRIPLE_DES], &[1; 16]);
        CryptographicFailure: |w, it| ciphered(w, &it.working, &[CBC, UNPADDED], &[1; 15]);
        IncompatibleCryptographicUsageMask: |w, it| ciphered(w, &it.idle, &[CBC], &[1; 16]);
        InvalidCorrelationValue: |w, it| {
            ciphered(w, &it.working, &[CBC], &[1; 16]);
            stream(w);
        };
        InvalidObjectType: |w, it| ciphered(w, &it.secret, &[CBC], &[1; 16]);
        KeyValueNotPresent: |w, it| ciphered(w, &it.absent, &[CBC], &[1; 16]);
        ObjectNotFound: |w, _| ciphered(w, "nobody", &[CBC], &[1; 16]);
        UnsupportedCryptographicParameters: |w, it| ciphered(w, &it.working, &[UNKNOWN_MODE], &[1; 16]);
        WrongKeyLifecycleState: |w, it| ciphered(w, &it.key, &[CBC], &[1; 16]);
    }
    Decrypt {
        BadCryptographicParameters: |w, it| ciphered(w, &it.working, &[CBC, TRIPLE_DES], &[1; 16]);
        CryptographicFailure: |w, it| ciphered(w, &it.working, &[CBC, UNPADDED], &[1; 15]);
        IncompatibleCryptographicUsageMask: |w, it| ciphered(w, &it.idle, &[CBC], &[1; 16]);
        InvalidCorrelationValue: |w, it| {
            ciphered(w, &it.working, &[CBC], &[1; 16]);
            stream(w);
        };
        InvalidObjectType: |w, it| ciphered(w, &it.secret, &[CBC], &[1; 16]);
        KeyValueNotPresent: |w, it| ciphered(w, &it.absent, &[CBC], &[1; 16]);
        ObjectNotFound: |w, _| ciphered(w, "nobody", &[CBC], &[1; 16]);
        UnsupportedCryptographicParameters: |w, it| ciphered(w, &it.working, &[UNKNOWN_MODE], &[1; 16]);
        WrongKeyLifecycleState: |w, it| ciphered(w, &it.key, &[CBC], &[1; 16]);
    }
    Sign {
        BadCryptographicParameters: |w, it| data(w, &it.private, &[SHA_256, AES]);
        CryptographicFailure: |w, it| data(w, &it.agreeing, &[]);
        IncompatibleCryptographicUsageMask: |w, it| data(w, &it.idle, &[SHA_256]);
        InvalidCorrelationValue: |w, it| {
            data(w, &it.private, &[SHA_256]);
            stream(w);
        };
        InvalidObjectType: |w, it| data(w, &it.secret, &[SHA_256]);
        KeyValueNotPresent: |w, it| data(w, &it.absent, &[SHA_256]);
        ObjectNotFound: |w, _| data(w, "nobody", &[SHA_256]);
        UnsupportedCryptographicParameters: |w, it| data(w, &it.private, &[NO_HASH]);
        WrongKeyLifecycleState: |w, it| data(w, &it.key, &[SHA_256]);
    }
    SignatureVerify {
        BadCryptographicParameters: |w, it| verified(w, &it.public, &[SHA_256, AES], SIGNATURE);
        CryptographicFailure: |w, it| verified(w, &it.agreed, &[], SIGNATURE);
        IncompatibleCryptographicUsageMask: |w, it| verified(w, &it.idle, &[SHA_256], SIGNATURE);
        InvalidCorrelationValue: |w, it| {
            verified(w, &it.public, &[SHA_256], SIGNATURE);
            stream(w);
        };
        InvalidObjectType: |w, it| verified(w, &it.secret, &[SHA_256], SIGNATURE);
        KeyValueNotPresent: |w, it| verified(w, &it.absent, &[SHA_256], SIGNATURE);
        ObjectNotFound: |w, _| verified(w, "nobody", &[SHA_256], SIGNATURE);
        UnsupportedCryptographicParameters: |w, it| verified(w, &it.public, &[NO_HASH], SIGNATURE);
        WrongKeyLifecycleState: |w, it| verified(w, &it.key, &[SHA_256], SIGNATURE);
    }
    MAC {
        BadCryptographicParameters: |w, it| data(w, &it.working, &[]);
        CryptographicFailure: |w, it| data(w, &it.secret, &[CMAC, AES]);
        IncompatibleCryptographicUsageMask: |w, it| data(w, &it.idle, &[SHA_256]);
        InvalidCorrelationValue: |w, it| {
            data(w, &it.working, &[SHA_256]);
            stream(w);
        };
        InvalidObjectType: |w, it| data(w, &it.private, &[SHA_256]);
        KeyValueNotPresent: |w, it| data(w, &it.absent, &[SHA_256]);
        ObjectNotFound: |w, _| data(w, "nobody", &[SHA_256]);
        WrongKeyLifecycleState: |w, it| data(w, &it.key, &[SHA_256]);
    }
    MACVerify {
        BadCryptographicParameters: |w, it| verified(w, &it.working, &[], MAC);
        CryptographicFailure: |w, it| verified(w, &it.secret, &[CMAC, AES], MAC);
        IncompatibleCryptographicUsageMask: |w, it| verified(w, &it.idle, &[SHA_256], MAC);
        InvalidCorrelationValue: |w, it| {
            verified(w, &it.working, &[SHA_256], MAC);
            stream(w);
        };
        InvalidObjectType: |w, it| verified(w, &it.private, &[SHA_256], MAC);
        KeyValueNotPresent: |w, it| verified(w, &it.absent, &[SHA_256], MAC);
        ObjectNotFound: |w, _| verified(w, "nobody", &[SHA_256], MAC);
        WrongKeyLifecycleState: |w, it| verified(w, &it.key, &[SHA_256], MAC);
    }
    Hash {
        InvalidCorrelationValue: |w, _| {
            parameters(w, &[SHA_256]);
            w.bytes(tag::DATA, &[1]);
            stream(w);
        };
    }
}
