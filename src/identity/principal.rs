//! Who acts.

use super::record::Id;
use crate::store::{Domain, Seen};
use std::sync::Arc;

/// Who acts. Everything that is decided about rights, owners and audit records begins here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Principal {
    /// A registered client of a tenant.
    Client(Arc<ClientPrincipal>),
    /// A certificate that the handshake accepts and nobody has registered: Discover Versions and a limited Query.
    Unregistered(Arc<UnregisteredCertificate>),
    /// A person with a role. Reached by a ticket, never by a certificate alone.
    Person(Arc<PersonPrincipal>),
    /// The server itself.
    Process(Process),
}

/// A client, as its record stood when the request was resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientPrincipal {
    /// Whose client it is.
    pub tenant: Domain,
    /// Which one.
    pub client: Id,
    /// The application that its new objects belong to, and whose objects it sees.
    pub application: Id,
    /// Its name within the tenant.
    pub name: String,
    /// Which state of its record this is. A decision names it among its reads, so that a suspension that commits first
    /// wins. `None` where the directory has no revisions.
    pub seen: Option<Seen>,
    /// The same of its tenant's record.
    pub tenant_seen: Option<Seen>,
}

/// An accepted certificate without a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnregisteredCertificate {
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
}

/// A person of a tenant or of the system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonPrincipal {
    /// [`Domain::SYSTEM`] for administrators and auditors of the installation.
    pub domain: Domain,
    /// Which person.
    pub person: Id,
}

/// A part of the server that acts by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Process {
    /// Setting up an installation or a demonstration.
    Genesis,
    /// The timer that records transitions of state.
    Timer,
    /// The work that wraps keys anew.
    Rewrap,
    /// The work that checks what is stored.
    Scrub,
}

impl Principal {
    /// The client, if it is one.
    #[must_use]
    pub fn client(&self) -> Option<&ClientPrincipal> {
        match self {
            Self::Client(client) => Some(client),
            _ => None,
        }
    }

    /// The domain that it belongs to, if it belongs to one.
    #[must_use]
    pub fn domain(&self) -> Option<Domain> {
        match self {
            Self::Client(client) => Some(client.tenant),
            Self::Person(person) => Some(person.domain),
            Self::Unregistered(_) => None,
            Self::Process(_) => Some(Domain::SYSTEM),
        }
    }
}
