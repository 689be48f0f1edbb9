//! Who gets in, with which TLS, and who is recognised.

use crate::world::*;
use certs::{CertificateFacts, KeyKind, Revocation, RevocationReason, Usage, Validity};
use claviger::identity::{
    AuthorityRecord, ClientRecord, Credential, IdentityChange, PersonId, PersonKey, PersonRecord, Rule, Trust,
};
use claviger::listener::{Limits, Only, TlsProfile};
use kmip_protocol::{PersonRole, PersonStatus};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use rustls::version::{TLS12, TLS13};
use std::sync::Arc;

const DAY: i64 = 86_400;

#[tokio::test]
async fn strangers_do_not_get_in() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    assert_eq!(world.ask(Some(&world.alice())).await.unwrap(), "alice");
    assert!(world.ask(None).await.is_err(), "no certificate");
    let mut expired = leaf("expired");
    expired.validity = Validity {
        not_before: now() - 2 * DAY,
        not_after: now() - DAY,
    };
    assert!(
        world.ask(Some(&certified(&world.ca, &expired))).await.is_err(),
        "expired"
    );
    let mut early = leaf("early");
    early.validity = Validity {
        not_before: now() + DAY,
        not_after: now() + 2 * DAY,
    };
    assert!(
        world.ask(Some(&certified(&world.ca, &early))).await.is_err(),
        "not yet valid"
    );
    let mut server = leaf("server");
    server.usage = Usage::Server;
    assert!(
        world.ask(Some(&certified(&world.ca, &server))).await.is_err(),
        "wrong usage"
    );
    assert!(
        world
            .ask(Some(&certified(&authority("other"), &leaf("alice"))))
            .await
            .is_err(),
        "other authority"
    );
    assert!(
        world
            .ask(Some(&certified(&authority("clients"), &leaf("alice"))))
            .await
            .is_err(),
        "same name, other key"
    );
    let (certificate, key) = leaf("self").self_signed(KeyKind::P256).unwrap();
    let own = Certified {
        chain: vec![certificate],
        key,
    };
    assert!(world.ask(Some(&own)).await.is_err(), "self-signed, not pinned");
    assert_eq!(world.end().await.cut, 0);
}

#[tokio::test]
async fn a_certificate_nobody_registered_is_unregistered() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    world.alice();
    assert_eq!(
        world.ask(Some(&certified(&world.ca, &leaf("bob")))).await.unwrap(),
        "unregistered"
    );
}

#[tokio::test]
async fn a_pinned_certificate_needs_no_authority() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let (certificate, key) = leaf("self").self_signed(KeyKind::P256).unwrap();
    let facts = CertificateFacts::read(&certificate).unwrap();
    let own = Certified {
        chain: vec![certificate],
        key,
    };
    let pinned = Credential::Pinned {
        key: facts.key_fingerprint,
        certificate: facts.fingerprint,
    };
    world.directory.put_client(CLIENT, client_record(pinned));
    world.identity.changed(IdentityChange::Client(CLIENT)).await.unwrap();
    let mut open = world.connect(Some(&own)).await.unwrap();
    assert_eq!(ask(&mut open, 0).await.unwrap(), "alice");
    world.directory.remove_client(CLIENT);
    world.identity.changed(IdentityChange::Client(CLIENT)).await.unwrap();
    assert!(ask(&mut open, 0).await.unwrap().starts_with("refused"));
    assert!(world.ask(Some(&own)).await.is_err(), "pinned no longer");
}

#[tokio::test]
async fn a_rule_finds_its_client() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    world
        .directory
        .put_client(CLIENT, client_record(Credential::Rule(Rule::common_name("bob"))));
    world.identity.changed(IdentityChange::Client(CLIENT)).await.unwrap();
    assert_eq!(
        world.ask(Some(&certified(&world.ca, &leaf("bob")))).await.unwrap(),
        "alice"
    );
    assert_eq!(
        world.ask(Some(&certified(&world.ca, &leaf("carol")))).await.unwrap(),
        "unregistered"
    );
}

