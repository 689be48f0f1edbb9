//! Digests of material are kept veiled: the plain digest of a password in the database would let its thief try passwords
//! until one fits, without the HSM.

use crate::custody::{Custody, CustodyError};
use crate::objects::Object;
use crate::store::Domain;
use kmip_protocol::{Attribute, AttributeKind, AttributeReference, Digest};

/// What the mask of an object's digests is a keyed hash for.
const LABEL: &str = "digest of material";

/// Puts the mask over the object's digests, or takes it off: the mask is the same. It is a keyed hash of the internal
/// identifier under the domain's record key, so that each object has a mask of its own.
pub fn turn(custody: &Custody, tenant: Domain, object: &mut Object) -> Result<(), CustodyError> {
    let reference = AttributeReference::Known(AttributeKind::Digest);
    let digests = object.attributes.of(&reference).filter_map(|i| match &i.attribute {
        Attribute::Digest(digest) => Some((i.index, digest.clone())),
        _ => None,
    });
    let digests: Vec<(i32, Digest)> = digests.collect();
    if digests.is_empty() {
        return Ok(());
    }
    let mask = custody.keyed_hash(tenant, LABEL, &object.internal_id)?;
    for (index, mut digest) in digests {
        for (byte, mask) in digest.digest_value.iter_mut().flatten().zip(mask) {
            *byte ^= mask;
        }
        object.attributes.replace(index, Attribute::Digest(digest));
    }
    Ok(())
}
