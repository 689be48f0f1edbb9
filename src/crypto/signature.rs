//! Signatures: made and verified, whole or in parts, over data or over its digest (KMIP 2.1 §6.1.55, §6.1.56).
//!
//! RSA, DSA and ECDSA sign a hash, which is kept here while parts come in. The others sign the message itself, so it is
//! held until the end. ECDSA and DSA signatures are in DER (RFC 3279).

use super::error::{CryptoError, internal, or};
use super::fetch;
use super::hash::HashContext;
use super::key::{KeyKind, PrivateKey, PublicKey};
use super::native;
use super::parameters::{count, mask_hash};
use super::post_quantum;
use kmip_protocol::{
    CryptographicAlgorithm, CryptographicParameters, DigitalSignatureAlgorithm as Digital, HashingAlgorithm,
    PaddingMethod,
};
use openssl::md_ctx::MdCtx;
use openssl::pkey::{Private, Public};
use openssl::pkey_ctx::{PkeyCtx, PkeyCtxRef};
use openssl::rsa::Padding;
use openssl::sign::RsaPssSaltlen;

/// Messages that must be held whole are refused above this: no request is longer.
const MOST_BYTES: usize = 1 << 30;
/// `RSA_X931_PADDING` of `openssl/rsa.h`.
const X931: i32 = 5;
/// `RSA_PSS_SALTLEN_AUTO`: whatever length the signature shows.
const ANY_SALT: i32 = -2;

/// How a signature is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017). Without a hash, what is signed is taken as it is, without a DigestInfo.
    RsaPkcs1(Option<HashingAlgorithm>),
    /// RSA with the padding of ANSI X9.31.
    RsaX931(HashingAlgorithm),
    /// RSASSA-PSS (RFC 8017).
    RsaPss {
        /// The hash of the message.
        hash: HashingAlgorithm,
        /// The hash of the mask generator, if one is named.
        mask_hash: Option<HashingAlgorithm>,
        /// The length of the salt in bytes, if one is named.
        salt: Option<i32>,
    },
    /// ECDSA or DSA (FIPS 186-5) over this hash, or over a digest of whatever hash.
    Digest(Option<HashingAlgorithm>),
    /// The algorithm signs messages (EdDSA, ML-DSA, SLH-DSA).
    Message,
}

impl SignatureScheme {
    /// The scheme that the parameters ask for with a key of this kind.
    ///
    /// A mask generator's hash that is not named is the message's for PSS, although the specification's default is
    /// SHA-1: the published cases and the clients sign so. Verification takes either.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] if such a key does not sign; [`CryptoError::BadParameters`] if the parameters contradict
    /// the key or each other; [`CryptoError::Unsupported`].
    pub fn choose(parameters: &CryptographicParameters, kind: KeyKind) -> Result<Self, CryptoError> {
        if parameters
            .cryptographic_algorithm
            .is_some_and(|named| !kind.is_called(named))
        {
            return Err(CryptoError::BadParameters);
        }
        match kind {
            KeyKind::Rsa => Self::choose_rsa(parameters),
            KeyKind::Dsa => digest_scheme(parameters, CryptographicAlgorithm::DSA),
            KeyKind::Ec(_) => digest_scheme(parameters, CryptographicAlgorithm::ECDSA),
            KeyKind::Edwards(_) | KeyKind::PostQuantumSignature(_) => {
                let names_another = parameters.digital_signature_algorithm.is_some();
                if names_another {
                    Err(CryptoError::BadParameters)
                } else {
                    Ok(Self::Message)
                }
            }
            KeyKind::Dh | KeyKind::Montgomery(_) | KeyKind::Encapsulation(_) => Err(CryptoError::BadKey),
        }
    }

    fn choose_rsa(parameters: &CryptographicParameters) -> Result<Self, CryptoError> {
        let digital = parameters.digital_signature_algorithm.map(parts).transpose()?;
        let named = match digital {
            Some((CryptographicAlgorithm::RSA, hash)) => hash,
            Some(_) => return Err(CryptoError::BadParameters),
            None => None,
        };
        let hash = agree(named, parameters.hashing_algorithm)?;
        let is_pss = parameters.digital_signature_algorithm == Some(Digital::RSASSA_PSS);
        match parameters.padding_method {
            Some(PaddingMethod::PSS) if named.is_some() => Err(CryptoError::BadParameters),
            Some(PaddingMethod::PSS) => Self::pss(hash, parameters),
            None if is_pss => Self::pss(hash, parameters),
            Some(_) if is_pss => Err(CryptoError::BadParameters),
            None | Some(PaddingMethod::PKCS1V1_5) => Ok(Self::RsaPkcs1(hash)),
            Some(PaddingMethod::X9_31) => hash.map(Self::RsaX931).ok_or(CryptoError::BadParameters),
            Some(_) => Err(CryptoError::BadParameters),
        }
    }

