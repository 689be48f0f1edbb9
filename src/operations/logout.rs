//! Logout (KMIP 2.1 §6.1.31): a ticket holds no longer.

use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, TicketRecord};
use crate::records;
use kmip_protocol::{LogoutRequest, LogoutResponse, TicketType};

impl Handle for LogoutRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<LogoutResponse, Failure> {
        let (domain, owner) = match context.principal {
            Principal::Person(person) => (person.domain, person.person),
            Principal::Client(client) => (client.tenant, client.client),
            _ => return Err(Fault::PermissionDenied.into()),
        };
        if self.ticket.ticket_type != TicketType::Login {
            return Err(Fault::InvalidTicket.into());
        }
        let digest = TicketRecord::digest(self.ticket.ticket_value.expose());
        let key = TicketRecord::key(domain, &digest);
        let found = context.work.load(key).await?;
        let found = found.ok_or(Failure::new(Fault::InvalidTicket))?;
        let ticket = TicketRecord::decode(records::open(&context.services.custody, &found)?)?;
        if ticket.person != owner || ticket.digest != digest {
            return Err(Fault::InvalidTicket.into());
        }
        context.work.delete(key).await?;
        Ok(LogoutResponse::default())
    }
}
