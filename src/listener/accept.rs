//! Accepting connections, and letting them end.

use super::connection::{Connection, Ended};
use super::holders::Holders;
use super::http::HttpConnection;
use super::source::Sources;
use super::tls::TlsServer;
use super::{Carrier, ListenerSettings, unix_now};
use crate::exchange::{ConnectionFacts, Exchange, Roles, TlsFacts};
use crate::identity::{Accepted, PeerCertificate, Trust};
use rustls::{HandshakeKind, ServerConnection};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// After how much silence the kernel asks whether a peer is still there, and how often: a peer that vanished without a
/// word is found long before the idle limit.
const KEEPALIVE: Duration = Duration::from_secs(120);

/// Pause after a failure to accept (no file descriptors left): the loop must not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Numbers of connections, unique in the process.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// A bound socket that is about to serve.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    shutdown: watch::Receiver<bool>,
}

struct Shared {
    settings: ListenerSettings,
    name: Arc<str>,
    tls: TlsServer,
    trust: Arc<Trust>,
    only: Option<Only>,
    exchange: Arc<dyn Exchange>,
    sources: Arc<Sources>,
    holders: Arc<Holders>,
    room: Arc<Semaphore>,
}

/// Who connects to a listener, of all whose certificates are accepted.
#[derive(Clone)]
pub struct Only {
    /// Those whose chains lead to one of these authorities.
    pub authorities: Arc<Trust>,
    /// And those who are recognised as a person by exactly this certificate, whoever issued it.
    pub registered_people: bool,
}

impl Only {
    fn admits(&self, accepted: &Accepted, certificate: &PeerCertificate) -> Result<(), String> {
        if self.registered_people && !accepted.people.is_empty() {
            return Ok(());
        }
        let judged = self.authorities.judge(certificate.chain(), unix_now());
        judged.map(drop).map_err(|why| why.to_string())
    }
}

/// How a listener came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drained {
    /// Connections that did not end within the drain limit and were cut.
    pub cut: usize,
}

impl Listener {
    /// Binds the address. Nothing is accepted before [`Listener::run`]; `shutdown` turning true ends it.
    pub async fn bind(
        settings: ListenerSettings,
        tls: TlsServer,
        trust: Arc<Trust>,
        exchange: Arc<dyn Exchange>,
        shutdown: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(settings.address).await?;
        let address = socket.local_addr()?;
        let shared = Shared {
            name: settings.name.as_str().into(),
            room: Arc::new(Semaphore::new(settings.limits.connections.min(Semaphore::MAX_PERMITS))),
            tls: tls.carrying(settings.carrier),
            settings,
            trust,
            only: None,
            exchange,
            sources: Arc::default(),
            holders: Arc::default(),
        };
        Ok(Self {
            socket,
            address,
            shared: Arc::new(shared),
            shutdown,
        })
    }

    /// Accepts only these, of all that are accepted. For a listener that is about to run.
    #[must_use]
    pub fn only(mut self, only: Only) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.only = Some(only);
        }
        self
    }

    /// The address that was bound, with its real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until shutdown; then accepts no more, lets requests in flight finish, and returns when all connections have
    /// ended or the drain limit is reached.
    pub async fn run(mut self) -> Drained {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = self.shutdown.wait_for(|down| *down) => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer, &mut connections),
                Err(why) => {
                    tracing::warn!(listener = %self.shared.name, error = %why, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.socket);
        let drain = self.shared.settings.limits.drain;
        let all_ended = async { while connections.join_next().await.is_some() {} };
        let cut = match timeout(drain, all_ended).await {
            Ok(()) => 0,
            Err(_) => connections.len(),
        };
        connections.shutdown().await;
        Drained { cut }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, connections: &mut JoinSet<()>) {
        let Ok(room) = self.shared.room.clone().try_acquire_owned() else {
            self.shared.failed(peer, "too many connections");
            return;
        };
        let shared = self.shared.clone();
        let shutdown = self.shutdown.clone();
        connections.spawn(async move { shared.serve(stream, peer, shutdown, room).await });
    }
}

