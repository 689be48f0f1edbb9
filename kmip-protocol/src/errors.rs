//! The error tables of the versions without tagged attributes (KMIP 1.4 §11): of each operation which mistake has which reason. Later
//! versions list reasons only, and the newest reasons say in which words older versions are told them.

use crate::version::versions;
use crate::{Operation, ResultReason, Versions};

/// One row. Its Result Status is always Operation Failed.
pub struct ErrorRow {
    /// The operation that fails.
    pub operation: Operation,
    /// What is wrong: words by which the row is known among those of its table.
    pub mistake: &'static str,
    /// What is told.
    pub reason: ResultReason,
    /// The versions that have the row.
    pub versions: Versions,
}

/// Declares rows. A row without versions is in all that have such tables.
macro_rules! errors {
    (@versions) => { versions!(..=V1_4) };
    (@versions $($range:tt)+) => { versions!($($range)+) };
    ($($operation:ident { $($mistake:literal $reason:ident $([$($range:tt)+])?;)+ })+) => {
        /// Every row of every operation.
        pub const ERROR_ROWS: &[ErrorRow] = &[$($(ErrorRow {
            operation: Operation::$operation,
            mistake: $mistake,
            reason: ResultReason::$reason,
            versions: errors!(@versions $($($range)+)?),
        },)+)+];
    };
}

