//! Values that nobody knows, found in a request before anything is done with it (KMIP 2.1 §11.46, Invalid Field and Invalid Attribute
//! Value; KMIP 1.4 §11, "incorrect attribute value", "not recognized").

use crate::names::{EXTENSIONS, of_tag};
use crate::{Version, tag};
use kmip_ttlv::{Error, ErrorKind, Reader, Result, Tag, Value};

/// Items that hold attributes.
const HOLDERS: [Tag; 12] = [
    tag::ATTRIBUTE,
    tag::ATTRIBUTES,
    tag::NEW_ATTRIBUTE,
    tag::CURRENT_ATTRIBUTE,
    tag::TEMPLATE_ATTRIBUTE,
    tag::COMMON_ATTRIBUTES,
    tag::COMMON_TEMPLATE_ATTRIBUTE,
    tag::PRIVATE_KEY_ATTRIBUTES,
    tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE,
    tag::PUBLIC_KEY_ATTRIBUTES,
    tag::PUBLIC_KEY_TEMPLATE_ATTRIBUTE,
    tag::TEMPLATE,
];

/// Fields outside of attributes that are judged by what is done with them: the specification has a reason of its own for them, or an object
/// may be kept as it comes.
pub const JUDGED_IN_USE: [Tag; 22] = [
    tag::BLOCK_CIPHER_MODE,
    tag::CERTIFICATE_TYPE,
    tag::CREDENTIAL_TYPE,
    tag::CRYPTOGRAPHIC_ALGORITHM,
    tag::DERIVATION_METHOD,
    tag::DIGITAL_SIGNATURE_ALGORITHM,
    tag::ENCODING_OPTION,
    tag::HASHING_ALGORITHM,
    tag::KEY_COMPRESSION_TYPE,
    tag::KEY_FORMAT_TYPE,
    tag::KEY_WRAP_TYPE,
    tag::MASK_GENERATOR,
    tag::MASK_GENERATOR_HASHING_ALGORITHM,
    tag::OBJECT_TYPE,
    tag::OPERATION,
    tag::PADDING_METHOD,
    tag::PKCS_11_FUNCTION,
    tag::QUERY_FUNCTION,
    tag::RECOMMENDED_CURVE,
    tag::REVOCATION_REASON_CODE,
    tag::SPLIT_KEY_METHOD,
    tag::WRAPPING_METHOD,
];

/// Whether what stands in this item are attributes.
#[must_use]
pub fn holds_attributes(tag: Tag) -> bool {
    HOLDERS.contains(&tag)
}

/// Looks through a payload.
///
/// # Errors
/// [`ErrorKind::UnknownValue`] if an enumeration has a value that is neither an extension nor known to the version or one before it.
pub(crate) fn check(payload: Reader<'_>, version: Version) -> Result<()> {
    inside(payload, version, false)
}

fn inside(mut reader: Reader<'_>, version: Version, is_attribute: bool) -> Result<()> {
    // Which attribute an Attribute Value belongs to, where attributes go by their names.
    let mut named = None;
    while !reader.is_empty() {
        let offset = reader.offset();
        let (tag, value) = reader.item()?;
        match value {
            Value::Structure(inner) => {
                inside(inner, version, is_attribute || holds_attributes(tag))
                    .map_err(|error: Error| error.within(tag))?;
            }
            Value::TextString(name) if tag == tag::ATTRIBUTE_NAME && !version.has_tagged_attributes() => {
                named = tag::from_specification_name(name);
            }
            Value::Enumeration(number) => {
                let meant = if tag == tag::ATTRIBUTE_VALUE { named } else { Some(tag) };
                let judged = is_attribute || !JUDGED_IN_USE.contains(&tag);
                if judged && meant.is_some_and(|tag| !is_known(tag, number, version)) {
                    return Err(Error::new(ErrorKind::UnknownValue, offset).within(tag));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether somebody who speaks this version may say this number. Fields without an enumeration of their own have any.
fn is_known(tag: Tag, number: u32, version: Version) -> bool {
    // Vendor operations judge their own.
    let judged = of_tag(tag).filter(|names| !names.is_mask && !names.rows.is_empty() && !tag.is_extension());
    let Some(names) = judged else {
        return true;
    };
    let row = names.rows.iter().find(|(value, _)| *value == number);
    number >= EXTENSIONS || row.is_some_and(|(_, versions)| versions.first <= version)
}
