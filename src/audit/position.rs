//! Where a record stands: its stream and its sequence within it.

use core::fmt;

/// A stream: one per server process and trail, 16 random bytes, so that no two processes ever write the same chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub [u8; 16]);

/// Where a record stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    /// The stream.
    pub stream: StreamId,
    /// The place in it, from 1, without gaps.
    pub sequence: u64,
}

/// The last record of a stream: what the next one points back to, and what a checkpoint signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Where it stands; sequence 0: the stream has no record yet.
    pub position: Position,
    /// SHA-256 of the record's bytes.
    pub hash: [u8; 32],
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        kmip_ttlv::Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamId({self})")
    }
}