impl Shared {
    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        shutdown: watch::Receiver<bool>,
        _room: OwnedSemaphorePermit,
    ) {
        let (stream, facts) = match self.handshake(stream, peer).await {
            Ok(open) => open,
            Err(why) => return self.failed(peer, &why),
        };
        let most = self.settings.limits.connections_per_certificate;
        let Some(_held) = self.holders.hold(*facts.certificate.key_fingerprint(), most) else {
            return self.failed(peer, "too many connections of this certificate");
        };
        let number = facts.connection;
        let tls = facts.tls;
        tracing::debug!(
            listener = %self.name, connection = number, %peer, subject = facts.certificate.subject(),
            version = tls.version, cipher = tls.cipher, group = tls.group, resumed = tls.resumed, "connected"
        );
        let facts = Arc::new(facts);
        let ended = match self.settings.carrier {
            Carrier::Tls => self.messages(stream, facts, shutdown).await,
            Carrier::Https => {
                let connection = HttpConnection {
                    exchange: self.exchange.clone(),
                    facts,
                    limits: self.settings.limits,
                    shutdown,
                };
                connection.serve(stream).await
            }
        };
        match ended {
            Ended::ByPeer | Ended::Shutdown | Ended::Idle => {
                tracing::debug!(connection = number, %peer, ?ended, "disconnected");
            }
            _ => tracing::info!(listener = %self.name, connection = number, %peer, ?ended, "disconnected"),
        }
    }

    /// Serves a connection of messages, on which requests of our own go out as well.
    async fn messages(
        &self,
        stream: TlsStream<TcpStream>,
        facts: Arc<ConnectionFacts>,
        shutdown: watch::Receiver<bool>,
    ) -> Ended {
        let connection = Connection {
            exchange: self.exchange.clone(),
            facts,
            limits: self.settings.limits,
            shutdown,
        };
        connection.serve(stream).await
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Result<(TlsStream<TcpStream>, ConnectionFacts), String> {
        let limits = &self.settings.limits;
        let _in_flight = self
            .sources
            .begin(peer.ip(), limits.handshakes_per_source)
            .ok_or("too many handshakes from this address")?;
        stream.set_nodelay(true).map_err(|why| why.to_string())?;
        let keepalive = socket2::TcpKeepalive::new()
            .with_time(KEEPALIVE)
            .with_interval(KEEPALIVE);
        socket2::SockRef::from(&stream)
            .set_tcp_keepalive(&keepalive)
            .map_err(|why| why.to_string())?;
        let stream = timeout(limits.handshake, TlsAcceptor::from(self.tls.config()).accept(stream))
            .await
            .map_err(|_| "the handshake took too long")?
            .map_err(|why| why.to_string())?;
        let facts = self.facts(stream.get_ref().1, peer)?;
        Ok((stream, facts))
    }

    /// What is known of the connection. The chain is judged here too: a resumed session has seen no verifier.
    fn facts(&self, connection: &ServerConnection, peer: SocketAddr) -> Result<ConnectionFacts, String> {
        let chain = connection.peer_certificates().unwrap_or_default();
        let chain = chain.iter().map(|c| c.as_ref().to_vec()).collect();
        let certificate = PeerCertificate::read(chain).map_err(|why| why.to_string())?;
        let accepted = self.trust.judge(certificate.chain(), unix_now());
        let accepted = accepted.map_err(|why| why.to_string())?;
        if let Some(only) = &self.only {
            only.admits(&accepted, &certificate)?;
        }
        let suite = connection.negotiated_cipher_suite().map(|s| s.suite());
        let group = connection.negotiated_key_exchange_group().map(|g| g.name());
        let tls = TlsFacts {
            version: connection.protocol_version().and_then(|v| v.as_str()).unwrap_or("-"),
            cipher: suite.and_then(|s| s.as_str()).unwrap_or("-"),
            group: group.and_then(|g| g.as_str()).unwrap_or("-"),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        };
        Ok(ConnectionFacts {
            connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
            peer,
            listener: self.name.clone(),
            certificate: Arc::new(certificate),
            tls,
            // In HTTP the server cannot begin.
            roles: (self.settings.carrier == Carrier::Tls).then(Roles::default),
        })
    }

    fn failed(&self, peer: SocketAddr, why: &str) {
        if let Some(count) = self.sources.failed(peer.ip()) {
            tracing::info!(listener = %self.name, source = %peer.ip(), count, why, "a connection was refused");
        }
    }
}
