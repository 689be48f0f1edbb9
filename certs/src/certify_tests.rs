//! Certificates for wishes: what is given, and what nobody gets by asking.

use crate::der::{SEQUENCE, SET, element};
use crate::{
    AlternativeName, CertificateAuthority, CertificateFacts, CertificateRequest, Error, Issuer, KeyKind, KeyUsages,
    PrivateKey, Purpose, RequestEncoding, Revocations, Subject, TrustedAuthority, Validity, Wish, distinguished_name,
    judge, pem,
};
use openssl::asn1::{Asn1Object, Asn1OctetString};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::x509::{X509Extension, X509NameBuilder, X509ReqBuilder};
use x509_parser::prelude::{FromDer as _, X509Certificate};

const NOW: i64 = 1_700_000_000;
const SERIAL: [u8; 16] = [0xFF; 16];

fn issuer(kind: KeyKind) -> (CertificateAuthority, Issuer) {
    let ca = CertificateAuthority::create(&Subject::named("ca"), Validity::days(NOW, 100), kind).unwrap();
    let key = PKey::private_key_from_der(&ca.key().to_der()).unwrap();
    let issuer = Issuer::new(ca.certificate(), &key.private_key_to_pkcs8().unwrap()).unwrap();
    (ca, issuer)
}

fn native(key: &PrivateKey) -> PKey<Private> {
    PKey::private_key_from_der(&key.to_der()).unwrap()
}

/// A request with extensions as given: object identifier and value.
fn request(key: &PKey<Private>, digest: MessageDigest, extensions: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = X509ReqBuilder::new().unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "client").unwrap();
    builder.set_subject_name(&name.build()).unwrap();
    builder.set_pubkey(key).unwrap();
    let mut stack = Stack::new().unwrap();
    for (oid, value) in extensions {
        let (oid, value) = (
            Asn1Object::from_str(oid).unwrap(),
            Asn1OctetString::new_from_bytes(value).unwrap(),
        );
        stack
            .push(X509Extension::new_from_der(&oid, false, &value).unwrap())
            .unwrap();
    }
    if !extensions.is_empty() {
        builder.add_extensions(&stack).unwrap();
    }
    builder.sign(key, digest).unwrap();
    builder.build().to_der().unwrap()
}

fn read(der: &[u8]) -> Result<Wish, Error> {
    Wish::read(RequestEncoding::Pkcs10, der)
}

#[test]
fn every_kind_of_authority_issues_what_verifies() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa3072, KeyKind::Ed25519] {
        let (ca, issuer) = issuer(kind);
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let names = [
            AlternativeName::Dns("host.example".into()),
            AlternativeName::host("192.0.2.1"),
        ];
        let der = CertificateRequest::create(&Subject::named("client"), &names, &key).unwrap();
        let wish = read(&der).unwrap();
        let issued = issuer.certify(&wish, Validity::days(NOW, 10), SERIAL).unwrap();
        let facts = CertificateFacts::read(&issued).unwrap();
        assert!(!facts.is_authority && facts.serial.len() == 16 && facts.serial[0] == 0x7F);
        assert_eq!(facts.alternative_names, names);
        assert_eq!(facts.public_key.info, key.public_key_info());
        let authority = TrustedAuthority::new(ca.certificate()).unwrap();
        judge(&[&issued], &authority, Revocations::default(), NOW, Purpose::Server).unwrap();
        // Renewed by itself, it says the same.
        let again = Wish::of_certificate(&issued).unwrap();
        assert_eq!(
            (&again.subject, &again.alternative_names),
            (&wish.subject, &wish.alternative_names)
        );
        assert!(again.key_usages.is_some());
    }
}

#[test]
fn pem_is_read_in_both_spellings() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let der = CertificateRequest::create(&Subject::named("client"), &[], &key).unwrap();
    let text = pem::write_request(&der);
    for text in [
        text.clone(),
        text.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
    ] {
        assert_eq!(Wish::read(RequestEncoding::Pem, text.as_bytes()), read(&der));
    }
    for bad in [&b"nothing"[..], &der, &[0xFF; 40]] {
        assert_eq!(Wish::read(RequestEncoding::Pem, bad), Err(Error::Request));
    }
}

