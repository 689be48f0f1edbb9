//! Proposals: seeing them, voting, completing (family 00).

use crate::field::structure;
use crate::{
    Completion, OpenedShare, Operation, ProposalDetail, ProposalState, ProposalSummary, Requirement, VoteDecision,
};
use kmip_ttlv::Secret;

structure! {
    /// Lists proposals of the reader's domain, newest first.
    #[derive(Default)]
    ProposalListRequest {
        proposal_states: Vec<ProposalState> = PROPOSAL_STATE;
        /// Only those that await the reader's vote.
        awaiting_requester: Option<bool> = AWAITING_REQUESTER;
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
        offset_items: Option<i32> = OFFSET_ITEMS;
    }

    /// Proposal List, the answer.
    ProposalListResponse {
        proposals: Vec<ProposalSummary> = PROPOSAL;
    }

    /// Shows one proposal in full.
    ProposalGetRequest {
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
    }

    /// Proposal Get, the answer.
    ProposalGetResponse {
        proposal: ProposalDetail = PROPOSAL;
    }

    /// Casts a vote. The signature is by a key of the voter's over the bytes of the statement: ECDSA (DER) with SHA-256 or SHA-384 by the
    /// curve, RSA PSS with SHA-256, or Ed25519.
    ProposalVoteRequest {
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
        decision: VoteDecision = VOTE_DECISION;
        /// A `VoteStatement` in TTLV. Without it the vote rests on the session alone, where the rule permits that.
        statement: Option<Vec<u8>> = VOTE_STATEMENT;
        signature: Option<Vec<u8>> = VOTE_SIGNATURE;
        reason: Option<String> = PROPOSAL_REASON;
        /// With an approval: the voter's shares of the key-management credentials that the proposal needs.
        opened_shares: Vec<OpenedShare> = OPENED_SHARE;
    }

    /// Proposal Vote, the answer.
    ProposalVoteResponse {
        state: ProposalState = PROPOSAL_STATE;
        completion: Completion = COMPLETION;
        requirements: Vec<Requirement> = REQUIREMENT;
    }

    /// Takes the voter's own vote back.
    ProposalWithdrawVoteRequest {
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
    }

    /// Proposal Withdraw Vote, the answer.
    ProposalWithdrawVoteResponse {
        state: ProposalState = PROPOSAL_STATE;
    }

    /// Has an approved proposal carried out.
    ProposalCompleteRequest {
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
    }

    /// Proposal Complete, the answer.
    ProposalCompleteResponse {
        state: ProposalState = PROPOSAL_STATE;
    }

    /// Ends a live proposal: any eligible approver may.
    ProposalVetoRequest {
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
        reason: Option<String> = PROPOSAL_REASON;
    }

    /// Proposal Veto, the answer.
    ProposalVetoResponse {
        state: ProposalState = PROPOSAL_STATE;
    }

    /// Says that somebody has looked at how an alternative for emergencies was used: anybody with a part in the rule who took none in its
    /// use. From then on it can be used again.
    ProposalFollowUpRequest {
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
        /// What was found.
        reason: Option<String> = PROPOSAL_REASON;
    }

    /// Proposal Follow Up, the answer.
    ProposalFollowUpResponse {
        state: ProposalState = PROPOSAL_STATE;
    }

    /// Says who would have to agree to a request, without making it.
    PolicyEvaluateRequest {
        operation: Operation = OPERATION;
        /// The payload of that request in TTLV, as a Request Payload structure.
        frozen_request: Option<Secret> = FROZEN_REQUEST;
    }

    /// Policy Evaluate, the answer.
    PolicyEvaluateResponse {
        /// Whether the reader may make that request at all.
        permitted: bool = ALTERNATIVE_SATISFIED;
        requirements: Vec<Requirement> = REQUIREMENT;
    }
}
