//! Who sends a request: certificates, the clients they belong to, and the records of tenants, authorities, clients and
//! applications. It decides *who*; what they may do is `authority`'s.

mod certificate;

pub use certificate::PeerCertificate;
