//! The contract of protected KEKs, on two SoftHSM tokens: either opens them, both may be away for a while, and nobody gets another
//! KEK in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test file through and through

use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::crypto::OsRandomness;
use claviger::custody::{
    Custody, CustodyError, Keeping, KekId, KekProvider, KekRecord, KekState, NewPair, NewProtected, Placement,
    ProfileId, ProtectedKek, RecordKeyRecord, SealContext, Sealed, SealerKind, Slab,
};
use claviger::store::Domain;
use kmip_ttlv::Secret;
use support::Token;

mod support;

const TENANT: Domain = Domain([1; 16]);
const OTHER: Domain = Domain([2; 16]);
const FIRST: ProfileId = ProfileId([3; 16]);
const SECOND: ProfileId = ProfileId([4; 16]);
const HOUR: Duration = Duration::from_secs(3600);
const KEEPING: Keeping = Keeping {
    grace: Duration::from_secs(24 * 3600),
    renew: HOUR,
};

fn context(byte: u8) -> SealContext {
    SealContext {
        internal_id: [byte; 16],
        generation: 1,
        object_type: 2,
    }
}

fn pair(profile: ProfileId, byte: u8) -> NewPair {
    NewPair {
        profile,
        cka_id: vec![byte; 16],
        login: None,
    }
}

fn new(domain: Domain, byte: u8, pairs: Vec<NewPair>) -> NewProtected {
    NewProtected {
        id: KekId([byte; 16]),
        domain,
        generation: 1,
        pairs,
        created_ms: 1_700_000_000_000,
    }
}

/// Two tokens, and a process that knows them.
struct Scene {
    first: Token,
    second: Token,
    custody: Arc<Custody>,
}

impl Scene {
    async fn open() -> Option<Self> {
        let (first, second) = (Token::prepare().await?, Token::prepare().await?);
        let custody = process(&first, &second);
        Some(Self { first, second, custody })
    }

    /// As after a restart: nothing but what the store has.
    fn restart(&mut self) {
        self.custody = process(&self.first, &self.second);
    }

    /// An active KEK in both tokens, and the record key of its tenant; at work.
    async fn tenant(&self, domain: Domain, byte: u8) -> (KekRecord, RecordKeyRecord) {
        let pairs = vec![pair(FIRST, byte), pair(SECOND, byte)];
        let mut kek = self.custody.create_protected(&new(domain, byte, pairs)).await.unwrap();
        kek.state = KekState::Active;
        let kek = KekRecord::decode(&kek.encode().unwrap()).unwrap();
        let keks = std::slice::from_ref(&kek);
        let record_key = self.custody.create_record_key(domain, keks, 5).await.unwrap();
        self.work(&kek, &record_key).await;
        (kek, record_key)
    }

    async fn work(&self, kek: &KekRecord, record_key: &RecordKeyRecord) {
        let keks = std::slice::from_ref(kek);
        let opened = self.custody.open_domain(kek.domain, keks, record_key).await;
        opened.unwrap();
    }

    async fn seal(&self, domain: Domain) -> Sealed {
        let material = Secret::copy_from(b"material");
        self.custody.seal(domain, context(1), &material).await.unwrap().clone()
    }

    async fn opens(&self, sealed: &Sealed) -> Result<(), CustodyError> {
        self.custody.open(TENANT, context(1), sealed).await.map(|_| ())
    }

    /// Has the HSMs asked until they answer: the breaker keeps them from being asked at once.
    async fn recovers(&self, sealed: &Sealed) {
        let start = Instant::now();
        while self.opens(sealed).await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "no recovery");
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.custody.tend(Instant::now()).await;
        }
    }
}

fn process(first: &Token, second: &Token) -> Arc<Custody> {
    let slab = Slab::new().unwrap();
    let custody = Custody::new(slab.clone(), Arc::new(OsRandomness::new()));
    custody.keep_protected(slab.copy_from(&[6; 32]).unwrap(), KEEPING);
    custody.add_provider(FIRST, first.provider());
    custody.add_provider(SECOND, second.provider());
    Arc::new(custody)
}

fn protected(record: &KekRecord) -> &ProtectedKek {
    match &record.placement {
        Placement::Protected(protected) => protected,
        _ => panic!("not protected"),
    }
}

fn with(record: &KekRecord, change: impl FnOnce(&mut ProtectedKek)) -> KekRecord {
    let mut changed = protected(record).clone();
    change(&mut changed);
    KekRecord {
        placement: Placement::Protected(changed),
        ..record.clone()
    }
}

