//! Settings: a TOML file, over it the environment (`CLAVIGER_…`), over it flags. What is not known is an error, in all three,
//! so that a misspelt limit is never a missing one.

mod check;
mod custody;
mod listeners;

pub use custody::{CustodyTable, ProtectedTable, RngName, TokenTable};
pub use listeners::{AdminListenerTable, HttpsListenerTable, LimitsTable, ListenerTable, ProfileName};

use crate::outbox::AllowList;
use crate::outbox::address::NotAllowed;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Variables beginning with this are settings.
pub const PREFIX: &str = "CLAVIGER_";

/// Variables with the prefix that are none: those of workers, of the command line as a client and of `init`, of tests.
const NOT_SETTINGS: &[&str] = &[
    "CLAVIGER_WORKER_",
    "CLAVIGER_CLIENT_",
    "CLAVIGER_INIT_",
    "CLAVIGER_SHARED",
    "CLAVIGER_TEST_",
    "CLAVIGER_UPDATE_",
];

/// Everything that can be set by the environment, by its place in the file. `CLAVIGER_LISTENER_ADDRESS` is
/// `listener.address`.
const BY_ENVIRONMENT: &[&str] = &[
    "data",
    "pid_file",
    "listener.address",
    "listener.certificate",
    "listener.key",
    "listener.profile",
    "listener.limits.connections",
    "listener.limits.handshakes_per_source",
    "listener.limits.connections_per_certificate",
    "listener.limits.handshake_seconds",
    "listener.limits.message_seconds",
    "listener.limits.write_seconds",
    "listener.limits.idle_seconds",
    "listener.limits.message_bytes",
    "listener.limits.drain_seconds",
    "store.readers",
    "store.record_cache_mib",
    "store.erase_after_seconds",
    "audit.durable_reads",
    "audit.anchor",
    "custody.root",
    "custody.root_credential",
    "custody.keks",
    "custody.rng",
    "custody.rng_profile",
    "custody.softhsm_folder",
    "log.level",
    "log.format",
    "log.file",
    "objects.lease_seconds",
    "outbox.certificate",
    "outbox.key",
    "conformance.interop",
    "identity.require_possession",
    "demo",
    "admin_listener.address",
    "admin_listener.certificate",
    "admin_listener.key",
    "admin_listener.profile",
    "https_listener.address",
    "https_listener.certificate",
    "https_listener.key",
    "https_listener.uri",
    "https_listener.profile",
    "log.system",
];

/// The settings of a server. Paths are absolute once read: relative ones count from the file's folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The folder of database, key files and trails.
    pub data: PathBuf,
    /// Where the process number is written, if anywhere.
    #[serde(default)]
    pub pid_file: Option<PathBuf>,
    /// Where and how the server listens.
    pub listener: ListenerTable,
    /// Where and how it listens for people. With it, people are strangers at the other listener, and clients at this one.
    #[serde(default)]
    pub admin_listener: Option<AdminListenerTable>,
    /// Where and how it listens for KMIP over HTTPS.
    #[serde(default)]
    pub https_listener: Option<HttpsListenerTable>,
    /// What people must show.
    #[serde(default)]
    pub people: PeopleTable,
    /// What is registered.
    #[serde(default)]
    pub identity: IdentityTable,
    /// Whether it is a demonstration, in which one person holds everybody's keys. The status says so.
    #[serde(default)]
    pub demo: bool,
    /// How records are kept.
    #[serde(default)]
    pub store: StoreTable,
    /// How the trails are kept.
    #[serde(default)]
    pub audit: AuditTable,
    /// How key material is sealed.
    #[serde(default)]
    pub custody: CustodyTable,
    /// Where messages to endpoints may go.
    #[serde(default)]
    pub outbox: OutboxTable,
    /// What is logged, and where to.
    #[serde(default)]
    pub log: LogTable,
    /// What clients keep.
    #[serde(default)]
    pub objects: ObjectsTable,
    /// What only conformance runs may do.
    #[serde(default)]
    pub conformance: ConformanceTable,
}

/// `[people]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleTable {
    /// Roles whose people log in only with a certificate of an authority that is marked as one of hardware.
    #[serde(default)]
    pub require_hardware: Vec<RoleName>,
}

/// `[identity]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityTable {
    /// Whether keys and certificates of clients and people are registered only with a proof that their holder agrees.
    #[serde(default)]
    pub require_possession: bool,
}

/// The names of roles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleName {
    /// Administrators of the system.
    Administrator,
    /// Auditors of the system.
    SystemAuditor,
    /// Operators of tenants.
    Operator,
    /// Auditors of tenants.
    Auditor,
    /// Custodians of tenants.
    Custodian,
}

/// `[store]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreTable {
    /// Connections that read at the same time.
    pub readers: Option<usize>,
    /// MiB of sealed records kept in memory.
    pub record_cache_mib: Option<usize>,
    /// How long deleted bytes may stay in the write-ahead log.
    pub erase_after_seconds: Option<u64>,
}

/// `[audit]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditTable {
    /// Whether an answer that changed nothing waits until its record is on the disk.
    #[serde(default)]
    pub durable_reads: bool,
    /// The file of the anchor, where whoever could put the database back cannot write: by it a database is noticed that was put back.
    pub anchor: Option<PathBuf>,
}

/// `[outbox]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxTable {
    /// Networks and ports, as `10.0.0.0/8:5696`, `[fd00::]/8:5696` or `192.0.2.7:*`. None: there are no endpoints with an address.
    #[serde(default)]
    pub allow: Vec<String>,
    /// The certificate that endpoints are shown, with its chain; that of the first listener unless set.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

