//! Bit masks. Rows in the order of their numbers (KMIP 2.1 §12 and the older specifications).

use crate::enumeration::mask;

mask! {
    /// Cryptographic Usage Mask (KMIP 2.1 §12.1).
    CryptographicUsageMask(CRYPTOGRAPHIC_USAGE_MASK) {
        Sign = 0x01 "Sign";
        Verify = 0x02 "Verify";
        Encrypt = 0x04 "Encrypt";
        Decrypt = 0x08 "Decrypt";
        WrapKey = 0x10 "Wrap Key";
        UnwrapKey = 0x20 "Unwrap Key";
        Export = 0x40 "Export" [..=V1_4];
        MACGenerate = 0x80 "MAC Generate";
        MACVerify = 0x100 "MAC Verify";
        DeriveKey = 0x200 "Derive Key";
        ContentCommitment = 0x400 "Content Commitment (Non Repudiation)" [..=V1_4] also "ContentCommitmentNonRepudiation";
        KeyAgreement = 0x800 "Key Agreement";
        CertificateSign = 0x1000 "Certificate Sign";
        CRLSign = 0x2000 "CRL Sign";
        GenerateCryptogram = 0x4000 "Generate Cryptogram" [..=V1_4];
        ValidateCryptogram = 0x8000 "Validate Cryptogram" [..=V1_4];
        TranslateEncrypt = 0x10000 "Translate Encrypt" [..=V1_4];
        TranslateDecrypt = 0x20000 "Translate Decrypt" [..=V1_4];
        TranslateWrap = 0x40000 "Translate Wrap" [..=V1_4];
        TranslateUnwrap = 0x80000 "Translate Unwrap" [..=V1_4];
        Authenticate = 0x100000 "Authenticate" [V2_0..];
        Unrestricted = 0x200000 "Unrestricted" [V2_0..];
        FPEEncrypt = 0x400000 "FPE Encrypt" [V2_0..];
        FPEDecrypt = 0x800000 "FPE Decrypt" [V2_0..];
    }

    /// Storage Status Mask (KMIP 2.1 §12.3).
    StorageStatusMask(STORAGE_STATUS_MASK) {
        OnLineStorage = 0x01 "On-line storage";
        ArchivalStorage = 0x02 "Archival storage";
        DestroyedStorage = 0x04 "Destroyed storage" [V2_0..];
    }

    /// Protection Storage Mask (KMIP 2.1 §12.2).
    ProtectionStorageMask(PROTECTION_STORAGE_MASK) {
        Software = 0x01 "Software" [V2_0..];
        Hardware = 0x02 "Hardware" [V2_0..];
        OnProcessor = 0x04 "On Processor" [V2_0..];
        OnSystem = 0x08 "On System" [V2_0..];
        OffSystem = 0x10 "Off System" [V2_0..];
        Hypervisor = 0x20 "Hypervisor" [V2_0..];
        OperatingSystem = 0x40 "Operating System" [V2_0..];
        Container = 0x80 "Container" [V2_0..];
        OnPremises = 0x100 "On Premises" [V2_0..];
        OffPremises = 0x200 "Off Premises" [V2_0..];
        SelfManaged = 0x400 "Self Managed" [V2_0..];
        Outsourced = 0x800 "Outsourced" [V2_0..];
        Validated = 0x1000 "Validated" [V2_0..];
        SameJurisdiction = 0x2000 "Same Jurisdiction" [V2_0..];
    }
}
