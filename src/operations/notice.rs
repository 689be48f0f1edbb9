//! What a handler changed that others remember.

use super::Batch;
use crate::audit::alarm::{Alarm, Event};
use crate::clock::Moment;
use crate::custody::ProfileId;
use crate::identity::IdentityChange;
use crate::store::{Domain, Work};

/// Something that is remembered outside the store has changed. A handler says so in [`super::Batch::notices`]; `exchange` tells
/// those who remember it once the commit has succeeded and before the answer leaves. What is taken back is not told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// Who is who: a person, a client, an authority, a tenant.
    Identity(IdentityChange),
    /// The policy of a domain.
    Policy(Domain),
    /// The KEKs of a domain, or its record key.
    Keys(Domain),
    /// An HSM-Profile: made, changed, or deleted.
    Profile(ProfileId),
    /// Which records are held.
    Quarantine,
    /// The database was put back, and people have agreed to go on with it.
    RestoreAccepted,
    /// The share counts that this person has laid down of a legacy token.
    Share(Domain, [u8; 16], [u8; 16]),
    /// The shares of a legacy token are needed no more.
    SharesOver(Domain, [u8; 16]),
    /// An object is no more, by its internal identifier: what others have computed from its key goes.
    Destroyed([u8; 16]),
    /// A domain is no more: its keys are closed.
    Gone(Domain),
    /// Somebody should hear of this at once.
    Alarm(Alarm),
}

impl Batch {
    /// Alarms somebody: in the trail with what else is committed, elsewhere once it is.
    pub fn alarm(&mut self, work: &mut Work, event: Event, domain: Domain, now: Moment, note: &str) {
        self.raise(work, Alarm::new(event, domain.0, now.0, note));
    }

    /// The same, as grave as the alarm says.
    pub fn raise(&mut self, work: &mut Work, alarm: Alarm) {
        if let Some(draft) = alarm.draft() {
            work.audit(draft);
        }
        self.notices.push(Notice::Alarm(alarm));
    }
}
