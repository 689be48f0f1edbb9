//! Get and Export: how each reason of their tables is provoked.

use super::things::{Things, id, nobody, parameters, rows};
use kmip_protocol::tag;
use kmip_ttlv::Writer;

/// Wrapped by another key, be it none.
fn wrapped(w: &mut Writer, it: &Things, by: Option<&str>, more: impl FnOnce(&mut Writer)) {
    id(w, &it.working);
    w.structure(tag::KEY_WRAPPING_SPECIFICATION, |w| {
        w.enumeration(tag::WRAPPING_METHOD, 1);
        if let Some(by) = by {
            w.structure(tag::ENCRYPTION_KEY_INFORMATION, |w| {
                id(w, by);
                parameters(w, &[(tag::BLOCK_CIPHER_MODE, 13)]);
            });
        }
        more(w);
    });
}

fn by_none(w: &mut Writer, it: &Things) {
    wrapped(w, it, None, |_| {});
}

fn with_attributes_without_encoding(w: &mut Writer, it: &Things) {
    wrapped(w, it, Some(&it.working), |w| {
        w.text(tag::ATTRIBUTE_NAME, "State");
        w.enumeration(tag::ENCODING_OPTION, 1);
    });
}

fn by_idle(w: &mut Writer, it: &Things) {
    wrapped(w, it, Some(&it.idle), |_| {});
}

fn by_secret(w: &mut Writer, it: &Things) {
    wrapped(w, it, Some(&it.secret), |_| {});
}

fn by_archived(w: &mut Writer, it: &Things) {
    wrapped(w, it, Some(&it.archived), |_| {});
}

fn by_destroyed(w: &mut Writer, it: &Things) {
    wrapped(w, it, Some(&it.destroyed), |_| {});
}

fn by_nobody(w: &mut Writer, it: &Things) {
    wrapped(w, it, Some("nobody"), |_| {});
}

fn compressed(w: &mut Writer, it: &Things) {
    id(w, &it.point);
    w.enumeration(tag::KEY_COMPRESSION_TYPE, 3);
}

fn another_format(w: &mut Writer, it: &Things) {
    id(w, &it.working);
    w.enumeration(tag::KEY_FORMAT_TYPE, 3);
}

fn absent(w: &mut Writer, it: &Things) {
    id(w, &it.absent);
    w.enumeration(tag::KEY_FORMAT_TYPE, 7);
}

fn another_wrapping(w: &mut Writer, it: &Things) {
    id(w, &it.wrapped);
    w.enumeration(tag::KEY_WRAP_TYPE, 99);
}

rows! {
    Get {
        BadCryptographicParameters: by_none;
        EncodingOptionError: with_attributes_without_encoding;
        IncompatibleCryptographicUsageMask: by_idle;
        InvalidObjectType: by_secret;
        KeyCompressionTypeNotSupported: compressed;
        KeyFormatTypeNotSupported: another_format;
        KeyValueNotPresent: absent;
        KeyWrapTypeNotSupported: another_wrapping;
        NotExtractable: |w, it| id(w, &it.kept);
        ObjectNotFound: nobody;
        Sensitive: |w, it| id(w, &it.sensitive);
        WrappingObjectArchived: by_archived;
        WrappingObjectDestroyed: by_destroyed;
        WrappingObjectNotFound: by_nobody;
    }
    Export {
        BadCryptographicParameters: by_none;
        EncodingOptionError: with_attributes_without_encoding;
        IncompatibleCryptographicUsageMask: by_idle;
        InvalidObjectType: by_secret;
        KeyCompressionTypeNotSupported: compressed;
        KeyFormatTypeNotSupported: another_format;
        KeyValueNotPresent: absent;
        KeyWrapTypeNotSupported: another_wrapping;
        ObjectNotFound: nobody;
        WrappingObjectArchived: by_archived;
        WrappingObjectDestroyed: by_destroyed;
        WrappingObjectNotFound: by_nobody;
    }
}
