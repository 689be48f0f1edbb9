//! Many tenants with many clients: what a request asks of the store does not depend on them, and what they take of memory, of the
//! start and of a first request is measured.
//!
//! ```text
//! SCALE_PROGRAM=target/release/claviger cargo test --release --test scale -- --ignored --nocapture
//! ```
//!
//! Records are written as the execution of the administrators' and operators' requests writes them, without asking anybody: two
//! thousand operators' first logins would take longer than all that is measured.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test
#![allow(clippy::print_stdout, clippy::as_conversions)] // figures for people

use certs::{AlternativeName, CertificateAuthority, KeyKind, Leaf, Subject, Usage, Validity, pem};
use claviger::administration::kek;
use claviger::authority::PolicyRecord;
use claviger::authority::quorum::{Scope, template};
use claviger::clock::{Clock as _, SystemClock};
use claviger::compose::{self, Genesis, Parts};
use claviger::custody::KekId;
use claviger::exchange::{ConnectionFacts, Exchange, Server, TlsFacts};
use claviger::identity::{
    ApplicationRecord, AuthorityRecord, ClientId, ClientRecord, Credential, Enroll, Identity, PeerCertificate,
    PersonId, PersonKey, PersonRecord, StoreDirectory, TenantRecord,
};
use claviger::operations::keeper::Keeper;
use claviger::settings::Settings;
use claviger::store::{
    ChangeSet, ClaimKey, CommitError, Counter, Counters, Domain, GuardKey, IndexHit, IndexQuery, Key, Kind, Receipt,
    Record, Store, StoreError, TrailQuery, TrailRecord, Work,
};
use claviger::wait::Wait;
use kmip_client::{Connection, Identity as Files};
use kmip_protocol::{
    Attribute, Attributes, CreateRequest, CryptographicAlgorithm, CryptographicUsageMask, GetRequest, LocateRequest,
    NewPerson, ObjectType, PersonRole, PersonStatus, PolicyTemplate, Request, RequestMessage, ResponseMessage,
    ResponsePayload, ResultStatus, SecretText, TemplateAttribute, Version,
};
use kmip_ttlv::Writer;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How the clients of a filled installation are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    /// By their keys, in certificates of their tenant's authority.
    ByKey,
    /// By exactly one certificate each, whoever issued it: those that a handshake must know of.
    ByPin,
}

/// An installation in a folder, and one client of each tenant that can connect.
struct Filled {
    folder: tempfile::TempDir,
    clients: Vec<Files>,
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_secs()).unwrap()
}

fn leaf(name: &str, usage: Usage) -> Leaf {
    let alternative_names = match usage {
        Usage::Server => vec![AlternativeName::host("127.0.0.1")],
        _ => Vec::new(),
    };
    Leaf {
        subject: Subject::named(name),
        alternative_names,
        usage,
        validity: Validity::days(now(), 30),
    }
}

impl Filled {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self) -> Settings {
        toml::from_str(&std::fs::read_to_string(self.at("claviger.toml")).unwrap()).unwrap()
    }

    async fn new(tenants: usize, clients: usize, known: Known) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut filled = Self {
            folder,
            clients: Vec::new(),
        };
        let at = |name: &str| filled.at(name);
        let ca = CertificateAuthority::create(&Subject::named("server CA"), Validity::days(now(), 30), KeyKind::P256);
        let ca = ca.unwrap();
        let (certificate, key) = ca.issue(&leaf("server", Usage::Server), KeyKind::P256).unwrap();
        std::fs::write(at("ca.pem"), pem::write_certificate(ca.certificate())).unwrap();
        std::fs::write(at("server.pem"), pem::write_certificate(&certificate)).unwrap();
        write_private(&at("server-key.pem"), key.to_pem().as_bytes());
        let text = format!(
            "data = {:?}\n[listener]\naddress = \"127.0.0.1:0\"\ncertificate = {:?}\nkey = {:?}\n",
            at("data"),
            at("server.pem"),
            at("server-key.pem")
        );
        std::fs::write(at("claviger.toml"), text).unwrap();
        let settings = filled.settings();
        let genesis = Genesis {
            administrators: ["ada", "alan"].map(administrator).into(),
            policy: template(PolicyTemplate::Mtg, Scope::System),
            pin: None,
            management: None,
            legacy_tokens: Vec::new(),
        };
        compose::create(&settings, genesis).await.unwrap();
        let parts = compose::open(&settings).await.unwrap();
        for number in 0..tenants {
            let client = tenant(&parts, number, clients, known, filled.folder.path()).await;
            filled.clients.push(client);
        }
        filled
    }
}

