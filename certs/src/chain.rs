//! Judging a chain: signature, validity, basic constraints, extended key usage, name constraints, revocation (RFC 5280
//! §6), by the library that the TLS handshake uses.

use crate::error::{Error, Result};
use crate::facts::CertificateFacts;
use crate::first_version;
use crate::revocation::Revocations;
use pki_types::{CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime};
use std::time::Duration;
use thiserror::Error as ThisError;
use webpki::{CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage};
use webpki::{RawPublicKeyEntity, RevocationOptionsBuilder, UnknownStatusPolicy};

/// Certificates that a peer may send: end entity and intermediates. More are refused before any is looked at.
pub const MAX_CHAIN_LENGTH: usize = 8;

/// What the end entity acts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A TLS client.
    Client,
    /// A TLS server.
    Server,
}

/// What to do with a revocation list whose next one is overdue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StaleList {
    /// It goes on to hold: who is revoked stays revoked, the others may enter.
    #[default]
    Accept,
    /// Nobody enters until there is a newer one.
    Refuse,
}

/// Why a chain was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ThisError)]
pub enum ChainError {
    /// A certificate cannot be read, or has a critical extension that is not known here.
    #[error("a certificate of the chain cannot be read")]
    Malformed,
    /// Nobody sent a certificate, or more than [`MAX_CHAIN_LENGTH`].
    #[error("no certificate, or too many")]
    Length,
    /// A certificate's validity is over.
    #[error("a certificate of the chain has expired")]
    Expired,
    /// A certificate's validity has not begun.
    #[error("a certificate of the chain is not valid yet")]
    NotYetValid,
    /// The chain does not lead to this authority.
    #[error("the chain does not lead to a trusted authority")]
    UnknownIssuer,
    /// A signature is wrong, or by an algorithm that is not accepted.
    #[error("a signature of the chain is wrong or by an algorithm that is not accepted")]
    Signature,
    /// The end entity may not act as what it acts as.
    #[error("the certificate's extended key usage forbids its use")]
    WrongUsage,
    /// An authority's certificate stands where an end entity's belongs, or the other way round.
    #[error("an authority's and an end entity's certificate are confused")]
    WrongRole,
    /// Name or path-length constraints forbid the chain.
    #[error("the chain violates a constraint of an authority")]
    Constraint,
    /// A certificate is revoked.
    #[error("a certificate of the chain is revoked")]
    Revoked,
    /// The revocation list is overdue or cannot be believed.
    #[error("the revocation list is overdue or cannot be believed")]
    RevocationList,
}

/// An authority that is trusted, read once.
#[derive(Debug)]
pub struct TrustedAuthority {
    /// What its certificate says.
    pub facts: CertificateFacts,
    anchor: TrustAnchor<'static>,
}

impl TrustedAuthority {
    /// Trusts the authority with this certificate (DER).
    pub fn new(certificate: &[u8]) -> Result<Self> {
        let facts = CertificateFacts::read(certificate)?;
        if !facts.is_authority {
            return Err(Error::NotAuthority);
        }
        let der = CertificateDer::from(certificate);
        let anchor = webpki::anchor_from_trusted_cert(&der).map_err(|_| Error::Certificate)?;
        Ok(Self {
            facts,
            anchor: anchor.to_owned(),
        })
    }

    /// Whether it bounds the names that it may give.
    pub(crate) const fn constrains_names(&self) -> bool {
        self.anchor.name_constraints.is_some()
    }
}

/// A chain that was found good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// The last second in which the whole chain is valid; where overdue lists are refused, the lists too.
    pub not_after: i64,
}

/// Judges a chain (DER, end entity first) at a time against one authority.
pub fn judge(
    chain: &[impl AsRef<[u8]>],
    authority: &TrustedAuthority,
    revocations: Revocations<'_>,
    now: i64,
    purpose: Purpose,
) -> core::result::Result<Judgement, ChainError> {
    let (leaf, intermediates) = chain.split_first().ok_or(ChainError::Length)?;
    if chain.len() > MAX_CHAIN_LENGTH {
        return Err(ChainError::Length);
    }
    // Webpki believes an anchor without looking at its dates.
    within(authority.facts.not_before, authority.facts.not_after, now)?;
    let leaf_der = CertificateDer::from(leaf.as_ref());
    let leaf = match EndEntityCert::try_from(&leaf_der) {
        Err(webpki::Error::UnsupportedCertVersion) => {
            let facts = CertificateFacts::read(leaf.as_ref()).map_err(|_| ChainError::Malformed)?;
            return first_version::judge(leaf.as_ref(), &facts, authority, revocations, now);
        }
        leaf => leaf.map_err(translate)?,
    };
    let between: Vec<_> = intermediates
        .iter()
        .filter_map(|c| CertificateFacts::read(c.as_ref()).ok())
        .collect();
    let intermediates: Vec<_> = intermediates.iter().map(|c| CertificateDer::from(c.as_ref())).collect();
    let above: Vec<_> = core::iter::once(&authority.facts).chain(&between).collect();
    let concerned = revocations.of(&above);
    let lists: Vec<&CertRevocationList<'_>> = concerned.iter().map(|l| &l.list).collect();
    let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
        let expiration = match revocations.stale {
            StaleList::Accept => ExpirationPolicy::Ignore,
            StaleList::Refuse => ExpirationPolicy::Enforce,
        };
        options
            .with_status_policy(UnknownStatusPolicy::Allow)
            .with_expiration_policy(expiration)
            .build()
    });
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).unwrap_or(0)));
    let usage = match purpose {
        Purpose::Client => KeyUsage::client_auth(),
        Purpose::Server => KeyUsage::server_auth(),
    };
    let anchors = core::slice::from_ref(&authority.anchor);
    let path = leaf
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            anchors,
            &intermediates,
            time,
            usage,
            revocation,
            None,
        )
        .map_err(translate)?;
    let mut not_after = authority.facts.not_after;
    if revocations.stale == StaleList::Refuse {
        let due = concerned.iter().filter_map(|l| l.next_update).min();
        not_after = due.map_or(not_after, |due| not_after.min(due));
    }
    let on_path = path.intermediate_certificates().map(webpki::Cert::der);
    for der in on_path.chain(core::iter::once(leaf_der.clone())) {
        let facts = CertificateFacts::read(der.as_ref()).map_err(|_| ChainError::Malformed)?;
        not_after = not_after.min(facts.not_after);
    }
    Ok(Judgement { not_after })
}