impl OutboxTable {
    /// Where messages may go.
    ///
    /// # Errors
    /// The first entry that is none.
    pub fn allowed(&self) -> Result<AllowList, NotAllowed> {
        let entries = self.allow.iter().map(|entry| entry.parse());
        Ok(AllowList::new(entries.collect::<Result<_, _>>()?))
    }
}

/// `[log]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogTable {
    /// `error`, `warn`, `info` (the default), `debug`, `trace`, or a filter such as `info,claviger::listener=debug`.
    pub level: Option<String>,
    /// `text` (the default) or `json`.
    #[serde(default)]
    pub format: LogFormat,
    /// The file that log lines are appended to; standard error unless set.
    pub file: Option<PathBuf>,
    /// Where the system's log listens (`/dev/log`), if alarms go there as well.
    pub system: Option<PathBuf>,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[objects]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectsTable {
    /// How long a client may use an object before it obtains another lease: an hour unless set; 0: as long as it likes.
    pub lease_seconds: Option<u32>,
}

/// `[conformance]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformanceTable {
    /// Whether the Interop operation exists.
    #[serde(default)]
    pub interop: bool,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, std::io::Error),
    /// The file is not TOML, lacks something, or says something that is not known.
    #[error("{}: {}", .0.display(), .1)]
    Content(PathBuf, String),
    /// A variable of the environment names no setting.
    #[error("{0} in the environment is no setting")]
    Variable(String),
}

impl Settings {
    /// Reads the file, with the variables of the environment over it.
    pub fn read(path: &Path, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path).map_err(|why| SettingsError::File(path.to_owned(), why))?;
        Self::parse(&text, path, environment)
    }

    /// The same from the text that is in the file.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn parse(
        text: &str,
        path: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let folder = std::path::absolute(path).ok();
        let folder = folder.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
        let content = |why: String| SettingsError::Content(path.to_owned(), why);
        // The text is read by itself first: only so does an error name its line.
        let mut table: Table = toml::from_str(text).map_err(|why| content(why.to_string()))?;
        overlay(&mut table, environment)?;
        let mut settings: Self = Value::Table(table).try_into().map_err(|why| content(why.to_string()))?;
        settings.make_absolute(folder);
        settings.check().map_err(content)?;
        Ok(settings)
    }

    fn make_absolute(&mut self, folder: &Path) {
        let listener = &mut self.listener;
        let mut paths = vec![&mut self.data, &mut listener.certificate, &mut listener.key];
        if let Some(admin) = &mut self.admin_listener {
            paths.extend(admin.certificate.as_mut());
            paths.extend(admin.key.as_mut());
            paths.extend(admin.authorities.iter_mut());
        }
        if let Some(https) = &mut self.https_listener {
            paths.extend(https.certificate.as_mut());
            paths.extend(https.key.as_mut());
        }
        paths.extend(self.outbox.certificate.as_mut());
        paths.extend(self.outbox.key.as_mut());
        paths.extend(self.audit.anchor.as_mut());
        paths.extend(self.pid_file.as_mut());
        paths.extend(self.log.file.as_mut());
        paths.extend(self.log.system.as_mut());
        paths.extend(self.custody.root.as_mut());
        paths.extend(self.custody.keks.as_mut());
        paths.extend(self.custody.modules.values_mut());
        paths.extend(self.custody.softhsm_folder.as_mut());
        for path in paths {
            *path = folder.join(&*path);
        }
    }

    /// Listens here for KMIP over HTTPS as well, whatever was set.
    pub fn serve_https(&mut self, address: Option<SocketAddr>) {
        let Some(address) = address else {
            return;
        };
        let table = self.https_listener.get_or_insert_with(|| HttpsListenerTable {
            address,
            certificate: None,
            key: None,
            uri: None,
            profile: self.listener.profile,
            limits: LimitsTable::default(),
        });
        table.address = address;
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("claviger.db")
    }

    /// The folder of the access trail.
    #[must_use]
    pub fn access_trail(&self) -> PathBuf {
        self.data.join("audit")
    }

    /// The file of the installation root, if it is in a file.
    #[must_use]
    pub fn root_file(&self) -> PathBuf {
        self.custody.root.clone().unwrap_or_else(|| self.data.join("root.key"))
    }

    /// The folder of software KEKs.
    #[must_use]
    pub fn kek_folder(&self) -> PathBuf {
        self.custody.keks.clone().unwrap_or_else(|| self.data.join("keks"))
    }
}

fn overlay(table: &mut Table, environment: impl IntoIterator<Item = (String, String)>) -> Result<(), SettingsError> {
    for (name, value) in environment {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if NOT_SETTINGS.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let wanted = rest.to_ascii_lowercase();
        let place = BY_ENVIRONMENT.iter().find(|place| place.replace('.', "_") == wanted);
        let Some(place) = place else {
            return Err(SettingsError::Variable(name));
        };
        set(table, place, scalar(value));
    }
    Ok(())
}

/// Numbers and truth values are what they look like; all else is text.
fn scalar(text: String) -> Value {
    if let Ok(number) = text.parse() {
        return Value::Integer(number);
    }
    text.parse().map_or(Value::String(text), Value::Boolean)
}

fn set(table: &mut Table, place: &str, value: Value) {
    match place.split_once('.') {
        None => {
            table.insert(place.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
