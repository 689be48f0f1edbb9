//! Proposals and votes: requests that others must agree to. Extensions of our own.

use crate::field::structure;
use crate::{Completion, DateTime, HeldShare, Operation, Policy, ProposalState, ResultReason, VoteDecision};

structure! {
    /// What a request's Message Extension may carry, and what its answer tells of the proposal made from it.
    #[derive(Eq, Debug, Default)]
    ProposalNote {
        /// 16 random bytes: chosen by the client, or by the server if it chose none.
        proposal_identifier: Option<Vec<u8>> = PROPOSAL_IDENTIFIER;
        /// Why the request is made.
        reason: Option<String> = PROPOSAL_REASON;
        /// In an answer: the rules that govern the request.
        rule_names: Vec<String> = RULE_NAME;
        /// In an answer: how far the proposal has come.
        state: Option<ProposalState> = PROPOSAL_STATE;
        /// In an answer: when votes can no longer be cast.
        expires: Option<DateTime> = EXPIRES;
    }

    /// A proposal, as lists show it.
    #[derive(Eq, Debug)]
    ProposalSummary {
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
        state: ProposalState = PROPOSAL_STATE;
        operation: Operation = OPERATION;
        /// The tenant concerned; absent for the system's own.
        tenant_name: Option<String> = TENANT_NAME;
        /// The person's or client's name.
        requester_name: String = REQUESTER_NAME;
        submitted: DateTime = SUBMITTED;
        /// When votes can no longer be cast or, once approved, when it can no longer be carried out.
        expires: DateTime = EXPIRES;
        reason: Option<String> = PROPOSAL_REASON;
        /// Whether the reader's vote would count and is not yet cast.
        awaiting_requester: bool = AWAITING_REQUESTER;
        /// Whether enough have agreed, and those who have are still to hand in their shares of a key-management credential.
        awaiting_shares: Option<bool> = AWAITING_SHARES;
    }

    /// Everything that an approver needs to see. The frozen request is the canonical payload, from which the digest is computed
    /// again before anything is signed.
    ProposalDetail {
        summary: ProposalSummary = PROPOSAL;
        /// The request's payload in TTLV, as a Request Payload structure, each secret replaced by its commitment.
        frozen_request: Vec<u8> = FROZEN_REQUEST;
        /// SHA-256 over operation and canonical payload.
        request_digest: Vec<u8> = REQUEST_DIGEST;
        /// What the request acts upon, as it was.
        target: Option<String> = TARGET;
        /// Digest of the target's state, which the proposal is bound to.
        target_digest: Option<Vec<u8>> = TARGET_DIGEST;
        /// Digest of the policy in force.
        policy_digest: Vec<u8> = POLICY_DIGEST;
        instance_identifier: Vec<u8> = INSTANCE_IDENTIFIER;
        epoch: i32 = EPOCH;
        completion: Completion = COMPLETION;
        requirements: Vec<Requirement> = REQUIREMENT;
        votes: Vec<Vote> = VOTE;
        events: Vec<ProposalEvent> = PROPOSAL_EVENT;
        /// Why it failed, if it did.
        result_reason: Option<ResultReason> = RESULT_REASON;
        /// The reader's shares of the key-management credentials that it needs, which it has not handed in.
        held_shares: Vec<HeldShare> = HELD_SHARE;
        /// Who has handed in all of theirs.
        share_givers: Vec<String> = SHARE_GIVER;
    }

    /// What one rule still wants.
    #[derive(Eq, Debug)]
    Requirement {
        rule_name: String = RULE_NAME;
        satisfied: bool = ALTERNATIVE_SATISFIED;
        /// Votes that are missing in the alternative that is nearest.
        remaining: i32 = REMAINING_QUORUM;
        /// Who could give them.
        eligible: Vec<String> = ELIGIBLE_PERSON;
        /// What to think of, e.g. that another proposal acts on the same target.
        warnings: Vec<String> = RULE_WARNING;
    }

    /// A vote as it was cast: evidence that can be checked anywhere.
    #[derive(Eq, Debug)]
    Vote {
        person_name: String = PERSON_NAME;
        decision: VoteDecision = VOTE_DECISION;
        time_stamp: DateTime = TIME_STAMP;
        /// Whether it counts now.
        counts: bool = REQUESTER_COUNTS;
        withdrawn: Option<DateTime> = REVOKED_MOMENT;
        /// The signed bytes: a [`VoteStatement`] in TTLV.
        statement: Option<Vec<u8>> = VOTE_STATEMENT;
        signature: Option<Vec<u8>> = VOTE_SIGNATURE;
        voter_fingerprint: Option<Vec<u8>> = VOTER_FINGERPRINT;
    }

    /// One step of a proposal's life.
    #[derive(Eq, Debug)]
    ProposalEvent {
        state: ProposalState = PROPOSAL_STATE;
        time_stamp: DateTime = TIME_STAMP;
        /// Who made the step; the server itself if absent.
        person_name: Option<String> = PERSON_NAME;
        reason: Option<String> = PROPOSAL_REASON;
    }

    /// What a vote signs (REQUIREMENTS §3.2): enough that it can be cast nowhere else and for nothing else.
    #[derive(Eq, Debug)]
    VoteStatement {
        /// [`VoteStatement::CONTEXT`].
        context: String = STATEMENT_CONTEXT;
        instance_identifier: Vec<u8> = INSTANCE_IDENTIFIER;
        epoch: i32 = EPOCH;
        tenant_name: Option<String> = TENANT_NAME;
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
        request_digest: Vec<u8> = REQUEST_DIGEST;
        target_digest: Option<Vec<u8>> = TARGET_DIGEST;
        policy_digest: Vec<u8> = POLICY_DIGEST;
        decision: VoteDecision = VOTE_DECISION;
        voter_fingerprint: Vec<u8> = VOTER_FINGERPRINT;
        issued: DateTime = ISSUED;
        expires: DateTime = EXPIRES;
        /// SHA-256 over the contexts of the opened shares that the vote carries, one after the other; absent if it carries none.
        shares_digest: Option<Vec<u8>> = SHARES_DIGEST;
    }

    /// What stands for a secret in a canonical payload: which item it was, and HMAC-SHA-256 under the proposal's sealed salt.
    #[derive(Eq, Debug)]
    Commitment {
        committed_tag: i32 = COMMITTED_TAG;
        committed_value: Vec<u8> = COMMITTED_VALUE;
    }

    /// A version of a domain's policy.
    #[derive(Eq, Debug)]
    PolicyRevision {
        policy_version: i32 = POLICY_VERSION;
        policy_digest: Vec<u8> = POLICY_DIGEST;
        time_stamp: DateTime = TIME_STAMP;
        /// The proposal that made it; absent for the first one.
        proposal_identifier: Option<Vec<u8>> = PROPOSAL_IDENTIFIER;
        policy: Option<Policy> = POLICY;
    }
}

impl VoteStatement {
    /// The first field of every statement: no other signature begins so.
    pub const CONTEXT: &'static str = "claviger/vote/v1";
}
