//! What a vote signs. Server and command line compute the same: the canonical form of the frozen request, its digest, and the
//! statement over it. What stands here needs no server, so that a vote can also be checked or signed elsewhere.

use kmip_protocol::{
    Commitment, DateTime, Item as _, OpenedShare, Operation, Structure as _, Version, VoteDecision, VoteStatement, tag,
};
use kmip_ttlv::{ErrorKind, Reader, Result, Secret, Tag, Value, Writer};
use ring::{digest, hmac};

/// The longest time for which a statement may be good: a vote is signed to be cast, not to be kept. An offline one is carried by hand.
pub const LONGEST_STATEMENT_SECONDS: i64 = 7 * 24 * 60 * 60;

/// How far the clock of the voter's machine may be ahead of the server's.
const CLOCK_TOLERANCE_SECONDS: i64 = 5 * 60;

/// Longer statements are refused unread: a statement has a dozen short fields.
const LONGEST_STATEMENT_BYTES: usize = 4096;

/// Items that are secret wherever they stand. A structure is replaced as a whole.
const SECRETS: &[Tag] = &[
    tag::KEY_MATERIAL,
    tag::OPAQUE_DATA_VALUE,
    tag::PASSWORD,
    tag::HASHED_PASSWORD,
    tag::SERVER_HASHED_PASSWORD,
    tag::ONE_TIME_PASSWORD,
    tag::INITIAL_PASSWORD,
    tag::NEW_PASSWORD,
    tag::CURRENT_PASSWORD,
    tag::ONE_TIME_SECRET,
    tag::KEYSTORE,
    tag::KEYSTORE_PASSWORD,
    tag::KEY_USAGE_PIN,
    tag::NEW_PIN,
    tag::FROZEN_REQUEST,
    tag::MANAGEMENT_PIN,
    tag::SHARE_VALUE,
];

/// Whether an item of a request's payload is secret. What is to be signed or decrypted is what an approver must see; what is to be
/// encrypted, hashed or derived from is not.
#[must_use]
pub fn is_secret(operation: Operation, tag: Tag) -> bool {
    SECRETS.contains(&tag)
        || (tag == tag::DATA
            && !matches!(
                operation,
                Operation::Sign | Operation::SignatureVerify | Operation::Decrypt
            ))
        || (matches!(tag, tag::DERIVATION_DATA | tag::SALT) && operation == Operation::DeriveKey)
}

/// The canonical form of a request: its payload (one Request Payload structure in TTLV) with each secret replaced by a
/// [`Commitment`], HMAC-SHA-256 under the salt over the secret's number in the payload (32 bits, big-endian, from 0) and its item.
/// Who has the salt and the secret can show that they belong together; who has neither learns nothing, not even whether two are equal.
///
/// # Errors
/// Bytes that are no Request Payload, or one that has a Commitment already: two requests would have one canonical form.
pub fn canonical(operation: Operation, payload: &[u8], salt: &Salt) -> Result<Vec<u8>> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt.0.expose());
    let mut canonical = Canonical {
        operation,
        key,
        committed: 0,
        writer: Writer::new(),
    };
    let mut reader = Reader::new(payload);
    if !reader.at(tag::REQUEST_PAYLOAD) {
        return Err(reader.error(ErrorKind::Missing(tag::REQUEST_PAYLOAD)));
    }
    canonical.item(&mut reader)?;
    reader.finish()?;
    Ok(canonical.writer.into_bytes())
}

/// The 32 random bytes under which a proposal commits to its secrets. Kept sealed, next to them.
pub struct Salt(Secret);

impl Salt {
    /// Takes over random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::copy_from(&bytes))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }
}

struct Canonical {
    operation: Operation,
    key: hmac::Key,
    committed: u32,
    writer: Writer,
}

impl Canonical {
    fn item(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let before = reader.remaining();
        let position = *reader;
        let (tag, value) = reader.item()?;
        if tag == tag::COMMITMENT {
            return Err(position.error(ErrorKind::Unexpected(Some(tag))));
        }
        let length = before.len().saturating_sub(reader.remaining().len());
        let bytes = before.get(..length).unwrap_or_default();
        if is_secret(self.operation, tag) {
            // What is inside must be well formed all the same.
            let mut whole = position;
            whole.skip()?;
            self.commit(tag, bytes);
            return Ok(());
        }
        let Value::Structure(mut inner) = value else {
            self.writer.raw(bytes);
            return Ok(());
        };
        let start = self.writer.open(tag);
        while !inner.is_empty() {
            self.item(&mut inner).map_err(|error| error.within(tag))?;
        }
        self.writer.close(start);
        Ok(())
    }

    fn commit(&mut self, tag: Tag, item: &[u8]) {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&self.committed.to_be_bytes());
        context.update(item);
        let commitment = Commitment {
            committed_tag: tag.0.cast_signed(),
            committed_value: context.sign().as_ref().to_vec(),
        };
        commitment.write_item(&mut self.writer, tag::COMMITMENT, Version::NEWEST);
        self.committed = self.committed.saturating_add(1);
    }
}

/// What votes sign of a request: SHA-256 over the operation's number (32 bits, big-endian) and the canonical payload.
#[must_use]
pub fn request_digest(operation: Operation, canonical: &[u8]) -> [u8; 32] {
    sha256(&[&operation.0.to_be_bytes(), canonical])
}

