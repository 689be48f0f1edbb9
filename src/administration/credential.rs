//! Credentials of clients between the form in which they are told and the one in which they are kept.

use super::possession::Registry;
use crate::failure::{Failure, Fault};
use crate::identity::{CertificateName, ClientRecord, Credential, Rule};
use certs::{AlternativeName, CertificateFacts};
use kmip_protocol::{CertificateRule, CertificateRuleKind, ClientCredential, KeyHolder};

/// Gives a client these credentials in place of those it has. A key that was proven stays so.
pub(super) fn replace(
    record: &mut ClientRecord,
    given: &[ClientCredential],
    most: usize,
    registry: &Registry,
) -> Result<(), Failure> {
    if given.len() > most {
        return Err(Fault::LimitExceeded.into());
    }
    let mut credentials = Vec::with_capacity(given.len());
    let mut proven = Vec::new();
    for one in given {
        let (credential, info) = read(one)?;
        match credential.key() {
            Some(key) => {
                let proof = one.possession_proof.as_deref();
                let was = record.proven.contains(key);
                // What has been registered before is not registered anew.
                let had = proof.is_none() && (was || record.credentials.contains(&credential));
                if had && was || !had && registry.judge(KeyHolder::Client, key, &info, proof)? {
                    proven.push(*key);
                }
            }
            None if one.possession_proof.is_some() => return Err(Fault::InvalidField.into()),
            None => {}
        }
        credentials.push(credential);
    }
    record.credentials = credentials;
    record.proven = proven;
    Ok(())
}

/// A credential, with the key's SubjectPublicKeyInfo as far as it was given.
fn read(given: &ClientCredential) -> Result<(Credential, Vec<u8>), Failure> {
    let invalid = || Failure::new(Fault::InvalidField);
    let ClientCredential {
        key_fingerprint,
        certificate,
        rule,
        possession_proof,
        public_key_info,
        certificate_fingerprint,
        // It is told, not believed.
        proven: _,
    } = given;
    let fingerprint = |bytes: &Vec<u8>| <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| invalid());
    if possession_proof.is_none() && public_key_info.is_some() {
        return Err(invalid());
    }
    match (key_fingerprint, certificate, rule) {
        (Some(key), None, None) => {
            let key = fingerprint(key)?;
            let info = public_key_info.clone().unwrap_or_default();
            if possession_proof.is_some() && certs::fingerprint(&info) != key {
                return Err(invalid());
            }
            let credential = match certificate_fingerprint {
                Some(certificate) => Credential::Pinned {
                    key,
                    certificate: fingerprint(certificate)?,
                },
                None => Credential::Key(key),
            };
            Ok((credential, info))
        }
        (None, Some(certificate), None) if public_key_info.is_none() && certificate_fingerprint.is_none() => {
            let facts = CertificateFacts::read(certificate);
            let facts = facts.map_err(|why| Failure::detailed(Fault::InvalidField, why))?;
            let credential = Credential::Pinned {
                key: facts.key_fingerprint,
                certificate: facts.fingerprint,
            };
            Ok((credential, facts.public_key.info))
        }
        (None, None, Some(rule)) if public_key_info.is_none() && certificate_fingerprint.is_none() => {
            let rule = read_rule(rule).ok_or_else(invalid)?;
            Ok((Credential::Rule(rule), Vec::new()))
        }
        _ => Err(invalid()),
    }
}

/// A subject is given as the DER of the name, in hexadecimal digits; everything else as people write it.
fn read_rule(rule: &CertificateRule) -> Option<Rule> {
    let CertificateRule { kind, value } = rule;
    if value.is_empty() {
        return None;
    }
    let text = value.clone();
    let name = match *kind {
        CertificateRuleKind::Subject => return Some(Rule::subject(&hexadecimal(value)?)),
        CertificateRuleKind::CommonName => return Some(Rule::common_name(value)),
        CertificateRuleKind::DnsName => AlternativeName::Dns(text),
        CertificateRuleKind::Email => AlternativeName::Email(text),
        CertificateRuleKind::Uri => AlternativeName::Uri(text),
        CertificateRuleKind::IpAddress => AlternativeName::Ip(value.parse().ok()?),
        _ => return None,
    };
    Some(Rule::alternative_name(&name))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pairs = digits.chunks_exact(2).map(|pair| match pair {
        [high, low] => u8::try_from(high.wrapping_mul(16).wrapping_add(*low)).ok(),
        _ => None,
    });
    pairs.collect()
}