fn write_private(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A tenant: its keys, a policy, two operators, an authority, an application for each client. The first client has its key in a file.
async fn tenant(parts: &Parts, number: usize, clients: usize, known: Known, folder: &Path) -> Files {
    let random = |parts: &Parts| -> [u8; 16] { parts.randomness.array().unwrap() };
    let name = format!("tenant {number}");
    let domain = Domain(random(parts));
    let moment = SystemClock::start().now();
    let keeper = Keeper(Arc::clone(&parts.custody));
    let mut work = Work::new(Arc::clone(&parts.store));
    let (profile, _) = parts.custody.providers().remove(0);
    kek::found_domain(
        &parts.custody,
        &mut work,
        domain,
        profile,
        KekId(random(parts)),
        moment.0,
        None,
    )
    .await
    .unwrap();
    let policy = template(PolicyTemplate::Mtg, Scope::Tenant);
    let policy = PolicyRecord::first(policy, moment.0);
    for place in [
        PolicyRecord::key(domain),
        PolicyRecord::version_key(domain, policy.version),
    ] {
        let revision = work.next_revision(place);
        let (body, _) = claviger::records::close(&parts.custody, place, revision, policy.encode()).unwrap();
        work.put(place, body, Vec::new());
    }
    let mut enroll = Enroll::new(&mut work, &keeper);
    let record = TenantRecord {
        name: name.clone(),
        created_ms: moment.0,
        ..TenantRecord::default()
    };
    enroll.tenant(domain, &record).await.unwrap();
    for operator in 0..2 {
        let (certificate, _) = leaf("operator", Usage::Client).self_signed(KeyKind::P256).unwrap();
        let id = PersonId {
            domain,
            person: random(parts),
        };
        enroll.person(id, &person(operator, certificate)).await.unwrap();
    }
    let ca = CertificateAuthority::create(&Subject::named(&name), Validity::days(now(), 30), KeyKind::P256).unwrap();
    let record = AuthorityRecord {
        name: "house".to_owned(),
        certificate: ca.certificate().to_vec(),
        created_ms: moment.0,
        ..AuthorityRecord::default()
    };
    enroll.authority(domain, random(parts), &record).await.unwrap();
    let (certificate, key) = ca.issue(&leaf("client", Usage::Client), KeyKind::P256).unwrap();
    let first = PeerCertificate::read(vec![certificate.clone()]).unwrap();
    for client in 0..clients {
        let (key, certificate) = match client {
            0 => (*first.key_fingerprint(), *first.fingerprint()),
            _ => (parts.randomness.array().unwrap(), parts.randomness.array().unwrap()),
        };
        let credential = match known {
            Known::ByKey => Credential::Key(key),
            Known::ByPin => Credential::Pinned { key, certificate },
        };
        let application = random(parts);
        let own = ApplicationRecord {
            name: format!("application {client}"),
            created_ms: moment.0,
        };
        enroll.application(domain, application, &own).await.unwrap();
        let record = ClientRecord {
            name: format!("client {client}"),
            application,
            credentials: vec![credential],
            created_ms: moment.0,
            ..ClientRecord::default()
        };
        let id = ClientId {
            tenant: domain,
            client: random(parts),
        };
        enroll.client(id, &record).await.unwrap();
    }
    parts.store.commit(work.into_change_set(moment.0)).await.unwrap();
    let files = Files {
        ca: folder.join("ca.pem"),
        certificate: Some(folder.join(format!("client-{number}.pem"))),
        key: Some(folder.join(format!("client-{number}-key.pem"))),
    };
    let chain = format!(
        "{}{}",
        pem::write_certificate(&certificate),
        pem::write_certificate(ca.certificate())
    );
    std::fs::write(files.certificate.as_ref().unwrap(), chain).unwrap();
    write_private(files.key.as_ref().unwrap(), key.to_pem().as_bytes());
    files
}

/// An administrator of genesis, who never comes.
fn administrator(name: &str) -> NewPerson {
    NewPerson {
        person_name: name.to_owned(),
        person_role: PersonRole::Administrator,
        certificate: leaf(name, Usage::Client).self_signed(KeyKind::P256).unwrap().0,
        initial_password: SecretText::new("never to be used here"),
        hardware: None,
        attestation: Vec::new(),
        possession_proof: None,
    }
}

fn person(number: usize, certificate: Vec<u8>) -> PersonRecord {
    let facts = certs::CertificateFacts::read(&certificate).unwrap();
    PersonRecord {
        name: format!("operator {number}"),
        role: PersonRole::Operator,
        status: PersonStatus::Active,
        created_ms: 0,
        member_since_ms: 0,
        created_by: None,
        credentials: vec![PersonKey {
            fingerprint: facts.key_fingerprint,
            certificate,
            hardware: false,
            attested_by: None,
            proven: false,
            enrolled_ms: 0,
            revoked_ms: None,
        }],
        password: None,
        one_time: None,
    }
}

fn create() -> CreateRequest {
    let attributes = vec![
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt | CryptographicUsageMask::Decrypt),
    ];
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: TemplateAttribute::from(attributes.into_iter().collect::<Attributes>()),
        protection_storage_masks: None,
    }
}

