//! The post-quantum algorithms of KMIP 3.0's draft. No version up to 2.1 has numbers for them, so their constants are
//! here until the vocabulary has them.

use super::native;
use kmip_protocol::CryptographicAlgorithm;
use openssl::pkey::PKeyRef;
use std::ffi::CStr;

/// What a key of such an algorithm is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Key encapsulation.
    Encapsulation,
    /// Signatures over whole messages.
    Signature,
}

pub(super) struct Row {
    pub(super) algorithm: CryptographicAlgorithm,
    pub(super) name: &'static CStr,
    pub(super) purpose: Purpose,
}

macro_rules! rows {
    ($($constant:ident $number:literal $name:literal $purpose:ident)+) => {
        $(
            #[doc = concat!("The number of KMIP 3.0's draft: ", stringify!($number), ".")]
            pub const $constant: CryptographicAlgorithm = CryptographicAlgorithm($number);
        )+
        const ROWS: &[Row] = &[$(Row { algorithm: $constant, name: $name, purpose: Purpose::$purpose },)+];
    };
}

rows! {
    ML_KEM_512 0x39 c"ML-KEM-512" Encapsulation
    ML_KEM_768 0x3A c"ML-KEM-768" Encapsulation
    ML_KEM_1024 0x3B c"ML-KEM-1024" Encapsulation
    ML_DSA_44 0x3C c"ML-DSA-44" Signature
    ML_DSA_65 0x3D c"ML-DSA-65" Signature
    ML_DSA_87 0x3E c"ML-DSA-87" Signature
    SLH_DSA_SHA2_128S 0x3F c"SLH-DSA-SHA2-128s" Signature
    SLH_DSA_SHA2_128F 0x40 c"SLH-DSA-SHA2-128f" Signature
    SLH_DSA_SHA2_192S 0x41 c"SLH-DSA-SHA2-192s" Signature
    SLH_DSA_SHA2_192F 0x42 c"SLH-DSA-SHA2-192f" Signature
    SLH_DSA_SHA2_256S 0x43 c"SLH-DSA-SHA2-256s" Signature
    SLH_DSA_SHA2_256F 0x44 c"SLH-DSA-SHA2-256f" Signature
    SLH_DSA_SHAKE_128S 0x45 c"SLH-DSA-SHAKE-128s" Signature
    SLH_DSA_SHAKE_128F 0x46 c"SLH-DSA-SHAKE-128f" Signature
    SLH_DSA_SHAKE_192S 0x47 c"SLH-DSA-SHAKE-192s" Signature
    SLH_DSA_SHAKE_192F 0x48 c"SLH-DSA-SHAKE-192f" Signature
    SLH_DSA_SHAKE_256S 0x49 c"SLH-DSA-SHAKE-256s" Signature
    SLH_DSA_SHAKE_256F 0x4A c"SLH-DSA-SHAKE-256f" Signature
}

/// The row of an algorithm.
pub(super) fn row(algorithm: CryptographicAlgorithm) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.algorithm == algorithm)
}

/// Whether it is SLH-DSA, which computes for up to a second where the others take microseconds.
pub(super) fn is_hash_based(algorithm: CryptographicAlgorithm) -> bool {
    (SLH_DSA_SHA2_128S.0..=SLH_DSA_SHAKE_256F.0).contains(&algorithm.0)
}

/// The row of a key.
pub(super) fn row_of<T>(key: &PKeyRef<T>) -> Option<&'static Row> {
    ROWS.iter().find(|row| native::is_a(key, row.name))
}

/// Every such algorithm.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static Row> {
    ROWS.iter()
}
