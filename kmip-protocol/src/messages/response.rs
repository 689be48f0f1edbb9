//! Response messages.

use super::MessageExtension;
use crate::field::{Field, Item, Structure, structure};
use crate::{
    AttestationType, DateTime, Nonce, Operation, ProtocolVersion, ResponsePayload, ResultReason, ResultStatus, Version,
    tag,
};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

structure! {
    /// Response Header (KMIP 2.1 §8.5).
    ResponseHeader {
        protocol_version: ProtocolVersion = PROTOCOL_VERSION;
        time_stamp: DateTime = TIME_STAMP;
        nonce: Option<Nonce> = NONCE [V1_2..];
        server_hashed_password: Option<Vec<u8>> = SERVER_HASHED_PASSWORD [V2_0..];
        attestation_types: Vec<AttestationType> = ATTESTATION_TYPE [V1_2..];
        client_correlation_value: Option<String> = CLIENT_CORRELATION_VALUE [V1_4..];
        server_correlation_value: Option<String> = SERVER_CORRELATION_VALUE [V1_4..];
        batch_count: i32 = BATCH_COUNT;
    }
}

impl ResponseHeader {
    /// The header of a response with so many items, and nothing else.
    #[must_use]
    pub fn new(version: Version, time_stamp: DateTime, batch_count: i32) -> Self {
        Self {
            protocol_version: version.into(),
            time_stamp,
            nonce: None,
            server_hashed_password: None,
            attestation_types: Vec::new(),
            client_correlation_value: None,
            server_correlation_value: None,
            batch_count,
        }
    }
}

/// A Response Batch Item (KMIP 2.1 §8.6).
#[derive(Clone, PartialEq)]
pub struct ResponseItem {
    /// The operation of the request item, if it had one that could be read.
    pub operation: Option<Operation>,
    /// The number that the request item had.
    pub unique_batch_item_id: Option<Vec<u8>>,
    /// How it went.
    pub result_status: ResultStatus,
    /// Why it failed, if it failed.
    pub result_reason: Option<ResultReason>,
    /// The reason in words.
    pub result_message: Option<String>,
    /// What to poll with, if it is pending.
    pub asynchronous_correlation_value: Option<Vec<u8>>,
    /// The answer.
    pub payload: Option<ResponsePayload>,
    /// Extensions of vendors.
    pub message_extensions: Vec<MessageExtension>,
}

impl ResponseItem {
    /// A success with this payload.
    pub fn success(payload: impl Into<ResponsePayload>) -> Self {
        let payload = payload.into();
        Self {
            operation: Some(payload.operation()),
            result_status: ResultStatus::Success,
            payload: Some(payload),
            ..Self::bare(None, ResultStatus::Success)
        }
    }

    /// A failure, with the reason that a peer of this version knows.
    #[must_use]
    pub fn failure(operation: Option<Operation>, reason: ResultReason, message: String, version: Version) -> Self {
        Self {
            result_reason: Some(reason.for_version(version)),
            result_message: Some(message),
            ..Self::bare(operation, ResultStatus::OperationFailed)
        }
    }

    /// An item without payload.
    #[must_use]
    pub const fn bare(operation: Option<Operation>, result_status: ResultStatus) -> Self {
        Self {
            operation,
            unique_batch_item_id: None,
            result_status,
            result_reason: None,
            result_message: None,
            asynchronous_correlation_value: None,
            payload: None,
            message_extensions: Vec::new(),
        }
    }
}

/// The number of an operation that the response does not name.
const UNNAMED: Operation = Operation(0);

