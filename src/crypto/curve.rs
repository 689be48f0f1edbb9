//! Elliptic curves: KMIP's Recommended Curves (KMIP 2.1 §11.45) and the library's names for them.

use super::error::{CryptoError, or};
use kmip_protocol::RecommendedCurve;
use openssl::asn1::Asn1Object;
use openssl::ec::EcGroup;
use openssl::nid::Nid;

macro_rules! curves {
    ($($curve:ident $name:literal)+) => {
        /// Every curve that has points to sign with, by the library's short name.
        const CURVES: &[(RecommendedCurve, &str)] = &[$((RecommendedCurve::$curve, $name),)+];
    };
}

curves! {
    P_192 "prime192v1"
    K_163 "sect163k1"
    B_163 "sect163r2"
    P_224 "secp224r1"
    K_233 "sect233k1"
    B_233 "sect233r1"
    P_256 "prime256v1"
    K_283 "sect283k1"
    B_283 "sect283r1"
    P_384 "secp384r1"
    K_409 "sect409k1"
    B_409 "sect409r1"
    P_521 "secp521r1"
    K_571 "sect571k1"
    B_571 "sect571r1"
    SECP112R1 "secp112r1"
    SECP112R2 "secp112r2"
    SECP128R1 "secp128r1"
    SECP128R2 "secp128r2"
    SECP160K1 "secp160k1"
    SECP160R1 "secp160r1"
    SECP160R2 "secp160r2"
    SECP192K1 "secp192k1"
    SECP224K1 "secp224k1"
    SECP256K1 "secp256k1"
    SECT113R1 "sect113r1"
    SECT113R2 "sect113r2"
    SECT131R1 "sect131r1"
    SECT131R2 "sect131r2"
    SECT163R1 "sect163r1"
    SECT193R1 "sect193r1"
    SECT193R2 "sect193r2"
    SECT239K1 "sect239k1"
    ANSIX9P192V2 "prime192v2"
    ANSIX9P192V3 "prime192v3"
    ANSIX9P239V1 "prime239v1"
    ANSIX9P239V2 "prime239v2"
    ANSIX9P239V3 "prime239v3"
    ANSIX9C2PNB163V1 "c2pnb163v1"
    ANSIX9C2PNB163V2 "c2pnb163v2"
    ANSIX9C2PNB163V3 "c2pnb163v3"
    ANSIX9C2PNB176V1 "c2pnb176v1"
    ANSIX9C2TNB191V1 "c2tnb191v1"
    ANSIX9C2TNB191V2 "c2tnb191v2"
    ANSIX9C2TNB191V3 "c2tnb191v3"
    ANSIX9C2PNB208W1 "c2pnb208w1"
    ANSIX9C2TNB239V1 "c2tnb239v1"
    ANSIX9C2TNB239V2 "c2tnb239v2"
    ANSIX9C2TNB239V3 "c2tnb239v3"
    ANSIX9C2PNB272W1 "c2pnb272w1"
    ANSIX9C2PNB304W1 "c2pnb304w1"
    ANSIX9C2TNB359V1 "c2tnb359v1"
    ANSIX9C2PNB368W1 "c2pnb368w1"
    ANSIX9C2TNB431R1 "c2tnb431r1"
    BRAINPOOLP160R1 "brainpoolP160r1"
    BRAINPOOLP160T1 "brainpoolP160t1"
    BRAINPOOLP192R1 "brainpoolP192r1"
    BRAINPOOLP192T1 "brainpoolP192t1"
    BRAINPOOLP224R1 "brainpoolP224r1"
    BRAINPOOLP224T1 "brainpoolP224t1"
    BRAINPOOLP256R1 "brainpoolP256r1"
    BRAINPOOLP256T1 "brainpoolP256t1"
    BRAINPOOLP320R1 "brainpoolP320r1"
    BRAINPOOLP320T1 "brainpoolP320t1"
    BRAINPOOLP384R1 "brainpoolP384r1"
    BRAINPOOLP384T1 "brainpoolP384t1"
    BRAINPOOLP512R1 "brainpoolP512r1"
    BRAINPOOLP512T1 "brainpoolP512t1"
}

/// Every curve there is here with points to sign with. CURVE25519 and CURVE448 are not among them.
pub fn curves() -> impl Iterator<Item = RecommendedCurve> {
    CURVES.iter().map(|(curve, _)| *curve)
}

/// The library's group of a curve.
///
/// # Errors
/// [`CryptoError::Unsupported`].
pub(super) fn group(curve: RecommendedCurve) -> Result<EcGroup, CryptoError> {
    let (_, name) = CURVES
        .iter()
        .find(|(known, _)| *known == curve)
        .ok_or(CryptoError::Unsupported)?;
    let unsupported = or(CryptoError::Unsupported);
    let nid = Asn1Object::from_str(name).map_err(&unsupported)?.nid();
    EcGroup::from_curve_name(nid).map_err(unsupported)
}

/// The curve of a group, if KMIP has a name for it.
pub(super) fn curve_of(nid: Option<Nid>) -> Option<RecommendedCurve> {
    let name = nid?.short_name().ok()?;
    CURVES.iter().find(|(_, known)| *known == name).map(|(curve, _)| *curve)
}

/// Whether a curve is over a prime field and not over a binary one.
pub(super) fn is_over_prime_field(nid: Nid) -> bool {
    let name = nid.short_name().unwrap_or_default();
    !(name.starts_with("sect") || name.starts_with("c2"))
}

/// The usual curve of a key of so many bits, for clients that name a length only.
pub(super) fn curve_of_length(bits: i32) -> Option<RecommendedCurve> {
    Some(match bits {
        192 => RecommendedCurve::P_192,
        224 => RecommendedCurve::P_224,
        256 => RecommendedCurve::P_256,
        384 => RecommendedCurve::P_384,
        521 => RecommendedCurve::P_521,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_every_curve_and_names_it_back() {
        for curve in curves() {
            assert_eq!(curve_of(group(curve).unwrap().curve_name()), Some(curve));
        }
        assert_eq!(
            group(RecommendedCurve::CURVE25519).err(),
            Some(CryptoError::Unsupported)
        );
        assert_eq!(curve_of(None), None);
        assert_eq!(curve_of(Some(Nid::RSAENCRYPTION)), None);
    }
}