#[tokio::test]
async fn either_token_opens_it_and_requests_ask_none() {
    let Some(mut scene) = Scene::open().await else { return };
    let (kek, record_key) = scene.tenant(TENANT, 1).await;
    assert_eq!(kek.kind(), SealerKind::Protected);
    assert_eq!(kek.profiles(), [FIRST, SECOND]);
    let sealed = scene.seal(TENANT).await;
    // Both are away: what is in memory goes on.
    scene.first.take_away();
    scene.second.take_away();
    assert_eq!(scene.opens(&sealed).await, Ok(()));
    scene.seal(TENANT).await;
    scene.second.bring_back();
    // One is away when the server starts.
    scene.restart();
    scene.work(&kek, &record_key).await;
    assert_eq!(scene.opens(&sealed).await, Ok(()));
    assert_eq!(scene.custody.ready(TENANT).await, Ok(()));
    let away = scene.custody.profile_answers(&kek, FIRST).await;
    assert_eq!(away, Err(CustodyError::Unavailable));
    assert_eq!(scene.custody.profile_answers(&kek, SECOND).await, Ok(()));
    // And the other.
    scene.first.bring_back();
    scene.second.take_away();
    scene.restart();
    scene.work(&kek, &record_key).await;
    assert_eq!(scene.opens(&sealed).await, Ok(()));
}

#[tokio::test]
async fn tokens_that_are_away_at_the_start_come_back_by_themselves() {
    let Some(mut scene) = Scene::open().await else { return };
    let (kek, record_key) = scene.tenant(TENANT, 1).await;
    let sealed = scene.seal(TENANT).await;
    scene.first.take_away();
    scene.second.take_away();
    scene.restart();
    scene.work(&kek, &record_key).await;
    assert_eq!(scene.opens(&sealed).await, Err(CustodyError::Unavailable));
    assert_eq!(scene.custody.ready(TENANT).await, Err(CustodyError::Unavailable));
    scene.second.bring_back();
    scene.recovers(&sealed).await;
    assert_eq!(scene.custody.ready(TENANT).await, Ok(()));
}

#[tokio::test]
async fn it_is_kept_for_its_grace_and_no_longer() {
    let Some(scene) = Scene::open().await else { return };
    scene.tenant(TENANT, 1).await;
    let sealed = scene.seal(TENANT).await;
    let made = Instant::now();
    scene.first.take_away();
    scene.second.take_away();
    // Nobody asks before the interval is over, so nothing is lost whatever an HSM would say.
    scene.custody.tend(made + HOUR / 2).await;
    scene.custody.tend(made + 2 * HOUR).await;
    scene.custody.tend(made + 23 * HOUR).await;
    assert_eq!(scene.opens(&sealed).await, Ok(()));
    scene.custody.tend(made + 25 * HOUR).await;
    assert_eq!(scene.opens(&sealed).await, Err(CustodyError::Unavailable));
    let material = Secret::copy_from(b"material");
    let refused = scene.custody.seal(TENANT, context(1), &material).await;
    assert_eq!(refused.err(), Some(CustodyError::Unavailable));
    scene.first.bring_back();
    let (start, mut later) = (Instant::now(), made + 26 * HOUR);
    while scene.opens(&sealed).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(60), "no recovery");
        tokio::time::sleep(Duration::from_millis(50)).await;
        later += Duration::from_secs(10);
        scene.custody.tend(later).await;
    }
}

#[tokio::test]
async fn a_renewal_counts_the_grace_anew() {
    let Some(scene) = Scene::open().await else { return };
    scene.tenant(TENANT, 1).await;
    let sealed = scene.seal(TENANT).await;
    let made = Instant::now();
    scene.custody.tend(made + 23 * HOUR).await;
    scene.first.take_away();
    scene.second.take_away();
    scene.custody.tend(made + 40 * HOUR).await;
    assert_eq!(scene.opens(&sealed).await, Ok(()));
    scene.custody.tend(made + 48 * HOUR).await;
    assert_eq!(scene.opens(&sealed).await, Err(CustodyError::Unavailable));
}

