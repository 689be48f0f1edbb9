//! A guard on what an HSM gives as random: the two continuous tests of NIST SP 800-90B §4.4, over bytes. They find a source that is
//! stuck or has lost most of its entropy; that it is good, they do not say.

/// Equal bytes in a row that fail (SP 800-90B §4.4.1): with eight bits of entropy in each byte, a good source gives so many about once in
/// 2^40 bytes.
const REPEATED: u32 = 6;

/// Bytes of a window of the second test (SP 800-90B §4.4.2).
const WINDOW: u32 = 512;

/// How often the first byte of a window may be in it: with eight bits of entropy in each byte, a good source exceeds that in fewer than one
/// window of 2^40.
const IN_WINDOW: u32 = 20;

/// Bytes that a source gives in vain at the start, and again after a failure.
pub(super) const STARTUP: usize = 4096;

/// The state of both tests.
#[derive(Default)]
pub(super) struct Noise {
    last: u8,
    run: u32,
    first: u8,
    seen: u32,
    equal: u32,
}

impl Noise {
    /// Tests the next bytes. Whether the source may go on.
    #[must_use]
    pub(super) fn passes(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.next(*byte))
    }

    fn next(&mut self, byte: u8) -> bool {
        self.run = if self.run > 0 && byte == self.last {
            self.run.saturating_add(1)
        } else {
            1
        };
        self.last = byte;
        if self.seen == 0 {
            (self.first, self.equal) = (byte, 0);
        }
        self.equal = self.equal.saturating_add(u32::from(byte == self.first));
        self.seen = self.seen.saturating_add(1);
        if self.seen == WINDOW {
            self.seen = 0;
        }
        self.run < REPEATED && self.equal <= IN_WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::{SecureRandom, SystemRandom};

    #[test]
    fn a_good_source_passes() {
        let mut noise = Noise::default();
        let mut bytes = [0; 1024];
        for _ in 0..1024 {
            SystemRandom::new().fill(&mut bytes).unwrap();
            assert!(noise.passes(&bytes));
        }
    }

    #[test]
    fn a_stuck_source_does_not() {
        assert!(!Noise::default().passes(&[0; 6]));
        assert!(Noise::default().passes(&[0; 5]));
        let mut noise = Noise::default();
        // Across two portions.
        assert!(noise.passes(&[1, 7, 7, 7]));
        assert!(!noise.passes(&[7, 7, 7]));
    }

    #[test]
    fn a_source_of_few_values_does_not() {
        let few: Vec<u8> = (0..512_u32).map(|i| u8::try_from(i * 7 % 16).unwrap()).collect();
        assert!(!Noise::default().passes(&few));
        // One byte far too often, and never in a row.
        let mut bytes: Vec<u8> = (0..512_u32).map(|i| u8::try_from(i % 251 + 1).unwrap()).collect();
        for place in (0..bytes.len()).step_by(20) {
            bytes[place] = 0;
        }
        assert!(!Noise::default().passes(&bytes));
    }
}
