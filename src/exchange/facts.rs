//! What is known of a connection when one of its requests is answered.

use crate::audit::{Actor, ActorKind};
use crate::identity::{ClientId, ClientPrincipal, PeerCertificate, Principal};
use crate::store::Seen;
use kmip_protocol::Version;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Whether its roles were set the other way round; `None`: they cannot be.
    pub roles: Option<Roles>,
}

/// The roles of a connection's two ends (KMIP 2.1 §6.1.54): the server's, until a client has the server ask.
#[derive(Clone, Debug, Default)]
pub struct Roles(Arc<Mutex<Option<Asked>>>);

/// Whom the server asks over a connection, since that one wants it so, and in which version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Who wanted it.
    pub client: ClientId,
    /// Which state of its record was seen then: whoever was changed since has to ask again.
    pub seen: Option<Seen>,
    /// Of a user, the client over whose connection it came, and which state of its record was seen.
    pub over: Option<(ClientId, Option<Seen>)>,
    /// The version of its request.
    pub version: Version,
}

impl Asked {
    /// A client that had the server ask it, if one did.
    #[must_use]
    pub fn by(client: Option<&ClientPrincipal>, version: Version) -> Option<Self> {
        client.map(|client| Self {
            client: client.id(),
            seen: client.seen,
            over: client.over,
            version,
        })
    }

    /// Whose connection it is, and which state of its record was seen.
    #[must_use]
    pub fn connection(&self) -> (ClientId, Option<Seen>) {
        self.over.unwrap_or((self.client, self.seen))
    }
}

impl Roles {
    /// Sets the roles: from now on the server asks, or answers again.
    pub fn set(&self, asked: Option<Asked>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    /// Whom the server asks, if it does.
    #[must_use]
    pub fn asked(&self) -> Option<Asked> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
