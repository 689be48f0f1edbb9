//! A server that runs: rooms, exchange, listener.

use super::{ComposeError, open, server};
use crate::courier;
use crate::exchange::{ADMIN_LISTENER, Exchange, Server, anchoring, scrubbing, timer};
use crate::identity::{AuthorityRecord, Identity, IdentityChange, Trust};
use crate::listener::{
    Carrier, DialLimits, Dialer, Drained, Limits, Listener, ListenerSettings, Only, Presented, ServerIdentity,
    TlsProfile, TlsServer,
};
use crate::settings::{AdminListenerTable, LimitsTable, ProfileName, Settings};
use crate::store::Domain;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The name of the listener for clients that speak TTLV.
const MAIN_LISTENER: &str = "main";

/// The name of the listener for HTTPS.
const HTTPS_LISTENER: &str = "https";

/// A server that accepts connections.
pub struct Running {
    /// By the names of the listeners, the first being the main one.
    addresses: Vec<(String, SocketAddr)>,
    identity: Arc<Identity>,
    tls: Vec<TlsServer>,
    shutdown: watch::Sender<bool>,
    listeners: Vec<JoinHandle<Drained>>,
    timer: JoinHandle<()>,
    scrub: JoinHandle<()>,
    courier: JoinHandle<()>,
    anchor: JoinHandle<()>,
    server: Arc<Server>,
    /// What endpoints are shown, where that is a certificate of its own.
    presented: Option<Presented>,
}

