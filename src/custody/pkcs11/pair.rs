//! Key pairs that open protected KEKs: P-384, whose private key agrees on secrets inside the token and does nothing else, or RSA, whose
//! private key decrypts and does nothing else.
#![allow(unsafe_code)] // calls of the module, and one structure that is zeroed

use super::{Mechanism, Module, Outcome, Rv, attribute, length, size_of};
use crate::custody::probe::PairScheme;
use crate::custody::protected::envelope::{self, MODULUS_BITS, POINT, SHARED};
use cryptoki_sys::*;
use std::ptr;

/// The name of P-384, as DER: OBJECT IDENTIFIER 1.3.132.0.34.
const P384: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// A point in a DER OCTET STRING, as PKCS#11 tells it.
const DER_HEAD: [u8; 2] = [0x04, 0x61];

impl Module {
    /// Makes a pair. The private key is never extractable, not modifiable, and derives only, or decrypts only.
    pub(in crate::custody) fn generate_pair(
        &self,
        session: CK_SESSION_HANDLE,
        scheme: PairScheme,
        id: &[u8],
        label: &str,
    ) -> Outcome<()> {
        let (kind, generation) = match scheme {
            PairScheme::P384 => (CKK_EC, CKM_EC_KEY_PAIR_GEN),
            PairScheme::OaepSha256 | PairScheme::OaepSha1 => (CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN),
        };
        let bits = CK_ULONG::from(MODULUS_BITS);
        let mut public = vec![
            attribute(CKA_CLASS, &CKO_PUBLIC_KEY)?,
            attribute(CKA_KEY_TYPE, &kind)?,
            attribute(CKA_TOKEN, &CK_TRUE)?,
            attribute(CKA_PRIVATE, &CK_FALSE)?,
            attribute(CKA_VERIFY, &CK_FALSE)?,
            attribute(CKA_LABEL, label.as_bytes())?,
            attribute(CKA_ID, id)?,
        ];
        let mut private = vec![
            attribute(CKA_CLASS, &CKO_PRIVATE_KEY)?,
            attribute(CKA_KEY_TYPE, &kind)?,
            attribute(CKA_TOKEN, &CK_TRUE)?,
            attribute(CKA_PRIVATE, &CK_TRUE)?,
            attribute(CKA_SENSITIVE, &CK_TRUE)?,
            attribute(CKA_EXTRACTABLE, &CK_FALSE)?,
            attribute(CKA_MODIFIABLE, &CK_FALSE)?,
            attribute(CKA_SIGN, &CK_FALSE)?,
            attribute(CKA_UNWRAP, &CK_FALSE)?,
            attribute(CKA_LABEL, label.as_bytes())?,
            attribute(CKA_ID, id)?,
        ];
        if scheme.is_oaep() {
            public.push(attribute(CKA_MODULUS_BITS, &bits)?);
            public.push(attribute(CKA_PUBLIC_EXPONENT, &[1_u8, 0, 1])?);
            private.push(attribute(CKA_DECRYPT, &CK_TRUE)?);
        } else {
            public.push(attribute(CKA_EC_PARAMS, &P384)?);
            private.push(attribute(CKA_DECRYPT, &CK_FALSE)?);
            private.push(attribute(CKA_DERIVE, &CK_TRUE)?);
        }
        let mut mechanism = CK_MECHANISM {
            mechanism: generation,
            pParameter: ptr::null_mut(),
            ulParameterLen: 0,
        };
        let (publics, privates) = (length(public.len())?, length(private.len())?);
        let (mut public_key, mut private_key) = (0, 0);
        call!(
            self,
            C_GenerateKeyPair,
            session,
            &raw mut mechanism,
            public.as_mut_ptr(),
            publics,
            private.as_mut_ptr(),
            privates,
            &raw mut public_key,
            &raw mut private_key
        )
    }

    /// The public keys under a CKA_ID, of whatever kind, two of each at most.
    pub(in crate::custody) fn find_public(
        &self,
        session: CK_SESSION_HANDLE,
        id: &[u8],
    ) -> Outcome<Vec<CK_OBJECT_HANDLE>> {
        let points = self.find_of(session, CKO_PUBLIC_KEY, CKK_EC, id)?;
        Ok([points, self.find_of(session, CKO_PUBLIC_KEY, CKK_RSA, id)?].concat())
    }

    /// The private keys under a CKA_ID, of whatever kind, two of each at most.
    pub(in crate::custody) fn find_private(
        &self,
        session: CK_SESSION_HANDLE,
        id: &[u8],
    ) -> Outcome<Vec<CK_OBJECT_HANDLE>> {
        let agreeing = self.find_opener(session, PairScheme::P384, id)?;
        Ok([agreeing, self.find_opener(session, PairScheme::OaepSha1, id)?].concat())
    }

    /// The private keys of this kind under a CKA_ID, two at most.
    pub(in crate::custody) fn find_opener(
        &self,
        session: CK_SESSION_HANDLE,
        scheme: PairScheme,
        id: &[u8],
    ) -> Outcome<Vec<CK_OBJECT_HANDLE>> {
        let kind = if scheme.is_oaep() { CKK_RSA } else { CKK_EC };
        self.find_of(session, CKO_PRIVATE_KEY, kind, id)
    }

