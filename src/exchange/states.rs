//! Each operation on an object in each state that it can be in: what it is permitted, and what it is told otherwise, by version.

use super::lives::of;
use super::testing::{BEGIN, TestHouse, batch, derivation};
use crate::failure::Fault;
use kmip_protocol::{
    ActivateRequest, AddAttributeRequest, ArchiveRequest, Attribute, AttributeInstance, Attributes, BlockCipherMode,
    CheckRequest, CreateRequest, CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask, DateTime,
    DecryptRequest, DerivationMethod, DeriveKeyRequest, DestroyRequest, EncryptRequest, GetAttributeListRequest,
    GetAttributesRequest, GetRequest, GetUsageAllocationRequest, ModifyAttributeRequest, ObjectType,
    ObtainLeaseRequest, PaddingMethod, ReKeyRequest, RecoverRequest, RequestItem, RequestPayload, ResponsePayload,
    ResultStatus, RevocationReason, RevocationReasonCode, RevokeRequest, TemplateAttribute, UniqueIdentifier,
    UsageLimits, UsageLimitsUnit, Version,
};
use kmip_ttlv::Secret;

/// The states, and beside them archived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stands {
    PreActive,
    Active,
    Deactivated,
    Compromised,
    Destroyed,
    DestroyedCompromised,
    Archived,
}

const STANDS: [Stands; 7] = [
    Stands::PreActive,
    Stands::Active,
    Stands::Deactivated,
    Stands::Compromised,
    Stands::Destroyed,
    Stands::DestroyedCompromised,
    Stands::Archived,
];

/// What a cell says.
#[derive(Clone, Copy)]
enum Cell {
    /// It is permitted.
    Ok,
    /// It is refused.
    No(Fault),
    /// It depends on the version: up to 1.4, since 2.0.
    By(Option<Fault>, Option<Fault>),
}

impl Cell {
    fn fault(self, version: Version) -> Option<Fault> {
        match self {
            Self::Ok => None,
            Self::No(fault) => Some(fault),
            Self::By(_, newer) if version.has_tagged_attributes() => newer,
            Self::By(older, _) => older,
        }
    }
}

const W: Cell = Cell::No(Fault::WrongState);
const D: Cell = Cell::No(Fault::ObjectDestroyed);
const A: Cell = Cell::No(Fault::ObjectArchived);
const OK: Cell = Cell::Ok;

fn key() -> CreateRequest {
    let uses = [
        CryptographicUsageMask::Encrypt,
        CryptographicUsageMask::Decrypt,
        CryptographicUsageMask::DeriveKey,
    ];
    let attributes: Attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(128),
        Attribute::CryptographicUsageMask(
            uses.into_iter()
                .fold(CryptographicUsageMask::NONE, |all, one| all | one),
        ),
        Attribute::ContactInformation("us".into()),
        Attribute::UsageLimits(UsageLimits {
            usage_limits_total: Some(1_000),
            usage_limits_count: None,
            usage_limits_unit: Some(UsageLimitsUnit::Byte),
        }),
    ]
    .into_iter()
    .collect();
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: TemplateAttribute::from(attributes),
        protection_storage_masks: None,
    }
}

fn revoke(key: &str, code: RevocationReasonCode) -> RequestPayload {
    RevokeRequest {
        unique_identifier: of(key),
        revocation_reason: RevocationReason {
            revocation_reason_code: code,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    }
    .into()
}

fn activate(key: &str) -> RequestPayload {
    ActivateRequest {
        unique_identifier: of(key),
    }
    .into()
}

fn destroy(key: &str) -> RequestPayload {
    DestroyRequest {
        unique_identifier: of(key),
    }
    .into()
}

fn archive(key: &str) -> RequestPayload {
    ArchiveRequest {
        unique_identifier: of(key),
    }
    .into()
}

fn parameters() -> Option<CryptographicParameters> {
    Some(CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::None),
        ..CryptographicParameters::default()
    })
}

fn derive(key: &str) -> RequestPayload {
    let attributes: Attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(128),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::NONE),
    ]
    .into_iter()
    .collect();
    DeriveKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: vec![UniqueIdentifier::from(key)],
        derivation_method: DerivationMethod::HASH,
        derivation_parameters: derivation(&[]),
        attributes: TemplateAttribute::from(attributes),
    }
    .into()
}

