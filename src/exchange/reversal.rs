//! What the server asks over a connection whose roles were set the other way round (KMIP 2.1 §6.1.54): Discover Versions and Query, to
//! know whom it asks, then what waits for that client. When nothing waits any more, a client that knows Set Endpoint Role is the one that
//! asks again; with another the server stays, and asks when there is something.

use super::facts::{Asked, Roles};
use super::outgoing::Outgoing;
use super::server::{Server, log};
use super::{ConnectionFacts, Conversation, Turn};
use crate::failure::Failure;
use crate::identity::Principal;
use crate::wait::Wait;
use kmip_protocol::{
    DiscoverVersionsRequest, EndpointRole, Operation, QueryFunction, QueryRequest, RequestMessage, ResponseItem,
    ResponseMessage, ResponsePayload, ResultStatus, SetEndpointRoleRequest,
};
use kmip_ttlv::{Secret, Writer};

/// The server's side of one such connection.
pub(super) struct Reversal<'a> {
    server: &'a Server,
    facts: &'a ConnectionFacts,
    roles: &'a Roles,
    asked: Asked,
    stage: Stage,
    /// Whether the client may be given its role back.
    knows_roles: bool,
}

/// What is asked next, or was asked last.
enum Stage {
    Versions,
    Operations,
    /// What waits; with a message that is on its way.
    Messages(Option<Box<Outgoing>>),
    /// The client is to ask again.
    Back,
    /// It does.
    Done,
}

impl<'a> Reversal<'a> {
    pub(super) const fn new(server: &'a Server, facts: &'a ConnectionFacts, roles: &'a Roles, asked: Asked) -> Self {
        Self {
            server,
            facts,
            roles,
            asked,
            stage: Stage::Versions,
            knows_roles: false,
        }
    }

    /// Whether whoever wanted to be asked is still served, over this connection: asked before each request, as each request of its own
    /// would be.
    async fn is_served(&self) -> bool {
        let identity = self.server.identity();
        let now = self.server.now().seconds();
        let Ok(Principal::Client(client)) = identity.resolve(&self.facts.certificate, now).await else {
            return false;
        };
        if !client.limits.admits(self.facts.peer.ip()) {
            return false;
        }
        // A user came by the password that it showed then.
        let wanted = self.asked.client;
        client.id() == wanted
            || client.limits.admits_users
                && client.tenant == wanted.tenant
                && identity
                    .directory()
                    .client(wanted)
                    .await
                    .is_ok_and(|found| found.is_some_and(|found| found.record.is_admitted_over(client.client, now)))
    }

    async fn next(&mut self) -> Turn {
        if !self.is_served().await {
            return Turn::End;
        }
        let version = self.asked.version;
        match &mut self.stage {
            Stage::Versions => ask(&RequestMessage::single(version, DiscoverVersionsRequest::default())),
            Stage::Operations => {
                let query_functions = vec![QueryFunction::QueryOperations];
                let query = QueryRequest {
                    query_functions,
                    object_groups: None,
                };
                ask(&RequestMessage::single(version, query))
            }
            Stage::Messages(on_its_way) => match self.server.next_for_client(self.asked.client, version).await {
                Ok(Some(next)) => {
                    let turn = ask(&next.request);
                    *on_its_way = Some(Box::new(next));
                    turn
                }
                Ok(None) if self.knows_roles => {
                    self.stage = Stage::Back;
                    let endpoint_role = EndpointRole::Client;
                    ask(&RequestMessage::single(
                        version,
                        SetEndpointRoleRequest { endpoint_role },
                    ))
                }
                Ok(None) => Turn::Wait,
                Err(failure) => waits(&failure),
            },
            Stage::Back | Stage::Done => {
                self.roles.set(None);
                Turn::Answer
            }
        }
    }

    /// Takes an answer. `None`: it is none.
    async fn take(&mut self, response: &[u8]) -> Option<()> {
        let mut message = ResponseMessage::read(response).ok()?;
        let (item, true) = (message.items.pop()?, message.items.is_empty()) else {
            return None;
        };
        let done = item.result_status == ResultStatus::Success;
        // A failure need not say of which operation it is (KMIP 2.1 §8.5).
        if item.operation.is_none() && done || item.result_status == ResultStatus::OperationPending {
            return None;
        }
        let is_of = |operation| item.operation.is_none_or(|own| own == operation);
        match &mut self.stage {
            Stage::Versions => {
                is_of(Operation::DiscoverVersions).then_some(())?;
                self.stage = Stage::Operations;
            }
            Stage::Operations => {
                is_of(Operation::Query).then_some(())?;
                self.knows_roles = done && knows(&item, Operation::SetEndpointRole);
                self.stage = Stage::Messages(None);
            }
            Stage::Messages(on_its_way) => {
                let sent = on_its_way.take()?;
                let why = (!is_of(sent.operation)).then_some("another operation was answered");
                let why = why.or((!done).then_some("it was refused"));
                let settled = match why {
                    None => self.server.delivered(&sent).await,
                    Some(why) => self.server.refused(&sent, why).await.map(|_| ()),
                };
                // It is sent again: at least once, never lost.
                if let Err(failure) = settled {
                    waits(&failure);
                }
                is_of(sent.operation).then_some(())?;
            }
            Stage::Back => {
                is_of(Operation::SetEndpointRole).then_some(())?;
                if done {
                    self.stage = Stage::Done;
                } else {
                    self.knows_roles = false;
                    self.stage = Stage::Messages(None);
                }
            }
            Stage::Done => return None,
        }
        Some(())
    }
}

impl Conversation for Reversal<'_> {
    fn turn(&mut self) -> Wait<'_, Turn> {
        Box::pin(self.next())
    }

    fn heard(&mut self, response: Vec<u8>) -> Wait<'_, bool> {
        let response = Secret::new(response);
        Box::pin(async move { self.take(response.expose()).await.is_some() })
    }
}

/// The bytes of a request: the listener wipes them.
fn ask(request: &RequestMessage) -> Turn {
    let mut writer = Writer::new();
    request.write(&mut writer);
    Turn::Ask(writer.into_bytes())
}

fn knows(item: &ResponseItem, operation: Operation) -> bool {
    matches!(&item.payload, Some(ResponsePayload::Query(told)) if told.operations.contains(&operation))
}

fn waits(failure: &Failure) -> Turn {
    log(failure, None);
    Turn::Wait
}
