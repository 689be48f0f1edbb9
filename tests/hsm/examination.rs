//! What a token can do is found by trying, and nothing stays in it.

use std::time::Duration;

use claviger::custody::probe::{Capabilities, Feature, Finding, PinState, Scheme, Separation};
use claviger::custody::{CustodyError, KekProvider};
use cryptoki_sys::{CKR_ACTION_PROHIBITED, CKR_MECHANISM_INVALID};

use crate::world::{PIN, Token};

#[tokio::test]
async fn softhsm_is_what_it_is_known_to_be() {
    let Some(token) = Token::prepare().await else { return };
    let found = token.provider().examine(None).await.unwrap();
    assert_eq!(token.objects(), 0);
    for feature in [
        Feature::GcmHostNonce,
        Feature::CbcHmac,
        Feature::OaepSha1,
        Feature::EcdhP256,
        Feature::EcdhP384,
        Feature::EcdhP521,
        Feature::KeyWrap,
        Feature::Random,
        Feature::SessionKeys,
        Feature::UsageCreates,
        Feature::UsageDestroys,
    ] {
        assert_eq!(found.finding(feature), Finding::Works, "{feature}");
    }
    // It takes zeros for the nonce that they are.
    assert_eq!(found.finding(Feature::GcmTokenNonce), Finding::Wrong);
    assert!(matches!(found.finding(Feature::OaepSha256), Finding::Fails(_)));
    assert_eq!(found.finding(Feature::ManagementManages), Finding::Untried);
    assert_eq!(
        (found.scheme(), found.separation()),
        (Some(Scheme::GcmHostNonce), Separation::None)
    );
    assert_eq!(
        (found.sessions, found.token.pin),
        (token.settings.sessions, PinState::Good)
    );
    assert_eq!(Some(&found.token.serial), token.settings.serial.as_ref());
    assert_eq!(found.token.manufacturer, "SoftHSM project");
    assert_eq!(Capabilities::decode(&found.encode().unwrap()), Ok(found));
}

#[tokio::test]
async fn two_users_are_kept_apart() {
    let Some(token) = Token::prepare().await else { return };
    token.script(&token.users());
    let provider = token.provider_with("server:first");
    let keeper = token.slab.copy_from(b"keeper:second").unwrap();
    let found = provider.examine(Some(&keeper)).await.unwrap();
    let prohibited = Finding::Fails(CKR_ACTION_PROHIBITED);
    assert_eq!(found.finding(Feature::UsageCreates), prohibited);
    assert_eq!(found.finding(Feature::UsageDestroys), prohibited);
    assert_eq!(found.finding(Feature::ManagementManages), Finding::Works);
    assert_eq!(
        (found.separation(), found.scheme()),
        (Separation::ByToken, Some(Scheme::GcmHostNonce))
    );
    assert_eq!(token.objects(), 0);
    // Without the other login nobody can tell; with the same one twice there is nothing to keep apart.
    assert_eq!(provider.examine(None).await.unwrap().separation(), Separation::Unknown);
    let both = token.provider_with("keeper:second");
    assert_eq!(
        both.examine(Some(&keeper)).await.unwrap().separation(),
        Separation::None
    );
    assert_eq!(token.objects(), 0);
    // A login of key management that is wrong is found, and sent no second time.
    let wrong = token.slab.copy_from(b"keeper:wrong").unwrap();
    token.script(&format!("{}\n{}", token.users(), token.log()));
    assert_eq!(
        provider.examine(Some(&wrong)).await.err(),
        Some(CustodyError::Credential)
    );
    let sent = token.calls("C_Login");
    assert_eq!(
        provider.examine(Some(&wrong)).await.err(),
        Some(CustodyError::Credential)
    );
    assert_eq!(token.calls("C_Login"), sent);
    assert!(provider.examine(Some(&keeper)).await.is_ok());
}

#[tokio::test]
async fn what_fails_or_hangs_is_one_finding() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    token.settings.deadline = Duration::from_secs(2);
    token.script("fault C_SignInit code=0x70\nfault C_WrapKey hang\nfault C_DeriveKey crash");
    let found = token.provider().examine(None).await.unwrap();
    assert_eq!(found.finding(Feature::CbcHmac), Finding::Fails(CKR_MECHANISM_INVALID));
    assert_eq!(found.finding(Feature::EcdhP256), Finding::Silent);
    // Three silences are enough: what comes after them is not tried.
    assert_eq!(found.finding(Feature::KeyWrap), Finding::Untried);
    assert_eq!(found.finding(Feature::GcmHostNonce), Finding::Works);
    token.script("fault C_WrapKey hang\nfault C_GenerateRandom code=0x30");
    let found = token.provider().examine(None).await.unwrap();
    assert_eq!(found.finding(Feature::KeyWrap), Finding::Silent);
    assert_eq!(found.finding(Feature::Random), Finding::Fails(0x30));
    assert_eq!(found.finding(Feature::SessionKeys), Finding::Works);
    assert_eq!(token.objects(), 0);

    // One that could not be destroyed is, by the next who looks.
    token.script("fault C_DestroyObject code=0x30");
    let found = token.provider().examine(None).await.unwrap();
    assert_eq!(found.separation(), Separation::None);
    assert_eq!(token.objects(), 1);
    token.script("");
    token.provider().examine(None).await.unwrap();
    assert_eq!(token.objects(), 0);
}

#[tokio::test]
async fn a_token_says_how_it_wraps_and_what_it_grants() {
    let Some(token) = Token::prepare().await else { return };
    token.script("nonces\nsessions 2");
    let found = token.provider().examine(None).await.unwrap();
    assert_eq!(found.scheme(), Some(Scheme::GcmTokenNonce));
    assert_eq!((found.token.most_sessions, found.sessions), (Some(2), 1));
    token.script("nonces\nsessions 64\nfault C_EncryptInit code=0x70 every=1 from=1");
    assert_eq!(token.provider().examine(None).await.unwrap().scheme(), None);
}

#[tokio::test]
async fn a_pin_on_its_last_try_is_not_sent() {
    let Some(token) = Token::prepare().await else { return };
    for (flags, state) in [(0x20000, PinState::LastTry), (0x40000, PinState::Locked)] {
        token.script(&format!("flags {flags:#x}\n{}", token.log()));
        let provider = token.provider();
        let found = provider.examine(None).await.unwrap();
        assert_eq!((found.token.pin, found.scheme()), (state, None));
        // Nor for any other purpose, by anyone.
        assert_eq!(provider.health().await, Err(CustodyError::Credential));
        assert_eq!(provider.health().await, Err(CustodyError::Credential));
        assert_eq!(token.calls("C_Login"), 0);
    }
    token.script(&format!("flags 0x10000\n{}", token.log()));
    let found = token.provider().examine(None).await.unwrap();
    assert_eq!(
        (found.token.pin, found.scheme()),
        (PinState::Low, Some(Scheme::GcmHostNonce))
    );
    token.script(&token.log());
    let provider = token.provider_with("9999");
    for _ in 0..3 {
        assert_eq!(provider.examine(None).await.err(), Some(CustodyError::Credential));
    }
    assert_eq!(provider.health().await, Err(CustodyError::Credential));
    assert_eq!(token.calls("C_Login"), 1, "a refused PIN was sent again");
    assert_ne!(PIN, "9999");
}
