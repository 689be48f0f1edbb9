//! Which certificate belongs to whom, and who gets in through another's door.

use super::*;
use crate::store::{Domain, Store, Work};
use certs::{AlternativeName, CertificateAuthority, ChainError, KeyKind, Leaf, Subject, Usage, Validity};
use std::sync::Arc;

const NOW: i64 = 1_800_000_000;
const ONE: Domain = Domain([1; 16]);
const TWO: Domain = Domain([2; 16]);

fn authority(name: &str) -> CertificateAuthority {
    CertificateAuthority::create(&Subject::named(name), Validity::days(NOW, 365), KeyKind::P256).unwrap()
}

fn enrolled(ca: &CertificateAuthority) -> AuthorityRecord {
    AuthorityRecord {
        certificate: ca.certificate().to_vec(),
        ..AuthorityRecord::default()
    }
}

fn leaf(name: &str) -> Leaf {
    Leaf {
        subject: Subject::named(name),
        alternative_names: vec![
            AlternativeName::Dns(format!("{name}.db.example")),
            AlternativeName::host("10.0.0.1"),
        ],
        usage: Usage::Client,
        validity: Validity::days(NOW, 90),
    }
}

fn peer(ca: &CertificateAuthority, name: &str) -> PeerCertificate {
    PeerCertificate::read(vec![ca.issue(&leaf(name), KeyKind::P256).unwrap().0]).unwrap()
}

fn client(name: &str, credentials: Vec<Credential>) -> ClientRecord {
    ClientRecord {
        name: name.to_owned(),
        application: [7; 16],
        credentials,
        ..ClientRecord::default()
    }
}

fn id(tenant: Domain, number: u8) -> ClientId {
    ClientId {
        tenant,
        client: [number; 16],
    }
}

/// Two tenants, each with an authority of its own.
struct World {
    directory: Arc<MemoryDirectory>,
    one: CertificateAuthority,
    two: CertificateAuthority,
}

impl World {
    fn new() -> Self {
        let directory = Arc::new(MemoryDirectory::default());
        let world = Self {
            directory,
            one: authority("one"),
            two: authority("two"),
        };
        for (tenant, ca) in [(ONE, &world.one), (TWO, &world.two)] {
            world.directory.put_tenant(tenant, TenantRecord::default());
            world.directory.put_authority(tenant, [1; 16], enrolled(ca));
        }
        world
    }

    async fn identity(&self) -> Identity {
        Identity::open(self.directory.clone()).await.unwrap()
    }

    /// The name of whom the certificate belongs to.
    async fn who(&self, certificate: &PeerCertificate) -> Result<String, IdentityError> {
        name(&self.identity().await, certificate, NOW).await
    }
}

async fn name(identity: &Identity, certificate: &PeerCertificate, now: i64) -> Result<String, IdentityError> {
    let principal = identity.resolve(certificate, now).await?;
    Ok(principal
        .client()
        .map_or_else(|| "unregistered".to_owned(), |c| c.name.clone()))
}

fn key(certificate: &PeerCertificate) -> Credential {
    Credential::Key(*certificate.key_fingerprint())
}

#[tokio::test]
async fn a_registered_key_counts_in_its_own_tenants_chains_only() {
    let world = World::new();
    let (request_key, alice) = world
        .one
        .issue(&leaf("alice"), KeyKind::P256)
        .map(|(c, k)| (k, c))
        .unwrap();
    let alice = PeerCertificate::read(vec![alice]).unwrap();
    world
        .directory
        .put_client(id(ONE, 1), client("alice", vec![key(&alice)]));
    assert_eq!(world.who(&alice).await.unwrap(), "alice");
    // The same key, certified by the other tenant's authority.
    let request = certs::CertificateRequest::create(&Subject::named("alice"), &[], &request_key).unwrap();
    let elsewhere = world.two.issue_for_request(&leaf("alice"), &request).unwrap();
    let elsewhere = PeerCertificate::read(vec![elsewhere]).unwrap();
    assert_eq!(elsewhere.key_fingerprint(), alice.key_fingerprint());
    assert_eq!(world.who(&elsewhere).await.unwrap(), "unregistered");
    // Registered there as well, each is who it is where it comes from.
    world
        .directory
        .put_client(id(TWO, 1), client("other alice", vec![key(&alice)]));
    assert_eq!(world.who(&alice).await.unwrap(), "alice");
    assert_eq!(world.who(&elsewhere).await.unwrap(), "other alice");
}

