//! Encryption to a public key: RSA with OAEP, PKCS#1 v1.5 or no padding (KMIP 2.1 §6.1.11, §6.1.17).

use super::error::{CryptoError, internal, or};
use super::fetch;
use super::key::{KeyKind, PrivateKey, PublicKey};
use super::native;
use super::parameters::mask_hash;
use kmip_protocol::{CryptographicParameters, HashingAlgorithm, PaddingMethod};
use kmip_ttlv::Secret;
use openssl::pkey_ctx::{PkeyCtx, PkeyCtxRef};
use openssl::rsa::Padding;
use zeroize::Zeroize;

/// What RSA encryption does to the message before the power.
enum Scheme<'a> {
    Oaep {
        hash: HashingAlgorithm,
        mask: Option<HashingAlgorithm>,
        label: &'a [u8],
    },
    Pkcs1,
    None,
}

impl<'a> Scheme<'a> {
    fn choose(parameters: &'a CryptographicParameters, kind: KeyKind) -> Result<Self, CryptoError> {
        if kind != KeyKind::Rsa {
            return Err(CryptoError::BadKey);
        }
        if parameters
            .cryptographic_algorithm
            .is_some_and(|named| !kind.is_called(named))
        {
            return Err(CryptoError::BadParameters);
        }
        match parameters.padding_method {
            Some(PaddingMethod::OAEP) => Ok(Self::Oaep {
                // RFC 8017's own default.
                hash: parameters.hashing_algorithm.unwrap_or(HashingAlgorithm::SHA_1),
                mask: mask_hash(parameters)?,
                label: parameters.p_source.as_deref().unwrap_or_default(),
            }),
            Some(PaddingMethod::PKCS1V1_5) => Ok(Self::Pkcs1),
            Some(PaddingMethod::None) => Ok(Self::None),
            // Which padding is meant must be said.
            _ => Err(CryptoError::BadParameters),
        }
    }

    fn set_up<T>(&self, context: &mut PkeyCtxRef<T>, mask: HashingAlgorithm) -> Result<(), CryptoError> {
        let refused = or(CryptoError::BadParameters);
        let unsupported = or(CryptoError::Unsupported);
        match self {
            Self::Pkcs1 => context.set_rsa_padding(Padding::PKCS1).map_err(refused),
            Self::None => context.set_rsa_padding(Padding::NONE).map_err(refused),
            Self::Oaep { hash, label, .. } => {
                context.set_rsa_padding(Padding::PKCS1_OAEP).map_err(&refused)?;
                context.set_rsa_oaep_md(fetch::digest(*hash)?).map_err(&unsupported)?;
                context.set_rsa_mgf1_md(fetch::digest(mask)?).map_err(unsupported)?;
                if !label.is_empty() {
                    context.set_rsa_oaep_label(label).map_err(refused)?;
                }
                Ok(())
            }
        }
    }
}

/// Encrypts to a public key. A mask generator's hash that is not named is SHA-1 (KMIP 2.1 §4.16).
///
/// # Errors
/// [`CryptoError::BadKey`] if the key does not encrypt; [`CryptoError::BadParameters`]; [`CryptoError::BadLength`] if
/// the data is too long for the key.
pub fn encrypt_to(key: &PublicKey, parameters: &CryptographicParameters, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    native::prepare()?;
    let scheme = Scheme::choose(parameters, key.kind()?)?;
    let mask = match scheme {
        Scheme::Oaep { mask: Some(mask), .. } => mask,
        _ => HashingAlgorithm::SHA_1,
    };
    let mut context = PkeyCtx::new(&key.0).map_err(internal)?;
    context.encrypt_init().map_err(or(CryptoError::BadKey))?;
    scheme.set_up(&mut context, mask)?;
    let mut out = Vec::new();
    context
        .encrypt_to_vec(data, &mut out)
        .map_err(or(CryptoError::BadLength))?;
    Ok(out)
}

/// Decrypts with a private key. With OAEP and a mask generator's hash that is not named, SHA-1 is tried first and then
/// the message's hash, which is what many clients encrypt with.
///
/// PKCS#1 v1.5 padding that does not hold gives random bytes instead of an error, so that nobody can ask for it
/// (implicit rejection).
///
/// # Errors
/// [`CryptoError::BadKey`], [`CryptoError::BadParameters`], [`CryptoError::Failed`].
pub fn decrypt_with(
    key: &PrivateKey,
    parameters: &CryptographicParameters,
    data: &[u8],
) -> Result<Secret, CryptoError> {
    native::prepare()?;
    let scheme = Scheme::choose(parameters, key.kind()?)?;
    let masks = match scheme {
        Scheme::Oaep { mask: Some(mask), .. } => vec![mask],
        Scheme::Oaep { mask: None, hash, .. } if hash != HashingAlgorithm::SHA_1 => vec![HashingAlgorithm::SHA_1, hash],
        _ => vec![HashingAlgorithm::SHA_1],
    };
    for mask in masks {
        let mut context = PkeyCtx::new(&key.0).map_err(internal)?;
        context.decrypt_init().map_err(or(CryptoError::BadKey))?;
        scheme.set_up(&mut context, mask)?;
        let mut out = vec![0; key.0.size()];
        match context.decrypt(data, Some(&mut out)) {
            Ok(length) => {
                let plain = Secret::copy_from(out.get(..length).unwrap_or_default());
                out.zeroize();
                return Ok(plain);
            }
            Err(_) => out.zeroize(),
        }
    }
    Err(CryptoError::Failed)
}

