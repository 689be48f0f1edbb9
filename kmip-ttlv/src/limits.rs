//! What a message may cost before it is understood. Each limit is named, with its reason.

/// Structures within structures. The deepest message of KMIP 1.0–2.1 nests 11; twice that leaves room for extensions,
/// and keeps recursion well inside a thread's stack.
pub const MAX_DEPTH: u8 = 24;

/// The header of an item: tag, type, length.
pub const HEADER_LENGTH: usize = 8;

/// The default bound on a whole message, in bytes: larger than any certificate chain or key, smaller than what a
/// thousand idle connections could be made to hold.
pub const DEFAULT_MESSAGE_LENGTH: usize = 1024 * 1024;

/// What reading an XML or JSON text may cost. Both encodings nest no deeper than [`MAX_DEPTH`], like the binary one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextLimits {
    /// The longest text, in bytes. It also bounds the number of items.
    pub text: usize,
    /// The longest message that may come of it, in bytes of TTLV.
    pub message: usize,
}

/// An item of 16 bytes takes about a hundred in an indented text; eight times the message bounds every honest one.
pub const DEFAULT_TEXT_LENGTH: usize = 8 * DEFAULT_MESSAGE_LENGTH;

impl Default for TextLimits {
    fn default() -> Self {
        Self {
            text: DEFAULT_TEXT_LENGTH,
            message: DEFAULT_MESSAGE_LENGTH,
        }
    }
}
