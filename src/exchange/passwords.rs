//! Passwords at the exchange: of clients beside their certificates, many guesses at once, and what they leave to others.

use super::ConnectionFacts;
use super::members::password;
use super::office::{Office, answered, query, told};
use super::testing::{TestHouse, batch};
use crate::audit::alarm::Event;
use crate::failure::Fault;
use crate::heavy::{Account, Heavy, MOST_PASSWORDS};
use crate::identity::lockout_counter;
use crate::store::Key;
use kmip_protocol::{
    Attribute, Attributes, Authentication, ClientModifyRequest, ClientPassword, ClientResumeRequest, ClientSettings,
    CreateKeyPairRequest, Credential, CryptographicAlgorithm, CryptographicUsageMask, LoginRequest, PersonRole,
    RequestItem, ResponseItem, ResultStatus, SecretText, Version,
};
use std::sync::{Arc, mpsc};
use tokio::task::{JoinSet, yield_now};

fn set(username: &str, text: &str) -> ClientModifyRequest {
    ClientModifyRequest {
        client_name: "db".into(),
        new_name: None,
        settings: None,
        credentials: Vec::new(),
        password: Some(ClientPassword {
            username: username.into(),
            password: SecretText::new(text),
        }),
        user: None,
    }
}

/// A client that must show a password.
async fn with_password() -> (Office, ConnectionFacts) {
    let office = Office::open().await;
    office.issuer().await;
    let db = office.connected("db", None, ClientSettings::default()).await;
    answered!(office.act(set("app", "too short")).await, WeakPassword);
    answered!(office.act(set("app", "a long password")).await, ok);
    (office, db)
}

impl Office {
    async fn show(&self, db: &ConnectionFacts, name: &str, text: &str) -> ResponseItem {
        self.house.ask_over(query(), db, vec![password(name, text)]).await
    }
}

/// How many failures are counted beside a record.
async fn failures(house: &TestHouse, key: Key) -> i64 {
    let counters = house.store.counters(key).await.unwrap();
    let failed = counters.iter().find(|(field, _)| *field == lockout_counter::FAILED);
    failed.map_or(0, |(_, value)| *value)
}

/// How many records the change trail has.
async fn changes(house: &TestHouse) -> u64 {
    house.store.trail_heads().await.unwrap()[0].position.sequence
}

#[tokio::test]
async fn a_clients_password_is_judged_beside_its_certificate() {
    let (office, db) = with_password().await;
    answered!(office.ask(&db, query()).await, CredentialRefused);
    answered!(office.show(&db, "app", "another password").await, CredentialRefused);
    answered!(office.show(&db, "db", "a long password").await, CredentialRefused);
    for _ in 0..2 {
        answered!(office.show(&db, "app", "a long password").await, ok);
    }
    // What is known to be right leaves nothing to be written.
    let before = (changes(&office.house).await, office.house.store.high_water());
    office.house.clock.advance(1);
    answered!(office.show(&db, "app", "a long password").await, ok);
    assert_eq!((changes(&office.house).await, office.house.store.high_water()), before);
    answered!(office.show(&db, "app", "a long passwore").await, CredentialRefused);
    // A new one counts at once.
    answered!(office.act(set("app", "a newer password")).await, ok);
    answered!(office.show(&db, "app", "a long password").await, CredentialRefused);
    answered!(office.show(&db, "app", "a newer password").await, ok);
}

#[tokio::test]
async fn failures_lock_a_client_out_for_a_time_that_grows() {
    let (office, db) = with_password().await;
    answered!(office.show(&db, "app", "a long password").await, ok);
    // A guess at the name is one as well. To show nothing is none.
    for _ in 0..10 {
        answered!(office.ask(&db, query()).await, CredentialRefused);
    }
    for (name, text) in [("app", "1"), ("app", "2"), ("ap", "a long password"), ("app", "4")] {
        answered!(office.show(&db, name, text).await, CredentialRefused);
    }
    answered!(office.show(&db, "app", "a long password").await, ok);
    answered!(office.show(&db, "app", "5").await, CredentialRefused);
    assert_eq!(office.house.alarms().await, [Event::ClientLockout]);
    // Also what was right a moment ago fails, or it could be guessed at.
    for seconds in [0, 59] {
        office.house.clock.advance(seconds);
        answered!(office.show(&db, "app", "a long password").await, CredentialRefused);
    }
    office.house.clock.advance(1);
    answered!(office.show(&db, "app", "a long password").await, ok);
    // Where another was wrong once more it is two minutes.
    answered!(office.show(&db, "app", "6").await, CredentialRefused);
    office.house.clock.advance(119);
    answered!(office.show(&db, "app", "a long password").await, CredentialRefused);
    // Other clients are not concerned, and an operator lets it in again.
    answered!(office.ask(&office.house.alice, query()).await, ok);
    let resume = ClientResumeRequest {
        client_name: "db".into(),
    };
    answered!(office.act(resume).await, ok);
    answered!(office.show(&db, "app", "a long password").await, ok);
    for _ in 0..5 {
        answered!(office.show(&db, "app", "7").await, CredentialRefused);
    }
    answered!(office.act(set("app", "a newer password")).await, ok);
    answered!(office.show(&db, "app", "a newer password").await, ok);
}

