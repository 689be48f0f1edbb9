//! What administrators, operators and auditors see of the server through the exchange: status, trail, permissions, extensions; and
//! where they must come from.

use super::confinement::{ADMIN_LISTENER, confined};
use super::members::{Member, ticket};
use super::testing::{TestHouse, create};
use crate::audit::Entry;
use crate::failure::Fault;
use crate::identity::Principal;
use crate::store::Domain;
use kmip_protocol::{
    AuditQueryRequest, ItemType, PermissionListRequest, PersonRole, QueryFunction, QueryRequest, QueryResponse,
    ResponsePayload, ResultStatus, ServerStatusRequest, Version,
};

/// The domain of the first tenant.
async fn tenant(house: &TestHouse) -> Domain {
    let kind = crate::identity::kind::TENANT;
    let records = house.store.scan(Domain::SYSTEM, kind, None, 10).await.unwrap();
    for record in records {
        let body = crate::records::open(&house.server.services().custody, &record).unwrap();
        if crate::identity::TenantRecord::decode(body).unwrap().name == "alice" {
            return Domain(record.key.id);
        }
    }
    panic!("no tenant")
}

async fn status(house: &TestHouse, who: &Member) -> Vec<(String, String)> {
    let given = house.login(who).await;
    let item = house.ask(ServerStatusRequest {}, who, vec![ticket(&given)]).await;
    let Some(ResponsePayload::ServerStatus(response)) = item.payload else {
        panic!("no status: {:?}", item.result_message)
    };
    response
        .items
        .into_iter()
        .map(|i| (i.status_name, i.status_value))
        .collect()
}

fn has(lines: &[(String, String)], name: &str) -> bool {
    lines.iter().any(|(n, _)| n == name)
}

#[tokio::test]
async fn the_status_tells_each_what_concerns_it() {
    let house = TestHouse::new().await;
    let tenant = tenant(&house).await;
    let administrator = house.person(Domain::SYSTEM, "ada", PersonRole::Administrator).await;
    let lines = status(&house, &administrator).await;
    for name in [
        "version",
        "uptime",
        "clock",
        "custody.system",
        "custody.tenant alice",
        "custody.tenant bob",
    ] {
        assert!(has(&lines, name), "{name}: {lines:?}");
    }
    let warning = ("warning".to_owned(), "software KEKs: development only".to_owned());
    assert!(lines.contains(&warning));
    assert!(lines.iter().any(|(n, _)| n.starts_with("hsm_profile.")) && has(&lines, "trail.streams"));
    let operator = house.person(tenant, "olga", PersonRole::Operator).await;
    let lines = status(&house, &operator).await;
    assert!(has(&lines, "custody.tenant alice") && lines.contains(&warning));
    for foreign in ["custody.tenant bob", "custody.system", "trail.streams"] {
        assert!(!has(&lines, foreign), "{foreign}");
    }
}

async fn records(house: &TestHouse, who: &Member, request: AuditQueryRequest) -> (Option<i64>, Vec<Entry>) {
    let given = house.login(who).await;
    let item = house.ask(request, who, vec![ticket(&given)]).await;
    let Some(ResponsePayload::AuditQuery(response)) = item.payload else {
        panic!("no records: {:?}", item.result_message)
    };
    let entries = response.audit_records.iter().map(|bytes| Entry::read(bytes).unwrap());
    (response.audit_sequence, entries.collect())
}

#[tokio::test]
async fn auditors_read_the_trail_of_their_own_domain_piece_by_piece() {
    let house = TestHouse::new().await;
    let tenant = tenant(&house).await;
    for number in 0..5 {
        house.create(&format!("key {number}"), Vec::new()).await;
    }
    let refused = house.item(Version::NEWEST, create("x", Vec::new()), &house.bob).await;
    assert_eq!(refused.result_status, ResultStatus::Success);
    let auditor = house.person(tenant, "tom", PersonRole::Auditor).await;
    let piece = |after: Option<i64>| AuditQueryRequest {
        audit_sequence: after,
        maximum_items: Some(2),
        ..AuditQueryRequest::default()
    };
    let (mut after, mut seen) = (None, 0);
    loop {
        let (next, entries) = records(&house, &auditor, piece(after)).await;
        assert!(entries.len() <= 2);
        assert!(entries.iter().all(|e| e.draft.tenant == tenant.0));
        seen += entries.iter().filter(|e| e.draft.operation == 1).count();
        if entries.is_empty() || seen >= 5 {
            break;
        }
        after = next;
    }
    assert_eq!(seen, 5, "each Create of the tenant, none of the other's");
    let system = house.person(Domain::SYSTEM, "sam", PersonRole::SystemAuditor).await;
    let all = AuditQueryRequest {
        maximum_items: Some(i32::MAX),
        ..AuditQueryRequest::default()
    };
    let (_, entries) = records(&house, &system, all).await;
    assert!(!entries.is_empty() && entries.iter().all(|e| e.draft.tenant == Domain::SYSTEM.0));
}

