//! Operations by parts as clients meet them: what comes out, who gets at a stream, what is taken back.

use super::ConnectionFacts;
use super::restarts::{services_again, started};
use super::testing::{TestHouse, batch};
use kmip_protocol::{
    ActivateRequest, Attribute, BatchErrorContinuationOption, BlockCipherMode, CryptographicAlgorithm,
    CryptographicParameters, CryptographicUsageMask, DecryptRequest, DestroyRequest, EncryptRequest, EncryptResponse,
    HashRequest, HashingAlgorithm, MACRequest, MACVerifyRequest, ObjectType, PaddingMethod, RequestItem, ResponseItem,
    ResponsePayload, ResultReason, ResultStatus, RevocationReason, RevocationReasonCode, RevokeRequest,
    UniqueIdentifier, UsageLimits, UsageLimitsUnit, ValidityIndicator, Version,
};
use kmip_ttlv::Secret;

pub(super) const V: Version = Version::NEWEST;

pub(super) fn of(key: &str) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::from(key))
}

pub(super) fn data(bytes: &[u8]) -> Option<kmip_protocol::Data> {
    Some(Secret::copy_from(bytes).into())
}

pub(super) fn mode(mode: BlockCipherMode) -> Option<CryptographicParameters> {
    Some(CryptographicParameters {
        block_cipher_mode: Some(mode),
        padding_method: (mode == BlockCipherMode::CBC).then_some(PaddingMethod::PKCS5),
        ..CryptographicParameters::default()
    })
}

async fn activate(house: &TestHouse, key: &str) {
    let activate = ActivateRequest {
        unique_identifier: of(key),
    };
    let told = house.item(V, activate, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
}

/// An active AES key that encrypts, decrypts and authenticates.
pub(super) async fn key(house: &TestHouse, more: Vec<Attribute>) -> String {
    let key = house.create("", more).await;
    activate(house, &key).await;
    key
}

/// One that authenticates as well.
async fn mac_key(house: &TestHouse) -> String {
    use CryptographicUsageMask as Mask;
    let mut request = super::testing::create("", Vec::new());
    request.object_type = ObjectType::SymmetricKey;
    request.attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::HMAC_SHA256),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(Mask::MACGenerate | Mask::MACVerify),
    ]
    .into_iter()
    .collect::<kmip_protocol::Attributes>()
    .into();
    let item = house.item(V, request, &house.alice).await;
    let Some(ResponsePayload::Create(made)) = item.payload else {
        panic!("not created")
    };
    activate(house, &made.unique_identifier).await;
    made.unique_identifier
}

/// A part of an encryption in CBC.
pub(super) fn part(key: &str, bytes: &[u8], correlation: Option<&[u8]>, ends: bool) -> EncryptRequest {
    let begins = correlation.is_none();
    EncryptRequest {
        unique_identifier: of(key),
        cryptographic_parameters: mode(BlockCipherMode::CBC).filter(|_| begins),
        data: data(bytes),
        iv_counter_nonce: begins.then(|| vec![9; 16]),
        correlation_value: correlation.map(<[u8]>::to_vec),
        init_indicator: begins.then_some(true),
        final_indicator: ends.then_some(true),
        ..EncryptRequest::default()
    }
}

pub(super) async fn encrypt(house: &TestHouse, request: EncryptRequest) -> EncryptResponse {
    encrypted(house.item(V, request, &house.alice).await)
}

fn encrypted(item: ResponseItem) -> EncryptResponse {
    match item.payload {
        Some(ResponsePayload::Encrypt(given)) => given,
        _ => panic!("{:?} {:?}", item.result_reason, item.result_message),
    }
}

pub(super) async fn refused(house: &TestHouse, request: EncryptRequest, facts: &ConnectionFacts) -> ResultReason {
    house.item(V, request, facts).await.result_reason.unwrap()
}

/// Begins a stream. Gives its Correlation Value.
pub(super) async fn begin(house: &TestHouse, key: &str, bytes: &[u8]) -> Vec<u8> {
    encrypt(house, part(key, bytes, None, false))
        .await
        .correlation_value
        .unwrap()
}

