//! What it costs to find out that nothing lies under a KEK: every record that carries something sealed is read, its MAC checked, while
//! others make keys.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use claviger::administration::reference::tally;

use crate::house::{House, Kind};
use crate::token::Bench;

pub async fn count(softhsm: &Path, records: u32) {
    let bench = Bench::prepare(softhsm).await;
    let house = Arc::new(House::build(bench.folder.path(), bench.provider()).await);
    let client = house.tenant(Kind::Software).await;
    house.multiply(&client, records).await;
    let over = Arc::new(AtomicBool::new(false));
    let beside = tokio::spawn({
        let (house, client, over) = (Arc::clone(&house), client.clone(), Arc::clone(&over));
        async move {
            let (mut longest, mut made) = (Duration::ZERO, 0);
            while !over.load(Ordering::SeqCst) {
                let begun = Instant::now();
                house.create(&client).await;
                (longest, made) = (longest.max(begun.elapsed()), made + 1);
            }
            (longest, made)
        }
    });
    let begun = Instant::now();
    let found = tally(house.server.services(), client.tenant).await.unwrap();
    let took = begun.elapsed();
    over.store(true, Ordering::SeqCst);
    let (longest, made) = beside.await.unwrap();
    assert_eq!(found.unreadable, 0);
    println!("{records} records counted in {took:.2?}; {made} keys made meanwhile, the slowest in {longest:.1?}");
}
