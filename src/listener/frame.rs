//! Whole messages from a stream: length first, checked before anything is allocated.

use crate::exchange::Refusal;
use kmip_ttlv::limits::HEADER_LENGTH;
use kmip_ttlv::{ItemType, Tag};

/// What a message's first eight bytes say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) tag: Tag,
    /// Bytes of the whole message, these eight included.
    pub(super) length: usize,
}

impl Header {
    /// Reads a header; the message must be a structure and not longer than the limit.
    pub(super) fn read(bytes: [u8; HEADER_LENGTH], limit: usize) -> Result<Self, Refusal> {
        let [t0, t1, t2, kind, l0, l1, l2, l3] = bytes;
        if ItemType::from_byte(kind) != Some(ItemType::Structure) {
            return Err(Refusal::NotTtlv);
        }
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let length = length.saturating_add(HEADER_LENGTH);
        if length > limit {
            return Err(Refusal::TooLong);
        }
        let tag = Tag(u32::from_be_bytes([0, t0, t1, t2]));
        Ok(Self { tag, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_and_judged() {
        let header = Header::read([0x42, 0, 0x78, 1, 0, 0, 0, 16], 24).unwrap();
        assert_eq!((header.tag, header.length), (Tag(0x42_0078), 24));
        assert_eq!(Header::read([0x42, 0, 0x78, 1, 0, 0, 0, 17], 24), Err(Refusal::TooLong));
        assert_eq!(
            Header::read([0x42, 0, 0x78, 1, 255, 255, 255, 255], 24),
            Err(Refusal::TooLong)
        );
        assert_eq!(Header::read(*b"GET / HT", 1 << 20), Err(Refusal::NotTtlv));
    }
}
