//! NLnet Labs' crate `kmip-protocol` as a client, operation by operation as its own demonstration goes.
//!
//! Needs a server: `CLAVIGER_ADDRESS=HOST:PORT CLAVIGER_DIR=FOLDER cargo test -p conformance --test rust_client`, where
//! the folder is as `claviger demo` leaves it. Without them the test says that it did nothing.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test file through and through

use peer_protocol::client::tls::openssl::connect;
use peer_protocol::client::{Client, ClientCertificate, ConnectionSettings, Error};
use peer_protocol::types::common::{KeyMaterial, ObjectType};
use peer_protocol::types::response::ManagedObject;
use peer_protocol::types::traits::ReadWrite;
use std::path::PathBuf;
use std::time::Duration;

fn client() -> Option<Client<impl ReadWrite>> {
    let (Ok(address), Ok(folder)) = (std::env::var("CLAVIGER_ADDRESS"), std::env::var("CLAVIGER_DIR")) else {
        println!("SKIPPED: CLAVIGER_ADDRESS and CLAVIGER_DIR name no server");
        return None;
    };
    // Tests run in the folder of their crate; the folder of the demo is given relative to the workspace.
    let mut folder = PathBuf::from(folder);
    if folder.is_relative() {
        folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    }
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (host, port) = address.rsplit_once(':').unwrap();
    let timeout = Some(Duration::from_secs(60));
    let settings = ConnectionSettings {
        host: host.to_owned(),
        port: port.parse().unwrap(),
        client_cert: Some(ClientCertificate::SeparatePem {
            cert_bytes: read("client.pem"),
            key_bytes: Some(read("client-key.pem")),
        }),
        ca_cert: Some(read("ca.pem")),
        connect_timeout: timeout,
        read_timeout: timeout,
        write_timeout: timeout,
        ..ConnectionSettings::default()
    };
    Some(connect(&settings).unwrap())
}

#[test]
fn queries_makes_signs_renames_and_destroys() {
    let Some(client) = client() else { return };
    let properties = client.query().unwrap();
    assert!(properties.operations.is_some_and(|list| !list.is_empty()));
    assert!(properties.object_types.is_some_and(|list| !list.is_empty()));

    let (private, public) = client
        .create_rsa_key_pair(2048, "rust-client-private".into(), "rust-client-public".into())
        .unwrap();
    assert_ne!(private, public);
    client.activate_key(&private).unwrap();

    let fetched = client.get_key(&public).unwrap();
    assert!(matches!(fetched.object_type, ObjectType::PublicKey));
    let ManagedObject::PublicKey(key) = fetched.cryptographic_object else {
        panic!("a public key in another object");
    };
    assert!(matches!(key.key_block.key_value.key_material, KeyMaterial::Bytes(der) if der.len() > 256));

    // 2,048 bits, and deterministic: PKCS #1 v1.5.
    let signature = client.sign(&private, &[1, 2, 3, 4, 5]).unwrap().signature_data;
    assert_eq!(signature.len(), 256);
    assert_eq!(
        client.sign(&private, &[1, 2, 3, 4, 5]).unwrap().signature_data,
        signature
    );
    assert_ne!(
        client.sign(&private, &[1, 2, 3, 4, 6]).unwrap().signature_data,
        signature
    );

    client.rename_key(&public, "rust-client-renamed".into()).unwrap();
    client.revoke_key(&private).unwrap();
    client.destroy_key(&private).unwrap();
    client.destroy_key(&public).unwrap();
    // This client knows exactly one failure by name; a server that says it otherwise breaks its users.
    assert!(matches!(client.get_key(&private), Err(Error::ItemNotFound(_))));
}

#[test]
fn random_bytes_differ() {
    let Some(client) = client() else { return };
    let first = client.rng_retrieve(32).unwrap().data;
    assert_eq!(first.len(), 32);
    assert_ne!(first, client.rng_retrieve(32).unwrap().data);
}

#[test]
fn an_unknown_key_is_not_found() {
    let Some(client) = client() else { return };
    assert!(matches!(client.get_key("no-such-key"), Err(Error::ItemNotFound(_))));
}
