//! The body of an answer, wiped when it has been written.

use http_body_util::Full;
use hyper::body::Buf;
use zeroize::Zeroizing;

/// The body of an answer.
pub(super) type Answer = Full<Wiped>;

/// Bytes that are wiped when they go.
pub(super) struct Wiped {
    bytes: Zeroizing<Vec<u8>>,
    written: usize,
}

impl Wiped {
    /// Bytes that will be.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Zeroizing::new(bytes),
            written: 0,
        }
    }
}

impl Buf for Wiped {
    fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.written)
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.written = self.written.saturating_add(count).min(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_not_written_again() {
        let mut bytes = Wiped::new(vec![1, 2, 3]);
        assert_eq!((bytes.remaining(), bytes.chunk()), (3, &[1, 2, 3][..]));
        bytes.advance(2);
        assert_eq!((bytes.remaining(), bytes.chunk()), (1, &[3][..]));
        bytes.advance(9);
        assert!(!bytes.has_remaining());
        assert!(bytes.chunk().is_empty());
    }
}
