//! Trials of what a token can do, in a worker of their own. Every key that they make ends with its session but one, by which is found
//! out whether a login may make what stays: it has an identifier of its own, by which the next trial finds it if one was interrupted.

use cryptoki_sys::*;
use openssl::bn::BigNumContext;
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use ring::rand::SecureRandom;

use super::engine::{Engine, Fault, Seat};
use super::protocol::{FrameReader, FrameWriter, Role, Status, Trial};
use crate::custody::pkcs11::{Mechanism, Module, Outcome, Property, Rv};
use crate::custody::probe::{Feature, Finding, PairScheme, TokenIdentity};
use crate::custody::protected::envelope;

/// The CKA_ID of the key that a trial leaves in the token for a moment. Longer than those of KEKs.
const PASSING: &[u8] = b"claviger trial, may be destroyed";
/// Authenticated data of the length that wrapped keys have.
const AAD: [u8; 58] = [0x61; 58];
const PLAIN: [u8; 32] = [0x5a; 32];

/// Answers one trial: what it found, as [`crate::custody::probe`] encodes it.
pub(super) fn handle(
    engine: &Engine,
    seat: &mut Seat,
    mut fields: FrameReader<'_>,
    answer: &mut FrameWriter,
) -> Result<(), Fault> {
    if !matches!(engine.role(), Role::Examination | Role::Management) {
        return Err(Fault::new(Status::Misfit));
    }
    let (trial, [feature], wanted) = (fields.trial()?, fields.raw()?, u16::from_be_bytes(fields.raw()?));
    fields.end()?;
    match trial {
        Trial::Identity => Ok(answer.raw(&identity(engine)?.encode()?)?),
        Trial::Sessions => {
            let opened =
                engine.with_session(seat, &mut |login, _| Ok(sessions(&engine.module, login.slot(), wanted)))?;
            Ok(answer.raw(&opened.to_be_bytes())?)
        }
        Trial::Feature => {
            let feature = Feature::from_number(feature)?;
            // What is found is the answer, whatever it is: the ladder is for what is to work.
            let found = engine.with_session(seat, &mut |login, session| {
                Ok(findings(&engine.module, login.slot(), session, feature))
            })?;
            for (feature, finding) in found {
                answer.raw(&[feature.number()])?;
                answer.raw(&finding.encode())?;
            }
            Ok(())
        }
        Trial::Make | Trial::Destroy => {
            let found = engine.with_session(seat, &mut |login, _| {
                let step = |session| match trial {
                    Trial::Make => make(&engine.module, session).map(|_| true),
                    _ => clear(&engine.module, session),
                };
                Ok(told(writing(&engine.module, login.slot(), step)))
            })?;
            Ok(answer.raw(&found.encode())?)
        }
    }
}

fn told(outcome: Outcome<bool>) -> Finding {
    match outcome {
        Ok(true) => Finding::Works,
        Ok(false) => Finding::Wrong,
        Err(rv) => Finding::Fails(rv.0),
    }
}

/// What the token says of itself: asked without a login, so that a PIN on its last try is seen and not sent.
fn identity(engine: &Engine) -> Result<TokenIdentity, Fault> {
    let facts = engine.token_facts()?;
    Ok(TokenIdentity {
        serial: facts.serial,
        manufacturer: facts.manufacturer,
        model: facts.model,
        firmware: facts.firmware,
        hardware: facts.hardware,
        pin: facts.pin,
        most_sessions: facts.most_sessions,
    })
}

/// How many sessions of those wanted can be open at once.
fn sessions(module: &Module, slot: CK_SLOT_ID, wanted: u16) -> u16 {
    let mut opened = Vec::new();
    // The one that asks is open already.
    while opened.len() + 1 < usize::from(wanted) {
        match module.open_session(slot, false) {
            Ok(session) => opened.push(session),
            Err(_) => break,
        }
    }
    let count = u16::try_from(opened.len() + 1).unwrap_or(wanted);
    opened.into_iter().for_each(|session| module.close_session(session));
    count
}

