//! The credentials of a message's header (KMIP 2.1 §9.11), judged once for the whole message and before anything else: a ticket
//! lifts a person to its session and confines a client to its rights, a password is the second factor of a Login.

use super::{client_password, users};
use crate::administration::login::{self, Scene, Shown, Verified};
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{ClientPrincipal, PersonPrincipal, Principal, Sessions, TicketError, TicketRecord};
use crate::operations::keeper::Keeper;
use crate::operations::{Batch, Services};
use crate::store::Work;
use kmip_protocol::{Credential, Device, Operation, RequestMessage, RequestPayload, Ticket, TicketType};
use std::sync::Arc;

/// What judging rests on.
pub(super) struct Judge<'a> {
    pub services: &'a Services,
    pub sessions: &'a Sessions,
    pub message: &'a RequestMessage,
    pub now: Moment,
}

impl Judge<'_> {
    /// Who asks: of a person, with its session. What is counted stays in `work` whatever the items do; what a person showed for its
    /// Login or its change of password is left in `batch`.
    pub(super) async fn judge(
        &self,
        principal: &Principal,
        work: &mut Work,
        batch: &mut Batch,
        verified: &mut Verified,
    ) -> Result<Principal, Failure> {
        let Principal::Person(person) = principal else {
            self.without_sessions(principal.client().is_some())?;
            if let Principal::Client(client) = principal {
                return Box::pin(self.judge_client(client, work, batch, verified)).await;
            }
            return Ok(principal.clone());
        };
        let (ticket, shown) = self.of_person(person)?;
        let person = match ticket {
            Some(ticket) => Arc::new(self.admitted(person, ticket, work).await?),
            None => Arc::clone(person),
        };
        if let Some(wanted) = self.wanted(shown, ticket.is_some()) {
            let factor = login::judge(self.scene(work, batch), &person, &wanted, verified).await?;
            batch.second_factor = Some(factor);
        }
        Ok(Principal::Person(person))
    }

    /// A client, or the user that comes over its connection. All that is shown must hold (KMIP 2.1 §9.4); a ticket stands for the
    /// password that was shown for it where none is.
    async fn judge_client(
        &self,
        client: &Arc<ClientPrincipal>,
        work: &mut Work,
        batch: &mut Batch,
        verified: &mut Verified,
    ) -> Result<Principal, Failure> {
        let known = &self.sessions.clients;
        let ticket = self.of_client()?;
        let mut user = None;
        if client.limits.admits_users {
            let scene = self.scene(work, batch);
            user = users::judge(scene, known, client, self.given(), verified)
                .await?
                .map(Arc::new);
        } else if ticket.is_none() || self.given().any(|c| matches!(c, Credential::UsernameAndPassword(_))) {
            let scene = self.scene(work, batch);
            client_password::judge(scene, known, client, self.given(), verified).await?;
        }
        let Some(ticket) = ticket else {
            return Ok(Principal::Client(user.unwrap_or_else(|| Arc::clone(client))));
        };
        if user.is_none() {
            user = self.user_of(ticket, client, self.scene(work, batch)).await?;
        }
        let whose = user.as_ref().unwrap_or(client);
        let admitted = self.client_admitted(whose, ticket, work).await?;
        Ok(Principal::Client(Arc::new(admitted)))
    }

    const fn scene<'b>(&'b self, work: &'b mut Work, batch: &'b mut Batch) -> Scene<'b> {
        Scene {
            services: self.services,
            work,
            batch,
            now: self.now,
        }
    }

    /// The user whose ticket is shown, where the connection's client admits users and the ticket is not its own.
    async fn user_of(
        &self,
        ticket: &Ticket,
        client: &Arc<ClientPrincipal>,
        scene: Scene<'_>,
    ) -> Result<Option<Arc<ClientPrincipal>>, Failure> {
        if !client.limits.admits_users {
            return Ok(None);
        }
        let keeper = Keeper(Arc::clone(&self.services.custody));
        let owner = TicketRecord::owner(client.tenant, ticket.ticket_value.expose(), scene.work, &keeper).await?;
        match owner.filter(|owner| *owner != client.client) {
            Some(owner) => Ok(users::of_ticket(scene, owner, client).await?.map(Arc::new)),
            None => Ok(None),
        }
    }

    fn given(&self) -> impl Iterator<Item = &Credential> {
        self.message.header.authentication.iter().flat_map(|a| &a.credentials)
    }

    /// A client's identity is its certificate's. A user name and password are judged of clients that have them registered; what can
    /// only be meant to be judged and is not, is refused.
    fn without_sessions(&self, is_client: bool) -> Result<(), Failure> {
        // Nothing here asks for one, and there is nobody who could judge it (KMIP 2.1 §6.1.6.1 and the like).
        if self
            .given()
            .any(|credential| matches!(credential, Credential::Attestation(_)))
        {
            return Err(Fault::AttestationFailed.into());
        }
        let mut given = self.given();
        let ignored = |c: &Credential| match c {
            Credential::UsernameAndPassword(_) => true,
            // It names itself by something at least, although that proves nothing.
            Credential::Device(device) => names_something(device),
            Credential::Ticket(_) => is_client,
            _ => false,
        };
        if given.all(ignored) {
            return Ok(());
        }
        Err(Fault::CredentialRefused.into())
    }

    /// The ticket that a client shows.
    fn of_client(&self) -> Result<Option<&Ticket>, Failure> {
        let mut tickets = self.given().filter_map(|credential| match credential {
            Credential::Ticket(given) => Some(&given.ticket),
            _ => None,
        });
        match (tickets.next(), tickets.next()) {
            (ticket, None) => Ok(ticket),
            _ => Err(Fault::CredentialRefused.into()),
        }
    }

    /// The ticket and the second factor that a person shows.
    fn of_person(&self, person: &PersonPrincipal) -> Result<(Option<&Ticket>, Shown<'_>), Failure> {
        let mut ticket = None;
        let mut shown = Shown::default();
        for credential in self.given() {
            match credential {
                Credential::Ticket(given) if ticket.is_none() => ticket = Some(&given.ticket),
                Credential::UsernameAndPassword(given) => {
                    shown.add(person, &given.username, given.password.as_ref(), None);
                }
                Credential::OneTimePassword(given) => {
                    let code = Some(&given.one_time_password);
                    shown.add(person, &given.username, given.password.as_ref(), code);
                }
                Credential::Attestation(_) => return Err(Fault::AttestationFailed.into()),
                _ => return Err(Fault::CredentialRefused.into()),
            }
        }
        Ok((ticket, shown))
    }

    /// What is to be judged: for a Login what the header shows, for a change of password the present one. Elsewhere a password opens
    /// nothing, and whether it is right is not told; but it must be that of whom the certificate names.
    fn wanted<'a>(&'a self, shown: Shown<'a>, in_session: bool) -> Option<Shown<'a>> {
        let items = &self.message.items;
        if items.iter().any(|item| item.operation == Some(Operation::Login)) || shown.names_another() {
            return Some(shown);
        }
        items.iter().find_map(|item| match &item.payload {
            Ok(RequestPayload::PasswordChange(request)) if in_session => {
                Some(Shown::of_change(&request.current_password))
            }
            _ => None,
        })
    }

    async fn client_admitted(
        &self,
        client: &ClientPrincipal,
        ticket: &Ticket,
        work: &mut Work,
    ) -> Result<ClientPrincipal, Failure> {
        if ticket.ticket_type != TicketType::Login {
            return Err(Fault::InvalidTicket.into());
        }
        let keeper = Keeper(Arc::clone(&self.services.custody));
        let value = ticket.ticket_value.expose();
        let now = self.services.clock.lapsed(self.now);
        let admitted = self.sessions.admit_client(client, value, now.0, work, &keeper).await;
        admitted.map_err(refusal)
    }

    async fn admitted(
        &self,
        person: &PersonPrincipal,
        ticket: &Ticket,
        work: &mut Work,
    ) -> Result<PersonPrincipal, Failure> {
        if ticket.ticket_type != TicketType::Login {
            return Err(Fault::InvalidTicket.into());
        }
        let keeper = Keeper(Arc::clone(&self.services.custody));
        let value = ticket.ticket_value.expose();
        let now = self.services.clock.lapsed(self.now);
        let admitted = self.sessions.admit(person, value, now.0, work, &keeper).await;
        admitted.map_err(refusal)
    }
}

/// "The client SHALL provide at least one field" (KMIP 2.1 §9.11).
fn names_something(device: &Device) -> bool {
    let Device {
        device_serial_number,
        password,
        device_identifier,
        network_identifier,
        machine_identifier,
        media_identifier,
    } = device;
    let names = [
        device_serial_number,
        device_identifier,
        network_identifier,
        machine_identifier,
        media_identifier,
    ];
    password.is_some() || names.into_iter().any(Option::is_some)
}

fn refusal(error: TicketError) -> Failure {
    match error {
        TicketError::Invalid => Fault::InvalidTicket.into(),
        TicketError::Used => Fault::TicketUsed.into(),
        TicketError::Store(error) => error.into(),
    }
}