#[tokio::test]
async fn a_rule_counts_in_its_own_tenant_only() {
    let world = World::new();
    let rules = [
        Rule::common_name("bob"),
        Rule::alternative_name(&AlternativeName::Dns("BOB.db.example".into())),
        Rule::alternative_name(&AlternativeName::Dns("*.db.example".into())),
        Rule::alternative_name(&AlternativeName::host("10.0.0.1")),
        Rule::subject(peer(&world.one, "bob").subject_der()),
    ];
    for rule in rules {
        world
            .directory
            .put_client(id(ONE, 1), client("bob", vec![Credential::Rule(rule)]));
        assert_eq!(world.who(&peer(&world.one, "bob")).await.unwrap(), "bob");
        assert_eq!(world.who(&peer(&world.two, "bob")).await.unwrap(), "unregistered");
    }
    world.directory.put_client(
        id(ONE, 1),
        client("bob", vec![Credential::Rule(Rule::common_name("bo"))]),
    );
    assert_eq!(world.who(&peer(&world.one, "bob")).await.unwrap(), "unregistered");
}

#[tokio::test]
async fn two_matches_are_a_refusal_and_a_key_comes_before_rules() {
    let world = World::new();
    let bob = peer(&world.one, "bob");
    world.directory.put_client(
        id(ONE, 1),
        client("a", vec![Credential::Rule(Rule::common_name("bob"))]),
    );
    let by_address = Credential::Rule(Rule::alternative_name(&AlternativeName::host("10.0.0.1")));
    world.directory.put_client(id(ONE, 2), client("b", vec![by_address]));
    assert_eq!(world.who(&bob).await, Err(IdentityError::Ambiguous));
    world.directory.put_client(id(ONE, 3), client("c", vec![key(&bob)]));
    assert_eq!(world.who(&bob).await.unwrap(), "c");
    // Pinned by the other tenant as well, which nobody there needs its key for: it stays whose authority vouches for it.
    let pinned = Credential::Pinned {
        key: *bob.key_fingerprint(),
        certificate: *bob.fingerprint(),
    };
    world.directory.put_client(id(TWO, 4), client("d", vec![pinned]));
    assert_eq!(world.who(&bob).await.unwrap(), "c");
}

#[tokio::test]
async fn nobody_takes_another_tenants_client_by_pinning_its_certificate() {
    let world = World::new();
    let bob = peer(&world.one, "bob");
    let pinned = Credential::Pinned {
        key: *bob.key_fingerprint(),
        certificate: *bob.fingerprint(),
    };
    world.directory.put_client(id(TWO, 4), client("thief", vec![pinned]));
    assert_eq!(world.who(&bob).await.unwrap(), "thief");
    world.directory.put_client(
        id(ONE, 1),
        client("bob", vec![Credential::Rule(Rule::common_name("bob"))]),
    );
    assert_eq!(world.who(&bob).await.unwrap(), "bob");
}

fn pinned(certificate: &PeerCertificate) -> Credential {
    Credential::Pinned {
        key: *certificate.key_fingerprint(),
        certificate: *certificate.fingerprint(),
    }
}

/// The same client, whose key was proven.
fn proven(client: ClientRecord) -> ClientRecord {
    let proven = client.credentials.iter().filter_map(Credential::key).copied().collect();
    ClientRecord { proven, ..client }
}

fn person(certificate: &PeerCertificate, proven: bool) -> PersonRecord {
    PersonRecord {
        name: "person".to_owned(),
        role: kmip_protocol::PersonRole::Operator,
        status: kmip_protocol::PersonStatus::Invited,
        created_ms: 1,
        member_since_ms: 1,
        created_by: None,
        credentials: vec![PersonKey {
            fingerprint: *certificate.key_fingerprint(),
            certificate: certificate.chain()[0].clone(),
            hardware: false,
            attested_by: None,
            proven,
            enrolled_ms: 1,
            revoked_ms: None,
        }],
        password: None,
        one_time: None,
    }
}

