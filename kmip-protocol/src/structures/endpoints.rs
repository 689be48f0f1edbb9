//! Endpoints: where clients hear of their objects without asking. Extensions of our own.

use crate::field::structure;
use crate::{DateTime, ProtocolVersion};

structure! {
    /// An endpoint of a client. Lists that are empty limit nothing.
    #[derive(Eq, Debug)]
    Endpoint {
        endpoint_name: String = ENDPOINT_NAME;
        /// Whose rights decide what is sent.
        client_name: String = CLIENT_NAME;
        /// Host and port; without it, the client's own connection, once it has given the server the client's role.
        endpoint_address: Option<String> = ENDPOINT_ADDRESS;
        /// SHA-256 of the certificate that it must show; with an address.
        certificate_fingerprint: Option<Vec<u8>> = CERTIFICATE_FINGERPRINT;
        /// In which version it is spoken to; the newest, if there is none.
        protocol_version: Option<ProtocolVersion> = PROTOCOL_VERSION;
        /// Whether new objects are sent to it (KMIP 2.1 §6.2.3).
        sends_objects: bool = SENDS_OBJECTS;
        /// Whether it is told of changed attributes (KMIP 2.1 §6.2.2).
        sends_changes: bool = SENDS_CHANGES;
        /// Of which objects alone.
        unique_identifiers: Vec<String> = UNIQUE_IDENTIFIER;
        /// Of the members of which groups alone.
        object_groups: Vec<String> = OBJECT_GROUP;
    }

    /// An endpoint, and how it stands with it.
    #[derive(Eq, Debug)]
    EndpointState {
        endpoint: Endpoint = ENDPOINT;
        created: DateTime = ENDPOINT_CREATED;
        messages_waiting: i64 = MESSAGES_WAITING;
        /// Messages for which there was no room.
        messages_lost: i64 = MESSAGES_LOST;
        /// When it last accepted a message, since this server was started.
        last_answered: Option<DateTime> = LAST_ANSWERED;
        /// What went wrong with it since.
        endpoint_trouble: Option<String> = ENDPOINT_TROUBLE;
        /// When the oldest message that waits was written.
        oldest_message: Option<DateTime> = OLDEST_MESSAGE;
    }
}
