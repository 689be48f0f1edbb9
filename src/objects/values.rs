//! What no value of an attribute may be.

use crate::failure::Fault;
use kmip_protocol::{AnyValue, Attribute, CryptographicUsageMask, VendorAttribute, VendorName};

/// Judges a value.
///
/// # Errors
/// [`Fault::InvalidAttributeValue`].
pub(super) fn check(attribute: &Attribute) -> Result<(), Fault> {
    let possible = match attribute {
        Attribute::CryptographicLength(length) => *length >= 0,
        Attribute::CryptographicUsageMask(mask) => mask.0 & !named_bits() == 0,
        Attribute::Name(name) => !name.name_value.is_empty() && name.name_type.name().is_some(),
        Attribute::Vendor(attribute) => is_vendors(attribute),
        Attribute::UsageLimits(limits) => {
            limits.usage_limits_total.is_none_or(|total| total >= 0)
                && limits.usage_limits_count.is_none_or(|count| count >= 0)
        }
        _ => true,
    };
    if possible {
        Ok(())
    } else {
        Err(Fault::InvalidAttributeValue)
    }
}

/// Bits of the usage mask that some version names.
fn named_bits() -> u32 {
    CryptographicUsageMask::ALL.iter().fold(0, |bits, bit| bits | bit.0)
}

/// A vendor has a plain name, and so has its attribute one (KMIP 2.1 §4.60). A Custom Attribute that is a structure holds no other structures
/// (KMIP 1.4 §3.39).
fn is_vendors(attribute: &VendorAttribute) -> bool {
    let VendorAttribute {
        name: VendorName {
            vendor_identification: vendor,
            attribute_name,
        },
        value,
    } = attribute;
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
    let is_flat = match value {
        AnyValue::Structure(items) => !items.iter().any(|item| matches!(item.value, AnyValue::Structure(_))),
        _ => true,
    };
    !attribute_name.is_empty()
        && !vendor.is_empty()
        && vendor.chars().all(is_letter)
        && (is_flat || vendor != VendorName::CLIENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{AnyItem, tag};

    fn told(vendor: &str, name: &str, value: AnyValue) -> bool {
        let name = VendorName {
            vendor_identification: vendor.into(),
            attribute_name: name.into(),
        };
        check(&Attribute::Vendor(VendorAttribute { name, value })).is_ok()
    }

    #[test]
    fn vendors_have_plain_names() {
        let told = |vendor, name| told(vendor, name, AnyValue::Integer(1));
        assert!(told("Acme_1.x", "any text"));
        for (vendor, name) in [("", "n"), ("Acme", ""), ("Acme 1", "n"), ("Acm\u{e9}", "n")] {
            assert!(!told(vendor, name), "{vendor} {name}");
        }
    }

    #[test]
    fn a_custom_attribute_is_flat() {
        let within = |value| {
            AnyValue::Structure(vec![AnyItem {
                tag: tag::EXTENSION_NAME,
                value,
            }])
        };
        let flat = within(AnyValue::Integer(1));
        assert!(told("x", "n", flat.clone()));
        assert!(told("Acme", "n", within(flat.clone())));
        assert!(!told("x", "n", within(flat)));
    }
}
