//! The only file that names concrete stores, sealers and trails: it makes an installation, and puts a server together.

mod server;

pub use server::{Running, check};

use crate::administration::genesis::{self, Founding};
use crate::administration::{AdministrationError, kek};
use crate::audit::{AccessTrail, AuditDraft, Chain, ChainKey, ChainStart, Head, Linked, RatchetChain};
use crate::audit::{SegmentSettings, SegmentTrail, StreamId, TrailKind};
use crate::authority::glance::Glances;
use crate::authority::{InstallationRecord, Policies};
use crate::clock::{Clock, SystemClock};
use crate::crypto::{self, OsRandomness, Randomness};
use crate::custody::{
    Custody, CustodyError, InstallationRoot, KekProvider, Locked, PinRole, ProfileId, ResidentKeks, Slab, SoftwareKeks,
    TokenSettings, WorkerCommand, token,
};
use crate::exchange::Server;
use crate::heavy::Heavy;
use crate::identity::{DirectoryError, Identity, Passwords, StoreDirectory};
use crate::listener::TlsProfile;
use crate::operations::keeper::Keeper;
use crate::operations::{About, Limits, Profiles, Services};
use crate::settings::{RoleName, Settings, TokenTable};
use crate::store::{CommitError, Domain, Key, Kind, SqliteSettings, SqliteStore, Store, StoreError, Work};
use kmip_protocol::{NewPerson, PersonRole, Policy};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// A PIN, sealed under the installation root, in the system domain.
const SEALED_PIN: Kind = Kind(0x22);

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
    /// Which installation this is.
    pub installation: InstallationRecord,
    /// How the server was set up.
    pub about: About,
    /// Where KEKs can be made.
    pub profiles: Profiles,
}

/// What a new installation begins with.
pub struct Genesis {
    /// Its administrators, with their initial passwords.
    pub administrators: Vec<NewPerson>,
    /// The system's first policy.
    pub policy: Policy,
    /// The PIN of the token's user, where there is a token.
    pub pin: Option<Locked>,
}