#[tokio::test]
async fn parts_come_to_what_the_whole_does() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let text: Vec<u8> = (0..50).collect();
    let mut single = part(&key, &text, None, true);
    let whole = encrypt(&house, single.clone()).await;
    assert!(whole.correlation_value.is_none());
    single.init_indicator = None;
    single.final_indicator = None;
    assert_eq!(encrypt(&house, single).await.data, whole.data);
    let first = encrypt(&house, part(&key, &text[..5], None, false)).await;
    let correlation = first.correlation_value.unwrap();
    assert!(first.data.is_none());
    let next = encrypt(&house, part(&key, &text[5..40], Some(&correlation), false)).await;
    assert_eq!(next.correlation_value.as_deref(), Some(&correlation[..]));
    // The last part names no key, and has no data: the stream knows its key.
    encrypt(&house, part(&key, &text[40..], Some(&correlation), false)).await;
    let last = EncryptRequest {
        unique_identifier: None,
        data: None,
        ..part(&key, &[], Some(&correlation), true)
    };
    let last = encrypt(&house, last).await;
    assert_eq!(last.unique_identifier, key);
    assert!(last.correlation_value.is_none());
    assert_eq!(house.server.services().streams.tally(), (0, 0));
    let sealed = [next.data.unwrap(), last.data.unwrap()].concat();
    // The part before the last gave the third block.
    assert_eq!(sealed.len() + 16, whole.data.clone().unwrap().len());
    assert!(whole.data.unwrap().ends_with(&sealed[32..]));
}

/// McGrew and Viega's test case 5 for GCM, which NIST SP 800-38D takes over: nothing of the plaintext is given out before the tag is
/// judged, and nothing at all if it does not hold.
#[tokio::test]
async fn a_plaintext_waits_for_its_tag() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let text: Vec<u8> = (0..60).collect();
    let beside = b"beside".to_vec();
    let opening = EncryptRequest {
        unique_identifier: of(&key),
        cryptographic_parameters: mode(BlockCipherMode::GCM),
        data: data(&text[..32]),
        init_indicator: Some(true),
        authenticated_encryption_additional_data: Some(beside.clone()),
        ..EncryptRequest::default()
    };
    let first = encrypt(&house, opening).await;
    let (iv, correlation) = (first.iv_counter_nonce.unwrap(), first.correlation_value.unwrap());
    assert!(first.authenticated_encryption_tag.is_none());
    let last = EncryptRequest {
        unique_identifier: of(&key),
        data: data(&text[32..]),
        correlation_value: Some(correlation),
        final_indicator: Some(true),
        ..EncryptRequest::default()
    };
    let last = encrypt(&house, last).await;
    let sealed = [first.data.unwrap(), last.data.unwrap()].concat();
    let tag = last.authenticated_encryption_tag.unwrap();
    let whole = EncryptRequest {
        unique_identifier: of(&key),
        cryptographic_parameters: mode(BlockCipherMode::GCM),
        data: data(&text),
        iv_counter_nonce: Some(iv.clone()),
        authenticated_encryption_additional_data: Some(beside.clone()),
        ..EncryptRequest::default()
    };
    let whole = encrypt(&house, whole).await;
    assert_eq!(
        (whole.data.unwrap(), whole.authenticated_encryption_tag.unwrap()),
        (sealed.clone(), tag.clone())
    );
    for wrong in [0_u8, 1] {
        let mut tag = tag.clone();
        tag[3] ^= wrong;
        let first = DecryptRequest {
            unique_identifier: of(&key),
            cryptographic_parameters: mode(BlockCipherMode::GCM),
            data: data(&sealed[..32]),
            iv_counter_nonce: Some(iv.clone()),
            init_indicator: Some(true),
            authenticated_encryption_additional_data: Some(beside.clone()),
            authenticated_encryption_tag: Some(tag),
            ..DecryptRequest::default()
        };
        let Some(ResponsePayload::Decrypt(given)) = house.item(V, first, &house.alice).await.payload else {
            panic!("not begun")
        };
        assert!(given.data.is_none());
        let last = |tag| DecryptRequest {
            unique_identifier: of(&key),
            data: data(&sealed[32..]),
            correlation_value: given.correlation_value.clone(),
            final_indicator: Some(true),
            authenticated_encryption_tag: tag,
            ..DecryptRequest::default()
        };
        // The tag belongs to the first part.
        let late = house.item(V, last(Some(vec![1; 16])), &house.alice).await;
        assert_eq!(late.result_reason, Some(ResultReason::InvalidField));
        let answer = house.item(V, last(None), &house.alice).await;
        match (wrong, answer.payload) {
            (0, Some(ResponsePayload::Decrypt(given))) => assert!(given.data.unwrap().expose() == text),
            (1, None) => assert_eq!(answer.result_reason, Some(ResultReason::CryptographicFailure)),
            _ => panic!("the tag was not judged"),
        }
    }
}

