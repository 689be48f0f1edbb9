//! PKCS#12 (RFC 7292): certificate, key and chain in one file under a password.

use crate::error::{Error, Result};
use crate::key::PrivateKey;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::stack::Stack;
use openssl::x509::X509;
use zeroize::Zeroizing;

/// Iterations of PBKDF2: a second file of this kind is never made, so it may cost a few hundred milliseconds.
const ITERATIONS: u32 = 600_000;

/// A PKCS#12 file with AES-256-CBC, PBKDF2 and an HMAC-SHA-256, wiped when dropped.
pub fn pkcs12(
    name: &str,
    certificate: &[u8],
    key: &PrivateKey,
    chain: &[Vec<u8>],
    password: &str,
) -> Result<Zeroizing<Vec<u8>>> {
    build(name, certificate, key, chain, password)
        .map_err(|_| Error::Cryptography)
        .map(Zeroizing::new)
}

fn build(
    name: &str,
    certificate: &[u8],
    key: &PrivateKey,
    chain: &[Vec<u8>],
    password: &str,
) -> core::result::Result<Vec<u8>, openssl::error::ErrorStack> {
    let mut authorities = Stack::new()?;
    for der in chain {
        authorities.push(X509::from_der(der)?)?;
    }
    let pkey = PKey::private_key_from_der(&key.to_der())?;
    let certificate = X509::from_der(certificate)?;
    let mut builder = Pkcs12::builder();
    builder
        .name(name)
        .pkey(&pkey)
        .cert(&certificate)
        .ca(authorities)
        .key_algorithm(Nid::AES_256_CBC)
        .cert_algorithm(Nid::AES_256_CBC)
        .key_iter(ITERATIONS)
        .mac_iter(ITERATIONS)
        .mac_md(MessageDigest::sha256());
    builder.build2(password)?.to_der()
}

/// What a PKCS#12 file holds.
pub struct KeyStore {
    /// The certificate, as DER.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: PrivateKey,
    /// The other certificates, as DER.
    pub chain: Vec<Vec<u8>>,
}

impl KeyStore {
    /// Opens a PKCS#12 file.
    pub fn open(der: &[u8], password: &str) -> Result<Self> {
        let parsed = Pkcs12::from_der(der)
            .and_then(|store| store.parse2(password))
            .map_err(|_| Error::KeyStore)?;
        let certificate = parsed.cert.and_then(|c| c.to_der().ok()).ok_or(Error::KeyStore)?;
        let pkey = parsed.pkey.ok_or(Error::KeyStore)?;
        let text = Zeroizing::new(pkey.private_key_to_pem_pkcs8().map_err(|_| Error::KeyStore)?);
        let text = core::str::from_utf8(&text).map_err(|_| Error::KeyStore)?;
        let chain = parsed.ca.into_iter().flatten().map(|c| c.to_der());
        Ok(Self {
            certificate,
            key: PrivateKey::from_pem(text)?,
            chain: chain
                .collect::<core::result::Result<_, _>>()
                .map_err(|_| Error::KeyStore)?,
        })
    }
}
