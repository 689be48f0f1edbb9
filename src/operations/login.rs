//! Login (KMIP 2.1 §6.1.30): a ticket for a client, or for a person that has shown both factors. The header's credential was judged
//! before.

use super::client_login::{self, Wanted};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::identity::{MOST_TICKETS, PersonId, PersonPrincipal, Principal, SecondFactor, TicketRecord, person_counter};
use crate::records;
use kmip_protocol::{LoginRequest, LoginResponse, Ticket, TicketType};

/// Bytes of a ticket's value.
pub(super) const TICKET_BYTES: usize = 32;

impl Handle for LoginRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<LoginResponse, Failure> {
        let person = match context.principal {
            Principal::Person(person) => person.as_ref(),
            Principal::Client(client) => {
                let wanted = Wanted {
                    lease: self.lease_time,
                    requests: self.request_count,
                    usage_limits: self.usage_limits.as_ref(),
                    rights: None,
                };
                let ticket = client_login::open(context, client, wanted).await?;
                return Ok(LoginResponse { ticket });
            }
            _ => return Err(Fault::PermissionDenied.into()),
        };
        // A key in a file is no factor of its own where hardware is asked for.
        if context.services.about.requires_hardware(person.role) && !person.hardware {
            return Err(Fault::HardwareRequired.into());
        }
        if self.usage_limits.is_some() {
            return Err(Fault::FeatureNotSupported.into());
        }
        let Some(SecondFactor::Login { initial, step }) = context.batch.second_factor.take() else {
            return Err(Fault::CredentialRefused.into());
        };
        let lease_ms = client_login::lease_ms(self.lease_time, context.now)?;
        let requests = match self.request_count {
            Some(count) if count <= 0 => return Err(Fault::InvalidField.into()),
            count => count.map(i64::from),
        };
        note_login(context, person, initial, step).await?;
        let value = context.services.randomness.secret(TICKET_BYTES)?;
        let now = context.services.clock.lapsed(context.now);
        let ticket = TicketRecord {
            person: person.person,
            key_fingerprint: person.key_fingerprint,
            digest: TicketRecord::digest(value.expose()),
            initial,
            issued_ms: now.0,
            expires_ms: now.0.saturating_add(lease_ms),
            requests,
            rights: None,
        };
        let key = TicketRecord::key(person.domain, &ticket.digest);
        context.work.load(key).await?;
        let revision = context.work.next_revision(key);
        let (body, _) = records::close(&context.services.custody, key, revision, ticket.encode())?;
        context.work.put(key, body, ticket.rows());
        Ok(LoginResponse {
            ticket: Ticket {
                ticket_type: TicketType::Login,
                ticket_value: value,
            },
        })
    }
}

/// What a login leaves beside the person's record. It reads the record, so that a change of the record that ends all sessions meets it.
async fn note_login(
    context: &mut Context<'_>,
    person: &PersonPrincipal,
    initial: bool,
    step: Option<i64>,
) -> Result<(), Failure> {
    let id = PersonId {
        domain: person.domain,
        person: person.person,
    };
    let key = id.key();
    let used = || Failure::detailed(Fault::CredentialRefused, "used before");
    context.work.load(key).await?;
    if initial {
        let counted = context.work.adjust(key, person_counter::INITIAL_LOGINS, 1, (0, 1));
        counted.await?.map_err(|_| used())?;
    }
    if let Some(step) = step {
        let last = context.work.counter(key, person_counter::LAST_STEP).await?.unwrap_or(0);
        let ahead = step.saturating_sub(last);
        let counted = context.work.adjust(key, person_counter::LAST_STEP, ahead, (0, step));
        counted.await?.map_err(|_| used())?;
    }
    context.work.set_counter(key, person_counter::LAST_LOGIN, context.now.0);
    // Tickets that ran out go, and beyond the most the oldest.
    let tickets = TicketRecord::all(id, context.work).await?;
    let mut left = 0_usize;
    for key in tickets {
        let Some(record) = context.work.peek(key).await? else {
            continue;
        };
        let ticket = TicketRecord::decode(records::open(&context.services.custody, &record)?)?;
        left = left.saturating_add(1);
        if context.services.clock.lapsed(context.now).0 > ticket.expires_ms || left >= MOST_TICKETS {
            context.work.delete(key).await?;
        }
    }
    Ok(())
}