    /// A public key, as records have it. One of RSA is used by the OAEP that `scheme` says, and by that which all tokens know where it
    /// says none.
    pub(in crate::custody) fn recipient(
        &self,
        session: CK_SESSION_HANDLE,
        public: CK_OBJECT_HANDLE,
        scheme: PairScheme,
    ) -> Outcome<Vec<u8>> {
        let mut kind = CK_KEY_TYPE::default().to_ne_bytes();
        self.value(session, public, CKA_KEY_TYPE, &mut kind)?;
        if CK_KEY_TYPE::from_ne_bytes(kind) == CKK_RSA {
            let modulus = self.read(session, public, CKA_MODULUS)?;
            let exponent = self.read(session, public, CKA_PUBLIC_EXPONENT)?;
            let scheme = if scheme.is_oaep() { scheme } else { PairScheme::OaepSha1 };
            return envelope::rsa_recipient(scheme, &modulus, &exponent).map_err(|_| Rv(CKR_KEY_SIZE_RANGE));
        }
        let mut told = [0; POINT + DER_HEAD.len()];
        let written = self.value(session, public, CKA_EC_POINT, &mut told)?;
        let told = told.get(..written).unwrap_or_default();
        // Some modules leave the head away.
        let point: [u8; POINT] = told
            .strip_prefix(&DER_HEAD)
            .unwrap_or(told)
            .try_into()
            .map_err(|_| Rv(CKR_CURVE_NOT_SUPPORTED))?;
        Ok(point.to_vec())
    }

    /// Decrypts what was encrypted by OAEP; answers how much of `out` was written.
    pub(in crate::custody) fn decrypt_oaep(
        &self,
        session: CK_SESSION_HANDLE,
        private: CK_OBJECT_HANDLE,
        scheme: PairScheme,
        secret: &[u8],
        out: &mut [u8],
    ) -> Outcome<usize> {
        self.decrypt_by(session, Mechanism::oaep(scheme), private, secret, out)
    }

    /// Whether a private key has always been where it is, and can never leave.
    pub(in crate::custody) fn is_captive(
        &self,
        session: CK_SESSION_HANDLE,
        private: CK_OBJECT_HANDLE,
    ) -> Outcome<bool> {
        for (kind, expected) in [
            (CKA_SENSITIVE, CK_TRUE),
            (CKA_EXTRACTABLE, CK_FALSE),
            (CKA_NEVER_EXTRACTABLE, CK_TRUE),
        ] {
            let mut told = [0];
            if self.value(session, private, kind, &mut told)? != 1 || told != [expected] {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The secret that a private key and somebody's public key agree on, into `shared`.
    pub(in crate::custody) fn agree(
        &self,
        session: CK_SESSION_HANDLE,
        private: CK_OBJECT_HANDLE,
        point: &[u8; POINT],
        shared: &mut [u8],
    ) -> Outcome<()> {
        // SAFETY: a structure of integers and pointers, for which all zero is a value.
        let mut parameters: CK_ECDH1_DERIVE_PARAMS = unsafe { std::mem::zeroed() };
        parameters.kdf = CKD_NULL;
        parameters.ulPublicDataLen = length(point.len())?;
        parameters.pPublicData = point.as_ptr().cast_mut();
        let mut mechanism = CK_MECHANISM {
            mechanism: CKM_ECDH1_DERIVE,
            pParameter: ptr::from_mut(&mut parameters).cast(),
            ulParameterLen: size_of::<CK_ECDH1_DERIVE_PARAMS>(),
        };
        let bytes = length(SHARED)?;
        // An object of this session only; it is read once and destroyed.
        let mut template = [
            attribute(CKA_CLASS, &CKO_SECRET_KEY)?,
            attribute(CKA_KEY_TYPE, &CKK_GENERIC_SECRET)?,
            attribute(CKA_TOKEN, &CK_FALSE)?,
            attribute(CKA_SENSITIVE, &CK_FALSE)?,
            attribute(CKA_EXTRACTABLE, &CK_TRUE)?,
            attribute(CKA_VALUE_LEN, &bytes)?,
        ];
        let attributes = length(template.len())?;
        let mut secret = 0;
        call!(
            self,
            C_DeriveKey,
            session,
            &raw mut mechanism,
            private,
            template.as_mut_ptr(),
            attributes,
            &raw mut secret
        )?;
        let read = self.value(session, secret, CKA_VALUE, shared);
        let destroyed = self.destroy(session, secret);
        let written = read?;
        destroyed?;
        if written == SHARED && shared.len() == SHARED {
            Ok(())
        } else {
            Err(Rv(CKR_FUNCTION_FAILED))
        }
    }

    /// Reads an attribute into `buffer`; answers how many bytes it has.
    fn value(
        &self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        kind: CK_ATTRIBUTE_TYPE,
        buffer: &mut [u8],
    ) -> Outcome<usize> {
        let mut wanted = CK_ATTRIBUTE {
            type_: kind,
            pValue: buffer.as_mut_ptr().cast(),
            ulValueLen: length(buffer.len())?,
        };
        call!(self, C_GetAttributeValue, session, object, &raw mut wanted, 1)?;
        usize::try_from(wanted.ulValueLen)
            .ok()
            .filter(|written| *written <= buffer.len())
            .ok_or(Rv::TOO_LONG)
    }
}
