//! Objects opened, against the module alone.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::custody::{Custody, SealContext, Sealed};
use kmip_ttlv::Secret;

use crate::figures::summary;
use crate::token::Bench;
use crate::{MEASURED, domain, tenant};

const CONTEXT: SealContext = SealContext {
    internal_id: [3; 16],
    generation: 1,
    object_type: 2,
};
/// A latency for each call, and sessions.
const CASES: [(u64, u16); 8] = [
    (0, 1),
    (0, 2),
    (0, 8),
    (200, 8),
    (1_000, 1),
    (1_000, 8),
    (1_000, 16),
    (1_000, 32),
];

/// Opens an object in so many tasks: rate, and median.
async fn open(custody: &Arc<Custody>, sealed: &Sealed, tasks: usize) -> (f64, Duration) {
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (custody, sealed) = (Arc::clone(custody), sealed.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while start.elapsed() < MEASURED {
                    let before = Instant::now();
                    custody.open(domain(0), CONTEXT, &sealed).await.unwrap();
                    times.push(before.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await.unwrap());
    }
    summary(times, start.elapsed())
}

pub async fn rates(softhsm: &Path) {
    for (delay, sessions) in CASES {
        let mut bench = Bench::prepare(softhsm).await;
        let lines = match delay {
            0 => String::new(),
            delay => format!("fault C_DecryptInit delay={delay}\nfault C_Decrypt delay={delay}"),
        };
        bench.shim(&lines);
        bench.settings.sessions = sessions;
        let custody = bench.custody();
        let (kek, record_key) = tenant(&custody, 0).await;
        custody.open_domain(domain(0), &[kek], &record_key).await.unwrap();
        let sealed = custody
            .seal(domain(0), CONTEXT, &Secret::copy_from(&[6; 32]))
            .await
            .unwrap();
        let sealed = Sealed::clone(&sealed);
        let (alone, its_median) = bench.alone(sessions);
        let (_, one_median) = open(&custody, &sealed, 1).await;
        let (rate, _) = open(&custody, &sealed, usize::from(sessions) * 2).await;
        let (again, _) = bench.alone(sessions);
        println!(
            "{delay:>5} µs a call, {sessions:>2} sessions: module alone {alone:>8.0}/s then {again:>8.0}/s, opened {rate:>8.0}/s = {:>5.2}; \
             one at a time {one_median:.1?}, module {its_median:.1?}",
            rate / f64::midpoint(alone, again),
        );
    }
}