#[test]
fn a_request_is_signed_by_its_own_key() {
    let key = native(&PrivateKey::generate(KeyKind::P256).unwrap());
    let der = request(&key, MessageDigest::sha256(), &[]);
    assert!(read(&der).is_ok());
    // Proves as much as any, though nobody should sign certificates with it.
    assert!(read(&request(&key, MessageDigest::sha1(), &[])).is_ok());
    for place in [der.len() - 1, der.len() / 2] {
        let mut forged = der.clone();
        forged[place] ^= 1;
        assert_eq!(read(&forged), Err(Error::Request), "{place}");
    }
    let mut longer = der.clone();
    longer.push(0);
    assert_eq!(read(&longer), Err(Error::Request));
    assert_eq!(read(&der[..der.len() - 1]), Err(Error::Request));
    let rsa = native(&PrivateKey::generate(KeyKind::Rsa3072).unwrap());
    assert_eq!(read(&request(&rsa, MessageDigest::md5(), &[])), Err(Error::Request));
}

#[test]
fn nobody_asks_for_an_authoritys_certificate() {
    let key = native(&PrivateKey::generate(KeyKind::P256).unwrap());
    let ask = |oid: &'static str, value: Vec<u8>| read(&request(&key, MessageDigest::sha256(), &[(oid, value)]));
    let ca = element(SEQUENCE, &element(0x01, &[0xFF]));
    assert_eq!(ask("2.5.29.19", ca), Err(Error::AuthorityWished));
    // keyCertSign, and cRLSign beside digitalSignature.
    assert_eq!(ask("2.5.29.15", vec![3, 2, 2, 4]), Err(Error::AuthorityWished));
    assert_eq!(ask("2.5.29.15", vec![3, 2, 1, 0x82]), Err(Error::AuthorityWished));
    let signs = ask("2.5.29.15", vec![3, 2, 7, 0x80]).unwrap();
    assert_eq!(signs.key_usages, Some(KeyUsages::SIGNATURE));
    // A certificate of an authority is none that is renewed for a client.
    let (ca, _) = issuer(KeyKind::P256);
    assert_eq!(Wish::of_certificate(ca.certificate()), Err(Error::AuthorityWished));
}

#[test]
fn of_what_is_asked_for_only_the_harmless_is_given() {
    let (_, issuer) = issuer(KeyKind::P256);
    let key = native(&PrivateKey::generate(KeyKind::P256).unwrap());
    let oid = |dotted: &str| crate::name::identifier(dotted).unwrap();
    // clientAuth, OCSPSigning, anyExtendedKeyUsage; name constraints, a policy, and an extension of nobody's.
    let usages = [oid("1.3.6.1.5.5.7.3.2"), oid("1.3.6.1.5.5.7.3.9"), oid("2.5.29.37.0")].concat();
    let extensions = [
        ("2.5.29.37", element(SEQUENCE, &usages)),
        ("2.5.29.54", vec![2, 1, 0]),
        ("2.5.29.32", element(SEQUENCE, &element(SEQUENCE, &oid("2.5.29.32.0")))),
        ("1.3.6.1.4.1.55555.1", vec![5, 0]),
    ];
    let wish = read(&request(&key, MessageDigest::sha256(), &extensions)).unwrap();
    let issued = issuer.certify(&wish, Validity::days(NOW, 10), SERIAL).unwrap();
    let (_, certificate) = X509Certificate::from_der(&issued).unwrap();
    let mut given: Vec<String> = certificate.extensions().iter().map(|e| e.oid.to_id_string()).collect();
    given.sort();
    assert_eq!(given, ["2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.35", "2.5.29.37"]);
    let usage = CertificateFacts::read(&issued).unwrap().extended_key_usages.unwrap();
    assert!(usage.client && !usage.server && !usage.any);
    assert!(!certificate.extended_key_usage().unwrap().unwrap().value.ocsp_signing);
}

/// A message of RFC 4211: subject, key and extensions of the template, signed.
fn crmf(key: &PrivateKey, extensions: &[u8], forge: bool) -> Vec<u8> {
    let subject = distinguished_name([("2.5.4.3", "client")]).unwrap();
    let info = key.public_key_info();
    let info = &info[2..];
    let mut template = element(0xA5, &subject);
    template.extend(element(0xA6, info));
    if !extensions.is_empty() {
        template.extend(element(0xA9, extensions));
    }
    let request = element(SEQUENCE, &[element(2, &[1]), element(SEQUENCE, &template)].concat());
    let mut signature = key.sign(if forge { b"else" } else { &request }).unwrap();
    signature.insert(0, 0);
    let algorithm = element(SEQUENCE, &crate::name::identifier("1.2.840.10045.4.3.2").unwrap());
    let proof = element(0xA1, &[algorithm, element(3, &signature)].concat());
    element(SEQUENCE, &element(SEQUENCE, &[request, proof].concat()))
}

