//! Hashing, whole or in parts (KMIP 2.1 §6.1.24).

use super::error::{CryptoError, internal};
use super::fetch;
use super::native;
use kmip_protocol::HashingAlgorithm;
use openssl::md_ctx::MdCtx;

/// A hash under way. Parts are added in order; the value comes out once.
pub struct HashContext {
    context: MdCtx,
    length: usize,
}

impl HashContext {
    /// Starts a hash.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if the library has no such digest.
    pub fn start(algorithm: HashingAlgorithm) -> Result<Self, CryptoError> {
        let digest = fetch::digest(algorithm)?;
        let mut context = MdCtx::new().map_err(internal)?;
        context.digest_init(digest).map_err(internal)?;
        Ok(Self {
            context,
            length: digest.size(),
        })
    }

    /// A second hash that has the same parts so far.
    ///
    /// # Errors
    /// [`CryptoError::Internal`].
    pub fn fork(&self) -> Result<Self, CryptoError> {
        Ok(Self {
            context: native::copy_digest(&self.context)?,
            length: self.length,
        })
    }

    /// Adds a part.
    ///
    /// # Errors
    /// [`CryptoError::Internal`].
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        self.context.digest_update(data).map_err(internal)
    }

    /// The value over all parts.
    ///
    /// # Errors
    /// [`CryptoError::Internal`].
    pub fn finish(mut self) -> Result<Vec<u8>, CryptoError> {
        let mut value = vec![0; self.length];
        let length = self.context.digest_final(&mut value).map_err(internal)?;
        value.truncate(length);
        Ok(value)
    }
}

/// The hash of one piece of data.
///
/// # Errors
/// As [`HashContext`].
pub fn hash(algorithm: HashingAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut context = HashContext::start(algorithm)?;
    context.update(data)?;
    context.finish()
}

/// The length of a hash's value in bytes.
///
/// # Errors
/// [`CryptoError::Unsupported`].
pub fn hash_length(algorithm: HashingAlgorithm) -> Result<usize, CryptoError> {
    Ok(fetch::digest(algorithm)?.size())
}

/// Every hash there is here.
pub fn hashes() -> impl Iterator<Item = HashingAlgorithm> {
    fetch::digests()
}

#[cfg(test)]
mod tests {
    use super::super::testing::hex;
    use super::*;

    /// RFC 1319, 1320, 1321; FIPS 180-4; FIPS 202; the RIPEMD-160 and Whirlpool papers: the message "abc".
    #[test]
    fn published_values() {
        for (algorithm, value) in [
            (HashingAlgorithm::MD2, "da853b0d3f88d99b30283a69e6ded6bb"),
            (HashingAlgorithm::MD4, "a448017aaf21d8525fc10ae87aa6729d"),
            (HashingAlgorithm::MD5, "900150983cd24fb0d6963f7d28e17f72"),
            (HashingAlgorithm::SHA_1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                HashingAlgorithm::SHA_224,
                "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
            ),
            (
                HashingAlgorithm::SHA_256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (HashingAlgorithm::RIPEMD_160, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            (
                HashingAlgorithm::SHA3_256,
                "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
            ),
            (
                HashingAlgorithm::SHA_512_256,
                "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
            ),
        ] {
            assert_eq!(hash(algorithm, b"abc").unwrap(), hex(value), "{algorithm}");
        }
    }

    #[test]
    fn parts_make_the_whole_for_every_hash() {
        for algorithm in hashes() {
            let mut parts = HashContext::start(algorithm).unwrap();
            for part in [&b"a"[..], b"", b"bc"] {
                parts.fork().unwrap().update(b"something else").unwrap();
                parts.update(part).unwrap();
            }
            assert_eq!(
                parts.fork().unwrap().finish().unwrap(),
                hash(algorithm, b"abc").unwrap()
            );
            let value = parts.finish().unwrap();
            assert_eq!(value, hash(algorithm, b"abc").unwrap());
            assert_eq!(value.len(), hash_length(algorithm).unwrap());
        }
        assert_eq!(hash(HashingAlgorithm::Tiger, b"").err(), Some(CryptoError::Unsupported));
        assert_eq!(
            hash(HashingAlgorithm(0x8000_0001), b"").err(),
            Some(CryptoError::Unsupported)
        );
    }
}
