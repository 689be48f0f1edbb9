//! What the server asks over a connection whose roles were set the other way round (KMIP 2.1 §6.1.54): Discover Versions and Query, to
//! know whom it asks, then what waits for that client. When nothing waits any more, a client that knows Set Endpoint Role is the one that
//! asks again; with another the server stays, and asks when there is something.

use super::facts::{Asked, Roles};
use super::outgoing::{Outgoing, Verdict};
use super::patience;
use super::server::{Server, log};
use super::{ConnectionFacts, Conversation, Turn};
use crate::identity::Principal;
use crate::outbox::{Carrier, EndpointId};
use crate::wait::Wait;
use kmip_protocol::{
    DiscoverVersionsRequest, EndpointRole, Operation, QueryFunction, QueryRequest, RequestMessage, ResponseItem,
    ResponseMessage, ResponsePayload, ResultStatus, SetEndpointRoleRequest,
};
use kmip_ttlv::{Secret, Writer};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// How often it is looked whether something waits and whether the client is still served, although there was no news.
const TICK: Duration = Duration::from_secs(30);

/// The server's side of one such connection.
pub(super) struct Reversal<'a> {
    server: &'a Server,
    facts: &'a ConnectionFacts,
    roles: &'a Roles,
    asked: Asked,
    stage: Stage,
    /// Whether the client may be given its role back.
    knows_roles: bool,
    /// Endpoints for which something was written since it was last looked.
    news: broadcast::Receiver<EndpointId>,
    /// How often in a row a message was not delivered.
    failures: u32,
    /// Until when none is sent therefore, in milliseconds since 1970.
    rests_until_ms: i64,
}

/// What is asked next, or was asked last.
enum Stage {
    Versions,
    Operations,
    /// What waits; with a message that is on its way, and that nothing else is meanwhile.
    Messages(Option<Box<(Outgoing, Carrier)>>),
    /// The client is to ask again.
    Back,
    /// It does.
    Done,
}

impl<'a> Reversal<'a> {
    pub(super) fn new(server: &'a Server, facts: &'a ConnectionFacts, roles: &'a Roles, asked: Asked) -> Self {
        Self {
            server,
            facts,
            roles,
            asked,
            stage: Stage::Versions,
            knows_roles: false,
            news: server.outbox().listen(),
            failures: 0,
            rests_until_ms: 0,
        }
    }

    /// Whether whoever wanted to be asked is still served over this connection, and is what it was then: asked before each request, as each
    /// request of its own would be. Of whoever was changed since, the password for one, it is not known any more that it is there.
    async fn is_served(&self) -> bool {
        let identity = self.server.identity();
        let now = self.server.now().seconds();
        let Ok(Principal::Client(client)) = identity.resolve(&self.facts.certificate, now).await else {
            return false;
        };
        if (client.id(), client.seen) != self.asked.connection() || !client.limits.admits(self.facts.peer.ip()) {
            return false;
        }
        if self.asked.over.is_none() {
            return true;
        }
        // A user came by the password that it showed then.
        let user = identity.directory().client(self.asked.client).await;
        user.is_ok_and(|user| {
            user.is_some_and(|user| user.seen == self.asked.seen && user.record.is_admitted_over(client.client, now))
        })
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
            Stage::Messages(on_its_way) => {
                let rests = self.rests_until_ms.saturating_sub(self.server.clock_ms());
                if let Ok(rests @ 1..) = u64::try_from(rests) {
                    return Turn::Wait(Duration::from_millis(rests).min(TICK));
                }
                // What is told from here on comes after this look.
                self.news = self.news.resubscribe();
                match self.server.next_for_client(self.asked.client, version).await {
                    Ok(Some(next)) => {
                        let turn = ask(&next.0.request);
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
                    Ok(None) => Turn::Wait(TICK),
                    Err(failure) => {
                        log(&failure, None);
                        Turn::Wait(self.rest())
                    }
                }
            }
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
                // Until this is over nothing goes to the endpoint over another connection.
                let (sent, _carrier) = *on_its_way.take()?;
                let is_answer = is_of(sent.operation);
                let why = (!is_answer).then_some("another operation was answered");
                match why.or((!done).then_some("it was refused")) {
                    None => self.accepted(&sent).await,
                    Some(why) => self.not_accepted(&sent, why).await,
                }
                is_answer.then_some(())?;
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

    async fn accepted(&mut self, sent: &Outgoing) {
        match self.server.delivered(sent).await {
            Ok(()) => {
                self.failures = 0;
                let now = self.server.clock_ms();
                self.server.outbox().reports.answered(sent.endpoint(), now);
            }
            // It is sent again: at least once, never lost.
            Err(failure) => {
                log(&failure, Some(sent.operation));
                self.rest();
            }
        }
    }

    async fn not_accepted(&mut self, sent: &Outgoing, why: &str) {
        self.server.outbox().reports.trouble(sent.endpoint(), why);
        match self.server.refused(sent, why).await {
            // The next one may be accepted.
            Ok(Verdict::GivenUp) => {}
            Ok(Verdict::Again) => {
                self.rest();
            }
            Err(failure) => {
                log(&failure, Some(sent.operation));
                self.rest();
            }
        }
    }

    /// Sends no message for a while: longer each time.
    fn rest(&mut self) -> Duration {
        let rest = patience::wait(self.failures);
        self.failures = self.failures.saturating_add(1);
        let rest_ms = i64::try_from(rest.as_millis()).unwrap_or(i64::MAX);
        self.rests_until_ms = self.server.clock_ms().saturating_add(rest_ms);
        rest.min(TICK)
    }

    /// Waits until something is told that may be this client's.
    async fn hear(&mut self) {
        loop {
            match self.news.recv().await {
                Ok(endpoint) if self.concerns(endpoint).await => return,
                Ok(_) => {}
                // Some was missed: it is looked.
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }

    /// Whether an endpoint is one of those that are served over this client's own connections; also where that is not known.
    async fn concerns(&self, endpoint: EndpointId) -> bool {
        let client = self.asked.client;
        if endpoint.domain != client.tenant {
            return false;
        }
        match self.server.endpoint(endpoint).await {
            Ok(found) => found.is_some_and(|found| found.is_on_connection_of(client.client)),
            Err(_) => true,
        }
    }
}

impl Conversation for Reversal<'_> {
    fn turn(&mut self) -> Wait<'_, Turn> {
        Box::pin(self.next())
    }

    fn news(&mut self) -> Wait<'_, ()> {
        Box::pin(self.hear())
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