impl Structure for ResponseItem {
    fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self> {
        let operation: Option<Operation> = Field::read_field(reader, tag::OPERATION, version)?;
        let mut item = Self {
            unique_batch_item_id: Field::read_field(reader, tag::UNIQUE_BATCH_ITEM_ID, version)?,
            result_status: Item::read_item(reader, tag::RESULT_STATUS, version)?,
            result_reason: Field::read_field(reader, tag::RESULT_REASON, version)?,
            result_message: Field::read_field(reader, tag::RESULT_MESSAGE, version)?,
            asynchronous_correlation_value: Field::read_field(reader, tag::ASYNCHRONOUS_CORRELATION_VALUE, version)?,
            ..Self::bare(operation, ResultStatus::Success)
        };
        if reader.at(tag::RESPONSE_PAYLOAD) {
            item.payload = Some(reader.structure(tag::RESPONSE_PAYLOAD, |inner| {
                ResponsePayload::read(inner, operation.unwrap_or(UNNAMED), version)
            })?);
        }
        item.message_extensions = Field::read_field(reader, tag::MESSAGE_EXTENSION, version)?;
        Ok(item)
    }

    fn write(&self, writer: &mut Writer, version: Version) {
        let Self {
            operation,
            unique_batch_item_id,
            result_status,
            result_reason,
            result_message,
            asynchronous_correlation_value,
            payload,
            message_extensions,
        } = self;
        operation.write_field(writer, tag::OPERATION, version);
        unique_batch_item_id.write_field(writer, tag::UNIQUE_BATCH_ITEM_ID, version);
        result_status.write_item(writer, tag::RESULT_STATUS, version);
        result_reason.write_field(writer, tag::RESULT_REASON, version);
        result_message.write_field(writer, tag::RESULT_MESSAGE, version);
        asynchronous_correlation_value.write_field(writer, tag::ASYNCHRONOUS_CORRELATION_VALUE, version);
        if let Some(payload) = payload {
            writer.structure(tag::RESPONSE_PAYLOAD, |inner| payload.write(inner, version));
        }
        message_extensions.write_field(writer, tag::MESSAGE_EXTENSION, version);
    }
}

impl Item for ResponseItem {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        crate::field::read_structure(reader, tag, version)
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        crate::field::write_structure(self, writer, tag, version);
    }
}

/// A Response Message (KMIP 2.1 §8.4).
#[derive(Clone, PartialEq)]
pub struct ResponseMessage {
    /// The header.
    pub header: ResponseHeader,
    /// The items, as many as the header says.
    pub items: Vec<ResponseItem>,
}

impl ResponseMessage {
    /// The version of the message.
    #[must_use]
    pub fn version(&self) -> Version {
        self.header.protocol_version.version().unwrap_or(Version::NEWEST)
    }

    /// Reads a whole message. The version in its header decides how all of it is read.
    pub fn read(message: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(message);
        let response = reader.structure(tag::RESPONSE_MESSAGE, |inner| {
            let mut peeked = *inner;
            let version = match peeked.item()? {
                (tag::RESPONSE_HEADER, kmip_ttlv::Value::Structure(mut header)) => {
                    ProtocolVersion::read_item(&mut header, tag::PROTOCOL_VERSION, Version::OLDEST)?
                }
                (other, _) => return Err(inner.error(ErrorKind::Unexpected(Some(other)))),
            };
            let version = version.version().ok_or_else(|| inner.error(ErrorKind::Version))?;
            let header: ResponseHeader = Item::read_item(inner, tag::RESPONSE_HEADER, version)?;
            let items: Vec<ResponseItem> = Field::read_field(inner, tag::BATCH_ITEM, version)?;
            if usize::try_from(header.batch_count) != Ok(items.len()) {
                return Err(inner.error(ErrorKind::Invalid("Batch Count is not the number of items")));
            }
            Ok(Self { header, items })
        })?;
        reader.finish()?;
        Ok(response)
    }

    /// Writes the message.
    pub fn write(&self, writer: &mut Writer) {
        let version = self.version();
        writer.structure(tag::RESPONSE_MESSAGE, |inner| {
            self.header.write_item(inner, tag::RESPONSE_HEADER, version);
            self.items.write_field(inner, tag::BATCH_ITEM, version);
        });
    }
}
