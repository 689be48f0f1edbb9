//! KEKs that wrap as their token can: with a nonce of the token, or without AES-GCM.

use claviger::custody::probe::Scheme;
use claviger::custody::{CustodyError, KekProvider, KekRecord, KekState, Placement, Sealed};

use crate::world::{self, Tenant, Token};

/// AES-GCM, by its number in PKCS#11.
const NO_GCM: &str = "refuse 0x1087";

pub async fn every_edit_is_refused(custody: &claviger::custody::Custody, tenant: &Tenant) {
    let opens = async |wrapped_dek: Vec<u8>| {
        let sealed = Sealed {
            wrapped_dek,
            ..tenant.sealed.clone()
        };
        custody.open(tenant.domain, world::CONTEXT, &sealed).await.map(|_| ())
    };
    let wrapped = &tenant.sealed.wrapped_dek;
    for position in 0..wrapped.len() {
        let mut edited = wrapped.clone();
        edited[position] ^= 0x40;
        assert_eq!(opens(edited).await, Err(CustodyError::Refused), "byte {position}");
        assert_eq!(opens(wrapped[..position].to_vec()).await, Err(CustodyError::Refused));
    }
    assert_eq!(opens([&wrapped[..], &[0]].concat()).await, Err(CustodyError::Refused));
    tenant.get(custody).await.unwrap();
}

fn scheme(kek: &KekRecord) -> Scheme {
    match &kek.placement {
        Placement::Resident(resident) => resident.scheme,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_gcm_a_mac_follows_the_encryption() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    token.script(NO_GCM);
    let found = token.provider().examine(None).await.unwrap();
    assert_eq!(found.scheme(), Some(Scheme::CbcHmac));
    token.settings.scheme = Scheme::CbcHmac;
    let custody = world::custody(&token.slab);
    let tenant = world::tenant(&custody, 1, token.provider()).await;
    assert_eq!((scheme(&tenant.kek), token.objects()), (Scheme::CbcHmac, 2));
    assert_eq!(
        (&tenant.sealed.wrapped_dek[..2], tenant.sealed.wrapped_dek.len()),
        (&[1, 2][..], 82)
    );
    every_edit_is_refused(&custody, &tenant).await;

    // Another tenant's KEK does not open it, nor does its own for another object.
    let other = world::tenant(&custody, 2, token.provider()).await;
    let moved = Sealed {
        kek: other.kek.id,
        ..tenant.sealed.clone()
    };
    let opened = custody.open(other.domain, world::CONTEXT, &moved).await;
    assert_eq!(opened.err(), Some(CustodyError::Refused));
    let mut elsewhere = world::CONTEXT;
    elsewhere.internal_id = [8; 16];
    let opened = custody.open(tenant.domain, elsewhere, &tenant.sealed).await;
    assert_eq!(opened.err(), Some(CustodyError::Refused));

    // The KEK's record says how it wraps, whatever new ones do, and a token that has learnt GCM since serves it still.
    token.script("");
    token.settings.scheme = Scheme::GcmHostNonce;
    let later = world::custody(&token.slab);
    world::reopen(&later, &tenant, token.provider()).await;
    tenant.get(&later).await.unwrap();

    // Both keys go.
    assert_eq!(token.objects(), 4);
    let deleting = KekRecord {
        state: KekState::Deleting,
        ..tenant.kek.clone()
    };
    later.destroy_kek(&deleting, None).await.unwrap();
    assert_eq!(token.objects(), 2);
}

#[tokio::test]
async fn half_a_kek_is_none_and_is_made_whole() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    token.settings.scheme = Scheme::CbcHmac;
    let custody = world::custody(&token.slab);
    let new = world::new_kek(claviger::store::Domain([1; 16]), 1, 1);
    custody.add_provider(new.profile, token.provider());
    token.script("fault C_GenerateKey code=0x30 from=2");
    assert_eq!(
        custody.create_kek(&new, None).await.err(),
        Some(CustodyError::Unavailable)
    );
    assert_eq!(token.objects(), 1);
    token.script("");
    assert_eq!(custody.adopt_kek(&new).await.err(), Some(CustodyError::UnknownKek));
    let kek = custody.create_kek(&new, None).await.unwrap();
    assert_eq!(token.objects(), 2);
    assert_eq!(custody.create_kek(&new, None).await.err(), Some(CustodyError::Exists));
    assert_eq!(custody.adopt_kek(&new).await.unwrap().placement, kek.placement);
}

#[tokio::test]
async fn a_token_makes_the_nonces_itself() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    token.script("nonces");
    token.settings.scheme = Scheme::GcmTokenNonce;
    let custody = world::custody(&token.slab);
    let tenant = world::tenant(&custody, 1, token.provider()).await;
    assert_eq!((scheme(&tenant.kek), token.objects()), (Scheme::GcmTokenNonce, 1));
    assert_ne!(tenant.sealed.wrapped_dek[2..14], [0; 12]);
    every_edit_is_refused(&custody, &tenant).await;
    // A token that uses the zeros that it is given wraps nothing.
    token.script("");
    let sealed = custody
        .seal(tenant.domain, world::CONTEXT, &kmip_ttlv::Secret::copy_from(b"x"))
        .await;
    assert_eq!(sealed.err(), Some(CustodyError::Unavailable));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_sessions_serve_many_threads() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    token.settings.sessions = 8;
    let custody = world::custody(&token.slab);
    let tenant = std::sync::Arc::new(world::tenant(&custody, 1, token.provider()).await);
    // The token says nothing of a limit, and has one all the same: one session holds the login, two are left.
    token.script("fault C_OpenSession code=0xb1 from=4");
    let later = std::sync::Arc::new(world::custody(&token.slab));
    world::reopen(&later, &tenant, token.provider()).await;
    let asked: Vec<_> = (0..64)
        .map(|_| {
            let (later, tenant) = (later.clone(), tenant.clone());
            tokio::spawn(async move { tenant.get(&later).await })
        })
        .collect();
    for outcome in asked {
        assert_eq!(outcome.await.unwrap(), Ok(()));
    }
}
