//! People: who administers. Extensions of our own.

use crate::field::structure;
use crate::{DateTime, PersonRole, PersonStatus, SecretText};

structure! {
    /// A new person. It is Invited until it has shown its key in a handshake and changed its initial password.
    NewPerson {
        person_name: String = PERSON_NAME;
        person_role: PersonRole = PERSON_ROLE;
        /// Its certificate (DER).
        certificate: Vec<u8> = CERTIFICATE_VALUE;
        /// Single-use and short-lived; chosen by the requester's client, who hands it over.
        initial_password: SecretText = INITIAL_PASSWORD;
        /// Those who ask and agree say that the key is in hardware.
        hardware: Option<bool> = HARDWARE;
        /// What an authority that is marked so says of the key: certificates (DER), the first of the same key, each issued by the next,
        /// the last by the authority. Not needed where the person's own certificate is such a one.
        attestation: Vec<Vec<u8>> = CERTIFICATE_CHAIN;
        /// A signature by its key over [`crate::possession_statement`]. Without it, the key gives way to whoever has proven it.
        possession_proof: Option<Vec<u8>> = POSSESSION_PROOF;
    }

    /// A person as it is told.
    #[derive(Eq, Debug)]
    Person {
        person_name: String = PERSON_NAME;
        person_role: PersonRole = PERSON_ROLE;
        person_status: PersonStatus = PERSON_STATUS;
        /// Since when it counts as a member of its domain.
        member_since: DateTime = MEMBER_SINCE;
        last_login: Option<DateTime> = LAST_LOGIN;
        /// Until when it is locked out after failed logins.
        locked_until: Option<DateTime> = EXPIRES;
        credentials: Vec<PersonCredential> = PERSON_CREDENTIAL;
        /// SHA-256 of its share key (SubjectPublicKeyInfo).
        share_key: Option<Vec<u8>> = SHARE_KEY;
    }

    /// A certificate of a person.
    #[derive(Eq, Debug)]
    PersonCredential {
        /// SHA-256 of its key (SubjectPublicKeyInfo).
        key_fingerprint: Vec<u8> = KEY_FINGERPRINT;
        certificate: Vec<u8> = CERTIFICATE_VALUE;
        /// Whether the key counts as one in hardware.
        hardware: bool = HARDWARE;
        enrolled: DateTime = ENROLLED;
        revoked: Option<DateTime> = REVOKED_MOMENT;
        /// The authority that vouches for that; absent where those who agreed to the key did.
        attested_by: Option<String> = AUTHORITY_NAME;
        /// Whether its holder has signed, or shown by logging in, that it is this person's.
        proven: Option<bool> = PROVEN;
    }
}
