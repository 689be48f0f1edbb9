//! A folder that holds an installation whole: certificates, settings, data.

use super::Problem;
use certs::{AlternativeName, CertificateAuthority, CertificateFacts, KeyKind, Leaf, Subject, Usage, Validity, pem};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// Days that certificates made here are valid: who tries something out, or starts without an authority, should not be
/// stopped by a date; who has an authority brings its certificates.
const DAYS: u32 = 3650;

/// The folder.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder, if it is not there, for its owner alone.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let path = std::path::absolute(path).map_err(|why| problem(path, &why))?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|why| problem(&path, &why))?;
        Ok(Self { path })
    }

    /// A file or folder in it.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a folder in it, for its owner alone.
    pub(super) fn make(&self, name: &str) -> Result<PathBuf, Problem> {
        let path = self.at(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|why| problem(&path, &why))?;
        Ok(path)
    }

    /// Writes a file, in place of the one before; keys and settings are for their owner alone.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Problem> {
        let path = self.at(name);
        let mode = if name.ends_with("-key.pem") || name.ends_with(".toml") {
            0o600
        } else {
            0o644
        };
        // Written beside and renamed, so that nobody ever reads half of it.
        let beside = self.at(&format!("{name}.new"));
        let written = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(mode)
            .open(&beside)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&beside, &path));
        written.map_err(|why| problem(&path, &why))
    }

    /// Reads a file.
    pub(super) fn read(&self, name: &str) -> Result<Zeroizing<String>, Problem> {
        let path = self.at(name);
        let text = std::fs::read_to_string(&path).map_err(|why| problem(&path, &why))?;
        Ok(Zeroizing::new(text))
    }

    /// The authority in `NAME.pem` and `NAME-key.pem`, made if it is not there.
    pub(super) fn authority(&self, name: &str, subject: &str) -> Result<CertificateAuthority, Problem> {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}-key.pem"));
        if self.at(&certificate).exists() {
            let (certificate, key) = (self.read(&certificate)?, self.read(&key)?);
            return CertificateAuthority::load(&certificate, &key).map_err(|why| why.to_string());
        }
        let validity = Validity::days(now(), DAYS);
        let authority = CertificateAuthority::create(&Subject::named(subject), validity, KeyKind::P256);
        let authority = authority.map_err(|why| why.to_string())?;
        self.write(&key, &authority.key().to_pem())?;
        self.write(&certificate, &pem::write_certificate(authority.certificate()))?;
        Ok(authority)
    }

    /// Issues a client's certificate into `NAME.pem` and `NAME-key.pem`.
    pub(super) fn client(
        &self,
        authority: &CertificateAuthority,
        name: &str,
        subject: &str,
    ) -> Result<CertificateFacts, Problem> {
        self.issue(authority, name, subject, Usage::Client, Vec::new())
    }

    /// Sees to a server's certificate in `data/server.pem` that is good for these hosts, and goes on being so for a while.
    pub(super) fn server(&self, authority: &CertificateAuthority, hosts: &[String]) -> Result<(), Problem> {
        const NAME: &str = "data/server";
        /// Seconds before its end at which it is made anew.
        const EARLY: i64 = 30 * 86_400;
        let names: Vec<_> = hosts.iter().map(|host| AlternativeName::host(host)).collect();
        if let Ok(text) = self.read(&format!("{NAME}.pem"))
            && let Ok(chain) = pem::certificates(&text)
            && let Some(Ok(facts)) = chain.first().map(|der| CertificateFacts::read(der))
            && facts.not_after > now() + EARLY
            && names.iter().all(|name| facts.alternative_names.contains(name))
        {
            return Ok(());
        }
        let subject = hosts.first().map_or("localhost", String::as_str);
        self.issue(authority, NAME, subject, Usage::Both, names).map(|_| ())
    }

    fn issue(
        &self,
        authority: &CertificateAuthority,
        name: &str,
        subject: &str,
        usage: Usage,
        alternative_names: Vec<AlternativeName>,
    ) -> Result<CertificateFacts, Problem> {
        let leaf = Leaf {
            subject: Subject::named(subject),
            alternative_names,
            usage,
            validity: Validity::days(now(), DAYS),
        };
        let (certificate, key) = authority.issue(&leaf, KeyKind::P256).map_err(|why| why.to_string())?;
        self.write(&format!("{name}-key.pem"), &key.to_pem())?;
        self.write(&format!("{name}.pem"), &pem::write_certificate(&certificate))?;
        CertificateFacts::read(&certificate).map_err(|why| why.to_string())
    }
}

/// The names under which a server on this address is reached from this machine, and those given.
pub(super) fn hosts(address: IpAddr, given: &[String]) -> Vec<String> {
    let mut hosts = given.to_vec();
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let listening = (!address.is_unspecified()).then(|| address.to_string());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let machine = machine
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    for host in local.into_iter().chain(listening).chain(machine) {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

pub(super) fn problem(path: &Path, why: &std::io::Error) -> Problem {
    format!("{}: {why}", path.display())
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
