//! PEM (RFC 7468): reading sections, writing them.

use crate::error::{Error, Result};
use pki_types::pem::PemObject as _;
use pki_types::{CertificateDer, CertificateRevocationListDer, CertificateSigningRequestDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// Every certificate of a text, as DER, in its order. An empty text is an error: who asks expects at least one.
pub fn certificates(text: &str) -> Result<Vec<Vec<u8>>> {
    let all: core::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let all = all.map_err(|_| Error::Pem)?;
    if all.is_empty() {
        return Err(Error::Pem);
    }
    Ok(all.into_iter().map(|c| c.as_ref().to_vec()).collect())
}

/// The first private key of a text, as DER in whichever form it has there (PKCS#8, PKCS#1, SEC 1), unencrypted.
pub fn private_key(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| Error::Pem)?;
    Ok(Zeroizing::new(key.secret_der().to_vec()))
}

/// The first certificate request of a text, as DER.
pub fn request(text: &str) -> Result<Vec<u8>> {
    let request = CertificateSigningRequestDer::from_pem_slice(text.as_bytes()).map_err(|_| Error::Pem)?;
    Ok(request.as_ref().to_vec())
}

/// Every revocation list of a text, as DER.
pub fn revocation_lists(text: &str) -> Result<Vec<Vec<u8>>> {
    let all: core::result::Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(text.as_bytes()).collect();
    Ok(all
        .map_err(|_| Error::Pem)?
        .into_iter()
        .map(|c| c.as_ref().to_vec())
        .collect())
}

/// A certificate as PEM.
#[must_use]
pub fn write_certificate(der: &[u8]) -> String {
    write("CERTIFICATE", der)
}

/// A certificate request as PEM.
#[must_use]
pub fn write_request(der: &[u8]) -> String {
    write("CERTIFICATE REQUEST", der)
}

/// A revocation list as PEM.
#[must_use]
pub fn write_revocation_list(der: &[u8]) -> String {
    write("X509 CRL", der)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 characters to a line (RFC 7468 §2), and the bytes that make one.
const LINE_BYTES: usize = 48;

fn write(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in der.chunks(LINE_BYTES) {
        for group in line.chunks(3) {
            let mut bytes = [0_u8; 3];
            for (to, from) in bytes.iter_mut().zip(group) {
                *to = *from;
            }
            let [a, b, c] = bytes;
            let word = u32::from_be_bytes([0, a, b, c]);
            for position in 0..4_usize {
                let sextet = usize::try_from((word >> (18 - 6 * position)) & 0x3F).unwrap_or(0);
                let character = ALPHABET.get(sextet).copied().unwrap_or(b'=');
                text.push(char::from(if position > group.len() { b'=' } else { character }));
            }
        }
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for length in [1_usize, 2, 3, 47, 48, 49, 200] {
            let der: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            assert_eq!(certificates(&write_certificate(&der)).unwrap(), vec![der.clone()]);
            assert_eq!(request(&write_request(&der)).unwrap(), der);
            assert_eq!(revocation_lists(&write_revocation_list(&der)).unwrap(), vec![der]);
        }
    }

    #[test]
    fn a_text_without_a_section_is_an_error() {
        assert_eq!(certificates("hello").unwrap_err(), Error::Pem);
        assert!(private_key("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
    }
}
