//! The binary fields that secrets are shared in. No branch and no index depends on an element.

/// GF(2^8) by one of its polynomials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByteField {
    /// The polynomial without its highest term.
    polynomial: u8,
}

/// GF(2^16) over a GF(2^8): pairs `uy + v` with `y^2 = y + m`, a pair in a number with `u` in its high byte (KMIP 2.1 §13.1). The printed
/// product of two elements has no neutral element; this one follows from the field, as the printed inverse does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PairField(pub ByteField);

/// `x^5 + x^4 + x^3 + x`.
const M: u8 = 0x3A;

impl ByteField {
    /// That of AES (FIPS 197 §4.2): `x^8 + x^4 + x^3 + x + 1`.
    pub const AES: Self = Self { polynomial: 0x1B };
    /// `x^8 + x^4 + x^3 + x^2 + 1`, in which the published cases share (KMIP 2.1 §13.1: "285").
    pub const D: Self = Self { polynomial: 0x1D };

    /// The product.
    #[must_use]
    pub const fn multiply(self, mut a: u8, mut b: u8) -> u8 {
        let mut product = 0;
        let mut bit = 0;
        while bit < 8 {
            product ^= a & 0_u8.wrapping_sub(b & 1);
            a = (a << 1) ^ (self.polynomial & 0_u8.wrapping_sub(a >> 7));
            b >>= 1;
            bit += 1;
        }
        product
    }

    /// The inverse, a^254; that of 0 is 0.
    #[must_use]
    pub const fn invert(self, a: u8) -> u8 {
        let mut power = a;
        let mut bit = 0;
        while bit < 6 {
            power = self.multiply(self.multiply(power, power), a);
            bit += 1;
        }
        self.multiply(power, power)
    }
}

impl PairField {
    /// The product.
    #[must_use]
    pub const fn multiply(self, a: u16, b: u16) -> u16 {
        let field = self.0;
        let ([r, s], [u, v]) = (a.to_be_bytes(), b.to_be_bytes());
        let low = field.multiply(s, v);
        let high = field.multiply(r ^ s, u ^ v) ^ low;
        u16::from_be_bytes([high, low ^ field.multiply(field.multiply(r, u), M)])
    }

    /// The inverse; that of 0 is 0.
    #[must_use]
    pub const fn invert(self, a: u16) -> u16 {
        let field = self.0;
        let [u, v] = a.to_be_bytes();
        let sum = u ^ v;
        let d = field.multiply(sum, v) ^ field.multiply(M, field.multiply(u, u));
        let inverse = field.invert(d);
        u16::from_be_bytes([field.multiply(u, inverse), field.multiply(sum, inverse)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_make_fields() {
        // FIPS 197 §4.2.
        assert_eq!(ByteField::AES.multiply(0x57, 0x83), 0xC1);
        assert_eq!(ByteField::AES.multiply(0x57, 0x13), 0xFE);
        for field in [ByteField::AES, ByteField::D] {
            for a in 1..=u8::MAX {
                assert_eq!(field.multiply(a, field.invert(a)), 1, "{a}");
                // The polynomial y^2 + y + m has no root, so that the pairs are a field too.
                assert_ne!(field.multiply(a, a) ^ a ^ M, 0);
            }
            assert_eq!(field.invert(0), 0);
            for a in 1..=u16::MAX {
                let pairs = PairField(field);
                assert_eq!(pairs.multiply(a, pairs.invert(a)), 1, "{a}");
                assert_eq!(pairs.multiply(a, 1), a);
            }
        }
    }

    proptest! {
        #[test]
        fn pairs_obey_the_laws_of_a_field(a: u16, b: u16, c: u16) {
            for field in [PairField(ByteField::AES), PairField(ByteField::D)] {
                prop_assert_eq!(field.multiply(a, b), field.multiply(b, a));
                prop_assert_eq!(field.multiply(field.multiply(a, b), c), field.multiply(a, field.multiply(b, c)));
                prop_assert_eq!(field.multiply(a, b ^ c), field.multiply(a, b) ^ field.multiply(a, c));
            }
        }
    }
}
