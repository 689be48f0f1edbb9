//! Tenants, from their creation by administrators to their deletion.

use super::ConnectionFacts;
use super::hall::put_template;
use super::members::certificate;
use super::testing::{TestHouse, create, facts};
use crate::authority::Policies;
use crate::failure::Fault;
use crate::identity::{Principal, TenantRecord};
use crate::store::Domain;
use kmip_protocol::{
    AuthorityCreateRequest, ClientCreateRequest, ClientCredential, CryptoProfile, Interval, NewPerson, PersonRole,
    PolicyGetRequest, PolicyTemplate, QueryFunction, QueryRequest, ResponseItem, ResponsePayload, ResultStatus,
    SecretText, TenantCreateRequest, TenantDeleteRequest, TenantGetRequest, TenantListRequest, TenantModifyRequest,
    TenantRecoverRequest, TenantResumeRequest, TenantSettings, TenantStatus, TenantSuspendRequest, Version,
};

fn told(item: &ResponseItem) -> Option<&str> {
    match item.result_status {
        ResultStatus::Success => None,
        _ => Some(item.result_message.as_deref().unwrap_or_default()),
    }
}

/// Asserts that an item failed with this fault, or succeeded.
macro_rules! expect {
    ($item:expr, ok) => {{
        let item = $item;
        assert_eq!(told(&item), None);
        item
    }};
    ($item:expr, $fault:ident) => {{
        let item = $item;
        assert_eq!(told(&item), Some(Fault::$fault.message()));
    }};
}

fn operator(name: &str) -> NewPerson {
    NewPerson {
        person_name: name.into(),
        person_role: PersonRole::Operator,
        certificate: certificate(name).0,
        initial_password: SecretText::new("correct horse battery 47"),
        hardware: None,
        attestation: Vec::new(),
        possession_proof: None,
    }
}

pub(super) fn new(name: &str, operators: &[&str]) -> TenantCreateRequest {
    TenantCreateRequest {
        tenant_name: name.into(),
        operators: operators.iter().map(|name| operator(name)).collect(),
        policy_template: None,
        settings: None,
        hsm_profile_name: None,
        backup_string: None,
        recover: None,
    }
}

fn query() -> QueryRequest {
    QueryRequest {
        query_functions: vec![QueryFunction::QueryObjects],
        object_groups: None,
    }
}

async fn tenants(house: &TestHouse, administrator: &Principal) -> Vec<(String, TenantStatus)> {
    let item = expect!(house.act(administrator, TenantListRequest::default()).await, ok);
    let Some(ResponsePayload::TenantList(list)) = item.payload else {
        panic!()
    };
    list.tenants
        .into_iter()
        .map(|tenant| (tenant.tenant_name, tenant.tenant_status))
        .collect()
}

pub(super) async fn domain_of(house: &TestHouse, name: &str) -> Domain {
    let holder = house.store.claimed(&TenantRecord::name_claim(name)).await.unwrap();
    Domain(holder.unwrap().id)
}

/// A client of a tenant, and the connection that it opens.
pub(super) async fn client(house: &TestHouse, tenant: Domain) -> ConnectionFacts {
    let operator = house.known(tenant, PersonRole::Operator);
    let (certificate, _) = certificate("db");
    let pinned = ClientCredential {
        certificate: Some(certificate.clone()),
        ..ClientCredential::default()
    };
    let request = ClientCreateRequest {
        client_name: "db".into(),
        application_name: None,
        settings: None,
        credentials: vec![pinned],
        password: None,
        user: None,
    };
    expect!(house.act(&operator, request).await, ok);
    facts(vec![certificate])
}

