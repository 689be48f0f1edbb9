//! What a certificate says of itself, as attributes (KMIP 2.1 §4.8, §4.13, §4.22, §4.61–4.63; KMIP 1.4 §3.13–3.15).

use crate::crypto::PublicKey;
use crate::objects::AttributeSet;
use certs::{AlternativeName, CertificateFacts, KeyUsages, NameAttribute};
use kmip_protocol::{
    Attribute, CertificateIdentifier, CertificateIssuer, CertificateRequest, CertificateSubject,
    CryptographicUsageMask, DigitalSignatureAlgorithm as Digital, X_509CertificateIdentifier, X_509CertificateIssuer,
    X_509CertificateSubject,
};

/// Sets what follows from an X.509 certificate. Of one that cannot be read nothing follows: it is kept as it is.
pub fn set(attributes: &mut AttributeSet, der: &[u8]) {
    if let Ok(facts) = PublicKey::from_certificate(der).and_then(|key| key.facts()) {
        attributes.set_if_absent(Attribute::CryptographicAlgorithm(facts.algorithm));
        attributes.set_if_absent(Attribute::CryptographicLength(facts.length));
    }
    let Ok(facts) = CertificateFacts::read(der) else { return };
    if let Some(algorithm) = signature_algorithm(&facts.signature_algorithm) {
        attributes.set(Attribute::DigitalSignatureAlgorithm(algorithm));
    }
    if let Some(usages) = facts.key_usages {
        attributes.set_if_absent(Attribute::CryptographicUsageMask(usage_mask(usages)));
    }
    set_names(attributes, &facts);
    for name in &facts.subject_attributes {
        if let Some(attribute) = name.text.clone().and_then(|text| subject_part(&name.oid, text)) {
            attributes.add(attribute);
        }
    }
    for name in &facts.issuer_attributes {
        if let Some(attribute) = name.text.clone().and_then(|text| issuer_part(&name.oid, text)) {
            attributes.add(attribute);
        }
    }
}

/// Sets what follows from a certificate request: the algorithm and the length of its key, which all objects but Secret Data and Opaque Objects
/// have (KMIP 2.1 §4.13, §4.15).
pub fn set_from_request(attributes: &mut AttributeSet, request: &CertificateRequest) {
    if let Ok(facts) = PublicKey::from_request(&request.certificate_request_value).and_then(|key| key.facts()) {
        attributes.set_if_absent(Attribute::CryptographicAlgorithm(facts.algorithm));
        attributes.set_if_absent(Attribute::CryptographicLength(facts.length));
    }
}

/// What the key in a certificate may be used for (KMIP 1.4 §3.19, Table 96): it is the public one.
fn usage_mask(usages: KeyUsages) -> CryptographicUsageMask {
    const ROWS: [(KeyUsages, CryptographicUsageMask); 9] = [
        (KeyUsages::SIGNATURE, CryptographicUsageMask::Verify),
        (KeyUsages::COMMITMENT, CryptographicUsageMask::ContentCommitment),
        (KeyUsages::KEY_ENCIPHERMENT, CryptographicUsageMask::WrapKey),
        (KeyUsages::DATA_ENCIPHERMENT, CryptographicUsageMask::Encrypt),
        (KeyUsages::AGREEMENT, CryptographicUsageMask::KeyAgreement),
        (KeyUsages::CERTIFICATE_SIGN, CryptographicUsageMask::CertificateSign),
        (KeyUsages::CRL_SIGN, CryptographicUsageMask::CRLSign),
        (KeyUsages::ENCIPHER_ONLY, CryptographicUsageMask::Encrypt),
        (KeyUsages::DECIPHER_ONLY, CryptographicUsageMask::Decrypt),
    ];
    let named = ROWS.iter().filter(|(usage, _)| usages.contain(*usage));
    CryptographicUsageMask(named.fold(0, |bits, (_, mask)| bits | mask.0))
}

