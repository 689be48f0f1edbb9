//! The attributes of the specification: their types and their rules, one row each (KMIP 2.1 §4; KMIP 1.4 §3).
//!
//! A row is `Name(Type) = TAG [versions]: One or Many, Always or Maybe, set Party, modify Party while [states],
//! delete Party on [objects] by [operations];` - how many instances, whether there always is a value, who sets it first,
//! who changes it and in which states, who deletes it, which objects have it (all, if none is named), which operations
//! set it by themselves. The Attribute Name of 1.x is the tag's name in the specification.

use super::{Amount, AttributeReference, ObjectTypeSet, Party, Rules, UnknownAttribute, VendorAttribute};
use crate::field::Item;
use crate::*;
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

macro_rules! attributes {
    ($(
        $(#[$meta:meta])*
        $name:ident($type:ty) = $tag:ident $([$($range:tt)+])?:
            $amount:ident, $always:ident,
            set $set:ident,
            modify $modify:ident $(while [$($state:ident),+])?,
            delete $delete:ident
            $(on [$($object:ident)+])?
            $(by [$($operation:ident)+])?
            ;
    )+) => {
        /// An attribute with its value.
        #[derive(Clone, PartialEq)]
        pub enum Attribute {
            $(
                $(#[$meta])*
                $name($type),
            )+
            /// An attribute outside the specification.
            Vendor(VendorAttribute),
            /// An attribute that the version does not have.
            Unknown(UnknownAttribute),
            /// An attribute named without its value, as Notify does where it was deleted.
            Valueless(AttributeReference),
        }

        /// Which attribute.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum AttributeKind {
            $(
                $(#[$meta])*
                $name,
            )+
            /// Any attribute outside the specification.
            Vendor,
            /// Any attribute that the version does not have.
            Unknown,
        }

        impl AttributeKind {
            /// Every attribute of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The tag of the attribute; Vendor and Unknown share one that is not theirs alone.
            #[must_use]
            pub const fn tag(self) -> Tag {
                match self {
                    $(Self::$name => tag::$tag,)+
                    Self::Vendor | Self::Unknown => super::reference::NO_OWN_TAG,
                }
            }

            /// The attribute with this tag.
            #[must_use]
            pub const fn from_tag(tag: Tag) -> Option<Self> {
                match tag {
                    $(tag::$tag => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The rule columns.
            #[must_use]
            pub const fn rules(self) -> &'static Rules {
                match self {
                    $(Self::$name => const { &Rules {
                        versions: crate::version::versions!($($($range)+)?),
                        amount: Amount::$amount,
                        always: always!($always),
                        set_by: Party::$set,
                        modified_by: Party::$modify,
                        modified_in: &[$($(State::$state),+)?],
                        deleted_by: Party::$delete,
                        applies_to: ObjectTypeSet::of(&[$($(ObjectType::$object),+)?]),
                        implicitly_by: &[$($(Operation::$operation),+)?],
                    } },)+
                    Self::Vendor => &VENDOR,
                    Self::Unknown => &UNKNOWN,
                }
            }

            #[cfg(test)]
            pub(crate) fn sample(self, maker: &mut crate::sample::Maker) -> Attribute {
                match self {
                    $(Self::$name => Attribute::$name(maker.make()),)+
                    Self::Vendor | Self::Unknown => panic!("no row"),
                }
            }

            /// Reads a value of this attribute.
            pub(super) fn read_value(self, reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Attribute> {
                match self {
                    $(Self::$name => Item::read_item(reader, tag, version).map(Attribute::$name),)+
                    Self::Vendor | Self::Unknown => Err(reader.error(ErrorKind::Unexpected(Some(tag)))),
                }
            }
        }

        impl Attribute {
            /// Which attribute it is.
            #[must_use]
            pub const fn kind(&self) -> AttributeKind {
                match self {
                    $(Self::$name(_) => AttributeKind::$name,)+
                    Self::Vendor(_) => AttributeKind::Vendor,
                    Self::Unknown(_) => AttributeKind::Unknown,
                    Self::Valueless(reference) => reference.kind(),
                }
            }

            /// Writes the value under a tag, whether or not the version has the attribute.
            pub(super) fn write_value(&self, writer: &mut Writer, tag: Tag, version: Version) {
                match self {
                    $(Self::$name(value) => Item::write_item(value, writer, tag, version),)+
                    Self::Vendor(VendorAttribute { value, .. }) | Self::Unknown(UnknownAttribute { value, .. }) => {
                        value.write_item(writer, tag, version);
                    }
                    Self::Valueless(_) => {}
                }
            }
        }
    };
}

macro_rules! always {
    (Always) => {
        true
    };
    (Maybe) => {
        false
    };
}

/// The rules of Custom Attributes (KMIP 1.4 §3.39); Vendor Attributes have none of their own.
const VENDOR: Rules = Rules {
    versions: Versions::ALL,
    amount: Amount::Many,
    always: false,
    set_by: Party::Both,
    modified_by: Party::Both,
    modified_in: &[],
    deleted_by: Party::Client,
    applies_to: ObjectTypeSet::ALL,
    implicitly_by: &[],
};

const UNKNOWN: Rules = Rules {
    set_by: Party::Nobody,
    modified_by: Party::Nobody,
    deleted_by: Party::Nobody,
    ..VENDOR
};

impl AttributeKind {
    /// The name in the specification: the Attribute Name of 1.x.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vendor => "Vendor Attribute",
            Self::Unknown => "Unknown Attribute",
            known => match tag::specification_name(known.tag()) {
                Some(name) => name,
                None => "",
            },
        }
    }

    /// The attribute with this Attribute Name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        tag::from_specification_name(name).and_then(Self::from_tag)
    }
}

impl Attribute {
    /// The attribute's name.
    #[must_use]
    pub fn reference(&self) -> AttributeReference {
        match self {
            Self::Vendor(attribute) => AttributeReference::Vendor(attribute.name.clone()),
            Self::Unknown(attribute) => attribute.reference.clone(),
            Self::Valueless(reference) => reference.clone(),
            known => AttributeReference::Known(known.kind()),
        }
    }
}

attributes! {
    /// Activation Date (KMIP 2.1 §4.1).
    ActivationDate(DateTime) = ACTIVATION_DATE: One, Maybe, set Both, modify Both while [PreActive], delete Nobody by [Create CreateKeyPair Register DeriveKey Activate Certify ReCertify ReKey ReKeyKeyPair];
    /// Alternative Name (KMIP 2.1 §4.2).
    AlternativeName(AlternativeName) = ALTERNATIVE_NAME [V1_2..]: Many, Maybe, set Client, modify Both, delete Client;
    /// Always Sensitive (KMIP 2.1 §4.3).
    AlwaysSensitive(bool) = ALWAYS_SENSITIVE [V1_4..]: One, Always, set Server, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey];
    /// Application Specific Information (KMIP 2.1 §4.4).
    ApplicationSpecificInformation(ApplicationSpecificInformation) = APPLICATION_SPECIFIC_INFORMATION: Many, Maybe, set Both, modify Both, delete Client by [ReKey ReKeyKeyPair ReCertify];
    /// Archive Date (KMIP 2.1 §4.5).
    ArchiveDate(DateTime) = ARCHIVE_DATE: One, Maybe, set Server, modify Nobody, delete Nobody by [Archive];
    /// Certificate Length (KMIP 2.1 §4.8).
    CertificateLength(i32) = CERTIFICATE_LENGTH [V1_1..]: One, Always, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Type (KMIP 2.1 §4.7).
    CertificateType(CertificateType) = CERTIFICATE_TYPE: One, Always, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Comment (KMIP 2.1 §4.9).
    Comment(String) = COMMENT [V1_4..]: One, Maybe, set Both, modify Both, delete Client;
    /// Compromise Date (KMIP 2.1 §4.10).
    CompromiseDate(DateTime) = COMPROMISE_DATE: One, Maybe, set Server, modify Nobody, delete Nobody by [Revoke];
    /// Compromise Occurrence Date (KMIP 2.1 §4.11).
    CompromiseOccurrenceDate(DateTime) = COMPROMISE_OCCURRENCE_DATE: One, Maybe, set Server, modify Nobody, delete Nobody by [Revoke];
    /// Contact Information (KMIP 2.1 §4.12).
    ContactInformation(String) = CONTACT_INFORMATION: One, Maybe, set Both, modify Both, delete Client by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Cryptographic Algorithm (KMIP 2.1 §4.13).
    CryptographicAlgorithm(CryptographicAlgorithm) = CRYPTOGRAPHIC_ALGORITHM: One, Always, set Server, modify Nobody, delete Nobody by [Certify Create CreateKeyPair ReCertify Register DeriveKey ReKey ReKeyKeyPair];
    /// Cryptographic Domain Parameters (KMIP 2.1 §4.14).
    CryptographicDomainParameters(CryptographicDomainParameters) = CRYPTOGRAPHIC_DOMAIN_PARAMETERS: One, Maybe, set Client, modify Nobody, delete Nobody on [PublicKey PrivateKey Template] by [ReKey ReKeyKeyPair];
    /// Cryptographic Length (KMIP 2.1 §4.15).
    CryptographicLength(i32) = CRYPTOGRAPHIC_LENGTH: One, Always, set Server, modify Nobody, delete Nobody by [Certify Create CreateKeyPair ReCertify Register DeriveKey ReKey ReKeyKeyPair];
    /// Cryptographic Parameters (KMIP 2.1 §4.16).
    CryptographicParameters(Box<CryptographicParameters>) = CRYPTOGRAPHIC_PARAMETERS: Many, Maybe, set Client, modify Client, delete Client by [ReKey ReKeyKeyPair ReCertify];
    /// Cryptographic Usage Mask (KMIP 2.1 §4.17).
    CryptographicUsageMask(CryptographicUsageMask) = CRYPTOGRAPHIC_USAGE_MASK: One, Always, set Both, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Deactivation Date (KMIP 2.1 §4.18).
    DeactivationDate(DateTime) = DEACTIVATION_DATE: One, Maybe, set Both, modify Both while [PreActive, Active], delete Nobody by [Create CreateKeyPair Register DeriveKey Revoke Certify ReCertify ReKey ReKeyKeyPair];
    /// Description (KMIP 2.1 §4.19).
    Description(String) = DESCRIPTION [V1_4..]: One, Maybe, set Both, modify Both, delete Client;
    /// Destroy Date (KMIP 2.1 §4.20).
    DestroyDate(DateTime) = DESTROY_DATE: One, Maybe, set Server, modify Nobody, delete Nobody by [Destroy];
    /// Digest (KMIP 2.1 §4.21).
    Digest(Digest) = DIGEST: Many, Always, set Server, modify Nobody, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Digital Signature Algorithm (KMIP 2.1 §4.22).
    DigitalSignatureAlgorithm(DigitalSignatureAlgorithm) = DIGITAL_SIGNATURE_ALGORITHM [V1_1..]: Many, Always, set Server, modify Nobody, delete Nobody on [Certificate PGPKey] by [Certify ReCertify Register];
    /// Extractable (KMIP 2.1 §4.23).
    Extractable(bool) = EXTRACTABLE [V1_4..]: One, Always, set Both, modify Both, delete Nobody by [Create CreateKeyPair Register DeriveKey];
    /// Fresh (KMIP 2.1 §4.24).
    Fresh(bool) = FRESH [V1_1..]: One, Always, set Both, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Initial Date (KMIP 2.1 §4.25).
    InitialDate(DateTime) = INITIAL_DATE: One, Always, set Server, modify Nobody, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Key Format Type (KMIP 2.1 §4.26).
    KeyFormatType(KeyFormatType) = KEY_FORMAT_TYPE [V2_0..]: One, Always, set Server, modify Nobody, delete Nobody;
    /// Key Value Location (KMIP 2.1 §4.27).
    KeyValueLocation(KeyValueLocation) = KEY_VALUE_LOCATION [V1_2..]: Many, Maybe, set Client, modify Client, delete Client;
    /// Key Value Present (KMIP 2.1 §4.28).
    KeyValuePresent(bool) = KEY_VALUE_PRESENT [V1_2..]: One, Maybe, set Server, modify Nobody, delete Nobody by [Register];
    /// Last Change Date (KMIP 2.1 §4.29).
    LastChangeDate(DateTime) = LAST_CHANGE_DATE: One, Always, set Server, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey Activate Revoke Destroy Archive Recover Certify ReCertify ReKey ReKeyKeyPair AddAttribute ModifyAttribute DeleteAttribute GetUsageAllocation];
    /// Lease Time (KMIP 2.1 §4.30).
    LeaseTime(Interval) = LEASE_TIME: One, Maybe, set Server, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Link (KMIP 2.1 §4.31).
    Link(Link) = LINK: Many, Maybe, set Both, modify Both, delete Client by [CreateKeyPair DeriveKey Certify ReCertify ReKey ReKeyKeyPair Register];
    /// NIST Key Type (KMIP 2.1 §4.34).
    NISTKeyType(NISTKeyType) = NIST_KEY_TYPE [V2_0..]: Many, Maybe, set Client, modify Nobody, delete Nobody;
    /// Name (KMIP 2.1 §4.32).
    Name(Name) = NAME: Many, Maybe, set Client, modify Both, delete Client by [ReKey ReKeyKeyPair ReCertify];
    /// Never Extractable (KMIP 2.1 §4.33).
    NeverExtractable(bool) = NEVER_EXTRACTABLE [V1_4..]: One, Always, set Server, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey];
    /// Object Group (KMIP 2.1 §4.35).
    ObjectGroup(String) = OBJECT_GROUP: Many, Maybe, set Both, modify Both, delete Client by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Object Type (KMIP 2.1 §4.36).
    ObjectType(ObjectType) = OBJECT_TYPE: One, Always, set Server, modify Nobody, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Opaque Data Type (KMIP 2.1 §4.37).
    OpaqueDataType(OpaqueDataType) = OPAQUE_DATA_TYPE [V2_0..]: One, Always, set Server, modify Nobody, delete Nobody on [OpaqueObject] by [Register];
    /// Original Creation Date (KMIP 2.1 §4.38).
    OriginalCreationDate(DateTime) = ORIGINAL_CREATION_DATE [V1_2..]: One, Maybe, set Both, modify Nobody, delete Nobody by [Create CreateKeyPair DeriveKey ReKey ReKeyKeyPair];
    /// PKCS#12 Friendly Name (KMIP 2.1 §4.39).
    PKCS_12FriendlyName(String) = PKCS_12_FRIENDLY_NAME [V1_4..]: One, Maybe, set Both, modify Client, delete Client;
    /// Process Start Date (KMIP 2.1 §4.40).
    ProcessStartDate(DateTime) = PROCESS_START_DATE: One, Maybe, set Both, modify Both while [PreActive, Active], delete Nobody by [Create Register DeriveKey ReKey];
    /// Protect Stop Date (KMIP 2.1 §4.41).
    ProtectStopDate(DateTime) = PROTECT_STOP_DATE: One, Maybe, set Both, modify Both while [PreActive, Active], delete Nobody by [Create Register DeriveKey ReKey];
    /// Protection Level (KMIP 2.1 §4.42).
    ProtectionLevel(ProtectionLevel) = PROTECTION_LEVEL [V2_0..]: One, Maybe, set Client, modify Client, delete Client;
    /// Protection Period (KMIP 2.1 §4.43).
    ProtectionPeriod(Interval) = PROTECTION_PERIOD [V2_0..]: One, Maybe, set Client, modify Client, delete Client;
    /// Protection Storage Mask (KMIP 2.1 §4.44).
    ProtectionStorageMask(ProtectionStorageMask) = PROTECTION_STORAGE_MASK [V2_0..]: One, Always, set Server, modify Nobody, delete Nobody by [Create CreateKeyPair Register DeriveKey];
    /// Quantum Safe (KMIP 2.1 §4.45).
    QuantumSafe(bool) = QUANTUM_SAFE [V2_0..]: One, Maybe, set Client, modify Client, delete Client;
    /// Random Number Generator (KMIP 2.1 §4.46).
    RandomNumberGenerator(RNGParameters) = RANDOM_NUMBER_GENERATOR [V1_3..]: One, Maybe, set Both, modify Nobody, delete Nobody by [Create CreateKeyPair DeriveKey ReKey ReKeyKeyPair];
    /// Revocation Reason (KMIP 2.1 §4.47).
    RevocationReason(RevocationReason) = REVOCATION_REASON: One, Maybe, set Server, modify Server, delete Nobody by [Revoke];
    /// Rotate Automatic (KMIP 2.1 §4.48).
    RotateAutomatic(bool) = ROTATE_AUTOMATIC [V2_1..]: One, Maybe, set Both, modify Server, delete Nobody;
    /// Rotate Date (KMIP 2.1 §4.49).
    RotateDate(DateTime) = ROTATE_DATE [V2_1..]: One, Maybe, set Server, modify Nobody, delete Nobody;
    /// Rotate Generation (KMIP 2.1 §4.50).
    RotateGeneration(i32) = ROTATE_GENERATION [V2_1..]: One, Maybe, set Server, modify Nobody, delete Nobody;
    /// Rotate Interval (KMIP 2.1 §4.51).
    RotateInterval(Interval) = ROTATE_INTERVAL [V2_1..]: One, Maybe, set Both, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey];
    /// Rotate Latest (KMIP 2.1 §4.52).
    RotateLatest(bool) = ROTATE_LATEST [V2_1..]: One, Maybe, set Server, modify Server, delete Nobody;
    /// Rotate Name (KMIP 2.1 §4.53).
    RotateName(RotateName) = ROTATE_NAME [V2_1..]: One, Maybe, set Client, modify Client, delete Client;
    /// Rotate Offset (KMIP 2.1 §4.54).
    RotateOffset(Interval) = ROTATE_OFFSET [V2_1..]: One, Maybe, set Both, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey];
    /// Sensitive (KMIP 2.1 §4.55).
    Sensitive(bool) = SENSITIVE [V1_4..]: One, Always, set Both, modify Both, delete Nobody by [Create CreateKeyPair Register DeriveKey];
    /// Short Unique Identifier (KMIP 2.1 §4.56).
    ShortUniqueIdentifier(Vec<u8>) = SHORT_UNIQUE_IDENTIFIER [V2_0..]: One, Always, set Server, modify Nobody, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// State (KMIP 2.1 §4.57).
    State(State) = STATE: One, Always, set Server, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey Activate Revoke Destroy Certify ReCertify ReKey ReKeyKeyPair];
    /// Unique Identifier (KMIP 2.1 §4.58).
    UniqueIdentifier(UniqueIdentifier) = UNIQUE_IDENTIFIER: One, Always, set Server, modify Nobody, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Usage Limits (KMIP 2.1 §4.59).
    UsageLimits(UsageLimits) = USAGE_LIMITS: One, Maybe, set Both, modify Both, delete Client by [Create CreateKeyPair Register DeriveKey ReKey ReKeyKeyPair GetUsageAllocation];
    /// X.509 Certificate Identifier (KMIP 2.1 §4.61).
    X_509CertificateIdentifier(X_509CertificateIdentifier) = X_509_CERTIFICATE_IDENTIFIER [V1_1..]: One, Always, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// X.509 Certificate Issuer (KMIP 2.1 §4.62).
    X_509CertificateIssuer(X_509CertificateIssuer) = X_509_CERTIFICATE_ISSUER [V1_1..]: One, Always, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// X.509 Certificate Subject (KMIP 2.1 §4.63).
    X_509CertificateSubject(X_509CertificateSubject) = X_509_CERTIFICATE_SUBJECT [V1_1..]: One, Always, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Identifier (KMIP 1.4 §3.13).
    CertificateIdentifier(CertificateIdentifier) = CERTIFICATE_IDENTIFIER [..=V1_4]: One, Always, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer (KMIP 1.4 §3.15).
    CertificateIssuer(CertificateIssuer) = CERTIFICATE_ISSUER [..=V1_4]: One, Always, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject (KMIP 1.4 §3.14).
    CertificateSubject(CertificateSubject) = CERTIFICATE_SUBJECT [..=V1_4]: One, Always, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Operation Policy Name (KMIP 1.4 §3.18).
    OperationPolicyName(String) = OPERATION_POLICY_NAME [..=V1_4]: One, Maybe, set Both, modify Server, delete Nobody by [Create CreateKeyPair Register DeriveKey Certify ReCertify ReKey ReKeyKeyPair];
    /// Certificate Subject CN (KMIP 2.1 §4.6).
    CertificateSubjectCN(String) = CERTIFICATE_SUBJECT_CN [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject O (KMIP 2.1 §4.6).
    CertificateSubjectO(String) = CERTIFICATE_SUBJECT_O [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject OU (KMIP 2.1 §4.6).
    CertificateSubjectOU(String) = CERTIFICATE_SUBJECT_OU [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject Email (KMIP 2.1 §4.6).
    CertificateSubjectEmail(String) = CERTIFICATE_SUBJECT_EMAIL [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject C (KMIP 2.1 §4.6).
    CertificateSubjectC(String) = CERTIFICATE_SUBJECT_C [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject ST (KMIP 2.1 §4.6).
    CertificateSubjectST(String) = CERTIFICATE_SUBJECT_ST [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject L (KMIP 2.1 §4.6).
    CertificateSubjectL(String) = CERTIFICATE_SUBJECT_L [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject UID (KMIP 2.1 §4.6).
    CertificateSubjectUID(String) = CERTIFICATE_SUBJECT_UID [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject Serial Number (KMIP 2.1 §4.6).
    CertificateSubjectSerialNumber(String) = CERTIFICATE_SUBJECT_SERIAL_NUMBER [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject Title (KMIP 2.1 §4.6).
    CertificateSubjectTitle(String) = CERTIFICATE_SUBJECT_TITLE [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject DC (KMIP 2.1 §4.6).
    CertificateSubjectDC(String) = CERTIFICATE_SUBJECT_DC [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Subject DN Qualifier (KMIP 2.1 §4.6).
    CertificateSubjectDNQualifier(String) = CERTIFICATE_SUBJECT_DN_QUALIFIER [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer CN (KMIP 2.1 §4.6).
    CertificateIssuerCN(String) = CERTIFICATE_ISSUER_CN [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer O (KMIP 2.1 §4.6).
    CertificateIssuerO(String) = CERTIFICATE_ISSUER_O [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer OU (KMIP 2.1 §4.6).
    CertificateIssuerOU(String) = CERTIFICATE_ISSUER_OU [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer Email (KMIP 2.1 §4.6).
    CertificateIssuerEmail(String) = CERTIFICATE_ISSUER_EMAIL [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer C (KMIP 2.1 §4.6).
    CertificateIssuerC(String) = CERTIFICATE_ISSUER_C [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer ST (KMIP 2.1 §4.6).
    CertificateIssuerST(String) = CERTIFICATE_ISSUER_ST [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer L (KMIP 2.1 §4.6).
    CertificateIssuerL(String) = CERTIFICATE_ISSUER_L [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer UID (KMIP 2.1 §4.6).
    CertificateIssuerUID(String) = CERTIFICATE_ISSUER_UID [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer Serial Number (KMIP 2.1 §4.6).
    CertificateIssuerSerialNumber(String) = CERTIFICATE_ISSUER_SERIAL_NUMBER [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer Title (KMIP 2.1 §4.6).
    CertificateIssuerTitle(String) = CERTIFICATE_ISSUER_TITLE [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer DC (KMIP 2.1 §4.6).
    CertificateIssuerDC(String) = CERTIFICATE_ISSUER_DC [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
    /// Certificate Issuer DN Qualifier (KMIP 2.1 §4.6).
    CertificateIssuerDNQualifier(String) = CERTIFICATE_ISSUER_DN_QUALIFIER [V1_4..]: Many, Maybe, set Server, modify Nobody, delete Nobody on [Certificate] by [Register Certify ReCertify];
}
