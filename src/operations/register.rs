//! Register (KMIP 2.1 §6.1.43; KMIP 1.4 §4.3): an object that the client brings.

use super::creation::{self, Source};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::AttributeSet;
use kmip_protocol::{ManagedObject, ObjectType, RegisterRequest, RegisterResponse};

impl Handle for RegisterRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RegisterResponse, Failure> {
        if self.object_type != self.object.object_type() || !is_kept(self.object_type) {
            return Err(Fault::InvalidObjectType.into());
        }
        let attributes = creation::given(self.object_type, core::iter::once(&self.attributes))?;
        check(&attributes, &self.object)?;
        let object = creation::insert(context, attributes, &self.object, Source::Registered).await?;
        Ok(RegisterResponse {
            unique_identifier: object.unique_identifier,
            attributes: None,
        })
    }
}

/// The types of objects that this server keeps.
const fn is_kept(object_type: ObjectType) -> bool {
    matches!(
        object_type,
        ObjectType::Certificate
            | ObjectType::SymmetricKey
            | ObjectType::PublicKey
            | ObjectType::PrivateKey
            | ObjectType::SplitKey
            | ObjectType::SecretData
            | ObjectType::OpaqueObject
            | ObjectType::CertificateRequest
    )
}

/// Attributes must not contradict the key block (KMIP 1.4 §4.3: "the server SHALL verify").
fn check(attributes: &AttributeSet, managed: &ManagedObject) -> Result<(), Failure> {
    let Some(block) = managed.key_block() else {
        return Ok(());
    };
    let contradicts = |a: Option<i64>, b: Option<i64>| matches!((a, b), (Some(a), Some(b)) if a != b);
    let algorithm = |a: Option<kmip_protocol::CryptographicAlgorithm>| a.map(|a| i64::from(a.0));
    if contradicts(
        algorithm(attributes.algorithm()),
        algorithm(block.cryptographic_algorithm),
    ) || contradicts(
        attributes.length().map(i64::from),
        block.cryptographic_length.map(i64::from),
    ) {
        return Err(Fault::InvalidAttributeValue.into());
    }
    Ok(())
}
