//! What a certificate is wished for: read from a request (PKCS#10, CRMF, PEM), whose proof of possession is checked, or from a
//! certificate that is renewed. Of extensions only those are kept by which nobody becomes more than an end entity.

use crate::der::{Element, SEQUENCE, element};
use crate::error::{Error, Result};
use crate::facts::alternative_name;
use crate::name::AlternativeName;
use crate::pem;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Public};
use openssl::sign::Verifier;
use openssl::x509::X509Req;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509CertificationRequest};
use x509_parser::x509::AlgorithmIdentifier;

/// The longest request that is read, in bytes: one with a post-quantum key, its signature and many names fits.
const MOST_REQUEST: usize = 64 * 1024;

/// Alternative names of one certificate.
const MOST_NAMES: usize = 256;

/// Uses of a key (RFC 5280 §4.2.1.3), by the number of their bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyUsages(u16);

impl KeyUsages {
    /// `digitalSignature`.
    pub const SIGNATURE: Self = Self(1);
    /// `nonRepudiation`.
    pub const COMMITMENT: Self = Self(1 << 1);
    /// `keyEncipherment`.
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// `dataEncipherment`.
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// `keyAgreement`.
    pub const AGREEMENT: Self = Self(1 << 4);
    /// `keyCertSign` and `cRLSign`: an authority's.
    const AUTHORITY: u16 = Self::CERTIFICATE_SIGN.0 | Self::CRL_SIGN.0;
    /// Those that there are.
    const ALL: u16 = 0x1FF;

    /// `keyCertSign`.
    pub const CERTIFICATE_SIGN: Self = Self(1 << 5);
    /// `cRLSign`.
    pub const CRL_SIGN: Self = Self(1 << 6);
    /// `encipherOnly`.
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    /// `decipherOnly`.
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

    /// The bits of a certificate's extension; what is none of them is left out.
    pub(crate) const fn from_flags(flags: u16) -> Self {
        Self(flags & Self::ALL)
    }

    /// Whether all of these are among them.
    #[must_use]
    pub const fn contain(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Both together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The BIT STRING: the bit of number 0 comes first, and no bits of 0 at the end.
    pub(crate) fn to_der(self) -> Vec<u8> {
        let bits = self.0.reverse_bits();
        let unused = bits.trailing_zeros().min(16);
        let [first, second] = bits.to_be_bytes();
        let content = match u8::try_from(unused) {
            Ok(unused @ 0..8) => vec![unused, first, second],
            Ok(unused @ 8..16) => vec![unused.saturating_sub(8), first],
            _ => vec![0],
        };
        element(0x03, &content)
    }
}

/// Extended Key Usages that are given to whoever asks: none of them lets somebody speak for an authority (`OCSPSigning` would).
const HARMLESS: &[&str] = &[
    "1.3.6.1.5.5.7.3.1",
    "1.3.6.1.5.5.7.3.2",
    "1.3.6.1.5.5.7.3.3",
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.8",
];

/// What a certificate is wished for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// The `SubjectPublicKeyInfo`.
    pub key_info: Vec<u8>,
    /// The subject (DER); an empty sequence if there is none.
    pub subject: Vec<u8>,
    /// Its Subject Alternative Names.
    pub alternative_names: Vec<AlternativeName>,
    /// The uses of the key, if any are wished for.
    pub key_usages: Option<KeyUsages>,
    /// Object identifiers (DER elements) of Extended Key Usages, of the harmless ones.
    pub(crate) extended_key_usages: Vec<Vec<u8>>,
}

/// The encodings of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestEncoding {
    /// PKCS#10 (RFC 2986).
    Pkcs10,
    /// The Certificate Request Message Format (RFC 4211).
    Crmf,
    /// PKCS#10 in PEM (RFC 7468 §7).
    Pem,
}

impl Wish {
    /// For a key (`SubjectPublicKeyInfo`) and a subject (DER), and nothing else.
    #[must_use]
    pub const fn new(key_info: Vec<u8>, subject: Vec<u8>) -> Self {
        Self {
            key_info,
            subject,
            alternative_names: Vec::new(),
            key_usages: None,
            extended_key_usages: Vec::new(),
        }
    }