/// A client's credentials as they are told: a certificate by its fingerprint, since it is not kept itself.
pub(super) fn told(client: &ClientRecord) -> Vec<ClientCredential> {
    let proven = |key: &[u8; 32]| client.proven.contains(key).then_some(true);
    let one = |kept: &Credential| match kept {
        Credential::Key(key) => ClientCredential {
            key_fingerprint: Some(key.to_vec()),
            proven: proven(key),
            ..ClientCredential::default()
        },
        Credential::Pinned { key, certificate } => ClientCredential {
            key_fingerprint: Some(key.to_vec()),
            certificate_fingerprint: Some(certificate.to_vec()),
            proven: proven(key),
            ..ClientCredential::default()
        },
        Credential::Rule(rule) => ClientCredential {
            rule: Some(told_rule(rule)),
            ..ClientCredential::default()
        },
    };
    client.credentials.iter().map(one).collect()
}

fn told_rule(rule: &Rule) -> CertificateRule {
    let text = || String::from_utf8_lossy(rule.value()).into_owned();
    let (kind, value) = match rule.name() {
        CertificateName::Subject => (CertificateRuleKind::Subject, kmip_ttlv::Hex(rule.value()).to_string()),
        CertificateName::CommonName => (CertificateRuleKind::CommonName, text()),
        CertificateName::Dns => (CertificateRuleKind::DnsName, text()),
        CertificateName::Email => (CertificateRuleKind::Email, text()),
        CertificateName::Uri => (CertificateRuleKind::Uri, text()),
        CertificateName::Ip => (CertificateRuleKind::IpAddress, address(rule.value())),
    };
    CertificateRule { kind, value }
}

