//! What a start asks of an HSM.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::tenant;
use crate::token::Bench;

pub async fn start(softhsm: &Path, tenants: u16) {
    let mut bench = Bench::prepare(softhsm).await;
    // Each KEK is made by a worker of its own, whose login has SoftHSM read all that there is, on a machine that may be busy.
    bench.settings.deadline = Duration::from_secs(60);
    let custody = bench.custody();
    let mut records = Vec::new();
    for number in 0..tenants {
        records.push(tenant(&custody, number).await);
    }
    let (rate, median) = bench.finds(tenants);
    println!("the module alone finds {rate:.0} of {tenants} keys a second, median {median:.2?}");
    let log = bench.folder.path().join("log");
    bench.shim(&format!(
        "log {}\nfault C_DecryptInit delay=1000\nfault C_Decrypt delay=1000",
        log.display()
    ));
    for sessions in [1, 8, 32] {
        let _ = std::fs::remove_file(&log);
        bench.settings.sessions = sessions;
        let custody = bench.custody();
        let start = Instant::now();
        let mut running = tokio::task::JoinSet::new();
        for (kek, record_key) in records.iter().cloned() {
            // As the server does it.
            if running.len() >= 64 {
                running.join_next().await.unwrap().unwrap();
            }
            let custody = Arc::clone(&custody);
            running.spawn(async move {
                let domain = kek.domain;
                custody.open_domain(domain, &[kek], &record_key).await.unwrap();
                assert!(custody.record_mac(domain, &[b"open"]).is_ok());
            });
        }
        while running.join_next().await.is_some() {}
        let took = start.elapsed();
        let log = std::fs::read_to_string(&log).unwrap();
        let calls = |name: &str| log.lines().filter(|line| *line == name).count();
        println!(
            "start with {tenants} KEKs, 2 x 1 ms each, {sessions:>2} sessions: {took:.2?}; C_Decrypt {}, C_Encrypt {}, C_Login {}",
            calls("C_Decrypt"),
            calls("C_Encrypt"),
            calls("C_Login")
        );
    }
}
