//! Endpoints of a tenant's clients (family 06): by its operators.

use crate::field::structure;
use crate::{Endpoint, EndpointState};

structure! {
    /// Makes an endpoint: from then on its client's objects are sent there.
    EndpointCreateRequest {
        endpoint: Endpoint = ENDPOINT;
    }

    /// Endpoint Create, the answer.
    #[derive(Default)]
    EndpointCreateResponse {}

    /// Tells an endpoint.
    EndpointGetRequest {
        endpoint_name: String = ENDPOINT_NAME;
    }

    /// Endpoint Get, the answer.
    EndpointGetResponse {
        endpoint_state: EndpointState = ENDPOINT_STATE;
    }

    /// Lists endpoints.
    #[derive(Default)]
    EndpointListRequest {}

    /// Endpoint List, the answer.
    EndpointListResponse {
        endpoint_states: Vec<EndpointState> = ENDPOINT_STATE;
    }

    /// Deletes an endpoint, with all that waits for it.
    EndpointDeleteRequest {
        endpoint_name: String = ENDPOINT_NAME;
    }

    /// Endpoint Delete, the answer.
    #[derive(Default)]
    EndpointDeleteResponse {}

    /// Asks whether an endpoint can be reached: a connection and its handshake, nothing is sent.
    EndpointTestRequest {
        endpoint_name: String = ENDPOINT_NAME;
    }

    /// Endpoint Test, the answer.
    EndpointTestResponse {
        /// What went wrong, if it cannot be reached.
        endpoint_trouble: Option<String> = ENDPOINT_TROUBLE;
    }
}
