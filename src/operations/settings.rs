//! What the settings of a client and of its tenant leave of a request: objects outside of them do not exist, algorithms outside of
//! the profile are refused, and what is made counts against the quota.

use super::context::Context;
use crate::crypto::profile;
use crate::failure::{Failure, Fault};
use crate::identity::{TenantRecord, tenant_counter};
use crate::objects::AttributeSet;
use kmip_protocol::{Attribute, AttributeKind, ObjectType, RecommendedCurve};

impl Context<'_> {
    /// Whether the client's settings show it an object with these attributes.
    pub fn shows(&self, attributes: &AttributeSet) -> Result<bool, Failure> {
        let limits = &self.client()?.limits;
        Ok(!limits.is_narrowed() || limits.sees(attributes.groups(), attributes.namespaces()))
    }

    /// Refuses a key that the tenant's profile does not permit.
    pub fn permit_key(&self, attributes: &AttributeSet) -> Result<(), Failure> {
        let crypto = self.client()?.limits.crypto;
        let permitted = profile::permits_key(crypto, attributes.algorithm(), attributes.length(), curve(attributes));
        if permitted {
            Ok(())
        } else {
            Err(Fault::ProfileRefused.into())
        }
    }

    /// Whether the tenant's settings let objects of this type leave encrypted only: those that hold a secret.
    pub fn is_kept_in(&self, object_type: ObjectType) -> Result<bool, Failure> {
        Ok(!is_open(object_type) && self.client()?.limits.wrapped_only)
    }

    /// Refuses to make what leaves in clear of bytes that may be a secret's, where secrets leave encrypted only: a secret is none the
    /// less one because somebody calls it a public key or a certificate.
    pub fn permit_opened(&self, object_type: ObjectType) -> Result<(), Failure> {
        if is_open(object_type) && self.client()?.limits.wrapped_only {
            Err(Fault::Sensitive.into())
        } else {
            Ok(())
        }
    }

    /// Counts an object more or less, if the tenant has a quota of them.
    pub async fn count_object(&mut self, change: i64) -> Result<(), Failure> {
        let client = self.client()?;
        let Some(quota) = client.limits.object_quota else {
            return Ok(());
        };
        let most = if change > 0 { quota } else { i64::MAX };
        let key = TenantRecord::counters(client.tenant);
        let counted = self.work.adjust(key, tenant_counter::OBJECTS, change, (i64::MIN, most));
        match counted.await? {
            Ok(_) => Ok(()),
            Err(_) => Err(Fault::QuotaExceeded.into()),
        }
    }
}

/// Whether objects of this type hold no secret.
const fn is_open(object_type: ObjectType) -> bool {
    matches!(
        object_type,
        ObjectType::Certificate | ObjectType::CertificateRequest | ObjectType::PublicKey | ObjectType::Template
    )
}

fn curve(attributes: &AttributeSet) -> Option<RecommendedCurve> {
    match attributes.first(AttributeKind::CryptographicDomainParameters) {
        Some(Attribute::CryptographicDomainParameters(domain)) => domain.recommended_curve,
        _ => None,
    }
}
