//! A listener on loopback with a certificate authority of its own, and clients of every kind.

use certs::{AlternativeName, CertificateAuthority, CertificateFacts, KeyKind, Leaf, Subject, Usage, Validity, pem};
use claviger::exchange::{ConnectionFacts, Conversation, Exchange, Refusal, Turn};
use claviger::identity::{
    AuthorityRecord, ClientId, ClientRecord, Credential, Identity, MemoryDirectory, Principal, TenantRecord,
};
use claviger::listener::{
    Carrier, Drained, Limits, Listener, ListenerSettings, Only, ServerIdentity, TlsProfile, TlsServer,
};
use claviger::store::Domain;
use claviger::wait::{Wait, ready};
use kmip_ttlv::{Reader, Tag, Writer};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub const REQUEST: Tag = Tag(0x42_0078);
pub const RESPONSE: Tag = Tag(0x42_007B);
const TEXT: Tag = Tag(0x54_0001);
const SIZE: Tag = Tag(0x54_0002);
const DELAY: Tag = Tag(0x54_0003);
const DONE: Tag = Tag(0x54_0004);

pub const TENANT: Domain = Domain([1; 16]);
pub const CLIENT: ClientId = ClientId {
    tenant: TENANT,
    client: [2; 16],
};

pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Answers with who asks, how big an answer the request wants, after the delay that it wants.
struct Echo {
    identity: Arc<Identity>,
    asked: Arc<AtomicUsize>,
    script: Script,
    news: Arc<Notify>,
}

/// What is asked over connections whose roles are reversed, next first, and whether the server answers again afterwards. `None`: they are not.
pub type Script = Arc<Mutex<Option<(VecDeque<Vec<u8>>, bool)>>>;

/// The server's side of such a connection.
struct Asking(Script, Arc<Notify>);

impl Conversation for Asking {
    fn turn(&mut self) -> Wait<'_, Turn> {
        let mut script = self.0.lock().unwrap();
        let (next, answers_again) = match script.as_mut() {
            Some((requests, answers_again)) => (requests.pop_front(), *answers_again),
            None => (None, true),
        };
        ready(match next {
            Some(request) => Turn::Ask(request),
            None if answers_again => {
                *script = None;
                Turn::Answer
            }
            None => Turn::Wait(Duration::from_secs(3600)),
        })
    }

    fn news(&mut self) -> Wait<'_, ()> {
        Box::pin(self.1.notified())
    }

    fn heard(&mut self, response: Vec<u8>) -> Wait<'_, bool> {
        ready(
            Reader::new(&response)
                .structure(RESPONSE, |r| r.boolean(DONE))
                .unwrap_or(false),
        )
    }
}

impl Exchange for Echo {
    fn converse<'a>(&'a self, _: &'a ConnectionFacts) -> Option<Box<dyn Conversation + 'a>> {
        let reversed = self.script.lock().unwrap().is_some();
        let asking: Box<dyn Conversation> = Box::new(Asking(Arc::clone(&self.script), Arc::clone(&self.news)));
        reversed.then_some(asking)
    }

    fn answer<'a>(&'a self, request: Vec<u8>, facts: &'a ConnectionFacts) -> Wait<'a, Vec<u8>> {
        Box::pin(async move {
            let (size, delay) = Reader::new(&request)
                .structure(REQUEST, |r| Ok((r.integer(SIZE)?, r.integer(DELAY)?)))
                .unwrap();
            self.asked.fetch_add(1, Ordering::SeqCst);
            if delay > 0 {
                tokio::time::sleep(Duration::from_millis(delay.unsigned_abs().into())).await;
            }
            let who = match self.identity.resolve(&facts.certificate, now()).await {
                Ok(Principal::Client(client)) => client.name.clone(),
                Ok(Principal::Unregistered(_)) => "unregistered".to_owned(),
                Ok(_) => "other".to_owned(),
                Err(why) => format!("refused: {why}"),
            };
            response(&who, usize::try_from(size).unwrap())
        })
    }

    fn refuse<'a>(&'a self, beginning: Vec<u8>, refusal: Refusal, _: &'a ConnectionFacts) -> Wait<'a, Option<Vec<u8>>> {
        let beginning = beginning.len();
        ready((refusal == Refusal::TooLong).then(|| response(&format!("too long after {beginning}"), 0)))
    }
}