/// Tries a feature, and those for which the same key serves.
fn findings(
    module: &Module,
    slot: CK_SLOT_ID,
    session: CK_SESSION_HANDLE,
    feature: Feature,
) -> Vec<(Feature, Finding)> {
    if feature != Feature::OaepSha1 {
        return vec![(feature, told(self::feature(module, slot, session, feature)))];
    }
    // An RSA key pair takes a token its time.
    let mut bench = Bench::new(module, session);
    let hashes = [
        (Feature::OaepSha1, PairScheme::OaepSha1),
        (Feature::OaepSha256, PairScheme::OaepSha256),
    ];
    match bench.rsa_pair() {
        Ok(pair) => hashes
            .map(|(feature, scheme)| (feature, told(bench.oaep(pair, scheme))))
            .to_vec(),
        Err(rv) => hashes.map(|(feature, ..)| (feature, Finding::Fails(rv.0))).to_vec(),
    }
}

fn feature(module: &Module, slot: CK_SLOT_ID, session: CK_SESSION_HANDLE, feature: Feature) -> Outcome<bool> {
    let mut bench = Bench::new(module, session);
    match feature {
        Feature::GcmHostNonce => bench.gcm(true),
        Feature::GcmTokenNonce => bench.gcm(false),
        Feature::CbcHmac => bench.cbc_hmac(),
        Feature::EcdhP256 => bench.ecdh(Nid::X9_62_PRIME256V1),
        Feature::EcdhP384 => bench.ecdh(Nid::SECP384R1),
        Feature::EcdhP521 => bench.ecdh(Nid::SECP521R1),
        Feature::KeyWrap => bench.key_wrap(),
        Feature::Random => bench.random(),
        Feature::SessionKeys => bench.aes(&[Property::Is(CKA_ENCRYPT, true)]).map(|_| true),
        Feature::UsageCreates => writing(module, slot, |session| {
            let key = make(module, session)?;
            // A key that this login made and cannot destroy is found by the next trial.
            let _ = module.destroy(session, key);
            Ok(true)
        }),
        // Found out in more than one step, or with another.
        Feature::OaepSha1 | Feature::OaepSha256 | Feature::UsageDestroys | Feature::ManagementManages => {
            Err(Rv::UNSUPPORTED)
        }
    }
}

/// Runs a step in a session that may write, so that what is refused is refused to the login and not to the session.
fn writing<T>(module: &Module, slot: CK_SLOT_ID, step: impl FnOnce(CK_SESSION_HANDLE) -> Outcome<T>) -> Outcome<T> {
    let session = module.open_session(slot, true)?;
    let outcome = step(session);
    module.close_session(session);
    outcome
}

/// Makes a key that stays in the token.
fn make(module: &Module, session: CK_SESSION_HANDLE) -> Outcome<CK_OBJECT_HANDLE> {
    // One that cannot be destroyed is not joined by another.
    clear(module, session)?;
    let properties = [
        Property::Number(CKA_CLASS, CKO_SECRET_KEY),
        Property::Number(CKA_KEY_TYPE, CKK_AES),
        Property::Number(CKA_VALUE_LEN, 32),
        Property::Is(CKA_TOKEN, true),
        Property::Is(CKA_PRIVATE, true),
        Property::Is(CKA_SENSITIVE, true),
        Property::Is(CKA_EXTRACTABLE, false),
        Property::Bytes(CKA_LABEL, b"claviger trial"),
        Property::Bytes(CKA_ID, PASSING),
    ];
    module.make_key(session, CKM_AES_KEY_GEN, &properties)
}

/// Destroys what trials have left. Whether there was any, and none is left.
fn clear(module: &Module, session: CK_SESSION_HANDLE) -> Outcome<bool> {
    let mut destroyed = false;
    // Each search shows two at most.
    for _ in 0..8 {
        let found = module.find(session, PASSING)?;
        if found.is_empty() {
            return Ok(destroyed);
        }
        for key in found {
            module.destroy(session, key)?;
            destroyed = true;
        }
    }
    Ok(false)
}

