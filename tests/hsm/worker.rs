//! The worker as a process: it leaves nothing to be read, and does not outlive the server.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use claviger::custody::KekProvider;

use crate::world::Token;

#[tokio::test]
async fn no_core_is_dumped() {
    let Some(token) = Token::prepare().await else { return };
    let provider = token.provider();
    provider.health().await.unwrap();
    let process = provider.worker_process().unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    // What cannot be traced belongs to root, whoever runs it.
    let of_root = |path: &str| {
        let metadata = std::fs::metadata(path).unwrap();
        std::os::unix::fs::MetadataExt::uid(&metadata) == 0
    };
    assert!(of_root(&format!("/proc/{process}/mem")));
}

/// What the process is that the next test kills.
const SERVER: &str = "worker::a_server_to_be_killed";

#[tokio::test]
#[ignore = "the process that another test kills"]
async fn a_server_to_be_killed() {
    let Some(token) = Token::prepare().await else { return };
    let provider = token.provider();
    provider.health().await.unwrap();
    println!("worker {}", provider.worker_process().unwrap());
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
}

#[test]
fn the_worker_dies_with_the_server() {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", SERVER])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(server.stdout.take().unwrap());
    let mut lines = said.lines().map(Result::unwrap);
    let worker = lines.find_map(|line| line.split_once("worker ").map(|(_, number)| number.trim().to_owned()));
    server.kill().unwrap();
    server.wait().unwrap();
    let Some(worker) = worker else {
        eprintln!("SKIPPED: SoftHSM2 is not installed");
        return;
    };
    let state = || std::fs::read_to_string(format!("/proc/{worker}/stat")).unwrap_or_default();
    for _ in 0..6_000 {
        // Nobody may bury it here.
        if state().is_empty() || state().contains(") Z ") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("worker {worker} is still there: {}", state());
}