/// The message of a login, or of whatever else shows this credential.
fn showing(items: Vec<RequestItem>, credential: Credential) -> kmip_protocol::RequestMessage {
    let mut message = batch(Version::NEWEST, items);
    let credentials = vec![credential];
    message.header.authentication = Some(Authentication { credentials });
    message
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_guesses_at_once_five_are_judged() {
    let (mut office, db) = with_password().await;
    office.house.server.services.heavy = Heavy::threads(4);
    let olga = office.house.person(office.tenant, "olga", PersonRole::Operator).await;
    let claim = crate::identity::ClientRecord::name_claim(office.tenant, "db");
    let client = office.house.store.claimed(&claim).await.unwrap().unwrap();
    let person = olga.id.key();
    let (house, tellers) = (Arc::new(office.house), [(olga.facts.clone(), "olga"), (db, "app")]);
    for ((facts, name), key) in tellers.into_iter().zip([person, client]) {
        let mut guesses = JoinSet::new();
        for number in 0..64 {
            let (house, facts) = (Arc::clone(&house), facts.clone());
            guesses.spawn(async move {
                let item = if name == "app" {
                    RequestItem::new(query())
                } else {
                    RequestItem::new(LoginRequest::default())
                };
                let shown = password(name, &format!("wrong password {number}"));
                house.message(&showing(vec![item], shown), &facts).await.items.remove(0)
            });
        }
        let answers = guesses.join_all().await;
        let known = [Fault::CredentialRefused, Fault::TooManyRequests, Fault::Contention].map(Fault::message);
        assert!(
            answers
                .iter()
                .all(|item| told(item).is_some_and(|text| known.contains(&text)))
        );
        // Those that were let through were counted, each, until the fifth locked.
        let judged = answers.iter().filter(|item| told(item) == Some(known[0])).count();
        assert!(judged >= 5, "{judged}");
        assert_eq!(failures(&house, key).await, 5);
    }
    assert_eq!(house.alarms().await, [Event::LoginLockout, Event::ClientLockout]);
}

fn key_pair() -> CreateKeyPairRequest {
    let attributes = |mask| {
        let attributes = [
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::RSA),
            Attribute::CryptographicLength(2048),
            Attribute::CryptographicUsageMask(mask),
        ];
        Some(attributes.into_iter().collect::<Attributes>().into())
    };
    CreateKeyPairRequest {
        private_key_attributes: attributes(CryptographicUsageMask::Sign),
        public_key_attributes: attributes(CryptographicUsageMask::Verify),
        ..CreateKeyPairRequest::default()
    }
}

#[tokio::test]
async fn whoever_logs_in_many_times_at_once_leaves_the_others_their_share() {
    let mut house = TestHouse::new().await;
    let pool = Heavy::threads(1);
    house.server.services.heavy = pool.clone();
    let olga = house.person(house.tenant, "olga", PersonRole::Operator).await;
    // The one place is taken until this is said.
    let occupy = |account: Account| {
        let (go_on, wait) = mpsc::channel::<()>();
        let pool = pool.clone();
        let busy = tokio::spawn(async move { pool.run(account, move || wait.recv().is_ok()).await.is_ok() });
        (go_on, busy)
    };
    let (go_on, busy) = occupy(Account::default());
    yield_now().await;
    let house = Arc::new(house);
    let mut logins = JoinSet::new();
    let login = |house: Arc<TestHouse>| {
        let message = showing(vec![RequestItem::new(LoginRequest::default())], olga.password());
        let facts = olga.facts.clone();
        async move { house.message(&message, &facts).await.items.remove(0) }
    };
    for _ in 0..MOST_PASSWORDS {
        logins.spawn(login(Arc::clone(&house)));
    }
    yield_now().await;
    // One more is not even queued.
    let refused = login(Arc::clone(&house)).await;
    assert_eq!(told(&refused), Some(Fault::TooManyRequests.message()));
    let client = Arc::clone(&house);
    let keys = tokio::spawn(async move { client.item(Version::NEWEST, key_pair(), &client.alice).await });
    yield_now().await;
    // Behind these somebody who keeps the place once it is his turn.
    let (finish, last) = occupy(Account {
        domain: house.tenant.0,
        member: [7; 16],
    });
    yield_now().await;
    assert!(logins.try_join_next().is_none() && !keys.is_finished());
    go_on.send(()).unwrap();
    // Of all the logins that came before one alone has its turn before.
    assert_eq!(keys.await.unwrap().result_status, ResultStatus::Success);
    while logins.try_join_next().is_some() {}
    assert!(logins.len() >= MOST_PASSWORDS - 1, "{}", logins.len());
    finish.send(()).unwrap();
    assert!(logins.join_all().await.iter().all(|item| told(item).is_none()));
    assert!(busy.await.unwrap() && last.await.unwrap());
    // And then it logs in as before.
    house.login(&olga).await;
}

