//! The contracts of the room: `Sealer` is one KEK, `KekProvider` is what makes, finds and destroys KEKs.

use std::sync::Arc;

use ring::digest;

use super::context::{KekId, ProfileId, Purpose, WrapContext};
use super::error::CustodyError;
use super::probe::Capabilities;
use super::record::{KekRecord, Placement};
use super::sealing;
use super::slab::{Locked, Slab};
use crate::store::Domain;
use crate::wait::Wait;

/// What keeps a KEK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealerKind {
    /// A key file: for development and the demonstration.
    Software,
    /// The KEK stays in the HSM, which wraps and unwraps each time.
    Resident,
    /// A software KEK opened through a key pair of an HSM.
    Protected,
}

/// One KEK: it wraps and unwraps 32-byte keys, each bound to its whole [`WrapContext`].
///
/// Errors of all calls: [`CustodyError::Unavailable`] for an outage (also a KEK that is not found: it is known to
/// exist), [`CustodyError::Credential`], [`CustodyError::Refused`] for bytes that are not authentic in this context,
/// [`CustodyError::UnknownKek`] for the context of another KEK, [`CustodyError::Limit`], [`CustodyError::Randomness`].
pub trait Sealer: Send + Sync {
    /// What keeps it.
    fn kind(&self) -> SealerKind;

    /// Wraps a key.
    fn wrap<'a>(&'a self, context: WrapContext, key: &'a Locked) -> Wait<'a, Result<Vec<u8>, CustodyError>>;

    /// Unwraps a key into the slab.
    fn unwrap<'a>(&'a self, context: WrapContext, wrapped: &'a [u8]) -> Wait<'a, Result<Locked, CustodyError>>;

    /// Opens the known answer of the KEK's record: the only health check that does not lie.
    fn health(&self) -> Wait<'_, Result<(), CustodyError>>;
}

/// A KEK to be made. The identifiers come from the approved command, so that a repeated one finds what the first one
/// made.
#[derive(Clone, Debug)]
pub struct NewKek {
    /// Its identifier.
    pub id: KekId,
    /// The tenant, or the system domain.
    pub domain: Domain,
    /// Its generation in the domain, from 1.
    pub generation: u32,
    /// The HSM-Profile that is to keep it.
    pub profile: ProfileId,
    /// The CKA_ID in a token: 1 to 64 bytes. Not used by software.
    pub cka_id: Vec<u8>,
    /// Now, in milliseconds since 1970.
    pub created_ms: i64,
}

/// An HSM-Profile at work, or the software key files.
pub trait KekProvider: Send + Sync {
    /// What kind of KEKs it keeps.
    fn kind(&self) -> SealerKind;

    /// Makes a KEK. `login` is the key-management credential; without it that of key usage serves, where a token has
    /// one user for both.
    ///
    /// Errors: [`CustodyError::Exists`] if there is one under that identifier, which is left as it is; those of
    /// [`Sealer`].
    fn create<'a>(&'a self, kek: &'a NewKek, login: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>>;

    /// Where a KEK that was made before is. Errors: [`CustodyError::UnknownKek`] if it is certain that there is none.
    fn find<'a>(&'a self, kek: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>>;

    /// Destroys a KEK and verifies that it is gone; one that is gone already is no error.
    fn destroy<'a>(&'a self, record: &'a KekRecord, login: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>>;

    /// The sealer of a KEK. It does not look for it yet, so that a missing HSM delays nothing.
    ///
    /// # Errors
    /// [`CustodyError::Record`] if the record is of another kind.
    fn sealer(&self, record: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError>;

    /// Finds out what it can do, by trying with keys that end with their sessions: nothing stays, nobody who is served is disturbed,
    /// and a trial that fails or hangs is one finding. With `login`, the key-management credential, also whether the token keeps the
    /// two roles apart. Takes seconds, and at most a few deadlines where the token hangs.
    ///
    /// Errors: [`CustodyError::Unavailable`] if there is no such token; [`CustodyError::Credential`] if it refuses a PIN. One that is
    /// locked, or would be with the next wrong one, is not sent: then nothing is tried, and the capabilities say why.
    fn examine<'a>(&'a self, login: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>>;

    /// Whether it answers now.
    fn health(&self) -> Wait<'_, Result<(), CustodyError>>;

    /// Random bytes of the HSM's own generator, a thousand or two at most. Errors: [`CustodyError::Unavailable`], also where it is no HSM.
    fn random(&self, _length: usize) -> Wait<'_, Result<Locked, CustodyError>> {
        crate::wait::ready(Err(CustodyError::Unavailable))
    }

