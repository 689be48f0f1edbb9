//! Enumerations of administration: extensions of our own. Numbers are append-only: a golden file keeps them.

use crate::enumeration::enumeration;

enumeration! {
    /// The one role that a person has.
    PersonRole(PERSON_ROLE) {
        Administrator = 0x01 "Administrator" [V2_0..];
        SystemAuditor = 0x02 "System Auditor" [V2_0..];
        Operator = 0x03 "Operator" [V2_0..];
        Auditor = 0x04 "Auditor" [V2_0..];
        Custodian = 0x05 "Custodian" [V2_0..];
    }

    /// Whether a person may act.
    PersonStatus(PERSON_STATUS) {
        Invited = 0x01 "Invited" [V2_0..];
        Active = 0x02 "Active" [V2_0..];
        Suspended = 0x03 "Suspended" [V2_0..];
        Deleted = 0x04 "Deleted" [V2_0..];
    }

    /// How far a proposal has come.
    ProposalState(PROPOSAL_STATE) {
        Open = 0x01 "Open" [V2_0..];
        Approved = 0x02 "Approved" [V2_0..];
        Executing = 0x03 "Executing" [V2_0..];
        Executed = 0x04 "Executed" [V2_0..];
        Failed = 0x05 "Failed" [V2_0..];
        Rejected = 0x06 "Rejected" [V2_0..];
        Withdrawn = 0x07 "Withdrawn" [V2_0..];
        Expired = 0x08 "Expired" [V2_0..];
        Void = 0x09 "Void" [V2_0..];
    }

    /// What a vote says.
    VoteDecision(VOTE_DECISION) {
        Approve = 0x01 "Approve" [V2_0..];
        Reject = 0x02 "Reject" [V2_0..];
    }

    /// What a vote must prove.
    Proof(PROOF) {
        Session = 0x01 "Session" [V2_0..];
        Signature = 0x02 "Signature" [V2_0..];
        Hardware = 0x03 "Hardware" [V2_0..];
    }

    /// When a rejection ends a proposal.
    Veto(VETO) {
        Any = 0x01 "Any" [V2_0..];
        Unreachable = 0x02 "Unreachable" [V2_0..];
    }

    /// What of its target a proposal is bound to.
    BindTarget(BIND_TARGET) {
        Exact = 0x01 "Exact" [V2_0..];
        Identifier = 0x02 "Identifier" [V2_0..];
    }

    /// When an approved proposal is carried out.
    Completion(COMPLETION) {
        OnQuorum = 0x01 "On Quorum" [V2_0..];
        OnClaim = 0x02 "On Claim" [V2_0..];
        Manual = 0x03 "Manual" [V2_0..];
    }

    /// A set of rules to begin with.
    PolicyTemplate(POLICY_TEMPLATE) {
        Mtg = 0x01 "Mtg" [V2_0..];
        Strict = 0x02 "Strict" [V2_0..];
        Off = 0x03 "Off" [V2_0..];
    }

    /// Whether a tenant is served.
    TenantStatus(TENANT_STATUS) {
        Active = 0x01 "Active" [V2_0..];
        Suspended = 0x02 "Suspended" [V2_0..];
        Deleted = 0x03 "Deleted" [V2_0..];
        MigrationRequired = 0x04 "Migration Required" [V2_0..];
    }

    /// Whether a client is served.
    ClientStatus(CLIENT_STATUS) {
        Active = 0x01 "Active" [V2_0..];
        Suspended = 0x02 "Suspended" [V2_0..];
    }

    /// What an authority is good for: one that is retired issues no more, one that is suspended is not believed.
    AuthorityStatus(AUTHORITY_STATUS) {
        Active = 0x01 "Active" [V2_0..];
        Retired = 0x02 "Retired" [V2_0..];
        Suspended = 0x03 "Suspended" [V2_0..];
    }

    /// Which algorithms a tenant's keys may have.
    CryptoProfile(CRYPTO_PROFILE) {
        Interop = 0x01 "Interop" [V2_0..];
        Bsi = 0x02 "Bsi" [V2_0..];
    }

    /// What of a certificate a rule compares.
    CertificateRuleKind(CERTIFICATE_RULE_KIND) {
        Subject = 0x01 "Subject" [V2_0..];
        CommonName = 0x02 "Common Name" [V2_0..];
        DnsName = 0x03 "Dns Name" [V2_0..];
        Email = 0x04 "Email" [V2_0..];
        Uri = 0x05 "Uri" [V2_0..];
        IpAddress = 0x06 "Ip Address" [V2_0..];
    }

    /// How grave an event is.
    Severity(SEVERITY) {
        Notice = 0x01 "Notice" [V2_0..];
        Warning = 0x02 "Warning" [V2_0..];
        Critical = 0x03 "Critical" [V2_0..];
    }

    /// The life of a KEK.
    KekState(KEK_STATE) {
        PreActive = 0x01 "Pre-Active" [V2_0..];
        Active = 0x02 "Active" [V2_0..];
        Deactivated = 0x03 "Deactivated" [V2_0..];
        Deleting = 0x04 "Deleting" [V2_0..];
        Destroyed = 0x05 "Destroyed" [V2_0..];
        Abandoned = 0x06 "Abandoned" [V2_0..];
    }

    /// How far the wrapping of records under another KEK has come.
    RewrapState(REWRAP_STATE) {
        Counting = 0x01 "Counting" [V2_0..];
        Running = 0x02 "Running" [V2_0..];
        Paused = 0x03 "Paused" [V2_0..];
        Ended = 0x04 "Ended" [V2_0..];
    }

    /// Where the bytes of a KEK are.
    KekKind(KEK_KIND) {
        Software = 0x01 "Software" [V2_0..];
        Resident = 0x02 "Resident" [V2_0..];
        Protected = 0x03 "Protected" [V2_0..];
    }

    /// In what a record is not as the change trail has it: an earlier state of itself, one that was deleted and is back, one that is gone,
    /// one that nobody ever wrote, one whose MAC is wrong; or a counter beside it (failed logins, Usage Limits) that nobody counted so.
    RecordFault(RECORD_FAULT) {
        Stale = 0x01 "Stale" [V2_0..];
        Returned = 0x02 "Returned" [V2_0..];
        Missing = 0x03 "Missing" [V2_0..];
        Unknown = 0x04 "Unknown" [V2_0..];
        Damaged = 0x05 "Damaged" [V2_0..];
        Counter = 0x06 "Counter" [V2_0..];
    }

    /// What has become of a legacy token.
    LegacyTokenState(LEGACY_TOKEN_STATE) {
        Waiting = 0x01 "Waiting" [V2_0..];
        Migrated = 0x02 "Migrated" [V2_0..];
        CredentialsRefused = 0x03 "Credentials Refused" [V2_0..];
        Withdrawn = 0x04 "Withdrawn" [V2_0..];
    }
}