fn get(key: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(key.into()),
        ..GetRequest::default()
    }
}

/// A store that counts what it is asked, and the records that it hands out.
struct Counting {
    inner: Arc<dyn Store>,
    asked: AtomicU64,
    told: AtomicU64,
}

impl Counting {
    fn ask<T>(&self, answer: T) -> T {
        self.asked.fetch_add(1, Ordering::Relaxed);
        answer
    }

    /// Questions and records since the last time.
    fn taken(&self) -> (u64, u64) {
        (
            self.asked.swap(0, Ordering::Relaxed),
            self.told.swap(0, Ordering::Relaxed),
        )
    }
}

impl Store for Counting {
    fn load(&self, key: Key) -> Wait<'_, Result<Option<Record>, StoreError>> {
        self.ask(self.inner.load(key))
    }

    fn counters(&self, key: Key) -> Wait<'_, Result<Counters, StoreError>> {
        self.ask(self.inner.counters(key))
    }

    fn claimed<'a>(&'a self, claim: &'a ClaimKey) -> Wait<'a, Result<Option<Key>, StoreError>> {
        self.ask(self.inner.claimed(claim))
    }

    fn guard(&self, guard: GuardKey) -> Wait<'_, Result<u64, StoreError>> {
        self.ask(self.inner.guard(guard))
    }

    fn find<'a>(&'a self, query: &'a IndexQuery) -> Wait<'a, Result<Vec<IndexHit>, StoreError>> {
        Box::pin(async move {
            let found = self.ask(self.inner.find(query)).await?;
            self.told
                .fetch_add(u64::try_from(found.len()).unwrap(), Ordering::Relaxed);
            Ok(found)
        })
    }

    fn rows(&self, from: Key, limit: usize) -> Wait<'_, Result<Vec<Record>, StoreError>> {
        self.ask(self.inner.rows(from, limit))
    }

    fn counter_rows(&self, from: (Key, u32), limit: usize) -> Wait<'_, Result<Vec<Counter>, StoreError>> {
        self.ask(self.inner.counter_rows(from, limit))
    }

    fn scan(
        &self,
        domain: Domain,
        kind: Kind,
        after: Option<[u8; 16]>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<Record>, StoreError>> {
        Box::pin(async move {
            let found = self.ask(self.inner.scan(domain, kind, after, limit)).await?;
            self.told
                .fetch_add(u64::try_from(found.len()).unwrap(), Ordering::Relaxed);
            Ok(found)
        })
    }

    fn commit(&self, change: ChangeSet) -> Wait<'_, Result<Receipt, CommitError>> {
        self.ask(self.inner.commit(change))
    }

    fn high_water(&self) -> i64 {
        self.inner.high_water()
    }

    fn trail(&self, query: TrailQuery) -> Wait<'_, Result<Vec<TrailRecord>, StoreError>> {
        self.ask(self.inner.trail(query))
    }

    fn trail_heads(&self) -> Wait<'_, Result<Vec<claviger::audit::Head>, StoreError>> {
        self.ask(self.inner.trail_heads())
    }
}

