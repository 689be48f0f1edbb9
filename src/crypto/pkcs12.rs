//! PKCS#12 bundles (RFC 7292): a private key with its certificates, under a password. They are read here rather than by the library, which
//! computes as long as a bundle tells it to.

use super::der::Der;
use super::error::{CryptoError, internal, or};
use super::hash::hash;
use super::key::PrivateKey;
use super::mac::{MacMethod, mac};
use super::native;
use super::password_encryption::{Effort, Purpose, decrypt, derive};
use kmip_protocol::{HashingAlgorithm, KeyFormatType, KeyMaterial};
use kmip_ttlv::Secret;
use openssl::pkcs12::Pkcs12;
use openssl::stack::Stack;
use openssl::x509::{X509, X509VerifyResult};

/// The longest bundle that is read, in bytes: a key and a dozen certificates.
const MOST_BUNDLE: usize = 64 * 1024;
/// Bags of one bundle.
const MOST_BAGS: usize = 32;

const DATA: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";
const ENCRYPTED_DATA: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07\x06";
const KEY_BAG: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x0A\x01\x01";
const SHROUDED_KEY_BAG: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x0A\x01\x02";
const CERTIFICATE_BAG: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x0A\x01\x03";
const X509_CERTIFICATE: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x16\x01";
const FRIENDLY_NAME: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x14";

/// The digests of MACs, by their object identifiers.
const DIGESTS: [(&[u8], HashingAlgorithm); 6] = [
    (b"\x2B\x0E\x03\x02\x1A", HashingAlgorithm::SHA_1),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x04", HashingAlgorithm::SHA_224),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", HashingAlgorithm::SHA_256),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x02", HashingAlgorithm::SHA_384),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x03", HashingAlgorithm::SHA_512),
    (b"\x2A\x86\x48\x86\xF7\x0D\x02\x05", HashingAlgorithm::MD5),
];

/// What a bundle holds.
pub struct Bundle {
    /// The private key, as PKCS#8.
    pub key: Secret,
    /// Its certificate, and those of the authorities above it that the bundle has, each the issuer of the one before.
    pub chain: Vec<Vec<u8>>,
    /// The friendly name of the key.
    pub friendly_name: Option<String>,
}

/// Keys and certificates as they are found, with their friendly names.
#[derive(Default)]
struct Bags {
    keys: Vec<(Secret, Option<String>)>,
    certificates: Vec<Vec<u8>>,
}

/// Reads a bundle: the key of this friendly name, or the first.
///
/// # Errors
/// [`CryptoError::BadKey`] if it is no bundle, or has no such key; [`CryptoError::Failed`] if the password does not open it;
/// [`CryptoError::Unsupported`] if it takes more effort than is spent on one, or is protected in another way than by a password.
pub fn read(bundle: &Secret, password: &Secret, friendly_name: Option<&str>) -> Result<Bundle, CryptoError> {
    native::prepare()?;
    if bundle.len() > MOST_BUNDLE {
        return Err(CryptoError::Unsupported);
    }
    let mut effort = Effort::default();
    let mut outer = Der(bundle.expose()).sequence()?;
    outer.integer()?;
    let content = data(&mut outer.sequence()?)?.ok_or(CryptoError::Unsupported)?;
    if !outer.is_empty() {
        check_mac(&mut outer.sequence()?, content, password, &mut effort)?;
    }
    let mut bags = Bags::default();
    let mut safes = Der(content).sequence()?;
    while !safes.is_empty() {
        let mut safe = safes.sequence()?;
        match data(&mut safe.clone())? {
            Some(plain) => bags.read(plain, password, &mut effort)?,
            None => {
                let plain = encrypted_data(&mut safe, password, &mut effort)?;
                bags.read(plain.expose(), password, &mut effort)?;
            }
        }
    }
    bags.bundle(friendly_name)
}

/// The octets of a ContentInfo of type data; `None` for another type.
fn data<'a>(info: &mut Der<'a>) -> Result<Option<&'a [u8]>, CryptoError> {
    if info.identifier()? != DATA {
        return Ok(None);
    }
    Ok(Some(info.explicit(0)?.octets()?))
}

fn encrypted_data(info: &mut Der<'_>, password: &Secret, effort: &mut Effort) -> Result<Secret, CryptoError> {
    if info.identifier()? != ENCRYPTED_DATA {
        return Err(CryptoError::Unsupported);
    }
    let mut data = info.explicit(0)?.sequence()?;
    data.integer()?;
    let mut content = data.sequence()?;
    content.identifier()?;
    let algorithm = content.sequence()?;
    let (tag, sealed) = content.next()?;
    // Implicitly tagged octets in one piece.
    if tag != 0x80 {
        return Err(CryptoError::Unsupported);
    }
    decrypt(algorithm, sealed, password, effort)
}