/// What a trial works with; the keys that it makes go when it is over.
struct Bench<'a> {
    module: &'a Module,
    session: CK_SESSION_HANDLE,
    made: Vec<CK_OBJECT_HANDLE>,
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        for key in self.made.drain(..) {
            // It ends with the session in any case.
            let _ = self.module.destroy(self.session, key);
        }
    }
}

impl<'a> Bench<'a> {
    fn new(module: &'a Module, session: CK_SESSION_HANDLE) -> Self {
        Self {
            module,
            session,
            made: Vec::new(),
        }
    }

    fn keep(&mut self, made: Outcome<CK_OBJECT_HANDLE>) -> Outcome<CK_OBJECT_HANDLE> {
        let key = made?;
        self.made.push(key);
        Ok(key)
    }

    fn secret(
        &mut self,
        mechanism: CK_MECHANISM_TYPE,
        kind: CK_KEY_TYPE,
        uses: &[Property<'_>],
    ) -> Outcome<CK_OBJECT_HANDLE> {
        let mut properties = vec![
            Property::Number(CKA_CLASS, CKO_SECRET_KEY),
            Property::Number(CKA_KEY_TYPE, kind),
            Property::Number(CKA_VALUE_LEN, 32),
            Property::Is(CKA_TOKEN, false),
            Property::Is(CKA_PRIVATE, true),
        ];
        properties.extend_from_slice(uses);
        self.keep(self.module.make_key(self.session, mechanism, &properties))
    }

    fn aes(&mut self, uses: &[Property<'_>]) -> Outcome<CK_OBJECT_HANDLE> {
        self.secret(CKM_AES_KEY_GEN, CKK_AES, uses)
    }

    fn ciphering(&mut self) -> Outcome<CK_OBJECT_HANDLE> {
        self.aes(&[
            Property::Is(CKA_SENSITIVE, true),
            Property::Is(CKA_EXTRACTABLE, false),
            Property::Is(CKA_ENCRYPT, true),
            Property::Is(CKA_DECRYPT, true),
        ])
    }

    fn gcm(&mut self, nonce_of_host: bool) -> Outcome<bool> {
        let key = self.ciphering()?;
        let mut nonce = [0; 12];
        if nonce_of_host {
            fill(&mut nonce)?;
        }
        let (mut sealed, mut opened) = ([0; 80], [0; 80]);
        let mechanism = Mechanism::Gcm {
            nonce: &mut nonce,
            aad: &AAD,
        };
        let length = self
            .module
            .encrypt_by(self.session, mechanism, key, &PLAIN, &mut sealed)?;
        // A token that leaves the zeros where they are has used them.
        if length != PLAIN.len() + 16 || nonce == [0; 12] {
            return Ok(false);
        }
        let mut open = |sealed: &[u8]| {
            let mechanism = Mechanism::Gcm {
                nonce: &mut nonce.clone(),
                aad: &AAD,
            };
            let length = self
                .module
                .decrypt_by(self.session, mechanism, key, sealed, &mut opened)?;
            Ok::<_, Rv>(opened.get(..length) == Some(&PLAIN[..]))
        };
        let (sealed, _) = sealed.split_at_mut(length);
        if !open(sealed)? {
            return Ok(false);
        }
        if let Some(byte) = sealed.last_mut() {
            *byte ^= 1;
        }
        Ok(open(sealed).is_err())
    }

    fn cbc_hmac(&mut self) -> Outcome<bool> {
        let key = self.ciphering()?;
        let mac_key = self.secret(
            CKM_GENERIC_SECRET_KEY_GEN,
            CKK_GENERIC_SECRET,
            &[
                Property::Is(CKA_SENSITIVE, true),
                Property::Is(CKA_EXTRACTABLE, false),
                Property::Is(CKA_SIGN, true),
            ],
        )?;
        let mut vector = [0; 16];
        fill(&mut vector)?;
        let cbc = || Mechanism::Vector(CKM_AES_CBC, &vector);
        let (mut sealed, mut opened) = ([0; 64], [0; 64]);
        let length = self.module.encrypt_by(self.session, cbc(), key, &PLAIN, &mut sealed)?;
        let sealed = sealed.get(..length).unwrap_or_default();
        let mac = |input: &[u8]| {
            let mut mac = [0; 64];
            let length = self
                .module
                .sign(self.session, CKM_SHA256_HMAC, mac_key, input, &mut mac)?;
            Ok::<_, Rv>(mac.get(..length).unwrap_or_default().to_vec())
        };
        let (first, again, other) = (mac(sealed)?, mac(sealed)?, mac(&PLAIN)?);
        let length = self.module.decrypt_by(self.session, cbc(), key, sealed, &mut opened)?;
        let opened = opened.get(..length) == Some(&PLAIN[..]);
        Ok(opened && sealed != PLAIN && first.len() == 32 && first == again && first != other)
    }

    /// Makes an RSA key pair: public key, private key.
    fn rsa_pair(&mut self) -> Outcome<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        let public = [
            Property::Is(CKA_TOKEN, false),
            Property::Is(CKA_ENCRYPT, true),
            Property::Number(CKA_MODULUS_BITS, 3072),
            Property::Bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1]),
        ];
        let private = [
            Property::Is(CKA_TOKEN, false),
            Property::Is(CKA_PRIVATE, true),
            Property::Is(CKA_SENSITIVE, true),
            Property::Is(CKA_EXTRACTABLE, false),
            Property::Is(CKA_DECRYPT, true),
        ];
        let pair = self
            .module
            .make_pair(self.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private)?;
        self.made.extend([pair.0, pair.1]);
        Ok(pair)
    }

    /// Encrypts here, to the token's public key, and has the token decrypt.
    fn oaep(&mut self, pair: (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE), scheme: PairScheme) -> Outcome<bool> {
        let modulus = self.module.read(self.session, pair.0, CKA_MODULUS)?;
        let exponent = self.module.read(self.session, pair.0, CKA_PUBLIC_EXPONENT)?;
        let sealed = envelope::encrypt_to(scheme, &modulus, &exponent, &PLAIN).map_err(|_| Rv::UNSUPPORTED)?;
        let mut opened = [0; 512];
        let length = self
            .module
            .decrypt_by(self.session, Mechanism::oaep(scheme), pair.1, &sealed, &mut opened)?;
        Ok(opened.get(..length) == Some(&PLAIN[..]))
    }

    /// Agrees with a passing key of ours.
    fn ecdh(&mut self, curve: Nid) -> Outcome<bool> {
        let group = EcGroup::from_curve_name(curve).map_err(|_| Rv::UNSUPPORTED)?;
        let public = [
            Property::Is(CKA_TOKEN, false),
            Property::Bytes(CKA_EC_PARAMS, curve_name(curve)),
        ];
        let private = [
            Property::Is(CKA_TOKEN, false),
            Property::Is(CKA_PRIVATE, true),
            Property::Is(CKA_SENSITIVE, true),
            Property::Is(CKA_EXTRACTABLE, false),
            Property::Is(CKA_DERIVE, true),
        ];
        let pair = self
            .module
            .make_pair(self.session, CKM_EC_KEY_PAIR_GEN, &public, &private)?;
        self.made.extend([pair.0, pair.1]);
        let point = self.module.read(self.session, pair.0, CKA_EC_POINT)?;
        let (ours, expected) = agree(&group, &point).map_err(|_| Rv::UNSUPPORTED)?;
        let derived = [
            Property::Number(CKA_CLASS, CKO_SECRET_KEY),
            Property::Number(CKA_KEY_TYPE, CKK_GENERIC_SECRET),
            Property::Number(CKA_VALUE_LEN, CK_ULONG::try_from(expected.len()).unwrap_or(0)),
            Property::Is(CKA_TOKEN, false),
            Property::Is(CKA_SENSITIVE, false),
            Property::Is(CKA_EXTRACTABLE, true),
        ];
        let derived = self
            .module
            .derive(self.session, Mechanism::Ecdh(&ours), pair.1, &derived);
        let derived = self.keep(derived)?;
        Ok(self.module.read(self.session, derived, CKA_VALUE)? == expected)
    }

    /// Wraps a key and unwraps it; both then encrypt alike.
    fn key_wrap(&mut self) -> Outcome<bool> {
        let wrapping = self.aes(&[Property::Is(CKA_WRAP, true), Property::Is(CKA_UNWRAP, true)])?;
        let key = self.aes(&[Property::Is(CKA_EXTRACTABLE, true), Property::Is(CKA_ENCRYPT, true)])?;
        let mut wrapped = [0; 64];
        let length = self
            .module
            .wrap_key(self.session, CKM_AES_KEY_WRAP, wrapping, key, &mut wrapped)?;
        let properties = [
            Property::Number(CKA_CLASS, CKO_SECRET_KEY),
            Property::Number(CKA_KEY_TYPE, CKK_AES),
            Property::Is(CKA_TOKEN, false),
            Property::Is(CKA_PRIVATE, true),
            Property::Is(CKA_ENCRYPT, true),
        ];
        let wrapped = wrapped.get(..length).unwrap_or_default();
        let again = self
            .module
            .unwrap_key(self.session, CKM_AES_KEY_WRAP, wrapping, wrapped, &properties);
        let again = self.keep(again)?;
        let (mut first, mut second) = ([0; 64], [0; 64]);
        for (key, out) in [(key, &mut first), (again, &mut second)] {
            let mechanism = Mechanism::Vector(CKM_AES_CBC, &[0; 16]);
            self.module.encrypt_by(self.session, mechanism, key, &PLAIN, out)?;
        }
        Ok(length == 40 && first == second)
    }

    fn random(&mut self) -> Outcome<bool> {
        let (mut first, mut second) = ([0; 64], [0; 64]);
        self.module.random(self.session, &mut first)?;
        self.module.random(self.session, &mut second)?;
        Ok(first != second && first != [0; 64])
    }
}