fn set_names(attributes: &mut AttributeSet, facts: &CertificateFacts) {
    let serial = &facts.serial;
    // As a number: the byte that only keeps the INTEGER positive is none of its digits.
    let number = match serial.as_slice() {
        [0, rest @ ..] if !rest.is_empty() => rest,
        whole => whole,
    };
    let digits: String = number.iter().map(|byte| format!("{byte:02X}")).collect();
    attributes.set(Attribute::X_509CertificateIdentifier(X_509CertificateIdentifier {
        issuer_distinguished_name: facts.issuer_der.clone(),
        // The published cases give the whole INTEGER.
        certificate_serial_number: element(0x02, serial).unwrap_or_default(),
    }));
    attributes.set(Attribute::X_509CertificateIssuer(X_509CertificateIssuer {
        issuer_distinguished_name: facts.issuer_der.clone(),
        issuer_alternative_names: facts
            .issuer_alternative_names
            .iter()
            .map(AlternativeName::to_der)
            .collect(),
    }));
    attributes.set(Attribute::X_509CertificateSubject(X_509CertificateSubject {
        subject_distinguished_name: facts.subject_der.clone(),
        subject_alternative_names: facts.alternative_names.iter().map(AlternativeName::to_der).collect(),
    }));
    let issuer = in_order_of_text(&facts.issuer_attributes, &facts.issuer);
    attributes.set(Attribute::CertificateIdentifier(CertificateIdentifier {
        issuer: issuer.clone(),
        serial_number: Some(digits),
    }));
    attributes.set(Attribute::CertificateIssuer(CertificateIssuer {
        certificate_issuer_distinguished_name: issuer,
        certificate_issuer_alternative_names: facts.issuer_alternative_names.iter().map(in_text).collect(),
    }));
    attributes.set(Attribute::CertificateSubject(CertificateSubject {
        certificate_subject_distinguished_name: in_order_of_text(&facts.subject_attributes, &facts.subject),
        certificate_subject_alternative_names: facts.alternative_names.iter().map(in_text).collect(),
    }));
}

/// A distinguished name as the published cases write it: RFC 4514, the most specific part first. A name with a part that is
/// no text is left in the words of the certificates' room.
fn in_order_of_text(parts: &[NameAttribute], otherwise: &str) -> String {
    let written = parts.iter().rev().map(|part| {
        let text = part.text.as_deref()?;
        Some(format!("{}={}", part.short_name.unwrap_or(&part.oid), escaped(text)))
    });
    let written: Option<Vec<String>> = written.collect();
    written.map_or_else(|| otherwise.to_owned(), |parts| parts.join(","))
}

/// A value with what RFC 4514 §2.4 escapes.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (place, character) in text.chars().enumerate() {
        let special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || (place == 0 && matches!(character, ' ' | '#'))
            || (place == last && character == ' ');
        if special {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// One element of DER with a content of less than 128 bytes; longer names and numbers are left out.
fn element(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 0x80)?;
    let mut bytes = vec![tag, length];
    bytes.extend_from_slice(content);
    Some(bytes)
}

fn in_text(name: &AlternativeName) -> String {
    match name {
        AlternativeName::Email(text) | AlternativeName::Dns(text) | AlternativeName::Uri(text) => text.clone(),
        AlternativeName::Ip(address) => address.to_string(),
    }
}

/// The parts of names that have attributes of their own, by object identifier (X.520, RFC 4519, PKCS#9).
macro_rules! parts {
    ($($oid:literal $subject:ident $issuer:ident)+) => {
        fn subject_part(oid: &str, text: String) -> Option<Attribute> {
            match oid { $($oid => Some(Attribute::$subject(text)),)+ _ => None }
        }
        /// The part of a subject that an attribute is: its object identifier, and its text.
        pub fn subject_name(attribute: &Attribute) -> Option<(&'static str, &str)> {
            match attribute { $(Attribute::$subject(text) => Some(($oid, text.as_str())),)+ _ => None }
        }
        fn issuer_part(oid: &str, text: String) -> Option<Attribute> {
            match oid { $($oid => Some(Attribute::$issuer(text)),)+ _ => None }
        }
    };
}

parts! {
    "2.5.4.3" CertificateSubjectCN CertificateIssuerCN
    "2.5.4.10" CertificateSubjectO CertificateIssuerO
    "2.5.4.11" CertificateSubjectOU CertificateIssuerOU
    "1.2.840.113549.1.9.1" CertificateSubjectEmail CertificateIssuerEmail
    "2.5.4.6" CertificateSubjectC CertificateIssuerC
    "2.5.4.8" CertificateSubjectST CertificateIssuerST
    "2.5.4.7" CertificateSubjectL CertificateIssuerL
    "0.9.2342.19200300.100.1.1" CertificateSubjectUID CertificateIssuerUID
    "2.5.4.5" CertificateSubjectSerialNumber CertificateIssuerSerialNumber
    "2.5.4.12" CertificateSubjectTitle CertificateIssuerTitle
    "0.9.2342.19200300.100.1.25" CertificateSubjectDC CertificateIssuerDC
    "2.5.4.46" CertificateSubjectDNQualifier CertificateIssuerDNQualifier
}

