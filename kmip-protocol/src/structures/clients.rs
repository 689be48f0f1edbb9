//! Clients, applications, authorities and namespaces of a tenant. Extensions of our own.

use crate::field::structure;
use crate::{AuthorityStatus, CertificateRuleKind, ClientStatus, DateTime, Operations, SecretText};

structure! {
    /// What a client may do. An empty list or an absent field is no limit.
    #[derive(Eq, Debug, Default)]
    ClientSettings {
        operations: Option<Operations> = OPERATIONS;
        object_groups: Vec<String> = OBJECT_GROUP;
        application_namespaces: Vec<String> = APPLICATION_NAMESPACE;
        /// Where it may come from, as `address/prefix`.
        allowed_networks: Vec<String> = ALLOWED_NETWORK;
        requests_per_second: Option<i32> = REQUESTS_PER_SECOND;
        /// Whether a governed request that cannot wait becomes a proposal all the same.
        auto_propose: Option<bool> = AUTO_PROPOSE;
        /// The last second in which it is served.
        expires: Option<DateTime> = EXPIRES;
        /// Whether it may import objects with identifiers and attributes of its own choice, where no operations are listed.
        may_import: Option<bool> = MAY_IMPORT;
        /// Whether it may set defaults and constraints for the objects of its application, where no operations are listed.
        may_set_defaults: Option<bool> = MAY_SET_DEFAULTS;
        /// The certificate (Unique Identifier) of the authority, kept by the tenant, that certifies for it where its request names none.
        issuing_certificate: Option<String> = ISSUING_CERTIFICATE;
        /// Whether users of its tenant are admitted over its connections, by user name and password.
        admits_users: Option<bool> = ADMITS_USERS;
        /// Whether it may renew the certificates that its tenant's authority issued to it, by Re-certify and for the keys that it has.
        renews_certificate: Option<bool> = RENEWS_CERTIFICATE;
    }

    /// What makes a client a user: it has no certificate, and comes over the connections of others.
    #[derive(Eq, Debug, Default)]
    ClientUser {
        /// The clients over whose connections it is admitted; if none is named, any of its tenant's that admits users.
        connection_clients: Vec<String> = CONNECTION_CLIENT;
    }

    /// How a client is recognised: by a key, a certificate, or a rule. What is told can be given back: a certificate is told by its
    /// fingerprint and its key's.
    #[derive(Eq, Debug, Default)]
    ClientCredential {
        /// The key (SPKI SHA-256) in any certificate of the tenant's authorities.
        key_fingerprint: Option<Vec<u8>> = KEY_FINGERPRINT;
        /// Exactly this certificate (DER), whoever issued it.
        certificate: Option<Vec<u8>> = CERTIFICATE_VALUE;
        rule: Option<CertificateRule> = CERTIFICATE_RULE;
        /// A signature by the key over [`crate::possession_statement`]: its holder agrees. Without it, the credential gives way to
        /// whoever has proven.
        possession_proof: Option<Vec<u8>> = POSSESSION_PROOF;
        /// The key itself (SubjectPublicKeyInfo), with a proof where there is no certificate.
        public_key_info: Option<Vec<u8>> = PUBLIC_KEY_INFO;
        /// SHA-256 of the certificate that is meant, beside its key's.
        certificate_fingerprint: Option<Vec<u8>> = CERTIFICATE_FINGERPRINT;
        /// As it is told: whether the key was proven.
        proven: Option<bool> = PROVEN;
    }

    /// What a certificate of the tenant's authorities must say.
    #[derive(Eq, Debug)]
    CertificateRule {
        kind: CertificateRuleKind = CERTIFICATE_RULE_KIND;
        value: String = CERTIFICATE_RULE_VALUE;
    }

    /// A client as it is told.
    #[derive(Eq, Debug)]
    Client {
        client_name: String = CLIENT_NAME;
        client_status: ClientStatus = CLIENT_STATUS;
        application_name: String = APPLICATION_NAME;
        created: DateTime = TIME_STAMP;
        settings: ClientSettings = TENANT_SETTINGS;
        credentials: Vec<ClientCredential> = CLIENT_CREDENTIAL;
        username: Option<String> = USERNAME;
        /// What the tenant's own authorities have issued to it and neither ended nor was revoked.
        certificates: Vec<ClientCertificate> = CLIENT_CERTIFICATE;
        user: Option<ClientUser> = CLIENT_USER;
    }

    /// A certificate that an authority of the server's own has issued to a client.
    #[derive(Eq, Debug)]
    ClientCertificate {
        key_fingerprint: Vec<u8> = KEY_FINGERPRINT;
        /// The last second in which it is valid.
        expires: DateTime = EXPIRES;
    }

    /// A user name and password that a client must show beside its certificate, or a user over the connection of another.
    ClientPassword {
        username: String = USERNAME;
        password: SecretText = PASSWORD;
    }

    /// An application as it is told.
    #[derive(Eq, Debug)]
    Application {
        application_name: String = APPLICATION_NAME;
        clients: Vec<String> = CLIENT_NAME;
        created: DateTime = TIME_STAMP;
    }

    /// An authority as it is told.
    #[derive(Eq, Debug)]
    Authority {
        authority_name: String = AUTHORITY_NAME;
        certificate: Vec<u8> = CERTIFICATE_VALUE;
        hardware: bool = HARDWARE;
        /// Whether the server has its key and issues certificates.
        issues: bool = GENERATED_DATA;
        status: AuthorityStatus = AUTHORITY_STATUS;
        /// Whether nobody is accepted while a revocation list is overdue.
        refuse_stale: bool = REFUSE_STALE;
        /// When the first of its revocation lists is due to be replaced.
        expires: Option<DateTime> = EXPIRES;
    }

    /// A registered Application Namespace (KMIP 2.1 §4.1).
    #[derive(Eq, Debug)]
    Namespace {
        application_namespace: String = APPLICATION_NAMESPACE;
        description: Option<String> = DESCRIPTION;
        /// Whether the server makes the Application Data where a client gives none.
        generated_data: bool = GENERATED_DATA;
    }
}
