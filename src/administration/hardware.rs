//! Whether a person's new key counts as one in hardware: because an authority of its domain that is marked so vouches for it, or because
//! those who ask and agree say so. Nobody can see from here where a key is; what counts is who answers for it.

use super::desk;
use crate::authority::Target;
use crate::failure::{Failure, Fault};
use crate::identity::{AuthorityRecord, kind, vouches};
use crate::operations::Context;
use crate::store::{Domain, Key};
use certs::CertificateFacts;

/// What is said of a new key.
pub(super) struct Claim<'a> {
    /// The person's certificate (DER).
    pub certificate: &'a [u8],
    /// Certificates that vouch for its key, the first of that key; none if the certificate itself is to.
    pub attestation: &'a [Vec<u8>],
    /// What those say who ask.
    pub declared: Option<bool>,
}

/// How a key counts.
#[derive(Default)]
pub struct Hardware {
    /// Whether as one in hardware.
    pub counts: bool,
    /// The authority that vouches for it.
    pub attested_by: Option<String>,
    /// Its record, which what was agreed to rests on.
    authority: Option<Key>,
}

impl Hardware {
    /// As those say who found an installation: nobody is there yet who could vouch.
    pub(super) fn declared(given: Option<bool>) -> Self {
        Self {
            counts: given.unwrap_or(false),
            ..Self::default()
        }
    }

    /// Adds to what a request acts upon how its new key would count: voters read it, and what they agree to ends if the authority that
    /// vouches changes.
    pub(super) fn tell(self, mut target: Target) -> Target {
        if self.counts {
            let how = match &self.attested_by {
                Some(authority) => format!("; key in hardware, as the authority {authority} attests"),
                None => "; key in hardware, as those declare who agree".to_owned(),
            };
            target.description.get_or_insert_default().push_str(&how);
        }
        target.records.extend(self.authority);
        target
    }
}

/// Judges what is said of a key, by the authorities that the domain has now.
///
/// # Errors
/// An attestation that is not of this key, or that no authority of hardware vouches for: it would be kept as evidence of nothing.
pub(super) async fn judge(context: &mut Context<'_>, domain: Domain, claim: &Claim<'_>) -> Result<Hardware, Failure> {
    let unreadable = |why: certs::Error| Failure::detailed(Fault::InvalidField, why);
    let own = CertificateFacts::read(claim.certificate).map_err(unreadable)?;
    let chain = match claim.attestation {
        [] => vec![claim.certificate],
        [first, ..] => {
            let shown = CertificateFacts::read(first).map_err(unreadable)?;
            if shown.key_fingerprint != own.key_fingerprint {
                return Err(Fault::AttestationRefused.into());
            }
            claim.attestation.iter().map(Vec::as_slice).collect()
        }
    };
    if claim.declared == Some(false) {
        return Ok(Hardware::default());
    }
    let all = desk::all(context, domain, kind::AUTHORITY, AuthorityRecord::decode).await?;
    for (id, _) in &all {
        // Read so that the commit rests on it.
        let key = AuthorityRecord::key(domain, *id);
        let authority = desk::read(context, key, AuthorityRecord::decode).await?;
        let Some(authority) = authority.filter(|a| a.hardware && !a.suspended) else {
            continue;
        };
        if vouches(*id, &all, &chain, context.seconds()).map_err(unreadable)? {
            return Ok(Hardware {
                counts: true,
                attested_by: Some(authority.name),
                authority: Some(key),
            });
        }
    }
    if !claim.attestation.is_empty() {
        return Err(Fault::AttestationRefused.into());
    }
    Ok(Hardware {
        counts: claim.declared == Some(true),
        ..Hardware::default()
    })
}