#[tokio::test]
async fn a_stream_is_its_clients_its_keys_and_its_operations() {
    let mut house = TestHouse::new().await;
    let (key, other) = (key(&house, Vec::new()).await, key(&house, Vec::new()).await);
    let correlation = begin(&house, &key, b"some").await;
    let unknown = ResultReason::InvalidCorrelationValue;
    let next = |key: &str| part(key, b"more", Some(&correlation), false);
    assert_eq!(refused(&house, next(&key), &house.bob).await, unknown);
    assert_eq!(refused(&house, next(&other), &house.alice).await, unknown);
    for value in [&[0; 16][..], &[], &correlation[1..]] {
        let request = part(&key, b"more", Some(value), false);
        assert_eq!(refused(&house, request, &house.alice).await, unknown);
    }
    let decrypt = DecryptRequest {
        unique_identifier: of(&key),
        data: data(b"more"),
        correlation_value: Some(correlation.clone()),
        ..DecryptRequest::default()
    };
    let told = house.item(V, decrypt, &house.alice).await;
    assert_eq!(told.result_reason, Some(unknown));
    // None of them has harmed it, and after its end it is no more.
    encrypt(&house, next(&key)).await;
    encrypt(&house, part(&key, b"", Some(&correlation), true)).await;
    assert_eq!(refused(&house, next(&key), &house.alice).await, unknown);
    // Neither after a restart.
    let correlation = begin(&house, &key, b"some").await;
    let again = started(&house, services_again(&house)).await;
    house.server = again;
    let next = part(&key, b"more", Some(&correlation), false);
    assert_eq!(refused(&house, next, &house.alice).await, unknown);
}

#[tokio::test]
async fn a_stream_waits_for_its_next_part_and_no_longer() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let correlation = begin(&house, &key, b"some").await;
    for _ in 0..3 {
        house.clock.advance(599);
        encrypt(&house, part(&key, b"more", Some(&correlation), false)).await;
    }
    house.clock.advance(601);
    let next = part(&key, b"more", Some(&correlation), false);
    assert_eq!(
        refused(&house, next, &house.alice).await,
        ResultReason::InvalidCorrelationValue
    );
    begin(&house, &key, b"some").await;
    assert_eq!(house.server.services().streams.tally().0, 1);
    house.clock.advance(601);
    house.server.tend().await;
    assert_eq!(house.server.services().streams.tally(), (0, 0));
}

#[tokio::test]
async fn parts_in_an_impossible_order_are_refused() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let correlation = begin(&house, &key, b"some").await;
    let next = || part(&key, b"more", Some(&correlation), false);
    let cases = [
        (
            EncryptRequest {
                init_indicator: Some(true),
                ..next()
            },
            ResultReason::InvalidField,
        ),
        (
            EncryptRequest {
                correlation_value: None,
                final_indicator: Some(true),
                ..next()
            },
            ResultReason::InvalidCorrelationValue,
        ),
        (EncryptRequest { data: None, ..next() }, ResultReason::InvalidMessage),
        (
            EncryptRequest {
                iv_counter_nonce: Some(vec![8; 16]),
                ..next()
            },
            ResultReason::InvalidField,
        ),
        (
            EncryptRequest {
                cryptographic_parameters: mode(BlockCipherMode::CTR),
                ..next()
            },
            ResultReason::BadCryptographicParameters,
        ),
        (
            EncryptRequest {
                authenticated_encryption_additional_data: Some(vec![1]),
                ..next()
            },
            ResultReason::InvalidField,
        ),
    ];
    for (request, reason) in cases {
        assert_eq!(refused(&house, request, &house.alice).await, reason);
    }
    // What says the same again is no change.
    let again = EncryptRequest {
        cryptographic_parameters: mode(BlockCipherMode::CBC),
        iv_counter_nonce: Some(vec![9; 16]),
        ..next()
    };
    encrypt(&house, again).await;
    // A stream that cannot end, for want of padding, stays where it was.
    let begun = EncryptRequest {
        cryptographic_parameters: mode(BlockCipherMode::ECB),
        iv_counter_nonce: None,
        ..part(&key, b"some", None, false)
    };
    let correlation = encrypt(&house, begun).await.correlation_value.unwrap();
    let last = part(&key, b"more", Some(&correlation), true);
    assert_eq!(
        refused(&house, last, &house.alice).await,
        ResultReason::CryptographicFailure
    );
    let last = encrypt(&house, part(&key, b"and twelve..", Some(&correlation), true)).await;
    assert_eq!(last.data.unwrap().len(), 16);
}