#[test]
fn a_crmf_message_is_as_good_as_pkcs10() {
    let (_, issuer) = issuer(KeyKind::P256);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let oid = crate::name::identifier("2.5.29.19").unwrap();
    let no_ca = element(SEQUENCE, &[oid.clone(), element(4, &element(SEQUENCE, &[]))].concat());
    let good = crmf(&key, &no_ca, false);
    let wish = Wish::read(RequestEncoding::Crmf, &good).unwrap();
    assert_eq!(wish.key_info, key.public_key_info());
    assert!(wish.has_subject());
    let issued = issuer.certify(&wish, Validity::days(NOW, 10), SERIAL).unwrap();
    assert_eq!(CertificateFacts::read(&issued).unwrap().common_names, ["client"]);

    let ca = element(SEQUENCE, &element(1, &[0xFF]));
    let ca = element(SEQUENCE, &[oid, element(4, &ca)].concat());
    let refused = |bytes: &[u8]| Wish::read(RequestEncoding::Crmf, bytes).unwrap_err();
    assert_eq!(refused(&crmf(&key, &ca, false)), Error::AuthorityWished);
    assert_eq!(refused(&crmf(&key, &[], true)), Error::Request);
    for end in 0..good.len() {
        assert_eq!(refused(&good[..end]), Error::Request);
    }
    let rsa = PrivateKey::generate(KeyKind::Rsa3072).unwrap();
    assert_eq!(refused(&crmf(&rsa, &[], false)), Error::Request);
}

#[test]
fn an_issuer_is_an_authority_with_its_own_key() {
    let (ca, _) = issuer(KeyKind::P256);
    let other = native(&PrivateKey::generate(KeyKind::P256).unwrap())
        .private_key_to_pkcs8()
        .unwrap();
    assert_eq!(Issuer::new(ca.certificate(), &other).err(), Some(Error::KeyMismatch));
    assert_eq!(Issuer::new(ca.certificate(), b"no key").err(), Some(Error::PrivateKey));
    let leaf = crate::Leaf {
        subject: Subject::named("leaf"),
        alternative_names: Vec::new(),
        usage: crate::Usage::Client,
        validity: Validity::days(NOW, 1),
    };
    let (leaf, key) = leaf.self_signed(KeyKind::P256).unwrap();
    let key = native(&key).private_key_to_pkcs8().unwrap();
    assert_eq!(Issuer::new(&leaf, &key).err(), Some(Error::NotAuthority));
}

#[test]
fn a_certificate_names_somebody_else_than_its_issuer_and_lasts() {
    let (_, issuer) = issuer(KeyKind::P256);
    let info = PrivateKey::generate(KeyKind::P256).unwrap().public_key_info();
    let certify = |subject: Vec<u8>, validity| issuer.certify(&Wish::new(info.clone(), subject), validity, SERIAL);
    let days = Validity::days(NOW, 1);
    assert_eq!(certify(element(SEQUENCE, &[]), days), Err(Error::Name));
    assert_eq!(certify(issuer.facts().subject_der.clone(), days), Err(Error::Name));
    assert_eq!(certify(vec![1, 2, 3], days), Err(Error::Name));
    // The same name in capitals, with more spaces, in another type of string, and with something after it.
    for text in ["CA", " ca ", "Ca"] {
        let same = distinguished_name([("2.5.4.3", text)]).unwrap();
        assert_eq!(certify(same, days), Err(Error::Name), "{text:?}");
    }
    let common_name = [0x06, 3, 0x55, 4, 3];
    let printable = [common_name.as_slice(), &element(0x13, b"ca")].concat();
    let printable = element(SEQUENCE, &element(SET, &element(SEQUENCE, &printable)));
    assert_eq!(certify(printable, days), Err(Error::Name));
    let longer = [distinguished_name([("2.5.4.3", "other")]).unwrap(), vec![0]].concat();
    assert_eq!(certify(longer, days), Err(Error::Name));
    let name = distinguished_name([("2.5.4.3", "a, b"), ("2.5.4.6", "DE"), ("2.5.4.10", "Ü")]).unwrap();
    let issued = certify(name.clone(), days).unwrap();
    assert_eq!(CertificateFacts::read(&issued).unwrap().subject, "C=DE, O=Ü, CN=a, b");
    let empty = Validity {
        not_before: NOW,
        not_after: NOW,
    };
    assert_eq!(certify(name, empty), Err(Error::Validity));
    for bad in [
        ("2.5.4.6", "ü"),
        ("2.5.4.3", ""),
        ("1.2.3", "a"),
        ("1.2.840.113549.1.9.1", "ü@x"),
    ] {
        assert_eq!(distinguished_name([bad]), Err(Error::Name), "{bad:?}");
    }
}
