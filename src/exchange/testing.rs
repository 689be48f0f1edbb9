//! A whole server in memory, with two tenants and a clock that tests move.

use super::scrubbing::Begin;
use super::{ConnectionFacts, Exchange, Server, TlsFacts};
use crate::administration::quarantine::barrier;
use crate::administration::{act, hsm_profile, kek, server_act};
use crate::audit::{ChainStart, LateChain, MemoryTrail, RatchetChain, StreamId, TrailKind};
use crate::authority::glance::Glances;
use crate::authority::{InstallationRecord, Policies};
use crate::clock::{Bearing, Clock, Hands, HeldClock, Moment};
use crate::crypto::{OsRandomness, Randomness};
use crate::custody::{
    Benches, Custody, InstallationRoot, Keeping, KekId, Links, Outfit, ProfileId, ProfileRecord, Slab,
};
use crate::heavy::Heavy;
use crate::identity::{
    ApplicationRecord, AuthorityRecord, ClientId, ClientRecord, Credential, Enroll, Identity, Passwords,
    PeerCertificate, PersonPrincipal, Principal, Session, StoreDirectory, TenantRecord, tenant_counter,
};
use crate::operations::keeper::Keeper;
use crate::operations::{About, Limits, Services};
use crate::scrub::{Gated, Known, Quarantine, Scrub, first_key};
use crate::store::{Domain, Key, MemoryStore, Record, SqliteSettings, SqliteStore, Store, Work};
use certs::{CertificateAuthority, KeyKind, Leaf, Subject, Usage, Validity};
use kmip_protocol::{
    AsynchronousIndicator, Attribute, Attributes, ClientSettings, CreateRequest, CryptographicAlgorithm,
    CryptographicParameters, CryptographicUsageMask, DerivationParameters, HashingAlgorithm, Name, NameType,
    ObjectType, PersonRole, Request, RequestItem, RequestMessage, ResponseItem, ResponseMessage, ResponsePayload,
    TemplateAttribute, Version,
};
use kmip_ttlv::{Secret, Writer};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Where the clock of tests begins: 2033-05-18, so that certificates made now are valid.
pub const BEGIN: i64 = 2_000_000_000;

#[derive(Clone)]
pub struct TestClock(Arc<HeldClock<TestHands>>);

/// The wall's time, and the time that has passed.
struct TestHands {
    wall: AtomicI64,
    elapsed: AtomicI64,
}

impl Hands for TestHands {
    fn wall_ms(&self) -> i64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn elapsed_ms(&self) -> i64 {
        self.elapsed.load(Ordering::SeqCst)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        self.0.now()
    }

    fn lapsed(&self, now: Moment) -> Moment {
        self.0.lapsed(now)
    }

    fn bearing(&self) -> Bearing {
        self.0.bearing()
    }
}

impl TestClock {
    fn at(seconds: i64) -> Self {
        Self(Arc::new(HeldClock::over(TestHands {
            wall: AtomicI64::new(seconds * 1000),
            elapsed: AtomicI64::new(0),
        })))
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: i64) {
        self.0.hands().elapsed.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.set(seconds);
    }

