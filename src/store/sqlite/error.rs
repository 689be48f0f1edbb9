//! SQLite's errors in the contract's words. Their texts name tables and codes, never values.

use super::super::contract::{CommitError, StoreError};
use rusqlite::{Error, ErrorCode};

pub(super) fn store_error(error: Error) -> StoreError {
    if matches!(error, Error::FromSqlConversionFailure(..)) {
        return StoreError::Damaged("a row is not as it was written".to_owned());
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Held,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(error.to_string()),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

pub(super) fn commit_error(error: &Error) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => CommitError::Full,
        _ => CommitError::Unavailable(error.to_string()),
    }
}
