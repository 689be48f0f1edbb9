//! What can go wrong with certificates. Texts carry no value that was read.

use thiserror::Error;

/// The result of this crate's functions.
pub type Result<T> = core::result::Result<T, Error>;

/// Why something was not made or not read.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The PEM text has no such section, or is damaged.
    #[error("no readable PEM section of the kind that was expected")]
    Pem,
    /// The bytes are not a certificate.
    #[error("not an X.509 certificate")]
    Certificate,
    /// The bytes are not a certificate request, or the key in it did not sign it.
    #[error("not a certificate request signed by its own key")]
    Request,
    /// A certificate was wished for that would make its holder an authority.
    #[error("the request asks for the certificate of an authority")]
    AuthorityWished,
    /// The bytes are not a revocation list.
    #[error("not an X.509 revocation list")]
    RevocationList,
    /// The private key cannot be read, or is of a kind that cannot sign here.
    #[error("not a private key of a supported kind")]
    PrivateKey,
    /// The private key is not the one of this certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The certificate does not allow its holder to issue others.
    #[error("the certificate is not one of a certificate authority")]
    NotAuthority,
    /// A name holds characters that its type cannot carry.
    #[error("a name holds characters that its type cannot carry")]
    Name,
    /// The end comes before the beginning, or a date does not fit.
    #[error("the validity is empty or does not fit a date")]
    Validity,
    /// The cryptographic library refused.
    #[error("the cryptographic library refused")]
    Cryptography,
    /// A key store cannot be opened with this password, or is damaged.
    #[error("the key store cannot be opened")]
    KeyStore,
}
