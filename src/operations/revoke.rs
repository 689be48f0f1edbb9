//! Revoke (KMIP 2.1 §6.1.44; KMIP 1.4 §4.20).

use super::context::Wanted;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::AttributeSet;
use kmip_protocol::{
    Attribute, AttributeKind, DateTime, ObjectType, RevocationReasonCode, RevokeRequest, RevokeResponse, State,
};

impl Handle for RevokeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RevokeResponse, Failure> {
        let code = self.revocation_reason.revocation_reason_code;
        if code.name().is_none() {
            return Err(Fault::InvalidRevocationReason.into());
        }
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Remains).await?;
        if object.object_type == ObjectType::Template {
            return Err(Fault::IllegalObjectType.into());
        }
        if object.attributes.dates().archive.is_some() {
            return Err(Fault::ObjectArchived.into());
        }
        let compromised = matches!(
            code,
            RevocationReasonCode::KeyCompromise | RevocationReasonCode::CACompromise
        );
        if compromised {
            self.compromise(&mut object.attributes, context.seconds())?;
        } else {
            self.deactivate(&mut object.attributes, context.seconds())?;
        }
        object
            .attributes
            .set(Attribute::RevocationReason(self.revocation_reason.clone()));
        context.save(&mut object)?;
        context.tell(&object.unique_identifier);
        Ok(RevokeResponse {
            unique_identifier: object.unique_identifier,
        })
    }
}

/// What each kind of reason does.
trait Effect {
    fn compromise(&self, attributes: &mut AttributeSet, now: i64) -> Result<(), Fault>;
    fn deactivate(&self, attributes: &mut AttributeSet, now: i64) -> Result<(), Fault>;
}

impl Effect for RevokeRequest {
    /// Any object that is not known to be compromised can be, a destroyed one included (transitions 3, 5, 8, 10).
    fn compromise(&self, attributes: &mut AttributeSet, now: i64) -> Result<(), Fault> {
        if attributes.dates().compromise.is_some() {
            return Err(Fault::WrongState);
        }
        attributes.set(Attribute::CompromiseDate(DateTime(now)));
        let initial = match attributes.first(AttributeKind::InitialDate) {
            Some(Attribute::InitialDate(date)) => Some(*date),
            _ => None,
        };
        if let Some(date) = self.compromise_occurrence_date.or(initial) {
            attributes.set(Attribute::CompromiseOccurrenceDate(date));
        }
        Ok(())
    }

    /// Only an active object can be deactivated (transition 6).
    fn deactivate(&self, attributes: &mut AttributeSet, now: i64) -> Result<(), Fault> {
        if self.compromise_occurrence_date.is_some() {
            return Err(Fault::InvalidField);
        }
        match attributes.dates().state(now) {
            State::Active => attributes.set(Attribute::DeactivationDate(DateTime(now))),
            State::Destroyed | State::DestroyedCompromised => return Err(Fault::ObjectDestroyed),
            _ => return Err(Fault::WrongState),
        }
        Ok(())
    }
}