    /// Sets the wall clock ahead, or back.
    pub fn set(&self, seconds: i64) {
        self.0.hands().wall.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

pub struct TestHouse {
    pub server: Server,
    pub store: Arc<dyn Store>,
    /// The engine, where it is one that tests write to behind the server's back.
    memory: Option<Arc<MemoryStore>>,
    /// Alice's.
    pub tenant: Domain,
    pub access: Arc<MemoryTrail>,
    pub clock: TestClock,
    pub alice: ConnectionFacts,
    pub bob: ConnectionFacts,
    pub stranger: ConnectionFacts,
    _folder: TempDir,
}

fn chain(kind: TrailKind, custody: &Custody) -> RatchetChain {
    let stream = StreamId([if kind == TrailKind::Change { 1 } else { 2 }; 16]);
    let key = first_key(custody, kind, stream).unwrap();
    RatchetChain::new(kind, ChainStart::new_stream(stream, [0; 32], key))
}

pub fn facts(chain: Vec<Vec<u8>>) -> ConnectionFacts {
    ConnectionFacts {
        connection: 1,
        peer: "127.0.0.1:4000".parse().unwrap(),
        listener: "test".into(),
        certificate: Arc::new(PeerCertificate::read(chain).unwrap()),
        tls: TlsFacts {
            version: "TLSv1.3",
            cipher: "TLS13_AES_256_GCM_SHA384",
            group: "secp256r1",
            resumed: false,
        },
        roles: Some(super::facts::Roles::default()),
    }
}

pub fn validity() -> Validity {
    Validity::days(BEGIN, 365)
}

pub fn leaf(name: &str) -> Leaf {
    Leaf {
        subject: Subject::named(name),
        alternative_names: Vec::new(),
        usage: Usage::Client,
        validity: validity(),
    }
}

impl TestHouse {
    pub async fn new() -> Self {
        let late = LateChain::default();
        let memory = Arc::new(MemoryStore::new(Box::new(late.clone())));
        let house = Self::over(memory.clone(), late, tempfile::tempdir().unwrap()).await;
        Self {
            memory: Some(memory),
            ..house
        }
    }

    /// The same over the embedded engine.
    pub async fn on_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = SqliteSettings::new(folder.path().join("store.db"));
        // What is written to the file behind the server's back is seen.
        settings.record_cache = 0;
        let late = LateChain::default();
        let store = SqliteStore::open(&settings, Box::new(late.clone())).unwrap();
        Self::over(Arc::new(store), late, folder).await
    }

    async fn over(store: Arc<dyn Store>, late: LateChain, folder: TempDir) -> Self {
        let quarantine = Arc::new(Quarantine::new(barrier));
        let store: Arc<dyn Store> = Arc::new(Gated::new(store, Arc::clone(&quarantine)));
        let clock = TestClock::at(BEGIN);
        let randomness: Arc<dyn Randomness> = Arc::new(OsRandomness::new());
        let slab = Slab::new().unwrap();
        let custody = Arc::new(Custody::new(slab.clone(), Arc::clone(&randomness)));
        let profile = ProfileId([1; 16]);
        let root = InstallationRoot::create_file(&slab, randomness.as_ref(), &folder.path().join("root.key")).unwrap();
        let benches = Benches {
            keks: folder.path().to_owned(),
            ..Benches::default()
        };
        custody.keep_protected(root.binding_key(&slab).unwrap(), Keeping::default());
        let outfit = Arc::new(Outfit::new(benches, root, slab, Arc::clone(&randomness)));
        let record = ProfileRecord {
            name: "software".into(),
            created_ms: BEGIN * 1000,
            ..ProfileRecord::default()
        };
        outfit.put_to_work(&custody, profile, &record, None);
        let now = clock.now();
        let mut work = Work::new(Arc::clone(&store));
        kek::found_domain(
            &custody,
            &mut work,
            Domain::SYSTEM,
            profile,
            KekId([9; 16]),
            now.0,
            None,
        )
        .await
        .unwrap();
        hsm_profile::put(&custody, &mut work, profile, &record).await.unwrap();
        let links = Links(vec![profile]);
        hsm_profile::put_links(&custody, &mut work, Domain::SYSTEM, &links)
            .await
            .unwrap();
        late.begin(chain(TrailKind::Change, &custody));
        store.commit(work.into_change_set(now.0)).await.unwrap();
        let keeper = Keeper(Arc::clone(&custody));
        let (mut connections, mut tenants) = (Vec::new(), Vec::new());
        for name in ["alice", "bob"] {
            let ca = CertificateAuthority::create(&Subject::named(&format!("{name} CA")), validity(), KeyKind::P256)
                .unwrap();
            let certificate = ca.issue(&leaf(name), KeyKind::P256).unwrap().0;
            let connection = facts(vec![certificate]);
            let made = Domain(randomness.array().unwrap());
            let mut work = Work::new(Arc::clone(&store));
            let kek = KekId(randomness.array().unwrap());
            kek::found_domain(&custody, &mut work, made, profile, kek, now.0, None)
                .await
                .unwrap();
            hsm_profile::put_links(&custody, &mut work, made, &links).await.unwrap();
            let credential = Credential::Key(*connection.certificate.key_fingerprint());
            enroll(
                &mut work,
                &keeper,
                made,
                name,
                ca.certificate(),
                credential,
                randomness.as_ref(),
            )
            .await;
            for what in ["tenant", "KEK", "client"] {
                work.audit(server_act(act::GENESIS, made, now, what));
            }
            store.commit(work.into_change_set(now.0)).await.unwrap();
            tenants.push(made);
            connections.push(connection);
            if name == "bob" {
                connections.push(facts(vec![ca.issue(&leaf("nobody"), KeyKind::P256).unwrap().0]));
            }
        }
        let directory = StoreDirectory::new(Arc::clone(&store), Arc::new(Keeper(Arc::clone(&custody))));
        let identity = Arc::new(Identity::open(Arc::new(directory)).await.unwrap());
        let services = Services {
            glances: Glances::default(),
            store: Arc::clone(&store),
            custody: Arc::clone(&custody),
            randomness,
            clock: Arc::new(clock.clone()),
            passwords: Passwords::cheap(),
            heavy: Heavy::in_place(),
            installation: InstallationRecord::new([3; 16]),
            quarantine,
            freshness: Arc::default(),
            policies: Policies::optional(),
            about: About::default(),
            outfit,
            streams: Arc::default(),
            outbox: Arc::default(),
            limits: Limits::default(),
        };
        let access = Arc::new(MemoryTrail::new(Box::new(chain(TrailKind::Access, &custody))));
        let server = Server::new(services, identity, access.clone());
        let tenant = tenants[0];
        let [alice, bob, stranger] = connections.try_into().ok().unwrap();
        Self {
            server,
            store,
            memory: None,
            tenant,
            access,
            clock,
            alice,
            bob,
            stranger,
            _folder: folder,
        }
    }

    fn memory(&self) -> &MemoryStore {
        self.memory.as_deref().unwrap()
    }

    /// A row as it lies in the engine.
    pub async fn row(&self, key: Key) -> Record {
        let row = self.memory().rows(key, 1).await.unwrap().remove(0);
        assert_eq!(row.key, key);
        row
    }

    /// Every row: where it lies, and its bytes.
    pub async fn all_rows(&self) -> Vec<(Key, Vec<u8>)> {
        let first = Key {
            domain: Domain([0; 16]),
            kind: crate::store::Kind(0),
            id: [0; 16],
        };
        let rows = self.memory().rows(first, usize::MAX).await.unwrap();
        rows.into_iter().map(|row| (row.key, row.body.to_vec())).collect()
    }

    /// Every row and every counter.
    pub async fn contents(&self) -> (Vec<(Key, Vec<u8>)>, Vec<(Key, u32, i64)>) {
        let rows = self.all_rows().await;
        let Some((first, _)) = rows.first() else {
            return Default::default();
        };
        let counters = self.memory().counter_rows((*first, 0), usize::MAX).await.unwrap();
        let counters = counters.into_iter().map(|one| (one.key, one.field, one.value));
        (rows, counters.collect())
    }

    /// Puts a row there behind the server's back.
    pub fn plant(&self, row: Record) {
        self.memory().plant(row);
    }

    /// Takes a row away behind the server's back.
    pub fn uproot(&self, key: Key) {
        self.memory().uproot(key);
    }

    /// Gives a counter another value behind the server's back.
    pub fn miscount(&self, key: Key, field: u32, value: Option<i64>) {
        self.memory().miscount(key, field, value);
    }

    /// A comparison with the trail, in parts of so many records, that acts on nothing that it finds.
    pub fn comparison<'a>(&'a self, known: &'a Known, most_at_once: Option<usize>) -> Scrub<'a> {
        Scrub {
            store: &self.store,
            custody: &self.server.services().custody,
            known,
            pace: Duration::ZERO,
            most_at_once,
        }
    }

    /// Has everything compared with the trail.
    pub async fn scrub(&self) {
        self.server.scrub(Begin::Anew, Duration::ZERO, None).await;
    }

    /// Takes the last record of the trail away behind the server's back.
    pub fn cut_trail(&self) {
        self.memory().cut_trail();
    }

    /// Where its key files lie.
    pub fn folder(&self) -> &std::path::Path {
        self._folder.path()
    }

    /// Everything that lies in the installation's folder: the database, its log, the key files.
    pub fn files(&self) -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(self._folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.is_file())
            .map(|path| std::fs::read(path).unwrap())
            .collect()
    }