type Row = (&'static str, fn(&str) -> RequestPayload, [Cell; 7]);

fn rows() -> Vec<Row> {
    let again = Cell::No(Fault::AlreadyDestroyed);
    let mask = Cell::No(Fault::UsageMask);
    vec![
        (
            "Get",
            |key| {
                GetRequest {
                    unique_identifier: of(key),
                    ..GetRequest::default()
                }
                .into()
            },
            [OK, OK, OK, OK, D, D, A],
        ),
        (
            "Get Attributes",
            |key| {
                GetAttributesRequest {
                    unique_identifier: of(key),
                    references: Vec::new(),
                }
                .into()
            },
            [OK; 7],
        ),
        (
            "Get Attribute List",
            |key| {
                GetAttributeListRequest {
                    unique_identifier: of(key),
                }
                .into()
            },
            [OK; 7],
        ),
        (
            "Add Attribute",
            |key| {
                AddAttributeRequest {
                    unique_identifier: of(key),
                    attribute: Attribute::ObjectGroup("some".into()).into(),
                }
                .into()
            },
            [OK, OK, OK, OK, D, D, A],
        ),
        (
            "Modify Attribute",
            |key| {
                ModifyAttributeRequest {
                    unique_identifier: of(key),
                    current_attribute: None,
                    attribute: Attribute::ContactInformation("them".into()).into(),
                }
                .into()
            },
            [OK, OK, OK, OK, D, D, A],
        ),
        (
            "Modify Attribute, Deactivation Date",
            |key| {
                ModifyAttributeRequest {
                    unique_identifier: of(key),
                    current_attribute: None,
                    attribute: Attribute::DeactivationDate(DateTime(BEGIN + 500)).into(),
                }
                .into()
            },
            [
                Cell::No(Fault::AttributeAbsent),
                Cell::No(Fault::AttributeAbsent),
                W,
                W,
                D,
                D,
                A,
            ],
        ),
        ("Activate", activate, [OK, W, W, W, D, D, A]),
        (
            "Revoke, Key Compromise",
            |key| revoke(key, RevocationReasonCode::KeyCompromise),
            [OK, OK, OK, W, OK, W, A],
        ),
        (
            "Revoke, Superseded",
            |key| revoke(key, RevocationReasonCode::Superseded),
            [W, OK, W, W, D, D, A],
        ),
        (
            "Destroy",
            destroy,
            [OK, W, OK, OK, again, again, Cell::By(Some(Fault::ObjectArchived), None)],
        ),
        ("Archive", archive, [OK, OK, OK, OK, D, D, A]),
        (
            "Recover",
            |key| {
                RecoverRequest {
                    unique_identifier: of(key),
                }
                .into()
            },
            [OK, OK, OK, OK, D, D, OK],
        ),
        (
            "Check",
            |key| {
                CheckRequest {
                    unique_identifier: of(key),
                    cryptographic_usage_mask: Some(CryptographicUsageMask::Encrypt),
                    ..CheckRequest::default()
                }
                .into()
            },
            [OK, OK, mask, mask, D, D, A],
        ),
        (
            "Obtain Lease",
            |key| {
                ObtainLeaseRequest {
                    unique_identifier: of(key),
                }
                .into()
            },
            [OK, OK, OK, Cell::No(Fault::LeaseRefused), D, D, A],
        ),
        (
            "Get Usage Allocation",
            |key| {
                GetUsageAllocationRequest {
                    unique_identifier: of(key),
                    usage_limits_count: 1,
                }
                .into()
            },
            [W, OK, W, W, D, D, A],
        ),
        (
            "Re-key",
            |key| {
                ReKeyRequest {
                    unique_identifier: of(key),
                    ..ReKeyRequest::default()
                }
                .into()
            },
            [OK, OK, OK, OK, D, D, A],
        ),
        ("Derive Key", derive, [OK, OK, W, W, D, D, A]),
        (
            "Encrypt",
            |key| {
                EncryptRequest {
                    unique_identifier: of(key),
                    cryptographic_parameters: parameters(),
                    data: Some(Secret::new(vec![7; 16]).into()),
                    iv_counter_nonce: Some(vec![9; 16]),
                    ..EncryptRequest::default()
                }
                .into()
            },
            [W, OK, W, W, D, D, A],
        ),
        (
            "Decrypt",
            |key| {
                DecryptRequest {
                    unique_identifier: of(key),
                    cryptographic_parameters: parameters(),
                    data: Some(Secret::new(vec![7; 16]).into()),
                    iv_counter_nonce: Some(vec![9; 16]),
                    ..DecryptRequest::default()
                }
                .into()
            },
            [W, OK, OK, OK, D, D, A],
        ),
    ]
}

async fn ask(
    house: &TestHouse,
    version: Version,
    payload: RequestPayload,
) -> Result<ResponsePayload, (kmip_protocol::ResultReason, String)> {
    let message = batch(version, vec![RequestItem::new(payload)]);
    let item = house.message(&message, &house.alice).await.items.remove(0);
    match item.result_status {
        ResultStatus::Success => Ok(item.payload.unwrap()),
        _ => Err((item.result_reason.unwrap(), item.result_message.unwrap())),
    }
}

/// A key that stands so.
async fn made(house: &TestHouse, stands: Stands) -> String {
    let Ok(ResponsePayload::Create(made)) = ask(house, Version::NEWEST, key().into()).await else {
        panic!("not created");
    };
    let key = made.unique_identifier;
    let compromise = || revoke(&key, RevocationReasonCode::KeyCompromise);
    let way = match stands {
        Stands::PreActive => Vec::new(),
        Stands::Active => vec![activate(&key)],
        Stands::Deactivated => vec![activate(&key), revoke(&key, RevocationReasonCode::Superseded)],
        Stands::Compromised => vec![compromise()],
        Stands::Destroyed => vec![destroy(&key)],
        Stands::DestroyedCompromised => vec![compromise(), destroy(&key)],
        Stands::Archived => vec![archive(&key)],
    };
    for step in way {
        assert!(ask(house, Version::NEWEST, step).await.is_ok(), "{stands:?}");
    }
    key
}

#[tokio::test]
async fn every_operation_in_every_state() {
    let house = TestHouse::new().await;
    let (mut permitted, mut refused) = (0, 0);
    for version in Version::ALL {
        for (name, request, cells) in rows() {
            for (stands, cell) in STANDS.into_iter().zip(cells) {
                let key = made(&house, stands).await;
                let payload = request(&key);
                if !payload.operation().is_spoken_in(version) {
                    continue;
                }
                let outcome = ask(&house, version, payload).await.map(drop);
                let expected = cell.fault(version);
                let expected = expected.map(|fault| (fault.reason(version), fault.message().to_owned()));
                permitted += usize::from(expected.is_none());
                refused += usize::from(expected.is_some());
                assert_eq!(outcome.err(), expected, "{version} {name} {stands:?}");
            }
        }
    }
    assert!(permitted > 300 && refused > 300, "{permitted} {refused}");
}

/// What a key may be used for at a moment: encrypt, decrypt.
async fn uses(house: &TestHouse, key: &str) -> (bool, bool) {
    let mut found = [false; 2];
    for (name, request, _) in rows() {
        for (place, wanted) in ["Encrypt", "Decrypt"].into_iter().enumerate() {
            if name == wanted {
                found[place] = ask(house, Version::NEWEST, request(key)).await.is_ok();
            }
        }
    }
    (found[0], found[1])
}

/// A key with every date ahead. Nobody touches it while time moves it on.
async fn dated(house: &TestHouse) -> String {
    let mut request = key();
    let dates = [
        Attribute::ActivationDate(DateTime(BEGIN + 10)),
        Attribute::ProcessStartDate(DateTime(BEGIN + 20)),
        Attribute::ProtectStopDate(DateTime(BEGIN + 30)),
        Attribute::DeactivationDate(DateTime(BEGIN + 40)),
    ];
    request
        .attributes
        .attributes
        .0
        .extend(dates.map(AttributeInstance::from));
    match ask(house, Version::NEWEST, request.into()).await {
        Ok(ResponsePayload::Create(made)) => made.unique_identifier,
        _ => panic!("not created"),
    }
}

const COURSE: [(i64, (bool, bool)); 5] = [
    (0, (false, false)),
    (10, (false, false)),
    (20, (true, true)),
    (30, (false, true)),
    (40, (false, true)),
];

#[tokio::test]
async fn dates_hold_without_anybody_touching_the_object_and_over_a_restart() {
    let mut house = TestHouse::new().await;
    let key = dated(&house).await;
    let mut last = 0;
    for (at, expected) in COURSE {
        house.clock.advance(at - last);
        last = at;
        house.server = super::restarts::restarted(&house).await;
        assert_eq!(uses(&house, &key).await, expected, "{at}");
    }
    let expected = Fault::WrongState.reason(Version::NEWEST);
    let late = ask(&house, Version::NEWEST, activate(&key))
        .await
        .err()
        .map(|(reason, _)| reason);
    assert_eq!(late, Some(expected));
}

#[tokio::test]
async fn a_clock_set_back_gives_no_window_twice() {
    let house = TestHouse::new().await;
    let key = dated(&house).await;
    house.clock.advance(35);
    assert_eq!(uses(&house, &key).await, (false, true));
    house.clock.set(-15);
    assert_eq!(uses(&house, &key).await, (false, true));
    house.clock.advance(5);
    assert_eq!(uses(&house, &key).await, (false, true));
}
