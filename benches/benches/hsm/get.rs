//! KMIP's Get, from the message to its answer, without TLS: on a protected KEK and on a software's in turns, and on a resident one whose HSM
//! takes a millisecond for each call.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::figures::summary;
use crate::house::{Client, House, Kind};
use crate::token::Bench;

/// How long each turn takes, and how many there are.
const TURN: Duration = Duration::from_millis(700);
const TURNS: usize = 15;

async fn turn(house: &Arc<House>, client: &Client, tasks: usize, time: Duration) -> (f64, Duration) {
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (house, client) = (Arc::clone(house), client.clone());
            tokio::spawn(async move {
                let (mut times, expected) = (Vec::new(), client.get(&house.server).await);
                while start.elapsed() < time {
                    let before = Instant::now();
                    let length = client.get(&house.server).await;
                    times.push(before.elapsed());
                    assert_eq!(length, expected);
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

/// Median, lowest, highest.
fn spread(mut of: Vec<f64>) -> (f64, f64, f64) {
    of.sort_unstable_by(f64::total_cmp);
    (of[of.len() / 2], of[0], of[of.len() - 1])
}

pub async fn get(softhsm: &Path) {
    let mut bench = Bench::prepare(softhsm).await;
    bench.settings.sessions = 32;
    let script = |delay: u64| match delay {
        0 => "# nothing".to_owned(),
        _ => format!("fault C_DecryptInit delay={delay}\nfault C_Decrypt delay={delay}"),
    };
    bench.shim(&script(0));
    let house = Arc::new(House::build(bench.folder.path(), bench.provider()).await);
    let software = house.tenant(Kind::Software).await;
    let protected = house.tenant(Kind::Protected).await;
    let resident = house.tenant(Kind::Resident).await;
    for tasks in [1, 8] {
        for client in [&software, &protected] {
            turn(&house, client, tasks, TURN).await;
        }
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..TURNS {
            // Neither is always the first.
            let mut pair = [(&software, &mut theirs), (&protected, &mut ours)];
            pair.rotate_left(number % 2);
            for (client, rates) in pair {
                rates.push(turn(&house, client, tasks, TURN).await.0);
            }
            ratios.push(ours[number] / theirs[number]);
        }
        let (ratio, low, high) = spread(ratios);
        println!(
            "Get, {tasks} at once: protected {:.0}/s, software {:.0}/s; ratio in {TURNS} pairs {ratio:.3} ({low:.3} to {high:.3})",
            spread(ours).0,
            spread(theirs).0,
        );
    }
    for delay in [0, 1000] {
        bench.shim(&script(delay));
        for tasks in [1, 8, 32] {
            turn(&house, &resident, tasks, TURN).await;
            let (rate, median) = turn(&house, &resident, tasks, Duration::from_secs(4)).await;
            println!(
                "Get, resident, 32 sessions, {delay} µs a call, {tasks:>2} at once: {rate:.0}/s, median {median:.2?}"
            );
        }
    }
}
