//! Sessions of clients: Login and Delegated Login (KMIP 2.1 §6.1.12, §6.1.30). A client is authenticated by its certificate in each
//! request all the same; its ticket stands for the password beside it, counts requests, and can be confined to some rights. A change
//! of the client's record ends its tickets.

use super::login::TICKET_BYTES;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{
    ClientPrincipal, LONGEST_LEASE_MS, MOST_TICKETS, PersonId, Principal, RightsError, TicketRecord, TicketRights,
};
use crate::records;
use kmip_protocol::{
    DateTime, DelegatedLoginRequest, DelegatedLoginResponse, Interval, Ticket, TicketLease, TicketType, UsageLimits,
};

impl Handle for DelegatedLoginRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<DelegatedLoginResponse, Failure> {
        let Principal::Client(client) = context.principal else {
            return Err(Fault::PermissionDenied.into());
        };
        let rights = TicketRights::read(&self.rights).map_err(|why| match why {
            RightsError::UsageLimits => Failure::new(Fault::FeatureNotSupported),
            RightsError::Count | RightsError::Object => Failure::new(Fault::InvalidField),
        })?;
        let wanted = Wanted {
            lease: self.lease_time,
            requests: self.request_count,
            usage_limits: self.usage_limits.as_ref(),
            rights: Some(rights),
        };
        Ok(DelegatedLoginResponse {
            ticket: open(context, client, wanted).await?,
        })
    }
}

/// What a ticket is to be.
pub(super) struct Wanted<'a> {
    pub lease: Option<TicketLease>,
    pub requests: Option<i32>,
    pub usage_limits: Option<&'a UsageLimits>,
    pub rights: Option<TicketRights>,
}

/// How long a ticket is to hold, in milliseconds: as long as is asked for, and no longer than any may.
///
/// # Errors
/// [`Fault::InvalidField`] if it would hold for no time at all.
pub(super) fn lease_ms(wanted: Option<TicketLease>, now: Moment) -> Result<i64, Failure> {
    let milliseconds = match wanted {
        None => LONGEST_LEASE_MS,
        Some(TicketLease::For(Interval(seconds))) => i64::from(seconds).saturating_mul(1000),
        Some(TicketLease::Until(DateTime(end))) => end.saturating_mul(1000).saturating_sub(now.0),
    };
    if milliseconds <= 0 {
        return Err(Fault::InvalidField.into());
    }
    Ok(milliseconds.min(LONGEST_LEASE_MS))
}

/// A ticket for the client that asks. A lease or a number of requests of 0 asks for no limit of its own.
pub(super) async fn open(
    context: &mut Context<'_>,
    client: &ClientPrincipal,
    wanted: Wanted<'_>,
) -> Result<Ticket, Failure> {
    if wanted.usage_limits.is_some() {
        return Err(Fault::FeatureNotSupported.into());
    }
    // What was delegated is not passed on.
    if client.rights().is_some() {
        return Err(Fault::RightsRefused.into());
    }
    let lease_ms = match wanted.lease {
        Some(TicketLease::For(Interval(0))) => LONGEST_LEASE_MS,
        lease => lease_ms(lease, context.now)?,
    };
    let requests = match wanted.requests.unwrap_or(0) {
        0 => None,
        count if count < 0 => return Err(Fault::InvalidField.into()),
        count => Some(i64::from(count)),
    };
    make_room(context, client).await?;
    let value = context.services.randomness.secret(TICKET_BYTES)?;
    let now = context.services.clock.lapsed(context.now);
    let ticket = TicketRecord {
        person: client.client,
        key_fingerprint: client.state(),
        digest: TicketRecord::digest(value.expose()),
        initial: false,
        issued_ms: now.0,
        expires_ms: now.0.saturating_add(lease_ms),
        requests,
        rights: wanted.rights,
    };
    let key = TicketRecord::key(client.tenant, &ticket.digest);
    context.work.load(key).await?;
    let revision = context.work.next_revision(key);
    let (body, _) = records::close(&context.services.custody, key, revision, ticket.encode())?;
    context.work.put(key, body, ticket.rows());
    Ok(Ticket {
        ticket_type: TicketType::Login,
        ticket_value: value,
    })
}

/// Tickets that ran out or that no longer hold go, and beyond the most the oldest.
async fn make_room(context: &mut Context<'_>, client: &ClientPrincipal) -> Result<(), Failure> {
    let owner = PersonId {
        domain: client.tenant,
        person: client.client,
    };
    let mut left = 0_usize;
    for key in TicketRecord::all(owner, context.work).await? {
        let Some(record) = context.work.peek(key).await? else {
            continue;
        };
        let ticket = TicketRecord::decode(records::open(&context.services.custody, &record)?)?;
        left = left.saturating_add(1);
        let over = context.services.clock.lapsed(context.now).0 > ticket.expires_ms;
        if over || left >= MOST_TICKETS || ticket.key_fingerprint != client.state() {
            context.work.delete(key).await?;
        }
    }
    Ok(())
}
