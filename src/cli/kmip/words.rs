//! Words of the command line for values of the vocabulary: `aes`, `sha-256`, `encrypt,decrypt`.

use super::Problem;
use kmip_protocol::names::of_tag;
use kmip_ttlv::Tag;

/// The value that a word names, in any spelling that differs by case and punctuation only.
///
/// # Errors
/// A word that names nothing, with the words that do.
pub fn value(tag: Tag, word: &str) -> Result<u32, Problem> {
    let names = of_tag(tag).ok_or("no such list of names")?;
    if let Some(value) = (names.value)(word) {
        return Ok(value);
    }
    let wanted = plain(word);
    let known = || {
        names
            .rows
            .iter()
            .filter_map(|(value, _)| Some((*value, (names.name)(*value)?)))
    };
    known()
        .find(|(_, name)| plain(name) == wanted)
        .map(|(value, _)| value)
        .ok_or_else(|| {
            let all: Vec<&str> = known().map(|(_, name)| name).collect();
            format!("{word} is none of: {}", all.join(", "))
        })
}

/// The value that a word names, if there is a word.
///
/// # Errors
/// As [`value`].
pub fn optional(tag: Tag, word: Option<&String>) -> Result<Option<u32>, Problem> {
    word.map(|word| value(tag, word)).transpose()
}

/// A mask from words.
///
/// # Errors
/// As [`value`].
pub fn mask(tag: Tag, words: &[String]) -> Result<u32, Problem> {
    words.iter().try_fold(0, |mask, word| Ok(mask | value(tag, word)?))
}

/// Bytes from hexadecimal digits.
///
/// # Errors
/// What is no pair of digits.
pub fn bytes(digits: &str) -> Result<Vec<u8>, Problem> {
    let problem = || "expected pairs of hexadecimal digits".to_owned();
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return Err(problem());
    }
    let pairs = (0..digits.len()).step_by(2).map(|start| digits.get(start..start + 2));
    pairs
        .map(|pair| u8::from_str_radix(pair.unwrap_or_default(), 16).map_err(|_| problem()))
        .collect()
}

fn plain(word: &str) -> String {
    word.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{CryptographicAlgorithm, HashingAlgorithm, ObjectType, tag};

    #[test]
    fn case_and_punctuation_do_not_matter() {
        assert_eq!(
            value(tag::CRYPTOGRAPHIC_ALGORITHM, "aes"),
            Ok(CryptographicAlgorithm::AES.0)
        );
        assert_eq!(
            value(tag::HASHING_ALGORITHM, "sha-256"),
            Ok(HashingAlgorithm::SHA_256.0)
        );
        assert_eq!(value(tag::OBJECT_TYPE, "symmetric-key"), Ok(ObjectType::SymmetricKey.0));
        let problem = value(tag::CRYPTOGRAPHIC_ALGORITHM, "caesar").unwrap_err();
        assert!(problem.contains("AES"), "{problem}");
    }

    #[test]
    fn masks_add_up() {
        let words = ["Encrypt".to_owned(), "decrypt".to_owned()];
        assert_eq!(mask(tag::CRYPTOGRAPHIC_USAGE_MASK, &words), Ok(12));
    }

    #[test]
    fn digits_are_pairs() {
        assert_eq!(bytes("00fF"), Ok(vec![0, 255]));
        assert!(bytes("0").is_err() && bytes("zz").is_err() && bytes("é0").is_err());
    }
}
