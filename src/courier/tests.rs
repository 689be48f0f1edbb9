//! Endpoints of all sorts, and what they are sent.

use super::*;
use crate::exchange::outgoings::{serving, subscribe_at};
use crate::exchange::testing::{TestHouse, leaf};
use crate::listener::{DialLimits, Presented, ServerIdentity, TlsProfile};
use crate::outbox::Report;
use crate::store::{Record, Revision};
use certs::{CertificateAuthority, KeyKind, Leaf, Subject, Usage, Validity, pem};
use kmip_protocol::{DateTime, Operation, RequestMessage, ResponseHeader, ResponseItem, ResultReason};
use kmip_ttlv::Writer;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a peer does with a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Accepts,
    Refuses,
    Babbles,
    Floods,
    Hangs,
}

/// An endpoint of a client.
struct Peer {
    address: SocketAddr,
    certificate: Vec<u8>,
    heard: Arc<Mutex<Vec<RequestMessage>>>,
}

/// Who vouches for both sides.
struct Authority(CertificateAuthority);

/// Peers go by the clock of this machine.
fn validity() -> Validity {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Validity::days(i64::try_from(since.as_secs()).unwrap(), 1)
}

impl Authority {
    fn new() -> Self {
        let subject = Subject::named("endpoints");
        Self(CertificateAuthority::create(&subject, validity(), KeyKind::P256).unwrap())
    }

    fn pair(&self, name: &str) -> (Vec<u8>, certs::PrivateKey) {
        let both = Leaf {
            usage: Usage::Both,
            validity: validity(),
            ..leaf(name)
        };
        self.0.issue(&both, KeyKind::P256).unwrap()
    }

    /// What carries messages, with a certificate of this authority and little patience.
    fn dialer(&self) -> Arc<Dialer> {
        self.waiting_for(Duration::from_secs(5))
    }

    /// The same, which waits so long for a connection.
    fn waiting_for(&self, connect: Duration) -> Arc<Dialer> {
        let (certificate, key) = self.pair("server");
        let identity = ServerIdentity::from_pem(&pem::write_certificate(&certificate), &key.to_pem()).unwrap();
        let limits = DialLimits {
            connect,
            refusal: Duration::from_millis(500),
            answer: Duration::from_millis(300),
            answer_length: 4096,
        };
        Arc::new(Dialer::new(TlsProfile::Bsi, Presented::new(identity), limits))
    }

    /// A peer that lets in nobody without a certificate of this authority.
    async fn peer(&self, manner: Manner) -> Peer {
        let (certificate, key) = self.pair("peer");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.0.certificate().to_vec())).unwrap();
        let provider = Arc::new(default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let der = pem::private_key(&key.to_pem()).unwrap();
        let der = PrivateKeyDer::try_from(der.as_slice()).unwrap().clone_key();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![CertificateDer::from(certificate.clone())], der)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<RequestMessage>>> = Arc::default();
        let (acceptor, heard_by) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(acceptor.clone(), stream, manner, Arc::clone(&heard_by)));
            }
        });
        Peer {
            address,
            certificate,
            heard,
        }
    }
}

async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    manner: Manner,
    heard: Arc<Mutex<Vec<RequestMessage>>>,
) -> Option<()> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    loop {
        let mut message = vec![0; 8];
        stream.read_exact(&mut message).await.ok()?;
        let length = u32::from_be_bytes(message[4..8].try_into().unwrap());
        message.resize(8 + usize::try_from(length).unwrap(), 0);
        stream.read_exact(&mut message[8..]).await.ok()?;
        let request = RequestMessage::read(&message).ok().unwrap();
        let operation = request.items[0].operation;
        let version = request.version();
        heard.lock().unwrap().push(request);
        let item = match manner {
            Manner::Accepts => ResponseItem::bare(operation, kmip_protocol::ResultStatus::Success),
            Manner::Refuses => {
                ResponseItem::failure(operation, ResultReason::PermissionDenied, "no".to_owned(), version)
            }
            Manner::Babbles => {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok()?;
                continue;
            }
            Manner::Floods => {
                let header = [0x42, 0x00, 0x7B, 0x01, 0x7F, 0xFF, 0xFF, 0xF8];
                stream.write_all(&header).await.ok()?;
                continue;
            }
            Manner::Hangs => std::future::pending().await,
        };
        let mut writer = Writer::new();
        let answer = ResponseMessage {
            header: ResponseHeader::new(version, DateTime(1), 1),
            items: vec![item],
        };
        answer.write(&mut writer);
        stream.write_all(writer.as_bytes()).await.ok()?;
    }
}

