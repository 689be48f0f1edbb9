//! The only file that names concrete stores, sealers and trails: it makes an installation, and puts a server together.

mod anchor;
mod server;

pub use crate::administration::genesis::Management;
pub use server::{Running, check};

use crate::administration::genesis::{self, Founding};
use crate::administration::quarantine::barrier;
use crate::administration::{AdministrationError, hsm_profile, kek};
use crate::audit::{AccessTrail, ChainStart, LateChain, RatchetChain, beginning};
use crate::audit::{SegmentSettings, SegmentTrail, StreamId, TrailKind};
use crate::authority::glance::Glances;
use crate::authority::{InstallationRecord, Policies};
use crate::clock::{Clock, SystemClock};
use crate::crypto::{self, OsRandomness, Randomness};
use crate::custody::{
    Benches, Custody, CustodyError, InstallationRoot, Keeping, Locked, Mix, Outfit, ProfileId, ProfileRecord,
    Reservoir, ResidentKeks, Slab, TokenRecord, token,
};
use crate::exchange::Server;
use crate::heavy::Heavy;
use crate::identity::name::is_name;
use crate::identity::{DirectoryError, Identity, Passwords, StoreDirectory};
use crate::listener::TlsProfile;
use crate::operations::keeper::Keeper;
use crate::operations::services::LEASE_SECONDS;
use crate::operations::{About, HttpsPlace, Limits, Services};
use crate::outbox::Outbox;
use crate::scrub::{self, Freshness, Gated, Quarantine};
use crate::settings::{RngName, RoleName, Settings, TokenTable};
use crate::store::{CommitError, Domain, SqliteSettings, SqliteStore, Store, StoreError, Work};
use kmip_protocol::{NewPerson, PersonRole, Policy};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinSet;

/// Tenants that are put to work at once.
const TENANTS_AT_ONCE: usize = 64;

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
    /// Which records are held.
    pub quarantine: Arc<Quarantine>,
    /// Whether the database is the one that was served last.
    pub freshness: Arc<Freshness>,
    /// How the server was set up.
    pub about: About,
    /// What one request may ask for.
    pub limits: Limits,
    /// What puts HSM-Profiles to work.
    pub outfit: Arc<Outfit>,
    /// Who is told of what.
    pub outbox: Arc<Outbox>,
}

