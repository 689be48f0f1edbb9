//! What is known of a connection when one of its requests is answered.

use crate::identity::PeerCertificate;
use std::net::SocketAddr;
use std::sync::Arc;

/// The connection that a request came by. The same for every request of the connection; who the peer *is* may change
/// between two of them and is asked of `identity` each time.
#[derive(Clone)]
pub struct ConnectionFacts {
    /// A number of its own within this process, for logs and the audit trail.
    pub connection: u64,
    /// The peer's address.
    pub peer: SocketAddr,
    /// The name of the listener in the settings.
    pub listener: Arc<str>,
    /// What the peer proved to hold the key of.
    pub certificate: Arc<PeerCertificate>,
    /// What the handshake agreed on.
    pub tls: TlsFacts,
}

/// What a handshake agreed on, by the names that RFCs and logs use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
    /// The key-agreement group, such as `SECP256R1MLKEM768`; `-` when the session was resumed without one.
    pub group: &'static str,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
}
