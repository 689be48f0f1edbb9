//! Names of keys in tokens (RFC 7512): `pkcs11:token=alice;object=kms?module-path=/usr/lib/…&pin-source=file:/…`.

use std::path::PathBuf;

/// Which key of which token, by which module. What is absent does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::cli) struct Uri {
    /// As it was written.
    pub(super) text: String,
    pub(super) token: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    /// The key's label.
    pub(super) object: Option<String>,
    /// The key's CKA_ID.
    pub(super) id: Option<Vec<u8>>,
    pub(super) module: Option<PathBuf>,
    /// A file with the PIN.
    pub(super) pin: Option<PathBuf>,
}

/// What such a name begins with.
pub(super) const SCHEME: &str = "pkcs11:";

impl Uri {
    /// Reads a URI. What is not understood is refused: a name that means less than it says would find another key.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or("a key in a token begins with pkcs11:")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        for part in path.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = pair(part)?;
            match name {
                "token" => uri.token = Some(words(&value)?),
                "serial" => uri.serial = Some(words(&value)?),
                "manufacturer" => uri.manufacturer = Some(words(&value)?),
                "model" => uri.model = Some(words(&value)?),
                "object" => uri.object = Some(words(&value)?),
                "id" => uri.id = Some(value),
                "type" if value == b"private" => {}
                _ => {
                    return Err(format!(
                        "{name} is not understood in the name of a key: give token, serial, object, id"
                    ));
                }
            }
        }
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = pair(part)?;
            match name {
                "module-path" => uri.module = Some(words(&value)?.into()),
                "pin-source" => uri.pin = Some(file(&words(&value)?)?),
                "pin-value" => return Err("a PIN is not written into a name: give pin-source=file:/…".to_owned()),
                _ => {
                    return Err(format!(
                        "{name} is not understood in the name of a key: give module-path, pin-source"
                    ));
                }
            }
        }
        if uri.object.is_none() && uri.id.is_none() {
            return Err("the name of a key needs object=… or id=…".to_owned());
        }
        Ok(uri)
    }
}

fn pair(part: &str) -> Result<(&str, Vec<u8>), String> {
    let (name, value) = part.split_once('=').ok_or_else(|| format!("{part} lacks its value"))?;
    Ok((name, decoded(value)?))
}

/// Percent-encoded text (RFC 3986 §2.1).
fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("{text}: % is followed by two hexadecimal digits");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|c| char::from(*c).to_digit(16)).ok_or_else(wrong);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| wrong())?);
    }
    Ok(bytes)
}

fn words(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "the name of a key is no UTF-8".to_owned())
}

fn file(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("file:").unwrap_or(text);
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with('|') {
        return Err("pin-source names a file".to_owned());
    }
    Ok(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_key_of_which_token() {
        let text = "pkcs11:token=Alice%27s;serial=12;object=kms;id=%01%ab;type=private\
                    ?module-path=/usr/lib/m.so&pin-source=file:/run/pin";
        let uri = Uri::read(text).unwrap();
        assert_eq!(uri.token.as_deref(), Some("Alice's"));
        assert_eq!(uri.serial.as_deref(), Some("12"));
        assert_eq!(
            (uri.object.as_deref(), uri.id.as_deref()),
            (Some("kms"), Some(&[1, 0xAB][..]))
        );
        assert_eq!(uri.module, Some("/usr/lib/m.so".into()));
        assert_eq!(uri.pin, Some("/run/pin".into()));
        assert_eq!(
            Uri::read("pkcs11:object=kms?pin-source=file:///run/pin").unwrap().pin,
            uri.pin
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in [
            "token=a;object=b",
            "pkcs11:",
            "pkcs11:token=a",
            "pkcs11:object=b;slot-id=1",
            "pkcs11:object=b;type=cert",
            "pkcs11:object=%4",
            "pkcs11:object=%zz",
            "pkcs11:object",
            "pkcs11:object=b?pin-value=1234",
            "pkcs11:object=b?module-name=x",
            "pkcs11:object=b?pin-source=|cat",
            "pkcs11:object=%ff",
        ] {
            assert!(Uri::read(wrong).is_err(), "{wrong}");
        }
    }
}
