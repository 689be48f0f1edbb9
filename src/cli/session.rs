//! A person's conversation with a server: each request carries the ticket, changes may become proposals, and their outcome is
//! polled for.

use super::context::Profile;
use super::failure::{Exit, Failure, Outcome};
use super::private;
use kmip_client::{Connection, Identity, Settings};
use kmip_protocol::{
    AsynchronousIndicator, Authentication, Credential, LoginRequest, LoginResponse, LogoutRequest, OneTimePassword,
    PollRequest, ProposalNote, Request, RequestHeader, RequestItem, RequestMessage, RequestPayload, ResponseItem,
    ResponseMessage, ResultStatus, SecretText, Structure, Ticket, TicketCredential, TicketType, UsernameAndPassword,
    Version, tag,
};
use kmip_ttlv::{Reader, Secret, Writer};
use std::time::{Duration, Instant};

/// First pause between two polls, and the longest: a person's agreement takes minutes, an executing server milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What carries messages: a connection, or a test's house.
pub(super) trait Transport {
    /// Sends one message and gives the answer.
    fn exchange(&mut self, message: &RequestMessage) -> Outcome<ResponseMessage>;

    /// The certificate that the server has shown, DER.
    fn server_certificate(&self) -> Option<&[u8]> {
        None
    }
}

impl Transport for Connection {
    fn exchange(&mut self, message: &RequestMessage) -> Outcome<ResponseMessage> {
        Ok(Connection::exchange(self, message)?)
    }

    fn server_certificate(&self) -> Option<&[u8]> {
        Self::server_certificate(self)
    }
}

/// What came of a request.
pub(super) enum Answer<T> {
    /// It was carried out.
    Done(T),
    /// Others must agree first, or it is still at work.
    Pending(Pending),
}

impl<T> Answer<T> {
    fn try_map<U>(self, read: impl FnOnce(T) -> Outcome<U>) -> Outcome<Answer<U>> {
        Ok(match self {
            Self::Done(value) => Answer::Done(read(value)?),
            Self::Pending(pending) => Answer::Pending(pending),
        })
    }
}

/// A request that is not carried out yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// What its requester polls with.
    pub(super) correlation: Vec<u8>,
    /// What the server tells of the proposal.
    pub(super) note: ProposalNote,
}

/// The conversation.
pub(super) struct Session {
    transport: Box<dyn Transport + Send>,
    ticket: Option<Secret>,
}

impl Session {
    /// Connects with the certificate of the profile.
    pub(super) fn open(profile: &Profile, timeout: Duration, ticket: Option<Secret>) -> Outcome<Self> {
        let identity = Identity {
            ca: profile.ca.clone(),
            certificate: Some(profile.cert.clone()),
            key: None,
        };
        let mut settings = Settings::new(&profile.address);
        settings.server_name.clone_from(&profile.server_name);
        settings.timeout = timeout.max(Duration::from_secs(1));
        let connection = Connection::open_with(&settings, profile.key.tls(identity)?)?;
        Ok(Self::over(Box::new(connection), ticket))
    }

    /// The certificate that the server has shown, DER.
    pub(super) fn server_certificate(&self) -> Option<&[u8]> {
        self.transport.server_certificate()
    }

    /// Over a transport that there is.
    pub(super) fn over(transport: Box<dyn Transport + Send>, ticket: Option<Secret>) -> Self {
        Self { transport, ticket }
    }

    /// Asks for something that is answered at once.
    pub(super) fn ask<R: Request>(&mut self, request: R) -> Outcome<R::Response> {
        match self.send(self.header(), RequestItem::new(request))? {
            Answer::Done(payload) => read_payload::<R>(payload.as_bytes()),
            Answer::Pending(pending) => Err(pending.failure()),
        }
    }

    /// Asks for a change. If others must agree to it, it becomes a proposal under an identifier chosen here.
    pub(super) fn change<R: Request>(
        &mut self,
        request: RequestPayload,
        reason: Option<&str>,
    ) -> Outcome<Answer<R::Response>> {
        let identifier: [u8; 16] = private::random()?;
        let note = ProposalNote {
            proposal_identifier: Some(identifier.to_vec()),
            reason: reason.map(str::to_owned),
            ..ProposalNote::default()
        };
        let mut item = RequestItem::new(request);
        item.message_extensions.push(note.to_extension());
        let mut header = self.header();
        header.asynchronous_indicator = Some(AsynchronousIndicator::Optional);
        let answer = self.send(header, item)?;
        answer.try_map(|payload| read_payload::<R>(payload.as_bytes()))
    }

    /// Polls until the request has ended one way or the other, or patience has.
    pub(super) fn wait<R: Request>(&mut self, pending: Pending, patience: Duration) -> Outcome<Answer<R::Response>> {
        let answer = self.wait_bytes(pending, patience)?;
        answer.try_map(|payload| read_payload::<R>(payload.as_bytes()))
    }

