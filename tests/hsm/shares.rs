//! A token with two users, of whom the one that makes and destroys keys logs in with what two of three people open.

use super::world::{Token, new_kek};
use certs::{KeyKind, PrivateKey};
use claviger::crypto::OsRandomness;
use claviger::custody::sharing::{PlannedGroup, Recipient};
use claviger::custody::{Binding, Custody, CustodyError, KekState, Plan, ProfileId, ShareSecret, Sharing};
use claviger::store::Domain;
use std::sync::Arc;

const SCOPE: Domain = Domain([5; 16]);
const PROPOSAL: (Domain, [u8; 16]) = (Domain([3; 16]), [6; 16]);

/// Hands in what a person opens.
fn hand_in(custody: &Custody, sharing: &Sharing, person: u8, by: &ShareSecret) {
    for slot in sharing.slots(&[person; 16]) {
        let share = by.open(&slot.context, &slot.envelope).unwrap();
        let who = (sharing, &slot, &[person; 16]);
        custody.hand_in(&PROPOSAL, who, share.expose(), (0, 1)).unwrap();
    }
}

#[tokio::test]
async fn what_two_people_open_manages_the_token_and_nothing_else_does() {
    let Some(token) = Token::prepare().await else { return };
    token.script(&token.users());
    let custody = Custody::new(token.slab.clone(), Arc::new(OsRandomness::new()));
    let profile = ProfileId(SCOPE.0);
    custody.add_provider(profile, token.provider_with("server:first"));
    let people: Vec<ShareSecret> = (0..3)
        .map(|_| ShareSecret::read(&PrivateKey::generate(KeyKind::P256).unwrap().to_der()).unwrap())
        .collect();
    let member = |(number, secret): (u8, &ShareSecret)| Recipient {
        person: [number; 16],
        key: secret.key().clone(),
    };
    let plan: Plan = vec![vec![vec![PlannedGroup {
        name: "operators".into(),
        quorum: 2,
        members: (0..).zip(&people).map(member).collect(),
    }]]];
    let binding = Binding {
        instance: [1; 16],
        profile,
        scope: SCOPE,
        generation: 1,
        policy_digest: [2; 32],
    };
    let pin = token.slab.copy_from(b"keeper:second").unwrap();
    let sharing = custody.share(binding, &plan, &pin, 0).unwrap();
    drop(pin);

    // The server's own credential makes nothing.
    assert!(custody.create_kek(&new_kek(SCOPE, 7, 1), None).await.is_err());
    assert_eq!(token.objects(), 0);
    hand_in(&custody, &sharing, 0, &people[0]);
    assert_eq!(
        custody.open_for(&PROPOSAL, &sharing).err(),
        Some(CustodyError::Unavailable)
    );
    hand_in(&custody, &sharing, 2, &people[2]);
    let login = custody.open_for(&PROPOSAL, &sharing).unwrap();
    let mut kek = custody.create_kek(&new_kek(SCOPE, 7, 1), Some(&login)).await.unwrap();
    assert_eq!(token.objects(), 1);
    custody.kek_answers(&kek).await.unwrap();
    kek.state = KekState::Deleting;
    assert!(custody.destroy_kek(&kek, None).await.is_err());
    assert_eq!(token.objects(), 1);
    custody.destroy_kek(&kek, Some(&login)).await.unwrap();
    assert_eq!(token.objects(), 0);
}