    /// Whether it names anybody.
    #[must_use]
    pub fn has_subject(&self) -> bool {
        Element::only(&self.subject, SEQUENCE).is_some_and(|name| !name.content.is_empty())
    }

    /// Reads a request, and checks that the holder of the key has signed it.
    ///
    /// # Errors
    /// [`Error::Request`], also for what is not signed by its own key; [`Error::AuthorityWished`] if it asks for the certificate of
    /// an authority.
    pub fn read(encoding: RequestEncoding, bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MOST_REQUEST {
            return Err(Error::Request);
        }
        match encoding {
            RequestEncoding::Pkcs10 => pkcs10(bytes),
            RequestEncoding::Crmf => crmf(bytes),
            RequestEncoding::Pem => {
                let text = core::str::from_utf8(bytes).map_err(|_| Error::Request)?;
                // What OpenSSL's command line writes with `-newhdr`.
                let text = text.replace(" NEW CERTIFICATE REQUEST-", " CERTIFICATE REQUEST-");
                pkcs10(&pem::request(&text).map_err(|_| Error::Request)?)
            }
        }
    }

    /// What an existing certificate was issued for.
    ///
    /// # Errors
    /// [`Error::Certificate`]; [`Error::AuthorityWished`] if it is the certificate of an authority.
    pub fn of_certificate(der: &[u8]) -> Result<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Error::Certificate)?;
        if !rest.is_empty() {
            return Err(Error::Certificate);
        }
        let subject = certificate.subject().as_raw().to_vec();
        let mut wish = Self::new(certificate.public_key().raw.to_vec(), subject);
        for extension in certificate.extensions() {
            wish.take(extension.parsed_extension())?;
        }
        Ok(wish)
    }

    /// Takes over an extension, if it is one of those that are given.
    fn take(&mut self, extension: &ParsedExtension<'_>) -> Result<()> {
        match extension {
            ParsedExtension::SubjectAlternativeName(list) => {
                self.alternative_names
                    .extend(list.general_names.iter().filter_map(alternative_name));
                if self.alternative_names.len() > MOST_NAMES {
                    return Err(Error::Request);
                }
            }
            ParsedExtension::KeyUsage(usage) if usage.flags & KeyUsages::AUTHORITY != 0 => {
                return Err(Error::AuthorityWished);
            }
            ParsedExtension::KeyUsage(usage) => self.key_usages = Some(KeyUsages::from_flags(usage.flags)),
            ParsedExtension::BasicConstraints(constraints) if constraints.ca => return Err(Error::AuthorityWished),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let named = [
                    usage.server_auth,
                    usage.client_auth,
                    usage.code_signing,
                    usage.email_protection,
                    usage.time_stamping,
                ];
                for (oid, _) in HARMLESS.iter().zip(named).filter(|(_, named)| *named) {
                    self.extended_key_usages.extend(crate::name::identifier(oid));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn pkcs10(der: &[u8]) -> Result<Wish> {
    let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| Error::Request)?;
    let info = &request.certification_request_info;
    let key = public_key(info.subject_pki.raw)?;
    let signed = is_accepted(&request.signature_algorithm)
        && X509Req::from_der(der).and_then(|r| r.verify(&key)).unwrap_or(false);
    if !rest.is_empty() || !signed {
        return Err(Error::Request);
    }
    let mut wish = Wish::new(info.subject_pki.raw.to_vec(), info.subject.as_raw().to_vec());
    for extension in request.requested_extensions().into_iter().flatten() {
        wish.take(extension)?;
    }
    Ok(wish)
}

/// MD2 and MD5 prove nothing any more. SHA-1 does here: nobody but the holder of the key could choose both messages of a collision.
fn is_accepted(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    !matches!(
        algorithm.algorithm.to_id_string().as_str(),
        "1.2.840.113549.1.1.2" | "1.2.840.113549.1.1.4"
    )
}

fn public_key(info: &[u8]) -> Result<PKey<Public>> {
    PKey::public_key_from_der(info).map_err(|_| Error::Request)
}

/// One message of RFC 4211, with the proof by signature of §4.1 over the request itself.
fn crmf(der: &[u8]) -> Result<Wish> {
    read_crmf(der).ok_or(Error::Request)?
}

fn read_crmf(der: &[u8]) -> Option<Result<Wish>> {
    /// Context tags of `CertTemplate` (RFC 4211 §5): a Name, being a choice, is tagged explicitly, the others are not.
    const SUBJECT: u8 = 0xA5;
    const PUBLIC_KEY: u8 = 0xA6;
    const EXTENSIONS: u8 = 0xA9;
    /// `ProofOfPossession`: a signature.
    const SIGNATURE: u8 = 0xA1;

    let messages = Element::only(der, SEQUENCE)?.children()?;
    let [message] = messages.as_slice() else { return None };
    let parts = Element::only(message.whole, SEQUENCE)?.children()?;
    let (request, proof) = (parts.first()?, parts.get(1)?);
    let fields = Element::only(request.whole, SEQUENCE)?.children()?;
    let template = Element::only(fields.get(1)?.whole, SEQUENCE)?.children()?;
    let field = |tag: u8| template.iter().find(|field| field.tag == tag);
    let key_info = element(SEQUENCE, field(PUBLIC_KEY)?.content);
    // Without `poposkInput`, which is for templates without subject or key.
    let signed = Element::only(proof.whole, SIGNATURE)?.children()?;
    let [algorithm, signature] = signed.as_slice() else {
        return None;
    };
    let signature = Element::only(signature.whole, 0x03)?.content.strip_prefix(&[0])?;
    if !verifies(&key_info, algorithm.whole, request.whole, signature)? {
        return None;
    }
    let subject = match field(SUBJECT) {
        Some(name) => Element::only(name.content, SEQUENCE)?.whole.to_vec(),
        None => element(SEQUENCE, &[]),
    };
    let mut wish = Wish::new(key_info, subject);
    for extension in field(EXTENSIONS).map_or(Some(Vec::new()), |list| list.children())? {
        let (_, extension) = X509Extension::from_der(extension.whole).ok()?;
        if let Err(why) = wish.take(extension.parsed_extension()) {
            return Some(Err(why));
        }
    }
    Some(Ok(wish))
}

/// Whether a key verifies a signature by the algorithm of an `AlgorithmIdentifier`; `None` for algorithms without a fixed digest.
fn verifies(key_info: &[u8], algorithm: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
    let key = public_key(key_info).ok()?;
    let (_, algorithm) = AlgorithmIdentifier::from_der(algorithm).ok()?;
    let (id, digest) = match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.5" => (Id::RSA, MessageDigest::sha1()),
        "1.2.840.113549.1.1.14" => (Id::RSA, MessageDigest::sha224()),
        "1.2.840.113549.1.1.11" => (Id::RSA, MessageDigest::sha256()),
        "1.2.840.113549.1.1.12" => (Id::RSA, MessageDigest::sha384()),
        "1.2.840.113549.1.1.13" => (Id::RSA, MessageDigest::sha512()),
        "1.2.840.10045.4.1" => (Id::EC, MessageDigest::sha1()),
        "1.2.840.10045.4.3.1" => (Id::EC, MessageDigest::sha224()),
        "1.2.840.10045.4.3.2" => (Id::EC, MessageDigest::sha256()),
        "1.2.840.10045.4.3.3" => (Id::EC, MessageDigest::sha384()),
        "1.2.840.10045.4.3.4" => (Id::EC, MessageDigest::sha512()),
        "1.2.840.10040.4.3" => (Id::DSA, MessageDigest::sha1()),
        "2.16.840.1.101.3.4.3.2" => (Id::DSA, MessageDigest::sha256()),
        "1.3.101.112" | "1.3.101.113" => {
            let verifier = Verifier::new_without_digest(&key);
            return verifier.and_then(|mut v| v.verify_oneshot(signature, message)).ok();
        }
        _ => return None,
    };
    if key.id() != id {
        return None;
    }
    let verifier = Verifier::new(digest, &key);
    verifier.and_then(|mut v| v.verify_oneshot(signature, message)).ok()
}