#[tokio::test]
async fn a_tenant_lives_from_its_creation_to_its_deletion() {
    let house = TestHouse::new().await;
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let one = || "acme".to_owned();
    expect!(house.act(&administrator, new("acme", &["olga", "oscar"])).await, ok);
    expect!(house.act(&administrator, new("acme", &["otto", "oda"])).await, Taken);
    let tenant = domain_of(&house, "acme").await;
    // Its keys work at once, and it has its policy.
    let db = client(&house, tenant).await;
    expect!(house.item(Version::NEWEST, create("one", Vec::new()), &db).await, ok);
    let item = expect!(house.act(&administrator, TenantListRequest::default()).await, ok);
    let Some(ResponsePayload::TenantList(list)) = item.payload else {
        panic!()
    };
    let keks_in = |tenant: &kmip_protocol::Tenant| tenant.hsm_profile_names.clone();
    assert_eq!(
        list.tenants.iter().map(keks_in).collect::<Vec<_>>(),
        vec![vec!["software".to_owned()]; 3]
    );
    let olga = house.known(tenant, PersonRole::Operator);
    let item = expect!(house.act(&olga, PolicyGetRequest::default()).await, ok);
    let Some(ResponsePayload::PolicyGet(policy)) = item.payload else {
        panic!()
    };
    assert_eq!(policy.policy.policy.unwrap().policy_template, Some(PolicyTemplate::Mtg));
    // Its people see their own tenant and no other.
    let get = |name: Option<&str>| TenantGetRequest {
        tenant_name: name.map(str::to_owned),
    };
    expect!(house.act(&olga, get(None)).await, ok);
    expect!(house.act(&olga, get(Some("acme"))).await, ok);
    expect!(house.act(&olga, get(Some("bob"))).await, NotFound);
    expect!(house.act(&administrator, get(Some("bob"))).await, ok);
    expect!(house.act(&administrator, get(None)).await, MissingField);

    let settings = TenantSettings {
        crypto_profile: Some(CryptoProfile::Bsi),
        object_quota: Some(2),
        ..TenantSettings::default()
    };
    let modify = |settings: TenantSettings| TenantModifyRequest {
        tenant_name: one(),
        settings,
    };
    expect!(house.act(&administrator, modify(settings)).await, ok);
    // The object that there is was counted.
    expect!(house.item(Version::NEWEST, create("two", Vec::new()), &db).await, ok);
    expect!(
        house.item(Version::NEWEST, create("three", Vec::new()), &db).await,
        QuotaExceeded
    );
    let wrong = TenantSettings {
        object_quota: Some(-1),
        ..TenantSettings::default()
    };
    expect!(house.act(&administrator, modify(wrong)).await, InvalidField);
    let remain = |retention| TenantSettings {
        retention: Some(Interval(retention)),
        ..TenantSettings::default()
    };
    expect!(house.act(&administrator, modify(remain(u32::MAX))).await, InvalidField);
    for retention in [0, 100 * 365 * 24 * 60 * 60] {
        expect!(house.act(&administrator, modify(remain(retention))).await, ok);
        let item = expect!(house.act(&olga, get(None)).await, ok);
        let Some(ResponsePayload::TenantGet(answer)) = item.payload else {
            panic!()
        };
        assert_eq!(answer.tenant.settings, remain(retention));
    }

    let delete = || TenantDeleteRequest { tenant_name: one() };
    expect!(house.act(&administrator, delete()).await, NotSuspended);
    let suspend = TenantSuspendRequest { tenant_name: one() };
    expect!(house.act(&administrator, suspend).await, ok);
    expect!(house.item(Version::NEWEST, query(), &db).await, NotAuthenticated);
    let resume = TenantResumeRequest { tenant_name: one() };
    expect!(house.act(&administrator, resume).await, ok);
    expect!(house.item(Version::NEWEST, query(), &db).await, ok);
    let suspend = TenantSuspendRequest { tenant_name: one() };
    expect!(house.act(&administrator, suspend).await, ok);
    let authority = AuthorityCreateRequest {
        authority_name: "own".into(),
        certificate: None,
        hardware: None,
        revocation_lists: Vec::new(),
    };
    expect!(house.act(&olga, authority).await, ok);
    let custody = &house.server.services().custody;
    assert!(custody.is_at_work(tenant));
    expect!(house.act(&administrator, delete()).await, ok);
    // Nothing of it opens from now on, nor after the next start.
    assert!(!custody.is_at_work(tenant));
    let directory = house.server.identity().directory();
    assert!(!directory.tenants().await.unwrap().contains(&tenant));
    expect!(house.item(Version::NEWEST, query(), &db).await, NotAuthenticated);
    expect!(house.act(&administrator, delete()).await, NotFound);
    // Its name and its people's keys are free; the record of it remains.
    house.clock.advance(1);
    expect!(house.act(&administrator, new("acme", &["olga", "oscar"])).await, ok);
    let mut list = tenants(&house, &administrator).await;
    list.retain(|(name, _)| name == "acme");
    assert_eq!(list, [(one(), TenantStatus::Deleted), (one(), TenantStatus::Active)]);
    assert_ne!(domain_of(&house, "acme").await, tenant);
}

