//! The profiles that this server keeps to (KMIP 2.1 §6.1.40, Profile Information): each is told where every operation that it wants
//! of a server is carried out, and only to versions that have its name.

use super::CARRIED_OUT;
use super::about::HttpsPlace;
use kmip_protocol::{Operation, ProfileInformation, ProfileName, Version};

/// What every server does, up to 1.4 (KMIP Profiles, Baseline Server).
const BASELINE: &[Operation] = &[
    Operation::Locate,
    Operation::Check,
    Operation::Get,
    Operation::GetAttributes,
    Operation::GetAttributeList,
    Operation::AddAttribute,
    Operation::ModifyAttribute,
    Operation::DeleteAttribute,
    Operation::Activate,
    Operation::Revoke,
    Operation::Destroy,
    Operation::Register,
    Operation::Query,
    Operation::DiscoverVersions,
];

/// What every server does besides, from 2.0 on. Interop is for tests and switched off elsewhere.
const TAGGED_BASELINE: &[Operation] = &[
    Operation::SetAttribute,
    Operation::AdjustAttribute,
    Operation::Import,
    Operation::Export,
    Operation::Log,
    Operation::SetEndpointRole,
];

/// Profiles by the beginning of their names, which go on with a protocol version up to 1.4, and what they want besides. Those of
/// encodings and transports come with their listener ([`CARRIED`]).
const FAMILIES: &[(&str, &[Operation])] = &[
    ("BaselineServer", &[]),
    ("TapeLibraryServer", &[Operation::Create]),
    ("SymmetricKeyLifecycleServer", &[Operation::Create]),
    ("AsymmetricKeyLifecycleServer", &[Operation::CreateKeyPair]),
    ("BasicCryptographicServer", &[Operation::Encrypt, Operation::Decrypt]),
    (
        "AdvancedCryptographicServer",
        &[
            Operation::Encrypt,
            Operation::Decrypt,
            Operation::Sign,
            Operation::SignatureVerify,
            Operation::MAC,
            Operation::MACVerify,
            Operation::RNGRetrieve,
            Operation::RNGSeed,
            Operation::Hash,
            Operation::CreateSplitKey,
            Operation::JoinSplitKey,
        ],
    ),
    ("RNGCryptographicServer", &[Operation::RNGRetrieve, Operation::RNGSeed]),
    ("SymmetricKeyFoundryServer", &[Operation::Create]),
    ("OpaqueManagedObjectStoreServer", &[]),
    ("StorageArrayWithSelfEncryptingDriveServer", &[]),
    ("AESXTSServer", &[Operation::Create]),
];

/// Profiles that are kept where messages are carried by HTTPS.
const CARRIED: &[&str] = &["HTTPSServer", "XMLServer", "JSONServer"];

/// The profiles that a peer of this version is told.
pub fn supported(version: Version, https: Option<&HttpsPlace>) -> Vec<ProfileInformation> {
    told(version, CARRIED_OUT, https)
}

fn told(version: Version, carried_out: &[Operation], https: Option<&HttpsPlace>) -> Vec<ProfileInformation> {
    let is_done = |operation: &Operation| carried_out.contains(operation);
    let tagged = version.has_tagged_attributes();
    let baseline = BASELINE.iter().all(is_done) && (!tagged || TAGGED_BASELINE.iter().all(is_done));
    let kept = |profile_name: &ProfileName| {
        let name = profile_name.name().unwrap_or_default();
        let carried = CARRIED.iter().any(|family| name.starts_with(family));
        let place = https.filter(|_| carried);
        let mut families = FAMILIES.iter();
        let is_kept = families.any(|(family, wanted)| name.starts_with(family) && wanted.iter().all(is_done));
        (is_kept || place.is_some()).then(|| ProfileInformation {
            profile_name: *profile_name,
            profile_version: None,
            server_uri: place.and_then(|place| place.uri.clone()),
            server_port: place.and_then(|place| place.port).map(i32::from),
        })
    };
    let known = ProfileName::ALL.iter().filter(|profile| profile.is_known_in(version));
    known.filter(|_| baseline).filter_map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_told_where_all_that_it_wants_is_done() {
        let everything: Vec<Operation> = Operation::ALL.to_vec();
        for version in Version::ALL
            .into_iter()
            .filter(|v| ProfileName::ALL.iter().any(|p| p.is_known_in(*v)))
        {
            let told_in = |operations: &[Operation]| {
                let told = told(version, operations, None);
                assert!(told.iter().all(|one| one.profile_name.is_known_in(version)));
                told.len()
            };
            let without = |operation| {
                let rest: Vec<Operation> = everything.iter().copied().filter(|one| *one != operation).collect();
                told_in(&rest)
            };
            assert!(told_in(&everything) >= 10, "{version}");
            assert_eq!(without(Operation::Check), 0);
            assert!((1..told_in(&everything)).contains(&without(Operation::Encrypt)));
            assert_eq!(without(Operation::Import) == 0, version.has_tagged_attributes());
        }
    }

    #[test]
    fn profiles_of_https_say_where_they_are_kept() {
        let place = HttpsPlace {
            uri: Some("https://kms.example/kmip".to_owned()),
            port: Some(443),
        };
        let everything: Vec<Operation> = Operation::ALL.to_vec();
        for version in Version::ALL {
            let (with, without) = (
                told(version, &everything, Some(&place)),
                told(version, &everything, None),
            );
            let of_https = |one: &&ProfileInformation| one.server_uri == place.uri && one.server_port == Some(443);
            let added = with.iter().filter(of_https).count();
            assert_eq!(with.len(), without.len() + added, "{version}");
            assert_eq!(added > 0, !without.is_empty(), "{version}");
            assert!(
                without
                    .iter()
                    .all(|one| one.server_uri.is_none() && one.server_port.is_none())
            );
            assert!(told(version, &[], Some(&place)).is_empty());
        }
    }

    #[test]
    fn every_family_is_one_of_servers() {
        for family in FAMILIES.iter().map(|(family, _)| family).chain(CARRIED) {
            let mut names = ProfileName::ALL.iter().filter_map(|profile| profile.name());
            assert!(names.any(|name| name.starts_with(family)), "{family}");
        }
    }
}
