//! An operator of a tenant at work, for tests of what clients meet.

use super::ConnectionFacts;
use super::testing::{TestHouse, facts};
use crate::identity::{Enroll, IdentityChange, Principal, TenantRecord};
use crate::operations::keeper::Keeper;
use crate::store::{Domain, Store, Work};
use certs::{CertificateRequest, KeyKind, PrivateKey, Subject};
use kmip_protocol::{
    AuthorityCreateRequest, CertificateIssueRequest, CertificateIssueResponse, ClientCreateRequest, ClientSettings,
    PersonRole, QueryFunction, QueryRequest, Request, ResponseItem, ResponsePayload, ResultStatus, TenantSettings,
    Version,
};
use std::sync::Arc;

/// An operator of alice's tenant, and what it does.
pub(super) struct Office {
    pub house: TestHouse,
    pub tenant: Domain,
    pub operator: Principal,
}

pub(super) fn told(item: &ResponseItem) -> Option<&str> {
    match item.result_status {
        ResultStatus::Success => None,
        _ => Some(item.result_message.as_deref().unwrap_or_default()),
    }
}

/// Asserts that an item failed with this fault, or succeeded.
macro_rules! answered {
    ($item:expr, ok) => {{
        let item = $item;
        assert_eq!($crate::exchange::office::told(&item), None);
        item
    }};
    ($item:expr, $fault:ident) => {{
        let item = $item;
        assert_eq!(
            $crate::exchange::office::told(&item),
            Some($crate::failure::Fault::$fault.message())
        );
    }};
}

pub(super) use answered;

impl Office {
    pub async fn open() -> Self {
        let house = TestHouse::new().await;
        let tenant = house.tenant_of(&house.alice).await;
        let operator = house.known(tenant, PersonRole::Operator);
        Self {
            house,
            tenant,
            operator,
        }
    }

    pub async fn act<R: Request>(&self, request: R) -> ResponseItem {
        self.house.act(&self.operator, request).await
    }

    /// As a client, by its connection.
    pub async fn ask<R: Request>(&self, facts: &ConnectionFacts, request: R) -> ResponseItem {
        self.house.item(Version::NEWEST, request, facts).await
    }

    pub async fn issuer(&self) {
        let made = self.act(authority_of("own")).await;
        answered!(made, ok);
    }

    pub async fn client(
        &self,
        name: &str,
        application: Option<&str>,
        settings: Option<ClientSettings>,
    ) -> ResponseItem {
        let request = ClientCreateRequest {
            client_name: name.into(),
            application_name: application.map(str::to_owned),
            settings,
            credentials: Vec::new(),
            password: None,
            user: None,
        };
        self.act(request).await
    }

    /// Makes a client with a certificate, and the connection that it opens.
    pub async fn connected(&self, name: &str, application: Option<&str>, settings: ClientSettings) -> ConnectionFacts {
        answered!(self.client(name, application, Some(settings)).await, ok);
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let issued = self.issue(name, &key).await;
        facts(vec![issued.certificate, issued.authority])
    }

    pub async fn issue(&self, name: &str, key: &PrivateKey) -> CertificateIssueResponse {
        let item = answered!(self.act(issue_for(name, key)).await, ok);
        match item.payload {
            Some(ResponsePayload::CertificateIssue(issued)) => issued,
            _ => panic!("no certificate"),
        }
    }

    /// Changes the tenant's settings, as an administrator would.
    pub async fn set(&self, settings: TenantSettings) {
        self.change(|record| record.settings = settings).await;
    }

    /// Suspends the tenant, or lets it go on.
    pub async fn suspend(&self, suspended: bool) {
        self.change(|record| record.suspended = suspended).await;
    }

    async fn change(&self, change: impl FnOnce(&mut TenantRecord)) {
        self.change_unsaid(change).await;
        let changed = IdentityChange::Tenant(self.tenant);
        self.house.server.identity().changed(changed).await.unwrap();
    }

    /// Changes the tenant's record, and says it to nobody who remembers it: what a request meets that is under way.
    pub async fn change_unsaid(&self, change: impl FnOnce(&mut TenantRecord)) {
        let services = self.house.server.services();
        let keeper = Keeper(Arc::clone(&services.custody));
        let store: Arc<dyn Store> = Arc::clone(&services.store);
        let mut work = Work::new(Arc::clone(&store));
        let record = work.load(TenantRecord::key(self.tenant)).await.unwrap().unwrap();
        let body = crate::records::open(&services.custody, &record).unwrap();
        let mut record = TenantRecord::decode(body).unwrap();
        change(&mut record);
        Enroll::new(&mut work, &keeper)
            .tenant(self.tenant, &record)
            .await
            .unwrap();
        store.commit(work.into_change_set(0)).await.unwrap();
    }
}

pub(super) fn issue_for(name: &str, key: &PrivateKey) -> CertificateIssueRequest {
    CertificateIssueRequest {
        client_name: name.into(),
        authority_name: None,
        certificate_request: Some(CertificateRequest::create(&Subject::named("whatever"), &[], key).unwrap()),
        keystore_password: None,
        validity: None,
        revoke_former: None,
    }
}

pub(super) fn authority_of(name: &str) -> AuthorityCreateRequest {
    AuthorityCreateRequest {
        authority_name: name.into(),
        certificate: None,
        hardware: None,
        revocation_lists: Vec::new(),
    }
}

pub(super) fn query() -> QueryRequest {
    QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations],
        object_groups: None,
    }
}
