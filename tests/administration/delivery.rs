//! Messages for an endpoint of a client's, across kills of the server: what was acknowledged is told of, in order, and nothing twice but what
//! was on its way at a kill.

use super::client::Application;
use super::office::{Office, value, words};
use kmip_client::{Endpoint, Error, Identity, Incoming};
use kmip_protocol::{
    Attribute, DateTime, RequestMessage, RequestPayload, ResponseHeader, ResponseItem, ResponseMessage, ResultStatus,
    State, UniqueIdentifier,
};
use kmip_ttlv::Writer;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// What the server tells: of which object, and its state where that has changed.
#[derive(PartialEq, Debug)]
struct Told {
    object: UniqueIdentifier,
    state: Option<State>,
}

fn told(payload: RequestPayload) -> Told {
    match payload {
        RequestPayload::Put(put) => Told {
            object: put.unique_identifier,
            state: None,
        },
        RequestPayload::Notify(notify) => Told {
            object: notify.unique_identifier,
            state: notify.attributes.unwrap().0.iter().find_map(|one| match one.attribute {
                Attribute::State(state) => Some(state),
                _ => None,
            }),
        },
        _ => panic!("neither Put nor Notify"),
    }
}

/// Accepts what comes over a connection, and passes it on, until the server goes away.
fn accept_all(incoming: &mut Incoming, pass: impl Fn(Told)) -> Result<(), Error> {
    loop {
        let request = RequestMessage::read(&incoming.receive()?).ok().unwrap();
        let version = request.version();
        let item = request.items.into_iter().next().unwrap();
        pass(told(item.payload.ok().unwrap()));
        let answer = ResponseMessage {
            header: ResponseHeader::new(version, DateTime(1), 1),
            items: vec![ResponseItem::bare(item.operation, ResultStatus::Success)],
        };
        let mut writer = Writer::new();
        answer.write(&mut writer);
        incoming.answer(writer.as_bytes())?;
    }
}

/// Listens from now on: what it is told, as it comes.
fn hear(endpoint: Endpoint) -> Receiver<Told> {
    let (tell, heard) = channel();
    std::thread::spawn(move || {
        loop {
            let Ok(mut incoming) = endpoint.accept(Duration::from_secs(60)) else {
                continue;
            };
            // Whoever listens may have heard enough.
            let _ = accept_all(&mut incoming, |told| drop(tell.send(told)));
        }
    });
    heard
}

#[track_caller]
fn next(heard: &Receiver<Told>) -> Told {
    heard.recv_timeout(Duration::from_secs(60)).expect("nothing is told")
}

/// The next object that is sent.
#[track_caller]
fn next_key(heard: &Receiver<Told>) -> String {
    let Told {
        object: UniqueIdentifier::Text(key),
        state: None,
    } = next(heard)
    else {
        panic!("no object is sent")
    };
    key
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

    let coming = hear(listen(&office, &address));
    let mut heard: Vec<String> = (0..KEYS).map(|_| next_key(&coming)).collect();
    // Killed while they are being delivered.
    office.restart();
    while heard.last() != made.last() {
        heard.push(next_key(&coming));
    }
    let repeated = heard.len() - made.len();
    heard.dedup();
    assert_eq!(heard, made);
    assert!(repeated <= 1, "{repeated} came twice");
    // And no more comes.
    let mut web = Application::connect(&office, "web.pem", "web-key.pem");
    let last = web.create().unwrap();
    let mut came = next_key(&coming);
    if repeated == 0 && made.last() == Some(&came) {
        // The one that was on its way.
        came = next_key(&coming);
    }
    assert_eq!(came, last);
    let emptied = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        waiting(&office) == "0"
    });
    assert!(emptied);
    assert!(coming.try_recv().is_err());
}

#[test]
fn a_state_that_a_date_changes_is_told_when_it_comes_though_the_server_was_killed() {
    let (mut office, address) = office();
    let coming = hear(listen(&office, &address));
    let mut web = Application::connect(&office, "web.pem", "web-key.pem");
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let soon = i64::try_from(since.as_secs()).unwrap() + 4;
    let key = web.create_for(DateTime(soon)).unwrap();
    assert_eq!(next_key(&coming), key);
    office.restart();
    let told = Told {
        object: UniqueIdentifier::Text(key),
        state: Some(State::Active),
    };
    // Nobody asks for the key meanwhile.
    while next(&coming) != told {}
}
