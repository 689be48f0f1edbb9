//! Adjust Attribute (KMIP 2.1 §6.1.3, §11.1): a number, a time or a truth, changed by so much without being read first.

use super::context::Wanted;
use super::faults::as_item;
use super::set_attribute::put;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{
    AdjustAttributeRequest, AdjustAttributeResponse, AdjustmentType, AnyValue, Attribute, AttributeReference,
    BigInteger, DateTime, DateTimeExtended, Interval,
};
use kmip_ttlv::Secret;

impl Handle for AdjustAttributeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<AdjustAttributeResponse, Failure> {
        let found = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await;
        let object = found.map_err(as_item)?;
        let present: Vec<&Attribute> = object.attributes.of(&self.reference).map(|i| &i.attribute).collect();
        let value = match present.as_slice() {
            [] => self.absent()?,
            [only] => only.any_value().ok_or(Failure::new(Fault::InvalidDataType))?,
            _ => return Err(Fault::AttributeMultiValued.into()),
        };
        let attribute = self.adjusted(value)?;
        let unique_identifier = put(context, object, &attribute).await?;
        Ok(AdjustAttributeResponse { unique_identifier })
    }
}

trait Adjust {
    fn absent(&self) -> Result<AnyValue, Fault>;
    fn adjusted(&self, value: AnyValue) -> Result<Attribute, Fault>;
}

impl Adjust for AdjustAttributeRequest {
    /// The value of an attribute that the object does not have: nought of its type, which for an attribute of the client's own is
    /// that of the adjustment. A time has no nought.
    fn absent(&self) -> Result<AnyValue, Fault> {
        let nought = match (&self.reference, &self.adjustment_value) {
            (AttributeReference::UnknownTag(_) | AttributeReference::UnknownName(_), _) => {
                return Err(Fault::UnsupportedAttribute);
            }
            (AttributeReference::Vendor(_), None) if self.adjustment_type == AdjustmentType::Negate => {
                Some(AnyValue::Boolean(false))
            }
            (AttributeReference::Vendor(_), None) => None,
            (AttributeReference::Vendor(_), Some(value)) => noughts()
                .into_iter()
                .find(|nought| nought.item_type() == value.item_type()),
            (AttributeReference::Known(_), _) => noughts()
                .into_iter()
                .find(|nought| self.reference.with_value(nought).is_some()),
        };
        let is_time = || self.reference.with_value(&AnyValue::DateTime(DateTime(0))).is_some();
        match nought {
            Some(nought) => Ok(nought),
            None if is_time() => Err(Fault::NotFound),
            None => Err(Fault::InvalidDataType),
        }
    }

    fn adjusted(&self, value: AnyValue) -> Result<Attribute, Fault> {
        let adjusted = match self.adjustment_type {
            AdjustmentType::Increment => moved(&value, amount(self.adjustment_value.as_ref())?),
            AdjustmentType::Decrement => {
                let by = amount(self.adjustment_value.as_ref())?;
                moved(&value, by.checked_neg().ok_or(Fault::NumericRange)?)
            }
            AdjustmentType::Negate if self.adjustment_value.is_some() => Err(Fault::InvalidField),
            AdjustmentType::Negate => negated(&value),
            _ => Err(Fault::InvalidField),
        };
        self.reference.with_value(&adjusted?).ok_or(Fault::InvalidDataType)
    }
}

fn noughts() -> [AnyValue; 4] {
    [
        AnyValue::Integer(0),
        AnyValue::LongInteger(0),
        AnyValue::Interval(Interval(0)),
        AnyValue::Boolean(false),
    ]
}

/// By how much: one, if nothing else is said.
fn amount(value: Option<&AnyValue>) -> Result<i128, Fault> {
    value.map_or(Ok(1), |value| number(value).ok_or(Fault::InvalidDataType))
}

/// The number that a value is. One of more than 16 bytes is out of the range that is adjusted here.
fn number(value: &AnyValue) -> Option<i128> {
    Some(match value {
        AnyValue::Integer(v) => (*v).into(),
        AnyValue::LongInteger(v) => (*v).into(),
        AnyValue::BigInteger(v) => {
            let bytes = v.0.expose();
            let sign = if bytes.first().is_some_and(|first| *first >= 0x80) {
                0xFF
            } else {
                0
            };
            let mut wide = [sign; 16];
            let start = wide.len().checked_sub(bytes.len())?;
            wide.iter_mut()
                .skip(start)
                .zip(bytes)
                .for_each(|(to, from)| *to = *from);
            i128::from_be_bytes(wide)
        }
        AnyValue::Interval(v) => v.0.into(),
        AnyValue::DateTime(v) => v.0.into(),
        AnyValue::DateTimeExtended(v) => v.0.into(),
        _ => return None,
    })
}

