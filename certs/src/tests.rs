//! Chains that must be accepted, and each way in which one must not.

use crate::*;

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn authority(name: &str) -> CertificateAuthority {
    CertificateAuthority::create(&Subject::named(name), Validity::days(NOW, 3650), KeyKind::P256).unwrap()
}

fn leaf(usage: Usage) -> Leaf {
    Leaf {
        subject: Subject {
            common_name: "client".to_owned(),
            organization: Some("Example".to_owned()),
            organizational_unit: None,
        },
        alternative_names: vec![
            AlternativeName::Dns("db.example".into()),
            AlternativeName::host("127.0.0.1"),
        ],
        usage,
        validity: Validity::days(NOW, 90),
    }
}

fn trusted(ca: &CertificateAuthority) -> TrustedAuthority {
    TrustedAuthority::new(ca.certificate()).unwrap()
}

fn verdict(chain: &[Vec<u8>], ca: &TrustedAuthority, now: i64) -> core::result::Result<Judgement, ChainError> {
    judge(chain, ca, Revocations::default(), now, Purpose::Client)
}

/// The same with these lists, of which those of the authorities named are known to be theirs.
fn verdict_with(
    chain: &[Vec<u8>],
    ca: &CertificateAuthority,
    (lists, known, stale): (&[&[u8]], &[&CertificateAuthority], StaleList),
    now: i64,
) -> core::result::Result<Judgement, ChainError> {
    let facts: Vec<_> = known.iter().map(|ca| trusted(ca).facts).collect();
    let lists = lists.iter().map(|der| RevocationList::read(der).unwrap().into());
    let lists = &pool(lists, facts.iter());
    judge(chain, &trusted(ca), Revocations { lists, stale }, now, Purpose::Client)
}

#[test]
fn a_good_chain_is_good_until_its_first_end() {
    let ca = authority("CA");
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519, KeyKind::Rsa3072] {
        let (certificate, _) = ca.issue(&leaf(Usage::Client), kind).unwrap();
        let judged = verdict(&[certificate], &trusted(&ca), NOW).unwrap();
        assert_eq!(judged.not_after, NOW + 90 * DAY);
    }
}

#[test]
fn expired_and_not_yet_valid() {
    let ca = authority("CA");
    let (certificate, _) = ca.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    let chain = [certificate];
    assert_eq!(verdict(&chain, &trusted(&ca), NOW + 91 * DAY), Err(ChainError::Expired));
    assert_eq!(verdict(&chain, &trusted(&ca), NOW - DAY), Err(ChainError::NotYetValid));
    // The authority itself expires, though the leaf does not.
    let short = CertificateAuthority::create(&Subject::named("short"), Validity::days(NOW, 1), KeyKind::P256).unwrap();
    let (certificate, _) = short.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    assert_eq!(
        verdict(&[certificate], &trusted(&short), NOW + 2 * DAY),
        Err(ChainError::Expired)
    );
}

#[test]
fn wrong_usage_other_authority_and_impostor() {
    let ca = authority("CA");
    let (server, _) = ca.issue(&leaf(Usage::Server), KeyKind::P256).unwrap();
    assert_eq!(
        verdict(std::slice::from_ref(&server), &trusted(&ca), NOW),
        Err(ChainError::WrongUsage)
    );
    assert!(judge(&[server], &trusted(&ca), Revocations::default(), NOW, Purpose::Server).is_ok());
    let (client, _) = ca.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    assert_eq!(
        verdict(std::slice::from_ref(&client), &trusted(&authority("other")), NOW),
        Err(ChainError::UnknownIssuer)
    );
    // The same name with another key.
    assert_eq!(
        verdict(&[client], &trusted(&authority("CA")), NOW),
        Err(ChainError::Signature)
    );
    let own = ca.certificate().to_vec();
    assert_eq!(verdict(&[own], &trusted(&ca), NOW), Err(ChainError::WrongRole));
    assert_eq!(verdict(&[], &trusted(&ca), NOW), Err(ChainError::Length));
    assert_eq!(
        verdict(&[vec![0x30, 0]], &trusted(&ca), NOW),
        Err(ChainError::Malformed)
    );
}

