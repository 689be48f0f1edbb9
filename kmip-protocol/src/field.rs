//! How fields are read and written: a field's type chooses its item type and how often the item may occur.

use crate::{ItemType, Version, Versions};
use kmip_ttlv::{ErrorKind, Reader, Result, Secret, Tag, Writer};

/// How often the item of a field may occur.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occurrence {
    /// Exactly once.
    One,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Many,
}

/// A field of a structure, as documentation and Query's Extension Map tell it.
#[derive(Debug)]
pub struct FieldRow {
    /// Its name in Rust.
    pub name: &'static str,
    /// Its tags, with the versions that each holds for; none for a field that chooses its items itself.
    pub tags: &'static [(Tag, Versions)],
    /// How often it may occur.
    pub occurrence: Occurrence,
    /// The item's type; `None` where versions or values differ.
    pub item_type: Option<ItemType>,
    /// The enumeration or mask of its values.
    pub values: Option<&'static str>,
    /// The fields of a structure.
    pub fields: &'static [FieldRow],
}

/// Several items in a fixed order: the content of a structure or of a payload.
pub trait Structure: Sized {
    /// The fields in their order; none where the structure is read by hand.
    const FIELDS: &'static [FieldRow] = &[];
    /// Reads the items of this structure; what is left unread is the caller's to refuse.
    fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self>;
    /// Writes the items of this structure, leaving out what the version does not have.
    fn write(&self, writer: &mut Writer, version: Version);
}

/// The value of one item, whatever its tag.
pub trait Item: Sized {
    /// The item's type; `None` where versions or values differ.
    const TYPE: Option<ItemType> = None;
    /// The name of the enumeration or mask that its values belong to.
    const VALUES: Option<&'static str> = None;
    /// The fields, if it is a structure of rows.
    const FIELDS: &'static [FieldRow] = &[];
    /// Reads the next item, which must have this tag and this type.
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self>;
    /// Writes one item with this tag.
    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version);
}

/// A field of a structure: one item, perhaps an item (`Option`), or any number of them (`Vec`).
pub trait Field: Sized {
    /// How often the item may occur.
    const OCCURRENCE: Occurrence = Occurrence::One;
    /// As [`Item::TYPE`].
    const TYPE: Option<ItemType> = None;
    /// As [`Item::VALUES`].
    const VALUES: Option<&'static str> = None;
    /// As [`Item::FIELDS`].
    const FIELDS: &'static [FieldRow] = &[];
    /// Reads the items of this field.
    fn read_field(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self>;
    /// Writes the items of this field.
    fn write_field(&self, writer: &mut Writer, tag: Tag, version: Version);
    /// What the field is in a version that does not have it: nothing, or an error where it cannot be nothing.
    fn absent(reader: &Reader<'_>, tag: Tag) -> Result<Self> {
        Err(reader.error(ErrorKind::Missing(tag)))
    }
}

impl<T: Item> Field for T {
    const TYPE: Option<ItemType> = T::TYPE;
    const VALUES: Option<&'static str> = T::VALUES;
    const FIELDS: &'static [FieldRow] = T::FIELDS;
    fn read_field(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        T::read_item(reader, tag, version)
    }
    fn write_field(&self, writer: &mut Writer, tag: Tag, version: Version) {
        self.write_item(writer, tag, version);
    }
}

impl<T: Item> Field for Option<T> {
    const OCCURRENCE: Occurrence = Occurrence::Optional;
    const TYPE: Option<ItemType> = T::TYPE;
    const VALUES: Option<&'static str> = T::VALUES;
    const FIELDS: &'static [FieldRow] = T::FIELDS;
    fn read_field(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        reader.at(tag).then(|| T::read_item(reader, tag, version)).transpose()
    }
    fn write_field(&self, writer: &mut Writer, tag: Tag, version: Version) {
        if let Some(item) = self {
            item.write_item(writer, tag, version);
        }
    }
    fn absent(_: &Reader<'_>, _: Tag) -> Result<Self> {
        Ok(None)
    }
}

impl<T: Item> Field for Vec<T> {
    const OCCURRENCE: Occurrence = Occurrence::Many;
    const TYPE: Option<ItemType> = T::TYPE;
    const VALUES: Option<&'static str> = T::VALUES;
    const FIELDS: &'static [FieldRow] = T::FIELDS;
    fn read_field(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        if !reader.at(tag) {
            return Ok(Self::new());
        }
        // Room for one, which is the usual number: items may be large.
        let mut items = Self::with_capacity(1);
        while reader.at(tag) {
            items.push(T::read_item(reader, tag, version)?);
        }
        Ok(items)
    }
    fn write_field(&self, writer: &mut Writer, tag: Tag, version: Version) {
        for item in self {
            item.write_item(writer, tag, version);
        }
    }
    fn absent(_: &Reader<'_>, _: Tag) -> Result<Self> {
        Ok(Self::new())
    }
}

/// A large value that is seldom there, out of the way of what surrounds it.
impl<T: Item> Item for Box<T> {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        T::read_item(reader, tag, version).map(Self::new)
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        T::write_item(self, writer, tag, version);
    }
}

