//! Messages: headers, batch items and what belongs to them (KMIP 2.1 §8, §9).

mod note;
mod request;
mod response;

pub use request::{RequestError, RequestHeader, RequestItem, RequestMessage};
pub use response::{ResponseHeader, ResponseItem, ResponseMessage};

use crate::AnyValue;
use crate::field::structure;

structure! {
    /// Message Extension (KMIP 2.1 §9.13). The extension is a structure of the vendor's own.
    MessageExtension {
        vendor_identification: String = VENDOR_IDENTIFICATION;
        criticality_indicator: bool = CRITICALITY_INDICATOR;
        vendor_extension: AnyValue = VENDOR_EXTENSION;
    }
}