#[tokio::test]
async fn suspension_takes_hold_at_the_next_request_of_an_open_connection() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let alice = world.alice();
    let mut open = world.connect(Some(&alice)).await.unwrap();
    assert_eq!(ask(&mut open, 0).await.unwrap(), "alice");
    let record = client_record(Credential::Key(key_of(&alice)));
    for (suspended, answer) in [(true, "refused: the client is suspended"), (false, "alice")] {
        world.directory.put_client(
            CLIENT,
            ClientRecord {
                suspended,
                ..record.clone()
            },
        );
        world.identity.changed(IdentityChange::Client(CLIENT)).await.unwrap();
        assert_eq!(ask(&mut open, 0).await.unwrap(), answer);
    }
}

#[tokio::test]
async fn revocation_takes_hold_at_once_and_without_a_restart() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let alice = world.alice();
    let config = Arc::new(world.config(Some(&alice)));
    let mut open = world.connect_with(config.clone()).await.unwrap();
    assert_eq!(ask(&mut open, 0).await.unwrap(), "alice");
    let serial = CertificateFacts::read(&alice.chain[0]).unwrap().serial;
    let entry = Revocation {
        serial,
        time: now(),
        reason: RevocationReason::KeyCompromise,
    };
    let record = AuthorityRecord {
        certificate: world.ca.certificate().to_vec(),
        revocation_lists: vec![world.ca.revocation_list(1, now(), now() + DAY, &[entry]).unwrap()],
        ..AuthorityRecord::default()
    };
    world.directory.put_authority(TENANT, [9; 16], record);
    world
        .identity
        .changed(IdentityChange::Authority(TENANT, [9; 16]))
        .await
        .unwrap();
    assert!(ask(&mut open, 0).await.unwrap().contains("revoked"));
    assert!(world.ask(Some(&alice)).await.is_err(), "a new handshake");
    let resumed = async { ask(&mut world.connect_with(config).await?, 0).await };
    assert!(resumed.await.is_err(), "a resumed session");
}

#[tokio::test]
async fn an_authority_is_enrolled_without_a_restart() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let other = authority("other");
    let carol = certified(&other, &leaf("carol"));
    assert!(world.ask(Some(&carol)).await.is_err());
    let record = AuthorityRecord {
        certificate: other.certificate().to_vec(),
        ..AuthorityRecord::default()
    };
    world.directory.put_authority(TENANT, [8; 16], record);
    world
        .identity
        .changed(IdentityChange::Authority(TENANT, [8; 16]))
        .await
        .unwrap();
    assert_eq!(world.ask(Some(&carol)).await.unwrap(), "unregistered");
}

#[tokio::test]
async fn sessions_are_resumed_in_both_versions() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let alice = world.alice();
    for version in [&TLS13, &TLS12] {
        let config = Arc::new(client_config(&world.ca, Some(&alice), &[version]));
        for round in 0..3 {
            let mut stream = world.connect_with(config.clone()).await.unwrap();
            assert_eq!(ask(&mut stream, 0).await.unwrap(), "alice");
            let kind = stream.get_ref().1.handshake_kind().unwrap();
            assert_eq!(kind == rustls::HandshakeKind::Resumed, round > 0, "{version:?} {round}");
        }
    }
}

