//! What clients ask for: hashes, MACs, ciphers, signatures, keys and their formats, over the vocabulary's enumerations
//! with OpenSSL underneath. Old algorithms work here; whether a request may use one is for the caller's profile.

mod algorithm;
mod cipher;
#[cfg(test)]
mod cipher_properties;
#[cfg(test)]
mod cipher_tests;
mod error;
mod fetch;
mod hash;
mod mac;
mod native;
mod nonce;
mod padding;
mod parameters;
mod random;
#[cfg(test)]
mod testing;

pub use algorithm::{KeyLengths, Profile, check_material, key_lengths, length_in_bits, material_length, permitted};
pub use cipher::{CipherContext, CipherRequest, Direction, Encrypted, decrypt, encrypt};
pub use error::CryptoError;
pub use hash::{HashContext, hash, hash_length, hashes};
pub use mac::{MacContext, MacMethod, mac};
pub use parameters::Parameters;
pub use random::{Generator, OsRandomness, Randomness, install, randomness};
