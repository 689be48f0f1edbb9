//! What is done with any key of a session: making, encrypting, signing, wrapping, deriving, reading what may be read. Each mechanism's
//! parameters live as long as the calls that they are made for.
#![allow(unsafe_code)] // calling a vendor's library

use std::ptr;

use cryptoki_sys::*;

use super::{Module, Outcome, Rv, attribute, length, size_of};
use crate::custody::probe::PairScheme;

/// Sixteen kilobytes: no value that is read here is longer.
const LONGEST_VALUE: usize = 16 * 1024;

/// An attribute of a key to be made.
#[derive(Clone, Copy)]
pub(in crate::custody) enum Property<'a> {
    /// One that is on or off.
    Is(CK_ATTRIBUTE_TYPE, bool),
    /// One that is a number, as those of class and type are.
    Number(CK_ATTRIBUTE_TYPE, CK_ULONG),
    /// One of bytes.
    Bytes(CK_ATTRIBUTE_TYPE, &'a [u8]),
}

impl Property<'_> {
    /// The attribute, which points into this value.
    fn raw(&self) -> Outcome<CK_ATTRIBUTE> {
        match self {
            Self::Is(kind, true) => attribute(*kind, &CK_TRUE),
            Self::Is(kind, false) => attribute(*kind, &CK_FALSE),
            Self::Number(kind, number) => attribute(*kind, number),
            Self::Bytes(kind, bytes) => attribute(*kind, *bytes),
        }
    }
}

fn template(properties: &[Property<'_>]) -> Outcome<Vec<CK_ATTRIBUTE>> {
    properties.iter().map(Property::raw).collect()
}

/// A mechanism with its parameters.
pub(in crate::custody) enum Mechanism<'a> {
    /// Without any.
    Plain(CK_MECHANISM_TYPE),
    /// With an initialisation vector.
    Vector(CK_MECHANISM_TYPE, &'a [u8]),
    /// AES-GCM with a 128-bit tag. A token that makes the nonce itself writes it where it was given one of zeros.
    Gcm {
        /// The nonce.
        nonce: &'a mut [u8; 12],
        /// The authenticated data.
        aad: &'a [u8],
    },
    /// RSA-OAEP with this hash and mask, and no label.
    Oaep(CK_MECHANISM_TYPE, CK_RSA_PKCS_MGF_TYPE),
    /// ECDH with the other side's point, uncompressed, and no derivation function: the value is the point's coordinate.
    Ecdh(&'a [u8]),
}

impl Mechanism<'_> {
    /// RSA-OAEP by the hash that pairs of this kind use.
    pub(in crate::custody) fn oaep(scheme: PairScheme) -> Self {
        match scheme {
            PairScheme::OaepSha1 => Self::Oaep(CKM_SHA_1, CKG_MGF1_SHA1),
            PairScheme::P384 | PairScheme::OaepSha256 => Self::Oaep(CKM_SHA256, CKG_MGF1_SHA256),
        }
    }

    fn with<T>(self, call: impl FnOnce(*mut CK_MECHANISM) -> Outcome<T>) -> Outcome<T> {
        match self {
            Self::Plain(kind) => call(&mut with_parameter(kind, ptr::null_mut::<CK_BYTE>(), 0)),
            Self::Vector(kind, vector) => {
                let start = vector.as_ptr().cast_mut();
                call(&mut with_parameter(kind, start, length(vector.len())?))
            }
            Self::Gcm { nonce, aad } => {
                let mut parameters = CK_GCM_PARAMS {
                    pIv: nonce.as_mut_ptr(),
                    ulIvLen: 12,
                    ulIvBits: 96,
                    pAAD: aad.as_ptr().cast_mut(),
                    ulAADLen: length(aad.len())?,
                    ulTagBits: 128,
                };
                call(&mut structured(CKM_AES_GCM, &mut parameters))
            }
            Self::Oaep(hash, mask) => {
                let mut parameters = CK_RSA_PKCS_OAEP_PARAMS {
                    hashAlg: hash,
                    mgf: mask,
                    source: CKZ_DATA_SPECIFIED,
                    pSourceData: ptr::null_mut(),
                    ulSourceDataLen: 0,
                };
                call(&mut structured(CKM_RSA_PKCS_OAEP, &mut parameters))
            }
            Self::Ecdh(point) => {
                let mut parameters = CK_ECDH1_DERIVE_PARAMS {
                    kdf: CKD_NULL,
                    ulSharedDataLen: 0,
                    pSharedData: ptr::null_mut(),
                    ulPublicDataLen: length(point.len())?,
                    pPublicData: point.as_ptr().cast_mut(),
                };
                call(&mut structured(CKM_ECDH1_DERIVE, &mut parameters))
            }
        }
    }
}

fn with_parameter<T>(kind: CK_MECHANISM_TYPE, parameter: *mut T, bytes: CK_ULONG) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: kind,
        pParameter: parameter.cast(),
        ulParameterLen: bytes,
    }
}