#[tokio::test]
async fn no_other_kek_gets_in() {
    let Some(mut scene) = Scene::open().await else { return };
    let (kek, _) = scene.tenant(TENANT, 1).await;
    let (foreign, _) = scene.tenant(OTHER, 2).await;
    // The same KEK as another installation would make it: its tokens and identifiers are the same, its root is not.
    let slab = Slab::new().unwrap();
    let elsewhere = Custody::new(slab.clone(), Arc::new(OsRandomness::new()));
    elsewhere.add_provider(FIRST, scene.first.provider());
    let stranger = new(TENANT, 1, vec![pair(FIRST, 1)]);
    let stranger = elsewhere.create_protected(&stranger).await.unwrap();
    scene.restart();
    let sealed = |record: &KekRecord| protected(record).wraps[0].sealed.clone();
    let length = sealed(&kek).len();
    let mut wrong = vec![
        // Another KEK, as whoever writes to the database could seal it: with its own check value, and with that of the right one.
        stranger.clone(),
        with(&stranger, |kek_of| kek_of.check_value = protected(&kek).check_value),
        with(&stranger, |kek_of| kek_of.binding = protected(&kek).binding),
        with(&kek, |kek_of| kek_of.wraps[0].sealed = sealed(&stranger)),
        // Another tenant's, in both places of a record.
        with(&kek, |kek_of| kek_of.wraps[0].sealed = sealed(&foreign)),
        with(&kek, |kek_of| kek_of.wraps[0] = protected(&foreign).wraps[0].clone()),
        with(&kek, |kek_of| *kek_of = protected(&foreign).clone()),
        // That of the other profile.
        with(&kek, |kek_of| kek_of.wraps[0].sealed = kek_of.wraps[1].sealed.clone()),
        // The wrong pair.
        with(&kek, |kek_of| kek_of.wraps[0].cka_id = vec![2; 16]),
        with(&kek, |kek_of| {
            kek_of.wraps[0].public_key = protected(&foreign).wraps[0].public_key.clone()
        }),
        with(&kek, |kek_of| kek_of.check_value[0] ^= 1),
        with(&kek, |kek_of| kek_of.binding[0] ^= 1),
        KekRecord {
            domain: OTHER,
            ..kek.clone()
        },
        KekRecord {
            id: KekId([9; 16]),
            ..kek.clone()
        },
        KekRecord {
            generation: 2,
            ..kek.clone()
        },
    ];
    for position in (0..length).step_by(7).chain([length - 1]) {
        wrong.push(with(&kek, |kek_of| kek_of.wraps[0].sealed[position] ^= 0x20));
        wrong.push(with(&kek, |kek_of| kek_of.wraps[0].sealed.truncate(position)));
    }
    for (number, record) in wrong.iter().enumerate() {
        let outcome = scene.custody.profile_answers(record, FIRST).await;
        assert_eq!(outcome, Err(CustodyError::Refused), "{number}");
    }
    // And nothing of this was taken for an outage.
    assert_eq!(scene.custody.profile_answers(&kek, FIRST).await, Ok(()));
}

#[tokio::test]
async fn a_wrap_that_was_edited_leaves_the_other_profile() {
    let Some(mut scene) = Scene::open().await else { return };
    let (kek, record_key) = scene.tenant(TENANT, 1).await;
    let sealed = scene.seal(TENANT).await;
    let edited = with(&kek, |kek| kek.wraps[0].sealed[120] ^= 1);
    scene.restart();
    scene.work(&edited, &record_key).await;
    assert_eq!(scene.opens(&sealed).await, Ok(()));
    let both = with(&edited, |kek| kek.wraps[1].sealed[120] ^= 1);
    scene.restart();
    scene.work(&both, &record_key).await;
    assert_eq!(scene.opens(&sealed).await, Err(CustodyError::Unavailable));
}

#[tokio::test]
async fn profiles_come_and_go_and_the_last_one_stays() {
    let Some(mut scene) = Scene::open().await else { return };
    let made = new(TENANT, 1, vec![pair(FIRST, 1)]);
    let mut kek = scene.custody.create_protected(&made).await.unwrap();
    kek.state = KekState::Active;
    let record_key = scene
        .custody
        .create_record_key(TENANT, std::slice::from_ref(&kek), 5)
        .await
        .unwrap();
    scene.work(&kek, &record_key).await;
    let sealed = scene.seal(TENANT).await;
    let refused = scene.custody.remove_profile(&kek, FIRST, None).await;
    assert_eq!(refused.err(), Some(CustodyError::Limit));
    let both = scene.custody.add_profile(&kek, &pair(SECOND, 2)).await.unwrap();
    let again = scene.custody.add_profile(&both, &pair(SECOND, 2)).await;
    assert_eq!(again.err(), Some(CustodyError::Exists));
    // The run that came before this one did not come to its commit: its pair is used.
    assert_eq!(
        scene
            .custody
            .add_profile(&kek, &pair(SECOND, 2))
            .await
            .unwrap()
            .profiles(),
        [FIRST, SECOND]
    );

    // While the one that would stay is away, the other is not destroyed.
    scene.second.take_away();
    let refused = scene.custody.remove_profile(&both, FIRST, None).await;
    assert_eq!(refused.err(), Some(CustodyError::Unavailable));
    scene.second.bring_back();
    scene.restart();
    let second = scene.custody.remove_profile(&both, FIRST, None).await.unwrap();
    assert_eq!((second.profile, second.profiles()), (SECOND, vec![SECOND]));
    assert!(scene.custody.profile_answers(&both, FIRST).await.is_err());
    // What was destroyed and not committed is destroyed again; and an older record does not have the other one destroyed.
    assert_eq!(scene.custody.remove_profile(&both, FIRST, None).await.unwrap(), second);
    let older = scene.custody.remove_profile(&both, SECOND, None).await;
    assert_eq!(older.err(), Some(CustodyError::Unavailable));
    scene.work(&second, &record_key).await;
    assert_eq!(scene.opens(&sealed).await, Ok(()));
}

