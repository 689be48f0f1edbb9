//! Votes: the statement over what was shown, signed with the person's key. What you see is what you sign.

use crate::authority::quorum::statement::{
    Casting, LONGEST_STATEMENT_SECONDS, Salt, Subject, canonical, encode_statement, request_digest, shares_digest,
    statement,
};
use crate::cli::context::Profile;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::key::KeyPlace;
use crate::cli::shares;
use certs::{CertificateFacts, Signer, pem};
use kmip_protocol::{OpenedShare, Operation, ProposalDetail, ProposalVoteRequest, VoteDecision, tag};
use kmip_ttlv::{Reader, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds for which a vote is good that is cast at once.
pub(in crate::cli) const ONLINE: i64 = 600;

/// Seconds for which a vote is good that is carried by hand: the longest that a server takes.
pub(in crate::cli) const OFFLINE: i64 = LONGEST_STATEMENT_SECONDS;

/// Who votes: a key, and the certificate that it belongs to.
pub(in crate::cli) struct Voter {
    key: Arc<dyn Signer>,
    fingerprint: [u8; 32],
    /// Where the share key is, if there is one.
    shares: Option<PathBuf>,
}

impl Voter {
    /// The person of a profile.
    pub(in crate::cli) fn of(profile: &Profile) -> Outcome<Self> {
        Self::read(&profile.cert, &profile.key)
    }

    /// From where they are.
    pub(in crate::cli) fn read(cert: &Path, key: &KeyPlace) -> Outcome<Self> {
        let certificate = certificate(cert)?;
        let facts = CertificateFacts::read(&certificate).map_err(|why| problem(cert, why))?;
        let private = key.of(&certificate)?;
        if private.public_key_info() != facts.public_key.info {
            return Err(Failure::usage(format!("{key}: {}", certs::Error::KeyMismatch)));
        }
        Ok(Self {
            key: private,
            fingerprint: facts.key_fingerprint,
            shares: Some(shares::place(cert)),
        })
    }

    /// Opens its shares of what a proposal needs; none where no share key is at hand, so that the vote counts all the same.
    pub(in crate::cli) fn open(&self, proposal: &ProposalDetail) -> Outcome<Vec<OpenedShare>> {
        match &self.shares {
            Some(place) => shares::open(place, &proposal.held_shares),
            None => Ok(Vec::new()),
        }
    }

    /// Signs bytes.
    pub(in crate::cli) fn sign(&self, message: &[u8]) -> Outcome<Vec<u8>> {
        let signed = self.key.sign(message);
        Ok(signed.map_err(|why| why.to_string())?)
    }
}

fn problem(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{}: {why}", path.display()))
}

/// The first certificate of a PEM file, as DER.
pub(in crate::cli) fn certificate(path: &Path) -> Outcome<Vec<u8>> {
    let first = certificates(path)?.into_iter().next();
    first.ok_or_else(|| problem(path, certs::Error::Pem))
}

/// The certificates of a PEM file, as DER.
pub(in crate::cli) fn certificates(path: &Path) -> Outcome<Vec<Vec<u8>>> {
    let text = std::fs::read_to_string(path).map_err(|why| problem(path, why))?;
    pem::certificates(&text).map_err(|why| problem(path, why))
}

/// That the digest which votes sign is the one of what was shown.
pub(in crate::cli) fn check(proposal: &ProposalDetail) -> Outcome<()> {
    let digest = request_digest(proposal.summary.operation, &proposal.frozen_request);
    if proposal.request_digest == digest {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Error,
        "the digest of the proposal is not that of the request shown: nothing was signed",
    ))
}

/// Whether a frozen request is the canonical form of what was sent: the same item by item, but that the values of commitments, which
/// only the server can compute, may be any.
pub(in crate::cli) fn is_of(operation: Operation, sent: &[u8], frozen: &[u8]) -> kmip_ttlv::Result<bool> {
    let own = canonical(operation, sent, &Salt::new([0; 32]))?;
    alike(&mut Reader::new(&own), &mut Reader::new(frozen))
}

