//! Credentials of clients between the form in which they are told and the one in which they are kept.

use crate::failure::{Failure, Fault};
use crate::identity::{CertificateName, Credential, Rule};
use certs::{AlternativeName, CertificateFacts};
use kmip_protocol::{CertificateRule, CertificateRuleKind, ClientCredential};

/// As they are kept.
pub(super) fn kept(given: &[ClientCredential], most: usize) -> Result<Vec<Credential>, Failure> {
    if given.len() > most {
        return Err(Fault::LimitExceeded.into());
    }
    given.iter().map(one).collect()
}

/// Exactly one of the fields must be given.
fn one(given: &ClientCredential) -> Result<Credential, Failure> {
    let invalid = || Failure::new(Fault::InvalidField);
    match (&given.key_fingerprint, &given.certificate, &given.rule) {
        (Some(key), None, None) => {
            let key = key.as_slice().try_into().map_err(|_| invalid())?;
            Ok(Credential::Key(key))
        }
        (None, Some(certificate), None) => {
            let facts = CertificateFacts::read(certificate);
            let facts = facts.map_err(|why| Failure::detailed(Fault::InvalidField, why))?;
            Ok(Credential::Pinned {
                key: facts.key_fingerprint,
                certificate: facts.fingerprint,
            })
        }
        (None, None, Some(rule)) => Ok(Credential::Rule(read(rule).ok_or_else(invalid)?)),
        _ => Err(invalid()),
    }
}

/// A subject is given as the DER of the name, in hexadecimal digits; everything else as people write it.
fn read(rule: &CertificateRule) -> Option<Rule> {
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

/// As it is told. Of a certificate only its key is told: the certificate itself is not kept.
pub(super) fn told(kept: &Credential) -> ClientCredential {
    match kept {
        Credential::Key(key) | Credential::Pinned { key, .. } => ClientCredential {
            key_fingerprint: Some(key.to_vec()),
            ..ClientCredential::default()
        },
        Credential::Rule(rule) => ClientCredential {
            rule: Some(told_rule(rule)),
            ..ClientCredential::default()
        },
    }
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

    #[test]
    fn rules_come_back_as_they_were_given() {
        let rules = [
            (CertificateRuleKind::Subject, "3000"),
            (CertificateRuleKind::CommonName, "db"),
            (CertificateRuleKind::DnsName, "*.example.org"),
            (CertificateRuleKind::Email, "db@example.org"),
            (CertificateRuleKind::Uri, "urn:db"),
            (CertificateRuleKind::IpAddress, "10.0.0.1"),
            (CertificateRuleKind::IpAddress, "2001:db8::1"),
        ];
        for (kind, value) in rules {
            let given = ClientCredential {
                rule: Some(CertificateRule {
                    kind,
                    value: value.to_owned(),
                }),
                ..ClientCredential::default()
            };
            let kept = one(&given).unwrap();
            assert!(told(&kept) == given, "{value}");
        }
        let key = ClientCredential {
            key_fingerprint: Some(vec![7; 32]),
            ..ClientCredential::default()
        };
        assert!(told(&one(&key).unwrap()) == key);
    }

    #[test]
    fn exactly_one_field_is_a_credential() {
        let key = ClientCredential {
            key_fingerprint: Some(vec![7; 32]),
            ..ClientCredential::default()
        };
        let rule = |kind, value: &str| ClientCredential {
            rule: Some(CertificateRule {
                kind,
                value: value.to_owned(),
            }),
            ..ClientCredential::default()
        };
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
            rule(CertificateRuleKind::Subject, "300"),
            rule(CertificateRuleKind::Subject, "zz"),
            rule(CertificateRuleKind::IpAddress, "10.0.0"),
            rule(CertificateRuleKind::CommonName, ""),
            rule(CertificateRuleKind(99), "x"),
        ];
        assert!(bad.iter().all(|given| one(given).is_err()));
        assert!(kept(&[key.clone(), key], 1).is_err());
    }
}
