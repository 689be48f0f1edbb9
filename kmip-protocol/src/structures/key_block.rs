//! Key blocks: format, value (plain or wrapped) and how it was wrapped (KMIP 2.1 §3.1–3.3).

use super::transparent::*;
use crate::attribute::Attributes;
use crate::field::{Field, Item, Structure, raw_items, structure};
use crate::{
    CryptographicAlgorithm, CryptographicParameters, EncodingOption, KeyCompressionType, KeyFormatType,
    UniqueIdentifier, Version, WrappingMethod, tag,
};
use kmip_ttlv::{ErrorKind, ItemType, Reader, Result, Secret, Tag, Writer};

/// A key with its format (KMIP 2.1 §3.1).
#[derive(Clone, PartialEq)]
pub struct KeyBlock {
    /// How the key material is laid out.
    pub key_format_type: KeyFormatType,
    /// How points of elliptic curves are compressed.
    pub key_compression_type: Option<KeyCompressionType>,
    /// The key; absent when the server keeps only attributes of it (1.2 and later).
    pub key_value: Option<KeyValue>,
    /// The algorithm, unless the key value tells it.
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    /// The length in bits, unless the key value tells it.
    pub cryptographic_length: Option<i32>,
    /// How the key was wrapped, if it is.
    pub key_wrapping_data: Option<Box<KeyWrappingData>>,
}

/// The value of a key (KMIP 2.1 §3.2).
#[derive(Clone, PartialEq)]
pub enum KeyValue {
    /// Key material and attributes; the material's bytes may still be wrapped (Encoding Option: No Encoding).
    Plain(PlainKeyValue),
    /// A Key Value structure in TTLV, wrapped.
    Wrapped(Secret),
}

/// Key material with the attributes that travel with it.
#[derive(Clone, PartialEq)]
pub struct PlainKeyValue {
    /// The key itself.
    pub key_material: KeyMaterial,
    /// Attributes under the protection of the wrapping.
    pub attributes: Option<Attributes>,
}

/// Declares the key materials that are structures, with the formats that use each.
macro_rules! key_material {
    ($($variant:ident: $($format:ident)|+;)+) => {
        /// Key material: bytes, or the structure that the Key Format Type names.
        #[derive(Clone, PartialEq)]
        pub enum KeyMaterial {
            /// The bytes of an encoded format, or wrapped bytes.
            Bytes(Secret),
            $(
                #[doc = concat!("The format ", $(stringify!($format), " ",)+ ".")]
                $variant(Box<$variant>),
            )+
            /// The items of a structure whose format is not one of ours, in TTLV.
            Other(Secret),
        }

        impl KeyMaterial {
            fn read(reader: &mut Reader<'_>, version: Version, format: KeyFormatType) -> Result<Self> {
                if reader.peek_type() == Some(ItemType::ByteString) {
                    return reader.bytes(tag::KEY_MATERIAL).map(|b| Self::Bytes(Secret::copy_from(b)));
                }
                match format {
                    $($(KeyFormatType::$format)|+ => Item::read_item(reader, tag::KEY_MATERIAL, version).map(Self::$variant),)+
                    _ => reader.structure(tag::KEY_MATERIAL, raw_items).map(Self::Other),
                }
            }

            /// The Key Material as one TTLV item: what a digest of material that is a structure is taken over.
            #[must_use]
            pub fn to_ttlv(&self, version: Version) -> Secret {
                let mut writer = Writer::new();
                self.write(&mut writer, version);
                Secret::new(writer.into_bytes())
            }

            #[cfg(test)]
            pub(crate) fn sample(maker: &mut crate::sample::Maker, format: KeyFormatType) -> Self {
                match format {
                    $($(KeyFormatType::$format)|+ => Self::$variant(maker.make()),)+
                    _ => Self::Bytes(maker.make()),
                }
            }

            fn write(&self, writer: &mut Writer, version: Version) {
                match self {
                    Self::Bytes(bytes) => writer.bytes(tag::KEY_MATERIAL, bytes.expose()),
                    $(Self::$variant(material) => Item::write_item(material, writer, tag::KEY_MATERIAL, version),)+
                    Self::Other(items) => writer.structure(tag::KEY_MATERIAL, |inner| inner.raw(items.expose())),
                }
            }
        }
    };
}

key_material! {
    TransparentSymmetricKey: TransparentSymmetricKey;
    TransparentDSAPrivateKey: TransparentDSAPrivateKey;
    TransparentDSAPublicKey: TransparentDSAPublicKey;
    TransparentRSAPrivateKey: TransparentRSAPrivateKey;
    TransparentRSAPublicKey: TransparentRSAPublicKey;
    TransparentDHPrivateKey: TransparentDHPrivateKey;
    TransparentDHPublicKey: TransparentDHPublicKey;
    TransparentECPrivateKey: TransparentECPrivateKey | TransparentECDSAPrivateKey | TransparentECDHPrivateKey
        | TransparentECMQVPrivateKey;
    TransparentECPublicKey: TransparentECPublicKey | TransparentECDSAPublicKey | TransparentECDHPublicKey
        | TransparentECMQVPublicKey;
}

impl PlainKeyValue {
    fn read_items(reader: &mut Reader<'_>, version: Version, format: KeyFormatType) -> Result<Self> {
        Ok(Self {
            key_material: KeyMaterial::read(reader, version, format)?,
            attributes: Field::read_field(reader, Attributes::tag_in(version), version)?,
        })
    }

