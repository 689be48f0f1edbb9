//! Re-key Key Pair (KMIP 2.1 §6.1.47; KMIP 1.4 §4.5): a new key pair in the place of another.

use super::context::Wanted;
use super::replacement::{self, MOVED_OF_PAIRS};
use super::{Context, Handle, create_key_pair, links};
use crate::authority::Granted;
use crate::crypto::{PublicKey, ReadHints};
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Object};
use kmip_protocol::{
    Attribute, AttributeKind, CryptographicDomainParameters, LinkType, ObjectType, ReKeyKeyPairRequest,
    ReKeyKeyPairResponse,
};

impl Handle for ReKeyKeyPairRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ReKeyKeyPairResponse, Failure> {
        create_key_pair::permit_storage(
            self.common_protection_storage_masks.as_ref(),
            self.private_protection_storage_masks.as_ref(),
            self.public_protection_storage_masks.as_ref(),
        )?;
        let given = self.private_key_unique_identifier.as_ref();
        let mut private = context.object(given, Wanted::Whole).await?;
        let mut public = public_of(&private, context).await?;
        let common = self.common_attributes.as_ref();
        let of_private =
            create_key_pair::given(context, ObjectType::PrivateKey, common, &self.private_key_attributes).await?;
        let of_public =
            create_key_pair::given(context, ObjectType::PublicKey, common, &self.public_key_attributes).await?;
        let of_private = replacement::attributes(context, &private, of_private, self.offset, &MOVED_OF_PAIRS)?;
        let of_public = replacement::attributes(context, &public, of_public, self.offset, &MOVED_OF_PAIRS)?;
        let (mut of_private, mut of_public) = (of_private, of_public);
        keep_curve(context, &public, &mut of_private, &mut of_public).await?;
        replacement::release_names(context, &mut private).await?;
        replacement::release_names(context, &mut public).await?;
        let (mut new_private, mut new_public) = create_key_pair::make(context, of_private, of_public).await?;
        replacement::tie(context, &mut private, &mut new_private).await?;
        replacement::tie(context, &mut public, &mut new_public).await?;
        // The ID Placeholder is the private key (KMIP 2.1 §6.1.47).
        context.batch.placeholder = Some(new_private.unique_identifier.clone());
        Ok(ReKeyKeyPairResponse {
            private_key_unique_identifier: new_private.unique_identifier,
            public_key_unique_identifier: new_public.unique_identifier,
            private_key_attributes: None,
            public_key_attributes: None,
        })
    }
}

/// The public key that belongs to a private one. Only of pairs is it known which that is.
async fn public_of(private: &Object, context: &mut Context<'_>) -> Result<Object, Failure> {
    if private.object_type != ObjectType::PrivateKey {
        return Err(Fault::UnusableObjectType.into());
    }
    let linked = links::linked(private, LinkType::PublicKeyLink).ok_or(Failure::new(Fault::UnusableObjectType))?;
    let public = context.object(Some(&linked), Wanted::Whole).await?;
    if public.object_type == ObjectType::PublicKey {
        Ok(public)
    } else {
        Err(Fault::UnusableObjectType.into())
    }
}

/// A key that was brought may lie on a curve that none of its attributes names: what replaces it lies on the same.
async fn keep_curve(
    context: &Context<'_>,
    existing: &Object,
    of_private: &mut AttributeSet,
    of_public: &mut AttributeSet,
) -> Result<(), Failure> {
    let kind = AttributeKind::CryptographicDomainParameters;
    if of_private.has(kind) || of_public.has(kind) || of_public.algorithm() != existing.attributes.algorithm() {
        return Ok(());
    }
    let managed = context.open(existing).await?;
    let read = managed
        .key_block()
        .map(|block| PublicKey::of(block, ReadHints::default()));
    let facts = read.transpose()?.map(|key| key.facts()).transpose()?;
    if let Some(recommended_curve @ Some(_)) = facts.map(|facts| facts.curve) {
        for attributes in [of_private, of_public] {
            attributes.set(Attribute::CryptographicDomainParameters(
                CryptographicDomainParameters {
                    qlength: None,
                    recommended_curve,
                },
            ));
        }
    }
    Ok(())
}
