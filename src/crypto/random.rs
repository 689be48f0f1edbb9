//! The source of every key, nonce and salt: one contract, from which OpenSSL's own generator is fed as well.

use super::error::CryptoError;
use super::native;
use kmip_protocol::{CryptographicAlgorithm, DRBGAlgorithm, RNGAlgorithm, RNGParameters};
use kmip_ttlv::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use std::io::Write;
use std::sync::{Arc, OnceLock};

/// At most this much of a client's seed is taken: more adds nothing to a generator whose state is 256 bits.
const SEED_LIMIT: usize = 4096;

/// A source of random bytes.
pub trait Randomness: Send + Sync {
    /// Fills all of `out`, or fails: never with less than full entropy.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError>;

    /// What the generator is, for the attribute Random Number Generator and for Query (KMIP 2.1 §4.46).
    fn generator(&self) -> Generator;

    /// Tried when it is chosen, before anything is made from it.
    ///
    /// # Errors
    /// [`CryptoError::Random`] if it gives nothing.
    fn begin(&self) -> Result<(), CryptoError> {
        self.fill(&mut [0; 32])
    }

    /// Mixes a client's seed in and says how many of its bytes were used (KMIP 2.1 §6.1.50). A seed never replaces
    /// the generator's own entropy.
    fn absorb(&self, seed: &[u8]) -> usize {
        let _ = seed;
        0
    }
}

impl dyn Randomness + '_ {
    /// `length` fresh random bytes.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn secret(&self, length: usize) -> Result<Secret, CryptoError> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(Secret::new(bytes))
    }

    /// An array of fresh random bytes.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn array<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// What is said about a generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generator {
    /// Its name in settings, status and records: `os`, `hsm`, `os+hsm`.
    pub name: &'static str,
    /// The kind of generator.
    pub algorithm: RNGAlgorithm,
    /// The kind of its deterministic part, where it has one.
    pub drbg: Option<DRBGAlgorithm>,
    /// The cipher inside, where one is.
    pub cipher: Option<CryptographicAlgorithm>,
    /// The length of that cipher's key in bits.
    pub cipher_bits: Option<i32>,
    /// Whether each answer takes fresh entropy.
    pub prediction_resistance: Option<bool>,
}

impl Generator {
    /// Whether this is a generator as it was asked for: what is named is so here, what is not may be anything.
    #[must_use]
    pub fn is(&self, wanted: &RNGParameters) -> bool {
        let own = self.parameters();
        let RNGParameters {
            rng_algorithm,
            cryptographic_algorithm,
            cryptographic_length,
            hashing_algorithm,
            drbg_algorithm,
            recommended_curve,
            fips186_variation,
            prediction_resistance,
        } = wanted;
        fn fits<T: PartialEq>(wanted: Option<&T>, own: Option<&T>) -> bool {
            wanted.is_none() || wanted == own
        }
        (*rng_algorithm == RNGAlgorithm::Unspecified || *rng_algorithm == own.rng_algorithm)
            && fits(cryptographic_algorithm.as_ref(), own.cryptographic_algorithm.as_ref())
            && fits(cryptographic_length.as_ref(), own.cryptographic_length.as_ref())
            && fits(hashing_algorithm.as_ref(), own.hashing_algorithm.as_ref())
            && fits(drbg_algorithm.as_ref(), own.drbg_algorithm.as_ref())
            && fits(recommended_curve.as_ref(), own.recommended_curve.as_ref())
            && fits(fips186_variation.as_ref(), own.fips186_variation.as_ref())
            && fits(prediction_resistance.as_ref(), own.prediction_resistance.as_ref())
    }

    /// The attribute's value.
    #[must_use]
    pub const fn parameters(&self) -> RNGParameters {
        RNGParameters {
            rng_algorithm: self.algorithm,
            cryptographic_algorithm: self.cipher,
            cryptographic_length: self.cipher_bits,
            hashing_algorithm: None,
            drbg_algorithm: self.drbg,
            recommended_curve: None,
            fips186_variation: None,
            prediction_resistance: self.prediction_resistance,
        }
    }
}

/// The operating system's generator: getrandom(2), which on Linux is ChaCha20 reseeded from the kernel's entropy.
pub struct OsRandomness(SystemRandom);

impl OsRandomness {
    /// The operating system's generator.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for OsRandomness {
    fn default() -> Self {
        Self::new()
    }
}

impl Randomness for OsRandomness {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        self.0.fill(out).map_err(|_| CryptoError::Random)
    }

    fn generator(&self) -> Generator {
        Generator {
            name: "os",
            algorithm: RNGAlgorithm::DRBG,
            drbg: Some(DRBGAlgorithm::Unspecified),
            cipher: Some(CryptographicAlgorithm::ChaCha20),
            cipher_bits: Some(256),
            prediction_resistance: Some(false),
        }
    }

    /// Writing to the device mixes the bytes into the kernel's pool and credits no entropy for them.
    fn absorb(&self, seed: &[u8]) -> usize {
        let taken = seed.get(..SEED_LIMIT).unwrap_or(seed);
        let written = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/urandom")
            .and_then(|mut pool| pool.write_all(taken));
        if written.is_ok() { taken.len() } else { 0 }
    }
}

static SOURCE: OnceLock<Arc<dyn Randomness>> = OnceLock::new();

/// Chooses the process's source, once, before anything is made from it. OpenSSL's generator is replaced by it in the
/// same step, so that keys, blinding and signature nonces made inside the library come from it too.
///
/// # Errors
/// [`CryptoError::Random`] if a source is in use already or gives nothing; [`CryptoError::Internal`] if the library
/// refuses to be fed.
pub fn install(source: Arc<dyn Randomness>) -> Result<(), CryptoError> {
    source.begin()?;
    SOURCE.set(source).map_err(|_| CryptoError::Random)?;
    native::prepare()
}

/// The source in use; the operating system's if none was chosen.
pub fn randomness() -> &'static Arc<dyn Randomness> {
    SOURCE.get_or_init(|| Arc::new(OsRandomness::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_generator_fills_and_names_itself() {
        let source: Arc<dyn Randomness> = Arc::new(OsRandomness::new());
        let (first, second): ([u8; 32], [u8; 32]) = (source.array().unwrap(), source.array().unwrap());
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
        assert_eq!(source.secret(48).unwrap().len(), 48);
        assert_eq!(source.generator().name, "os");
    }

    #[test]
    fn a_source_is_chosen_once() {
        let _ = randomness();
        assert_eq!(install(Arc::new(OsRandomness::new())).err(), Some(CryptoError::Random));
    }

    #[test]
    fn a_source_that_gives_nothing_is_refused_and_makes_nothing() {
        struct Dry;
        impl Randomness for Dry {
            fn fill(&self, _: &mut [u8]) -> Result<(), CryptoError> {
                Err(CryptoError::Random)
            }
            fn generator(&self) -> Generator {
                OsRandomness::new().generator()
            }
        }
        assert_eq!(install(Arc::new(Dry)).err(), Some(CryptoError::Random));
        let dry: Arc<dyn Randomness> = Arc::new(Dry);
        assert!(matches!(dry.secret(16), Err(CryptoError::Random)));
        assert_eq!(dry.absorb(b"seed"), 0);
    }
}
