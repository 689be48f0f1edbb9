//! Operations about the server, its sessions and its pending requests.

use crate::field::structure;
use crate::{
    AnyValue, AsynchronousCorrelationValues, AsynchronousRequest, AttestationType, CancellationResult,
    CapabilityInformation, ClientRegistrationMethod, Constraints, DefaultsInformation, EndpointRole,
    ExtensionInformation, InteropFunction, ObjectGroups, ObjectType, Operation, Operations, PKCS_11ReturnCode,
    ProfileInformation, ProtectionStorageMasks, ProtocolVersion, QueryFunction, RNGParameters, Rights,
    ServerInformation, Ticket, TicketLease, UsageLimits, ValidationInformation,
};
use kmip_ttlv::Secret;

structure! {
    /// Query (KMIP 2.1 §6.1.40).
    #[derive(Default)]
    QueryRequest {
        query_functions: Vec<QueryFunction> = QUERY_FUNCTION;
        object_groups: Option<ObjectGroups> = OBJECT_GROUPS [V2_1..];
    }

    /// Query, the answer.
    #[derive(Default)]
    QueryResponse {
        operations: Vec<Operation> = OPERATION;
        object_types: Vec<ObjectType> = OBJECT_TYPE;
        vendor_identification: Option<String> = VENDOR_IDENTIFICATION;
        server_information: Option<Box<ServerInformation>> = SERVER_INFORMATION;
        application_namespaces: Vec<String> = APPLICATION_NAMESPACE;
        extension_information: Vec<ExtensionInformation> = EXTENSION_INFORMATION [V1_1..];
        attestation_types: Vec<AttestationType> = ATTESTATION_TYPE [V1_2..];
        rng_parameters: Vec<RNGParameters> = RNG_PARAMETERS [V1_3..];
        profile_information: Vec<ProfileInformation> = PROFILE_INFORMATION [V1_3..];
        validation_information: Vec<ValidationInformation> = VALIDATION_INFORMATION [V1_3..];
        capability_information: Vec<CapabilityInformation> = CAPABILITY_INFORMATION [V1_3..];
        client_registration_methods: Vec<ClientRegistrationMethod> = CLIENT_REGISTRATION_METHOD [V1_3..];
        defaults_information: Option<DefaultsInformation> = DEFAULTS_INFORMATION [V2_0..];
        protection_storage_masks: Option<ProtectionStorageMasks> = PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Discover Versions (KMIP 2.1 §6.1.16), in order of preference.
    #[derive(Default)]
    DiscoverVersionsRequest {
        protocol_versions: Vec<ProtocolVersion> = PROTOCOL_VERSION;
    }

    /// Discover Versions, the answer.
    #[derive(Default)]
    DiscoverVersionsResponse {
        protocol_versions: Vec<ProtocolVersion> = PROTOCOL_VERSION;
    }

    /// Cancel (KMIP 2.1 §6.1.5).
    CancelRequest {
        asynchronous_correlation_value: Vec<u8> = ASYNCHRONOUS_CORRELATION_VALUE;
    }

    /// Cancel, the answer.
    CancelResponse {
        asynchronous_correlation_value: Vec<u8> = ASYNCHRONOUS_CORRELATION_VALUE;
        cancellation_result: CancellationResult = CANCELLATION_RESULT;
    }

    /// Poll (KMIP 2.1 §6.1.38).
    PollRequest {
        asynchronous_correlation_value: Vec<u8> = ASYNCHRONOUS_CORRELATION_VALUE;
    }

    /// Poll has no answer of its own: it is answered with what the polled operation answers.
    #[derive(Default)]
    PollResponse {}

    /// Process (KMIP 2.1 §6.1.39).
    ProcessRequest {
        asynchronous_correlation_value: Vec<u8> = ASYNCHRONOUS_CORRELATION_VALUE;
    }

    /// Process, the answer: empty in the specification's table; its published cases return the correlation value.
    #[derive(Default)]
    ProcessResponse {
        asynchronous_correlation_value: Option<Vec<u8>> = ASYNCHRONOUS_CORRELATION_VALUE;
    }

    /// Query Asynchronous Requests (KMIP 2.1 §6.1.41).
    #[derive(Default)]
    QueryAsynchronousRequestsRequest {
        asynchronous_correlation_values: Option<AsynchronousCorrelationValues> = ASYNCHRONOUS_CORRELATION_VALUES;
        operations: Option<Operations> = OPERATIONS;
    }

    /// Query Asynchronous Requests, the answer.
    #[derive(Default)]
    QueryAsynchronousRequestsResponse {
        asynchronous_requests: Vec<AsynchronousRequest> = ASYNCHRONOUS_REQUEST;
    }

    /// Log (KMIP 2.1 §6.1.29).
    LogRequest {
        log_message: String = LOG_MESSAGE;
    }

    /// Log, the answer.
    #[derive(Default)]
    LogResponse {}

    /// Login (KMIP 2.1 §6.1.30).
    #[derive(Default)]
    LoginRequest {
        lease_time: Option<TicketLease> = LEASE_TIME;
        request_count: Option<i32> = REQUEST_COUNT;
        usage_limits: Option<UsageLimits> = USAGE_LIMITS;
    }

    /// Login, the answer.
    LoginResponse {
        ticket: Ticket = TICKET;
    }

    /// Delegated Login (KMIP 2.1 §6.1.12).
    DelegatedLoginRequest {
        lease_time: Option<TicketLease> = LEASE_TIME;
        request_count: Option<i32> = REQUEST_COUNT;
        usage_limits: Option<UsageLimits> = USAGE_LIMITS;
        rights: Rights = RIGHTS;
    }

    /// Delegated Login, the answer.
    DelegatedLoginResponse {
        ticket: Ticket = TICKET;
    }

    /// Logout (KMIP 2.1 §6.1.31).
    LogoutRequest {
        ticket: Ticket = TICKET;
    }

    /// Logout, the answer.
    #[derive(Default)]
    LogoutResponse {}

    /// Set Endpoint Role (KMIP 2.1 §6.1.54).
    SetEndpointRoleRequest {
        endpoint_role: EndpointRole = ENDPOINT_ROLE;
    }

    /// Set Endpoint Role, the answer.
    SetEndpointRoleResponse {
        endpoint_role: EndpointRole = ENDPOINT_ROLE;
    }

    /// PKCS#11 (KMIP 2.1 §6.1.37). The function is an Enumeration, or an Integer if it is a vendor's. Parameters may hold
    /// PINs and keys.
    PKCS_11Request {
        pkcs11_interface: Option<String> = PKCS_11_INTERFACE;
        pkcs11_function: AnyValue = PKCS_11_FUNCTION;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE;
        pkcs11_input_parameters: Option<Secret> = PKCS_11_INPUT_PARAMETERS;
    }

    /// PKCS#11, the answer.
    PKCS_11Response {
        pkcs11_interface: Option<String> = PKCS_11_INTERFACE;
        pkcs11_function: AnyValue = PKCS_11_FUNCTION;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE;
        pkcs11_output_parameters: Option<Secret> = PKCS_11_OUTPUT_PARAMETERS;
        pkcs11_return_code: PKCS_11ReturnCode = PKCS_11_RETURN_CODE;
    }

    /// Interop (KMIP 2.1 §6.1.26): marks the beginning and end of a test case.
    InteropRequest {
        interop_function: InteropFunction = INTEROP_FUNCTION;
        interop_identifier: Option<String> = INTEROP_IDENTIFIER;
    }

    /// Interop, the answer.
    #[derive(Default)]
    InteropResponse {}

    /// Set Defaults (KMIP 2.1 §6.1.53).
    #[derive(Default)]
    SetDefaultsRequest {
        defaults_information: Option<DefaultsInformation> = DEFAULTS_INFORMATION;
    }

    /// Set Defaults, the answer.
    #[derive(Default)]
    SetDefaultsResponse {}

    /// Set Constraints (KMIP 2.1 §6.1.52). A published case leaves the constraints out.
    #[derive(Default)]
    SetConstraintsRequest {
        constraints: Option<Constraints> = CONSTRAINTS;
    }

    /// Set Constraints, the answer.
    #[derive(Default)]
    SetConstraintsResponse {}

    /// Get Constraints (KMIP 2.1 §6.1.22).
    #[derive(Default)]
    GetConstraintsRequest {}

    /// Get Constraints, the answer.
    GetConstraintsResponse {
        constraints: Constraints = CONSTRAINTS;
    }

    /// Ping (KMIP 2.1 §6.1.36).
    #[derive(Default)]
    PingRequest {}

    /// Ping, the answer.
    #[derive(Default)]
    PingResponse {}
}