/// SHA-256 over these bytes, one after the other.
#[must_use]
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// What a vote is about: all of it is in the statement, so that a vote counts nowhere else and for nothing else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Which installation.
    pub instance_identifier: [u8; 16],
    /// Which life of it: a restore begins the next one.
    pub epoch: i32,
    /// The tenant's name; absent for the system's own proposals.
    pub tenant_name: Option<String>,
    /// Which proposal.
    pub proposal_identifier: [u8; 16],
    /// [`request_digest`] of what is frozen.
    pub request_digest: [u8; 32],
    /// The digest of what is acted upon, if the proposal is bound to it.
    pub target_digest: Option<[u8; 32]>,
    /// The digest of the policy in force.
    pub policy_digest: [u8; 32],
}

/// Who votes, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Casting {
    /// Yes or no.
    pub decision: VoteDecision,
    /// SHA-256 of the voter's key (SubjectPublicKeyInfo).
    pub voter_fingerprint: [u8; 32],
    /// From when the statement is good, in seconds since 1970.
    pub issued: i64,
    /// Until when.
    pub expires: i64,
    /// [`shares_digest`] of the shares that the vote carries.
    pub shares_digest: Option<[u8; 32]>,
}

/// What a statement says of opened shares: SHA-256 over their contexts, one after the other; nothing if there are none.
#[must_use]
pub fn shares_digest(shares: &[OpenedShare]) -> Option<[u8; 32]> {
    let contexts: Vec<&[u8]> = shares.iter().map(|share| share.share_context.as_slice()).collect();
    (!contexts.is_empty()).then(|| sha256(&contexts))
}

/// The statement of a vote.
#[must_use]
pub fn statement(subject: &Subject, casting: &Casting) -> VoteStatement {
    VoteStatement {
        context: VoteStatement::CONTEXT.to_owned(),
        instance_identifier: subject.instance_identifier.to_vec(),
        epoch: subject.epoch,
        tenant_name: subject.tenant_name.clone(),
        proposal_identifier: subject.proposal_identifier.to_vec(),
        request_digest: subject.request_digest.to_vec(),
        target_digest: subject.target_digest.map(|digest| digest.to_vec()),
        policy_digest: subject.policy_digest.to_vec(),
        decision: casting.decision,
        voter_fingerprint: casting.voter_fingerprint.to_vec(),
        issued: DateTime(casting.issued),
        expires: DateTime(casting.expires),
        shares_digest: casting.shares_digest.map(|digest| digest.to_vec()),
    }
}

/// The bytes that are signed: the statement as a Vote Statement structure in TTLV.
#[must_use]
pub fn encode_statement(statement: &VoteStatement) -> Vec<u8> {
    let mut writer = Writer::new();
    statement.write_item(&mut writer, tag::VOTE_STATEMENT, Version::NEWEST);
    writer.into_bytes()
}

/// Reads what [`encode_statement`] wrote.
///
/// # Errors
/// Bytes that are something else, or more.
pub fn decode_statement(bytes: &[u8]) -> Result<VoteStatement> {
    let mut reader = Reader::new(bytes);
    let statement = reader.structure(tag::VOTE_STATEMENT, |inner| VoteStatement::read(inner, Version::NEWEST))?;
    reader.finish()?;
    Ok(statement)
}

/// Why a signed vote is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VoteFault {
    /// The bytes are no statement.
    #[error("the statement cannot be read")]
    Unreadable,
    /// It is about something else: another installation, epoch, tenant, proposal, request, target or policy, or another decision.
    #[error("the statement is about something else")]
    OtherSubject,
    /// It names another key than the certificate's.
    #[error("the statement names another key")]
    OtherKey,
    /// It is not good yet, no longer, or for too long.
    #[error("the statement is not valid at this time")]
    OutOfTime,
    /// The signature is wrong, or of a kind that is not accepted.
    #[error("the signature is wrong")]
    Signature,
}

/// Checks a signed vote: that it says exactly what is expected, now, and that the certificate's key signed it.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify_statement(
    bytes: &[u8],
    signature: &[u8],
    certificate: &[u8],
    subject: &Subject,
    decision: VoteDecision,
    shares_digest: Option<[u8; 32]>,
    now_seconds: i64,
) -> core::result::Result<(), VoteFault> {
    if bytes.len() > LONGEST_STATEMENT_BYTES {
        return Err(VoteFault::Unreadable);
    }
    let given = decode_statement(bytes).map_err(|_| VoteFault::Unreadable)?;
    let facts = certs::CertificateFacts::read(certificate).map_err(|_| VoteFault::Signature)?;
    if given.voter_fingerprint != facts.key_fingerprint {
        return Err(VoteFault::OtherKey);
    }
    let casting = Casting {
        decision,
        voter_fingerprint: facts.key_fingerprint,
        issued: given.issued.0,
        expires: given.expires.0,
        shares_digest,
    };
    // One spelling only: what is kept as evidence is what was expected, byte for byte.
    if encode_statement(&statement(subject, &casting)) != bytes {
        return Err(VoteFault::OtherSubject);
    }
    let lasts = casting.expires.saturating_sub(casting.issued);
    let early = casting.issued > now_seconds.saturating_add(CLOCK_TOLERANCE_SECONDS);
    if early || casting.expires < now_seconds || !(0..=LONGEST_STATEMENT_SECONDS).contains(&lasts) {
        return Err(VoteFault::OutOfTime);
    }
    certs::verify_by_holder(certificate, bytes, signature).map_err(|_| VoteFault::Signature)
}
