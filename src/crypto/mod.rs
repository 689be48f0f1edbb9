//! What clients ask for: hashes, MACs, ciphers, signatures, keys and their formats, over the vocabulary's enumerations
//! with OpenSSL underneath. Old algorithms work here; whether a request may use one is for the caller's profile.

mod algorithm;
mod cipher;
#[cfg(test)]
mod cipher_properties;
#[cfg(test)]
mod cipher_tests;
mod curve;
mod error;
mod fetch;
pub mod generate;
mod hash;
mod key;
mod mac;
mod native;
mod nonce;
mod padding;
mod parameters;
pub mod post_quantum;
mod random;
pub mod signature;
#[cfg(test)]
mod signature_tests;
#[cfg(test)]
mod testing;

pub use algorithm::{KeyLengths, Profile, check_material, key_lengths, length_in_bits, material_length, permitted};
pub use cipher::{CipherContext, CipherRequest, Direction, Encrypted, decrypt, encrypt};
pub use curve::curves;
pub use error::CryptoError;
pub use hash::{HashContext, hash, hash_length, hashes};
pub use key::{KeyFacts, KeyKind, PrivateKey, PublicKey};
pub use mac::{MacContext, MacMethod, mac};
pub use parameters::effective;
pub use random::{Generator, OsRandomness, Randomness, install, randomness};
