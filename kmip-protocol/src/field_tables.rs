//! Payloads and structures against the specification's own tables, where they are at hand.

use crate::field::Structure;
use crate::sample::{Maker, Sample};
use crate::*;
use kmip_ttlv::{Reader, Tag, Writer};
use serde_json::Value;
use std::path::PathBuf;

/// Where rows say something else than the table on purpose: operation, request or response, field.
const DIFFERENCES: &[(&str, &str, Tag)] = &[
    // Clients send it from 1.0 on.
    ("Locate", "request", tag::OFFSET_ITEMS),
    // One vendor's firewalls wrap the attributes so.
    ("Locate", "request", tag::TEMPLATE_ATTRIBUTE),
    // Published cases return it; the table is empty.
    ("Process", "response", tag::ASYNCHRONOUS_CORRELATION_VALUE),
];

fn tables() -> Option<Value> {
    let shared = std::env::var_os("CLAVIGER_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = shared.join("kmip/tables/SPEC_TABLES.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no reference data at {} (set CLAVIGER_SHARED)", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn payloads_have_the_fields_of_the_tables() {
    let shared = std::env::var_os("CLAVIGER_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = shared.join("kmip/tables/SPEC_TABLES.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no reference data at {} (set CLAVIGER_SHARED)", path.display());
        return;
    };
    let tables: Value = serde_json::from_str(&text).unwrap();
    let mut faults = Vec::new();
    for version in Version::ALL {
        let operations = tables[version.to_string()]["operations"].as_object().unwrap();
        let maker = &mut Maker::new(version, true, 3);
        // Extensions of our own are in no table.
        let standard = |operation: Operation| operation.0 < 0x8000_0000;
        for payload in RequestPayload::samples(maker)
            .into_iter()
            .filter(|p| standard(p.operation()))
        {
            compare(
                operations,
                payload.operation(),
                "request",
                version,
                |w| payload.write(w, version),
                &mut faults,
            );
        }
        for payload in ResponsePayload::samples(maker)
            .into_iter()
            .filter(|p| standard(p.operation()))
        {
            compare(
                operations,
                payload.operation(),
                "response",
                version,
                |w| payload.write(w, version),
                &mut faults,
            );
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn compare(
    operations: &serde_json::Map<String, Value>,
    operation: Operation,
    side: &str,
    version: Version,
    write: impl FnOnce(&mut Writer),
    faults: &mut Vec<String>,
) {
    let found = operations.iter().find(|(name, _)| {
        let plain: String = name.replace(" (server to client)", "");
        let alone = name.contains("(server to client)") == matches!(operation, Operation::Notify | Operation::Put);
        alone && enumerations_name(&plain) == operation.name()
    });
    let Some((name, table)) = found else {
        if operation.is_known_in(version) {
            faults.push(format!("{operation}: no table in {version}"));
        }
        return;
    };
    let fields = table[side].as_array().map(Vec::as_slice).unwrap_or_default();
    let expected: Vec<Option<Tag>> = fields.iter().map(|f| tag_of(f[0].as_str().unwrap())).collect();
    let mut writer = Writer::new();
    write(&mut writer);
    let mut written = Vec::new();
    let mut reader = Reader::new(writer.as_bytes());
    while let Some(found) = reader.peek() {
        reader.skip().unwrap();
        let object = ObjectType::ALL.iter().any(|t| t.name() == tag::name(found));
        let own = expected.contains(&Some(found));
        written.push((!object || own).then_some(found));
    }
    written.dedup();
    written.retain(|found| {
        let differs = |f: &Tag| DIFFERENCES.contains(&(operation.name().unwrap_or_default(), side, *f));
        expected.contains(found) || !found.as_ref().is_some_and(differs)
    });
    if written != expected {
        faults.push(format!(
            "{name} {side} in {version}: {:?} for {:?}",
            names(&written),
            names(&expected)
        ));
    }
}

fn enumerations_name(name: &str) -> Option<&'static str> {
    let squeezed = |text: &str| text.to_lowercase().replace([' ', '-', '#', '_'], "");
    Operation::ALL
        .iter()
        .filter_map(|o| o.name())
        .find(|o| squeezed(o) == squeezed(name))
}

/// The tag of a field in a table; none for "any object".
fn tag_of(field: &str) -> Option<Tag> {
    let name = field.split(", see").next().unwrap_or_default();
    tag::from_specification_name(name)
}

fn names(tags: &[Option<Tag>]) -> Vec<&'static str> {
    tags.iter().map(|t| t.and_then(tag::name).unwrap_or("OBJECT")).collect()
}

/// The tags that a version of a structure writes.
type Written = fn(Version) -> Vec<Tag>;

/// Structures whose tables have one row per field: a part of the table's name, and the type.
macro_rules! structures {
    ($($table:literal: $type:ty;)+) => {
        const STRUCTURES: &[(&str, Written)] = &[
            $(($table, |version| tags_written::<$type>(version)),)+
        ];
    };
}

structures! {
    "Certificate Object Structure": Certificate;
    "Certificate Request Structure": CertificateRequest;
    "Opaque Object Structure": OpaqueObject;
    "PGP Key Object Structure": PGPKey;
    "Private Key Object Structure": PrivateKey;
    "Public Key Object Structure": PublicKey;
    "Secret Data Object Structure": SecretData;
    "Split Key Object Structure": SplitKey;
    "Symmetric Key Object Structure": SymmetricKey;
    "Key Block Object Structure": KeyBlock;
    "Key Wrapping Data Object Structure": KeyWrappingData;
    "Encryption Key Information Object Structure": KeyInformation;
    "MAC/Signature Key Information Object Structure": KeyInformation;
    "Key Wrapping Specification Object Structure": KeyWrappingSpecification;
    "for Transparent Symmetric Keys": TransparentSymmetricKey;
    "for Transparent DSA Private Keys": TransparentDSAPrivateKey;
    "for Transparent DSA Public Keys": TransparentDSAPublicKey;
    "for Transparent RSA Private Keys": TransparentRSAPrivateKey;
    "for Transparent RSA Public Keys": TransparentRSAPublicKey;
    "for Transparent DH Private Keys": TransparentDHPrivateKey;
    "for Transparent DH Public Keys": TransparentDHPublicKey;
    "for Transparent EC Private Keys": TransparentECPrivateKey;
    "for Transparent EC Public Keys": TransparentECPublicKey;
    "for Transparent ECDSA Private Keys": TransparentECPrivateKey;
    "for Transparent ECDSA Public Keys": TransparentECPublicKey;
    "for Transparent ECDH Private Keys": TransparentECPrivateKey;
    "for Transparent ECDH Public Keys": TransparentECPublicKey;
    "for Transparent ECMQV Private Keys": TransparentECPrivateKey;
    "for Transparent ECMQV Public Keys": TransparentECPublicKey;
    "Name Attribute Structure": Name;
    "Alternative Name Attribute Structure": AlternativeName;
    "Rotate Name Attribute Structure": RotateName;
    "Link Attribute Structure": Link;
    "Digest Attribute Structure": Digest;
    "Usage Limits Attribute Structure": UsageLimits;
    "Revocation Reason Attribute Structure": RevocationReason;
    "Application Specific Information Attribute": ApplicationSpecificInformation;
    "Key Value Location Attribute": KeyValueLocation;
    "X.509 Certificate Identifier Attribute Structure": X_509CertificateIdentifier;
    "X.509 Certificate Subject Attribute Structure": X_509CertificateSubject;
    "X.509 Certificate Issuer Attribute Structure": X_509CertificateIssuer;
    "Cryptographic Parameters Attribute Structure": CryptographicParameters;
    "Cryptographic Domain Parameters Attribute Structure": CryptographicDomainParameters;
    "RNG Parameters Structure": RNGParameters;
    "PBKDF2 Derivation Parameters Structure": DerivationParameters;
    "Extension Information Structure": ExtensionInformation;
    "Profile Information Structure": ProfileInformation;
    "Profile Version Structure": ProfileVersion;
    "Validation Information Structure": ValidationInformation;
    "Capability Information Structure": CapabilityInformation;
    "Ticket Structure": Ticket;
    "Right Structure": Right;
    "Rights Structure": Rights;
    "Operations Structure": Operations;
    "Objects Structure": Objects;
    "Object Groups Structure": ObjectGroups;
    "ObjectTypes Structure": ObjectTypes;
    "Constraint Structure": Constraint;
    "Constraints Structure": Constraints;
    "Defaults Information Structure": DefaultsInformation;
    "Asynchronous Correlation Values Structure": AsynchronousCorrelationValues;
    "Asynchronous Request Structure": AsynchronousRequest;
    "Nonce Structure": Nonce;
    "Message Extension Structure in Batch Item": MessageExtension;
    "Protocol Version Structure in Message Header": ProtocolVersion;
    "for the Username and Password Credential": UsernameAndPassword;
    "for the Device Credential": Device;
    "for the Attestation Credential": Attestation;
    "for the One Time Password Credential": OneTimePassword;
    "for the Hashed Password Credential": HashedPassword;
}

#[test]
fn structures_have_the_fields_of_the_tables() {
    let Some(tables) = tables() else { return };
    let mut faults = Vec::new();
    for (name, written) in STRUCTURES {
        let mut seen = false;
        for version in Version::ALL {
            let structures = tables[version.to_string()]["structures"].as_object().unwrap();
            let named = structures
                .iter()
                .find(|(table, _)| table == name || (name.starts_with("for ") && table.ends_with(name)));
            let Some((_, rows)) = named else { continue };
            seen = true;
            let fields = rows.as_array().unwrap().iter().skip(1);
            let field = |row: &Value| match row[0].as_str().unwrap().trim_end_matches(',') {
                "Timestamp" => Some(tag::TIME_STAMP),
                name => tag_of(name),
            };
            let expected: Vec<Option<Tag>> = fields.map(field).collect();
            let ours: Vec<Option<Tag>> = written(version).into_iter().map(Some).collect();
            if ours != expected {
                faults.push(format!(
                    "{name} in {version}: {:?} for {:?}",
                    names(&ours),
                    names(&expected)
                ));
            }
        }
        if !seen {
            faults.push(format!("{name}: no table"));
        }
    }
    let headers: [(&str, Written); 2] = [
        ("Request Header", tags_written::<RequestHeader>),
        ("Response Header", tags_written::<ResponseHeader>),
    ];
    for version in Version::ALL {
        for (name, written) in headers {
            let rows = tables[version.to_string()]["messages"][name].as_array().unwrap();
            let expected: Vec<_> = rows
                .iter()
                .skip(1)
                .map(|row| tag_of(row[0].as_str().unwrap()))
                .collect();
            let ours: Vec<Option<Tag>> = written(version).into_iter().map(Some).collect();
            if ours != expected {
                faults.push(format!(
                    "{name} in {version}: {:?} for {:?}",
                    names(&ours),
                    names(&expected)
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn tags_written<T: Structure + Sample>(version: Version) -> Vec<Tag> {
    let value = T::sample(&mut Maker::new(version, true, 5));
    let mut writer = Writer::new();
    value.write(&mut writer, version);
    let mut reader = Reader::new(writer.as_bytes());
    let mut written = Vec::new();
    while let Some(tag) = reader.peek() {
        reader.skip().unwrap();
        written.push(tag);
    }
    written.dedup();
    written
}
