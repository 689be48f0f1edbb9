//! Whether a chain of certificates holds at a time, for whatever it is used: signatures, dates, basic constraints, path lengths,
//! revocation by the lists at hand (RFC 5280 §6), by OpenSSL, which reads what the handshake's library does not.

use crate::error::{Error, Result};
use crate::facts::CertificateFacts;
use crate::revocation::{PooledList, is_revoked};
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509StoreContext};

/// 80 bits of security: no MD5, no SHA-1, no RSA below 1024 bits.
const LEVEL: i32 = 1;

/// What is known of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It holds, and leads to an authority that is trusted.
    Valid,
    /// It does not hold.
    Invalid,
    /// It holds as far as it goes, and leads to nobody who is trusted.
    Unknown,
}

/// Judges the certificates (DER) of one chain, in any order, at a time in seconds since 1970.
///
/// # Errors
/// [`Error::Certificate`] if one of them cannot be read, or they are not one chain: not all are above one of them.
pub fn validate(given: &[Vec<u8>], trusted: &[Vec<u8>], lists: &[PooledList], now: i64) -> Result<Standing> {
    let facts: Vec<_> = given
        .iter()
        .map(|der| CertificateFacts::read(der))
        .collect::<Result<_>>()?;
    let chain = order(&facts).ok_or(Error::Certificate)?;
    let ordered: Vec<&Vec<u8>> = chain.iter().filter_map(|place| given.get(*place)).collect();
    let top = ordered.last().ok_or(Error::Certificate)?;
    // What cannot be read among those trusted is trusted by nobody.
    let anchors: Vec<_> = trusted
        .iter()
        .filter_map(|der| CertificateFacts::read(der).ok())
        .collect();
    let known: Vec<_> = facts.iter().chain(&anchors).collect();
    // One that is revoked by an authority above it is trusted by nobody, and nobody below it.
    let is_out = |der: &&Vec<u8>| {
        let facts = CertificateFacts::read(der);
        facts.is_ok_and(|of| is_revoked(der, &of, lists, known.iter().copied()))
    };
    let (out, trusted): (Vec<&Vec<u8>>, Vec<&Vec<u8>>) = trusted.iter().partition(is_out);
    let revoked = |place: &usize| {
        let certificate = given.get(*place).zip(facts.get(*place));
        certificate.is_some_and(|(der, of)| is_revoked(der, of, lists, known.iter().copied()))
    };
    if chain.iter().any(revoked) {
        return Ok(Standing::Invalid);
    }
    let library = |_: ErrorStack| Error::Cryptography;
    if holds(&ordered, &trusted, now).map_err(library)? {
        return Ok(Standing::Valid);
    }
    if holds(&ordered, &out, now).map_err(library)? {
        return Ok(Standing::Invalid);
    }
    // With its own end taken for granted: whether it is only that nobody knows who that is.
    let alone = holds(&ordered, core::slice::from_ref(top), now).map_err(library)?;
    let unknown = !trusted.contains(top) && alone;
    Ok(if unknown { Standing::Unknown } else { Standing::Invalid })
}