fn check_mac(
    mac_data: &mut Der<'_>,
    content: &[u8],
    password: &Secret,
    effort: &mut Effort,
) -> Result<(), CryptoError> {
    let mut digest = mac_data.sequence()?;
    let algorithm = digest.sequence()?.identifier()?;
    let expected = digest.octets()?;
    let salt = mac_data.octets()?;
    let iterations = if mac_data.is_empty() { 1 } else { mac_data.integer()? };
    let row = DIGESTS.iter().find(|(own, _)| *own == algorithm);
    let (_, algorithm) = row.ok_or(CryptoError::Unsupported)?;
    let length = hash(*algorithm, &[])?.len();
    let key = derive(*algorithm, Purpose::Mac, password, salt, iterations, length, effort)?;
    let own = mac(MacMethod::Hmac(*algorithm), &key, content)?;
    if own.len() == expected.len() && openssl::memcmp::eq(&own, expected) {
        Ok(())
    } else {
        Err(CryptoError::Failed)
    }
}

impl Bags {
    /// Reads SafeContents.
    fn read(&mut self, contents: &[u8], password: &Secret, effort: &mut Effort) -> Result<(), CryptoError> {
        let mut bags = Der(contents).sequence()?;
        while !bags.is_empty() {
            if self.keys.len().saturating_add(self.certificates.len()) >= MOST_BAGS {
                return Err(CryptoError::Unsupported);
            }
            let mut bag = bags.sequence()?;
            let kind = bag.identifier()?;
            let mut value = bag.explicit(0)?;
            match kind {
                KEY_BAG => {
                    let key = Secret::copy_from(value.whole()?);
                    self.keys.push((key, friendly_name(bag)?));
                }
                SHROUDED_KEY_BAG => {
                    let mut info = value.sequence()?;
                    let algorithm = info.sequence()?;
                    let key = decrypt(algorithm, info.octets()?, password, effort)?;
                    self.keys.push((key, friendly_name(bag)?));
                }
                CERTIFICATE_BAG => {
                    let mut certificate = value.sequence()?;
                    if certificate.identifier()? == X509_CERTIFICATE {
                        self.certificates.push(certificate.explicit(0)?.octets()?.to_vec());
                    }
                }
                // Revocation lists, secrets and nested bags are nobody's here.
                _ => {}
            }
        }
        Ok(())
    }

    fn bundle(self, wanted: Option<&str>) -> Result<Bundle, CryptoError> {
        let is_wanted = |name: &Option<String>| match (wanted, name) {
            (None, _) => true,
            (Some(wanted), Some(name)) => wanted.to_lowercase() == name.to_lowercase(),
            (Some(_), None) => false,
        };
        let found = self.keys.into_iter().find(|(_, name)| is_wanted(name));
        let (key, friendly_name) = found.ok_or(CryptoError::BadKey)?;
        let material = KeyMaterial::Bytes(key);
        let private = PrivateKey::read(KeyFormatType::PKCS_8, &material, super::ReadHints::default())?;
        // As the library writes it, whatever attributes the bundle's had.
        let KeyMaterial::Bytes(key) = private.write(KeyFormatType::PKCS_8)? else {
            return Err(CryptoError::Internal);
        };
        Ok(Bundle {
            chain: chain(&private, &self.certificates)?,
            key,
            friendly_name,
        })
    }
}

/// The certificate of the key, and each one's issuer as far as there is one.
fn chain(key: &PrivateKey, certificates: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, CryptoError> {
    let bad = or(CryptoError::BadKey);
    let mut left = Vec::new();
    for certificate in certificates {
        left.push(X509::from_der(certificate).map_err(&bad)?);
    }
    let mut chain: Vec<X509> = Vec::new();
    loop {
        let next = left.iter().position(|candidate| match chain.last() {
            None => candidate.public_key().is_ok_and(|public| public.public_eq(&key.0)),
            Some(last) => candidate.issued(last) == X509VerifyResult::OK,
        });
        let Some(next) = next else { break };
        chain.push(left.swap_remove(next));
    }
    chain.iter().map(|one| one.to_der().map_err(internal)).collect()
}

/// The friendly name among a bag's attributes: a BMPString.
fn friendly_name(mut bag: Der<'_>) -> Result<Option<String>, CryptoError> {
    if bag.is_empty() {
        return Ok(None);
    }
    let mut attributes = bag.set()?;
    while !attributes.is_empty() {
        let mut attribute = attributes.sequence()?;
        if attribute.identifier()? != FRIENDLY_NAME {
            continue;
        }
        let (_, text) = attribute.set()?.next()?;
        let (units, rest) = text.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(CryptoError::BadKey);
        }
        let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        return text.map(Some).map_err(|_| CryptoError::BadKey);
    }
    Ok(None)
}

