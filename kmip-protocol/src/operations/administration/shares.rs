//! Key-management credentials under quorum (family 04): share keys of people, and how credentials are shared.

use crate::field::structure;
use crate::{OpenedShare, ProposalState, RuleGroup, SecretText, Sharing};

structure! {
    /// Gives a person the key that shares are encrypted to, in place of the one before. Credentials that are shared among those whom it
    /// concerns are shared anew.
    ShareKeyPutRequest {
        person_name: String = PERSON_NAME;
        /// A key of P-256.
        public_key_info: Vec<u8> = PUBLIC_KEY_INFO;
        /// By that key, over [`crate::possession_statement`].
        possession_proof: Vec<u8> = POSSESSION_PROOF;
    }

    /// Share Key Put, the answer.
    #[derive(Default)]
    ShareKeyPutResponse {}

    /// Takes a person's share key: it is lost, or somebody else has it. The person's shares count no more.
    ShareKeyRevokeRequest {
        person_name: String = PERSON_NAME;
        /// Also if too few were left who can open what is shared.
        force: Option<bool> = FORCE;
    }

    /// Share Key Revoke, the answer.
    #[derive(Default)]
    ShareKeyRevokeResponse {}

    /// Shares a key-management credential anew, as rules and people are now.
    SharingRenewRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
    }

    /// Sharing Renew, the answer.
    #[derive(Default)]
    SharingRenewResponse {}

    /// Tells how key-management credentials are shared among the people of the own domain.
    #[derive(Default)]
    SharingListRequest {}

    /// Sharing List, the answer.
    SharingListResponse {
        sharings: Vec<Sharing> = SHARING;
    }

    /// Enters the key-management credential of an HSM-Profile: the first one, or after it was changed in the HSM. It is shared among the
    /// administrators, and among the people of each tenant with which the former one was shared.
    ManagementPutRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
        management_pin: SecretText = MANAGEMENT_PIN;
    }

    /// Management Put, the answer.
    #[derive(Default)]
    ManagementPutResponse {}

    /// Shares a key-management credential, which the administrators' shares open, among those who decide about KEKs in a tenant; also where
    /// these have lost too many of theirs.
    SharingGrantRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
        tenant_name: String = TENANT_NAME;
    }

    /// Sharing Grant, the answer.
    #[derive(Default)]
    SharingGrantResponse {}

    /// Says which people can open the backups of the domain's protected KEKs together, without any HSM: each backup from then on is sealed
    /// for the share keys that they have when it is told.
    #[derive(Default)]
    RecoveryPutRequest {
        /// So many of each of these groups; nobody if there is none.
        groups: Vec<RuleGroup> = RULE_GROUP;
    }

    /// Recovery Put, the answer.
    #[derive(Default)]
    RecoveryPutResponse {}

    /// Hands in opened shares for a proposal on which the reader has voted: with a vote that was signed without them, or after the server
    /// was started anew.
    ProposalShareRequest {
        proposal_identifier: Vec<u8> = PROPOSAL_IDENTIFIER;
        opened_shares: Vec<OpenedShare> = OPENED_SHARE;
    }

    /// Proposal Share, the answer.
    ProposalShareResponse {
        state: ProposalState = PROPOSAL_STATE;
        /// Whether others are still to hand in theirs.
        awaiting_shares: bool = AWAITING_SHARES;
    }
}