#[tokio::test]
async fn everybody_may_read_the_table_of_permissions() {
    let house = TestHouse::new().await;
    let custodian = house.person(tenant(&house).await, "cleo", PersonRole::Custodian).await;
    let given = house.login(&custodian).await;
    let item = house
        .ask(PermissionListRequest {}, &custodian, vec![ticket(&given)])
        .await;
    let Some(ResponsePayload::PermissionList(response)) = item.payload else {
        panic!("no list: {:?}", item.result_message)
    };
    let vote = response
        .permissions
        .iter()
        .find(|p| p.operation_name == "ProposalVote")
        .unwrap();
    assert_eq!(
        vote.person_roles,
        [PersonRole::Administrator, PersonRole::Operator, PersonRole::Custodian]
    );
    assert!(response.permissions.iter().all(|p| p.operation_name != "Get"));
}

async fn query(house: &TestHouse, who: &Member, functions: &[QueryFunction]) -> QueryResponse {
    let request = QueryRequest {
        query_functions: functions.to_vec(),
        object_groups: None,
    };
    let given = house.login(who).await;
    match house.ask(request, who, vec![ticket(&given)]).await.payload {
        Some(ResponsePayload::Query(response)) => *response,
        _ => panic!("no answer"),
    }
}

#[tokio::test]
async fn query_tells_our_extensions_to_whom_they_are_of_use() {
    let house = TestHouse::new().await;
    let both = [QueryFunction::QueryExtensionMap, QueryFunction::QueryExtensionList];
    let olga = house.person(tenant(&house).await, "olga", PersonRole::Operator).await;
    let map = query(&house, &olga, &both).await.extension_information;
    let list = query(&house, &olga, &both[1..]).await.extension_information;
    assert!(map.len() > 100 && map.len() == list.len());
    assert!(
        list.iter()
            .all(|e| e.extension_tag.is_none() && e.extension_type.is_none())
    );
    let quorum = map.iter().find(|e| e.extension_name == "Quorum").unwrap();
    assert_eq!(quorum.extension_tag, Some(0x54_001A));
    assert_eq!(quorum.extension_type, Some(ItemType::Integer));
    assert_eq!(quorum.extension_parent_structure_tag, Some(0x54_0018));
    assert_eq!(quorum.extension_attribute, Some(false));
    let role = map.iter().find(|e| e.extension_name == "PersonRole").unwrap();
    assert!(role.extension_description.is_some());
    // A client has no use for them, whatever its version.
    for version in Version::ALL {
        let request = QueryRequest {
            query_functions: both.to_vec(),
            object_groups: None,
        };
        let item = house.item(version, request, &house.alice).await;
        let Some(ResponsePayload::Query(response)) = item.payload else {
            panic!("no answer")
        };
        assert!(response.extension_information.is_empty());
    }
    let request = QueryRequest {
        query_functions: both.to_vec(),
        object_groups: None,
    };
    let stranger = house.item(Version::NEWEST, request, &house.stranger).await;
    let Some(ResponsePayload::Query(response)) = stranger.payload else {
        panic!("no answer")
    };
    assert!(response.extension_information.is_empty());
}

#[tokio::test]
async fn people_are_strangers_where_they_have_a_listener_of_their_own() {
    let mut house = TestHouse::new().await;
    let ada = house.person(Domain::SYSTEM, "ada", PersonRole::Administrator).await;
    house.login(&ada).await;
    house.server.about().admin_listener = true;
    let item = house.item(Version::NEWEST, ServerStatusRequest {}, &ada.facts).await;
    assert_eq!(item.result_message.as_deref(), Some(Fault::NotAuthenticated.message()));
    // At the listener of its own it may log in as before, and a client is a stranger.
    let mut moved = ada.facts.clone();
    moved.listener = ADMIN_LISTENER.into();
    let item = house.item(Version::NEWEST, ServerStatusRequest {}, &moved).await;
    assert_eq!(item.result_message.as_deref(), Some(Fault::LoginRequired.message()));
    let mut client = house.alice.clone();
    client.listener = ADMIN_LISTENER.into();
    let item = house.item(Version::NEWEST, create("x", Vec::new()), &client).await;
    assert_eq!(item.result_message.as_deref(), Some(Fault::NotAuthenticated.message()));
    let item = house.item(Version::NEWEST, create("x", Vec::new()), &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::Success);
    // The server's own work comes by no listener.
    let timer = Principal::Process(crate::identity::Process::Timer);
    assert_eq!(confined(true, &client, timer.clone()), timer);
}

#[tokio::test]
async fn a_key_in_a_file_is_not_enough_where_hardware_is_asked_for() {
    let mut house = TestHouse::new().await;
    let ada = house.person(Domain::SYSTEM, "ada", PersonRole::Administrator).await;
    let sam = house.person(Domain::SYSTEM, "sam", PersonRole::SystemAuditor).await;
    house.server.about().hardware = vec![PersonRole::Administrator];
    let request = kmip_protocol::LoginRequest::default();
    let item = house.ask(request, &ada, vec![ada.password()]).await;
    assert_eq!(item.result_message.as_deref(), Some(Fault::HardwareRequired.message()));
    house.login(&sam).await;
}