fn structured<T>(kind: CK_MECHANISM_TYPE, parameters: &mut T) -> CK_MECHANISM {
    with_parameter(kind, ptr::from_mut(parameters), size_of::<T>())
}

fn filled(count: CK_ULONG) -> Outcome<usize> {
    usize::try_from(count).map_err(|_| Rv::TOO_LONG)
}

/// A mechanism begun with a key and carried out on the whole input; how much of `out` was written.
macro_rules! in_two_calls {
    ($module:expr, $begin:ident, $run:ident, $session:expr, $mechanism:expr, $key:expr, $input:expr, $out:expr) => {{
        let (start, bytes) = ($input.as_ptr().cast_mut(), length($input.len())?);
        let (end, mut written) = ($out.as_mut_ptr(), length($out.len())?);
        // Parameters stay alive until the end: a nonce that the token makes may be written by either call.
        $mechanism.with(|mechanism| {
            call!($module, $begin, $session, mechanism, $key)?;
            call!($module, $run, $session, start, bytes, end, &raw mut written)
        })?;
        filled(written)
    }};
}

impl Module {
    /// Makes a secret key.
    pub(in crate::custody) fn make_key(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        properties: &[Property<'_>],
    ) -> Outcome<CK_OBJECT_HANDLE> {
        let mut template = template(properties)?;
        let count = length(template.len())?;
        let mut key = 0;
        Mechanism::Plain(mechanism).with(|mechanism| {
            call!(
                self,
                C_GenerateKey,
                session,
                mechanism,
                template.as_mut_ptr(),
                count,
                &raw mut key
            )
        })?;
        Ok(key)
    }

    /// Makes a key pair: public key, private key.
    pub(in crate::custody) fn make_pair(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        public: &[Property<'_>],
        private: &[Property<'_>],
    ) -> Outcome<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        let (mut public, mut private) = (template(public)?, template(private)?);
        let (public_count, private_count) = (length(public.len())?, length(private.len())?);
        let (mut public_key, mut private_key) = (0, 0);
        Mechanism::Plain(mechanism).with(|mechanism| {
            call!(
                self,
                C_GenerateKeyPair,
                session,
                mechanism,
                public.as_mut_ptr(),
                public_count,
                private.as_mut_ptr(),
                private_count,
                &raw mut public_key,
                &raw mut private_key
            )
        })?;
        Ok((public_key, private_key))
    }

    /// Encrypts in two calls; answers how much of `out` was written.
    pub(in crate::custody) fn encrypt_by(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: Mechanism<'_>,
        key: CK_OBJECT_HANDLE,
        input: &[u8],
        out: &mut [u8],
    ) -> Outcome<usize> {
        in_two_calls!(self, C_EncryptInit, C_Encrypt, session, mechanism, key, input, out)
    }

    /// Decrypts in two calls; answers how much of `out` was written.
    pub(in crate::custody) fn decrypt_by(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: Mechanism<'_>,
        key: CK_OBJECT_HANDLE,
        input: &[u8],
        out: &mut [u8],
    ) -> Outcome<usize> {
        in_two_calls!(self, C_DecryptInit, C_Decrypt, session, mechanism, key, input, out)
    }

    /// Signs, or MACs, in two calls; answers how much of `out` was written.
    pub(in crate::custody) fn sign(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        key: CK_OBJECT_HANDLE,
        input: &[u8],
        out: &mut [u8],
    ) -> Outcome<usize> {
        in_two_calls!(
            self,
            C_SignInit,
            C_Sign,
            session,
            Mechanism::Plain(mechanism),
            key,
            input,
            out
        )
    }

    /// Wraps one key under another.
    pub(in crate::custody) fn wrap_key(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        wrapping: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
        out: &mut [u8],
    ) -> Outcome<usize> {
        let mut written = length(out.len())?;
        let start = out.as_mut_ptr();
        Mechanism::Plain(mechanism).with(|mechanism| {
            call!(
                self,
                C_WrapKey,
                session,
                mechanism,
                wrapping,
                key,
                start,
                &raw mut written
            )
        })?;
        filled(written)
    }

    /// Unwraps a key.
    pub(in crate::custody) fn unwrap_key(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        wrapping: CK_OBJECT_HANDLE,
        wrapped: &[u8],
        properties: &[Property<'_>],
    ) -> Outcome<CK_OBJECT_HANDLE> {
        let mut template = template(properties)?;
        let (start, bytes, count) = (
            wrapped.as_ptr().cast_mut(),
            length(wrapped.len())?,
            length(template.len())?,
        );
        let mut key = 0;
        Mechanism::Plain(mechanism).with(|mechanism| {
            call!(
                self,
                C_UnwrapKey,
                session,
                mechanism,
                wrapping,
                start,
                bytes,
                template.as_mut_ptr(),
                count,
                &raw mut key
            )
        })?;
        Ok(key)
    }

    /// Derives a key from another.
    pub(in crate::custody) fn derive(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: Mechanism<'_>,
        base: CK_OBJECT_HANDLE,
        properties: &[Property<'_>],
    ) -> Outcome<CK_OBJECT_HANDLE> {
        let mut template = template(properties)?;
        let count = length(template.len())?;
        let mut key = 0;
        mechanism.with(|mechanism| {
            call!(
                self,
                C_DeriveKey,
                session,
                mechanism,
                base,
                template.as_mut_ptr(),
                count,
                &raw mut key
            )
        })?;
        Ok(key)
    }

    /// The bytes of an attribute that may be read.
    pub(in crate::custody) fn read(
        &self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        kind: CK_ATTRIBUTE_TYPE,
    ) -> Outcome<Vec<u8>> {
        let mut wanted = CK_ATTRIBUTE {
            type_: kind,
            pValue: ptr::null_mut(),
            ulValueLen: 0,
        };
        call!(self, C_GetAttributeValue, session, object, &raw mut wanted, 1)?;
        let room = filled(wanted.ulValueLen)?;
        if room > LONGEST_VALUE {
            return Err(Rv::TOO_LONG);
        }
        let mut bytes = vec![0; room];
        wanted.pValue = bytes.as_mut_ptr().cast();
        call!(self, C_GetAttributeValue, session, object, &raw mut wanted, 1)?;
        bytes.truncate(filled(wanted.ulValueLen)?);
        Ok(bytes)
    }

    /// Random numbers of the token.
    pub(in crate::custody) fn random(&self, session: CK_SESSION_HANDLE, out: &mut [u8]) -> Outcome<()> {
        let bytes = length(out.len())?;
        call!(self, C_GenerateRandom, session, out.as_mut_ptr(), bytes)
    }
}
