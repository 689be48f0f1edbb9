//! What a handler changed that others remember.

use crate::identity::IdentityChange;
use crate::store::Domain;

/// Something that is remembered outside the store has changed. A handler says so in [`super::Batch::notices`]; `exchange` tells
/// those who remember it once the commit has succeeded and before the answer leaves. What is taken back is not told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// Who is who: a person, a client, an authority, a tenant.
    Identity(IdentityChange),
    /// The policy of a domain.
    Policy(Domain),
    /// The KEKs of a domain, or its record key: custody opens the domain again.
    Keys(Domain),
}