/// Item types whose reading and writing is one call each.
macro_rules! items {
    ($($type:ty, $kind:ident: |$reader:ident, $rt:ident| $read:expr, |$value:ident, $writer:ident, $wt:ident| $write:expr;)+) => {$(
        impl Item for $type {
            const TYPE: Option<crate::ItemType> = Some(crate::ItemType::$kind);
            fn read_item($reader: &mut Reader<'_>, $rt: Tag, _: Version) -> Result<Self> {
                $read
            }
            fn write_item(&self, $writer: &mut Writer, $wt: Tag, _: Version) {
                let $value = self;
                $write;
            }
        }
    )+};
}
pub(crate) use items;

items! {
    i32, Integer: |reader, tag| reader.integer(tag), |value, writer, tag| writer.integer(tag, *value);
    i64, LongInteger: |reader, tag| reader.long_integer(tag), |value, writer, tag| writer.long_integer(tag, *value);
    bool, Boolean: |reader, tag| reader.boolean(tag), |value, writer, tag| writer.boolean(tag, *value);
    String, TextString: |reader, tag| reader.text(tag).map(str::to_owned), |value, writer, tag| writer.text(tag, value);
    Vec<u8>, ByteString: |reader, tag| reader.bytes(tag).map(<[u8]>::to_vec), |value, writer, tag| writer.bytes(tag, value);
    Secret, ByteString: |reader, tag| reader.bytes(tag).map(Secret::copy_from), |value, writer, tag| writer.bytes(tag, value.expose());
}

