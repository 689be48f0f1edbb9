//! The only file that names concrete stores, sealers and trails: it makes an installation, and puts a server together.

use crate::audit::{AccessTrail, AuditDraft, Chain, ChainKey, ChainStart, Head, Linked, RatchetChain};
use crate::audit::{SegmentSettings, SegmentTrail, StreamId, TrailKind};
use crate::crypto::{OsRandomness, Randomness};
use crate::custody::{
    Custody, CustodyError, InstallationRoot, KekId, KekProvider, KekRecord, KekState, Locked, NewKek, PinRole,
    ProfileId, RecordKeyRecord, ResidentKeks, Slab, SoftwareKeks, TokenSettings, WorkerCommand, token,
};
use crate::identity::{
    ApplicationRecord, AuthorityRecord, ClientId, ClientRecord, Credential, DirectoryError, Enroll, EnrollError, Id,
    Identity, RecordOpener, RecordSealer, StoreDirectory, TenantRecord,
};
use crate::records;
use crate::settings::{Settings, TokenTable};
use crate::store::{ClaimKey, CommitError, Domain, Key, Kind, Record, Revision};
use crate::store::{SqliteSettings, SqliteStore, Store, StoreError, Taken, Work};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Kinds of records that custody needs before any record key is open. They carry their own protection: a KEK record its
/// known answer, a record key its wraps, a PIN the root's seal.
mod kind {
    use crate::store::Kind;

    pub const KEK: Kind = Kind(0x20);
    pub const RECORD_KEY: Kind = Kind(0x21);
    pub const SEALED_PIN: Kind = Kind(0x22);
}

/// The claim on being the active KEK of a domain.
const ACTIVE_KEK: u8 = 0x20;

/// Records to a page of a scan.
const PAGE: usize = 512;

/// The rooms of a server, opened.
pub struct Parts {
    /// Where records are kept.
    pub store: Arc<dyn Store>,
    /// What seals them.
    pub custody: Arc<Custody>,
    /// Who is who.
    pub identity: Arc<Identity>,
    /// Where keys come from.
    pub randomness: Arc<dyn Randomness>,
    /// Where acts that change nothing are recorded.
    pub access: Arc<dyn AccessTrail>,
}

/// What a new installation begins with.
#[derive(Default)]
pub struct Genesis {
    /// Its tenants.
    pub tenants: Vec<NewTenant>,
    /// The PIN of the token's user, where there is a token.
    pub pin: Option<Locked>,
}

/// A tenant to begin with: with an active KEK of its own, and one application for all its clients.
pub struct NewTenant {
    /// Its name.
    pub name: String,
    /// Whether a conformance run may clear it.
    pub test: bool,
    /// Certificates (DER) of its authorities.
    pub authorities: Vec<Vec<u8>>,
    /// Its clients, by name and credential.
    pub clients: Vec<(String, Credential)>,
}