    pub async fn bytes(&self, request: Vec<u8>, facts: &ConnectionFacts) -> ResponseMessage {
        let answer = self.server.answer(request, facts).await;
        ResponseMessage::read(&answer).unwrap()
    }

    pub async fn message(&self, message: &RequestMessage, facts: &ConnectionFacts) -> ResponseMessage {
        let mut writer = Writer::new();
        message.write(&mut writer);
        self.bytes(writer.into_bytes(), facts).await
    }

    pub async fn item<R: Request>(&self, version: Version, request: R, facts: &ConnectionFacts) -> ResponseItem {
        let mut response = self.message(&RequestMessage::single(version, request), facts).await;
        response.items.remove(0)
    }

    /// Has somebody act who is already known.
    pub async fn act<R: Request>(&self, who: &Principal, request: R) -> ResponseItem {
        self.act_by(who, RequestMessage::single(Version::NEWEST, request)).await
    }

    /// Has somebody act who is already known, and who can wait for the answer.
    pub async fn act_and_wait<R: Request>(&self, who: &Principal, request: R) -> ResponseItem {
        let mut message = RequestMessage::single(Version::NEWEST, request);
        message.header.asynchronous_indicator = Some(AsynchronousIndicator::Optional);
        self.act_by(who, message).await
    }

