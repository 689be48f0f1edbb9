//! What idle connections cost: the server in a process of its own, so that its clients do not count.

use crate::world::*;
use claviger::listener::{Limits, TlsProfile};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

const COUNT: usize = 900;

/// Resident memory of a process, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The other process: a server that tells its address and its client's certificate, and runs until its input ends.
#[tokio::test]
#[ignore = "run by the test below"]
async fn the_server_of_the_memory_test() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let alice = world.alice();
    println!("address {}", world.address);
    println!("authority {}", hex(world.ca.certificate()));
    println!("certificate {}", hex(&alice.chain[0]));
    println!("key {}", hex(&alice.key.to_der()));
    std::io::stdout().flush().unwrap();
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    ended.await.unwrap().unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: cargo test --release --test listener -- --ignored idle"]
async fn idle_connections_cost_little() {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "memory::the_server_of_the_memory_test",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = std::collections::HashMap::new();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    for line in output.by_ref().lines() {
        let line = line.unwrap();
        if let Some((name, value)) = line.split_once(' ') {
            told.insert(name.to_owned(), value.to_owned());
        }
        if told.contains_key("key") {
            break;
        }
    }
    let address: std::net::SocketAddr = told["address"].parse().unwrap();
    let config = Arc::new(config_from(
        &unhex(&told["authority"]),
        unhex(&told["certificate"]),
        unhex(&told["key"]),
    ));
    let connect = || async {
        let mut stream = connect_over(tokio::net::TcpStream::connect(address).await.unwrap(), config.clone())
            .await
            .unwrap();
        assert_eq!(ask(&mut stream, 16_000).await.unwrap(), "alice");
        stream
    };
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(connect().await);
    }
    let before = resident(server.id());
    for _ in 0..COUNT {
        open.push(connect().await);
    }
    let after = resident(server.id());
    let each = (after - before) * 1024 / u64::try_from(COUNT).unwrap();
    println!("at rest {before} KiB, with {COUNT} more connections {after} KiB: {each} bytes each");
    assert!(each < 60_000, "{each}");
    drop(server.stdin.take());
    server.wait().unwrap();
}