#[tokio::test]
async fn the_key_is_judged_at_every_part() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let correlation = begin(&house, &key, b"some").await;
    let revoke = RevokeRequest {
        unique_identifier: of(&key),
        revocation_reason: RevocationReason {
            revocation_reason_code: RevocationReasonCode::CessationOfOperation,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    let told = house.item(V, revoke, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
    let last = part(&key, b"more", Some(&correlation), true);
    assert_eq!(
        refused(&house, last, &house.alice).await,
        ResultReason::WrongKeyLifecycleState
    );
    let destroy = DestroyRequest {
        unique_identifier: of(&key),
    };
    let told = house.item(V, destroy, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
    // The stream went with its key.
    let last = part(&key, b"more", Some(&correlation), true);
    assert_eq!(
        refused(&house, last, &house.alice).await,
        ResultReason::InvalidCorrelationValue
    );
}

fn limits(total: i64, unit: UsageLimitsUnit) -> Attribute {
    Attribute::UsageLimits(UsageLimits {
        usage_limits_total: Some(total),
        usage_limits_count: None,
        usage_limits_unit: Some(unit),
    })
}

#[tokio::test]
async fn each_part_takes_its_bytes_and_a_stream_one_object() {
    let house = TestHouse::new().await;
    let bytes = key(&house, vec![limits(10, UsageLimitsUnit::Byte)]).await;
    let correlation = begin(&house, &bytes, b"four").await;
    encrypt(&house, part(&bytes, b"four", Some(&correlation), false)).await;
    let next = part(&bytes, b"four", Some(&correlation), false);
    assert_eq!(
        refused(&house, next, &house.alice).await,
        ResultReason::PermissionDenied
    );
    encrypt(&house, part(&bytes, b"2.", Some(&correlation), true)).await;
    let objects = key(&house, vec![limits(1, UsageLimitsUnit::Object)]).await;
    let correlation = begin(&house, &objects, b"four").await;
    encrypt(&house, part(&objects, b"four", Some(&correlation), false)).await;
    encrypt(&house, part(&objects, b"four", Some(&correlation), true)).await;
    let second = part(&objects, b"four", None, false);
    assert_eq!(
        refused(&house, second, &house.alice).await,
        ResultReason::PermissionDenied
    );
}

/// What is undone is undone for streams as well: a part, a beginning and an end.
#[tokio::test]
async fn a_batch_that_is_undone_leaves_streams_as_they_were() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let begun = begin(&house, &key, b"0123456789").await;
    let ended = begin(&house, &key, b"0123456789").await;
    let fails = DestroyRequest {
        unique_identifier: of("unknown"),
    };
    let mut message = batch(
        V,
        vec![
            RequestItem::new(part(&key, b"lost", Some(&begun), false)),
            RequestItem::new(part(&key, b"lost", Some(&begun), false)),
            RequestItem::new(part(&key, b"lost", Some(&ended), true)),
            RequestItem::new(part(&key, b"lost", None, false)),
            RequestItem::new(fails),
        ],
    );
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    let answer = house.message(&message, &house.alice).await;
    assert_eq!(answer.items[2].result_status, ResultStatus::OperationUndone);
    assert_eq!(house.server.services().streams.tally().0, 2);
    let whole = encrypt(&house, part(&key, b"0123456789abcdef", None, true)).await;
    for correlation in [begun, ended] {
        let last = encrypt(&house, part(&key, b"abcdef", Some(&correlation), true)).await;
        assert_eq!(last.data, whole.data);
    }
    // In one message parts follow one another, and only the failing one is taken back.
    let correlation = begin(&house, &key, b"0123").await;
    let mut message = batch(
        V,
        vec![
            RequestItem::new(part(&key, b"4567", Some(&correlation), false)),
            RequestItem::new(EncryptRequest {
                data: None,
                ..part(&key, b"", Some(&correlation), false)
            }),
            RequestItem::new(part(&key, b"89abcdef", Some(&correlation), true)),
            RequestItem::new(part(&key, b"", Some(&correlation), true)),
        ],
    );
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    let mut answer = house.message(&message, &house.alice).await;
    let reasons: Vec<_> = answer.items.iter().map(|item| item.result_reason).collect();
    let unknown = Some(ResultReason::InvalidCorrelationValue);
    assert_eq!(reasons, [None, Some(ResultReason::InvalidMessage), None, unknown]);
    assert_eq!(encrypted(answer.items.remove(2)).data, whole.data);
}

#[tokio::test]
async fn macs_and_hashes_come_in_parts() {
    let house = TestHouse::new().await;
    let key = mac_key(&house).await;
    let part = |bytes: &[u8], correlation: Option<Vec<u8>>, ends: bool| MACRequest {
        unique_identifier: of(&key),
        data: data(bytes),
        init_indicator: correlation.is_none().then_some(true),
        correlation_value: correlation,
        final_indicator: ends.then_some(true),
        ..MACRequest::default()
    };
    let mac = async |request: MACRequest| match house.item(V, request, &house.alice).await.payload {
        Some(ResponsePayload::MAC(given)) => given,
        _ => panic!("no MAC"),
    };
    let whole = mac(part(b"one and two", None, true)).await.mac_data.unwrap();
    let first = mac(part(b"one", None, false)).await;
    assert!(first.mac_data.is_none());
    let last = mac(part(b" and two", first.correlation_value, true)).await;
    assert_eq!(last.mac_data.as_deref(), Some(&whole[..]));
    // The MAC to verify may come with the first part or with the last, and is one.
    for (at_first, at_last, wanted) in [
        (Some(whole.clone()), None, Some(ValidityIndicator::Valid)),
        (None, Some(whole.clone()), Some(ValidityIndicator::Valid)),
        (Some(vec![1; 32]), None, Some(ValidityIndicator::Invalid)),
        (Some(vec![1; 32]), Some(whole.clone()), None),
        (None, None, None),
    ] {
        let first = MACVerifyRequest {
            unique_identifier: of(&key),
            data: data(b"one"),
            mac_data: at_first,
            init_indicator: Some(true),
            ..MACVerifyRequest::default()
        };
        let Some(ResponsePayload::MACVerify(first)) = house.item(V, first, &house.alice).await.payload else {
            panic!("not begun")
        };
        assert!(first.validity_indicator.is_none());
        let last = MACVerifyRequest {
            unique_identifier: of(&key),
            data: data(b" and two"),
            mac_data: at_last,
            correlation_value: first.correlation_value,
            final_indicator: Some(true),
            ..MACVerifyRequest::default()
        };
        let told = match house.item(V, last, &house.alice).await.payload {
            Some(ResponsePayload::MACVerify(last)) => last.validity_indicator,
            _ => None,
        };
        assert_eq!(told, wanted);
    }
    let hash = |bytes: &[u8], correlation: Option<Vec<u8>>, algorithm, ends: bool| HashRequest {
        cryptographic_parameters: CryptographicParameters {
            hashing_algorithm: Some(algorithm),
            ..CryptographicParameters::default()
        },
        data: data(bytes),
        init_indicator: correlation.is_none().then_some(true),
        correlation_value: correlation,
        final_indicator: ends.then_some(true),
    };
    let hashed = async |request: HashRequest| match house.item(V, request, &house.alice).await.payload {
        Some(ResponsePayload::Hash(given)) => Ok(given),
        _ => Err(()),
    };
    let algorithm = HashingAlgorithm::SHA_256;
    let first = hashed(hash(b"a", None, algorithm, false)).await.unwrap();
    let correlation = first.correlation_value.unwrap();
    assert!(
        hashed(hash(b"bc", Some(correlation.clone()), HashingAlgorithm::SHA_1, true))
            .await
            .is_err()
    );
    let last = hashed(hash(b"bc", Some(correlation), algorithm, true)).await.unwrap();
    let whole = hashed(hash(b"abc", None, algorithm, true)).await.unwrap();
    assert!(last.data.is_some() && last.data == whole.data);
}
