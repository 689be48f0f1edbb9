//! Wrapping and unwrapping with a KEK in the token. What is wrapped is opened again before it is given out: a token that errs once must
//! not cost an object.

use cryptoki_sys::{CK_SESSION_HANDLE, CKM_AES_CBC, CKM_SHA256_HMAC};
use ring::rand::SecureRandom;
use zeroize::Zeroize;

use super::Desk;
use super::engine::{Fault, KekHandles};
use super::protocol::{FrameReader, FrameWriter, Status};
use crate::custody::context::WRAP_AAD;
use crate::custody::error::CustodyError;
use crate::custody::pkcs11::{Class, Mechanism, Module, Outcome, Rv};
use crate::custody::probe::Scheme;
use crate::custody::sealing::{self, CbcParts, KEY, MAC, NONCE, TAG, VECTOR};

/// Room beyond the true length, which some modules ask for.
pub(super) const SLACK: usize = 32;
/// What is encrypted to see whether a key answers.
const QUESTION: [u8; KEY] = [0x5a; KEY];

impl Desk<'_> {
    pub(super) fn wrap(
        &mut self,
        id: &[u8],
        aad: &[u8; WRAP_AAD],
        mut fields: FrameReader<'_>,
        answer: &mut FrameWriter,
    ) -> Result<(), Fault> {
        let scheme = scheme(&mut fields)?;
        // Used where it lies, in secret memory.
        let key = fields.rest();
        if key.len() != KEY {
            return Err(Fault::new(Status::Misfit));
        }
        let (module, again) = (&self.engine.module, self.plain.expose_mut());
        let wrapped = self
            .engine
            .with_key(&mut self.seat, id, scheme == Scheme::CbcHmac, &mut |session, keys| {
                let hand = Hand {
                    module,
                    session,
                    keys,
                    scheme,
                    aad,
                };
                let blob = hand.seal(key)?;
                let length = hand.open(&blob, again)?;
                match again.get(..length) {
                    Some(opened) if sealing::equal(opened, key) => Ok(blob),
                    _ => Err(Rv::WRONG),
                }
            });
        again.zeroize();
        Ok(answer.raw(&wrapped?)?)
    }

    pub(super) fn unwrap(
        &mut self,
        id: &[u8],
        aad: &[u8; WRAP_AAD],
        mut fields: FrameReader<'_>,
        answer: &mut FrameWriter,
    ) -> Result<(), Fault> {
        let scheme = scheme(&mut fields)?;
        let blob = fields.rest();
        if !sealing::is_wrapped(blob) {
            return Err(Fault::new(Status::Refused));
        }
        let with_mac = sealing::split_cbc(blob).is_ok();
        let (module, plain) = (&self.engine.module, self.plain.expose_mut());
        let outcome = self
            .engine
            .with_key(&mut self.seat, id, with_mac, &mut |session, keys| {
                Hand {
                    module,
                    session,
                    keys,
                    scheme,
                    aad,
                }
                .open(blob, plain)
            });
        let told = match outcome {
            Ok(KEY) => Ok(answer.raw(self.plain.expose().get(..KEY).unwrap_or_default())?),
            Ok(_) => Err(Fault::new(Status::Refused)),
            Err(fault) => Err(fault),
        };
        self.plain.expose_mut().zeroize();
        told
    }
}

pub(super) fn scheme(fields: &mut FrameReader<'_>) -> Result<Scheme, CustodyError> {
    let [number] = fields.raw()?;
    Scheme::from_number(number)
}

/// A KEK in a session, with what is bound to what it wraps.
struct Hand<'a> {
    module: &'a Module,
    session: CK_SESSION_HANDLE,
    keys: KekHandles,
    scheme: Scheme,
    aad: &'a [u8; WRAP_AAD],
}