/// The signature algorithm of an object identifier (RFC 3279, 4055, 5758, NIST's registry).
fn signature_algorithm(oid: &str) -> Option<Digital> {
    Some(match oid {
        "1.2.840.113549.1.1.2" => Digital::MD2WithRSAEncryption,
        "1.2.840.113549.1.1.4" => Digital::MD5WithRSAEncryption,
        "1.2.840.113549.1.1.5" => Digital::SHA_1WithRSAEncryption,
        "1.2.840.113549.1.1.14" => Digital::SHA_224WithRSAEncryption,
        "1.2.840.113549.1.1.11" => Digital::SHA_256WithRSAEncryption,
        "1.2.840.113549.1.1.12" => Digital::SHA_384WithRSAEncryption,
        "1.2.840.113549.1.1.13" => Digital::SHA_512WithRSAEncryption,
        "1.2.840.113549.1.1.10" => Digital::RSASSA_PSS,
        "1.2.840.10040.4.3" => Digital::DSAWithSHA_1,
        "2.16.840.1.101.3.4.3.1" => Digital::DSAWithSHA224,
        "2.16.840.1.101.3.4.3.2" => Digital::DSAWithSHA256,
        "1.2.840.10045.4.1" => Digital::ECDSAWithSHA_1,
        "1.2.840.10045.4.3.1" => Digital::ECDSAWithSHA224,
        "1.2.840.10045.4.3.2" => Digital::ECDSAWithSHA256,
        "1.2.840.10045.4.3.3" => Digital::ECDSAWithSHA384,
        "1.2.840.10045.4.3.4" => Digital::ECDSAWithSHA512,
        "2.16.840.1.101.3.4.3.14" => Digital::SHA3_256WithRSAEncryption,
        "2.16.840.1.101.3.4.3.15" => Digital::SHA3_384WithRSAEncryption,
        "2.16.840.1.101.3.4.3.16" => Digital::SHA3_512WithRSAEncryption,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use certs::{KeyKind, Leaf, Subject, Usage, Validity};
    use kmip_protocol::{AttributeKind, CryptographicAlgorithm};

    #[test]
    fn a_certificate_tells_its_names_key_and_signature() {
        let leaf = Leaf {
            subject: Subject::named("a client"),
            alternative_names: vec![AlternativeName::Dns("host.example".into())],
            usage: Usage::Client,
            validity: Validity::days(1_700_000_000, 1),
        };
        let (certificate, _) = leaf.self_signed(KeyKind::P256).unwrap();
        let mut attributes = AttributeSet::default();
        set(&mut attributes, &certificate);
        assert_eq!(attributes.algorithm(), Some(CryptographicAlgorithm::EC));
        assert_eq!(attributes.length(), Some(256));
        let first = |kind| attributes.first(kind);
        assert!(
            matches!(first(AttributeKind::CertificateSubjectCN), Some(Attribute::CertificateSubjectCN(name)) if name == "a client")
        );
        assert!(matches!(
            first(AttributeKind::DigitalSignatureAlgorithm),
            Some(Attribute::DigitalSignatureAlgorithm(Digital::ECDSAWithSHA256))
        ));
        let Some(Attribute::X_509CertificateSubject(subject)) = first(AttributeKind::X_509CertificateSubject) else {
            panic!()
        };
        assert_eq!(
            subject.subject_alternative_names,
            [[&[0x82, 12][..], b"host.example"].concat()]
        );
        let Some(Attribute::X_509CertificateIdentifier(own)) = first(AttributeKind::X_509CertificateIdentifier) else {
            panic!()
        };
        assert_eq!(own.certificate_serial_number.first(), Some(&2));
    }

    #[test]
    fn a_name_is_written_from_its_end_and_escaped() {
        let part = |oid: &str, short_name, text: &str| NameAttribute {
            oid: oid.into(),
            short_name,
            text: Some(text.into()),
        };
        let name = [
            part("2.5.4.6", Some("C"), "AU"),
            part("2.5.4.10", Some("O"), "A, B"),
            part("1.2.3", None, "#x "),
        ];
        assert_eq!(in_order_of_text(&name, ""), "1.2.3=\\#x\\ ,O=A\\, B,C=AU");
    }

    #[test]
    fn what_is_no_certificate_tells_nothing() {
        let mut attributes = AttributeSet::default();
        set(&mut attributes, b"nonsense");
        assert_eq!(attributes.iter().count(), 0);
    }
}