errors! {
    Create {
        "Object Type is not recognized" InvalidField;
        "Templates that do not exist are" ItemNotFound;
        "Incorrect attribute value" InvalidField;
        "Error creating" CryptographicFailure;
        "more instances than the server supports" IndexOutOfBounds;
        "same Name attribute value as an existing" InvalidField;
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "Template object is archived" ObjectArchived;
    }
    CreateKeyPair {
        "Templates that do not exist are" ItemNotFound;
        "Incorrect attribute value" InvalidField;
        "Error creating" CryptographicFailure;
        "more instances than the server supports" IndexOutOfBounds;
        "same Name attribute value as an existing" InvalidField;
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "Template object is archived" ObjectArchived;
        "field(s) missing" InvalidMessage;
    }
    Register {
        "Object Type is not recognized" InvalidField;
        "Templates that do not exist are" ItemNotFound;
        "Incorrect attribute value" InvalidField;
        "more instances than the server supports" IndexOutOfBounds;
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "Template object is archived" ObjectArchived;
        "does not match type of" InvalidField;
        "same Name attribute value as an existing" InvalidField;
        "Encoding Option not permitted" EncodingOptionError [V1_1..=V1_4];
        "Template object containing a Name" InvalidField [V1_2..=V1_4];
        "missing or multiple PKCS#12" InvalidField [V1_4..=V1_4];
        "does not contain the Unique Identifier of a Secret Data" InvalidField [V1_4..=V1_4];
    }
    ReKey {
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "No object with the specified" ItemNotFound;
        "not able to be re-keyed" PermissionDenied;
        "Offset field is not permitted" InvalidMessage;
        "Cryptographic error during" CryptographicFailure;
        "Object is archived" ObjectArchived;
        "An offset cannot be used" IllegalOperation;
        "Key Value is not present" KeyValueNotPresent [V1_2..=V1_4];
    }
    ReKeyKeyPair {
        "Application Namespace is not supported" ApplicationNamespaceNotSupported [V1_1..=V1_4];
        "No object with the specified" ItemNotFound [V1_1..=V1_4];
        "not able to be re-keyed" PermissionDenied [V1_1..=V1_4];
        "Cryptographic error during" CryptographicFailure [V1_1..=V1_4];
        "Object is archived" ObjectArchived [V1_1..=V1_4];
        "An offset cannot be used" IllegalOperation [V1_1..=V1_4];
        "Offset field is not permitted" InvalidMessage [V1_1..=V1_4];
        "Key Value is not present" KeyValueNotPresent [V1_2..=V1_4];
    }
    DeriveKey {
        "Templates that do not exist are" ItemNotFound;
        "Incorrect attribute value" InvalidField;
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "objects specified do not exist" ItemNotFound;
        "not of the correct type" InvalidField;
        "Invalid Derivation Method" InvalidField;
        "Invalid Derivation Parameters" InvalidField;
        "Ambiguous derivation data" InvalidMessage;
        "not able to be used to derive" InvalidField;
        "same Name attribute value as an existing" InvalidField;
        "objects is archived" ObjectArchived;
        "length exceeds the output" CryptographicFailure;
        "Key Value is not present" KeyValueNotPresent [V1_2..=V1_4];
    }
    Certify {
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "not able to be certified" PermissionDenied;
        "not contain a signed certificate request" InvalidField;
    }
    ReCertify {
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "not able to be certified" PermissionDenied;
        "not contain a signed certificate request" InvalidField;
        "Offset field is not permitted" InvalidMessage;
    }
    Locate {
        "Non-existing attributes" InvalidField;
    }
    Check {
        "Object is archived" ObjectArchived;
        "Object does not exist" ItemNotFound;
        "Check cannot be performed" IllegalOperation;
        "not allowed to use the object" PermissionDenied;
    }
    Get {
        "Object is archived" ObjectArchived;
        "Object does not exist" ItemNotFound;
        "Wrapping key does not exist" ItemNotFound;
        "Encryption Key Information exists, but it is not a key" IllegalOperation;
        "not able to be used for wrapping" PermissionDenied;
        "MAC/Signature Key Information exists, but it is not a key" IllegalOperation;
        "not able to be used for MACing/signing" PermissionDenied;
        "desired Key Format Type" KeyFormatTypeNotSupported;
        "only has attributes" IllegalOperation;
        "Cryptographic Parameters associated" ItemNotFound;
        "Encoding Option not permitted" EncodingOptionError [V1_1..=V1_4];
        "desired Encoding Option" EncodingOptionError [V1_1..=V1_4];
        "Key Wrap Type is not supported" KeyWrapTypeNotSupported [V1_4..=V1_4];
        "Object is Sensitive" Sensitive [V1_4..=V1_4];
        "Object is not Extractable" NotExtractable [V1_4..=V1_4];
    }
    GetAttributes {
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "An Attribute Index is specified" ItemNotFound [..=V1_0];
        "same Attribute Name is present" InvalidMessage [V1_1..=V1_4];
    }
    GetAttributeList {
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
    }
    AddAttribute {
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "add a read-only" PermissionDenied;
        "not supported for this object" PermissionDenied;
        "specified attribute already exists" IllegalOperation;
        "contains Attribute Index" InvalidField;
        "Name attribute with the same value" IllegalOperation;
        "limit on instances" IndexOutOfBounds;
    }
    ModifyAttribute {
        "Application Namespace is not supported" ApplicationNamespaceNotSupported;
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "An Attribute Index is specified" ItemNotFound [..=V1_0];
        "specified attribute does not exist" InvalidField;
        "attribute is read-only" PermissionDenied;
        "value already used" IllegalOperation;
        "No matching attribute instance" ItemNotFound [V1_1..=V1_4];
    }
    DeleteAttribute {
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "delete a read-only" PermissionDenied;
        "Attribute Index is specified, but the" ItemNotFound [..=V1_0];
        "No attribute with the specified name" ItemNotFound;
        "Attribute Index is not specified" InvalidField [..=V1_0];
        "No matching attribute instance" ItemNotFound [V1_1..=V1_4];
    }
    ObtainLease {
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "lease is not permitted" PermissionDenied;
    }
    GetUsageAllocation {
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "has no Usage Limits" IllegalOperation;
        "No Usage Limits Count" InvalidMessage;
        "not able to grant" PermissionDenied;
    }
    Activate {
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "not able to be activated" IllegalOperation;
        "not in Pre-Active state" PermissionDenied;
    }
    Revoke {
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "Revocation Reason is not" InvalidField;
        "not able to be revoked" IllegalOperation;
    }
    Destroy {
        "No object with the specified" ItemNotFound;
        "Object is archived" ObjectArchived;
        "already been destroyed" PermissionDenied;
        "not in Pre-Active, Deactivated" PermissionDenied;
    }
    Archive {
        "No object with the specified" ItemNotFound;
        "already archived" ObjectArchived;
    }
    Recover {
        "No object with the specified" ItemNotFound;
    }
    Validate {
        "objects is archived" ObjectArchived;
        "does not specify a certificate list" InvalidMessage;
    }
    Poll {
        "No outstanding operation" ItemNotFound;
    }
    Encrypt {
        "No object with the specified" ItemNotFound [V1_3..=V1_4];
        "Object is archived" ObjectArchived [V1_3..=V1_4];
        "Key Value is not present" KeyValueNotPresent [V1_3..=V1_4];
        "used for encryption" PermissionDenied [V1_3..=V1_4];
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
        "No outstanding operation" ItemNotFound [V1_3..=V1_4];
    }
    Decrypt {
        "No object with the specified" ItemNotFound [V1_3..=V1_4];
        "Object is archived" ObjectArchived [V1_3..=V1_4];
        "Key Value is not present" KeyValueNotPresent [V1_3..=V1_4];
        "No outstanding operation" ItemNotFound [V1_3..=V1_4];
        "used for decryption" PermissionDenied [V1_3..=V1_4];
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
    }
    Sign {
        "No object with the specified" ItemNotFound [V1_3..=V1_4];
        "Object is archived" ObjectArchived [V1_3..=V1_4];
        "Key Value is not present" KeyValueNotPresent [V1_3..=V1_4];
        "No outstanding operation" ItemNotFound [V1_3..=V1_4];
        "used for signing" PermissionDenied [V1_3..=V1_4];
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
    }
    SignatureVerify {
        "No object with the specified" ItemNotFound [V1_3..=V1_4];
        "Object is archived" ObjectArchived [V1_3..=V1_4];
        "Key Value is not present" KeyValueNotPresent [V1_3..=V1_4];
        "No outstanding operation" ItemNotFound [V1_3..=V1_4];
        "used for signature verification" PermissionDenied [V1_3..=V1_4];
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
    }
    MAC {
        "No object with the specified" ItemNotFound [V1_3..=V1_4];
        "Object is archived" ObjectArchived [V1_3..=V1_4];
        "Key Value is not present" KeyValueNotPresent [V1_3..=V1_4];
        "No outstanding operation" ItemNotFound [V1_3..=V1_4];
        "used for MACing" PermissionDenied [V1_3..=V1_4];
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
    }
    MACVerify {
        "No object with the specified" ItemNotFound [V1_3..=V1_4];
        "Object is archived" ObjectArchived [V1_3..=V1_4];
        "Key Value is not present" KeyValueNotPresent [V1_3..=V1_4];
        "No outstanding operation" ItemNotFound [V1_3..=V1_4];
        "used for MAC verification" PermissionDenied [V1_3..=V1_4];
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
    }
    RNGRetrieve {
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
    }
    RNGSeed {
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
    }
    Hash {
        "No outstanding operation" ItemNotFound [V1_3..=V1_4];
        "Cryptographic error during" CryptographicFailure [V1_3..=V1_4];
    }
    CreateSplitKey {
        "Object Type is not recognized" InvalidField [V1_2..=V1_4];
        "Templates that do not exist are" ItemNotFound [V1_2..=V1_4];
        "Incorrect attribute value" InvalidField [V1_2..=V1_4];
        "Error creating" CryptographicFailure [V1_2..=V1_4];
        "more instances than the server supports" IndexOutOfBounds [V1_2..=V1_4];
        "same Name attribute value as an existing" InvalidField [V1_2..=V1_4];
        "Application Namespace is not supported" ApplicationNamespaceNotSupported [V1_2..=V1_4];
        "Template object is archived" ObjectArchived [V1_2..=V1_4];
        "No object with the specified" ItemNotFound [V1_2..=V1_4];
        "Split Key Method" InvalidField [V1_2..=V1_4];
    }
    JoinSplitKey {
        "Object Type is not recognized" InvalidField [V1_2..=V1_4];
        "Templates that do not exist are" ItemNotFound [V1_2..=V1_4];
        "Incorrect attribute value" InvalidField [V1_2..=V1_4];
        "Error creating" CryptographicFailure [V1_2..=V1_4];
        "more instances than the server supports" IndexOutOfBounds [V1_2..=V1_4];
        "same Name attribute value as an existing" InvalidField [V1_2..=V1_4];
        "Application Namespace is not supported" ApplicationNamespaceNotSupported [V1_2..=V1_4];
        "Template object is archived" ObjectArchived [V1_2..=V1_4];
        "No object with the specified" ItemNotFound [V1_2..=V1_4];
        "objects is archived" ObjectArchived [V1_2..=V1_4];
        "Split Key Method" InvalidField [V1_2..=V1_4];
        "less than Split Key" CryptographicFailure [V1_2..=V1_4];
    }
    Export {
        "Object does not exist" ItemNotFound [V1_4..=V1_4];
        "Wrapping key does not exist" ItemNotFound [V1_4..=V1_4];
        "Encryption Key Information exists, but it is not a key" IllegalOperation [V1_4..=V1_4];
        "not able to be used for wrapping" PermissionDenied [V1_4..=V1_4];
        "MAC/Signature Key Information exists, but it is not a key" IllegalOperation [V1_4..=V1_4];
        "not able to be used for MACing/signing" PermissionDenied [V1_4..=V1_4];
        "desired Key Format Type" KeyFormatTypeNotSupported [V1_4..=V1_4];
        "Cryptographic Parameters associated" ItemNotFound [V1_4..=V1_4];
        "Encoding Option not permitted" EncodingOptionError [V1_4..=V1_4];
        "desired Encoding Option" EncodingOptionError [V1_4..=V1_4];
        "Key Wrap Type is not supported" KeyWrapTypeNotSupported [V1_4..=V1_4];
    }
    Import {
        "Object Type is not recognized" InvalidField [V1_4..=V1_4];
        "Incorrect attribute value" InvalidField [V1_4..=V1_4];
        "more instances than the server supports" IndexOutOfBounds [V1_4..=V1_4];
        "Application Namespace is not supported" ApplicationNamespaceNotSupported [V1_4..=V1_4];
        "does not match type of" InvalidField [V1_4..=V1_4];
        "same Name attribute value as an existing" InvalidField [V1_4..=V1_4];
        "Encoding Option not permitted" EncodingOptionError [V1_4..=V1_4];
        "already exists on the server" ObjectAlreadyExists [V1_4..=V1_4];
        "Field is not supported" InvalidField [V1_4..=V1_4];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Version;
    use std::path::PathBuf;

    /// Letters and digits, however the words are set.
    fn plain(text: &str) -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_lowercase()).collect()
    }

    /// Reasons that the tables write otherwise than the enumeration.
    fn read_reason(text: &str) -> &str {
        match text.trim_end_matches(['.', '?']) {
            "Key Format Type and/or Key Compression Type Not Supported" => "Key Format Type Not Supported",
            "Not Supported" => "Key Wrap Type Not Supported",
            "Not Extractble" => "Not Extractable",
            other => other,
        }
    }

    /// The rows of a version's chapter: table, mistake, reason.
    fn specified(text: &str) -> Vec<(String, String, String)> {
        let chapter = text.lines().skip_while(|line| *line != "# 11 Error Handling").skip(1);
        let (mut table, mut rows) = (String::new(), Vec::new());
        for line in chapter.take_while(|line| !line.starts_with("# ")) {
            if let Some(title) = line.strip_prefix("## 11.") {
                let (_, title) = title.split_once(' ').unwrap();
                table = plain(title.trim_end_matches(" Errors"));
            }
            let cells = line.split('|').map(str::trim).filter(|cell| !cell.is_empty());
            let cells: Vec<&str> = cells.collect();
            let (true, [mistake, .., reason]) = (line.starts_with('|'), cells.as_slice()) else {
                continue;
            };
            if *mistake != "Error Definition" {
                rows.push((table.clone(), (*mistake).to_owned(), plain(read_reason(reason))));
            }
        }
        rows
    }

    #[test]
    fn the_rows_are_those_of_the_specification() {
        let shared = std::env::var_os("CLAVIGER_SHARED").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
            PathBuf::from,
        );
        let mut count = 0;
        for version in Version::ALL
            .into_iter()
            .filter(|version| !version.has_tagged_attributes())
        {
            let path = shared.join(format!("kmip/spec/kmip-spec-{version}.md"));
            let Ok(text) = std::fs::read_to_string(&path) else {
                eprintln!("SKIPPED: no {} (set CLAVIGER_SHARED)", path.display());
                return;
            };
            let specified = specified(&text);
            // Those of messages and batches are rules of their own.
            let tables = specified
                .iter()
                .filter(|(table, ..)| !["general", "batchitems"].contains(&table.as_str()));
            for (table, mistake, reason) in tables.clone() {
                let own = ERROR_ROWS.iter().filter(|row| {
                    plain(&row.operation.to_string()) == *table
                        && row.versions.include(version)
                        && mistake.contains(row.mistake)
                        && plain(&row.reason.to_string()) == *reason
                });
                assert_eq!(own.count(), 1, "{version}, {table}: {mistake}: {reason}");
                count += 1;
            }
            let own = ERROR_ROWS.iter().filter(|row| row.versions.include(version)).count();
            assert_eq!(own, tables.count(), "rows of {version}");
        }
        assert_eq!(count, 829);
    }
}