/// Whoever knows a certificate can pin it first. Who has its key is served all the same.
#[tokio::test]
async fn a_proof_wins_whoever_came_first() {
    let world = World::new();
    let bob = peer(&authority("elsewhere"), "bob");
    let thief = || client("thief", vec![pinned(&bob)]);
    world.directory.put_client(id(TWO, 4), thief());
    assert_eq!(world.who(&bob).await.unwrap(), "thief");
    let own = || client("bob", vec![pinned(&bob)]);
    world.directory.put_client(id(ONE, 1), own());
    assert_eq!(world.who(&bob).await, Err(IdentityError::Ambiguous));
    // A tenant that is gone stands in nobody's way.
    let gone = TenantRecord {
        suspended: true,
        deleted: true,
        ..TenantRecord::default()
    };
    world.directory.put_tenant(TWO, gone);
    assert_eq!(world.who(&bob).await.unwrap(), "bob");
    world.directory.put_tenant(TWO, TenantRecord::default());
    world.directory.put_client(id(ONE, 1), proven(own()));
    assert_eq!(world.who(&bob).await.unwrap(), "bob");
    // Suspended, he is nobody: his requests do not go to the thief either.
    let suspended = true;
    world.directory.put_client(
        id(ONE, 1),
        ClientRecord {
            suspended,
            ..proven(own())
        },
    );
    assert_eq!(world.who(&bob).await, Err(IdentityError::Suspended));
    // A proof of another key is none of this one.
    let other = ClientRecord {
        proven: vec![[9; 32]],
        ..own()
    };
    world.directory.put_client(id(ONE, 1), other);
    assert_eq!(world.who(&bob).await, Err(IdentityError::Ambiguous));
    // Two who have proven: the holder has agreed to both, and neither comes first.
    world.directory.put_client(id(ONE, 1), proven(own()));
    world.directory.put_client(id(TWO, 4), proven(thief()));
    assert_eq!(world.who(&bob).await, Err(IdentityError::Ambiguous));
}

/// An authority that anybody can enrol, since it is above another's or public, vouches for no thief.
#[tokio::test]
async fn a_proof_comes_before_an_authority() {
    let world = World::new();
    let below = world
        .two
        .create_subordinate(&Subject::named("below"), Validity::days(NOW, 99), KeyKind::P256)
        .unwrap();
    let leaf = below.issue(&leaf("bob"), KeyKind::P256).unwrap().0;
    let bob = PeerCertificate::read(vec![leaf, below.certificate().to_vec()]).unwrap();
    world.directory.put_client(id(TWO, 4), client("thief", vec![key(&bob)]));
    let own = client("bob", vec![pinned(&bob)]);
    world.directory.put_client(id(ONE, 1), own.clone());
    assert_eq!(world.who(&bob).await.unwrap(), "thief");
    world.directory.put_client(id(ONE, 1), proven(own));
    assert_eq!(world.who(&bob).await.unwrap(), "bob");
    // Neither does a key come before another tenant's rule: both have authorities that vouch.
    world.directory.put_authority(ONE, [5; 16], enrolled(&below));
    let by_rule = client("bob", vec![Credential::Rule(Rule::common_name("bob"))]);
    world.directory.put_client(id(ONE, 1), by_rule);
    assert_eq!(world.who(&bob).await, Err(IdentityError::Ambiguous));
    let by_key = client("bob", vec![key(&bob)]);
    world.directory.put_client(id(ONE, 1), by_key.clone());
    assert_eq!(world.who(&bob).await, Err(IdentityError::Ambiguous));
    world.directory.put_client(id(ONE, 1), proven(by_key));
    assert_eq!(world.who(&bob).await.unwrap(), "bob");
}

/// Making a person of another tenant's client keeps the client out no longer, nor the other way round.
#[tokio::test]
async fn a_client_is_not_kept_out_by_a_person_of_its_certificate() {
    let world = World::new();
    let domain = TWO;
    let thief = PersonId {
        domain,
        person: [4; 16],
    };
    let (bob, guest) = (peer(&world.one, "bob"), peer(&authority("elsewhere"), "guest"));
    for (certificate, credential) in [(&bob, key(&bob)), (&guest, pinned(&guest))] {
        world.directory.put_person(thief, person(certificate, false));
        let own = client("own", vec![credential]);
        world.directory.put_client(id(ONE, 1), own.clone());
        // Vouched for, it comes before what was only said.
        let expected = if certificate == &bob {
            Ok("own".to_owned())
        } else {
            Err(IdentityError::Ambiguous)
        };
        assert_eq!(world.who(certificate).await, expected);
        world.directory.put_client(id(ONE, 1), proven(own.clone()));
        assert_eq!(world.who(certificate).await.unwrap(), "own");
        // A person who has proven the key is kept out by no client who has not.
        world.directory.put_client(id(ONE, 1), own);
        world.directory.put_person(thief, person(certificate, true));
        let found = world.identity().await.resolve(certificate, NOW).await.unwrap();
        assert!(matches!(found, Principal::Person(_)));
    }
    // Whoever makes a certificate of his own for another's key shows nothing by it.
    let forged = PersonRecord {
        credentials: vec![PersonKey {
            certificate: guest.chain()[0].clone(),
            ..person(&bob, false).credentials.remove(0)
        }],
        ..person(&bob, false)
    };
    world.directory.put_person(thief, forged);
    world.directory.put_client(id(ONE, 1), client("own", vec![key(&bob)]));
    assert_eq!(world.who(&bob).await.unwrap(), "own");
}

