//! Request messages. What of a faulty message could be understood survives, so that it can be answered.

use super::MessageExtension;
use crate::field::{Field, Item, Structure, structure};
use crate::{
    AsynchronousIndicator, AttestationType, Authentication, BatchErrorContinuationOption, DateTime, Operation,
    ProtocolVersion, Request, RequestPayload, Version, tag,
};
use kmip_ttlv::{Error, ErrorKind, ItemType, Reader, Result, Tag, Value, Writer};

structure! {
    /// Request Header (KMIP 2.1 §8.2).
    RequestHeader {
        protocol_version: ProtocolVersion = PROTOCOL_VERSION;
        maximum_response_size: Option<i32> = MAXIMUM_RESPONSE_SIZE;
        client_correlation_value: Option<String> = CLIENT_CORRELATION_VALUE [V1_4..];
        server_correlation_value: Option<String> = SERVER_CORRELATION_VALUE [V1_4..];
        /// Up to 1.4 a Boolean.
        asynchronous_indicator: Option<AsynchronousIndicator> = ASYNCHRONOUS_INDICATOR;
        attestation_capable_indicator: Option<bool> = ATTESTATION_CAPABLE_INDICATOR [V1_2..];
        attestation_types: Vec<AttestationType> = ATTESTATION_TYPE [V1_2..];
        authentication: Option<Authentication> = AUTHENTICATION;
        /// Stop, if there is none.
        batch_error_continuation_option: Option<BatchErrorContinuationOption> = BATCH_ERROR_CONTINUATION_OPTION;
        /// True since 2.0, false up to 1.4, if there is none.
        batch_order_option: Option<bool> = BATCH_ORDER_OPTION;
        time_stamp: Option<DateTime> = TIME_STAMP;
        batch_count: i32 = BATCH_COUNT;
    }
}

impl RequestHeader {
    /// The header of a request with so many items, and nothing else.
    #[must_use]
    pub fn new(version: Version, batch_count: i32) -> Self {
        Self {
            protocol_version: version.into(),
            maximum_response_size: None,
            client_correlation_value: None,
            server_correlation_value: None,
            asynchronous_indicator: None,
            attestation_capable_indicator: None,
            attestation_types: Vec::new(),
            authentication: None,
            batch_error_continuation_option: None,
            batch_order_option: None,
            time_stamp: None,
            batch_count,
        }
    }
}

/// A Request Batch Item (KMIP 2.1 §8.3).
#[derive(Clone, PartialEq)]
pub struct RequestItem {
    /// The operation; `None` only if it could not be read.
    pub operation: Option<Operation>,
    /// Whether the outcome is for later items of the batch only (2.0 and later).
    pub ephemeral: Option<bool>,
    /// The client's number for the item.
    pub unique_batch_item_id: Option<Vec<u8>>,
    /// The payload, or why the item could not be read; the other items of the message are not affected.
    pub payload: Result<RequestPayload>,
    /// Extensions of vendors.
    pub message_extensions: Vec<MessageExtension>,
}

impl RequestItem {
    /// An item with this payload and nothing else.
    pub fn new(payload: impl Into<RequestPayload>) -> Self {
        let payload = payload.into();
        Self {
            operation: Some(payload.operation()),
            ephemeral: None,
            unique_batch_item_id: None,
            payload: Ok(payload),
            message_extensions: Vec::new(),
        }
    }

    /// Reads the content of a Batch Item whose frame is intact. An error inside becomes the item's payload.
    fn read(reader: &mut Reader<'_>, version: Version) -> Self {
        let mut item = Self {
            operation: None,
            ephemeral: None,
            unique_batch_item_id: None,
            payload: Err(reader.error(ErrorKind::Missing(tag::OPERATION))),
            message_extensions: Vec::new(),
        };
        if let Err(error) = item.read_fields(reader, version) {
            item.payload = Err(error.within(tag::BATCH_ITEM));
        }
        item
    }

    fn read_fields(&mut self, reader: &mut Reader<'_>, version: Version) -> Result<()> {
        let operation = Operation::read_item(reader, tag::OPERATION, version)?;
        self.operation = Some(operation);
        if tag::versions(tag::EPHEMERAL).is_some_and(|v| v.include(version)) {
            self.ephemeral = Field::read_field(reader, tag::EPHEMERAL, version)?;
        }
        self.unique_batch_item_id = Field::read_field(reader, tag::UNIQUE_BATCH_ITEM_ID, version)?;
        let read = |inner: &mut Reader<'_>| {
            crate::known::check(*inner, version)?;
            RequestPayload::read(inner, operation, version)
        };
        self.payload = reader
            .structure(tag::REQUEST_PAYLOAD, read)
            .map_err(|error| error.within(tag::BATCH_ITEM));
        let extensions = Field::read_field(reader, tag::MESSAGE_EXTENSION, version);
        if self.payload.is_ok() {
            self.message_extensions = extensions?;
            reader.finish()?;
        } else {
            // One that must be understood rejects the whole message, whatever the payload is (§9.13). The payload's error is the item's.
            self.message_extensions = extensions.unwrap_or_default();
        }
        Ok(())
    }

    /// Writes the item. An item that could not be read has nothing to write.
    fn write(&self, writer: &mut Writer, version: Version) {
        let (Some(operation), Ok(payload)) = (self.operation, &self.payload) else {
            return;
        };
        writer.structure(tag::BATCH_ITEM, |inner| {
            operation.write_item(inner, tag::OPERATION, version);
            self.ephemeral.write_field(inner, tag::EPHEMERAL, version);
            self.unique_batch_item_id
                .write_field(inner, tag::UNIQUE_BATCH_ITEM_ID, version);
            inner.structure(tag::REQUEST_PAYLOAD, |inner| payload.write(inner, version));
            self.message_extensions
                .write_field(inner, tag::MESSAGE_EXTENSION, version);
        });
    }
}

