//! Data of other items as clients meet it: what an item may refer to, what is kept from the answer, what is taken back.

use super::testing::{TestHouse, batch};
use kmip_protocol::{
    ActivateRequest, BatchErrorContinuationOption, BlockCipherMode, CryptographicParameters, Data, DataKind,
    DecryptRequest, DestroyRequest, EncryptRequest, HashRequest, HashingAlgorithm, PaddingMethod, RNGRetrieveRequest,
    RequestItem, ResponseItem, ResponsePayload, ResultReason, ResultStatus, UniqueIdentifier, Version,
};
use kmip_ttlv::Secret;

const V: Version = Version::NEWEST;

async fn key(house: &TestHouse) -> String {
    let key = house.create("", Vec::new()).await;
    let activate = ActivateRequest {
        unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
    };
    house.item(V, activate, &house.alice).await;
    key
}

fn parameters() -> Option<CryptographicParameters> {
    Some(CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        ..CryptographicParameters::default()
    })
}

fn encrypt(key: &str, data: Data) -> RequestItem {
    RequestItem::new(EncryptRequest {
        unique_identifier: Some(UniqueIdentifier::from(key)),
        cryptographic_parameters: parameters(),
        data: Some(data),
        iv_counter_nonce: Some(vec![9; 16]),
        ..EncryptRequest::default()
    })
}

fn decrypt(key: &str, data: Data) -> RequestItem {
    RequestItem::new(DecryptRequest {
        unique_identifier: Some(UniqueIdentifier::from(key)),
        cryptographic_parameters: parameters(),
        data: Some(data),
        iv_counter_nonce: Some(vec![9; 16]),
        ..DecryptRequest::default()
    })
}

fn hash(data: Data) -> RequestItem {
    RequestItem::new(HashRequest {
        cryptographic_parameters: CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::SHA_256),
            ..CryptographicParameters::default()
        },
        data: Some(data),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    })
}

fn ephemeral(item: RequestItem) -> RequestItem {
    RequestItem {
        ephemeral: Some(true),
        ..item
    }
}

fn bytes(bytes: &[u8]) -> Data {
    Data::Bytes(Secret::copy_from(bytes))
}

async fn items(house: &TestHouse, items: Vec<RequestItem>) -> Vec<ResponseItem> {
    let mut message = batch(V, items);
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    house.message(&message, &house.alice).await.items
}

fn data_of(item: &ResponseItem) -> Vec<u8> {
    match &item.payload {
        Some(ResponsePayload::Encrypt(given)) => given.data.clone().unwrap(),
        Some(ResponsePayload::Decrypt(given)) => given.data.as_ref().unwrap().expose().to_vec(),
        Some(ResponsePayload::Hash(given)) => given.data.clone().unwrap(),
        Some(ResponsePayload::RNGRetrieve(given)) => given.data.expose().to_vec(),
        _ => panic!("{:?} {:?}", item.result_reason, item.result_message),
    }
}

#[tokio::test]
async fn data_moves_from_one_key_to_another_without_being_seen() {
    let house = TestHouse::new().await;
    let (old, new) = (key(&house).await, key(&house).await);
    let sealed = data_of(&items(&house, vec![encrypt(&old, bytes(b"a secret"))]).await[0]);
    let moved = items(
        &house,
        vec![
            ephemeral(decrypt(&old, bytes(&sealed))),
            encrypt(&new, Data::Kind(DataKind::Decrypt)),
        ],
    )
    .await;
    assert!(matches!(&moved[0].payload, Some(ResponsePayload::Empty(_)) | None));
    assert_eq!(moved[0].result_status, ResultStatus::Success);
    let sealed = data_of(&moved[1]);
    let opened = items(&house, vec![decrypt(&new, bytes(&sealed))]).await;
    assert_eq!(data_of(&opened[0]), b"a secret");
}

#[tokio::test]
async fn an_item_refers_by_operation_or_by_place() {
    let house = TestHouse::new().await;
    let plain = items(&house, vec![hash(bytes(b"one")), hash(bytes(b"two"))]).await;
    let (one, two) = (data_of(&plain[0]), data_of(&plain[1]));
    let told = items(
        &house,
        vec![
            hash(bytes(b"one")),
            hash(bytes(b"two")),
            hash(Data::Position(0)),
            hash(Data::Position(-2)),
            hash(Data::Kind(DataKind::Hash)),
        ],
    )
    .await;
    let again = items(&house, vec![hash(bytes(&one)), hash(bytes(&two))]).await;
    assert_eq!(data_of(&told[2]), data_of(&again[0]));
    // Two back from the fourth is the second.
    assert_eq!(data_of(&told[3]), data_of(&again[1]));
    let last = items(&house, vec![hash(bytes(&data_of(&told[3])))]).await;
    assert_eq!(data_of(&told[4]), data_of(&last[0]));
    let random = items(
        &house,
        vec![
            ephemeral(RequestItem::new(RNGRetrieveRequest { data_length: 16 })),
            hash(Data::Kind(DataKind::RNGRetrieve)),
        ],
    )
    .await;
    assert!(!matches!(random[0].payload, Some(ResponsePayload::RNGRetrieve(_))));
    assert_eq!(data_of(&random[1]).len(), 32);
}

#[tokio::test]
async fn what_nobody_produced_cannot_be_had() {
    let house = TestHouse::new().await;
    let key = key(&house).await;
    let nothing = Some(ResultReason::InvalidField);
    let told = items(
        &house,
        vec![
            hash(Data::Kind(DataKind::Hash)),
            hash(bytes(b"one")),
            hash(Data::Kind(DataKind::Decrypt)),
            hash(Data::Kind(DataKind(0x8000_0001))),
            hash(Data::Position(1)),
            hash(Data::Position(-2)),
            hash(Data::Position(i32::MIN)),
            // It fails, and what it would have produced is not there.
            decrypt(&key, bytes(b"not a block")),
            hash(Data::Kind(DataKind::Decrypt)),
        ],
    )
    .await;
    let reasons: Vec<_> = told.iter().map(|item| item.result_reason).collect();
    let failed = reasons[7];
    assert!(failed.is_some());
    let wanted = [
        nothing, None, nothing, nothing, nothing, nothing, nothing, failed, nothing,
    ];
    assert_eq!(reasons, wanted);
    // Nothing is handed on from one message to the next.
    let told = items(&house, vec![hash(Data::Kind(DataKind::Hash))]).await;
    assert_eq!(told[0].result_reason, nothing);
}

#[tokio::test]
async fn what_is_handed_on_is_bounded_and_undone() {
    let house = TestHouse::new().await;
    let key = key(&house).await;
    let big = vec![7; 900 * 1024];
    let mut many: Vec<_> = (0..19).map(|_| ephemeral(encrypt(&key, bytes(&big)))).collect();
    many.push(hash(Data::Kind(DataKind::Encrypt)));
    let told = items(&house, many).await;
    let refused = told
        .iter()
        .filter(|item| item.result_reason == Some(ResultReason::ServerLimitExceeded));
    assert!(refused.count() > 0);
    assert_eq!(told[19].result_status, ResultStatus::Success);
    let fails = DestroyRequest {
        unique_identifier: Some(UniqueIdentifier::from("unknown")),
    };
    let mut message = batch(
        V,
        vec![
            encrypt(&key, bytes(b"one")),
            hash(Data::Kind(DataKind::Encrypt)),
            RequestItem::new(fails),
        ],
    );
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    let told = house.message(&message, &house.alice).await.items;
    assert!(told[..2].iter().all(|item| item.payload.is_none()));
    assert_eq!(told[1].result_status, ResultStatus::OperationUndone);
}