    pub async fn act_by(&self, who: &Principal, message: RequestMessage) -> ResponseItem {
        let answer = self.server.answer_as(who, &message, &self.alice).await;
        ResponseMessage::read(&answer).unwrap().items.remove(0)
    }

    /// Whose client a connection belongs to.
    pub async fn tenant_of(&self, facts: &ConnectionFacts) -> Domain {
        let found = self
            .server
            .identity()
            .resolve(&facts.certificate, self.clock.now().seconds());
        found.await.unwrap().domain().unwrap()
    }

    /// A person of a tenant with this role, fully logged in.
    pub fn known(&self, domain: Domain, role: PersonRole) -> Principal {
        Principal::Person(Arc::new(PersonPrincipal {
            domain,
            person: [6; 16],
            name: "somebody".into(),
            role,
            key_fingerprint: [8; 32],
            hardware: false,
            session: Session::Full([5; 16]),
            seen: None,
            tenant_seen: None,
            migration_required: false,
            ticket_seen: None,
        }))
    }

    pub async fn create(&self, name: &str, more: Vec<Attribute>) -> String {
        let item = self.item(Version::NEWEST, create(name, more), &self.alice).await;
        match item.payload {
            Some(ResponsePayload::Create(made)) => made.unique_identifier,
            _ => panic!("not created: {:?} {:?}", item.result_reason, item.result_message),
        }
    }
}

/// Puts a tenant behind the server's back, with an authority, an application and a client, all of its name: tests of what clients do
/// need nobody who agrees. It has no people and no policy.
async fn enroll(
    work: &mut Work,
    keeper: &Keeper,
    tenant: Domain,
    name: &str,
    authority: &[u8],
    credential: Credential,
    randomness: &dyn Randomness,
) {
    let created_ms = BEGIN * 1000;
    let mut enroll = Enroll::new(work, keeper);
    let record = TenantRecord {
        name: name.into(),
        created_ms,
        ..TenantRecord::default()
    };
    enroll.tenant(tenant, &record).await.unwrap();
    let record = AuthorityRecord {
        name: name.into(),
        certificate: authority.to_vec(),
        created_ms,
        ..AuthorityRecord::default()
    };
    let id = || randomness.array().unwrap();
    enroll.authority(tenant, id(), &record).await.unwrap();
    let (application, client) = (id(), id());
    let record = ApplicationRecord {
        name: name.into(),
        created_ms,
    };
    enroll.application(tenant, application, &record).await.unwrap();
    let record = ClientRecord {
        name: name.into(),
        application,
        credentials: vec![credential],
        created_ms,
        settings: ClientSettings {
            may_import: Some(true),
            may_set_defaults: Some(true),
            ..ClientSettings::default()
        },
        ..ClientRecord::default()
    };
    enroll.client(ClientId { tenant, client }, &record).await.unwrap();
    work.set_counter(TenantRecord::counters(tenant), tenant_counter::CLIENTS, 1);
}

/// A request for an AES key; without a Name if the name is empty.
pub fn create(name: &str, more: Vec<Attribute>) -> CreateRequest {
    let mut attributes: Vec<Attribute> = vec![
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt | CryptographicUsageMask::Decrypt),
    ];
    if !name.is_empty() {
        attributes.push(named(name));
    }
    attributes.extend(more);
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: TemplateAttribute::from(attributes.into_iter().collect::<Attributes>()),
        protection_storage_masks: None,
    }
}

/// The parameters of a derivation from this data, with SHA-256.
pub fn derivation(derivation_data: &[u8]) -> DerivationParameters {
    let data = Some(derivation_data).filter(|data| !data.is_empty());
    DerivationParameters {
        cryptographic_parameters: Some(CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::SHA_256),
            ..CryptographicParameters::default()
        }),
        initialization_vector: None,
        derivation_data: data.map(Secret::copy_from).into_iter().collect(),
        salt: None,
        iteration_count: None,
    }
}

pub fn named(name: &str) -> Attribute {
    Attribute::Name(Name {
        name_value: name.into(),
        name_type: NameType::UninterpretedTextString,
    })
}

/// A batch of these items.
pub fn batch(version: Version, items: Vec<RequestItem>) -> RequestMessage {
    let header = kmip_protocol::RequestHeader::new(version, i32::try_from(items.len()).unwrap());
    RequestMessage { header, items }
}
