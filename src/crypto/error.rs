//! Why a cryptographic request could not be served. The texts hold no values.

use openssl::error::ErrorStack;
use std::cell::Cell;

/// The failure of one cryptographic request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The vocabulary has it, this server does not: an algorithm, mode, padding, curve, format or their combination.
    #[error("the cryptographic parameters are not supported")]
    Unsupported,
    /// Parameters are missing, out of range or contradict each other or the key.
    #[error("the cryptographic parameters are missing or do not fit")]
    BadParameters,
    /// A mode that needs an initialization vector, counter or nonce got none.
    #[error("an initialization vector is missing")]
    MissingIv,
    /// The length of the authentication tag is not one that the mode allows.
    #[error("the authentication tag has a length that the mode does not allow")]
    BadTagLength,
    /// The key's bytes are no key of the stated algorithm, format or length, or its kind does not fit the request.
    #[error("the key does not fit")]
    BadKey,
    /// The data has a length that the mode, padding or algorithm does not allow.
    #[error("the data has a length that the parameters do not allow")]
    BadLength,
    /// The Encoding Option does not fit the key: No Encoding takes byte strings without attributes only.
    #[error("the encoding option does not fit the key")]
    BadEncoding,
    /// Authentication, padding or integrity did not hold.
    #[error("the cryptographic check failed")]
    Failed,
    /// The source of randomness gave nothing. Nothing was made without it.
    #[error("the random number generator is not available")]
    Random,
    /// The library failed where it should not have.
    #[error("the cryptographic library failed")]
    Internal,
}

thread_local! {
    /// Set by the generator's callback when the source failed underneath a library call of this thread.
    static RANDOM_FAILED: Cell<bool> = const { Cell::new(false) };
}

/// Notes, for the library call under way, that the source of randomness failed.
pub(super) fn note_random_failure() {
    RANDOM_FAILED.with(|failed| failed.set(true));
}

/// Makes a converter from the library's error queue to one of ours: what happened matters less than where.
/// The queue is dropped, because its texts may hold what a client sent.
pub(super) fn or(error: CryptoError) -> impl Fn(ErrorStack) -> CryptoError {
    move |_| {
        if RANDOM_FAILED.with(|failed| failed.replace(false)) {
            CryptoError::Random
        } else {
            error
        }
    }
}

/// The library failed without a reason that the request could give it.
pub(super) fn internal(stack: ErrorStack) -> CryptoError {
    or(CryptoError::Internal)(stack)
}