/// Why there is no installation or no server.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each is the failure of the room that it names
pub enum ComposeError {
    #[error("store: {0}")]
    Store(#[from] StoreError),
    #[error("store: {0}")]
    Commit(#[from] CommitError),
    #[error("{0}")]
    Administration(#[from] AdministrationError),
    #[error("custody: {0}")]
    Custody(#[from] CustodyError),
    #[error("identity: {0}")]
    Directory(#[from] DirectoryError),
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
    #[error("tls: {0}")]
    Tls(#[from] crate::listener::TlsError),
    #[error("{0}: {1}")]
    Listen(std::net::SocketAddr, std::io::Error),
    #[error("no PKCS#11 module {0}")]
    Module(String),
}

/// Makes an installation: root, system domain, its KEK, administrators and their policy. Nothing may be there before. Whatever comes after,
/// its people propose and agree to.
pub async fn create(settings: &Settings, genesis: Genesis) -> Result<(), ComposeError> {
    if settings.database().exists() {
        return Err(ComposeError::Exists);
    }
    private_folder(&settings.data)?;
    let randomness = randomness()?;
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
    let now = SystemClock::start().now();
    let mut work = Work::new(Arc::clone(&store));
    let founding = Founding {
        profile,
        policy: &genesis.policy,
        administrators: &genesis.administrators,
    };
    genesis::found(&custody, &mut work, randomness.as_ref(), founding, now).await?;
    start_chain(&store, &custody, &randomness, &late).await?;
    if let Some((profile, sealed)) = sealed_pin {
        work.put(pin_key(profile), sealed, Vec::new());
    }
    store.commit(work.into_change_set(now.0)).await?;
    Ok(())
}

/// Opens an installation.
pub async fn open(settings: &Settings) -> Result<Parts, ComposeError> {
    if !settings.database().exists() {
        return Err(ComposeError::Missing);
    }
    let randomness = randomness()?;
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
    kek::open_domain(&custody, &store, Domain::SYSTEM).await?;
    // Without the system's record key nobody can be recognised and nothing recorded.
    custody.ready(Domain::SYSTEM).await?;
    let installation = genesis::installed(&custody, &store).await?;
    start_chain(&store, &custody, &randomness, &late).await?;
    let seals = Arc::new(Keeper(Arc::clone(&custody)));
    let directory = Arc::new(StoreDirectory::new(Arc::clone(&store), seals));
    for tenant in crate::identity::Directory::tenants(directory.as_ref()).await? {
        // One tenant's damage is not the others'.
        if let Err(error) = kek::open_domain(&custody, &store, tenant).await {
            tracing::error!(tenant = ?tenant.0, %error, "the keys of a tenant cannot be opened");
        }
    }
    let identity = Arc::new(Identity::open(directory).await?);
    let access = access_trail(settings, &store, &custody, &randomness).await?;
    Ok(Parts {
        store,
        custody,
        identity,
        randomness,
        access,
        installation,
        about: about(settings),
        profiles: profiles(settings),
    })
}

/// The process's source of keys, chosen before the first is made. From then on the cipher library asks it too, for blinding,
/// signature nonces and the keys that it makes itself. Founding and serving in one process share it.
pub fn randomness() -> Result<Arc<dyn Randomness>, ComposeError> {
    static CHOSEN: OnceLock<bool> = OnceLock::new();
    if *CHOSEN.get_or_init(|| crypto::install(Arc::new(OsRandomness::new())).is_ok()) {
        Ok(Arc::clone(crypto::randomness()))
    } else {
        Err(ComposeError::Randomness)
    }
}

/// Where the sealed PIN of a profile is kept.
const fn pin_key(profile: ProfileId) -> Key {
    Key {
        domain: Domain::SYSTEM,
        kind: SEALED_PIN,
        id: profile.0,
    }
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

/// A token, where there is one, before the software that is for demonstrations.
fn profiles(settings: &Settings) -> Profiles {
    let token = settings.custody.token.iter();
    let token = token.map(|table| (format!("token {}", table.label), token_profile(table)));
    let software = core::iter::once(("software".to_owned(), profile_named("software")));
    Profiles(token.chain(software).collect())
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

/// What answers messages, over these rooms.
#[must_use]
pub fn server(parts: Parts) -> Server {
    let services = Services {
        glances: Glances::default(),
        store: parts.store,
        custody: parts.custody,
        randomness: parts.randomness,
        clock: Arc::new(SystemClock::start()),
        passwords: Passwords::default(),
        // As many as there are processors, so that heavy work delays nobody's reads for long.
        heavy: Heavy::threads(std::thread::available_parallelism().map_or(2, usize::from)),
        installation: parts.installation,
        profiles: parts.profiles,
        policies: Policies::default(),
        about: parts.about,
        limits: Limits::default(),
    };
    Server::new(services, parts.identity, parts.access)
}

/// How these settings set a server up.
fn about(settings: &Settings) -> About {
    About {
        demo: settings.demo,
        tls_profile: TlsProfile::from(settings.listener.profile).name().to_owned(),
        store: "sqlite".to_owned(),
        started_ms: SystemClock::start().now().0,
        admin_listener: settings.admin_listener.is_some(),
        hardware: settings
            .people
            .require_hardware
            .iter()
            .map(|name| role(*name))
            .collect(),
        require_possession: settings.identity.require_possession,
    }
}

const fn role(name: RoleName) -> PersonRole {
    match name {
        RoleName::Administrator => PersonRole::Administrator,
        RoleName::SystemAuditor => PersonRole::SystemAuditor,
        RoleName::Operator => PersonRole::Operator,
        RoleName::Auditor => PersonRole::Auditor,
        RoleName::Custodian => PersonRole::Custodian,
    }
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
