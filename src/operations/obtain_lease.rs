//! Obtain Lease (KMIP 2.1 §6.1.35; KMIP 1.4 §4.17).

use super::context::Wanted;
use super::{Context, Handle, usage};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Dates};
use kmip_protocol::{Attribute, AttributeKind, DateTime, Interval, ObtainLeaseRequest, ObtainLeaseResponse, State};

impl Handle for ObtainLeaseRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ObtainLeaseResponse, Failure> {
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        usage::tell(context, &mut object).await?;
        let lease = grantable(context, &object.attributes).ok_or(Failure::new(Fault::LeaseRefused))?;
        let last_change_date = match object.attributes.first(AttributeKind::LastChangeDate) {
            Some(Attribute::LastChangeDate(date)) => *date,
            _ => DateTime(context.seconds()),
        };
        context.tell(&object.unique_identifier);
        Ok(ObtainLeaseResponse {
            unique_identifier: object.unique_identifier,
            lease_time: Interval(lease),
            last_change_date,
        })
    }
}

/// The longest lease that is given for an object now, in seconds: 0 if there is no limit to it, nothing if there is none at all, which is
/// so once the object is known to be compromised. It is over when a date of the object's is reached, so that nobody goes on as if it
/// were not.
pub(super) fn grantable(context: &Context<'_>, attributes: &AttributeSet) -> Option<u32> {
    let (dates, now) = (attributes.dates(), context.seconds());
    if dates.state(now) == State::Compromised {
        return None;
    }
    let own = match attributes.first(AttributeKind::LeaseTime) {
        Some(Attribute::LeaseTime(Interval(seconds))) => *seconds,
        _ => 0,
    };
    Some(shortest([
        own,
        context.services.limits.lease_seconds,
        until_next(dates, now),
    ]))
}

/// The shortest of these, of which 0 is none.
fn shortest(limits: [u32; 3]) -> u32 {
    limits.into_iter().filter(|limit| *limit > 0).min().unwrap_or(0)
}

/// Seconds until the next date that changes what the object may be used for; 0 if there is none.
fn until_next(dates: Dates, now: i64) -> u32 {
    let ahead = [
        dates.activation,
        dates.process_start,
        dates.protect_stop,
        dates.deactivation,
    ];
    let next = ahead.into_iter().flatten().filter(|date| *date > now).min();
    next.map_or(0, |date| u32::try_from(date.saturating_sub(now)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_with_the_next_date() {
        let dates = Dates {
            activation: Some(10),
            protect_stop: Some(40),
            deactivation: Some(90),
            ..Dates::default()
        };
        assert_eq!(
            [0, 10, 39, 40, 90].map(|now| until_next(dates, now)),
            [10, 30, 1, 50, 0]
        );
    }

    /// Also where nothing else limits it.
    #[test]
    fn what_is_no_limit_takes_none_away() {
        let cases = [[0, 0, 0], [0, 0, 30], [60, 0, 0], [60, 90, 30], [0, 90, 0]];
        assert_eq!(cases.map(shortest), [0, 30, 60, 30, 90]);
    }
}
