//! A server that runs: rooms, exchange, listener.

use super::{ComposeError, open, server};
use crate::identity::{Identity, IdentityChange};
use crate::listener::{Drained, Limits, Listener, ListenerSettings, ServerIdentity, TlsProfile, TlsServer};
use crate::settings::{LimitsTable, ProfileName, Settings};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A server that accepts connections.
pub struct Running {
    address: SocketAddr,
    identity: Arc<Identity>,
    tls: TlsServer,
    shutdown: watch::Sender<bool>,
    listener: JoinHandle<Drained>,
}

impl Running {
    /// Opens the installation and serves it.
    pub async fn start(settings: &Settings) -> Result<Self, ComposeError> {
        let certificate = server_identity(settings)?;
        let parts = open(settings).await?;
        let identity = Arc::clone(&parts.identity);
        let trust = Arc::clone(identity.trust());
        let tls = TlsServer::new(settings.listener.profile.into(), certificate, Arc::clone(&trust))?;
        let (shutdown, down) = watch::channel(false);
        let table = &settings.listener;
        let listener = ListenerSettings {
            name: "main".to_owned(),
            address: table.address,
            limits: table.limits.into(),
        };
        let exchange = Arc::new(server(parts));
        let listener = Listener::bind(listener, tls.clone(), trust, exchange, down);
        let listener = listener.await.map_err(|why| ComposeError::Listen(table.address, why))?;
        Ok(Self {
            address: listener.address(),
            identity,
            tls,
            shutdown,
            listener: tokio::spawn(listener.run()),
        })
    }

    /// The address that it serves, with the real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Presents the certificate that is in its file now, and reads authorities, revocation lists and registrations again.
    /// Connections stand.
    pub async fn reload(&self, settings: &Settings) -> Result<(), ComposeError> {
        self.tls.present(server_identity(settings)?);
        Ok(self.identity.changed(IdentityChange::All).await?)
    }

    /// Accepts no more, lets requests in flight finish, and ends. Gives how many connections had to be cut.
    pub async fn stop(self) -> usize {
        self.shutdown.send_replace(true);
        self.listener.await.map_or(0, |drained| drained.cut)
    }
}

/// Reads what a server of these settings needs before it opens anything: an error here is one that `serve` would have.
pub fn check(settings: &Settings) -> Result<(), ComposeError> {
    server_identity(settings)?;
    if !settings.database().exists() {
        return Err(ComposeError::Missing);
    }
    if let Some(table) = &settings.custody.token {
        super::token_settings(table)?;
    }
    Ok(())
}

fn server_identity(settings: &Settings) -> Result<ServerIdentity, ComposeError> {
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).map(zeroize::Zeroizing::new);
        text.map_err(|why| ComposeError::File(path.to_owned(), why))
    };
    let (certificate, key) = (read(&settings.listener.certificate)?, read(&settings.listener.key)?);
    Ok(ServerIdentity::from_pem(&certificate, &key)?)
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
