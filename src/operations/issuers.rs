//! Authorities of the server's own, with which it issues certificates by which people and clients are recognised: their keys, as custody
//! seals them.

use super::Context;
use crate::custody::{KekId, SealContext, Sealed};
use crate::failure::{Failure, Fault};
use crate::identity::{AuthorityRecord, Id, IssuerRecord};
use crate::store::Domain;
use kmip_protocol::ObjectType;
use kmip_ttlv::Secret;

/// The private key of an authority (PKCS#8), opened for one act.
///
/// # Errors
/// [`Fault::CannotIssue`] if it is one from outside; what custody says.
pub async fn key(context: &Context<'_>, domain: Domain, id: Id, record: &AuthorityRecord) -> Result<Secret, Failure> {
    let issuer = record.issuer.as_ref().ok_or(Failure::new(Fault::CannotIssue))?;
    let custody = &context.services.custody;
    Ok(custody.open(domain, seal_context(id), &sealed_key(issuer)).await?)
}

/// An authority's key as custody sealed it.
#[must_use]
pub fn sealed_key(issuer: &IssuerRecord) -> Sealed {
    Sealed {
        kek: KekId(issuer.kek),
        kek_generation: issuer.kek_generation,
        wrapped_dek: issuer.wrapped_dek.clone(),
        blob: issuer.blob.clone(),
    }
}

/// What an authority's key is bound to.
#[must_use]
pub const fn seal_context(id: Id) -> SealContext {
    SealContext {
        internal_id: id,
        generation: 1,
        object_type: ObjectType::PrivateKey.0,
    }
}