impl Running {
    /// Opens the installation and serves it.
    pub async fn start(settings: &Settings) -> Result<Self, ComposeError> {
        // Whatever is wrong with a file is said before anything is opened.
        let identities = server_identities(settings)?;
        let presented = outgoing_identity(settings)?.map(Presented::new);
        let only = settings.admin_listener.as_ref().map(authorities).transpose()?.flatten();
        let parts = open(settings).await?;
        let identity = Arc::clone(&parts.identity);
        let server = Arc::new(server(parts));
        let exchange: Arc<dyn Exchange> = server.clone();
        let (shutdown, down) = watch::channel(false);
        let (mut tls, mut listeners, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for (settings, certificate) in listener_settings(settings).into_iter().zip(identities) {
            let (profile, settings) = settings;
            let trust = Arc::clone(identity.trust());
            let one = TlsServer::new(profile.into(), certificate, Arc::clone(&trust))?;
            let (name, address) = (settings.name.clone(), settings.address);
            let bound = Listener::bind(settings, one.clone(), trust, Arc::clone(&exchange), down.clone());
            let mut listener = bound.await.map_err(|why| ComposeError::Listen(address, why))?;
            if let Some(only) = only.as_ref().filter(|_| name == ADMIN_LISTENER) {
                listener = listener.only(only.clone());
            }
            addresses.push((name, listener.address()));
            tls.push(one);
            listeners.push(listener);
        }
        let shown = presented.clone().or_else(|| tls.first().map(TlsServer::presented));
        let dialer = shown.map(|shown| dialer(settings, shown));
        let carried = dialer.map(|dialer| courier::run(Arc::clone(&server), dialer, down.clone()));
        Ok(Self {
            addresses,
            identity,
            tls,
            shutdown,
            listeners: listeners.into_iter().map(|l| tokio::spawn(l.run())).collect(),
            timer: tokio::spawn(timer::run(Arc::clone(&server), down.clone())),
            scrub: tokio::spawn(scrubbing::run(Arc::clone(&server), down.clone())),
            anchor: tokio::spawn(anchoring::run(Arc::clone(&server), down)),
            server,
            courier: tokio::spawn(async move {
                if let Some(carried) = carried {
                    carried.await;
                }
            }),
            presented,
        })
    }

    /// Where its listeners listen, by name, with the real ports. The first is the one that is always there.
    #[must_use]
    pub fn addresses(&self) -> &[(String, SocketAddr)] {
        &self.addresses
    }

    /// Presents the certificate that is in its file now, and reads authorities, revocation lists and registrations again.
    /// Connections stand.
    pub async fn reload(&self, settings: &Settings) -> Result<(), ComposeError> {
        for (tls, identity) in self.tls.iter().zip(server_identities(settings)?) {
            tls.present(identity);
        }
        if let (Some(presented), Some(identity)) = (&self.presented, outgoing_identity(settings)?) {
            presented.present(identity);
        }
        Ok(self.identity.changed(IdentityChange::All).await?)
    }

    /// Accepts no more, lets requests in flight finish, and ends. Gives how many connections had to be cut.
    pub async fn stop(self) -> usize {
        self.shutdown.send_replace(true);
        let mut cut = 0_usize;
        for listener in self.listeners {
            cut = cut.saturating_add(listener.await.map_or(0, |drained| drained.cut));
        }
        if let Err(error) = self.timer.await {
            tracing::error!(%error, "the clockwork of proposals ended badly");
        }
        if let Err(error) = self.scrub.await {
            tracing::error!(%error, "comparing records with the trail ended badly");
        }
        if let Err(error) = self.courier.await {
            tracing::error!(%error, "carrying messages to endpoints ended badly");
        }
        if let Err(error) = self.anchor.await {
            tracing::error!(%error, "keeping the anchor ended badly");
        }
        // Nobody commits any more.
        anchoring::renew(self.server.services()).await;
        cut
    }
}

/// What connects to endpoints.
fn dialer(settings: &Settings, shown: Presented) -> Arc<Dialer> {
    if !settings.outbox.allow.is_empty() && !shown.serves_clients() {
        tracing::warn!(
            "the certificate that endpoints are shown says that it is not a client's; set outbox.certificate"
        );
    }
    Arc::new(Dialer::new(
        settings.listener.profile.into(),
        shown,
        DialLimits::default(),
    ))
}

/// The certificate for connections of our own, if it is not that of the first listener.
fn outgoing_identity(settings: &Settings) -> Result<Option<ServerIdentity>, ComposeError> {
    let table = &settings.outbox;
    let pair = table.certificate.as_deref().zip(table.key.as_deref());
    pair.map(|(certificate, key)| server_identity(certificate, key))
        .transpose()
}

/// Reads what a server of these settings needs before it opens anything: an error here is one that `serve` would have.
pub fn check(settings: &Settings) -> Result<(), ComposeError> {
    server_identities(settings)?;
    outgoing_identity(settings)?;
    if !settings.database().exists() {
        return Err(ComposeError::Missing);
    }
    let mut modules = settings.custody.modules.values();
    if let Some(missing) = modules.find(|path| !path.is_file()) {
        return Err(ComposeError::Module(missing.display().to_string()));
    }
    Ok(())
}

/// The listeners: that for clients first, then that for people, if they have one.
fn listener_settings(settings: &Settings) -> Vec<(ProfileName, ListenerSettings)> {
    let main = &settings.listener;
    let one = |name: &str, address, carrier, limits: LimitsTable| ListenerSettings {
        name: name.to_owned(),
        address,
        carrier,
        limits: limits.into(),
    };
    let mut all = vec![(
        main.profile,
        one(MAIN_LISTENER, main.address, Carrier::Tls, main.limits),
    )];
    if let Some(admin) = &settings.admin_listener {
        all.push((
            admin.profile,
            one(ADMIN_LISTENER, admin.address, Carrier::Tls, admin.limits),
        ));
    }
    if let Some(https) = &settings.https_listener {
        all.push((
            https.profile,
            one(HTTPS_LISTENER, https.address, Carrier::Https, https.limits),
        ));
    }
    all
}

/// The server's certificates, in the order of the listeners.
fn server_identities(settings: &Settings) -> Result<Vec<ServerIdentity>, ComposeError> {
    let main = &settings.listener;
    let mut all = vec![server_identity(&main.certificate, &main.key)?];
    if let Some(admin) = &settings.admin_listener {
        let certificate = admin.certificate.as_ref().unwrap_or(&main.certificate);
        all.push(server_identity(certificate, admin.key.as_ref().unwrap_or(&main.key))?);
    }
    if let Some(https) = &settings.https_listener {
        let certificate = https.certificate.as_ref().unwrap_or(&main.certificate);
        all.push(server_identity(certificate, https.key.as_ref().unwrap_or(&main.key))?);
    }
    Ok(all)
}

fn server_identity(certificate: &Path, key: &Path) -> Result<ServerIdentity, ComposeError> {
    Ok(ServerIdentity::from_pem(&read(certificate)?, &read(key)?)?)
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<String>, ComposeError> {
    let text = std::fs::read_to_string(path).map(zeroize::Zeroizing::new);
    text.map_err(|why| ComposeError::File(path.to_owned(), why))
}

/// Who connects to the listener for people, if its table says so.
fn authorities(table: &AdminListenerTable) -> Result<Option<Only>, ComposeError> {
    if table.authorities.is_empty() && !table.registered_people {
        return Ok(None);
    }
    let trust = Trust::default();
    for path in &table.authorities {
        let unread = |why: String| ComposeError::File(path.clone(), std::io::Error::other(why));
        for certificate in certs::pem::certificates(&read(path)?).map_err(|why| unread(why.to_string()))? {
            let id = crate::audit::hash(&certificate);
            let record = AuthorityRecord {
                certificate,
                ..AuthorityRecord::default()
            };
            let id = id.first_chunk().copied().unwrap_or_default();
            let enrolled = trust.enroll(Domain::SYSTEM, id, &record);
            enrolled.map_err(|why| unread(why.to_string()))?;
        }
    }
    Ok(Some(Only {
        authorities: Arc::new(trust),
        registered_people: table.registered_people,
    }))
}

impl From<LimitsTable> for Limits {
    fn from(table: LimitsTable) -> Self {
        let default = Self::default();
        let seconds = |set: Option<u64>, default| set.map_or(default, Duration::from_secs);
        Self {
            connections: table.connections.unwrap_or(default.connections),
            handshakes_per_source: table.handshakes_per_source.unwrap_or(default.handshakes_per_source),
            connections_per_certificate: table
                .connections_per_certificate
                .unwrap_or(default.connections_per_certificate),
            handshake: seconds(table.handshake_seconds, default.handshake),
            message: seconds(table.message_seconds, default.message),
            write: seconds(table.write_seconds, default.write),
            idle: seconds(table.idle_seconds, default.idle),
            message_length: table.message_bytes.unwrap_or(default.message_length),
            drain: seconds(table.drain_seconds, default.drain),
        }
    }
}

impl From<ProfileName> for TlsProfile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Bsi => Self::Bsi,
            ProfileName::Interop => Self::Interop,
        }
    }
}