#[tokio::test]
async fn a_restart_forgets_no_code_no_failure_and_no_first_login() {
    let mut house = TestHouse::new().await;
    let olga = house.person(house.tenant, "olga", PersonRole::Operator).await;
    let otto = house.person(house.tenant, "otto", PersonRole::Operator).await;
    let ines = house.invited(house.tenant, "ines", PersonRole::Operator).await;
    let secret = kmip_ttlv::Secret::new(b"12345678901234567890".to_vec());
    let custody = &house.server.services().custody;
    let mut work = crate::store::Work::new(std::sync::Arc::clone(&house.store));
    let sealed = crate::administration::sealed::seal(custody, &mut work, olga.id, &secret);
    let mut record = house.record(olga.id).await;
    record.one_time = Some(crate::identity::OneTimeRecord {
        sealed: sealed.await.unwrap(),
        confirmed: true,
    });
    house.put(olga.id, &record).await;
    let code = crate::identity::one_time::code_at(secret.expose(), house.now_ms() / 1000);
    let refused = |item: &ResponseItem| told(item) == Some(Fault::CredentialRefused.message());
    let with = super::members::given(
        house
            .ask(LoginRequest::default(), &olga, vec![olga.one_time(&code, true)])
            .await,
    );
    let first = super::members::given(house.ask(LoginRequest::default(), &ines, vec![ines.password()]).await);
    for _ in 0..5 {
        let item = house
            .ask(LoginRequest::default(), &otto, vec![password("otto", "wrong")])
            .await;
        assert!(refused(&item));
    }
    house.server = super::restarts::restarted(&house).await;
    // Within the time of the code, once more.
    let again = house
        .ask(LoginRequest::default(), &olga, vec![olga.one_time(&code, true)])
        .await;
    assert!(refused(&again));
    assert!(refused(
        &house.ask(LoginRequest::default(), &otto, vec![otto.password()]).await
    ));
    assert!(refused(
        &house.ask(LoginRequest::default(), &ines, vec![ines.password()]).await
    ));
    // Tickets hold on, each for what it was given for.
    let list = kmip_protocol::PersonListRequest::default;
    let shown = |ticket| vec![super::members::ticket(ticket)];
    assert_eq!(told(&house.ask(list(), &olga, shown(&with)).await), None);
    let item = house.ask(list(), &ines, shown(&first)).await;
    assert_eq!(told(&item), Some(Fault::PasswordChangeRequired.message()));
    // Unless nobody knows any more that they were used.
    house.clock.advance(14 * 60);
    assert_eq!(told(&house.ask(list(), &olga, shown(&with)).await), None);
    house.server = super::restarts::restarted(&house).await;
    house.clock.advance(2 * 60);
    let item = house.ask(list(), &olga, shown(&with)).await;
    assert_eq!(told(&item), Some(Fault::InvalidTicket.message()));
}

#[tokio::test]
async fn people_of_a_suspended_tenant_are_refused_on_their_open_connections() {
    let house = TestHouse::new().await;
    let olga = house.person(house.tenant, "olga", PersonRole::Operator).await;
    let with = house.login(&olga).await;
    let list = async || {
        let shown = vec![super::members::ticket(&with)];
        house
            .ask(kmip_protocol::PersonListRequest::default(), &olga, shown)
            .await
    };
    assert_eq!(told(&list().await), None);
    let administrator = house.known(crate::store::Domain::SYSTEM, PersonRole::Administrator);
    let tenant_name = || "alice".to_owned();
    let suspend = kmip_protocol::TenantSuspendRequest {
        tenant_name: tenant_name(),
    };
    answered!(house.act(&administrator, suspend).await, ok);
    answered!(list().await, NotAuthenticated);
    let login = house.ask(LoginRequest::default(), &olga, vec![olga.password()]).await;
    answered!(login, NotAuthenticated);
    answered!(
        house.item(Version::NEWEST, query(), &house.alice).await,
        NotAuthenticated
    );
    answered!(house.item(Version::NEWEST, query(), &house.bob).await, ok);
    let resume = kmip_protocol::TenantResumeRequest {
        tenant_name: tenant_name(),
    };
    answered!(house.act(&administrator, resume).await, ok);
    assert_eq!(told(&list().await), None);
}