    /// Reads the Key Value structure that unwrapping gave; it must hold nothing else.
    pub fn from_ttlv(bytes: &[u8], version: Version, format: KeyFormatType) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let value = reader.structure(tag::KEY_VALUE, |inner| Self::read_items(inner, version, format))?;
        reader.finish()?;
        Ok(value)
    }

    /// The Key Value structure as bytes, ready to be wrapped (Encoding Option: TTLV Encoding).
    #[must_use]
    pub fn to_ttlv(&self, version: Version) -> Secret {
        let mut writer = Writer::new();
        self.write(&mut writer, version);
        Secret::new(writer.into_bytes())
    }

    fn write(&self, writer: &mut Writer, version: Version) {
        writer.structure(tag::KEY_VALUE, |inner| {
            self.key_material.write(inner, version);
            self.attributes.write_field(inner, Attributes::tag_in(version), version);
        });
    }
}

impl KeyValue {
    fn read(reader: &mut Reader<'_>, version: Version, format: KeyFormatType) -> Result<Option<Self>> {
        if !reader.at(tag::KEY_VALUE) {
            return Ok(None);
        }
        Ok(Some(if reader.peek_type() == Some(ItemType::ByteString) {
            Self::Wrapped(Secret::copy_from(reader.bytes(tag::KEY_VALUE)?))
        } else {
            let read = |inner: &mut Reader<'_>| PlainKeyValue::read_items(inner, version, format);
            Self::Plain(reader.structure(tag::KEY_VALUE, read)?)
        }))
    }

    fn write(&self, writer: &mut Writer, version: Version) {
        match self {
            Self::Plain(value) => value.write(writer, version),
            Self::Wrapped(bytes) => writer.bytes(tag::KEY_VALUE, bytes.expose()),
        }
    }
}

/// Written by hand: the Key Format Type decides what the Key Material is.
impl Structure for KeyBlock {
    fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self> {
        let key_format_type = Item::read_item(reader, tag::KEY_FORMAT_TYPE, version)?;
        let block = Self {
            key_format_type,
            key_compression_type: Field::read_field(reader, tag::KEY_COMPRESSION_TYPE, version)?,
            key_value: KeyValue::read(reader, version, key_format_type)?,
            cryptographic_algorithm: Field::read_field(reader, tag::CRYPTOGRAPHIC_ALGORITHM, version)?,
            cryptographic_length: Field::read_field(reader, tag::CRYPTOGRAPHIC_LENGTH, version)?,
            key_wrapping_data: Field::read_field(reader, tag::KEY_WRAPPING_DATA, version)?,
        };
        let required = !tag::versions(tag::KEY_VALUE_PRESENT).is_some_and(|v| v.include(version));
        if required && block.key_value.is_none() {
            return Err(reader.error(ErrorKind::Missing(tag::KEY_VALUE)));
        }
        Ok(block)
    }

    fn write(&self, writer: &mut Writer, version: Version) {
        let Self {
            key_format_type,
            key_compression_type,
            key_value,
            cryptographic_algorithm,
            cryptographic_length,
            key_wrapping_data,
        } = self;
        key_format_type.write_item(writer, tag::KEY_FORMAT_TYPE, version);
        key_compression_type.write_field(writer, tag::KEY_COMPRESSION_TYPE, version);
        if let Some(value) = key_value {
            value.write(writer, version);
        }
        cryptographic_algorithm.write_field(writer, tag::CRYPTOGRAPHIC_ALGORITHM, version);
        cryptographic_length.write_field(writer, tag::CRYPTOGRAPHIC_LENGTH, version);
        key_wrapping_data.write_field(writer, tag::KEY_WRAPPING_DATA, version);
    }
}

impl Item for KeyBlock {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        crate::field::read_structure(reader, tag, version)
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        crate::field::write_structure(self, writer, tag, version);
    }
}

structure! {
    /// How a key value was wrapped (KMIP 2.1 §3.3).
    KeyWrappingData {
        wrapping_method: WrappingMethod = WRAPPING_METHOD;
        encryption_key_information: Option<KeyInformation> = ENCRYPTION_KEY_INFORMATION;
        mac_signature_key_information: Option<KeyInformation> = MAC_SIGNATURE_KEY_INFORMATION;
        mac_signature: Option<Vec<u8>> = MAC_SIGNATURE;
        iv_counter_nonce: Option<Vec<u8>> = IV_COUNTER_NONCE;
        encoding_option: Option<EncodingOption> = ENCODING_OPTION [V1_1..];
    }

    /// Encryption Key Information or MAC/Signature Key Information: the key that wraps, and how (KMIP 2.1 §3.3).
    KeyInformation {
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER;
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS;
    }

    /// How a key value is to be wrapped (KMIP 2.1 §7.18).
    KeyWrappingSpecification {
        wrapping_method: WrappingMethod = WRAPPING_METHOD;
        encryption_key_information: Option<KeyInformation> = ENCRYPTION_KEY_INFORMATION;
        mac_signature_key_information: Option<KeyInformation> = MAC_SIGNATURE_KEY_INFORMATION;
        attribute_names: Vec<String> = ATTRIBUTE_NAME;
        encoding_option: Option<EncodingOption> = ENCODING_OPTION [V1_1..];
    }
}