    fn pss(hash: Option<HashingAlgorithm>, parameters: &CryptographicParameters) -> Result<Self, CryptoError> {
        if parameters.trailer_field.is_some_and(|trailer| trailer != 1) {
            return Err(CryptoError::Unsupported);
        }
        let salt = parameters.salt_length;
        salt.map(count).transpose()?;
        // PKCS#1's own default.
        let hash = hash.unwrap_or(HashingAlgorithm::SHA_1);
        Ok(Self::RsaPss {
            hash,
            mask_hash: mask_hash(parameters)?,
            salt,
        })
    }

    /// Whether the message itself is signed, and must be there whole.
    #[must_use]
    pub fn signs_messages(self) -> bool {
        self == Self::Message
    }

    /// The hash that is taken of data before it is signed.
    fn hash(self) -> Option<HashingAlgorithm> {
        match self {
            Self::RsaPkcs1(hash) | Self::Digest(hash) => hash,
            Self::RsaX931(hash) | Self::RsaPss { hash, .. } => Some(hash),
            Self::Message => None,
        }
    }
}

fn digest_scheme(
    parameters: &CryptographicParameters,
    algorithm: CryptographicAlgorithm,
) -> Result<SignatureScheme, CryptoError> {
    let named = match parameters.digital_signature_algorithm.map(parts).transpose()? {
        Some((named, hash)) if named == algorithm => hash,
        Some(_) => return Err(CryptoError::BadParameters),
        None => None,
    };
    Ok(SignatureScheme::Digest(agree(named, parameters.hashing_algorithm)?))
}

/// The algorithm and hash of a Digital Signature Algorithm (KMIP 2.1 §11.16).
fn parts(digital: Digital) -> Result<(CryptographicAlgorithm, Option<HashingAlgorithm>), CryptoError> {
    use HashingAlgorithm as Hash;
    let (rsa, dsa, ecdsa) = (
        CryptographicAlgorithm::RSA,
        CryptographicAlgorithm::DSA,
        CryptographicAlgorithm::ECDSA,
    );
    let (algorithm, hash) = match digital {
        Digital::RSASSA_PSS => return Ok((rsa, None)),
        Digital::MD2WithRSAEncryption => (rsa, Hash::MD2),
        Digital::MD5WithRSAEncryption => (rsa, Hash::MD5),
        Digital::SHA_1WithRSAEncryption => (rsa, Hash::SHA_1),
        Digital::SHA_224WithRSAEncryption => (rsa, Hash::SHA_224),
        Digital::SHA_256WithRSAEncryption => (rsa, Hash::SHA_256),
        Digital::SHA_384WithRSAEncryption => (rsa, Hash::SHA_384),
        Digital::SHA_512WithRSAEncryption => (rsa, Hash::SHA_512),
        Digital::SHA3_256WithRSAEncryption => (rsa, Hash::SHA3_256),
        Digital::SHA3_384WithRSAEncryption => (rsa, Hash::SHA3_384),
        Digital::SHA3_512WithRSAEncryption => (rsa, Hash::SHA3_512),
        Digital::DSAWithSHA_1 => (dsa, Hash::SHA_1),
        Digital::DSAWithSHA224 => (dsa, Hash::SHA_224),
        Digital::DSAWithSHA256 => (dsa, Hash::SHA_256),
        Digital::ECDSAWithSHA_1 => (ecdsa, Hash::SHA_1),
        Digital::ECDSAWithSHA224 => (ecdsa, Hash::SHA_224),
        Digital::ECDSAWithSHA256 => (ecdsa, Hash::SHA_256),
        Digital::ECDSAWithSHA384 => (ecdsa, Hash::SHA_384),
        Digital::ECDSAWithSHA512 => (ecdsa, Hash::SHA_512),
        _ => return Err(CryptoError::Unsupported),
    };
    Ok((algorithm, Some(hash)))
}

fn agree(
    one: Option<HashingAlgorithm>,
    other: Option<HashingAlgorithm>,
) -> Result<Option<HashingAlgorithm>, CryptoError> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Err(CryptoError::BadParameters),
        _ => Ok(one.or(other)),
    }
}

/// What is to be signed, as it comes in: for signing and verifying alike.
pub struct MessageContext(Intake);

