//! Plays a case: substitutes, sends, compares, and cleans up.

use crate::binding::Bindings;
use crate::case::{Case, Exchange};
use crate::compare;
use crate::element::Element;
use crate::freedom;
use crate::listening::Listening;
use crate::pattern::{Pattern, encode};
use crate::people::People;
use crate::told;
use crate::tree::{Content, Node};
use kmip_protocol::{Operation, ResultStatus, RevocationReasonCode, State, Version, tag};
use kmip_ttlv::Writer;
use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A server, as a case sees it: TTLV in, TTLV out.
pub trait Peer {
    /// Sends one message and returns the answer.
    ///
    /// # Errors
    /// Why there is none.
    fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>, String>;
}

impl Peer for kmip_client::Connection {
    fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        self.send(request).map_err(|e| e.to_string())
    }
}

/// How a case ended.
pub enum Outcome {
    /// Every response was as expected.
    Passed,
    /// The first response that was not: its number (from 0) and what differed.
    Failed(usize, String),
    /// Not played, and why.
    Skipped(String),
}

/// Makes connections: with the first client's certificate, or with the second's (`true`).
pub type Connect<'c> = dyn FnMut(bool) -> Result<Box<dyn Peer>, String> + 'c;

/// Looks at each message on its way: `true` for requests.
pub type Trace<'t> = dyn FnMut(bool, &[u8]) + 't;

/// How often and how long a Poll is repeated while the server answers that it is still at work.
const POLLS: u32 = 100;
const POLL_PAUSE: Duration = Duration::from_millis(100);

/// How often and how long is waited for a date that a case has set two minutes ahead.
const STATES: u32 = 150;
const STATE_PAUSE: Duration = Duration::from_secs(1);

/// What one case has to know of those before it: the objects that the server made itself.
#[derive(Default)]
pub struct History {
    made: HashSet<String>,
}

/// Plays one case that names nobody on connections of its own.
pub fn play(case: &Case, history: &mut History, connect: &mut Connect<'_>, trace: &mut Trace<'_>) -> Outcome {
    play_among(case, history, &mut People::default(), connect, None, trace)
}

/// Plays one case. Requests that say whose they are go through the connection of that identity, all others through connections of the
/// case's own.
pub fn play_among(
    case: &Case,
    history: &mut History,
    people: &mut People,
    connect: &mut Connect<'_>,
    listening: Option<&Listening>,
    trace: &mut Trace<'_>,
) -> Outcome {
    if case.is_sent_by_server() && listening.is_none() {
        return Outcome::Skipped("the server is the sender (Notify, Put): needs a client that listens".to_owned());
    }
    if let Some(version) = unspoken_version(case) {
        return Outcome::Skipped(format!("protocol version {version} is not spoken here"));
    }
    if people.is_empty() && case.names_people() {
        return Outcome::Skipped("it names people, and there are none".to_owned());
    }
    let mut session = match Session::begin(case, history, people, connect, trace) {
        Ok(session) => Session { listening, ..session },
        Err(why) => return Outcome::Failed(0, why),
    };
    let mut outcome = Outcome::Passed;
    for (index, exchange) in case.exchanges.iter().enumerate() {
        if let Err(why) = session.exchange(exchange) {
            outcome = Outcome::Failed(index, why);
            break;
        }
    }
    if matches!(outcome, Outcome::Failed(..)) || !case.is_for_a_later_case() {
        session.clean_up();
    }
    history.made = session.bindings.into_made();
    outcome
}

/// The version of a case that is none of ours.
fn unspoken_version(case: &Case) -> Option<String> {
    let (major, minor) = case.version.split_once('.')?;
    let known = Version::from_numbers(major.parse().ok()?, minor.parse().ok()?);
    known.is_none().then(|| case.version.clone())
}

struct Session<'s> {
    case: &'s Case,
    people: &'s mut People,
    peers: Vec<Box<dyn Peer>>,
    bindings: Bindings,
    trace: &'s mut Trace<'s>,
    /// The responses of the case so far.
    told: Vec<Vec<u8>>,
    /// Where the server sends its own requests.
    listening: Option<&'s Listening>,
    /// Objects that the case left on the server so far.
    objects: BTreeSet<String>,
}