/// A server over a counting store, in this process.
struct Watched {
    server: Server,
    store: Arc<Counting>,
}

impl Watched {
    async fn open(settings: &Settings) -> Self {
        let mut parts = compose::open(settings).await.unwrap();
        let store = Arc::new(Counting {
            inner: Arc::clone(&parts.store),
            asked: AtomicU64::new(0),
            told: AtomicU64::new(0),
        });
        let directory = StoreDirectory::new(store.clone(), Arc::new(Keeper(Arc::clone(&parts.custody))));
        parts.store = store.clone();
        parts.identity = Arc::new(Identity::open(Arc::new(directory)).await.unwrap());
        store.taken();
        Self {
            server: compose::server(parts),
            store,
        }
    }

    async fn item<R: Request>(&self, request: R, facts: &ConnectionFacts) -> ResponsePayload {
        let mut writer = Writer::new();
        RequestMessage::single(Version::NEWEST, request).write(&mut writer);
        let answer = self.server.answer(writer.into_bytes(), facts).await;
        let item = ResponseMessage::read(&answer).unwrap().items.remove(0);
        assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
        item.payload.unwrap()
    }

    /// What a client's requests ask of the store, from the first on.
    async fn requests(&self, facts: &ConnectionFacts) -> Vec<(u64, u64)> {
        let mut taken = Vec::new();
        let ResponsePayload::Create(made) = self.item(create(), facts).await else {
            panic!("no key")
        };
        taken.push(self.store.taken());
        for _ in 0..2 {
            self.item(get(&made.unique_identifier), facts).await;
            taken.push(self.store.taken());
        }
        self.item(LocateRequest::default(), facts).await;
        taken.push(self.store.taken());
        self.item(create(), facts).await;
        taken.push(self.store.taken());
        taken
    }
}

fn facts(certificate: &Path) -> ConnectionFacts {
    let chain = pem::certificates(&std::fs::read_to_string(certificate).unwrap()).unwrap();
    ConnectionFacts {
        connection: 1,
        peer: ([127, 0, 0, 1], 1).into(),
        listener: "clients".into(),
        certificate: Arc::new(PeerCertificate::read(chain).unwrap()),
        tls: TlsFacts {
            version: "TLSv1.3",
            cipher: "-",
            group: "-",
            resumed: false,
        },
        roles: None,
    }
}

/// No request looks at other tenants or at other clients: what it asks of the store is the same for one client of one tenant as among
/// many.
#[tokio::test]
async fn what_a_request_asks_of_the_store_does_not_depend_on_tenants() {
    let alone = Filled::new(1, 1, Known::ByKey).await;
    let watched = Watched::open(&alone.settings()).await;
    let wanted = watched
        .requests(&facts(alone.clients[0].certificate.as_ref().unwrap()))
        .await;
    assert!(wanted.iter().all(|(asked, _)| (1..40).contains(asked)), "{wanted:?}");
    for known in [Known::ByKey, Known::ByPin] {
        let many = Filled::new(12, 8, known).await;
        let watched = Watched::open(&many.settings()).await;
        for client in &many.clients {
            let taken = watched.requests(&facts(client.certificate.as_ref().unwrap())).await;
            assert_eq!(taken, wanted, "{known:?}");
        }
    }
}

