//! One-time passwords by time (RFC 6238): HMAC-SHA-1, six digits, steps of thirty seconds, one step of tolerance either way.

use ring::hmac;

/// Seconds to a step.
const STEP: i64 = 30;
/// Codes that there are: six digits.
const CODES: u32 = 1_000_000;
/// Digits of a code.
const DIGITS: usize = 6;
/// Letters of Base32 (RFC 4648 §6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes of a secret: as many as the HMAC gives.
pub const SECRET_BYTES: usize = 20;

/// The code of a time step.
fn code(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    // Dynamic truncation (RFC 4226 §5.3).
    let offset = tag.as_ref().last().map_or(0, |last| usize::from(last & 0x0F));
    let bytes = tag.as_ref().iter().skip(offset).take(4);
    let number = bytes.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    (number & 0x7FFF_FFFF) % CODES
}

/// The step whose code this is, at this time in seconds since 1970, if it is later than the last one that was used. All candidates
/// are always computed.
#[must_use]
pub fn step_of(secret: &[u8], given: &str, now: i64, last_step: i64) -> Option<i64> {
    let well_formed = given.len() == DIGITS && given.bytes().all(|b| b.is_ascii_digit());
    let given: u32 = given.parse().ok()?;
    let present = now.div_euclid(STEP);
    let candidates = [present.saturating_sub(1), present, present.saturating_add(1)];
    let mut found = None;
    for step in candidates {
        if (code(secret, step) ^ given) == 0 && step > last_step {
            found = Some(step);
        }
    }
    found.filter(|_| well_formed)
}

/// A secret as authenticators read it: Base32 without padding.
#[must_use]
pub fn base32(secret: &[u8]) -> String {
    let mut text = String::with_capacity(secret.len().saturating_mul(8).div_ceil(5));
    let (mut bits, mut kept) = (0_u32, 0_u32);
    for byte in secret {
        bits = (bits << 8) | u32::from(*byte);
        kept = kept.saturating_add(8);
        while kept >= 5 {
            kept = kept.saturating_sub(5);
            text.push(letter(bits >> kept));
        }
    }
    if kept > 0 {
        text.push(letter(bits << 5_u32.saturating_sub(kept)));
    }
    text
}

fn letter(bits: u32) -> char {
    let place = usize::try_from(bits & 0x1F).unwrap_or_default();
    BASE32.get(place).copied().map_or('A', char::from)
}

/// The code that belongs to a moment, for tests of what wants one.
#[cfg(test)]
pub fn code_at(secret: &[u8], now: i64) -> String {
    format!("{:06}", code(secret, now.div_euclid(STEP)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 6238, appendix B, the last six of the eight digits.
    #[test]
    fn codes_are_those_of_the_specification() {
        let table = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (now, expected) in table {
            assert_eq!(code_at(SECRET, now), expected);
            assert_eq!(step_of(SECRET, expected, now, 0), Some(now / STEP));
        }
    }

    #[test]
    fn a_code_counts_once_and_near_its_time() {
        let (now, given) = (1_111_111_111, "050471");
        let step = now / STEP;
        for (at, last, expected) in [
            (now, step - 1, Some(step)),
            (now, step, None),
            (now + STEP, step - 1, Some(step)),
            (now - STEP, step - 1, Some(step)),
            (now + 2 * STEP, 0, None),
            (now - 2 * STEP, 0, None),
        ] {
            assert_eq!(step_of(SECRET, given, at, last), expected, "{at} {last}");
        }
        for wrong in ["", "50471", "0050471", "+50471", "05047a", "050472"] {
            assert_eq!(step_of(SECRET, wrong, now, 0), None, "{wrong}");
        }
    }

    /// RFC 4648 §10.
    #[test]
    fn base32_is_that_of_the_specification() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}