/// The places of the certificates from the end entity upwards, by their names.
fn order(facts: &[CertificateFacts]) -> Option<Vec<usize>> {
    let above = |of: usize| {
        let issuer = &facts.get(of)?.issuer_der;
        (0..facts.len()).find(|other| *other != of && facts.get(*other).is_some_and(|f| f.subject_der == *issuer))
    };
    let starts = (0..facts.len()).filter(|place| !(0..facts.len()).any(|other| above(other) == Some(*place)));
    // A self-signed certificate beside its issuer's other certificates has nobody above it, and is not below itself.
    for start in starts {
        let mut chain = vec![start];
        while let Some(next) = chain.last().and_then(|last| above(*last)) {
            if chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
        if chain.len() == facts.len() {
            return Some(chain);
        }
    }
    None
}

fn holds(chain: &[&Vec<u8>], anchors: &[&Vec<u8>], now: i64) -> core::result::Result<bool, ErrorStack> {
    let Some((leaf, above)) = chain.split_first() else {
        return Ok(false);
    };
    let mut between = Stack::new()?;
    for der in above {
        between.push(X509::from_der(der)?)?;
    }
    let store = store(anchors, now)?;
    let mut context = X509StoreContext::new()?;
    context.init(&store, X509::from_der(leaf)?.as_ref(), &between, |context| {
        context.verify_cert()
    })
}

fn store(anchors: &[&Vec<u8>], now: i64) -> core::result::Result<X509Store, ErrorStack> {
    let mut parameters = X509VerifyParam::new()?;
    parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    parameters.set_time(now);
    parameters.set_auth_level(LEVEL);
    let mut builder = X509StoreBuilder::new()?;
    builder.set_param(&parameters)?;
    for der in anchors {
        if let Ok(certificate) = X509::from_der(der) {
            builder.add_cert(certificate)?;
        }
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CertificateAuthority, KeyKind, Leaf, Revocation, RevocationList, RevocationReason, Subject, Usage, Validity,
        pool,
    };
    use std::sync::Arc;

    const NOW: i64 = 1_700_000_000;

    fn leaf(ca: &CertificateAuthority, name: &str) -> Vec<u8> {
        let leaf = Leaf {
            subject: Subject::named(name),
            alternative_names: Vec::new(),
            usage: Usage::Server,
            validity: Validity::days(NOW, 10),
        };
        ca.issue(&leaf, KeyKind::P256).unwrap().0
    }

    fn authority(name: &str) -> CertificateAuthority {
        CertificateAuthority::create(&Subject::named(name), Validity::days(NOW, 100), KeyKind::P256).unwrap()
    }

    #[test]
    fn a_chain_is_judged_in_any_order() {
        let root = authority("root");
        let below = root
            .create_subordinate(&Subject::named("below"), Validity::days(NOW, 50), KeyKind::P256)
            .unwrap();
        let [leaf, middle, top] = [
            leaf(&below, "leaf"),
            below.certificate().to_vec(),
            root.certificate().to_vec(),
        ];
        let all = [middle.clone(), top.clone(), leaf.clone()];
        let stand = |given: &[Vec<u8>], trusted: &[Vec<u8>]| validate(given, trusted, &[], NOW).unwrap();
        assert_eq!(stand(&all, std::slice::from_ref(&top)), Standing::Valid);
        assert_eq!(
            stand(std::slice::from_ref(&leaf), std::slice::from_ref(&middle)),
            Standing::Valid
        );
        assert_eq!(stand(&all, &[]), Standing::Unknown);
        assert_eq!(
            stand(std::slice::from_ref(&leaf), std::slice::from_ref(&top)),
            Standing::Unknown
        );
        for moment in [NOW - 1_000, NOW + 11 * 86_400] {
            assert_eq!(
                validate(&all, std::slice::from_ref(&top), &[], moment),
                Ok(Standing::Invalid)
            );
            assert_eq!(validate(&all, &[], &[], moment), Ok(Standing::Invalid));
        }
        // Two chains at once, the same certificate twice, and none.
        let other = authority("other").certificate().to_vec();
        for given in [vec![leaf.clone(), other], vec![leaf.clone(), leaf.clone()], vec![]] {
            assert_eq!(validate(&given, &[], &[], NOW), Err(Error::Certificate));
        }
        assert_eq!(validate(&[b"junk".to_vec()], &[], &[], NOW), Err(Error::Certificate));
    }

    #[test]
    fn what_is_forged_or_revoked_is_invalid() {
        let root = authority("root");
        let impostor = authority("root");
        let top = root.certificate().to_vec();
        let forged = leaf(&impostor, "leaf");
        assert_eq!(
            validate(&[forged, top.clone()], std::slice::from_ref(&top), &[], NOW),
            Ok(Standing::Invalid)
        );
        let revoked = leaf(&root, "leaf");
        let facts = CertificateFacts::read(&revoked).unwrap();
        let list = Revocation {
            serial: facts.serial,
            time: NOW,
            reason: RevocationReason::KeyCompromise,
        };
        let list = root.revocation_list(1, NOW, NOW + 100, &[list]).unwrap();
        let root_facts = CertificateFacts::read(&top).unwrap();
        let lists = pool(
            [Arc::new(RevocationList::read(&list).unwrap())],
            core::iter::once(&root_facts),
        );
        let trusted = [top];
        assert_eq!(
            validate(std::slice::from_ref(&revoked), &trusted, &lists, NOW),
            Ok(Standing::Invalid)
        );
        assert_eq!(validate(&[revoked], &trusted, &[], NOW), Ok(Standing::Valid));
        assert_eq!(
            validate(&[leaf(&root, "other")], &trusted, &lists, NOW),
            Ok(Standing::Valid)
        );
        // Below an authority that the one above it has revoked nothing holds, though people trust it by itself.
        let below = root
            .create_subordinate(&Subject::named("below"), Validity::days(NOW, 50), KeyKind::P256)
            .unwrap();
        let own = CertificateFacts::read(below.certificate()).unwrap();
        let list = Revocation {
            serial: own.serial,
            time: NOW,
            reason: RevocationReason::KeyCompromise,
        };
        let list = root.revocation_list(2, NOW, NOW + 100, &[list]).unwrap();
        let list = Arc::new(RevocationList::read(&list).unwrap());
        let lists = pool([list], core::iter::once(&root_facts));
        let both = [trusted[0].clone(), below.certificate().to_vec()];
        let entity = leaf(&below, "entity");
        let stand = |lists: &[PooledList]| validate(std::slice::from_ref(&entity), &both, lists, NOW);
        assert_eq!(stand(&[]), Ok(Standing::Valid));
        assert_eq!(stand(&lists), Ok(Standing::Invalid));
        assert!(lists[0].is_overdue(&root_facts, NOW + 101) && !lists[0].is_overdue(&root_facts, NOW + 100));
        // An end entity is nobody's authority.
        let entity = leaf(&root, "entity");
        assert_eq!(
            validate(std::slice::from_ref(&entity), std::slice::from_ref(&entity), &[], NOW),
            Ok(Standing::Valid)
        );
    }
}
