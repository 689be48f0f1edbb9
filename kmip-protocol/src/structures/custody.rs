//! What administration says of keys that keep keys.

use crate::field::structure;
use crate::{DateTime, KekKind, KekState};

structure! {
    /// A KEK as it is told.
    #[derive(Eq, Debug)]
    Kek {
        /// Counts the KEKs of the tenant, and names one of them.
        kek_generation: i32 = KEK_GENERATION;
        kek_state: KekState = KEK_STATE;
        kek_kind: KekKind = KEK_KIND;
        /// The HSM-Profile that serves it, unless the settings name it no more.
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
        created: DateTime = TIME_STAMP;
        /// Whether it opens what it wrapped, at this moment; absent when it is not to be asked any more.
        answers: Option<bool> = ANSWERS;
    }
}
