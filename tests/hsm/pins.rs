//! Two PINs, of which the token has one: what an interrupted change leaves. Each is sent once, whoever is the first to need one.

use std::time::Duration;

use claviger::custody::{CustodyError, KekProvider, ResidentKeks};

use crate::world::{self, PIN, Token};

/// A profile whose first PIN the token does not take any more.
fn changed(token: &Token) -> ResidentKeks {
    let pin = |text: &str| token.slab.copy_from(text.as_bytes()).unwrap();
    ResidentKeks::either(
        token.settings.clone(),
        pin("former"),
        Some(pin(PIN)),
        token.slab.clone(),
    )
}

#[tokio::test]
async fn whoever_manages_first_finds_the_one_that_fits() {
    let Some(token) = Token::prepare().await else { return };
    token.script(&token.log());
    let provider = changed(&token);
    let new = world::new_kek(claviger::store::Domain([1; 16]), 1, 1);
    provider.create(&new, None).await.unwrap();
    // One was refused, one taken, and that one is the manager's too.
    assert_eq!(token.calls("C_Login"), 3);
    let examined = changed(&token).examine(None).await;
    assert!(examined.is_ok(), "{:?}", examined.err());
}

#[tokio::test]
async fn a_token_that_was_away_at_the_start_is_asked_for_the_other_too() {
    let Some(token) = Token::prepare().await else { return };
    token.script("fault C_Initialize code=0x30");
    let provider = changed(&token);
    assert_eq!(provider.health().await, Err(CustodyError::Unavailable));
    token.script(&token.log());
    let outcome = loop {
        match provider.health().await {
            Err(CustodyError::Unavailable) => tokio::time::sleep(Duration::from_millis(20)).await,
            outcome => break outcome,
        }
    };
    assert_eq!(outcome, Ok(()));
    assert_eq!(token.calls("C_Login"), 2);
}
