//! Connections that the server makes: to an address that the settings allow, whose peer shows the one certificate that is expected, with a
//! certificate of our own. One message goes out, its answer comes back, in time and no longer than is allowed.

use super::TlsProfile;
use super::tls::{Presented, TlsError};
use crate::outbox::{AllowList, address};
use kmip_protocol::tag;
use kmip_ttlv::Tag;
use kmip_ttlv::frame::Frame;
use ring::digest;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What may come back.
const EXPECTED: &[Tag] = &[tag::RESPONSE_MESSAGE];

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;

/// What an outgoing connection may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DialLimits {
    /// For looking the name up, for connecting to one address, and for the handshake: each.
    pub connect: Duration,
    /// For a peer to refuse our certificate once it has shown its own: in TLS 1.3 the handshake is over for us before that.
    pub refusal: Duration,
    /// For writing one message, and for the whole of its answer: each.
    pub answer: Duration,
    /// Bytes of an answer: one to Notify or Put has no payload.
    pub answer_length: usize,
}

impl Default for DialLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            refusal: Duration::from_secs(1),
            answer: Duration::from_secs(30),
            answer_length: 64 * 1024,
        }
    }
}

/// Why there is no connection, or no answer.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the texts say it
pub enum DialError {
    #[error("its address is none")]
    Address,
    #[error("its name cannot be looked up")]
    Name,
    #[error("the server's settings (outbox.allow) do not list its address")]
    NotAllowed,
    #[error("it cannot be connected to: {0}")]
    Connect(io::ErrorKind),
    #[error("it does not answer in time")]
    Slow,
    #[error("it shows another certificate than the one that is expected")]
    OtherCertificate,
    #[error("the handshake failed: {0}")]
    Handshake(String),
    #[error("it closed the connection")]
    Closed,
    #[error("what it answers is no answer, or too long")]
    Nonsense,
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] TlsError),
}

/// What makes connections.
pub struct Dialer {
    profile: TlsProfile,
    presented: Presented,
    limits: DialLimits,
}

/// A connection to a peer that has shown its certificate.
pub struct Link {
    stream: TlsStream<TcpStream>,
    limits: DialLimits,
}

impl Dialer {
    /// One that offers these algorithms and shows this certificate.
    #[must_use]
    pub const fn new(profile: TlsProfile, presented: Presented, limits: DialLimits) -> Self {
        Self {
            profile,
            presented,
            limits,
        }
    }

    /// Connects to a peer whose certificate has this SHA-256, at an address that the list permits. Which addresses a name has is asked each
    /// time, and the one that was judged is the one that is connected to.
    ///
    /// # Errors
    /// See [`DialError`].
    pub async fn connect(&self, place: &str, pin: [u8; 32], allowed: &AllowList) -> Result<Link, DialError> {
        let (host, port) = address::split(place).ok_or(DialError::Address)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| DialError::Address)?;
        let config = self.config(pin)?;
        let mut last = DialError::NotAllowed;
        for address in self.addresses(host, port).await? {
            if !allowed.permits(address) {
                continue;
            }
            let connected = timeout(self.limits.connect, TcpStream::connect(address)).await;
            let stream = match connected {
                Ok(Ok(stream)) => stream,
                Ok(Err(why)) => {
                    last = DialError::Connect(why.kind());
                    continue;
                }
                Err(_) => {
                    last = DialError::Slow;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let handshake = TlsConnector::from(config).connect(name, stream);
            let stream = match timeout(self.limits.connect, handshake).await {
                Ok(stream) => stream.map_err(|why| refused(&why))?,
                Err(_) => return Err(DialError::Slow),
            };
            return Ok(Link {
                stream,
                limits: self.limits,
            });
        }
        Err(last)
    }

    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = timeout(self.limits.connect, tokio::net::lookup_host((host, port))).await;
        match found {
            Ok(Ok(found)) => Ok(found.take(MOST_ADDRESSES).collect()),
            Ok(Err(_)) | Err(_) => Err(DialError::Name),
        }
    }

    fn config(&self, pin: [u8; 32]) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = self.profile.provider();
        let verifier = Pinned {
            pin,
            algorithms: provider.signature_verification_algorithms,
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|why| TlsError::Refused(why.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(self.presented.resolver());
        // Each handshake shows the certificate anew.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

impl Link {
    /// Sends one message and waits for the answer.
    ///
    /// # Errors
    /// See [`DialError`]. The connection is of no use after one.
    pub async fn ask(&mut self, message: &[u8]) -> Result<Vec<u8>, DialError> {
        let patience = self.limits.answer;
        let written = timeout(patience, async {
            self.stream.write_all(message).await?;
            self.stream.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            // In TLS 1.3 a peer refuses our certificate after the handshake.
            Ok(Err(why)) => return Err(refused(&why)),
            Err(_) => return Err(DialError::Slow),
        }
        match timeout(patience, self.answer()).await {
            Ok(answer) => answer,
            Err(_) => Err(DialError::Slow),
        }
    }

    async fn answer(&mut self) -> Result<Vec<u8>, DialError> {
        let mut frame = Frame::new(EXPECTED, self.limits.answer_length);
        loop {
            if let Some(mut message) = frame.take() {
                return Ok(core::mem::take(&mut *message));
            }
            let received = self.stream.read(frame.space()).await.map_err(|why| refused(&why))?;
            if received == 0 {
                return Err(DialError::Closed);
            }
            frame.advance(received).map_err(|_| DialError::Nonsense)?;
        }
    }

    /// Listens for a moment whether the peer ends the connection, as it does in TLS 1.3 if it refuses our certificate, or speaks unasked.
    ///
    /// # Errors
    /// See [`DialError`]. The connection is of no use after one.
    pub async fn stays(&mut self) -> Result<(), DialError> {
        let mut byte = [0];
        match timeout(self.limits.refusal, self.stream.read(&mut byte)).await {
            Err(_) => Ok(()),
            Ok(Ok(0)) => Err(DialError::Closed),
            Ok(Ok(_)) => Err(DialError::Nonsense),
            Ok(Err(why)) => Err(refused(&why)),
        }
    }

    /// Says good-bye, if the peer still listens.
    pub async fn close(mut self) {
        let _ = timeout(Duration::from_secs(2), self.stream.shutdown()).await;
    }
}

/// What a transport's failure means.
fn refused(why: &io::Error) -> DialError {
    let tls = why.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            DialError::OtherCertificate
        }
        Some(other) => DialError::Handshake(other.to_string()),
        None => DialError::Closed,
    }
}

/// Accepts the one certificate that was pinned, whoever issued it and whatever it says: its holder's key signs the handshake.
struct Pinned {
    pin: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pinned")
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if digest::digest(&digest::SHA256, end_entity.as_ref()).as_ref() == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let other = CertificateError::ApplicationVerificationFailure;
        Err(Error::InvalidCertificate(other))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