#[tokio::test]
async fn rules_do_not_go_by_certificates_that_this_server_issues() {
    let world = World::new();
    let bob = peer(&world.one, "bob");
    world.directory.put_client(
        id(ONE, 1),
        client("bob", vec![Credential::Rule(Rule::common_name("bob"))]),
    );
    assert_eq!(world.who(&bob).await.unwrap(), "bob");
    let own = AuthorityRecord {
        issuer: Some(IssuerRecord {
            kek: [1; 16],
            kek_generation: 1,
            wrapped_dek: Vec::new(),
            blob: Vec::new(),
            list_number: 0,
            revoked: Vec::new(),
        }),
        ..enrolled(&world.one)
    };
    world.directory.put_authority(ONE, [1; 16], own);
    assert_eq!(world.who(&bob).await.unwrap(), "unregistered");
    world
        .directory
        .put_client(id(ONE, 2), client("by key", vec![key(&bob)]));
    assert_eq!(world.who(&bob).await.unwrap(), "by key");
}

#[tokio::test]
async fn a_chain_to_two_tenants_is_judged_for_both() {
    let world = World::new();
    let below = world
        .one
        .create_subordinate(&Subject::named("below"), Validity::days(NOW, 99), KeyKind::P256)
        .unwrap();
    world.directory.put_authority(TWO, [5; 16], enrolled(&below));
    let leaf = below.issue(&leaf("bob"), KeyKind::P256).unwrap().0;
    let short = PeerCertificate::read(vec![leaf.clone()]).unwrap();
    let long = PeerCertificate::read(vec![leaf, below.certificate().to_vec()]).unwrap();
    world.directory.put_client(
        id(TWO, 1),
        client("bob of two", vec![Credential::Rule(Rule::common_name("bob"))]),
    );
    assert_eq!(world.who(&short).await.unwrap(), "bob of two");
    assert_eq!(world.who(&long).await.unwrap(), "bob of two");
    world.directory.put_client(
        id(ONE, 1),
        client("bob of one", vec![Credential::Rule(Rule::common_name("bob"))]),
    );
    assert_eq!(world.who(&short).await.unwrap(), "bob of two");
    assert_eq!(world.who(&long).await, Err(IdentityError::Ambiguous));
}

#[tokio::test]
async fn what_changes_is_seen_at_the_next_request() {
    let world = World::new();
    let alice = peer(&world.one, "alice");
    let record = client("alice", vec![key(&alice)]);
    let identity = world.identity().await;
    assert_eq!(name(&identity, &alice, NOW).await.unwrap(), "unregistered");
    world.directory.put_client(id(ONE, 1), record.clone());
    identity.changed(IdentityChange::Client(id(ONE, 1))).await.unwrap();
    assert_eq!(name(&identity, &alice, NOW).await.unwrap(), "alice");
    let suspended = TenantRecord {
        suspended: true,
        ..TenantRecord::default()
    };
    world.directory.put_tenant(ONE, suspended);
    assert_eq!(name(&identity, &alice, NOW).await.unwrap(), "alice", "kept until told");
    identity.changed(IdentityChange::Tenant(ONE)).await.unwrap();
    assert_eq!(name(&identity, &alice, NOW).await, Err(IdentityError::Suspended));
    world.directory.put_tenant(ONE, TenantRecord::default());
    let expires = Some(NOW + 10);
    world
        .directory
        .put_client(id(ONE, 1), ClientRecord { expires, ..record });
    identity.changed(IdentityChange::All).await.unwrap();
    assert_eq!(name(&identity, &alice, NOW + 10).await.unwrap(), "alice");
    assert_eq!(
        name(&identity, &alice, NOW + 11).await,
        Err(IdentityError::Suspended),
        "no change was told"
    );
    let late = NOW + 91 * 86_400;
    assert_eq!(
        name(&identity, &alice, late).await,
        Err(IdentityError::Chain(ChainError::Expired))
    );
    let gone = AuthorityRecord {
        suspended: true,
        ..enrolled(&world.one)
    };
    world.directory.put_authority(ONE, [1; 16], gone);
    identity.changed(IdentityChange::Authority(ONE, [1; 16])).await.unwrap();
    let unknown = Err(IdentityError::Chain(ChainError::UnknownIssuer));
    assert_eq!(name(&identity, &alice, NOW).await, unknown);
}

