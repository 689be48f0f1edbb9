//! Contexts: which server, and as whom, under a name. Kept in `contexts.toml`, for its owner alone.

use super::failure::{Exit, Failure, Outcome};
use super::key::KeyPlace;
use super::{private, say};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where contexts are kept, if it is set; else `claviger/contexts.toml` in the user's configuration folder.
const PLACE: &str = "CLAVIGER_CLIENT_CONFIG";

/// `claviger context`: keep servers and identities under names.
#[derive(Args)]
pub(super) struct ContextArguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a context, or replace it; the first one becomes the current one
    Add {
        /// Its name
        name: String,
        /// The server, HOST:PORT
        #[arg(long)]
        address: String,
        /// CA certificates that the server's certificate chains to, PEM
        #[arg(long)]
        ca: PathBuf,
        /// Your certificate, PEM
        #[arg(long)]
        cert: PathBuf,
        /// Your private key, PEM, or its name in a token: pkcs11:token=…;object=…?module-path=/…
        #[arg(long)]
        key: KeyPlace,
        /// The name in the server's certificate, if it is not the host of the address
        #[arg(long)]
        server_name: Option<String>,
        /// Your name at the server, if it is not the Common Name of your certificate
        #[arg(long)]
        person: Option<String>,
    },
    /// Make a context the current one
    Use {
        /// Its name
        name: String,
    },
    /// List contexts; the current one has a star
    List,
    /// Forget a context
    Delete {
        /// Its name
        name: String,
    },
}

/// Which server, and as whom.
#[derive(Serialize, Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    /// `HOST:PORT`.
    pub(super) address: String,
    /// CA certificates, PEM.
    pub(super) ca: PathBuf,
    /// The certificate, PEM.
    pub(super) cert: PathBuf,
    /// Its private key: a PEM file, or the name of one in a token.
    pub(super) key: KeyPlace,
    /// The name in the server's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_name: Option<String>,
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<String>,
}

/// The file.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Contexts {
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default)]
    contexts: BTreeMap<String, Profile>,
}

/// Where contexts are kept; tickets stand beside them.
pub(super) fn place() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os(PLACE) {
        return Ok(PathBuf::from(path));
    }
    let folder = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
    let folder = folder.ok_or_else(|| Failure::usage(format!("no home folder; set {PLACE}")))?;
    Ok(folder.join("claviger/contexts.toml"))
}

/// The context of this name, or the current one, if there is one.
pub(super) fn chosen(name: Option<&str>) -> Outcome<Option<Profile>> {
    let mut contexts = read(&place()?)?;
    let wanted = name.map(str::to_owned).or(contexts.current.take());
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    match contexts.contexts.remove(&wanted) {
        Some(profile) => Ok(Some(profile)),
        None => Err(missing(&wanted)),
    }
}

fn missing(name: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("there is no context {name}"))
}

fn read(path: &Path) -> Outcome<Contexts> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|why| Failure::usage(format!("{}: {why}", path.display()))),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Contexts::default()),
        Err(why) => Err(format!("{}: {why}", path.display()).into()),
    }
}

fn write(path: &Path, contexts: &Contexts) -> Outcome<()> {
    let text = toml::to_string(contexts).map_err(|why| why.to_string())?;
    private::write(path, text.as_bytes())
}

/// Puts contexts into a file, beside those that are there; the first becomes the current one if there is none.
pub(super) fn put(path: &Path, profiles: impl IntoIterator<Item = (String, Profile)>) -> Outcome<()> {
    let mut contexts = read(path)?;
    for (name, profile) in profiles {
        contexts.current.get_or_insert_with(|| name.clone());
        contexts.contexts.insert(name, profile);
    }
    write(path, &contexts)
}

/// `claviger context`.
pub(super) fn run(arguments: &ContextArguments) -> Outcome<()> {
    let path = place()?;
    let mut contexts = read(&path)?;
    match &arguments.verb {
        Verb::Add {
            name,
            address,
            ca,
            cert,
            key,
            server_name,
            person,
        } => {
            let absolute = |path: &Path| std::path::absolute(path).map_err(|why| why.to_string());
            let profile = Profile {
                address: address.clone(),
                ca: absolute(ca)?,
                cert: absolute(cert)?,
                key: key.absolute()?,
                server_name: server_name.clone(),
                person: person.clone(),
            };
            put(&path, [(name.clone(), profile)])
        }
        Verb::Use { name } => {
            if !contexts.contexts.contains_key(name) {
                return Err(missing(name));
            }
            contexts.current = Some(name.clone());
            write(&path, &contexts)
        }
        Verb::Delete { name } => {
            contexts.contexts.remove(name).ok_or_else(|| missing(name))?;
            contexts.current = contexts.current.filter(|current| current != name);
            write(&path, &contexts)
        }
        Verb::List => {
            for (name, profile) in &contexts.contexts {
                let star = if contexts.current.as_ref() == Some(name) {
                    '*'
                } else {
                    ' '
                };
                say(&format!(
                    "{star} {name:<20} {:<24} {}",
                    profile.address,
                    profile.cert.display()
                ));
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contexts.toml");
        assert!(read(&path).unwrap().contexts.is_empty());
        let mut contexts = Contexts::default();
        let profile = Profile {
            address: "kms:5696".to_owned(),
            person: Some("alice".to_owned()),
            ..Profile::default()
        };
        contexts.contexts.insert("a".to_owned(), profile);
        contexts.current = Some("a".to_owned());
        write(&path, &contexts).unwrap();
        let read_again = read(&path).unwrap();
        assert_eq!(read_again.current.as_deref(), Some("a"));
        assert_eq!(read_again.contexts["a"].person.as_deref(), Some("alice"));
        std::fs::write(&path, "colour = 1").unwrap();
        assert!(read(&path).is_err());
    }
}