    /// Its key pairs, by which protected KEKs are opened; `None` where it is no HSM.
    fn pairs(&self) -> Option<&dyn PairProvider> {
        None
    }
}

/// A key pair that opens one KEK.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairName {
    /// The KEK.
    pub kek: KekId,
    /// Its domain.
    pub domain: Domain,
    /// Its generation.
    pub generation: u32,
    /// The HSM-Profile that keeps the private key.
    pub profile: ProfileId,
    /// The CKA_ID of both keys: 1 to 64 bytes, from the approved command.
    pub cka_id: Vec<u8>,
}

/// What a key pair is to open.
#[derive(Clone, Copy)]
pub struct Sealing<'a> {
    /// The public key that it was sealed to.
    pub public_key: &'a [u8],
    /// What it is bound to.
    pub context: WrapContext,
    /// What it is bound to besides.
    pub more: &'a [u8],
    /// The sealed bytes.
    pub sealed: &'a [u8],
}

/// Key pairs in an HSM. The errors are those of [`KekProvider`].
pub trait PairProvider: Send + Sync {
    /// Makes a pair whose private key never leaves the HSM, and answers the public key.
    fn make<'a>(&'a self, pair: &'a PairName, login: Option<&'a Locked>) -> Wait<'a, Result<Vec<u8>, CustodyError>>;

    /// The public key of a pair that was made before.
    fn find<'a>(&'a self, pair: &'a PairName) -> Wait<'a, Result<Vec<u8>, CustodyError>>;

    /// Destroys a pair and verifies that it is gone; one that is gone already is no error.
    fn destroy<'a>(&'a self, pair: &'a PairName, login: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>>;

    /// Opens a key of 32 bytes.
    fn open<'a>(&'a self, pair: &'a PairName, sealing: Sealing<'a>) -> Wait<'a, Result<Locked, CustodyError>>;
}

/// What the known answer of a KEK opens to. Not secret; another KEK does not open it at all.
fn known_answer(record: &KekRecord) -> digest::Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"claviger known answer");
    context.update(&record.id.0);
    context.finish()
}

/// The context of the known answer of a KEK, by which requests that manage it name it too.
pub(super) fn known_answer_context(domain: Domain, kek: KekId, generation: u32) -> WrapContext {
    WrapContext {
        purpose: Purpose::KnownAnswer,
        domain,
        internal_id: kek.0,
        generation,
        kek,
        kek_generation: generation,
    }
}

/// Wraps the known answer of a new KEK, and opens it again.
pub(super) async fn make_known_answer(
    slab: &Slab,
    sealer: &dyn Sealer,
    record: &KekRecord,
) -> Result<Vec<u8>, CustodyError> {
    let answer = slab.copy_from(known_answer(record).as_ref())?;
    sealer
        .wrap(
            known_answer_context(record.domain, record.id, record.generation),
            &answer,
        )
        .await
}

/// Opens the known answer of a KEK.
pub(super) async fn check_known_answer(sealer: &dyn Sealer, record: &KekRecord) -> Result<(), CustodyError> {
    let answer = sealer
        .unwrap(
            known_answer_context(record.domain, record.id, record.generation),
            &record.known_answer,
        )
        .await?;
    if sealing::equal(answer.expose(), known_answer(record).as_ref()) {
        Ok(())
    } else {
        // Authentic, and not what was wrapped: what opened it is not in order.
        Err(CustodyError::Unavailable)
    }
}

/// Refuses a context that is not of this KEK.
pub(super) fn check_context(context: &WrapContext, record: &KekRecord) -> Result<(), CustodyError> {
    if context.kek == record.id && context.kek_generation == record.generation && context.domain == record.domain {
        Ok(())
    } else {
        Err(CustodyError::UnknownKek)
    }
}
