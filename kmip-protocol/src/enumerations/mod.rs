//! Enumerations and bit masks: open integers with the names of the specification.

mod administration;
mod cryptography;
mod curves;
mod keys;
mod masks;
mod messages;
mod objects;
mod pkcs11;
mod profiles;
mod query;
mod reasons;

pub use administration::*;
pub use cryptography::*;
pub use curves::*;
pub use keys::*;
pub use masks::*;
pub use messages::*;
pub use objects::*;
pub use pkcs11::*;
pub use profiles::*;
pub use query::*;
pub use reasons::*;

use crate::Version;
use crate::enumeration::Names;
use crate::field::Item;
#[cfg(test)]
use crate::sample::{Maker, Sample};
use kmip_ttlv::{Reader, Result, Tag, Writer};

macro_rules! every {
    (
        enumerations { $($enumeration:ident),+ $(,)? }
        masks { $($mask:ident),+ $(,)? }
        by_version { $($special:ident),+ $(,)? }
    ) => {
        /// Every enumeration and mask.
        pub const ENUMERATIONS: &[Names] = &[
            $($enumeration::NAMES,)+
            $($mask::NAMES,)+
            $($special::NAMES,)+
        ];

        $(impl Item for $enumeration {
            const TYPE: Option<ItemType> = Some(ItemType::Enumeration);
            const VALUES: Option<&'static str> = Some(stringify!($enumeration));

            fn read_item(reader: &mut Reader<'_>, tag: Tag, _: Version) -> Result<Self> {
                reader.enumeration(tag).map(Self)
            }
            fn write_item(&self, writer: &mut Writer, tag: Tag, _: Version) {
                writer.enumeration(tag, self.0);
            }
        }

        #[cfg(test)]
        impl Sample for $enumeration {
            fn sample(maker: &mut Maker) -> Self {
                let named = match maker.next() % (Self::ALL.len() + 1) {
                    0 => None,
                    named => Some(Self::ALL[named - 1]),
                };
                // Nobody says what only a later version has.
                let sayable = |value: &Self| value.versions().is_some_and(|versions| versions.first <= maker.version);
                named.filter(sayable).unwrap_or(Self(0x8000_0001))
            }
        })+

        $(impl Item for $mask {
            const TYPE: Option<ItemType> = Some(ItemType::Integer);
            const VALUES: Option<&'static str> = Some(stringify!($mask));

            fn read_item(reader: &mut Reader<'_>, tag: Tag, _: Version) -> Result<Self> {
                reader.integer(tag).map(|bits| Self(bits.cast_unsigned()))
            }
            fn write_item(&self, writer: &mut Writer, tag: Tag, _: Version) {
                writer.integer(tag, self.0.cast_signed());
            }
        }

        #[cfg(test)]
        impl Sample for $mask {
            fn sample(maker: &mut Maker) -> Self {
                Self(u32::try_from(maker.next()).unwrap_or_default().wrapping_mul(0x0123_4567))
            }
        })+
    };
}

every! {
    enumerations {
        AdjustmentType,
        AlternativeNameType,
        AttestationType,
        BatchErrorContinuationOption,
        BlockCipherMode,
        CancellationResult,
        CertificateRequestType,
        CertificateType,
        ClientRegistrationMethod,
        CredentialType,
        CryptographicAlgorithm,
        DRBGAlgorithm,
        DataKind,
        DerivationMethod,
        DestroyAction,
        DigitalSignatureAlgorithm,
        EncodingOption,
        EndpointRole,
        FIPS186Variation,
        HashingAlgorithm,
        InteropFunction,
        KeyCompressionType,
        KeyFormatType,
        KeyRoleType,
        KeyValueLocationType,
        KeyWrapType,
        LinkType,
        MaskGenerator,
        NISTKeyType,
        NameType,
        ObjectGroupMember,
        ObjectType,
        OpaqueDataType,
        Operation,
        PKCS_11Function,
        PKCS_11ReturnCode,
        PaddingMethod,
        ProcessingStage,
        ProfileName,
        ProtectionLevel,
        PutFunction,
        QueryFunction,
        RNGAlgorithm,
        RNGMode,
        RecommendedCurve,
        ResultReason,
        ResultStatus,
        RevocationReasonCode,
        RotateNameType,
        SecretDataType,
        ShreddingAlgorithm,
        SplitKeyMethod,
        State,
        TicketType,
        UniqueIdentifierKind,
        UnwrapMode,
        UsageLimitsUnit,
        ValidationAuthorityType,
        ValidationType,
        ValidityIndicator,
        WrappingMethod,
        PersonRole,
        PersonStatus,
        ProposalState,
        VoteDecision,
        Proof,
        Veto,
        BindTarget,
        Completion,
        PolicyTemplate,
        TenantStatus,
        AuthorityStatus,
        ClientStatus,
        CryptoProfile,
        CertificateRuleKind,
        KekState,
        RewrapState,
        RecordFault,
        KekKind,
        LegacyTokenState,
        Severity,
    }
    masks {
        CryptographicUsageMask,
        StorageStatusMask,
        ProtectionStorageMask,
    }
    by_version {
        AsynchronousIndicator,
        ItemType,
    }
}

/// A Boolean up to 1.4, where `true` says that the client accepts an answer by Poll (KMIP 1.4 §6.7): it stands for
/// Mandatory, `false` for Prohibited.
impl Item for AsynchronousIndicator {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        if version.has_tagged_attributes() {
            return reader.enumeration(tag).map(Self);
        }
        let wanted = reader.boolean(tag)?;
        Ok(if wanted { Self::Mandatory } else { Self::Prohibited })
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        if version.has_tagged_attributes() {
            writer.enumeration(tag, self.0);
        } else {
            writer.boolean(tag, *self != Self::Prohibited);
        }
    }
}

/// An Integer up to 1.4 (Extension Type, KMIP 1.4 §2.1.9), an Enumeration since.
impl Item for ItemType {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        if version.has_tagged_attributes() {
            return reader.enumeration(tag).map(Self);
        }
        reader.integer(tag).map(|number| Self(number.cast_unsigned()))
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        if version.has_tagged_attributes() {
            writer.enumeration(tag, self.0);
        } else {
            writer.integer(tag, self.0.cast_signed());
        }
    }
}

#[cfg(test)]
impl Sample for ItemType {
    fn sample(maker: &mut Maker) -> Self {
        maker.choose(Self::ALL)
    }
}
