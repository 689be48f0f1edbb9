//! Keys in tokens and cards, by PKCS#11: they sign handshakes and votes, and never leave.

use super::uri::Uri;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::private;
use crate::custody::token::find_module;
use certs::{CertificateFacts, Signer, SigningKind as Kind};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use ring::digest;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::SigningKey;
use rustls::{SignatureAlgorithm, SignatureScheme};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The module, where the name of a key tells none.
const MODULE: &str = "CLAVIGER_CLIENT_PKCS11_MODULE";
/// The PIN, where the name of a key tells no file of it.
const PIN: &str = "CLAVIGER_CLIENT_PIN";

/// P-256 and P-384 as CKA_EC_PARAMS has them: object identifiers in DER.
const P256: &[u8] = &[0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22];

/// A key in a token, logged in to for as long as the command runs.
pub(super) struct TokenKey {
    session: Mutex<Session>,
    key: ObjectHandle,
    kind: Kind,
    public: Vec<u8>,
}

/// Tokens that were opened already: a module is initialised once for a process, and the PIN is asked for once.
static OPEN: Mutex<Vec<(String, Arc<TokenKey>)>> = Mutex::new(Vec::new());

/// The key of this name, which is to be that of the certificate (DER).
pub(super) fn key(uri: &Uri, certificate: &[u8]) -> Outcome<Arc<TokenKey>> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, key)) = open.iter().find(|(text, _)| *text == uri.text) {
        return Ok(Arc::clone(key));
    }
    let facts = CertificateFacts::read(certificate).map_err(|why| why.to_string())?;
    let kind = Kind::of(&facts.public_key.info);
    let session = log_in(uri, false)?;
    let key = find(&session, uri, ObjectClass::PRIVATE_KEY)?.ok_or_else(|| missing(uri))?;
    let made = Arc::new(TokenKey {
        session: Mutex::new(session),
        key,
        kind: kind.ok_or_else(|| Failure::usage("votes are signed with keys on P-256 or P-384, RSA or Ed25519"))?,
        public: facts.public_key.info,
    });
    // Before anything is signed with it: that it is the right one.
    let probe = b"claviger: whose key is this?";
    let signed = made.sign(probe).map_err(|why| why.to_string())?;
    if certs::verify_by_holder(certificate, probe, &signed).is_err() {
        let text = format!("{}: this key is not that of the certificate", uri.text);
        return Err(Failure::usage(text));
    }
    open.push((uri.text.clone(), Arc::clone(&made)));
    Ok(made)
}

/// The key of this name, made on P-256 if there is none.
pub(super) fn make(uri: &Uri) -> Outcome<Arc<TokenKey>> {
    let session = log_in(uri, true)?;
    if find(&session, uri, ObjectClass::PRIVATE_KEY)?.is_none() {
        generate(&session, uri)?;
    }
    let key = find(&session, uri, ObjectClass::PRIVATE_KEY)?.ok_or_else(|| missing(uri))?;
    let public = find(&session, uri, ObjectClass::PUBLIC_KEY)?.ok_or_else(|| {
        Failure::usage(format!(
            "{}: the token does not tell the public key; make the certificate with its maker's tools",
            uri.text
        ))
    })?;
    let (kind, info) = public_key(&session, public)?;
    Ok(Arc::new(TokenKey {
        session: Mutex::new(session),
        key,
        kind,
        public: info,
    }))
}

fn generate(session: &Session, uri: &Uri) -> Outcome<()> {
    let id = match &uri.id {
        Some(id) => id.clone(),
        None => private::random::<8>()?.to_vec(),
    };
    let label = uri.object.clone().unwrap_or_default().into_bytes();
    let both = [Attribute::Token(true), Attribute::Label(label), Attribute::Id(id)];
    let public = [Attribute::Verify(true), Attribute::EcParams(P256.to_vec())];
    let secret = [
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ];
    let with = |own: &[Attribute]| [&both[..], own].concat();
    let made = session.generate_key_pair(&Mechanism::EccKeyPairGen, &with(&public), &with(&secret));
    made.map(|_| ()).map_err(|why| problem(uri, &why))
}

