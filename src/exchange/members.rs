//! People for tests of the whole house: each with a certificate of its own making and a password.

use super::ConnectionFacts;
use super::testing::{TestHouse, facts, leaf};
use crate::audit::alarm::Event;
use crate::audit::{AuditDraft, Entry};
use crate::identity::{Enroll, IdentityChange, PasswordRecord, PersonId, PersonKey, PersonRecord};
use crate::operations::keeper::Keeper;
use crate::store::{Domain, TrailQuery, Work};
use certs::KeyKind;
use kmip_protocol::{
    Authentication, Credential, KeyHolder, LoginRequest, OneTimePassword, PersonRole, PersonStatus, Possession,
    Request, RequestMessage, ResponseItem, ResponsePayload, SecretText, Ticket, TicketCredential, UsernameAndPassword,
    Version, possession_statement,
};
use std::sync::Arc;

/// What every password of tests begins with.
pub const NEEDLE: &str = "needle";

/// A person as tests know it.
pub struct Member {
    pub id: PersonId,
    pub name: String,
    pub password: String,
    pub facts: ConnectionFacts,
}

impl Member {
    /// Its name and password, as a credential.
    pub fn password(&self) -> Credential {
        password(&self.name, &self.password)
    }

    /// The same with a one-time password, or that alone.
    pub fn one_time(&self, code: &str, with_password: bool) -> Credential {
        Credential::OneTimePassword(OneTimePassword {
            username: self.name.clone(),
            password: with_password.then(|| SecretText::new(&self.password)),
            one_time_password: SecretText::new(code),
        })
    }
}

pub fn password(username: &str, password: &str) -> Credential {
    Credential::UsernameAndPassword(UsernameAndPassword {
        username: username.into(),
        password: Some(SecretText::new(password)),
    })
}

pub fn ticket(ticket: &Ticket) -> Credential {
    Credential::Ticket(TicketCredential { ticket: ticket.clone() })
}

/// A certificate of one's own making.
pub fn certificate(name: &str) -> (Vec<u8>, certs::PrivateKey) {
    leaf(name).self_signed(KeyKind::P256).unwrap()
}

/// A key's proof that it may be registered in a tenant of tests; none: in the system.
pub fn proof(key: &certs::PrivateKey, tenant: Option<&str>, holder: KeyHolder<'_>) -> Vec<u8> {
    let statement = possession_statement(&Possession {
        instance_identifier: &[3; 16],
        tenant_name: tenant,
        holder,
        key_fingerprint: &certs::fingerprint(&key.public_key_info()),
    });
    key.sign(statement.as_bytes()).unwrap()
}

impl TestHouse {
    /// An active person.
    pub async fn person(&self, domain: Domain, name: &str, role: PersonRole) -> Member {
        self.member(domain, name, role, false).await
    }

    /// A person that was invited: its password is an initial one.
    pub async fn invited(&self, domain: Domain, name: &str, role: PersonRole) -> Member {
        self.member(domain, name, role, true).await
    }

    async fn member(&self, domain: Domain, name: &str, role: PersonRole, initial: bool) -> Member {
        let services = self.server.services();
        let (certificate, _) = certificate(name);
        let facts = facts(vec![certificate.clone()]);
        let person = services.randomness.array().unwrap();
        let id = PersonId { domain, person };
        let reversed: String = name.chars().rev().collect();
        let password = format!("{NEEDLE} of {reversed} in tests");
        let now_ms = self.now_ms();
        let record = PersonRecord {
            name: name.into(),
            role,
            status: if initial {
                PersonStatus::Invited
            } else {
                PersonStatus::Active
            },
            created_ms: now_ms,
            member_since_ms: 0,
            created_by: None,
            credentials: vec![PersonKey {
                fingerprint: *facts.certificate.key_fingerprint(),
                certificate,
                hardware: false,
                attested_by: None,
                proven: !initial,
                enrolled_ms: now_ms,
                revoked_ms: None,
            }],
            password: Some(PasswordRecord {
                hash: services.passwords.hash(&password, &person).unwrap(),
                initial,
                expires_ms: initial.then_some(now_ms + 72 * 3_600_000),
                history: Vec::new(),
            }),
            one_time: None,
        };
        self.put(id, &record).await;
        let name = name.to_owned();
        Member {
            id,
            name,
            password,
            facts,
        }
    }

    pub fn now_ms(&self) -> i64 {
        use crate::clock::Clock;
        self.clock.now().0
    }

    /// The same in seconds.
    pub fn clock_seconds(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// The record of a person as it is kept.
    pub async fn record(&self, id: PersonId) -> PersonRecord {
        let record = self.store.load(id.key()).await.unwrap().unwrap();
        PersonRecord::decode(crate::records::open(&self.server.services().custody, &record).unwrap()).unwrap()
    }

    /// Keeps a person behind the server's back, and tells it.
    pub async fn put(&self, id: PersonId, record: &PersonRecord) {
        let keeper = Keeper(Arc::clone(&self.server.services().custody));
        let mut work = Work::new(Arc::clone(&self.store));
        Enroll::new(&mut work, &keeper).person(id, record).await.unwrap();
        self.store.commit(work.into_change_set(self.now_ms())).await.unwrap();
        self.server
            .identity()
            .changed(IdentityChange::Person(id))
            .await
            .unwrap();
    }

    /// Asks as a person, with these credentials.
    pub async fn ask<R: Request>(&self, request: R, who: &Member, credentials: Vec<Credential>) -> ResponseItem {
        self.ask_over(request, &who.facts, credentials).await
    }

    /// Asks over any connection.
    pub async fn ask_over<R: Request>(
        &self,
        request: R,
        facts: &ConnectionFacts,
        credentials: Vec<Credential>,
    ) -> ResponseItem {
        let mut message = RequestMessage::single(Version::NEWEST, request);
        message.header.authentication = (!credentials.is_empty()).then_some(Authentication { credentials });
        self.message(&message, facts).await.items.remove(0)
    }

    /// What the change trail says, from the start of the server on.
    pub async fn entries(&self) -> Vec<AuditDraft> {
        let heads = self.store.trail_heads().await.unwrap();
        let query = TrailQuery {
            stream: heads[0].position.stream,
            domain: None,
            after: 0,
            limit: 10_000,
        };
        let trail = self.store.trail(query).await.unwrap();
        let entries = trail.iter().map(|record| Entry::read(&record.bytes).unwrap());
        entries.map(|entry| entry.draft).collect()
    }

    /// What was alarmed, as the change trail has it.
    pub async fn alarms(&self) -> Vec<Event> {
        let event = |number| Event::ALL.iter().copied().find(|event| event.number() == number);
        let entries = self.entries().await;
        entries.iter().filter_map(|entry| event(entry.operation)).collect()
    }

    /// Logs in.
    pub async fn login(&self, who: &Member) -> Ticket {
        let item = self.ask(LoginRequest::default(), who, vec![who.password()]).await;
        given(item)
    }
}

/// The ticket that a Login gave.
pub fn given(item: ResponseItem) -> Ticket {
    match item.payload {
        Some(ResponsePayload::Login(response)) => response.ticket,
        _ => panic!("no ticket: {:?} {:?}", item.result_reason, item.result_message),
    }
}
