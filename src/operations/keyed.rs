//! What all operations share that compute with a key: may the key be used for this now, what key is it, and which parameters
//! count.

use super::context::{Context, Wanted};
use crate::crypto::{self, PrivateKey, PublicKey, ReadHints};
use crate::failure::{Failure, Fault};
use crate::objects::Kept;
use kmip_protocol::{
    Attribute, AttributeKind, CryptoProfile, CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask,
    KeyBlock, ManagedObject, RecommendedCurve, State, UniqueIdentifier,
};
use kmip_ttlv::Secret;

/// What a key is wanted for (KMIP 2.1 §4.57).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To protect data: an active key within its dates only.
    Protect,
    /// To process what was protected: a deactivated or compromised key still may.
    Process,
    /// To derive from it: as [`Purpose::Protect`], and also before it is active. By the letter a pre-active key serves no purpose
    /// (KMIP 2.1 §4.57), but clients keep derivation bases that nobody ever activates, and what is derived starts its own life.
    Derive,
}

/// A key that may be used.
pub struct Key {
    /// Its record.
    pub object: Kept,
    /// Its material.
    pub managed: ManagedObject,
    /// The parameters that it was given, in the order of their index.
    pub own_parameters: Vec<CryptographicParameters>,
    algorithm: Option<CryptographicAlgorithm>,
    curve: Option<RecommendedCurve>,
    /// The profile by which parameters are judged.
    crypto: Option<CryptoProfile>,
    encrypts: bool,
}

impl Key {
    /// The key that a request means, if it may be used for this now.
    ///
    /// # Errors
    /// [`Fault::UnusableObjectType`], [`Fault::WrongState`], [`Fault::UsageMask`], [`Fault::KeyValueNotPresent`], and
    /// what finding an object says.
    pub async fn of(
        context: &mut Context<'_>,
        given: Option<&UniqueIdentifier>,
        purpose: Purpose,
        usage: CryptographicUsageMask,
    ) -> Result<Self, Failure> {
        let object = context.kept(given, Wanted::Whole).await?;
        Self::judged(context, object, purpose, usage).await
    }

    /// A key that was found, if it may be used for this now.
    ///
    /// # Errors
    /// Those of [`Key::of`].
    pub async fn judged(
        context: &Context<'_>,
        object: Kept,
        purpose: Purpose,
        usage: CryptographicUsageMask,
    ) -> Result<Self, Failure> {
        let attributes = &object.attributes;
        let dates = attributes.dates()?;
        let now = context.seconds();
        let usable = match purpose {
            Purpose::Protect => dates.may_protect(now),
            Purpose::Process => dates.may_process(now),
            Purpose::Derive => dates.may_protect(now) || dates.state(now) == State::PreActive,
        };
        if !usable {
            return Err(Fault::WrongState.into());
        }
        if !attributes.usage_mask()?.contains(usage) {
            return Err(Fault::UsageMask.into());
        }
        let limits = &context.client()?.limits;
        let curve = match attributes.first(AttributeKind::CryptographicDomainParameters)? {
            Some(Attribute::CryptographicDomainParameters(domain)) => domain.recommended_curve,
            _ => None,
        };
        let algorithm = attributes.algorithm()?;
        // What was protected with a key that is no longer permitted can still be read.
        let crypto = limits.crypto.filter(|_| purpose != Purpose::Process);
        if crypto.is_some() {
            let length = match attributes.first(AttributeKind::CryptographicLength)? {
                Some(Attribute::CryptographicLength(length)) => Some(length),
                _ => None,
            };
            if !crypto::profile::permits_key(crypto, algorithm, length, curve) {
                return Err(Fault::ProfileRefused.into());
            }
        }
        let encrypts = usage == CryptographicUsageMask::Encrypt || usage == CryptographicUsageMask::WrapKey;
        let managed = context.open(&object).await?;
        let absent = managed.key_block().is_some_and(|block| block.key_value.is_none());
        if absent {
            return Err(Fault::KeyValueNotPresent.into());
        }
        Ok(Self {
            own_parameters: attributes.parameters()?,
            algorithm,
            curve,
            crypto,
            encrypts,
            object,
            managed,
        })
    }

    /// The parameters that count: the request's, else the key's own.
    ///
    /// # Errors
    /// [`Fault::ProfileRefused`] if the tenant's profile does not permit them.
    pub fn parameters(&self, request: Option<&CryptographicParameters>) -> Result<CryptographicParameters, Failure> {
        let parameters = crypto::effective(request, self.own_parameters.first());
        if crypto::profile::permits_parameters(self.crypto, &parameters, self.encrypts) {
            Ok(parameters)
        } else {
            Err(Fault::ProfileRefused.into())
        }
    }

    /// The key's algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Option<CryptographicAlgorithm> {
        self.algorithm
            .or_else(|| self.managed.key_block().and_then(|block| block.cryptographic_algorithm))
    }

    fn block(&self) -> Result<&KeyBlock, Failure> {
        let block = self
            .managed
            .key_block()
            .ok_or(Failure::new(Fault::UnusableObjectType))?;
        // A key that was registered wrapped is kept so; nothing can be computed with it.
        if block.key_wrapping_data.is_some() {
            return Err(Failure::detailed(Fault::KeyValueNotPresent, "the key is wrapped"));
        }
        Ok(block)
    }

    /// The bytes of a symmetric key or of secret data.
    ///
    /// # Errors
    /// [`Fault::UnusableObjectType`] for other objects.
    pub fn bytes(&self) -> Result<&Secret, Failure> {
        match &self.managed {
            ManagedObject::SymmetricKey(_) | ManagedObject::SecretData(_) => {
                let material = &crypto::format::plain(self.block()?)?.key_material;
                Ok(crypto::format::material_bytes(material)?)
            }
            _ => Err(Fault::UnusableObjectType.into()),
        }
    }

    /// The private key.
    ///
    /// # Errors
    /// [`Fault::UnusableObjectType`] for other objects.
    pub fn private(&self) -> Result<PrivateKey, Failure> {
        match &self.managed {
            ManagedObject::PrivateKey(_) => Ok(PrivateKey::of(self.block()?, self.hints())?),
            _ => Err(Fault::UnusableObjectType.into()),
        }
    }

    /// The public key: itself, that of a certificate, or that of a private key.
    ///
    /// # Errors
    /// [`Fault::UnusableObjectType`] for other objects.
    pub fn public(&self) -> Result<PublicKey, Failure> {
        match &self.managed {
            ManagedObject::PublicKey(_) => Ok(PublicKey::of(self.block()?, self.hints())?),
            ManagedObject::Certificate(certificate) => Ok(PublicKey::from_certificate(&certificate.certificate_value)?),
            ManagedObject::PrivateKey(_) => Ok(self.private()?.public_key()?),
            _ => Err(Fault::UnusableObjectType.into()),
        }
    }

    const fn hints(&self) -> ReadHints<'_> {
        ReadHints {
            algorithm: None,
            curve: self.curve,
            password: None,
        }
    }
}
