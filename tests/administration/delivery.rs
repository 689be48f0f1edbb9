//! Messages for an endpoint of a client's, across kills of the server: what was acknowledged is told of, in order, and nothing twice but what
//! was on its way at a kill.

use super::client::Application;
use super::office::{Office, value, words};
use kmip_client::{Endpoint, Error, Identity, Incoming};
use kmip_protocol::{
    DateTime, RequestMessage, RequestPayload, ResponseHeader, ResponseItem, ResponseMessage, ResultStatus,
    UniqueIdentifier,
};
use kmip_ttlv::Writer;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How often the server is killed between commits and deliveries.
const ROUNDS: usize = 3;
/// Keys that are made each time.
const KEYS: usize = 5;
/// Bytes of a message.
const LIMIT: usize = 1 << 20;

/// A tenant with the client web and an endpoint for it, where nobody listens yet.
fn office() -> (Office, String) {
    let settings = "\n[outbox]\nallow = [\"127.0.0.0/8:*\"]\n";
    let office = Office::open_with(tempfile::tempdir().unwrap(), &[], settings, Vec::new()).staff();
    office.found("acme", ["olga", "otto"]);
    drop(Application::of(&office, "olga", "house"));
    let address = listen(&office, "127.0.0.1:0").address().unwrap().to_string();
    let create = format!("endpoint create storage --client web --at {address} --certificate web.pem");
    office.agree(["olga", "otto"], &words(&create), &["endpoint", "list"]);
    (office, address)
}

fn listen(office: &Office, address: &str) -> Endpoint {
    let identity = Identity {
        ca: office.at("kms/ca.pem"),
        certificate: Some(office.at("web.pem")),
        key: Some(office.at("web-key.pem")),
    };
    Endpoint::bind(address, &identity, LIMIT).unwrap()
}

/// Accepts what comes over a connection, and says of which objects, until the server goes away.
fn accept_all(incoming: &mut Incoming, mut told: impl FnMut(String)) -> Result<(), Error> {
    loop {
        let request = RequestMessage::read(&incoming.receive()?).ok().unwrap();
        let version = request.version();
        let item = request.items.into_iter().next().unwrap();
        let Ok(RequestPayload::Put(put)) = item.payload else {
            panic!("no Put")
        };
        let UniqueIdentifier::Text(object) = put.unique_identifier else {
            panic!("no identifier")
        };
        told(object);
        let answer = ResponseMessage {
            header: ResponseHeader::new(version, DateTime(1), 1),
            items: vec![ResponseItem::bare(item.operation, ResultStatus::Success)],
        };
        let mut writer = Writer::new();
        answer.write(&mut writer);
        incoming.answer(writer.as_bytes())?;
    }
}

/// Listens from now on: of which objects it is told, as they come.
fn hear(endpoint: Endpoint) -> Receiver<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        loop {
            let Ok(mut incoming) = endpoint.accept(Duration::from_secs(60)) else {
                continue;
            };
            // Whoever listens may have heard enough.
            let _ = accept_all(&mut incoming, |object| drop(tell.send(object)));
        }
    });
    told
}

/// The next object that is told of.
#[track_caller]
fn next(told: &Receiver<String>) -> String {
    told.recv_timeout(Duration::from_secs(60)).expect("nothing is told")
}

#[test]
fn what_was_acknowledged_is_told_of_in_order_across_kills() {
    let (mut office, address) = office();
    let mut made = Vec::new();
    for _ in 0..ROUNDS {
        let mut web = Application::connect(&office, "web.pem", "web-key.pem");
        made.extend((0..KEYS).map(|_| web.create().unwrap()));
        // Killed right after the last one was acknowledged, with nobody to tell of any.
        office.restart();
    }
    let show = words("endpoint show storage");
    let waiting = |office: &Office| value(&office.by("olga", &show).done(), "MessagesWaiting");
    assert_eq!(waiting(&office), made.len().to_string());

    let told = hear(listen(&office, &address));
    let mut heard: Vec<String> = (0..KEYS).map(|_| next(&told)).collect();
    // Killed while they are being delivered.
    office.restart();
    while heard.last() != made.last() {
        heard.push(next(&told));
    }
    let repeated = heard.len() - made.len();
    heard.dedup();
    assert_eq!(heard, made);
    assert!(repeated <= 1, "{repeated} came twice");
    // And no more comes.
    let mut web = Application::connect(&office, "web.pem", "web-key.pem");
    let last = web.create().unwrap();
    assert_eq!(next(&told), last);
    let emptied = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        waiting(&office) == "0"
    });
    assert!(emptied);
    assert!(told.try_recv().is_err());
}
