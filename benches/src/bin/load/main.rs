//! Load on a running server: rate, latency, and what an operation costs the server in CPU time. docs/PERFORMANCE.md says how
//! it is used.
//!
//! The server is any that left a folder as `claviger demo` does. Its CPU time and memory are read from `/proc`, so it runs
//! on the same machine, and `--pid` tells which process it is. Both share the machine's cores: latencies include the
//! client's own work, CPU times of the server do not.
#![allow(clippy::print_stdout, clippy::as_conversions)] // figures for people

mod echo;
mod process;
mod requests;
mod run;

use clap::{Parser, Subcommand};
use kmip_client::{Connection, Identity, Settings};
use process::Process;
use requests::{Kind, Requests};
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What goes wrong ends the measurement.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Loads a server and measures it.
#[derive(Parser)]
struct Arguments {
    /// The server's folder, as `claviger demo` leaves it.
    #[arg(long, default_value = "claviger-demo", global = true)]
    dir: PathBuf,
    /// The server, HOST:PORT.
    #[arg(long, default_value = "127.0.0.1:5696", global = true)]
    address: String,
    /// The server's process, for its CPU time and memory.
    #[arg(long, global = true)]
    pid: Option<u32>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load with one operation on many connections.
    Run(Run),
    /// The same against a TLS server that answers every message with prepared bytes: the ceiling.
    Ceiling(Run),
    /// Make keys with the names `load-0`, `load-1` … in large batches.
    Fill {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        objects: u32,
        /// The number of the first.
        #[arg(long, default_value_t = 0)]
        from: u32,
        /// How many in a message.
        #[arg(long, default_value_t = 500)]
        batch: u32,
    },
    /// Open connections that do nothing.
    Idle {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        connections: usize,
    },
    /// The first request after a full TLS 1.3 handshake.
    First {
        /// How often.
        #[arg(long, default_value_t = 100)]
        count: usize,
    },
    /// The echo server of `ceiling`, in a process of its own.
    #[command(hide = true)]
    Echo {
        /// The length of its answers in bytes.
        #[arg(long)]
        answer: usize,
    },
}

#[derive(clap::Args)]
struct Run {
    /// The operation.
    #[arg(value_enum)]
    operation: Kind,
    /// Connections, each with one request in flight.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Ends after so many seconds …
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// … or so many operations.
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// Locate: how many objects `fill` made. Get: over how many keys requests go.
    #[arg(long, default_value_t = 1_000)]
    objects: u32,
    /// Encrypt: bytes of plaintext.
    #[arg(long, default_value_t = 1_024)]
    bytes: usize,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let identity = Identity::in_folder(&arguments.dir, "client");
    let target = Target {
        settings: Settings::new(&arguments.address),
        tls: identity.tls()?,
    };
    let process = arguments.pid.map(Process);
    match &arguments.command {
        Command::Run(run) => {
            let requests = Requests::prepare(&mut target.connect()?, run)?;
            measure(&target, process, &requests, run)
        }
        Command::Ceiling(run) => {
            let mut connection = target.connect()?;
            let requests = Requests::prepare(&mut connection, run)?;
            let answer = connection.send(&requests.message(0))?.len();
            println!("request {} bytes, answer {answer} bytes", requests.message(0).len());
            let server = echo::Server::start(&arguments.dir, answer)?;
            let target = Target {
                settings: Settings::new(&server.address),
                tls: target.tls,
            };
            measure(&target, Some(Process(server.number())), &requests, run)
        }
        Command::Fill { objects, from, batch } => {
            let begun = Instant::now();
            requests::fill(&mut target.connect()?, *from, *objects, *batch)?;
            println!("{objects} objects in {:.1} s", begun.elapsed().as_secs_f64());
            Ok(())
        }
        Command::Idle { connections } => idle(&target, process, *connections),
        Command::First { count } => first(&target, *count),
        Command::Echo { answer } => echo::serve(&arguments.dir, *answer),
    }
}

/// Where the load goes.
struct Target {
    settings: Settings,
    tls: std::sync::Arc<rustls::ClientConfig>,
}

impl Target {
    fn connect(&self) -> Outcome<Connection> {
        Ok(Connection::open_with(&self.settings, self.tls.clone())?)
    }

    /// As a client that has never been here: no ticket.
    fn connect_anew(&self) -> Outcome<Connection> {
        let mut tls = (*self.tls).clone();
        tls.resumption = rustls::client::Resumption::disabled();
        Ok(Connection::open_with(&self.settings, tls.into())?)
    }
}

fn measure(target: &Target, process: Option<Process>, requests: &Requests, run: &Run) -> Outcome<()> {
    // The first requests fill caches and buffers, and the first Get of a key is a change: it is fresh no more. So every message
    // is sent before anything is measured, however slow the disk is.
    let warm = run::Bounds {
        time: Duration::from_secs(60),
        count: run.count.min(2_000),
    };
    run::load(target, requests, run.connections, warm)?;
    let before = process.map(|p| p.cpu()).transpose()?;
    let bounds = run::Bounds {
        time: Duration::from_secs(run.seconds),
        count: run.count,
    };
    let figures = run::load(target, requests, run.connections, bounds)?;
    let cpu = match (process, before) {
        (Some(process), Some(before)) => Some(process.cpu()?.saturating_sub(before)),
        _ => None,
    };
    println!("{:?}, {} connections: {figures}", run.operation, run.connections);
    if let Some(cpu) = cpu {
        let each = cpu.as_secs_f64() * 1e6 / figures.count().max(1) as f64;
        println!("server CPU per operation: {each:.1} µs (handshakes of the connections included)");
    }
    Ok(())
}

fn idle(target: &Target, process: Option<Process>, count: usize) -> Outcome<()> {
    let process = process.ok_or("--pid is needed")?;
    let before = process.resident_kib()?;
    let mut connections = Vec::with_capacity(count);
    let begun = Instant::now();
    for _ in 0..count {
        connections.push(target.connect_anew()?);
    }
    let handshakes = begun.elapsed();
    std::thread::sleep(Duration::from_secs(2));
    let after = process.resident_kib()?;
    let one = requests::discover();
    for connection in &mut connections {
        connection.send(&one)?;
    }
    std::thread::sleep(Duration::from_secs(2));
    let used = process.resident_kib()?;
    println!(
        "resident: {:.1} MiB before, {:.1} MiB with {count} connections ({:.1} s of handshakes), {:.1} MiB after one request on each",
        before / 1024.0,
        after / 1024.0,
        handshakes.as_secs_f64(),
        used / 1024.0
    );
    Ok(())
}

fn first(target: &Target, count: usize) -> Outcome<()> {
    let mut connection = target.connect()?;
    let key = requests::create_one(&mut connection)?;
    let message = requests::get(&key);
    connection.send(&message)?;
    let (mut handshakes, mut requests) = (run::Figures::default(), run::Figures::default());
    for _ in 0..count {
        let begun = Instant::now();
        let mut connection = target.connect_anew()?;
        let connected = Instant::now();
        connection.send(&message)?;
        requests.add(connected.elapsed());
        handshakes.add(connected - begun);
    }
    println!("handshake, as the client sees it: {handshakes}");
    println!("first request (Get) after it:     {requests}");
    Ok(())
}
