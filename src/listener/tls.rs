//! The TLS profiles, and the server's own certificate, which can be exchanged while connections stand.

use super::Carrier;
use super::http::ALPN;
use super::session::Sessions;
use super::verifier::Verifier;
use crate::identity::Trust;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::{cipher_suite as suite, default_provider, kx_group as group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SignatureScheme, SupportedCipherSuite};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Which algorithms a listener offers. TLS 1.3 and 1.2 in both, since databases in the field need 1.2; its suites are
/// ECDHE with AES-GCM only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TlsProfile {
    /// After BSI TR-02102-2: hybrid and NIST groups, AES-GCM.
    #[default]
    Bsi,
    /// The same, X25519 (hybrid and alone) first, and ChaCha20-Poly1305.
    Interop,
}

impl TlsProfile {
    /// The name in settings and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bsi => "bsi",
            Self::Interop => "interop",
        }
    }

    fn groups(self) -> Vec<&'static dyn SupportedKxGroup> {
        let nist = [group::SECP256R1MLKEM768, group::SECP384R1, group::SECP256R1];
        match self {
            Self::Bsi => nist.to_vec(),
            Self::Interop => [group::X25519MLKEM768, group::X25519].into_iter().chain(nist).collect(),
        }
    }

    fn suites(self) -> Vec<SupportedCipherSuite> {
        let mut suites = vec![
            suite::TLS13_AES_256_GCM_SHA384,
            suite::TLS13_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ];
        if self == Self::Interop {
            suites.push(suite::TLS13_CHACHA20_POLY1305_SHA256);
            suites.push(suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256);
            suites.push(suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256);
        }
        suites
    }

    /// The provider that offers what this profile allows and nothing else.
    #[must_use]
    pub fn provider(self) -> CryptoProvider {
        CryptoProvider {
            cipher_suites: self.suites(),
            kx_groups: self.groups(),
            ..default_provider()
        }
    }
}

/// Why TLS cannot be set up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TlsError {
    /// Certificate or key cannot be read.
    #[error("the server's certificate or key cannot be read: {0}")]
    Certificate(#[from] certs::Error),
    /// They do not fit together, or the library refuses them.
    #[error("the server's certificate and key cannot be used: {0}")]
    Refused(String),
}

/// The server's certificate with its chain and key.
pub struct ServerIdentity {
    certified: CertifiedKey,
}

impl ServerIdentity {
    /// Reads certificate chain (end entity first) and key in PEM.
    pub fn from_pem(certificates: &str, key: &str) -> Result<Self, TlsError> {
        let chain = certs::pem::certificates(certificates)?;
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let key = certs::pem::private_key(key)?;
        let key = PrivateKeyDer::try_from(key.as_slice()).map_err(|why| TlsError::Refused(why.to_owned()))?;
        let refused = |why: rustls::Error| TlsError::Refused(why.to_string());
        let key = default_provider()
            .key_provider
            .load_private_key(key.clone_key())
            .map_err(refused)?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(refused)?;
        Ok(Self { certified })
    }
}

/// TLS as one or more listeners use it. Cheap to clone.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    certificate: Arc<Certificate>,
}

impl TlsServer {
    /// TLS by this profile, with this certificate, for peers that this trust accepts.
    pub fn new(profile: TlsProfile, identity: ServerIdentity, trust: Arc<Trust>) -> Result<Self, TlsError> {
        let provider = profile.provider();
        let verifier = Verifier::new(trust, provider.signature_verification_algorithms);
        let certificate = Arc::new(Certificate {
            current: RwLock::new(Arc::new(identity.certified)),
        });
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|why| TlsError::Refused(why.to_string()))?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(certificate.clone());
        config.session_storage = Arc::new(Sessions::default());
        // A session is good for one resumption, and each resumption brings the next: one ticket is enough.
        config.send_tls13_tickets = 1;
        config.max_early_data_size = 0;
        config.ignore_client_order = true;
        Ok(Self {
            config: Arc::new(config),
            certificate,
        })
    }

    /// The same for connections that carry messages so: those who offer protocols are told which one it is (RFC 7301).
    pub(super) fn carrying(mut self, carrier: Carrier) -> Self {
        if carrier == Carrier::Https {
            Arc::make_mut(&mut self.config).alpn_protocols = ALPN.iter().map(|name| name.to_vec()).collect();
        }
        self
    }

    /// Presents another certificate from the next handshake on.
    pub fn present(&self, identity: ServerIdentity) {
        let mut current = self.certificate.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(identity.certified);
    }

    /// The certificate that it presents, to be shown by connections of our own as well.
    #[must_use]
    pub fn presented(&self) -> Presented {
        Presented(self.certificate.clone())
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

/// What connections of our own show. Cheap to clone.
#[derive(Clone)]
pub struct Presented(Arc<Certificate>);

impl Presented {
    /// This certificate.
    #[must_use]
    pub fn new(identity: ServerIdentity) -> Self {
        Self(Arc::new(Certificate {
            current: RwLock::new(Arc::new(identity.certified)),
        }))
    }

    /// Another one from the next handshake on.
    pub fn present(&self, identity: ServerIdentity) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity.certified);
    }

    /// Whether peers that read it will take it from a client: it does not say what it is for, or says so (RFC 5280 §4.2.1.12).
    #[must_use]
    pub fn serves_clients(&self) -> bool {
        let current = self.0.current();
        let usages = current
            .cert
            .first()
            .and_then(|one| certs::CertificateFacts::read(one).ok());
        let usages = usages.and_then(|facts| facts.extended_key_usages);
        usages.is_none_or(|usages| usages.client || usages.any)
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        self.0.clone()
    }
}

struct Certificate {
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    fn current(&self) -> Arc<CertifiedKey> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesClientCert for Certificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}