/// A Request Message (KMIP 2.1 §8.1).
#[derive(Clone, PartialEq)]
pub struct RequestMessage {
    /// The header.
    pub header: RequestHeader,
    /// The items, as many as the header says.
    pub items: Vec<RequestItem>,
}

/// Why a request message as a whole cannot be served, with what of it could be read.
pub struct RequestError {
    /// What is wrong, and where.
    pub error: Error,
    /// The version that the message says it has. [`ErrorKind::Version`] if it is not one of ours.
    pub protocol_version: Option<ProtocolVersion>,
    /// The header, if it could be read.
    pub header: Option<RequestHeader>,
    /// The items before the fault.
    pub items: Vec<RequestItem>,
}

/// Batch Items that are read of one message. A typed item takes a hundred times the memory of an empty one's eight bytes, so
/// their number is bounded beside the length of the message.
const MOST_ITEMS: usize = 10_000;

/// What has been read so far.
#[derive(Default)]
struct Found {
    protocol_version: Option<ProtocolVersion>,
    header: Option<RequestHeader>,
    items: Vec<RequestItem>,
}

impl Found {
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let numbers = peek_protocol_version(*reader)?;
        self.protocol_version = Some(numbers);
        let version = numbers.version().ok_or_else(|| reader.error(ErrorKind::Version))?;
        let header = reader.structure(tag::REQUEST_HEADER, |inner| RequestHeader::read(inner, version))?;
        let count = header.batch_count;
        self.header = Some(header);
        while reader.at(tag::BATCH_ITEM) {
            if self.items.len() >= MOST_ITEMS {
                return Err(reader.error(ErrorKind::Invalid("more batch items than a message may have")));
            }
            let (mut inner, _) = structure(reader)?;
            self.items.push(RequestItem::read(&mut inner, version));
        }
        if usize::try_from(count) != Ok(self.items.len()) {
            return Err(reader.error(ErrorKind::Invalid("Batch Count is not the number of items")));
        }
        if self.items.is_empty() {
            return Err(reader.error(ErrorKind::Missing(tag::BATCH_ITEM)));
        }
        Ok(())
    }
}

/// The numbers of the version, before the header is read as that version has it.
fn peek_protocol_version(mut reader: Reader<'_>) -> Result<ProtocolVersion> {
    if !reader.at(tag::REQUEST_HEADER) {
        return Err(reader.error(ErrorKind::Missing(tag::REQUEST_HEADER)));
    }
    let (mut header, tag) = structure(&mut reader)?;
    Item::read_item(&mut header, tag::PROTOCOL_VERSION, Version::OLDEST).map_err(|e: Error| e.within(tag))
}

/// The next item, which must be a structure: a reader over its content, and its tag.
fn structure<'a>(reader: &mut Reader<'a>) -> Result<(Reader<'a>, Tag)> {
    let offset = reader.offset();
    match reader.item()? {
        (tag, Value::Structure(inner)) => Ok((inner, tag)),
        (tag, other) => {
            let mismatch = ErrorKind::WrongType {
                expected: ItemType::Structure,
                found: other.item_type(),
            };
            Err(Error::new(mismatch, offset).within(tag))
        }
    }
}

impl RequestMessage {
    /// A request with one item.
    pub fn single<R: Request>(version: Version, payload: R) -> Self {
        Self {
            header: RequestHeader::new(version, 1),
            items: vec![RequestItem::new(payload)],
        }
    }

    /// The version of the message.
    #[must_use]
    pub fn version(&self) -> Version {
        self.header.protocol_version.version().unwrap_or(Version::NEWEST)
    }

    /// Reads a whole message. The version in its header decides how all of it is read.
    pub fn read(message: &[u8]) -> core::result::Result<Self, Box<RequestError>> {
        let mut found = Found::default();
        let mut reader = Reader::new(message);
        let outcome = reader
            .structure(tag::REQUEST_MESSAGE, |inner| found.read(inner))
            .and_then(|()| reader.finish());
        let Found {
            protocol_version,
            header,
            items,
        } = found;
        let error = match (outcome, header) {
            (Ok(()), Some(header)) => return Ok(Self { header, items }),
            (Ok(()), None) => (reader.error(ErrorKind::Missing(tag::REQUEST_HEADER)), None),
            (Err(error), header) => (error, header),
        };
        let (error, header) = error;
        Err(Box::new(RequestError {
            error,
            protocol_version,
            header,
            items,
        }))
    }

    /// Writes the message. Items that could not be read are left out.
    pub fn write(&self, writer: &mut Writer) {
        let version = self.version();
        writer.structure(tag::REQUEST_MESSAGE, |inner| {
            self.header.write_item(inner, tag::REQUEST_HEADER, version);
            for item in &self.items {
                item.write(inner, version);
            }
        });
    }
}
