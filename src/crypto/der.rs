//! The few lines of DER that the library's functions do not cover.

use super::error::CryptoError;

/// Elements one after another. Strict: every length is definite and within what is there.
#[derive(Clone)]
pub(super) struct Der<'a>(pub(super) &'a [u8]);

impl<'a> Der<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the next element has this tag.
    pub(super) fn at(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The next element: its tag and its content.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] if there is none.
    pub(super) fn next(&mut self) -> Result<(u8, &'a [u8]), CryptoError> {
        let (tag, content, whole) = element(self.0).ok_or(CryptoError::BadKey)?;
        self.0 = self.0.get(whole.len()..).ok_or(CryptoError::BadKey)?;
        Ok((tag, content))
    }

    /// All bytes of the next element.
    pub(super) fn whole(&mut self) -> Result<&'a [u8], CryptoError> {
        let (_, _, whole) = element(self.0).ok_or(CryptoError::BadKey)?;
        self.0 = self.0.get(whole.len()..).ok_or(CryptoError::BadKey)?;
        Ok(whole)
    }

    fn expect(&mut self, expected: u8) -> Result<&'a [u8], CryptoError> {
        match self.next()? {
            (tag, content) if tag == expected => Ok(content),
            _ => Err(CryptoError::BadKey),
        }
    }

    /// What is in the next element, a SEQUENCE.
    pub(super) fn sequence(&mut self) -> Result<Self, CryptoError> {
        self.expect(SEQUENCE).map(Self)
    }

    /// What is in the next element, a SET.
    pub(super) fn set(&mut self) -> Result<Self, CryptoError> {
        self.expect(SET).map(Self)
    }

    /// What is in the next element, an explicit tag of the context.
    pub(super) fn explicit(&mut self, number: u8) -> Result<Self, CryptoError> {
        self.expect(0xA0 | number).map(Self)
    }

    /// The octets of the next element.
    pub(super) fn octets(&mut self) -> Result<&'a [u8], CryptoError> {
        self.expect(OCTET_STRING)
    }

    /// The encoded object identifier that is the next element.
    pub(super) fn identifier(&mut self) -> Result<&'a [u8], CryptoError> {
        self.expect(OBJECT_IDENTIFIER)
    }

    /// The number that is the next element; none that does not fit is asked for.
    pub(super) fn integer(&mut self) -> Result<i64, CryptoError> {
        let bytes = self.expect(INTEGER)?;
        let negative = bytes.first().is_none_or(|first| first & 0x80 != 0);
        if negative || bytes.len() > 7 {
            return Err(CryptoError::BadKey);
        }
        Ok(bytes.iter().fold(0, |sum, byte| (sum << 8) | i64::from(*byte)))
    }
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The first element of `der`: its tag, its content, and all of its bytes.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        // A length of its own end, which DER does not have.
        if first == 0x80 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
        let length = digits.iter().try_fold(0_usize, |sum, digit| {
            sum.checked_mul(256)
                .and_then(|sum| sum.checked_add(usize::from(*digit)))
        })?;
        (length, rest)
    };
    let content = rest.get(..length)?;
    let whole = der.get(..der.len().checked_sub(rest.len())?.checked_add(length)?)?;
    Some((tag, content, whole))
}

fn write(tag: u8, content: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
    out.push(tag);
    let digits = content.len().to_be_bytes();
    let digits = digits
        .get(digits.iter().take_while(|digit| **digit == 0).count()..)
        .unwrap_or_default();
    match (u8::try_from(content.len()), u8::try_from(digits.len())) {
        (Ok(short), _) if short < 0x80 => out.push(short),
        (_, Ok(count)) => {
            out.push(0x80 | count);
            out.extend_from_slice(digits);
        }
        _ => return Err(CryptoError::BadLength),
    }
    out.extend_from_slice(content);
    Ok(())
}

/// The same SubjectPublicKeyInfo (RFC 5280 §4.1) with other bytes for the key.
///
/// # Errors
/// [`CryptoError::BadKey`] if it is not one.
pub(super) fn replace_key(info: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let Some((SEQUENCE, content, _)) = element(info) else {
        return Err(CryptoError::BadKey);
    };
    let Some((SEQUENCE, _, algorithm)) = element(content) else {
        return Err(CryptoError::BadKey);
    };
    let mut bits = vec![0];
    bits.extend_from_slice(key);
    let mut inner = algorithm.to_vec();
    write(BIT_STRING, &bits, &mut inner)?;
    let mut out = Vec::new();
    write(SEQUENCE, &inner, &mut out)?;
    Ok(out)
}

/// Whether these bytes are an EncryptedPrivateKeyInfo (RFC 5958 §3): its first element is an algorithm, where that of a
/// plain one is a version.
pub(super) fn is_encrypted_private_key(der: &[u8]) -> bool {
    element(der)
        .is_some_and(|(tag, content, _)| tag == SEQUENCE && element(content).is_some_and(|(tag, _, _)| tag == SEQUENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_end_where_they_say() {
        assert_eq!(element(&[4, 1, 7, 9]), Some((4, &[7][..], &[4, 1, 7][..])));
        assert_eq!(element(&[4, 0x81, 1, 7]), Some((4, &[7][..], &[4, 0x81, 1, 7][..])));
        for short in [&[][..], &[4], &[4, 2, 7], &[4, 0x82, 1], &[4, 0xFF]] {
            assert_eq!(element(short), None);
        }
        let mut out = Vec::new();
        write(4, &[5; 300], &mut out).unwrap();
        assert_eq!(out[..4], [4, 0x82, 1, 44]);
        assert_eq!(element(&out).map(|(_, content, _)| content.len()), Some(300));
    }

    #[test]
    fn elements_are_read_one_after_another() {
        let mut der = Der(&[0x30, 8, 2, 2, 1, 0, 4, 2, 5, 6, 6, 1, 42]);
        let mut inner = der.sequence().unwrap();
        assert_eq!(inner.integer(), Ok(256));
        assert!(inner.at(4) && !inner.at(2));
        assert_eq!(inner.octets(), Ok(&[5, 6][..]));
        assert!(inner.is_empty());
        assert_eq!(der.clone().whole(), Ok(&[6, 1, 42][..]));
        assert_eq!(der.identifier(), Ok(&[42][..]));
        for bad in [
            &[2, 1, 0x80][..],
            &[2, 0],
            &[2, 8, 1, 0, 0, 0, 0, 0, 0, 0],
            &[0x24, 0x80, 0, 0],
            &[],
        ] {
            assert_eq!(Der(bad).integer(), Err(CryptoError::BadKey));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(replace_key(b"nonsense", b""), Err(CryptoError::BadKey));
        assert!(!is_encrypted_private_key(&[0x30, 3, 2, 1, 0]));
        assert!(is_encrypted_private_key(&[0x30, 2, 0x30, 0]));
        assert!(!is_encrypted_private_key(b""));
    }
}
