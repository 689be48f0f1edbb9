//! Reference data outside the project: tables, published cases, captures of real clients.
#![allow(dead_code)]

use std::path::PathBuf;

/// A file or folder of the reference data; says so loudly and gives nothing when it is absent.
pub fn path(relative: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("CLAVIGER_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = shared.join("kmip").join(relative);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: no reference data at {} (set CLAVIGER_SHARED)", path.display());
    None
}

/// The specification's tables.
pub fn tables() -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(path("tables/SPEC_TABLES.json")?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// The name that XML and JSON make of a name in the specification (KMIP Additional Message Encodings §5.1).
pub fn normalise(name: &str) -> String {
    let spaced: Vec<char> = name.replace(['(', ')'], " ").trim().chars().collect();
    let word = |c: Option<&char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_');
    let mut text = String::new();
    for (i, c) in spaced.iter().enumerate() {
        let next = spaced.get(i + 1).is_some_and(char::is_ascii_alphabetic);
        let after = spaced.get(i + 2).is_some_and(char::is_ascii_lowercase);
        text.push(match c {
            c if word(Some(c)) || c.is_whitespace() => *c,
            _ if next && after => ' ',
            _ => '_',
        });
    }
    let mut words = text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let first = words[0].clone();
    let rest = first.trim_start_matches(|c: char| c.is_ascii_digit());
    words[0] = format!("{rest}{}", &first[..first.len() - rest.len()]);
    words.iter().map(|w| w[..1].to_uppercase() + &w[1..]).collect()
}
