//! What is known of a connection when one of its requests is answered.

use crate::audit::{Actor, ActorKind};
use crate::identity::{PeerCertificate, Principal};
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

impl ConnectionFacts {
    /// Who acts over it, for the trails: of a user, too, the key is that of the connection's client.
    #[must_use]
    pub fn actor(&self, principal: &Principal) -> Actor {
        let (kind, id) = match principal {
            Principal::Client(client) => (ActorKind::Client, client.client),
            Principal::Person(person) => (ActorKind::Person, person.person),
            Principal::Process(_) => (ActorKind::Server, [0; 16]),
            Principal::Unregistered(_) => (ActorKind::Unknown, [0; 16]),
        };
        Actor {
            kind,
            id,
            fingerprint: Some(*self.certificate.key_fingerprint()),
        }
    }
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
