//! Deriving keys (KMIP 2.1 §6.1.14, §7.12): every derivation method.

use super::cipher::{CipherRequest, Direction, encrypt};
use super::error::{CryptoError, internal, or};
use super::fetch;
use super::hash::hash;
use super::key::{KeyKind, PrivateKey, PublicKey};
use super::mac::{MacMethod, hmac_hash, mac};
use super::parameters::count;
use kmip_protocol::{CryptographicAlgorithm, CryptographicParameters, DerivationMethod, HashingAlgorithm};
use kmip_ttlv::Secret;
use openssl::derive::Deriver;
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use zeroize::Zeroizing;

/// The most rounds of PBKDF2 that one request may cost: some seconds of one core.
pub const MOST_ITERATIONS: i32 = 20_000_000;
/// The longest derived object in bytes.
const MOST_BYTES: usize = 65_536;
/// HKDF gives 255 blocks at most (RFC 5869 §2.3).
const MOST_HKDF_BLOCKS: usize = 255;

/// All that a derivation starts from.
pub struct DerivationRequest<'a> {
    /// The method.
    pub method: DerivationMethod,
    /// The bytes of the key or secret data that is derived from, where the method takes bytes.
    pub base: Option<&'a Secret>,
    /// The algorithm of that key, for HMAC and ENCRYPT.
    pub base_algorithm: Option<CryptographicAlgorithm>,
    /// Both keys of an agreement, for the method Asymmetric Key.
    pub agreement: Option<(&'a PrivateKey, &'a PublicKey)>,
    /// Mode, hash and padding.
    pub parameters: &'a CryptographicParameters,
    /// The initialization vector, for ENCRYPT.
    pub initialization_vector: Option<&'a [u8]>,
    /// What is hashed, authenticated or encrypted: Derivation Data, or the bytes of the Secret Data named for it.
    pub data: &'a [Secret],
    /// The salt.
    pub salt: Option<&'a [u8]>,
    /// The rounds of PBKDF2.
    pub iteration_count: Option<i32>,
    /// How many bytes are wanted.
    pub length: usize,
}

