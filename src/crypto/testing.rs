//! What the tests of this room share.

use kmip_ttlv::Secret;

/// Bytes from hexadecimal digits.
pub fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|d| u8::try_from(d).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A secret from hexadecimal digits.
pub fn secret(digits: &str) -> Secret {
    Secret::new(hex(digits))
}
