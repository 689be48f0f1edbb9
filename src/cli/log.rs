//! The log: lines for people or JSON, on standard error or in a file.

use super::Problem;
use crate::audit::alarm;
use crate::settings::{LogFormat, LogTable};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Starts the log of this process.
pub(super) fn start(table: &LogTable) -> Result<(), Problem> {
    let filter =
        EnvFilter::try_new(table.level.as_deref().unwrap_or("info")).map_err(|why| format!("log.level: {why}"))?;
    let writer = match &table.file {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).mode(0o640).open(path);
            BoxMakeWriter::new(Mutex::new(file.map_err(|why| format!("{}: {why}", path.display()))?))
        }
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer);
    let started = match table.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|why| why.to_string())?;
    if let Some(path) = &table.system {
        alarm::use_system_log(path).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    Ok(())
}
