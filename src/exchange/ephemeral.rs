//! Items whose data is for later items only (KMIP 2.1 §8.3).

use kmip_protocol::{Operation, ResponsePayload};

/// The answer of an item whose data is not to be returned: what else it tells, or nothing where that is all. What an operation gives
/// that no item can refer to is no such data.
pub(super) fn withhold(payload: ResponsePayload) -> ResponsePayload {
    use ResponsePayload as Payload;
    let (rest, is_told) = match payload {
        Payload::Encrypt(mut given) => {
            given.data = None;
            let beside = [
                &given.iv_counter_nonce,
                &given.correlation_value,
                &given.authenticated_encryption_tag,
            ];
            let is_told = beside.into_iter().any(Option::is_some);
            (Payload::Encrypt(given), is_told)
        }
        Payload::Decrypt(mut given) => {
            given.data = None;
            let is_told = given.correlation_value.is_some();
            (Payload::Decrypt(given), is_told)
        }
        Payload::Sign(mut given) => {
            given.signature_data = None;
            let is_told = given.correlation_value.is_some();
            (Payload::Sign(given), is_told)
        }
        Payload::MAC(mut given) => {
            given.mac_data = None;
            let is_told = given.correlation_value.is_some();
            (Payload::MAC(given), is_told)
        }
        Payload::Hash(mut given) => {
            given.data = None;
            let is_told = given.correlation_value.is_some();
            (Payload::Hash(given), is_told)
        }
        Payload::RNGRetrieve(_) => return Payload::Empty(Operation::RNGRetrieve),
        other => (other, true),
    };
    if is_told {
        rest
    } else {
        Payload::Empty(rest.operation())
    }
}
