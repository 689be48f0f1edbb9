//! Private keys of people: in a PEM file, or in a token that they never leave.

mod token;
mod uri;

use super::failure::{Failure, Outcome};
use certs::{PrivateKey, Signer};
use kmip_client::Identity;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use uri::Uri;
use zeroize::Zeroizing;

/// Where a private key is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) enum KeyPlace {
    /// In a PEM file.
    File(PathBuf),
    /// In a token, by its name (RFC 7512).
    Token(Box<Uri>),
}

impl KeyPlace {
    /// The same place, wherever a command is run.
    pub(super) fn absolute(&self) -> Outcome<Self> {
        match self {
            Self::File(path) => Ok(Self::File(std::path::absolute(path).map_err(|why| why.to_string())?)),
            Self::Token(_) => Ok(self.clone()),
        }
    }

    /// The key of this certificate (DER).
    pub(super) fn of(&self, certificate: &[u8]) -> Outcome<Arc<dyn Signer>> {
        match self {
            Self::File(path) => Ok(Arc::new(from_file(path)?)),
            Self::Token(uri) => Ok(token::key(uri, certificate)?),
        }
    }

    /// The TLS of whoever has this key and the certificate of that identity.
    pub(super) fn tls(&self, identity: Identity) -> Outcome<Arc<rustls::ClientConfig>> {
        let uri = match self {
            Self::File(path) => {
                let key = Some(path.clone());
                return Ok(Identity { key, ..identity }.tls()?);
            }
            Self::Token(uri) => uri,
        };
        let path = identity.certificate.clone().unwrap_or_default();
        let certificate = super::proposal::ballot::certificate(&path)?;
        Ok(identity.tls_by(Arc::new(token::TlsKey(token::key(uri, &certificate)?)))?)
    }

    /// A new key for a person. A token makes it and keeps it; one of that name that is there already is taken.
    pub(super) fn make(&self) -> Outcome<Arc<dyn Signer>> {
        match self {
            Self::File(path) => {
                if path.exists() {
                    return Err(Failure::usage(format!("{} is there already", path.display())));
                }
                let made = PrivateKey::generate(certs::KeyKind::P256).map_err(|why| why.to_string())?;
                super::private::write(path, made.to_pem().as_bytes())?;
                Ok(Arc::new(made))
            }
            Self::Token(uri) => Ok(token::make(uri)?),
        }
    }
}

/// Reads a key from a PEM file.
fn from_file(path: &Path) -> Outcome<PrivateKey> {
    let problem = |why: &dyn Display| Failure::usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    PrivateKey::from_pem(&text.map_err(|why| problem(&why))?).map_err(|why| problem(&why))
}

impl Default for KeyPlace {
    fn default() -> Self {
        Self::File(PathBuf::new())
    }
}

impl FromStr for KeyPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with(uri::SCHEME) {
            return Ok(Self::Token(Box::new(Uri::read(text)?)));
        }
        Ok(Self::File(text.into()))
    }
}

impl TryFrom<String> for KeyPlace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<KeyPlace> for String {
    fn from(place: KeyPlace) -> Self {
        place.to_string()
    }
}

impl Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Token(uri) => f.write_str(&uri.text),
        }
    }
}
