//! The credentials of a message's header (KMIP 2.1 §9.11), judged once for the whole message and before anything else: a ticket
//! lifts a person to its session, a password is the second factor of a Login.

use crate::administration::keeper::Keeper;
use crate::administration::login::{self, Shown, Verified};
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{PersonPrincipal, Principal, SecondFactor, Sessions, TicketError};
use crate::operations::Services;
use crate::store::Work;
use kmip_protocol::{Credential, Operation, RequestMessage, RequestPayload, Ticket, TicketType};
use std::sync::Arc;

/// Who asks, as the message's credentials say.
pub(super) struct Judged {
    /// The principal: of a person, with its session.
    pub principal: Principal,
    /// What it showed for its Login or its change of password.
    pub second_factor: Option<SecondFactor>,
}

/// What judging rests on.
pub(super) struct Judge<'a> {
    pub services: &'a Services,
    pub sessions: &'a Sessions,
    pub message: &'a RequestMessage,
    pub now: Moment,
}

impl Judge<'_> {
    /// Judges. What is counted stays in `work` whatever the items do.
    pub(super) async fn judge(
        &self,
        principal: &Principal,
        work: &mut Work,
        verified: &mut Verified,
    ) -> Result<Judged, Failure> {
        let Principal::Person(person) = principal else {
            self.without_sessions()?;
            return Ok(Judged {
                principal: principal.clone(),
                second_factor: None,
            });
        };
        let (ticket, shown) = self.of_person(person)?;
        let second_factor = match self.wanted(shown) {
            Some(wanted) => Some(login::judge(self.services, work, person, &wanted, verified, self.now).await?),
            None => None,
        };
        let person = match ticket {
            Some(ticket) => Arc::new(self.admitted(person, ticket, work).await?),
            None => Arc::clone(person),
        };
        Ok(Judged {
            principal: Principal::Person(person),
            second_factor,
        })
    }

    fn given(&self) -> impl Iterator<Item = &Credential> {
        self.message.header.authentication.iter().flat_map(|a| &a.credentials)
    }

    /// A client's identity is its certificate's. A user name and password or a device beside it are not judged while no client has
    /// any registered; what can only be meant to be judged is refused.
    fn without_sessions(&self) -> Result<(), Failure> {
        let mut given = self.given();
        let ignored = |c: &Credential| matches!(c, Credential::UsernameAndPassword(_) | Credential::Device(_));
        if given.all(ignored) {
            return Ok(());
        }
        Err(Fault::CredentialRefused.into())
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
                _ => return Err(Fault::CredentialRefused.into()),
            }
        }
        Ok((ticket, shown))
    }

    /// What is to be judged: for a Login what the header shows, for a change of password the present one. Elsewhere a password opens
    /// nothing, and whether it is right is not told; but it must be that of whom the certificate names.
    fn wanted<'a>(&'a self, shown: Shown<'a>) -> Option<Shown<'a>> {
        let items = &self.message.items;
        if items.iter().any(|item| item.operation == Some(Operation::Login)) || shown.names_another() {
            return Some(shown);
        }
        items.iter().find_map(|item| match &item.payload {
            Ok(RequestPayload::PasswordChange(request)) => Some(Shown::of_change(&request.current_password)),
            _ => None,
        })
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
        let admitted = self.sessions.admit(person, value, self.now.0, work, &keeper).await;
        admitted.map_err(|error| match error {
            TicketError::Invalid => Fault::InvalidTicket.into(),
            TicketError::Store(error) => error.into(),
        })
    }
}