#[test]
fn records_come_back_as_they_went() {
    let tenant = TenantRecord {
        name: "Grüße".to_owned(),
        suspended: true,
        deleted: true,
        deleted_ms: Some(6),
        purged_ms: Some(7),
        settings: kmip_protocol::TenantSettings {
            object_quota: Some(7),
            ..kmip_protocol::TenantSettings::default()
        },
        migration: Migration::People,
        created_ms: 5,
    };
    assert_eq!(TenantRecord::decode(&tenant.encode()).unwrap(), tenant);
    let authority = AuthorityRecord {
        retired: true,
        name: "ca".to_owned(),
        certificate: vec![1; 700],
        revocation_lists: vec![vec![2; 3], vec![3; 4]],
        refuse_stale: true,
        hardware: true,
        suspended: false,
        created_ms: -1,
        issuer: Some(IssuerRecord {
            kek: [4; 16],
            kek_generation: 1,
            wrapped_dek: vec![5; 60],
            blob: vec![6; 90],
            list_number: 3,
            revoked: vec![RevokedCertificate {
                serial: vec![7; 16],
                time: 5,
                not_after: 9,
            }],
        }),
    };
    assert_eq!(AuthorityRecord::decode(&authority.encode()).unwrap(), authority);
    let pinned = Credential::Pinned {
        key: [8; 32],
        certificate: [9; 32],
    };
    let rule = Credential::Rule(Rule::alternative_name(&AlternativeName::Uri("urn:x".into())));
    let mut record = client("alice", vec![Credential::Key([7; 32]), pinned, rule]);
    assert_eq!(ClientRecord::decode(&record.encode()).unwrap(), record);
    record.expires = Some(NOW);
    record.settings.object_groups = vec!["g".to_owned()];
    record.issued = vec![IssuedCertificate {
        authority: [1; 16],
        serial: vec![7; 16],
        key: [8; 32],
        not_after: 9,
    }];
    assert_eq!(ClientRecord::decode(&record.encode()).unwrap(), record);
    assert_eq!(record.claims(ONE).len(), 4);
    record.password = Some(ClientPasswordRecord {
        username: "app".to_owned(),
        hash: "$argon2id$".to_owned(),
    });
    assert_eq!(ClientRecord::decode(&record.encode()).unwrap(), record);
    assert_eq!(record.claims(ONE).len(), 5);
    let application = ApplicationRecord {
        name: "app".to_owned(),
        created_ms: 1,
    };
    assert_eq!(ApplicationRecord::decode(&application.encode()).unwrap(), application);
    for record in [
        tenant.encode(),
        authority.encode(),
        record.encode(),
        application.encode(),
    ] {
        for cut in 0..record.len() {
            let part = &record[..cut];
            assert!(TenantRecord::decode(part).is_err() && AuthorityRecord::decode(part).is_err());
            assert!(ClientRecord::decode(part).is_err() && ApplicationRecord::decode(part).is_err());
        }
    }
}

#[tokio::test]
async fn a_kept_answer_costs_little() {
    let world = World::new();
    let alice = peer(&world.one, "alice");
    world
        .directory
        .put_client(id(ONE, 1), client("alice", vec![key(&alice)]));
    let identity = world.identity().await;
    identity.resolve(&alice, NOW).await.unwrap();
    let begun = std::time::Instant::now();
    for _ in 0..10_000 {
        identity.resolve(&alice, NOW).await.unwrap();
    }
    let each = begun.elapsed() / 10_000;
    assert!(each < std::time::Duration::from_micros(50), "{each:?}");
    println!("a kept answer: {each:?}");
}

