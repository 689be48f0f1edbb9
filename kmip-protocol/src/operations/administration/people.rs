//! People and their credentials (family 02): of the requester's own domain.

use crate::field::structure;
use crate::{NewPerson, Person, SecretText};

structure! {
    /// Makes a person (P-KMS-TNT-01).
    PersonCreateRequest {
        person: NewPerson = PERSON;
    }

    /// Person Create, the answer.
    #[derive(Default)]
    PersonCreateResponse {}

    /// Tells a person; oneself if none is named.
    #[derive(Default)]
    PersonGetRequest {
        person_name: Option<String> = PERSON_NAME;
    }

    /// Person Get, the answer.
    PersonGetResponse {
        person: Person = PERSON;
    }

    /// Lists the people of the domain.
    #[derive(Default)]
    PersonListRequest {
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
        offset_items: Option<i32> = OFFSET_ITEMS;
    }

    /// Person List, the answer.
    PersonListResponse {
        persons: Vec<Person> = PERSON;
    }

    /// Renames oneself.
    PersonModifyRequest {
        new_name: String = NEW_NAME;
    }

    /// Person Modify, the answer.
    #[derive(Default)]
    PersonModifyResponse {}

    /// Suspends a person: one may, at once.
    PersonSuspendRequest {
        person_name: String = PERSON_NAME;
    }

    /// Person Suspend, the answer.
    #[derive(Default)]
    PersonSuspendResponse {}

    /// Lifts a suspension.
    PersonResumeRequest {
        person_name: String = PERSON_NAME;
    }

    /// Person Resume, the answer.
    #[derive(Default)]
    PersonResumeResponse {}

    /// Gives a person a new initial password; its one-time password is forgotten.
    PersonResetRequest {
        person_name: String = PERSON_NAME;
        initial_password: SecretText = INITIAL_PASSWORD;
    }

    /// Person Reset, the answer.
    #[derive(Default)]
    PersonResetResponse {}

    /// Deletes a person.
    PersonDeleteRequest {
        person_name: String = PERSON_NAME;
    }

    /// Person Delete, the answer.
    #[derive(Default)]
    PersonDeleteResponse {}

    /// Gives a person another certificate. The proof is a signature by its key.
    CredentialAddRequest {
        person_name: String = PERSON_NAME;
        certificate: Vec<u8> = CERTIFICATE_VALUE;
        /// By the new key, over [`crate::possession_statement`].
        proof: Vec<u8> = VOTE_SIGNATURE;
        /// As in [`NewPerson`].
        hardware: Option<bool> = HARDWARE;
        /// As in [`NewPerson`].
        attestation: Vec<Vec<u8>> = CERTIFICATE_CHAIN;
    }

    /// Credential Add, the answer.
    #[derive(Default)]
    CredentialAddResponse {}

    /// Takes a certificate from a person.
    CredentialRevokeRequest {
        person_name: String = PERSON_NAME;
        key_fingerprint: Vec<u8> = KEY_FINGERPRINT;
    }

    /// Credential Revoke, the answer.
    #[derive(Default)]
    CredentialRevokeResponse {}

    /// Changes one's own password.
    PasswordChangeRequest {
        current_password: SecretText = CURRENT_PASSWORD;
        new_password: SecretText = NEW_PASSWORD;
    }

    /// Password Change, the answer.
    #[derive(Default)]
    PasswordChangeResponse {}

    /// Begins to use one-time passwords (RFC 6238). The secret is told once.
    #[derive(Default)]
    OneTimeEnrollRequest {}

    /// One Time Enroll, the answer.
    OneTimeEnrollResponse {
        secret: SecretText = ONE_TIME_SECRET;
    }

    /// Shows that the one-time password works; from then on Login wants it.
    OneTimeConfirmRequest {
        code: SecretText = CURRENT_PASSWORD;
    }

    /// One Time Confirm, the answer.
    #[derive(Default)]
    OneTimeConfirmResponse {}

    /// Ends a lock-out after failed logins.
    PersonUnlockRequest {
        person_name: String = PERSON_NAME;
    }

    /// Person Unlock, the answer.
    #[derive(Default)]
    PersonUnlockResponse {}
}
