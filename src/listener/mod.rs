//! Sockets: TLS with client certificates, deadlines, limits, whole messages. What a message means is the exchange's.
//!
//! A connection lives as long as its peer wants it to (clients break when a server closes idle connections early); who the
//! peer is gets asked anew for each request.

mod accept;
mod connection;
mod dialing;
mod holders;
mod http;
mod reversed;
mod session;
mod source;
mod tls;
mod verifier;

pub use accept::{Drained, Listener, Only};
pub use dialing::{DialError, DialLimits, Dialer, Link};
pub use tls::{Presented, ServerIdentity, TlsError, TlsProfile, TlsServer};

use std::net::SocketAddr;
use std::time::Duration;

/// How a listener is set up.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// Its name, for logs and for what is confined to it.
    pub name: String,
    /// Where it listens. Port 0 takes a free one.
    pub address: SocketAddr,
    /// How messages lie on its connections.
    pub carrier: Carrier,
    /// What its connections may cost.
    pub limits: Limits,
}

/// How messages lie on the connections of a listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Carrier {
    /// One after the other, in TTLV (KMIP 2.1 §10.4).
    #[default]
    Tls,
    /// In requests of HTTP, in TTLV, XML or JSON (KMIP 2.1 §10.2).
    Https,
}

/// What connections may cost. Every value is a setting; the defaults have their reasons here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at a time, handshakes included. The next one is closed at once, which its client sees clearly.
    pub connections: usize,
    /// Handshakes in flight from one address: a stranger without a certificate holds no more than this.
    pub handshakes_per_source: usize,
    /// Connections of one certificate at a time: no client takes the places of all others.
    pub connections_per_certificate: usize,
    /// From the connection to the end of the handshake.
    pub handshake: Duration,
    /// From a message's first byte to its last: a peer that trickles bytes holds its buffer no longer.
    pub message: Duration,
    /// For writing one answer: a peer that does not read holds its answer no longer.
    pub write: Duration,
    /// Between messages. Long: pools of clients keep connections for hours and take a closed one badly.
    pub idle: Duration,
    /// Bytes of a message, header included.
    pub message_length: usize,
    /// How long a shutdown waits for requests in flight.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshakes_per_source: 256,
            connections_per_certificate: 2_000,
            handshake: Duration::from_secs(10),
            message: Duration::from_secs(30),
            write: Duration::from_secs(30),
            idle: Duration::from_secs(24 * 3600),
            message_length: kmip_ttlv::limits::DEFAULT_MESSAGE_LENGTH,
            drain: Duration::from_secs(30),
        }
    }
}

/// Seconds since 1970. The listener needs it for dates of certificates only; requests get their time from the exchange.
fn unix_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|d| i64::try_from(d.as_secs()).ok()).unwrap_or(0)
}
