//! What is signed, and what is refused.

use super::statement::*;
use certs::{KeyKind, Leaf, Subject as Name, Usage, Validity};
use kmip_protocol::{
    Commitment, NewPerson, OpenedShare, Operation, PersonCreateRequest, PersonRole, RequestPayload, SecretText,
    Version, VoteDecision, tag,
};
use kmip_ttlv::{Reader, Secret, Value, Writer};

const NOW: i64 = 1_800_000_000;

fn payload(password: &str) -> Vec<u8> {
    let request = RequestPayload::PersonCreate(PersonCreateRequest {
        person: NewPerson {
            person_name: "dora".into(),
            person_role: PersonRole::Operator,
            certificate: vec![1, 2, 3],
            initial_password: SecretText::new(password),
            hardware: None,
            attestation: Vec::new(),
            possession_proof: None,
        },
    });
    let mut writer = Writer::new();
    writer.structure(tag::REQUEST_PAYLOAD, |w| request.write(w, Version::NEWEST));
    writer.into_bytes()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_secret_is_committed_to_and_not_shown() {
    let salt = Salt::new([7; 32]);
    let operation = Operation::PersonCreate;
    let shown = canonical(operation, &payload("correct horse battery"), &salt).unwrap();
    assert!(!contains(&shown, b"horse") && contains(&shown, b"dora"));
    let again = canonical(operation, &payload("correct horse battery"), &salt).unwrap();
    assert_eq!(shown, again);
    let other_secret = canonical(operation, &payload("correct horse batterz"), &salt).unwrap();
    let other_salt = canonical(operation, &payload("correct horse battery"), &Salt::new([8; 32])).unwrap();
    let digests = [&shown, &other_secret, &other_salt].map(|bytes| request_digest(operation, bytes));
    assert!(digests[0] != digests[1] && digests[0] != digests[2] && digests[1] != digests[2]);
    assert_ne!(digests[0], request_digest(Operation::PersonDelete, &shown));
    // What stands for the secret says which item it was.
    let mut reader = Reader::new(&shown);
    reader
        .structure(tag::REQUEST_PAYLOAD, |payload| {
            payload.structure(tag::PERSON, |person| {
                while !person.at(tag::COMMITMENT) {
                    person.skip()?;
                }
                let commitment: Commitment = kmip_protocol::Item::read_item(person, tag::COMMITMENT, Version::NEWEST)?;
                assert_eq!(commitment.committed_tag, tag::INITIAL_PASSWORD.0.cast_signed());
                assert_eq!(commitment.committed_value.len(), 32);
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn two_equal_secrets_look_different() {
    let mut writer = Writer::new();
    writer.structure(tag::REQUEST_PAYLOAD, |w| {
        w.text(tag::NEW_PASSWORD, "same");
        w.text(tag::NEW_PASSWORD, "same");
    });
    let shown = canonical(Operation::PasswordChange, writer.as_bytes(), &Salt::new([1; 32])).unwrap();
    let mut values = Vec::new();
    let mut reader = Reader::new(&shown);
    let Ok((_, Value::Structure(mut inner))) = reader.item() else {
        panic!()
    };
    while !inner.is_empty() {
        let before = inner.remaining();
        inner.skip().unwrap();
        values.push(&before[..before.len() - inner.remaining().len()]);
    }
    assert_eq!(values.len(), 2);
    assert_ne!(values[0], values[1]);
}

#[test]
fn a_payload_that_brings_a_commitment_is_refused() {
    let commitment = |w: &mut Writer| {
        w.structure(tag::COMMITMENT, |w| {
            w.integer(tag::COMMITTED_TAG, 1);
            w.bytes(tag::COMMITTED_VALUE, &[0; 32]);
        });
    };
    for nested in [false, true] {
        let mut writer = Writer::new();
        writer.structure(tag::REQUEST_PAYLOAD, |w| match nested {
            true => w.structure(tag::ATTRIBUTES, commitment),
            false => commitment(w),
        });
        let salt = Salt::new([1; 32]);
        assert!(canonical(Operation::Create, writer.as_bytes(), &salt).is_err());
    }
    let salt = Salt::new([1; 32]);
    assert!(canonical(Operation::Create, &[], &salt).is_err());
    let twice = [payload("a"), payload("b")].concat();
    assert!(canonical(Operation::PersonCreate, &twice, &salt).is_err());
}

#[test]
fn what_is_to_be_signed_is_shown_and_what_is_to_be_encrypted_is_not() {
    assert!(is_secret(Operation::Encrypt, tag::DATA) && !is_secret(Operation::Sign, tag::DATA));
    assert!(is_secret(Operation::Register, tag::KEY_MATERIAL));
    assert!(!is_secret(Operation::Register, tag::CERTIFICATE_VALUE));
}

fn subject() -> Subject {
    Subject {
        instance_identifier: [1; 16],
        epoch: 3,
        tenant_name: Some("acme".into()),
        proposal_identifier: [2; 16],
        request_digest: [3; 32],
        target_digest: Some([4; 32]),
        policy_digest: [5; 32],
    }
}

struct Voter {
    certificate: Vec<u8>,
    key: Signing,
}

/// Keys of tests that sign as clients do: the kinds that ring can sign with.
enum Signing {
    Curve(ring::signature::EcdsaKeyPair),
    Edwards(ring::signature::Ed25519KeyPair),
    Rsa(Box<ring::signature::RsaKeyPair>),
}

fn voter(kind: KeyKind) -> Voter {
    use ring::signature::*;
    let leaf = Leaf {
        subject: Name::named("dora"),
        alternative_names: Vec::new(),
        usage: Usage::Client,
        validity: Validity::days(NOW, 1),
    };
    let (certificate, key) = leaf.self_signed(kind).unwrap();
    let der = key.to_der();
    let random = ring::rand::SystemRandom::new();
    let key = match kind {
        KeyKind::P256 => {
            Signing::Curve(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &random).unwrap())
        }
        KeyKind::P384 => {
            Signing::Curve(EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &der, &random).unwrap())
        }
        KeyKind::Ed25519 => Signing::Edwards(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap()),
        _ => Signing::Rsa(Box::new(RsaKeyPair::from_pkcs8(&der).unwrap())),
    };
    Voter { certificate, key }
}

impl Voter {
    fn key_fingerprint(&self) -> [u8; 32] {
        certs::CertificateFacts::read(&self.certificate)
            .unwrap()
            .key_fingerprint
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = ring::rand::SystemRandom::new();
        match &self.key {
            Signing::Curve(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Signing::Edwards(pair) => pair.sign(message).as_ref().to_vec(),
            Signing::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&ring::signature::RSA_PSS_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    fn casting(&self) -> Casting {
        Casting {
            decision: VoteDecision::Approve,
            voter_fingerprint: self.key_fingerprint(),
            issued: NOW,
            expires: NOW + 600,
            shares_digest: None,
        }
    }
}

#[test]
fn votes_by_every_kind_of_key_are_verified() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa3072, KeyKind::Ed25519] {
        let voter = voter(kind);
        let bytes = encode_statement(&statement(&subject(), &voter.casting()));
        let mut signature = voter.sign(&bytes);
        let check = |signature: &[u8], decision, now| {
            verify_statement(&bytes, signature, &voter.certificate, &subject(), decision, None, now)
        };
        assert_eq!(check(&signature, VoteDecision::Approve, NOW), Ok(()), "{kind:?}");
        assert_eq!(
            check(&signature, VoteDecision::Reject, NOW),
            Err(VoteFault::OtherSubject)
        );
        assert_eq!(
            check(&signature, VoteDecision::Approve, NOW + 601),
            Err(VoteFault::OutOfTime)
        );
        assert_eq!(
            check(&signature, VoteDecision::Approve, NOW - 301),
            Err(VoteFault::OutOfTime)
        );
        assert_eq!(check(&signature, VoteDecision::Approve, NOW - 299), Ok(()));
        let last = signature.len() - 1;
        signature[last] ^= 1;
        assert_eq!(check(&signature, VoteDecision::Approve, NOW), Err(VoteFault::Signature));
    }
}

/// Edge case 14: a vote is bound to proposal, digest, installation and epoch, and runs out.
#[test]
fn a_vote_counts_nowhere_else_and_for_nothing_else() {
    let voter = voter(KeyKind::P256);
    let bytes = encode_statement(&statement(&subject(), &voter.casting()));
    let signature = voter.sign(&bytes);
    let changes: Vec<fn(&mut Subject)> = vec![
        |s| s.instance_identifier = [9; 16],
        |s| s.epoch = 4,
        |s| s.tenant_name = None,
        |s| s.tenant_name = Some("other".into()),
        |s| s.proposal_identifier = [9; 16],
        |s| s.request_digest = [9; 32],
        |s| s.target_digest = None,
        |s| s.target_digest = Some([9; 32]),
        |s| s.policy_digest = [9; 32],
    ];
    for change in changes {
        let mut other = subject();
        change(&mut other);
        let refused = verify_statement(
            &bytes,
            &signature,
            &voter.certificate,
            &other,
            VoteDecision::Approve,
            None,
            NOW,
        );
        assert_eq!(refused, Err(VoteFault::OtherSubject));
    }
}

#[test]
fn a_vote_says_which_shares_it_carries() {
    let voter = voter(KeyKind::P256);
    let share = |context: &[u8]| OpenedShare {
        share_context: context.to_vec(),
        share: Secret::copy_from(&[1; 32]),
    };
    let carried = shares_digest(&[share(b"one"), share(b"two")]);
    let mut casting = voter.casting();
    casting.shares_digest = carried;
    let bytes = encode_statement(&statement(&subject(), &casting));
    let signature = voter.sign(&bytes);
    let check = |shares| {
        let approve = VoteDecision::Approve;
        verify_statement(&bytes, &signature, &voter.certificate, &subject(), approve, shares, NOW)
    };
    assert_eq!(check(carried), Ok(()));
    for other in [
        None,
        shares_digest(&[share(b"one")]),
        shares_digest(&[share(b"two"), share(b"one")]),
    ] {
        assert_eq!(check(other), Err(VoteFault::OtherSubject));
    }
}

#[test]
fn a_statement_of_another_key_or_too_long_a_life_is_refused() {
    let (dora, emil) = (voter(KeyKind::P256), voter(KeyKind::P256));
    let check = |bytes: &[u8], by: &Voter| {
        let signature = by.sign(bytes);
        verify_statement(
            bytes,
            &signature,
            &by.certificate,
            &subject(),
            VoteDecision::Approve,
            None,
            NOW,
        )
    };
    let of_dora = encode_statement(&statement(&subject(), &dora.casting()));
    assert_eq!(check(&of_dora, &emil), Err(VoteFault::OtherKey));
    let mut eternal = dora.casting();
    eternal.expires = NOW + LONGEST_STATEMENT_SECONDS + 1;
    let eternal = encode_statement(&statement(&subject(), &eternal));
    assert_eq!(check(&eternal, &dora), Err(VoteFault::OutOfTime));
    let mut other = statement(&subject(), &dora.casting());
    other.context = "claviger/possession/v1".into();
    assert_eq!(check(&encode_statement(&other), &dora), Err(VoteFault::OtherSubject));
    let longer = [&of_dora[..], &[0; 8]].concat();
    assert_eq!(check(&longer, &dora), Err(VoteFault::Unreadable));
    assert_eq!(check(&vec![0; 5000], &dora), Err(VoteFault::Unreadable));
    // Over other bytes, by the right key.
    let signature = dora.sign(b"something else");
    let refused = verify_statement(
        &of_dora,
        &signature,
        &dora.certificate,
        &subject(),
        VoteDecision::Approve,
        None,
        NOW,
    );
    assert_eq!(refused, Err(VoteFault::Signature));
}
