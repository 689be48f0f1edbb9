//! The profiles that this server keeps to (KMIP 2.1 §6.1.40, Profile Information): each is told where every operation that it wants
//! of a server is carried out, and only to versions that have its name.

use super::CARRIED_OUT;
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
/// encodings and transports come with their listener.
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

/// The profiles that a peer of this version is told.
pub fn supported(version: Version) -> Vec<ProfileInformation> {
    told(version, CARRIED_OUT)
}

fn told(version: Version, carried_out: &[Operation]) -> Vec<ProfileInformation> {
    let is_done = |operation: &Operation| carried_out.contains(operation);
    let tagged = version.has_tagged_attributes();
    let baseline = BASELINE.iter().all(is_done) && (!tagged || TAGGED_BASELINE.iter().all(is_done));
    let is_kept = |profile: &&ProfileName| {
        let name = profile.name().unwrap_or_default();
        let mut families = FAMILIES.iter();
        families.any(|(family, wanted)| name.starts_with(family) && wanted.iter().all(is_done))
    };
    let known = ProfileName::ALL.iter().filter(|profile| profile.is_known_in(version));
    let kept = known.filter(|_| baseline).filter(is_kept);
    kept.map(|profile_name| ProfileInformation {
        profile_name: *profile_name,
        profile_version: None,
        server_uri: None,
        server_port: None,
    })
    .collect()
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
                let told = told(version, operations);
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
    fn every_family_is_one_of_servers() {
        for (family, _) in FAMILIES {
            let mut names = ProfileName::ALL.iter().filter_map(|profile| profile.name());
            assert!(names.any(|name| name.starts_with(family)), "{family}");
        }
    }
}
