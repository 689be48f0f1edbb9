//! KEKs of a tenant, or of the system (family 05, P-KMS-TNT-02).

use crate::Kek;
use crate::field::structure;

structure! {
    /// Makes a KEK, which wraps nothing before it is activated.
    #[derive(Default)]
    KekCreateRequest {
        /// One of the HSM-Profiles of the tenant; absent for the one that it was made with.
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
    }

    /// Kek Create, the answer.
    KekCreateResponse {
        kek_generation: i32 = KEK_GENERATION;
    }

    /// Has a KEK wrap what is new; the one that did so opens from then on what it wrapped, and wraps nothing.
    KekActivateRequest {
        kek_generation: i32 = KEK_GENERATION;
    }

    /// Kek Activate, the answer.
    #[derive(Default)]
    KekActivateResponse {}

    /// Lists KEKs.
    #[derive(Default)]
    KekListRequest {}

    /// Kek List, the answer: the newest first.
    KekListResponse {
        keks: Vec<Kek> = KEK;
    }
}