impl Peer {
    fn pin(&self) -> [u8; 32] {
        certs::CertificateFacts::read(&self.certificate).unwrap().fingerprint
    }

    fn heard(&self) -> Vec<Operation> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .map(|request| request.items[0].operation.unwrap())
            .collect()
    }
}

/// A house with a key that waits for a peer; what it is told so far.
async fn waiting(peer: &Peer, allow: &[&str]) -> (TestHouse, Arc<Server>, EndpointId) {
    let house = TestHouse::new().await;
    let address = peer.address.to_string();
    let endpoint = subscribe_at(&house, &house.alice, &address, peer.pin()).await;
    house.create("", Vec::new()).await;
    let server = serving(&house, allow).await;
    (house, server, endpoint)
}

const HERE: &[&str] = &["127.0.0.1:*"];

async fn has_waiting(server: &Server, endpoint: EndpointId) -> bool {
    server.has_waiting(endpoint).await.unwrap()
}

/// Waits until nothing waits for an endpoint.
async fn emptied(server: &Server, endpoint: EndpointId) {
    let over = async {
        while has_waiting(server, endpoint).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let patience = Duration::from_secs(60);
    let over = tokio::time::timeout(patience, over).await;
    assert!(over.is_ok(), "{}", trouble_of(server, endpoint));
}

fn trouble_of(server: &Server, endpoint: EndpointId) -> String {
    server.outbox().reports.of(endpoint).trouble.unwrap_or_default()
}

#[tokio::test]
async fn what_waits_is_carried_in_order_and_what_comes_later_as_well() {
    let authority = Authority::new();
    let peer = authority.peer(Manner::Accepts).await;
    let (house, server, endpoint) = waiting(&peer, HERE).await;
    house.create("", Vec::new()).await;
    let (shutdown, down) = watch::channel(false);
    let running = tokio::spawn(run(Arc::clone(&server), authority.dialer(), down));
    emptied(&server, endpoint).await;
    assert_eq!(peer.heard(), [Operation::Put, Operation::Put]);
    house.create("", Vec::new()).await;
    // The house's own server took that request; this one is told by its own commits.
    server.outbox().stir(endpoint);
    emptied(&server, endpoint).await;
    assert_eq!(peer.heard().len(), 3);
    assert!(server.outbox().reports.of(endpoint).answered_ms.is_some());
    shutdown.send_replace(true);
    running.await.unwrap();
}

#[tokio::test]
async fn nothing_goes_to_a_peer_with_another_certificate() {
    let authority = Authority::new();
    let peer = authority.peer(Manner::Accepts).await;
    let other = authority.peer(Manner::Accepts).await;
    let posing = Peer {
        certificate: other.certificate.clone(),
        ..peer
    };
    let (_house, server, endpoint) = waiting(&posing, HERE).await;
    visit(&server, &authority.dialer(), endpoint).await;
    assert!(trouble_of(&server, endpoint).contains("another certificate"));
    assert!(posing.heard().is_empty() && has_waiting(&server, endpoint).await);
}

#[tokio::test]
async fn nothing_goes_where_the_settings_do_not_let_it() {
    let authority = Authority::new();
    let peer = authority.peer(Manner::Accepts).await;
    for allow in [&[][..], &["10.0.0.0/8:*"], &["0.0.0.0/0:*"], &["127.0.0.1:1"]] {
        let (_house, server, endpoint) = waiting(&peer, allow).await;
        visit(&server, &authority.dialer(), endpoint).await;
        assert!(trouble_of(&server, endpoint).contains("outbox.allow"), "{allow:?}");
        assert!(peer.heard().is_empty() && has_waiting(&server, endpoint).await);
    }
}

#[tokio::test]
async fn a_peer_that_hangs_babbles_floods_or_refuses_is_left_and_the_message_waits() {
    let authority = Authority::new();
    for (manner, says) in [
        (Manner::Hangs, "in time"),
        (Manner::Babbles, "no answer"),
        (Manner::Floods, "too long"),
        (Manner::Refuses, "PermissionDenied"),
    ] {
        let peer = authority.peer(manner).await;
        let (_house, server, endpoint) = waiting(&peer, HERE).await;
        visit(&server, &authority.dialer(), endpoint).await;
        let trouble = trouble_of(&server, endpoint);
        assert!(trouble.contains(says), "{trouble}");
        assert!(has_waiting(&server, endpoint).await);
        assert_eq!(peer.heard(), [Operation::Put]);
        // In the end it is given up, and holds up nothing that comes after it.
        for _ in 1..crate::exchange::outgoing::MOST_TRIES {
            visit(&server, &authority.dialer(), endpoint).await;
        }
        assert!(!has_waiting(&server, endpoint).await);
    }
}

#[tokio::test]
async fn a_test_sends_nothing_and_is_no_answer() {
    let authority = Authority::new();
    let peer = authority.peer(Manner::Accepts).await;
    let (_house, server, endpoint) = waiting(&peer, HERE).await;
    server.outbox().reports.trouble(endpoint, "was away");
    assert_eq!(try_out(&server, &authority.dialer(), endpoint).await, Ok(()));
    assert_eq!(server.outbox().reports.of(endpoint), Report::default());
    assert!(peer.heard().is_empty() && has_waiting(&server, endpoint).await);
    let unknown = EndpointId {
        id: [9; 16],
        ..endpoint
    };
    assert!(try_out(&server, &authority.dialer(), unknown).await.is_err());
}

/// TLS 1.3 lets a client go on before its certificate is judged.
#[tokio::test]
async fn a_peer_that_refuses_our_certificate_after_the_handshake_does_not_pass_a_test() {
    let authority = Authority::new();
    let peer = authority.peer(Manner::Accepts).await;
    let (_house, server, endpoint) = waiting(&peer, HERE).await;
    let tried = try_out(&server, &Authority::new().dialer(), endpoint).await;
    assert!(tried.is_err());
    assert_eq!(trouble_of(&server, endpoint), tried.unwrap_err());
}

#[tokio::test]
async fn a_peer_that_accepts_connections_and_says_nothing_is_slow() {
    let authority = Authority::new();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Peer {
        address: silent.local_addr().unwrap(),
        ..authority.peer(Manner::Accepts).await
    };
    let (_house, server, endpoint) = waiting(&peer, HERE).await;
    let dialer = authority.waiting_for(Duration::from_millis(200));
    let tried = try_out(&server, &dialer, endpoint).await;
    assert_eq!(tried, Err(DialError::Slow.to_string()));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_waits() {
    let authority = Authority::new();
    let house = TestHouse::new().await;
    let server = serving(&house, HERE).await;
    // A domain whose keys are not there.
    let endpoint = EndpointId {
        domain: Domain([7; 16]),
        id: [8; 16],
    };
    house.plant(Record {
        key: endpoint.key(),
        revision: Revision::FIRST,
        creation: 1,
        body: vec![0; 64].into(),
    });
    let visit = visit(&server, &authority.dialer(), endpoint).await;
    assert!(matches!(visit, Visit::Later { answered: false }));
    assert!(!trouble_of(&server, endpoint).is_empty());
}

/// A round over a house in which nothing waits, and an endpoint that is to be left alone for a while.
async fn round(authority: &Authority) -> (TestHouse, Round, EndpointId, Due) {
    let house = TestHouse::new().await;
    let server = serving(&house, HERE).await;
    let mut round = Round::new(server, authority.dialer());
    let endpoint = EndpointId {
        domain: house.tenant,
        id: [8; 16],
    };
    let due = Due {
        at: Instant::now() + LONGEST_WAIT,
        failures: 1,
    };
    round.due.insert(endpoint, due);
    (house, round, endpoint, due)
}

#[tokio::test]
async fn only_a_test_that_reaches_an_endpoint_ends_its_waiting() {
    let (_house, mut round, endpoint, due) = round(&Authority::new()).await;
    // Nobody has noted any trouble: that says nothing.
    round.take_up();
    round.tried(Ok((endpoint, false)));
    round.server.outbox().stir(endpoint);
    round.take_up();
    assert!(round.due[&endpoint].at == due.at && round.due[&endpoint].failures == 1);
    round.tried(Ok((endpoint, true)));
    assert_eq!(round.due[&endpoint].failures, 0);
    round.take_up();
    assert!(round.due.is_empty() && round.busy.len() == 1);
}

#[tokio::test]
async fn a_visit_that_panics_ends_its_own_endpoints_and_no_other() {
    let (_house, mut round, endpoint, _) = round(&Authority::new()).await;
    round.due.clear();
    let other = EndpointId {
        id: [9; 16],
        ..endpoint
    };
    let hangs = round.at_work.spawn(std::future::pending());
    round.busy.insert(hangs.id(), other);
    let panics = round.at_work.spawn(async { panic!("a visit that panics") });
    round.busy.insert(panics.id(), endpoint);
    let ended = round.at_work.join_next_with_id().await.unwrap();
    round.ended(ended);
    assert!(round.busy.values().eq([&other]));
    assert!(round.due.keys().eq([&endpoint]));
    // The one that is still served is not served twice.
    round.note(other);
    round.take_up();
    assert_eq!(round.at_work.len(), 1);
}

#[tokio::test]
async fn what_was_not_found_is_sought_again() {
    let authority = Authority::new();
    let peer = authority.peer(Manner::Accepts).await;
    let (_house, server, endpoint) = waiting(&peer, HERE).await;
    let mut round = Round::new(Arc::clone(&server), authority.dialer());
    round.find_unread().await;
    assert!(round.due.contains_key(&endpoint));
    round.due.clear();
    round.read_at = Instant::now();
    round.find_unread().await;
    assert!(round.due.is_empty());
    server.outbox().seek_all();
    round.find_unread().await;
    assert!(round.due.contains_key(&endpoint));
}

#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_gone_is_removed_and_what_is_damaged_is_not() {
    let authority = Authority::new();
    let peer = authority.peer(Manner::Accepts).await;
    let (house, server, endpoint) = waiting(&peer, HERE).await;
    let record = house.row(endpoint.key()).await;
    let mut damaged = record.clone();
    damaged.body = vec![0; 64].into();
    house.plant(damaged);
    let dialer = authority.dialer();
    assert!(matches!(visit(&server, &dialer, endpoint).await, Visit::Done));
    assert!(has_waiting(&server, endpoint).await);
    house.uproot(endpoint.key());
    assert!(matches!(visit(&server, &dialer, endpoint).await, Visit::Done));
    assert!(!has_waiting(&server, endpoint).await && peer.heard().is_empty());
}

#[tokio::test]
async fn a_peer_that_does_not_know_us_gets_nothing() {
    let authority = Authority::new();
    let peer = authority.peer(Manner::Accepts).await;
    let (_house, server, endpoint) = waiting(&peer, HERE).await;
    visit(&server, &Authority::new().dialer(), endpoint).await;
    assert!(peer.heard().is_empty() && has_waiting(&server, endpoint).await);
}