/// What a new installation begins with.
pub struct Genesis {
    /// Its administrators, with their initial passwords.
    pub administrators: Vec<NewPerson>,
    /// The system's first policy.
    pub policy: Policy,
    /// The PIN of the token's user, where there is a token.
    pub pin: Option<Locked>,
    /// The key-management credential, where the token has a user of its own for that.
    pub management: Option<Management>,
    /// The files of legacy tokens, each for the tenant whose name it has.
    pub legacy_tokens: Vec<String>,
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
    #[error("{}: {}", .0.display(), .1)]
    Anchor(PathBuf, crate::scrub::AnchorError),
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
    #[error("outbox.allow: {0}")]
    Allow(#[from] crate::outbox::address::NotAllowed),
    #[error("no PKCS#11 module {0}")]
    Module(String),
    #[error("the token's PIN is missing")]
    Pin,
}

/// Makes an installation: root, system domain, its KEK, administrators and their policy. Nothing may be there before. Whatever comes after,
/// its people propose and agree to.
pub async fn create(settings: &Settings, genesis: Genesis) -> Result<(), ComposeError> {
    if settings.database().exists() {
        return Err(ComposeError::Exists);
    }
    private_folder(&settings.data)?;
    let slab = Slab::new().map_err(CustodyError::from)?;
    let (randomness, reservoir) = source(settings.custody.rng, &slab)?;
    if let (Some(reservoir), Some(table), Some(pin)) = (&reservoir, &settings.custody.token, &genesis.pin) {
        let token = benches(settings).token(&first_token(table))?;
        let pin = pin.duplicate().map_err(CustodyError::from)?;
        reservoir.attach(Arc::new(ResidentKeks::new(token, pin, slab.clone())));
    }
    let root = match &settings.custody.root_credential {
        Some(name) => InstallationRoot::from_credential(&slab, name)?,
        None => InstallationRoot::create_file(&slab, randomness.as_ref(), &settings.root_file())?,
    };
    let custody = Arc::new(Custody::new(slab.clone(), Arc::clone(&randomness)));
    custody.keep_protected(root.binding_key(&slab)?, keeping(settings));
    let outfit = Outfit::new(benches(settings), root, slab, Arc::clone(&randomness));
    let profile = ProfileId(randomness.array().map_err(|_| ComposeError::Randomness)?);
    let record = first_profile(settings, &outfit, profile, genesis.pin.as_ref())?;
    custody.add_provider(profile, outfit.provider(profile, &record, None)?);
    let late = LateChain::default();
    let store: Arc<dyn Store> = Arc::new(open_store(settings, &late)?);
    let now = SystemClock::start().now();
    let mut work = Work::new(Arc::clone(&store));
    let founding = Founding {
        profile: (profile, &record),
        policy: &genesis.policy,
        administrators: &genesis.administrators,
        legacy_tokens: &genesis.legacy_tokens,
        management: genesis.management.as_ref(),
    };
    genesis::found(&custody, &mut work, randomness.as_ref(), founding, now).await?;
    start_chain(&store, &custody, &randomness, &late).await?;
    store.commit(work.into_change_set(now.0)).await?;
    Ok(())
}

/// Opens an installation.
pub async fn open(settings: &Settings) -> Result<Parts, ComposeError> {
    if !settings.database().exists() {
        return Err(ComposeError::Missing);
    }
    let slab = Slab::new().map_err(CustodyError::from)?;
    let (randomness, reservoir) = source(settings.custody.rng, &slab)?;
    let custody = Arc::new(Custody::new(slab.clone(), Arc::clone(&randomness)));
    let outfit = Arc::new(outfit(settings, &slab, &randomness)?);
    custody.keep_protected(outfit.root().binding_key(&slab)?, keeping(settings));
    let late = LateChain::default();
    let quarantine = Arc::new(Quarantine::new(barrier));
    let store: Arc<dyn Store> = Arc::new(open_store(settings, &late)?);
    let store: Arc<dyn Store> = Arc::new(Gated::new(store, Arc::clone(&quarantine)));
    hsm_profile::open_all(&custody, &outfit, &store).await?;
    kek::open_domain(&custody, &store, Domain::SYSTEM).await?;
    // Without the system's record key nobody can be recognised and nothing recorded.
    custody.ready(Domain::SYSTEM).await?;
    hsm_profile::verify_all(&custody, &store).await?;
    if let Some(reservoir) = reservoir {
        let profile = settings.custody.rng_profile.as_deref();
        hsm_profile::draw_randomness(&outfit, &store, reservoir, profile).await?;
    }
    let installation = genesis::installed(&custody, &store).await?;
    start_chain(&store, &custody, &randomness, &late).await?;
    let (freshness, installation) = anchor::compare(settings, &store, &custody, late, installation).await?;
    quarantine.reload(&store, &custody).await?;
    let seals = Arc::new(Keeper(Arc::clone(&custody)));
    let directory = Arc::new(StoreDirectory::new(Arc::clone(&store), seals));
    open_tenants(&custody, &store, &directory).await?;
    let identity = Arc::new(Identity::open(directory).await?);
    let access = access_trail(settings, &store, &custody, &randomness).await?;
    Ok(Parts {
        store,
        custody,
        identity,
        randomness,
        access,
        installation,
        quarantine,
        freshness,
        about: about(settings),
        limits: Limits {
            lease_seconds: settings.objects.lease_seconds.unwrap_or(LEASE_SECONDS),
            ..Limits::default()
        },
        outfit,
        outbox: Arc::new(Outbox::new(settings.outbox.allowed()?)),
    })
}

/// Puts all tenants to work, as many at once as the sessions of HSMs can take.
async fn open_tenants(
    custody: &Arc<Custody>,
    store: &Arc<dyn Store>,
    directory: &StoreDirectory,
) -> Result<(), ComposeError> {
    let mut opening = JoinSet::new();
    for tenant in crate::identity::Directory::tenants(directory).await? {
        while opening.len() >= TENANTS_AT_ONCE && opening.join_next().await.is_some() {}
        let (custody, store) = (Arc::clone(custody), Arc::clone(store));
        opening.spawn(async move {
            // One tenant's damage is not the others'.
            if let Err(error) = kek::open_domain(&custody, &store, tenant).await {
                tracing::error!(tenant = ?tenant.0, %error, "the keys of a tenant cannot be opened");
            }
        });
    }
    while opening.join_next().await.is_some() {}
    Ok(())
}

/// How these settings have protected KEKs kept.
fn keeping(settings: &Settings) -> Keeping {
    let (table, default) = (&settings.custody.protected, Keeping::default());
    Keeping {
        grace: table.grace_seconds.map_or(default.grace, Duration::from_secs),
        renew: table
            .renew_seconds
            .map_or(default.renew, |seconds| Duration::from_secs(seconds.max(1))),
    }
}

/// The process's source of keys, chosen before the first is made. From then on the cipher library asks it too, for blinding,
/// signature nonces and the keys that it makes itself. Founding and serving in one process share it. Where it is an HSM's, it gives nothing
/// before that is found.
fn source(rng: RngName, slab: &Slab) -> Result<(Arc<dyn Randomness>, Option<Reservoir>), ComposeError> {
    static CHOSEN: OnceLock<Option<Option<Reservoir>>> = OnceLock::new();
    let mix = match rng {
        RngName::Os => None,
        RngName::Hsm => Some(Mix::Hsm),
        RngName::OsHsm => Some(Mix::HsmAndOs),
    };
    let choose = || {
        let reservoir = mix.map(|mix| Reservoir::new(slab, mix)).transpose().ok()?;
        let source: Arc<dyn Randomness> = match &reservoir {
            Some(reservoir) => Arc::new(reservoir.clone()),
            None => Arc::new(OsRandomness::new()),
        };
        crypto::install(source).is_ok().then_some(reservoir)
    };
    let reservoir = CHOSEN.get_or_init(choose).clone().ok_or(ComposeError::Randomness)?;
    if reservoir.is_some() != mix.is_some() {
        return Err(ComposeError::Randomness);
    }
    Ok((Arc::clone(crypto::randomness()), reservoir))
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

fn outfit(settings: &Settings, slab: &Slab, randomness: &Arc<dyn Randomness>) -> Result<Outfit, ComposeError> {
    let root = match &settings.custody.root_credential {
        Some(name) => InstallationRoot::from_credential(slab, name)?,
        None => InstallationRoot::from_file(slab, &settings.root_file())?,
    };
    Ok(Outfit::new(
        benches(settings),
        root,
        slab.clone(),
        Arc::clone(randomness),
    ))
}

/// What these settings say of HSMs.
#[must_use]
pub fn benches(settings: &Settings) -> Benches {
    let folder = settings.custody.softhsm_folder.as_deref();
    Benches {
        modules: settings.custody.modules.clone(),
        environment: folder.map(token::softhsm_environment).unwrap_or_default(),
        program: None,
        keks: settings.kek_folder(),
    }
}

/// The token that an installation begins with, without its PIN.
#[must_use]
pub fn first_token(table: &TokenTable) -> TokenRecord {
    TokenRecord {
        module: table.module.clone(),
        label: table.label.clone(),
        serial: table.serial.clone(),
        sessions: table.sessions,
        deadline_ms: table.deadline_ms,
        ..TokenRecord::default()
    }
}

/// The HSM-Profile that an installation begins with: the settings' token, or key files. All others are made by its people.
fn first_profile(
    settings: &Settings,
    outfit: &Outfit,
    id: ProfileId,
    pin: Option<&Locked>,
) -> Result<ProfileRecord, ComposeError> {
    let created_ms = SystemClock::start().now().0;
    let Some(table) = &settings.custody.token else {
        return Ok(ProfileRecord {
            name: "software".to_owned(),
            created_ms,
            ..ProfileRecord::default()
        });
    };
    let mut token = first_token(table);
    token.pin = outfit.seal_pin(id, &token, pin.ok_or(ComposeError::Pin)?)?;
    let name = format!("token {}", token.label);
    Ok(ProfileRecord {
        name: if is_name(&name) { name } else { "token".to_owned() },
        token: Some(token),
        created_ms,
        ..ProfileRecord::default()
    })
}

fn private_folder(path: &std::path::Path) -> Result<(), ComposeError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|why| ComposeError::File(path.to_owned(), why))
}