#[tokio::test]
async fn making_it_again_uses_the_pairs_and_another_key() {
    let Some(scene) = Scene::open().await else { return };
    let (kek, _) = scene.tenant(TENANT, 1).await;
    let pairs = vec![pair(FIRST, 1), pair(SECOND, 1)];
    let again = scene.custody.create_protected(&new(TENANT, 1, pairs)).await.unwrap();
    let points = |record: &KekRecord| -> Vec<_> {
        let wraps = protected(record).wraps.iter();
        wraps.map(|wrap| wrap.public_key.clone()).collect()
    };
    assert_eq!(points(&kek), points(&again));
    assert_ne!(protected(&kek).check_value, protected(&again).check_value);
    let twice = new(TENANT, 2, vec![pair(FIRST, 5), pair(FIRST, 6)]);
    assert_eq!(
        scene.custody.create_protected(&twice).await.err(),
        Some(CustodyError::Limit)
    );
    let nowhere = scene.custody.create_protected(&new(TENANT, 2, Vec::new())).await;
    assert_eq!(nowhere.err(), Some(CustodyError::Limit));
}

#[tokio::test]
async fn what_is_destroyed_is_gone_from_memory_and_from_both_tokens() {
    let Some(mut scene) = Scene::open().await else { return };
    let (kek, record_key) = scene.tenant(TENANT, 1).await;
    let sealed = scene.seal(TENANT).await;
    let deleting = KekRecord {
        state: KekState::Deleting,
        ..kek.clone()
    };
    scene.second.take_away();
    // What an outage interrupts is taken up again.
    let interrupted = scene.custody.destroy_kek(&deleting, None).await;
    assert_eq!(interrupted, Err(CustodyError::Unavailable));
    scene.second.bring_back();
    scene.restart();
    assert_eq!(scene.custody.destroy_kek(&deleting, None).await, Ok(()));
    assert_eq!(scene.custody.destroy_kek(&deleting, None).await, Ok(()));
    scene.work(&kek, &record_key).await;
    assert_eq!(scene.opens(&sealed).await, Err(CustodyError::Unavailable));
}

/// A KEK of the process: it opens objects as any other does, and knows its place.
#[tokio::test]
async fn a_domain_at_work_has_protected_and_other_keks_side_by_side() {
    let Some(scene) = Scene::open().await else { return };
    let (kek, record_key) = scene.tenant(TENANT, 1).await;
    let sealed = scene.seal(TENANT).await;
    let provider: Arc<dyn KekProvider> = scene.first.provider();
    assert!(provider.pairs().is_some());
    let resident = claviger::custody::NewKek {
        id: KekId([7; 16]),
        domain: TENANT,
        generation: 2,
        profile: FIRST,
        cka_id: vec![7; 16],
        created_ms: 6,
    };
    let mut resident = scene.custody.create_kek(&resident, None).await.unwrap();
    resident.state = KekState::Active;
    let former = KekRecord {
        state: KekState::Inactive,
        ..kek
    };
    let keks = [former, resident];
    let record_key = scene.custody.rewrap_record_key(&record_key, &keks).await.unwrap();
    scene.custody.open_domain(TENANT, &keks, &record_key).await.unwrap();
    assert_eq!(scene.opens(&sealed).await, Ok(()));
    let moved = scene.custody.rewrap(TENANT, context(1), &sealed).await.unwrap();
    assert_eq!(moved.kek_generation, 2);
    assert_eq!(scene.opens(&moved).await, Ok(()));
    assert_eq!(scene.opens(&scene.seal(TENANT).await).await, Ok(()));
}