/// Why there is no installation or no server.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each is the failure of the room that it names
pub enum ComposeError {
    #[error("store: {0}")]
    Store(#[from] StoreError),
    #[error("store: {0}")]
    Commit(#[from] CommitError),
    #[error("custody: {0}")]
    Custody(#[from] CustodyError),
    #[error("identity: {0}")]
    Directory(#[from] DirectoryError),
    #[error("identity: {0}")]
    Enroll(#[from] EnrollError),
    #[error("audit: {0}")]
    Trail(#[from] crate::audit::TrailError),
    #[error("randomness failed")]
    Randomness,
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, std::io::Error),
    #[error("there is an installation in this data folder already")]
    Exists,
    #[error("there is no installation in this data folder; make one with `claviger init` or `claviger demo`")]
    Missing,
    #[error("no PKCS#11 module {0}")]
    Module(String),
    #[error("a record is damaged")]
    Damaged,
}

/// Makes an installation: root, system domain, tenants with their KEKs. Nothing may be there before.
pub async fn create(settings: &Settings, genesis: Genesis) -> Result<(), ComposeError> {
    if settings.database().exists() {
        return Err(ComposeError::Exists);
    }
    private_folder(&settings.data)?;
    let randomness: Arc<dyn Randomness> = Arc::new(OsRandomness::new());
    let slab = Slab::new().map_err(CustodyError::from)?;
    let root = match &settings.custody.root_credential {
        Some(name) => InstallationRoot::from_credential(&slab, name)?,
        None => InstallationRoot::create_file(&slab, randomness.as_ref(), &settings.root_file())?,
    };
    let custody = Arc::new(Custody::new(slab.clone(), Arc::clone(&randomness)));
    let profile = add_software(settings, &custody, &slab, &randomness);
    let mut sealed_pin = None;
    let profile = match (&settings.custody.token, &genesis.pin) {
        (Some(table), Some(pin)) => {
            let id = token_profile(table);
            let bytes = root.seal_pin(&slab, randomness.as_ref(), id, PinRole::KeyUsage, pin)?;
            sealed_pin = Some((id, bytes));
            add_token(table, &custody, &slab, pin.duplicate().map_err(CustodyError::from)?)?
        }
        _ => profile,
    };
    let late = LateChain::default();
    let store: Arc<dyn Store> = Arc::new(open_store(settings, &late)?);
    let mut founder = Founder {
        store,
        custody,
        randomness,
        profile,
        now_ms: now_ms(),
    };
    founder.found_domain(Domain::SYSTEM, &late, sealed_pin).await?;
    for tenant in genesis.tenants {
        founder.found_tenant(tenant, &late).await?;
    }
    Ok(())
}

/// Opens an installation.
pub async fn open(settings: &Settings) -> Result<Parts, ComposeError> {
    if !settings.database().exists() {
        return Err(ComposeError::Missing);
    }
    let randomness: Arc<dyn Randomness> = Arc::new(OsRandomness::new());
    let slab = Slab::new().map_err(CustodyError::from)?;
    let custody = Arc::new(Custody::new(slab.clone(), Arc::clone(&randomness)));
    add_software(settings, &custody, &slab, &randomness);
    let late = LateChain::default();
    let store: Arc<dyn Store> = Arc::new(open_store(settings, &late)?);
    if let Some(table) = &settings.custody.token {
        let root = match &settings.custody.root_credential {
            Some(name) => InstallationRoot::from_credential(&slab, name)?,
            None => InstallationRoot::from_file(&slab, &settings.root_file())?,
        };
        let profile = token_profile(table);
        let sealed = store.load(pin_key(profile)).await?.ok_or(ComposeError::Missing)?;
        let pin = root.open_pin(&slab, profile, PinRole::KeyUsage, &sealed.body)?;
        add_token(table, &custody, &slab, pin)?;
    }
    open_domain(&store, &custody, Domain::SYSTEM).await?;
    start_chain(&store, &custody, &randomness, &late).await?;
    let seals = Arc::new(Seals(Arc::clone(&custody)));
    let directory = Arc::new(StoreDirectory::new(Arc::clone(&store), seals));
    for tenant in crate::identity::Directory::tenants(directory.as_ref()).await? {
        open_domain(&store, &custody, tenant).await?;
    }
    let identity = Arc::new(Identity::open(directory).await?);
    let access = access_trail(settings, &store, &custody, &randomness).await?;
    Ok(Parts {
        store,
        custody,
        identity,
        randomness,
        access,
    })
}

/// Makes domains.
struct Founder {
    store: Arc<dyn Store>,
    custody: Arc<Custody>,
    randomness: Arc<dyn Randomness>,
    profile: ProfileId,
    now_ms: i64,
}

impl Founder {
    /// Gives a domain a KEK, which is active, and a record key, and puts it to work.
    async fn found_domain(
        &mut self,
        domain: Domain,
        late: &LateChain,
        sealed_pin: Option<(ProfileId, Vec<u8>)>,
    ) -> Result<(), ComposeError> {
        let id: Id = self.random()?;
        let new = NewKek {
            id: KekId(id),
            domain,
            generation: 1,
            profile: self.profile,
            cka_id: id.to_vec(),
            created_ms: self.now_ms,
        };
        let mut kek = self.custody.create_kek(&new, None).await?;
        kek.state = KekState::Active;
        let keks = [kek];
        let record_key = self.custody.create_record_key(domain, &keks, self.now_ms).await?;
        self.custody.open_domain(domain, &keks, &record_key).await?;
        if domain == Domain::SYSTEM {
            start_chain(&self.store, &self.custody, &self.randomness, late).await?;
        }
        let mut work = Work::new(Arc::clone(&self.store));
        for kek in &keks {
            let key = Key {
                domain,
                kind: kind::KEK,
                id: kek.id.0,
            };
            work.put(key, kek.encode()?, Vec::new());
            let active = ClaimKey::new(domain, ACTIVE_KEK, &[]);
            if let Taken::By(_) = work.take(active, key).await? {
                return Err(ComposeError::Exists);
            }
        }
        work.put(record_key_at(domain), record_key.encode()?, Vec::new());
        if let Some((profile, sealed)) = sealed_pin {
            work.put(pin_key(profile), sealed, Vec::new());
        }
        self.store.commit(work.into_change_set(self.now_ms)).await?;
        Ok(())
    }

    async fn found_tenant(&mut self, new: NewTenant, late: &LateChain) -> Result<(), ComposeError> {
        let tenant = Domain(self.random()?);
        self.found_domain(tenant, late, None).await?;
        let created_ms = self.now_ms;
        let seals = Seals(Arc::clone(&self.custody));
        let mut work = Work::new(Arc::clone(&self.store));
        let mut enroll = Enroll::new(&mut work, &seals);
        let record = TenantRecord {
            name: new.name.clone(),
            test: new.test,
            suspended: false,
            created_ms,
        };
        enroll.tenant(tenant, &record).await?;
        let application: Id = self.random()?;
        let record = ApplicationRecord {
            name: new.name.clone(),
            created_ms,
        };
        enroll.application(tenant, application, &record).await?;
        for certificate in new.authorities {
            let record = AuthorityRecord {
                name: new.name.clone(),
                certificate,
                created_ms,
                ..AuthorityRecord::default()
            };
            enroll.authority(tenant, self.random()?, &record).await?;
        }
        for (name, credential) in new.clients {
            let id = ClientId {
                tenant,
                client: self.random()?,
            };
            let credentials = vec![credential];
            let record = ClientRecord {
                name,
                application,
                credentials,
                created_ms,
                ..ClientRecord::default()
            };
            enroll.client(id, &record).await?;
        }
        self.store.commit(work.into_change_set(self.now_ms)).await?;
        Ok(())
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], ComposeError> {
        let mut bytes = [0; N];
        self.randomness.fill(&mut bytes).map_err(|_| ComposeError::Randomness)?;
        Ok(bytes)
    }
}

/// Record MACs, as the rooms above ask for them.
struct Seals(Arc<Custody>);

impl RecordOpener for Seals {
    fn open(&self, record: &Record) -> Option<Vec<u8>> {
        records::open(&self.0, record).ok().map(<[u8]>::to_vec)
    }
}

impl RecordSealer for Seals {
    fn seal(&self, key: Key, revision: Revision, bytes: &[u8]) -> Option<Vec<u8>> {
        records::close(&self.0, key, revision, bytes.to_vec())
            .ok()
            .map(|(body, _)| body)
    }
}

async fn open_domain(store: &Arc<dyn Store>, custody: &Custody, domain: Domain) -> Result<(), ComposeError> {
    let mut keks = Vec::new();
    let mut after = None;
    loop {
        let page = store.scan(domain, kind::KEK, after, PAGE).await?;
        let last = page.len() < PAGE;
        after = page.last().map(|record| record.key.id);
        for record in page {
            keks.push(KekRecord::decode(&record.body)?);
        }
        if last {
            break;
        }
    }
    let record_key = store.load(record_key_at(domain)).await?.ok_or(ComposeError::Damaged)?;
    let record_key = RecordKeyRecord::decode(&record_key.body)?;
    Ok(custody.open_domain(domain, &keks, &record_key).await?)
}

const fn at(domain: Domain, kind: Kind, id: Id) -> Key {
    Key { domain, kind, id }
}

const fn record_key_at(domain: Domain) -> Key {
    at(domain, kind::RECORD_KEY, [0; 16])
}

const fn pin_key(profile: ProfileId) -> Key {
    at(Domain::SYSTEM, kind::SEALED_PIN, profile.0)
}

fn open_store(settings: &Settings, late: &LateChain) -> Result<SqliteStore, ComposeError> {
    let table = &settings.store;
    let mut sqlite = SqliteSettings::new(settings.database());
    sqlite.readers = table.readers.unwrap_or(sqlite.readers);
    if let Some(mib) = table.record_cache_mib {
        sqlite.record_cache = mib.saturating_mul(1024 * 1024);
    }
    if let Some(seconds) = table.erase_after_seconds {
        sqlite.erase_after = Duration::from_secs(seconds);
    }
    Ok(SqliteStore::open(&sqlite, Box::new(late.clone()))?)
}

fn add_software(settings: &Settings, custody: &Custody, slab: &Slab, randomness: &Arc<dyn Randomness>) -> ProfileId {
    let keks = SoftwareKeks::new(&settings.kek_folder(), slab.clone(), Arc::clone(randomness));
    let profile = profile_named("software");
    custody.add_provider(profile, Arc::new(keks));
    profile
}

fn add_token(table: &TokenTable, custody: &Custody, slab: &Slab, pin: Locked) -> Result<ProfileId, ComposeError> {
    let keks: Arc<dyn KekProvider> = Arc::new(ResidentKeks::new(token_settings(table)?, pin, slab.clone()));
    let profile = token_profile(table);
    custody.add_provider(profile, keks);
    Ok(profile)
}

/// How the worker of this token is started and what it finds there.
pub fn token_settings(table: &TokenTable) -> Result<TokenSettings, ComposeError> {
    let module = token::find_module(&table.module).ok_or_else(|| ComposeError::Module(table.module.clone()))?;
    let mut settings = match &table.softhsm_folder {
        Some(folder) => token::softhsm_settings(&module, folder, &table.label)?,
        None => TokenSettings::new(WorkerCommand::this_program(Vec::new())?, module, &table.label),
    };
    settings.serial.clone_from(&table.serial);
    settings.sessions = table.sessions.unwrap_or(settings.sessions);
    settings.deadline = table.deadline_ms.map_or(settings.deadline, Duration::from_millis);
    Ok(settings)
}

fn token_profile(table: &TokenTable) -> ProfileId {
    profile_named(&format!("token {}", table.label))
}

/// Profiles come from the settings, by name, as long as there are no records of them.
fn profile_named(name: &str) -> ProfileId {
    let digest = crate::audit::hash(name.as_bytes());
    ProfileId(digest.first_chunk().copied().unwrap_or_default())
}

fn private_folder(path: &std::path::Path) -> Result<(), ComposeError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|why| ComposeError::File(path.to_owned(), why))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A chain that gets its beginning after the store is open, since the beginning is read from the store.
#[derive(Clone, Default)]
struct LateChain(Arc<Mutex<Option<RatchetChain>>>);

impl LateChain {
    fn with<T>(&self, act: impl FnOnce(&mut RatchetChain) -> T) -> T {
        let mut chain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is committed before the chain has its beginning.
        act(chain.get_or_insert_with(|| {
            let start = ChainStart::new_stream(StreamId([0; 16]), [0; 32], ChainKey::new([0; 32]));
            RatchetChain::new(TrailKind::Change, start)
        }))
    }
}

impl Chain for LateChain {
    fn link(&mut self, draft: &AuditDraft, committed_ms: i64) -> Linked {
        self.with(|chain| chain.link(draft, committed_ms))
    }

    fn confirm(&mut self) {
        self.with(Chain::confirm);
    }

    fn undo(&mut self) {
        self.with(Chain::undo);
    }
}

/// Begins this process's stream of the change trail, after all streams that there are.
async fn start_chain(
    store: &Arc<dyn Store>,
    custody: &Custody,
    randomness: &Arc<dyn Randomness>,
    late: &LateChain,
) -> Result<(), ComposeError> {
    let start = stream_start(store, custody, randomness, "change trail").await?;
    let mut chain = late.0.lock().unwrap_or_else(PoisonError::into_inner);
    *chain = Some(RatchetChain::new(TrailKind::Change, start));
    Ok(())
}

async fn access_trail(
    settings: &Settings,
    store: &Arc<dyn Store>,
    custody: &Custody,
    randomness: &Arc<dyn Randomness>,
) -> Result<Arc<dyn AccessTrail>, ComposeError> {
    let start = stream_start(store, custody, randomness, "access trail").await?;
    let chain = RatchetChain::new(TrailKind::Access, start);
    let mut segments = SegmentSettings::new(settings.access_trail());
    segments.durable = settings.audit.durable_reads;
    Ok(Arc::new(SegmentTrail::open(segments, Box::new(chain))?))
}

/// A stream of its own for each process and trail. Its first record holds the hash of all heads before it, and its first
/// key can be computed again by those who have the system domain's record key.
async fn stream_start(
    store: &Arc<dyn Store>,
    custody: &Custody,
    randomness: &Arc<dyn Randomness>,
    trail: &str,
) -> Result<ChainStart, ComposeError> {
    let mut stream = [0; 16];
    randomness.fill(&mut stream).map_err(|_| ComposeError::Randomness)?;
    let key = custody.keyed_hash(Domain::SYSTEM, trail, &stream)?;
    let previous = hash_of_heads(&mut store.trail_heads().await?);
    Ok(ChainStart::new_stream(StreamId(stream), previous, ChainKey::new(key)))
}

fn hash_of_heads(heads: &mut [Head]) -> [u8; 32] {
    heads.sort_unstable_by_key(|head| head.position.stream.0);
    match heads {
        [] => [0; 32],
        heads => {
            let all: Vec<u8> = heads.iter().flat_map(|head| head.hash).collect();
            crate::audit::hash(&all)
        }
    }
}