/// Begins this process's stream of the change trail, after all streams that there are.
async fn start_chain(
    store: &Arc<dyn Store>,
    custody: &Custody,
    randomness: &Arc<dyn Randomness>,
    late: &LateChain,
) -> Result<(), ComposeError> {
    let start = stream_start(store, custody, randomness, TrailKind::Change).await?;
    late.begin(RatchetChain::new(TrailKind::Change, start));
    Ok(())
}

async fn access_trail(
    settings: &Settings,
    store: &Arc<dyn Store>,
    custody: &Custody,
    randomness: &Arc<dyn Randomness>,
) -> Result<Arc<dyn AccessTrail>, ComposeError> {
    let start = stream_start(store, custody, randomness, TrailKind::Access).await?;
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
    trail: TrailKind,
) -> Result<ChainStart, ComposeError> {
    let mut stream = [0; 16];
    randomness.fill(&mut stream).map_err(|_| ComposeError::Randomness)?;
    let stream = StreamId(stream);
    let key = scrub::first_key(custody, trail, stream)?;
    let previous = beginning(&mut store.trail_heads().await?);
    Ok(ChainStart::new_stream(stream, previous, key))
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
        quarantine: parts.quarantine,
        freshness: parts.freshness,
        outfit: parts.outfit,
        policies: Policies::default(),
        about: parts.about,
        streams: Arc::default(),
        outbox: parts.outbox,
        limits: parts.limits,
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
        https: settings.https_listener.as_ref().map(|https| HttpsPlace {
            uri: https.told_uri(),
            port: Some(https.address.port()).filter(|port| *port != 0),
        }),
        hardware: settings
            .people
            .require_hardware
            .iter()
            .map(|name| role(*name))
            .collect(),
        require_possession: settings.identity.require_possession,
        interop: settings.conformance.interop,
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
