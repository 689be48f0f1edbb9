//! What streams hold, how much of it, and what ends them.

use super::notices::deliver;
use super::restarts::{services_again, started};
use super::streaming::{V, begin, data, encrypt, key, mode, of, part, refused};
use super::testing::{TestHouse, batch};
use crate::operations::{Notice, Services, StreamLimits, Streams};
use kmip_protocol::{
    BatchErrorContinuationOption, BlockCipherMode, ClientDeleteRequest, ClientSuspendRequest, CryptographicParameters,
    DestroyRequest, EncryptRequest, PersonRole, RequestItem, ResultReason, ResultStatus, RevocationReason,
    RevocationReasonCode, RevokeRequest,
};
use std::sync::Arc;

#[tokio::test]
async fn streams_have_limits() {
    let mut house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let limits = StreamLimits {
        of_client: 3,
        bytes_of_stream: 4_090,
        bytes_of_client: 10_900,
        ..StreamLimits::default()
    };
    let services = Services {
        streams: Arc::new(Streams::new(limits)),
        ..services_again(&house)
    };
    house.server = started(&house, services).await;
    let full = ResultReason::ServerLimitExceeded;
    // CCM holds everything back.
    let hold = |bytes: usize, correlation: Option<Vec<u8>>| EncryptRequest {
        unique_identifier: of(&key),
        cryptographic_parameters: mode(BlockCipherMode::CCM).filter(|_| correlation.is_none()),
        data: data(&vec![7; bytes]),
        init_indicator: correlation.is_none().then_some(true),
        correlation_value: correlation,
        ..EncryptRequest::default()
    };
    assert_eq!(refused(&house, hold(3_001, None), &house.alice).await, full);
    let first = encrypt(&house, hold(2_000, None)).await;
    assert!(first.data.is_none());
    let nonce = first.iv_counter_nonce.unwrap().len();
    let correlation = first.correlation_value;
    assert_eq!(
        refused(&house, hold(1_000, correlation.clone()), &house.alice).await,
        full
    );
    assert_eq!(house.server.services().streams.tally(), (1, 1_024 + nonce + 64 + 2_000));
    encrypt(&house, hold(2_800, None)).await;
    assert_eq!(
        refused(&house, hold(2_900, None), &house.alice).await,
        ResultReason::ServerLimitExceeded
    );
    encrypt(&house, hold(2_700, None)).await;
    assert_eq!(
        refused(&house, part(&key, b"some", None, false), &house.alice).await,
        full
    );
    let last = EncryptRequest {
        final_indicator: Some(true),
        ..hold(1_000, correlation)
    };
    let last = encrypt(&house, last).await;
    assert_eq!(last.data.unwrap().len(), 3_000);
    assert!(last.authenticated_encryption_tag.is_some());
    assert_eq!(house.server.services().streams.tally().0, 2);
}

/// Whatever a client may choose the length of counts.
#[tokio::test]
async fn what_a_stream_began_with_counts() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let services = house.server.services();
    let begin = async |request: EncryptRequest| encrypt(&house, request).await.correlation_value.unwrap();
    begin(EncryptRequest {
        cryptographic_parameters: Some(CryptographicParameters {
            p_source: Some(vec![1; 100_000]),
            ..mode(BlockCipherMode::CBC).unwrap()
        }),
        ..part(&key, b"some", None, false)
    })
    .await;
    let (streams, bytes) = services.streams.tally();
    assert!(streams == 1 && bytes > 100_000, "{bytes}");
    let second = begin(EncryptRequest {
        cryptographic_parameters: mode(BlockCipherMode::ECB),
        iv_counter_nonce: Some(vec![1; 100_000]),
        ..part(&key, b"some", None, false)
    })
    .await;
    let (streams, bytes) = services.streams.tally();
    assert!(streams == 2 && bytes > 200_000, "{bytes}");
    // What ends gives its room back.
    encrypt(&house, part(&key, b"twelve bytes", Some(&second), true)).await;
    assert!(services.streams.tally().1 < 200_000);
}

/// A message of many small parts holds what its streams have come to, not each step on the way.
#[tokio::test]
async fn many_parts_in_one_message_are_one_stream() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    let first = EncryptRequest {
        cryptographic_parameters: mode(BlockCipherMode::CCM),
        iv_counter_nonce: None,
        ..part(&key, b"a", None, false)
    };
    let correlation = encrypt(&house, first).await.correlation_value.unwrap();
    let parts = (0..200).map(|_| RequestItem::new(part(&key, b"a", Some(&correlation), false)));
    let answer = house.message(&batch(V, parts.collect()), &house.alice).await;
    assert!(
        answer
            .items
            .iter()
            .all(|item| item.result_status == ResultStatus::Success)
    );
    // One piece of 201 bytes.
    let (streams, bytes) = house.server.services().streams.tally();
    assert!(streams == 1 && bytes < 1_024 + 64 + 201 + 16, "{bytes}");
    let last = encrypt(&house, part(&key, b"b", Some(&correlation), true)).await;
    assert_eq!(last.data.unwrap().len(), 202);
}

/// What is computed from a key goes with it, not ten minutes later.
#[tokio::test]
async fn a_destroyed_key_takes_its_streams_along() {
    let house = TestHouse::new().await;
    let (gone, stays) = (key(&house, Vec::new()).await, key(&house, Vec::new()).await);
    begin(&house, &gone, b"0123456789").await;
    let other = begin(&house, &stays, b"0123456789").await;
    let revoke = RevokeRequest {
        unique_identifier: of(&gone),
        revocation_reason: RevocationReason {
            revocation_reason_code: RevocationReasonCode::CessationOfOperation,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    assert_eq!(
        house.item(V, revoke, &house.alice).await.result_status,
        ResultStatus::Success
    );
    let destroy = || DestroyRequest {
        unique_identifier: of(&gone),
    };
    // One that is taken back ends nothing.
    let unknown = DestroyRequest {
        unique_identifier: of("nothing"),
    };
    let mut undone = batch(V, vec![RequestItem::new(destroy()), RequestItem::new(unknown)]);
    undone.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    house.message(&undone, &house.alice).await;
    assert_eq!(house.server.services().streams.tally().0, 2);
    house.item(V, destroy(), &house.alice).await;
    assert_eq!(house.server.services().streams.tally().0, 1);
    encrypt(&house, part(&stays, b"more", Some(&other), true)).await;
}

#[tokio::test]
async fn a_client_and_a_tenant_take_their_streams_along() {
    let house = TestHouse::new().await;
    let key = key(&house, Vec::new()).await;
    begin(&house, &key, b"0123456789").await;
    let streams = || house.server.services().streams.tally().0;
    let operator = house.known(house.tenant, PersonRole::Operator);
    let suspend = ClientSuspendRequest {
        client_name: "alice".into(),
    };
    house.act(&operator, suspend).await;
    assert_eq!(streams(), 1);
    let delete = ClientDeleteRequest {
        client_name: "alice".into(),
    };
    assert_eq!(house.act(&operator, delete).await.result_status, ResultStatus::Success);
    assert_eq!(streams(), 0);
    let house = TestHouse::new().await;
    let key = self::key(&house, Vec::new()).await;
    begin(&house, &key, b"0123456789").await;
    let gone = [Notice::Gone(house.tenant)];
    deliver(&gone, house.server.identity(), house.server.services()).await;
    assert_eq!(house.server.services().streams.tally().0, 0);
}
