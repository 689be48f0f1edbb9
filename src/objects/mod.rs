//! Managed objects: the record, its state, the rules of its attributes, matching, index rows. Pure: no I/O, no clock.

pub mod attributes;
pub mod encoded;
pub mod index;
pub mod matching;
mod namespaces;
pub mod record;
pub mod rotation;
pub mod rules;
mod standards;
pub mod state;
pub mod usage;
mod values;

pub use attributes::{AttributeSet, Instance};
pub use encoded::EncodedAttributes;
pub use namespaces::{NAMESPACES, Namespaces};
pub use record::{Kept, Material, Object};
pub use standards::{STANDARDS, Standards};
pub use state::Dates;

use crate::store::{ClaimKey, Domain, Key, Kind};
use ring::digest;

/// The kind of record that a managed object is.
pub const OBJECT: Kind = Kind(0x01);

/// The space of claims in which Names are unique.
const NAME_SPACE: u8 = 0x01;

/// Where an object's record is kept: a digest of its Unique Identifier, so that one read finds it or finds nothing, whether
/// the identifier is unknown or another tenant's.
#[must_use]
pub fn key(tenant: Domain, unique_identifier: &str) -> Key {
    let digest = digest::digest(&digest::SHA256, unique_identifier.as_bytes());
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    Key {
        domain: tenant,
        kind: OBJECT,
        id,
    }
}

/// The claim that makes a Name unique within its application (KMIP 2.1 §4.32).
#[must_use]
pub fn name_claim(tenant: Domain, application: [u8; 16], name: &str) -> ClaimKey {
    let mut value = application.to_vec();
    value.extend_from_slice(name.as_bytes());
    ClaimKey::new(tenant, NAME_SPACE, &value)
}
