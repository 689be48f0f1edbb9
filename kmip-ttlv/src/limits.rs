//! What a message may cost before it is understood. Each limit is named, with its reason.

/// Structures within structures. The deepest message of KMIP 1.0–2.1 nests 11; twice that leaves room for extensions,
/// and keeps recursion well inside a thread's stack.
pub const MAX_DEPTH: u8 = 24;

/// The header of an item: tag, type, length.
pub const HEADER_LENGTH: usize = 8;

/// The default bound on a whole message, in bytes: larger than any certificate chain or key, smaller than what a
/// thousand idle connections could be made to hold.
pub const DEFAULT_MESSAGE_LENGTH: usize = 1024 * 1024;
