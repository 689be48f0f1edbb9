//! DER (X.690 §10): elements, as far as requests and extensions need them read and written one by one.

/// SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;
/// SET.
pub(crate) const SET: u8 = 0x31;

/// An element with this content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let digits: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(0x7F));
            bytes.extend(digits);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

/// An element that was read.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    /// Tag and length included.
    pub whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element, and what comes after it. `None` if there is none, or its length is not that of DER.
    pub fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&tag, rest) = bytes.split_first()?;
        // Tags of more than one byte occur nowhere here.
        if tag & 0x1F == 0x1F {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            // Four digits are more than any message holds; a first digit of 0, or a length that fits in one byte, is not DER.
            if digits.is_empty() || digits.len() > 4 || digits.first() == Some(&0) {
                return None;
            }
            let length = digits
                .iter()
                .fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
            if length < 0x80 {
                return None;
            }
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = bytes.get(..bytes.len().saturating_sub(rest.len()))?;
        Some((Self { tag, content, whole }, rest))
    }

    /// The only element of some bytes, of this tag.
    pub fn only(bytes: &'a [u8], tag: u8) -> Option<Self> {
        let (element, rest) = Self::split(bytes)?;
        (element.tag == tag && rest.is_empty()).then_some(element)
    }

    /// The elements within.
    pub fn children(self) -> Option<Vec<Element<'a>>> {
        let mut children = Vec::new();
        let mut rest = self.content;
        while !rest.is_empty() {
            let (child, after) = Self::split(rest)?;
            children.push(child);
            rest = after;
        }
        Some(children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let bytes = element(SEQUENCE, &content);
            let read = Element::only(&bytes, SEQUENCE).unwrap();
            assert!(read.content == content && read.whole == bytes, "{length}");
            assert!(Element::only(&bytes, SET).is_none());
            for short in 0..bytes.len().min(300) {
                assert!(Element::only(&bytes[..short], SEQUENCE).is_none());
            }
        }
    }

    #[test]
    fn other_lengths_than_those_of_der_are_refused() {
        let mut long = vec![SEQUENCE, 0x81, 0x7F];
        long.extend([7; 0x7F]);
        let mut padded = vec![SEQUENCE, 0x82, 0x00, 0x80];
        padded.extend([7; 0x80]);
        let bad: [&[u8]; 5] = [
            &long,
            &padded,
            &[SEQUENCE, 0x80],
            &[0x1F, 1, 0],
            &[SEQUENCE, 0x85, 1, 1, 1, 1, 1],
        ];
        for bytes in bad {
            assert!(Element::split(bytes).is_none(), "{bytes:?}");
        }
    }
}