fn response(text: &str, size: usize) -> Vec<u8> {
    let mut w = Writer::new();
    w.structure(RESPONSE, |w| {
        w.text(TEXT, text);
        if let Some(rest) = size.checked_sub(w.len() + 8) {
            w.bytes(SIZE, &vec![7; rest]);
        }
    });
    w.into_bytes()
}

/// A request for an answer of this size, after this many milliseconds.
/// What a client answers to a request of the server's.
pub fn reply(done: bool) -> Vec<u8> {
    let mut w = Writer::new();
    w.structure(RESPONSE, |w| w.boolean(DONE, done));
    w.into_bytes()
}

pub fn request(size: i32, delay: i32) -> Vec<u8> {
    let mut w = Writer::new();
    w.structure(REQUEST, |w| {
        w.integer(SIZE, size);
        w.integer(DELAY, delay);
    });
    w.into_bytes()
}

pub struct World {
    pub ca: CertificateAuthority,
    pub directory: Arc<MemoryDirectory>,
    pub identity: Arc<Identity>,
    pub address: SocketAddr,
    /// What the server asks its client after the next answer; an end of it has it answer again, or wait.
    pub script: Script,
    /// Has it look again.
    pub news: Arc<Notify>,
    pub tls: TlsServer,
    asked: Arc<AtomicUsize>,
    shutdown: watch::Sender<bool>,
    running: JoinHandle<Drained>,
}

pub struct Certified {
    pub chain: Vec<Vec<u8>>,
    pub key: certs::PrivateKey,
}

pub fn authority(name: &str) -> CertificateAuthority {
    CertificateAuthority::create(&Subject::named(name), Validity::days(now(), 30), KeyKind::P256).unwrap()
}

pub fn leaf(name: &str) -> Leaf {
    Leaf {
        subject: Subject::named(name),
        alternative_names: vec![AlternativeName::host("localhost"), AlternativeName::host("127.0.0.1")],
        usage: Usage::Client,
        validity: Validity::days(now(), 1),
    }
}

pub fn certified(ca: &CertificateAuthority, leaf: &Leaf) -> Certified {
    let (certificate, key) = ca.issue(leaf, KeyKind::P256).unwrap();
    Certified {
        chain: vec![certificate],
        key,
    }
}

pub fn client_record(credential: Credential) -> ClientRecord {
    ClientRecord {
        name: "alice".to_owned(),
        application: [3; 16],
        credentials: vec![credential],
        ..ClientRecord::default()
    }
}

pub fn key_of(certified: &Certified) -> [u8; 32] {
    CertificateFacts::read(&certified.chain[0]).unwrap().key_fingerprint
}

impl World {
    pub async fn new(profile: TlsProfile, limits: Limits) -> Self {
        Self::confined(profile, limits, None).await
    }

    /// A listener that accepts only chains that these authorities accept as well.
    pub async fn confined(profile: TlsProfile, limits: Limits, only: Option<Only>) -> Self {
        Self::carried(profile, limits, only, Carrier::Tls).await
    }

    /// A listener for HTTPS.
    pub async fn https(limits: Limits) -> Self {
        Self::carried(TlsProfile::Bsi, limits, None, Carrier::Https).await
    }

    async fn carried(profile: TlsProfile, limits: Limits, only: Option<Only>, carrier: Carrier) -> Self {
        let ca = authority("clients");
        let directory = Arc::new(MemoryDirectory::default());
        directory.put_tenant(
            TENANT,
            TenantRecord {
                name: "demo".to_owned(),
                ..TenantRecord::default()
            },
        );
        let enrolled = AuthorityRecord {
            certificate: ca.certificate().to_vec(),
            ..AuthorityRecord::default()
        };
        directory.put_authority(TENANT, [9; 16], enrolled);
        let identity = Arc::new(Identity::open(directory.clone()).await.unwrap());
        let tls = TlsServer::new(profile, server_identity(&ca), identity.trust().clone()).unwrap();
        let (shutdown, down) = watch::channel(false);
        let settings = ListenerSettings {
            name: "test".to_owned(),
            address: ([127, 0, 0, 1], 0).into(),
            carrier,
            limits,
        };
        let asked = Arc::new(AtomicUsize::new(0));
        let script = Script::default();
        let news = Arc::new(Notify::new());
        let exchange = Arc::new(Echo {
            identity: identity.clone(),
            asked: asked.clone(),
            script: Arc::clone(&script),
            news: Arc::clone(&news),
        });
        let listener = Listener::bind(settings, tls.clone(), identity.trust().clone(), exchange, down)
            .await
            .unwrap();
        let listener = match only {
            Some(only) => listener.only(only),
            None => listener,
        };
        Self {
            ca,
            directory,
            identity,
            address: listener.address(),
            script,
            news,
            tls,
            asked,
            shutdown,
            running: tokio::spawn(listener.run()),
        }
    }