/// Finds the token and logs in. A wrong PIN is sent once.
fn log_in(uri: &Uri, writing: bool) -> Outcome<Session> {
    let problem = |why: Error| problem(uri, &why);
    let module = Pkcs11::new(module(uri)?).map_err(problem)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(why) => return Err(problem(why)),
    }
    let slot = slot(&module, uri)?;
    let token = module.get_token_info(slot).map_err(problem)?;
    let session = if writing {
        module.open_rw_session(slot)
    } else {
        module.open_ro_session(slot)
    };
    let session = session.map_err(problem)?;
    if !token.login_required() {
        return Ok(session);
    }
    let pin = if token.protected_authentication_path() {
        None
    } else {
        let pin = pin(uri, token.label())?;
        Some(cryptoki::types::AuthPin::new(pin.expose().into()))
    };
    match session.login(UserType::User, pin.as_ref()) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(why) => Err(problem(why)),
    }
}

fn module(uri: &Uri) -> Outcome<PathBuf> {
    let named = uri
        .module
        .clone()
        .or_else(|| std::env::var_os(MODULE).map(PathBuf::from));
    let named = named.ok_or_else(|| {
        Failure::usage(format!(
            "{}: which PKCS#11 module? Give ?module-path=/… in the name, or set {MODULE}",
            uri.text
        ))
    })?;
    let found = find_module(&named.to_string_lossy());
    found.ok_or_else(|| Failure::usage(format!("no PKCS#11 module {}", named.display())))
}

fn pin(uri: &Uri, label: &str) -> Outcome<kmip_protocol::SecretText> {
    if uri.pin.is_none()
        && let Ok(pin) = std::env::var(PIN)
    {
        return Ok(kmip_protocol::SecretText::new(&zeroize::Zeroizing::new(pin)));
    }
    private::secret(
        uri.pin.as_deref(),
        &format!("PIN of the token {}", label.escape_debug()),
    )
}

/// The one token that the name fits.
fn slot(module: &Pkcs11, uri: &Uri) -> Outcome<Slot> {
    let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    let mut found = Vec::new();
    for slot in module
        .get_slots_with_initialized_token()
        .map_err(|why| problem(uri, &why))?
    {
        // A slot that cannot tell is not ours.
        let Ok(token) = module.get_token_info(slot) else {
            continue;
        };
        if fits(&uri.token, token.label())
            && fits(&uri.serial, token.serial_number())
            && fits(&uri.manufacturer, token.manufacturer_id())
            && fits(&uri.model, token.model())
        {
            found.push(slot);
        }
    }
    match found.as_slice() {
        [slot] => Ok(*slot),
        [] => Err(Failure::new(
            Exit::NotFound,
            format!("{}: there is no such token", uri.text),
        )),
        _ => Err(Failure::usage(format!(
            "{}: several tokens fit; name one by serial=…",
            uri.text
        ))),
    }
}

/// The one object of that class that the name fits.
fn find(session: &Session, uri: &Uri, class: ObjectClass) -> Outcome<Option<ObjectHandle>> {
    let mut template = vec![Attribute::Class(class), Attribute::Token(true)];
    template.extend(uri.object.clone().map(|label| Attribute::Label(label.into_bytes())));
    template.extend(uri.id.clone().map(Attribute::Id));
    let found = session.find_objects(&template).map_err(|why| problem(uri, &why))?;
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(Failure::usage(format!(
            "{}: several keys fit; name one by id=…",
            uri.text
        ))),
    }
}

/// A public key on a curve, as its object tells it.
fn public_key(session: &Session, object: ObjectHandle) -> Outcome<(Kind, Vec<u8>)> {
    let unknown = || Failure::usage("the key in the token is none on P-256 or P-384");
    let wanted = [AttributeType::KeyType, AttributeType::EcParams, AttributeType::EcPoint];
    let told = session.get_attributes(object, &wanted).map_err(|_| unknown())?;
    let (mut curve, mut point) = (None, None);
    for attribute in told {
        match attribute {
            Attribute::KeyType(kind) if kind != KeyType::EC => return Err(unknown()),
            Attribute::EcParams(parameters) if parameters == P256 => curve = Some((Kind::P256, Nid::X9_62_PRIME256V1)),
            Attribute::EcParams(parameters) if parameters == P384 => curve = Some((Kind::P384, Nid::SECP384R1)),
            Attribute::EcPoint(bytes) => point = Some(bytes),
            _ => {}
        }
    }
    let ((kind, nid), point) = curve.zip(point).ok_or_else(unknown)?;
    // An OCTET STRING around the point (PKCS#11 3.0 §6.3.3), which some modules leave out.
    let raw = match point.as_slice() {
        [0x04, length, raw @ ..] if usize::from(*length) == raw.len() => raw,
        raw => raw,
    };
    let info = spki(nid, raw).map_err(|_| unknown())?;
    Ok((kind, info))
}

