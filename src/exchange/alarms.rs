//! Each event that the change trail carries, raised by what it is about and in the same commit.

use super::asynchronous::submit;
use super::ceremonies::{import, old_token};
use super::glass;
use super::governing::{approve, destroy, governed, is_there, newest};
use super::members::{certificate, password};
use super::migrations;
use super::outgoings;
use super::protected;
use super::replacements;
use super::restored;
use super::shares;
use super::testing::{TestHouse, batch};
use crate::audit::alarm::Event;
use crate::authority::quorum::{Scope, template};
use crate::identity::{PersonPrincipal, Principal, Session};
use crate::objects;
use crate::store::Domain;
use kmip_protocol::{
    ActivateRequest, BatchErrorContinuationOption, CeremonyAbortRequest, ClientModifyRequest, ClientPassword,
    Completion, CredentialRevokeRequest, KekCreateRequest, KekDeleteRequest, KekMarkCompromisedRequest,
    LegacyTokenWithdrawRequest, LocateRequest, LoginRequest, NewPerson, Operation, PersonResetRequest, PersonRole,
    PersonSuspendRequest, PolicyPutRequest, PolicyTemplate, ProposalState, ProposalVetoRequest, Request, RequestItem,
    ResultStatus, SecretText, ShareSubmitRequest, TenantCreateRequest, TenantDeleteRequest, TenantPurgeRequest,
    TenantRecoverRequest, TenantSuspendRequest, UniqueIdentifier, Version,
};
use std::sync::Arc;

const DAY: i64 = 24 * 60 * 60;

