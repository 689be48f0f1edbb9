//! What takes the place of another object: which attributes it has from that one, which from the request, which dates an Offset gives it
//! (KMIP 2.1 §6.1.46, §6.1.47; KMIP 1.4 §4.4, §4.5).

use super::context::Context;
use super::links;
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Object, rules};
use kmip_protocol::{Attribute, AttributeKind, DateTime, Interval, LinkType};

/// The dates that an Offset moves, the Activation Date first.
pub const MOVED: [AttributeKind; 4] = [
    AttributeKind::ActivationDate,
    AttributeKind::ProcessStartDate,
    AttributeKind::ProtectStopDate,
    AttributeKind::DeactivationDate,
];

/// Those of key pairs.
pub const MOVED_OF_PAIRS: [AttributeKind; 2] = [AttributeKind::ActivationDate, AttributeKind::DeactivationDate];

/// Attributes that a replacement does not have from the existing object: those of its tables, and those that tell of an object's own value
/// and storage, which are set anew for each.
const OWN: [AttributeKind; 25] = [
    AttributeKind::InitialDate,
    AttributeKind::OriginalCreationDate,
    AttributeKind::DestroyDate,
    AttributeKind::CompromiseOccurrenceDate,
    AttributeKind::CompromiseDate,
    AttributeKind::RevocationReason,
    AttributeKind::ArchiveDate,
    AttributeKind::LastChangeDate,
    AttributeKind::UniqueIdentifier,
    AttributeKind::ShortUniqueIdentifier,
    AttributeKind::State,
    AttributeKind::Digest,
    AttributeKind::KeyFormatType,
    AttributeKind::Link,
    AttributeKind::RandomNumberGenerator,
    AttributeKind::Fresh,
    AttributeKind::LeaseTime,
    AttributeKind::AlwaysSensitive,
    AttributeKind::NeverExtractable,
    AttributeKind::ProtectionStorageMask,
    AttributeKind::KeyValuePresent,
    AttributeKind::KeyValueLocation,
    AttributeKind::RotateDate,
    AttributeKind::RotateGeneration,
    AttributeKind::RotateLatest,
];

/// The attributes of what replaces an object.
///
/// # Errors
/// A key whose value is elsewhere; an Offset that contradicts the request, or has no date to start from.
pub fn attributes(
    context: &Context<'_>,
    existing: &Object,
    given: AttributeSet,
    offset: Option<Interval>,
    moved: &[AttributeKind],
) -> Result<AttributeSet, Failure> {
    if !existing.attributes.flag(AttributeKind::KeyValuePresent, true) {
        return Err(Fault::KeyValueNotPresent.into());
    }
    let mut attributes = AttributeSet::default();
    for instance in existing.attributes.iter() {
        if !OWN.contains(&instance.attribute.kind()) {
            // Of Usage Limits the total is taken over; all of it is left.
            attributes.add(rules::as_kept(&instance.attribute));
        }
    }
    if let Some(Interval(offset)) = offset {
        if MOVED.iter().any(|kind| given.has(*kind)) {
            return Err(Fault::OffsetWithDates.into());
        }
        let refusal = if context.version.has_tagged_attributes() {
            Fault::InvalidField
        } else {
            Fault::OffsetWithoutActivation
        };
        let begin = context.seconds().saturating_add(offset.into());
        shift(&mut attributes, begin, moved).ok_or(Failure::new(refusal))?;
    }
    attributes.lay_over(&given);
    attributes.set(Attribute::RotateGeneration(generation(existing).saturating_add(1)));
    attributes.set(Attribute::RotateLatest(true));
    Ok(attributes)
}

/// How often objects were replaced until this one came.
fn generation(object: &Object) -> i32 {
    match object.attributes.first(AttributeKind::RotateGeneration) {
        Some(Attribute::RotateGeneration(count)) => *count,
        _ => 0,
    }
}

