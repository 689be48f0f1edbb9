//! What a key is where its client leaves it open: the server supplies the algorithm and the length that a request does not name (KMIP 2.1 §4,
//! Table 28). Up to 1.4 the algorithm is the client's to name, the length is not (KMIP 1.4 §4.1, §4.2).

use crate::crypto::usual_length;
use crate::objects::AttributeSet;
use kmip_protocol::{Attribute, CryptographicAlgorithm, ObjectType, RecommendedCurve, Version};

/// Bits of Secret Data.
const SECRET: i32 = 256;

/// Bits of the modulus of an RSA key: as strong as the symmetric keys of 128 bits that the curve has too (NIST SP 800-57-1, table 2).
const RSA: i32 = 3072;

/// Bits of the modulus of DSA and DH, whose parameters are made anew for each key: longer ones take seconds.
const FINITE_FIELD: i32 = 2048;

/// Bits of a curve.
const CURVE: i32 = 256;

/// The longest length that is that of a curve, if nothing else is said of a key pair.
const LONGEST_CURVE: i32 = 521;

/// Supplies what is left open of a symmetric key or of Secret Data. The length of an algorithm that has no usual one is not supplied.
pub(super) fn complete(version: Version, object_type: ObjectType, attributes: &mut AttributeSet) {
    let length = if object_type == ObjectType::SecretData {
        Some(SECRET)
    } else {
        if version.supplies_algorithm() {
            attributes.set_if_absent(Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES));
        }
        attributes.algorithm().and_then(usual_length)
    };
    if let Some(length) = length {
        attributes.set_if_absent(Attribute::CryptographicLength(length));
    }
}

/// The algorithm of a key pair of which no more is said than this.
pub(super) fn pair_algorithm(
    version: Version,
    length: Option<i32>,
    curve: Option<RecommendedCurve>,
) -> Option<CryptographicAlgorithm> {
    let is_curve = curve.is_some() || length.is_some_and(|length| length <= LONGEST_CURVE);
    version.supplies_algorithm().then_some(if is_curve {
        CryptographicAlgorithm::EC
    } else {
        CryptographicAlgorithm::RSA
    })
}

/// The length of a key pair of an algorithm that has several.
pub(super) fn pair_length(algorithm: CryptographicAlgorithm, curve: Option<RecommendedCurve>) -> Option<i32> {
    match algorithm {
        CryptographicAlgorithm::RSA => Some(RSA),
        CryptographicAlgorithm::DSA | CryptographicAlgorithm::DH => Some(FINITE_FIELD),
        CryptographicAlgorithm::EC | CryptographicAlgorithm::ECDSA | CryptographicAlgorithm::ECDH => {
            curve.is_none().then_some(CURVE)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{material_length, usual_length};

    #[test]
    fn what_is_supplied_can_be_made() {
        for algorithm in CryptographicAlgorithm::ALL {
            if let Some(length) = usual_length(*algorithm) {
                assert!(material_length(*algorithm, length).is_ok(), "{algorithm}");
            }
        }
        let usual = [
            (CryptographicAlgorithm::AES, Some(256)),
            (CryptographicAlgorithm::DES3, Some(168)),
            (CryptographicAlgorithm::HMAC_SHA512, Some(512)),
            (CryptographicAlgorithm::RSA, None),
        ];
        for (algorithm, length) in usual {
            assert_eq!(usual_length(algorithm), length, "{algorithm}");
        }
    }

    #[test]
    fn the_algorithm_is_supplied_where_it_need_not_be_said() {
        for version in Version::ALL {
            let mut attributes = AttributeSet::default();
            complete(version, ObjectType::SymmetricKey, &mut attributes);
            let supplied = attributes.algorithm().zip(attributes.length());
            let newer = version.supplies_algorithm();
            assert_eq!(supplied, newer.then_some((CryptographicAlgorithm::AES, 256)));
            let pair = |length, curve| pair_algorithm(version, length, curve);
            assert_eq!(pair(Some(256), None), newer.then_some(CryptographicAlgorithm::EC));
            assert_eq!(pair(Some(2048), None), newer.then_some(CryptographicAlgorithm::RSA));
            let curve = Some(RecommendedCurve::P_256);
            assert_eq!(pair(None, curve), newer.then_some(CryptographicAlgorithm::EC));
        }
        let length = |algorithm, curve| pair_length(algorithm, curve);
        assert_eq!(length(CryptographicAlgorithm::RSA, None), Some(RSA));
        assert_eq!(length(CryptographicAlgorithm::EC, None), Some(CURVE));
        assert_eq!(length(CryptographicAlgorithm::EC, Some(RecommendedCurve::P_521)), None);
    }
}
