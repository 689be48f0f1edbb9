//! What is around the items of a message: what the request's header asks for all of them, and the response without them.

use super::ConnectionFacts;
use crate::clock::Moment;
use crate::operations::Batch;
use kmip_protocol::{BatchErrorContinuationOption, DateTime, Item, RequestMessage, ResponseHeader, Version, tag};
use kmip_ttlv::Writer;

/// Whether items are answered after one that failed.
pub(super) fn continues(message: &RequestMessage) -> bool {
    message.header.batch_error_continuation_option == Some(BatchErrorContinuationOption::Continue)
}

/// Whether all items are taken back if one fails.
pub(super) fn undoes(message: &RequestMessage) -> bool {
    message.header.batch_error_continuation_option == Some(BatchErrorContinuationOption::Undo)
}

/// The response's header. No Server Correlation Value: clients in the field break on one they did not ask for.
pub(super) fn header(message: &RequestMessage, version: Version, now: Moment, count: i32) -> ResponseHeader {
    let mut header = ResponseHeader::new(version, DateTime(now.seconds()), count);
    header
        .client_correlation_value
        .clone_from(&message.header.client_correlation_value);
    header
}

/// The whole response.
pub(super) fn message(header: &ResponseHeader, items: &[u8]) -> Vec<u8> {
    let version = header.protocol_version.version().unwrap_or(Version::NEWEST);
    let mut writer = Writer::new();
    writer.structure(tag::RESPONSE_MESSAGE, |w| {
        header.write_item(w, tag::RESPONSE_HEADER, version);
        w.raw(items);
    });
    writer.into_bytes()
}

/// What the items of a message begin with.
pub(super) fn fresh(message: &RequestMessage, facts: &ConnectionFacts) -> Batch {
    Batch {
        can_reverse: facts.roles.is_some() && message.items.len() == 1,
        ..Batch::of(message)
    }
}
