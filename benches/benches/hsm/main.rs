//! KEKs in an HSM: the rate of opening objects against the HSM's module alone with as many sessions, what the way over the worker adds,
//! how it grows with the sessions where each call takes its time, what a start asks, and KMIP's Get on each kind of KEK. SoftHSM2 is the
//! module; the shim in front of it gives it a network's latency.
//!
//! `cargo bench -p claviger-benches --bench hsm` measures the rates; with `-- hop` the way to another process and back, `-- start 1000`
//! what a start with so many KEKs asks, `-- get` Get on a protected KEK and on a software's in turns, and on a resident one, `-- count 100000`
//! how long it takes to count what lies under a KEK. This program is its own HSM worker, and the process in which the module is measured
//! alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it is surprised"
)]

mod alone;
mod count;
mod figures;
mod get;
mod hop;
mod house;
mod rates;
mod start;
mod token;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use claviger::custody::{Custody, KekId, KekRecord, KekState, NewKek, RecordKeyRecord};
use claviger::store::Domain;

/// How long each rate is measured.
const MEASURED: Duration = Duration::from_secs(3);

fn domain(number: u16) -> Domain {
    let mut bytes = [9; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    Domain(bytes)
}

/// A KEK in the token, and a record key under it.
async fn tenant(custody: &Custody, number: u16) -> (KekRecord, RecordKeyRecord) {
    let new = NewKek {
        id: KekId(domain(number).0),
        domain: domain(number),
        generation: 1,
        profile: token::PROFILE,
        cka_id: domain(number).0.to_vec(),
        created_ms: 0,
    };
    let mut kek = custody.create_kek(&new, None).await.unwrap();
    kek.state = KekState::Active;
    let keks = std::slice::from_ref(&kek);
    let record_key = custody.create_record_key(domain(number), keks, 0).await.unwrap();
    (kek, record_key)
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let Some(softhsm) = claviger::custody::token::find_module("softhsm") else {
        println!("SoftHSM2 is not installed: no figures");
        return ExitCode::SUCCESS;
    };
    match words.as_slice() {
        ["hsm-worker", ..] => return claviger::custody::worker::run(),
        ["module-alone", module, sessions] => alone::module_alone(Path::new(module), sessions.parse().unwrap()),
        ["module-finds", module, tenants] => alone::module_finds(Path::new(module), tenants.parse().unwrap()),
        ["echo"] => hop::echo(),
        ["hop", ..] => hop::hop(&runtime()),
        ["start", tenants, ..] => runtime().block_on(start::start(&softhsm, tenants.parse().unwrap())),
        ["count", records, ..] => runtime().block_on(count::count(&softhsm, records.parse().unwrap())),
        ["get", ..] => runtime().block_on(get::get(&softhsm)),
        _ => runtime().block_on(rates::rates(&softhsm)),
    }
    ExitCode::SUCCESS
}
