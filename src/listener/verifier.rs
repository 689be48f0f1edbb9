//! Which client certificates a handshake accepts: those whose chain leads to an enrolled authority, and pinned ones.

use crate::identity::Trust;
use certs::ChainError;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::SignatureVerificationAlgorithm;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// The verifier. It sends no names of authorities: which tenants there are is nobody's business, and a client with one
/// certificate needs no hint.
pub(super) struct Verifier {
    trust: Arc<Trust>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) const fn new(trust: Arc<Trust>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { trust, algorithms }
    }
}

impl Verifier {
    /// The library does not read certificates of version 1; their keys sign like any other. Of the algorithms of the
    /// scheme, `most` may be tried: in TLS 1.3 a scheme has exactly one.
    fn or_by_key_alone(
        &self,
        verified: Result<HandshakeSignatureValid, Error>,
        most: usize,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let unread = matches!(
            verified,
            Err(Error::InvalidCertificate(
                CertificateError::BadEncoding | CertificateError::Other(_)
            ))
        );
        let scheme = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == dss.scheme);
        let Some((_, algorithms)) = scheme.filter(|_| unread) else {
            return verified;
        };
        let algorithms: Vec<&dyn SignatureVerificationAlgorithm> = algorithms.iter().take(most).copied().collect();
        match certs::verify_signature(cert.as_ref(), &algorithms, message, dss.signature()) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(why) => Err(Error::InvalidCertificate(translate(why))),
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<&[u8]> = core::iter::once(end_entity.as_ref())
            .chain(intermediates.iter().map(AsRef::as_ref))
            .collect();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        match self.trust.judge(&chain, now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(why) => Err(Error::InvalidCertificate(translate(why))),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls12_signature(message, cert, dss, &self.algorithms);
        self.or_by_key_alone(verified, usize::MAX, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls13_signature(message, cert, dss, &self.algorithms);
        self.or_by_key_alone(verified, 1, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The alert that tells the peer what to look at.
fn translate(error: ChainError) -> CertificateError {
    match error {
        ChainError::Expired => CertificateError::Expired,
        ChainError::NotYetValid => CertificateError::NotValidYet,
        ChainError::UnknownIssuer => CertificateError::UnknownIssuer,
        ChainError::Revoked => CertificateError::Revoked,
        ChainError::RevocationList => CertificateError::UnknownRevocationStatus,
        ChainError::WrongUsage | ChainError::WrongRole => CertificateError::InvalidPurpose,
        ChainError::Signature => CertificateError::BadSignature,
        ChainError::Malformed | ChainError::Length => CertificateError::BadEncoding,
        ChainError::Constraint => CertificateError::ApplicationVerificationFailure,
    }
}
