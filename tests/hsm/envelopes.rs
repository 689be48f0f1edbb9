//! Protected KEKs, sealed as their token can open them: by RSA-OAEP where it has no ECDH.

use std::sync::Arc;

use claviger::custody::probe::PairScheme;
use claviger::custody::{
    Custody, CustodyError, Keeping, KekId, KekProvider, KekRecord, KekState, NewPair, NewProtected, Placement,
    ProfileId, ResidentKeks, Slab,
};
use claviger::store::Domain;

use crate::world::{self, Token};

const PROFILE: ProfileId = ProfileId([3; 16]);
/// ECDH, by its number in PKCS#11.
const NO_ECDH: &str = "refuse 0x1050";

fn process(slab: &Slab, provider: Arc<ResidentKeks>) -> Custody {
    let custody = world::custody(slab);
    custody.keep_protected(slab.copy_from(&[6; 32]).unwrap(), Keeping::default());
    custody.add_provider(PROFILE, provider);
    custody
}

fn new(byte: u8) -> NewProtected {
    NewProtected {
        id: KekId([byte; 16]),
        domain: Domain([1; 16]),
        generation: 1,
        pairs: vec![NewPair {
            profile: PROFILE,
            cka_id: vec![byte; 16],
            login: None,
        }],
        created_ms: 1_700_000_000_000,
    }
}

/// By what the KEK is sealed in its one profile.
fn scheme(kek: &KekRecord) -> u8 {
    let Placement::Protected(protected) = &kek.placement else {
        panic!("{:?}", kek.placement)
    };
    protected.wraps[0].sealed[0]
}

fn check_value(kek: &KekRecord) -> [u8; 16] {
    match &kek.placement {
        Placement::Protected(protected) => protected.check_value,
        other => panic!("{other:?}"),
    }
}

/// The record with a bit of what is sealed turned over, so many hundredths of it from its beginning.
fn edited(kek: &KekRecord, place: usize) -> KekRecord {
    let mut kek = kek.clone();
    let Placement::Protected(protected) = &mut kek.placement else {
        panic!("{:?}", kek.placement)
    };
    let sealed = &mut protected.wraps[0].sealed;
    let position = sealed.len() * place / 100;
    sealed[position] ^= 0x10;
    kek
}

/// The life of a protected KEK in a token: made, found by a run after an interrupted one, opened after a restart, backed up and taken in
/// again, refused when edited, destroyed. It leaves nothing there.
pub async fn live_and_end(slab: &Slab, provider: impl Fn() -> Arc<ResidentKeks>) -> KekRecord {
    let custody = process(slab, provider());
    let made = custody.create_protected(&new(2)).await.unwrap();
    // The answer was lost: the next run finds the pair, and seals another KEK to it.
    let mut kek = custody.create_protected(&new(2)).await.unwrap();
    assert_ne!(check_value(&made), check_value(&kek));
    kek.state = KekState::Active;
    let kek = KekRecord::decode(&kek.encode().unwrap()).unwrap();
    let keks = std::slice::from_ref(&kek);
    let record_key = custody.create_record_key(kek.domain, keks, 0).await.unwrap();
    custody.open_domain(kek.domain, keks, &record_key).await.unwrap();
    let material = kmip_ttlv::Secret::copy_from(world::MATERIAL);
    let sealed = custody.seal(kek.domain, world::CONTEXT, &material).await.unwrap();
    let text = custody.back_up(&kek, None).unwrap().to_text().unwrap();

    let later = process(slab, provider());
    later.open_domain(kek.domain, keks, &record_key).await.unwrap();
    let opened = later.open(kek.domain, world::CONTEXT, &sealed).await.unwrap();
    assert_eq!(opened.expose(), world::MATERIAL);
    // What the HSM opens, twice, and the tag.
    for place in [27, 60, 99] {
        let answer = later.profile_answers(&edited(&kek, place), PROFILE).await;
        assert_eq!(answer.err(), Some(CustodyError::Refused), "{place} %");
    }
    // What was wrong was the bytes, so that nobody was kept waiting.
    assert_eq!(later.profile_answers(&kek, PROFILE).await, Ok(()));

    let elsewhere = process(slab, provider());
    let backup = claviger::custody::Backup::from_text(&text).unwrap();
    let restored = elsewhere.restore_kek(&backup, PROFILE, 0).await.unwrap();
    assert_eq!(check_value(&restored), check_value(&kek));

    let deleting = KekRecord {
        state: KekState::Deleting,
        ..kek.clone()
    };
    later.destroy_kek(&deleting, None).await.unwrap();
    assert_eq!(
        later.profile_answers(&kek, PROFILE).await.err(),
        Some(CustodyError::Unavailable)
    );
    kek
}

#[tokio::test]
async fn without_ecdh_a_kek_is_sealed_by_oaep() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    token.script(NO_ECDH);
    let found = token.provider().examine(None).await.unwrap();
    assert_eq!(found.pair_scheme(), Some(PairScheme::OaepSha1));
    // A token that was not examined is asked for what most can do, which this one cannot.
    let custody = process(&token.slab, token.provider());
    assert_eq!(
        custody.create_protected(&new(1)).await.err(),
        Some(CustodyError::Unavailable)
    );
    let unfinished = token.objects();
    token.settings.pairs = None;
    let custody = process(&token.slab, token.provider());
    assert_eq!(
        custody.create_protected(&new(3)).await.err(),
        Some(CustodyError::NoPairs)
    );

    token.settings.pairs = found.pair_scheme();
    let kek = live_and_end(&token.slab, || token.provider()).await;
    assert_eq!(
        (scheme(&kek), token.objects()),
        (PairScheme::OaepSha1.number(), unfinished)
    );
}

#[tokio::test]
async fn each_pair_opens_by_its_own_kind_whatever_is_made_now() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    let old = process(&token.slab, token.provider())
        .create_protected(&new(1))
        .await
        .unwrap();
    token.settings.pairs = Some(PairScheme::OaepSha1);
    let custody = process(&token.slab, token.provider());
    let kek = custody.create_protected(&new(2)).await.unwrap();
    assert_eq!((scheme(&old), scheme(&kek), token.objects()), (1, 3, 4));
    for kek in [&old, &kek] {
        assert_eq!(custody.profile_answers(kek, PROFILE).await, Ok(()));
    }
    token.settings.pairs = Some(PairScheme::P384);
    let custody = process(&token.slab, token.provider());
    for kek in [&old, &kek] {
        assert_eq!(custody.profile_answers(kek, PROFILE).await, Ok(()));
    }
}