impl DerivationRequest<'_> {
    /// Derives the bytes.
    ///
    /// # Errors
    /// [`CryptoError::BadLength`] if the method does not give so many bytes; [`CryptoError::BadParameters`] if something
    /// is missing; [`CryptoError::Unsupported`]; what the cipher, hash or agreement says.
    pub fn derive(&self) -> Result<Secret, CryptoError> {
        if self.length == 0 || self.length > MOST_BYTES {
            return Err(CryptoError::BadLength);
        }
        match self.method {
            DerivationMethod::PBKDF2 => self.pbkdf2(),
            DerivationMethod::HASH => self.hashed(),
            DerivationMethod::HMAC if self.is_expanding() => self.hkdf(),
            DerivationMethod::HMAC => self.authenticated(),
            DerivationMethod::ENCRYPT => self.encrypted(),
            DerivationMethod::NIST800_108_C => self.counter(),
            DerivationMethod::NIST800_108_F => self.feedback(),
            DerivationMethod::NIST800_108_DPI => self.double_pipeline(),
            DerivationMethod::AsymmetricKey => self.agreed(),
            DerivationMethod::AWSSignatureVersion4 => self.aws_signature(),
            DerivationMethod::HKDF => self.hkdf(),
            _ => Err(CryptoError::Unsupported),
        }
    }

    /// Whether this costs so much that it belongs into the pool for heavy work.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        self.method == DerivationMethod::PBKDF2 && self.iteration_count.is_some_and(|count| count > 1000)
    }

    fn base(&self) -> Result<&Secret, CryptoError> {
        self.base.ok_or(CryptoError::BadParameters)
    }

    /// The derivation data in one piece.
    fn data(&self) -> Zeroizing<Vec<u8>> {
        let mut all = Zeroizing::new(Vec::with_capacity(self.data.iter().map(Secret::len).sum()));
        for part in self.data {
            all.extend_from_slice(part.expose());
        }
        all
    }

    /// The first bytes of what a method gave.
    fn cut(&self, mut bytes: Vec<u8>) -> Result<Secret, CryptoError> {
        let enough = bytes.len() >= self.length;
        bytes.truncate(self.length);
        let secret = Secret::new(bytes);
        if enough {
            Ok(secret)
        } else {
            Err(CryptoError::BadLength)
        }
    }

    /// The hash that the parameters name, be it as hash or as HMAC.
    fn named_hash(&self) -> Option<HashingAlgorithm> {
        self.parameters
            .hashing_algorithm
            .or_else(|| self.parameters.cryptographic_algorithm.and_then(hmac_hash))
    }

    /// PBKDF2 (RFC 8018); its own default is HMAC with SHA-1.
    fn pbkdf2(&self) -> Result<Secret, CryptoError> {
        let salt = self.salt.ok_or(CryptoError::BadParameters)?;
        let rounds = self.iteration_count.ok_or(CryptoError::BadParameters)?;
        if !(1..=MOST_ITERATIONS).contains(&rounds) {
            return Err(CryptoError::BadParameters);
        }
        let hash = self.named_hash().unwrap_or(HashingAlgorithm::SHA_1);
        let digest = MessageDigest::from_nid(fetch::digest(hash)?.type_()).ok_or(CryptoError::Unsupported)?;
        let mut out = vec![0; self.length];
        let done = pbkdf2_hmac(self.base()?.expose(), salt, count(rounds)?, digest, &mut out);
        let out = Secret::new(out);
        done.map_err(internal)?;
        Ok(out)
    }

    /// The hash of the key, or of the data where there is some.
    fn hashed(&self) -> Result<Secret, CryptoError> {
        let algorithm = self.parameters.hashing_algorithm.ok_or(CryptoError::BadParameters)?;
        let data = self.data();
        let input = if data.is_empty() { self.base()?.expose() } else { &data };
        self.cut(hash(algorithm, input)?)
    }

    /// The HMAC of the data. The key says which; where it does not, the parameters do.
    fn authenticated(&self) -> Result<Secret, CryptoError> {
        let own = self.base_algorithm.and_then(hmac_hash);
        let hash = own.or_else(|| self.named_hash()).ok_or(CryptoError::BadParameters)?;
        if self.data.is_empty() {
            return Err(CryptoError::BadParameters);
        }
        self.cut(mac(MacMethod::Hmac(hash), self.base()?, &self.data())?)
    }

    /// The encrypted data. An absent vector is empty for modes that take none, and zeros where one must be
    /// (KMIP 2.1 §7.12: "an empty IV is assumed if not provided").
    fn encrypted(&self) -> Result<Secret, CryptoError> {
        let algorithm = self
            .parameters
            .cryptographic_algorithm
            .or(self.base_algorithm)
            .ok_or(CryptoError::BadParameters)?;
        if self.data.is_empty() {
            return Err(CryptoError::BadParameters);
        }
        let request = |iv| -> Result<CipherRequest<'_>, CryptoError> {
            Ok(CipherRequest {
                direction: Direction::Encrypt,
                algorithm,
                key: self.base()?,
                parameters: self.parameters,
                iv,
                additional_data: &[],
                tag: None,
            })
        };
        let sealed = encrypt(request(self.initialization_vector)?, &self.data())?;
        let sealed = match sealed.iv {
            // A vector made at random would give a key that nobody can derive again.
            Some(made) => encrypt(request(Some(&vec![0; made.len()]))?, &self.data())?,
            None => sealed,
        };
        self.cut(sealed.data)
    }

    /// The pseudorandom function of NIST SP 800-108: HMAC, or CMAC where the key or the parameters name a cipher.
    fn prf(&self, input: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let method = match (self.named_hash(), self.base_algorithm.and_then(hmac_hash)) {
            (Some(hash), _) | (None, Some(hash)) => MacMethod::Hmac(hash),
            (None, None) => {
                let cipher = self.parameters.cryptographic_algorithm.or(self.base_algorithm);
                MacMethod::Cmac(cipher.ok_or(CryptoError::BadParameters)?)
            }
        };
        mac(method, self.base()?, input).map(Zeroizing::new)
    }

    /// Blocks of a pseudorandom function until there are enough. The counter has 32 bits and starts at 1.
    fn blocks(
        &self,
        mut block: impl FnMut(&[u8; 4], &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError>,
    ) -> Result<Secret, CryptoError> {
        let mut out = Vec::with_capacity(self.length.saturating_add(128));
        let mut last = Zeroizing::new(Vec::new());
        let mut counter = 0_u32;
        while out.len() < self.length {
            counter = counter.checked_add(1).ok_or(CryptoError::BadLength)?;
            last = block(&counter.to_be_bytes(), &last)?;
            if last.is_empty() {
                return Err(CryptoError::Internal);
            }
            out.extend_from_slice(&last);
        }
        self.cut(out)
    }

    /// NIST SP 800-108 §4.1: the counter before the fixed input, which is the Derivation Data as it is.
    fn counter(&self) -> Result<Secret, CryptoError> {
        let fixed = self.data();
        self.blocks(|counter, _| self.prf(&Zeroizing::new([counter, fixed.as_slice()].concat())))
    }

    /// NIST SP 800-108 §4.2: the block before, the counter, the fixed input. The Initialization Vector is K(0).
    fn feedback(&self) -> Result<Secret, CryptoError> {
        let fixed = self.data();
        let start = self.initialization_vector.unwrap_or_default();
        self.blocks(|counter, last| {
            let before = if last.is_empty() { start } else { last };
            self.prf(&Zeroizing::new([before, counter, fixed.as_slice()].concat()))
        })
    }

    /// NIST SP 800-108 §4.3: a first pipeline A(i) = PRF(A(i-1)), and blocks over A(i), the counter, the fixed input.
    fn double_pipeline(&self) -> Result<Secret, CryptoError> {
        let fixed = self.data();
        let mut pipeline = fixed.clone();
        self.blocks(|counter, _| {
            pipeline = self.prf(&pipeline)?;
            self.prf(&Zeroizing::new(
                [pipeline.as_slice(), counter, fixed.as_slice()].concat(),
            ))
        })
    }

    /// The shared secret of ECDH or DH, its first bytes.
    fn agreed(&self) -> Result<Secret, CryptoError> {
        let (private, public) = self.agreement.ok_or(CryptoError::BadParameters)?;
        self.cut(agree(private, public)?)
    }

    /// HMAC over date, region, service and the word `aws4_request`, each with the value before as key; the first key is
    /// `AWS4` and the secret.
    fn aws_signature(&self) -> Result<Secret, CryptoError> {
        let hmac =
            |key: &Secret, data: &[u8]| mac(MacMethod::Hmac(HashingAlgorithm::SHA_256), key, data).map(Secret::new);
        if self.data.len() != 3 {
            return Err(CryptoError::BadParameters);
        }
        let mut key = Secret::new([&b"AWS4"[..], self.base()?.expose()].concat());
        for part in self.data {
            key = hmac(&key, part.expose())?;
        }
        self.cut(hmac(&key, b"aws4_request")?.expose().to_vec())
    }

    /// Whether more is wanted than one HMAC gives. The specification has nothing to say then; PyKMIP, whose HMAC is HKDF
    /// (RFC 5869), has, and its clients count on it.
    fn is_expanding(&self) -> bool {
        let hash = self.named_hash().unwrap_or(HashingAlgorithm::SHA_256);
        fetch::digest(hash).is_ok_and(|digest| self.length > digest.size())
    }

    /// HKDF (RFC 5869), with SHA-256 where no hash is named.
    fn hkdf(&self) -> Result<Secret, CryptoError> {
        let hash = self.named_hash().unwrap_or(HashingAlgorithm::SHA_256);
        let method = MacMethod::Hmac(hash);
        let block = fetch::digest(hash)?.size();
        if self.length > block.saturating_mul(MOST_HKDF_BLOCKS) {
            return Err(CryptoError::BadLength);
        }
        let salt = match self.salt {
            Some(salt) if !salt.is_empty() => salt.to_vec(),
            _ => vec![0; block],
        };
        let key = Secret::new(mac(method, &Secret::new(salt), self.base()?.expose())?);
        let info = self.data();
        self.blocks(|counter, last| {
            let [.., index] = *counter;
            mac(
                method,
                &key,
                &Zeroizing::new([last, info.as_slice(), &[index]].concat()),
            )
            .map(Zeroizing::new)
        })
    }
}

/// The secret that two keys share: the x coordinate for curves, the padded number for DH.
///
/// # Errors
/// [`CryptoError::BadKey`] if the keys do not agree on a group or do not agree at all.
pub fn agree(private: &PrivateKey, public: &PublicKey) -> Result<Vec<u8>, CryptoError> {
    let agrees = |kind| matches!(kind, KeyKind::Ec(_) | KeyKind::Montgomery(_) | KeyKind::Dh);
    let (kind, other) = (private.kind()?, public.kind()?);
    if kind != other || !agrees(kind) {
        return Err(CryptoError::BadKey);
    }
    let bad = or(CryptoError::BadKey);
    let mut deriver = Deriver::new(&private.0).map_err(&bad)?;
    deriver.set_peer(&public.0).map_err(&bad)?;
    let shared = deriver.derive_to_vec().map_err(bad)?;
    // The library drops leading zeros of a number; both sides must have the same bytes (NIST SP 800-56A §5.7.1.1).
    let width = if kind == KeyKind::Dh { private.0.size() } else { 0 };
    let mut padded = vec![0; width.saturating_sub(shared.len())];
    padded.extend_from_slice(&Zeroizing::new(shared));
    Ok(padded)
}
