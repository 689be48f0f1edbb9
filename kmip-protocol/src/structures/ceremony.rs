//! Legacy tokens and what is told of the ceremony that migrates them.

use crate::field::structure;
use crate::{DateTime, LegacyTokenState};

structure! {
    /// A legacy token as it is told.
    #[derive(Eq, Debug)]
    LegacyToken {
        legacy_token_name: String = LEGACY_TOKEN_NAME;
        legacy_token_state: LegacyTokenState = LEGACY_TOKEN_STATE;
        /// How many shares there are.
        share_count: i32 = SHARE_COUNT;
        /// How many of them open it.
        share_threshold: i32 = SHARE_THRESHOLD;
        /// The HSM-Profile that it becomes, or has become.
        hsm_profile_name: String = HSM_PROFILE_NAME;
        /// When it was imported.
        created: DateTime = TIME_STAMP;
        /// Whose shares have been handed in, the first first.
        holders: Vec<ShareHolder> = SHARE_HOLDER;
        /// When the shares are wiped unless another one is handed in; absent while there are none.
        shares_until: Option<DateTime> = SHARES_UNTIL;
    }

    /// Who has handed in a share.
    #[derive(Eq, Debug)]
    ShareHolder {
        person_name: String = PERSON_NAME;
        /// When.
        time: DateTime = TIME_STAMP;
    }
}
