//! Bytes as people read them.

use core::fmt;

/// Bytes in hexadecimal: two small digits for each.
#[derive(Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(Hex(&[0, 0x0A, 0xFF]).to_string(), "000aff");
        assert_eq!(Hex(&[]).to_string(), "");
    }
}