    /// The same, with the items of the payload in TTLV, whatever was asked for.
    pub(super) fn wait_bytes(&mut self, pending: Pending, patience: Duration) -> Outcome<Answer<Writer>> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let mut item = RequestItem::new(PollRequest {
                asynchronous_correlation_value: pending.correlation.clone(),
            });
            item.message_extensions.push(ProposalNote::default().to_extension());
            match self.send(self.header(), item)? {
                Answer::Done(response) => return Ok(Answer::Done(response)),
                Answer::Pending(_) if begun.elapsed().saturating_add(pause) > patience => {
                    return Ok(Answer::Pending(pending));
                }
                Answer::Pending(_) => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Begins a session: what is asked from now on carries its ticket, which is returned to be kept.
    pub(super) fn login(
        &mut self,
        person: &str,
        password: SecretText,
        one_time_password: Option<SecretText>,
    ) -> Outcome<Secret> {
        let username = person.to_owned();
        let credential = match one_time_password {
            Some(one_time_password) => Credential::OneTimePassword(OneTimePassword {
                username,
                password: Some(password),
                one_time_password,
            }),
            None => Credential::UsernameAndPassword(UsernameAndPassword {
                username,
                password: Some(password),
            }),
        };
        let mut header = RequestHeader::new(Version::NEWEST, 1);
        header.authentication = Some(Authentication {
            credentials: vec![credential],
        });
        let Answer::Done(payload) = self.send(header, RequestItem::new(LoginRequest::default()))? else {
            return Err(Failure::new(
                Exit::Authentication,
                "the server does not answer the login",
            ));
        };
        let LoginResponse { ticket } = read_payload::<LoginRequest>(payload.as_bytes())?;
        self.ticket = Some(ticket.ticket_value.clone());
        Ok(ticket.ticket_value)
    }

    /// Ends the session, if there is one.
    pub(super) fn logout(&mut self) -> Outcome<()> {
        let Some(value) = self.ticket.clone() else {
            return Ok(());
        };
        let ended = self.ask(LogoutRequest { ticket: ticket(value) });
        self.ticket = None;
        ended.map(|_| ())
    }

    fn header(&self) -> RequestHeader {
        let mut header = RequestHeader::new(Version::NEWEST, 1);
        header.authentication = self.ticket.as_ref().map(|value| Authentication {
            credentials: vec![Credential::Ticket(TicketCredential {
                ticket: ticket(value.clone()),
            })],
        });
        header
    }

    /// Sends one item; gives the items of its answer's payload in TTLV.
    fn send(&mut self, header: RequestHeader, item: RequestItem) -> Outcome<Answer<Writer>> {
        let message = RequestMessage {
            header,
            items: vec![item],
        };
        let answer = self.transport.exchange(&message)?;
        let version = answer.version();
        let item = answer.items.into_iter().next();
        let item = item.ok_or_else(|| "the answer is empty".to_owned())?;
        match item.result_status {
            ResultStatus::Success => {
                let mut writer = Writer::new();
                if let Some(payload) = &item.payload {
                    payload.write(&mut writer, version);
                }
                Ok(Answer::Done(writer))
            }
            ResultStatus::OperationPending => {
                let note = note(&item);
                let correlation = item.asynchronous_correlation_value.unwrap_or_default();
                Ok(Answer::Pending(Pending { correlation, note }))
            }
            _ => Err(failure(item)),
        }
    }
}

fn ticket(ticket_value: Secret) -> Ticket {
    Ticket {
        ticket_type: TicketType::Login,
        ticket_value,
    }
}

impl Pending {
    /// The identifier of the proposal in hexadecimal, if there is one.
    pub(super) fn proposal(&self) -> Option<String> {
        self.note.proposal_identifier.as_deref().map(super::hex)
    }

    /// What a command ends with that does not wait.
    pub(super) fn failure(&self) -> Failure {
        let text = match self.proposal() {
            Some(id) => format!("others must agree first: follow it with `claviger proposal show {id}`"),
            None => "the server is still at work on it".to_owned(),
        };
        Failure::new(Exit::Pending, text)
    }
}

/// A payload, read as what the request asks for: not what the operation says that the item names.
pub(super) fn read_payload<R: Request>(payload: &[u8]) -> Outcome<R::Response> {
    let mut reader = Reader::new(payload);
    let response = R::Response::read(&mut reader, Version::NEWEST)?;
    reader.finish()?;
    Ok(response)
}

fn failure(item: ResponseItem) -> Failure {
    let note = note(&item);
    let reported = Failure::reported(item.result_reason, item.result_message);
    match note.state {
        Some(state) if is_over(state) => {
            let ended = Failure::ended(state, None);
            Failure {
                exit: Exit::Ended,
                text: format!("{}: {}", ended.text, reported.text),
                ..reported
            }
        }
        _ => reported,
    }
}

/// Whether a proposal in this state ended without being carried out or tried.
pub(super) fn is_over(state: kmip_protocol::ProposalState) -> bool {
    use kmip_protocol::ProposalState;
    matches!(
        state,
        ProposalState::Rejected | ProposalState::Withdrawn | ProposalState::Expired | ProposalState::Void
    )
}

/// The note in an answer; an empty one if there is none.
fn note(item: &ResponseItem) -> ProposalNote {
    ProposalNote::from_extensions(&item.message_extensions).unwrap_or_default()
}

/// The payload of a request as a Request Payload structure in TTLV, as policies are evaluated on it.
pub(super) fn payload_bytes(payload: &RequestPayload) -> Secret {
    let mut writer = Writer::new();
    writer.structure(tag::REQUEST_PAYLOAD, |inner| payload.write(inner, Version::NEWEST));
    Secret::new(writer.into_bytes())
}

#[cfg(test)]
pub(super) mod tests;
