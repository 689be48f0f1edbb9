//! Managed objects (KMIP 2.1 §2; Template: KMIP 1.4 §2.2.6).

use crate::attribute::Attributes;
use crate::field::{Field, Item, structure};
use crate::{
    BigInteger, CertificateRequestType, CertificateType, KeyBlock, ObjectType, OpaqueDataType, SecretDataType,
    SplitKeyMethod, Version, tag,
};
use kmip_ttlv::{ErrorKind, Reader, Result, Secret, Tag, Writer};

structure! {
    /// Certificate (KMIP 2.1 §2.1).
    Certificate {
        certificate_type: CertificateType = CERTIFICATE_TYPE;
        certificate_value: Vec<u8> = CERTIFICATE_VALUE;
    }

    /// Certificate Request (KMIP 2.1 §2.2).
    CertificateRequest {
        certificate_request_type: CertificateRequestType = CERTIFICATE_REQUEST_TYPE;
        certificate_request_value: Vec<u8> = CERTIFICATE_REQUEST_VALUE;
    }

    /// Opaque Object (KMIP 2.1 §2.3).
    OpaqueObject {
        opaque_data_type: OpaqueDataType = OPAQUE_DATA_TYPE;
        opaque_data_value: Secret = OPAQUE_DATA_VALUE;
    }

    /// PGP Key (KMIP 2.1 §2.4).
    PGPKey {
        pgp_key_version: i32 = PGP_KEY_VERSION;
        key_block: KeyBlock = KEY_BLOCK;
    }

    /// Private Key (KMIP 2.1 §2.5).
    PrivateKey {
        key_block: KeyBlock = KEY_BLOCK;
    }

    /// Public Key (KMIP 2.1 §2.6).
    PublicKey {
        key_block: KeyBlock = KEY_BLOCK;
    }

    /// Secret Data (KMIP 2.1 §2.7).
    SecretData {
        secret_data_type: SecretDataType = SECRET_DATA_TYPE;
        key_block: KeyBlock = KEY_BLOCK;
    }

    /// Split Key (KMIP 2.1 §2.8).
    SplitKey {
        split_key_parts: i32 = SPLIT_KEY_PARTS;
        key_part_identifier: i32 = KEY_PART_IDENTIFIER;
        split_key_threshold: i32 = SPLIT_KEY_THRESHOLD;
        split_key_method: SplitKeyMethod = SPLIT_KEY_METHOD;
        prime_field_size: Option<BigInteger> = PRIME_FIELD_SIZE;
        key_block: KeyBlock = KEY_BLOCK;
    }

    /// Symmetric Key (KMIP 2.1 §2.9).
    SymmetricKey {
        key_block: KeyBlock = KEY_BLOCK;
    }

    /// Template: attributes under a name (KMIP 1.4 §2.2.6).
    Template {
        attributes: Attributes = ATTRIBUTE [..=V1_4];
    }
}

macro_rules! managed_objects {
    ($($type:ident = $tag:ident;)+) => {
        /// An object of any type: what Register takes and Get gives.
        #[derive(Clone, PartialEq)]
        pub enum ManagedObject {
            $(
                #[doc = stringify!($type)]
                $type($type),
            )+
        }

        impl ManagedObject {
            /// The type of this object.
            #[must_use]
            pub const fn object_type(&self) -> ObjectType {
                match self {
                    $(Self::$type(_) => ObjectType::$type,)+
                }
            }
        }

        $(impl From<$type> for ManagedObject {
            fn from(object: $type) -> Self {
                Self::$type(object)
            }
        })+

        #[cfg(test)]
        impl crate::sample::Sample for ManagedObject {
            fn sample(maker: &mut crate::sample::Maker) -> Self {
                let known: Vec<_> = ObjectType::ALL.iter().filter(|t| t.is_known_in(maker.version)).copied().collect();
                match maker.choose(&known) {
                    $(ObjectType::$type => Self::$type(maker.make()),)+
                    other => panic!("{other} has no structure"),
                }
            }
        }

        /// The tag says which object it is.
        impl Field for ManagedObject {
            fn read_field(reader: &mut Reader<'_>, _: Tag, version: Version) -> Result<Self> {
                match reader.peek() {
                    $(Some(found @ tag::$tag) if ObjectType::$type.is_known_in(version) => {
                        Item::read_item(reader, found, version).map(Self::$type)
                    })+
                    found => Err(reader.error(ErrorKind::Unexpected(found))),
                }
            }
            fn write_field(&self, writer: &mut Writer, _: Tag, version: Version) {
                match self {
                    $(Self::$type(object) => object.write_item(writer, tag::$tag, version),)+
                }
            }
        }
    };
}

managed_objects! {
    Certificate = CERTIFICATE;
    CertificateRequest = CERTIFICATE_REQUEST;
    OpaqueObject = OPAQUE_OBJECT;
    PGPKey = PGP_KEY;
    PrivateKey = PRIVATE_KEY;
    PublicKey = PUBLIC_KEY;
    SecretData = SECRET_DATA;
    SplitKey = SPLIT_KEY;
    SymmetricKey = SYMMETRIC_KEY;
    Template = TEMPLATE;
}

impl ManagedObject {
    /// The key block, for the objects that have one.
    #[must_use]
    pub const fn key_block(&self) -> Option<&KeyBlock> {
        match self {
            Self::PGPKey(PGPKey { key_block, .. })
            | Self::PrivateKey(PrivateKey { key_block })
            | Self::PublicKey(PublicKey { key_block })
            | Self::SecretData(SecretData { key_block, .. })
            | Self::SplitKey(SplitKey { key_block, .. })
            | Self::SymmetricKey(SymmetricKey { key_block }) => Some(key_block),
            Self::Certificate(_) | Self::CertificateRequest(_) | Self::OpaqueObject(_) | Self::Template(_) => None,
        }
    }

    /// The key block, to be changed.
    pub const fn key_block_mut(&mut self) -> Option<&mut KeyBlock> {
        match self {
            Self::PGPKey(PGPKey { key_block, .. })
            | Self::PrivateKey(PrivateKey { key_block })
            | Self::PublicKey(PublicKey { key_block })
            | Self::SecretData(SecretData { key_block, .. })
            | Self::SplitKey(SplitKey { key_block, .. })
            | Self::SymmetricKey(SymmetricKey { key_block }) => Some(key_block),
            Self::Certificate(_) | Self::CertificateRequest(_) | Self::OpaqueObject(_) | Self::Template(_) => None,
        }
    }
}