#[tokio::test]
async fn a_tenant_is_not_made_without_what_its_policy_wants() {
    let house = TestHouse::new().await;
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let before = tenants(&house, &administrator).await;
    expect!(house.act(&administrator, new("acme", &["olga"])).await, TooFewOperators);
    let mut strict = new("acme", &["olga", "oscar", "otto"]);
    strict.policy_template = Some(PolicyTemplate::Strict);
    expect!(house.act(&administrator, strict).await, TooFewOperators);
    expect!(
        house.act(&administrator, new("a\u{301}", &["olga", "oscar"])).await,
        InvalidName
    );
    let domains = || house.server.services().custody.states().len();
    let before_keys = domains();
    expect!(house.act(&administrator, new("acme", &["olga", "olga"])).await, Taken);
    assert_eq!(domains(), before_keys);
    let mut wrong = new("acme", &["olga", "oscar"]);
    wrong.operators[1].person_role = PersonRole::Auditor;
    expect!(house.act(&administrator, wrong).await, PersonRoleRefused);
    let mut elsewhere = new("acme", &["olga", "oscar"]);
    elsewhere.hsm_profile_name = Some("token nowhere".into());
    expect!(house.act(&administrator, elsewhere).await, NotFound);
    assert_eq!(tenants(&house, &administrator).await, before);
    // One operator is enough where no rule wants more.
    let mut off = new("acme", &["olga"]);
    off.policy_template = Some(PolicyTemplate::Off);
    expect!(house.act(&administrator, off).await, ok);
    let recover = |name: &str| TenantRecoverRequest {
        tenant_name: "acme".into(),
        operator: operator(name),
    };
    // She is on the way, as long as her initial password is good.
    expect!(house.act(&administrator, recover("oscar")).await, RecoveryNotNeeded);
    house.clock.advance(73 * 3600);
    expect!(house.act(&administrator, recover("olga")).await, Taken);
    expect!(house.act(&administrator, recover("oscar")).await, ok);
    // Operators have no part in it.
    let olga = house.known(domain_of(&house, "acme").await, PersonRole::Operator);
    expect!(house.act(&olga, new("other", &["otto", "oda"])).await, PermissionDenied);
}

#[tokio::test]
async fn a_policy_that_forgets_tenants_lets_nobody_make_one() {
    let mut house = TestHouse::new().await;
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    // One that no server accepts: it has nothing of what the system's policy must govern.
    put_template(&house, Domain::SYSTEM, PolicyTemplate::Off).await;
    house.server.services.policies = Policies::default();
    expect!(
        house.act(&administrator, new("acme", &["olga", "oscar"])).await,
        ApprovalRequired
    );
    assert!(
        house
            .store
            .claimed(&TenantRecord::name_claim("acme"))
            .await
            .unwrap()
            .is_none()
    );
}