/// Writes a bundle: a key, its certificate and those above it.
///
/// # Errors
/// [`CryptoError::BadKey`] if the first certificate is not that of the key; [`CryptoError::BadParameters`] if the password or the name is no
/// text.
pub fn write(
    key: &PrivateKey,
    chain: &[Vec<u8>],
    friendly_name: &str,
    password: &Secret,
) -> Result<Secret, CryptoError> {
    native::prepare()?;
    let bad = or(CryptoError::BadKey);
    let password = core::str::from_utf8(super::private_format::c_string(password)?);
    let password = password.map_err(|_| CryptoError::BadParameters)?;
    if friendly_name.contains('\0') {
        return Err(CryptoError::BadParameters);
    }
    let mut above = Stack::new().map_err(internal)?;
    let mut first = None;
    for certificate in chain {
        let certificate = X509::from_der(certificate).map_err(&bad)?;
        if first.is_none() {
            first = Some(certificate);
        } else {
            above.push(certificate).map_err(internal)?;
        }
    }
    let mut builder = Pkcs12::builder();
    builder.name(friendly_name).pkey(&key.0).ca(above);
    if let Some(first) = &first {
        builder.cert(first);
    }
    let bundle = builder.build2(password).map_err(&bad)?;
    bundle.to_der().map(Secret::new).map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use certs::{KeyKind, Leaf, Subject, Usage, Validity};
    use openssl::nid::Nid;

    fn pair() -> (PrivateKey, Vec<u8>) {
        let leaf = Leaf {
            subject: Subject::named("a key"),
            alternative_names: Vec::new(),
            usage: Usage::Client,
            validity: Validity::days(1_700_000_000, 1),
        };
        let (certificate, key) = leaf.self_signed(KeyKind::P256).unwrap();
        let material = KeyMaterial::Bytes(Secret::copy_from(&key.to_der()));
        let key = PrivateKey::read(KeyFormatType::PKCS_8, &material, super::super::ReadHints::default());
        (key.unwrap(), certificate)
    }

    #[test]
    fn what_is_written_is_read() {
        let (key, certificate) = pair();
        let (password, wrong) = (Secret::copy_from("pässword".as_bytes()), Secret::copy_from(b"other"));
        let bundle = write(&key, core::slice::from_ref(&certificate), "Alias", &password).unwrap();
        let found = read(&bundle, &password, None).unwrap();
        assert_eq!(found.chain, [certificate]);
        assert_eq!(found.friendly_name.as_deref(), Some("Alias"));
        let KeyMaterial::Bytes(own) = key.write(KeyFormatType::PKCS_8).unwrap() else {
            panic!()
        };
        assert!(found.key == own);
        assert!(read(&bundle, &password, Some("alias")).is_ok());
        let told = |bundle: &Secret, password, name| read(bundle, password, name).err();
        assert_eq!(told(&bundle, &password, Some("another")), Some(CryptoError::BadKey));
        assert_eq!(told(&bundle, &wrong, None), Some(CryptoError::Failed));
        for cut in 0..bundle.len() {
            assert!(told(&Secret::copy_from(&bundle.expose()[..cut]), &password, None).is_some());
        }
        let mut flipped = bundle.expose().to_vec();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        assert!(told(&Secret::new(flipped), &password, None).is_some());
    }

    /// What older software writes.
    #[test]
    fn old_schemes_are_read() {
        let (key, certificate) = pair();
        let password = Secret::copy_from(b"password");
        for (of_key, of_certificate) in [
            (
                Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC,
                Nid::PBE_WITHSHA1AND40BITRC2_CBC,
            ),
            (
                Nid::PBE_WITHSHA1AND2_KEY_TRIPLEDES_CBC,
                Nid::PBE_WITHSHA1AND128BITRC2_CBC,
            ),
        ] {
            let certificate = X509::from_der(&certificate).unwrap();
            let mut builder = Pkcs12::builder();
            builder.name("old").pkey(&key.0).cert(&certificate);
            builder.key_algorithm(of_key).cert_algorithm(of_certificate);
            builder.mac_md(openssl::hash::MessageDigest::sha1());
            let bundle = Secret::new(builder.build2("password").unwrap().to_der().unwrap());
            let found = read(&bundle, &password, None).unwrap();
            assert_eq!(found.chain, [certificate.to_der().unwrap()]);
        }
    }

    #[test]
    fn a_certificate_of_another_key_makes_no_bundle() {
        let ((key, _), (_, other)) = (pair(), pair());
        let password = Secret::copy_from(b"password");
        let made = write(&key, &[other], "alias", &password);
        assert_eq!(made.err(), Some(CryptoError::BadKey));
    }
}
