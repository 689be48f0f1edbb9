//! Who acts.

use super::client::{ClientId, ClientRecord};
use super::directory::Found;
use super::limits::ClientLimits;
use super::person::PersonId;
use super::record::{Id, TenantRecord, kind};
use super::rights::{ClientTicket, TicketRights};
use crate::store::{Domain, Key, Seen};
use kmip_protocol::PersonRole;
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
    /// What it may do.
    pub limits: Arc<ClientLimits>,
    /// Which state of its record this is. A decision names it among its reads, so that a suspension that commits first
    /// wins. `None` where the directory has no revisions.
    pub seen: Option<Seen>,
    /// The same of its tenant's record.
    pub tenant_seen: Option<Seen>,
    /// Whether its tenant must migrate its legacy tokens before clients are served.
    pub migration_required: bool,
    /// The ticket that it has shown, if it has.
    pub ticket: Option<ClientTicket>,
    /// Of a user, the client over whose connection it came, and which state of its record was seen.
    pub over: Option<(ClientId, Option<Seen>)>,
}

impl ClientPrincipal {
    /// A client as its record and its tenant's say.
    #[must_use]
    pub fn new(id: ClientId, found: Found<ClientRecord>, tenant: &Found<TenantRecord>) -> Self {
        let Found { record, seen } = found;
        let limits = ClientLimits::new(&record.settings, &tenant.record.settings, record.password.is_some());
        Self {
            tenant: id.tenant,
            client: id.client,
            application: record.application,
            limits: Arc::new(limits),
            name: record.name,
            seen,
            tenant_seen: tenant.seen,
            migration_required: tenant.record.migration.stops_clients(),
            ticket: None,
            over: None,
        }
    }

    /// Which client it is.
    #[must_use]
    pub const fn id(&self) -> ClientId {
        ClientId {
            tenant: self.tenant,
            client: self.client,
        }
    }

    /// What the ticket that it has shown was delegated for, if it was.
    #[must_use]
    pub fn rights(&self) -> Option<&TicketRights> {
        self.ticket.as_ref().and_then(|ticket| ticket.rights.as_ref())
    }

    /// Which state of its record it was recognised by, as its tickets are bound to it: any change of the record ends them.
    #[must_use]
    pub fn state(&self) -> [u8; 32] {
        let mut bytes = b"client".to_vec();
        bytes.extend_from_slice(&self.client);
        if let Some(seen) = self.seen {
            bytes.extend_from_slice(&seen.creation.to_be_bytes());
            bytes.extend_from_slice(&seen.revision.0.to_be_bytes());
        }
        certs::fingerprint(&bytes)
    }
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
    /// Its name within the domain.
    pub name: String,
    /// Its one role.
    pub role: PersonRole,
    /// SHA-256 of the key that it showed in the handshake.
    pub key_fingerprint: [u8; 32],
    /// Whether that key counts as one in hardware.
    pub hardware: bool,
    /// How far it is authenticated.
    pub session: Session,
    /// Which state of its record this is: among the reads of every commit that it decides.
    pub seen: Option<Seen>,
    /// The same of its tenant's record, if it is of a tenant.
    pub tenant_seen: Option<Seen>,
    /// The same of its ticket's record, if it has shown one.
    pub ticket_seen: Option<Seen>,
    /// Whether its tenant must migrate its legacy tokens before people go on.
    pub migration_required: bool,
}

/// How far a person is authenticated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Session {
    /// By its certificate alone: it may log in, and ask what an unregistered certificate may ask.
    Certificate,
    /// Logged in with an initial password: it may change that password, and nothing else.
    Initial([u8; 16]),
    /// Logged in with both factors; the ticket's record.
    Full([u8; 16]),
}

/// A part of the server that acts by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Process {
    /// The clockwork, which attends to what is due.
    Timer,
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

    /// The records of who it is as they stood when it was recognised: a change of them that commits first wins.
    #[must_use]
    pub fn seen(&self) -> Vec<(Key, Seen)> {
        let mut connection = None;
        let (own, tenant, tenant_seen, ticket) = match self {
            Self::Client(client) => {
                let id = client.id();
                connection = client.over.map(|(over, seen)| (over.key(), seen));
                let ticket = client.ticket.as_ref().map(|ticket| {
                    let key = Key {
                        domain: client.tenant,
                        kind: kind::TICKET,
                        id: ticket.id,
                    };
                    (key, Some(ticket.seen))
                });
                ((id.key(), client.seen), client.tenant, client.tenant_seen, ticket)
            }
            Self::Person(person) => {
                let id = PersonId {
                    domain: person.domain,
                    person: person.person,
                };
                let own = (id.key(), person.seen);
                (own, person.domain, person.tenant_seen, person.ticket())
            }
            Self::Unregistered(_) | Self::Process(_) => return Vec::new(),
        };
        let tenant = (TenantRecord::key(tenant), tenant_seen);
        let all = [Some(own), Some(tenant), ticket, connection].into_iter().flatten();
        all.filter_map(|(key, seen)| seen.map(|seen| (key, seen))).collect()
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

impl PersonPrincipal {
    /// The record of its ticket, and which state of it was seen.
    fn ticket(&self) -> Option<(Key, Option<Seen>)> {
        let (Session::Initial(id) | Session::Full(id)) = self.session else {
            return None;
        };
        let key = Key {
            domain: self.domain,
            kind: kind::TICKET,
            id,
        };
        Some((key, self.ticket_seen))
    }
}