/// A structure as an item.
pub(crate) fn read_structure<T: Structure>(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<T> {
    reader.structure(tag, |inner| T::read(inner, version))
}

/// A structure as an item.
pub(crate) fn write_structure<T: Structure>(value: &T, writer: &mut Writer, tag: Tag, version: Version) {
    writer.structure(tag, |inner| value.write(inner, version));
}

/// The items that remain, checked to be well formed, as they are.
pub(crate) fn raw_items(reader: &mut Reader<'_>) -> Result<Secret> {
    let bytes = Secret::copy_from(reader.remaining());
    while !reader.is_empty() {
        reader.skip()?;
    }
    Ok(bytes)
}

/// Declares structures: fields in the order of the specification, each with its tag and the versions that have it.
///
/// A row is `field: Type = TAG [versions];`. A field that was renamed has both tags: `= OLD [..=V1_4] | NEW [V2_0..]`.
/// A field without a tag chooses its items itself. The field's type says how often the item may occur.
macro_rules! structure {
    ($(
        $(#[$meta:meta])*
        $type:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident: $field_type:ty $(= $($tag:ident $([$($range:tt)+])?)|+)?;
            )*
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq)]
        pub struct $type {
            $(
                $(#[doc = concat!($("`", stringify!($tag), "` ",)+ ".")])?
                $(#[$field_meta])*
                pub $field: $field_type,
            )*
        }

        impl $crate::field::Structure for $type {
            const FIELDS: &'static [$crate::field::FieldRow] = &[$($crate::field::FieldRow {
                name: stringify!($field),
                tags: &[$($(($crate::tag::$tag, $crate::version::versions!($($($range)+)?))),+)?],
                occurrence: <$field_type as $crate::field::Field>::OCCURRENCE,
                item_type: <$field_type as $crate::field::Field>::TYPE,
                values: <$field_type as $crate::field::Field>::VALUES,
                fields: <$field_type as $crate::field::Field>::FIELDS,
            }),*];

            #[allow(unused_variables)] // a structure may have no field
            fn read(reader: &mut kmip_ttlv::Reader<'_>, version: $crate::Version) -> kmip_ttlv::Result<Self> {
                $(let $field = $crate::field::read_row(
                    reader,
                    version,
                    const { &[$($(($crate::tag::$tag, $crate::version::versions!($($($range)+)?))),+)?] },
                )?;)*
                Ok(Self { $($field),* })
            }

            #[allow(unused_variables)]
            fn write(&self, writer: &mut kmip_ttlv::Writer, version: $crate::Version) {
                let Self { $($field),* } = self;
                $($crate::field::write_row(
                    $field,
                    writer,
                    version,
                    const { &[$($(($crate::tag::$tag, $crate::version::versions!($($($range)+)?))),+)?] },
                );)*
            }
        }

        #[cfg(test)]
        impl $crate::sample::Sample for $type {
            #[allow(unused_variables)]
            fn sample(maker: &mut $crate::sample::Maker) -> Self {
                Self { $($field: maker.make()),* }
            }
        }

        #[cfg(test)]
        #[test]
        #[allow(non_snake_case)]
        fn $type() {
            $crate::sample::check_structure::<$type>(&[
                $(&[$($(($crate::tag::$tag, $crate::version::versions!($($($range)+)?))),+)?]),*
            ]);
        }

        impl $crate::field::Item for $type {
            const TYPE: Option<$crate::ItemType> = Some($crate::ItemType::Structure);
            const FIELDS: &'static [$crate::field::FieldRow] = <Self as $crate::field::Structure>::FIELDS;

            fn read_item(
                reader: &mut kmip_ttlv::Reader<'_>,
                tag: kmip_ttlv::Tag,
                version: $crate::Version,
            ) -> kmip_ttlv::Result<Self> {
                $crate::field::read_structure(reader, tag, version)
            }
            fn write_item(&self, writer: &mut kmip_ttlv::Writer, tag: kmip_ttlv::Tag, version: $crate::Version) {
                $crate::field::write_structure(self, writer, tag, version);
            }
        }
    )+};
}
pub(crate) use structure;

/// The tags of a field, with the versions that each holds for; none for a field that chooses its items itself.
pub(crate) type Tags = [(Tag, crate::Versions)];

/// The tag of a field in this version, if the version has the field.
fn tag_in(tags: &Tags, version: Version) -> Option<Tag> {
    if tags.is_empty() {
        return Some(Tag(0));
    }
    tags.iter()
        .find(|(_, versions)| versions.include(version))
        .map(|(tag, _)| *tag)
}

/// The tag of a field that only a later minor version has, if it comes next all the same. A server processes the rest of such a
/// message normally (KMIP 1.4 §11.1, "different minor versions"); since the field is understood here, it is processed too.
fn tag_of_later(reader: &Reader<'_>, tags: &Tags, version: Version) -> Option<Tag> {
    let next = reader.peek()?;
    let later = |versions: &crate::Versions| versions.first > version && versions.first.major() == version.major();
    tags.iter()
        .find(|(tag, versions)| *tag == next && later(versions))
        .map(|(tag, _)| *tag)
}

/// Reads one row.
#[inline]
pub(crate) fn read_row<T: Field>(reader: &mut Reader<'_>, version: Version, tags: &Tags) -> Result<T> {
    match tag_in(tags, version).or_else(|| tag_of_later(reader, tags, version)) {
        Some(tag) => T::read_field(reader, tag, version),
        None => T::absent(reader, tags.first().map_or(Tag(0), |(tag, _)| *tag)),
    }
}

/// Writes one row.
#[inline]
pub(crate) fn write_row<T: Field>(value: &T, writer: &mut Writer, version: Version, tags: &Tags) {
    if let Some(tag) = tag_in(tags, version) {
        value.write_field(writer, tag, version);
    }
}
