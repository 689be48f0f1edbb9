//! Who sends a request: certificates, the clients they belong to, and the records of tenants, authorities, clients and
//! applications. It decides *who*; what they may do is `authority`'s.

mod acting;
mod authority;
mod candidate;
mod certificate;
mod client;
mod client_password;
mod directory;
mod enroll;
mod limits;
mod memory;
pub mod name;
pub mod one_time;
mod password;
mod person;
mod pins;
mod principal;
mod record;
mod resolve;
mod rights;
mod rule;
mod tag;
mod ticket;
mod trust;

pub use authority::{AuthorityRecord, IssuerRecord, RevokedCertificate};
pub use certificate::PeerCertificate;
pub use client::{
    ClientId, ClientPasswordRecord, ClientRecord, Credential, IssuedCertificate, MOST_ISSUED, UserRecord,
};
pub use client_password::ClientPasswords;
pub use directory::{Directory, DirectoryError, Found, RecordOpener, StoreDirectory, Unopened};
pub use enroll::{Enroll, EnrollError, RecordSealer};
pub use limits::{ClientLimits, Counted, MOST_LISTED, Network};
pub use memory::MemoryDirectory;
pub use password::{PasswordError, Passwords};
pub use person::{
    OneTimeRecord, PasswordRecord, PersonId, PersonKey, PersonRecord, lockout_counter, people_guard, person_counter,
};
pub use principal::{ClientPrincipal, PersonPrincipal, Principal, Process, Session, UnregisteredCertificate};
pub use record::{ApplicationRecord, Id, Migration, TenantRecord, claim_space, guard_set, kind, tenant_counter};
pub use resolve::{Identity, IdentityChange, IdentityError};
pub use rights::{ClientTicket, RightsError, TicketRights};
pub use rule::{CertificateName, Rule};
pub use ticket::{LONGEST_LEASE_MS, MOST_TICKETS, SecondFactor, Sessions, TicketError, TicketRecord};
pub(crate) use trust::vouches;
pub use trust::{Accepted, Trust};

#[cfg(test)]
mod tests;