/// Has somebody do something that succeeds.
async fn does<R: Request>(house: &TestHouse, who: &Principal, request: R) {
    let told = house.act(who, request).await;
    assert_eq!(told.result_status, ResultStatus::Success, "{:?}", told.result_message);
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

/// One of the operators that [`govern`] makes.
fn voter(house: &TestHouse, number: u8) -> Principal {
    Principal::Person(Arc::new(PersonPrincipal {
        domain: house.tenant,
        person: [number; 16],
        name: format!("operator {number}"),
        role: PersonRole::Operator,
        key_fingerprint: [number; 32],
        hardware: false,
        session: Session::Full([number; 16]),
        seen: None,
        tenant_seen: None,
        migration_required: false,
        ticket_seen: None,
    }))
}

/// A tenant beside the others, with two operators.
async fn acme(house: &TestHouse, administrator: &Principal) {
    let new = TenantCreateRequest {
        tenant_name: "acme".into(),
        operators: vec![operator("olga"), operator("otto")],
        policy_template: None,
        settings: None,
        hsm_profile_name: None,
        backup_string: None,
        recover: None,
    };
    does(house, administrator, new).await;
}

/// A house in which this has just happened. No more than that: a missing arm does not compile.
async fn provoked(event: Event) -> Option<TestHouse> {
    let house = TestHouse::new().await;
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let somebody = house.known(house.tenant, PersonRole::Operator);
    let tenant_name = || "acme".to_owned();
    match event {
        Event::LoginLockout => {
            let olga = house.person(house.tenant, "olga", PersonRole::Operator).await;
            for _ in 0..5 {
                house
                    .ask(LoginRequest::default(), &olga, vec![password("olga", "wrong")])
                    .await;
            }
        }
        Event::ClientLockout => {
            let shown = ClientModifyRequest {
                client_name: "alice".into(),
                new_name: None,
                settings: None,
                credentials: Vec::new(),
                password: Some(ClientPassword {
                    username: "app".into(),
                    password: SecretText::new("a long password"),
                }),
                user: None,
            };
            does(&house, &somebody, shown).await;
            for _ in 0..5 {
                house
                    .ask_over(LocateRequest::default(), &house.alice, vec![password("app", "wrong")])
                    .await;
            }
        }
        Event::InitialPasswordReused => {
            let ines = house.invited(house.tenant, "ines", PersonRole::Operator).await;
            for _ in 0..2 {
                house.ask(LoginRequest::default(), &ines, vec![ines.password()]).await;
            }
        }
        Event::PasswordReset => {
            house.person(house.tenant, "olga", PersonRole::Operator).await;
            let reset = PersonResetRequest {
                person_name: "olga".into(),
                initial_password: SecretText::new("another horse battery 48"),
            };
            does(&house, &somebody, reset).await;
        }
        Event::BreakGlass => return Some(Box::pin(glass::broken()).await.0),
        Event::FollowUpOverdue => {
            let (house, _) = glass::broken().await;
            house.clock.advance(7 * DAY);
            house.server.tend().await;
            return Some(house);
        }
        Event::ProposalVetoed => {
            let house = governed(Operation::Destroy, Completion::OnQuorum).await;
            let key = house.create("", Vec::new()).await;
            submit(&house, Version::NEWEST, destroy(&key), &house.alice).await;
            let veto = ProposalVetoRequest {
                proposal_identifier: newest(&house).await.id.to_vec(),
                reason: Some("not now".into()),
            };
            does(&house, &voter(&house, 1), veto).await;
            return Some(house);
        }
        Event::ProposalFailed => {
            let house = governed(Operation::Destroy, Completion::OnQuorum).await;
            let key = house.create("", Vec::new()).await;
            submit(&house, Version::NEWEST, destroy(&key), &house.alice).await;
            let activate = ActivateRequest {
                unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
            };
            house.item(Version::NEWEST, activate, &house.alice).await;
            assert_eq!(approve(&house).await, ProposalState::Failed);
            return Some(house);
        }
        Event::PolicyChanged => {
            for name in ["olga", "otto"] {
                house.person(house.tenant, name, PersonRole::Operator).await;
            }
            let policy = template(PolicyTemplate::Mtg, Scope::Tenant);
            does(&house, &somebody, PolicyPutRequest { policy }).await;
        }
        Event::TenantSuspended => {
            let tenant_name = "alice".into();
            does(&house, &administrator, TenantSuspendRequest { tenant_name }).await;
        }
        Event::TenantDeleted => {
            acme(&house, &administrator).await;
            let tenant_name = tenant_name();
            does(
                &house,
                &administrator,
                TenantSuspendRequest {
                    tenant_name: tenant_name.clone(),
                },
            )
            .await;
            does(&house, &administrator, TenantDeleteRequest { tenant_name }).await;
        }
        Event::TenantPurged => {
            acme(&house, &administrator).await;
            let tenant_name = tenant_name();
            let suspend = TenantSuspendRequest {
                tenant_name: tenant_name.clone(),
            };
            does(&house, &administrator, suspend).await;
            let delete = TenantDeleteRequest {
                tenant_name: tenant_name.clone(),
            };
            does(&house, &administrator, delete).await;
            let purge = TenantPurgeRequest {
                tenant_name,
                created: None,
            };
            does(&house, &administrator, purge).await;
        }
        Event::TenantRecovered => {
            acme(&house, &administrator).await;
            // Nobody has come in time.
            house.clock.advance(73 * 3600);
            let recover = TenantRecoverRequest {
                tenant_name: tenant_name(),
                operator: operator("new"),
            };
            does(&house, &administrator, recover).await;
        }
        Event::PersonSuspended => {
            house.person(house.tenant, "olga", PersonRole::Operator).await;
            let person_name = "olga".into();
            does(&house, &somebody, PersonSuspendRequest { person_name }).await;
        }
        Event::CredentialRevoked => {
            let olga = house.person(house.tenant, "olga", PersonRole::Operator).await;
            let revoke = CredentialRevokeRequest {
                person_name: "olga".into(),
                key_fingerprint: olga.facts.certificate.key_fingerprint().to_vec(),
            };
            does(&house, &somebody, revoke).await;
        }
        Event::ClockJumped => {
            house.clock.set(3_600);
            house.server.tend().await;
        }
        Event::HsmAbandoned => return Some(Box::pin(protected::given_up()).await),
        Event::CredentialLost => return Some(Box::pin(shares::lost()).await),
        Event::KekCompromised | Event::KekDestroyed => {
            does(&house, &somebody, KekCreateRequest::default()).await;
            let kek_generation = 2;
            match event {
                Event::KekCompromised => does(&house, &somebody, KekMarkCompromisedRequest { kek_generation }).await,
                _ => does(&house, &somebody, KekDeleteRequest { kek_generation }).await,
            }
        }
        Event::RotationRefused => return Some(Box::pin(replacements::unrotated()).await),
        Event::RecordDamaged => {
            let key = damaged(&house).await;
            assert!(!is_there(&house, &key).await);
        }
        Event::RecordStale => {
            let key = house.create("", Vec::new()).await;
            house.uproot(objects::key(house.tenant, &key));
            house.scrub().await;
        }
        Event::TrailDamaged => {
            house.create("", Vec::new()).await;
            house.cut_trail();
            house.create("", Vec::new()).await;
            house.scrub().await;
        }
        Event::MigrationRequired | Event::LegacyTokenWithdrawn | Event::SharesWiped => {
            for name in ["olga", "otto"] {
                house.person(house.tenant, name, PersonRole::Operator).await;
            }
            let old = old_token("alice", "safe");
            does(&house, &administrator, import("alice", &old)).await;
            let legacy_token_name = || "safe".to_owned();
            if event == Event::SharesWiped {
                let legacy_share = SecretText::new(&old.shares[0]);
                does(&house, &somebody, ShareSubmitRequest { legacy_share }).await;
                let legacy_token_name = legacy_token_name();
                does(&house, &somebody, CeremonyAbortRequest { legacy_token_name }).await;
            }
            let give_up = LegacyTokenWithdrawRequest {
                tenant_name: "alice".into(),
                legacy_token_name: legacy_token_name(),
            };
            does(&house, &administrator, give_up).await;
        }
        Event::EndpointOverflow => return Some(Box::pin(outgoings::overflown()).await.0),
        Event::EndpointRefused => return Some(Box::pin(outgoings::given_up()).await.0),
        Event::DatabaseRestored | Event::RestoreAccepted => return Some(Box::pin(restored::ended(event)).await),
        // Tests of their own: they take an HSM.
        Event::LegacyTokenMigrated | Event::LegacyCredentialsRefused => {
            return Some(Box::pin(migrations::ended(event)).await);
        }
        // The trail does not carry them: what they tell of is why there might be none.
        Event::CustodyOutage | Event::TrailUnavailable | Event::RandomnessOutage | Event::AnchorUnavailable => {
            return None;
        }
    }
    Some(house)
}

/// A key whose record somebody has edited.
async fn damaged(house: &TestHouse) -> String {
    let key = house.create("", Vec::new()).await;
    let mut row = house.row(objects::key(house.tenant, &key)).await;
    row.body = Arc::from([&row.body[..10], &row.body[11..]].concat());
    house.plant(row);
    key
}

/// That somebody has edited a record is no act of the message that finds it.
#[tokio::test]
async fn what_is_taken_back_takes_no_alarm_back() {
    let house = TestHouse::new().await;
    let (whole, damaged) = (house.create("", Vec::new()).await, damaged(&house).await);
    let items = [&whole, &damaged].map(|key| {
        RequestItem::new(ActivateRequest {
            unique_identifier: Some(UniqueIdentifier::from(&key[..])),
        })
    });
    let mut message = batch(Version::NEWEST, items.to_vec());
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    let told = house.message(&message, &house.alice).await.items;
    let statuses = told.iter().map(|item| item.result_status).collect::<Vec<_>>();
    assert_eq!(statuses, [ResultStatus::OperationUndone, ResultStatus::OperationFailed]);
    assert_eq!(house.alarms().await, [Event::RecordDamaged]);
}

#[tokio::test]
async fn whatever_the_trail_carries_is_raised_by_what_it_is_about() {
    for event in Event::ALL {
        // On the heap: it is as large as the largest of its arms.
        let provoked = Box::pin(provoked(*event)).await;
        assert_eq!(provoked.is_some(), event.in_trail(), "{event:?}");
        if let Some(house) = provoked {
            let alarms = house.alarms().await;
            assert!(alarms.contains(event), "{event:?}: {alarms:?}");
        }
    }
}