/// Judges a certificate that is trusted by itself, exactly: its dates, and its usage if it names one.
pub fn judge_pinned(
    facts: &CertificateFacts,
    now: i64,
    purpose: Purpose,
) -> core::result::Result<Judgement, ChainError> {
    within(facts.not_before, facts.not_after, now)?;
    if let Some(usages) = facts.extended_key_usages {
        let named = match purpose {
            Purpose::Client => usages.client,
            Purpose::Server => usages.server,
        };
        if !named && !usages.any {
            return Err(ChainError::WrongUsage);
        }
    }
    Ok(Judgement {
        not_after: facts.not_after,
    })
}

pub(crate) const fn within(not_before: i64, not_after: i64, now: i64) -> core::result::Result<(), ChainError> {
    if now < not_before {
        return Err(ChainError::NotYetValid);
    }
    if now > not_after {
        return Err(ChainError::Expired);
    }
    Ok(())
}

fn translate(error: webpki::Error) -> ChainError {
    use webpki::Error as E;
    match error {
        E::CertExpired { .. } | E::InvalidCertValidity => ChainError::Expired,
        E::CertNotValidYet { .. } => ChainError::NotYetValid,
        E::UnknownIssuer => ChainError::UnknownIssuer,
        E::CertRevoked => ChainError::Revoked,
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => ChainError::WrongUsage,
        E::CaUsedAsEndEntity | E::EndEntityUsedAsCa => ChainError::WrongRole,
        E::NameConstraintViolation
        | E::PathLenConstraintViolated
        | E::MalformedNameConstraint
        | E::InvalidNetworkMaskConstraint
        | E::MaximumNameConstraintComparisonsExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumPathDepthExceeded
        | E::MaximumSignatureChecksExceeded => ChainError::Constraint,
        E::InvalidSignatureForPublicKey
        | E::SignatureAlgorithmMismatch
        | E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => ChainError::Signature,
        E::CrlExpired { .. }
        | E::InvalidCrlSignatureForPublicKey
        | E::InvalidCrlNumber
        | E::IssuerNotCrlSigner
        | E::UnknownRevocationStatus
        | E::UnsupportedCrlVersion
        | E::UnsupportedDeltaCrl
        | E::UnsupportedIndirectCrl
        | E::UnsupportedCrlIssuingDistributionPoint
        | E::UnsupportedRevocationReason
        | E::UnsupportedRevocationReasonsPartitioning
        | E::UnsupportedCrlSignatureAlgorithmContext(_)
        | E::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => ChainError::RevocationList,
        _ => ChainError::Malformed,
    }
}

/// Checks a signature by the key of a certificate, of whichever version: the first of the algorithms that fits the key
/// decides.
pub fn verify_signature(
    certificate: &[u8],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    message: &[u8],
    signature: &[u8],
) -> core::result::Result<(), ChainError> {
    let facts = CertificateFacts::read(certificate).map_err(|_| ChainError::Malformed)?;
    verify(&facts.public_key.info, algorithms, message, signature)
}

fn verify(
    key_info: &[u8],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    message: &[u8],
    signature: &[u8],
) -> core::result::Result<(), ChainError> {
    let info = SubjectPublicKeyInfoDer::from(key_info);
    let key = RawPublicKeyEntity::try_from(&info).map_err(translate)?;
    for algorithm in algorithms {
        match key.verify_signature(*algorithm, message, signature) {
            Err(webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {}
            verified => return verified.map_err(translate),
        }
    }
    Err(ChainError::Signature)
}

/// The algorithms of [`verify_by_holder`]. For each kind of key that certificates here have there is one.
const HOLDER_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::aws_lc_rs::ECDSA_P256_SHA256,
    webpki::aws_lc_rs::ECDSA_P384_SHA384,
    webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    webpki::aws_lc_rs::ED25519,
];

/// Checks a signature by the holder of a certificate over a message: ECDSA (DER) on P-256 with SHA-256 or on P-384 with SHA-384, RSA
/// PSS with SHA-256 and at least 2048 bits, or Ed25519. Nothing is said about the certificate itself.
pub fn verify_by_holder(certificate: &[u8], message: &[u8], signature: &[u8]) -> core::result::Result<(), ChainError> {
    verify_signature(certificate, HOLDER_ALGORITHMS, message, signature)
}

/// The same by the holder of a key, given as its SubjectPublicKeyInfo (DER).
pub fn verify_by_key(key_info: &[u8], message: &[u8], signature: &[u8]) -> core::result::Result<(), ChainError> {
    verify(key_info, HOLDER_ALGORITHMS, message, signature)
}