enum Intake {
    Hash(HashContext),
    Whole(Vec<u8>),
}

/// A message that came in whole, ready to be signed or verified.
struct Taken {
    bytes: Vec<u8>,
    is_digest: bool,
}

impl MessageContext {
    /// Starts taking a message.
    ///
    /// # Errors
    /// [`CryptoError::BadParameters`] if the scheme signs a hash and none is named; [`CryptoError::Unsupported`].
    pub fn start(scheme: SignatureScheme) -> Result<Self, CryptoError> {
        Ok(Self(match (scheme, scheme.hash()) {
            (_, Some(hash)) => Intake::Hash(HashContext::start(hash)?),
            (SignatureScheme::Message, None) => Intake::Whole(Vec::new()),
            (_, None) => return Err(CryptoError::BadParameters),
        }))
    }

    /// A second message that has the same parts so far.
    ///
    /// # Errors
    /// [`CryptoError::Internal`].
    pub fn fork(&self) -> Result<Self, CryptoError> {
        Ok(Self(match &self.0 {
            Intake::Hash(hash) => Intake::Hash(hash.fork()?),
            Intake::Whole(held) => Intake::Whole(held.clone()),
        }))
    }

    /// Adds a part.
    ///
    /// # Errors
    /// [`CryptoError::BadLength`] if a message that must be held becomes too long.
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        match &mut self.0 {
            Intake::Hash(hash) => hash.update(data),
            Intake::Whole(held) if held.len().saturating_add(data.len()) > MOST_BYTES => Err(CryptoError::BadLength),
            Intake::Whole(held) => {
                held.extend_from_slice(data);
                Ok(())
            }
        }
    }

    /// Signs what came in.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] if the key is too short for the scheme.
    pub fn sign(self, scheme: SignatureScheme, key: &PrivateKey) -> Result<Vec<u8>, CryptoError> {
        sign_taken(scheme, key, &self.take()?)
    }

    /// Whether `signature` is one over what came in. A malformed signature is just not valid.
    ///
    /// # Errors
    /// [`CryptoError::BadParameters`] if the scheme cannot be set up with this key.
    pub fn verify(self, scheme: SignatureScheme, key: &PublicKey, signature: &[u8]) -> Result<bool, CryptoError> {
        verify_taken(scheme, key, &self.take()?, signature)
    }

    fn take(self) -> Result<Taken, CryptoError> {
        Ok(match self.0 {
            Intake::Hash(hash) => Taken {
                bytes: hash.finish()?,
                is_digest: true,
            },
            Intake::Whole(bytes) => Taken {
                bytes,
                is_digest: false,
            },
        })
    }
}

/// The longest RSA key whose signatures are made where they are asked for, in bits: some milliseconds.
const MOST_RSA_IN_PLACE: i32 = 4096;

/// Whether signing with this key takes so long that it belongs into the pool for heavy work.
#[must_use]
pub fn is_heavy(key: &PrivateKey) -> bool {
    match key.kind() {
        Ok(KeyKind::Rsa) => key.facts().is_ok_and(|facts| facts.length > MOST_RSA_IN_PLACE),
        Ok(KeyKind::PostQuantumSignature(algorithm)) => post_quantum::is_hash_based(algorithm),
        _ => false,
    }
}

/// Signs one piece of data.
///
/// # Errors
/// As [`MessageContext`].
pub fn sign(scheme: SignatureScheme, key: &PrivateKey, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut context = MessageContext::start(scheme)?;
    context.update(data)?;
    context.sign(scheme, key)
}

/// Verifies a signature over one piece of data.
///
/// # Errors
/// As [`MessageContext`].
pub fn verify(scheme: SignatureScheme, key: &PublicKey, data: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    let mut context = MessageContext::start(scheme)?;
    context.update(data)?;
    context.verify(scheme, key, signature)
}

/// Signs data that was hashed elsewhere (Digested Data).
///
/// # Errors
/// [`CryptoError::BadLength`] if it is not as long as the scheme's hash; [`CryptoError::BadParameters`] if the scheme
/// signs messages.
pub fn sign_digest(scheme: SignatureScheme, key: &PrivateKey, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
    sign_taken(scheme, key, &take_digest(scheme, digest)?)
}