#[test]
fn intermediates_are_needed_and_used() {
    let root = authority("root");
    let below = root
        .create_subordinate(&Subject::named("below"), Validity::days(NOW, 365), KeyKind::P256)
        .unwrap();
    let (certificate, _) = below.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    let root = trusted(&root);
    assert_eq!(
        verdict(std::slice::from_ref(&certificate), &root, NOW),
        Err(ChainError::UnknownIssuer)
    );
    assert!(verdict(&[certificate, below.certificate().to_vec()], &root, NOW).is_ok());
}

#[test]
fn revoked_overdue_and_forged_lists() {
    let ca = authority("CA");
    let (revoked, _) = ca.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    let (other, _) = ca.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    let entry = Revocation {
        serial: CertificateFacts::read(&revoked).unwrap().serial,
        time: NOW,
        reason: RevocationReason::KeyCompromise,
    };
    let list = ca
        .revocation_list(1, NOW, NOW + DAY, core::slice::from_ref(&entry))
        .unwrap();
    let facts = CrlFacts::read(&list).unwrap();
    assert_eq!(facts.revoked.len(), 1);
    assert_eq!(facts.revoked[0].serial, entry.serial);
    assert_eq!(facts.revoked[0].reason, Some(1));
    assert_eq!(facts.next_update, Some(NOW + DAY));
    let with = |chain: &[Vec<u8>], stale, now| verdict_with(chain, &ca, (&[&list], &[&ca], stale), now);
    let (revoked, other) = (std::slice::from_ref(&revoked), std::slice::from_ref(&other));
    for now in [NOW, NOW + 2 * DAY] {
        assert_eq!(with(revoked, StaleList::Accept, now), Err(ChainError::Revoked));
        assert!(with(other, StaleList::Accept, now).is_ok());
    }
    assert_eq!(with(other, StaleList::Refuse, NOW).unwrap().not_after, NOW + DAY);
    assert_eq!(
        with(other, StaleList::Refuse, NOW + 2 * DAY),
        Err(ChainError::RevocationList)
    );
    // A list by someone else with the same name: nobody enters, unless it is known whose it is.
    let sibling = authority("CA");
    let forged = sibling.revocation_list(2, NOW, NOW + DAY, &[]).unwrap();
    let accept = StaleList::Accept;
    assert_eq!(
        verdict_with(other, &ca, (&[&forged], &[&ca], accept), NOW),
        Err(ChainError::RevocationList)
    );
    let both: &[&[u8]] = &[&forged, &list];
    assert!(verdict_with(other, &ca, (both, &[&ca, &sibling], accept), NOW).is_ok());
    assert_eq!(
        verdict_with(revoked, &ca, (both, &[&ca, &sibling], accept), NOW),
        Err(ChainError::Revoked)
    );
    // Of two lists the newer one counts, in whatever order they come; and an overdue list of another authority keeps nobody out.
    let newer = ca.revocation_list(2, NOW + 1, NOW + DAY, &[]).unwrap();
    for lists in [[newer.as_slice(), &list], [&list, newer.as_slice()]] {
        assert!(verdict_with(revoked, &ca, (&lists, &[&ca], accept), NOW).is_ok());
    }
    let foreign = authority("other").revocation_list(1, NOW - DAY, NOW - 1, &[]).unwrap();
    assert!(verdict_with(other, &ca, (&[&foreign], &[&ca], StaleList::Refuse), NOW).is_ok());
}

