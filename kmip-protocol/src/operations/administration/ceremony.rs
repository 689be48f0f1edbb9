//! Migrating legacy tokens to HSM-Profiles (family 05, P-KMS-TNT-07): shares gathered from those who hold them.

use crate::field::structure;
use crate::{LegacyToken, SecretText};

structure! {
    /// Imports a legacy token for a tenant, whose people are to migrate it before they can go on.
    LegacyTokenImportRequest {
        tenant_name: String = TENANT_NAME;
        /// The token's file.
        legacy_token_text: String = LEGACY_TOKEN_TEXT;
        /// The HSM-Profile that it is to become; the token's own name if absent.
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
    }

    /// Legacy Token Import, the answer.
    #[derive(Default)]
    LegacyTokenImportResponse {}

    /// Withdraws a legacy token that cannot be migrated.
    LegacyTokenWithdrawRequest {
        tenant_name: String = TENANT_NAME;
        legacy_token_name: String = LEGACY_TOKEN_NAME;
    }

    /// Legacy Token Withdraw, the answer.
    #[derive(Default)]
    LegacyTokenWithdrawResponse {}

    /// Tells what there is to migrate, and how far it is.
    #[derive(Default)]
    CeremonyStatusRequest {}

    /// Ceremony Status, the answer.
    CeremonyStatusResponse {
        /// Whether people of the tenant can do nothing else before.
        migration_required: bool = MIGRATION_REQUIRED;
        legacy_tokens: Vec<LegacyToken> = LEGACY_TOKEN;
    }

    /// Hands in one's share of a legacy token.
    ShareSubmitRequest {
        /// Its text, which says of which token it is.
        legacy_share: SecretText = LEGACY_SHARE;
    }

    /// Share Submit, the answer.
    ShareSubmitResponse {
        /// The token with this share.
        legacy_token: LegacyToken = LEGACY_TOKEN;
    }

    /// Has a legacy token become an HSM-Profile, once enough shares are there.
    CeremonyMigrateRequest {
        legacy_token_name: String = LEGACY_TOKEN_NAME;
    }

    /// Ceremony Migrate, the answer.
    CeremonyMigrateResponse {
        /// The token as it is now: migrated, or its credentials refused by the HSM.
        legacy_token: LegacyToken = LEGACY_TOKEN;
        /// Whether there is more to migrate.
        migration_required: bool = MIGRATION_REQUIRED;
    }

    /// Wipes the shares of a legacy token that have been handed in.
    CeremonyAbortRequest {
        legacy_token_name: String = LEGACY_TOKEN_NAME;
    }

    /// Ceremony Abort, the answer.
    #[derive(Default)]
    CeremonyAbortResponse {}
}
