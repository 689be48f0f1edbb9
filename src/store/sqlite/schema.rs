//! Opening the file: who may have it, how it is kept, which schema it has.

use super::super::contract::StoreError;
use super::error::store_error;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Marks the file as ours in its header ("Clav").
const APPLICATION_ID: i32 = 0x436C_6176;

/// Holds the file's lock for the whole process and keeps the WAL's index in memory: no other process can open the database.
const VFS: &str = "unix-excl";

/// Waits for our own other connections only; they hold locks for microseconds, a checkpoint for longer.
const BUSY: Duration = Duration::from_secs(5);

/// Pages that the WAL collects before SQLite moves them into the file by itself (32 MiB): each checkpoint costs two fsyncs and
/// writes a page once, however often it changed; much later, a restart would have much to read.
const CHECKPOINT_PAGES: u32 = 8192;

/// Statements kept prepared on each connection: all there are.
const STATEMENTS: usize = 64;

/// Each step leads from the schema of its index to the next; append only, forward only.
const MIGRATIONS: &[&str] = &[SCHEMA_1];

/// The newest schema that this release knows.
pub(super) fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Keys are one blob each, domain first: `record.key` = domain, kind, id; `claim.key` = domain, space, value; `guard.key` = domain,
/// set, id; `index_row.place` = domain, kind, application, attribute. A record's row is found by its creation number, so that new
/// records are appended; the index covers its queries and holds no other rows. No row of `erasure` is ever deleted (see `erasure.rs`).
const SCHEMA_1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE record (
    creation INTEGER PRIMARY KEY,
    key      BLOB NOT NULL,
    revision INTEGER NOT NULL,
    body     BLOB NOT NULL,
    rows     BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_key ON record (key);
CREATE TABLE erasure (creation INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;
CREATE TABLE index_row (
    place    BLOB NOT NULL,
    value    BLOB NOT NULL,
    creation INTEGER NOT NULL,
    id       BLOB NOT NULL,
    PRIMARY KEY (place, value, creation DESC)
) STRICT, WITHOUT ROWID;
CREATE TABLE claim (key BLOB PRIMARY KEY, holder BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE guard (key BLOB PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE counter (
    key   BLOB NOT NULL,
    field INTEGER NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (key, field)
) STRICT, WITHOUT ROWID;
CREATE TABLE trail (
    place    INTEGER PRIMARY KEY,
    domain   BLOB NOT NULL,
    stream   BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    record   BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX trail_stream ON trail (stream, sequence);
CREATE INDEX trail_domain ON trail (domain, stream, sequence);
";

/// The lock beside the database: a second server on the same folder is told so before it touches anything.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = create(&PathBuf::from(name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Held),
        Err(TryLockError::Error(error)) => Err(unavailable(&error)),
    }
}

/// Creates the file, readable by its owner only, if it is not there. SQLite gives its WAL the same rights.
pub(super) fn create(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(|error| unavailable(&error))
}

fn unavailable(error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// A connection with the settings that every one of ours has.
pub(super) fn connect(path: &Path, cache_kibibytes: u32) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(path, flags, VFS).map_err(store_error)?;
    connection.busy_timeout(BUSY).map_err(store_error)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Temporary tables stay out of the file system: they would hold copies that nobody erases.
    let settings = format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA cache_size = -{cache_kibibytes};"
    );
    connection.execute_batch(&settings).map_err(store_error)?;
    Ok(connection)
}

/// Brings the schema to the newest one, refusing files that are newer still or not ours.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(store_error)
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection
        .query_row(tables, [], |row| row.get(0))
        .map_err(store_error)?;
    if tables > 0 && application != i64::from(APPLICATION_ID) {
        return Err(StoreError::Damaged("the file belongs to another program".to_owned()));
    }
    let found = u32::try_from(version).unwrap_or(u32::MAX);
    if found > newest() {
        let known = newest();
        return Err(StoreError::Newer { found, known });
    }
    let steps = MIGRATIONS
        .iter()
        .zip(1_u32..)
        .skip(usize::try_from(found).unwrap_or(usize::MAX));
    for (step, version) in steps {
        let transaction = connection.transaction().map_err(store_error)?;
        transaction.execute_batch(step).map_err(store_error)?;
        let stamp = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};");
        transaction.execute_batch(&stamp).map_err(store_error)?;
        transaction.commit().map_err(store_error)?;
    }
    Ok(())
}