#[test]
fn an_authority_in_the_middle_is_revoked_by_the_one_above() {
    let root = authority("root");
    let root = CertificateAuthority::from_der(root.certificate(), &root.key().to_der()).unwrap();
    let middle = root
        .create_subordinate(&Subject::named("middle"), Validity::days(NOW, 100), KeyKind::P256)
        .unwrap();
    let chain = [
        middle.issue(&leaf(Usage::Client), KeyKind::P256).unwrap().0,
        middle.certificate().to_vec(),
    ];
    let revoke = |ca: &CertificateAuthority, certificate: &[u8]| {
        let entry = Revocation {
            serial: CertificateFacts::read(certificate).unwrap().serial,
            time: NOW,
            reason: RevocationReason::AuthorityCompromise,
        };
        ca.revocation_list(1, NOW, NOW + DAY, &[entry]).unwrap()
    };
    // A list of the one in the middle counts for chains to the root.
    let list = revoke(&middle, &chain[0]);
    for known in [&[&root, &middle][..], &[&root]] {
        let with: (&[&[u8]], _, _) = (&[&list], known, StaleList::Accept);
        assert_eq!(verdict_with(&chain, &root, with, NOW), Err(ChainError::Revoked));
    }
    // The one in the middle, trusted by itself.
    let known = [trusted(&root).facts, trusted(&middle).facts];
    let list = |der: &[u8]| pool([RevocationList::read(der).unwrap().into()], known.iter());
    let is_out = |lists: &[PooledList]| is_revoked(middle.certificate(), &known[1], lists, known.iter());
    assert!(is_out(&list(&revoke(&root, middle.certificate()))));
    assert!(!is_out(&list(&revoke(&root, root.certificate()))));
    // Another authority of the root's name revokes nothing of its.
    let forged = revoke(&authority("root"), middle.certificate());
    assert!(!is_out(&list(&forged)));
}

#[test]
fn facts_are_read() {
    let ca = authority("CA");
    let (certificate, key) = ca.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    let facts = CertificateFacts::read(&certificate).unwrap();
    assert_eq!(facts.subject, "O=Example, CN=client");
    assert_eq!(facts.common_names, ["client"]);
    assert_eq!(facts.issuer, "CN=CA");
    assert_eq!(facts.alternative_names, leaf(Usage::Client).alternative_names);
    assert_eq!(facts.not_after, NOW + 90 * DAY);
    assert_eq!(facts.key_fingerprint, fingerprint(&key.public_key_info()));
    assert_eq!(facts.public_key.bits, Some(256));
    assert_eq!(facts.serial.len(), 16);
    assert!(!facts.is_authority && !facts.is_self_issued());
    assert_eq!(facts.version, 3);
    assert_eq!(facts.subject_attributes[1].short_name, Some("CN"));
    let usages = facts.extended_key_usages.unwrap();
    assert!(usages.client && !usages.server && !usages.any);
    assert!(CertificateFacts::read(&[certificate, vec![0]].concat()).is_err());
}

#[test]
fn a_request_gives_its_key_and_nothing_else() {
    let ca = authority("CA");
    let key = PrivateKey::generate(KeyKind::P384).unwrap();
    let names = [AlternativeName::Dns("asked.example".into())];
    let request = CertificateRequest::create(&Subject::named("asked"), &names, &key).unwrap();
    let facts = read_request(&request).unwrap();
    assert_eq!(facts.common_names, ["asked"]);
    assert_eq!(facts.alternative_names, names);
    let certificate = ca.issue_for_request(&leaf(Usage::Client), &request).unwrap();
    let issued = CertificateFacts::read(&certificate).unwrap();
    assert_eq!(issued.subject, "O=Example, CN=client");
    assert_eq!(issued.key_fingerprint, facts.key_fingerprint);
    let mut damaged = request;
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_eq!(
        ca.issue_for_request(&leaf(Usage::Client), &damaged),
        Err(Error::Request)
    );
    assert_eq!(read_request(&damaged), Err(Error::Request));
}

#[test]
fn an_authority_comes_back_from_pem() {
    let ca = authority("CA");
    let text = pem::write_certificate(ca.certificate());
    let again = CertificateAuthority::load(&text, &ca.key().to_pem()).unwrap();
    let (certificate, _) = again.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    assert!(verdict(&[certificate], &trusted(&ca), NOW).is_ok());
    let stranger = PrivateKey::generate(KeyKind::P256).unwrap();
    assert_eq!(
        CertificateAuthority::load(&text, &stranger.to_pem()).err(),
        Some(Error::KeyMismatch)
    );
    let (leaf, key) = ca.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    let text = pem::write_certificate(&leaf);
    assert_eq!(
        CertificateAuthority::load(&text, &key.to_pem()).err(),
        Some(Error::NotAuthority)
    );
}

