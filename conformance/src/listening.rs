//! A client that listens while cases are played: what a server sends is kept until a case expects it, and answered as that case says.

use kmip_client::{Endpoint, Error, Identity, Incoming};
use kmip_protocol::{
    DateTime, RequestMessage, RequestPayload, ResponseHeader, ResponseItem, ResponseMessage, ResultStatus,
    UniqueIdentifier,
};
use kmip_ttlv::Writer;
use kmip_ttlv::limits::DEFAULT_MESSAGE_LENGTH;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server is waited for in the middle of a message.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a message that a case expects is waited for: a server that was refused once comes back after seconds.
const EXPECTED: Duration = Duration::from_secs(30);

/// Something that a server has sent.
pub struct Sent {
    /// The whole message.
    pub bytes: Vec<u8>,
    answer: Sender<Vec<u8>>,
}

/// What was sent and not yet looked at.
pub struct Listening {
    sent: Receiver<Sent>,
    address: SocketAddr,
}

impl Listening {
    /// Listens as this identity.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn at(address: &str, identity: &Identity) -> Result<Self, Error> {
        let endpoint = Endpoint::bind(address, identity, DEFAULT_MESSAGE_LENGTH)?;
        let address = endpoint.address()?;
        let (sender, sent) = channel();
        // It ends with the process: whoever plays cases plays them to the end.
        thread::spawn(move || {
            loop {
                if let Ok(incoming) = endpoint.accept(PATIENCE) {
                    let sender = sender.clone();
                    thread::spawn(move || serve(incoming, &sender));
                }
            }
        });
        Ok(Self { sent, address })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next message of all, for as long as it takes.
    #[must_use]
    pub fn next(&self) -> Option<Sent> {
        self.sent.recv().ok()
    }

    /// The next message about an object. What is sent about others meanwhile, as is what earlier cases have left behind, is accepted.
    ///
    /// # Errors
    /// None came in time.
    pub fn about(&self, object: &str) -> Result<Sent, String> {
        let end = Instant::now() + EXPECTED;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let sent = self.sent.recv_timeout(left).map_err(|why| match why {
                RecvTimeoutError::Timeout => format!("the server has sent nothing about {object}"),
                RecvTimeoutError::Disconnected => "nobody listens any more".to_owned(),
            })?;
            if object_of(&sent.bytes).as_deref() == Some(object) {
                return Ok(sent);
            }
            sent.accept();
        }
    }
}

impl Sent {
    /// Answers it.
    pub fn answer(self, response: Vec<u8>) {
        // A server that has gone away asks again.
        let _ = self.answer.send(response);
    }

    /// Answers that it is accepted.
    pub fn accept(self) {
        if let Some(response) = accepted(&self.bytes) {
            self.answer(response);
        }
    }
}

/// What answers each message of a server, until it closes.
fn serve(mut incoming: Incoming, sender: &Sender<Sent>) {
    while let Ok(bytes) = incoming.receive() {
        let (answer, answered) = channel();
        if sender.send(Sent { bytes, answer }).is_err() {
            return;
        }
        // Whoever was asked and says nothing has the connection closed.
        let Ok(response) = answered.recv() else { return };
        if incoming.answer(&response).is_err() {
            return;
        }
    }
}

fn read(bytes: &[u8]) -> Option<RequestMessage> {
    RequestMessage::read(bytes).ok()
}

/// Which object a message of a server is about.
#[must_use]
pub fn object_of(bytes: &[u8]) -> Option<String> {
    let message = read(bytes)?;
    let payload = message.items.first()?.payload.as_ref().ok()?;
    let identifier = match payload {
        RequestPayload::Notify(notify) => &notify.unique_identifier,
        RequestPayload::Put(put) => &put.unique_identifier,
        _ => return None,
    };
    match identifier {
        UniqueIdentifier::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// In a line, what a message of a server is: nothing of what it carries.
#[must_use]
pub fn told(bytes: &[u8]) -> String {
    let Some(message) = read(bytes) else {
        return "what is no request".to_owned();
    };
    let operation = message.items.first().and_then(|item| item.operation);
    let operation = operation.map(|operation| operation.to_string()).unwrap_or_default();
    let object = object_of(bytes).unwrap_or_default();
    format!("{operation} {object} in {}", message.version())
}

/// A Response without payload for each item (KMIP 2.1 §6.2.2, §6.2.3).
fn accepted(bytes: &[u8]) -> Option<Vec<u8>> {
    let request = read(bytes)?;
    let items: Vec<ResponseItem> = request
        .items
        .iter()
        .map(|item| ResponseItem::bare(item.operation, ResultStatus::Success))
        .collect();
    let count = i32::try_from(items.len()).ok()?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = since.ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    let response = ResponseMessage {
        header: ResponseHeader::new(request.version(), DateTime(now?), count),
        items,
    };
    let mut writer = Writer::new();
    response.write(&mut writer);
    Some(writer.into_bytes())
}