fn spki(nid: Nid, point: &[u8]) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let group = EcGroup::from_curve_name(nid)?;
    let mut context = openssl::bn::BigNumContext::new()?;
    let point = EcPoint::from_bytes(&group, point, &mut context)?;
    PKey::from_ec_key(EcKey::from_public_key(&group, &point)?)?.public_key_to_der()
}

fn missing(uri: &Uri) -> Failure {
    Failure::new(
        Exit::NotFound,
        format!("{}: there is no such key in the token", uri.text),
    )
}

fn problem(uri: &Uri, why: &Error) -> Failure {
    let exit = match why {
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinLocked | RvError::PinExpired | RvError::PinLenRange, _) => {
            Exit::Authentication
        }
        _ => Exit::Error,
    };
    Failure::new(exit, format!("{}: {why}", uri.text))
}

impl TokenKey {
    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let sha256 = digest::digest(&digest::SHA256, message);
        match self.kind {
            Kind::P256 => session.sign(&Mechanism::Ecdsa, self.key, sha256.as_ref()),
            Kind::P384 => {
                let sha384 = digest::digest(&digest::SHA384, message);
                session.sign(&Mechanism::Ecdsa, self.key, sha384.as_ref())
            }
            Kind::Rsa => {
                let parameters = PkcsPssParams {
                    hash_alg: MechanismType::SHA256,
                    mgf: PkcsMgfType::MGF1_SHA256,
                    s_len: 32.into(),
                };
                session.sign(&Mechanism::RsaPkcsPss(parameters), self.key, sha256.as_ref())
            }
            Kind::Ed25519 => {
                let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519));
                session.sign(&pure, self.key, message)
            }
        }
    }
}

impl Signer for TokenKey {
    fn public_key_info(&self) -> Vec<u8> {
        self.public.clone()
    }

    fn sign(&self, message: &[u8]) -> certs::Result<Vec<u8>> {
        let raw = self.signature(message).map_err(|_| certs::Error::Cryptography)?;
        match self.kind {
            Kind::P256 | Kind::P384 => der(&raw).map_err(|_| certs::Error::Cryptography),
            Kind::Rsa | Kind::Ed25519 => Ok(raw),
        }
    }
}

/// An ECDSA signature in DER; tokens give its two numbers one after the other (PKCS#11 3.0 §6.3.1).
fn der(raw: &[u8]) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let (r, s) = raw.split_at(raw.len() / 2);
    EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?.to_der()
}

/// A key in a token as TLS signs with it.
pub(super) struct TlsKey(pub(super) Arc<TokenKey>);

impl TlsKey {
    fn scheme_of(&self) -> SignatureScheme {
        match self.0.kind {
            Kind::P256 => SignatureScheme::ECDSA_NISTP256_SHA256,
            Kind::P384 => SignatureScheme::ECDSA_NISTP384_SHA384,
            Kind::Rsa => SignatureScheme::RSA_PSS_SHA256,
            Kind::Ed25519 => SignatureScheme::ED25519,
        }
    }
}

impl std::fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsKey")
    }
}

impl SigningKey for TlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        let fits = offered.contains(&self.scheme_of());
        fits.then(|| -> Box<dyn rustls::sign::Signer> { Box::new(Self(Arc::clone(&self.0))) })
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(self.0.public.as_slice().into())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.kind {
            Kind::P256 | Kind::P384 => SignatureAlgorithm::ECDSA,
            Kind::Rsa => SignatureAlgorithm::RSA,
            Kind::Ed25519 => SignatureAlgorithm::ED25519,
        }
    }
}

impl rustls::sign::Signer for TlsKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.0
            .sign(message)
            .map_err(|_| rustls::Error::General("the token did not sign".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme_of()
    }
}
