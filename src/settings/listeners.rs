//! How listeners are set up.

use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[listener]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerTable {
    /// Address and port.
    pub address: SocketAddr,
    /// The server's certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// `bsi` or `interop`.
    #[serde(default)]
    pub profile: ProfileName,
    /// What connections may cost.
    #[serde(default)]
    pub limits: LimitsTable,
}

/// `[admin_listener]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminListenerTable {
    /// Address and port.
    pub address: SocketAddr,
    /// The server's certificate chain, PEM; that of `listener` unless set.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// `bsi` or `interop`.
    #[serde(default)]
    pub profile: ProfileName,
    /// Files of certificates, PEM: only chains to one of these connect. All that are enrolled, if there is none.
    #[serde(default)]
    pub authorities: Vec<PathBuf>,
    /// Whether exactly the certificates that people have registered connect as well, whoever issued them: those that people made for
    /// themselves too.
    #[serde(default)]
    pub registered_people: bool,
    /// What connections may cost.
    #[serde(default)]
    pub limits: LimitsTable,
}

/// `[https_listener]`: messages in requests of HTTP, in TTLV, XML or JSON.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpsListenerTable {
    /// Address and port.
    pub address: SocketAddr,
    /// The server's certificate chain, PEM; that of `listener` unless set.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Where clients find it, as Query tells them; by its address unless set.
    pub uri: Option<String>,
    /// `bsi` or `interop`.
    #[serde(default)]
    pub profile: ProfileName,
    /// What connections may cost.
    #[serde(default)]
    pub limits: LimitsTable,
}

/// Where messages are posted to.
const PATH: &str = "/kmip";

/// Characters of a URI that clients are told.
const LONGEST_URI: usize = 255;

impl HttpsListenerTable {
    /// Where clients find it. An address that stands for all of a host's says nothing to them, nor does a port that is not chosen yet.
    #[must_use]
    pub fn told_uri(&self) -> Option<String> {
        let is_reached = !self.address.ip().is_unspecified() && self.address.port() != 0;
        let own = is_reached.then(|| format!("https://{}{PATH}", self.address));
        self.uri.clone().or(own)
    }

    /// Whether its URI is none of HTTPS.
    pub(super) fn misnames(&self) -> bool {
        let is_fine = |uri: &String| {
            uri.starts_with("https://") && uri.len() <= LONGEST_URI && uri.bytes().all(|byte| byte.is_ascii_graphic())
        };
        self.uri.as_ref().is_some_and(|uri| !is_fine(uri))
    }
}

/// The names of TLS profiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProfileName {
    /// After BSI TR-02102-2.
    #[default]
    Bsi,
    /// For clients that cannot do that.
    Interop,
}

/// `[listener.limits]`; see `listener::Limits` for the reasons. Times in seconds.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // named and explained in `listener::Limits`
pub struct LimitsTable {
    pub connections: Option<usize>,
    pub handshakes_per_source: Option<usize>,
    pub connections_per_certificate: Option<usize>,
    pub handshake_seconds: Option<u64>,
    pub message_seconds: Option<u64>,
    pub write_seconds: Option<u64>,
    pub idle_seconds: Option<u64>,
    pub message_bytes: Option<usize>,
    pub drain_seconds: Option<u64>,
}

impl LimitsTable {
    pub(super) fn let_nobody_in(&self) -> bool {
        let none = [
            self.connections,
            self.handshakes_per_source,
            self.connections_per_certificate,
        ];
        none.contains(&Some(0)) || self.message_bytes.is_some_and(|bytes| bytes < 1024)
    }
}
