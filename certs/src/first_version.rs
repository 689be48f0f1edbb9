//! X.509 version 1 end entities. OpenSSL's command line still makes them when it is given no extensions, and clients in
//! the field have them; webpki does not read them. Without extensions there is little to judge: issuer, signature, dates
//! and revocation, directly under the authority.

use crate::chain::{ChainError, Judgement, StaleList, TrustedAuthority};
use crate::facts::CertificateFacts;
use crate::revocation::{RevocationList, Revocations};
use openssl::pkey::PKey;
use openssl::x509::X509;

/// Signature algorithms that are accepted, as for other certificates: RSA (PKCS#1 and PSS) and ECDSA with SHA-2, Ed25519.
pub(crate) const SIGNATURES: &[&str] = &[
    "1.2.840.113549.1.1.11",
    "1.2.840.113549.1.1.12",
    "1.2.840.113549.1.1.13",
    "1.2.840.113549.1.1.10",
    "1.2.840.10045.4.3.2",
    "1.2.840.10045.4.3.3",
    "1.2.840.10045.4.3.4",
    "1.3.101.112",
];

/// The fewest bits of an RSA key, as webpki has it.
const RSA_BITS: u32 = 2048;

/// The object identifier of RSA keys.
const RSA: &str = "1.2.840.113549.1.1.1";

/// Judges an end entity of version 1.
pub(crate) fn judge(
    leaf: &[u8],
    facts: &CertificateFacts,
    authority: &TrustedAuthority,
    revocations: Revocations<'_>,
    now: i64,
) -> Result<Judgement, ChainError> {
    if facts.issuer_der != authority.facts.subject_der {
        return Err(ChainError::UnknownIssuer);
    }
    // Who bounded the names that an authority may give bounded those that a version 1 certificate cannot show.
    if authority.constrains_names() {
        return Err(ChainError::Constraint);
    }
    let key = PKey::public_key_from_der(&authority.facts.public_key.info).map_err(|_| ChainError::Signature)?;
    let signed = X509::from_der(leaf).and_then(|leaf| leaf.verify(&key));
    let accepted = SIGNATURES.contains(&facts.signature_algorithm.as_str());
    let rsa = &facts.public_key;
    let strong = rsa.algorithm != RSA || rsa.bits.is_some_and(|bits| bits >= RSA_BITS);
    if !accepted || !strong || !signed.unwrap_or(false) {
        return Err(ChainError::Signature);
    }
    crate::chain::within(facts.not_before, facts.not_after, now)?;
    let mut not_after = facts.not_after.min(authority.facts.not_after);
    for list in revocations.of(&[&authority.facts]) {
        if let Some(due) = check_list(list, facts, authority, revocations.stale, now)? {
            not_after = not_after.min(due);
        }
    }
    Ok(Judgement { not_after })
}

/// Looks into a revocation list in the authority's name. Gives when the next one is due, if that bounds the judgement.
fn check_list(
    list: &RevocationList,
    facts: &CertificateFacts,
    authority: &TrustedAuthority,
    stale: StaleList,
    now: i64,
) -> Result<Option<i64>, ChainError> {
    if !list.is_by(&authority.facts) {
        return Err(ChainError::RevocationList);
    }
    if list.revokes(&facts.serial) {
        return Err(ChainError::Revoked);
    }
    if stale == StaleList::Accept {
        return Ok(None);
    }
    match list.next_update {
        Some(due) if now > due => Err(ChainError::RevocationList),
        due => Ok(due),
    }
}
