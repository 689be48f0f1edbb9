//! Printing what a server answered: one generic rendering of the typed value in each format, and tables where people read lists.

use super::failure::{Failure, Outcome};
use super::kmip::output as shared;
use super::options::Format;
use super::say;
use kmip_protocol::{KmipVocabulary, Requirement, Structure, Version};
use kmip_ttlv::{Reader, Scope, Tag, Value, Vocabulary as _, Writer};
use std::fmt::Write as _;

/// Rows under headings, for people.
pub(super) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table; headings that are all empty are not printed.
    pub(super) fn of<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            headings: headings.map(str::to_owned).to_vec(),
            rows: Vec::new(),
        }
    }

    /// One more row.
    pub(super) fn push<const N: usize>(&mut self, row: [String; N]) {
        self.rows.push(row.to_vec());
    }

    /// The rows of a list.
    pub(super) fn from_rows<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Self {
        let mut table = Self::of(headings);
        rows.for_each(|row| table.push(row));
        table
    }

    /// The text, with columns as wide as they need to be.
    pub(super) fn text(&self) -> String {
        let bare = self.headings.iter().all(String::is_empty);
        let lines = || (!bare).then_some(&self.headings).into_iter().chain(&self.rows);
        let mut widths = vec![0; self.headings.len()];
        for line in lines() {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for line in lines() {
            let mut row = String::new();
            for (width, cell) in widths.iter().zip(line) {
                let _ = write!(row, "{cell:<width$}  ");
            }
            let _ = writeln!(text, "{}", row.trim_end());
        }
        text
    }
}

/// Prints a value: as the table, if people read it and there is one; else all of it.
pub(super) fn print<T: Structure>(value: &T, tag: Tag, format: Format, table: Option<Table>) -> Outcome<()> {
    let mut writer = Writer::new();
    writer.structure(tag, |inner| value.write(inner, Version::NEWEST));
    print_bytes(writer.as_bytes(), format, table)
}

/// Prints one item of TTLV.
pub(super) fn print_bytes(bytes: &[u8], format: Format, table: Option<Table>) -> Outcome<()> {
    let hidden = shared::hide(bytes)?;
    let shown = hidden.as_bytes();
    match (format, table) {
        (Format::Table, Some(table)) => say(table.text().trim_end()),
        (Format::Table, None) => say(lines(shown)?.trim_end()),
        (Format::Json, _) => say(&kmip_ttlv::json::from_ttlv(shown, &KmipVocabulary)?),
        (Format::Xml, _) => say(&kmip_ttlv::xml::from_ttlv(shown, &KmipVocabulary)?),
        (Format::Yaml, _) => say(yaml(shown)?.trim_end()),
        (Format::Ttlv, _) => say(&super::hex(shown)),
        (Format::Toml, _) => {
            return Err(Failure::usage(
                "only a policy is printed as TOML: claviger policy show -o toml",
            ));
        }
    }
    Ok(())
}

/// A line for each value within the outermost structure.
fn lines(bytes: &[u8]) -> kmip_ttlv::Result<String> {
    let mut text = String::new();
    if let (_, Value::Structure(mut inner)) = Reader::new(bytes).item()? {
        super::proposal::tree(&mut inner, &mut text, 0)?;
    }
    Ok(text)
}

/// The tree as YAML: each structure a list of its items, so that its shape never depends on how many there are of one.
fn yaml(bytes: &[u8]) -> kmip_ttlv::Result<String> {
    let mut text = String::new();
    let mut reader = Reader::new(bytes);
    yaml_items(&mut reader, &mut text, 0)?;
    Ok(text)
}

fn yaml_items(reader: &mut Reader<'_>, text: &mut String, depth: usize) -> kmip_ttlv::Result<()> {
    while !reader.is_empty() {
        let (tag, value) = reader.item()?;
        let name = KmipVocabulary
            .tag_name(tag)
            .map_or_else(|| tag.to_string(), str::to_owned);
        let indent = 2 * depth;
        match value {
            Value::Structure(inner) if inner.is_empty() => {
                let _ = writeln!(text, "{:indent$}- {name}: []", "");
            }
            Value::Structure(mut inner) => {
                let _ = writeln!(text, "{:indent$}- {name}:", "");
                yaml_items(&mut inner, text, depth + 2)?;
            }
            Value::Integer(_) | Value::LongInteger(_) | Value::Boolean(_) | Value::Interval(_) => {
                let shown = shared::show(&value, Scope { tag, attribute: None });
                let _ = writeln!(text, "{:indent$}- {name}: {}", "", shown.trim_end_matches(" s"));
            }
            other => {
                let shown = match other {
                    Value::TextString(text) => text.to_owned(),
                    _ => shared::show(&other, Scope { tag, attribute: None }),
                };
                // A JSON string is a YAML string.
                let quoted = serde_json::Value::String(shown).to_string();
                let _ = writeln!(text, "{:indent$}- {name}: {quoted}", "");
            }
        }
    }
    Ok(())
}

/// What a rule still wants, in words.
pub(super) fn missing(requirement: &Requirement) -> String {
    let mut text = if requirement.satisfied {
        "satisfied".to_owned()
    } else {
        let of = requirement.eligible.join(", ");
        let of = if of.is_empty() {
            "nobody eligible".to_owned()
        } else {
            of
        };
        let votes = if requirement.remaining == 1 { "vote" } else { "votes" };
        format!("{} {votes} of: {of}", requirement.remaining)
    };
    for warning in &requirement.warnings {
        let _ = write!(text, " ({warning})");
    }
    text
}

/// Seconds since 1970 as a date and time in UTC.
pub(super) fn moment(seconds: i64) -> String {
    shared::moment(seconds)
}

/// A value that may be absent.
pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{StatusItem, tag};

    #[test]
    fn columns_are_as_wide_as_they_need() {
        let rows = [["a", "1"], ["long name", "2"]].map(|row| row.map(str::to_owned));
        let table = Table::from_rows(["NAME", "N"], rows.into_iter());
        assert_eq!(table.text(), "NAME       N\na          1\nlong name  2\n");
    }

    #[test]
    fn yaml_has_one_shape() {
        let item = StatusItem {
            status_name: "demo".to_owned(),
            status_value: "yes: \"all\"".to_owned(),
            severity: None,
        };
        let mut writer = Writer::new();
        kmip_protocol::Item::write_item(&item, &mut writer, tag::STATUS_ITEM, Version::NEWEST);
        let text = yaml(writer.as_bytes()).unwrap();
        assert_eq!(
            text,
            "- StatusItem:\n    - StatusName: \"demo\"\n    - StatusValue: \"yes: \\\"all\\\"\"\n"
        );
    }
}
