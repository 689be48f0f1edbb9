//! What can go wrong between a client and its server.

use kmip_protocol::{ResultReason, ResultStatus};
use std::io;
use std::path::PathBuf;

/// Why a connection or an exchange failed. No text repeats a value of a message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A certificate or key file cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds no certificate or private key in PEM.
    #[error("{path} holds no {expected} in PEM")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// The address does not resolve, or the server's name is none.
    #[error("{0} is no address of a server")]
    Address(String),
    /// No connection to the address.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where to.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// The handshake failed, or the certificate and key do not fit each other.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// Reading or writing failed, or took longer than the timeout.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The server closed the connection instead of answering.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// What the server sent does not begin like a KMIP message.
    #[error("the server did not answer in KMIP")]
    NotKmip,
    /// What carries messages refused this one.
    #[error("the server answered with HTTP status {0}")]
    Http(u16),
    /// The answer is longer than the limit.
    #[error("the answer is {length} bytes long, over the limit of {limit}")]
    TooLong {
        /// What the answer's header says.
        length: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The answer is KMIP and still no answer to the request.
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] kmip_ttlv::Error),
    /// The server answers that the operation failed.
    #[error("{}{}", reason_name(*reason), message.as_deref().map(|m| format!(": {m}")).unwrap_or_default())]
    Failed {
        /// Why, if it says so.
        reason: Option<ResultReason>,
        /// Why, in its words.
        message: Option<String>,
    },
    /// The server answers that it is at work on the operation, or has undone it.
    #[error("the operation is not done: {0}")]
    NotDone(ResultStatus),
}

fn reason_name(reason: Option<ResultReason>) -> String {
    reason.map_or_else(|| "the operation failed".to_owned(), |r| r.to_string())
}
