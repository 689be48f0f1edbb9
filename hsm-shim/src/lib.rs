//! A PKCS#11 module for tests that stands in front of another: it fails, waits or hangs where it is told to, and gives a token the two
//! users that only vendors' modules have. Nobody's keys belong behind it.
//!
//! `HSM_SHIM` names its [`script`]; a test may change that file while the module is in use.

pub mod script;
pub mod users;

mod entry;
mod module;

pub use entry::C_GetFunctionList;