#[cfg(test)]
mod tests {
    use super::super::generate::PairRequest;
    use super::super::hash::hashes;
    use super::*;
    use kmip_protocol::CryptographicAlgorithm;

    fn key(algorithm: CryptographicAlgorithm, length: i32) -> PrivateKey {
        PairRequest {
            algorithm,
            length: Some(length),
            curve: None,
        }
        .generate()
        .unwrap()
    }

    fn oaep(hash: HashingAlgorithm, mask: Option<HashingAlgorithm>) -> CryptographicParameters {
        CryptographicParameters {
            padding_method: Some(PaddingMethod::OAEP),
            hashing_algorithm: Some(hash),
            mask_generator_hashing_algorithm: mask,
            ..CryptographicParameters::default()
        }
    }

    #[test]
    fn every_padding_comes_back() {
        let key = key(CryptographicAlgorithm::RSA, 2048);
        let public = key.public_key().unwrap();
        let padded = |method| CryptographicParameters {
            padding_method: Some(method),
            ..CryptographicParameters::default()
        };
        let labelled = CryptographicParameters {
            p_source: Some(b"label".to_vec()),
            ..oaep(HashingAlgorithm::SHA_256, None)
        };
        let mut all = vec![
            padded(PaddingMethod::PKCS1V1_5),
            padded(PaddingMethod::OAEP),
            labelled.clone(),
        ];
        all.extend(hashes().map(|hash| oaep(hash, None)));
        all.extend(hashes().map(|hash| oaep(HashingAlgorithm::SHA_1, Some(hash))));
        for parameters in all {
            let sealed = encrypt_to(&public, &parameters, b"some key").unwrap();
            assert_eq!(decrypt_with(&key, &parameters, &sealed).unwrap().expose(), b"some key");
        }
        let sealed = encrypt_to(&public, &labelled, b"some key").unwrap();
        assert_eq!(
            decrypt_with(&key, &oaep(HashingAlgorithm::SHA_256, None), &sealed).err(),
            Some(CryptoError::Failed)
        );
        let mut one = vec![0; 256];
        one[255] = 1;
        let raw = padded(PaddingMethod::None);
        assert_eq!(encrypt_to(&public, &raw, &one).unwrap(), one);
        assert_eq!(encrypt_to(&public, &raw, b"short").err(), Some(CryptoError::BadLength));
    }

    #[test]
    fn an_unnamed_mask_hash_is_found() {
        let key = key(CryptographicAlgorithm::RSA, 1024);
        let same = oaep(HashingAlgorithm::SHA_256, Some(HashingAlgorithm::SHA_256));
        let sealed = encrypt_to(&key.public_key().unwrap(), &same, b"x").unwrap();
        assert_eq!(
            decrypt_with(&key, &oaep(HashingAlgorithm::SHA_256, None), &sealed)
                .unwrap()
                .expose(),
            b"x"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let key = key(CryptographicAlgorithm::RSA, 1024);
        let public = key.public_key().unwrap();
        let default = CryptographicParameters::default();
        assert_eq!(
            encrypt_to(&public, &default, b"x").err(),
            Some(CryptoError::BadParameters)
        );
        let parameters = oaep(HashingAlgorithm::SHA_1, None);
        assert_eq!(
            encrypt_to(&public, &parameters, &[1; 100]).err(),
            Some(CryptoError::BadLength)
        );
        let mut sealed = encrypt_to(&public, &parameters, b"x").unwrap();
        sealed[5] ^= 1;
        assert_eq!(
            decrypt_with(&key, &parameters, &sealed).err(),
            Some(CryptoError::Failed)
        );
        assert_eq!(decrypt_with(&key, &parameters, b"x").err(), Some(CryptoError::Failed));
        let named = CryptographicParameters {
            cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
            ..parameters.clone()
        };
        assert_eq!(
            encrypt_to(&public, &named, b"x").err(),
            Some(CryptoError::BadParameters)
        );
        let ec = self::key(CryptographicAlgorithm::EC, 256);
        assert_eq!(
            encrypt_to(&ec.public_key().unwrap(), &parameters, b"x").err(),
            Some(CryptoError::BadKey)
        );
    }
}
