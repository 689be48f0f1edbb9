//! What every store must do, run on every engine; and what the file of the embedded engine must survive.

mod audit_trail;
mod crash;
mod disk;
mod engines;
mod overlay;
mod queries;
mod races;