fn address(bytes: &[u8]) -> String {
    let four = <[u8; 4]>::try_from(bytes).map(|octets| std::net::IpAddr::from(octets).to_string());
    let six = || <[u8; 16]>::try_from(bytes).map(|octets| std::net::IpAddr::from(octets).to_string());
    four.or_else(|_| six()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use certs::{KeyKind, Leaf, PrivateKey, Subject, Usage, Validity};
    use kmip_protocol::{Possession, possession_statement};

    fn registry(required: bool) -> Registry {
        Registry::supposed("acme", required)
    }

    fn kept(given: &[ClientCredential], most: usize) -> Result<ClientRecord, Failure> {
        let mut record = ClientRecord::default();
        replace(&mut record, given, most, &registry(false))?;
        Ok(record)
    }

    fn of_key(key: &[u8; 32]) -> ClientCredential {
        ClientCredential {
            key_fingerprint: Some(key.to_vec()),
            ..ClientCredential::default()
        }
    }

    fn rule(kind: CertificateRuleKind, value: &str) -> ClientCredential {
        ClientCredential {
            rule: Some(CertificateRule {
                kind,
                value: value.to_owned(),
            }),
            ..ClientCredential::default()
        }
    }

    fn certificate() -> (Vec<u8>, PrivateKey, CertificateFacts) {
        let leaf = Leaf {
            subject: Subject::named("db"),
            alternative_names: Vec::new(),
            usage: Usage::Client,
            validity: Validity::days(1_700_000_000, 10),
        };
        let (der, key) = leaf.self_signed(KeyKind::P256).unwrap();
        let facts = CertificateFacts::read(&der).unwrap();
        (der, key, facts)
    }

    fn proof(key: &PrivateKey, tenant: &str, holder: KeyHolder<'_>) -> Option<Vec<u8>> {
        let statement = possession_statement(&Possession {
            instance_identifier: &[3; 16],
            tenant_name: Some(tenant),
            holder,
            key_fingerprint: &certs::fingerprint(&key.public_key_info()),
        });
        Some(key.sign(statement.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_told_is_what_was_given_and_can_be_given_again() {
        let rules = [
            (CertificateRuleKind::Subject, "3000"),
            (CertificateRuleKind::CommonName, "db"),
            (CertificateRuleKind::DnsName, "*.example.org"),
            (CertificateRuleKind::Email, "db@example.org"),
            (CertificateRuleKind::Uri, "urn:db"),
            (CertificateRuleKind::IpAddress, "10.0.0.1"),
            (CertificateRuleKind::IpAddress, "2001:db8::1"),
        ];
        let mut given: Vec<_> = rules.iter().map(|(kind, value)| rule(*kind, value)).collect();
        given.push(of_key(&[7; 32]));
        let record = kept(&given, 99).unwrap();
        assert!(told(&record) == given);
        // A certificate is told as the certificate that it is, not as any with its key.
        let (der, key, facts) = certificate();
        let pinned = ClientCredential {
            certificate: Some(der),
            ..ClientCredential::default()
        };
        let mut record = kept(std::slice::from_ref(&pinned), 1).unwrap();
        let shown = told(&record);
        let told_as = ClientCredential {
            certificate_fingerprint: Some(facts.fingerprint.to_vec()),
            ..of_key(&facts.key_fingerprint)
        };
        assert!(shown == [told_as]);
        // Given again, it is the same, also where proofs have become required.
        let before = record.clone();
        replace(&mut record, &shown, 1, &registry(true)).unwrap();
        assert_eq!(record, before);
        assert!(
            replace(
                &mut record.clone(),
                &[of_key(&facts.key_fingerprint)],
                1,
                &registry(true)
            )
            .is_err()
        );
        // Proven, it stays so; what is only said to be is not.
        let lied = ClientCredential {
            proven: Some(true),
            ..shown[0].clone()
        };
        replace(&mut record, &[lied], 1, &registry(false)).unwrap();
        assert_eq!(record.proven, [[0; 32]; 0]);
        let proves = ClientCredential {
            possession_proof: proof(&key, "acme", KeyHolder::Client),
            ..pinned
        };
        replace(&mut record, &[proves], 1, &registry(true)).unwrap();
        assert_eq!(record.proven, [facts.key_fingerprint]);
        let shown = told(&record);
        assert_eq!(shown[0].proven, Some(true));
        replace(&mut record, &shown, 1, &registry(false)).unwrap();
        assert_eq!(record.proven, [facts.key_fingerprint]);
        replace(&mut record, &[of_key(&[7; 32])], 1, &registry(false)).unwrap();
        assert_eq!(record.proven, [[0; 32]; 0]);
    }

    #[test]
    fn a_proof_is_the_keys_own_and_for_here() {
        let (der, key, facts) = certificate();
        let (_, other, _) = certificate();
        let by_key = |proof: Option<Vec<u8>>, key: &PrivateKey| ClientCredential {
            possession_proof: proof,
            public_key_info: Some(key.public_key_info()),
            ..of_key(&facts.key_fingerprint)
        };
        let good = proof(&key, "acme", KeyHolder::Client);
        let record = kept(&[by_key(good.clone(), &key)], 1).unwrap();
        assert_eq!((record.credentials.len(), record.proven.len()), (1, 1));
        let operator = KeyHolder::Person(kmip_protocol::PersonRole::Operator, "client");
        let wrong = [
            proof(&other, "acme", KeyHolder::Client),
            proof(&key, "other", KeyHolder::Client),
            proof(&key, "acme", operator),
            Some(Vec::new()),
        ];
        for proof in wrong {
            let pinned = ClientCredential {
                certificate: Some(der.clone()),
                possession_proof: proof.clone(),
                ..ClientCredential::default()
            };
            let told = [kept(&[by_key(proof, &key)], 1), kept(&[pinned], 1)];
            for refused in told {
                assert_eq!(refused.err().map(|why| why.fault()), Some(Fault::PossessionNotShown));
            }
        }
        // Another key beside the fingerprint, a key without a proof, a proof without a key, a rule with one.
        let stray = ClientCredential {
            possession_proof: good.clone(),
            ..rule(CertificateRuleKind::CommonName, "x")
        };
        for bad in [
            by_key(good.clone(), &other),
            by_key(None, &key),
            ClientCredential {
                possession_proof: good,
                ..of_key(&facts.key_fingerprint)
            },
            stray,
        ] {
            assert_eq!(kept(&[bad], 1).err().map(|why| why.fault()), Some(Fault::InvalidField));
        }
    }

    #[test]
    fn where_proofs_are_required_nothing_is_registered_without() {
        let mut record = ClientRecord::default();
        let refused = replace(&mut record, &[of_key(&[7; 32])], 1, &registry(true));
        assert_eq!(refused.err().map(|why| why.fault()), Some(Fault::PossessionRequired));
        // Rules go by authorities, which vouch.
        replace(
            &mut record,
            &[rule(CertificateRuleKind::CommonName, "x")],
            1,
            &registry(true),
        )
        .unwrap();
    }

    #[test]
    fn exactly_one_field_is_a_credential() {
        let key = of_key(&[7; 32]);
        let bad = [
            ClientCredential::default(),
            ClientCredential {
                certificate: Some(vec![1]),
                ..key.clone()
            },
            ClientCredential {
                key_fingerprint: Some(vec![7; 31]),
                ..key.clone()
            },
            ClientCredential {
                certificate: Some(vec![1]),
                ..ClientCredential::default()
            },
            ClientCredential {
                certificate_fingerprint: Some(vec![1; 32]),
                ..ClientCredential::default()
            },
            ClientCredential {
                certificate_fingerprint: Some(vec![1; 31]),
                ..key.clone()
            },
            rule(CertificateRuleKind::Subject, "300"),
            rule(CertificateRuleKind::Subject, "zz"),
            rule(CertificateRuleKind::IpAddress, "10.0.0"),
            rule(CertificateRuleKind::CommonName, ""),
            rule(CertificateRuleKind(99), "x"),
        ];
        assert!(bad.iter().all(|given| kept(std::slice::from_ref(given), 9).is_err()));
        assert!(kept(&[key.clone(), key], 1).is_err());
    }
}