impl Hand<'_> {
    fn seal(&self, plain: &[u8]) -> Outcome<Vec<u8>> {
        match self.scheme {
            Scheme::CbcHmac => self.seal_cbc(plain),
            Scheme::GcmHostNonce | Scheme::GcmTokenNonce => {
                let mut sealed = [0; KEY + TAG + SLACK];
                let (nonce, length) = self.seal_gcm(plain, &mut sealed)?;
                let mut blob = sealing::begin_blob(&nonce, KEY);
                blob.extend_from_slice(sealed.get(..length).unwrap_or_default());
                whole(blob)
            }
        }
    }

    /// Opens a blob by the algorithm that it names.
    fn open(&self, blob: &[u8], plain: &mut [u8]) -> Outcome<usize> {
        match sealing::split_cbc(blob) {
            Ok(parts) => self.open_cbc(parts, plain),
            Err(_) => {
                let (nonce, sealed) = sealing::split_blob(blob).map_err(|_| Rv::NOT_AUTHENTIC)?;
                self.open_gcm(nonce, sealed, plain)
            }
        }
    }

    fn seal_gcm(&self, plain: &[u8], sealed: &mut [u8]) -> Outcome<([u8; NONCE], usize)> {
        let mut nonce = [0; NONCE];
        // A token that makes the nonce takes zeros, and writes its own over them.
        if self.scheme != Scheme::GcmTokenNonce {
            fill(&mut nonce)?;
        }
        let mechanism = Mechanism::Gcm {
            nonce: &mut nonce,
            aad: self.aad,
        };
        let length = self
            .module
            .encrypt_by(self.session, mechanism, self.keys.cipher, plain, sealed)?;
        if nonce == [0; NONCE] {
            return Err(Rv::WRONG);
        }
        Ok((nonce, length))
    }

    fn decrypt_gcm(&self, nonce: &[u8; NONCE], sealed: &[u8], plain: &mut [u8]) -> Outcome<usize> {
        let mechanism = Mechanism::Gcm {
            nonce: &mut nonce.clone(),
            aad: self.aad,
        };
        self.module
            .decrypt_by(self.session, mechanism, self.keys.cipher, sealed, plain)
    }

    /// Decrypts, and finds out whose fault a failure is: some modules say CKR_GENERAL_ERROR for a wrong tag. If the same
    /// key still answers a known question and fails on these bytes again, the bytes are wrong.
    fn open_gcm(&self, nonce: &[u8; NONCE], sealed: &[u8], plain: &mut [u8]) -> Outcome<usize> {
        let failure = match self.decrypt_gcm(nonce, sealed, plain) {
            Err(rv) if rv.class() == Class::Device => rv,
            outcome => return outcome,
        };
        let mut asked = [0; KEY + TAG + SLACK];
        let mut answered = [0; KEY + TAG + SLACK];
        let (question_nonce, length) = self.seal_gcm(&QUESTION, &mut asked)?;
        let asked = asked.get(..length).ok_or(failure)?;
        let length = self.decrypt_gcm(&question_nonce, asked, &mut answered)?;
        if answered.get(..length) != Some(&QUESTION[..]) {
            return Err(failure);
        }
        match self.decrypt_gcm(nonce, sealed, plain) {
            Err(rv) if rv.class() == Class::Device => Err(Rv::NOT_AUTHENTIC),
            outcome => outcome,
        }
    }

    fn seal_cbc(&self, plain: &[u8]) -> Outcome<Vec<u8>> {
        let mut vector = [0; VECTOR];
        fill(&mut vector)?;
        let mut sealed = [0; KEY + SLACK];
        let mechanism = Mechanism::Vector(CKM_AES_CBC, &vector);
        let length = self
            .module
            .encrypt_by(self.session, mechanism, self.keys.cipher, plain, &mut sealed)?;
        let sealed = sealed.get(..length).unwrap_or_default();
        whole(sealing::cbc_blob(&vector, sealed, &self.mac(&vector, sealed)?))
    }

    /// Verifies before it decrypts anything.
    fn open_cbc(&self, parts: CbcParts<'_>, plain: &mut [u8]) -> Outcome<usize> {
        let (vector, sealed, told) = parts;
        let mac = self.mac(vector, sealed)?;
        if !sealing::equal(&mac, told) {
            // A token that says another thing now errs; one that stays by it says that the bytes are wrong.
            let again = self.mac(vector, sealed)?;
            return Err(if again == mac { Rv::NOT_AUTHENTIC } else { Rv::WRONG });
        }
        let mechanism = Mechanism::Vector(CKM_AES_CBC, vector);
        self.module
            .decrypt_by(self.session, mechanism, self.keys.cipher, sealed, plain)
    }

    /// The MAC over authenticated data, vector and ciphertext, whose lengths are fixed.
    fn mac(&self, vector: &[u8; VECTOR], sealed: &[u8]) -> Outcome<[u8; MAC]> {
        let key = self.keys.mac.ok_or(Rv::UNSUPPORTED)?;
        let input = [&self.aad[..], vector, sealed].concat();
        let mut mac = [0; MAC + SLACK];
        let length = self.module.sign(self.session, CKM_SHA256_HMAC, key, &input, &mut mac)?;
        let told = mac.get(..length).and_then(|mac| mac.try_into().ok());
        told.ok_or(Rv::WRONG)
    }
}

/// A module that answers another length answers nothing that could be opened again.
fn whole(blob: Vec<u8>) -> Outcome<Vec<u8>> {
    if sealing::is_wrapped(&blob) {
        Ok(blob)
    } else {
        Err(Rv::WRONG)
    }
}

fn fill(bytes: &mut [u8]) -> Outcome<()> {
    ring::rand::SystemRandom::new().fill(bytes).map_err(|_| Rv::UNSUPPORTED)
}