impl<'s> Session<'s> {
    fn begin(
        case: &'s Case,
        history: &mut History,
        people: &'s mut People,
        connect: &mut Connect<'_>,
        trace: &'s mut Trace<'_>,
    ) -> Result<Self, String> {
        let mut peers = Vec::new();
        if case.exchanges.iter().any(|e| e.request.attribute("identity").is_none()) {
            peers.push(connect(false)?);
        }
        if case.is_for_two_clients() {
            peers.push(connect(true)?);
        }
        Ok(Self {
            case,
            people,
            peers,
            bindings: Bindings::after(seconds_since_1970(), std::mem::take(&mut history.made)),
            trace,
            told: Vec::new(),
            listening: None,
            objects: BTreeSet::new(),
        })
    }

    fn exchange(&mut self, exchange: &Exchange) -> Result<(), String> {
        match self.listening {
            Some(listening) if exchange.is_sent_by_server() => self.hear(listening, exchange),
            _ => self.ask(exchange),
        }
    }

    /// The server's own request: compared as its answers are, and answered as the case has it.
    fn hear(&mut self, listening: &Listening, exchange: &Exchange) -> Result<(), String> {
        let expected = Pattern::of(&exchange.request).map_err(|e| format!("the case's request: {e}"))?;
        let answer = self.bindings.substitute(&exchange.response)?;
        let answer = encode(&answer).map_err(|e| format!("the case's response: {e}"))?;
        let path = ["BatchItem", "RequestPayload", "UniqueIdentifier"];
        let named = path
            .into_iter()
            .try_fold(&exchange.request, |item, name| item.child(name));
        let named = self
            .bindings
            .substitute(named.ok_or("the case's request names no object")?)?;
        let sent = listening.about(named.value().unwrap_or_default())?;
        (self.trace)(false, &sent.bytes);
        (self.trace)(true, &answer);
        let node = Node::read(&sent.bytes).map_err(|e| format!("the server's request is not TTLV: {e}"))?;
        sent.answer(answer);
        let outcome = compare::message(&self.case.name, &expected, &node, &node, &mut self.bindings);
        outcome.map_err(|difference| difference.to_string())
    }

    fn ask(&mut self, exchange: &Exchange) -> Result<(), String> {
        let expected = Pattern::of(&exchange.response).map_err(|e| format!("the case's response: {e}"))?;
        self.people.prepare(&exchange.request, &mut self.bindings)?;
        let request = told::completed(&exchange.request, &self.told)?;
        let mut request = self.bindings.substitute(&request)?;
        let identity = exchange.request.attribute("identity");
        if let Some(name) = identity {
            request = self.people.with_session(name, &request)?;
        }
        let bytes = encode(&request).map_err(|e| format!("the case's request: {e}"))?;
        let sent = Node::read(&bytes).map_err(|e| format!("the case's request: {e}"))?;
        self.bindings.note_request(&sent);
        let mut response = self.send(identity, &request, &bytes)?;
        for _ in 0..STATES {
            if !self.case.waits_for_a_state() || !is_in_a_former_state(&expected, &response) {
                break;
            }
            std::thread::sleep(STATE_PAUSE);
            response = self.send(identity, &request, &bytes)?;
        }
        for _ in 0..POLLS {
            if !is_unfinished_poll(&sent, &expected, &response) {
                break;
            }
            std::thread::sleep(POLL_PAUSE);
            response = self.send(identity, &request, &bytes)?;
        }
        self.note_objects(&response);
        self.bindings.note_answer(seconds_since_1970());
        let outcome = compare::message(&self.case.name, &expected, &sent, &response, &mut self.bindings);
        self.bindings.note_response(&response);
        self.people.take_issued(&self.bindings)?;
        outcome.map_err(|difference| difference.to_string())
    }

    fn send(&mut self, identity: Option<&str>, request: &Element, bytes: &[u8]) -> Result<Node, String> {
        (self.trace)(true, bytes);
        let answer = match identity {
            Some(name) => self.people.send(name, bytes)?,
            None => {
                let index = usize::from(self.peers.len() > 1 && is_for_the_second(request));
                let peer = self.peers.get_mut(index).ok_or("no connection")?;
                peer.exchange(bytes)?
            }
        };
        (self.trace)(false, &answer);
        let response = Node::read(&answer).map_err(|e| format!("the response is not TTLV: {e}"))?;
        self.told.push(answer);
        Ok(response)
    }

    fn note_objects(&mut self, response: &Node) {
        for item in response.children().iter().filter(|c| c.tag == tag::BATCH_ITEM) {
            if !item.enumeration(tag::OPERATION).is_some_and(freedom::leaves_an_object) {
                continue;
            }
            let objects = &mut self.objects;
            item.walk(None, &mut |node, _| {
                if let (true, Content::Text(text)) = (freedom::names_an_object(node.tag), &node.content) {
                    objects.insert(text.clone());
                }
            });
        }
    }