fn fill(bytes: &mut [u8]) -> Outcome<()> {
    ring::rand::SystemRandom::new().fill(bytes).map_err(|_| Rv::UNSUPPORTED)
}

/// The curve's object identifier, as CKA_EC_PARAMS takes it.
fn curve_name(curve: Nid) -> &'static [u8] {
    match curve {
        Nid::SECP384R1 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
        Nid::SECP521R1 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
        _ => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    }
}

/// Our point, and what both sides come to. Tokens give their point as an OCTET STRING, as PKCS#11 says, or bare.
fn agree(group: &EcGroup, point: &[u8]) -> Result<(Vec<u8>, Vec<u8>), openssl::error::ErrorStack> {
    let mut context = BigNumContext::new()?;
    let bare = match point {
        [0x04, 0x81, _, bare @ ..] | [0x04, _, bare @ ..] if bare.first() == Some(&0x04) && bare.len() % 2 == 1 => bare,
        bare => bare,
    };
    let theirs = EcPoint::from_bytes(group, bare, &mut context)?;
    let theirs = PKey::from_ec_key(EcKey::from_public_key(group, &theirs)?)?;
    let ours = EcKey::generate(group)?;
    let public = ours
        .public_key()
        .to_bytes(group, PointConversionForm::UNCOMPRESSED, &mut context)?;
    let ours = PKey::from_ec_key(ours)?;
    let mut deriver = Deriver::new(&ours)?;
    deriver.set_peer(&theirs)?;
    Ok((public, deriver.derive_to_vec()?))
}
