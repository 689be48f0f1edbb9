//! Block padding (KMIP 2.1 §11.37). The library knows PKCS#5 only, so all of them are done here, in one way.

use super::error::CryptoError;
use super::random::Randomness;
use kmip_protocol::PaddingMethod;

/// How the last block is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// Not at all: the data must end with a block.
    None,
    /// Each byte is the count of padding bytes (PKCS#5, PKCS#7).
    Pkcs5,
    /// Zero bytes, and none if the data ends with a block. Data that ends in zero bytes does not survive it.
    Zeros,
    /// Zero bytes, the last is the count.
    AnsiX923,
    /// Random bytes, the last is the count.
    Iso10126,
    /// Random bytes, the last is the count less one (RFC 6101).
    Ssl3,
}

impl Padding {
    /// The padding of a block cipher; none where none is named.
    pub(super) fn of(method: Option<PaddingMethod>) -> Result<Self, CryptoError> {
        Ok(match method {
            None | Some(PaddingMethod::None) => Self::None,
            Some(PaddingMethod::PKCS5) => Self::Pkcs5,
            Some(PaddingMethod::Zeros) => Self::Zeros,
            Some(PaddingMethod::ANSIX9_23) => Self::AnsiX923,
            Some(PaddingMethod::ISO10126) => Self::Iso10126,
            Some(PaddingMethod::SSL3) => Self::Ssl3,
            Some(PaddingMethod::OAEP | PaddingMethod::PKCS1V1_5 | PaddingMethod::X9_31 | PaddingMethod::PSS) => {
                return Err(CryptoError::BadParameters);
            }
            Some(_) => return Err(CryptoError::Unsupported),
        })
    }

    /// The bytes to append when the last block holds `filled` bytes of data (0 to `block` - 1).
    pub(super) fn bytes(self, filled: usize, block: usize, random: &dyn Randomness) -> Result<Vec<u8>, CryptoError> {
        let count = block.saturating_sub(filled);
        let Ok(last) = u8::try_from(count) else {
            return Err(CryptoError::Internal);
        };
        let mut bytes = vec![0; count];
        match self {
            Self::None if filled == 0 => bytes.clear(),
            Self::None => return Err(CryptoError::BadLength),
            Self::Zeros if filled == 0 => bytes.clear(),
            Self::Zeros => {}
            Self::Pkcs5 => bytes.fill(last),
            Self::AnsiX923 => set_last(&mut bytes, last),
            Self::Iso10126 => {
                random.fill(&mut bytes)?;
                set_last(&mut bytes, last);
            }
            Self::Ssl3 => {
                random.fill(&mut bytes)?;
                set_last(&mut bytes, last.saturating_sub(1));
            }
        }
        Ok(bytes)
    }

    /// How many bytes of data the last decrypted block holds. The padding is judged without a branch on its bytes.
    pub(super) fn strip(self, last_block: &[u8]) -> Result<usize, CryptoError> {
        let block = last_block.len();
        let last = last_block.last().copied().unwrap_or(0);
        let count = match self {
            Self::None => return Ok(block),
            Self::Zeros => {
                return Ok(last_block
                    .iter()
                    .rposition(|byte| *byte != 0)
                    .map_or(0, |at| at.saturating_add(1)));
            }
            Self::Ssl3 => usize::from(last).saturating_add(1),
            Self::Pkcs5 | Self::AnsiX923 | Self::Iso10126 => usize::from(last),
        };
        let mut wrong = u8::from(count == 0) | u8::from(count > block);
        for (place, byte) in last_block.iter().rev().enumerate() {
            let inside = u8::from(place < count);
            wrong |= match self {
                Self::Pkcs5 => inside * (byte ^ last),
                Self::AnsiX923 => inside * u8::from(place > 0) * byte,
                _ => 0,
            };
        }
        if core::hint::black_box(wrong) != 0 {
            return Err(CryptoError::Failed);
        }
        Ok(block.saturating_sub(count))
    }
}

fn set_last(bytes: &mut [u8], value: u8) {
    if let Some(last) = bytes.last_mut() {
        *last = value;
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::randomness;
    use super::*;

    #[test]
    fn what_is_appended_is_stripped() {
        for padding in [
            Padding::Pkcs5,
            Padding::AnsiX923,
            Padding::Iso10126,
            Padding::Ssl3,
            Padding::Zeros,
        ] {
            for block in [8, 16] {
                for filled in 0..block {
                    let mut data = vec![0xAB; filled];
                    data.extend(padding.bytes(filled, block, randomness().as_ref()).unwrap());
                    assert_eq!(data.len() % block, 0);
                    if !data.is_empty() {
                        assert_eq!(padding.strip(&data), Ok(filled), "{padding:?} {block} {filled}");
                    }
                }
            }
        }
    }

    #[test]
    fn wrong_padding_fails() {
        let block = |last: &[u8]| [&[7; 16][..16 - last.len()], last].concat();
        assert_eq!(Padding::Pkcs5.strip(&block(&[2, 3, 3])), Err(CryptoError::Failed));
        assert_eq!(Padding::Pkcs5.strip(&block(&[0])), Err(CryptoError::Failed));
        assert_eq!(Padding::Pkcs5.strip(&block(&[17])), Err(CryptoError::Failed));
        assert_eq!(Padding::AnsiX923.strip(&block(&[1, 0, 3])), Err(CryptoError::Failed));
        assert_eq!(Padding::Ssl3.strip(&block(&[16])), Err(CryptoError::Failed));
        assert_eq!(Padding::Ssl3.strip(&block(&[0])), Ok(15));
        assert_eq!(
            Padding::None.bytes(3, 16, randomness().as_ref()),
            Err(CryptoError::BadLength)
        );
        assert_eq!(Padding::of(Some(PaddingMethod::PSS)), Err(CryptoError::BadParameters));
        assert_eq!(Padding::of(Some(PaddingMethod(99))), Err(CryptoError::Unsupported));
    }
}
