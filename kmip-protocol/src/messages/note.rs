//! How a Proposal Note travels: in a Message Extension of our own, which a server or client that does not know it passes over.

use super::MessageExtension;
use crate::field::Item;
use crate::{AnyItem, AnyValue, ProposalNote, Version, tag};
use kmip_ttlv::{Reader, Writer};

impl ProposalNote {
    /// Whose extension it is.
    pub const VENDOR: &'static str = "Claviger";

    /// The extension that carries this note: Vendor Extension { Proposal Note { … } }.
    #[must_use]
    pub fn to_extension(&self) -> MessageExtension {
        let mut writer = Writer::new();
        self.write_item(&mut writer, tag::PROPOSAL_NOTE, Version::NEWEST);
        let mut reader = Reader::new(writer.as_bytes());
        // What was just written can be read.
        let value: Option<AnyValue> = Item::read_item(&mut reader, tag::PROPOSAL_NOTE, Version::NEWEST).ok();
        let note = value.map(|value| AnyItem {
            tag: tag::PROPOSAL_NOTE,
            value,
        });
        MessageExtension {
            vendor_identification: Self::VENDOR.to_owned(),
            criticality_indicator: false,
            vendor_extension: AnyValue::Structure(note.into_iter().collect()),
        }
    }

    /// The note among these extensions. One that cannot be read is none: nothing depends on it.
    #[must_use]
    pub fn from_extensions(extensions: &[MessageExtension]) -> Option<Self> {
        let ours = extensions
            .iter()
            .find(|extension| extension.vendor_identification == Self::VENDOR)?;
        let mut writer = Writer::new();
        ours.vendor_extension
            .write_item(&mut writer, tag::VENDOR_EXTENSION, Version::NEWEST);
        let mut reader = Reader::new(writer.as_bytes());
        let note = reader.structure(tag::VENDOR_EXTENSION, |inner| {
            Self::read_item(inner, tag::PROPOSAL_NOTE, Version::NEWEST)
        });
        note.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_carried() {
        let note = ProposalNote {
            proposal_identifier: Some(vec![7; 16]),
            reason: Some("why".to_owned()),
            ..ProposalNote::default()
        };
        let mut foreign = note.to_extension();
        foreign.vendor_identification = "Other".to_owned();
        assert_eq!(ProposalNote::from_extensions(core::slice::from_ref(&foreign)), None);
        assert_eq!(
            ProposalNote::from_extensions(&[foreign, note.to_extension()]),
            Some(note)
        );
        let mut other = ProposalNote::default().to_extension();
        other.vendor_extension = AnyValue::Integer(1);
        assert_eq!(ProposalNote::from_extensions(&[other]), None);
    }
}