fn moved(value: &AnyValue, by: i128) -> Result<AnyValue, Fault> {
    let is_big = matches!(value, AnyValue::BigInteger(_));
    let number = number(value).ok_or(if is_big {
        Fault::NumericRange
    } else {
        Fault::InvalidDataType
    })?;
    like(value, number.checked_add(by).ok_or(Fault::NumericRange)?)
}

fn negated(value: &AnyValue) -> Result<AnyValue, Fault> {
    match value {
        AnyValue::Boolean(truth) => Ok(AnyValue::Boolean(!truth)),
        AnyValue::Integer(_) | AnyValue::LongInteger(_) | AnyValue::BigInteger(_) => {
            let negated = number(value).and_then(i128::checked_neg);
            like(value, negated.ok_or(Fault::NumericRange)?)
        }
        _ => Err(Fault::InvalidDataType),
    }
}

/// A number as a value of the same type as another.
fn like(value: &AnyValue, number: i128) -> Result<AnyValue, Fault> {
    let long = || i64::try_from(number).map_err(|_| Fault::NumericRange);
    Ok(match value {
        AnyValue::Integer(_) => AnyValue::Integer(i32::try_from(number).map_err(|_| Fault::NumericRange)?),
        AnyValue::LongInteger(_) => AnyValue::LongInteger(long()?),
        AnyValue::BigInteger(_) => AnyValue::BigInteger(BigInteger(Secret::copy_from(&number.to_be_bytes()))),
        AnyValue::Interval(_) => AnyValue::Interval(Interval(u32::try_from(number).map_err(|_| Fault::NumericRange)?)),
        AnyValue::DateTime(_) => AnyValue::DateTime(DateTime(long()?)),
        AnyValue::DateTimeExtended(_) => AnyValue::DateTimeExtended(DateTimeExtended(long()?)),
        _ => return Err(Fault::InvalidDataType),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_keeps_within_its_range() {
        let cases = [
            (AnyValue::Integer(i32::MAX), AnyValue::Integer(i32::MAX - 1)),
            (AnyValue::LongInteger(i64::MAX), AnyValue::LongInteger(i64::MAX - 1)),
            (
                AnyValue::Interval(Interval(u32::MAX)),
                AnyValue::Interval(Interval(u32::MAX - 1)),
            ),
            (
                AnyValue::DateTime(DateTime(i64::MAX)),
                AnyValue::DateTime(DateTime(i64::MAX - 1)),
            ),
            (
                AnyValue::DateTimeExtended(DateTimeExtended(i64::MAX)),
                AnyValue::DateTimeExtended(DateTimeExtended(i64::MAX - 1)),
            ),
        ];
        for (largest, next) in cases {
            assert!(moved(&next, 1).is_ok_and(|moved| moved == largest));
            assert_eq!(moved(&largest, 1).err(), Some(Fault::NumericRange));
        }
        assert_eq!(
            moved(&AnyValue::Interval(Interval(0)), -1).err(),
            Some(Fault::NumericRange)
        );
        let big = |bytes: &[u8]| AnyValue::BigInteger(BigInteger(Secret::copy_from(bytes)));
        assert_eq!(moved(&big(&[0xFF; 8]), 1).ok().and_then(|zero| number(&zero)), Some(0));
        assert_eq!(moved(&big(&[0; 24]), 1).err(), Some(Fault::NumericRange));
        assert_eq!(moved(&AnyValue::Boolean(true), 1).err(), Some(Fault::InvalidDataType));
    }

    #[test]
    fn what_has_a_sign_or_a_truth_is_negated() {
        assert!(negated(&AnyValue::Boolean(true)).is_ok_and(|v| v == AnyValue::Boolean(false)));
        assert!(negated(&AnyValue::Integer(7)).is_ok_and(|v| v == AnyValue::Integer(-7)));
        assert_eq!(negated(&AnyValue::Integer(i32::MIN)).err(), Some(Fault::NumericRange));
        assert_eq!(
            negated(&AnyValue::Interval(Interval(1))).err(),
            Some(Fault::InvalidDataType)
        );
    }
}