fn alike(own: &mut Reader<'_>, other: &mut Reader<'_>) -> kmip_ttlv::Result<bool> {
    while !own.is_empty() && !other.is_empty() {
        let (before, other_before) = (own.remaining(), other.remaining());
        let ((tag, a), (other_tag, b)) = (own.item()?, other.item()?);
        let same = match (a, b) {
            (Value::Structure(mut a), Value::Structure(mut b)) => tag == other_tag && alike(&mut a, &mut b)?,
            (Value::ByteString(a), Value::ByteString(b)) if tag == tag::COMMITTED_VALUE => {
                tag == other_tag && a.len() == b.len()
            }
            _ => taken(before, own) == taken(other_before, other),
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(own.is_empty() && other.is_empty())
}

/// The bytes that a reader has passed.
fn taken<'a>(before: &'a [u8], now: &Reader<'_>) -> &'a [u8] {
    before
        .get(..before.len().saturating_sub(now.remaining().len()))
        .unwrap_or_default()
}

/// A vote over a proposal as it was shown, signed, good for so many seconds.
pub(in crate::cli) fn vote(
    proposal: &ProposalDetail,
    voter: &Voter,
    decision: VoteDecision,
    reason: Option<String>,
    lasts: i64,
) -> Outcome<ProposalVoteRequest> {
    check(proposal)?;
    // A vote that is carried by hand would carry its shares in clear.
    let opened_shares = match decision {
        VoteDecision::Approve if lasts == ONLINE => voter.open(proposal)?,
        _ => Vec::new(),
    };
    let subject = subject(proposal).ok_or_else(|| "the proposal is damaged: nothing was signed".to_owned())?;
    let issued = now();
    // Shorter by one second for each vote before it: the same vote again within a second would else be the same statement, and that is
    // refused as one that was shown before.
    let before = i64::try_from(proposal.votes.len()).unwrap_or(i64::MAX);
    let casting = Casting {
        decision,
        voter_fingerprint: voter.fingerprint,
        issued,
        expires: issued.saturating_add(lasts.saturating_sub(before).max(1)),
        shares_digest: shares_digest(&opened_shares),
    };
    let statement = encode_statement(&statement(&subject, &casting));
    let signature = voter.sign(&statement)?;
    Ok(ProposalVoteRequest {
        proposal_identifier: proposal.summary.proposal_identifier.clone(),
        decision,
        statement: Some(statement),
        signature: Some(signature),
        reason,
        opened_shares,
    })
}

/// What a vote on this proposal is about.
fn subject(proposal: &ProposalDetail) -> Option<Subject> {
    let target_digest = match &proposal.target_digest {
        Some(digest) => Some(digest.as_slice().try_into().ok()?),
        None => None,
    };
    Some(Subject {
        instance_identifier: proposal.instance_identifier.as_slice().try_into().ok()?,
        epoch: proposal.epoch,
        tenant_name: proposal.summary.tenant_name.clone(),
        proposal_identifier: proposal.summary.proposal_identifier.as_slice().try_into().ok()?,
        request_digest: proposal.request_digest.as_slice().try_into().ok()?,
        target_digest,
        policy_digest: proposal.policy_digest.as_slice().try_into().ok()?,
    })
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(in crate::cli) mod tests {
    use super::*;
    use crate::authority::quorum::statement::verify_statement;
    use certs::{KeyKind, Leaf, Subject, Usage, Validity};
    use kmip_protocol::{Completion, DateTime, Operation, ProposalState, ProposalSummary, tag};
    use kmip_ttlv::Writer;

    /// A proposal that asks to delete bob.
    pub(in crate::cli) fn proposal() -> ProposalDetail {
        let mut writer = Writer::new();
        writer.structure(tag::REQUEST_PAYLOAD, |w| w.text(tag::PERSON_NAME, "bob"));
        let frozen_request = writer.into_bytes();
        let operation = Operation::PersonDelete;
        ProposalDetail {
            summary: ProposalSummary {
                proposal_identifier: vec![7; 16],
                state: ProposalState::Open,
                operation,
                tenant_name: Some("acme".to_owned()),
                requester_name: "alice".to_owned(),
                submitted: DateTime(1),
                expires: DateTime(2),
                reason: None,
                awaiting_requester: true,
                awaiting_shares: None,
            },
            request_digest: request_digest(operation, &frozen_request).to_vec(),
            frozen_request,
            target: Some("person bob".to_owned()),
            target_digest: None,
            policy_digest: vec![2; 32],
            instance_identifier: vec![1; 16],
            epoch: 0,
            completion: Completion::Manual,
            requirements: Vec::new(),
            votes: Vec::new(),
            events: Vec::new(),
            result_reason: None,
            held_shares: Vec::new(),
            share_givers: Vec::new(),
        }
    }

    fn voter() -> (Voter, Vec<u8>) {
        let leaf = Leaf {
            subject: Subject::named("alice"),
            alternative_names: Vec::new(),
            usage: Usage::Client,
            validity: Validity::days(now(), 1),
        };
        let (certificate, key) = leaf.self_signed(KeyKind::P256).unwrap();
        let fingerprint = CertificateFacts::read(&certificate).unwrap().key_fingerprint;
        let voter = Voter {
            key: Arc::new(key),
            fingerprint,
            shares: None,
        };
        (voter, certificate)
    }

    #[test]
    fn a_vote_is_signed_over_what_was_shown() {
        let (voter, certificate) = voter();
        let vote = vote(&proposal(), &voter, VoteDecision::Approve, None, ONLINE).unwrap();
        let (statement, signature) = (vote.statement.unwrap(), vote.signature.unwrap());
        let about = subject(&proposal()).unwrap();
        let verified = verify_statement(
            &statement,
            &signature,
            &certificate,
            &about,
            VoteDecision::Approve,
            None,
            now(),
        );
        verified.unwrap();
    }

    #[test]
    fn a_frozen_request_is_known_again_whatever_its_salt() {
        use kmip_protocol::{PersonResetRequest, SecretText};
        let payload = |name: &str, password: &str| {
            let request = PersonResetRequest {
                person_name: name.to_owned(),
                initial_password: SecretText::new(password),
            };
            crate::cli::session::payload_bytes(&request.into())
        };
        let operation = Operation::PersonReset;
        let frozen = |bytes: &[u8], salt| canonical(operation, bytes, &Salt::new([salt; 32])).unwrap();
        let sent = payload("bob", "a secret of theirs");
        let same = frozen(sent.expose(), 9);
        assert!(is_of(operation, sent.expose(), &same).unwrap());
        let other = frozen(payload("bobby", "a secret of theirs").expose(), 9);
        assert!(!is_of(operation, sent.expose(), &other).unwrap());
        // Neither more nor less, and a secret is never told in clear.
        assert!(!is_of(operation, sent.expose(), sent.expose()).unwrap());
        let mut more = Writer::new();
        more.structure(tag::REQUEST_PAYLOAD, |w| {
            w.text(tag::PERSON_NAME, "bob");
            w.text(tag::PERSON_NAME, "carol");
        });
        let mut less = Writer::new();
        less.structure(tag::REQUEST_PAYLOAD, |w| w.text(tag::PERSON_NAME, "bob"));
        assert!(!is_of(Operation::PersonDelete, less.as_bytes(), more.as_bytes()).unwrap());
        assert!(!is_of(Operation::PersonDelete, more.as_bytes(), less.as_bytes()).unwrap());
        assert!(is_of(Operation::PersonDelete, less.as_bytes(), less.as_bytes()).unwrap());
    }

    #[test]
    fn what_was_not_shown_is_not_signed() {
        let (voter, _) = voter();
        let mut changed = proposal();
        *changed.frozen_request.last_mut().unwrap() ^= 1;
        let refused = vote(&changed, &voter, VoteDecision::Approve, None, ONLINE);
        assert!(refused.err().unwrap().text.contains("nothing was signed"));
        let mut other = proposal();
        other.summary.operation = Operation::PersonSuspend;
        assert!(vote(&other, &voter, VoteDecision::Approve, None, ONLINE).is_err());
    }
}