#[test]
fn pinned_certificates_have_dates_and_usage() {
    let (certificate, _) = leaf(Usage::Client).self_signed(KeyKind::P256).unwrap();
    let facts = CertificateFacts::read(&certificate).unwrap();
    assert!(facts.is_self_issued());
    assert!(judge_pinned(&facts, NOW, Purpose::Client).is_ok());
    assert_eq!(
        judge_pinned(&facts, NOW + 91 * DAY, Purpose::Client),
        Err(ChainError::Expired)
    );
    assert_eq!(judge_pinned(&facts, NOW, Purpose::Server), Err(ChainError::WrongUsage));
}

#[test]
fn pkcs12_opens_with_its_password_only() {
    let ca = authority("CA");
    let (certificate, key) = ca.issue(&leaf(Usage::Client), KeyKind::P256).unwrap();
    let store = pkcs12(
        "client",
        &certificate,
        &key,
        &[ca.certificate().to_vec()],
        "correct horse",
    )
    .unwrap();
    let opened = KeyStore::open(&store, "correct horse").unwrap();
    assert_eq!(opened.certificate, certificate);
    assert_eq!(opened.key.public_key_info(), key.public_key_info());
    assert_eq!(opened.chain, vec![ca.certificate().to_vec()]);
    assert_eq!(KeyStore::open(&store, "wrong").err(), Some(Error::KeyStore));
}

/// A certificate of version 1, as `openssl x509 -req` makes it without extensions.
fn first_version(ca: &CertificateAuthority, serial: u32, from: i64, to: i64) -> Vec<u8> {
    use openssl::{asn1::Asn1Time, bn::BigNum, hash::MessageDigest, pkey::PKey, x509::X509};
    let key = PKey::private_key_from_der(&ca.key().to_der()).unwrap();
    let issuer = X509::from_der(ca.certificate()).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(0).unwrap();
    builder
        .set_serial_number(&BigNum::from_u32(serial).unwrap().to_asn1_integer().unwrap())
        .unwrap();
    builder.set_issuer_name(issuer.subject_name()).unwrap();
    builder.set_subject_name(issuer.subject_name()).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(from).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(to).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    builder.build().to_der().unwrap()
}

#[test]
fn end_entities_of_version_1_are_judged_too() {
    let ca = authority("CA");
    let (good, revoked) = (
        first_version(&ca, 5, NOW, NOW + DAY),
        first_version(&ca, 6, NOW, NOW + DAY),
    );
    assert_eq!(CertificateFacts::read(&good).unwrap().version, 1);
    let good = std::slice::from_ref(&good);
    assert_eq!(verdict(good, &trusted(&ca), NOW).unwrap().not_after, NOW + DAY);
    assert_eq!(verdict(good, &trusted(&ca), NOW + 2 * DAY), Err(ChainError::Expired));
    assert_eq!(verdict(good, &trusted(&ca), NOW - 1), Err(ChainError::NotYetValid));
    assert_eq!(
        verdict(good, &trusted(&authority("other")), NOW),
        Err(ChainError::UnknownIssuer)
    );
    assert_eq!(
        verdict(good, &trusted(&authority("CA")), NOW),
        Err(ChainError::Signature)
    );
    let entry = Revocation {
        serial: vec![6],
        time: NOW,
        reason: RevocationReason::Unspecified,
    };
    let list = ca.revocation_list(1, NOW, NOW + 60, &[entry]).unwrap();
    let with = |chain: &[Vec<u8>], stale, now| verdict_with(chain, &ca, (&[&list], &[&ca], stale), now);
    assert!(with(good, StaleList::Accept, NOW).is_ok());
    assert_eq!(with(&[revoked], StaleList::Accept, NOW), Err(ChainError::Revoked));
    assert_eq!(with(good, StaleList::Refuse, NOW).unwrap().not_after, NOW + 60);
    assert_eq!(with(good, StaleList::Refuse, NOW + 61), Err(ChainError::RevocationList));
    let forged = authority("CA").revocation_list(1, NOW, NOW + 60, &[]).unwrap();
    let forged = verdict_with(good, &ca, (&[&forged], &[&ca], StaleList::Accept), NOW);
    assert_eq!(forged, Err(ChainError::RevocationList));
}