/// Verifies a signature over data that was hashed elsewhere (Digested Data).
///
/// # Errors
/// As [`sign_digest`].
pub fn verify_digest(
    scheme: SignatureScheme,
    key: &PublicKey,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool, CryptoError> {
    verify_taken(scheme, key, &take_digest(scheme, digest)?, signature)
}

fn take_digest(scheme: SignatureScheme, digest: &[u8]) -> Result<Taken, CryptoError> {
    if scheme == SignatureScheme::Message {
        return Err(CryptoError::BadParameters);
    }
    if let Some(hash) = scheme.hash()
        && fetch::digest(hash)?.size() != digest.len()
    {
        return Err(CryptoError::BadLength);
    }
    Ok(Taken {
        bytes: digest.to_vec(),
        is_digest: true,
    })
}

fn sign_taken(scheme: SignatureScheme, key: &PrivateKey, message: &Taken) -> Result<Vec<u8>, CryptoError> {
    native::prepare()?;
    let mut signature = Vec::new();
    if !message.is_digest {
        let mut context = MdCtx::new().map_err(internal)?;
        context
            .digest_sign_init(None, &key.0)
            .map_err(or(CryptoError::BadKey))?;
        context
            .digest_sign_to_vec(&message.bytes, &mut signature)
            .map_err(internal)?;
        return Ok(signature);
    }
    let mut context = PkeyCtx::<Private>::new(&key.0).map_err(internal)?;
    context.sign_init().map_err(or(CryptoError::BadKey))?;
    let salt = match scheme {
        SignatureScheme::RsaPss { salt: Some(salt), .. } => RsaPssSaltlen::custom(salt),
        _ => RsaPssSaltlen::DIGEST_LENGTH,
    };
    set_up(&mut context, scheme, salt, None)?;
    // What is too long for a short RSA key is refused here.
    context
        .sign_to_vec(&message.bytes, &mut signature)
        .map_err(or(CryptoError::BadKey))?;
    Ok(signature)
}

fn verify_taken(
    scheme: SignatureScheme,
    key: &PublicKey,
    message: &Taken,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    native::prepare()?;
    if !message.is_digest {
        let mut context = MdCtx::new().map_err(internal)?;
        context
            .digest_verify_init(None, &key.0)
            .map_err(or(CryptoError::BadKey))?;
        return Ok(context.digest_verify(&message.bytes, signature).unwrap_or(false));
    }
    let masks: &[Option<HashingAlgorithm>] = match scheme {
        SignatureScheme::RsaPss {
            mask_hash: None, hash, ..
        } if hash != HashingAlgorithm::SHA_1 => &[None, Some(HashingAlgorithm::SHA_1)],
        _ => &[None],
    };
    for mask in masks {
        let mut context = PkeyCtx::<Public>::new(&key.0).map_err(internal)?;
        context.verify_init().map_err(or(CryptoError::BadKey))?;
        let salt = match scheme {
            SignatureScheme::RsaPss { salt: Some(salt), .. } => salt,
            _ => ANY_SALT,
        };
        set_up(&mut context, scheme, RsaPssSaltlen::custom(salt), *mask)?;
        if context.verify(&message.bytes, signature).unwrap_or(false) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn set_up<T>(
    context: &mut PkeyCtxRef<T>,
    scheme: SignatureScheme,
    salt: RsaPssSaltlen,
    mask: Option<HashingAlgorithm>,
) -> Result<(), CryptoError> {
    let refused = or(CryptoError::BadParameters);
    let unsupported = or(CryptoError::Unsupported);
    match scheme {
        SignatureScheme::RsaPkcs1(hash) => {
            context.set_rsa_padding(Padding::PKCS1).map_err(&refused)?;
            if let Some(hash) = hash {
                context.set_signature_md(fetch::digest(hash)?).map_err(&unsupported)?;
            }
        }
        SignatureScheme::RsaX931(hash) => {
            // The padding names the hash, so the library wants it first.
            context.set_signature_md(fetch::digest(hash)?).map_err(&unsupported)?;
            context.set_rsa_padding(Padding::from_raw(X931)).map_err(&unsupported)?;
        }
        SignatureScheme::RsaPss { hash, mask_hash, .. } => {
            context.set_rsa_padding(Padding::PKCS1_PSS).map_err(&refused)?;
            context.set_signature_md(fetch::digest(hash)?).map_err(&unsupported)?;
            let mask = mask.or(mask_hash).unwrap_or(hash);
            context.set_rsa_mgf1_md(fetch::digest(mask)?).map_err(&unsupported)?;
            context.set_rsa_pss_saltlen(salt).map_err(refused)?;
        }
        // Without a digest set, the library takes what it gets for one.
        SignatureScheme::Digest(_) | SignatureScheme::Message => {}
    }
    Ok(())
}