#[tokio::test]
async fn the_servers_certificate_is_exchanged_while_connections_stand() {
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let alice = world.alice();
    let mut open = world.connect(Some(&alice)).await.unwrap();
    let certificate = |stream: &tokio_rustls::client::TlsStream<tokio::net::TcpStream>| {
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    world.tls.present(server_identity(&world.ca));
    let next = world.connect(Some(&alice)).await.unwrap();
    assert_ne!(certificate(&open), certificate(&next));
    assert_eq!(ask(&mut open, 0).await.unwrap(), "alice");
}

/// What OpenSSL agrees on with the server: version, suite, and whether it worked.
async fn openssl(
    world: &World,
    set: impl FnOnce(&mut openssl::ssl::SslConnectorBuilder) + Send + 'static,
) -> Result<(String, String), String> {
    let alice = world.alice();
    let address = world.address;
    tokio::task::spawn_blocking(move || {
        let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_cipher_list("DEFAULT@SECLEVEL=0").unwrap();
        let certificate = openssl::x509::X509::from_der(&alice.chain[0]).unwrap();
        let key = openssl::pkey::PKey::private_key_from_der(&alice.key.to_der()).unwrap();
        builder.set_certificate(&certificate).unwrap();
        builder.set_private_key(&key).unwrap();
        set(&mut builder);
        let tcp = std::net::TcpStream::connect(address).unwrap();
        let stream = builder
            .build()
            .connect("localhost", tcp)
            .map_err(|why| why.to_string())?;
        let suite = stream.ssl().current_cipher().unwrap().name().to_owned();
        Ok((stream.ssl().version_str().to_owned(), suite))
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_offer_what_they_say() {
    let bsi = World::new(TlsProfile::Bsi, Limits::default()).await;
    let interop = World::new(TlsProfile::Interop, Limits::default()).await;
    let only = |version| {
        move |b: &mut openssl::ssl::SslConnectorBuilder| {
            b.set_min_proto_version(Some(version)).unwrap();
            b.set_max_proto_version(Some(version)).unwrap();
        }
    };
    for world in [&bsi, &interop] {
        let (version, suite) = openssl(world, only(SslVersion::TLS1_3)).await.unwrap();
        assert_eq!((&*version, &*suite), ("TLSv1.3", "TLS_AES_256_GCM_SHA384"));
        let (version, suite) = openssl(world, only(SslVersion::TLS1_2)).await.unwrap();
        assert_eq!((&*version, &*suite), ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"));
        assert!(openssl(world, only(SslVersion::TLS1_1)).await.is_err());
        assert!(openssl(world, only(SslVersion::TLS1)).await.is_err());
        let cbc = openssl(world, |b| {
            b.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
            b.set_cipher_list("ECDHE-ECDSA-AES256-SHA384:AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384")
                .unwrap();
        });
        assert!(cbc.await.is_err());
    }
    let groups =
        |groups: &'static str| move |b: &mut openssl::ssl::SslConnectorBuilder| b.set_groups_list(groups).unwrap();
    for group in ["SecP256r1MLKEM768", "P-384", "P-256"] {
        assert!(openssl(&bsi, groups(group)).await.is_ok(), "{group}");
    }
    assert!(openssl(&bsi, groups("X25519")).await.is_err());
    assert!(openssl(&interop, groups("X25519")).await.is_ok());
    assert!(openssl(&interop, groups("X25519MLKEM768")).await.is_ok());
    let chacha =
        |b: &mut openssl::ssl::SslConnectorBuilder| b.set_ciphersuites("TLS_CHACHA20_POLY1305_SHA256").unwrap();
    let tls13_only =
        |b: &mut openssl::ssl::SslConnectorBuilder| b.set_min_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    assert!(
        openssl(&bsi, move |b| {
            chacha(b);
            tls13_only(b)
        })
        .await
        .is_err()
    );
    assert!(
        openssl(&interop, move |b| {
            chacha(b);
            tls13_only(b)
        })
        .await
        .is_ok()
    );
}

#[tokio::test]
async fn a_certificate_of_version_1_gets_in_with_both_versions_of_tls() {
    use openssl::{asn1::Asn1Time, bn::BigNum, hash::MessageDigest, pkey::PKey, x509::X509, x509::X509NameBuilder};
    let world = World::new(TlsProfile::Bsi, Limits::default()).await;
    let ca_key = PKey::private_key_from_der(&world.ca.key().to_der()).unwrap();
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa3072] {
        let key = certs::PrivateKey::generate(kind).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "old").unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_version(0).unwrap();
        let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
        builder.set_serial_number(&serial).unwrap();
        let issuer = X509::from_der(world.ca.certificate()).unwrap();
        builder.set_issuer_name(issuer.subject_name()).unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        builder
            .set_not_before(&Asn1Time::from_unix(now() - 60).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::from_unix(now() + DAY).unwrap())
            .unwrap();
        builder
            .set_pubkey(&PKey::private_key_from_der(&key.to_der()).unwrap())
            .unwrap();
        builder.sign(&ca_key, MessageDigest::sha256()).unwrap();
        let chain = vec![builder.build().to_der().unwrap()];
        let old = Certified { chain, key };
        for version in [&TLS13, &TLS12] {
            let config = Arc::new(client_config_unchecked(&world.ca, &old, version));
            let mut stream = world.connect_with(config).await.unwrap();
            assert_eq!(
                ask(&mut stream, 0).await.unwrap(),
                "unregistered",
                "{kind:?} {version:?}"
            );
        }
        // Its key must really sign.
        let stranger = Certified {
            chain: old.chain,
            key: certs::PrivateKey::generate(KeyKind::P256).unwrap(),
        };
        for version in [&TLS13, &TLS12] {
            let refused = async {
                let config = Arc::new(client_config_unchecked(&world.ca, &stranger, version));
                ask(&mut world.connect_with(config).await?, 0).await
            };
            assert!(refused.await.is_err(), "{kind:?} {version:?}");
        }
    }
}

#[tokio::test]
async fn a_listener_may_have_authorities_of_its_own() {
    let people = authority("people");
    let only = Arc::new(Trust::default());
    let record = AuthorityRecord {
        certificate: people.certificate().to_vec(),
        ..AuthorityRecord::default()
    };
    only.enroll(TENANT, [8; 16], &record).unwrap();
    let only = Only {
        authorities: only,
        registered_people: false,
    };
    let world = World::confined(TlsProfile::Bsi, Limits::default(), Some(only)).await;
    // Registered and of an enrolled authority, but not of one of this listener's.
    let alice = world.alice();
    assert!(world.ask(Some(&alice)).await.is_err());
    // One of the listener's authorities that nobody has enrolled is not enough either.
    let person = certified(&people, &leaf("person"));
    assert!(world.ask(Some(&person)).await.is_err());
    // Both: it gets in.
    world.directory.put_authority(TENANT, [8; 16], record);
    world.identity.changed(IdentityChange::All).await.unwrap();
    assert!(world.ask(Some(&person)).await.is_ok());
    // A certificate that a person made is one of no authority's, registered or not.
    let own = registered(&world, "ada").await;
    assert!(world.ask(Some(&own)).await.is_err());
    world.end().await;
}

/// A person of the tenant with a certificate of its own making.
async fn registered(world: &World, name: &str) -> Certified {
    let (certificate, key) = leaf(name).self_signed(KeyKind::P256).unwrap();
    let own = Certified {
        chain: vec![certificate.clone()],
        key,
    };
    let record = PersonRecord {
        name: name.to_owned(),
        role: PersonRole::Operator,
        status: PersonStatus::Active,
        created_ms: 0,
        member_since_ms: 0,
        created_by: None,
        credentials: vec![PersonKey {
            fingerprint: key_of(&own),
            certificate,
            hardware: false,
            attested_by: None,
            proven: false,
            enrolled_ms: 0,
            revoked_ms: None,
        }],
        password: None,
        one_time: None,
    };
    let person = PersonId {
        domain: TENANT,
        person: [5; 16],
    };
    world.directory.put_person(person, record);
    world.identity.changed(IdentityChange::All).await.unwrap();
    own
}

#[tokio::test]
async fn a_listener_may_be_for_registered_people() {
    let only = Only {
        authorities: Arc::default(),
        registered_people: true,
    };
    let world = World::confined(TlsProfile::Bsi, Limits::default(), Some(only)).await;
    let ada = registered(&world, "ada").await;
    assert!(world.ask(Some(&ada)).await.is_ok());
    // A client, and somebody who calls himself the same.
    let alice = world.alice();
    assert!(world.ask(Some(&alice)).await.is_err());
    let (certificate, key) = leaf("ada").self_signed(KeyKind::P256).unwrap();
    let other = Certified {
        chain: vec![certificate],
        key,
    };
    assert!(world.ask(Some(&other)).await.is_err());
    world.end().await;
}