    /// A registered client's certificate.
    pub fn alice(&self) -> Certified {
        let certified = certified(&self.ca, &leaf("alice"));
        self.directory
            .put_client(CLIENT, client_record(Credential::Key(key_of(&certified))));
        certified
    }

    pub fn config(&self, client: Option<&Certified>) -> ClientConfig {
        client_config(&self.ca, client, &[&rustls::version::TLS13, &rustls::version::TLS12])
    }

    pub async fn connect(&self, client: Option<&Certified>) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_with(Arc::new(self.config(client))).await
    }

    pub async fn connect_with(&self, config: Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
        connect_over(TcpStream::connect(self.address).await?, config).await
    }

    /// Whether a client with this certificate gets an answer; in TLS 1.3 a refusal shows only when it reads.
    pub async fn ask(&self, client: Option<&Certified>) -> std::io::Result<String> {
        ask(&mut self.connect(client).await?, 0).await
    }

    /// Waits until so many requests have been read since the listener began.
    pub async fn until_asked(&self, count: usize) {
        until(async || self.asked.load(Ordering::SeqCst) >= count).await;
    }

    pub fn begin_shutdown(&self) {
        self.shutdown.send_replace(true);
    }

    pub async fn end(self) -> Drained {
        self.begin_shutdown();
        self.running.await.unwrap()
    }
}

pub fn server_identity(ca: &CertificateAuthority) -> ServerIdentity {
    let server = Leaf {
        usage: Usage::Server,
        ..leaf("server")
    };
    let (certificate, key) = ca.issue(&server, KeyKind::P256).unwrap();
    ServerIdentity::from_pem(&pem::write_certificate(&certificate), &key.to_pem()).unwrap()
}

pub fn client_config(
    ca: &CertificateAuthority,
    client: Option<&Certified>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(ca.certificate().to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let chain = client.chain.iter().map(|c| CertificateDer::from(c.clone())).collect();
            let key = PrivateKeyDer::try_from(client.key.to_der().to_vec()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}

/// The same for a certificate that the library does not read, or whose key is another one.
pub fn client_config_unchecked(
    ca: &CertificateAuthority,
    client: &Certified,
    version: &'static rustls::SupportedProtocolVersion,
) -> ClientConfig {
    let mut config = client_config(ca, None, &[version]);
    let chain = client.chain.iter().map(|c| CertificateDer::from(c.clone())).collect();
    let key = PrivateKeyDer::try_from(client.key.to_der().to_vec()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let certified = Arc::new(rustls::sign::CertifiedKey::new(chain, key));
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(certified));
    config
}

pub fn config_from(authority: &[u8], certificate: Vec<u8>, key: Vec<u8>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from(certificate)],
            PrivateKeyDer::try_from(key).unwrap(),
        )
        .unwrap()
}

pub async fn connect_over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<S>> {
    TlsConnector::from(config)
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
}

/// How long a test waits for what must come.
pub const LONGEST: Duration = Duration::from_secs(60);

/// Waits until something is so.
pub async fn until(is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONGEST, waiting).await.expect("it never came");
}

/// Asks for an answer of this size; gives the text in it.
pub async fn ask<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, size: i32) -> std::io::Result<String> {
    stream.write_all(&request(size, 0)).await?;
    read(stream).await.map(|message| text(&message))
}

pub async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; 8];
    stream.read_exact(&mut message).await?;
    let length = u32::from_be_bytes(message[4..8].try_into().unwrap());
    message.resize(8 + usize::try_from(length).unwrap(), 0);
    stream.read_exact(&mut message[8..]).await?;
    Ok(message)
}

pub fn text(message: &[u8]) -> String {
    let mut found = String::new();
    Reader::new(message)
        .structure(RESPONSE, |r| {
            found = r.text(TEXT)?.to_owned();
            while !r.is_empty() {
                r.skip()?;
            }
            Ok(())
        })
        .unwrap();
    found
}
