//! The three encodings of a message and their content types (KMIP 2.1 §10; KMIP Additional Message Encodings 1.0; the HTTPS profiles).

use crate::limits::{DEFAULT_MESSAGE_LENGTH, DEFAULT_TEXT_LENGTH, HEADER_LENGTH};
use crate::{Error, ErrorKind, Result, TextLimits, Vocabulary, json, xml};
use zeroize::{Zeroize as _, Zeroizing};

/// How many bytes of text a byte of TTLV may take.
const TEXT_PER_BYTE: usize = DEFAULT_TEXT_LENGTH / DEFAULT_MESSAGE_LENGTH;

/// How a message is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// TTLV.
    Ttlv,
    /// XML.
    Xml,
    /// JSON.
    Json,
}

/// The names of content types, the first of each encoding being that which is sent.
const CONTENT_TYPES: &[(&str, Encoding)] = &[
    ("application/octet-stream", Encoding::Ttlv),
    ("text/xml", Encoding::Xml),
    ("application/xml", Encoding::Xml),
    ("application/json", Encoding::Json),
    ("text/json", Encoding::Json),
];

impl Encoding {
    /// That of a content type.
    #[must_use]
    pub fn of_content_type(value: &str) -> Option<Self> {
        // Parameters say nothing here: text is UTF-8, whatever they claim.
        let name = value.split(';').next().unwrap_or_default().trim();
        let known = CONTENT_TYPES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        known.map(|(_, encoding)| *encoding)
    }

    /// The content type that is sent.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        let own = CONTENT_TYPES.iter().find(|(_, encoding)| *encoding == self);
        own.map_or("application/octet-stream", |(name, _)| name)
    }

    /// The longest text or binary message, in bytes, where messages have this bound in TTLV.
    #[must_use]
    pub const fn longest(self, message: usize) -> usize {
        match self {
            Self::Ttlv => message,
            Self::Xml | Self::Json => message.saturating_mul(TEXT_PER_BYTE),
        }
    }

    /// The one message of a body, in TTLV and at most so long.
    ///
    /// # Errors
    /// A body that is no message, more than one, or a longer one.
    pub fn read(self, body: &[u8], vocabulary: &dyn Vocabulary, message: usize) -> Result<Zeroizing<Vec<u8>>> {
        if self == Self::Ttlv {
            if body.len() > message {
                return Err(Error::new(ErrorKind::TooLong, 0));
            }
            return is_whole(body)
                .then(|| Zeroizing::new(body.to_vec()))
                .ok_or_else(|| Error::new(ErrorKind::Truncated, 0));
        }
        let text = core::str::from_utf8(body).map_err(|why| Error::new(ErrorKind::NotUtf8, why.valid_up_to()))?;
        let limits = TextLimits {
            text: self.longest(message),
            message,
        };
        match self {
            Self::Json => json::to_ttlv(text, vocabulary, limits),
            _ => xml::to_ttlv(text, vocabulary, limits),
        }
    }

    /// A message in TTLV as a body. What is not returned of it is wiped.
    ///
    /// # Errors
    /// A message that is no TTLV.
    pub fn write(self, mut message: Vec<u8>, vocabulary: &dyn Vocabulary) -> Result<Zeroizing<Vec<u8>>> {
        let written = match self {
            Self::Ttlv => return Ok(Zeroizing::new(message)),
            Self::Xml => xml::from_ttlv_compact(&message, vocabulary),
            Self::Json => json::from_ttlv_compact(&message, vocabulary),
        };
        message.zeroize();
        Ok(Zeroizing::new(core::mem::take(&mut *written?).into_bytes()))
    }
}

/// Whether bytes are one item by the length that they begin with: whatever follows would otherwise be read by nobody.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(&[_, _, _, _, a, b, c, d]) = bytes.first_chunk::<HEADER_LENGTH>() else {
        return false;
    };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    length.checked_add(HEADER_LENGTH) == Some(bytes.len())
}