/// A server in a process of its own.
struct Process {
    child: Child,
    address: String,
    started: Duration,
}

impl Process {
    fn start(settings: &Path) -> Self {
        let program = std::env::var_os("SCALE_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_claviger").into());
        let begun = Instant::now();
        #[allow(clippy::zombie_processes)] // waited for when it is dropped
        let mut child = Command::new(program)
            .args(["serve", "--config"])
            .arg(settings)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "ended before it was ready");
            if let Some(address) = line.trim().strip_prefix("ready on ") {
                break address.to_owned();
            }
        };
        let started = begun.elapsed();
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Self {
            child,
            address,
            started,
        }
    }

    /// KiB resident, and of it locked.
    fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        (field("VmRSS:"), field("VmLck:"))
    }

    /// A client connects, makes a key and fetches it: how long the handshake and each of the two took.
    fn serve(&self, client: &Files) -> [Duration; 3] {
        let begun = Instant::now();
        let mut connection = Connection::open(&kmip_client::Settings::new(&self.address), client).unwrap();
        let connected = begun.elapsed();
        let key = connection.call(Version::NEWEST, create()).unwrap().unique_identifier;
        let made = begun.elapsed();
        connection.call(Version::NEWEST, get(&key)).unwrap();
        [connected, made - connected, begun.elapsed() - made]
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

/// The measurement: `SCALE_TENANTS` (1,000) with `SCALE_CLIENTS` (100) each, against one with one.
#[tokio::test]
#[ignore = "a measurement of minutes"]
async fn a_thousand_tenants_with_a_hundred_clients_each() {
    let (tenants, clients) = (number("SCALE_TENANTS", 1_000), number("SCALE_CLIENTS", 100));
    let mut base = Vec::new();
    for (tenants, clients, known) in [
        (1, 1, Known::ByKey),
        (tenants, clients, Known::ByKey),
        (tenants, clients, Known::ByPin),
    ] {
        let begun = Instant::now();
        let filled = Filled::new(tenants, clients, known).await;
        println!(
            "\n{tenants} × {clients}, {known:?}: filled in {:.1} s",
            begun.elapsed().as_secs_f32()
        );
        let watched = Watched::open(&filled.settings()).await;
        let some = &filled.clients[tenants / 2];
        let taken = watched.requests(&facts(some.certificate.as_ref().unwrap())).await;
        println!("questions to the store and records told: Create, Get, Get, Locate, Create: {taken:?}");
        drop(watched);
        let process = Process::start(&filled.at("claviger.toml"));
        let rest = process.memory();
        println!(
            "start {:?}, resident {} KiB, locked {} KiB",
            process.started, rest.0, rest.1
        );
        // One of each tenant, or as often the one that there is: what caches hold is the same.
        let rounds = number("SCALE_TENANTS", 1_000);
        let first = process.serve(some);
        println!(
            "the first client: handshake {:?}, Create {:?}, Get {:?}",
            first[0], first[1], first[2]
        );
        let all: Vec<_> = (0..rounds)
            .map(|round| process.serve(&filled.clients[round % tenants]))
            .collect();
        let of = |which: usize| median(all.iter().map(|one| one[which]).collect());
        println!(
            "{rounds} clients, medians: handshake {:?}, Create {:?}, Get {:?}",
            of(0),
            of(1),
            of(2)
        );
        let served = process.memory();
        println!("resident after them {} KiB, locked {} KiB", served.0, served.1);
        base.push((rest.0, served.0));
    }
    for (rest, served) in &base[1..] {
        println!(
            "added: {} KiB at rest, {} KiB when all were served",
            rest.saturating_sub(base[0].0),
            served.saturating_sub(base[0].1)
        );
    }
    let most = base[1..]
        .iter()
        .map(|(rest, served)| (rest - base[0].0).max(served.saturating_sub(base[0].1)));
    assert!(most.max().unwrap() <= 40 * 1024, "{base:?}");
}
