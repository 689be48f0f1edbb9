//! Where keys and nonces come from.

use ring::rand::SecureRandom;

use super::error::CustodyError;

/// A source of random bytes that fails closed.
pub trait Randomness: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`CustodyError::Randomness`]; then nothing may be made of what is in `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), CustodyError>;
}

/// The operating system's source.
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), CustodyError> {
        ring::rand::SystemRandom::new()
            .fill(bytes)
            .map_err(|_| CustodyError::Randomness)
    }
}
