//! What every command that speaks with a server as a person can be told.

use super::context::{self, Profile};
use super::failure::{Failure, Outcome};
use super::key::KeyPlace;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Options of every noun.
#[derive(Args, Clone, Default)]
pub(super) struct Options {
    /// The context to use instead of the current one.
    #[arg(long, value_name = "NAME", env = "CLAVIGER_CLIENT_CONTEXT", global = true)]
    pub(super) context: Option<String>,
    /// The server, HOST:PORT.
    #[arg(long, global = true)]
    pub(super) address: Option<String>,
    /// CA certificates that the server's certificate chains to, PEM.
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) ca: Option<PathBuf>,
    /// Your certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "key", global = true)]
    pub(super) cert: Option<PathBuf>,
    /// Your private key, PEM, or its name in a token (pkcs11:…).
    #[arg(long, value_name = "FILE|URI", requires = "cert", global = true)]
    pub(super) key: Option<KeyPlace>,
    /// How answers are printed.
    #[arg(short, long, value_enum, default_value = "table", global = true)]
    pub(super) output: Format,
    /// Wait until others have agreed: at most this long (90s, 15m, 2h), or as long as it takes.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "", require_equals = true, global = true)]
    pub(super) wait: Option<String>,
    /// Why the request is made; others read it before they agree.
    #[arg(long, value_name = "TEXT", global = true)]
    pub(super) reason: Option<String>,
    /// Only say who would have to agree; nothing is changed.
    #[arg(long, global = true)]
    pub(super) dry_run: bool,
    /// Do not ask back.
    #[arg(short, long, global = true)]
    pub(super) yes: bool,
    /// Do not cast your own vote for what you propose.
    #[arg(long, global = true)]
    pub(super) no_vote: bool,
    /// Seconds to wait for each answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, global = true)]
    pub(super) timeout: u64,
}

/// Which part of a list is wanted.
#[derive(Args, Clone, Copy, Default)]
pub(super) struct Page {
    /// At most so many
    #[arg(long)]
    pub(super) maximum: Option<i32>,
    /// Pass over so many
    #[arg(long)]
    pub(super) offset: Option<i32>,
}

/// How answers are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug, Default)]
pub(super) enum Format {
    /// Lines and columns.
    #[default]
    Table,
    /// The JSON of KMIP Additional Message Encodings.
    Json,
    /// The same tree in YAML.
    Yaml,
    /// The XML of KMIP Additional Message Encodings.
    Xml,
    /// TTLV in hexadecimal.
    Ttlv,
    /// TOML, as policies are written by hand.
    Toml,
}

impl Options {
    /// Which server, and as whom: the context's, with the flags over it.
    pub(super) fn profile(&self) -> Outcome<Profile> {
        let mut profile = match context::chosen(self.context.as_deref())? {
            Some(profile) => profile,
            None if self.address.is_some() && self.ca.is_some() => Profile::default(),
            None => {
                return Err(Failure::usage(
                    "no server: give --address, --ca, --cert and --key, or make a context with `claviger context add`",
                ));
            }
        };
        if let Some(address) = &self.address {
            profile.address.clone_from(address);
        }
        if let Some(ca) = &self.ca {
            profile.ca.clone_from(ca);
        }
        if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
            profile.cert.clone_from(cert);
            profile.key.clone_from(key);
        }
        Ok(profile)
    }

    /// How long to wait for others: `None` not at all.
    pub(super) fn patience(&self) -> Outcome<Option<Duration>> {
        match self.wait.as_deref() {
            None => Ok(None),
            Some("") => Ok(Some(Duration::MAX)),
            Some(text) => duration(text).map(Some).map_err(Failure::usage),
        }
    }
}

/// A time span: `90`, `90s`, `15m`, `2h`, `30d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let problem = || format!("{text} is no time span such as 90s, 15m, 2h or 30d");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(problem()),
    };
    let number: u64 = digits.parse().map_err(|_| problem())?;
    number.checked_mul(unit).map(Duration::from_secs).ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7_200)));
        assert!(duration("").is_err() && duration("2 weeks").is_err() && duration("-1s").is_err());
    }
}
