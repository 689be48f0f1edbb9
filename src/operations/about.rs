//! What a server says of itself: how it was set up, as Server Status tells it and Login asks it.

use kmip_protocol::PersonRole;

/// Where messages are carried by HTTPS (KMIP Additional Message Encodings).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpsPlace {
    /// Where clients find it, if that is known.
    pub uri: Option<String>,
    /// Its port, if it was chosen beforehand.
    pub port: Option<u16>,
}

/// How a server was set up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// Whether it is a demonstration, in which one person holds everybody's keys.
    pub demo: bool,
    /// The profile of its TLS.
    pub tls_profile: String,
    /// The engine of its store.
    pub store: String,
    /// When it was started, in milliseconds since 1970.
    pub started_ms: i64,
    /// Whether people have a listener of their own, and are strangers at every other.
    pub admin_listener: bool,
    /// Where messages are carried by HTTPS, if they are.
    pub https: Option<HttpsPlace>,
    /// The roles whose people must show a key that is in hardware.
    pub hardware: Vec<PersonRole>,
    /// Whether keys of clients and people are registered only with a proof of possession.
    pub require_possession: bool,
    /// Whether the Interop operation exists: in conformance runs only.
    pub interop: bool,
}

impl About {
    /// Whether somebody of this role logs in only with a key that is in hardware.
    #[must_use]
    pub fn requires_hardware(&self, role: PersonRole) -> bool {
        self.hardware.contains(&role)
    }
}
