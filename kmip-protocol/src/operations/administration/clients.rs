//! Clients, their certificates, authorities and applications of a tenant (family 06): by its operators.

use crate::field::structure;
use crate::{
    Application, Authority, AuthorityStatus, Client, ClientCredential, ClientPassword, ClientSettings, ClientUser,
    Interval, SecretText,
};
use kmip_ttlv::Secret;

structure! {
    /// Makes a client (P-KMS-TNT-03). Without an application it gets an empty one of its own.
    ClientCreateRequest {
        client_name: String = CLIENT_NAME;
        application_name: Option<String> = APPLICATION_NAME;
        settings: Option<ClientSettings> = TENANT_SETTINGS;
        credentials: Vec<ClientCredential> = CLIENT_CREDENTIAL;
        password: Option<ClientPassword> = CLIENT;
        /// A user: it has a password and no credential.
        user: Option<ClientUser> = CLIENT_USER;
    }

    /// Client Create, the answer.
    #[derive(Default)]
    ClientCreateResponse {}

    /// Tells a client.
    ClientGetRequest {
        client_name: String = CLIENT_NAME;
    }

    /// Client Get, the answer.
    ClientGetResponse {
        client: Client = CLIENT;
    }

    /// Lists clients.
    #[derive(Default)]
    ClientListRequest {
        application_name: Option<String> = APPLICATION_NAME;
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
        offset_items: Option<i32> = OFFSET_ITEMS;
    }

    /// Client List, the answer.
    ClientListResponse {
        clients: Vec<Client> = CLIENT;
    }

    /// Changes a client: what is given replaces what was.
    ClientModifyRequest {
        client_name: String = CLIENT_NAME;
        new_name: Option<String> = NEW_NAME;
        settings: Option<ClientSettings> = TENANT_SETTINGS;
        /// All credentials from now on, if any is given.
        credentials: Vec<ClientCredential> = CLIENT_CREDENTIAL;
        password: Option<ClientPassword> = CLIENT;
        /// Over which connections it is admitted from now on, if it is a user.
        user: Option<ClientUser> = CLIENT_USER;
    }

    /// Client Modify, the answer.
    #[derive(Default)]
    ClientModifyResponse {}

    /// Suspends a client: one may, at once.
    ClientSuspendRequest {
        client_name: String = CLIENT_NAME;
    }

    /// Client Suspend, the answer.
    #[derive(Default)]
    ClientSuspendResponse {}

    /// Lifts a suspension.
    ClientResumeRequest {
        client_name: String = CLIENT_NAME;
    }

    /// Client Resume, the answer.
    #[derive(Default)]
    ClientResumeResponse {}

    /// Deletes a client.
    ClientDeleteRequest {
        client_name: String = CLIENT_NAME;
    }

    /// Client Delete, the answer.
    #[derive(Default)]
    ClientDeleteResponse {}

    /// Issues a certificate for a client by the tenant's own authority (P-KMS-TNT-05): for a certificate request, or with a new key in a
    /// PKCS#12 keystore that is told once and kept nowhere.
    CertificateIssueRequest {
        client_name: String = CLIENT_NAME;
        authority_name: Option<String> = AUTHORITY_NAME;
        /// PKCS#10 (DER).
        certificate_request: Option<Vec<u8>> = CERTIFICATE_REQUEST_VALUE;
        /// The keystore's password, if there is no certificate request.
        keystore_password: Option<SecretText> = KEYSTORE_PASSWORD;
        validity: Option<Interval> = VALIDITY;
        /// Whether those that the client was issued before are revoked; else each holds until its end.
        revoke_former: Option<bool> = REVOKE_FORMER;
    }

    /// Certificate Issue, the answer.
    CertificateIssueResponse {
        certificate: Vec<u8> = CERTIFICATE_VALUE;
        /// The authority's certificate.
        authority: Vec<u8> = CERTIFICATE_CHAIN;
        keystore: Option<Secret> = KEYSTORE;
    }

    /// Revokes a certificate of a client.
    CertificateRevokeRequest {
        client_name: String = CLIENT_NAME;
        key_fingerprint: Vec<u8> = KEY_FINGERPRINT;
        /// Exactly this one (DER) of those for the key; all of them if absent, and the key itself.
        certificate: Option<Vec<u8>> = CERTIFICATE_VALUE;
    }

    /// Certificate Revoke, the answer.
    #[derive(Default)]
    CertificateRevokeResponse {}

    /// Enrols an authority: a certificate from outside, or a new one whose key the server keeps.
    AuthorityCreateRequest {
        authority_name: String = AUTHORITY_NAME;
        /// DER; a new authority is made if absent.
        certificate: Option<Vec<u8>> = CERTIFICATE_VALUE;
        hardware: Option<bool> = HARDWARE;
        revocation_lists: Vec<Vec<u8>> = REVOCATION_LIST;
    }

    /// Authority Create, the answer.
    AuthorityCreateResponse {
        authority: Authority = AUTHORITY;
    }

    /// Lists authorities.
    #[derive(Default)]
    AuthorityListRequest {}

    /// Authority List, the answer.
    AuthorityListResponse {
        authorities: Vec<Authority> = AUTHORITY;
    }

    /// Changes an authority: what is given replaces what was.
    AuthorityModifyRequest {
        authority_name: String = AUTHORITY_NAME;
        new_name: Option<String> = NEW_NAME;
        /// Each replaces the list of the same issuer, which may not be newer; others remain.
        revocation_lists: Vec<Vec<u8>> = REVOCATION_LIST;
        /// Whether nobody is accepted while a revocation list is overdue.
        refuse_stale: Option<bool> = REFUSE_STALE;
        status: Option<AuthorityStatus> = AUTHORITY_STATUS;
    }

    /// Authority Modify, the answer.
    AuthorityModifyResponse {
        authority: Authority = AUTHORITY;
    }

    /// Withdraws an authority.
    AuthorityDeleteRequest {
        authority_name: String = AUTHORITY_NAME;
    }

    /// Authority Delete, the answer.
    #[derive(Default)]
    AuthorityDeleteResponse {}

    /// Tells the revocation list of an authority of the server's.
    RevocationListGetRequest {
        authority_name: String = AUTHORITY_NAME;
    }

    /// Revocation List Get, the answer.
    RevocationListGetResponse {
        revocation_list: Vec<u8> = REVOCATION_LIST;
    }

    /// Makes an application.
    ApplicationCreateRequest {
        application_name: String = APPLICATION_NAME;
    }

    /// Application Create, the answer.
    #[derive(Default)]
    ApplicationCreateResponse {}

    /// Lists applications.
    #[derive(Default)]
    ApplicationListRequest {}

    /// Application List, the answer.
    ApplicationListResponse {
        applications: Vec<Application> = APPLICATION;
    }

    /// Deletes an application that has neither clients nor objects.
    ApplicationDeleteRequest {
        application_name: String = APPLICATION_NAME;
    }

    /// Application Delete, the answer.
    #[derive(Default)]
    ApplicationDeleteResponse {}

    /// Moves a client to another application, whose keys it then reaches.
    ApplicationJoinRequest {
        client_name: String = CLIENT_NAME;
        application_name: String = APPLICATION_NAME;
    }

    /// Application Join, the answer.
    #[derive(Default)]
    ApplicationJoinResponse {}
}
