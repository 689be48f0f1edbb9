//! Key material in transparent formats (KMIP 2.1 §3.4–3.12).

use crate::field::structure;
use crate::{BigInteger, RecommendedCurve};
use kmip_ttlv::Secret;

structure! {
    /// Transparent Symmetric Key (KMIP 2.1 §3.4).
    TransparentSymmetricKey {
        key: Secret = KEY;
    }

    /// Transparent DSA Private Key (KMIP 2.1 §3.5).
    TransparentDSAPrivateKey {
        p: BigInteger = P;
        q: BigInteger = Q;
        g: BigInteger = G;
        x: BigInteger = X;
    }

    /// Transparent DSA Public Key (KMIP 2.1 §3.6).
    TransparentDSAPublicKey {
        p: BigInteger = P;
        q: BigInteger = Q;
        g: BigInteger = G;
        y: BigInteger = Y;
    }

    /// Transparent RSA Private Key (KMIP 2.1 §3.7).
    TransparentRSAPrivateKey {
        modulus: BigInteger = MODULUS;
        private_exponent: Option<BigInteger> = PRIVATE_EXPONENT;
        public_exponent: Option<BigInteger> = PUBLIC_EXPONENT;
        p: Option<BigInteger> = P;
        q: Option<BigInteger> = Q;
        prime_exponent_p: Option<BigInteger> = PRIME_EXPONENT_P;
        prime_exponent_q: Option<BigInteger> = PRIME_EXPONENT_Q;
        crt_coefficient: Option<BigInteger> = CRT_COEFFICIENT;
    }

    /// Transparent RSA Public Key (KMIP 2.1 §3.8).
    TransparentRSAPublicKey {
        modulus: BigInteger = MODULUS;
        public_exponent: BigInteger = PUBLIC_EXPONENT;
    }

    /// Transparent DH Private Key (KMIP 2.1 §3.9).
    TransparentDHPrivateKey {
        p: BigInteger = P;
        q: Option<BigInteger> = Q;
        g: BigInteger = G;
        j: Option<BigInteger> = J;
        x: BigInteger = X;
    }

    /// Transparent DH Public Key (KMIP 2.1 §3.10).
    TransparentDHPublicKey {
        p: BigInteger = P;
        q: Option<BigInteger> = Q;
        g: BigInteger = G;
        j: Option<BigInteger> = J;
        y: BigInteger = Y;
    }

    /// Transparent EC Private Key (KMIP 2.1 §3.11), and the ECDSA, ECDH and ECMQV formats up to 1.4, which have the same fields.
    TransparentECPrivateKey {
        recommended_curve: RecommendedCurve = RECOMMENDED_CURVE;
        d: BigInteger = D;
    }

    /// Transparent EC Public Key (KMIP 2.1 §3.12), and the ECDSA, ECDH and ECMQV formats up to 1.4, which have the same fields.
    TransparentECPublicKey {
        recommended_curve: RecommendedCurve = RECOMMENDED_CURVE;
        q_string: Vec<u8> = Q_STRING;
    }
}
