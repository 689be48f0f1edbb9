//! Vocabularies for tests: one with a few names, one without any, one that makes names up as it meets them.
// Each test file uses what it needs; helpers outside of test functions count as tests here.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use kmip_ttlv::{Scope, Tag, Vocabulary};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;

/// Tag numbers of the standard, as far as the tests name them.
pub mod tag {
    use kmip_ttlv::Tag;
    pub const ATTRIBUTE: Tag = Tag(0x42_0008);
    pub const ATTRIBUTE_NAME: Tag = Tag(0x42_000A);
    pub const ATTRIBUTE_VALUE: Tag = Tag(0x42_000B);
    pub const BATCH_COUNT: Tag = Tag(0x42_000D);
    pub const BATCH_ITEM: Tag = Tag(0x42_000F);
    pub const USAGE_MASK: Tag = Tag(0x42_002C);
    pub const KEY_MATERIAL: Tag = Tag(0x42_0043);
    pub const OBJECT_TYPE: Tag = Tag(0x42_0057);
    pub const MESSAGE: Tag = Tag(0x42_0078);
    pub const UNIQUE_IDENTIFIER: Tag = Tag(0x42_0094);
    pub const VENDOR: Tag = Tag(0x54_0001);
}

const TAGS: [(Tag, &str); 11] = [
    (tag::ATTRIBUTE, "Attribute"),
    (tag::ATTRIBUTE_NAME, "AttributeName"),
    (tag::ATTRIBUTE_VALUE, "AttributeValue"),
    (tag::BATCH_COUNT, "BatchCount"),
    (tag::BATCH_ITEM, "BatchItem"),
    (tag::USAGE_MASK, "CryptographicUsageMask"),
    (tag::KEY_MATERIAL, "KeyMaterial"),
    (tag::OBJECT_TYPE, "ObjectType"),
    (tag::MESSAGE, "RequestMessage"),
    (tag::UNIQUE_IDENTIFIER, "UniqueIdentifier"),
    (tag::VENDOR, "VendorThing"),
];

const OBJECT_TYPES: [(u32, &str); 2] = [(1, "Certificate"), (2, "SymmetricKey")];
const USAGES: [(u32, &str); 4] = [(1, "Sign"), (2, "Verify"), (4, "Encrypt"), (8, "Decrypt")];

/// A few names.
pub struct Small;

impl Small {
    fn values(scope: Scope<'_>) -> &'static [(u32, &'static str)] {
        match (scope.tag, scope.attribute) {
            (tag::OBJECT_TYPE, _) | (tag::ATTRIBUTE_VALUE, Some("Object Type")) => &OBJECT_TYPES,
            _ if Small.is_mask(scope) => &USAGES,
            _ => &[],
        }
    }
}

impl Vocabulary for Small {
    fn tag_name(&self, tag: Tag) -> Option<&str> {
        TAGS.iter().find(|(t, _)| *t == tag).map(|(_, name)| *name)
    }
    fn tag_named(&self, name: &str) -> Option<Tag> {
        TAGS.iter().find(|(_, n)| *n == name).map(|(tag, _)| *tag)
    }
    fn value_name(&self, scope: Scope<'_>, value: u32) -> Option<&str> {
        Self::values(scope).iter().find(|(v, _)| *v == value).map(|(_, n)| *n)
    }
    fn value_named(&self, scope: Scope<'_>, name: &str) -> Option<u32> {
        Self::values(scope).iter().find(|(_, n)| *n == name).map(|(v, _)| *v)
    }
    fn is_mask(&self, scope: Scope<'_>) -> bool {
        matches!(
            (scope.tag, scope.attribute),
            (tag::USAGE_MASK, _) | (tag::ATTRIBUTE_VALUE, Some("Cryptographic Usage Mask"))
        )
    }
    fn is_attribute_name(&self, tag: Tag) -> bool {
        tag == tag::ATTRIBUTE_NAME
    }
}

/// No names: everything is a number.
pub struct Nameless;

impl Vocabulary for Nameless {
    fn tag_name(&self, _: Tag) -> Option<&str> {
        None
    }
    fn tag_named(&self, _: &str) -> Option<Tag> {
        None
    }
    fn value_name(&self, _: Scope<'_>, _: u32) -> Option<&str> {
        None
    }
    fn value_named(&self, _: Scope<'_>, _: &str) -> Option<u32> {
        None
    }
    fn is_mask(&self, _: Scope<'_>) -> bool {
        false
    }
    fn is_attribute_name(&self, _: Tag) -> bool {
        false
    }
}

/// Gives each name that it meets the next number, so that any published text can be read.
#[derive(Default)]
pub struct Inventive {
    tags: RefCell<Vec<&'static str>>,
    values: RefCell<HashMap<String, Vec<&'static str>>>,
}

impl Inventive {
    const FIRST_TAG: u32 = 0x42_0001;

    fn place(names: &mut Vec<&'static str>, name: &str) -> u32 {
        let position = names.iter().position(|n| *n == name).unwrap_or_else(|| {
            names.push(Box::leak(name.to_owned().into_boxed_str()));
            names.len() - 1
        });
        u32::try_from(position).unwrap()
    }

    fn key(&self, scope: Scope<'_>) -> String {
        format!("{} {:?}", self.tag_name(scope.tag).unwrap_or("?"), scope.attribute)
    }
}

impl Vocabulary for Inventive {
    fn tag_name(&self, tag: Tag) -> Option<&str> {
        let index = usize::try_from(tag.0.checked_sub(Self::FIRST_TAG)?).unwrap();
        self.tags.borrow().get(index).copied()
    }
    fn tag_named(&self, name: &str) -> Option<Tag> {
        let place = Self::place(&mut self.tags.borrow_mut(), name);
        Some(Tag(Self::FIRST_TAG + place))
    }
    fn value_name(&self, scope: Scope<'_>, value: u32) -> Option<&str> {
        let values = self.values.borrow();
        let names = values.get(&self.key(scope))?;
        let index = if self.is_mask(scope) {
            value.trailing_zeros()
        } else {
            value
        };
        names.get(usize::try_from(index).unwrap()).copied()
    }
    fn value_named(&self, scope: Scope<'_>, name: &str) -> Option<u32> {
        let key = self.key(scope);
        let place = Self::place(self.values.borrow_mut().entry(key).or_default(), name);
        Some(if self.is_mask(scope) { 1 << place } else { place })
    }
    fn is_mask(&self, scope: Scope<'_>) -> bool {
        let name = scope.attribute.or_else(|| self.tag_name(scope.tag));
        name.is_some_and(|name| name.ends_with("Mask"))
    }
    fn is_attribute_name(&self, tag: Tag) -> bool {
        self.tag_name(tag) == Some("AttributeName")
    }
}

/// The folder of reference data, or `None`, loudly, where it is not at hand.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CLAVIGER_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")),
        PathBuf::from,
    );
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: {} is not here (CLAVIGER_SHARED names the folder)",
        path.display()
    );
    None
}

/// Every file below a folder with this ending.
pub fn files(folder: &std::path::Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_str().is_some_and(|p| p.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Bytes of a hex text; white space is skipped.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    assert_eq!(digits.len() % 2, 0);
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}
