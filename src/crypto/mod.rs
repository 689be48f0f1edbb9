//! What clients ask for: hashes, MACs, ciphers, signatures, keys and their formats, over the vocabulary's enumerations
//! with OpenSSL underneath. Old algorithms work here; whether a request may use one is for the caller's profile.

mod algorithm;
mod asymmetric;
mod cipher;
#[cfg(test)]
mod cipher_properties;
#[cfg(test)]
mod cipher_refusals;
#[cfg(test)]
mod cipher_tests;
mod curve;
mod der;
pub mod derive;
#[cfg(test)]
mod derive_tests;
mod error;
mod fetch;
mod field;
pub mod format;
#[cfg(test)]
mod format_tests;
pub mod generate;
mod hash;
mod key;
mod mac;
mod native;
mod nonce;
mod number;
mod padding;
mod parameters;
mod password_encryption;
pub mod pkcs12;
pub mod post_quantum;
mod private_format;
pub mod profile;
mod public_format;
pub mod quantum;
mod random;
pub mod signature;
#[cfg(test)]
mod signature_tests;
pub mod split;
#[cfg(test)]
mod split_tests;
#[cfg(test)]
mod testing;
pub mod wrap;
#[cfg(test)]
mod wrap_tests;

pub use algorithm::{
    KeyLengths, Profile, check_material, key_lengths, length_in_bits, material_length, permitted, usual_length,
};
pub use asymmetric::{decrypt_with, encrypt_to};
pub use cipher::{CipherContext, CipherRequest, Direction, Encrypted, decrypt, encrypt};
pub use curve::curves;
pub use error::CryptoError;
pub use field::ByteField;
pub use hash::{HashContext, hash, hash_length, hashes};
pub use key::{KeyFacts, KeyKind, PrivateKey, PublicKey};
pub use mac::{MacContext, MacMethod, mac};
pub use parameters::effective;
pub use private_format::ReadHints;
pub use random::{Generator, OsRandomness, Randomness, install, randomness};