/// A sealer that marks what it sealed.
struct Marked;

impl RecordOpener for Marked {
    fn open(&self, record: &crate::store::Record) -> Result<Vec<u8>, Unopened> {
        let (mark, bytes) = record.body.split_first_chunk::<16>().ok_or(Unopened::Damaged)?;
        (*mark == record.key.id)
            .then(|| bytes.to_vec())
            .ok_or(Unopened::Damaged)
    }
}

impl RecordSealer for Marked {
    fn seal(&self, key: crate::store::Key, _: crate::store::Revision, bytes: &[u8]) -> Option<Vec<u8>> {
        Some([&key.id, bytes].concat())
    }
}

async fn commit(
    store: &Arc<dyn Store>,
    enroll: impl AsyncFnOnce(Enroll<'_>) -> Result<(), EnrollError>,
) -> Result<(), EnrollError> {
    let mut work = Work::new(store.clone());
    enroll(Enroll::new(&mut work, &Marked)).await?;
    store.commit(work.into_change_set(1)).await.unwrap();
    Ok(())
}

#[tokio::test]
async fn what_is_enrolled_in_a_store_is_found_there() {
    use crate::audit::{ChainKey, ChainStart, RatchetChain, StreamId, TrailKind};
    let chain = RatchetChain::new(
        TrailKind::Change,
        ChainStart::new_stream(StreamId([1; 16]), [0; 32], ChainKey::new([2; 32])),
    );
    let store: Arc<dyn Store> = Arc::new(crate::store::MemoryStore::new(Box::new(chain)));
    let ca = authority("one");
    let (alice, bob) = (peer(&ca, "alice"), peer(&ca, "bob"));
    let pinned = Credential::Pinned {
        key: *bob.key_fingerprint(),
        certificate: *bob.fingerprint(),
    };
    let tenants = [(ONE, "one", "a", key(&alice)), (TWO, "two", "b", pinned)];
    for (tenant, tenant_name, client_name, credential) in tenants {
        let (ca, record) = (&ca, client(client_name, vec![credential]));
        commit(&store, async |mut enroll| {
            let name = tenant_name.to_owned();
            enroll
                .tenant(
                    tenant,
                    &TenantRecord {
                        name,
                        ..TenantRecord::default()
                    },
                )
                .await?;
            enroll
                .application(tenant, [7; 16], &ApplicationRecord::default())
                .await?;
            if tenant == ONE {
                enroll.authority(tenant, [1; 16], &enrolled(ca)).await?;
            }
            enroll.client(id(tenant, 1), &record).await
        })
        .await
        .unwrap();
    }
    let directory = Arc::new(StoreDirectory::new(store.clone(), Arc::new(Marked)));
    let identity = Identity::open(directory).await.unwrap();
    assert_eq!(identity.trust().counts(), (1, 1));
    assert_eq!(name(&identity, &alice, NOW).await.unwrap(), "a");
    assert_eq!(name(&identity, &bob, NOW).await.unwrap(), "b");
    // Neither an authority's key nor a client's credential is enrolled twice.
    let again = commit(&store, async |mut enroll| {
        enroll.authority(TWO, [2; 16], &enrolled(&ca)).await
    })
    .await;
    assert_eq!(again, Err(EnrollError::Taken));
    let again = client("c", vec![key(&alice)]);
    let again = commit(&store, async |mut enroll| enroll.client(id(ONE, 2), &again).await).await;
    assert_eq!(again, Err(EnrollError::Taken));
    // A credential that is withdrawn is free for another.
    commit(&store, async |mut enroll| {
        enroll.client(id(ONE, 1), &client("a", vec![])).await
    })
    .await
    .unwrap();
    let next = client("c", vec![key(&alice)]);
    commit(&store, async |mut enroll| enroll.client(id(ONE, 2), &next).await)
        .await
        .unwrap();
    identity.changed(IdentityChange::Client(id(ONE, 1))).await.unwrap();
    assert_eq!(name(&identity, &alice, NOW).await.unwrap(), "c");
    let seen = identity
        .resolve(&alice, NOW)
        .await
        .unwrap()
        .client()
        .unwrap()
        .seen
        .unwrap();
    assert_eq!(seen.revision, crate::store::Revision::FIRST);
}