    /// Revokes and destroys what the case left behind, so that it does not turn up in the Locate of another.
    fn clean_up(&mut self) {
        let Some((major, minor)) = self.case.exchanges.first().and_then(|e| version_numbers(&e.request)) else {
            return;
        };
        let Some(peer) = self.peers.first_mut() else {
            return;
        };
        self.objects.extend(self.bindings.identifiers().map(str::to_owned));
        for object in &self.objects {
            // Most cases clean up after themselves: a Revoke only where there is still something to destroy.
            if destroyed(peer.exchange(&removal(Operation::Destroy, object, major, minor))) {
                continue;
            }
            for operation in [Operation::Revoke, Operation::Destroy] {
                // The server's answer does not matter: what can be removed is.
                let _ = peer.exchange(&removal(operation, object, major, minor));
            }
        }
    }
}

fn seconds_since_1970() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

/// Whether an answer to Destroy says that the object is gone.
fn destroyed(answer: Result<Vec<u8>, String>) -> bool {
    let response = answer.ok().and_then(|bytes| Node::read(&bytes).ok());
    let status = response.and_then(|r| r.child(tag::BATCH_ITEM)?.enumeration(tag::RESULT_STATUS));
    status == Some(ResultStatus::Success.0)
}

fn version_numbers(request: &Element) -> Option<(i32, i32)> {
    let version = request.child("RequestHeader")?.child("ProtocolVersion")?;
    let number = |name| {
        version
            .child(name)
            .and_then(Element::value)
            .and_then(|v| v.parse().ok())
    };
    Some((number("ProtocolVersionMajor")?, number("ProtocolVersionMinor")?))
}

fn removal(operation: Operation, object: &str, major: i32, minor: i32) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.structure(tag::REQUEST_MESSAGE, |w| {
        w.structure(tag::REQUEST_HEADER, |w| {
            w.structure(tag::PROTOCOL_VERSION, |w| {
                w.integer(tag::PROTOCOL_VERSION_MAJOR, major);
                w.integer(tag::PROTOCOL_VERSION_MINOR, minor);
            });
            w.integer(tag::BATCH_COUNT, 1);
        });
        w.structure(tag::BATCH_ITEM, |w| {
            w.enumeration(tag::OPERATION, operation.0);
            w.structure(tag::REQUEST_PAYLOAD, |w| {
                w.text(tag::UNIQUE_IDENTIFIER, object);
                if operation == Operation::Revoke {
                    w.structure(tag::REVOCATION_REASON, |w| {
                        w.enumeration(
                            tag::REVOCATION_REASON_CODE,
                            RevocationReasonCode::CessationOfOperation.0,
                        );
                    });
                }
            });
        });
    });
    writer.into_bytes()
}

/// In cases for two clients the first makes and removes, the second uses (KMIP Use Cases 1.0 §3.1.4).
fn is_for_the_second(request: &Element) -> bool {
    let operations = ["Create", "CreateKeyPair", "Register", "Revoke", "Destroy"];
    let first = request.child("BatchItem").and_then(|item| item.child("Operation"));
    !first
        .and_then(Element::value)
        .is_some_and(|name| operations.contains(&name))
}

/// Whether an object is still active where the case has it deactivated.
fn is_in_a_former_state(expected: &Pattern, response: &Node) -> bool {
    let path = [tag::BATCH_ITEM, tag::RESPONSE_PAYLOAD, tag::ATTRIBUTE];
    let wanted = path.into_iter().try_fold(expected, |item, tag| item.child(tag));
    let wanted = wanted.and_then(|attribute| attribute.enumeration(tag::ATTRIBUTE_VALUE));
    let got = path.into_iter().try_fold(response, |item, tag| item.child(tag));
    let got = got.and_then(|attribute| attribute.enumeration(tag::ATTRIBUTE_VALUE));
    (got, wanted) == (Some(State::Active.0), Some(State::Deactivated.0))
}

/// Whether the server answers a Poll that it is still at work where the case has it done.
fn is_unfinished_poll(sent: &Node, expected: &Pattern, response: &Node) -> bool {
    let pending = Some(ResultStatus::OperationPending.0);
    let operation = sent.child(tag::BATCH_ITEM).and_then(|i| i.enumeration(tag::OPERATION));
    let wanted = expected
        .child(tag::BATCH_ITEM)
        .and_then(|i| i.enumeration(tag::RESULT_STATUS));
    let got = response
        .child(tag::BATCH_ITEM)
        .and_then(|i| i.enumeration(tag::RESULT_STATUS));
    operation == Some(Operation::Poll.0) && got == pending && wanted != pending
}
