//! Our own Message Extension: what a request says of the proposal that it may become, and what its answer tells of it. Whoever did not
//! send one gets none: strict clients cannot read a message that has any (KMIP 2.1 §9.13).

use crate::failure::{Failure, Fault};
use kmip_protocol::{AnyValue, Item, MessageExtension, ProposalNote, RequestItem, Version, tag};
use kmip_ttlv::{Reader, Result, Writer};

/// Whose extension it is.
const VENDOR: &str = "Claviger";

fn is_ours(extension: &MessageExtension) -> bool {
    extension.vendor_identification == VENDOR
}

/// Whether a request carries a note.
pub(super) fn is_in(item: &RequestItem) -> bool {
    item.message_extensions.iter().any(is_ours)
}

/// Judges the extensions of all items: with one that must be understood and is not, the message is rejected as a whole (KMIP 2.1 §9.13;
/// KMIP 1.4 §6.16).
///
/// # Errors
/// [`Fault::UnknownExtension`].
pub(super) fn judge(items: &[RequestItem]) -> core::result::Result<(), Failure> {
    let mut extensions = items.iter().flat_map(|item| &item.message_extensions);
    if extensions.any(|extension| extension.criticality_indicator && !is_ours(extension)) {
        return Err(Fault::UnknownExtension.into());
    }
    Ok(())
}

/// The note of a request, if it carries one.
///
/// # Errors
/// A note that cannot be read.
pub(super) fn of(item: &RequestItem) -> core::result::Result<Option<ProposalNote>, Failure> {
    let mut found = None;
    for extension in &item.message_extensions {
        if is_ours(extension) {
            let note = read(&extension.vendor_extension);
            found = Some(note.map_err(|error| Failure::detailed(Fault::ProposalRefused, error))?);
        }
    }
    Ok(found)
}

fn read(value: &AnyValue) -> Result<ProposalNote> {
    let mut writer = Writer::new();
    value.write_item(&mut writer, tag::VENDOR_EXTENSION, Version::NEWEST);
    let mut reader = Reader::new(writer.as_bytes());
    reader.structure(tag::VENDOR_EXTENSION, |inner| {
        ProposalNote::read_item(inner, tag::PROPOSAL_NOTE, Version::NEWEST)
    })
}

/// A note as an extension that a peer may ignore.
pub(super) fn extension(note: &ProposalNote) -> Option<MessageExtension> {
    let mut writer = Writer::new();
    writer.structure(tag::VENDOR_EXTENSION, |inner| {
        note.write_item(inner, tag::PROPOSAL_NOTE, Version::NEWEST);
    });
    let mut reader = Reader::new(writer.as_bytes());
    let read = AnyValue::read_item(&mut reader, tag::VENDOR_EXTENSION, Version::NEWEST);
    Some(MessageExtension {
        vendor_identification: VENDOR.to_owned(),
        criticality_indicator: false,
        vendor_extension: read.ok()?,
    })
}

/// Bytes of a Client Correlation Value that a record keeps: the client chose its length, and each item's record has a copy.
const KEPT_CORRELATION: usize = 256;

/// The beginning of a correlation value, cut between characters.
pub(super) fn kept(value: &str) -> String {
    let fits = |(at, c): &(usize, char)| at.saturating_add(c.len_utf8()) <= KEPT_CORRELATION;
    value.char_indices().take_while(fits).map(|(_, c)| c).collect()
}
