//! Application Namespaces of a tenant (family 07, P-KMS-TNT-06).

use crate::Namespace;
use crate::field::structure;

structure! {
    /// Registers a namespace.
    NamespaceCreateRequest {
        namespace: Namespace = NAMESPACE;
    }

    /// Namespace Create, the answer.
    #[derive(Default)]
    NamespaceCreateResponse {}

    /// Changes a namespace.
    NamespaceModifyRequest {
        namespace: Namespace = NAMESPACE;
    }

    /// Namespace Modify, the answer.
    #[derive(Default)]
    NamespaceModifyResponse {}

    /// Deletes a namespace that is not in use.
    NamespaceDeleteRequest {
        application_namespace: String = APPLICATION_NAMESPACE;
    }

    /// Namespace Delete, the answer.
    #[derive(Default)]
    NamespaceDeleteResponse {}

    /// Lists namespaces.
    #[derive(Default)]
    NamespaceListRequest {}

    /// Namespace List, the answer.
    NamespaceListResponse {
        namespaces: Vec<Namespace> = NAMESPACE;
    }
}
