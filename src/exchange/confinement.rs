//! Where there is a listener for people, people are strangers at every other, and clients are strangers there: what administers is
//! reached only where its network reaches.

use super::ConnectionFacts;
use crate::identity::{Principal, UnregisteredCertificate};
use std::sync::Arc;

/// The name of the listener for people.
pub const ADMIN_LISTENER: &str = "admin";

/// Who somebody is at the listener that it came by.
pub(super) fn confined(admin_listener: bool, facts: &ConnectionFacts, principal: Principal) -> Principal {
    let at_home = match principal {
        Principal::Person(_) => facts.listener.as_ref() == ADMIN_LISTENER,
        Principal::Client(_) => facts.listener.as_ref() != ADMIN_LISTENER,
        Principal::Unregistered(_) | Principal::Process(_) => true,
    };
    if !admin_listener || at_home {
        return principal;
    }
    Principal::Unregistered(Arc::new(UnregisteredCertificate {
        fingerprint: *facts.certificate.key_fingerprint(),
    }))
}