/// Has the object begin at a time, and all that follows from its beginning as much later as it did before. `None`: there are later
/// dates, and no beginning that they could be counted from.
fn shift(attributes: &mut AttributeSet, begin: i64, moved: &[AttributeKind]) -> Option<()> {
    let dates = attributes.dates();
    let begun = dates.activation;
    let later = |old: i64| begun.map(|begun| begin.saturating_add(old.saturating_sub(begun)));
    for kind in moved {
        let date = match *kind {
            AttributeKind::ActivationDate => Some(Attribute::ActivationDate(DateTime(begin))),
            AttributeKind::ProcessStartDate => match dates.process_start {
                Some(old) => Some(Attribute::ProcessStartDate(DateTime(later(old)?))),
                None => None,
            },
            AttributeKind::ProtectStopDate => match dates.protect_stop {
                Some(old) => Some(Attribute::ProtectStopDate(DateTime(later(old)?))),
                None => None,
            },
            AttributeKind::DeactivationDate => match dates.deactivation {
                Some(old) => Some(Attribute::DeactivationDate(DateTime(later(old)?))),
                None => None,
            },
            _ => None,
        };
        if let Some(date) = date {
            attributes.set(date);
        }
    }
    Some(())
}

/// Takes the Names from an object that is replaced: they go over to what replaces it.
pub async fn release_names(context: &mut Context<'_>, existing: &mut Object) -> Result<(), Failure> {
    let names: Vec<String> = existing.attributes.names().map(|n| n.name_value.clone()).collect();
    for name in names {
        context.release_name(existing, &name).await?;
    }
    existing.attributes.clear(AttributeKind::Name);
    Ok(())
}

/// Ties an object and what replaces it to each other, and keeps both. What replaced it before is the latest no more.
pub async fn tie(context: &mut Context<'_>, existing: &mut Object, replacement: &mut Object) -> Result<(), Failure> {
    let former = links::succeed(existing, &replacement.unique_identifier);
    links::tie(replacement, LinkType::ReplacedObjectLink, &existing.unique_identifier);
    existing
        .attributes
        .set(Attribute::RotateDate(DateTime(context.seconds())));
    existing.attributes.set(Attribute::RotateLatest(false));
    context.save(replacement)?;
    context.save(existing)?;
    if let Some(former) = former
        && let Some(mut former) = context.find(&former).await?
        && former.attributes.first(AttributeKind::RotateLatest) == Some(&Attribute::RotateLatest(true))
    {
        former.attributes.set(Attribute::RotateLatest(false));
        context.save(&mut former)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Dates;

    fn set(dates: &[Attribute]) -> AttributeSet {
        let mut set = AttributeSet::default();
        dates.iter().for_each(|date| set.set(date.clone()));
        set
    }

    #[test]
    fn dates_keep_their_distance() {
        let mut all = set(&[
            Attribute::ActivationDate(DateTime(100)),
            Attribute::ProcessStartDate(DateTime(110)),
            Attribute::ProtectStopDate(DateTime(150)),
            Attribute::DeactivationDate(DateTime(200)),
        ]);
        assert_eq!(shift(&mut all, 1_000, &MOVED), Some(()));
        let expected = Dates {
            activation: Some(1_000),
            process_start: Some(1_010),
            protect_stop: Some(1_050),
            deactivation: Some(1_100),
            ..Dates::default()
        };
        assert_eq!(all.dates(), expected);
        let mut none = AttributeSet::default();
        assert_eq!(shift(&mut none, 1_000, &MOVED), Some(()));
        assert_eq!(none.dates().activation, Some(1_000));
    }

    #[test]
    fn later_dates_need_a_beginning() {
        for later in [
            Attribute::ProcessStartDate(DateTime(1)),
            Attribute::ProtectStopDate(DateTime(1)),
            Attribute::DeactivationDate(DateTime(1)),
        ] {
            assert_eq!(shift(&mut set(&[later]), 1_000, &MOVED), None);
        }
    }
}
