//! Randomness of a real PKCS#11 module, drawn through a worker of its own: given while the token is there, refused while it is not, and
//! given again once it is back.
#![allow(clippy::unwrap_used, clippy::panic)] // a test file through and through

mod support;

use claviger::crypto::{CryptoError, Randomness};
use claviger::custody::{KekProvider, Mix, Reservoir};
use std::process::Command;
use std::time::{Duration, Instant};
use support::Token;

#[tokio::test]
async fn an_hsm_gives_randomness_while_it_is_there() {
    let Some(token) = Token::prepare().await else { return };
    let provider = token.provider();
    let (first, second) = (provider.random(64).await.unwrap(), provider.random(64).await.unwrap());
    assert_eq!((first.len(), second.len()), (64, 64));
    assert!(first.expose() != second.expose() && first.expose() != [0; 64]);
    assert!(provider.random(4096).await.is_err(), "longer than a frame");

    let reservoir = Reservoir::with_patience(&token.slab, Mix::HsmAndOs, Duration::from_secs(20)).unwrap();
    reservoir.attach(token.provider());
    let source = reservoir.clone();
    let mut long = tokio::task::spawn_blocking(move || {
        let mut long = vec![0; 64 * 1024];
        source.fill(&mut long).map(|()| long)
    })
    .await
    .unwrap()
    .unwrap();
    long.sort_unstable();
    long.dedup();
    assert_eq!(long.len(), 256, "every byte comes");
}

/// What was drawn is used up, and then there is nothing, until the token is back: nobody has to start anything anew.
#[tokio::test]
async fn without_its_token_nothing_is_given_and_then_it_recovers() {
    let Some(token) = Token::prepare().await else { return };
    let reservoir = Reservoir::with_patience(&token.slab, Mix::Hsm, Duration::from_secs(5)).unwrap();
    reservoir.attach(token.provider());
    assert_eq!(reservoir.generator().name, "hsm");
    let fill = async || {
        let source = reservoir.clone();
        let filled = tokio::task::spawn_blocking(move || source.fill(&mut [0; 1024]));
        filled.await.unwrap()
    };
    fill().await.unwrap();
    token.take_away();
    // A module that has a session goes on without its token; the next worker finds none.
    end_workers();
    let begun = Instant::now();
    while fill().await != Err(CryptoError::Random) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never ran dry");
    }
    token.bring_back();
    let begun = Instant::now();
    while fill().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Ends the workers that this process has started.
fn end_workers() {
    let own = format!("PPid:\t{}\n", std::process::id());
    let mut ended = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if name.parse::<u32>().is_ok() && status.contains(&own) {
            let killed = Command::new("kill").args(["-9", &name]).status().unwrap();
            ended += u32::from(killed.success());
        }
    }
    assert!(ended >= 1, "there was no worker");
}
