//! What people and clients bring from outside besides messages: certificates, keys, shares, files.

use certs::{CertificateFacts, CrlFacts, RequestEncoding, RevocationList, Wish};
use claviger::cli::parse_policy;
use claviger::crypto::{PrivateKey, PublicKey, ReadHints};
use claviger::custody::legacy::{LegacyToken, Share};
use claviger::custody::{Backup, ShareKey, ShareSecret, Slab};
use claviger::identity::Network;
use claviger::outbox::address;
use claviger::settings::Settings;
use kmip_protocol::{KeyFormatType, KeyMaterial};
use kmip_ttlv::Secret;
use std::path::Path;
use std::sync::OnceLock;

/// What matters is that it came to an end.
fn done<T>(_: T) {}

fn text(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok()
}

/// A certificate of whoever connects, registers or is enrolled. What is read of one is read again from what it says.
pub fn certificate(bytes: &[u8]) {
    let facts = CertificateFacts::read(bytes);
    if let Ok(facts) = &facts {
        assert!(!facts.serial.is_empty());
        // An authority that vouches for itself, or does not.
        done(certs::is_issued_by(bytes, facts));
    }
    if Wish::of_certificate(bytes).is_ok() {
        assert!(facts.is_err() || facts.is_ok_and(|facts| !facts.is_authority));
    }
}

/// A request for a certificate (the first byte says in which encoding).
pub fn request(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else {
        return;
    };
    let encoding = [RequestEncoding::Pkcs10, RequestEncoding::Crmf, RequestEncoding::Pem][usize::from(kind % 3)];
    if let Ok(wish) = Wish::read(encoding, body) {
        assert!(!wish.key_info.is_empty());
    }
    done(certs::read_request(body));
}

/// A revocation list that an operator gives.
pub fn revocation_list(bytes: &[u8]) {
    done(CrlFacts::read(bytes));
    done(RevocationList::read(bytes));
}

/// Files that hold certificates, requests, lists and keys as text.
pub fn pem(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    for der in certs::pem::certificates(text).into_iter().flatten() {
        let again = certs::pem::write_certificate(&der);
        assert_eq!(certs::pem::certificates(&again).ok(), Some(vec![der]));
    }
    done(certs::pem::private_key(text));
    done(certs::pem::request(text));
    done(certs::pem::revocation_lists(text));
    done(ShareKey::read_pem(text));
}

/// The first byte says in which format the rest is.
fn material(bytes: &[u8]) -> Option<(KeyFormatType, KeyMaterial)> {
    const FORMATS: [KeyFormatType; 6] = [
        KeyFormatType::PKCS_1,
        KeyFormatType::PKCS_8,
        KeyFormatType::X_509,
        KeyFormatType::ECPrivateKey,
        KeyFormatType::Raw,
        KeyFormatType::Opaque,
    ];
    let (kind, body) = bytes.split_first()?;
    let format = FORMATS[usize::from(*kind) % FORMATS.len()];
    Some((format, KeyMaterial::Bytes(Secret::copy_from(body))))
}

/// A private key that is registered: what is read is written, and read again.
pub fn private_key(bytes: &[u8]) {
    let Some((format, material)) = material(bytes) else {
        return;
    };
    if let Ok(key) = PrivateKey::read(format, &material, ReadHints::default())
        && let Ok(written) = key.write(KeyFormatType::PKCS_8)
    {
        assert!(PrivateKey::read(KeyFormatType::PKCS_8, &written, ReadHints::default()).is_ok());
    }
}

/// A public key likewise.
pub fn public_key(bytes: &[u8]) {
    let Some((format, material)) = material(bytes) else {
        return;
    };
    if let Ok(key) = PublicKey::read(format, &material, ReadHints::default())
        && let Ok(written) = key.write(KeyFormatType::X_509, None)
    {
        assert!(PublicKey::read(KeyFormatType::X_509, &written, ReadHints::default()).is_ok());
    }
}

/// The text of a KEK's backup.
pub fn backup(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(backup) = Backup::from_text(text) {
        done(backup.recovery());
        let again = backup.to_text().expect("own backup");
        assert!(Backup::from_text(&again).is_ok_and(|read| read == backup));
    }
}

/// The file of a legacy cryptotoken.
pub fn legacy_token(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    done(LegacyToken::read_header(text));
    if let Ok((token, sealed)) = LegacyToken::read(text) {
        let again = token.write(&sealed);
        assert!(LegacyToken::read(&again).is_ok_and(|(_, read)| read == sealed));
    }
}

/// A share, and what shares are encrypted to or by.
pub fn share(bytes: &[u8]) {
    static SLAB: OnceLock<Slab> = OnceLock::new();
    let slab = SLAB.get_or_init(|| Slab::new().expect("secret memory"));
    if let Some(share) = text(bytes).and_then(|text| Share::read(slab, text).ok()) {
        assert!(Share::read(slab, &share.write()).is_ok());
    }
    done(ShareKey::read(bytes));
    done(ShareSecret::read(bytes));
}

/// A policy in TOML, XML or JSON.
pub fn policy(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        done(parse_policy(text));
    }
}

/// The settings of a server.
pub fn settings(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        done(Settings::parse(text, Path::new("/etc/claviger.toml"), []));
    }
}

/// Addresses, networks and entries of the allow-list.
pub fn address(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(allowed) = text.parse::<address::Allowed>() {
        assert!(
            allowed
                .to_string()
                .parse()
                .is_ok_and(|again: address::Allowed| again == allowed)
        );
    }
    if let Some((host, _)) = address::split(text) {
        assert!(!host.is_empty());
    }
    done(Network::read(text));
}
